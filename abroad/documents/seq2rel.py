"""Documents as seq2rel reads them, and its output as predictions.

Giorgi, Bader and Wang 2022, https://aclanthology.org/2022.bionlp-1.2/.
A line a document: text, tab, relations. A relation is its two entities, each followed by its type, and the type of
the relation; mentions of one entity are separated by "; ": `salvia ficta @ORGANISM@ salvinol @CHEMICAL@ @PRODUCES@`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from abroad.core.errors import InputError
from abroad.core.schema import Document, Prediction
from abroad.text.evidence import with_evidence

ORGANISM, CHEMICAL, PRODUCES = "@ORGANISM@", "@CHEMICAL@", "@PRODUCES@"
_RELATION = re.compile(rf"\s*(.*?)\s*{ORGANISM}\s*(.*?)\s*{CHEMICAL}\s*{PRODUCES}")
_SPECIAL = re.compile(r"@[A-Z]+@")


def target(document: Document) -> str:
    """The relations of a document, in the order in which their later entity ends its first mention in the text."""
    text = document.text.lower()

    def place(pair: tuple[str, str]) -> tuple[int, int]:
        ends = [text.find(label.lower()) for label in pair]
        return (max(ends) if min(ends) >= 0 else len(text), ends[0])

    pairs = sorted(document.label_pairs(), key=place)
    return " ".join(f"{_plain(o)} {ORGANISM} {_plain(c)} {CHEMICAL} {PRODUCES}" for o, c in pairs)


def line(document: Document) -> str:
    """The document as one line of a file to train on, without its end."""
    return f"{_plain(document.text)}\t{target(document)}"


def _plain(text: str) -> str:
    return _SPECIAL.sub(" ", " ".join(text.split()))


def parse_target(text: str) -> tuple[list[tuple[str, str]], int]:
    """(relations, parts that are none) of a line of output; of several mentions of an entity the first is taken."""
    pairs = dict.fromkeys(
        (organism.split(";")[0].strip(), chemical.split(";")[0].strip())
        for organism, chemical in _RELATION.findall(text)
        if not _SPECIAL.search(organism + chemical)
    )
    whole = [pair for pair in pairs if all(pair)]
    return whole, max(text.count(PRODUCES), bool(_RELATION.sub("", text).strip())) - len(_RELATION.findall(text))


def read_output(documents: Sequence[Document], lines: Sequence[str]) -> list[Prediction]:
    """Predictions of output lines, one a document and in the order of the documents.

    Labels get the spelling of the text where it holds them, since seq2rel writes them in lower case.

    Raises:
        InputError: another number of lines.
    """
    if len(lines) != len(documents):
        raise InputError(f"{len(lines)} lines of output for {len(documents)} documents; expected one each, in order")
    predictions = []
    for document, text in zip(documents, lines, strict=True):
        pairs, malformed = parse_target(text)
        relations = [with_evidence(document, _as_written(o, document), _as_written(c, document)) for o, c in pairs]
        predictions.append(Prediction(document.id, relations, extra={"malformed": max(malformed, 0)}))
    return predictions


def _as_written(label: str, document: Document) -> str:
    found = re.search(re.escape(label), document.text, re.IGNORECASE)
    return found[0] if found else label
