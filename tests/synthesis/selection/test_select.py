"""Selection keeps the abstracts that state their relations, and says why the others go."""

import json

import pytest

from abroad.core.schema import Document, Entity
from abroad.synthesis.selection.select import SelectSettings, coverage, repeats_itself, select

TAIL = (
    "It showed moderate activity against several strains of bacteria in a standard broth dilution assay with controls."
)


def candidate(id, text, surfaces=None, source="s", chemicals=("alpin A", "alpin B"), **extra):
    bare = Document(id, "On a shrub.", text, extra={"source": source, "surfaces": surfaces or {}, **extra})
    named = [Entity(name, name) for name in chemicals]
    return bare.with_products([Entity("o", "Ruta ficta")], named, [("o", name) for name in chemicals])


@pytest.mark.parametrize(
    ("text", "surfaces", "score"),
    [
        ("Alpin A and ALPIN B came from Ruta ficta.", {}, 1.0),
        ("Alpin A and alpin B came from R. ficta.", {}, 1.0),
        ("Alpin A came from Ruta ficta.", {}, 0.5),
        ("Alpins A and B came from Ruta ficta.", {"alpin A": "alpins A and B", "alpin B": "alpins A and B"}, 1.0),
        ("Alpins A and B came from Ruta ficta.", {}, 1.0),
        ("Alpin A and alpin B came from a shrub.", {}, 0.0),
        ("Alpin Ax and alpin Bx came from Ruta ficta.", {}, 0.0),
    ],
)
def test_the_score_is_the_share_of_relations_with_both_labels(text, surfaces, score):
    assert coverage(candidate("1", text, surfaces))[0] == score


def test_missing_labels_are_named():
    assert coverage(candidate("1", "Alpin A came from Ruta ficta."))[1] == ["alpin B"]


def test_the_best_of_each_seed_document_are_kept_and_the_others_keep_their_reasons():
    good = "Alpin A and alpin B came from Ruta ficta. "
    selection = select(
        [
            candidate("a", good + "First. " + TAIL, finish_reason="length"),
            candidate("b", good + "Second. " + TAIL),
            candidate("c", good + "Third. " + TAIL),
            candidate("d", "Alpin A came from Ruta ficta. " + TAIL),
            candidate("e", good),
            candidate("f", good + "Third. " + TAIL),
            candidate("g", good + "Other. " + TAIL, source="t"),
        ],
        SelectSettings(best=2, fidelity=0, similarity=1.0),
    )
    assert [document.id for document in selection.kept] == ["b", "c", "g"]
    assert {record["id"]: record["reasons"] for record in selection.rejected} == {
        "a": ["others of the same document score at least as high"],
        "d": ["labels missing"],
        "e": ["too short"],
        "f": ["repeats another"],
    }
    assert selection.faithful == 4
    assert all(document.extra["synthetic"] for document in selection.kept)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One thing. Another thing. A third thing.", False),
        ("The same. The same. The same.", True),
        ("A b. C d. A b. C d. E f.", False),
        ("A b. C d. A b. C d. A b.", True),
        ("Once.", False),
    ],
)
def test_loops_are_noticed(text, expected):
    assert repeats_itself(text) is expected


def test_the_commands_make_prompts_and_select(cli, tmp_path):
    seeds, prompts, kept = tmp_path / "seeds.jsonl", tmp_path / "prompts.jsonl", tmp_path / "train.jsonl"
    seeds.write_text(json.dumps(candidate("1", "Alpin A came from Ruta ficta. " + TAIL).to_dict()) + "\n")
    assert cli("synth", "instruct", seeds, "--out", prompts, "--prompts-per-document", 3).exit_code == 0
    records = [json.loads(line) for line in prompts.read_text().splitlines()]
    assert len(records) == 3
    abstracts = tmp_path / "abstracts.jsonl"
    abstracts.write_text(
        "".join(json.dumps({**r, "AbstractText": r["lead"] + f" {n} " + TAIL}) + "\n" for n, r in enumerate(records))
        + "not json\n"
    )
    result = cli("synth", "select", abstracts, "--out", kept, "--best", 2)
    assert result.exit_code == 0
    assert "3 of 3 abstracts are faithful" in result.stderr
    assert "abstracts.jsonl:4" in result.stderr
    assert len(kept.read_text().splitlines()) == 2
    assert len((tmp_path / "train.jsonl.abroad" / "rejected.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize("command", [("synth", "instruct"), ("synth", "generate"), ("synth", "select")])
def test_a_missing_file_ends_with_exit_code_2(cli, tmp_path, command):
    result = cli(*command, tmp_path / "nothing.jsonl", "--out", tmp_path / "out.jsonl")
    assert result.exit_code == 2
    assert "nothing.jsonl" in result.stderr
