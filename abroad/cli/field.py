"""`abroad field`: files that say what a field is."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from abroad.cli.common import group, say
from abroad.cli.outputs import writes
from abroad.core.outputs import Kind

commands = group(
    "Check and write files of fields: types of entities, relations between them, and how they are said.",
    example="abroad field check configs/fields/natural_products.yaml",
)
FIELD = Kind("a field", (".yaml", ".yml"))


@commands.command()
def check(
    field: str = typer.Argument(..., metavar="FILE", help="A field such as configs/fields/natural_products.yaml."),
    documents: Path = typer.Option(None, metavar="DOCS", help="Documents that are to be of this field."),
) -> None:
    """Find every mistake of a field, and what documents say that it has no place for; records set aside are mistakes.

    Example: abroad field check configs/fields/natural_products.yaml

    \b
    More examples:
      abroad field check mine.yaml --documents curated.jsonl
    """
    from abroad.core.context import Context
    from abroad.core.errors import InputError
    from abroad.core.field import find_field
    from abroad.core.settings import list_mistakes
    from abroad.documents.field_sources import source_mistakes
    from abroad.documents.inputs import read_documents

    found = find_field(field)
    if mistakes := list(source_mistakes(found, Path(field).parent)):
        raise InputError(list_mistakes(Path(field), mistakes))
    if documents is not None:
        context = Context(say=say)
        read = read_documents(documents, context)
        if context.rejects:
            say(context.rejects.summary())
        found.check_documents(read, documents)
        if context.rejects:
            count = f"{len(context.rejects)} record(s) set aside, {len(read)} read"
            raise InputError(f"{documents}: {count}; expected every one to be a document of the field {found.name}")
    say(f"{field}: no mistakes; {', '.join(found.entities)}; {', '.join(found.relations)}")


@commands.command()
@writes(out=FIELD)
def new(
    name: str = typer.Argument(..., help="Short name of the field, without spaces."),
    head: str = typer.Option(None, help="What the first side of the relation is called: bacterium."),
    tail: str = typer.Option(None, help="What the second side is called: pollutant."),
    verb: str = typer.Option(None, help="What stands between them: degrades."),
    passive: str = typer.Option(None, help='The same the other way round: "is degraded by".'),
    undirected: bool = typer.Option(False, "--undirected", help="The sides are not told apart: A-B is B-A."),
    out: Path = typer.Option(None, metavar="FILE.yaml", help="Where to write it; by default NAME.yaml."),
) -> None:
    """Write the file of a new field, with a comment on each key; what no option says is asked for.

    A file that is there already is left alone, with --force as well.

    Example: abroad field new biodegradation --head bacterium --tail pollutant --verb degrades
    """
    from abroad.core.errors import InputError
    from abroad.core.field_file import NewField, new_field
    from abroad.core.io import atomic_write

    target = out or Path(f"{name}.yaml")
    if target.exists():
        raise InputError(f"{target}: there is a file already, which is left alone; expected the name of a new one")
    given = {"head": head, "tail": tail, "verb": verb}
    for key, question in (("head", "first side"), ("tail", "second side"), ("verb", "words between them")):
        given[key] = given[key] or _ask(key, f"The {question} of the relation, such as {_SUCH_AS[key]}")
    if passive is None:
        passive = _ask("passive", "The same the other way round, such as 'is degraded by'; empty: none", "")
    text = new_field(NewField(name=name, passive=passive, directed=not undirected, **given))
    with atomic_write(target) as stream:
        stream.write(text)
    say(f"{target}: written; edit it, and see `abroad field check {target}`")


_SUCH_AS = {"head": "bacterium", "tail": "pollutant", "verb": "degrades"}


def _ask(option: str, question: str, default: str | None = None) -> str:
    """An answer of the person at the terminal, or the default where there is none."""
    from abroad.core.errors import InputError

    if sys.stdin.isatty():
        answer: str = typer.prompt(question, default=default, show_default=False, err=True)
        return answer
    if default is None:
        raise InputError(f"--{option}: expected an option, since nobody can be asked here")
    return default


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="field")
