"""A directory that others can use: adapter, tokenizer, decoding, conventions of labels, scores, and a model card."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError
from abroad.core.field import built_in_field, load_field
from abroad.core.io import atomic_write, write_json
from abroad.core.progress import Progress, tell
from abroad.core.schema import Document
from abroad.evaluation.evaluate import evaluate
from abroad.evaluation.settings import EvaluateSettings
from abroad.extraction.generative.decoding import DECODING, Decoding
from abroad.extraction.generative.load import FIELD_FILE, load_generative_extractor
from abroad.models.source import ADAPTER, COMPRESSED
from abroad.release.words import words_of

CARD, EVALUATION, TRAINING = "README.md", "evaluation.json", "training.json"
_ALONG = ("*.json", "*.jinja", "*.txt", "*.model", FIELD_FILE)
_SPEAK_SECONDS = 5.0
_NOT_ALONG = ("scores.json", EVALUATION, DECODING)


def pack(run: Path, out: Path, dev: Sequence[Document], decoding: Decoding, seed: int = 0) -> dict[str, Any]:
    """Write the release of a run to `out`; what its evaluation found.

    Raises:
        InputError: `run` is no adapter.
    """
    weights = next((run / name for name in (ADAPTER, COMPRESSED) if (run / name).is_file()), None)
    if weights is None or not (run / "adapter_config.json").is_file():
        raise InputError(f"{run}: no adapter in it; expected one of `abroad train` or `release compress`")
    tell(f"{run}: loading the model, to score it on {len(dev)} documents")
    extractor, predictions = load_generative_extractor(str(run), decoding), []
    with Progress("scoring the release", len(dev), every=_SPEAK_SECONDS) as progress:
        for prediction in extractor.extract(list(dev)):
            predictions.append(prediction)
            progress.advance()
    scores = evaluate(list(dev), predictions, EvaluateSettings(seed=seed)).to_dict()
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy2(weights, out / weights.name)
    for pattern in _ALONG:
        for file in run.glob(pattern):
            if file.name not in _NOT_ALONG:
                shutil.copy2(file, out / file.name)
    write_json(out / DECODING, decoding.identity())
    write_json(out / EVALUATION, {"documents": len(dev), **scores})
    write_card(out)
    return scores


def write_card(folder: Path) -> Path:
    """Write the model card, README.md, of what lies in a release.

    Raises:
        InputError: the directory is no release.
    """
    found = {}
    for name in (DECODING, EVALUATION, "adapter_config.json"):
        if not (folder / name).is_file():
            raise InputError(f"{folder / name}: no such file; `abroad release pack` writes releases")
        found[name] = json.loads((folder / name).read_text("utf-8"))
    training = json.loads((folder / TRAINING).read_text("utf-8")) if (folder / TRAINING).is_file() else {}
    card = folder / CARD
    text = _card(found["adapter_config.json"], found[DECODING], found[EVALUATION], training, folder)
    with atomic_write(card) as stream:
        stream.write(f"{text}\n{_signed(text)}\n")
    return card


def is_our_card(path: Path) -> bool:
    """Whether a model card is as `write_card` wrote it: its last line holds the hash of the others."""
    try:
        text, _, signature = path.read_text("utf-8").removesuffix("\n").rpartition("\n")
    except (OSError, UnicodeDecodeError):
        return False
    return signature == _signed(text)


def _signed(text: str) -> str:
    return f"<!-- written by abroad release; sha256 of the above: {hashlib.sha256(text.encode()).hexdigest()} -->"


def _card(
    adapter: dict[str, Any], decoding: dict[str, Any], scores: dict[str, Any], training: dict[str, Any], folder: Path
) -> str:
    settings = training.get("settings") or {}
    base = adapter["base_model_name_or_path"]
    learnt = [f"- {name}: {settings[name]}" for name in sorted(settings)]
    weights = COMPRESSED if (folder / COMPRESSED).is_file() else ADAPTER
    size = (folder / weights).stat().st_size / 1e6
    words = words_of(load_field(folder / FIELD_FILE) if (folder / FIELD_FILE).is_file() else built_in_field())
    lines = [
        "---",
        f"base_model: {json.dumps(base)}",
        "library_name: peft",
        f"tags: [relation-extraction, {words.tag}, abroad]",
        "---",
        "",
        f"# {words.title}",
        "",
        f"A LoRA adapter ({weights}, {size:.2f} MB) for `{base}` that reads titles and abstracts of PubMed and writes",
        f"the relations {words.relations} that they report.",
        "",
        "```sh",
        f"abroad extract documents.jsonl --model {folder.name} --out predictions.jsonl",
        "```",
        "",
        "## Input and output",
        "",
        "Input: title, a space, abstract, then the end token and the begin token. Output:",
        f"{words.form}, then the end token; nothing for none.",
        *words.labels,
        f"Decoding (`{DECODING}`, used by default): " + ", ".join(f"{k} {v}" for k, v in decoding.items()) + ".",
        "",
        "## Evaluation",
        "",
        f"On {scores['documents']} curated documents, protocol `{scores['protocol']}`, 95% bootstrap intervals over",
        "documents:",
        "",
        "| precision | recall | F1 | interval of F1 |",
        "| --- | --- | --- | --- |",
        f"| {scores['precision']:.1f} | {scores['recall']:.1f} | {scores['f1']:.1f} | "
        f"{scores['f1_low']:.1f} to {scores['f1_high']:.1f} |",
        "",
        "## Training",
        "",
        f"{training.get('examples', 'unknown')} examples, hash of the data `{training.get('data_hash', 'unknown')}`, "
        f"{training.get('updates', 'unknown')} updates; all settings and package versions are in `{TRAINING}`.",
        "",
        *learnt,
        "",
        "## Limits",
        "",
        f"Trained and measured on abstracts in English about {words.about}. Names are not checked against any",
        "database by the model itself; `abroad extract` adds identifiers. Scores say nothing of other fields.",
        "",
    ]
    return "\n".join(lines)
