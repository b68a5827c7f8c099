"""`abroad run`: the whole pipeline from one config."""

from __future__ import annotations

from pathlib import Path

import typer

from abroad.cli.common import say
from abroad.cli.options import BASE_DIR
from abroad.cli.outputs import FORCE
from abroad.core.context import Context


def run(
    config: Path = typer.Argument(..., help="A config such as configs/language_model.yaml."),
    resume: bool = typer.Option(False, "--resume", help="Go on with an earlier run; an error if there is none."),
    only: str | None = typer.Option(None, help="Run this stage alone, on what earlier stages left."),
    base_dir: Path | None = BASE_DIR,
    force: bool = FORCE,
) -> None:
    """Run the pipeline: LOTUS rows and abstracts in; a trained extractor, predictions and a report out.

    A config may have a part of it alone, such as your own documents and an extractor: docs/how-to/pipeline.md.

    Stages whose settings and inputs have not changed since an earlier run are not run again.

    A config with a section 'curation' goes through rounds of curation instead: see annotation/README.md.

    Example: abroad run configs/language_model.yaml
    """
    from abroad.core.errors import InputError
    from abroad.pipeline.config import load_config
    from abroad.pipeline.runner import run_stages
    from abroad.pipeline.stages import make_stages

    checked = load_config(config, base_dir)
    if resume and not (checked.out / "run.json").exists():
        raise InputError(f"{checked.out}: no run to resume there; run without --resume to start one")
    context = Context(say=say)
    if checked.curation is not None:
        if only is not None:
            raise InputError("--only goes with stages, not with rounds of curation: run without it")
        from abroad.pipeline.curation import run_curation

        say(run_curation(checked, context, force).waiting_for)
        return
    record = run_stages(checked, make_stages(checked), context, only, force)
    scores = record.value["stages"].get("evaluate", {}).get("result")
    if scores:
        typer.echo(
            f"precision {scores['precision']:.2f}, recall {scores['recall']:.2f}, F1 {scores['f1']:.2f} "
            f"(95% interval {scores['f1_low']:.2f} to {scores['f1_high']:.2f}), protocol {scores['protocol']}"
        )
        typer.echo(f"report: {checked.out / 'report.html'}")


def register(app: typer.Typer) -> None:
    app.command("run")(run)
