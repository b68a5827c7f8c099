"""`abroad extract`: relations from documents or a text, with a fine-tuned model."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from abroad.cli.common import report_rejects, say


def extract(
    documents: Path | None = typer.Argument(
        None, help="Documents (JSON or JSONL), or '-' for JSONL on standard input."
    ),
    model: str = typer.Option(..., help="An adapter directory, a model directory, a hub name or smollm2-135m."),
    out: Path | None = typer.Option(None, help="Predictions (JSONL); needed with a file of documents."),
    text: str | None = typer.Option(None, help="Extract from this text and print the prediction."),
    base: str | None = typer.Option(None, help="Base model of an adapter, if not the one it names."),
    config: Path | None = typer.Option(None, help="YAML with a section 'extract' (a run config will do)."),
    beams: int | None = typer.Option(None, min=1, help="Overrides the config; 1 is greedy."),
    max_new_tokens: int | None = typer.Option(None, min=1, help="Overrides the config."),
    batch_size: int | None = typer.Option(None, min=1, help="Rows at once (beams count); overrides the config."),
    quantization: str = typer.Option("none", help="none, or nf4 (4 bits, CUDA only)."),
) -> None:
    """Extract "organism produces chemical" relations, each with its evidence in the text.

    Interrupted, the same command goes on with the documents that are left.

    Example: abroad extract docs.jsonl --model runs/quickstart/model --out predictions.jsonl
    """
    from abroad.config import ExtractSection, load_section
    from abroad.errors import InputError
    from abroad.extraction.extract import Decoding, extract_documents, load_extractor
    from abroad.io import Rejects, read_documents
    from abroad.provenance import run_record
    from abroad.schema import Document

    if (documents is None) == (text is None):
        raise InputError("expected either a file of documents or --text")
    if documents is not None and out is None:
        raise InputError("expected --out FILE for the predictions")
    section = load_section(config, "extract") if config else ExtractSection()
    overrides = {"beams": beams, "max_new_tokens": max_new_tokens, "batch_size": batch_size}
    section = section.model_copy(update={key: value for key, value in overrides.items() if value is not None})
    decoding = Decoding(**section.model_dump(exclude={"batch_size"}))
    rejects = Rejects()
    if text is not None:
        inputs = [Document("text", "", text.strip())]
    else:
        inputs = read_documents(Path("/dev/stdin") if str(documents) == "-" else documents, rejects)
    extractor = load_extractor(model, decoding, base, quantization, section.batch_size)
    if text is not None:
        from abroad.io import dump_line

        sys.stdout.writelines(dump_line(prediction.to_dict()) for prediction in extractor.extract(inputs))
        return
    files = [] if str(documents) == "-" else [documents]
    with run_record(out, "extract", extractor.identity, files) as record:
        report = extract_documents(inputs, extractor, out)
        record["result"] = vars(report)
    report_rejects(rejects, out)
    say(
        f"{out}: {report.relations} relations from {report.documents} documents; {report.failed} failed, "
        f"{report.malformed} malformed parts, {report.cut_off} outputs cut off at the token budget"
    )


def register(app: typer.Typer) -> None:
    app.command("extract")(extract)
