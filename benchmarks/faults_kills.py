"""Commands that are killed (-9) at random moments and started again, for `benchmarks.faults`.

Each is killed twice, then runs to its end; what it wrote is compared with the result of a run that nobody disturbed.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults_run import GOLD, Row, fresh, remove, run

Prepare = Callable[[Path], None]


@dataclass(frozen=True)
class Killed:
    """A command to kill.

    Attributes:
        command: its words; "URL" stands for the address of a PubMed of our own.
        outputs: files that are compared.
        prepare: lays further inputs into a folder.
        afterwards: a command that makes something comparable of the result, where its bytes tell nothing.
        environment: variables for it alone.
    """

    command: str
    outputs: tuple[str, ...]
    prepare: Prepare = lambda folder: None
    afterwards: str = ""
    environment: dict[str, str] = field(default_factory=dict)


def _many(folder: Path) -> None:
    """400 documents, so that several processes have several shards each."""
    records = ({**GOLD[number % len(GOLD)], "id": str(number)} for number in range(400))
    (folder / "many.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def _predictions(folder: Path) -> None:
    """Predictions as `abroad extract` writes them, of other compounds in every other document."""
    lines = []
    for number, record in enumerate(GOLD):
        chemical = ("Quercetin", "Rutin")[number % 2]
        relation = {"organism": "Allium cepa", "chemical": chemical, "score": 0.5 + number / 100, "evidence": []}
        lines.append(json.dumps({"id": record["id"], "relations": [relation], "error": None}) + "\n")
    (folder / "pred.jsonl").write_text("".join(lines), encoding="utf-8")


def _baseline(folder: Path) -> None:
    """Files of PubMed: 8 of 200 records, of which later ones replace some of the earlier ones."""
    from tests.sources.servers import article_set, article_xml

    (folder / "pubmed").mkdir()
    for number in range(8):
        articles = [
            article_xml(str(pmid), f"Lichen {pmid}.", f"Text {pmid} of file {number}.")
            for pmid in range(number * 150, number * 150 + 200)
        ]
        path = folder / "pubmed" / f"pubmed24n{number + 1:04}.xml.gz"
        path.write_bytes(gzip.compress(article_set(*articles), mtime=0))


RAY = "extract, Ray"
KILLED = {
    "extract, JSONL": Killed("extract gold.jsonl --out out.jsonl", ("out.jsonl",)),
    "extract, CSV": Killed("extract gold.jsonl --out out.csv", ("out.csv",)),
    "extract, two workers": Killed("extract many.jsonl --workers 2 --out out.jsonl", ("out.jsonl",), _many),
    RAY: Killed(
        "extract many.jsonl --workers 2 --out out.jsonl", ("out.jsonl",), _many, environment={"RAY_ADDRESS": "local"}
    ),
    "documents split": Killed(
        "documents split gold.jsonl --random --out-train a.jsonl --out-test b.jsonl", ("a.jsonl", "b.jsonl")
    ),
    "documents search": Killed(
        "documents search lichen --base-url URL --api-key none --batch-size 4 --out docs.jsonl", ("docs.jsonl",)
    ),
    "documents baseline": Killed("documents baseline pubmed --out docs.jsonl", ("docs.jsonl",), _baseline),
    "knowledge build": Killed(
        "knowledge build pred.jsonl --documents gold.jsonl --out np.duckdb",
        ("pairs.csv",),
        _predictions,
        "knowledge export np.duckdb --out pairs.csv",
    ),
    "annotate export": Killed("annotate export gold.jsonl --html page.html", ("page.html",)),
}
SLOW = (RAY,)
"""Those that are killed only where somebody asks for it."""


def run_kills(work: Path, kills: int, seed: int = 0, only: Sequence[str] | None = None) -> Iterator[Row]:
    """A row for each command.

    Args:
        work: a folder to work in.
        kills: how often each is killed twice.
        seed: of the moments.
        only: those commands; else all but the slow ones.
    """
    draw = random.Random(seed)
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(_pubmed())
        for name in only if only is not None else [name for name in KILLED if name not in SLOW]:
            yield _run_kills(work, name, KILLED[name], kills, (draw, url))


def _run_kills(work: Path, name: str, killed: Killed, kills: int, with_what: tuple[random.Random, str]) -> Row:
    draw, url = with_what
    command, plain = killed.command.replace("URL", url), name.replace(" ", "_")
    whole = _laid(work / f"whole-{plain}", killed)
    start = time.monotonic()
    first = run(command, whole, environment=killed.environment)
    duration, row = time.monotonic() - start, Row(f"kills: {name}")
    expected = _result(whole, killed)
    if first.code or None in expected.values():
        row.add("undisturbed", first, [f"{path} is missing" for path, content in expected.items() if content is None])
    for number in range(kills):
        folder = _laid(work / f"killed-{plain}-{number}", killed)
        for _ in range(2):
            run(command, folder, draw.uniform(0, duration), killed.environment)
        ended = run(command, folder, environment=killed.environment)
        found = _result(folder, killed)
        row.add(f"kill {number}", ended, [f"{path} differs" for path in expected if found[path] != expected[path]])
        remove(folder)
    return row


def _laid(folder: Path, killed: Killed) -> Path:
    killed.prepare(fresh(folder))
    return folder


def _result(folder: Path, killed: Killed) -> dict[str, bytes | None]:
    """Output -> its bytes; None where it is missing."""
    if killed.afterwards:
        run(killed.afterwards, folder)
    return {path: (folder / path).read_bytes() if (folder / path).exists() else None for path in killed.outputs}


@contextlib.contextmanager
def _pubmed() -> Iterator[str]:
    """The address of a PubMed of our own, with 80 papers on lichens."""
    from tests.sources.servers import Efetch, article_xml

    records = {str(n): article_xml(str(n), f"Lichen {n}.", "Usnic acid.", f"10.1/{n}") for n in range(1, 81)}
    with Efetch(records).serve() as server:
        yield server.url
