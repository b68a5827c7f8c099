"""Generation with vLLM in this process: continuous batching, prefix caching, several GPUs, quantised weights, LoRA.

Requests are handed to vLLM's own engine as others finish, so that it is never short of work
and memory does not grow with the number of prompts. https://docs.vllm.ai
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from abroad.core.context import Context
from abroad.core.errors import InputError, MissingDependencyError
from abroad.core.registry import Capability
from abroad.engines.base import Generation, GenerationRequest, Prompt, Score, check_pairs, refusal
from abroad.engines.contrastive import ContrastiveSettings, check_amateur, check_methods, check_tokenizers
from abroad.engines.refused_images import Refused, told, without_refused
from abroad.engines.spec import NGRAM, SUFFIX
from abroad.engines.speculation import SpeculationCounts
from abroad.engines.tokens import join_tokens
from abroad.engines.vllm.member import KIND, VllmSettings
from abroad.models.images import ImagePrompts, decoded, refused
from abroad.models.load import load_tokenizer, model_config
from abroad.models.resolve import resolve_model
from abroad.models.rope import read_factor, stretched
from abroad.models.source import ModelSource
from abroad.models.vision import load_processor, reads_images

_AHEAD = 2  # requests waiting in vLLM for each that runs


class _Refusal(NamedTuple):
    """Why a request gets no answer."""

    reason: str
    too_long: bool = False


class _Running(NamedTuple):
    """A request under way, and the images that were left out of it."""

    request: GenerationRequest
    left_out: Refused


class VllmEngine:
    """Generates with vLLM's engine.

    Args:
        engine: a `vllm.LLMEngine`.
        max_running: sequences that it runs at once.
        lora: a `vllm.lora.request.LoRARequest` for every text, or None.
        counts: of speculative decoding, if the engine has a draft.
        context: is told what a person should know.

    Attributes:
        images: makes places for images in prompts; None of a model that reads text only.
    """

    images: ImagePrompts | None = None

    def __init__(
        self,
        engine: Any,
        max_running: int,
        lora: Any = None,
        counts: SpeculationCounts | None = None,
        context: Context | None = None,
    ) -> None:
        self._engine, self._lora, self.speculation = engine, lora, counts
        self._context = context or Context()
        self.max_running = max_running
        self.context_length = engine.model_config.max_model_len  # of prompt and text together
        self._count = itertools.count()

    @classmethod
    def from_name(
        cls,
        name: str,
        batch_size: int = 64,
        settings: VllmSettings | None = None,
        context: Context | None = None,
    ) -> VllmEngine:
        """A model by name or path; the adapter of an adapter directory is used as LoRA.

        Raises:
            InputError: no such model, one that vLLM cannot run, or an amateur that does not go with it.
            MissingDependencyError: vLLM is not installed.
        """
        settings = settings or VllmSettings()
        check_methods(settings)
        source = resolve_model(name, settings.base)
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")  # else hundreds of lines between our progress bars
        try:
            import torch
            from vllm import EngineArgs, LLMEngine
            from vllm.lora.request import LoRARequest
        except ImportError:
            raise MissingDependencyError("vllm", "vllm", "the engine vllm") from None
        longer = _stretched(source)
        length = longer.pop("max_model_len", None)
        options: dict[str, Any] = _contrastive(source, settings)
        if torch.cuda.is_available():
            options |= {"gpu_memory_utilization": settings.memory_share, "dtype": settings.dtype}
        else:
            options |= {
                "dtype": "float32" if settings.dtype == "auto" else settings.dtype,
                "kv_cache_memory_bytes": int(settings.cpu_cache_gib * 2**30),
                # A prompt cut by the step's budget sets a seeded request's generator back, which a CPU's cannot do:
                # vLLM 0.32 then ends with "CPU Generator does not use offset".
                "enable_chunked_prefill": False,
            }
        try:
            engine = LLMEngine.from_engine_args(
                EngineArgs(
                    model=source.base,
                    tensor_parallel_size=settings.tensor_parallel,
                    pipeline_parallel_size=settings.pipeline_parallel,
                    quantization=settings.quantization,
                    max_model_len=settings.max_model_len or length,
                    max_num_seqs=batch_size,
                    enable_prefix_caching=True,
                    enable_lora=source.adapter is not None,
                    max_lora_rank=_rank_room(source.adapter),
                    trust_remote_code=False,
                    load_format="safetensors",
                    structured_outputs_config={"backend": "guidance"},  # what the engine transformers uses too
                    speculative_config=_speculation(settings),
                    generation_config="vllm",  # the request says how to sample, not a file beside the model
                    disable_log_stats=settings.draft is None,  # they count what was proposed and accepted
                    **longer,
                    **options,
                )
            )
        except (ValueError, OSError) as error:
            raise InputError(f"{name}: vLLM cannot run it: {' '.join(str(error).split())[:300]}") from None
        lora = LoRARequest("adapter", 1, str(source.adapter)) if source.adapter else None
        counts = SpeculationCounts() if settings.draft is not None else None
        made = cls(engine, batch_size, lora, counts, context)
        made.images = ImagePrompts(load_processor(source)) if reads_images(source) else None
        return made

    @property
    def capabilities(self) -> Capability:
        return KIND.capabilities if self.images is not None else KIND.capabilities & ~Capability.IMAGES

    def generate(self, requests: Iterable[GenerationRequest]) -> Iterator[Generation]:
        """Yield answers as they are ready; a request that vLLM refuses gets an error."""
        stream = iter(requests)
        running: dict[str, _Running] = {}
        written: dict[str, int] = {}
        before = self._drafted() if self.speculation is not None else (0, 0)
        try:
            while True:
                room = self.max_running * _AHEAD - len(running)
                for request in itertools.islice(stream, room):
                    no_answer = self._add(request, running)
                    if no_answer is not None:
                        error, long = no_answer.reason, no_answer.too_long
                        yield Generation(request.id, "", "error", 0, error=error, too_long=long)
                if not running:
                    return
                for output in self._engine.step():
                    if self.speculation is not None:
                        self.speculation.passes += 1
                        self.speculation.tokens += len(output.outputs[0].token_ids) - written.get(output.request_id, 0)
                        written[output.request_id] = len(output.outputs[0].token_ids)
                    if output.finished:
                        written.pop(output.request_id, None)
                        asked, left_out = running.pop(output.request_id)
                        yield told(_answer(asked, output.outputs[0], len(output.prompt_token_ids)), left_out)
        finally:
            if running:
                self._engine.abort_request(list(running))
            if self.speculation is not None:
                proposed, accepted = self._drafted()
                self.speculation.proposed += proposed - before[0]
                self.speculation.accepted += accepted - before[1]
                if self.speculation.passes:
                    self._context.say(self.speculation.report())

    def _drafted(self) -> tuple[int, int]:
        """Tokens that drafts proposed in this process so far, and those accepted, as vLLM counts them."""
        values = {metric.name: getattr(metric, "value", 0) for metric in self._engine.get_metrics()}
        names = ("vllm:spec_decode_num_draft_tokens", "vllm:spec_decode_num_accepted_tokens")
        proposed, accepted = (int(values.get(name, 0)) for name in names)
        return proposed, accepted

    def score(self, prompts: Sequence[Prompt], continuations: Sequence[str]) -> list[Score | None]:
        """See `Engine.score`; vLLM gives the log-probabilities of a prompt's own tokens."""
        from vllm import SamplingParams

        check_pairs(prompts, continuations)
        tokenizer = self._engine.get_tokenizer()

        def encode(text: str, special: bool) -> list[int]:
            ids: list[int] = tokenizer.encode(text, add_special_tokens=special)
            return ids

        params = SamplingParams(max_tokens=1, temperature=0.0, prompt_logprobs=0)
        found: list[Score | None] = [None] * len(prompts)
        running: dict[str, tuple[int, tuple[int, ...], int]] = {}
        try:
            for place, (prompt, continuation) in enumerate(zip(prompts, continuations, strict=True)):
                ids, start = join_tokens(encode, prompt, continuation)
                if len(ids) >= self.context_length:  # vLLM wants room for one new token
                    continue
                key = f"{next(self._count)}"
                self._engine.add_request(key, {"prompt_token_ids": list(ids)}, params, lora_request=self._lora)
                running[key] = (place, ids, start)
            while running:
                for output in self._engine.step():
                    if output.finished:
                        place, ids, start = running.pop(output.request_id)
                        steps = output.prompt_logprobs[start:]
                        values = [step[token].logprob for step, token in zip(steps, ids[start:], strict=True)]
                        found[place] = Score(float(sum(values)), len(values))
        finally:
            if running:
                self._engine.abort_request(list(running))
        return found

    def _add(self, request: GenerationRequest, running: dict[str, _Running], left_out: Refused = ()) -> _Refusal | None:
        """Hand a request to vLLM, without the images that its model does not take; why it cannot be, or None.

        Args:
            running: requests under way, by vLLM's names; this one is added.
            left_out: images that were left out of it.
        """
        from vllm import SamplingParams
        from vllm.exceptions import VLLMClientError
        from vllm.sampling_params import StructuredOutputsParams

        if (reason := refusal(request, self)) is not None:
            return _Refusal(reason)
        params = SamplingParams(
            max_tokens=request.max_new_tokens,
            temperature=request.temperature,
            top_p=request.top_p,
            seed=request.seed,
            stop=list(request.stop) or None,
            logprobs=0,
            structured_outputs=_constraint(request, StructuredOutputsParams),
        )
        try:
            prompt = self._prompt(request)
        except InputError as error:  # an image that is none
            return self._add_less(request, running, str(error))
        key = f"{next(self._count)}"  # ids of requests are the caller's, and may come again
        tokens = len(prompt["prompt_token_ids"])
        if tokens + request.max_new_tokens > self.context_length:
            return _Refusal(
                f"{tokens} prompt tokens and {request.max_new_tokens} new ones "
                f"do not fit the model's {self.context_length} positions",
                too_long=True,
            )
        try:
            self._engine.add_request(key, prompt, params, lora_request=self._lora)
        except (ValueError, VLLMClientError) as error:
            reason = " ".join(str(error).split())
            long = "longer than the maximum model length" in reason
            if request.images and error.__cause__ is not None and not long:
                reason = refused(error.__cause__)
            return _Refusal(reason[:300], long) if long else self._add_less(request, running, reason)
        running[key] = _Running(request, left_out)
        return None

    def _add_less(self, request: GenerationRequest, running: dict[str, _Running], reason: str) -> _Refusal | None:
        """Hand a request over without the images that are refused by themselves; where there are none, why not."""
        reasons = self.images.refusals(request.images) if self.images is not None else {}
        if not reasons:
            return _Refusal(reason[:300])
        less, left_out = without_refused(request, reasons)
        return self._add(less, running, left_out)

    @property
    def has_chat_template(self) -> bool:
        if self.images is not None:
            return self.images.has_chat_template
        return bool(getattr(self._engine.get_tokenizer(), "chat_template", None))

    def _prompt(self, request: GenerationRequest) -> dict[str, Any]:
        """A request as vLLM takes it; it makes of the place of an image as many tokens as the image has itself.

        https://docs.vllm.ai/en/latest/features/multimodal_inputs/
        """
        if self.images is None or not request.images:
            return {"prompt_token_ids": self._encode(request)}
        pictures = [decoded(url) for url in request.images]
        ids = self.images.unexpanded(request.prompt, len(request.images))
        return {"prompt_token_ids": ids, "multi_modal_data": {"image": pictures}}

    def _encode(self, request: GenerationRequest) -> list[int]:
        if not isinstance(request.prompt, str):
            return list(request.prompt)
        tokenizer = self._engine.get_tokenizer()
        if request.chat and self.images is not None:
            return list(tokenizer.encode(self.images.turn(request.prompt), add_special_tokens=False))
        if request.chat:
            turn = [{"role": "user", "content": request.prompt}]
            text = tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
            return list(tokenizer.encode(text, add_special_tokens=False))
        return list(tokenizer.encode(request.prompt))


def _stretched(source: ModelSource) -> dict[str, Any]:
    """What tells vLLM that an adapter was trained with interpolated positions; nothing for other models.

    vLLM itself multiplies the context by the factor of the rotary parameters, but not that of Gemma 3.
    https://docs.vllm.ai/en/latest/api/vllm/config/model.html (hf_overrides)
    """
    factor = read_factor(source.adapter)
    if factor == 1:
        return {}
    whole = model_config(ModelSource(source.base))
    config = whole.get_text_config()
    values: dict[str, Any] = {"rope_parameters": stretched(config, factor, source.base)}
    length = int(config.max_position_embeddings * factor)
    if "gemma3" in config.model_type:
        values["max_position_embeddings"] = length
    return {"hf_overrides": values if config is whole else {"text_config": values}, "max_model_len": length}


def _speculation(settings: VllmSettings) -> dict[str, Any] | None:
    """vLLM's speculative_config, https://docs.vllm.ai/en/latest/features/spec_decode.html."""
    if settings.draft is None:
        return None
    if settings.draft == NGRAM:
        return {"method": "ngram", "num_speculative_tokens": settings.draft_tokens, "prompt_lookup_max": 4}
    if settings.draft == SUFFIX:
        return {"method": "suffix", "num_speculative_tokens": settings.draft_tokens}
    draft = resolve_model(settings.draft)
    return {"method": "draft_model", "model": draft.base, "num_speculative_tokens": settings.draft_tokens}


def _contrastive(source: ModelSource, settings: VllmSettings) -> dict[str, Any]:
    """What vLLM is told for contrastive decoding; nothing without it.

    Raises:
        InputError: the amateur is the model itself, or has another tokenizer.
    """
    if settings.amateur is None and settings.amateur_keeps is None:
        return {}
    from abroad.engines.vllm.contrastive import CONFIG_KEY, AmateurProcessor, amateur_config

    amateur = source if settings.amateur is None else resolve_model(settings.amateur)
    if settings.amateur_keeps is None:
        check_amateur(source, amateur)
    purpose = "contrastive decoding needs an amateur"
    check_tokenizers(load_tokenizer(ModelSource(source.base)), load_tokenizer(ModelSource(amateur.base)), purpose)
    os.environ["VLLM_USE_V2_MODEL_RUNNER"] = "0"  # its second runner has logits processors of another form
    how = ContrastiveSettings.of(settings)
    return {
        "logits_processors": [f"{AmateurProcessor.__module__}:{AmateurProcessor.__qualname__}"],
        "additional_config": {CONFIG_KEY: amateur_config(amateur, how, settings.amateur_keeps)},
        "async_scheduling": False,  # else the tokens that the amateur reads come a step too late
    }


def _rank_room(adapter: Path | None) -> int:
    """The least rank vLLM can be told of (a power of two from 8 on) that holds the adapter's."""
    if adapter is None:
        return 16
    rank = int(json.loads((adapter / "adapter_config.json").read_text("utf-8")).get("r", 16))
    return max(8, 1 << (rank - 1).bit_length())


def _constraint(request: GenerationRequest, kind: Any) -> Any:
    if request.regex is None and request.grammar is None:
        return None
    return kind(regex=request.regex, grammar=request.grammar)


def _answer(request: GenerationRequest, output: Any, prompt_tokens: int) -> Generation:
    return Generation(
        request.id,
        output.text,
        "length" if output.finish_reason == "length" else "stop",
        len(output.token_ids),
        float(output.cumulative_logprob) if output.cumulative_logprob is not None else None,
        prompt_tokens=prompt_tokens,
    )
