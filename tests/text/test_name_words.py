"""Words that are no names, and class nouns, are counted from texts and names."""

import gzip

from abroad.text.name_words import is_class_noun, is_numbered_head, is_ordinary, make_lists


def test_ordinary_words_and_class_nouns_that_come_with_the_code():
    assert all(map(is_ordinary, ("compounds", "Samples", "phase", "in")))
    assert not any(map(is_ordinary, ("microcystins", "ganoderic", "flavonoids", "Rb", "acid", "vitamins")))
    assert all(map(is_class_noun, ("acids", "ester", "glucosides")))
    assert not is_class_noun("derivatives")
    assert is_numbered_head("bryostatins") and not any(map(is_numbered_head, ("compounds", "fictins")))


def test_lists_are_counted(tmp_path):
    texts = ["Samples hold fictins.", "A sample of fictin and acid"] * 5
    acids = (f"{word} acid" for word in ("ficic", "alpic", "gallic", "usnic", "malic"))
    names = ["fictin A", "fictin B", "testin 3", "acid 2", *acids]
    counts = make_lists(texts, names, ["Fictins"], tmp_path)
    assert counts == {"ordinary_words": 2, "class_nouns": 1, "numbered_heads": 1}
    found = {file: gzip.decompress((tmp_path / f"{file}.txt.gz").read_bytes()).decode().split("\n") for file in counts}
    assert found["ordinary_words"] == ["of", "sample"] and found["numbered_heads"] == ["testin"]
