"""`abroad models`: make models ready that cannot be loaded as they are."""

from __future__ import annotations

from pathlib import Path

import typer

from abroad.cli.common import group, say
from abroad.cli.outputs import folder, writes
from abroad.core.context import Context

app = group(
    "Make models ready: pickled weights become safetensors.",
    example="abroad models convert microsoft/biogpt --out models/biogpt",
)


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="models")


@app.callback()
def _group() -> None:
    """Make models ready: pickled weights become safetensors."""


@app.command(epilog="Example: abroad models convert lmsys/vicuna-13b-v1.5 --out models/vicuna-13b-v1.5")
@writes(out=folder("a model"))
def convert(
    model: str = typer.Argument(..., help="Directory, or hub name, of a model with pytorch_model*.bin."),
    out: Path = typer.Option(..., metavar="DIR", help="Directory to write; --model takes it from then on."),
) -> None:
    """Write pickled weights as safetensors, once.

    Each file is read in a process of its own, as tensors only: no code in it is run. Loading takes safetensors alone.
    """
    from abroad.core.provenance import run_record
    from abroad.models.convert import convert as make

    with run_record(out, "models convert", {"model": model}, []) as record:
        record["tensors"] = make(model, out, Context(say=say))
    say(f"{out}: {record['tensors']} tensors as safetensors")
