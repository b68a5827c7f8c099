"""Passes of a model that was fine-tuned for the task: its own decoding first, then samples of what it might have said.

What the samples do not say again is what the model is not sure of (self-consistency, arXiv 2203.11171). Of the first
pass the score of its beam is kept as `confidence`: the geometric mean of the probabilities of its tokens.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError
from abroad.core.field import Field
from abroad.core.resume import digest
from abroad.core.schema import Document, Prediction
from abroad.engines.base import Generation
from abroad.engines.lazy import LazyEngine
from abroad.engines.spec import EngineSpec
from abroad.extraction.fewshot.answers import goes_round, whole_parts
from abroad.extraction.fewshot.names import split_named
from abroad.extraction.fewshot.run import FewShotSettings
from abroad.extraction.generative.decoding import Decoding, read_decoding
from abroad.extraction.generative.extractor import GenerativeExtractor, Sampling, merge_parts, read_generation
from abroad.extraction.generative.load import extractor_over
from abroad.synthesis.teaching.settings import TeachSettings

TEMPERATURE = 0.7
"""Of samples where none is asked for."""
_OF_EXAMPLES = {"shots", "retrieve", "only_stating", "fewer_shots", "chat", "style"}


@dataclass(frozen=True)
class TrainedPass:
    """A pass of a fine-tuned extractor; relations with a name that the text has not are left out, and counted."""

    extractor: GenerativeExtractor

    @property
    def field(self) -> Field:
        return self.extractor.notation.field

    @property
    def identity(self) -> dict[str, Any]:
        return self.extractor.identity | {"names": "text"}

    def input_digest(self, document: Document) -> str:
        return digest(document.text)

    def extract(self, documents: Sequence[Document]) -> Iterator[Prediction]:
        by_id = {document.id: document for document in documents}
        for prediction in self.extractor.extract(documents):
            if prediction.error is None:
                prediction.extra["confidence"] = self._confidence(prediction.extra)
                prediction.extra["answer"] = "\n".join(text for text, _ in prediction.extra["texts"])
            yield self.read(by_id[prediction.id], prediction)

    def read(self, document: Document, prediction: Prediction) -> Prediction:
        texts = prediction.extra.get("texts")
        if prediction.error is not None or texts is None:
            return prediction
        read = merge_parts(document.id, [self._read(document, text, cut_off) for text, cut_off in texts])
        named, left_out = split_named(document.text, [(each.head, each.type, each.tail) for each in read.relations])
        extra = {key: value for key, value in prediction.extra.items() if key != "left_out"} | {
            "cut_off": read.extra["cut_off"],
            "not_in_text": len(left_out),
            **({"left_out": [list(triple) for triple in left_out]} if left_out else {}),
            # A model that is trained for the task says nothing where there is nothing to say.
            "parsed": bool(read.relations) or not read.extra["malformed"],
        }
        notation = self.extractor.notation
        return Prediction(document.id, [notation.relation(document, *triple) for triple in named], extra=extra)

    def _read(self, document: Document, text: str, cut_off: bool) -> Prediction:
        """What a text says; of one that took its budget, the last relation may have half a name."""
        generation = Generation(document.id, whole_parts(text) if cut_off else text, "stop", 0)
        read = read_generation(document, generation, self.extractor.notation)
        read.extra["cut_off"] = cut_off and not goes_round(text)
        return read

    def prompt_characters(self, document: Document, prediction: Prediction | None = None) -> int:
        return sum(map(len, self._parts(document)))

    def max_tokens(self, document: Document) -> int:
        return self.extractor.decoding.max_new_tokens * len(self._parts(document))

    def _parts(self, document: Document) -> list[str]:
        """Texts that are put; only chunks need the model's context, and so the model."""
        return self.extractor.parts(document) if self.extractor.decoding.chunk_overlap else [document.text]

    def _confidence(self, extra: dict[str, Any]) -> float | None:
        """From 0 to 1; None of a text in chunks, or drawn."""
        decoding, score = self.extractor.decoding, extra.get("logprob")
        if score is None or self.extractor.sampling is not None:
            return None
        ended = not extra["cut_off"] or (decoding.num_beams > 1 and decoding.force_end)
        tokens = max(1, extra["tokens"] + ended)
        # A beam's score is its log-probability over so great a power of its length.
        mean = score * tokens ** (decoding.length_penalty - 1) if decoding.num_beams > 1 else score / tokens
        return round(math.exp(min(mean, 0.0)), 4)


def decoding_of(spec: EngineSpec, given: Mapping[str, Any]) -> Decoding:
    """How the first pass decodes: as is given, else as a release says, else by default.

    Raises:
        InputError: the file of a release is damaged.
    """
    return (read_decoding(Path(spec.model)) or Decoding()).replace(**given)


def make_trained_passes(
    engine: LazyEngine, decoding: Decoding, asking: FewShotSettings, settings: TeachSettings
) -> list[TrainedPass]:
    """An extractor for each pass; all share one model, which is loaded when it is first asked.

    Raises:
        InputError: no such model, settings of examples, or an engine that cannot decode like this.
    """
    if given := _OF_EXAMPLES & (asking.model_fields_set | settings.model_fields_set):
        names = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(given))
        raise InputError(f"{names}: a fine-tuned model is shown no examples; expected --untrained, or no such option")
    own = extractor_over(engine.spec, decoding, engine)
    own.keeps_texts = True
    temperature = asking.temperature or TEMPERATURE
    drawn = [Sampling(temperature, asking.seed + number) for number in range(1, settings.passes)]
    return [TrainedPass(own), *(TrainedPass(own.drawing(sampling)) for sampling in drawn)]
