"""`abroad synth state`: synthetic abstracts without a language model."""

from __future__ import annotations

from pathlib import Path

import typer

from abroad.cli.common import report_rejects, say
from abroad.cli.outputs import JSONL, writes


@writes(out=JSONL)
def state(
    prompts: Path = typer.Argument(..., metavar="PROMPTS.jsonl", help="Written by `abroad synth instruct`."),
    out: Path = typer.Option(..., metavar="ABSTRACTS.jsonl", help="Abstracts to write."),
) -> None:
    """Write the findings of each prompt as its abstract, in place of `abroad synth generate` and its language model.

    Example: abroad synth state prompts.jsonl --out abstracts.jsonl
    """
    from abroad.core.context import Context
    from abroad.core.io import write_jsonl
    from abroad.core.provenance import run_record
    from abroad.synthesis.generation.state import state_findings

    context = Context(say=say)
    with run_record(out, "synth state", {}, [prompts]) as record:
        documents = list(state_findings(prompts, context))
        write_jsonl(out, documents)
        record["abstracts"] = len(documents)
    report_rejects(context, out)
    say(f"{len(documents)} abstracts: {out}")


def register(group: typer.Typer) -> None:
    group.command()(state)
