"""`abroad leaderboard`: models side by side on suites of cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from abroad.cli.common import report_rejects, say
from abroad.cli.outputs import folder, writes
from abroad.core.context import Context


@writes(out=folder("a leaderboard", "leaderboard.run.json"))
def leaderboard(
    suites: list[str] = typer.Argument(None, metavar="SUITE...", help="Suites: YAML files, or 'builtin'."),
    out: Path = typer.Option(..., metavar="DIR", help="Folder for leaderboard.html, .md, .json and all answers."),
    config: Path = typer.Option(None, metavar="FILE", help="YAML with a section 'leaderboard'; options override it."),
    models: list[str] = typer.Option([], help="A model, as often as needed, or several with commas between."),
    styles: str = typer.Option(None, help="classic,instruct,cot or some of them."),
    shots: str = typer.Option(None, help="Numbers of examples: 0,1,3,5."),
    retrieve: str = typer.Option(None, help="fixed,bm25,embeddings or some of them."),
    rank: str = typer.Option(None, help="none,likelihood,product,er-g,er-d or some of them."),
    cases: int = typer.Option(None, min=1, help="Take the first so many cases of each task, for a first look."),
    batch_size: int = typer.Option(None, min=1, help="Texts at once, of models given here."),
    harness: str = typer.Option(
        None,
        metavar="TASK,...",
        help="General benchmarks too, by lm-evaluation-harness: hellaswag,arc_easy or others.",
    ),
    harness_tasks: Path = typer.Option(None, metavar="DIR", help="Folder with tasks of your own for the harness."),
    harness_limit: int = typer.Option(None, min=1, help="Documents of each task of the harness, for a first look."),
) -> None:
    """Run every combination of models, prompts, shots, retrieval and ranking over suites, and say what it is worth.

    Interrupted, the same command goes on with what is left.

    Example: abroad leaderboard builtin --models smollm2-135m --shots 0,5 --out board
    """
    from dataclasses import asdict

    from abroad.core.errors import InputError
    from abroad.core.io import atomic_write, write_json
    from abroad.core.provenance import run_record
    from abroad.experiments.leaderboard.harness import check_harness, harness_table, run_harness
    from abroad.experiments.leaderboard.run import run_leaderboard
    from abroad.experiments.leaderboard.suite import load_suite
    from abroad.experiments.leaderboard.table import markdown, write_leaderboard

    context = Context(say=say)
    names: list[Any] = (_split(",".join(models)) or []) if models else []
    if batch_size is not None:
        names = [{"model": name, "batch_size": batch_size} for name in names]
    section = _section(
        config,
        {
            "models": names or None,
            "styles": _split(styles),
            "shots": _split(shots),
            "retrieve": _split(retrieve),
            "rank": _split(rank),
        },
    )
    suites, tasks = suites or [], _split(harness) or []
    if not suites and not tasks:
        raise InputError("expected a SUITE ('builtin', or a YAML file), or --harness TASK,...")
    manager = check_harness(section.models, tasks, harness_tasks) if tasks else None
    loaded = [load_suite(name, context, cases) for name in suites]
    _check_names([suite.name for suite in loaded])
    inputs = [path for suite in loaded for path in suite.inputs]
    inputs += [path for path in (config, section.examples) if path is not None]
    out.mkdir(parents=True, exist_ok=True)
    how = section.model_dump(mode="json") | {"suites": suites, "cases": cases}
    if tasks:
        how |= {"harness": tasks, "harness_limit": harness_limit}
    with run_record(out, "leaderboard", how, inputs) as record:
        results = []
        for result in run_leaderboard(loaded, section, out, context):
            results.append(result)
            write_leaderboard(loaded, results, out)  # a run that is cut short leaves a table of what is done
        record["prompts"] = {result.row.style: result.prompt for result in results}
        record["rows"] = len(results)
        general = []
        for model in section.models if tasks else ():
            say(f"{model.label}: {', '.join(tasks)}")
            general += run_harness(model, tasks, manager, harness_limit)
            write_json(out / "harness.json", [asdict(score) for score in general])
    for result in results:
        for prediction in result.predictions:
            if prediction.error is not None:
                context.rejects.add(f"{result.suite}: {result.row.name}: {prediction.id}", prediction.error)
    report_rejects(context, out)
    if loaded:
        typer.echo(markdown(loaded, results), nl=False)
        say(f"{len(results)} rows: {out / 'leaderboard.html'}")
    if tasks:
        with atomic_write(out / "harness.md") as stream:
            stream.write(harness_table(general))
        typer.echo(harness_table(general), nl=False)
        say(f"general benchmarks: {out / 'harness.md'}")


def _section(config: Path | None, given: dict[str, Any]) -> Any:
    from pydantic import ValidationError

    from abroad.core.errors import InputError
    from abroad.core.settings import mistakes_of
    from abroad.experiments.leaderboard.settings import LeaderboardSettings
    from abroad.pipeline.config import load_section

    section = load_section(config, "leaderboard") if config is not None else LeaderboardSettings()
    options = {key: value for key, value in given.items() if value is not None}
    try:
        return LeaderboardSettings.model_validate(section.model_dump() | options)
    except ValidationError as error:
        raise InputError(mistakes_of("options", error)) from None


def _split(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def _check_names(names: list[str]) -> None:
    from abroad.core.errors import InputError

    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two suites are called {name!r}")


def register(app: typer.Typer) -> None:
    app.command("leaderboard")(leaderboard)
