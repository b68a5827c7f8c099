"""Words of our own where the field has one, which were dropped, do not come back."""

import io
import keyword
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [file for name in ("abroad", "annotation", "gme_sampler") for file in sorted((ROOT / name).rglob("*.py"))]
DROPPED = {
    re.compile(r"_?LEAST(_[A-Z_]+)?|_?MOST(_[A-Z_]+)?"): "MIN_..., MAX_...",
    re.compile(r"(?i)_*lessons?(_.*)?|.*_lessons?"): "example",
}
"""Names -> what to say instead."""
STAY = {
    # Members of the registry that take the references with the most of something.
    "abroad/documents/selectors.py": {"MOST_RELATIONS", "MOST_STRUCTURES", "MOST_ORGANISMS", "MOST_ENTITIES"},
    "abroad/extraction/builtin/candidates.py": {"_LEAST"},
}
"""This list may only become shorter."""


def names_in(file: Path) -> set[str]:
    tokens = tokenize.generate_tokens(io.StringIO(file.read_text(encoding="utf-8")).readline)
    return {token.string for token in tokens if token.type == tokenize.NAME and not keyword.iskeyword(token.string)}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_names_are_the_fields(file):
    where = file.relative_to(ROOT).as_posix()
    found = {name for name in {*names_in(file), file.stem} for pattern in DROPPED if pattern.fullmatch(name)}
    assert found == STAY.get(where, set()), f"{where}: say {' or '.join(DROPPED.values())}"


COUNTED = re.compile(r"\bfor (place, .*? in enumerate|place in (range|np\.argsort))\(")
MAX_PLACES = 26


def test_an_index_is_no_place():
    """Places that are counted by `range`, `enumerate` or `argsort`; the ceiling may only fall."""
    found = [
        f"{file.relative_to(ROOT)}: {line.strip()}"
        for file in FILES
        for line in file.read_text(encoding="utf-8").splitlines()
        if COUNTED.search(line)
    ]
    assert len(found) <= MAX_PLACES, found
