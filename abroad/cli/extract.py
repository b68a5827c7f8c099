"""`abroad extract`: relations from documents, PMIDs or a text."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from abroad.cli.common import ENGINE_SETTINGS_HELP, report_rejects, say, say_notes
from abroad.cli.outputs import writes
from abroad.core.outputs import Kind

if TYPE_CHECKING:
    from abroad.core.io import Rejects
    from abroad.core.schema import Document, Prediction
    from abroad.extraction.base import Extractor
    from abroad.sources.eutils import EutilsClient
    from abroad.sources.formats.spreadsheets import ColumnNames


PREDICTIONS = Kind("predictions", (".jsonl", ".json", ".ndjson", ".csv", ".tsv", ".txt", ".spacy"))
QUICKSTATEMENTS = Kind("QuickStatements", (".txt", ".tsv", ".qs"))


@writes(out=PREDICTIONS, quickstatements=QUICKSTATEMENTS)
def extract(
    documents: list[Path] = typer.Argument(
        None,
        metavar="DOCS",
        help="Files or folders: JSON, JSONL, PubMed (.xml, .nbib, its text formats and CSV), RIS, CSV, TSV, XLSX, PDF, "
        ".txt, .spacy, or a list of PMIDs or DOIs; '-' for a pipe.",
    ),
    model: str = typer.Option(
        None,
        help="A fine-tuned adapter or model (directory or hub name) or an extractor of your own; else the built-in.",
    ),
    out: Path | None = typer.Option(
        None, help="Predictions: .jsonl, .csv, .tsv or .spacy. Needed with a file or folder."
    ),
    format: str = typer.Option(None, help="jsonl, csv, tsv or spacy; else by the name of --out."),
    title_column: str = typer.Option(
        None, metavar="NAME", help="Column of the titles in CSV, TSV, XLSX; else guessed."
    ),
    abstract_column: str = typer.Option(None, metavar="NAME", help="Column of the abstracts; else guessed."),
    fetch: bool = typer.Option(False, "--fetch", help="Ask NCBI for the abstracts of documents with a PMID and none."),
    text: str | None = typer.Option(None, help="Extract from this text and print the prediction."),
    pmid: list[str] = typer.Option([], help="Fetch this abstract from NCBI; repeatable."),
    min_score: float = typer.Option(None, min=0, max=1, help="Leave out relations that are less probable."),
    precision: float = typer.Option(None, min=0, max=1, help="The threshold that gave this precision, instead."),
    index: Path | None = typer.Option(
        None, metavar="INDEX.sqlite", help="Of `abroad lotus prepare`: links, known/new."
    ),
    quickstatements: Path | None = typer.Option(None, metavar="FILE", help="Write what Wikidata lacks; needs --index."),
    link: bool = typer.Option(True, help="Add identifiers: NCBI Taxonomy, the index, OPSIN if it is installed."),
    base: str | None = typer.Option(None, help="Base model of an adapter, if not the one it names."),
    config: Path | None = typer.Option(None, help="YAML with a section 'extract'; else what a release says."),
    beams: int | None = typer.Option(None, min=1, help="Overrides the config; 1 is greedy."),
    max_new_tokens: int | None = typer.Option(None, min=1, help="Overrides the config."),
    chunk_overlap: int | None = typer.Option(
        None, min=0, help="Extract documents beyond the model's context in chunks that share so many tokens."
    ),
    batch_size: int | None = typer.Option(None, min=1, help="Rows at once (beams count); overrides the config."),
    quantization: str = typer.Option("none", help="none, or nf4 (4 bits)."),
    engine: str = typer.Option(None, help="Of a language model: transformers or vllm; overrides the config."),
    setting: list[str] = typer.Option([], "--set", metavar="KEY=VALUE", help=ENGINE_SETTINGS_HELP),
    rank: str = typer.Option(None, help="Rank by likelihood, product, er-g or er-d (see `abroad rank`); needs --out."),
    rank_model: str = typer.Option(None, help="Language model that ranks; else --model, else smollm2-135m."),
    rank_keep: float = typer.Option(1.0, min=0, max=1, help="Share of a document's relations kept after ranking."),
    base_url: str = typer.Option(
        None, metavar="URL", help="For PMIDs, DOIs and --fetch: another server that speaks E-utilities."
    ),
    email: str = typer.Option(None, envvar="NCBI_EMAIL", help="Your address, which NCBI asks for.", metavar="ADDRESS"),
) -> None:
    """Extract "organism produces chemical" relations, each with its evidence, a score and identifiers.

    Without --model the built-in extractor is used: no GPU, no download. Interrupted, the same
    command goes on with the documents that are left.

    What a file is, its content tells. What was assumed of it (columns, names of fields, ids) is said; a record that
    cannot be read is set aside with its reason, and the others are read.

    Example: abroad extract docs.jsonl --out predictions.jsonl

    \b
    More examples:
      abroad extract pubmed-set.nbib zotero.ris folder/ --out predictions.csv
      abroad extract own.xlsx --title-column Name --abstract-column Summary --out p.csv
      abroad extract csv-pubmed-set.csv --fetch --out predictions.csv
      abroad extract pmids.txt --out predictions.csv
      cat abstract-pubmed-set.txt | abroad extract - --format tsv
    """
    from abroad.core.errors import InputError
    from abroad.core.helpers import helper
    from abroad.core.io import Rejects, read_predictions, write_jsonl
    from abroad.core.provenance import run_record
    from abroad.extraction.base import extract_documents
    from abroad.linking.link import Linker
    from abroad.linking.quickstatements import write_quickstatements
    from abroad.sources.formats.spreadsheets import ColumnNames
    from abroad.sources.name_index import NameIndex

    documents = documents or []
    given = [bool(documents), text is not None, bool(pmid)]
    if sum(given) != 1:
        raise InputError("expected one of: files or folders of documents, '-', --text, --pmid")
    if any(str(path) != "-" for path in documents) and out is None:
        raise InputError("expected --out FILE for the predictions")
    if quickstatements is not None and index is None:
        raise InputError("--quickstatements needs --index INDEX.sqlite, which `abroad lotus prepare` writes")
    if rank is not None and out is None:
        raise InputError("--rank: expected --out FILE for the ranked predictions")
    kind = _format(format, out)
    if kind == "spacy" and out is None:
        raise InputError("--format spacy: expected --out FILE.spacy, since it is no text")
    rejects = Rejects()
    names = NameIndex(index) if index is not None else None
    linker = Linker(names) if link else None
    overrides: dict[str, Any] = {"beams": beams, "max_new_tokens": max_new_tokens, "batch_size": batch_size}
    overrides |= {"chunk_overlap": chunk_overlap, "engine": engine}
    columns = ColumnNames(title_column, abstract_column)
    inputs = _inputs(documents, columns, fetch, text, pmid, base_url, email, rejects)
    say_notes(rejects)
    extractor = _extractor(model, base, config, overrides, quantization, setting, min_score, precision)
    ranker = _ranker(rank, rank_model or model, base, rank_keep) if rank is not None else None
    if (point := getattr(extractor, "point", None)) is not None and precision is not None:
        say(
            f"--min-score {point.threshold:g}, which gave a precision of {point.precision / 100:.2f} and a recall of "
            f"{point.recall / 100:.2f} on held-out documents"
        )
    if out is None:
        predictions = list(extractor.extract(inputs))
        if linker is not None:
            predictions = linker.link(inputs, predictions)
        _print(inputs, predictions, kind)
        if rejects:
            say(rejects.summary())
    else:
        records = out if kind == "jsonl" else helper(out, "predictions.jsonl")
        # Earlier versions wrote the records of a table beside it, and so this run may go on from those.
        earlier = out.with_suffix(".jsonl") if records != out else out
        files = [file for file in (*documents, index) if file is not None and file.exists()]
        with run_record(out, "extract", extractor.identity, files) as record:
            extracted = helper(out, "unranked.jsonl") if ranker is not None else records
            earlier = earlier.with_suffix(".unranked.jsonl") if ranker is not None else earlier
            report = extract_documents(inputs, extractor, extracted, earlier)
            if ranker is not None:
                ranker(inputs, read_predictions(extracted), records)
            predictions = read_predictions(records)
            if linker is not None:
                predictions = linker.link(inputs, predictions)
                write_jsonl(records, (prediction.to_dict() for prediction in predictions))
            if kind == "spacy":
                from abroad.extraction.builtin.spacy_pipeline.docbin import write_docbin

                source = documents[0] if [path.suffix.lower() for path in documents] == [".spacy"] else None
                write_docbin(out, inputs, predictions, source)
            elif kind != "jsonl":
                _write_table(out, inputs, predictions, kind)
            record["result"] = vars(report)
        report_rejects(rejects, out)
        say(
            f"{out}: {report.relations} relations from {report.documents} documents; {report.failed} failed, "
            f"{report.malformed} malformed parts, {report.cut_off} outputs cut off at the token budget"
        )
        if capped := sum(int(prediction.extra.get("capped", 0)) for prediction in predictions):
            say(f"{capped} labels of lists longer than 200 were left out")
    if quickstatements is not None and names is not None:
        written = write_quickstatements(quickstatements, inputs, predictions, names)
        say(
            f"{quickstatements}: {written.written} statements; {written.known} known already, {written.without_item} "
            f"without a Wikidata item of both sides, {written.without_reference} without a reference"
        )


def _format(format: str | None, out: Path | None) -> str:
    from abroad.core.errors import InputError
    from abroad.documents.formats import FORMATS

    kind = format or (out.suffix.lstrip(".").lower() if out is not None else "jsonl")
    if kind not in FORMATS:
        if format is None and kind in ("", "json", "ndjson"):
            return "jsonl"
        if format is None and out is not None:
            raise InputError(f"--out {out}: unknown ending .{kind}; expected {', '.join(FORMATS)}, or --format")
        raise InputError(f"--format {format}: expected one of: {', '.join(FORMATS)}")
    return kind


def _extractor(
    model: str | None,
    base: str | None,
    config: Path | None,
    overrides: dict[str, Any],
    quantization: str,
    assignments: list[str],
    min_score: float | None,
    precision: float | None,
) -> Extractor:
    from abroad.core.errors import InputError
    from abroad.engines.spec import parse_assignments
    from abroad.extraction.load import BUILTIN, extractor_kind, load_extractor
    from abroad.pipeline.config import load_section

    if min_score is not None and precision is not None:
        raise InputError("expected --min-score or --precision, not both")
    name = model or BUILTIN
    known = extractor_kind(name).settings
    if (assignments or overrides["engine"]) and "engine" not in known:
        raise InputError("--engine and --set are of language models: expected --model too")
    if (min_score is not None or precision is not None) and "min_score" not in known:
        raise InputError(
            "--min-score and --precision need the built-in extractor: a language model gives no such score"
        )
    settings: dict[str, Any] = {}
    if config is not None and "engine" in known:
        settings = load_section(config, "extract").model_dump()
    given = {**overrides, "base": base, "quantization": quantization, "min_score": min_score, "precision": precision}
    settings |= {key: value for key, value in given.items() if value is not None}
    settings["engine_settings"] = {**settings.get("engine_settings", {}), **parse_assignments(assignments)}
    return load_extractor(name, **{key: value for key, value in settings.items() if key in known})


def _ranker(by: str, model: str | None, base: str | None, keep: float) -> Callable[[Any, Any, Path], None]:
    """Ranks predictions into a file; the settings are checked now, the model is loaded when it is needed."""
    from abroad.engines.spec import make_engine, read_settings, text_identity
    from abroad.extraction.load import extractor_kind
    from abroad.models.identity import weights_digest
    from abroad.models.resolve import resolve_model
    from abroad.ranking.rank import RankSettings, rank_file

    settings = RankSettings(by=by, keep=keep)
    if model is None or "engine" not in extractor_kind(model).settings:
        model, base = "smollm2-135m", None
    engine = read_settings("transformers", {"base": base} if base else {})
    identity = text_identity("transformers", model, engine) | {"weights": weights_digest(resolve_model(model, base))}

    def rank(documents: list[Document], predictions: list[Prediction], out: Path) -> None:
        rank_file(make_engine("transformers", model, 16, engine), identity, documents, [predictions], settings, out)

    return rank


def _inputs(
    documents: list[Path],
    columns: ColumnNames,
    fetch: bool,
    text: str | None,
    pmid: list[str],
    base_url: str | None,
    email: str | None,
    rejects: Rejects,
) -> list[Document]:
    from abroad.extraction.inputs import InputSettings, fetch_pmids, read_inputs, text_document

    def open_client() -> EutilsClient:
        from abroad.sources.eutils import BASE_URL, EutilsClient, EutilsSettings

        return EutilsClient(EutilsSettings(email=email, base_url=base_url or BASE_URL), say)

    if text is not None:
        return [text_document("text", text)]
    if pmid:
        with open_client() as client:
            return fetch_pmids(pmid, client, rejects)
    return read_inputs(documents, rejects, InputSettings(columns, fetch, open_client), sys.stdin.buffer)


def _print(documents: list[Document], predictions: list[Prediction], kind: str) -> None:
    from abroad.core.io import dump_line
    from abroad.documents.formats import to_table

    if kind == "jsonl":
        sys.stdout.writelines(dump_line(prediction.to_dict()) for prediction in predictions)
    else:
        sys.stdout.write(to_table(documents, predictions, kind))


def _write_table(out: Path, documents: list[Document], predictions: list[Prediction], kind: str) -> None:
    from abroad.core.io import atomic_write
    from abroad.documents.formats import to_table

    with atomic_write(out) as stream:
        stream.write(to_table(documents, predictions, kind))


def register(app: typer.Typer) -> None:
    app.command("extract")(extract)
