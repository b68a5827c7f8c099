"""Generation by any server that speaks OpenAI's completions API: `vllm serve`, llama.cpp, TGI, a cloud.

https://platform.openai.com/docs/api-reference/completions. The completions endpoint and not
the chat one, since prompts may force the opening words of the text, and may be token ids; a prompt
that is a user's turn, with its images, goes to the chat endpoint
(https://platform.openai.com/docs/api-reference/chat).
Requests run in threads (`threads.py`); what a server does not take of them is left out where that asks the same
(`parameters.py`). Each try is told to the context's `tries`, since it may be paid for.
"""

from __future__ import annotations

import math
import os
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, ClassVar

import httpx
import tenacity

from abroad.core.context import Context
from abroad.core.errors import AbroadError, InputError
from abroad.core.http import (
    USER_AGENT,
    NoAnswer,
    TransientError,
    Unreadable,
    check_status,
    int_of,
    json_of,
    objects_of,
    open_client,
    part_of,
    with_retries,
)
from abroad.core.http import (
    request as ask_once,
)
from abroad.core.jsonl import without_halves
from abroad.core.tries import TryRefused
from abroad.engines.base import Generation, GenerationRequest, Prompt, Score, check_pairs, refusal
from abroad.engines.openai.images import REFUSED, ImageCheck
from abroad.engines.openai.member import KIND, OpenAiSettings
from abroad.engines.openai.parameters import Parameters, expectation, is_too_long, message, parameter_refused
from abroad.engines.openai.threads import Stopped, answers

DEFAULT_URL = "http://127.0.0.1:8000/v1"  # where `vllm serve` listens
_PATIENCE = 5.0
"""Seconds for what a server says of its models, which is of use and not needed."""
_MAX_REFUSED = 8
"""First requests that are all refused alike, after which a server is taken to refuse every one."""
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_PASSED_ON = (502, 504)
"""What a gateway says of a model that may have answered, and charged for it."""


class ServerError(TransientError):
    """An answer that the server itself has failed (5xx)."""


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
        self._base_url = base_url.rstrip("/")
        self._url, self._chat_url = f"{self._base_url}/completions", f"{self._base_url}/chat/completions"
        self._understood = False  # whether an answer could be read yet; a server of another kind gives none
        self._images = ImageCheck()
        self._refused: list[str] = []  # why, in the order of answers, until there is another answer
        self._lock = threading.Lock()
        self._settings, self._context = settings, context or Context()
        self._parameters = {url: Parameters(url, self._context) for url in (self._url, self._chat_url)}
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

    @cached_property
    def context_length(self) -> int | None:
        """As the server's list of models says (`max_model_len`); else None, and the server refuses what is too long."""
        patience = min(_PATIENCE, self._settings.timeout)
        try:
            with open_client(patience, headers=dict(self._http.headers)) as client:
                told = json_of(ask_once(client, "GET", f"{self._base_url}/models"))
        except (httpx.HTTPError, TransientError, AbroadError):
            return None
        models = (model for model in objects_of(told, "data") if model.get("id") == self.model)
        return next((length for model in models if (length := int_of(model.get("max_model_len")) or 0) > 0), None)

    def generate(self, requests: Iterable[GenerationRequest]) -> Iterator[Generation]:
        """Yield answers as they come; a request that the server refuses gets an error, not an end of the run.

        Raises:
            AbroadError: no answer after all attempts, access refused, no such model, or first answers that are all
                refused alike.
            KeyboardInterrupt: Ctrl-C or SIGTERM; answers that were under way have been yielded.
        """
        return answers(self._answer, requests, self.concurrency, self._context)

    def score(self, prompts: Sequence[Prompt], continuations: Sequence[str]) -> list[Score | None]:
        """See `Engine.score`; asks the server to echo the text with its log-probabilities.

        Raises:
            InputError: also for prompts as token ids, and for a server that gives no log-probabilities of the prompt.
        """
        check_pairs(prompts, continuations)
        if not all(isinstance(prompt, str) for prompt in prompts):
            raise InputError("the engine openai scores prompts given as text, not as token ids")
        ask = self._retrying(self._url)
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
            raise InputError(f"{lacks}: HTTP {response.status_code}: {message(response)}")
        self._checked(response, self._url)
        if is_too_long(response):
            return None
        if response.status_code != 200:
            raise InputError(f"{lacks}: HTTP {response.status_code}: {message(response)}")
        choice = _first_choice(json_of(response))
        echoed = choice.get("text")
        if not isinstance(echoed, str):
            raise Unreadable("unreadable answer (no text)")
        values = _continuation_values(choice, prompt, text) if echoed.startswith(text) else None
        if not values:
            raise InputError(lacks)
        return Score(float(sum(values)), len(values))

    def _checked(self, response: httpx.Response, url: str) -> httpx.Response:
        """The answer, if no access or no model is not what it says."""
        try:
            check_status(response)
        except TransientError as error:
            said = message(response)
            words = f"{error}: {said}" if said and not said.startswith("<") else str(error)
            kind = ServerError if response.status_code >= 500 else TransientError
            raise kind(words, error.retry_after) from None
        if response.status_code in (401, 403):
            raise AbroadError(f"{url}: access refused (HTTP {response.status_code}); check OPENAI_API_KEY")
        if response.status_code == 404:
            raise AbroadError(f"{url}: HTTP 404; is {self.model!r} the model that the server holds?")
        return response

    def _answer(self, request: GenerationRequest, stop: threading.Event) -> Generation:
        if (reason := refusal(request, self)) is not None:
            return _failed(request, reason)
        if (reason := self._too_long(request)) is not None:
            return _failed(request, reason, ask_again=True, too_long=True)
        try:
            ask = self._retrying(self._url_of(request), stop)
            answer = self._images.answer(request, lambda each: ask(self._post, each))
        except TryRefused as error:
            return _failed(request, str(error), ask_again=True)
        except NoAnswer as error:
            # A server that reads no images says so by an error of its own (llama.cpp: 500), and answers others.
            blind = bool(request.images) and isinstance(error.cause, ServerError)
            if not blind and not (error.unreadable and self._understood):
                raise
            reason = f"{'' if error.unreadable else 'refused by the server: '}{error.cause}"
            answer = _failed(request, reason, ask_again=True)
        self._check_refused(answer, self._url_of(request))
        return answer

    def _check_refused(self, answer: Generation, url: str) -> None:
        """Raise an AbroadError if the server is seen to refuse everything."""
        with self._lock:
            self._understood = self._understood or not answer.ask_again
            if self._understood or answer.too_long:
                return
            self._refused.append(re.sub(r"\d+", "", answer.error or ""))
            if len(self._refused) >= _MAX_REFUSED and len(set(self._refused)) == 1:
                raise AbroadError(f"{url}: the first {len(self._refused)} requests were all {answer.error}")

    def _too_long(self, request: GenerationRequest) -> str | None:
        """Why a request cannot fit the context, where that is sure; a tokenizer makes no fewer tokens than words."""
        prompt, new, context = request.prompt, request.max_new_tokens, self.context_length
        tokens = len(prompt.split() if isinstance(prompt, str) else prompt)
        if context is None or tokens + new <= context:
            return None
        least = "at least " if isinstance(prompt, str) else ""
        return f"{least}{tokens} prompt tokens and {new} new ones do not fit the model's {context} positions"

    def _url_of(self, request: GenerationRequest) -> str:
        return self._chat_url if request.chat else self._url

    def _retrying(self, url: str, stop: threading.Event | None = None) -> tenacity.Retrying:
        asked = self._settings
        retrying = with_retries(url, asked.attempts, asked.first_wait, self._context, asked.deadline)
        return retrying if stop is None else retrying.copy(sleep=_sleeping(url, stop))

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
        response, refused = self._asked(self._url_of(request), body, request.id)
        if response.status_code != 200:
            reason = f"{REFUSED}{response.status_code}): {message(response)}"
            if refused is not None:
                reason += f"; {expectation(refused)}"
            return _failed(request, reason, ask_again=True, too_long=is_too_long(response))
        answer = json_of(response)
        choice = _first_choice(answer)
        text = part_of(choice, "message", "content") if request.chat else choice.get("text")
        tokens, of_prompt = (
            int_of(part_of(answer, "usage", name)) or 0 for name in ("completion_tokens", "prompt_tokens")
        )
        if not isinstance(text, str) or not text.strip():
            return _failed(request, "empty completion", tokens=tokens, prompt_tokens=of_prompt)
        ending = "length" if choice.get("finish_reason") == "length" else "stop"
        return Generation(
            request.id, without_halves(text), ending, tokens, _log_probability(choice), prompt_tokens=of_prompt
        )

    def _asked(self, url: str, wanted: dict[str, Any], id: str) -> tuple[httpx.Response, str | None]:
        """The answer to what is wanted, or to the same in other words; and a parameter for which it is refused."""
        taken = self._parameters[url]
        body = taken.body(wanted)
        response = self._sent(url, body, id)
        while (other := taken.otherwise(body, response)) is not None:
            body = other
            response = self._sent(url, body, id)
        if response.status_code == 200:
            taken.learn(wanted, body)
        return response, parameter_refused(body, response)

    def _sent(self, url: str, body: dict[str, Any], id: str) -> httpx.Response:
        tries = self._context.tries
        tries.sent(id)
        try:
            response = ask_once(self._http, "POST", url, json=body)
        except _NOT_SENT:
            tries.free(id)
            raise
        if response.status_code != 200 and response.status_code not in _PASSED_ON:
            tries.free(id)
        return self._checked(response, url)


def _sleeping(url: str, stop: threading.Event) -> Any:
    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise Stopped(f"{url}: not tried again")

    return sleep


def _first_choice(answer: Any) -> dict[str, Any]:
    choices = objects_of(answer, "choices")
    if not choices:
        raise Unreadable("unreadable answer (no choice)")
    return choices[0]


def _failed(request: GenerationRequest, reason: str, tokens: int = 0, **more: Any) -> Generation:
    return Generation(request.id, "", "error", tokens, error=reason, **more)


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
