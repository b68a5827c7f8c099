"""`abroad extract`: relations from documents, PMIDs or a text."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from abroad.cli.common import report_rejects, say, say_notes
from abroad.cli.messages import STANDARD_OUTPUT, name_of
from abroad.cli.options import EUTILS, Options, SettingsCommand, takes
from abroad.cli.outputs import writes
from abroad.core.context import Context
from abroad.core.outputs import Kind
from abroad.documents.formats import BINARY, ENDINGS, FORMATS

if TYPE_CHECKING:
    from abroad.core.schema import Document, Prediction
    from abroad.documents.inputs import InputSettings
    from abroad.documents.pairs import Part
    from abroad.documents.stream import DocumentSource
    from abroad.extraction.base import CalibratedExtractor, Extractor
    from abroad.pipeline.extract import Extraction, FileSettings, Ranker
    from abroad.pipeline.extract_shards import Counts
    from abroad.ranking.rank import RankSettings
    from abroad.sources.eutils import EutilsClient, EutilsSettings

PREDICTIONS = Kind("predictions", ENDINGS)
QUICKSTATEMENTS = Kind("QuickStatements", (".txt", ".tsv", ".qs"))
_RANKING = Options(
    "abroad.ranking.rank:RankSettings",
    only=("keep", "field"),
    names={"keep": "--rank-keep", "field": "--rank-field"},
    helps={"field": "Field whose templates state the relations to rank; by default the model's own, if it has one."},
)


@writes(out=PREDICTIONS, quickstatements=QUICKSTATEMENTS)
@takes(
    generative=Options(
        "abroad.extraction.generative.decoding:GenerativeSettings",
        partial=True,
        helps={
            "engine_settings": "A setting of the extractor, yours too, or of its engine, as often as needed: "
            "verb=gave, tensor_parallel=4, draft=ngram; an unknown key lists them."
        },
    ),
    calibrated=Options("abroad.extraction.builtin.member:PairSettings", partial=True),
    ranking=_RANKING,
    eutils=EUTILS,
)
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
        None, help=f"Predictions: {', '.join(ends[0] for ends in FORMATS.values())}. Needed with a file or folder."
    ),
    format: str = typer.Option(None, help=f"{', '.join(FORMATS)}; else by the name of --out."),
    title_column: str = typer.Option(
        None, metavar="NAME", help="Column of the titles in CSV, TSV, XLSX; else guessed."
    ),
    abstract_column: str = typer.Option(None, metavar="NAME", help="Column of the abstracts; else guessed."),
    fetch: bool = typer.Option(False, "--fetch", help="Ask NCBI for the abstracts of documents with a PMID and none."),
    text: str | None = typer.Option(None, help="Extract from this text and print the prediction."),
    pmid: list[str] = typer.Option([], help="Fetch this abstract from NCBI; repeatable."),
    index: Path | None = typer.Option(
        None, metavar="INDEX.sqlite", help="Index of `abroad lotus prepare`: links names, tells known from new."
    ),
    quickstatements: Path | None = typer.Option(None, metavar="FILE", help="Write what Wikidata lacks; needs --index."),
    link: bool = typer.Option(True, help="Add identifiers: NCBI Taxonomy, the index, OPSIN if it is installed."),
    workers: int | None = typer.Option(
        None,
        min=1,
        metavar="NUMBER",
        help="Processes that extract; else one a core, or one alone for language models. With RAY_ADDRESS (Ray) those "
        "of a cluster.",
    ),
    config: Path | None = typer.Option(None, help="YAML with a section 'extract'; else what a release says."),
    rank: str = typer.Option(None, help="Rank by likelihood, product, er-g or er-d (see `abroad rank`); needs --out."),
    rank_model: str = typer.Option(None, help="Language model that ranks; else --model, else smollm2-135m."),
    *,
    generative: dict[str, Any],
    calibrated: dict[str, Any],
    ranking: RankSettings,
    eutils: EutilsSettings,
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
    from abroad.core.provenance import run_record
    from abroad.documents.formats import format_of
    from abroad.documents.inputs import InputSettings, check_folder
    from abroad.extraction.base import identity_of, refuse_if_all_failed
    from abroad.extraction.load import check_extractor
    from abroad.pipeline.extract import extract_stage, records_with_documents
    from abroad.pipeline.extract_settings import FileSettings
    from abroad.pipeline.extract_texts import add_texts
    from abroad.pipeline.statements import write_statements
    from abroad.sources.formats.spreadsheets import ColumnNames
    from abroad.sources.name_index import NameIndex

    documents = documents or []
    _check_what_to_read(documents, text, pmid, out)
    if quickstatements is not None and index is None:
        raise InputError("--quickstatements needs --index INDEX.sqlite, which `abroad lotus prepare` writes")
    if rank is not None and out is None:
        raise InputError("--rank: expected --out FILE for the ranked predictions")
    kind = format_of(format, out)
    if kind in BINARY and out is None:
        raise InputError(f"--format {kind}: expected --out FILE.{kind}, since it is no text")
    recipe = _recipe(model, config, generative, calibrated)
    images_from = check_folder(recipe[1].pop("images_from", None), "--images-from")
    check_extractor(*recipe)  # before anything is read or fetched
    context = Context(say=say)
    names = NameIndex(index) if index is not None else None
    settings = FileSettings(link=link, index=index, workers=workers, format=kind)
    columns = ColumnNames(title_column, abstract_column)
    reading = InputSettings(columns=columns, fetch=fetch, open_client=_client_of(eutils), images_from=images_from)
    with _inputs(documents, reading, (text, pmid), out, context) as inputs:
        say_notes(context)
        extractor = _extractor(*recipe)
        base = generative.get("base")
        ranking = ranking.replace(by=rank or ranking.by, field=ranking.field or _field_of(*recipe))
        ranker = _ranker(ranking, rank_model or model, base) if rank is not None else None
        if "precision" in calibrated:  # a kind that takes a precision is calibrated
            _say_point(cast("CalibratedExtractor", extractor))
        by = _extraction(extractor, recipe, ranker)
        if out is None:
            counts, parts = _print(inputs, by.extractor, settings, context, (kind, quickstatements is not None))
        else:
            read = [file for file in (*documents, index) if file is not None and file.exists()]
            with run_record(out, "extract", identity_of(extractor), read) as record:
                report = extract_stage(inputs, out, by, settings, context)
                record["result"] = report.to_dict()
            if name_of(out) == STANDARD_OUTPUT:
                add_texts(out, kind)
            counts, parts = report.counts, records_with_documents(out, kind)
            report_rejects(context, out)
            _say_report(out, counts)
        if quickstatements is not None and names is not None:
            write_statements(quickstatements, parts, names, context)
    refuse_if_all_failed(counts.failed, counts.documents, counts.first_error)


def _say_point(extractor: CalibratedExtractor) -> None:
    point = extractor.point
    say(
        f"--min-score {point.threshold:g}, which gave a precision of {point.precision / 100:.2f} and a recall of "
        f"{point.recall / 100:.2f} on held-out documents"
    )


def _say_report(out: Path, counts: Counts) -> None:
    say(
        f"{out}: {counts.relations} relations from {counts.documents} documents; {counts.failed} failed, "
        f"{counts.malformed} malformed parts, {counts.cut_off} outputs cut off at the token budget"
    )
    if counts.images_set_aside:
        say(f"{counts.images_set_aside} images could not be shown; their documents were read without them")
    if counts.capped:
        say(f"{counts.capped} labels of lists longer than 200 were left out")
    if counts.crowded:
        say(
            f"{counts.names_left_out} names were not looked at, in {counts.crowded} documents that name too many (of "
            f"a text, the first 60 organisms and 600 chemicals are): {', '.join(counts.crowded_ids)}; "
            "give their parts as documents"
        )


def _check_what_to_read(documents: list[Path], text: str | None, pmid: list[str], out: Path | None) -> None:
    """Refuse none or several kinds of inputs, and files without a place for their predictions."""
    from abroad.core.errors import InputError
    from abroad.documents.inputs import check_path, is_file

    given = [
        *(str(path) for path in documents[:1]),
        *(["--text"] if text is not None else ()),
        *(["--pmid"] * bool(pmid)),
    ]
    if len(given) != 1:
        found = f"found {' and '.join(given)}" if given else "found none"
        raise InputError(f"expected one of: files or folders of documents, '-', --text, --pmid; {found}")
    if text is not None and is_file(text):
        raise InputError(f"--text {text}: the name of a file, no text; give it without --text")
    if out is not None or not any(str(path) != "-" for path in documents):
        for path in documents:
            check_path(path)
        return
    *others, last = documents
    for path in others:
        check_path(path)
    if others and not is_file(last) and last.suffix.lower() in ENDINGS:
        raise InputError(f"expected --out FILE for the predictions: --out {last}?")
    check_path(last)
    raise InputError("expected --out FILE for the predictions")


def _extractor(name: str, settings: dict[str, Any]) -> Extractor:
    from abroad.extraction.load import load_extractor

    return load_extractor(name, **settings)


def _extraction(extractor: Extractor, recipe: tuple[str, dict[str, Any]], ranker: Ranker | None) -> Extraction:
    """What a run is given: the extractor, and how another process makes it again."""
    from functools import partial

    from abroad.core.registry import Capability
    from abroad.extraction.load import extractor_kind
    from abroad.pipeline.extract import Extraction

    name, settings = recipe
    alone = Capability.ENGINE in extractor_kind(name).capabilities  # it has a batch, a GPU or a server of its own
    return Extraction(extractor, partial(_extractor, name, settings), 1 if alone else None, ranker)


def _recipe(
    model: str | None, config: Path | None, generative: dict[str, Any], calibrated: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The name of the extractor and its settings, as `load_extractor` takes them.

    Raises:
        InputError: options that contradict each other, or are none of this extractor.
    """
    from abroad.core.errors import InputError
    from abroad.core.registry import Capability, setting_names
    from abroad.extraction.load import BUILTIN, extractor_kind
    from abroad.pipeline.config import load_section

    if len(calibrated) > 1:
        raise InputError("expected --min-score or --precision, not both")
    section = load_section(config, "extract") if config is not None else None
    if model is not None and not model.strip():
        raise InputError("--model: expected the name or the folder of an extractor, found no text")
    name = model or (section.model if section is not None else None) or BUILTIN
    kind = extractor_kind(name)
    known = setting_names(kind.Settings)
    assigned = generative.pop("engine_settings", {})
    if twice := next((key for key in calibrated if key in assigned), None):
        raise InputError(f"--{twice.replace('_', '-')} and --set {twice}: expected one of them, found both")
    if calibrated and Capability.CALIBRATED not in kind.capabilities:
        raise InputError(
            f"--min-score and --precision need the built-in extractor or one like it: {name} gives no such score"
        )
    if other := next((key for key in generative if key not in known), None):
        raise InputError(
            f"--{other.replace('_', '-')}: a setting of language models: expected --model NAME of one, found {name}"
        )
    settings: dict[str, Any] = section.extractor_settings() if section is not None else {}
    other_points = {"min_score", "precision"} if calibrated else set()  # the option stands in place of either
    settings = {key: value for key, value in settings.items() if key in known and key not in other_points}
    settings |= generative | calibrated
    if Capability.ENGINE in kind.capabilities:
        settings["engine_settings"] = {**settings.get("engine_settings", {}), **assigned}
        return name, settings
    if other := next((key for key in assigned if key not in known and _is_of_an_engine(key)), None):
        raise InputError(
            f"--set {other}: a setting of language models' engines: expected --model NAME of one, found {name}"
        )
    return name, settings | assigned


def _is_of_an_engine(setting: str) -> bool:
    from abroad.core.registry import setting_names
    from abroad.engines.spec import ENGINES

    return any(setting in setting_names(ENGINES.settings(engine)) for engine in ENGINES.own)


def _field_of(name: str, settings: Mapping[str, Any]) -> Path | None:
    """The file of the field that an extractor was told, or that lies beside a fine-tuned model."""
    from abroad.extraction.generative.load import FIELD_FILE

    beside = Path(name) / FIELD_FILE
    return settings.get("field") or (beside if beside.is_file() else None)


def _ranker(settings: RankSettings, model: str | None, base: str | None) -> Ranker:
    """Ranks predictions into a file; the settings are checked now, the model is loaded when it is needed."""
    from abroad.core.registry import Capability
    from abroad.engines.spec import DEFAULT_ENGINE, EngineSpec
    from abroad.extraction.load import extractor_kind
    from abroad.ranking.rank import rank_file

    if model is None or Capability.LANGUAGE_MODEL not in extractor_kind(model).capabilities:
        model, base = "smollm2-135m", None
    spec = EngineSpec.read(DEFAULT_ENGINE, model, values={"base": base} if base else {})
    identity = spec.identity | spec.weights

    def rank(documents: Sequence[Document], predictions: Sequence[Prediction], out: Path) -> None:
        rank_file(spec.make(), identity, documents, [predictions], settings, out)

    return rank


@contextlib.contextmanager
def _inputs(
    documents: list[Path],
    settings: InputSettings,
    given: tuple[str | None, list[str]],
    out: Path | None,
    context: Context,
) -> Iterator[DocumentSource]:
    """The documents of files and a pipe, of a text, or of PMIDs."""
    from abroad.core.helpers import helper_folder
    from abroad.documents.inputs import fetch_pmids, text_document
    from abroad.documents.stream import ListedDocuments, open_inputs

    text, pmids = given
    if text is not None:
        yield ListedDocuments([text_document("text", text)])
    elif pmids:
        assert settings.open_client is not None
        with settings.open_client() as client:
            found = fetch_pmids(pmids, client, context)
        yield ListedDocuments(found)
    else:
        work = helper_folder(out) if out is not None else None
        with open_inputs(documents, context, settings, sys.stdin.buffer, work) as inputs:
            yield inputs


def _client_of(eutils: EutilsSettings) -> Callable[[], EutilsClient]:
    def open_client() -> EutilsClient:
        from abroad.sources.eutils import EutilsClient
        from abroad.sources.kept import KeptAnswers

        return EutilsClient(eutils, kept=KeptAnswers(f"NCBI {eutils.base_url}"))

    return open_client


def _print(
    inputs: DocumentSource,
    extractor: Extractor,
    settings: FileSettings,
    context: Context,
    how: tuple[str, bool],
) -> tuple[Counts, list[Part]]:
    """Predictions to standard output; in JSON each with the text that its offsets count in.

    Args:
        how: the format, and whether the predictions are wanted afterwards too.
    """
    from abroad.core.io import dump_line
    from abroad.documents.formats import array_lines, table_lines
    from abroad.pipeline.extract import extracted_parts
    from abroad.pipeline.extract_columns import columns_for
    from abroad.pipeline.extract_shards import Counts
    from abroad.pipeline.extract_texts import with_texts

    (kind, wanted), counts = how, Counts()
    kept: list[Part] = []
    for documents, predictions in extracted_parts(inputs, extractor, settings, context):
        for prediction in predictions:
            counts.add(prediction)
        if kind == "jsonl":
            sys.stdout.writelines(map(dump_line, with_texts(documents, predictions)))
        if wanted or kind != "jsonl":
            kept.append((documents, predictions))
    if kind == "json":
        sys.stdout.writelines(array_lines(record for part in kept for record in with_texts(*part)))
    elif kind != "jsonl":
        sys.stdout.writelines(table_lines(kept, kind, columns_for(extractor)))
    say_notes(context)
    if context.rejects:
        say(context.rejects.summary())
    return counts, kept


def register(app: typer.Typer) -> None:
    app.command("extract", cls=SettingsCommand)(extract)
