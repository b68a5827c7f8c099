"""LoRA on the layers that were published, the output layer too, and weights in 8 bits."""

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.models.load import load_model
from abroad.models.resolve import resolve_model
from abroad.training.settings import TrainSettings
from abroad.training.train import train

PUBLISHED = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2", "output_projection")
QUICK = {"epochs": 2, "learning_rate": 1e-2, "batch_size": 4, "gradient_accumulation_steps": 1, "max_length": 600}


@pytest.fixture(scope="module")
def adapter(biogpt, tmp_path_factory):
    from tests.conftest import make_document

    document = make_document("1", "T.", "Rutin was isolated from Ruta ficta.", [("Ruta ficta", "rutin")])
    out = tmp_path_factory.mktemp("adapter") / "out"
    train([document], [], TrainSettings(model=str(biogpt), lora_targets=PUBLISHED, **QUICK), out, Context())
    return out


def test_the_output_layer_has_an_adapter_too(adapter):
    from safetensors.torch import load_file

    names = load_file(adapter / "adapter_model.safetensors")
    assert {name.split(".")[-3] for name in names} == set(PUBLISHED)


def test_merged_it_says_what_it_said_before(adapter):
    """BioGPT's output layer shares its weights with the embeddings: merged into both, it would change the input."""
    import torch

    source = resolve_model(str(adapter))
    ids = torch.tensor([[2, 5, 6, 7, 8]])
    with torch.no_grad():
        apart, merged = (load_model(source, merge=merge)(ids).logits for merge in (False, True))
    assert torch.allclose(apart, merged, atol=1e-4)


def test_a_layer_that_is_not_there_is_refused(biogpt, tmp_path, documents):
    with pytest.raises(InputError, match=r"no layer 'lm_head'; expected some of: .*output_projection"):
        train(documents, [], TrainSettings(model=str(biogpt), lora_targets=("lm_head",), **QUICK), tmp_path, Context())


def test_weights_of_8_bits_are_loaded_trained_and_extract(biogpt, tmp_path, documents):
    pytest.importorskip("bitsandbytes")
    from abroad.extraction.generative.decoding import Decoding
    from abroad.extraction.generative.load import load_generative_extractor

    train(documents, [], TrainSettings(model=str(biogpt), quantization="int8", **QUICK), tmp_path / "out", Context())
    decoding = Decoding(num_beams=2, max_new_tokens=4)
    extractor = load_generative_extractor(str(tmp_path / "out"), decoding, quantization="int8")
    assert any("8bit" in type(module).__name__ for module in extractor.engine.model.modules())
    assert all(prediction.error is None for prediction in extractor.extract(documents))
