"""Which engine is meant, and how it is set: no engine is imported before `make_engine` is called.

What can be set of each, beside model and batch size: `--set KEY=VALUE`, or a mapping in a config.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, TypeAdapter, ValidationError

from abroad.core.errors import InputError
from abroad.engines.base import Engine
from abroad.models.identity import named_digest

NGRAM = "ngram"
"""As a draft: tokens that followed the same words before, copied from the prompt and the text so far."""

_Count = Annotated[int, Field(ge=1)]
_NotNegative = Annotated[float, Field(ge=0)]
_Positive = Annotated[float, Field(gt=0)]
_Share = Annotated[float, Field(gt=0, le=1)]


@dataclass(frozen=True)
class TransformersSettings:
    """Settings of the engine `transformers`.

    Attributes:
        base: base model of an adapter that does not name its own.
        quantization: "nf4" (QLoRA's 4 bits), or "none".
        amateur: contrastive decoding: a smaller model with the same tokenizer.
        amateur_keeps: the amateur sees the last so many tokens of the prompt only; alone, the model is its own amateur.
        alpha: plausibility in contrastive decoding, 0 to 1.
        beta: how much of the amateur is taken out in contrastive decoding.
        draft: speculative decoding: a smaller model with the same tokenizer, or "ngram" to copy from the prompt.
        draft_tokens: proposed at once.
        layout: names of the settings that say where and how fast, and do not change a text.
    """

    base: str | None = None
    quantization: Literal["none", "nf4"] = "none"
    amateur: str | None = None
    amateur_keeps: _Count | None = None
    alpha: _Share = 0.1
    beta: _NotNegative = 0.5
    draft: str | None = None
    draft_tokens: _Count = 5

    layout: ClassVar[tuple[str, ...]] = ("draft", "draft_tokens")


@dataclass(frozen=True)
class VllmSettings:
    """Settings of the engine `vllm`.

    Attributes:
        base: base model of an adapter that does not name its own.
        tensor_parallel: GPUs that each layer is spread over.
        pipeline_parallel: GPUs that the layers are spread over.
        dtype: "auto" takes the model's; on a CPU float32 is used.
        quantization: of the weights, as vLLM names it; unset reads it from the model.
        max_model_len: tokens of prompt and text together; unset takes the model's.
        memory_share: share of a GPU's memory, 0 to 1.
        cpu_cache_gib: key-value cache on a CPU, in GiB.
        draft: speculative decoding: a smaller model with the same tokenizer, or "ngram" to copy from the prompt.
        draft_tokens: proposed at once.
        layout: names of the settings that say where and how fast, and do not change a text.
    """

    base: str | None = None
    tensor_parallel: _Count = 1
    pipeline_parallel: _Count = 1
    dtype: str = "auto"
    quantization: str | None = None
    max_model_len: _Count | None = None
    memory_share: _Share = 0.9
    cpu_cache_gib: _Positive = 2.0
    draft: str | None = None
    draft_tokens: _Count = 5

    layout: ClassVar[tuple[str, ...]] = (
        "tensor_parallel",
        "pipeline_parallel",
        "memory_share",
        "cpu_cache_gib",
        "draft",
        "draft_tokens",
    )


@dataclass(frozen=True)
class OpenAiSettings:
    """Settings of the engine `openai`.

    Attributes:
        base_url: the server, http://HOST:PORT/v1; unset takes OPENAI_BASE_URL, else vLLM's default.
        timeout: seconds without a byte.
        attempts: tries of one request.
        first_wait: seconds before the second try, doubled from then on.
        layout: names of the settings that say where and how fast, and do not change a text.
    """

    base_url: str | None = None
    timeout: _Positive = 600.0
    attempts: _Count = 6
    first_wait: _NotNegative = 1.0

    layout: ClassVar[tuple[str, ...]] = ("base_url", "timeout", "attempts", "first_wait")


EngineSettings = TransformersSettings | VllmSettings | OpenAiSettings
_SETTINGS: dict[str, type[EngineSettings]] = {
    "openai": OpenAiSettings,
    "transformers": TransformersSettings,
    "vllm": VllmSettings,
}


def engine_names() -> list[str]:
    """Names of the engines, sorted."""
    return sorted(_SETTINGS)


def read_settings(engine: str, values: Mapping[str, Any]) -> EngineSettings:
    """The settings of an engine; text is read as the number or word that is expected.

    Raises:
        InputError: no such engine, an unknown key, or a value out of range.
    """
    if engine not in _SETTINGS:
        raise InputError(f"unknown engine {engine!r}; expected one of: {', '.join(engine_names())}")
    kind = _SETTINGS[engine]
    known = [item.name for item in fields(kind)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise InputError(f"engine {engine}: no setting {unknown[0]!r}; expected one of: {', '.join(known)}")
    try:
        return TypeAdapter(kind).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise InputError(f"engine {engine}: {key}: {first['msg']}, found {first['input']!r}") from None


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """["a=1", "b=x"] as a mapping.

    Raises:
        InputError: one without "=".
    """
    result = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise InputError(f"expected KEY=VALUE, found {text!r}")
        result[key.strip()] = value.strip()
    return result


def text_identity(engine: str, model: str, settings: EngineSettings) -> dict[str, Any]:
    """What decides a text beside its request: results of another identity are not mixed with these.

    Settings that only say where and how fast are left out, and so are those at their default.
    """
    default = type(settings)()
    differing = {
        item.name: getattr(settings, item.name)
        for item in fields(settings)
        if item.name not in settings.layout and getattr(settings, item.name) != getattr(default, item.name)
    }
    return {"engine": engine, "model": model} | differing | _weights(engine, model, settings)


def _weights(engine: str, model: str, settings: EngineSettings) -> dict[str, str]:
    """Digests of the weights that lie on this machine, by which a model replaced in place is told from the old one."""
    if engine == "openai":
        return {}
    found = {"weights": named_digest(model, getattr(settings, "base", None))}
    if amateur := getattr(settings, "amateur", None):
        found["amateur_weights"] = named_digest(amateur)
    return {key: value for key, value in found.items() if value}


_ENGINES = {
    "openai": "abroad.engines.openai.engine:OpenAiEngine",
    "transformers": "abroad.engines.transformers.engine:TransformersEngine",
    "vllm": "abroad.engines.vllm.engine:VllmEngine",
}
"""Engine name -> "module:class"; imported only when asked for."""


def make_engine(
    name: str,
    model: str,
    batch_size: int = 16,
    settings: EngineSettings | None = None,
    say: Callable[[str], None] = lambda message: None,
) -> Engine:
    """An engine by name, over a model by name or path.

    Args:
        batch_size: texts at once; with a server, requests at once.
        settings: of this engine, as `read_settings` gives them.
        say: is told what a person should know while it works.
    Raises:
        InputError: no such engine or model.
    """
    if settings is None:
        settings = read_settings(name, {})
    module, _, attribute = _ENGINES[name].partition(":")
    engine: Engine = getattr(importlib.import_module(module), attribute).from_name(model, batch_size, settings, say)
    return engine


@dataclass(frozen=True)
class EngineSpec:
    """An engine that is still to be made; workers in other processes make theirs of it."""

    name: str
    model: str
    batch_size: int
    settings: EngineSettings

    @property
    def gpus(self) -> int:
        """GPUs one engine takes where there are any."""
        return getattr(self.settings, "tensor_parallel", 1) * getattr(self.settings, "pipeline_parallel", 1)

    @property
    def identity(self) -> dict[str, Any]:
        """What decides a text beside its prompt."""
        return text_identity(self.name, self.model, self.settings)

    def make(self, say: Callable[[str], None] = lambda message: None) -> Engine:
        return make_engine(self.name, self.model, self.batch_size, self.settings, say)
