"""Stages run once, run again when something they rest on has changed, and leave a record."""

import json

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.stage import Stage
from abroad.pipeline.config import Config, EvaluateSection, LotusSection
from abroad.pipeline.runner import run_stages


class Pipeline:
    """Two real stages: upper-case a file, then count its letters."""

    def __init__(self, directory):
        self.source = directory / "source.txt"
        self.source.write_text("alpin")
        self.config = Config(
            out=directory / "run",
            lotus=LotusSection(relations=self.source),
            evaluate=EvaluateSection(gold=self.source),
        )
        self.upper, self.count = self.config.out / "upper.txt", self.config.out / "count.txt"
        self.ran, self.factor = [], 1

    def run(self, only=None, force=False):
        self.ran.clear()
        self.said = []
        stages = [
            Stage("upper", (self.source,), (self.upper,), {}, self.do_upper),
            Stage("count", (self.upper,), (self.count,), {"factor": self.factor}, self.do_count),
        ]
        return run_stages(self.config, stages, Context(say=self.said.append), only, force)

    def do_upper(self, context):
        self.ran.append("upper")
        self.upper.write_text(self.source.read_text().upper())
        return {}

    def do_count(self, context):
        self.ran.append("count")
        letters = len(self.upper.read_text()) * self.factor
        self.count.write_text(str(letters))
        return {"letters": letters}


@pytest.fixture
def pipeline(tmp_path):
    return Pipeline(tmp_path)


def test_a_second_run_does_nothing(pipeline):
    pipeline.run()
    assert pipeline.ran == ["upper", "count"]
    pipeline.run()
    assert pipeline.ran == []
    assert all("done before" in line for line in pipeline.said)


def test_a_changed_input_runs_what_rests_on_it(pipeline):
    pipeline.run()
    pipeline.source.write_text("barbatic")
    pipeline.run()
    assert pipeline.ran == ["upper", "count"]
    pipeline.source.write_text("Barbatic")  # gives the same upper.txt
    pipeline.run()
    assert pipeline.ran == ["upper"]


def test_changed_settings_or_outputs_run_the_stage_again(pipeline):
    pipeline.run()
    pipeline.factor = 2
    pipeline.run()
    assert pipeline.ran == ["count"]
    pipeline.upper.unlink()
    pipeline.run()
    assert pipeline.ran == ["upper"]


def test_one_stage_can_be_run_alone(pipeline):
    with pytest.raises(InputError, match=r"'count' needs .*upper.txt"):
        pipeline.run(only="count")
    pipeline.run(only="upper")
    assert pipeline.ran == ["upper"]
    with pytest.raises(InputError, match="expected one of: upper, count"):
        pipeline.run(only="lower")


def test_the_record_tells_settings_versions_hashes_time_and_memory(pipeline):
    pipeline.run()
    record = json.loads((pipeline.config.out / "run.json").read_text())
    assert {"config", "seed", "versions", "stages"} <= record.keys()
    entry = record["stages"]["count"]
    assert entry["result"] == {"letters": 5, "set_aside": 0}
    assert len(entry["inputs"][str(pipeline.upper)]) == 64
    assert entry["seconds"] >= 0
    assert {"peak_memory_mb", "started", "outputs"} <= entry.keys()


def test_a_stage_that_fails_keeps_those_before_it(pipeline, monkeypatch):
    def fail(context):
        raise InputError("no letters")

    monkeypatch.setattr(pipeline, "do_count", fail)
    with pytest.raises(InputError):
        pipeline.run()
    monkeypatch.undo()
    pipeline.run()
    assert pipeline.ran == ["count"]


def test_a_file_that_no_stage_wrote_stays_but_for_force(pipeline):
    pipeline.config.out.mkdir(exist_ok=True)
    pipeline.upper.write_text("mine")
    with pytest.raises(InputError, match="--force to overwrite it"):
        pipeline.run()
    assert pipeline.upper.read_text() == "mine" and not (pipeline.config.out / "run.json").exists()
    pipeline.run(force=True)
    assert pipeline.ran == ["upper", "count"]
    pipeline.run()


def test_an_output_that_was_edited_stays_but_for_force(pipeline):
    pipeline.run()
    pipeline.upper.write_text("corrected by hand")
    with pytest.raises(InputError, match="changed since"):
        pipeline.run()
    assert pipeline.upper.read_text() == "corrected by hand"
    pipeline.run(only="count")
    pipeline.run(force=True)
    assert pipeline.ran == ["upper", "count"]


def test_no_stage_writes_over_what_the_run_reads(pipeline):
    pipeline.upper = pipeline.config.out / ".." / "source.txt"
    with pytest.raises(InputError, match="which this command reads"):
        pipeline.run(force=True)
    assert pipeline.source.read_text() == "alpin"


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize(("name", "listed"), [("upper", True), ("count", True), ("count", False)])
def test_what_the_run_reads_is_the_output_of_no_stage_even_by_force(pipeline, name, listed, alone):
    mine = pipeline.config.out / f"{name}.txt"
    mine.parent.mkdir()
    mine.write_text("alpin")
    if listed:
        pipeline.source = mine
    else:  # a path of the config that no stage names as its input
        pipeline.config = pipeline.config.replace(evaluate=EvaluateSection(gold=mine))
    with pytest.raises(InputError, match="which this command reads"):
        pipeline.run(only=name if alone else None, force=True)
    assert mine.read_text() == "alpin" and pipeline.ran == []


@pytest.mark.parametrize(
    ("config", "mine"),
    [
        ("lotus:\n  metadata: lotus.csv\n  doi2pmid: sample.tsv\nsample:\n  n: 5\n", "sample.tsv"),
        ("lotus:\n  metadata: relations.tsv\n  doi2pmid: map.tsv\nsample:\n  n: 5\n", "relations.tsv"),
        ("documents:\n  files: [predictions.jsonl]\nextract:\n  model: builtin\n", "predictions.jsonl"),
        ("documents:\n  files: [documents.jsonl]\nextract:\n  model: builtin\n", "documents.jsonl"),
    ],
)
def test_a_file_of_the_config_in_its_own_folder_stays(cli, tmp_path, config, mine):
    (tmp_path / "c.yaml").write_text("out: .\n" + config)
    for name in ("lotus.csv", "map.tsv", "sample.tsv", "relations.tsv", "predictions.jsonl", "documents.jsonl"):
        (tmp_path / name).write_text(f"{name} of a user\n")
    result = cli("run", tmp_path / "c.yaml", "--force")
    assert result.exit_code == 2 and "which this command reads" in result.stderr
    assert (tmp_path / mine).read_text() == f"{mine} of a user\n"


def test_a_stage_that_was_killed_is_run_again_without_force(pipeline, monkeypatch):
    def killed(context):
        pipeline.upper.write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "do_upper", killed)
    with pytest.raises(KeyboardInterrupt):
        pipeline.run()
    monkeypatch.undo()
    pipeline.run()
    assert pipeline.ran == ["upper", "count"]


def test_the_run_of_an_earlier_version_goes_on(pipeline):
    pipeline.run()
    record = json.loads((pipeline.config.out / "run.json").read_text())
    del record["begun"], record["stages"]["count"]
    (pipeline.config.out / "run.json").write_text(json.dumps(record))
    pipeline.run()
    assert pipeline.ran == ["count"]
    pipeline.run()
    assert pipeline.ran == []


def test_a_broken_record_is_named(pipeline):
    pipeline.run()
    (pipeline.config.out / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"run\.json: broken run record"):
        pipeline.run()


@pytest.mark.parametrize("nested", [False, True])
def test_a_local_model_replaced_in_place_makes_its_stage_again(pipeline, tmp_path, nested):
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"one")
    values = {"model": str(model), "n": 1}
    pipeline.ran = []
    stage = Stage(
        "upper",
        (pipeline.source,),
        (pipeline.upper,),
        {"engine_settings": values} if nested else values,
        pipeline.do_upper,
    )

    def done():
        pipeline.said = []
        run_stages(pipeline.config, [stage], Context(say=pipeline.said.append))
        return "done before" in pipeline.said[-1]

    assert [done(), done()] == [False, True]
    (model / "model.safetensors").write_bytes(b"two")
    assert [done(), done()] == [False, True]
