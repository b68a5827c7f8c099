"""Examples and batches: the loss falls on the relations only, and no text is cut."""

import pytest

from abroad.extraction.linearise import linearise
from abroad.io import Rejects
from abroad.training.data import IGNORED, collate, make_examples


@pytest.fixture(scope="module")
def tokenizer(smollm2):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(smollm2)


def examples_of(documents, tokenizer, max_length=512, **settings):
    rejects = Rejects()
    return make_examples(documents, tokenizer, max_length, rejects, seed=0, **settings), rejects


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
    examples, rejects = examples_of(documents, tokenizer, max_length=max(lengths) - 1)
    assert [len(example) for example in examples] == [n for n in lengths if n < max(lengths)]
    assert rejects.items[0]["where"] == documents[lengths.index(max(lengths))].id
    assert f"{max(lengths)} tokens" in rejects.items[0]["reason"]


def test_shuffles_give_the_same_relations_in_other_orders(documents, tokenizer):
    examples, _ = examples_of(documents[:1], tokenizer, shuffles=8)
    texts = {tokenizer.decode(example.target, skip_special_tokens=True).strip() for example in examples}
    assert len(examples) == 8
    assert len(texts) == 2
    assert {tuple(sorted(text.split("; "))) for text in texts} == {
        ("Usnea testalis produces barbatic acid", "Usnea testalis produces usnic acid")
    }


def test_the_loss_of_a_padded_batch_is_that_of_its_documents_one_by_one(documents, tiny_model, tokenizer):
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_model).eval()
    examples, _ = examples_of(documents, tokenizer)
    batch = collate(examples, tokenizer.pad_token_id)
    with torch.no_grad():
        together = model(**batch, logits_to_keep=batch["labels"].shape[1]).loss
        total = 0.0
        for example in examples:
            ids = torch.tensor([[*example.prompt, *example.target]])
            labels = ids.clone()
            labels[:, : len(example.prompt)] = IGNORED
            total += float(model(input_ids=ids, labels=labels).loss) * len(example.target)
    assert float(together) == pytest.approx(total / sum(len(example.target) for example in examples), abs=1e-4)
