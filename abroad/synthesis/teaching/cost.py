"""What a teacher costs: reckoned before it is asked, counted while it answers, and never beyond a budget.

Tokens of prompts are guessed from characters until the server has said how many there were, then by what it said. A
question is only put if the budget bears its prompt and its longest answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from abroad.core.schema import Document, Prediction
from abroad.synthesis.teaching.passes import Pass
from abroad.synthesis.teaching.settings import TeachSettings

_CHARACTERS = 3.0
"""Of a token, at least: English has 4 or more, names of chemicals fewer."""
_PROBED = 50
"""Documents whose prompts are made for an estimate; the others' cost follows by their length."""


@dataclass(frozen=True)
class Cost:
    """Tokens of prompts and of answers."""

    prompt_tokens: int = 0
    tokens: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.prompt_tokens + other.prompt_tokens, self.tokens + other.tokens)

    @property
    def total(self) -> int:
        return self.prompt_tokens + self.tokens

    def money(self, settings: TeachSettings) -> float:
        """By the prices of a million tokens."""
        return (self.prompt_tokens * settings.price_in + self.tokens * settings.price_out) / 1e6

    def words(self, settings: TeachSettings, most: str = "") -> str:
        """For people; `most` stands before the tokens of answers."""
        price = f", {self.money(settings):.4g} in money" if settings.price_in or settings.price_out else ""
        return f"{self.prompt_tokens:,} tokens of prompts and {most}{self.tokens:,} of answers{price}"


class Meter:
    """Counts what was spent, and says what a question may still cost.

    Attributes:
        spent: so far, by earlier runs too.
        guessed: answers whose tokens the server did not tell; those are reckoned.
    """

    def __init__(self, settings: TeachSettings) -> None:
        self.settings, self.spent, self.guessed = settings, Cost(), 0
        self._characters = self._tokens = 0

    def reckon(self, asked: Pass, document: Document) -> Cost:
        """The most that a document may cost in a pass."""
        return Cost(self._guess(asked.prompt_characters(document)), asked.max_tokens(document))

    def estimate(self, passes: Sequence[Pass], documents: Sequence[Document]) -> Cost:
        """The most that documents may cost in all passes; of many, some are looked at."""
        step = max(1, len(documents) // _PROBED)
        probed = documents[::step]
        looked_at = sum((self.reckon(each, document) for each in passes for document in probed), Cost())
        share = len(documents) / len(probed) if probed else 0
        return Cost(round(looked_at.prompt_tokens * share), round(looked_at.tokens * share))

    def allows(self, cost: Cost) -> bool:
        """Whether the budget bears so much more."""
        after, settings = self.spent + cost, self.settings
        return (settings.budget is None or after.money(settings) <= settings.budget) and (
            settings.budget_tokens is None or after.total <= settings.budget_tokens
        )

    def count(self, prediction: Prediction, characters: int) -> None:
        """Count an answer; of one that failed, the prompt, since some servers charge for it.

        Args:
            characters: of its prompt.
        """
        prompt, answer = (int(prediction.extra.get(name) or 0) for name in ("prompt_tokens", "tokens"))
        text = str(prediction.extra.get("answer") or "")
        if prompt:
            self._characters, self._tokens = self._characters + characters, self._tokens + prompt
        else:
            self.guessed += 1
        self.spent += Cost(prompt or self._guess(characters), answer or self._guess(len(text)))

    def reading(self, lengths: Iterable[int]) -> Cost:
        """What texts of so many characters cost that a server reads to score them; it writes a token after each."""
        tokens = [self._guess(characters) for characters in lengths]
        return Cost(sum(tokens), len(tokens))

    def _guess(self, characters: int) -> int:
        # A tenth more than on average so far, since a prompt may be dearer than those before it.
        each = 1.1 * self._tokens / self._characters if self._characters else 1 / _CHARACTERS
        return round(characters * each) + 1
