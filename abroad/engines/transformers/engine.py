"""Batched generation with transformers: runs anywhere, on a CPU too.

Requests of one batch may differ in temperature, seed and stop strings (`sampling`, `stopping`), so a text does
not depend on what else is in its batch.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.registry import Capability
from abroad.engines.base import Generation, GenerationRequest, Prompt, Score, refusal
from abroad.engines.contrastive import ContrastiveSettings, check_amateur, check_methods, check_tokenizers
from abroad.engines.refused_images import Refused, told
from abroad.engines.spec import NGRAM, SUFFIX
from abroad.engines.speculation import SpeculationCounts
from abroad.engines.tokens import common_start
from abroad.engines.transformers.constrain import (
    Constraints,
    constraint_error,
    is_constrained,
    wrap_tokenizer,
)
from abroad.engines.transformers.contrastive import ContrastiveProcessor
from abroad.engines.transformers.images import encode_what_is_taken, forget_images, on_model
from abroad.engines.transformers.member import KIND, TransformersSettings
from abroad.engines.transformers.repeats import BlockRepeats
from abroad.engines.transformers.rows import RowStopper, handed_over
from abroad.engines.transformers.sampling import RowSampler
from abroad.engines.transformers.scoring import MIN_SHARED, read_once, score_continuations
from abroad.engines.transformers.speculate import Speculator
from abroad.models.backend import import_transformers
from abroad.models.identity import is_same_model
from abroad.models.images import ImageReader, together
from abroad.models.load import load_model, load_tokenizer
from abroad.models.resolve import resolve_model
from abroad.models.vision import load_processor, reads_images

_Row = tuple[GenerationRequest, list[int]]  # a request and the tokens of its prompt
_WINDOW = 16  # batches sorted by length together, so that little is padding


class TransformersEngine:
    """Generates with a causal LM held in this process.

    Args:
        model: as loaded by `abroad.models`.
        tokenizer: of the model.
        batch_size: rows generated at once (beams count as rows).
        amateur: for contrastive decoding; may be `model` itself with `amateur_keeps`.
        contrastive: its settings.
        amateur_keeps: the amateur sees the last so many tokens of the prompt only.
        speculator: generates texts with a draft, one at a time; those with beams, an n-gram block or a
            constraint are generated without it, and that is said.
        context: is told what a person should know.

    Attributes:
        images: makes of images what the model reads; None of a model that reads text only.
    """

    images: ImageReader | None = None

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        batch_size: int = 16,
        amateur: Any = None,
        contrastive: ContrastiveSettings | None = None,
        amateur_keeps: int | None = None,
        speculator: Speculator | None = None,
        context: Context | None = None,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.batch_size = batch_size
        self.amateur, self.contrastive = amateur, contrastive or ContrastiveSettings()
        self.amateur_keeps = amateur_keeps
        self.speculator = speculator
        self._context, self._said = context or Context(), False

    @classmethod
    def from_name(
        cls,
        name: str,
        batch_size: int = 16,
        settings: TransformersSettings | None = None,
        context: Context | None = None,
    ) -> TransformersEngine:
        """A model by name; so are amateur and draft. The amateur is the model itself if only `amateur_keeps` is set.

        Raises:
            InputError: no such model, an amateur or draft with another tokenizer, or an amateur that is the model.
        """
        settings = settings or TransformersSettings()
        if settings.draft == SUFFIX:
            raise InputError("draft=suffix: transformers has no suffix drafts; expected ngram, a model, or engine vllm")
        check_methods(settings)
        source = resolve_model(name, settings.base)
        if settings.amateur is not None and settings.amateur_keeps is None:
            check_amateur(source, resolve_model(settings.amateur))
        model = load_model(source, settings.quantization)
        images = ImageReader(load_processor(source)) if reads_images(source) else None
        tokenizer = load_tokenizer(source) if images is None else images.tokenizer

        def second(other: str, purpose: str) -> Any:
            other_source = resolve_model(other)
            check_tokenizers(tokenizer, load_tokenizer(other_source), purpose)
            return load_model(other_source, settings.quantization)

        amateur = model if settings.amateur_keeps is not None else None
        if settings.amateur is not None and not is_same_model(source, resolve_model(settings.amateur)):
            amateur = second(settings.amateur, "contrastive decoding needs an amateur")
        speculator = None
        if settings.draft is not None:
            draft = None if settings.draft == NGRAM else second(settings.draft, "speculative decoding needs a draft")
            speculator = Speculator(model, draft, settings.draft_tokens, SpeculationCounts())
        contrastive = ContrastiveSettings.of(settings)
        engine = cls(model, tokenizer, batch_size, amateur, contrastive, settings.amateur_keeps, speculator, context)
        engine.images = images
        return engine

    @property
    def capabilities(self) -> Capability:
        return KIND.capabilities if self.images is not None else KIND.capabilities & ~Capability.IMAGES

    @property
    def has_chat_template(self) -> bool:
        return bool(self.tokenizer.chat_template) if self.images is None else self.images.has_chat_template

    @property
    def context_length(self) -> int:
        """Positions the model was built for, in tokens."""
        return int(getattr(self.model.config.get_text_config(), "max_position_embeddings", 0) or 2**31)

    def generate(self, requests: Iterable[GenerationRequest]) -> Iterator[Generation]:
        """Yield an answer for each request; those too long for the model get an error, not a cut text."""
        stream = iter(requests)
        while window := list(itertools.islice(stream, self.batch_size * _WINDOW)):
            encoded, without = [], dict[str, Refused]()
            for asked in window:
                try:
                    request, ids, without[asked.id] = encode_what_is_taken(asked, self._encode, self.images)
                except InputError as error:  # an image that is none
                    yield Generation(asked.id, "", "error", 0, error=str(error))
                    continue
                reason = self._refusal(request, len(ids))
                if reason is not None:
                    long = len(ids) + request.max_new_tokens > self.context_length
                    yield Generation(request.id, "", "error", 0, error=reason, too_long=long)
                else:
                    encoded.append((request, ids))
            # One batch shares its decoding method; within it, like lengths go together.
            encoded.sort(key=lambda item: (self._method(item[0]), len(item[1])))
            for _, group in itertools.groupby(encoded, key=lambda item: self._method(item[0])):
                for batch in self._batches(list(group)):
                    for generation in self._generate_or_halve(batch):
                        yield told(generation, without[generation.id])
        if self.speculator is not None and self.speculator.counts.passes:
            self._context.say(self.speculator.counts.report())

    def _batches(self, rows: Sequence[_Row]) -> Iterator[list[_Row]]:
        """Rows of one method, by length, in batches whose longest prompt and greatest budget fit the context.

        All rows of a batch take as many steps as its greatest budget, those that are done too, and learned
        positions end with the context.
        """
        batch: list[_Row] = []
        size, budget = max(1, self.batch_size // rows[0][0].beams), 0
        for request, ids in rows:
            budget = max(budget, request.max_new_tokens)
            if batch and (len(batch) == size or len(ids) + budget > self.context_length):
                yield batch
                batch, budget = [], request.max_new_tokens
            batch.append((request, ids))
        yield batch

    def score(self, prompts: Sequence[Prompt], continuations: Sequence[str]) -> list[Score | None]:
        """Scores under the model alone, whatever amateur or draft the engine has; see `Engine.score`."""

        def encode(text: str, special: bool) -> list[int]:
            return self._token_ids(text, special)

        if self.images is not None:
            forget_images(self.model)
        return score_continuations(self.model, encode, prompts, continuations, self.context_length, self.batch_size)

    def _refusal(self, request: GenerationRequest, length: int) -> str | None:
        """Why the request cannot be answered, or None."""
        if (reason := refusal(request, self)) is not None:
            return reason
        if self.amateur is not None and request.images:
            return "contrastive decoding reads text only; its amateur sees no images"
        if self.amateur is not None and request.beams > 1:
            return "contrastive decoding samples or takes the best token; it has no beam search"
        if length + request.max_new_tokens > self.context_length:
            return (
                f"{length} prompt tokens and {request.max_new_tokens} new ones "
                f"do not fit the model's {self.context_length} positions"
            )
        if is_constrained(request):
            if request.beams > 1:
                return "structured output has no beam search"
            return constraint_error(request, self._vocabulary)
        return None

    @cached_property
    def _vocabulary(self) -> Any:
        return wrap_tokenizer(self.tokenizer, self.model.get_output_embeddings().weight.shape[0])

    def _encode(self, request: GenerationRequest) -> list[int]:
        if self.images is not None and request.images:
            # Its pixels are made again when its turn comes: they take room.
            return self.images.read(request.prompt, request.images).ids
        if not isinstance(request.prompt, str):
            return list(request.prompt)
        if request.chat and self.has_chat_template:
            turn = self.images.turn if self.images is not None else partial(as_turn, self.tokenizer)
            return self._token_ids(turn(request.prompt), special=False)
        return self._token_ids(request.prompt)

    def _token_ids(self, text: str, special: bool = True) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=special)["input_ids"]
        return ids

    def _generate_or_halve(self, rows: Sequence[_Row]) -> Iterator[Generation]:
        """Generate a batch; one that fails (out of memory) is tried in halves, so one bad row loses only itself."""
        answered: set[str] = set()
        try:
            for generation in self._generate_batch(rows):
                answered.add(generation.id)
                yield generation
        except RuntimeError as error:
            left = [row for row in rows if row[0].id not in answered]
            if len(rows) == 1 and left:
                reason = str(error).strip().splitlines()[0][:300]
                yield Generation(rows[0][0].id, "", "error", 0, error=f"generation failed: {reason}")
                return
            middle = (len(left) + 1) // 2
            for half in (left[:middle], left[middle:]):
                if half:
                    yield from self._generate_or_halve(half)

    def _generate_batch(self, rows: Sequence[_Row]) -> Iterator[Generation]:
        _, torch = import_transformers()
        requests = [request for request, _ in rows]
        if self._is_speculative(requests[0]):
            yield from self._speculate(rows)
            return
        if self.speculator is not None and not self._said:
            self._said = True
            self._context.say(
                "speculative decoding: requests with beams, images, an n-gram block or a constraint go without a draft"
            )
        prompts = [ids for _, ids in rows]
        width = max(map(len, prompts))
        pad = self.tokenizer.pad_token_id
        first = requests[0]
        shared = 0 if first.images else self._shared(prompts, first.beams)
        # What all prompts begin with stands before the padding, and is read once.
        input_ids = torch.tensor(
            [[*ids[:shared], *[pad] * (width - len(ids)), *ids[shared:]] for ids in prompts], device=self.model.device
        )
        mask = torch.tensor(
            [[*[1] * shared, *[0] * (width - len(ids)), *[1] * (len(ids) - shared)] for ids in prompts],
            device=self.model.device,
        )
        options: dict[str, Any] = {
            "max_new_tokens": max(request.max_new_tokens for request in requests),
            "pad_token_id": pad,
            "eos_token_id": self.tokenizer.eos_token_id,
            "do_sample": False,
        }
        if first.images:
            options |= self._pixels(requests, width)
        elif self.images is not None:
            forget_images(self.model)
        if shared:
            options["past_key_values"] = read_once(self.model, prompts[0][:shared], len(prompts))
        block = [BlockRepeats(first.ngram_block, width)] if first.ngram_block else []
        if first.beams > 1:
            options |= {
                "num_beams": first.beams,
                "length_penalty": first.length_penalty,
                "early_stopping": first.early_stopping,
                "forced_eos_token_id": self.tokenizer.eos_token_id if first.force_end else None,
                "return_dict_in_generate": True,
                "output_scores": True,
                "logits_processor": block,
            }
            with torch.inference_mode():
                output = self.model.generate(input_ids=input_ids, attention_mask=mask, **options)
            for row, request in enumerate(requests):
                tokens, logprob = output.sequences[row, width:].tolist(), float(output.sequences_scores[row])
                yield self._answer(request, tokens, logprob, len(prompts[row]))
            return
        sampler = RowSampler(requests, width)
        # What is forbidden goes first: the amateur's mask keeps what is plausible among the rest, never nothing.
        processors: list[Any] = [*block]
        if any(map(is_constrained, requests)):
            eos = self.tokenizer.eos_token_id
            processors.insert(0, Constraints(requests, self._vocabulary, eos, pad, width))
        if self.amateur is not None:
            processors.append(ContrastiveProcessor(self.amateur, mask, self.contrastive, self.amateur_keeps))
        options["logits_processor"] = [*processors, sampler]

        def generate(hand_over: Callable[[Generation], None], abandoned: threading.Event) -> None:
            def ended(row: int, tokens: list[int]) -> None:
                logprobs = list(sampler.logprobs[row])
                hand_over(self._answer(requests[row], tokens, logprobs, len(prompts[row])))

            options["stopping_criteria"] = [RowStopper(requests, width, self.tokenizer, ended, abandoned)]
            with torch.inference_mode():
                self.model.generate(input_ids=input_ids, attention_mask=mask, **options)

        yield from handed_over(generate)

    def _pixels(self, requests: Sequence[GenerationRequest], width: int) -> dict[str, Any]:
        """What the model reads of a batch's images, where and as it computes."""
        assert self.images is not None
        made = together([self.images.read(request.prompt, request.images) for request in requests], width)
        return {name: on_model(value, self.model) for name, value in made.items()}

    def _shared(self, prompts: Sequence[list[int]], beams: int) -> int:
        """How many tokens all prompts of a batch begin with, where it pays and changes nothing to read them once.

        With a sliding window it would: padding takes room in the window.
        """
        if (
            len(prompts) < 2
            or beams > 1
            or self.amateur is not None
            or self.model.config.get_text_config().to_dict().get("sliding_window")
        ):
            return 0
        # A token of each prompt is left: its logits are needed.
        shared = min(min(common_start(prompts[0], ids), len(ids) - 1) for ids in prompts)
        return shared if shared >= MIN_SHARED else 0

    def _speculate(self, rows: Sequence[_Row]) -> Iterator[Generation]:
        assert self.speculator is not None
        for request, ids in rows:
            options = {
                "pad_token_id": self.tokenizer.pad_token_id,
                "eos_token_id": self.tokenizer.eos_token_id,
                "stopping_criteria": [RowStopper([request], len(ids), self.tokenizer)],
            }
            tokens, logprob = self.speculator.generate(request, ids, options)
            yield self._answer(request, tokens, logprob, len(ids))

    def _is_speculative(self, request: GenerationRequest) -> bool:
        plain = request.beams == 1 and not (request.ngram_block or request.images or is_constrained(request))
        return plain and self.speculator is not None and self.amateur is None

    def _method(self, request: GenerationRequest) -> tuple[Any, ...]:
        """What the requests of one batch must share."""
        shown = bool(request.images)
        if request.beams == 1:
            return (1, shown, self._is_speculative(request), request.ngram_block)
        return (
            request.beams,
            shown,
            request.ngram_block,
            request.length_penalty,
            str(request.early_stopping),
            request.force_end,
            request.max_new_tokens,  # beam search has one end for all of its rows
        )

    def _answer(self, request: GenerationRequest, tokens: list[int], logprob: Any, prompt_tokens: int) -> Generation:
        ended = self.tokenizer.eos_token_id in tokens
        forced = request.force_end and ended and tokens.index(self.tokenizer.eos_token_id) >= request.max_new_tokens - 1
        if ended:
            tokens = tokens[: tokens.index(self.tokenizer.eos_token_id)]
        tokens = tokens[: request.max_new_tokens]
        text = self.tokenizer.decode(tokens, skip_special_tokens=True)
        cuts = [text.find(stop) for stop in request.stop if stop in text]
        if cuts:
            text = text[: min(cuts)]
        if isinstance(logprob, list):
            logprob = sum(logprob[: len(tokens) + ended])
        reason = "stop" if (ended and not forced) or cuts else "length"
        return Generation(request.id, text, reason, len(tokens), logprob, prompt_tokens=prompt_tokens)


def as_turn(tokenizer: Any, prompt: str) -> str:
    """A user's turn in the tokenizer's chat template, up to where the answer begins."""
    turn = [{"role": "user", "content": prompt}]
    return str(tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True))
