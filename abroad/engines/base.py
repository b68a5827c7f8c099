"""The protocol every engine speaks: requests, answers, scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.registry import Capability

Prompt = str | tuple[int, ...]
"""Text, or token ids when the caller has placed special tokens."""


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One text to generate.

    Attributes:
        id: names the request in its answer.
        prompt: text, or token ids when the caller has placed special tokens.
        max_new_tokens: at most so many tokens are generated.
        temperature: 0 takes the most probable token; above 0 samples.
        top_p: nucleus sampling: the smallest set of tokens with this probability.
        seed: of this request alone, so that its text does not depend on its batch.
        stop: strings at which the text ends; they are not part of it.
        beams: beam search with so many beams; then temperature must be 0.
        length_penalty: of beam search, as in transformers.
        early_stopping: of beam search, as in transformers.
        force_end: beam search gives the end token as the last of the budget, so that
            all hypotheses are compared as whole ones.
        ngram_block: runs of so many generated tokens come once at most; 0: no such rule. The prompt does not count,
            since names are copied from it.
        regex: the whole text matches it.
        grammar: instead, the whole text is of this grammar (Lark's notation,
            https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md).
        chat: the prompt is a user's turn: the model's chat template goes around it.
        stop_loops: a text that says the same over and over is ended, as "length"; engines without such a rule let it
            run to its budget.
        images: data URLs of images that come before the text of the turn, or before a prompt of token ids.
    """

    id: str
    prompt: Prompt
    max_new_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    beams: int = 1
    length_penalty: float = 1.0
    early_stopping: bool | str = False
    force_end: bool = False
    ngram_block: int = 0
    regex: str | None = None
    grammar: str | None = None
    chat: bool = False
    images: tuple[str, ...] = ()
    stop_loops: bool = False

    def __post_init__(self) -> None:
        if self.temperature < 0 or not 0 < self.top_p <= 1 or self.max_new_tokens < 1 or self.beams < 1:
            raise InputError(
                f"request {self.id!r}: expected temperature >= 0, 0 < top_p <= 1, max_new_tokens >= 1, beams >= 1"
            )
        if self.beams > 1 and self.temperature > 0:
            raise InputError(f"request {self.id!r}: beam search takes temperature 0")
        if self.regex is not None and self.grammar is not None:
            raise InputError(f"request {self.id!r}: expected a regex or a grammar, found both")
        if self.chat and not isinstance(self.prompt, str):
            raise InputError(f"request {self.id!r}: a turn of a chat is text, not token ids")
        if self.images and not self.chat and isinstance(self.prompt, str):
            raise InputError(f"request {self.id!r}: images are part of a turn of a chat, or stand before token ids")


class RefusedImage(NamedTuple):
    """An image of a request that a model does not take, so that its text was written without it.

    Attributes:
        number: among the images of the request, from 0.
        reason: that the model's processor, or the server, gives.
    """

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Generation:
    """The answer to a request.

    Attributes:
        id: of the request.
        text: what was generated; empty where there is an error.
        finish_reason: "stop" (end token or stop string), "length" (cut off), or "error".
        tokens: number of generated tokens.
        logprob: sum of the log-probabilities of the generated tokens, None with beam search
            (there: the length-normalised beam score).
        error: why there is no text, if there is none.
        prompt_tokens: number of tokens of the prompt, 0 where a server does not tell.
        too_long: the error is that prompt and new tokens do not fit the context.
        refused_images: that the model does not take (Qwen-VL: one 200 times as wide as high); the others were shown.
        ask_again: the error is a server's, which may take the request another time; that nothing was answered is no
            result to be kept.
    """

    id: str
    text: str
    finish_reason: str
    tokens: int
    logprob: float | None = None
    error: str | None = None
    prompt_tokens: int = 0
    too_long: bool = False
    refused_images: tuple[RefusedImage, ...] = ()
    ask_again: bool = False


class Score(NamedTuple):
    """How probable a given continuation is.

    Attributes:
        logprob: sum of the log-probabilities of its tokens (natural logarithm).
        tokens: how many they are; a token across the seam of prompt and continuation counts.
    """

    logprob: float
    tokens: int


class Engine(Protocol):
    """Generates texts, and scores given ones.

    Attributes:
        capabilities: of this engine with its model; `refusal` says what follows of them for a request.
        has_chat_template: whether a prompt can be a user's turn.
        context_length: tokens of prompt and text together; None where only a server knows.
    """

    @property
    def capabilities(self) -> Capability: ...

    @property
    def has_chat_template(self) -> bool: ...

    @property
    def context_length(self) -> int | None: ...

    def generate(self, requests: Iterable[GenerationRequest]) -> Iterator[Generation]:
        """Answers come as they are ready, in any order, one for each request."""
        ...

    def score(self, prompts: Sequence[Prompt], continuations: Sequence[str]) -> list[Score | None]:
        """The score of each continuation after the prompt at its place; None where the two do not fit the context.

        Raises:
            InputError: not as many prompts as continuations, an empty one, or a server without log-probabilities.
        """
        ...


@dataclass(frozen=True)
class EngineKind:
    """A member of the registry of engines: what is known of one before a model is loaded.

    Attributes:
        Settings: what can be set, a class derived from `abroad.engines.spec.EngineSettings`.
        capabilities: what such engines can do.
        load: (model by name or path, batch size, settings of the class `Settings`, the context, which is told what a
            person should know while it works) -> the engine. Raises InputError for a model that there is not, or that
            does not fit.
    """

    Settings: type[Any]
    capabilities: Capability
    load: Callable[[str, int, Any, Context], Engine]


NO_TEMPLATE = "the model's tokenizer has no chat template; expected an instruct model, or prompts without one"
NO_IMAGES = "this model reads text only; expected one that reads images (LLaVA, Qwen-VL, Gemma 3) for images"


_LACKS = {
    Capability.BEAMS: "this engine has no beam search: expected beams 1",
    Capability.NGRAM_BLOCK: "this engine has no n-gram block: expected ngram_block 0",
    Capability.IMAGES: NO_IMAGES,
}


def needs(request: GenerationRequest) -> Capability:
    """What an engine must be able to do for a request; a constraint is passed on to any."""
    return (
        (Capability.BEAMS if request.beams > 1 else Capability.NONE)
        | (Capability.NGRAM_BLOCK if request.ngram_block else Capability.NONE)
        | (Capability.IMAGES if request.images else Capability.NONE)
    )


def refusal(request: GenerationRequest, engine: Engine) -> str | None:
    """Why an engine cannot answer a request whatever its length, or None."""
    for missing in needs(request) & ~engine.capabilities:
        return _LACKS[missing]
    if request.chat and not engine.has_chat_template:
        return NO_TEMPLATE
    if request.images and not request.chat and Capability.TOKEN_IDS not in engine.capabilities:
        return "this engine takes images in a turn of a chat only"
    return None


def check_pairs(prompts: Sequence[Prompt], continuations: Sequence[str]) -> None:
    """Check that there is a continuation, not empty, for each prompt.

    Raises:
        InputError: There is not.
    """
    if len(prompts) != len(continuations):
        raise InputError(f"expected a continuation for each of {len(prompts)} prompts, found {len(continuations)}")
    if not all(continuations):
        raise InputError("an empty continuation has no log-probability")
