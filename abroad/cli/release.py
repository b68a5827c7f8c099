"""`abroad release`: pack a fine-tuned model for others, compress it, describe it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from abroad.cli.common import group, say
from abroad.cli.options import Options, SettingsCommand, takes
from abroad.cli.outputs import FORCE, IN_PLACE, folder, writes
from abroad.core.context import Context
from abroad.core.outputs import Kind, Output, check_outputs

if TYPE_CHECKING:
    from abroad.extraction.generative.decoding import Decoding
    from abroad.release.grid import Grid, GridPoint

DECODING = "abroad.extraction.generative.decoding:Decoding"

app = group(
    "Make a fine-tuned model usable for others: pack, compress, card.",
    example="abroad release pack model --dev dev.jsonl --out release",
)


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="release")


@app.command(epilog="Example: abroad release pack model --dev dev.jsonl --out release", cls=SettingsCommand)
@writes(out=folder("a release", grows=True))
@takes(decoding=Options(DECODING, section="extract"))
def pack(
    run: Path = typer.Argument(..., metavar="DIR", help="Adapter of `abroad train` or `abroad release compress`."),
    dev: Path = typer.Option(..., metavar="DOCS", help="Curated documents that the scores are of."),
    out: Path = typer.Option(..., metavar="DIR", help="Directory of the release."),
    config: Path | None = typer.Option(None, help="YAML with a section 'extract': how it is to be decoded."),
    seed: int = typer.Option(0, min=0, help="Seed of the intervals."),
    force: bool = FORCE,
    *,
    decoding: Decoding,
) -> None:
    """Put adapter, tokenizer, decoding, scores with intervals, hashes and a model card into one directory."""
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents
    from abroad.release.pack import CARD, is_our_card
    from abroad.release.pack import pack as make

    check_outputs([Output(out / CARD, Kind("a model card", recognise=is_our_card))], force=force)
    context = Context(say=say)
    with run_record(out, "release pack", decoding.identity(), [run, dev]) as record:
        scores = make(run, out, read_documents(dev, context), decoding, seed)
        record["f1"] = scores["f1"]
    if context.rejects:
        say(context.rejects.summary())
    say(f"{out}: F1 {scores['f1']:.1f} ({scores['f1_low']:.1f} to {scores['f1_high']:.1f}); card: {out / 'README.md'}")


@app.command(epilog="Example: abroad release compress model --dev valid.jsonl --out small", cls=SettingsCommand)
@writes(out=folder("an adapter", grows=True))
@takes(decoding=Options("abroad.release.settings:GridDecoding", only=("num_beams", "max_new_tokens")))
def compress(
    run: Path = typer.Argument(..., metavar="DIR", help="Adapter of `abroad train`."),
    dev: Path = typer.Option(
        None,
        metavar="DOCS",
        help="Documents to choose density and scale on; without them one of each is given, and no model is loaded.",
    ),
    out: Path = typer.Option(..., metavar="DIR", help="The compressed adapter, for --model."),
    densities: str = typer.Option("5,10,20,30,50", help="Percent of the entries to keep."),
    scales: str = typer.Option("0.5,1,2,3,4,5,6,8,10", help="Scales (alpha) to try."),
    within: float = typer.Option(1.0, min=0, help="Take the smallest that loses at most so many points of F1."),
    everywhere: bool = typer.Option(False, "--full-grid", help="Measure F1 of all, not of the least loss only."),
    *,
    decoding: Decoding,
) -> None:
    """Compress an adapter by ComPEFT: signs of its largest changes and one number, Golomb-coded."""
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents
    from abroad.models.source import ADAPTER
    from abroad.release.run import compress_as_told, write_compressed
    from abroad.release.settings import GridSettings

    grid_settings = GridSettings(
        densities=_numbers("--densities", densities),
        scales=_numbers("--scales", scales),
        within=within,
        full_grid=everywhere,
    )
    if dev is None:
        with run_record(out, "release compress", grid_settings.model_dump(mode="json"), [run / ADAPTER]) as record:
            record["result"] = size = compress_as_told(run, grid_settings, out)
        say(f"compressed, and not measured: {out} ({size['bytes']:,} bytes, {size['ratio']:.1f} times smaller)")
        return
    from abroad.release.grid import original_bytes, search

    context = Context(say=say)
    documents = read_documents(dev, context)
    with run_record(out, "release compress", grid_settings.model_dump(mode="json"), [run / ADAPTER, dev]) as record:
        out.mkdir(parents=True, exist_ok=True)
        typer.echo(f"{'k%':>5} {'alpha':>6} {'bytes':>10} {'ratio':>7} {'loss':>8} {'F1':>6}")
        grid, change, facts = search(run, documents, decoding, grid_settings, out, _show_cell)
        write_compressed(run, out, change, facts)
        record["result"] = {"before": {"f1": grid.f1, "loss": grid.loss}, "after": vars(grid.best)}
    if context.rejects:
        say(context.rejects.summary())
    _show_best(grid, original_bytes(run))
    say(f"compressed: {out}")


def _numbers(option: str, text: str) -> tuple[float, ...]:
    from abroad.core.errors import InputError

    try:
        return tuple(float(value) for value in text.split(","))
    except ValueError:
        raise InputError(f"{option} {text}: expected numbers with commas") from None


def _show_cell(cell: GridPoint) -> None:
    f1 = "" if cell.f1 is None else f"{cell.f1:6.1f}"
    line = f"{cell.density:5g} {cell.scale:6g} {cell.bytes:10,} {cell.ratio:7.1f} {cell.loss:8.4f} {f1}"
    typer.echo(line.rstrip())


def _show_best(grid: Grid, before: int) -> None:
    best = grid.best
    typer.echo(
        f"k {best.density:g}%, alpha {best.scale:g}: {best.ratio:.1f} times smaller than 16 bits "
        f"({before:,} bytes on disk to {best.bytes:,}); F1 {grid.f1:.1f} before, {best.f1:.1f} after; "
        f"loss {grid.loss:.4f} before, {best.loss:.4f} after"
    )


@app.command(epilog="Example: abroad release card release")
@writes(release=IN_PLACE)
def card(
    release: Path = typer.Argument(..., metavar="DIR", help="Directory of a release."), force: bool = FORCE
) -> None:
    """Write the model card of a release anew, after its files were changed."""
    from abroad.release.pack import CARD, is_our_card, write_card

    check_outputs([Output(release / CARD, Kind("a model card", recognise=is_our_card), "card")], force=force)
    say(f"card: {write_card(release)}")
