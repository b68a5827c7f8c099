"""What speculative decoding did, as every engine counts it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class SpeculationCounts:
    """What speculation did, over all texts of an engine.

    Attributes:
        passes: of the model, each over one text.
        tokens: that the passes gave (the one the model adds itself included).
        proposed: tokens that the draft proposed.
        accepted: of them, those that the model would have written too.
        draft_seconds: spent in the draft model; 0 where an engine does not tell.
        seconds: spent in all; 0 where an engine does not tell.
    """

    passes: int = 0
    tokens: int = 0
    proposed: int = 0
    accepted: int = 0
    draft_seconds: float = 0.0
    seconds: float = 0.0

    @property
    def tokens_per_pass(self) -> float:
        """Token acceptance rate of arXiv 2402.01528: tokens gained a pass, the bonus token included."""
        return self.tokens / self.passes if self.passes else 0.0

    @property
    def acceptance(self) -> float:
        """Share of the proposed tokens that were accepted."""
        return self.accepted / self.proposed if self.proposed else 0.0

    def report(self) -> str:
        """For the person who waits."""
        return (
            f"speculative decoding: {self.tokens_per_pass:.2f} tokens a pass of the model, "
            f"{self.acceptance:.0%} of {self.proposed} proposed tokens accepted"
        )
