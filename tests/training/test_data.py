"""Examples and batches: the loss falls on the relations only, and no text is cut."""

import pytest

from abroad.core.context import Context
from abroad.core.linearise import linearise
from abroad.synthesis.tasks.kinds import make_tasks
from abroad.training.data import IGNORED, collate, collate_packed, make_examples, target_loss


@pytest.fixture(scope="module")
def tokenizer(smollm2):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(smollm2)


def examples_of(documents, tokenizer, max_length=512, **settings):
    context = Context()
    return make_examples(documents, tokenizer, max_length, context, seed=0, **settings), context


def test_the_loss_falls_on_the_relations_and_nothing_else(documents, tokenizer):
    examples, _ = examples_of(documents, tokenizer)
    batch = collate(examples, tokenizer.pad_token_id)
    for document, row in zip(documents, batch["labels"].tolist(), strict=True):
        learned = tokenizer.decode([token for token in row if token != IGNORED], skip_special_tokens=True)
        assert learned.strip() == linearise(document.label_pairs())


def test_every_label_is_the_token_that_follows(documents, tokenizer):
    examples, _ = examples_of(documents, tokenizer)
    batch = collate(examples, tokenizer.pad_token_id)
    kept = batch["labels"].shape[1]
    for ids, row in zip(batch["input_ids"].tolist(), batch["labels"].tolist(), strict=True):
        following = [*ids[1:], None][-kept:]
        assert all(label in (IGNORED, token) for label, token in zip(row, following, strict=True))


def test_padding_changes_neither_positions_nor_text(documents, tokenizer):
    examples, _ = examples_of(documents, tokenizer)
    batch = collate(examples, tokenizer.pad_token_id)
    for example, ids, mask, positions in zip(
        examples, *(batch[key].tolist() for key in ("input_ids", "attention_mask", "position_ids")), strict=True
    ):
        assert sum(mask) == len(example)
        assert ids[-len(example) :] == [*example.prompt, *example.target]
        assert positions[-len(example) :] == list(range(len(example)))


def test_a_document_too_long_is_set_aside_and_never_cut(documents, tokenizer):
    lengths = [len(example) for example in examples_of(documents, tokenizer)[0]]
    examples, context = examples_of(documents, tokenizer, max_length=max(lengths) - 1)
    assert [len(example) for example in examples] == [n for n in lengths if n < max(lengths)]
    assert context.rejects.items[0]["where"] == documents[lengths.index(max(lengths))].id
    assert f"{max(lengths)} tokens" in context.rejects.items[0]["reason"]


def test_shuffles_give_the_same_relations_in_other_orders(documents, tokenizer):
    examples, _ = examples_of(documents[:1], tokenizer, shuffles=8)
    texts = {tokenizer.decode(example.target, skip_special_tokens=True).strip() for example in examples}
    assert len(examples) == 8
    assert len(texts) == 2
    assert {tuple(sorted(text.split("; "))) for text in texts} == {
        ("Usnea testalis produces barbatic acid", "Usnea testalis produces usnic acid")
    }


@pytest.fixture(scope="module", params=["Llama", "Mistral", "GPT2", "BioGpt"])
def any_model(request, tokenizer):
    """A randomly initialised two-layer model of each family, with a vocabulary that holds the tokenizer's."""
    import torch
    import transformers

    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    if request.param == "GPT2":
        sizes = {"n_embd": 32, "n_layer": 2, "n_head": 4}
    if request.param in ("Llama", "Mistral"):
        sizes["num_key_value_heads"] = 2
    torch.manual_seed(0)
    ids = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
    config = getattr(transformers, f"{request.param}Config")(vocab_size=len(tokenizer), **sizes, **ids)
    return transformers.AutoModelForCausalLM.from_config(config).eval()


def test_padding_and_packing_change_no_loss(documents, any_model, tokenizer):
    import torch

    examples, _ = examples_of(documents, tokenizer)
    pad = tokenizer.pad_token_id
    with torch.no_grad():
        alone = [float(target_loss(any_model, collate([example], pad))) for example in examples]
        padded = float(target_loss(any_model, collate(examples, pad)))
        packed = float(target_loss(any_model, collate_packed(examples)))
    assert padded == pytest.approx(sum(alone), rel=1e-5)
    assert packed == pytest.approx(sum(alone), rel=1e-5)


def test_in_a_packed_row_no_example_sees_another(documents, any_model, tokenizer):
    import torch

    examples, _ = examples_of(documents, tokenizer)
    with torch.no_grad():
        row = collate_packed([examples[0], examples[1]])
        other = collate_packed([examples[0], examples[2]])
        first = len(examples[0].target)
        one, two = ({**batch, "labels": batch["labels"].clone()} for batch in (row, other))
        for batch in (one, two):
            batch["labels"][:, first:] = IGNORED
        assert float(target_loss(any_model, one)) == pytest.approx(float(target_loss(any_model, two)), rel=1e-5)


def test_a_task_is_learnt_as_its_answer_and_extraction_as_of_a_document(documents, tokenizer):
    document = documents[0]
    extract, verify = (
        next(task for task in make_tasks([document]) if task.kind == kind) for kind in ("extract", "verify")
    )
    (of_document, of_extract, of_verify), _ = examples_of([document, extract, verify], tokenizer)
    assert (of_extract.prompt, of_extract.target) == (of_document.prompt, of_document.target)
    assert verify.instruction in tokenizer.decode(of_verify.prompt)
    assert tokenizer.decode(of_verify.target[:-1]) == verify.output
