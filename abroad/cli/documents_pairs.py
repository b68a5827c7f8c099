"""`abroad documents pairs`: documents of pairs that somebody knows, for synthetic abstracts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from abroad.cli.common import report_rejects, say
from abroad.cli.options import Options, SettingsCommand, takes
from abroad.cli.outputs import JSONL, writes

if TYPE_CHECKING:
    from abroad.documents.known_pairs import DealSettings


@writes(out=JSONL)
@takes(settings=Options("abroad.documents.known_pairs:DealSettings"))
def pairs(
    table: Path = typer.Argument(..., metavar="PAIRS.tsv", help="Columns head and tail, or those of the types' names."),
    field: Path = typer.Option(..., metavar="FIELD.yaml", help="The field whose relations these are."),
    out: Path = typer.Option(..., metavar="DOCS.jsonl", help="The documents to write."),
    *,
    settings: DealSettings,
) -> None:
    """Deal pairs that you know to be related to documents without a text, for `abroad synth instruct --keywords 0`.

    A document has several heads, each with its tails, and names of the field's tables that have no relation in it.

    Example: abroad documents pairs pairs.tsv --field mine.yaml --out seeds.jsonl
    """
    from abroad.core.context import Context
    from abroad.core.field import find_field
    from abroad.core.io import write_documents
    from abroad.core.provenance import run_record
    from abroad.documents.known_pairs import documents_of, read_pairs

    context, known = Context(say=say), find_field(field)
    with run_record(out, "documents pairs", settings.identity(), [table, field]) as record:
        found = read_pairs(table, known, context)
        documents = list(documents_of(found, known, field.parent, settings))
        write_documents(out, documents)
        record["result"] = said = f"{len(found)} pairs in {len(documents)} documents"
    report_rejects(context, out)
    say(f"{said}: {out}")


def register(group: typer.Typer) -> None:
    group.command(cls=SettingsCommand)(pairs)
