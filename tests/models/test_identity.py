"""A model is told by the content of its weights, by whatever way it was put in another's place."""

import hashlib
import json
import os
import shutil
import time

import pytest
from safetensors.numpy import load_file, save_file

from abroad.engines.spec import read_settings, text_identity
from abroad.models import identity
from abroad.models.gguf import converted
from abroad.models.identity import content_hash, named_digest
from tests.visual import FAMILIES, save_visual_model


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("ABROAD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(identity, "_SETTLED_SECONDS", 0.0)


def overwrite(path, data):
    path.write_bytes(data)


def replace_file(path, data):
    other = path.with_name("other")
    other.write_bytes(data)
    other.replace(path)


def keep_times(path, data):
    state = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize("put", [overwrite, replace_file, keep_times])
def test_the_same_size_in_the_same_place_is_another_content(tmp_path, put):
    path = tmp_path / "weights"
    path.write_bytes(b"a" * 1000)
    time.sleep(0.02)
    first = content_hash(path)
    put(path, b"b" * 1000)
    assert content_hash(path) != first


def test_a_file_that_was_not_touched_is_not_read_again(tmp_path, monkeypatch):
    path = tmp_path / "weights"
    path.write_bytes(b"a")
    time.sleep(0.02)
    first = content_hash(path)
    monkeypatch.setattr(identity, "file_sha256", None)
    assert content_hash(path) == first
    path.touch()
    with pytest.raises(TypeError):
        content_hash(path)


def change_weights(model):
    tensors = load_file(model / "model.safetensors")
    name = sorted(tensors)[0]
    tensors[name] = tensors[name] + 1
    save_file(tensors, model / "model.safetensors", metadata={"format": "pt"})


def change_text(name):
    def change(model):
        text = (model / name).read_text()
        (model / name).write_text(text.replace("{", "{ ", 1))

    return change


@pytest.mark.parametrize("change", [change_weights, change_text("config.json"), change_text("tokenizer.json")])
@pytest.mark.parametrize("engine", ["transformers", "vllm"])
def test_a_model_replaced_in_place_is_another_for_every_engine(tiny_model, tmp_path, change, engine):
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    settings = read_settings(engine, {})
    before, again = (text_identity(engine, str(model), settings) for _ in range(2))
    change(model)
    assert before == again != text_identity(engine, str(model), settings)
    assert text_identity("openai", str(model), read_settings("openai", {})).keys() == {"engine", "model"}


@pytest.mark.parametrize("family", FAMILIES)
def test_whatever_changes_what_is_read_is_another_model(smollm2, tmp_path, family):
    """Every file that a model of images is saved with, and those that others have beside them."""
    model = tmp_path / "model"
    save_visual_model(smollm2, model, family)
    for name in ("special_tokens_map.json", "added_tokens.json", "preprocessor_config.json", "chat_template.json"):
        if not (model / name).exists():
            (model / name).write_text("{}")
    (model / "additional_chat_templates").mkdir()
    (model / "additional_chat_templates" / "tool_use.jinja").write_text("{")
    files = [path for path in sorted(model.rglob("*")) if path.suffix in (".json", ".jinja")]
    assert {path.name for path in files} >= {"config.json", "processor_config.json", "tokenizer_config.json"}
    digests = {named_digest(str(model))}
    for path in files:
        path.write_text(path.read_text().replace("{", "{ ", 1))
        digests.add(named_digest(str(model)))
    assert len(digests) == len(files) + 1
    (model / "README.md").write_text("Nothing of it is read.")
    assert named_digest(str(model)) in digests


def test_a_text_model_keeps_the_digest_that_earlier_work_was_begun_with(tmp_path):
    """The key that resumption compares, as it was before files of processors and of further tokens counted."""
    names = ("config.json", "model.safetensors", "tokenizer.json")
    for name in names:
        (tmp_path / name).write_bytes(b"{}")
    each = hashlib.sha256(b"{}").hexdigest()
    whole = "\n".join(f"{name}:{each}" for name in names)
    assert named_digest(str(tmp_path)) == hashlib.sha256(whole.encode()).hexdigest()


def test_the_scale_of_an_adapter_counts_and_the_place_of_its_base_does_not(tiny_model, tiny_adapter, tmp_path):
    adapter, moved = tmp_path / "adapter", tmp_path / "moved"
    shutil.copytree(tiny_adapter, adapter)
    shutil.copytree(tiny_model, moved)
    config = json.loads((adapter / "adapter_config.json").read_text())

    def digest(**values):
        (adapter / "adapter_config.json").write_text(json.dumps(config | values))
        return named_digest(str(adapter))

    assert digest() == digest(base_model_name_or_path=str(moved)) != digest(lora_alpha=config["lora_alpha"] * 2)


def test_a_changed_base_or_amateur_changes_what_rests_on_it(tiny_model, tmp_path):
    model, adapter = tmp_path / "model", tmp_path / "adapter"
    shutil.copytree(tiny_model, model)
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(f'{{"base_model_name_or_path": "{model}"}}')
    (adapter / "adapter_model.safetensors").write_bytes(b"x")
    settings = read_settings("transformers", {"amateur": str(model)})
    before = named_digest(str(adapter)), text_identity("transformers", str(tiny_model), settings)
    change_weights(model)
    after = named_digest(str(adapter)), text_identity("transformers", str(tiny_model), settings)
    assert before[0] != after[0] and before[1] != after[1]
    assert named_digest("owner/on-the-hub") == "" == named_digest("no such model")


def test_a_gguf_file_of_the_same_name_and_size_is_converted_by_itself(tmp_path, monkeypatch):
    made = []

    def conversion(*_):
        made.append(1)
        raise RuntimeError

    monkeypatch.setattr("abroad.models.gguf.import_transformers", conversion)
    monkeypatch.setattr("abroad.models.gguf._check_size", lambda path: None)
    places = []
    for content in (b"one", b"two"):
        (tmp_path / "m.gguf").write_bytes(content)
        target = tmp_path / "cache" / "models" / f"m-{content_hash(tmp_path / 'm.gguf')[:16]}-2"
        target.mkdir(parents=True)
        (target / "config.json").write_text("{}")
        places.append(converted(tmp_path / "m.gguf"))
    assert places[0] != places[1] and not made
    (tmp_path / "m.gguf").write_bytes(b"six")
    with pytest.raises(RuntimeError):
        converted(tmp_path / "m.gguf")
