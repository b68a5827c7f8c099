"""General benchmarks: lm-evaluation-harness itself, over a task that lies here, and what our own engine says of it."""

import json
import sys

import pytest

TASK = """
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {path}}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{question}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{answer}}}}"
metric_list: [{{metric: acc}}, {{metric: acc_norm}}]
metadata: {{version: 3}}
"""
QUESTIONS = [
    {"question": f"Which acid is in {place}?", "choices": ["usnic acid", "citric acid", "a"], "answer": place % 3}
    for place in range(6)
]


@pytest.fixture
def tasks(tmp_path):
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "data.jsonl").write_text("".join(json.dumps(line) + "\n" for line in QUESTIONS))
    (folder / "acids.yaml").write_text(TASK.format(name="acids", path=folder / "data.jsonl"))
    return folder


def board(cli, tmp_path, *options):
    return cli("leaderboard", "--out", tmp_path / "board", *options)


def test_scores_of_the_harness_are_those_of_the_model(cli, tiny_model, tasks, tmp_path, monkeypatch):
    pytest.importorskip("lm_eval")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    options = ["--models", tiny_model, "--batch-size", 4, "--harness-tasks", tasks]
    result = board(cli, tmp_path, "--harness", "acids", *options)
    assert result.exit_code == 0, result.output
    scores = {score["metric"]: score for score in json.loads((tmp_path / "board" / "harness.json").read_text())}
    from abroad.engines.spec import make_engine

    engine = make_engine("transformers", str(tiny_model))
    right = 0
    for item in QUESTIONS:
        found = engine.score([item["question"]] * 3, [f" {choice}" for choice in item["choices"]])
        right += max(range(3), key=lambda place: found[place].logprob) == item["answer"]
    assert scores["acc"]["value"] == pytest.approx(right / 6) and scores["acc"]["documents"] == 6
    assert (scores["acc"]["version"], scores["acc"]["shots"], scores["acc"]["task"]) == ("3", 0, "acids")
    assert scores.keys() == {"acc", "acc_norm"} and scores["acc"]["error"] > 0
    assert f"| {tiny_model.name} | acids | 3 | 0 | 6 | acc |" in result.stdout
    assert (tmp_path / "board" / "harness.md").read_text() in result.stdout
    refused = board(cli, tmp_path, "--harness", "acids,nonsense", *options)
    assert refused.exit_code == 2 and "--harness nonsense: no such task" in refused.stderr
    (tasks / "data.jsonl").unlink()
    broken = board(cli, tmp_path, "--harness", "acids", *options, "--force")
    assert broken.exit_code == 2 and "cannot be read" in broken.stderr


def test_models_of_other_engines_are_refused(cli, tasks, tmp_path):
    pytest.importorskip("lm_eval")
    config = tmp_path / "c.yaml"
    config.write_text("leaderboard: {models: [{model: m, engine: openai}]}\n")
    result = board(cli, tmp_path, "--harness", "acids", "--harness-tasks", tasks, "--config", config)
    assert result.exit_code == 2 and "expected models of engine transformers" in result.stderr


def test_without_the_harness_it_is_said_how_to_get_it(cli, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "lm_eval"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    result = board(cli, tmp_path, "--harness", "hellaswag")
    assert result.exit_code == 1 and "[harness]" in result.stderr


def test_something_must_be_asked_for(cli, tmp_path):
    result = board(cli, tmp_path)
    assert result.exit_code == 2 and "expected a SUITE" in result.stderr
