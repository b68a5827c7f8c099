"""The functions of `import abroad`: read documents, extract relations, evaluate them, expand names, make a table.

Each takes and gives plain values and does its work by the packages below. The module itself loads nothing heavy.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, overload

from abroad.core.arguments import each_of
from abroad.core.context import Context
from abroad.core.errors import AbroadError, InputError, MissingDependencyError, Note
from abroad.core.jsonl import first_half
from abroad.core.schema import Document, Evidence, Prediction, Relation
from abroad.extraction.base import Extractor
from abroad.extraction.load import BUILTIN, load_extractor

if TYPE_CHECKING:
    import pandas
    import polars

    from abroad.evaluation.evaluate import Evaluation

__all__ = ["evaluate", "expand", "extract", "load_extractor", "predictions_frame", "read_documents"]

T = TypeVar("T")


@overload
def extract(  # type: ignore[overload-overlap]  # a string is one text, though its characters are strings too
    text: str | Document, extractor: Extractor | str | Path = ..., *, link: bool = ...
) -> list[Relation]: ...


@overload
def extract(
    text: Iterable[str | Document], extractor: Extractor | str | Path = ..., *, link: bool = ...
) -> list[list[Relation]]: ...


def extract(
    text: str | Document | Iterable[str | Document],
    extractor: Extractor | str | Path = BUILTIN,
    *,
    link: bool = True,
) -> list[Relation] | list[list[Relation]]:
    """Extract "organism produces chemical" relations from a text, a document, or several of them.

    In a text, a first line that an empty line follows is the title. A full text is read part by part, as the command
    does. The built-in extractor reads about 55 abstracts a second on one core; it is loaded once a process. Any other
    is loaded at each call: load it once, with `load_extractor`, where you call this often.

    Args:
        text: A text, a `Document`, or several of either.
        extractor: An extractor, or what `load_extractor` takes: `"builtin"`, a directory, a name.
        link: Add identifiers, as the command does: organisms from NCBI Taxonomy; systematic names of chemicals by
            OPSIN, where that is installed.

    Returns:
        The relations in the order of the text; for several texts a list of them for each. `score` is a probability,
        0 to 1, or None from an extractor that has none. Offsets of evidence count Unicode code points, in the
        text as it was given, or in `Document.text`.

    Raises:
        InputError: A text is empty or no text, a path stands in its place (`read_documents` reads files), there is
            no such extractor, or it gives no predictions.
        AbroadError: The extractor failed on a text; `Extractor.extract` gives such an error with the others' relations.

    Example:
        >>> import abroad
        >>> [relation] = abroad.extract("Usnic acid was isolated from Usnea barbata.")
        >>> relation.organism, relation.chemical
        ('Usnea barbata', 'Usnic acid')
    """
    if isinstance(text, Path):
        raise InputError(_a_file(text))
    if isinstance(text, str | Document):
        return _extract_all([text], extractor, link)[0]
    return _extract_all(each_of(text, "a text, a Document, or several of either"), extractor, link)


def read_documents(path: str | Path) -> list[Document]:
    """The documents of a file in any form that `abroad extract` reads, or of all files in a folder.

    Args:
        path: JSON, JSONL, PubMed's XML, .nbib and text forms, RIS, CSV, TSV, XLSX, PDF, text or a DocBin of spaCy.

    Returns:
        Documents of distinct ids, in the order of the file. A warning tells of records that could not be read.

    Raises:
        InputError: There is no such file, or nothing in it can be read as a document.

    Example:
        >>> import abroad
        >>> documents = abroad.read_documents("data/sample/curated.jsonl")
        >>> relations = abroad.extract(documents[:2])
        >>> len(relations)
        2
    """
    from abroad.documents.inputs import read_documents as read_any_documents

    if not isinstance(path, str | Path):
        raise InputError(f"expected the name of a file or folder, found {_kind(path)}")
    context = Context()
    documents = read_any_documents(path, context)
    if context.rejects:
        warnings.warn(context.rejects.summary(), Note, stacklevel=2)
    return documents


def evaluate(
    gold: Iterable[Document] | str | Path,
    predictions: Iterable[Prediction] | Iterable[Sequence[Relation]] | str | Path,
    *,
    protocol: str = "upstream",
    resamples: int = 2000,
    seed: int = 0,
    field: str | Path | None = None,
) -> Evaluation:
    """Score predictions beside gold: micro precision, recall and F1, with 95% intervals.

    Intervals are percentiles of a bootstrap over documents (Efron and Tibshirani 1993, chapter 13). The protocol
    `upstream` is that of Delmas, Wysocka and Freitas 2024 (arXiv 2311.06364).

    Args:
        gold: Documents with their curated relations, or a file of them (JSON or JSONL).
        predictions: Predictions, found by the ids of the documents; or the relations of each document of `gold`, in
            its order, as `extract` returns them; or a file of predictions (JSONL).
        protocol: When a relation equals a gold one: `"upstream"`, `"strict"` or `"grounded"` (identifiers).
        resamples: Of the bootstrap, at least 1,000.
        seed: Of the bootstrap.
        field: The file of another field than natural products, which says what relations are undirected.

    Returns:
        The evaluation: `evaluation.scores.f1` and its like in percent, `evaluation.intervals["f1"].low` and `.high`,
        scores of parts, kinds of errors; `evaluation.to_dict()` has the figures of `abroad evaluate --json`. A
        document of `gold` without a prediction counts as predicted empty. A warning tells of records of a file that
        could not be read, and of predictions none of which is of a document of `gold`.

    Raises:
        InputError: There is no gold document or no such protocol, too few resamples, another number of lists of
            relations than of documents, a file that cannot be read, or what is not of the field.

    Example:
        >>> import abroad
        >>> record = {
        ...     "id": "1",
        ...     "ArticleTitle": "Usnic acid was isolated from Usnea barbata.",
        ...     "organisms": [{"id": "1", "label": "Usnea barbata"}],
        ...     "chemicals": [{"id": "2", "label": "usnic acid"}],
        ...     "relations": [["1", "2"]],
        ... }
        >>> gold = [abroad.Document.from_dict(record)]
        >>> evaluation = abroad.evaluate(gold, abroad.extract(gold))
        >>> evaluation.scores.f1
        100.0
    """
    from abroad.documents.inputs import read_documents as read_any_documents
    from abroad.documents.predictions import read_predictions
    from abroad.evaluation.evaluate import evaluate as score
    from abroad.evaluation.settings import EvaluateSettings

    settings = EvaluateSettings(protocol=protocol, resamples=resamples, seed=seed, field=field)
    context = Context()
    if isinstance(gold, str | Path):
        documents = read_any_documents(gold, context)
    else:
        documents = each_of(gold, "documents, or a file of them", Document)
    if isinstance(predictions, str | Path):
        predicted = read_predictions(predictions, context)
    else:
        what = "predictions, lists of relations, or a file of predictions"
        predicted = _predictions(each_of(predictions, what), documents)
    if context.rejects:
        warnings.warn(context.rejects.summary(), Note, stacklevel=2)
    evaluation = score(documents, predicted, settings)
    if (nothing := evaluation.comparison.nothing_in_common()) is not None:
        warnings.warn(nothing, Note, stacklevel=2)
    return evaluation


def expand(phrase: str) -> list[str]:
    """The names that a contracted phrase stands for: lists, ranges and names that share a part.

    Args:
        phrase: A name or a list of names, up to 2,000 characters; a longer one is returned as it is.

    Returns:
        The distinct names in order, at most 200 of a range; the phrase itself, stripped, if it is no list.

    Raises:
        InputError: It is no text.

    Example:
        >>> import abroad
        >>> abroad.expand("gloeophyllins A-C (1-3)")
        ['gloeophyllin A', 'gloeophyllin B', 'gloeophyllin C']
        >>> abroad.expand("3- and 4-hydroxymellein")
        ['3-hydroxymellein', '4-hydroxymellein']
    """
    from abroad.text.expand import expand_phrase

    if not isinstance(phrase, str):
        raise InputError(f"expected a name or a list of names as text, found {_kind(phrase)}")
    return expand_phrase(phrase)


@overload
def predictions_frame(
    predictions: Iterable[Prediction], documents: Sequence[Document] = ..., *, library: Literal["polars"]
) -> polars.DataFrame: ...


@overload
def predictions_frame(
    predictions: Iterable[Prediction], documents: Sequence[Document] = ..., *, library: Literal["pandas"]
) -> pandas.DataFrame: ...


@overload
def predictions_frame(
    predictions: Iterable[Prediction], documents: Sequence[Document] = ..., *, library: None = ...
) -> polars.DataFrame | pandas.DataFrame: ...


def predictions_frame(
    predictions: Iterable[Prediction],
    documents: Sequence[Document] = (),
    *,
    library: Literal["polars", "pandas"] | None = None,
) -> polars.DataFrame | pandas.DataFrame:
    """A data frame of predictions: a row a relation, with the columns of `abroad extract --out FILE.csv`.

    Args:
        predictions: Of any extractor. One without relations, or with an error, has no row.
        documents: The documents of the predictions, for the columns `pmid` and `doi`.
        library: `"polars"` or `"pandas"`; by default polars if it is installed, else pandas.

    Returns:
        A data frame, [relations, 12]: `document`, `pmid`, `doi`, `organism`, `organism_id`, `chemical`,
        `chemical_id`, `score` (a probability, float64), `status`, `organism_text`, `chemical_text`, `rule`. All but
        `score` are text; what is not known is null. Relations of another field than natural products have
        `head`, `type`, `tail`, `head_id`, `tail_id`, `head_type`, `tail_type`, `head_text` and `tail_text`.

    Raises:
        InputError: Another library than these two, what is no prediction or no document, or relations of natural
            products beside those of another field.
        MissingDependencyError: The library is not installed, or neither is.

    Example:
        >>> import abroad
        >>> document = abroad.Document.from_text("Usnic acid was isolated from Usnea barbata.")
        >>> frame = abroad.predictions_frame(abroad.load_extractor().extract([document]), [document])
        >>> list(frame["chemical"])
        ['Usnic acid']
    """
    from abroad.documents.columns import columns_by_documents, columns_of
    from abroad.documents.formats import table_rows

    if library not in (None, "polars", "pandas"):
        raise InputError(f"expected the library 'polars' or 'pandas', found {library!r}")
    predictions = each_of(predictions, "predictions", Prediction)
    documents = each_of(documents, "documents", Document)
    layout = columns_of(predictions, columns_by_documents(documents))
    rows = table_rows(documents, predictions, layout)
    columns = {name: [row[name] for row in rows] for name in layout.names}
    if library != "pandas":
        try:
            import polars
        except ImportError:
            if library == "polars":
                raise MissingDependencyError("polars", None, "a data frame") from None
        else:
            types = {name: polars.Float64 if name == "score" else polars.String for name in layout.names}
            return polars.DataFrame(columns, schema=types)
    try:
        import pandas
    except ImportError:
        package = "pandas" if library == "pandas" else "polars"
        raise MissingDependencyError(package, None, "a data frame") from None
    return pandas.DataFrame(
        {name: pandas.Series(columns[name], dtype="float64" if name == "score" else "str") for name in layout.names}
    )


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__


@cache
def _builtin() -> Extractor:
    return load_extractor(BUILTIN)


def _extract_all(
    texts: Sequence[str | Document], extractor: Extractor | str | Path, link: bool
) -> list[list[Relation]]:
    # Extractors answer in any order, and ids may be given twice: documents go by their numbers.
    documents = [_numbered(item, number) for number, item in enumerate(texts)]
    if isinstance(extractor, str | Path):
        extractor = _builtin() if extractor == BUILTIN else load_extractor(extractor)
    elif not callable(getattr(extractor, "extract", None)):
        raise InputError(f"expected an extractor, its name or its folder, found {_kind(extractor)}")
    from abroad.extraction.full_texts import extracted  # full texts part by part, as the command does

    predictions = {prediction.id: prediction for prediction in extracted(extractor, documents)}  # one for each
    for number, document in enumerate(documents):
        if (error := predictions[document.id].error) is not None:
            raise AbroadError(f"{_name(texts[number], number)}: {error}")
        if failed := predictions[document.id].extra.get("parts_failed"):
            reason = next(iter(failed.values()))
            what = f"{_name(texts[number], number)}: {len(failed)} of its parts could not be read"
            warnings.warn(f"{what} ({reason}); their relations are missing", Note, stacklevel=3)
    answers = [predictions[document.id] for document in documents]
    if link:
        from abroad.linking.link import Linker

        answers = Linker().link(documents, answers)
    return [
        _with_offsets_of(item, answer.relations) if isinstance(item, str) else answer.relations
        for item, answer in zip(texts, answers, strict=True)
    ]


def _name(item: object, number: int) -> str:
    return f"document {item.id!r}" if isinstance(item, Document) else f"text {number + 1}"


def _numbered(item: object, number: int) -> Document:
    from abroad.documents.inputs import names_file

    if isinstance(item, Document):
        document = item
    elif isinstance(item, Path) or (isinstance(item, str) and names_file(item)):
        raise InputError(f"{_name(item, number)}: {_a_file(item)}")
    elif isinstance(item, str):
        title, abstract, _ = _split(item)
        document = Document(str(number), title, abstract)
    else:
        raise InputError(f"{_name(item, number)}: expected a string or a Document, found {_kind(item)}")
    if not document.text.strip():
        raise InputError(f"{_name(item, number)}: it is empty")
    if (place := first_half(document.text)) is not None:
        raise InputError(f"{_name(item, number)}: half of a surrogate pair at character {place}, which is no character")
    return replace(document, id=str(number))


def _a_file(path: str | Path) -> str:
    return f"expected a text, found the name of a file; abroad.extract(abroad.read_documents({str(path)!r})) reads it"


def _split(text: str) -> tuple[str, str, int]:
    """(title, abstract, offset of the title) of a text; a first line that an empty line follows is the title."""
    title, blank, rest = text.strip().partition("\n\n")
    if not blank or "\n" in title or len(title) > 500:
        return "", text, 0
    return title, rest, len(text) - len(text.lstrip())


def _with_offsets_of(text: str, relations: Sequence[Relation]) -> list[Relation]:
    """The relations of a text's document with evidence by offsets in the text itself."""
    title, _, offset = _split(text)

    def own(place: int) -> int:
        # Between title and abstract the document has one space and the text two line ends; without a title, nothing.
        return place - 1 if not title else place + offset + (place > len(title))

    def moved(evidence: Evidence) -> Evidence:
        start, end = own(evidence.start), own(evidence.end)
        return replace(evidence, start=start, end=end, text=text[start:end])

    return [replace(relation, evidence=[moved(item) for item in relation.evidence]) for relation in relations]


def _predictions(
    given: Iterable[Prediction] | Iterable[Sequence[Relation]], documents: Sequence[Document]
) -> list[Prediction]:
    """Predictions as they are; lists of relations as predictions of the documents in their order."""
    predictions: list[Prediction] = []
    relations: list[list[Relation]] = []
    for item in given:
        if isinstance(item, Prediction):
            predictions.append(item)
        else:
            relations.append(each_of(item, "predictions, or a list of relations for each document", Relation))
    if not relations:
        return predictions
    if predictions:
        raise InputError("expected predictions, or a list of relations for each document")
    if len(relations) != len(documents):
        raise InputError(
            f"expected the relations of each of {len(documents)} documents, found {len(relations)} lists of relations"
        )
    return [Prediction(document.id, items) for document, items in zip(documents, relations, strict=True)]
