"""A chat template is found wherever a model may have one, without its weights."""

import json

import pytest

from abroad.models import hub
from abroad.models.chat import has_chat_template
from abroad.models.source import ModelSource, describe_model

TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
WITH = {
    "a setting of the tokenizer": ("tokenizer_config.json", json.dumps({"chat_template": TEMPLATE})),
    "several of them": ("tokenizer_config.json", json.dumps({"chat_template": [{"name": "default", "template": "x"}]})),
    "a file of its own": ("chat_template.jinja", TEMPLATE),
    "a file of a processor": ("chat_template.json", json.dumps({"chat_template": TEMPLATE})),
}
WITHOUT = {
    "a tokenizer without": ("tokenizer_config.json", "{}"),
    "an empty one": ("tokenizer_config.json", json.dumps({"chat_template": None})),
    "a damaged one": ("tokenizer_config.json", "{"),
    "a list": ("tokenizer_config.json", "[]"),
    "another file": ("tokenizer.json", TEMPLATE),
}
FILES = [*(pytest.param(*case, True, id=name) for name, case in WITH.items())]
FILES += [*(pytest.param(*case, False, id=name) for name, case in WITHOUT.items())]


@pytest.mark.parametrize(("name", "content", "found"), FILES)
def test_a_directory(tmp_path, name, content, found):
    (tmp_path / name).write_text(content)
    assert has_chat_template(ModelSource(str(tmp_path))) is found


@pytest.mark.parametrize(("name", "content", "found"), FILES)
def test_a_name_of_the_hub_in_the_cache(tmp_path, monkeypatch, name, content, found):
    from huggingface_hub import constants

    hub._reachable.cache_clear()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    folder = tmp_path / "hub" / "models--owner--model"
    (folder / "snapshots" / COMMIT).mkdir(parents=True)
    (folder / "snapshots" / COMMIT / name).write_text(content)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(COMMIT)
    assert has_chat_template(ModelSource("owner/model")) is found


@pytest.mark.parametrize("template", [TEMPLATE, None], ids=["with", "without"])
def test_a_gguf_file(tmp_path, template):
    gguf = pytest.importorskip("gguf")
    path = tmp_path / "model.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_description("has no tokenizer.chat_template of its own" * (template is None))
    writer.add_token_list([f"word{number}" for number in range(5_000)])
    if template is not None:
        writer.add_chat_template(template)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    assert has_chat_template(ModelSource(str(path))) is (template is not None)


@pytest.mark.parametrize("content", [b"", b"GGUF"])
def test_what_is_no_gguf_file_has_none(tmp_path, content):
    (tmp_path / "model.gguf").write_bytes(content)
    assert not has_chat_template(ModelSource(str(tmp_path / "model.gguf")))


def test_what_is_not_there_has_none(tmp_path):
    assert not has_chat_template(ModelSource(str(tmp_path / "none")))
    assert not has_chat_template(ModelSource("owner/nowhere"))


def test_the_packaged_model_is_one_and_the_published_bases_are_none(smollm2, tiny_model, biogpt):
    assert has_chat_template(describe_model("smollm2-135m"))
    assert has_chat_template(describe_model(str(tiny_model)))
    assert not has_chat_template(describe_model(str(biogpt)))
