"""A stage of `abroad run` and its command are one function: with the same settings they write the same bytes."""

import shutil
from pathlib import Path

import pytest
import yaml

from abroad.core.context import Context
from abroad.core.io import read_documents, write_jsonl
from abroad.core.schema import Prediction
from abroad.pipeline.config import Config, load_config
from abroad.pipeline.runner import run_stages
from abroad.pipeline.stages import make_stages

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
CONFIG = {
    "seed": 3,
    "lotus": {
        "metadata": f"{SAMPLE}/lotus_metadata.csv",
        "doi2pmid": f"{SAMPLE}/doi2pmid.tsv",
        "max_relations": 12,
    },
    "sample": {"n": 9, "strategy": "gme-sum"},
    "documents": {"xml": [f"{SAMPLE}/pubmed.xml"]},
    "synthesis": {"prompts_per_document": 2, "keywords": 4, "topics": True, "threshold": 0.4, "fidelity": 0, "best": 1},
    "evaluate": {"gold": f"{SAMPLE}/curated.jsonl", "protocol": "strict", "resamples": 1000},
}
COMMANDS = {
    "prepare": (
        f"lotus prepare {SAMPLE}/lotus_metadata.csv --doi2pmid {SAMPLE}/doi2pmid.tsv --max-relations 12 --out OUT",
        "relations.tsv",
    ),
    "sample": ("sample RUN/relations.tsv --n 9 --strategy gme-sum --seed 3 --out OUT", "sample.tsv"),
    "documents": (
        f"documents fetch RUN/sample.tsv --relations RUN/relations.tsv --xml {SAMPLE}/pubmed.xml --out OUT",
        "documents.jsonl",
    ),
    "instruct": (
        "synth instruct RUN/documents.jsonl --prompts-per-document 2 --keywords 4 --topics --seed 3 --out OUT",
        "prompts.jsonl",
    ),
    "select": (
        "synth select RUN/abstracts.jsonl --seeds RUN/documents.jsonl --threshold 0.4 --fidelity 0 --best 1 --out OUT",
        "synthetic.jsonl",
    ),
    "evaluate": (
        f"evaluate --gold {SAMPLE}/curated.jsonl --pred RUN/predictions.jsonl --protocol strict --resamples 1000 "
        "--seed 3 --report OUT",
        "report.html",
    ),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The run's directory, after the stages that need no model."""
    folder = tmp_path_factory.mktemp("run")
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({**CONFIG, "out": str(folder / "run")}))
    config = load_config(path)
    stages, out = make_stages(config), config.out
    for name in COMMANDS:
        if name == "select":  # what a model wrote
            shutil.copy(SAMPLE.with_name("synthetic") / "abstracts.jsonl", out / "abstracts.jsonl")
        if name == "evaluate":
            gold = read_documents(SAMPLE / "curated.jsonl")
            write_jsonl(out / "predictions.jsonl", [Prediction(document.id, []).to_dict() for document in gold])
        run_stages(config, stages, Context(), only=name)
    return out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_writes_what_the_stage_writes(cli, run, tmp_path, name):
    line, file = COMMANDS[name]
    out = tmp_path / file
    result = cli(*line.replace("OUT", str(out)).replace("RUN", str(run)).split())
    assert result.exit_code == 0, result.stderr
    assert out.read_bytes() == (run / file).read_bytes()


def test_a_section_takes_the_seed_of_the_run_or_has_its_own():
    config = Config(**{**CONFIG, "out": "x", "train": {"seed": 8}})
    seeds = (config.sample.seed, config.synthesis.seed, config.train.seed, config.evaluate.seed)
    assert seeds == (3, 3, 8, 3)
    again = Config.model_validate(config.model_dump())
    assert again == config


@pytest.mark.parametrize("stage", make_stages(Config(**{**CONFIG, "out": "x"})), ids=lambda stage: stage.name)
def test_what_invalidates_a_stage_is_its_settings(stage):
    """Each setting of a section changes the stages that it is of, and no other."""
    changes = {
        "prepare": ("lotus", "max_name_length", 9),
        "sample": ("sample", "approx", 2),
        "documents": ("documents", "eutils", True),
        "instruct": ("synthesis", "top_p", 0.5),
        "generate": ("synthesis", "batch_size", 2),
        "select": ("synthesis", "curate", 2),
        "train": ("train", "epochs", 2),
        "extract": ("extract", "length_penalty", 2.0),
        "evaluate": ("evaluate", "protocol", "upstream"),
    }
    for name, (section, key, value) in changes.items():
        changed = {**CONFIG, "out": "x", section: {**CONFIG.get(section, {}), key: value}}
        now = next(each for each in make_stages(Config(**changed)) if each.name == stage.name)
        assert (now.settings != stage.settings) == (name == stage.name), name
