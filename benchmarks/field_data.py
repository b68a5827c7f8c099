"""The documents that the built-in extractor is trained and measured on, and what is kept from what.

Their texts lie in ../shared/data; with the texts joined to data/curated (`abroad documents fetch --labels`) anybody can
have most of them. The documents of benchmarks/results/split.json and the locked ones are never trained on.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from abroad.core.io import read_documents
from abroad.core.jsonl import read_jsonl
from abroad.core.schema import Document, Entity
from abroad.extraction.builtin.align import find_names
from abroad.extraction.builtin.candidates import label_key
from abroad.extraction.builtin.examples import Example
from abroad.extraction.builtin.excerpts import excerpt, together
from abroad.extraction.builtin.reading import read_text

ROOT = Path(__file__).parents[1]
SPLIT = json.loads((ROOT / "benchmarks" / "results" / "split.json").read_text(encoding="utf-8"))
# Of what the scorer learns from beside whole abstracts: sentences of them, food sentences, short texts, other fields.
_SENTENCE_WEIGHT, _FOOD_WEIGHT, _OTHERS_WEIGHT = 0.2, 0.7, 1.5
_SHORT_WEIGHTS = {"short": 0.5, "role": 0.3}


def labelled(shared: Path) -> list[Document]:
    records = json.loads((shared / "field" / "labelled.json").read_text(encoding="utf-8"))
    return [Document.from_dict(record, key) for key, record in records.items()]


def validation(shared: Path) -> list[Document]:
    chosen = set(SPLIT["validation"]) - set(SPLIT["twins"])
    return [document for document in labelled(shared) if document.id in chosen]


def training(shared: Path) -> list[Document]:
    left_out = {*SPLIT["validation"], *SPLIT["twins"]}
    return [document for document in labelled(shared) if document.id not in left_out]


def other_fields(shared: Path) -> dict[str, Document]:
    """Abstracts of other fields by "file:line", without labels."""
    found = {}
    for name in ("journals_2021_other", "mibig_negatives", "foodmine_garlic_cocoa"):
        for number, record in enumerate(read_jsonl(shared / "field" / f"{name}.jsonl")):
            if record.get("abstract"):
                key = f"{name}:{number}"
                found[key] = Document(key, record.get("title") or "", record["abstract"])
    for record in read_jsonl(shared / "ner" / "biored.jsonl"):
        key = f"biored:{record['pmid']}"
        found[key] = Document(key, record["title"], record["abstract"])
    return found


def judged_others(shared: Path, first: bool = False) -> Iterator[Document]:
    """Abstracts of other fields that were read (data/curated/other_fields.jsonl), with what they state.

    BioRED's abstracts on drugs, diseases and genes are of them: those of which the extractor gave nothing state none.

    Args:
        first: only those that were read for the first version of the extractor.
    """
    texts = other_fields(shared)
    records = read_jsonl(ROOT / "data" / "curated" / "other_fields.jsonl")
    read = {record["id"] for record in records}
    silent = (key for key in texts if key.startswith("biored:") and key not in read)
    records += [{"id": key, "states_production": False} for key in silent]
    if first:
        records = [record for record in records if record.get("extractor") in ("fires", "silent")]
    for record in records:
        if record["states_production"] is None or (record["states_production"] and not record.get("relations")):
            continue
        yield _with_labels(texts[record["id"]], record)


def disagreements(shared: Path) -> list[Document]:
    """What two extractors disagreed on, decided through `abroad annotate` (data/curated/disagreements.jsonl)."""
    texts = other_fields(shared)
    for name in ("npatlas", "mibig"):
        records = json.loads((shared / "field" / f"{name}_silver.json").read_text(encoding="utf-8"))
        texts |= {f"{name}:{key}": Document.from_dict(record, f"{name}:{key}") for key, record in records.items()}
    records = read_jsonl(ROOT / "data" / "curated" / "disagreements.jsonl")
    return [_with_labels(texts[record["id"]], record) for record in records]


def _with_labels(text: Document, record: dict[str, Any]) -> Document:
    sides = {
        side: [
            {"id": f"{mark}{number}", "label": entity if isinstance(entity, str) else entity["label"]}
            for number, entity in enumerate(record.get(side, ()))
        ]
        for side, mark in (("organisms", "O"), ("chemicals", "C"))
    }
    relations = [[f"O{o}", f"C{c}"] for o, c in record.get("relations", ())]
    fields: dict[str, Any] = {"ArticleTitle": text.title, "AbstractText": text.abstract}
    return Document.from_dict({**fields, **sides, "relations": relations}, record["id"])


def synthetic() -> list[Document]:
    """The synthetic abstracts and short texts that come with the project."""
    return [d for file in sorted((ROOT / "data" / "synthetic").glob("*.jsonl")) for d in read_documents(file)]


def for_scorer(document: Document) -> bool:
    """Whether a short text or an abstract of another field is kept from the encoder, for the scorer to learn from."""
    share = {
        "short": 4,
        "role": 1,
        "journals_2021_other": 6,
        "mibig_negatives": 6,
        "foodmine_garlic_cocoa": 6,
        "biored": 6,
    }
    of = share.get(document.id.split(":")[0].split("-")[0])
    return of is not None and hashlib.sha256(document.text.encode("utf-8")).digest()[0] % of == 0


def silver(shared: Path, name: str) -> list[Document]:
    """Documents of which only some relations are known, without those that are labelled, locked or held out."""
    field = shared / "field"
    records = json.loads((field / f"{name}_silver.json").read_text(encoding="utf-8"))
    known = {_beginning(document.abstract) for document in labelled(shared)}
    locked = json.loads((field / "labelled_locked.json").read_text(encoding="utf-8"))
    known |= {_beginning(record["AbstractText"]) for record in locked.values()}
    held_out = {*SPLIT["npatlas"], *SPLIT["disagreed"]}
    chosen = [key for key, r in records.items() if key not in held_out and _beginning(r["AbstractText"]) not in known]
    return [Document.from_dict(records[key], key) for key in chosen]


def _beginning(text: str) -> str:
    return " ".join(text.split())[:80]


def excerpts(documents: list[Document], share: float = 0.6) -> list[Document]:
    """A sentence each of some documents."""
    chosen = [d for d in documents if random.Random(d.id).random() < share]
    found = (excerpt(document, read_text(document.text, len(document.title))) for document in chosen)
    return [document for document in found if document is not None]


_UNLABELLED = ("np_journals_2021_unlabelled", "npatlas_abstracts", "mibig_abstracts")


def unlabelled(shared: Path) -> list[Document]:
    """Abstracts without labels: of natural products, and those of other fields that nobody read; in mixed order."""
    apart = [*_set_apart(shared), *silver(shared, "npatlas"), *silver(shared, "mibig")]
    known = {_beginning(document.abstract) for document in apart}
    read = {record["id"] for record in read_jsonl(ROOT / "data" / "curated" / "other_fields.jsonl")}
    read |= set(SPLIT["other"])
    found = {key: document for key, document in other_fields(shared).items() if key not in read}
    for name in _UNLABELLED:
        for number, record in enumerate(read_jsonl(shared / "field" / f"{name}.jsonl")):
            if record.get("abstract"):
                key = f"{name}:{number}"
                found[key] = Document(key, record.get("title") or "", record["abstract"])
    chosen: dict[str, Document] = {}
    for document in found.values():
        beginning = _beginning(document.abstract)
        if beginning not in known:
            chosen.setdefault(beginning, document)
    return random.Random(0).sample(list(chosen.values()), len(chosen))


def _set_apart(shared: Path) -> list[Document]:
    """Documents that have labels, or are measured on."""
    field = shared / "field"
    records = json.loads((field / "labelled_locked.json").read_text(encoding="utf-8"))
    silver_records = json.loads((field / "npatlas_silver.json").read_text(encoding="utf-8"))
    records |= {key: silver_records[key] for key in SPLIT["npatlas"]}
    found = [Document.from_dict(record, key) for key, record in records.items()]
    return [*found, *labelled(shared), *read_documents(shared / "curated_dev.json")]


def food_lessons(shared: Path) -> list[Document]:
    """Food sentences to train the encoder on, with the spans of what no organism of them was judged to contain."""
    found = []
    for document, pairs in food_sentences(shared):
        if _food_part(document) != "encoder":
            continue
        true = [pair for pair, holds in pairs.items() if holds]
        organisms, chemicals = (list(dict.fromkeys(pair[side] for pair in true)) for side in (0, 1))
        relations = [(f"O{organisms.index(o)}", f"C{chemicals.index(c)}") for o, c in true]
        sides = [
            [Entity(f"{mark}{n}", label) for n, label in enumerate(s)]
            for mark, s in (("O", organisms), ("C", chemicals))
        ]
        reading = read_text(document.text, 0)
        others = {chemical for _, chemical in pairs} - set(chemicals)
        spans = [span for label in others for span in find_names(reading, label)]
        found.append(replace(document, extra={"no products": spans}).with_products(*sides, relations))
    return found


def food_sentences(shared: Path) -> list[tuple[Document, dict[tuple[str, str], bool]]]:
    """Sentences with the pairs of food and chemical that people judged (FoodAtlas)."""
    found: dict[str, dict[tuple[str, str], bool]] = {}
    for record in read_jsonl(shared / "field" / "foodatlas_sentence_pairs.jsonl"):
        pair = (label_key(record["organism"]), label_key(record["chemical"]))
        found.setdefault(record["sentence"], {})[pair] = bool(record["label"])
    return [(Document(f"food:{number}", "", text), pairs) for number, (text, pairs) in enumerate(found.items())]


_FOOD_PARTS = ("scorer", "measured", "encoder", "measured")


def _food_part(document: Document) -> str:
    return _FOOD_PARTS[hashlib.sha256(document.abstract.encode("utf-8")).digest()[0] % len(_FOOD_PARTS)]


def is_measured(document: Document) -> bool:
    """Half of the food sentences, by the hash of their text, are measured on; a quarter each teaches the two models."""
    return _food_part(document) == "measured"


def further_examples(shared: Path, documents: list[Document]) -> list[Example]:
    """What the scorer learns from beside whole abstracts: sentences, pairs of them, food, short texts, other fields."""
    alone = excerpts(documents, 1.0)
    mixed = random.Random(0).sample(alone, len(alone))
    pairs = [together(*pair) for pair in zip(mixed[::2], mixed[1::2], strict=False)]
    sentences = [Example(document, _SENTENCE_WEIGHT) for document in (*alone, *pairs)]
    parts = ((d, pairs) for d, pairs in food_sentences(shared) if _food_part(d) == "scorer")
    food = [Example(d, _FOOD_WEIGHT, pairs) for d, pairs in parts]
    short = [Example(d, _SHORT_WEIGHTS[d.id.split("-")[0]]) for d in synthetic() if for_scorer(d)]
    others = [Example(d, _OTHERS_WEIGHT) for d in judged_others(shared) if for_scorer(d)]
    decided = [Example(d) for d in disagreements(shared)]
    return [*sentences, *food, *short, *others, *decided]
