"""Finding models: what is not one is refused in one line, and pickled weights always are."""

import json
import shutil

import pytest

from abroad.core.errors import InputError
from abroad.models.load import load_model, load_tokenizer
from abroad.models.resolve import resolve_model
from abroad.models.source import COMPRESSED, ModelSource, describe_model, packaged_gguf


def test_the_packaged_model_loads_offline_with_its_tokenizer(smollm2):
    source = resolve_model("smollm2-135m")
    tokenizer = load_tokenizer(source)
    assert tokenizer.padding_side == "left" and tokenizer.pad_token_id is not None
    assert (smollm2 / "model.safetensors").exists()


@pytest.mark.parametrize("name", ["nothing-here", "./nor/here", "/absent.gguf"])
def test_names_that_are_no_model_are_refused(name):
    with pytest.raises(InputError, match="no such"):
        resolve_model(name)


def test_a_directory_without_a_config_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a model directory"):
        resolve_model(str(tmp_path))


def test_pickled_weights_are_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(InputError, match="pickled"):
        resolve_model(str(tmp_path))


def test_a_broken_model_is_one_line(tiny_model, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(tiny_model, broken)
    (broken / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="cannot be loaded") as caught:
        load_model(resolve_model(str(broken)))
    assert "\n" not in str(caught.value)


def test_an_adapter_names_its_base_and_an_option_replaces_it(tiny_model, smollm2, tmp_path):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(smollm2)}))
    with pytest.raises(InputError, match=r"adapter_model\.safetensors"):
        resolve_model(str(tmp_path))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"x")
    assert resolve_model(str(tmp_path)).base == str(smollm2)
    assert resolve_model(str(tmp_path), base=str(tiny_model)).base == str(tiny_model)


def test_a_description_converts_and_decompresses_nothing(smollm2, tmp_path, monkeypatch):
    monkeypatch.setenv("ABROAD_CACHE", str(tmp_path / "cache"))
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "smollm2-135m"}))
    (tmp_path / COMPRESSED).write_bytes(b"no such thing")
    assert describe_model(str(tmp_path)) == ModelSource(str(packaged_gguf("smollm2-135m")), tmp_path)
    assert not (tmp_path / "cache").exists()
    with pytest.raises(InputError, match="damaged"):
        resolve_model(str(tmp_path))


def test_a_hub_name_that_is_not_cached_is_an_input_error_offline():
    with pytest.raises(InputError, match="HF_HUB_OFFLINE"):
        resolve_model("nobody/no-such-model")


def test_a_begin_token_that_a_gguf_file_asks_for_stands_before_every_text(tiny_model):
    from abroad.models.gguf import add_bos
    from abroad.models.load import load_tokenizer
    from abroad.models.resolve import resolve_model

    tokenizer = load_tokenizer(resolve_model(str(tiny_model)))
    before = tokenizer("usnic acid")["input_ids"]
    for _ in range(2):  # the second time it is there already
        add_bos(tokenizer)
        assert tokenizer("usnic acid")["input_ids"] == [tokenizer.bos_token_id, *before]
        assert tokenizer("usnic acid", add_special_tokens=False)["input_ids"] == before


def test_a_gguf_file_of_7_billion_weights_is_refused_before_it_fills_the_machine(tmp_path, monkeypatch):
    gguf = pytest.importorskip("gguf")
    from abroad.models.gguf import converted

    path = tmp_path / "llama-7b.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    shapes = [(32000, 4096), *[(4096, 4096)] * 128, *[(11008, 4096)] * 96, (32000, 4096)]
    for number, shape in enumerate(shapes):  # LLaMA 7B's matrices in 4 bits
        writer.add_tensor_info(f"t{number}", shape, "float16", 0, raw_dtype=gguf.GGMLQuantizationType.Q4_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    with path.open("r+b") as file:
        file.truncate(6 * 2**30)  # sparse: nothing of it is on the disk
    monkeypatch.setenv("ABROAD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("abroad.models.gguf.content_hash", lambda path: "0" * 64)
    monkeypatch.setattr("abroad.models.gguf.import_transformers", lambda: pytest.fail("it would be read"))
    with pytest.raises(InputError, match=r"6.7 billion weights, which would be unpacked into 27 GB"):
        converted(path)
