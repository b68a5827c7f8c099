"""What a server does not take of a request, told by its refusal, and what is done without.

Servers know different parameters: the newer models of OpenAI take no `max_tokens`, many servers no `logprobs` or
`seed`. A refusal names the parameter, as `param` (OpenAI), as the place of a validation error (FastAPI), or in its
sentence. What can be left out without asking for another answer is left out from then on; of anything else the error
says what is to be done.
"""

from __future__ import annotations

import re
import threading
from typing import Any

import httpx

from abroad.core.context import Context
from abroad.core.http import Unreadable, json_of, objects_of, part_of

_REFUSED = (400, 422)
_DEFAULTS: dict[str, Any] = {"top_p": 1, "temperature": 1}
"""What a server takes where nothing is said, by the API."""
_IDLE = {
    "logprobs": "answers come without their probabilities",
    "seed": "samples will not come out the same again",
}
"""What no answer depends on; what is lost without."""
_RENAMED = {"max_tokens": "max_completion_tokens"}
_EXPECTED = {
    "temperature": "a temperature that it takes, mostly 1 (--temperature 1)",
    "top_p": "top_p 1",
    "stop": "a model or a server that ends its answers at `stop`",
    "structured_outputs": "answers that are not bound to a form (--free), or a server such as vLLM",
    "max_tokens": "fewer tokens of an answer, or a server that takes so many",
}
_NOT_PARAMETERS = ("model", "prompt", "messages")
_LONG = ("context_length_exceeded", "context length", "context size", "exceed_context_size")


def message(response: httpx.Response) -> str:
    """What the server says is wrong, shortened."""
    answer = _read(response)
    text = part_of(answer, "error", "message") or part_of(answer, "error") or answer or response.text
    return " ".join(str(text).split())[:300].rstrip(". ")


def is_too_long(response: httpx.Response) -> bool:
    """Whether the server refuses a text for its length: OpenAI's code, or vLLM's and llama.cpp's words."""
    return response.status_code in (400, 413) and any(words in response.text.lower() for words in _LONG)


def parameter_refused(body: dict[str, Any], response: httpx.Response) -> str | None:
    """The parameter of a request that its refusal names, or None."""
    if response.status_code not in _REFUSED or is_too_long(response):
        return None
    ours = [name for name in body if name not in _NOT_PARAMETERS]
    answer = _read(response)
    places: list[Any] = [part_of(answer, "error", "param"), part_of(answer, "param")]
    for detail in (*objects_of(answer, "detail"), *objects_of(answer, "error", "detail")):
        where = detail.get("loc")
        places += where if isinstance(where, list) else []
    told = (name for place in places for name in ours if place == name)
    # A sentence that says what to take in place names that too, later.
    said = sorted((found.start(), name) for name in ours if (found := _mention(name).search(message(response))))
    return next(told, said[0][1] if said else None)


def _mention(name: str) -> re.Pattern[str]:
    """How a sentence names a parameter: what is also a word of English only in quotes or where it is called one."""
    if "_" in name or name == "logprobs":
        return re.compile(rf"\b{name}\b")
    kinds = r"(?:parameters?|arguments?|fields?|options?|keys?|inputs?)"
    after = rf"\W{{1,3}}(?:is|are|must|should|does|cannot|{kinds})\b"
    return re.compile(rf"['\"`]{name}['\"`]|\b{kinds}\W{{1,3}}{name}\b|\b{name}\b(?:{after}|\s*:)")


def _read(response: httpx.Response) -> Any:
    try:
        return json_of(response)
    except Unreadable:
        return None


def expectation(name: str) -> str:
    """What to do where a server does not take a parameter that decides the answer."""
    expected = _EXPECTED.get({new: old for old, new in _RENAMED.items()}.get(name, name), "a server that takes it")
    return f"the server does not take this {name}; expected {expected}"


class Parameters:
    """What one address of a server takes of our requests, as far as it has told.

    Args:
        url: the address, for messages.
    """

    def __init__(self, url: str, context: Context) -> None:
        self._url, self._context = url, context
        self._left_out: set[str] = set()
        self._lock = threading.Lock()

    def body(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """The request without what the server is known not to take."""
        body = dict(wanted)
        for name in self._left_out & wanted.keys():
            body = _without(body, name) or body
        return body

    def otherwise(self, body: dict[str, Any], response: httpx.Response) -> dict[str, Any] | None:
        """The same request without the parameter that was refused; None where nothing can be done without it."""
        name = parameter_refused(body, response)
        return _without(body, name) if name is not None else None

    def learn(self, wanted: dict[str, Any], body: dict[str, Any]) -> None:
        """Remember what was left out of a request that was answered, and say it once."""
        for name in wanted.keys() - body.keys():
            with self._lock:
                known = name in self._left_out
                self._left_out.add(name)
            if not known:
                how = f"{_RENAMED[name]} is asked" if name in _RENAMED else f"left out{_lost(name)}"
                self._context.say(f"{self._url}: the server does not take {name}: {how}")


def _lost(name: str) -> str:
    return f", {_IDLE[name]}" if name in _IDLE else ""


def _without(body: dict[str, Any], name: str) -> dict[str, Any] | None:
    """The body that asks the same without a parameter, if there is one."""
    rest = {key: value for key, value in body.items() if key != name}
    if name in _RENAMED:
        return {**rest, _RENAMED[name]: body[name]}
    if name in _IDLE or (name in _DEFAULTS and body[name] == _DEFAULTS[name]):
        return rest
    return None
