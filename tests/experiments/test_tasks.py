"""`abroad evaluate --by task`: a model on each kind of task, beside its base model."""

import json

import pytest

from abroad.core.errors import InputError
from abroad.core.io import write_documents, write_jsonl
from abroad.documents.instructions import Task
from abroad.experiments.tasks import score_answer, score_by_task
from abroad.synthesis.tasks.kinds import make_tasks


@pytest.mark.parametrize(
    ("expected", "answer", "score"),
    [
        ("Yes.", "yes", 1),
        ("Yes.", " Yes, it says so.", 1),
        ("No.", "yes", 0),
        ("No.", "not that I know", 0),
        ("rutin; usnic acid", "Usnic acid; rutin.", 1),
        ("rutin; usnic acid", "rutin", 2 / 3),
        ("rutin; usnic acid", "", 0),
        ("Ruta ficta produces rutin", "Ruta ficta produces rutin; Ruta ficta produces lutein", 2 / 3),
    ],
)
def test_an_answer_is_scored_by_the_parts_that_it_shares(expected, answer, score):
    assert score_answer(expected, answer) == pytest.approx(score)


def test_scores_stand_by_kind_with_the_difference_from_the_base_model():
    tasks = [
        Task(str(n), "verify" if n % 2 else "compounds", "?", "T", "Yes." if n % 2 else "rutin") for n in range(20)
    ]
    own = {task.id: task.output for task in tasks}
    base = {task.id: task.output for task in tasks if task.kind == "verify"}
    compounds, verify, whole = score_by_task(tasks, own, base)
    assert (compounds.kind, compounds.score, compounds.base, compounds.difference.low) == ("compounds", 100, 0, 100)
    assert (verify.base, verify.difference.low, verify.difference.high) == (100, 0, 0)
    assert (whole.kind, whole.count, whole.score, whole.base) == ("all", 20, 100, 50)
    with pytest.raises(InputError):
        score_by_task([], {})


def test_an_adapter_is_scored_beside_its_base(cli, tiny_adapter, tiny_model, documents, tmp_path):
    tasks = make_tasks(documents)
    write_jsonl(tmp_path / "t.jsonl", [task.to_dict() for task in tasks])
    command = (
        "evaluate",
        "--by",
        "task",
        "--gold",
        tmp_path / "t.jsonl",
        "--answers",
        tmp_path / "a",
        "--max-new-tokens",
        4,
    )
    result = cli(*command, "--model", tiny_adapter, "--json")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [row["kind"] for row in rows] == [*dict.fromkeys(task.kind for task in tasks), "all"]
    assert all(row["base"] is not None for row in rows)
    assert {path.name for path in (tmp_path / "a").glob("*.jsonl")} == {"answers.jsonl", "base.jsonl"}
    again = cli(*command, "--model", tiny_adapter)
    assert again.exit_code == 0 and "kind of task" in again.stdout
    alone = cli(*command[:-3], tmp_path / "b", *command[-2:], "--model", tiny_model, "--json")
    assert alone.exit_code == 0 and json.loads(alone.stdout)[0]["base"] is None


def test_what_is_missing_is_said(cli, documents, tmp_path):
    write_documents(tmp_path / "d.jsonl", documents)
    base = ("evaluate", "--gold", tmp_path / "d.jsonl")
    for more, words in (
        (("--by", "kind"), "expected document or task"),
        (("--by", "task"), "expected --model"),
        (("--by", "task", "--model", "x/y", "--answers", tmp_path / "a"), "no instruction set"),
        ((), "expected --pred"),
    ):
        result = cli(*base, *more)
        assert result.exit_code == 2 and words in result.stderr
