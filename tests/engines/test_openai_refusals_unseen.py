"""Sentences of refusals that were not at hand when their rule was written."""

import httpx
import pytest

from abroad.engines.openai.parameters import parameter_refused

BODY = {"model": "m", "messages": [], "max_tokens": 5, "temperature": 0.2, "top_p": 1, "seed": 0, "logprobs": 1}
BODY |= {"stop": ["x"]}


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("property 'seed' is unsupported", "seed"),
        ("Parameter top_p not supported with this model.", "top_p"),
        ("logprobs are not enabled for your account", "logprobs"),
        ("The temperature must be 1 for reasoning models", "temperature"),
        ("Extra inputs are not permitted, field: 'stop'", "stop"),
        ("Argument not supported: max_tokens", "max_tokens"),
        ("Please stop sending so many requests.", None),
        ("Room temperature storage was flagged", None),
        pytest.param(
            "Unrecognized request argument supplied: seed",
            "seed",
            marks=pytest.mark.xfail(strict=True, reason="a word of English that a colon alone makes a name"),
        ),
    ],
)
def test_a_refusal_names_its_parameter(sentence, name):
    assert parameter_refused(BODY, httpx.Response(400, json={"error": {"message": sentence}})) == name
