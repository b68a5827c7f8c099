"""Words that are no names, and class nouns, are counted from texts and names."""

import gzip

from abroad.text.name_words import is_class_noun, is_ordinary, make_lists


def test_ordinary_words_and_class_nouns_that_come_with_the_code():
    assert all(map(is_ordinary, ("compounds", "Samples", "phase", "in")))
    assert not any(map(is_ordinary, ("microcystins", "ganoderic", "flavonoids", "Rb", "acid")))
    assert all(map(is_class_noun, ("acids", "ester", "glucosides")))
    assert not is_class_noun("derivatives")


def test_lists_are_counted(tmp_path):
    texts = ["Samples hold fictins.", "A sample of fictin and acid"] * 5
    names = ["fictin A", "fictin B", *(f"{word} acid" for word in ("ficic", "alpic", "gallic", "usnic", "malic"))]
    assert make_lists(texts, names, ["Fictins"], tmp_path) == {"ordinary_words": 2, "class_nouns": 1}
    words = gzip.decompress((tmp_path / "ordinary_words.txt.gz").read_bytes()).decode().split("\n")
    assert words == ["of", "sample"]
