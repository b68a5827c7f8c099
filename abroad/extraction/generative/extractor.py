"""Relations written by a fine-tuned causal language model, read back into predictions."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from abroad.core.arguments import each_of
from abroad.core.resume import digest
from abroad.core.schema import Document, Prediction
from abroad.documents.images import IMAGES, SET_ASIDE, figures, images_digest, refused_image
from abroad.engines.base import Engine, Generation, GenerationRequest
from abroad.extraction.generative.chunks import chunks
from abroad.extraction.generative.decoding import Decoding
from abroad.extraction.generative.encode import encode_prompt
from abroad.extraction.generative.notation import Notation

_SMALLEST_CHUNK = 16  # tokens
_STEP = 16  # tokens of a budget that the context cuts
_READING = 2
"""Raised when generated text is read in another way, so that old predictions are not mixed with new ones."""


@dataclass(frozen=True)
class Sampling:
    """Texts are drawn, one token after another, in place of the search for the best one.

    Attributes:
        temperature: above 0.
        seed: of the samples; another one gives others.
    """

    temperature: float
    seed: int = 0


class GenerativeExtractor:
    """Relations written by a fine-tuned causal LM as linearised text.

    Args:
        engine: takes token ids.
        tokenizer: of the engine's model.
        decoding: how the text of the relations is decoded.
        identity: names the model for resumption and the run record.
        notation: how relations are written; by default as those of the built-in field.

    Attributes:
        resolution: longest side in pixels of the images that the model is shown; 0 shows none.
        images_from: folder that relative paths of images count from.
        sampling: how texts are drawn; None for the search for the best one.
        keeps_texts: whether predictions have what was written as `texts`, a list of (text, whether it was cut off).
    """

    keeps_texts = False
    resolution = 0
    images_from = Path()
    sampling: Sampling | None = None

    def __init__(
        self,
        engine: Engine,
        tokenizer: Any,
        decoding: Decoding,
        identity: dict[str, Any],
        notation: Notation | None = None,
    ) -> None:
        self.engine, self.tokenizer, self.decoding = engine, tokenizer, decoding
        self.notation = notation or Notation()
        self.identity = {**identity, "decoding": decoding.identity(), "reading": _READING}

    def show_images(self, resolution: int, folder: Path | None = None) -> None:
        """Show the model the images of documents."""
        self.resolution, self.images_from = resolution, folder or Path()
        if resolution:
            self.identity["resolution"] = resolution

    def input_digest(self, document: Document) -> str:
        """Changes when the text or an image does."""
        if not self.resolution or not document.extra.get(IMAGES):
            return digest(document.text)
        return digest(document.text, images_digest(document, self.images_from))

    def drawing(self, sampling: Sampling) -> GenerativeExtractor:
        """The same with texts that are drawn; of the decoding the budget, the chunks and the n-gram block stay."""
        other = copy.copy(self)
        other.sampling, other.identity = sampling, self.identity | {"sampling": asdict(sampling)}
        return other

    def extract(self, documents: Sequence[Document]) -> Iterator[Prediction]:
        documents = each_of(documents, "documents", Document)
        by_id = {document.id: document for document in documents}
        parts: dict[str, list[str]] = {}
        waiting: dict[str, dict[int, Prediction]] = {}
        reasons: dict[str, list[str]] = {}
        shown: dict[str, tuple[Path, ...]] = {}

        def requests() -> Iterator[GenerationRequest]:
            for document in documents:
                parts[document.id] = self.parts(document)
                found = figures(document, self.images_from, self.resolution)
                if found.paths:
                    shown[document.id] = found.paths
                if found.set_aside:
                    reasons[document.id] = list(found.set_aside)
                for number, text in enumerate(parts[document.id]):  # images go with the first
                    yield self._request(f"{number}:{document.id}", text, () if number else found.urls)

        for generation in self.engine.generate(requests()):
            number, _, key = generation.id.partition(":")
            for index, reason in generation.refused_images:
                reasons.setdefault(key, []).append(refused_image(shown[key][index], reason))
            part = read_generation(by_id[key], generation, self.notation)
            if self.keeps_texts and part.error is None:
                part.extra["texts"] = [[generation.text, part.extra["cut_off"]]]
            waiting.setdefault(key, {})[int(number)] = part
            if len(waiting[key]) == len(parts[key]):
                prediction = merge_parts(key, [prediction for _, prediction in sorted(waiting.pop(key).items())])
                if key in reasons:
                    prediction.extra[SET_ASIDE] = reasons.pop(key)
                yield prediction

    def parts(self, document: Document) -> list[str]:
        """The text, or chunks of it where it does not fit the context and chunks are wanted."""
        context = self.engine.context_length
        if not self.decoding.chunk_overlap or context is None:
            return [document.text]

        def tokens(text: str) -> int:
            return len(encode_prompt(self.tokenizer, text))

        # A budget that is the whole context (the published one of BioGPT) leaves a chunk half of it.
        room = context - min(self.decoding.max_new_tokens, context // 2)
        if tokens(document.text) <= room or room < 2 * _SMALLEST_CHUNK:
            return [document.text]
        return chunks(document.text, tokens, room, min(self.decoding.chunk_overlap, room // 2))

    def _request(self, id: str, text: str, images: tuple[str, ...] = ()) -> GenerationRequest:
        prompt = encode_prompt(self.tokenizer, text)
        new = budget(self.decoding.max_new_tokens, len(prompt), self.engine.context_length)
        if self.sampling is not None:
            block = self.decoding.no_repeat_ngram_size
            return GenerationRequest(id, prompt, new, **asdict(self.sampling), ngram_block=block, images=images)
        return GenerationRequest(
            id=id,
            prompt=prompt,
            max_new_tokens=new,
            beams=self.decoding.num_beams,
            length_penalty=self.decoding.length_penalty,
            early_stopping=self.decoding.early_stopping,
            force_end=self.decoding.force_end,
            ngram_block=self.decoding.no_repeat_ngram_size,
            images=images,
        )


def budget(wanted: int, prompt: int, context: int | None) -> int:
    """New tokens of a text: those wanted, or what its prompt leaves of the context, in whole steps.

    The steps let documents of about one length share a batch of beam search, which has one end for all of its rows.
    For a prompt that leaves nothing it is what was wanted: the engine says that the two do not fit.
    """
    if context is None or prompt + wanted <= context or prompt >= context:
        return wanted
    left = context - prompt
    return left - left % _STEP if left >= _STEP else left


def merge_parts(id: str, parts: Sequence[Prediction]) -> Prediction:
    """One prediction of those of a document's chunks: each relation once, counts summed, the first error kept."""
    if len(parts) == 1:
        return parts[0]
    error = next((part.error for part in parts if part.error is not None), None)
    if error is not None:
        return Prediction(id, error=error)
    relations = {(r.head, r.type, r.tail): r for part in reversed(parts) for r in part.relations}
    ordered = dict.fromkeys((r.head, r.type, r.tail) for part in parts for r in part.relations)
    extra = {
        "malformed": sum(part.extra["malformed"] for part in parts),
        "repeated": sum(part.extra["repeated"] for part in parts),
        "tokens": sum(part.extra.get("tokens", 0) for part in parts),
        "prompt_tokens": sum(part.extra.get("prompt_tokens", 0) for part in parts),
        "cut_off": any(part.extra["cut_off"] for part in parts),
        "chunks": len(parts),
    }
    if texts := [text for part in parts for text in part.extra.get("texts", ())]:
        extra["texts"] = texts
    return Prediction(id, [relations[pair] for pair in ordered], extra=extra)


def read_generation(document: Document, generation: Generation, notation: Notation | None = None) -> Prediction:
    """The prediction a generated text stands for, lists expanded; malformed parts are counted, not raised."""
    if generation.error is not None:
        return Prediction(document.id, error=generation.error)
    notation = notation or Notation()
    parsed = notation.parse(generation.text)
    relations = notation.relations(document, parsed)
    counts = {
        "malformed": parsed.malformed,
        "repeated": parsed.repeated,
        "cut_off": generation.finish_reason == "length",
        "logprob": generation.logprob,
        "tokens": generation.tokens,
        "prompt_tokens": generation.prompt_tokens,
    }
    return Prediction(document.id, relations, extra=counts)
