"""Documents of a sample or of one's own, from files to a file: what `abroad documents fetch` and `abroad run` call."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import Field
from abroad.core.io import write_documents
from abroad.documents.fetch import FetchReport, fetch_documents
from abroad.documents.images import for_file
from abroad.documents.inputs import read_documents, read_inputs
from abroad.documents.lookup import Lookup
from abroad.sources.eutils import EutilsClient, EutilsSettings
from abroad.sources.field_tables import FieldTable
from abroad.sources.kept import KeptAnswers
from abroad.sources.pubmed import Article, read_xml
from abroad.sources.references import read_references


def documents_stage(
    sample: Path,
    relations: Path | FieldTable | None,
    out: Path,
    context: Context,
    xml: Sequence[Path] = (),
    eutils: EutilsSettings | None = None,
    files: Sequence[Path] = (),
) -> FetchReport:
    """Write the documents of the sampled references, and those of further files.

    Args:
        relations: table of the relations that documents get; of another field than natural products with that field.
        xml: local PubMed XML, read first.
        eutils: how NCBI is asked for what the XML lacks; None for no network.
        files: ready documents with relations of their own; those of ids that are there already are left out.
    Raises:
        InputError: a file that cannot be read, or no document came of it all.
        AbroadError: NCBI does not answer; what came is kept for the next run.
    """
    report = FetchReport()
    if xml or eutils is not None:
        with _client(eutils) if eutils is not None else contextlib.nullcontext() as client:
            find = partial(_find_pmids, xml, client, context)
            references, related = read_references(sample, relations, context, find)
            report = fetch_documents(references, related, out, context, xml, client)
        report = replace(report, references=len(references))
    if files or not report.documents:
        found = read_documents(out, context) if report.documents else []
        for path in files:
            present = {document.id for document in found}
            found += [document for document in read_documents(path, context) if document.id not in present]
        if not found:
            raise InputError("no document: give 'documents' of the config files, xml or eutils: true")
        if isinstance(relations, FieldTable):
            relations.field.check_documents(found, "documents")
        write_documents(out, for_file(found, out))
        related_ones = sum(bool(document.relations) for document in found)
        report = replace(report, documents=len(found), related=related_ones)
    return report


def own_documents_stage(paths: Sequence[Path], out: Path, context: Context, field: Field | None = None) -> FetchReport:
    """Write the documents of files and folders of one's own, of all formats that `abroad extract` reads.

    Args:
        field: that they must be of.
    Raises:
        InputError: a path that is not there, none gave a document, or one of another field.
    """
    found = read_inputs(paths, context)
    if field is not None:
        field.check_documents(found, ", ".join(map(str, paths)))
    write_documents(out, for_file(found, out))
    return FetchReport(documents=len(found), related=sum(bool(document.relations) for document in found))


def _client(eutils: EutilsSettings) -> EutilsClient:
    return EutilsClient(eutils, kept=KeptAnswers(f"NCBI {eutils.base_url}"))


def _find_pmids(
    xml: Sequence[Path], client: EutilsClient | None, context: Context, dois: Sequence[str]
) -> dict[str, str]:
    """DOI -> PMID, in local XML first; for a relations table that was made without PMIDs."""
    wanted, found = set(dois), {}
    for record in read_xml(xml, Context()) if xml else ():  # what is broken there is told when the articles are read
        if isinstance(record, Article) and record.doi and (doi := record.doi.lower()) in wanted:
            found[doi] = record.pmid
    left = [doi for doi in dois if doi not in found]
    if left and client is not None:
        context.say(f"the relations have no PMIDs: asking NCBI for those of {len(left):,} DOIs")
        lookup = Lookup(client, context)
        with context.progress("PMIDs of DOIs", len(left)) as progress:
            articles = lookup.fetch_dois(left, progress.advance)
        if lookup.failure is not None:
            raise lookup.failure
        found |= {doi: articles[doi].pmid for doi in left if doi in articles}
    return found
