"""The layouts of the published models, tiny and random: BioGPT and Mistral bases with LoRA adapters beside them."""

import pytest

from abroad.engines.base import GenerationRequest
from abroad.extraction.base import extract_documents
from abroad.extraction.generative.decoding import Decoding
from abroad.extraction.generative.load import load_generative_extractor
from tests.conftest import make_document, save_tiny_model

DECODING = Decoding(num_beams=3, max_new_tokens=8, length_penalty=1.5, early_stopping="never")


@pytest.fixture(scope="session")
def mistral(smollm2, tmp_path_factory):
    return save_tiny_model(smollm2, tmp_path_factory.mktemp("models") / "tiny-mistral", "Mistral", sliding_window=128)


def add_adapter(base, folder):
    """A LoRA directory as the published ones: adapter_config.json and adapter_model.safetensors."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(AutoModelForCausalLM.from_pretrained(base), config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("layout", ["biogpt", "mistral"])
def test_a_base_with_a_lora_directory_extracts_from_a_batch(layout, request, tmp_path, documents):
    base = request.getfixturevalue(layout)
    adapter = add_adapter(base, tmp_path / "adapter")
    extractor = load_generative_extractor(str(adapter), DECODING, batch_size=6)
    too_long = make_document("long", "T", "word " * 2000, [])
    report = extract_documents([*documents, too_long], extractor, tmp_path / "pred.jsonl")
    assert (report.documents, report.failed) == (4, 1)  # the one that does not fit says so and ends nothing
    plain = load_generative_extractor(str(base), DECODING, batch_size=6)
    assert extractor.identity != plain.identity


@pytest.mark.parametrize("layout", ["biogpt", "mistral"])
def test_the_end_token_is_forced_at_the_budget(layout, request):
    """Published decoding ends every output with the end token, so that the last relation is whole or cut off."""
    base = request.getfixturevalue(layout)
    extractor = load_generative_extractor(str(base), DECODING)
    settings = {"prompt": (5, 6, 2), "max_new_tokens": 4, "beams": 3, "early_stopping": "never"}
    (forced,) = extractor.engine.generate([GenerationRequest(id="1", **settings, force_end=True)])
    assert forced.error is None and forced.tokens <= 3  # the fourth is the end token
    if forced.tokens == 3:
        assert forced.finish_reason == "length"


def test_biogpt_reads_text_as_its_tokenizer_does(biogpt):
    from abroad.extraction.generative.encode import encode_prompt
    from abroad.models.load import load_tokenizer
    from abroad.models.resolve import resolve_model

    tokenizer = load_tokenizer(resolve_model(str(biogpt)))
    ids = encode_prompt(tokenizer, "Usnic acid (1).")
    assert ids[-2:] == (tokenizer.eos_token_id, tokenizer.bos_token_id)
    assert tokenizer.unk_token_id not in ids[:-2]
