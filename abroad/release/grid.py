"""Density and scale of a compressed adapter, chosen on validation documents: size and F1 beside the original."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.progress import Progress, tell
from abroad.core.schema import Document
from abroad.evaluation.metrics import micro_scores
from abroad.extraction.generative.decoding import Decoding
from abroad.extraction.generative.load import extractor_of, notation_of
from abroad.models.compeft import TernaryChange, compress, write_change
from abroad.models.load import load_model, load_tokenizer
from abroad.models.resolve import resolve_model
from abroad.models.source import ADAPTER, ModelSource
from abroad.models.vision import read_resolution
from abroad.release.run import read_run, trained_in
from abroad.release.settings import GridSettings
from abroad.training.data import collate, make_examples, target_loss

_BATCH = 8
_SPEAK_SECONDS = 5.0


@dataclass(frozen=True)
class GridPoint:
    """One cell of the grid.

    Attributes:
        density: percent of entries kept.
        scale: alpha.
        bytes: of the file.
        ratio: times smaller than the adapter in 16 bits.
        loss: mean over target tokens of the validation documents (nats).
        f1: percent, None where not measured.
    """

    density: float
    scale: float
    bytes: int
    ratio: float
    loss: float
    f1: float | None


@dataclass(frozen=True)
class Grid:
    """The cells that were measured, beside the adapter as it is.

    Attributes:
        loss: of the adapter as it is.
        f1: of the adapter as it is.
        cells: in the order measured.
        best: the smallest file within the F1 points asked for; else the one with the best F1.
    """

    loss: float
    f1: float
    cells: list[GridPoint]
    best: GridPoint


class Bench:
    """A model whose adapter is exchanged, and the documents that it is measured on.

    Its base is in the precision that it was trained in: what was trained in 4 bits need not fit in more.
    """

    def __init__(self, run: Path, documents: Sequence[Document], decoding: Decoding) -> None:
        source = resolve_model(str(run))
        self.tokenizer = load_tokenizer(ModelSource(source.base))
        self.model = load_model(source, trained_in(run), merge=False)
        self.documents, self.decoding = documents, decoding
        self.notation = notation_of(source)
        self.examples = make_examples(documents, self.tokenizer, 10**6, Context(), 0, notation=self.notation)

    def use(self, arrays: dict[str, np.ndarray]) -> None:
        """Put adapter weights in place."""
        import torch

        parameters = {name.replace(".default.", "."): value for name, value in self.model.named_parameters()}
        with torch.no_grad():
            for name, value in arrays.items():
                parameters[name].copy_(torch.from_numpy(value))

    def loss(self) -> float:
        """Mean cross-entropy of the relations' tokens."""
        import torch

        total = 0.0
        with torch.no_grad():
            for start in range(0, len(self.examples), _BATCH):
                batch = collate(self.examples[start : start + _BATCH], self.tokenizer.pad_token_id)
                inputs = {name: value.to(self.model.device) for name, value in batch.items()}
                total += float(target_loss(self.model.get_base_model(), inputs))
        return total / sum(len(example.target) for example in self.examples)

    def f1(self, advance: Callable[[], object] = lambda: None) -> float:
        """Percent; `advance` is called for each document."""
        predictions = []
        extractor = extractor_of(self.model, self.tokenizer, self.decoding, self.notation)
        for prediction in extractor.extract(self.documents):
            predictions.append(prediction)
            advance()
        return micro_scores(self.documents, predictions).f1


def search(
    run: Path,
    documents: Sequence[Document],
    decoding: Decoding,
    settings: GridSettings,
    out: Path,
    done: Callable[[GridPoint], None] = lambda _: None,
) -> tuple[Grid, TernaryChange, dict[str, Any]]:
    """Try the grid, and return it with the best change and what its file must say.

    F1 is measured for the scale of each density that has the least loss, unless `full_grid`: decoding takes a
    hundred times as long as the loss.

    Args:
        out: folder for a file to measure sizes by.
    Raises:
        InputError: the adapter was trained with images, which are not shown here; or as `read_run`.
    """
    _refuse_images(run)
    tell(f"{run}: loading the model, to measure it on {len(documents)} documents")
    initial, tuned, facts = read_run(run)
    bench = Bench(run, documents, decoding)
    entries = sum(value.size for value in tuned.values())
    cells: list[GridPoint] = []
    decoded = 1 + len(settings.densities) * (len(settings.scales) if settings.full_grid else 1)

    with Progress("decoding the documents", decoded * len(documents), every=_SPEAK_SECONDS) as progress:
        loss, f1 = bench.loss(), bench.f1(progress.advance)

        def measured(density: float) -> Iterator[GridPoint]:
            for scale in settings.scales:
                change = compress(initial, tuned, density, scale)
                size = write_change(out / "trial.compeft", change, facts)
                bench.use(change.applied_to(initial))
                score = bench.f1(progress.advance) if settings.full_grid else None
                yield GridPoint(density, scale, size, 2 * entries / size, bench.loss(), score)

        for density in settings.densities:
            row = list(measured(density))
            if not settings.full_grid:
                index = min(range(len(row)), key=lambda number: row[number].loss)
                bench.use(compress(initial, tuned, density, row[index].scale).applied_to(initial))
                least, score = row[index], bench.f1(progress.advance)
                row[index] = GridPoint(density, least.scale, least.bytes, least.ratio, least.loss, score)
            for cell in row:
                done(cell)
            cells += row
    (out / "trial.compeft").unlink(missing_ok=True)
    best = _best(cells, f1 - settings.within)
    return Grid(loss, f1, cells, best), compress(initial, tuned, best.density, best.scale), facts


def _refuse_images(run: Path) -> None:
    if read_resolution(run):
        raise InputError(
            f"{run}: trained with images, and --dev measures on text alone; "
            "give one density and one scale without --dev: --densities 20 --scales 4"
        )


def _best(cells: Sequence[GridPoint], wanted: float) -> GridPoint:
    """The smallest file that has the F1 that is wanted, else the best."""
    scored = [(cell.f1, cell) for cell in cells if cell.f1 is not None]
    close = [cell for f1, cell in scored if f1 >= wanted]
    return min(close, key=lambda c: (c.bytes, c.loss)) if close else max(scored, key=lambda pair: pair[0])[1]


def original_bytes(run: Path) -> int:
    """Size of the adapter's file."""
    return (run / ADAPTER).stat().st_size
