"""Local servers in the place of those that commands of the docs ask, over the documents and the table of the sample."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from abroad.core.io import read_documents
from abroad.sources import europepmc, eutils, pubchem, pubtator
from abroad.sources.manifest import load_entry
from tests.docs.blocks import ROOT
from tests.sources.servers import Efetch, EuropePmcServer, FileServer, _Handler, article_xml, serving

SAMPLE = ROOT / "data" / "sample"
NAMED = ("25706243", "15679323")
"""PMIDs that pages name, which the sample has not."""


class PubMed(Efetch):
    """Finds all that it has, whatever the words of a search, between the days that it names."""

    def search_with_history(self, handler: _Handler, form: dict[str, str]) -> None:
        entered = re.search(r" AND \(\"[\d/]+\"\[edat\].*$", form["term"])
        super().search_with_history(handler, {**form, "term": entered[0] if entered else ""})


def pubmed() -> PubMed:
    """The records of the sample, and those that pages name."""
    articles = re.findall(r"<PubmedArticle>.*?</PubmedArticle>", (SAMPLE / "pubmed.xml").read_text("utf-8"), re.DOTALL)
    records = {re.search(r"<PMID[^>]*>(\d+)<", article)[1]: article for article in articles}
    records |= {pmid: article_xml(pmid, abstract="Usnic acid was isolated from Usnea barbata.") for pmid in NAMED}
    return PubMed(records, dates={pmid: (date(2023, 5, 1), date(2023, 5, 2)) for pmid in records})


def europe_pmc() -> EuropePmcServer:
    """Abstracts of the sample; the first is open, with its full text."""
    hits = [
        {"id": d.id, "source": "MED", "pmid": d.pmid, "title": d.title, "abstractText": d.abstract, "pubYear": "2024"}
        for d in read_documents(SAMPLE / "curated.jsonl")
    ]
    hits[0] |= {"pmcid": "PMC1", "isOpenAccess": "Y", "inEPMC": "Y"}
    section = "<sec><title>Results</title><p>Usnic acid was isolated from <italic>Usnea barbata</italic>.</p></sec>"
    return EuropePmcServer(hits, {"PMC1": f"<article><body>{section}</body></article>".encode()})


def lotus() -> FileServer:
    """The sample's table, packed as that of LOTUS is, and what Zenodo says of it."""
    packed = gzip.compress((SAMPLE / "lotus_metadata.csv").read_bytes())
    file = {"key": load_entry("lotus_metadata").file, "size": len(packed)}
    file["checksum"] = f"md5:{hashlib.md5(packed).hexdigest()}"
    return FileServer(packed, listing=json.dumps({"files": [file]}).encode())


class PubChem(_Handler):
    """Two further names of whatever chemical is asked for."""

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if "inchikey" in form:
            keys = form["inchikey"][0].split(",")
            rows = [{"CID": int(hashlib.md5(key.encode()).hexdigest()[:6], 16), "InChIKey": key} for key in keys]
            answer: Any = {"PropertyTable": {"Properties": rows}}
        else:
            names = {int(cid): [f"name {cid}", f"other name {cid}"] for cid in form["cid"][0].split(",")}
            answer = {"InformationList": {"Information": [{"CID": c, "Synonym": n} for c, n in names.items()]}}
        self.answer(200, json.dumps(answer).encode())


class PubTator(_Handler):
    """Marks the curated organisms of the sample."""

    def do_GET(self) -> None:
        asked = parse_qs(self.path.partition("?")[2])["pmids"][0].split(",")
        found = [_bioc(d) for d in read_documents(SAMPLE / "curated.jsonl") if d.pmid in asked]
        self.answer(200, json.dumps({"PubTator3": found}).encode())


def _bioc(document: Any) -> dict[str, Any]:
    passages = []
    for kind, text, start in (("title", document.title, 0), ("abstract", document.abstract, len(document.title) + 1)):
        marks = [
            {
                "infons": {"type": "Species", "identifier": "1"},
                "text": entity.label,
                "locations": [{"offset": start + text.index(entity.label), "length": len(entity.label)}],
            }
            for entity in document.organisms
            if entity.label in text
        ]
        passages.append({"infons": {"type": kind}, "offset": start, "text": text, "annotations": marks})
    return {"id": document.pmid, "pmid": int(document.pmid), "passages": passages}


@contextlib.contextmanager
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Answer what is asked of the servers that abroad knows; nothing else leaves this machine."""
    with contextlib.ExitStack() as stack:
        files = stack.enter_context(lotus().serve())
        entry = load_entry("lotus_metadata")
        routes = {
            eutils.BASE_URL: stack.enter_context(pubmed().serve()).url,
            europepmc.BASE_URL: stack.enter_context(europe_pmc().serve()).url,
            pubchem.BASE_URL: stack.enter_context(serving(PubChem)),
            pubtator.BASE_URL: stack.enter_context(serving(PubTator)),
            entry.record_api: files.url.replace("/table.csv.gz", "/api/record"),
            entry.url: files.url,
        }
        through = httpx.HTTPTransport.handle_request

        def handle(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
            asked = str(request.url)
            for there, here in routes.items():
                if asked.startswith(there):
                    request.url = httpx.URL(here + asked.removeprefix(there))
            if request.url.host != "127.0.0.1":
                raise httpx.ConnectError(f"{asked}: tests have no network", request=request)
            return through(self, request)

        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)
        yield
