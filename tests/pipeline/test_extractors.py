"""`abroad run` with each kind of extractor, on the sample: what comes with abroad, one's own, an adapter, another's."""

import json
from pathlib import Path

import pytest
import yaml

from abroad.core.errors import InputError
from abroad.core.io import read_predictions
from abroad.extraction.load import load_extractor
from abroad.pipeline.config import Config, load_config, show_config
from abroad.pipeline.stages import make_stages
from tests.plugins import install

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
OTHER = """
    import re
    from dataclasses import dataclass

    from abroad.core.registry import Capability
    from abroad.core.schema import Prediction, Relation
    from abroad.extraction.base import ExtractorKind

    @dataclass(frozen=True)
    class Settings:
        verb: str = "gave"

    class Pattern:
        def __init__(self, settings):
            self.pattern = re.compile(rf"([A-Z]\\w+ \\w+) {settings.verb} (\\w+)")
            self.identity = {"model": "pattern", "verb": settings.verb}

        def extract(self, documents):
            for document in documents:
                yield Prediction(document.id, [Relation(*pair) for pair in self.pattern.findall(document.text)])

    KIND = ExtractorKind("a pattern", Settings, Capability.NONE, lambda name, settings: Pattern(settings))
"""


def write_config(folder, extract):
    """A run over the sample: 4 references, and 4 curated documents to score on."""
    gold = folder / "gold.jsonl"
    gold.write_text("".join((SAMPLE / "curated.jsonl").read_text().splitlines(keepends=True)[:4]))
    config = {
        "out": str(folder / "run"),
        "lotus": {"metadata": str(SAMPLE / "lotus_metadata.csv"), "doi2pmid": str(SAMPLE / "doi2pmid.tsv")},
        "sample": {"n": 4},
        "documents": {"xml": [str(SAMPLE / "pubmed.xml")]},
        "extract": extract,
        "evaluate": {"gold": str(gold), "resamples": 1000},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder / "config.yaml"


@pytest.fixture(params=["builtin", "own", "adapter", "fewshot", "other"])
def extract(request, tmp_path, monkeypatch):
    """What a section `extract` says of an extractor of each kind."""
    if request.param == "builtin":
        return {"model": "builtin", "min_score": 0.3}
    if request.param == "own":
        return {"model": str(request.getfixturevalue("own_extractor"))}
    if request.param == "adapter":
        return {"model": str(request.getfixturevalue("tiny_adapter")), "num_beams": 1, "max_new_tokens": 4}
    if request.param == "fewshot":
        model = str(request.getfixturevalue("tiny_model"))
        asked = {"style": "classic", "shots": 0, "structured": False, "tokens_per_character": 0.01}
        return {"model": "fewshot", "settings": {"model": model, **asked}}
    group = {"abroad.extractors": {"pattern": "pattern_extractor:KIND"}}
    install(tmp_path / "site", monkeypatch, "pattern", {"pattern_extractor.py": OTHER}, group)
    return {"model": "pattern", "settings": {"verb": "from"}}


def test_a_run_extracts_with_any_extractor_and_scores_it(cli, extract, tmp_path):
    path = write_config(tmp_path, extract)
    result = cli("run", path)
    assert result.exit_code == 0, result.output
    stages = json.loads((tmp_path / "run" / "run.json").read_text())["stages"]
    assert list(stages) == ["prepare", "sample", "documents", "extract", "evaluate"]
    assert stages["extract"]["result"]["documents"] == 4 and stages["extract"]["result"]["failed"] <= (
        3 if extract["model"] == "fewshot" else 0  # some do not fit the tiny model's context
    )
    assert stages["evaluate"]["result"]["gold"] > 0 and (tmp_path / "run" / "report.html").exists()
    section = load_config(path).extract
    direct = load_extractor(extract["model"], **section.extractor_settings())
    identity = json.loads((tmp_path / "run" / "predictions.jsonl.abroad" / "resume.json").read_text())
    assert identity == json.loads(json.dumps(direct.identity))
    again = cli("run", path)
    assert "extract: done before" in again.output, again.output


def test_another_setting_of_the_extractor_runs_extraction_again(cli, tmp_path):
    found = []
    for least in (0.1, 0.99):
        result = cli("run", write_config(tmp_path, {"model": "builtin", "min_score": least}))
        assert (result.exit_code == 0 and "documents: done before" in result.output) or not found
        found.append(sum(len(p.relations) for p in read_predictions(tmp_path / "run" / "predictions.jsonl")))
    assert found[0] > found[1]


@pytest.mark.parametrize(
    ("extract", "message"),
    [
        ({"model": "builtin", "num_beams": 2}, "extract: builtin: no setting 'num_beams' of the built-in extractor"),
        (
            {"model": "builtin", "min_score": 0.5, "precision": 0.5},
            "extract: builtin: expected min_score or precision, not both$",
        ),
        ({"min_score": 0.5}, "extract: 'min_score' and 'precision' are of the built-in extractor"),
        ({"engine": "openai"}, "extraction with a fine-tuned model takes transformers, vllm"),
        ({"engine": "warp"}, "extract.engine: unknown engine 'warp'"),
        ({"engine_settings": {"drought": 1}}, "engine transformers: no setting 'drought'"),
        ({"num_beams": 0}, "extract.num_beams: expected 1 or more, found 0"),
    ],
)
def test_a_setting_that_is_not_the_extractors_is_a_mistake_of_the_config(tmp_path, extract, message):
    with pytest.raises(InputError, match=message):
        load_config(write_config(tmp_path, extract))


def test_a_config_that_is_shown_is_read_back_as_it_was(tmp_path):
    for extract in ({}, {"num_beams": 1}, {"model": "builtin"}, {"model": "builtin", "precision": 0.5}):
        config = load_config(write_config(tmp_path, extract))
        again = Config.model_validate(yaml.safe_load(show_config(config)))
        assert again.extract.extractor_settings() == config.extract.extractor_settings()
        assert again.extract.identity() == config.extract.identity()


def test_the_run_of_an_earlier_version_keeps_what_it_compares(tmp_path):
    """Without `model` the stages and the settings that they compare are those that they always were."""
    config = load_config(write_config(tmp_path, {"num_beams": 2}))
    stages = {stage.name: stage for stage in make_stages(config)}
    assert {"instruct", "generate", "select", "train"} <= stages.keys()
    assert stages["extract"].inputs == (config.evaluate.gold, config.out / "model")
    assert stages["extract"].settings == {
        "beams": 2,
        "max_new_tokens": 512,
        "length_penalty": 1.5,
        "early_stopping": "never",
        "force_end": True,
        "ngram_block": 0,
        "chunk_overlap": 0,
        "batch_size": 16,
        "engine": "transformers",
        "engine_settings": {},
    }


def test_the_command_takes_the_extractor_and_its_settings_from_a_config_or_from_its_options(cli, tmp_path, monkeypatch):
    group = {"abroad.extractors": {"pattern": "pattern_extractor:KIND"}}
    install(tmp_path / "site", monkeypatch, "pattern", {"pattern_extractor.py": OTHER}, group)
    config = tmp_path / "extract.yaml"
    config.write_text("extract: {model: pattern, settings: {verb: gave}}\n")
    by_config = cli("extract", "--text", "Ruta fictiva gave rutin.", "--config", config)
    by_options = cli("extract", "--text", "Ruta fictiva gave rutin.", "--model", "pattern", "--set", "verb=gave")
    assert by_config.exit_code == by_options.exit_code == 0, by_options.output
    assert by_config.stdout == by_options.stdout and '"rutin"' in by_config.stdout
    other = cli("extract", "--text", "Ruta fictiva gave rutin.", "--model", "pattern", "--set", "verb=made")
    assert '"rutin"' not in other.stdout
    assert cli("extract", "--text", "x", "--model", "pattern", "--set", "word=made").exit_code == 2
