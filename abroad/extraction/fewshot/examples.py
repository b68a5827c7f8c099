"""Examples to show a model: where they come from, what they look like in a prompt, and none of the test set."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import Field, built_in_field
from abroad.core.linearise import SEPARATOR
from abroad.core.schema import Document
from abroad.documents.inputs import read_documents
from abroad.documents.splitting import publications
from abroad.extraction.fewshot.answers import NONE
from abroad.extraction.fewshot.wording import steps
from abroad.extraction.generative.notation import Notation
from abroad.text.evidence import find_evidence
from abroad.text.near_duplicates import shingles
from abroad.text.tokens import sentences

DEFAULT = Path(__file__).with_name("examples.jsonl")
"""Sentence-level examples of our own; all that they say is invented."""
_SAME_TEXT = 0.5
_MAX_SENTENCES = 3
_ROLES = ("head", "tail")


def load_examples(
    path: Path | None,
    tests: Sequence[Document],
    context: Context,
    only_stating: bool = False,
    field: Field | None = None,
) -> list[Document]:
    """Documents to take examples from, without those that the test set holds too.

    Args:
        path: JSON or JSONL of documents with relations; None takes our own, of natural products.
        context: its rejects are those left out.
        only_stating: without those that have no relation.
        field: that they are of; by default natural products.
    Raises:
        InputError: the file cannot be read, is of another field or missing where there are none of our own, or nothing
            is left of it.
    """
    field = field or built_in_field()
    if path is None and not field.is_built_in:
        raise InputError(f"no examples of the field {field.name}; expected some with --examples, or --shots 0")
    path = path or DEFAULT
    pool = read_documents(path, context)
    field.check_documents(pool, path)
    leaked = find_leaks(pool, tests)
    for document in pool:
        if document.id in leaked:
            context.rejects.add(f"{path}: {document.id}", f"left out as an example: {leaked[document.id]}")
    kept = [document for document in pool if document.id not in leaked]
    if not kept:
        raise InputError(f"{path}: all {len(pool)} examples are in the test set; expected others with --examples")
    stating = [document for document in kept if document.relations]
    if only_stating and not stating:
        raise InputError(f"{path}: none of its {len(kept)} examples has a relation; expected some with --only-stating")
    return stating if only_stating else kept


def find_leaks(pool: Sequence[Document], tests: Sequence[Document]) -> dict[str, str]:
    """Id of each example that the test set holds -> why it counts as such.

    One publication (id, PMID or DOI), or a text that shares at least half of its runs of four words with a test
    document, as a copy, a slightly changed one and a sentence of it do.
    """
    found: dict[str, str] = {}
    for group in publications([*tests, *pool]):
        inside = [number for number in group if number < len(tests)]
        if inside:
            same = tests[inside[0]].id
            found |= {pool[n - len(tests)].id: f"same publication as {same}" for n in group if n >= len(tests)}
    runs = {document.id: shingles(document.text) | shingles(document.abstract) for document in pool}
    holders: dict[str, list[str]] = defaultdict(list)
    for id, parts in runs.items():
        for part in parts:
            holders[part].append(id)
    for test in tests:
        shared: Counter[str] = Counter()
        for part in shingles(test.text):
            shared.update(holders.get(part, ()))
        for id, count in shared.items():
            if count >= _SAME_TEXT * len(runs[id]):
                found.setdefault(id, f"its text is nearly in {test.id}")
    return found


def show_example(document: Document, notation: Notation | None = None) -> dict[str, str]:
    """An example as the prompts name its parts: text, evidence, relations, and organisms and chemicals.

    Args:
        notation: of the field; by default natural products. The entities of another are called by its plurals.
    """
    notation = notation or Notation()
    return {
        "text": one_line(document.text),
        **{
            step.slot: SEPARATOR.join(entity.label for entity in document.entities if entity.type == step.type) or NONE
            for step in steps(notation.field)
        },
        "evidence": " ".join(_evidence_sentences(document)) or NONE,
        "relations": notation.write(document) or NONE,
    }


def one_line(text: str) -> str:
    """A text without line breaks or runs of spaces."""
    return " ".join(text.split())


def _evidence_sentences(document: Document) -> list[str]:
    """The first sentences that name the tail of a relation, such as its chemical."""
    spans = sentences(document.text)
    wanted: dict[tuple[int, int], None] = {}
    for head, tail in document.label_pairs():
        starts = [e.start for e in find_evidence(document, head, tail, _ROLES) if e.role == _ROLES[1]]
        # The abstract says what was found; the title only announces it.
        later = [start for start in starts if start > len(document.title)] or starts
        wanted |= {span: None for span in spans if any(span[0] <= start < span[1] for start in later[:1])}
    return [one_line(document.text[start:end]) for start, end in sorted(wanted)[:_MAX_SENTENCES]]
