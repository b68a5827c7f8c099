"""Split documents into training, validation and test parts that share no publication."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.schema import Document
from abroad.sources.references import ITEM_COLUMNS, PMID_COLUMNS, item_column
from abroad.sources.tables import read_header, read_rows

_DERIVED_ID = re.compile(r"(\d+)(?:-\d+)?")  # PMID, or PMID-n of a synthetic abstract made from it


@dataclass(frozen=True)
class Split:
    """The parts; each document of the input is in exactly one, in the order of the input."""

    train: list[Document]
    valid: list[Document]
    test: list[Document]


def split_documents(
    documents: Sequence[Document],
    test: Collection[str] | None = None,
    test_share: float = 0.0,
    valid_share: float = 0.0,
    seed: int = 0,
) -> Split:
    """Divide documents, those of one publication (equal id, PMID or DOI) staying together.

    Args:
        test: ids of the test documents; those of the same publications come with them.
            None draws `test_share` of all documents at random.
        test_share: share of all documents; parts are rounded to the nearest document and never exceeded.
        valid_share: share of all documents; with `test` given, of the documents left.
    Raises:
        InputError: shares outside 0 to 1, or that leave nothing to train on.
    """
    if not (min(test_share, valid_share) >= 0 and test_share + valid_share < 1):  # so that NaN is refused too
        raise InputError(f"expected shares from 0 to below 1 in sum, found test {test_share}, valid {valid_share}")
    groups = publications(documents)
    random.Random(seed).shuffle(groups)
    if test is None:
        in_test, groups = _draw(groups, round(test_share * len(documents)))
    else:
        chosen = {number for group in groups if any(documents[n].id in test for n in group) for number in group}
        in_test, groups = chosen, [group for group in groups if group[0] not in chosen]
    left = len(documents) if test is None else sum(map(len, groups))
    in_valid, groups = _draw(groups, round(valid_share * left))
    in_train = {number for group in groups for number in group}
    return Split(*([documents[n] for n in sorted(part)] for part in (in_train, in_valid, in_test)))


def publications(documents: Sequence[Document]) -> list[list[int]]:
    """Positions of the documents of each publication: those linked by an id, PMID or DOI (any case)."""
    parent = list(range(len(documents)))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = number = parent[parent[number]]
        return number

    first: dict[tuple[str, str], int] = {}
    for number, document in enumerate(documents):
        for key in _keys(document):
            parent[root(number)] = root(first.setdefault(key, number))
    groups: dict[int, list[int]] = {}
    for number in range(len(documents)):
        groups.setdefault(root(number), []).append(number)
    return list(groups.values())


def top_of_strata(documents: Iterable[Document], ranking: Mapping[str, Sequence[str]], n: int) -> set[str]:
    """Ids of the documents ranked among the first n of a stratum.

    References without a document (not found, say) are passed over, not counted.

    Args:
        ranking: stratum -> DOIs, PMIDs or Wikidata items, best first.
    """
    ids_of: dict[str, set[str]] = {}
    for document in documents:
        names = (document.doi, document.pmid, document.extra.get("reference_wikidata"))
        for name in names:
            if name:
                ids_of.setdefault(str(name).lower(), set()).add(document.id)
    chosen: set[str] = set()
    for order in ranking.values():
        present = [name for name in dict.fromkeys(map(str.lower, order)) if name in ids_of]
        chosen.update(*(ids_of[name] for name in present[:n]))
    return chosen


def read_ranking(path: str | Path, context: Context) -> dict[str, list[str]]:
    """Read the sampler's output: stratum -> references in the order picked.

    The stratum is the first column if the reference is not; else there is one stratum, "".

    Raises:
        InputError: the file cannot be read, or holds no reference.
    """
    what = "the output of `abroad sample` (tab separated)"
    header = read_header(path, "\t", what)
    item = item_column(path, header)
    by = header[0] if header[0] not in (*ITEM_COLUMNS, *PMID_COLUMNS) else item
    ranking: dict[str, list[str]] = {}
    for _, (stratum, value) in read_rows(path, (by, item), "\t", what, context):
        name = value.strip().rpartition("/entity/")[2]
        if name:
            ranking.setdefault(stratum if by != item else "", []).append(name)
    if not ranking:
        raise InputError(f"{path}: names no reference; expected {what}")
    return ranking


def _draw(groups: list[list[int]], size: int) -> tuple[set[int], list[list[int]]]:
    """(positions of up to `size` documents in whole groups, the groups left)."""
    drawn: set[int] = set()
    left = []
    for group in groups:
        if len(drawn) + len(group) <= size:
            drawn.update(group)
        else:
            left.append(group)
    return drawn, left


def _keys(document: Document) -> Iterable[tuple[str, str]]:
    yield "id", document.id
    derived = _DERIVED_ID.fullmatch(document.id)
    if derived:
        yield "pmid", derived[1]
    if document.pmid:
        yield "pmid", document.pmid
    if document.doi:
        yield "doi", document.doi.lower()
