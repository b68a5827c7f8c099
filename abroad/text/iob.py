"""Files of tokens with tags, a token, a tab and its tag a line, an empty line after each sentence, as Docs of spaCy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from abroad.core.errors import InputError
from abroad.core.io import require_file

if TYPE_CHECKING:
    from spacy import Vocab
    from spacy.tokens import Doc


def read_iob(path: Path, vocab: Vocab | None = None) -> Iterator[Doc]:
    """A Doc for each sentence, its names in `doc.ents`; the text is the tokens with one space between them.

    Tags are O, B-KIND, I-KIND or spaCy's BILUO (L-KIND, U-KIND); a name may begin with I, as IOB1 has it.

    Args:
        vocab: of the Docs; a new one if None.
    Raises:
        InputError: no such file, or a line or tag that is none; names the line.
    """
    from spacy import Vocab
    from spacy.tokens import Doc
    from spacy.training import biluo_tags_to_spans, iob_to_biluo

    vocab = vocab if vocab is not None else Vocab()
    for first, words, tags in _sentences(path):
        doc = Doc(vocab, words, [True] * (len(words) - 1) + [False])
        try:
            doc.ents = biluo_tags_to_spans(doc, iob_to_biluo(tags))
        except (ValueError, IndexError) as error:
            raise InputError(f"{path}:{first}: expected a sentence with tags O, B-KIND, I-KIND: {error}") from None
        yield doc


def _sentences(path: Path) -> Iterator[tuple[int, list[str], list[str]]]:
    """(number of the first line, tokens, tags)."""
    require_file(path, "tokens with tags, token TAB tag a line")
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; expected UTF-8 text") from None
    numbered: Iterable[tuple[int, str]] = enumerate((line.rstrip("\r") for line in lines), 1)
    for filled, group in groupby(numbered, key=lambda item: bool(item[1].strip())):
        if filled:
            rows = [(number, *_row(path, number, line)) for number, line in group]
            yield rows[0][0], [word for _, word, _ in rows], [tag for _, _, tag in rows]


def _row(path: Path, number: int, line: str) -> tuple[str, str]:
    word, _, tag = line.partition("\t")
    if not word or not tag.strip() or not (tag.strip() == "O" or tag[1:2] == "-"):
        raise InputError(f"{path}:{number}: expected a token, a tab and a tag (O, B-KIND, I-KIND), found {line[:60]!r}")
    return word, tag.strip()
