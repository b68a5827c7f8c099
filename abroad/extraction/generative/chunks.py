"""Long documents in overlapping chunks of whole sentences, for models whose context they do not fit."""

from __future__ import annotations

from collections.abc import Callable

from abroad.text.tokens import sentences


def chunks(text: str, tokens: Callable[[str], int], room: int, overlap: int) -> list[str]:
    """Stretches of whole sentences that together hold the text, each of at most `room` tokens.

    A chunk begins with the last sentences of the one before it, of at most `overlap` tokens together, so that
    a relation over a boundary is seen whole. A single sentence that is longer than `room` is cut between words.

    Args:
        tokens: how many tokens of the model a text has.
    """
    pieces = [piece for start, end in sentences(text) for piece in _fitting(text[start:end], tokens, room)]
    sizes = [tokens(piece) for piece in pieces]
    found: list[str] = []
    first = 0
    while first < len(pieces):
        last, total = first + 1, sizes[first]
        while last < len(pieces) and total + sizes[last] + 1 <= room:
            total += sizes[last] + 1  # the space between may be a token of its own
            last += 1
        found.append(" ".join(pieces[first:last]))
        if last == len(pieces):
            break
        back, shared = last, 0
        while back - 1 > first and shared + sizes[back - 1] + 1 <= min(overlap, room - sizes[last] - 1):
            back -= 1
            shared += sizes[back] + 1
        first = back
    return found


def _fitting(sentence: str, tokens: Callable[[str], int], room: int) -> list[str]:
    if tokens(sentence) <= room:
        return [sentence]
    parts: list[str] = []
    words: list[str] = []
    for word in sentence.split():
        if words and tokens(" ".join([*words, word])) > room:
            parts.append(" ".join(words))
            words = []
        words.append(word)
    return [*parts, " ".join(words)] if words else parts
