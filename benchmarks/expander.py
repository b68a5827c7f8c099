"""What the expander of lists and shared heads reaches: gold labels named in a text, and members that are gold.

Run: PYTHONPATH=. python benchmarks/expander.py ../shared/data [--misses N | --validation]

No tagger takes part. Figures with machine and date are kept in benchmarks/results/expander.md. The validation documents
of benchmarks/results/split.json are scored, never printed.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from abroad.core.jsonl import read_jsonl
from abroad.text.expand import Expansion, expand_lists, expand_shared_heads

SPLIT = Path(__file__).parent / "results" / "split.json"
_DASHES, _PRIMES = re.compile("[‐‑‒–—―−]"), re.compile("[′’`´]")


@dataclass(frozen=True)
class Text:
    """A text with the labels that are gold in it."""

    id: str
    text: str
    gold: tuple[str, ...]


@dataclass
class Score:
    """Counts over texts.

    `impure` holds expansions with some gold members and some that are none.
    """

    gold: int = 0
    verbatim: int = 0
    reached: int = 0
    members: int = 0
    right: int = 0
    missed: list[tuple[Text, str]] = field(default_factory=list)
    impure: list[tuple[Text, Expansion]] = field(default_factory=list)

    def add(self, text: Text) -> None:
        """Count one text."""
        stream = key(text.text)
        expansions = [*expand_lists(text.text), *expand_shared_heads(text.text)]
        listed = {key(label) for expansion in expansions for label in expansion.labels}
        gold = {key(label): label for label in text.gold}
        for name, label in gold.items():
            self.gold += 1
            self.verbatim += name in stream
            if name in stream or name in listed:
                self.reached += 1
            else:
                self.missed.append((text, label))
        for expansion in expansions:
            right = sum(key(label) in gold for label in expansion.labels)
            if right:
                self.members += len(expansion.labels)
                self.right += right
                if right < len(expansion.labels):
                    self.impure.append((text, expansion))

    def row(self, name: str) -> str:
        """One line of the table."""
        verbatim, reached = (100 * n / self.gold for n in (self.verbatim, self.reached))
        right = 100 * self.right / self.members if self.members else 0
        return (
            f"| {name} | {self.gold:,} | {verbatim:.1f} | {reached:.1f} | {self.gold - self.reached:,} "
            f"| {self.members:,} | {right:.1f} |"
        )


def key(text: str) -> str:
    """Case, white space, and kinds of dashes and primes aside."""
    return _PRIMES.sub("'", _DASHES.sub("-", re.sub(r"\s+", "", text.casefold())))


def labelled(path: Path, keep: Iterable[str] | None = None, leave: Iterable[str] = ()) -> Iterator[Text]:
    """Texts of a file in the schema of curated_dev.json, with the labels of their relations."""
    keep, leave = None if keep is None else set(keep), set(leave)
    for id, document in json.loads(path.read_text(encoding="utf-8")).items():
        if id in leave or (keep is not None and id not in keep):
            continue
        names = {chemical["id"]: chemical["label"] for chemical in document["chemicals"]}
        gold = tuple(dict.fromkeys(names[chemical] for _, chemical in document["relations"]))
        yield Text(id, f"{document['ArticleTitle'] or ''} {document['AbstractText'] or ''}".strip(), gold)


def npatlas(path: Path, kind: str) -> Iterator[Text]:
    """Abstracts with the compounds that are named in one way, such as "range"."""
    for record in read_jsonl(path):
        named = zip(record["compounds"], record["match"], strict=True)
        gold = tuple(dict.fromkeys(compound for compound, how in named if how == kind))
        if gold:
            yield Text(record["doi"], f"{record['title'] or ''} {record['abstract']}".strip(), gold)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--misses", type=int, default=0, help="print so many misses and impure lists, by chance")
    parser.add_argument("--validation", action="store_true", help="score the held-out documents, and only these")
    options = parser.parse_args()
    held_out = json.loads(SPLIT.read_text(encoding="utf-8"))["validation"]
    path = options.folder / "field" / "labelled.json"
    atlas = options.folder / "field" / "npatlas_abstracts.jsonl"
    unseen = {key(text.text)[:80] for text in labelled(path, keep=held_out)}
    parts = {
        "labelled, without validation": labelled(path, leave=held_out),
        "curated_dev": labelled(options.folder / "curated_dev.json"),
    }
    if options.validation:
        parts = {"labelled, validation": labelled(path, keep=held_out)}
    kinds = (
        []
        if options.validation
        else sorted({how for line in atlas.open(encoding="utf-8") for how in json.loads(line)["match"] if how})
    )
    parts |= {f"NPAtlas, {kind}": npatlas(atlas, kind) for kind in kinds}
    print("| part | gold labels | verbatim % | reached % | missed | members | members that are gold % |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, texts in parts.items():
        score = Score()
        for text in texts:
            score.add(text)
        print(score.row(name))
        if name != "labelled, validation":
            _show(score, options.misses, unseen)


def _show(score: Score, count: int, unseen: set[str]) -> None:
    """Print some misses and impure lists, none of a text that is a validation document in another file."""
    chance = random.Random(0)
    score.missed = [(text, label) for text, label in score.missed if key(text.text)[:80] not in unseen]
    score.impure = [(text, expansion) for text, expansion in score.impure if key(text.text)[:80] not in unseen]
    for text, label in chance.sample(score.missed, min(count, len(score.missed))):
        print(f"  missed {label!r} of {text.id}: {text.text[:1500]}")
    for text, expansion in chance.sample(score.impure, min(count, len(score.impure))):
        print(
            f"  impure {expansion.labels} of {text.id}: {text.text[max(0, expansion.start - 60) : expansion.end + 60]}"
        )


if __name__ == "__main__":
    main()
