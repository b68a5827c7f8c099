"""The records that a reader or a stage sets aside, and what it assumed of the others."""

from __future__ import annotations

from dataclasses import dataclass, field

_WHAT, _IMAGE = "what", "image"


@dataclass
class Rejects:
    """Records set aside, and images of records that are kept, each with where it was and why.

    Attributes:
        items: what was set aside.
        notes: what was assumed of the others, a sentence each, for the command to say.
    """

    items: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, where: str, reason: str) -> None:
        self.items.append({"where": where, "reason": reason})

    def add_image(self, where: str, reason: str) -> None:
        """Set aside an image of a record, which is read without it."""
        self.items.append({"where": where, "reason": reason, _WHAT: _IMAGE})

    def __len__(self) -> int:
        return len(self.items)

    def first(self) -> str:
        """Where the first record was and why it was set aside, in brackets for the end of a message; "" of none."""
        return f" (first: {self.items[0]['where']}: {self.items[0]['reason']})" if self.items else ""

    def summary(self, most: int = 5) -> str:
        """A few lines for the terminal; empty when nothing was set aside."""
        if not self.items:
            return ""
        images = sum(item.get(_WHAT) == _IMAGE for item in self.items)
        records = len(self.items) - images
        counts = [f"{records} record(s)"] * bool(records) + [f"{images} image(s)"] * bool(images)
        lines = [f"{' and '.join(counts)} set aside:"]
        lines += [f"  {item['where']}: {item['reason']}" for item in self.items[:most]]
        if len(self.items) > most:
            lines.append(f"  ... and {len(self.items) - most} more")
        return "\n".join(lines)
