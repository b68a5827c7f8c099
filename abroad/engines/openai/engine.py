"""Generation by any server that speaks OpenAI's completions API: `vllm serve`, llama.cpp, TGI, a cloud.

https://platform.openai.com/docs/api-reference/completions. The completions endpoint and not
the chat one, since prompts may force the opening words of the text, and may be token ids; a prompt
that is a user's turn, with its images, goes to the chat endpoint
(https://platform.openai.com/docs/api-reference/chat).
Requests run in threads; no more than a few are ahead of who takes the answers, so memory
does not grow with the number of prompts.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any, ClassVar

import httpx
import tenacity

from abroad.core.context import Context
from abroad.core.errors import AbroadError, InputError
from abroad.core.http import (
    USER_AGENT,
    NoAnswer,
    Unreadable,
    check_status,
    int_of,
    json_of,
    objects_of,
    part_of,
    with_retries,
)
from abroad.core.http import (
    request as ask_once,
)
from abroad.core.jsonl import without_halves
from abroad.engines.base import Generation, GenerationRequest, Prompt, Score, check_pairs, refusal
from abroad.engines.openai.member import KIND, OpenAiSettings

DEFAULT_URL = "http://127.0.0.1:8000/v1"  # where `vllm serve` listens
_AHEAD = 2  # requests asked for or answered and not yet taken, for each connection


class OpenAiEngine:
    """Generates with a model that a server holds.

    Args:
        model: as the server names it.
        settings: where the server is, and how it is asked.
        concurrency: requests at once.
        api_key: kept out of messages and records; None sends none.
        context: is told of each failed try.
    """

    capabilities: ClassVar = KIND.capabilities

    def __init__(
        self,
        model: str,
        settings: OpenAiSettings | None = None,
        concurrency: int = 16,
        api_key: str | None = None,
        context: Context | None = None,
    ) -> None:
        settings = settings or OpenAiSettings()
        base_url = settings.base_url or DEFAULT_URL
        self.model, self.concurrency = model, concurrency
        self._url = f"{base_url.rstrip('/')}/completions"
        self._chat_url = f"{base_url.rstrip('/')}/chat/completions"
        self._understood = False  # whether an answer could be read yet; a server of another kind gives none
        self._settings, self._context = settings, context or Context()
        headers = {"User-Agent": USER_AGENT} | ({"Authorization": f"Bearer {api_key}"} if api_key else {})
        limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        self._http = httpx.Client(timeout=settings.timeout, headers=headers, limits=limits)

    @classmethod
    def from_name(
        cls,
        name: str,
        batch_size: int = 16,
        settings: OpenAiSettings | None = None,
        context: Context | None = None,
    ) -> OpenAiEngine:
        """A model by the server's name for it; address and key from OPENAI_BASE_URL and OPENAI_API_KEY if not set."""
        chosen = settings or OpenAiSettings()
        if chosen.base_url is None and (url := os.environ.get("OPENAI_BASE_URL")):
            chosen = chosen.replace(base_url=url)
        return cls(name, chosen, batch_size, os.environ.get("OPENAI_API_KEY"), context)

    @property
    def has_chat_template(self) -> bool:
        """The server's to know: it refuses a turn if it has none."""
        return True

    @property
    def context_length(self) -> int | None:
        """The server's to know: it refuses a text that is too long."""
        return None

    def generate(self, requests: Iterable[GenerationRequest]) -> Iterator[Generation]:
        """Yield answers as they come; a request that the server refuses gets an error, not an end of the run.

        Raises:
            AbroadError: no answer after all attempts, access refused, or no such model.
        """
        stream = iter(requests)
        running: set[Future[Generation]] = set()
        pool = ThreadPoolExecutor(self.concurrency, thread_name_prefix="completion")
        failure: BaseException | None = None
        try:
            while True:
                if failure is None:
                    room = self.concurrency * _AHEAD - len(running)
                    running |= {pool.submit(self._answer, request) for request in itertools.islice(stream, room)}
                if not running:
                    break
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    if future.exception() is None:
                        yield future.result()
                    elif failure is None:
                        failure = future.exception()
                        # What is under way is paid for: it is waited for and kept, the rest is not begun.
                        running = {other for other in running if not other.cancel()}
            if failure is not None:
                raise failure
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def score(self, prompts: Sequence[Prompt], continuations: Sequence[str]) -> list[Score | None]:
        """See `Engine.score`; asks the server to echo the text with its log-probabilities.

        Raises:
            InputError: also for prompts as token ids, and for a server that gives no log-probabilities of the prompt.
        """
        check_pairs(prompts, continuations)
        if not all(isinstance(prompt, str) for prompt in prompts):
            raise InputError("the engine openai scores prompts given as text, not as token ids")
        ask = self._retrying()
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="score") as pool:
            running = [
                pool.submit(ask, self._score, str(prompt), continuation)
                for prompt, continuation in zip(prompts, continuations, strict=True)
            ]
            try:
                return [future.result() for future in running]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _score(self, prompt: str, continuation: str) -> Score | None:
        text = prompt + continuation
        # One new token, since some servers refuse 0; what it is does not matter.
        body = {"model": self.model, "prompt": text, "max_tokens": 1, "temperature": 0, "echo": True, "logprobs": 1}
        response = ask_once(self._http, "POST", self._url, json=body)
        lacks = f"{self._url}: the server gives no log-probabilities of a prompt (echo), which scoring needs"
        if response.status_code in (404, 405):  # servers that chat only, and models that do
            raise InputError(f"{lacks}: HTTP {response.status_code}: {_message(response)}")
        self._checked(response)
        if _is_too_long(response):
            return None
        if response.status_code != 200:
            raise InputError(f"{lacks}: HTTP {response.status_code}: {_message(response)}")
        choice = _first_choice(json_of(response))
        echoed = choice.get("text")
        if not isinstance(echoed, str):
            raise Unreadable("unreadable answer (no text)")
        values = _continuation_values(choice, prompt, text) if echoed.startswith(text) else None
        if not values:
            raise InputError(lacks)
        return Score(float(sum(values)), len(values))

    def _checked(self, response: httpx.Response) -> httpx.Response:
        """The answer, if no access or no model is not what it says."""
        check_status(response)
        if response.status_code in (401, 403):
            raise AbroadError(f"{self._url}: access refused (HTTP {response.status_code}); check OPENAI_API_KEY")
        if response.status_code == 404:
            raise AbroadError(f"{self._url}: HTTP 404; is {self.model!r} the model that the server holds?")
        return response

    def _answer(self, request: GenerationRequest) -> Generation:
        if (reason := refusal(request, self)) is not None:
            return _failed(request, reason)
        try:
            answer: Generation = self._retrying()(self._post, request)
        except NoAnswer as error:
            if error.unreadable and self._understood:
                return _failed(request, str(error.cause))
            raise
        self._understood = True
        return answer

    def _retrying(self) -> tenacity.Retrying:
        asked = self._settings
        return with_retries(self._url, asked.attempts, asked.first_wait, self._context, asked.deadline)

    def _post(self, request: GenerationRequest) -> Generation:
        constraint = {key: getattr(request, key) for key in ("regex", "grammar") if getattr(request, key) is not None}
        body = {
            "model": self.model,
            **(_turn(request) if request.chat else {"prompt": _completion(request), "logprobs": 1}),
            "max_tokens": request.max_new_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "seed": request.seed,
            **({"stop": list(request.stop)} if request.stop else {}),
            # vLLM's own field; a server without it ignores it or refuses the request, and says so
            **({"structured_outputs": constraint} if constraint else {}),
        }
        response = self._checked(ask_once(self._http, "POST", self._chat_url if request.chat else self._url, json=body))
        if response.status_code != 200:
            reason = f"refused by the server (HTTP {response.status_code}): {_message(response)}"
            return replace(_failed(request, reason), too_long=_is_too_long(response))
        answer = json_of(response)
        choice = _first_choice(answer)
        text = part_of(choice, "message", "content") if request.chat else choice.get("text")
        if not isinstance(text, str) or not text.strip():
            return _failed(request, "empty completion")
        return Generation(
            request.id,
            without_halves(text),
            "length" if choice.get("finish_reason") == "length" else "stop",
            int_of(part_of(answer, "usage", "completion_tokens")) or 0,
            _log_probability(choice),
            prompt_tokens=int_of(part_of(answer, "usage", "prompt_tokens")) or 0,
        )


def _first_choice(answer: Any) -> dict[str, Any]:
    choices = objects_of(answer, "choices")
    if not choices:
        raise Unreadable("unreadable answer (no choice)")
    return choices[0]


def _failed(request: GenerationRequest, reason: str) -> Generation:
    return Generation(request.id, "", "error", 0, error=reason)


def _completion(request: GenerationRequest) -> str | list[int]:
    return request.prompt if isinstance(request.prompt, str) else list(request.prompt)


def _turn(request: GenerationRequest) -> dict[str, Any]:
    """The prompt as one user's turn; images stand before the text, as multimodal models were trained with."""
    if not request.images:
        content: Any = request.prompt
    else:
        shown = [{"type": "image_url", "image_url": {"url": url}} for url in request.images]
        content = [*shown, {"type": "text", "text": request.prompt}]
    return {"messages": [{"role": "user", "content": content}], "logprobs": True}


def _is_too_long(response: httpx.Response) -> bool:
    """Whether the server refuses a text for its length: OpenAI's code, or vLLM's and llama.cpp's words."""
    return response.status_code in (400, 413) and any(
        words in response.text.lower()
        for words in ("context_length_exceeded", "context length", "context size", "exceed_context_size")
    )


def _log_probability(choice: dict[str, Any]) -> float | None:
    values = part_of(choice, "logprobs", "token_logprobs") or [
        token.get("logprob") for token in objects_of(choice, "logprobs", "content")
    ]
    numbers = [float(value) for value in values if _is_number(value)] if isinstance(values, list) else []
    total = sum(numbers)
    return total if numbers and math.isfinite(total) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < 1e300


def _continuation_values(choice: dict[str, Any], prompt: str, text: str) -> list[float] | None:
    """Log-probabilities of the tokens of `text` that end after `prompt`, or None if the answer lacks them."""
    tokens, values, offsets = (
        part_of(choice, "logprobs", key) or [] for key in ("tokens", "token_logprobs", "text_offset")
    )
    if not all(isinstance(each, list) for each in (tokens, values, offsets)):
        return None
    if not tokens or not len(tokens) == len(values) == len(offsets):
        return None
    if not all(isinstance(token, str) for token in tokens) or not all(isinstance(offset, int) for offset in offsets):
        return None
    # A token that begins a text ("<s>") stands in the lists and not in the echo, but moves the offsets (vLLM).
    moved = offsets[1] if len(offsets) > 1 and tokens[0] and not text.startswith(tokens[0]) else 0
    ends = [*(offset - moved for offset in offsets[1:]), len(choice["text"])]
    starts = [offset - moved for offset in offsets]
    wanted = [
        value for value, start, end in zip(values, starts, ends, strict=True) if end > len(prompt) and start < len(text)
    ]
    return wanted if all(map(_is_number, wanted)) else None


def _message(response: httpx.Response) -> str:
    """What the server says is wrong, shortened."""
    try:
        answer = json_of(response)
    except Unreadable:
        answer = response.text
    text = part_of(answer, "error", "message") or part_of(answer, "error") or answer
    return " ".join(str(text).split())[:300]
