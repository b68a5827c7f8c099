"""How large images should be, and how many examples should go without: a small grid of trainings, tabulated.

The study of scaling LLaVA (arXiv 2309.09958) found both to matter: higher resolution helped at every size of the model,
and text among the images kept what the language model could do. Each cell is a run of `abroad.training`, so one that
was killed goes on, and one that ended is not made again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.schema import Document
from abroad.documents.instructions import Task
from abroad.training.record import METRICS, course, read_log
from abroad.training.settings import TrainSettings
from abroad.training.train import train

HEAD = ("resolution", "text_share", "examples", "updates", "loss", "f1")


@dataclass(frozen=True)
class Cell:
    """A training of the grid.

    Attributes:
        resolution: longest side of images in pixels.
        text_share: of examples without images.
        examples: trained on.
        updates: made.
        loss: of the last update; None where it was not finite.
        f1: best on the validation documents, percent; their images are shown at the same resolution.
    """

    resolution: int
    text_share: float
    examples: int
    updates: int
    loss: float | None
    f1: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def line(self) -> str:
        """A row of the table."""
        loss = "" if self.loss is None else f"{self.loss:.3f}"
        cells = (self.resolution, f"{self.text_share:g}", self.examples, self.updates, loss, f"{self.f1:.1f}")
        return aligned(map(str, cells))

    def section(self) -> str:
        """What a config says to train like this."""
        return f"train:  # F1 {self.f1:.1f}\n  resolution: {self.resolution}\n  text_share: {self.text_share:g}\n"


def aligned(cells: Iterable[str]) -> str:
    """The cells of a row, each below its head."""
    return "  ".join(f"{cell:>{len(name)}}" for cell, name in zip(cells, HEAD, strict=True))


@dataclass(frozen=True)
class Grid:
    """What is tried.

    Attributes:
        resolutions: in pixels.
        text_shares: of examples without images, 0 to 1.
    """

    resolutions: Sequence[int]
    text_shares: Sequence[float]

    @classmethod
    def read(cls, resolutions: str, text_shares: str) -> Grid:
        """Of lists as "224,336" and "0,0.2".

        Raises:
            InputError: anything else.
        """
        return cls(
            _numbers(resolutions, "--resolutions", int, lambda value: value > 0, "whole numbers above 0, such as 224"),
            _numbers(text_shares, "--text-shares", float, lambda value: 0 <= value <= 1, "shares from 0 to 1"),
        )


def measure_images(
    data: tuple[Sequence[Document | Task], Sequence[Document]],
    grid: Grid,
    settings: TrainSettings,
    out: Path,
    context: Context,
) -> Iterator[Cell]:
    """Train for each pair of resolution and share, and yield what came of it.

    Args:
        data: documents to train on and to validate by, their images named from the current directory.
        out: folder; each training has its own in it.

    Raises:
        InputError: the model reads text only, or no document has images.
    """
    told = context  # what is set aside is so in every cell
    for resolution in grid.resolutions:
        for share in grid.text_shares:
            context.say(f"resolution {resolution}, text_share {share:g}")
            chosen = settings.replace(resolution=resolution, text_share=share)
            folder = out / f"{resolution}-{share:g}"
            report = train(*data, chosen, folder, told)
            told = context.apart()
            losses = [record["loss"] for record in course(read_log(folder / METRICS))]
            loss = losses[-1] if losses else None
            yield Cell(resolution, share, report.examples, report.steps, loss, round(report.best_f1 or 0.0, 2))


def best_cell(cells: Sequence[Cell]) -> Cell | None:
    """The one with the best F1; of equals the one with the least to compute, then the one with fewer texts.

    None where no training has any F1: then none is better than another.
    """
    return max(
        (cell for cell in cells if cell.f1),
        default=None,
        key=lambda cell: (cell.f1, -cell.resolution, -cell.text_share),
    )


def _numbers(text: str, option: str, kind: Any, fits: Any, wanted: str) -> tuple[Any, ...]:
    try:
        values = tuple(dict.fromkeys(kind(part) for part in text.split(",")))
    except ValueError:
        values = ()
    if not values or not all(map(fits, values)):
        raise InputError(f"{option} {text}: expected {wanted}, separated by commas")
    return values
