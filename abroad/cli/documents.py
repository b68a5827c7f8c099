"""`abroad documents`: titles and abstracts of references, and their division into parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from abroad.cli import documents_find, documents_pairs
from abroad.cli.common import group, report_rejects, say
from abroad.cli.options import EUTILS, SettingsCommand, takes
from abroad.cli.outputs import JSONL, writes
from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.outputs import Kind

if TYPE_CHECKING:
    from abroad.sources.eutils import EutilsSettings

SEQ2REL = Kind("seq2rel's table or predictions as JSONL", (".tsv", ".txt", ".jsonl", ".ndjson"))

app = group(
    "Documents: find and fetch titles and abstracts, split them into parts.",
    example="abroad documents fetch sample.tsv --relations relations.tsv --out documents.jsonl",
)


def register(parent: typer.Typer) -> None:
    documents_find.register(app)
    documents_pairs.register(app)
    parent.add_typer(app, name="documents")


@app.command(
    epilog="Example: abroad documents fetch sample.tsv --relations relations.tsv --out docs.jsonl",
    cls=SettingsCommand,
)
@writes(out=JSONL)
@takes(settings=replace(EUTILS, only=(*EUTILS.only, "api_key", "batch_size")))
def fetch(
    sample: Path = typer.Argument(None, metavar="SAMPLE.tsv", help="Sample, table with a PMID column, or PMID list."),
    labels: Path = typer.Option(
        None, metavar="LABELS.jsonl", help="Labels to join to their texts, in place of SAMPLE."
    ),
    out: Path = typer.Option(..., metavar="DOCS.jsonl", help="The documents to write."),
    relations: Path = typer.Option(None, metavar="RELATIONS.tsv", help="Relations to attach; PMIDs to look up."),
    field: Path = typer.Option(None, metavar="FIELD.yaml", help="The field of RELATIONS.tsv; else natural products."),
    xml: list[Path] = typer.Option([], metavar="FILE|DIR", help="Local PubMed XML (.xml, .xml.gz); repeatable."),
    eutils: bool = typer.Option(False, "--eutils", help="Ask NCBI for what the files of --xml lack."),
    *,
    settings: EutilsSettings,
) -> None:
    """Fetch titles and abstracts from NCBI E-utilities, or from local PubMed XML (no network).

    With --labels (data/curated/labels.jsonl), each text is compared with the one that was labelled. Interrupted, the
    same command goes on where it stopped.
    """
    from abroad.core.errors import InputError

    if (sample is None) == (labels is None):
        raise InputError("expected either SAMPLE.tsv or --labels LABELS.jsonl")
    if labels is not None and relations is not None:
        raise InputError("--relations goes with SAMPLE.tsv; labels have relations of their own")
    if field is not None and relations is None:
        raise InputError("--field says what --relations RELATIONS.tsv is of: expected that option too")
    context = Context(say=say)
    asked = settings if eutils or not xml else None
    if labels is not None:
        _fetch_labelled(labels, out, xml, asked, context)
    else:
        _fetch_references(sample, (relations, field), out, xml, asked, context)
    report_rejects(context, out)


def _fetch_references(
    sample: Path,
    table: tuple[Path | None, Path | None],
    out: Path,
    xml: list[Path],
    asked: EutilsSettings | None,
    context: Context,
) -> None:
    from abroad.core.field import find_field
    from abroad.core.provenance import run_record
    from abroad.documents.stage import documents_stage
    from abroad.sources.field_tables import FieldTable

    known, relations = find_field(table[1]), table[0]
    of = relations if relations is None or known.is_built_in else FieldTable(relations, known)
    inputs = [path for path in (sample, *table, *xml) if path is not None and path.exists()]
    with run_record(out, "documents fetch", _how(xml, asked), inputs) as record:
        report = documents_stage(sample, of, out, context, xml, asked)
        record.update(documents=report.documents, without_abstract=report.without_abstract, not_found=report.not_found)
    say(
        f"{report.documents} documents of {report.references} references ({report.related} with relations): {out} "
        f"({len(report.without_abstract)} without an abstract, {len(report.not_found)} not found)"
    )


def _how(xml: list[Path], asked: EutilsSettings | None) -> dict[str, Any]:
    return {"xml": [str(path) for path in xml], "eutils": asked.base_url if asked is not None else None}


def _fetch_labelled(labels: Path, out: Path, xml: list[Path], asked: EutilsSettings | None, context: Context) -> None:
    import contextlib
    from dataclasses import asdict

    from abroad.core.provenance import run_record
    from abroad.documents.curated.fetch import fetch_labelled
    from abroad.documents.curated.labels import read_labels
    from abroad.sources.eutils import EutilsClient
    from abroad.sources.kept import KeptAnswers

    items = read_labels(labels, context)
    inputs = [path for path in (labels, *xml) if path.exists()]
    kept = KeptAnswers(f"NCBI {asked.base_url}") if asked is not None else None
    client = EutilsClient(asked, kept=kept) if asked is not None else contextlib.nullcontext()
    with client as opened, run_record(out, "documents fetch --labels", _how(xml, asked), inputs) as record:
        report = fetch_labelled(items, out, context, xml, opened)
        record.update(documents=report.documents, **asdict(report))
    lost = sum(map(len, report.labels_lost.values()))
    say(
        f"{report.documents} documents of {len(items)} labelled ones: {out} "
        f"({report.exact} with the labelled text, {report.found_again} formatted differently; "
        f"{len(report.not_found)} not found, {len(report.without_abstract)} without an abstract, "
        f"{len(report.other_text)} with another text)"
    )
    if lost:
        say(f"{lost} labels of {len(report.labels_lost)} documents are no longer in the text (field labels_lost)")


@app.command(epilog="Example: abroad documents annotate docs.jsonl --out annotated.jsonl")
@writes(out=JSONL)
def annotate(
    documents: Path = typer.Argument(
        ..., metavar="DOCS", help="Documents with PMIDs (as `abroad extract` reads them)."
    ),
    out: Path = typer.Option(..., metavar="ANNOTATED.jsonl", help="The documents, each with `annotations`."),
    base_url: str = typer.Option(None, metavar="URL", help="Another server that speaks PubTator3's API."),
) -> None:
    """Add what PubTator3 marks: species, chemicals, diseases, genes, with identifiers and offsets into our text.

    Names it marks never become keywords of a synthetic abstract. Answers are kept for later runs (~/.cache/abroad).
    """
    from abroad.core.helpers import found as helper_found
    from abroad.core.http import HttpSettings
    from abroad.core.io import write_documents
    from abroad.core.provenance import run_record
    from abroad.documents.images import for_file
    from abroad.documents.inputs import read_documents
    from abroad.sources.kept import KeptAnswers
    from abroad.sources.pubtator import BASE_URL, RATE, fetch_bioc
    from abroad.sources.pubtator import annotate as mark

    context = Context(say=say)
    items = read_documents(documents, context)
    with run_record(out, "documents annotate", {"base_url": base_url or BASE_URL}, [documents]) as record:
        pmids = list(dict.fromkeys(document.pmid for document in items if document.pmid))
        kept = KeptAnswers(f"PubTator3 {base_url or BASE_URL}")
        kept.take_over(helper_found(out, "cache.jsonl"), "pmid", "bioc")
        found = fetch_bioc(pmids, kept, HttpSettings(base_url=base_url or BASE_URL, rate=RATE), context)
        for document in items:
            if not found.get(document.pmid or ""):
                context.rejects.add(
                    f"document {document.id}", "no PMID" if not document.pmid else "unknown to PubTator3"
                )
        marked = [mark(document, found.get(document.pmid or "") or {}, context) for document in items]
        write_documents(out, for_file(marked, out))
        record["annotations"] = count = sum(len(document.extra["annotations"]) for document in marked)
    report_rejects(context, out)
    say(f"{count:,} annotations of {len(items):,} documents: {out}")


@app.command(epilog="Example: abroad documents seq2rel train.jsonl --out train.tsv")
@writes(out=SEQ2REL)
def seq2rel(
    documents: Path = typer.Argument(..., metavar="DOCS", help="Documents with relations (JSON or JSONL)."),
    out: Path = typer.Option(..., metavar="FILE.tsv|PRED.jsonl", help="What to write."),
    output: Path = typer.Option(None, metavar="FILE.txt", help="seq2rel's output for them: make predictions of it."),
) -> None:
    """Write documents as seq2rel reads them (text, tab, relations), or make predictions of its output.

    Its published tools train on the .tsv; special tokens: @ORGANISM@, @CHEMICAL@, @PRODUCES@.
    """
    from abroad.core.io import atomic_write, require_file, write_jsonl
    from abroad.core.jsonl import split_lines
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents
    from abroad.documents.seq2rel import line, read_output

    context = Context(say=say)
    items = read_documents(documents, context)
    with run_record(out, "documents seq2rel", {}, [path for path in (documents, output) if path]) as record:
        if output is None:
            with atomic_write(out) as stream:
                stream.writelines(f"{line(document)}\n" for document in items)
            said = f"{len(items)} lines"
        else:
            lines = split_lines(require_file(output, "seq2rel's output, a line a document").read_text("utf-8"))
            predictions = read_output(items, lines)
            write_jsonl(out, (prediction.to_dict() for prediction in predictions))
            relations = sum(len(prediction.relations) for prediction in predictions)
            malformed = sum(prediction.extra["malformed"] for prediction in predictions)
            said = f"{relations} relations of {len(items)} documents ({malformed} malformed parts)"
        record["result"] = said
    report_rejects(context, out)
    say(f"{said}: {out}")


@app.command(epilog="Example: abroad documents biored biored.jsonl --field biored.yaml --part Train --out train.jsonl")
@writes(out=JSONL)
def biored(
    annotated: Path = typer.Argument(..., metavar="FILE.jsonl", help="Documents as BioRED has them, one a line."),
    field: Path = typer.Option(..., metavar="FIELD.yaml", help="The field that they become documents of."),
    out: Path = typer.Option(..., metavar="DOCS.jsonl", help="The documents to write."),
    part: str = typer.Option(None, metavar="NAME", help="Take the documents whose 'split' says so and no others."),
) -> None:
    """Write annotated documents of BioRED's form as documents of a field: entities with spans, and relations.

    Entities are [start, end, type, text, identifiers], relations [type, identifier, identifier]. What the field has no
    type for is left out; a relation of a type that it lacks becomes its relation between two such entities.
    """
    from abroad.core.field import find_field
    from abroad.core.io import require_file, write_documents
    from abroad.core.jsonl import BadJson, read_jsonl
    from abroad.core.provenance import run_record
    from abroad.documents.biored import biored_documents

    known = find_field(field)
    with run_record(out, "documents biored", {"field": str(field), "part": part}, [annotated]) as record:
        try:
            records = read_jsonl(require_file(annotated, "documents of BioRED's form, one a line"))
        except BadJson as error:
            raise InputError(f"{annotated}: {error}") from None
        if part is not None:
            records = [entry for entry in records if isinstance(entry, dict) and entry.get("split") == part]
        try:
            documents = list(biored_documents(records, known))
        except InputError as error:
            raise InputError(f"{annotated}: {error}") from None
        if not documents:
            raise InputError(f"{annotated}: no documents{'' if part is None else f' of the part {part!r}'}")
        write_documents(out, documents)
        record["result"] = said = f"{sum(len(d.relations) for d in documents)} relations of {len(documents)} documents"
    say(f"{said}: {out}")


@app.command(epilog="Example: abroad documents docbin curated.jsonl --out train.spacy")
@writes(out=Kind("a DocBin", (".spacy",)))
def docbin(
    documents: Path = typer.Argument(..., metavar="DOCS", help="Documents with relations (JSON or JSONL)."),
    out: Path = typer.Option(..., metavar="FILE.spacy", help="The DocBin to write."),
) -> None:
    """Write documents as a DocBin of spaCy, the names of their relations as entities ORGANISM and CHEMICAL.

    `spacy train` takes it, best with the tokenizer "abroad.Tokenizer.v1". The relations, with the spans of both
    sides, stand in doc._.relations.
    """
    from dataclasses import asdict

    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents
    from abroad.extraction.builtin.reading import readable
    from abroad.extraction.builtin.spacy_pipeline.docbin import write_labelled_docbin

    context = Context(say=say)
    items = readable(read_documents(documents, context), context)
    with run_record(out, "documents docbin", {}, [documents]) as record:
        report = write_labelled_docbin(out, items)
        record.update(asdict(report))
    report_rejects(context, out)
    say(
        f"{report.entities} entities in {report.documents} documents "
        f"({report.missing} labels are not in their text): {out}"
    )


@app.command(
    epilog="Example: abroad documents split docs.jsonl --out-test test.jsonl --out-train train.jsonl "
    "--by-entropy sample.tsv --top 50"
)
@writes(out_train=JSONL, out_test=JSONL, out_valid=JSONL)
def split(
    documents: Path = typer.Argument(..., metavar="DOCS", help="Documents (as `abroad extract` reads them)."),
    out_train: Path = typer.Option(..., metavar="FILE", help="Training part (JSONL)."),
    out_test: Path = typer.Option(..., metavar="FILE", help="Test part (JSONL)."),
    out_valid: Path = typer.Option(None, metavar="FILE", help="Validation part (JSONL)."),
    by_entropy: Path = typer.Option(None, metavar="SAMPLE.tsv", help="Test = the first --top of each stratum."),
    top: int = typer.Option(None, min=1, help="References of each stratum that --by-entropy takes for the test."),
    at_random: bool = typer.Option(False, "--random", help="Test = a random share."),
    test_share: float = typer.Option(None, help="Share of all documents that --random draws. [default: 0.1]"),
    valid_share: float = typer.Option(
        None, help="Share of the documents for validation, by entropy of those not in test. [default: 0.1]"
    ),
    seed: int = typer.Option(0, help="Seed of the random draw."),
) -> None:
    """Divide documents by entropy rank or at random; no publication is in two parts."""
    from abroad.core.errors import InputError
    from abroad.core.io import write_documents
    from abroad.core.provenance import run_record
    from abroad.documents.images import for_file
    from abroad.documents.inputs import read_documents
    from abroad.documents.splitting import read_ranking, split_documents, top_of_strata

    if (by_entropy is None) != at_random:
        raise InputError("expected either --by-entropy SAMPLE.tsv with --top N, or --random")
    if (by_entropy is None) != (top is None):
        raise InputError("expected --by-entropy and --top together")
    if by_entropy is not None and test_share is not None:
        raise InputError("--test-share goes with --random; by entropy, --top decides the test part")
    if out_valid is None and valid_share:
        raise InputError("--valid-share needs a file to write to: --out-valid")

    context = Context(say=say)
    items = read_documents(documents, context)
    chosen = None
    if by_entropy is not None:
        chosen = top_of_strata(items, read_ranking(by_entropy, context), top)
        if not chosen:
            raise InputError(f"{by_entropy}: none of its references is among the documents of {documents}")
    elif test_share is None:
        test_share = 0.1
    if valid_share is None:
        valid_share = 0.1 if out_valid is not None else 0.0
    settings = {"top": top, "random": at_random, "test_share": test_share, "valid_share": valid_share, "seed": seed}
    inputs = [path for path in (documents, by_entropy) if path is not None]
    with run_record(out_test, "documents split", settings, inputs) as record:
        parts = split_documents(items, chosen, test_share or 0.0, valid_share, seed)
        for path, part in ((out_train, parts.train), (out_valid, parts.valid), (out_test, parts.test)):
            if path is not None:
                write_documents(path, for_file(part, path))
        record.update(train=len(parts.train), valid=len(parts.valid), test=len(parts.test))
    report_rejects(context, out_test)
    say(f"{len(parts.train)} for training, {len(parts.valid)} for validation, {len(parts.test)} for test")
