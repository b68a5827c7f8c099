"""The LOTUS metadata table -> the relations of references with one PMID, filtered.

LOTUS: Rutz et al. 2022, "The LOTUS initiative for open knowledge management in
natural products research", eLife 11:e70780. The filters are those of Delmas et
al. 2024, Computational Linguistics 50(3), in their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import atomic_write
from abroad.core.rejects import Rejects
from abroad.core.settings import Count, Settings
from abroad.sources.tables import read_rows

if TYPE_CHECKING:
    import polars as pl

COLUMNS = (
    "structure_wikidata",
    "structure_cid",
    "structure_nameTraditional",
    "organism_wikidata",
    "organism_name",
    "organism_taxonomy_02kingdom",
    "reference_wikidata",
    "reference_doi",
)
PMID = "reference_pubmed_id"
NO_KINGDOM = "Not Attributed (Bacteria or Algae)"

_KINGDOM = "organism_taxonomy_02kingdom"
_NAMES = ("structure_nameTraditional", "organism_name")
_RELATION = ("structure_wikidata", "organism_wikidata")
_DOI_KEY = "doi_key"
_ROW = "row"
_MISSING = "NA"  # how R, which LOTUS is made with, writes a missing value
_DOI_PREFIX = r"(?i)^(?:(?:https?://)?(?:dx\.)?doi\.org/|doi:\s*)"
_CHUNK = 50_000


@dataclass(frozen=True)
class FilterLoss:
    """Rows and distinct references before and after one filter."""

    name: str
    rows_before: int
    rows_after: int
    references_before: int
    references_after: int


@dataclass
class PrepareReport:
    """What `prepare` kept; `losses` holds the filters in the order applied."""

    losses: list[FilterLoss] = field(default_factory=list)
    rejects: Rejects = field(default_factory=Rejects)

    @property
    def rows(self) -> int:
        return self.losses[-1].rows_after

    @property
    def references(self) -> int:
        return self.losses[-1].references_after


class PrepareSettings(Settings):
    """Which rows of LOTUS the relations table holds."""

    max_relations: Count = Field(20, description="References with more distinct relations are left out.")
    max_name_length: Count = Field(60, description="Characters; rows with a longer name are left out.")


def prepare(
    metadata: str | Path,
    doi2pmid: str | Path | None,
    out: str | Path,
    settings: PrepareSettings | None = None,
    context: Context | None = None,
) -> PrepareReport:
    """Write the relations table: the eight LOTUS columns and `reference_pubmed_id`, tab separated.

    Rows keep the order of their first appearance. A field is stripped and its white space collapsed; "NA" is missing.

    Args:
        metadata: LOTUS frozen metadata, CSV, gzip or not.
        doi2pmid: tab separated, columns reference_doi and reference_pubmed_id. Rows may repeat;
            DOIs are compared without regard to case (ISO 26324, section 4.2). None: the column of PMIDs is empty, and
            references stay whose PMID nobody knows, if they have a DOI.
        settings: which rows stay. A relation is a distinct (structure, organism) pair of a reference, a character a
            code point of the name of a structure or an organism.
    Raises:
        InputError: a file is missing, empty, damaged, lacks a column or holds no usable row.
    """
    import polars as pl

    settings, context = settings or PrepareSettings(), context or Context()
    max_relations, max_name_length = settings.max_relations, settings.max_name_length
    report = PrepareReport(rejects=context.rejects)
    # The map first: it is small, and a mistake in it should not cost the reading of the table.
    pmids = _read_pmids(doi2pmid, context) if doi2pmid is not None else None
    table = _read_metadata(metadata, context)

    def keep(name: str, kept: pl.DataFrame) -> None:
        nonlocal table
        report.losses.append(
            FilterLoss(name, table.height, kept.height, table[_DOI_KEY].n_unique(), kept[_DOI_KEY].n_unique())
        )
        table = kept

    keep("distinct rows", table.unique(maintain_order=True))
    table = table.with_row_index(_ROW)
    if pmids is None:
        keep("a DOI", table.filter(pl.col(_DOI_KEY) != "").with_columns(pl.lit("").alias(PMID)))
    else:
        keep("exactly one PMID", table.join(pmids, on=_DOI_KEY, how="inner"))
    keep(f"at most {max_relations} relations", _with_few_relations(table, max_relations))
    fits = pl.all_horizontal(pl.col(name).str.len_chars().is_between(1, max_name_length) for name in _NAMES)
    keep(f"names of 1 to {max_name_length} characters", table.filter(fits))

    with atomic_write(out, binary=True) as stream:
        table.sort(_ROW).select(*COLUMNS, PMID).write_csv(stream, separator="\t")
    return report


def _with_few_relations(table: pl.DataFrame, most: int) -> pl.DataFrame:
    import polars as pl

    relations = table.select(_DOI_KEY, *_RELATION).unique().group_by(_DOI_KEY).len()
    return table.join(relations.filter(pl.col("len") <= most), on=_DOI_KEY, how="semi")


def references(path: str | Path) -> Iterator[tuple[str, str]]:
    """Yield (DOI in lower case, Wikidata item) of each row with a DOI, in the order of the table.

    Raises:
        InputError: the file cannot be read, or lacks a column. Broken rows are passed over: `prepare` tells of them.
    """
    columns = ("reference_doi", "reference_wikidata")
    for _, (doi, item) in read_rows(path, columns, ",", "a LOTUS metadata table (CSV)", Context()):
        if (doi := doi.strip().lower()) not in ("", _MISSING.lower()):
            yield doi, item.strip().rpartition("/")[2]


def _read_metadata(path: str | Path, context: Context) -> pl.DataFrame:
    import polars as pl

    rows = (row for _, row in read_rows(path, COLUMNS, ",", "a LOTUS metadata table (CSV)", context))
    chunks = []
    with context.progress("reading LOTUS rows", total=None) as progress:
        while chunk := list(islice(rows, _CHUNK)):
            chunks.append(_tidy(pl.DataFrame(chunk, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")))
            progress.advance(len(chunk))
    if not chunks:
        raise InputError(f"{path}: no usable row{context.rejects.first()}; expected a LOTUS metadata table (CSV)")
    kingdom = pl.col(_KINGDOM)
    return pl.concat(chunks).with_columns(
        pl.when(kingdom == "").then(pl.lit(NO_KINGDOM)).otherwise(kingdom).alias(_KINGDOM),
        pl.col("reference_doi").str.replace(_DOI_PREFIX, "").str.to_lowercase().alias(_DOI_KEY),
    )


def _tidy(table: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    text = pl.all().str.replace_all(r"\s+", " ").str.strip_chars()
    return table.with_columns(text).with_columns(pl.all().replace(_MISSING, ""))


def _read_pmids(path: str | Path, context: Context) -> pl.DataFrame:
    """The DOIs (lower case) that have exactly one PMID in the map, with it."""
    import polars as pl

    rows = list(read_pmids(path, context).items())
    return pl.DataFrame(rows, schema={_DOI_KEY: pl.String, PMID: pl.String}, orient="row")


def read_pmids(path: str | Path, context: Context) -> dict[str, str]:
    """DOI (lower case) -> PMID, of those that have exactly one in a map of both.

    Raises:
        InputError: no row can be used.
    """
    what = "a map of reference_doi and reference_pubmed_id (tab separated)"
    pmids_of: dict[str, set[str]] = {}
    for line, (doi, pmid) in read_rows(path, ("reference_doi", PMID), "\t", what, context):
        doi, pmid = re.sub(_DOI_PREFIX, "", doi.strip()).lower(), pmid.strip()
        if pmid in ("", _MISSING) or doi in ("", _MISSING.lower()):
            continue
        if not (pmid.isascii() and pmid.isdigit()):
            context.rejects.add(f"{path}:{line}", f"expected a PMID (digits), found {pmid[:40]!r}")
            continue
        pmids_of.setdefault(doi, set()).add(pmid.lstrip("0") or "0")
    if not pmids_of:
        raise InputError(f"{path}: no usable row{context.rejects.first()}; expected {what}")
    return {doi: pmid for doi, (pmid, *others) in pmids_of.items() if not others}
