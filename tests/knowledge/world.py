"""A small world for tests of the knowledge base: documents, what was extracted from them, and an index."""

from __future__ import annotations

from pathlib import Path

from abroad.core.context import Context
from abroad.core.io import write_documents, write_jsonl
from abroad.core.schema import Document, Prediction
from abroad.knowledge.build import BuildReport, BuildSettings, Sources, Verdicts, build
from abroad.sources.name_index_build import build_index
from abroad.text.evidence import with_evidence

FORMATS = ("duckdb", "sqlite", "parquet")
LOTUS = """\
structure_wikidata,structure_cid,structure_inchikey,structure_nameTraditional,organism_wikidata,organism_name,\
organism_taxonomy_06family,reference_wikidata,reference_doi,structure_taxonomy_npclassifier_01pathway
http://www.wikidata.org/entity/Q1,11,AAAAAAAAAAAAAA-AAAAAAAAAA-A,Usnic acid,http://www.wikidata.org/entity/Q10,\
Usnea barbata,Parmeliaceae,http://www.wikidata.org/entity/Q100,10.1000/a,Polyketides
http://www.wikidata.org/entity/Q2,12,BBBBBBBBBBBBBB-BBBBBBBBBB-B,3-O-methylquercetin,\
http://www.wikidata.org/entity/Q11,Salvia miltiorrhiza,Lamiaceae,http://www.wikidata.org/entity/Q101,10.1000/b,Shikimates
http://www.wikidata.org/entity/Q3,13,CCCCCCCCCCCCCC-CCCCCCCCCC-C,(-)-Epicatechin,\
http://www.wikidata.org/entity/Q12,Camellia sinensis,Theaceae,http://www.wikidata.org/entity/Q102,10.1000/c,Shikimates
"""


def document(id: str, text: str, doi: str | None = None, year: int | None = None, **extra) -> Document:
    fields = {"year": year} if year else {}
    return Document(id, f"Title {id}.", text, pmid=extra.pop("pmid", None), doi=doi, extra={**fields, **extra})


DOCUMENTS = [
    document("1", "Usnic acid was isolated from Usnea barbata.", "10.1000/a", 2001),
    document("2", "Usnic acid was isolated from Usnea barbata. It grows slowly.", "https://doi.org/10.1000/X", 2005),
    document("3", "3'-O-methylquercetin and 3-O-methylquercetin of Camellia sinensis.", "10.1000/y", 2010),
    document("4", "(−)-Epicatechin was found in Salvia miltiorrhiza.", "10.1000/c", 2012),
    document("5", "Nothing is produced here.", "10.1000/z", 2012),
]
RELATIONS = {
    "1": [("Usnea barbata", "Usnic acid", 0.8)],
    "2": [("Usnea barbata", "Usnic acid", 0.5)],
    "3": [("Camellia sinensis", "3'-O-methylquercetin", 0.9), ("Camellia sinensis", "3-O-methylquercetin", 0.7)],
    "4": [("Salvia miltiorrhiza", "(−)-Epicatechin", 0.6)],
    "5": [],
}


def prediction(document: Document, relations) -> Prediction:
    return Prediction(document.id, [with_evidence(document, *pair, score) for *pair, score in relations])


class World:
    """Files of a small world in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index = folder / "lotus.sqlite"
        if not self.index.exists():
            (folder / "lotus.csv").write_text(LOTUS, encoding="utf-8")
            build_index(folder / "lotus.csv", self.index, Context())
            self.write(DOCUMENTS, RELATIONS)

    def base(self, format: str) -> Path:
        """The path of a knowledge base, built if it is not there."""
        path = self.folder / f"np.{format}"
        if not path.exists():
            self.build(path, format)
        return path

    @property
    def predictions(self) -> Path:
        return self.folder / "predictions.jsonl"

    @property
    def documents(self) -> Path:
        return self.folder / "documents.jsonl"

    def write(self, documents, relations) -> None:
        write_documents(self.documents, documents)
        write_jsonl(self.predictions, (prediction(d, relations[d.id]).to_dict() for d in documents))

    def build(self, out: Path, format: str, index: bool = True, verdicts=(), **settings) -> tuple[BuildReport, Context]:
        context = Context()
        sources = Sources([self.predictions], [self.documents], self.index if index else None, verdicts)
        report = build(out, format, sources, BuildSettings(opsin=False, **settings), context)
        return report, context


__all__ = ["DOCUMENTS", "FORMATS", "RELATIONS", "Verdicts", "World", "document", "prediction"]
