"""The records that a reader or a stage sets aside, and what it assumed of the others."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Rejects:
    """Records set aside, each with where it was and why.

    Attributes:
        items: the records set aside.
        notes: what was assumed of the others, a sentence each, for the command to say.
    """

    items: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, where: str, reason: str) -> None:
        self.items.append({"where": where, "reason": reason})

    def __len__(self) -> int:
        return len(self.items)

    def first(self) -> str:
        """Where the first record was and why it was set aside, in brackets for the end of a message; "" of none."""
        return f" (first: {self.items[0]['where']}: {self.items[0]['reason']})" if self.items else ""

    def summary(self, most: int = 5) -> str:
        """A few lines for the terminal; empty when nothing was set aside."""
        if not self.items:
            return ""
        lines = [f"{len(self.items)} record(s) set aside:"]
        lines += [f"  {item['where']}: {item['reason']}" for item in self.items[:most]]
        if len(self.items) > most:
            lines.append(f"  ... and {len(self.items) - most} more")
        return "\n".join(lines)
