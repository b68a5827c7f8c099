"""Passes of a model that was fine-tuned for the task: its own decoding first, then samples of what it might have said.

What the samples do not say again is what the model is not sure of (self-consistency, arXiv 2203.11171). Of the first
pass the score of its beam is kept as `confidence`: the geometric mean of the probabilities of its tokens.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError
from abroad.core.field import Field
from abroad.core.resume import digest
from abroad.core.schema import Document, Prediction
from abroad.engines.lazy import LazyEngine
from abroad.engines.spec import EngineSpec
from abroad.extraction.fewshot.names import split_named
from abroad.extraction.fewshot.run import FewShotSettings
from abroad.extraction.generative.decoding import Decoding, read_decoding
from abroad.extraction.generative.extractor import GenerativeExtractor, Sampling
from abroad.extraction.generative.load import extractor_over
from abroad.synthesis.teaching.agreement import said
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
            yield prediction if prediction.error is not None else self._read(by_id[prediction.id], prediction)

    def prompt_characters(self, document: Document, prediction: Prediction | None = None) -> int:
        return sum(map(len, self._parts(document)))

    def max_tokens(self, document: Document) -> int:
        return self.extractor.decoding.max_new_tokens * len(self._parts(document))

    def _parts(self, document: Document) -> list[str]:
        """Texts that are put; only chunks need the model's context, and so the model."""
        return self.extractor.parts(document) if self.extractor.decoding.chunk_overlap else [document.text]

    def _read(self, document: Document, prediction: Prediction) -> Prediction:
        named, left_out = split_named(document.text, [said(relation) for relation in prediction.relations])
        kept = [relation for relation in prediction.relations if said(relation) in set(named)]
        extra = prediction.extra | {
            "not_in_text": left_out,
            # A model that is trained for the task says nothing where there is nothing to say.
            "parsed": bool(prediction.relations) or not prediction.extra["malformed"],
            "answer": f"{prediction.extra['malformed']} parts that are no relation" if not prediction.relations else "",
            "confidence": self._confidence(prediction.extra),
        }
        return replace(prediction, relations=kept, extra=extra)

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
    temperature = asking.temperature or TEMPERATURE
    drawn = [Sampling(temperature, asking.seed + number) for number in range(1, settings.passes)]
    return [TrainedPass(own), *(TrainedPass(own.drawing(sampling)) for sampling in drawn)]
