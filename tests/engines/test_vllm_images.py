"""What vLLM is asked for images, where it is not installed: against a stand-in of what the engine calls.

With vLLM itself (`make test-vllm`) the suite of all engines runs, `test_images.py`.
"""

import sys
from types import SimpleNamespace

import pytest

from abroad.core.registry import Capability
from abroad.engines.spec import make_engine
from tests.engines.test_images import BLUE, IDS, RED, answers, request
from tests.visual import save_visual_model

LONG = "The decoder prompt (length 900) is longer than the maximum model length of 512."


class FakeEngine:
    """Takes requests as vLLM's LLMEngine does, and answers each with how many images it was shown."""

    def __init__(self, tokenizer):
        self.tokenizer, self.waiting, self.asked = tokenizer, [], []
        self.model_config = SimpleNamespace(max_model_len=512)

    def get_tokenizer(self):
        return self.tokenizer

    def add_request(self, id, prompt, params, lora_request=None):
        assert set(prompt) <= {"prompt_token_ids", "multi_modal_data"}
        if len(prompt.get("multi_modal_data", {"image": []})["image"]) > 2:
            raise ValueError(LONG)
        self.asked.append((prompt, params))
        self.waiting.append((id, prompt))

    def step(self):
        waiting, self.waiting = self.waiting, []
        for id, prompt in waiting:
            shown = prompt.get("multi_modal_data", {}).get("image", [])
            output = SimpleNamespace(text=f"{len(shown)}", finish_reason="stop", token_ids=[1], cumulative_logprob=-1.0)
            ids = prompt["prompt_token_ids"]
            yield SimpleNamespace(request_id=id, finished=True, outputs=[output], prompt_token_ids=ids)

    def abort_request(self, ids):
        raise AssertionError("nothing is left running")


@pytest.fixture
def make(monkeypatch):
    """An engine over a model, and the stand-in that it runs on."""

    def made(model):
        from abroad.models.load import load_tokenizer
        from abroad.models.resolve import resolve_model

        engine = FakeEngine(load_tokenizer(resolve_model(str(model))))
        plain = SimpleNamespace
        modules = {
            "vllm": plain(EngineArgs=dict, LLMEngine=plain(from_engine_args=lambda args: engine), SamplingParams=plain),
            "vllm.lora": plain(),
            "vllm.lora.request": plain(LoRARequest=plain),
            "vllm.exceptions": plain(VLLMClientError=KeyError),
            "vllm.sampling_params": plain(StructuredOutputsParams=plain),
        }
        for name, module in modules.items():
            monkeypatch.setitem(sys.modules, name, module)
        return make_engine("vllm", str(model), 4), engine

    return made


@pytest.mark.parametrize("family", ["llava", "gemma3"])
def test_a_prompt_has_one_place_for_each_image_and_the_pictures_beside_it(family, smollm2, tmp_path, make):
    running, fake = make(save_visual_model(smollm2, tmp_path / "m", family))
    assert Capability.IMAGES in running.capabilities and running.has_chat_template
    found = answers(
        running,
        request("plain"),
        request("two", images=(RED, BLUE), regex="[0-9]"),
        request("ids", prompt=IDS, images=(RED,)),
        request("broken", images=(RED, "data:image/png;base64,AAAA")),
        request("long", images=(RED, RED, RED)),
    )
    assert {id: answer.text for id, answer in found.items() if not answer.error} == {
        "plain": "0",
        "two": "2",
        "ids": "1",
        "broken": "1",
    }
    assert [image.number for image in found["broken"].refused_images] == [1]
    assert found["long"].error == LONG and found["long"].too_long
    (plain, _), (two, bound), (ids, _), _ = fake.asked
    assert "multi_modal_data" not in plain and bound.structured_outputs.regex == "[0-9]"
    assert [picture.size for picture in two["multi_modal_data"]["image"]] == [(40, 24), (30, 60)]
    assert all(picture.mode == "RGB" for picture in two["multi_modal_data"]["image"])
    place = _place(running)
    assert [two["prompt_token_ids"].count(place), plain["prompt_token_ids"].count(place)] == [2, 0]
    assert ids["prompt_token_ids"].count(place) == 1 and tuple(ids["prompt_token_ids"][-len(IDS) :]) == IDS
    assert running.images.tokenizer.decode(two["prompt_token_ids"]).endswith("assistant\n")


def _place(engine):
    """Id of the token that stands for an image before the processor makes it as many as the image has."""
    processor = engine.images.processor
    return engine.images.tokenizer.convert_tokens_to_ids(processor.image_token)


def test_a_model_that_reads_text_only_refuses_in_words(tiny_model, make):
    running, fake = make(tiny_model)
    assert Capability.IMAGES not in running.capabilities
    found = answers(running, request("shown", images=(RED,)), request("plain"))
    assert "reads text only" in found["shown"].error and found["plain"].text == "0" and len(fake.asked) == 1
