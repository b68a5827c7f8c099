"""Curation of accepted abstracts: quality, then diversity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.errors import InputError
from abroad.core.io import read_documents, write_documents
from abroad.synthesis.selection.curate import curate
from abroad.synthesis.settings import CurateSettings
from tests.conftest import make_document


def document(id, score, *pairs):
    made = make_document(str(id), "T", "A.", list(pairs))
    made.extra = {"score": score}
    return made


def test_diversity_prefers_new_entities_to_more_of_the_same():
    same = [document(f"same{n}", 1.0, ("Usnea testalis", "usnic acid")) for n in range(5)]
    other = document("other", 1.0, ("Ruta fictiva", "scopoletin"))
    chosen = curate([*same, other], CurateSettings(k=2))
    assert "other" in [d.id for d in chosen.documents]
    assert (chosen.heads, chosen.tails) == (2, 2)


def test_what_is_bad_is_not_chosen_for_being_different():
    good = [document(f"good{n}", 1.0, ("Usnea testalis", f"acid {n}")) for n in range(4)]
    bad = [document(f"bad{n}", 0.5, (f"Ruta {n}", f"base {n}")) for n in range(4)]
    assert all(d.id.startswith("good") for d in curate([*bad, *good], CurateSettings(k=2)).documents)
    assert any(d.id.startswith("bad") for d in curate([*bad, *good], CurateSettings(k=2, quality=1.0)).documents)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.floats(0, 1)), min_size=1, max_size=25),
    st.integers(1, 30),
)
def test_as_many_as_asked_for_each_once(rows, k):
    documents = [document(n, score, (f"o{o}", f"c{c}")) for n, (o, c, score) in enumerate(rows)]
    chosen = curate(documents, CurateSettings(k=k))
    ids = [d.id for d in chosen.documents]
    assert len(ids) == len(set(ids)) == min(k, len(rows))


def test_without_a_relation_there_is_nothing_to_choose_by():
    with pytest.raises(InputError, match="relation"):
        curate([document("1", 1.0)], CurateSettings(k=3))


def test_the_command_writes_the_documents_in_the_order_picked(cli, tmp_path):
    write_documents(tmp_path / "all.jsonl", [document(n, 1.0, (f"o{n % 2}", f"c{n}")) for n in range(6)])
    result = cli("synth", "curate", tmp_path / "all.jsonl", "--k", 3, "--out", tmp_path / "best.jsonl")
    assert result.exit_code == 0 and "3 of 6 abstracts, with 2 organisms and 3 chemicals" in result.stderr
    assert len(read_documents(tmp_path / "best.jsonl")) == 3
