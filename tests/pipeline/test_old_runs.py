"""Runs of earlier versions go on: what is compared of settings is what it was before settings were classes."""

from pathlib import Path

import pytest
import yaml

from abroad.core.resume import digest
from abroad.experiments.learners import Learner
from abroad.extraction.fewshot.run import FewShotSettings
from abroad.extraction.generative.decoding import Decoding
from abroad.pipeline.config import Config
from abroad.pipeline.paths import rebased
from abroad.pipeline.stages import make_stages
from abroad.ranking.rank import RankSettings
from abroad.training.settings import TrainSettings

ROOT = Path(__file__).parents[2]
# Written by abroad as of commit fced5a6; they stand in the run.json of people's runs.
DIGESTS = {
    "configs/language_model.yaml": {
        "prepare": "62ac49af68ac273b",
        "sample": "0be21a6aef5ac56f",
        "documents": "f8c95bf3833fbc41",
        "instruct": "8a8f906856fa7e8f",
        "generate": "3c0f7b8531c972c2",
        "select": "80edd71cf5604a6e",
        "train": "525973408e3a6ae3",
        "extract": "a0a19c33fe101008",
        "evaluate": "c5565ee04f361a0b",
    },
    "tests/pipeline/biogpt_of_fced5a6.yaml": {
        "prepare": "e8339b6e85ee22aa",
        "sample": "36f3e5abcbadc8fa",
        "documents": "65d650fc3a839def",
        "instruct": "c1f4136cb1c849fe",
        "generate": "13899a592ee1d91a",
        "select": "cee215ef912afc71",
        "train": "b32cbac909c55050",
        "extract": "f54d54c03f3ae14d",
        "evaluate": "dbe71c3622775502",
    },
    "tests/pipeline/every_key.yaml": {
        "prepare": "16058a5d57a33315",
        "sample": "55de099e2088c5c3",
        "documents": "84fcedc305447d26",
        "instruct": "9558ddf5e63f1cf5",
        "generate": "9e615b8fcb73a221",
        "select": "0a483a49db7f04b9",
        "specialise": "92bc82f53d82322e",
        "train": "b0b6dacab028a923",
        "extract": "d08508467b1111d2",
        "evaluate": "4254c817fadd95e9",
    },
}


@pytest.mark.filterwarnings("ignore::abroad.core.errors.FormerNameWarning")
@pytest.mark.parametrize("path", DIGESTS)
def test_the_stages_of_an_old_config_are_as_done_as_they_were(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    config = Config.model_validate(yaml.safe_load(Path(path).read_text()))
    if path.startswith("configs"):  # whose paths counted from the root
        config = rebased(config, Path(path))
    assert {stage.name: digest(stage.settings) for stage in make_stages(config)} == DIGESTS[path]


TRAIN = {"epochs": 3, "accumulation": 2, "batch_size": 2}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (TrainSettings.recorded(TRAIN), "e07520114ff48b0e"),
        (Decoding(), "3768a0c41da6ecd1"),
        (RankSettings(), "7a74cf14f18c552c"),
        (Learner(kind="lm", train=TrainSettings.recorded(TRAIN), seed=3), "69fcbd2c109bfcb4"),
        (FewShotSettings(shots=5), "b53bac9f7cfeeddc"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_resumption_compares_of_settings_is_as_it_was(settings, expected):
    assert digest(settings.identity()) == expected


def test_a_config_of_an_earlier_version_is_read_and_each_former_key_told_once(cli, tmp_path):
    mapping = yaml.safe_load((ROOT / "tests/pipeline/every_key.yaml").read_text())
    for section, keys in FILES.items():
        for key in keys:
            (tmp_path / f"{section}-{key}").write_text("x")
            mapping[section][key] = str(tmp_path / f"{section}-{key}")
    mapping["documents"] = {"eutils": True}
    mapping["synthesis"]["engine"] = "transformers"
    mapping["synthesis"]["engine_settings"] = {}
    path = tmp_path / "old.yaml"
    path.write_text(yaml.safe_dump(mapping))
    result = cli("config", "show", path)
    assert result.exit_code == 0, result.stderr
    for former, now in FORMER.items():
        assert result.stderr.count(f"note: {former} is called {now} now") == 1
    shown = yaml.safe_load(result.stdout)
    assert shown["train"]["gradient_accumulation_steps"] == 7 and shown["extract"]["num_beams"] == 5
    again = tmp_path / "new.yaml"
    again.write_text(result.stdout)
    assert "note:" not in cli("config", "show", again).stderr


FILES = {"lotus": ("metadata", "doi2pmid"), "train": ("validation",), "evaluate": ("gold",)}
FORMER = {
    "max_tokens": "max_new_tokens",
    "accumulation": "gradient_accumulation_steps",
    "validation_tokens": "validation_max_new_tokens",
    "beams": "num_beams",
    "ngram_block": "no_repeat_ngram_size",
}
