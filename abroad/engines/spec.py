"""The registry of engines, what their settings have in common, and an engine that is still to be made.

What can be set of each, beside model and batch size, is a class beside its code (`member.py`): `--set KEY=VALUE`, or a
mapping in a config. No engine is imported before it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.registry import Capability, Registry, setting_names
from abroad.core.settings import Settings
from abroad.engines.base import Engine, EngineKind
from abroad.models.identity import named_digest

ENGINES: Registry[EngineKind] = Registry(
    "engine",
    "abroad.engines",
    {
        "openai": "abroad.engines.openai.member:KIND",
        "transformers": "abroad.engines.transformers.member:KIND",
        "vllm": "abroad.engines.vllm.member:KIND",
    },
)
"""What generates texts and scores given ones."""

DEFAULT_ENGINE = "transformers"
"""What runs a model where no engine is named; records of its texts do not name it."""

NGRAM = "ngram"
"""As a draft: tokens that followed the same words before, copied from the prompt and the text so far."""

SUFFIX = "suffix"
"""As a draft: likewise, of the texts before too (suffix decoding, arXiv 2411.04975)."""


class EngineSettings(Settings):
    """What can be set of an engine; each has a class of its own, beside its code.

    Attributes:
        layout: names of the settings that say where and how fast, and do not change a text.
    """

    layout: ClassVar[tuple[str, ...]] = ()

    @property
    def uses(self) -> Capability:
        """The methods of decoding that are set: CONTRASTIVE, SPECULATIVE."""
        return Capability.NONE

    @property
    def further_models(self) -> dict[str, str]:
        """Setting -> name of each further model that decides a text."""
        return {}

    @property
    def gpus(self) -> int:
        """GPUs that one engine takes where there are any."""
        return 1


def read_settings(engine: str, values: Mapping[str, Any]) -> EngineSettings:
    """The settings of an engine; text is read as the number or word that is expected.

    Raises:
        InputError: no such engine, an unknown key, or a value out of range.
    """
    settings: EngineSettings = ENGINES.read(engine, values)
    return settings


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
        name: getattr(settings, name)
        for name in setting_names(type(settings))
        if name not in settings.layout and getattr(settings, name) != getattr(default, name)
    }
    return {"engine": engine, "model": model} | differing | _weights(engine, model, settings)


def _weights(engine: str, model: str, settings: EngineSettings) -> dict[str, str]:
    """Digests of the weights that lie on this machine, by which a model replaced in place is told from the old one."""
    if Capability.WEIGHTS not in ENGINES.capabilities(engine):
        return {}
    found = {"weights": named_digest(model, getattr(settings, "base", None))}
    found |= {f"{key}_weights": named_digest(other) for key, other in settings.further_models.items()}
    return {key: value for key, value in found.items() if value}


def make_engine(
    name: str,
    model: str,
    batch_size: int = 16,
    settings: EngineSettings | None = None,
    context: Context | None = None,
) -> Engine:
    """An engine by name, over a model by name or path.

    Args:
        batch_size: texts at once; with a server, requests at once.
        settings: of this engine, as `read_settings` gives them.
        context: is told what a person should know while it works.
    Raises:
        InputError: no such engine or model.
    """
    if settings is None:
        settings = read_settings(name, {})
    return ENGINES.get(name).load(model, batch_size, settings, context or Context())


@dataclass(frozen=True)
class EngineSpec:
    """An engine that is still to be made; workers in other processes make theirs of it.

    Attributes:
        name: of the engine.
        model: its name or path.
        batch_size: texts at once; with a server, requests at once.
        settings: of this engine.
    """

    name: str
    model: str
    batch_size: int
    settings: EngineSettings

    @classmethod
    def read(cls, name: str, model: str, batch_size: int = 16, values: Mapping[str, Any] | None = None) -> EngineSpec:
        """An engine by name, its settings given as `--set` has them.

        Raises:
            InputError: no such engine or setting, or a value out of range.
        """
        return cls(name, model, batch_size, read_settings(name, values or {}))

    @property
    def capabilities(self) -> Capability:
        """What the engine can do."""
        return ENGINES.capabilities(self.name)

    @property
    def gpus(self) -> int:
        """GPUs one engine takes where there are any."""
        return self.settings.gpus

    @property
    def identity(self) -> dict[str, Any]:
        """What decides a text beside its prompt."""
        return text_identity(self.name, self.model, self.settings)

    @property
    def weights(self) -> dict[str, str]:
        """What tells the weights from others of the model's name; empty of a server, which does not show them."""
        if Capability.WEIGHTS not in self.capabilities:
            return {}
        from abroad.models.identity import weights_digest
        from abroad.models.resolve import resolve_model

        return {"weights": weights_digest(resolve_model(self.model, getattr(self.settings, "base", None)))}

    def require(self, capability: Capability, purpose: str) -> None:
        """Check that the engine can do what it is wanted for.

        Raises:
            InputError: it cannot, and the message has the engines that can; or its model reads text only.
        """
        ENGINES.require(self.name, capability, purpose)
        if Capability.IMAGES in capability and Capability.WEIGHTS in self.capabilities:
            from abroad.models.source import describe_model
            from abroad.models.vision import reads_images

            if not reads_images(describe_model(self.model, getattr(self.settings, "base", None))):
                raise InputError(
                    f"{self.model}: this model reads text only; {purpose} takes one such as LLaVA, Qwen-VL or Gemma 3"
                )

    def make(self, context: Context | None = None) -> Engine:
        """The engine, with its model loaded."""
        return make_engine(self.name, self.model, self.batch_size, self.settings, context)
