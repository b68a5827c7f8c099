"""No command destroys a file: each one that writes, with each of its outputs, against each kind of mistake."""

import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import get_type_hints

import pytest

from abroad.cli.outputs import IN_PLACE
from abroad.cli.paths import OUTPUTS
from abroad.core.io import write_documents
from abroad.core.outputs import Output, check_outputs, guard
from abroad.core.schema import Document, Entity
from tests.cli.test_help import ALL as COMMANDS

# What each command is called with: words that begin with "in-" are made as inputs, "out-" are its outputs.
LINES = {
    "lotus prepare": "in-m.csv --wikidata in-w.nt --out out-r.tsv --index out-i.sqlite --synonyms in-s.tsv",
    "lotus synonyms": "in-keys.txt --out out-n.tsv",
    "sample": "in-r.tsv --out out-s.tsv --plot out-p.svg",
    "documents fetch": "in-s.tsv --relations in-r.tsv --xml in-x.xml --out out-d.jsonl",
    "documents search": "lichen --out out-d.jsonl",
    "documents baseline": "in-x.xml --pmids in-p.txt --out out-d.jsonl",
    "documents annotate": "in-d.jsonl --out out-a.jsonl",
    "documents seq2rel": "in-d.jsonl --output in-o.txt --out out-p.jsonl",
    "documents biored": "in-b.jsonl --field in-f.yaml --out out-d.jsonl",
    "documents pairs": "in-t.tsv --field in-f.yaml --out out-p.jsonl",
    "documents docbin": "in-d.jsonl --out out-d.spacy",
    "documents split": "in-d.jsonl --random --out-train out-a.jsonl --out-test out-b.jsonl --out-valid out-c.jsonl",
    "synth instruct": "in-d.jsonl --classes in-t.csv --principles in-p.yaml --out out-p.jsonl",
    "synth generate": "in-p.jsonl --out out-a.jsonl",
    "synth select": "in-a.jsonl --seeds in-d.jsonl --out out-t.jsonl",
    "synth report": "in-t.jsonl --out out-f.html",
    "synth state": "in-p.jsonl --out out-a.jsonl",
    "synth curate": "in-t.jsonl --out out-b.jsonl",
    "synth specialise": "in-s.json --corpus in-c.jsonl --previous in-p.jsonl --out out-i.jsonl",
    "synth tasks": "in-d.jsonl --out out-i.jsonl",
    "synth topics": "--principles in-p.yaml --out out-g.yaml",
    "synth compare": "a=in-a.jsonl b=in-b.jsonl --dev in-d.json --out out-c",
    "train run": "in-t.jsonl --validation in-v.jsonl --config in-c.yaml --out out-m",
    "train curve": "a=in-a.jsonl --sizes 5 --dev in-d.json --config in-c.yaml --out out-c",
    "tune train": "in-t.jsonl --validation in-v.jsonl --config in-c.yaml --study out-s.sqlite",
    "tune decode": "in-t.jsonl --model in-m --study out-s.sqlite",
    "tune report": "in-s.sqlite --out out-s.html",
    "extract": "in-d.jsonl --model in-m --config in-c.yaml --index in-i.sqlite --out out-p.csv "
    "--quickstatements out-q.txt",
    "extractor train": "in-d.json --synthetic in-s.jsonl --silver in-t.jsonl --out out-e --held-out out-h.jsonl",
    "teach": "in-d.jsonl --prompt in-p.j2 --examples in-e.jsonl --out out-s.jsonl --curate out-c.jsonl",
    "fewshot": "in-d.jsonl --prompt in-p.j2 --examples in-e.jsonl --embedder in-m --out out-p.jsonl",
    "rank": "in-d.jsonl in-p.jsonl --out out-r.jsonl --report out-r.html",
    "inspect attention": "in-d.jsonl --out out-p.html",
    "knowledge index": "in-t.tsv --synonyms in-s.tsv --out out-i.sqlite",
    "knowledge build": "in-p.jsonl --documents in-d.jsonl --index in-i.sqlite --decisions in-c.jsonl "
    "--out out-k.duckdb",
    "knowledge export": "in-k.duckdb --out out-n.csv",
    "annotate pull": "--from in-s.json --no-server --out out-c",
    "annotate export": "in-d.jsonl --predictions in-p.jsonl --html out-c.html",
    "annotate agreement": "in-d.jsonl --predictions in-p.jsonl --plot out-a.svg",
    "evaluate": "--gold in-g.jsonl --pred in-p.jsonl --compare in-o.jsonl --report out-r.html --answers out-a",
    "tune images": "in-t.jsonl --validation in-v.jsonl --model in-m --out out-i",
    "field new": "mine --head a --tail b --verb c --passive d --out out-f.yaml",
    "models convert": "in-m.d --out out-c",
    "leaderboard": "in-s.yaml --config in-c.yaml --out out-b",
    "release pack": "in-m --dev in-d.jsonl --config in-c.yaml --out out-r",
    "release compress": "in-m --dev in-d.jsonl --out out-s",
}
# Outputs that are guarded within the command, and tested by themselves.
IN_PLACE_OPTIONS = {("lotus fetch", "out"), ("release card", "release")}
SERVERS = {("annotate serve", "home")}
READ = {
    *(
        "annotated",
        "field",
        "files",
        "pmids",
        "metadata",
        "doi2pmid",
        "wikidata",
        "synonyms",
        "keys",
        "table",
        "sample",
        "labels",
        "relations",
        "xml",
        "documents",
    ),
    *("output", "by_entropy", "prompts", "classes", "abstracts", "seeds", "selected", "curated", "corpus", "previous"),
    *("dev", "config", "validation", "synthetic", "prompt", "examples", "embedder", "predictions", "offline"),
    *(
        "database",
        "decisions",
        "silver",
        "gold",
        "pred",
        "compare",
        "run",
        "file",
        "model",
        "directory",
        "harness_tasks",
        "base_dir",
    ),
}
READ_ALONE = {("tune report", "study"), ("extract", "index"), ("knowledge build", "index")}

ALL = {" ".join(path): command for path, command in COMMANDS.items()}


def kinds(name):
    return getattr(ALL[name].callback, OUTPUTS, {})


@dataclass
class Call:
    """A command line with one output of interest."""

    name: str
    parameter: str

    @property
    def kind(self):
        return kinds(self.name)[self.parameter]

    @property
    def option(self):
        return next(p.opts[0] for p in ALL[self.name].params if p.name == self.parameter)

    @property
    def words(self):
        return shlex.split(LINES[self.name])

    @property
    def given(self):
        return self.words[self.words.index(self.option) + 1]

    @property
    def inputs(self):
        return [Path(word.partition("=")[2] or word) for word in self.words if "in-" in word]

    def line(self, path):
        """The words with another path for the output."""
        words = self.words
        words[words.index(self.option) + 1] = str(path)
        return [*self.name.split(), *words]


CALLS = [Call(name, parameter) for name in LINES for parameter in kinds(name)]
FILES = [call for call in CALLS if not call.kind.folder]
every_output = pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.name} {call.option}")
every_file = pytest.mark.parametrize("call", FILES, ids=lambda call: f"{call.name} {call.option}")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tree():
    """Every name below the directory, with its bytes."""
    return {path: path.read_bytes() if path.is_file() else None for path in sorted(Path().rglob("*"))}


def lay_inputs(call):
    for path in call.inputs:
        if path.suffix:
            path.write_bytes(f"the bytes of {path}\n".encode())
        else:
            path.mkdir()
            (path / "weights").write_bytes(b"weights")


def refuse(cli, call, path, *messages):
    """The command ends with code 2 and one line, and nothing on disk is another than before."""
    before = tree()
    result = cli(*call.line(path))
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: --") and result.stderr.count("\n") == 1, result.stderr
    assert not messages or any(message in result.stderr for message in messages), result.stderr
    assert tree() == before


def test_every_path_of_every_command_is_known_as_an_input_or_an_output():
    for name, command in ALL.items():
        for parameter in command.params:
            hint = str(get_type_hints(command.callback).get(parameter.name))
            if "Path" not in hint or (name, parameter.name) in READ_ALONE:
                continue
            declared = parameter.name in kinds(name)
            assert declared or parameter.name in READ, f"{name}: is {parameter.name} read or written?"
            assert not (declared and parameter.name in READ), f"{name}: {parameter.name} is an output here"


def test_every_output_of_every_command_is_in_this_suite():
    declared = {(name, parameter) for name in ALL for parameter in kinds(name)}
    assert declared == {(call.name, call.parameter) for call in CALLS} | IN_PLACE_OPTIONS | SERVERS
    assert all(kinds(name)[parameter] is IN_PLACE for name, parameter in IN_PLACE_OPTIONS)
    for call in CALLS:
        assert call.given.startswith("out-")


def test_every_command_that_writes_has_force():
    for name in [*LINES, "run", "lotus fetch", "release card"]:
        assert "--force" in {option for parameter in ALL[name].params for option in parameter.opts}, name


@every_output
@pytest.mark.parametrize("how", ["itself", "another spelling", "symlink", "hard link", "--force"])
def test_an_output_is_no_input(cli, call, how):
    lay_inputs(call)
    for number, read in enumerate(call.inputs):
        path = Path(f"link-{number}{Path(call.given).suffix}")
        if how == "another spelling":
            Path("sub").mkdir(exist_ok=True)
            path = Path("sub") / ".." / "." / read
        elif how == "symlink":
            path.symlink_to(read)
        elif how == "hard link":
            if read.is_dir():
                continue
            path.hardlink_to(read)
        else:
            path = read
        before = tree()
        result = cli(*call.line(path), *(["--force"] if how == "--force" else []))
        assert result.exit_code == 2 and result.stderr.count("\n") == 1, result.output
        assert tree() == before


@every_output
def test_no_two_outputs_are_one(cli, call):
    lay_inputs(call)
    for other in CALLS:
        if other.name == call.name and other.parameter != call.parameter:
            refuse(cli, call, other.given, "the same as", "lies in", "unknown ending")


COMMON = "adapter_config.json answers.jsonl config.json decisions.jsonl decoding.json images.json joint.json".split()
COMMON += "leaderboard.html model.safetensors scorer.json training.json".split()


@every_output
def test_what_abroad_did_not_write_stays(cli, call):
    lay_inputs(call)
    path = Path(call.given)
    if call.kind.folder:
        path.mkdir()
        for name in ("notes.txt", *COMMON):  # no name of a file makes a folder ours: others write such files too
            (path / name).write_text("mine")
    else:
        path.write_bytes(b"mine")
    refuse(cli, call, path, "--force to overwrite it")


@pytest.mark.parametrize("call", [call for call in CALLS if call.kind.marked], ids=lambda c: f"{c.name} {c.option}")
def test_the_result_of_another_command_stays(cli, call):
    lay_inputs(call)
    path = Path(call.given)

    def write(command, option):
        with guard([Output(path, call.kind, option)], force=True, command=command):
            if call.kind.folder:
                path.mkdir(exist_ok=True)
            (path / f"of {command.split()[-1]}{option}" if call.kind.folder else path).write_text(command + option)

    write("abroad another", "--out")
    refuse(cli, call, path, "a result of `abroad another --out`; give another name, or --force")
    write(f"abroad {call.name}", "--another")
    refuse(cli, call, path, f"a result of `abroad {call.name} --another`")
    write(f"abroad {call.name}", call.option)
    check_outputs([Output(path, call.kind, call.option)], command=f"abroad {call.name}")


@every_output
def test_an_output_among_the_helpers_of_another_is_refused(cli, call):
    lay_inputs(call)
    Path("p.jsonl.abroad").mkdir()
    refuse(cli, call, Path("p.jsonl.abroad") / call.given, "holds the helpers of an output")


@pytest.mark.parametrize("name", ["run.json", "rejects.jsonl", "mine.txt"])
@pytest.mark.parametrize("call", [call for call in CALLS if call.kind.marked], ids=lambda c: f"{c.name} {c.option}")
def test_helpers_that_abroad_did_not_write_stay(cli, call, name):
    lay_inputs(call)
    folder = Path(f"{call.given}.abroad")
    folder.mkdir()
    (folder / name).write_text("{}")
    refuse(cli, call, call.given, f"holds files that abroad did not write ({name})")


@pytest.mark.parametrize("call", [call for call in CALLS if call.kind.beside(Path("x.html"))], ids=lambda c: c.name)
def test_a_neighbour_that_abroad_did_not_write_stays(cli, call):
    lay_inputs(call)
    (neighbour,) = call.kind.beside(Path(call.given))
    neighbour.write_text("mine")
    refuse(cli, call, call.given, f"{neighbour}: it is there already")


@every_output
def test_a_folder_is_no_file_and_a_file_no_folder(cli, call):
    lay_inputs(call)
    path = Path("other" + Path(call.given).suffix)
    path.write_text("mine") if call.kind.folder else path.mkdir()
    refuse(cli, call, path, "found a folder", "expected a folder")
    file = next((read for read in call.inputs if read.suffix), Path("file.txt"))  # a search has no input
    file.touch()
    refuse(cli, call, file / "below.jsonl", "is no folder")


@every_output
@pytest.mark.parametrize("target", ["/dev/full", "/dev/null", "pipe"])
def test_devices_and_pipes_are_no_files(cli, call, target):
    lay_inputs(call)
    path = Path("device" + Path(call.given).suffix)
    # By a link, so that a command that fails this test does not replace the device of the machine.
    os.mkfifo(path) if target == "pipe" else path.symlink_to(target)
    before = sorted(Path().iterdir())
    result = cli(*call.line(path))
    assert result.exit_code == 2 and result.stderr.count("\n") == 1, result.output
    assert "a device or a pipe" in result.stderr or "expected a folder" in result.stderr
    assert sorted(Path().iterdir()) == before and (path.is_fifo() or path.is_symlink())


@every_file
def test_endings_that_the_command_does_not_know_are_refused(cli, call):
    lay_inputs(call)
    refuse(cli, call, "x.docx", "unknown ending .docx")


@every_output
def test_a_place_where_nothing_can_be_written_is_said(cli, call):
    lay_inputs(call)
    refuse(cli, call, Path("/proc/abroad") / call.given, "cannot be written there")


@pytest.mark.parametrize("call", [call for call in CALLS if call.kind.folder], ids=lambda call: call.name)
def test_standard_output_is_no_folder(cli, call):
    lay_inputs(call)
    refuse(cli, call, "-", "not standard output")


# Commands that guard their files themselves.


@pytest.fixture
def config():
    """A run config of which a file and the directory can be chosen."""

    def write(out, gold="gold.jsonl"):
        Path("relations.tsv").write_text("rows")
        Path("gold.jsonl").write_text("gold")
        Path("run.yaml").write_text(f"out: {out}\nlotus: {{relations: relations.tsv}}\nevaluate: {{gold: {gold}}}\n")
        return "run.yaml"

    return write


@pytest.mark.parametrize("out", ["gold.jsonl", "device", "pipe", "gold.jsonl/below", "/proc/abroad"])
def test_a_run_needs_a_folder(cli, config, out):
    Path("device").symlink_to("/dev/full")
    os.mkfifo("pipe")
    line = config(out)
    before = tree()
    result = cli("run", line, "--force")
    assert result.exit_code == 2 and result.stderr.count("\n") == 1, result.output
    assert tree() == before


@pytest.mark.parametrize("name", ["sample.tsv", "sample.png", "documents.jsonl", "report.html", "model"])
def test_a_run_leaves_what_it_reads_and_what_no_stage_wrote(cli, config, name):
    line = config("run")
    Path("run").mkdir()
    path = Path("run") / name
    if name == "model":
        path.mkdir()
        (path / "notes.txt").write_text("mine")
    else:
        path.write_text("mine")
    before = tree()
    result = cli("run", line)
    assert result.exit_code == 2 and "--force to overwrite it" in result.stderr
    assert tree() == before
    if name != "model":
        path.unlink()
        path.hardlink_to("gold.jsonl")
        before = tree()
        result = cli("run", line, "--force")
        assert result.exit_code == 2 and "which this command reads" in result.stderr
        assert tree() == before


@pytest.mark.parametrize("what", ["folder", "file", "device"])
def test_a_server_keeps_out_of_what_is_not_its_home(cli, what):
    home = Path("home")
    if what == "folder":
        home.mkdir()
        (home / "thesis.tex").write_text("mine")
    else:
        home.symlink_to("/dev/full") if what == "device" else home.write_text("mine")
    before = tree()
    result = cli("annotate", "serve", "--home", home)
    assert result.exit_code == 2 and result.stderr.count("\n") == 1, result.output
    assert tree() == before


@pytest.mark.parametrize("what", ["folder", "device", "file in place of the folder"])
def test_a_download_needs_a_file(cli, what):
    from abroad.sources.manifest import load_entry

    target = Path("downloads") / load_entry("lotus_metadata").file
    if what.startswith("file"):
        target.parent.write_text("mine")
    else:
        target.parent.mkdir()
        target.mkdir() if what == "folder" else target.symlink_to("/dev/full")
    before = tree()
    result = cli("lotus", "fetch", "--url", "http://127.0.0.1:9/x", "--out", "downloads", "--force")
    assert result.exit_code == 2 and result.stderr.count("\n") == 1, result.output
    assert tree() == before


# Runs that write: `synth tasks` stands for all, since all go through the same gate.


@pytest.fixture
def documents():
    sides = ([Entity("o", "Allium cepa")], [Entity("c", "quercetin")])
    text = "Quercetin was isolated from Allium cepa."
    made = (Document(str(n), f"T{n}", text).with_products(*sides, [("o", "c")]) for n in range(9))
    write_documents("docs.jsonl", made)
    return "docs.jsonl"


@pytest.fixture
def tasks(cli, documents):
    return lambda *more, out="new/tasks.jsonl": cli("synth", "tasks", documents, "--out", out, *more)


OUT, HELPERS = Path("new/tasks.jsonl"), Path("new/tasks.jsonl.abroad")


def test_a_command_overwrites_what_it_wrote(tasks):
    assert tasks().exit_code == 0
    first = OUT.read_bytes()
    assert tasks("--count", "3").exit_code == 0
    assert OUT.read_bytes() != first
    assert (HELPERS / "earlier" / OUT.name).read_bytes() == first
    assert {path.name for path in OUT.parent.iterdir()} == {OUT.name, HELPERS.name}
    assert {path.name for path in HELPERS.iterdir()} == {"run.json", "written.json", "earlier"}
    assert json.loads((HELPERS / "written.json").read_text())["command"] == "abroad synth tasks"


def test_what_somebody_changed_since_stays_but_for_force(tasks):
    tasks()
    OUT.write_text("curated by hand")
    result = tasks()
    assert result.exit_code == 2 and "it was changed since" in result.stderr
    assert OUT.read_text() == "curated by hand"
    assert tasks("--force").exit_code == 0
    assert OUT.read_text() != "curated by hand"
    assert tasks().exit_code == 0


def test_force_writes_among_helpers_of_others_and_a_failed_try_leaves_them_theirs(tasks, cli):
    HELPERS.mkdir(parents=True)
    (HELPERS / "notes.txt").write_text("mine")
    Path("none.jsonl").write_text("{}")
    assert cli("synth", "tasks", "none.jsonl", "--out", OUT, "--force").exit_code == 2
    assert tasks().exit_code == 2
    assert tasks("--force").exit_code == 0 and tasks("--count", "3").exit_code == 0
    assert (HELPERS / "notes.txt").read_text() == "mine"


def test_a_copy_with_other_times_is_still_known(tasks):
    tasks()
    os.utime(OUT, (1, 1))
    assert tasks().exit_code == 0


def test_a_run_that_was_killed_goes_on_without_force(tasks):
    tasks()
    (HELPERS / "written.json").unlink()
    (HELPERS / "writing.json").write_text("{}")
    assert tasks().exit_code == 0
    assert not (HELPERS / "writing.json").exists()


def test_the_run_record_of_an_earlier_version_is_known(tasks):
    OUT.parent.mkdir()
    OUT.write_text("of version 0")
    (OUT.parent / "tasks.jsonl.run.json").write_text(json.dumps({"command": "synth tasks"}))
    assert tasks().exit_code == 0
    assert json.loads(OUT.read_text().splitlines()[0])


def test_a_command_that_fails_leaves_no_trace(cli, documents):
    Path("empty.jsonl").write_text("")
    before = tree()
    assert cli("synth", "tasks", "empty.jsonl", "--out", "new/deep/tasks.jsonl").exit_code == 2
    assert tree() == before


def test_a_dash_is_standard_output(tasks):
    result = tasks(out="-")
    assert result.exit_code == 0, result.output
    assert len([json.loads(line) for line in result.stdout.splitlines()]) > 9
    assert "tasks (" in result.stderr and result.stderr.rstrip().endswith("standard output")
    assert {path.name for path in Path().iterdir()} == {"docs.jsonl"}


def test_only_one_output_goes_to_standard_output(cli, documents):
    result = cli("documents", "split", documents, "--random", "--out-train", "-", "--out-test", "-")
    assert result.exit_code == 2 and "only one output" in result.stderr


def test_an_output_in_a_folder_that_is_read_may_be_new_but_no_file_of_it(cli):
    folder = Path("in")
    folder.mkdir()
    (folder / "a.txt").write_text("text")
    (folder / "b.jsonl").write_text("mine")
    before = tree()
    result = cli("extract", folder, "--out", folder / "b.jsonl", "--force")
    assert result.exit_code == 2 and "would overwrite a file of in" in result.stderr
    assert tree() == before


def test_a_folder_keeps_what_was_changed_in_it(cli):
    answer = {"document": "1", "curator": "c", "status": "submitted", "relations": "A | b"}
    saved = {"documents": [Document("1", "T", "A has b.").to_dict()], "answers": [answer]}
    Path("saved.json").write_text(json.dumps(saved))
    pull = ["annotate", "pull", "--no-server", "--from", "saved.json", "--out", "curated"]
    assert cli(*pull).exit_code == 0
    assert cli(*pull).exit_code == 0
    Path("curated/curated.jsonl").write_text("corrected by hand")
    result = cli(*pull)
    assert result.exit_code == 2 and "changed since" in result.stderr
    assert Path("curated/curated.jsonl").read_text() == "corrected by hand"
    assert cli(*pull, "--force").exit_code == 0


def test_push_leaves_the_rejects_of_the_predictions_alone(tmp_path):
    from abroad.core.context import Context
    from abroad.core.io import write_rejects

    context = Context()
    context.rejects.add("x", "of extract")
    written = write_rejects(context, tmp_path / "pred.jsonl")
    assert write_rejects(Context(), tmp_path / "pred.jsonl", "rejects-of-push.jsonl") is None
    assert written.exists()


def test_a_downloaded_file_is_no_foreign_one(cli, monkeypatch):
    from abroad.sources.manifest import load_entry

    target = Path(load_entry("lotus_metadata").file)
    target.write_text("mine")
    result = cli("lotus", "fetch", "--url", "http://127.0.0.1:9/x")
    assert result.exit_code == 2 and "--force" in result.stderr
    assert target.read_text() == "mine"


def test_a_model_card_that_was_edited_stays(cli):
    from abroad.release.pack import is_our_card

    release = Path("release")
    release.mkdir()
    (release / "README.md").write_text("# mine")
    result = cli("release", "card", release)
    assert result.exit_code == 2 and "--force" in result.stderr
    assert (release / "README.md").read_text() == "# mine" and not is_our_card(release / "README.md")
