"""`abroad config`: check and show run configs."""

from __future__ import annotations

from pathlib import Path

import typer

from abroad.cli.common import group, say
from abroad.cli.options import BASE_DIR

commands = group(
    "Check and show run configs.",
    example="abroad config check configs/language_model.yaml",
)


@commands.command()
def check(
    file: Path = typer.Argument(..., help="A config such as configs/language_model.yaml."),
    base_dir: Path | None = BASE_DIR,
) -> None:
    """Find every mistake of a config before anything runs; a file of sections for single commands will do.

    Example: abroad config check configs/language_model.yaml
    """
    from abroad.pipeline.config import check_config

    sections = check_config(file, base_dir)
    alone = f" in the section {sections[0]}" if len(sections) == 1 else f" in the sections {', '.join(sections)}"
    say(f"{file}: no mistakes{alone if sections else ''}")


@commands.command()
def show(
    file: Path = typer.Argument(..., help="A config such as configs/language_model.yaml."),
    base_dir: Path | None = BASE_DIR,
) -> None:
    """Print a config with every default written out.

    Example: abroad config show configs/language_model.yaml
    """
    from abroad.pipeline.config import load_config, show_config

    typer.echo(show_config(load_config(file, base_dir)), nl=False)


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="config")
