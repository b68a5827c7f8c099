"""Extract relations from documents with a language model, document by document, resumably."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from abroad.core.errors import InputError
from abroad.core.io import read_predictions
from abroad.core.progress import Progress
from abroad.core.resume import ResumableOutput, digest
from abroad.core.schema import Document, Prediction
from abroad.engines.base import Engine, Generation, GenerationRequest
from abroad.engines.spec import EngineSettings, VllmSettings, make_engine, read_settings, text_identity
from abroad.extraction.chunks import chunks
from abroad.extraction.encode import encode_prompt
from abroad.extraction.linearise import parse
from abroad.text.evidence import with_evidence
from abroad.text.expand import expand_phrase, without_numbering


@dataclass(frozen=True, slots=True)
class Decoding:
    """How relations are decoded; the defaults are the published ones but for max_new_tokens (1,024 there).

    Attributes:
        beams: 1 is greedy.
        max_new_tokens: budget of a document; outputs that reach it are counted as cut off.
        length_penalty, early_stopping: of beam search, as in transformers.
        force_end: the end token is the last of the budget.
        ngram_block: runs of so many tokens of the output come once at most; 0: no such rule.
        chunk_overlap: a document beyond the context goes in chunks that share so many tokens, and their relations
            are merged; 0 makes it an error.
    """

    beams: int = 3
    max_new_tokens: int = 512
    length_penalty: float = 1.5
    early_stopping: bool | str = "never"
    force_end: bool = True
    ngram_block: int = 0
    chunk_overlap: int = 0


class Extractor(Protocol):
    """Anything that turns documents into predictions, one for each, in any order.

    One that reads more than the text may have `input_digest(document)`, which changes with all it reads.

    Attributes:
        identity: what must be equal for predictions of two runs to be mixed.
    """

    @property
    def identity(self) -> dict[str, Any]: ...

    def extract(self, documents: Sequence[Document]) -> Iterator[Prediction]: ...


_SMALLEST_CHUNK = 16  # tokens
_READING = 2
"""Raised when generated text is read in another way, so that old predictions are not mixed with new ones."""


class GenerativeExtractor:
    """Relations written by a fine-tuned causal LM as linearised text.

    Args:
        engine, tokenizer: of the model; the engine takes token ids.
        identity: names the model for resumption and the run record.
    """

    def __init__(self, engine: Engine, tokenizer: Any, decoding: Decoding, identity: dict[str, Any]) -> None:
        self.engine, self.tokenizer, self.decoding = engine, tokenizer, decoding
        self.identity = {**identity, "decoding": asdict(decoding), "reading": _READING}

    def extract(self, documents: Sequence[Document]) -> Iterator[Prediction]:
        by_id = {document.id: document for document in documents}
        parts: dict[str, list[str]] = {}
        waiting: dict[str, dict[int, Prediction]] = {}

        def requests() -> Iterator[GenerationRequest]:
            for document in documents:
                parts[document.id] = self._parts(document)
                for number, text in enumerate(parts[document.id]):
                    yield self._request(f"{number}:{document.id}", text)

        for generation in self.engine.generate(requests()):
            number, _, key = generation.id.partition(":")
            waiting.setdefault(key, {})[int(number)] = read_generation(by_id[key], generation)
            if len(waiting[key]) == len(parts[key]):
                yield merge_parts(key, [prediction for _, prediction in sorted(waiting.pop(key).items())])

    def _parts(self, document: Document) -> list[str]:
        """The text, or chunks of it where it does not fit the context and chunks are wanted."""
        context = getattr(self.engine, "context_length", None)
        if not self.decoding.chunk_overlap or context is None:
            return [document.text]

        def tokens(text: str) -> int:
            return len(encode_prompt(self.tokenizer, text))

        room = context - self.decoding.max_new_tokens
        if tokens(document.text) <= room or room < 2 * _SMALLEST_CHUNK:
            return [document.text]
        return chunks(document.text, tokens, room, min(self.decoding.chunk_overlap, room // 2))

    def _request(self, id: str, text: str) -> GenerationRequest:
        return GenerationRequest(
            id=id,
            prompt=encode_prompt(self.tokenizer, text),
            max_new_tokens=self.decoding.max_new_tokens,
            beams=self.decoding.beams,
            length_penalty=self.decoding.length_penalty,
            early_stopping=self.decoding.early_stopping,
            force_end=self.decoding.force_end,
            ngram_block=self.decoding.ngram_block,
        )


def merge_parts(id: str, parts: Sequence[Prediction]) -> Prediction:
    """One prediction of those of a document's chunks: each relation once, counts summed, the first error kept."""
    if len(parts) == 1:
        return parts[0]
    error = next((part.error for part in parts if part.error is not None), None)
    if error is not None:
        return Prediction(id, error=error)
    relations = {(r.organism, r.chemical): r for part in reversed(parts) for r in part.relations}
    ordered = dict.fromkeys((r.organism, r.chemical) for part in parts for r in part.relations)
    extra = {
        "malformed": sum(part.extra["malformed"] for part in parts),
        "repeated": sum(part.extra["repeated"] for part in parts),
        "cut_off": any(part.extra["cut_off"] for part in parts),
        "chunks": len(parts),
    }
    return Prediction(id, [relations[pair] for pair in ordered], extra=extra)


def read_generation(document: Document, generation: Generation) -> Prediction:
    """The prediction a generated text stands for, lists expanded; malformed parts are counted, not raised."""
    if generation.error is not None:
        return Prediction(document.id, error=generation.error)
    parsed = parse(generation.text)
    pairs = dict.fromkeys(
        (organism, label)
        for organism, chemical in parsed.pairs
        for label in expand_phrase(without_numbering(chemical).strip() or chemical)
    )
    relations = [with_evidence(document, organism, chemical) for organism, chemical in pairs]
    counts = {
        "malformed": parsed.malformed,
        "repeated": parsed.repeated,
        "cut_off": generation.finish_reason == "length",
        "logprob": generation.logprob,
    }
    return Prediction(document.id, relations, extra=counts)


@dataclass(frozen=True)
class ExtractionReport:
    """Attributes:
    documents, relations: in the output; resumed: documents found from an earlier run.
    failed: documents with an error; malformed: unreadable parts of outputs; cut_off: outputs that hit the budget.
    """

    documents: int
    relations: int
    resumed: int
    failed: int
    malformed: int
    cut_off: int


def extract_documents(documents: Iterable[Document], extractor: Extractor, out: Path) -> ExtractionReport:
    """Write the prediction of each document to `out` (JSONL, in the documents' order).

    A document that fails gets a prediction with `error`; it never ends the run.
    """
    documents = list(documents)
    relations = 0
    input_digest = getattr(extractor, "input_digest", lambda document: digest(document.text))
    wanted = {document.id: input_digest(document) for document in documents}
    with ResumableOutput(out, extractor.identity, wanted) as output:
        todo = [document for document in documents if document.id not in output.done]
        resumed = len(documents) - len(todo)
        with Progress("extracting relations", len(documents), done=resumed) as progress:
            for prediction in extractor.extract(todo):
                output.append(prediction.to_dict())
                relations += len(prediction.relations)
                progress.advance(note=f"{relations} relations")
    output.finish(order=wanted)
    predictions = read_predictions(out)
    return ExtractionReport(
        documents=len(documents),
        relations=sum(len(prediction.relations) for prediction in predictions),
        resumed=resumed,
        failed=sum(prediction.error is not None for prediction in predictions),
        malformed=sum(prediction.extra.get("malformed", 0) for prediction in predictions),
        cut_off=sum(bool(prediction.extra.get("cut_off")) for prediction in predictions),
    )


def load_extractor(
    model: str,
    decoding: Decoding,
    base: str | None = None,
    quantization: str = "none",
    batch_size: int = 16,
    engine: tuple[str, Mapping[str, Any]] = ("transformers", {}),
) -> GenerativeExtractor:
    """A generative extractor over a model by name or path (adapters are merged).

    Args:
        engine: its name and settings, as `abroad.engines.spec.read_settings` takes them: contrastive and
            speculative decoding are among them.
    Raises:
        InputError: no such model or setting, or settings that do not go with the decoding.
    """
    from abroad.models.load import load_tokenizer
    from abroad.models.resolve import resolve_model
    from abroad.models.source import weights_digest

    source = resolve_model(model, base)
    name, values = engine
    own = {"base": base, "quantization": quantization if quantization != "none" else None}
    if name not in ("transformers", "vllm"):
        raise InputError(f"engine {name!r}: extraction with a fine-tuned model takes transformers or vllm")
    settings = read_settings(name, {**{key: value for key, value in own.items() if value is not None}, **values})
    check_decoding(decoding, settings)
    identity = {"model": str(source.adapter or source.base), "base": source.base, "weights": weights_digest(source)}
    differing = text_identity(name, model, replace(settings, base=None))
    identity |= {key: value for key, value in differing.items() if (key, value) != ("engine", "transformers")}
    identity["model"] = str(source.adapter or source.base)
    if amateur := getattr(settings, "amateur", None):
        identity["amateur_weights"] = weights_digest(resolve_model(amateur))
    return GenerativeExtractor(
        make_engine(name, model, batch_size, settings), load_tokenizer(source), decoding, identity
    )


def check_decoding(decoding: Decoding, settings: EngineSettings) -> None:
    """Raises: InputError where a method of the engine would be left out silently, or cannot be had."""
    draft, amateur = getattr(settings, "draft", None), getattr(settings, "amateur", None)
    contrastive = amateur is not None or getattr(settings, "amateur_keeps", None) is not None
    method = "contrastive" if contrastive else "speculative"
    if contrastive and draft is not None:
        raise InputError("contrastive and speculative decoding do not go together: set amateur or draft, not both")
    if (contrastive or draft is not None) and decoding.beams > 1:
        raise InputError(f"{method} decoding has no beam search: expected --beams 1, found {decoding.beams}")
    if draft is not None and decoding.ngram_block:
        raise InputError("speculative decoding has no n-gram block: expected ngram_block 0")
    if isinstance(settings, VllmSettings) and (decoding.beams > 1 or decoding.ngram_block):
        raise InputError("the engine vllm has neither beam search nor n-gram block: expected --beams 1, ngram_block 0")
