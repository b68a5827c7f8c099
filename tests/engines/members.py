"""Each engine over a real model, for the suite of behaviour: the one for servers asks a server that holds the model."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from abroad.engines.base import Engine, GenerationRequest
from abroad.engines.spec import make_engine, read_settings
from abroad.engines.transformers.engine import TransformersEngine
from tests.sources.servers import _Handler, serving


@contextlib.contextmanager
def of_transformers(model: Path, batch_size: int) -> Iterator[Engine]:
    yield make_engine("transformers", str(model), batch_size)


@contextlib.contextmanager
def of_vllm(model: Path, batch_size: int) -> Iterator[Engine]:
    if importlib.util.find_spec("vllm") is None:
        pytest.skip("vLLM is not installed here: make test-vllm")
    yield make_engine("vllm", str(model), batch_size)


@contextlib.contextmanager
def of_openai(model: Path, batch_size: int) -> Iterator[Engine]:
    with serving(_handler(TransformersEngine.from_name(str(model)))) as base:
        settings = read_settings("openai", {"base_url": f"{base}/v1", "first_wait": 0, "attempts": 1})
        yield make_engine("openai", "m", batch_size, settings)


MEMBERS: dict[str, Callable[[Path, int], AbstractContextManager[Engine]]] = {
    "openai": of_openai,
    "transformers": of_transformers,
    "vllm": of_vllm,
}
"""Name of an engine -> (directory of a model, batch size) -> the engine."""


def _handler(engine: TransformersEngine) -> type[_Handler]:
    """The completions API over a model: what `vllm serve` does with the fields that our engine sends."""
    lock = threading.Lock()

    class Handler(_Handler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                status, answer = _echo(engine, body) if body.get("echo") else _complete(engine, body)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # who asked may have gone
                self.answer(status, json.dumps(answer).encode())

    return Handler


def _complete(engine: TransformersEngine, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    chat, images = "messages" in body, ()
    prompt = body["messages"][0]["content"] if chat else body["prompt"]
    if chat and isinstance(prompt, list):
        *shown, text = prompt
        prompt, images = text["text"], tuple(part["image_url"]["url"] for part in shown)
    asked = GenerationRequest(
        "r",
        prompt if isinstance(prompt, str) else tuple(prompt),
        chat=chat,
        images=images,
        max_new_tokens=body["max_tokens"],
        temperature=body["temperature"],
        top_p=body["top_p"],
        seed=body["seed"],
        stop=tuple(body.get("stop", ())),
        **body.get("structured_outputs", {}),
    )
    (made,) = engine.generate([asked])
    if made.error is not None:
        words = f"{made.error}; the context length is {engine.context_length}" if made.too_long else made.error
        return 400, {"error": {"message": words}}
    if made.refused_images:  # a server says no to all of it
        return 400, {"error": {"message": made.refused_images[0].reason}}
    choice = {
        "index": 0,
        **({"message": {"role": "assistant", "content": made.text}} if chat else {"text": made.text}),
        "finish_reason": made.finish_reason,
        "logprobs": {"token_logprobs": [made.logprob]},
    }
    return 200, {
        "choices": [choice],
        "usage": {"completion_tokens": made.tokens, "prompt_tokens": made.prompt_tokens},
    }


def _echo(engine: TransformersEngine, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """The prompt and one token more, each token with its log-probability."""
    import torch

    encoded = engine.tokenizer(body["prompt"], return_offsets_mapping=True)
    ids = encoded["input_ids"]
    if len(ids) >= engine.context_length:
        return 400, {"error": {"message": f"the context length is {engine.context_length}"}}
    with torch.inference_mode():
        logits = torch.log_softmax(engine.model(torch.tensor([ids])).logits[0].float(), -1)
    values = [None, *(float(logits[place - 1, ids[place]]) for place in range(1, len(ids)))]
    offsets = [start for start, _ in encoded["offset_mapping"]]
    tokens = [body["prompt"][start:end] for start, end in encoded["offset_mapping"]]
    new = engine.tokenizer.decode([int(logits[-1].argmax())])
    choice = {
        "index": 0,
        "text": body["prompt"] + new,
        "finish_reason": "length",
        "logprobs": {
            "tokens": [*tokens, new],
            "token_logprobs": [*values, float(logits[-1].max())],
            "text_offset": [*offsets, len(body["prompt"])],
        },
    }
    return 200, {"choices": [choice], "usage": {}}
