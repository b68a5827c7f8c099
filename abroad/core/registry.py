"""What there is of each kind (engines, extractors, protocols, ...), by name: ours, and those of other packages.

A member is an object that says what can be set of it (`Settings`) and what it can do (`capabilities`). Ours stand in
the registry as "module:attribute", those of other packages as entry points of the registry's group; either is
imported when it is first asked for. Code asks what a member can do, never which one it is.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Flag, auto
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from abroad.core.errors import InputError, expected

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from pydantic import AfterValidator

Kind = TypeVar("Kind")


class Capability(Flag):
    """What a member of a registry can do, or what is to be known of it before it is used.

    Attributes:
        NONE: Nothing beyond what every member does.
        BEAMS: An engine has beam search.
        NGRAM_BLOCK: An engine keeps runs of tokens from coming twice.
        CONSTRAINTS: An engine binds a text to a regex or a grammar, always.
        CONTRASTIVE: An engine has contrastive decoding, against a weaker model.
        SPECULATIVE: An engine has speculative decoding, with a draft.
        IMAGES: An engine reads images.
        LOGPROBS: An engine tells how probable a given continuation is.
        TOKEN_IDS: An engine scores prompts given as token ids.
        WEIGHTS: An engine holds the weights itself, so that they can be told from others; it has a setting `base`.
        CALIBRATED: Scores of an extractor are probabilities that were measured on held-out documents, and it takes a
            threshold on them (`min_score`, `precision`).
        ENGINE: An extractor is run by an engine (`engine`, `engine_settings`).
        LANGUAGE_MODEL: What names an extractor is a language model, which can rank too.
        CHAT: A prompt is a user's turn, where the model has a chat template.
        STEPS: An answer goes through steps before its relations.
        IDENTIFIERS: A protocol compares identifiers, so that predictions must be linked.
        LIKENESS: A retriever puts examples that are like the document first.
        EMBEDDER: A retriever needs an encoder.
        BASELINE: A selector does not look at entropy, and is what one that does is compared with.
        ENTITIES: An extractor tells the entities that a text names, in a relation or not (`entities`, `entity_types`).
        DIRECTORY: An extractor is a directory of its kind; the name of the kind alone is none.
        NATURAL_PRODUCTS: An extractor finds natural products, and relations of no other field.
    """

    NONE = 0
    BEAMS = auto()
    NGRAM_BLOCK = auto()
    CONSTRAINTS = auto()
    CONTRASTIVE = auto()
    SPECULATIVE = auto()
    IMAGES = auto()
    LOGPROBS = auto()
    TOKEN_IDS = auto()
    WEIGHTS = auto()
    CALIBRATED = auto()
    ENGINE = auto()
    LANGUAGE_MODEL = auto()
    CHAT = auto()
    STEPS = auto()
    IDENTIFIERS = auto()
    LIKENESS = auto()
    EMBEDDER = auto()
    BASELINE = auto()
    ENTITIES = auto()
    DIRECTORY = auto()
    NATURAL_PRODUCTS = auto()


def _no_settings() -> type[Any]:
    """Imported when a member is made, since pydantic is slow to load."""
    from abroad.core.settings import NoSettings

    return NoSettings


@dataclass(frozen=True, kw_only=True)
class Member:
    """What every member declares, for ours to build on.

    Attributes:
        Settings: The class of what can be set.
        capabilities: What it can do.
    """

    Settings: type[Any] = field(default_factory=_no_settings)
    capabilities: Capability = Capability.NONE


class Registry(Generic[Kind]):
    """The members of one kind.

    Args:
        what: The kind, for messages ("engine").
        group: Of the entry points of other packages ("abroad.engines").
        own: Name -> "module:attribute" of our own members, in the order in which they are shown.
    """

    def __init__(self, what: str, group: str, own: Mapping[str, str]) -> None:
        self.what, self.group, self.own = what, group, dict(own)

    def __contains__(self, name: object) -> bool:
        return name in self.own or name in _entry_points(self.group)

    def names(self) -> list[str]:
        """Names of all members: ours in their order, then those of other packages, sorted."""
        return [*self.own, *sorted(set(_entry_points(self.group)) - set(self.own))]

    def get(self, name: str) -> Kind:
        """The member of a name.

        Raises:
            InputError: There is none, or what another package has under this name is no such member.
        """
        if name in self.own:  # a name of ours stays ours
            member: Kind = _find(self.own[name])
            return member
        others = _entry_points(self.group)
        if name not in others:
            raise InputError(self.unknown(name))
        return self._load(others[name])

    def unknown(self, name: str) -> str:
        """What to say of a name that is none of these."""
        return f"unknown {self.what} {name!r}; {expected(name, self.names())}"

    def capabilities(self, name: str) -> Capability:
        """What the member of a name can do.

        Raises:
            InputError: As `get`.
        """
        declared: Capability = getattr(self.get(name), "capabilities")  # noqa: B009  # every member declares it
        return declared

    def settings(self, name: str) -> type[Any]:
        """The class of what can be set of the member of a name.

        Raises:
            InputError: As `get`.
        """
        declared: type[Any] = getattr(self.get(name), "Settings")  # noqa: B009  # every member declares it
        return declared

    def able(self, capability: Capability) -> list[str]:
        """Names of the members that have a capability; a broken one of another package has none."""
        found = []
        for name in self.names():
            with contextlib.suppress(InputError):
                found += [name] if capability in self.capabilities(name) else []
        return found

    def require(self, name: str, capability: Capability, purpose: str) -> None:
        """Check that a member can do what it is wanted for.

        Args:
            name: Of the member.
            capability: What it needs.
            purpose: What for, for the message ("extraction with a fine-tuned model").

        Raises:
            InputError: It cannot, or there is no such member.
        """
        if capability not in self.capabilities(name):
            able = ", ".join(self.able(capability)) or "none that is installed"
            raise InputError(f"{self.what} {name!r}: {purpose} takes {able}")

    def read(self, name: str, values: Mapping[str, Any]) -> Any:
        """The settings of a member, validated; text is read as the number or word that is expected.

        Raises:
            InputError: There is no such member, a key it does not have, or a value out of range.
        """
        return read_values(self.settings(name), values, f"{self.what} {name}")

    def _load(self, entry: EntryPoint) -> Kind:
        name = entry.name
        package = entry.dist.name if entry.dist is not None else entry.module
        try:
            member: Kind = entry.load()
        except Exception as error:  # whatever another package does at its import, the message says whose it is
            raise InputError(
                f"{self.what} {name!r} of the package {package} cannot be loaded: {type(error).__name__}: {error}"
            ) from None
        for wanted, kind in (("Settings", type), ("capabilities", Capability)):
            if not isinstance(getattr(member, wanted, None), kind):
                raise InputError(
                    f"{self.what} {name!r} of the package {package}: {entry.value} declares no {wanted!r} "
                    f"({kind.__name__}); see docs/extending.md"
                )
        return member


@cache
def _entry_points(group: str) -> dict[str, EntryPoint]:
    """What other packages have in a group; the files of all packages are read once a process."""
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=group)}


def lazy(path: str) -> Callable[..., Any]:
    """A function that is imported when it is called.

    Args:
        path: "module:attribute", or "module:Class.method".
    """

    def call(*arguments: Any, **named: Any) -> Any:
        return _find(path)(*arguments, **named)

    return call


def _find(path: str) -> Any:
    module, _, attribute = path.partition(":")
    return attrgetter(attribute)(importlib.import_module(module))


def member_of(registry: Registry[Any]) -> AfterValidator:
    """A check of a setting that names a member of a registry."""
    from pydantic import AfterValidator

    def check(name: str) -> str:
        if name not in registry:
            raise ValueError(registry.unknown(name))
        return name

    return AfterValidator(check)


def setting_names(kind: type[Any]) -> list[str]:
    """Names of what can be set by a class of settings; those of another package may be a dataclass."""
    if is_dataclass(kind):
        return [item.name for item in fields(kind)]
    return list(kind.model_fields)


def read_values(kind: type[Any], values: Mapping[str, Any], whose: str, of: str = "") -> Any:
    """An object of a class of settings, from a mapping.

    Args:
        kind: Derived from `Settings`, or another pydantic model or a dataclass of another package.
        values: Text is read as the number or word that is expected.
        whose: For messages ("engine vllm").
        of: Likewise, what it is ("a language model").

    Raises:
        InputError: Keys that it does not have, or values out of range; all of them.
    """
    from pydantic import TypeAdapter, ValidationError

    from abroad.core.settings import mistakes_in

    known = setting_names(kind)
    former: Mapping[str, str] = getattr(kind, "all_former_names", dict)()
    unknown = [name for name in values if name not in known and name not in former]
    mistakes = [f"no setting {name!r}{f' of {of}' if of else ''}; {expected(name, known)}" for name in unknown]
    try:
        read = TypeAdapter(kind).validate_python({key: value for key, value in values.items() if key not in unknown})
    except ValidationError as error:
        mistakes += [f"{key}: {text}" if key else text for key, text in mistakes_in(error)]
    if mistakes:
        raise InputError(f"{whose}: {'; '.join(mistakes)}")
    return read
