"""Any consistent part of a run is a run: the stages are those whose sections stand in the config."""

import json
from pathlib import Path

import pytest
import yaml

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import read_documents, read_predictions
from abroad.pipeline.config import Config, load_config
from abroad.pipeline.runner import run_stages
from abroad.pipeline.stages import make_stages

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
GOLD = {"gold": f"{SAMPLE}/curated.jsonl", "resamples": 1000}
FILES = {"files": [f"{SAMPLE}/curated.jsonl"]}
LOTUS = {"metadata": f"{SAMPLE}/lotus_metadata.csv", "doi2pmid": f"{SAMPLE}/doi2pmid.tsv"}
XML = {"xml": [f"{SAMPLE}/pubmed.xml"]}
BUILTIN = {"model": "builtin"}
SYNTHESIS = ["instruct", "generate", "select"]

# Sections -> stages.
SUBSETS = {
    "own documents, read": ({"documents": FILES, "extract": BUILTIN}, ["documents", "extract"]),
    "own documents, scored": (
        {"documents": XML, "extract": BUILTIN, "evaluate": GOLD},
        ["documents", "extract", "evaluate"],
    ),
    "an extractor, scored": ({"extract": BUILTIN, "evaluate": GOLD}, ["extract", "evaluate"]),
    "own documents, gathered": ({"documents": FILES | XML}, ["documents"]),
    "a table": ({"lotus": LOTUS}, ["prepare"]),
    "a sample": ({"lotus": LOTUS, "sample": {"n": 4}}, ["prepare", "sample"]),
    "sampled documents": ({"lotus": LOTUS, "documents": XML}, ["prepare", "sample", "documents"]),
    "sampled documents, read": (
        {"lotus": LOTUS, "sample": {"n": 4}, "documents": XML, "extract": BUILTIN},
        ["prepare", "sample", "documents", "extract"],
    ),
    "synthesis alone": ({"documents": FILES, "synthesis": {}}, ["documents", *SYNTHESIS]),
    "synthesis and another extractor": (
        {"documents": FILES, "synthesis": {}, "extract": BUILTIN},
        ["documents", *SYNTHESIS, "extract"],
    ),
    "an adapter of own documents": ({"documents": FILES, "train": {"add_seeds": True}}, ["documents", "train"]),
    "an adapter, scored": (
        {"documents": FILES, "synthesis": {}, "train": {}, "evaluate": GOLD},
        ["documents", *SYNTHESIS, "train", "extract", "evaluate"],
    ),
    "a whole run": (
        {"lotus": LOTUS, "evaluate": GOLD},
        ["prepare", "sample", "documents", *SYNTHESIS, "train", "extract", "evaluate"],
    ),
    "a whole run with an extractor": (
        {"lotus": LOTUS, "documents": XML, "extract": BUILTIN, "evaluate": GOLD},
        ["prepare", "sample", "documents", "extract", "evaluate"],
    ),
}

# Those without a language model.
QUICK = [name for name, (_, stages) in SUBSETS.items() if not {"generate", "train"} & {*stages}]


@pytest.fixture
def write(tmp_path):
    def write(sections):
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump({"out": str(tmp_path / "run"), **sections}))
        return path

    return write


@pytest.mark.parametrize("name", SUBSETS)
def test_a_part_of_a_run_has_the_stages_of_its_sections(cli, write, name):
    sections, stages = SUBSETS[name]
    path = write({"seed": 5, **sections})
    config = load_config(path)
    assert [stage.name for stage in make_stages(config)] == stages
    assert cli("config", "check", path).exit_code == 0
    shown = yaml.safe_load(cli("config", "show", path).stdout)
    assert [stage.name for stage in make_stages(Config(**shown))] == stages
    assert shown.keys() >= sections.keys() and all(shown[key].get("seed", 5) == 5 for key in sections)
    # every input of a stage is written by one before it, or is the user's
    made = set()
    for stage in make_stages(config):
        assert all(path in made or (path.exists() and config.out not in path.parents) for path in stage.inputs)
        made |= {*stage.outputs}


@pytest.mark.parametrize("name", QUICK)
def test_a_part_of_a_run_runs(cli, write, tmp_path, name):
    sections, stages = SUBSETS[name]
    path = write(sections)
    result = cli("run", path)
    assert result.exit_code == 0, result.output
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert list(record["stages"]) == stages and record["config"].keys() >= sections.keys()
    assert ("precision" in result.stdout) == ("evaluate" in stages)
    assert cli("run", path).output.count("done before, unchanged") == len(stages)


def test_own_documents_of_any_format_are_read_and_gold_is_scored_beside_them(write, tmp_path):
    (tmp_path / "notes.csv").write_text("title,abstract\nUsnea,Usnic acid was isolated from Usnea barbata.\n")
    documents = {"files": [str(tmp_path / "notes.csv")], **XML}
    config = load_config(write({"documents": documents, "extract": BUILTIN, "evaluate": GOLD}))
    run_stages(config, make_stages(config), Context())
    gathered = {document.id for document in read_documents(config.out / "documents.jsonl")}
    gold = {document.id for document in read_documents(GOLD["gold"])}
    read = [prediction.id for prediction in read_predictions(config.out / "predictions.jsonl")]
    assert sorted(read) == sorted(gathered | gold) and len(gathered) > 1
    assert json.loads((config.out / "scores.json").read_text())["without_prediction"] == 0


def test_the_command_extract_writes_what_the_stage_writes(cli, write, tmp_path):
    (tmp_path / "notes.csv").write_text("title,abstract\nUsnea,Usnic acid was isolated from Usnea barbata.\n")
    documents = {"files": [str(tmp_path / "notes.csv")], **XML}
    config = load_config(write({"documents": documents, "extract": BUILTIN | {"min_score": 0.4}}))
    run_stages(config, make_stages(config), Context())
    out = tmp_path / "predictions.jsonl"
    assert cli("extract", config.out / "documents.jsonl", "--min-score", "0.4", "--out", out).exit_code == 0
    assert out.read_bytes() == (config.out / "predictions.jsonl").read_bytes()
    assert any(r.organism_id for p in read_predictions(out) for r in p.relations)


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({}, "nothing to do: expected sections of stages"),
        ({"lotus": {"relations": "r.tsv"}}, "nothing to do"),
        (
            {"documents": FILES, "extract": {"model": "bultin"}},
            "extract.model: bultin: no such extractor; did you mean",
        ),
        ({"documents": {}, "extract": BUILTIN}, "documents: expected 'files' or 'xml', or a section 'lotus'"),
        ({"documents": {"eutils": True}}, "documents.eutils: asks for what was sampled: expected a section 'lotus'"),
        ({"documents": FILES, "sample": {}}, "sample: draws from a table of relations: expected a section 'lotus'"),
        ({"documents": FILES, "evaluate": GOLD}, "evaluate: nothing to score: expected a section 'extract' with"),
        ({"documents": FILES, "extract": {}}, "extract: expected 'model' (builtin, a directory or a name), or"),
        ({"extract": BUILTIN}, "extract: nothing to read: expected a section 'documents', or 'evaluate' with 'gold'"),
        ({"synthesis": {}}, "synthesis: begins with documents: expected a section 'documents'"),
        ({"curation": {"offline": True}}, "curation: begins with documents"),
        ({"documents": FILES, "train": {}}, "train: nothing to train on: expected a section 'synthesis', or"),
        (
            {"documents": FILES, "train": {"add_seeds": True}, "extract": {}},
            "extract: what is trained here reads gold documents: expected a section 'evaluate', or 'model'",
        ),
        (
            {"documents": FILES, "train": {"add_seeds": True}, "extract": BUILTIN},
            "train: of no use beside extract.model",
        ),
        ({"train": {}, "sample": {}}, "sample: draws from a table of relations: expected a section 'lotus'; train:"),
    ],
    ids=lambda value: "+".join(value) or "nothing" if isinstance(value, dict) else "",
)
def test_what_is_missing_is_said_by_check_and_run_alike(cli, write, sections, said):
    path = write(sections)
    for command in (("config", "check"), ("run",)):
        result = cli(*command, path)
        assert result.exit_code == 2 and said in result.stderr, result.output
        assert result.stderr.count("\n") == 1 and "(top)" not in result.stderr
    with pytest.raises(InputError):
        load_config(path)
