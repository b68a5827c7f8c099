"""The encoder: windows of word pieces, what it learns, and that the exported model says what the trained one says."""

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abroad.core.errors import InputError
from abroad.core.schema import Document
from abroad.extraction.builtin.align import align
from abroad.extraction.builtin.encoder import VOCABULARY, WIDTH, EncoderMean, EncoderTagger, TextScores, best_tags
from abroad.extraction.builtin.encoder_examples import distilled_examples, encoder_examples
from abroad.extraction.builtin.pairs import DEFAULT_FOLDER
from abroad.extraction.builtin.pieces import SHAPES, PieceReader
from abroad.extraction.builtin.reading import read_text
from abroad.text.tokens import tokenise
from tests.conftest import make_document

TEXT = "Usnic acid and gloeophyllins A-C (1-3) were isolated from Usnea testalis, not from Picea abies."


@pytest.fixture(scope="module")
def reader():
    return PieceReader(DEFAULT_FOLDER / VOCABULARY)


def test_windows_hold_every_token_once_or_more_and_no_more_pieces_than_they_may():
    short = PieceReader(DEFAULT_FOLDER / VOCABULARY, longest=128)
    tokens = tokenise(TEXT * 30)
    windows = list(short.windows(tokens, TEXT * 30))
    assert len(windows) > 5 and windows[0].first == 0
    for window, following in pairwise(windows):
        assert len(window.pieces) == len(window.shapes) <= 128
        assert window.first < following.first < window.first + len(window.heads)  # they overlap, and go on
    assert windows[-1].first + len(windows[-1].heads) == len(tokens)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_cut_into_pieces(text):
    tokens = tokenise(text)
    for window in PieceReader(DEFAULT_FOLDER / VOCABULARY).windows(tokens, text):
        assert len(window.heads) and (window.shapes < SHAPES).all() and (window.heads < len(window.pieces) - 1).all()


def test_shapes_tell_what_small_letters_leave_out(reader):
    (lower,) = reader.windows(tokenise("usnea"), "usnea")
    (upper,) = reader.windows(tokenise("Usnea"), "Usnea")
    assert (lower.pieces == upper.pieces).all() and (lower.shapes != upper.shapes).any()


@given(st.lists(st.lists(st.floats(0.001, 1), min_size=3, max_size=3), max_size=12))
def test_a_name_goes_on_only_where_it_began(rows):
    scores = np.array(rows).reshape(-1, 3)
    scores /= scores.sum(axis=1, keepdims=True)
    tags = best_tags(scores)
    assert len(tags) == len(rows)
    assert all(tag != "I" or (place and tags[place - 1] != "O") for place, tag in enumerate(tags))
    likely = [max(0.001, scores[place]["OBI".index(tag)]) for place, tag in enumerate(tags)]
    for _ in range(20):  # no other legal reading is likelier
        other = ["O" if (t := random.choice("OBI")) == "I" else t for _ in rows]
        assert np.log(likely).sum() >= sum(np.log(scores[p]["OBI".index(t)]) for p, t in enumerate(other)) - 1e-9


def test_pairs_are_the_product_of_two_sides():
    rng = np.random.default_rng(0)
    sides = rng.normal(size=(2, 5, WIDTH))
    scores = TextScores(np.zeros((5, 3)), np.zeros((5, 3)), *sides, 0.0)
    odds = scores.pair_odds([1, 2], [0, 3, 4])
    assert odds.shape == (2, 3)
    assert odds[1, 2] == pytest.approx(2 * sides[0, 2] @ sides[1, 4] / np.sqrt(WIDTH))


def test_the_built_in_encoder_reads_a_text_longer_than_its_window():
    tagger = EncoderTagger(DEFAULT_FOLDER)
    once, often = read_text(TEXT), read_text(" ".join([TEXT] * 60))
    scores = tagger.tag(often)
    assert scores.chemical.shape == (len(often.tokens), 3) and len(often.tokens) > 60 * len(once.tokens) - 1
    assert np.allclose(scores.chemical.sum(axis=1), 1, atol=1e-5) and np.isfinite(scores.reports)
    assert len(tagger.tag(read_text("")).chemical) == 0


def test_the_mean_of_encoders_is_the_mean_of_what_they_say():
    class Fixed:
        def __init__(self, seed):
            rng = np.random.default_rng(seed)
            tags = rng.dirichlet(np.ones(3), size=(2, 5))
            self.scores = TextScores(*tags, *rng.normal(size=(2, 5, WIDTH)), float(rng.normal()))

        def tag(self, reading):
            return self.scores

    one, other = Fixed(0), Fixed(1)
    mean = EncoderMean([one, other]).tag(read_text(""))
    assert np.allclose(mean.chemical, (one.scores.chemical + other.scores.chemical) / 2)
    assert np.allclose(mean.organism.sum(axis=1), 1)
    odds = [scores.pair_odds([0, 3], [1, 2, 4]) for scores in (one.scores, other.scores, mean)]
    assert np.allclose(odds[2], (odds[0] + odds[1]) / 2)
    assert mean.reports == pytest.approx((one.scores.reports + other.scores.reports) / 2)


def test_names_are_aligned_with_their_spans():
    gold = [("Usnea testalis", c) for c in ("usnic acid", "gloeophyllin A", "gloeophyllin B", "gloeophyllin C")]
    document = make_document("1", "", TEXT, gold)
    reading = read_text(document.text, len(document.title))
    found = align(document, reading)
    named = {label: [reading.text[slice(*span)] for span in spans] for label, spans in found.chemicals.items()}
    assert named["usnic acid"] == ["Usnic acid"] and named["gloeophyllin B"] == ["gloeophyllins A-C (1-3)"]


@pytest.fixture(scope="module")
def tiny():
    torch = pytest.importorskip("torch")
    from transformers import BertConfig, BertModel

    from abroad.extraction.builtin.train_encoder import Encoder

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30522, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
    )
    return Encoder(BertModel(config, add_pooling_layer=False))


def test_it_learns_what_it_is_shown_and_the_export_says_the_same(tiny, reader, tmp_path):
    pytest.importorskip("onnx")
    from abroad.extraction.builtin.train_encoder import EncoderSettings, export, train

    gold = [
        ("Usnea testalis", "usnic acid"),
        ("Usnea testalis", "gloeophyllin A"),
        ("Usnea testalis", "gloeophyllin B"),
    ]
    document = make_document("1", "", TEXT, [*gold, ("Usnea testalis", "gloeophyllin C")])
    empty = make_document("2", "", "Rats were fed with glucose; Picea abies grew elsewhere.", [])
    shown = [
        example
        for each in (document, empty)
        for example in encoder_examples(each, read_text(each.text, len(each.title)), reader)
    ]
    assert [example.reports for example in shown] == [1, 0] and set(shown[0].together) == {0, 1}
    losses = []
    train(
        tiny,
        shown,
        EncoderSettings(layers=2, epochs=150, learning_rate=3e-3, head_rate=3e-3),
        lambda encoder, epoch, facts: losses.append(facts["loss"]),
    )
    assert losses[-1] < 0.2 * losses[0]
    export(tiny, DEFAULT_FOLDER / VOCABULARY, tmp_path)
    tagger = EncoderTagger(tmp_path)
    reading = read_text(document.text, len(document.title))
    scores = tagger.tag(reading)
    named = [t.text for t, tag in zip(reading.tokens, best_tags(scores.chemical), strict=True) if tag == "B"]
    producers = [t.text for t, tag in zip(reading.tokens, best_tags(scores.organism), strict=True) if tag == "B"]
    assert named == ["Usnic", "gloeophyllins"] and producers == ["Usnea"]
    places = {token.text: number for number, token in enumerate(reading.tokens)}
    (odds,) = scores.pair_odds([places["Usnic"]], [places["Usnea"], places["Picea"]])
    assert odds[0] > 0 > odds[1]
    assert scores.reports > 0 > tagger.tag(read_text(empty.text, len(empty.title))).reports


def test_one_text_needs_no_mask_and_only_the_rows_that_are_asked_for(tiny, reader):
    torch = pytest.importorskip("torch")
    from abroad.extraction.builtin.train_encoder import OneText

    (window,) = reader.windows(tokenise(TEXT), TEXT)
    pieces, shapes = (torch.from_numpy(array)[None] for array in (window.pieces, window.shapes))
    tiny.eval()
    with torch.no_grad():
        masked = tiny(pieces, shapes, torch.ones_like(pieces))
        alone = OneText(tiny)(pieces, shapes, torch.from_numpy(window.heads))
    assert torch.allclose(masked[:, window.heads], alone, atol=1e-4)


def test_unsure_tokens_of_incomplete_documents_teach_nothing(reader):
    document = make_document("1", "", TEXT, [("Usnea testalis", "usnic acid")])
    reading = read_text(document.text, len(document.title))
    unsure = np.array([token.text in ("gloeophyllins", "Usnic") for token in reading.tokens])
    (example,) = encoder_examples(document, reading, reader, unsure)
    tags = dict(zip([token.text for token in reading.tokens], example.chemical.tolist(), strict=True))
    assert (tags["Usnic"], tags["gloeophyllins"], tags["isolated"]) == ([0, 1, 0], [0, 0, 0], [1, 0, 0])


def together(example, reading):
    texts = [token.text for token in reading.tokens]
    return {(texts[c], texts[o]): float(y) for (c, o), y in zip(example.pairs, example.together, strict=True)}


def test_what_a_model_says_of_a_text_is_an_example_for_another(reader):
    reading = read_text(TEXT)
    scores = EncoderTagger(DEFAULT_FOLDER).tag(reading)
    (example,) = distilled_examples(Document("1", "", TEXT), reading, scores, reader)
    assert np.allclose(example.chemical, scores.chemical) and np.allclose(example.organism, scores.organism)
    assert together(example, reading)["Usnic", "Usnea"] > 0.5 > together(example, reading)["Usnic", "Picea"]
    assert example.reports == pytest.approx(1 / (1 + np.exp(-scores.reports)))


def test_what_is_known_goes_before_what_a_model_says(reader):
    document = make_document("1", "", TEXT, [("Picea abies", "usnic acid")])
    document.extra["negative_organisms"] = ["Usnea testalis"]
    reading = read_text(document.text, len(document.title))
    scores = EncoderTagger(DEFAULT_FOLDER).tag(reading)
    (example,) = distilled_examples(document, reading, scores, reader)
    places = {token.text: place for place, token in enumerate(reading.tokens)}
    assert example.chemical[places["Usnic"]].tolist() == [0, 1, 0] and example.reports == 1
    assert example.organism[places["Picea"]].tolist() == [0, 1, 0]
    assert example.organism[places["Usnea"]].tolist() == [1, 0, 0] == example.organism[places["testalis"]].tolist()
    found = together(example, reading)
    assert found["Usnic", "Picea"] == 1 and found["Usnic", "Usnea"] == found["gloeophyllins", "Usnea"] == 0
    assert 0 < found["gloeophyllins", "Picea"] < 1


def test_a_damaged_vocabulary_is_told(tmp_path):
    whole = (DEFAULT_FOLDER / VOCABULARY).read_bytes()
    for name, content in {"cut.json": whole[: len(whole) // 2], "empty.json": b"", "other.json": b"{}"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=f"{name}: damaged or cut off"):
            PieceReader(tmp_path / name)
    with pytest.raises(InputError, match=r"none\.json: damaged or cut off"):
        PieceReader(tmp_path / "none.json")
