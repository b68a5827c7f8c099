"""Gold mentions in IOB files (a token and its tag a line, tab separated), put back into text that our tokens fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from abroad.errors import InputError
from abroad.text.tokens import tokenise

_BEFORE = frozenset(",.;:)]%'")
_JOINS = frozenset("-/'")


def read_iob(path: Path) -> Iterator[list[tuple[str, str]]]:
    """Sentences as (token, "B", "I" or "O").

    Raises:
        InputError: a line has no tag, or the file cannot be read.
    """
    sentence: list[tuple[str, str]] = []
    try:
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                token, tab, tag = line.rstrip("\n").partition("\t")
                if tab and tag[:1] not in ("B", "I", "O"):
                    raise InputError(f"{path}:{number}: expected a token, a tab and a tag B-, I- or O, found {line!r}")
                if tab:
                    sentence.append((token, tag[0]))
                elif sentence:
                    yield sentence
                    sentence = []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    if sentence:
        yield sentence


def retokenised(sentence: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """(our tokens, their tags): names that the corpus splits at hyphens are whole again."""
    text, spans, before = "", [], ""
    for token, tag in sentence:
        glued = not text or token in _BEFORE or before in "([" or token in _JOINS or before in _JOINS
        glued = glued or (tag == "I" and (token in "([" or (before != "" and before in ",)]")))
        text += token if glued else f" {token}"
        if tag == "B":
            spans.append([len(text) - len(token), len(text)])
        elif tag == "I" and spans:
            spans[-1][1] = len(text)
        before = token
    tokens = tokenise(text)
    tags = ["O"] * len(tokens)
    for start, end in spans:
        touched = [place for place, token in enumerate(tokens) if token.start < end and token.end > start]
        for place in touched:
            tags[place] = "B" if place == touched[0] else "I"
    return [token.text for token in tokens], tags
