"""Documents of a sample or of one's own, from files to a file: what `abroad documents fetch` and `abroad run` call."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import write_documents
from abroad.documents.fetch import FetchReport, fetch_documents
from abroad.documents.inputs import read_documents, read_inputs
from abroad.sources.eutils import EutilsClient, EutilsSettings
from abroad.sources.references import read_references


def documents_stage(
    sample: Path,
    relations: Path | None,
    out: Path,
    context: Context,
    xml: Sequence[Path] = (),
    eutils: EutilsSettings | None = None,
    files: Sequence[Path] = (),
) -> FetchReport:
    """Write the documents of the sampled references, and those of further files.

    Args:
        relations: table of the relations that documents get.
        xml: local PubMed XML, read first.
        eutils: how NCBI is asked for what the XML lacks; None for no network.
        files: ready documents with relations of their own; those of ids that are there already are left out.
    Raises:
        InputError: a file that cannot be read, or no document came of it all.
        AbroadError: NCBI does not answer; what came is kept for the next run.
    """
    report = FetchReport()
    if xml or eutils is not None:
        references, related = read_references(sample, relations, context.rejects)
        with EutilsClient(eutils, context.say) if eutils is not None else contextlib.nullcontext() as client:
            report = fetch_documents(references, related, out, context, xml, client)
        report = replace(report, references=len(references))
    if files or not report.documents:
        found = read_documents(out, context.rejects) if report.documents else []
        for path in files:
            present = {document.id for document in found}
            found += [document for document in read_documents(path, context.rejects) if document.id not in present]
        if not found:
            raise InputError("no document: give 'documents' of the config files, xml or eutils: true")
        write_documents(out, found)
        related_ones = sum(bool(document.relations) for document in found)
        report = replace(report, documents=len(found), related=related_ones)
    return report


def own_documents_stage(paths: Sequence[Path], out: Path, context: Context) -> FetchReport:
    """Write the documents of files and folders of one's own, of all formats that `abroad extract` reads.

    Raises:
        InputError: a path that is not there, or none gave a document.
    """
    found = read_inputs(paths, context.rejects)
    write_documents(out, found)
    return FetchReport(documents=len(found), related=sum(bool(document.relations) for document in found))
