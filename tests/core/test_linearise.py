"""Relations as text and back."""

from hypothesis import given
from hypothesis import strategies as st

from abroad.core.linearise import linearise, parse

label = st.text(st.characters(codec="utf-8", exclude_characters=";([{)]}", exclude_categories=("Z", "C")), min_size=1)
name = st.lists(label, min_size=1, max_size=4).map(" ".join).filter(lambda text: " produces " not in f" {text} ")


def test_the_published_form():
    assert linearise([("Ruta fictiva", "scopoletin"), ("R. alba", "rutin")]) == (
        "Ruta fictiva produces scopoletin; R. alba produces rutin"
    )


@given(st.lists(st.tuples(name, name), max_size=6, unique=True))
def test_what_is_written_is_read_back(pairs):
    assert parse(linearise(pairs)).pairs == pairs


@given(st.text())
def test_any_text_gives_relations_and_counts_but_no_exception(text):
    parsed = parse(text)
    assert parsed.malformed >= 0 and all(organism and chemical for organism, chemical in parsed.pairs)


def test_malformed_and_repeated_parts_are_counted():
    parsed = parse("A produces b; nonsense; A produces b;  produces c; A produces b produces c; A produces d")
    assert parsed.pairs == [("A", "b"), ("A", "d")]
    assert (parsed.malformed, parsed.repeated) == (3, 1)


def test_a_semicolon_inside_brackets_belongs_to_the_name():
    assert parse("A produces tetra[1,3;2,4]ol; A produces b").pairs == [("A", "tetra[1,3;2,4]ol"), ("A", "b")]


def test_runaway_output_is_malformed():
    assert parse("A produces " + "x" * 5000).malformed == 1
