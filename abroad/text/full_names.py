"""Names of organisms that are abbreviated ("X. feejeensis"), written out as the text means them."""

from __future__ import annotations

import re

from abroad.text.organisms import OrganismMention, find_organisms, resolve_genus

_ABBREVIATED = re.compile(r"[A-Z][a-z]{0,3}\.\s?[a-z]{3,}(?:-[a-z]+)*")


class FullNames:
    """Writes out the genera of labels by the names of one text, which is read when a label first needs it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._mentions: list[OrganismMention] | None = None

    def __call__(self, label: str, position: int | None = None) -> str:
        """The label with its genus in full; as it is where no genus of the text fits.

        Args:
            position: where the label stands; else where it first stands. Where that is nowhere, the same genus must
                fit at the start and at the end of the text.
        """
        match = _ABBREVIATED.match(label)
        if match is None:
            return label
        if self._mentions is None:
            self._mentions = find_organisms(self._text)
        place = self._text.find(label) if position is None else position
        places = (0, len(self._text)) if place < 0 else (place,)
        found = {resolve_genus(label, self._mentions, each) for each in places}
        full = found.pop() if len(found) == 1 else None
        return label if full is None else full + label[match.end() :]
