"""Long texts in chunks: nothing lost, nothing too long, neighbours overlap."""

from hypothesis import given
from hypothesis import strategies as st

from abroad.core.schema import Prediction, Relation
from abroad.extraction.generative.chunks import chunks
from abroad.extraction.generative.extractor import merge_parts


def words(text):
    return len(text.split())


sentences = st.lists(st.lists(st.sampled_from(["alpha", "beta", "gamma"]), min_size=1, max_size=12), min_size=1)


@given(sentences, st.integers(4, 30), st.integers(0, 10))
def test_chunks_hold_every_word_in_order_and_no_more_than_fits(parts, room, overlap):
    tagged = [[f"{word}{n}x{k}" for k, word in enumerate(part)] for n, part in enumerate(parts)]
    text = " ".join(" ".join(part).capitalize() + "." for part in tagged)
    found = chunks(text, words, room, overlap)
    assert all(words(chunk) <= room for chunk in found)
    seen = dict.fromkeys(word for chunk in found for word in chunk.split())
    assert list(seen) == text.split()


def test_sentences_over_a_boundary_come_twice():
    text = "One is here. Two is here. Three is here. Four is here."
    one, two, three, four = (f"{number} is here." for number in ("One", "Two", "Three", "Four"))
    assert chunks(text, words, 8, 4) == [f"{one} {two}", f"{two} {three}", f"{three} {four}"]
    assert chunks(text, words, 8, 0) == ["One is here. Two is here.", "Three is here. Four is here."]
    assert chunks(text, words, 100, 4) == [text]


def test_relations_of_chunks_are_merged_once_and_counts_summed():
    extra = {"malformed": 1, "repeated": 0, "cut_off": False}
    first = Prediction("d", [Relation("Ruta", "rutin")], extra=extra)
    second = Prediction("d", [Relation("Ruta", "rutin"), Relation("Salvia", "salvinol")], extra=extra)
    merged = merge_parts("d", [first, second])
    assert [(r.organism, r.chemical) for r in merged.relations] == [("Ruta", "rutin"), ("Salvia", "salvinol")]
    assert merged.extra["malformed"] == 2 and merged.extra["chunks"] == 2
    assert merge_parts("d", [first, Prediction("d", error="too long")]).error == "too long"
