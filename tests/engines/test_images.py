"""What every engine that reads images does with them, on tiny models of the real architectures.

Where vLLM is not installed, its member says so (`tests/engines/members.py`); what it would be asked, a stand-in tells
(`test_vllm_images.py`).
"""

import base64
import io
import re

import pytest

from abroad.core.errors import InputError
from abroad.core.registry import Capability
from abroad.engines.base import GenerationRequest
from abroad.engines.spec import ENGINES, EngineSpec, make_engine
from tests.engines.members import MEMBERS
from tests.visual import FAMILIES, save_visual_model


def url(colour: str, size: tuple[int, int]) -> str:
    from PIL import Image

    picture = Image.new("RGB", size, colour)
    picture.paste("white", (0, 0, size[0] // 2, size[1] // 2))
    stream = io.BytesIO()
    picture.save(stream, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


RED, BLUE = url("red", (40, 24)), url("blue", (30, 60))
IDS = tuple(range(50, 70))
HALF = "\ufffd"  # half a character, which vLLM leaves out at the end of a text


def request(id="r", prompt="What does the lichen make?", **options):
    return GenerationRequest(id, prompt, **{"max_new_tokens": 8, "chat": isinstance(prompt, str), **options})


def answers(engine, *requests):
    found = {answer.id: answer for answer in engine.generate(requests)}
    assert sorted(found) == sorted(item.id for item in requests)
    return found


@pytest.fixture(scope="module")
def visual(smollm2, tmp_path_factory):
    """Directory of the model of a family, made once."""
    made = {}

    def model(family):
        if family not in made:
            made[family] = save_visual_model(smollm2, tmp_path_factory.mktemp("visual") / family, family)
        return made[family]

    return model


@pytest.fixture(scope="module", params=FAMILIES)
def model(request, visual):
    return visual(request.param)


@pytest.fixture(scope="module", params=ENGINES.able(Capability.IMAGES))
def engine(request, model):
    with MEMBERS[request.param](model, 4) as running:
        yield running


MIXED = (
    request("plain"),
    request("red", images=(RED,)),
    request("blue", images=(BLUE,)),
    request("two", images=(RED, BLUE)),
    request("other way round", images=(BLUE, RED)),
)


def test_each_image_changes_the_text_and_takes_tokens(engine):
    found = answers(engine, *MIXED)
    assert not any(answer.error for answer in found.values())
    assert len({answer.logprob for answer in found.values()}) == len(MIXED)
    assert found["plain"].prompt_tokens < found["red"].prompt_tokens < found["two"].prompt_tokens
    assert len({found[id].text for id in ("plain", "red", "two")}) == 3


def alone(loaded, model, item):
    """What a loaded model writes by itself, greedily, and how many tokens it has read."""
    from abroad.models.images import decoded
    from abroad.models.resolve import resolve_model
    from abroad.models.vision import load_processor

    processor = load_processor(resolve_model(str(model)))
    content = [*({"type": "image"} for _ in item.images), {"type": "text", "text": item.prompt}]
    turn = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    pictures = [[decoded(url) for url in item.images]] if item.images else None
    read = processor(text=[turn], images=pictures, add_special_tokens=False, return_tensors="pt")
    length = read["input_ids"].shape[1]
    ids = loaded.generate(**read, max_new_tokens=item.max_new_tokens, do_sample=False)[0, length:]
    return processor.tokenizer.decode(ids, skip_special_tokens=True).rstrip(HALF), length


def written(engine, item):
    """The same of an engine."""
    answer = next(engine.generate([item]))
    return answer.text.rstrip(HALF), answer.prompt_tokens


def test_texts_are_those_of_the_model_alone(engine, model):
    from transformers import AutoModelForImageTextToText

    loaded = AutoModelForImageTextToText.from_pretrained(model)
    found = answers(engine, *MIXED)
    for item in MIXED:
        assert (found[item.id].text.rstrip("\ufffd"), found[item.id].prompt_tokens) == alone(loaded, model, item), (
            item.id
        )


def test_a_text_does_not_depend_on_what_is_in_its_batch_or_came_before(engine):
    sampled = request("sampled", images=(RED,), temperature=0.8, seed=3)
    longer = request("longer", prompt="Plants make many compounds. " * 4, images=(RED,))
    texts = [request(f"text {n}", prompt="Plants make many compounds, and chemists find them. " * 2 + n) for n in "abc"]
    asked = [*MIXED, sampled, longer, *texts]
    together = answers(engine, *asked)
    for item in asked:
        assert next(engine.generate([item])).text == together[item.id].text, item.id
    again = answers(engine, *reversed(asked))
    assert {id: answer.text for id, answer in again.items()} == {id: answer.text for id, answer in together.items()}


def test_a_regex_and_a_grammar_bind_a_text_with_images(engine):
    relation = 'start: NAME " produces " NAME\nNAME: /[a-z]{2,8}/'
    found = answers(
        engine,
        request("regex", images=(RED,), regex=r"[0-9]{3}-[0-9]{2}", max_new_tokens=20),
        request("grammar", images=(RED, BLUE), grammar=relation, max_new_tokens=30),
        request("free", images=(BLUE,)),
    )
    assert re.fullmatch(r"\d{3}-\d{2}", found["regex"].text) and found["regex"].finish_reason == "stop"
    assert re.fullmatch(r"[a-z]{2,8} produces [a-z]{2,8}", found["grammar"].text)
    assert found["free"].error is None


def test_an_image_that_is_none_loses_itself_only(engine):
    found = answers(
        engine,
        *MIXED,
        request("no picture", images=(RED, "data:image/png;base64,AAAA")),
        request("no base64", images=("data:image/png;base64,%%%%",)),
        request("elsewhere", images=("https://example.org/a.png", BLUE)),
    )
    for id, other, place, reason in (
        ("no picture", "red", 1, "can be read"),
        ("no base64", "plain", 0, "can be read"),
        ("elsewhere", "blue", 0, "expected an image"),
    ):
        (refused,) = found[id].refused_images
        assert refused.number == place and reason in refused.reason
        assert found[id].error is None and found[id].text == found[other].text
        assert found[other].refused_images == ()


STRIP = url("red", (2500, 4))


def test_an_image_of_an_extreme_form_loses_itself_only(engine, model):
    """Qwen-VL takes none that is 200 times as wide as high; the others take any."""
    asked = (
        request("strip", images=(STRIP,)),
        request("strip last", images=(RED, STRIP)),
        request("strip between", images=(RED, STRIP, BLUE)),
        request("strips", images=(STRIP, BLUE, STRIP)),
    )
    found = answers(engine, *MIXED, *asked)
    assert not any(answer.error for answer in found.values())
    refuses = "qwen" in model.name
    places = {"strip": [0], "strip last": [1], "strip between": [1], "strips": [0, 2]} if refuses else {}
    for id, answer in found.items():
        assert [image.number for image in answer.refused_images] == places.get(id, []), id
        assert all("aspect ratio" in image.reason for image in answer.refused_images)
    if refuses:  # as if it had not been named
        for id, other in {"strip": "plain", "strip last": "red", "strip between": "two", "strips": "blue"}.items():
            assert (found[id].text, found[id].prompt_tokens) == (found[other].text, found[other].prompt_tokens)


def test_before_token_ids_too_a_refused_image_loses_itself_only(engine, model):
    if Capability.TOKEN_IDS not in engine.capabilities or "qwen" not in model.name:
        pytest.skip("it takes no token ids, or any image")
    asked = [request(str(n), prompt=IDS, images=shown) for n, shown in enumerate([(RED,), (STRIP, RED), (), (STRIP,)])]
    found = answers(engine, *asked)
    assert found["0"].text == found["1"].text and found["2"].text == found["3"].text
    assert [len(found[str(n)].refused_images) for n in range(4)] == [0, 1, 0, 1]


def test_images_that_do_not_fit_the_context_are_told_as_too_long(engine):
    found = answers(engine, request("many", images=(BLUE,) * 200), request("one", images=(BLUE,)))
    assert found["many"].too_long and found["many"].error and found["one"].error is None


def test_images_stand_before_token_ids_too_where_the_engine_takes_these(engine):
    shown, plain = request("shown", prompt=IDS, images=(RED,)), request("plain", prompt=IDS)
    found = answers(engine, shown, plain)
    if Capability.TOKEN_IDS not in engine.capabilities:
        assert "in a turn of a chat only" in found["shown"].error
        return
    assert found["shown"].prompt_tokens > found["plain"].prompt_tokens == len(IDS)
    assert found["shown"].text != found["plain"].text


def test_beams_read_images(engine):
    if Capability.BEAMS not in engine.capabilities:
        pytest.skip("it has no beams")
    asked = [request(str(n), images=images, beams=3) for n, images in enumerate([(RED,), (BLUE,), (RED, BLUE)])]
    found = answers(engine, *asked)
    for item in asked:
        assert found[item.id].text == next(engine.generate([item])).text and found[item.id].error is None


def test_scores_after_images_are_those_of_the_model_alone(engine):
    shared = "Plants make many compounds, and chemists isolate them by chromatography. " * 2
    asked = ([shared + end for end in ("A", "B", "C", "D")], ["x yes", "y no", "z maybe", "q"])
    before = engine.score(*asked)
    answers(engine, *MIXED)
    for one, other in zip(engine.score(*asked), before, strict=True):
        assert one.logprob == pytest.approx(other.logprob, abs=1e-3) and one.tokens == other.tokens


@pytest.fixture(scope="module", params=ENGINES.able(Capability.IMAGES | Capability.WEIGHTS))
def adapted(request, model, tmp_path_factory):
    """An engine over an adapter that changes what the model writes, and both as peft has them."""
    import torch
    from transformers import AutoModelForImageTextToText

    from abroad.models.lora import LoraShape, add_lora

    peft = add_lora(AutoModelForImageTextToText.from_pretrained(model), LoraShape(4, 8, 0.0, seed=0))
    torch.manual_seed(1)
    with torch.no_grad():
        for name, weight in peft.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.5)
    folder = tmp_path_factory.mktemp("adapter")
    peft.save_pretrained(folder)
    with MEMBERS[request.param](folder, 4) as running:
        yield running, peft


def test_an_adapter_of_a_model_of_images_writes_what_it_writes_alone(adapted, model):
    engine, peft = adapted
    with peft.disable_adapter():
        assert any(written(engine, item) != alone(peft, model, item) for item in MIXED)
    for item in MIXED:
        assert written(engine, item) == alone(peft, model, item), item.id


def test_a_contrast_with_an_amateur_refuses_images_in_words(visual):
    spec = EngineSpec.read("transformers", str(visual("llava")), 4, {"amateur_keeps": 4})
    found = answers(spec.make(), request("shown", images=(RED,)), request("plain"))
    assert "reads text only" in found["shown"].error and found["plain"].error is None


def test_a_draft_leaves_texts_with_images_as_they_are(visual):
    model = visual("llava")
    drafted = EngineSpec.read("transformers", str(model), 4, {"draft": "ngram"}).make()
    plain = make_engine("transformers", str(model), 4)
    asked = [request("shown", images=(RED,)), request("plain")]
    assert {id: a.text for id, a in answers(drafted, *asked).items()} == {
        id: a.text for id, a in answers(plain, *asked).items()
    }


@pytest.mark.parametrize("name", ENGINES.able(Capability.WEIGHTS))
def test_a_model_without_a_tower_is_refused_before_it_is_loaded(name, tiny_model, visual):
    assert Capability.IMAGES in ENGINES.capabilities(name)
    with pytest.raises(InputError, match="this model reads text only; reading images takes one such as LLaVA"):
        EngineSpec.read(name, str(tiny_model)).require(Capability.IMAGES, "reading images")
    EngineSpec.read(name, str(visual("llava"))).require(Capability.IMAGES, "reading images")


def test_a_model_without_its_processor_reads_text_and_refuses_images_in_words(visual, tmp_path):
    import shutil

    folder = shutil.copytree(visual("llava"), tmp_path / "bare")
    (folder / "processor_config.json").unlink()
    found = answers(make_engine("transformers", str(folder)), request("plain"), request("shown", images=(RED,)))
    assert found["plain"].tokens and "reads text only" in found["shown"].error


def test_a_damaged_processor_is_told(visual, tmp_path):
    import shutil

    folder = shutil.copytree(visual("llava"), tmp_path / "damaged")
    (folder / "processor_config.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be loaded as a model that reads images"):
        make_engine("transformers", str(folder))
