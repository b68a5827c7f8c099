"""Configs: every mistake is found at once, before anything runs."""

from pathlib import Path

import pytest
import yaml

from abroad.core.errors import InputError
from abroad.core.settings import read_section
from abroad.experiments.leaderboard.settings import LeaderboardSettings
from abroad.pipeline.config import Config, load_config, load_section

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config(tmp_path):
    """A valid config as a mapping, and a function that writes it."""
    for name in ("relations.tsv", "gold.jsonl"):
        (tmp_path / name).write_text("x")
    mapping = {
        "out": str(tmp_path / "run"),
        "lotus": {"relations": str(tmp_path / "relations.tsv")},
        "evaluate": {"gold": str(tmp_path / "gold.jsonl")},
    }

    def write(changed=mapping):
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(changed))
        return path

    return mapping, write


# Those in configs/gpu are accelerate's, those in configs/fields say what a field is.
OURS = [path for path in sorted(ROOT.glob("configs/**/*.yaml")) if path.parent.name not in ("gpu", "fields")]


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_the_configs_we_ship_have_no_unknown_keys(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    mapping = yaml.safe_load(path.read_text())
    if "evaluate" in mapping and "gold" in mapping["evaluate"] and Path(mapping["evaluate"]["gold"]).exists():
        load_config(path)
    for name in mapping.keys() - {"out", "seed"}:
        if name == "leaderboard":
            read_section(path, name, LeaderboardSettings)
        else:
            load_section(path, name)


def test_every_mistake_is_named_with_its_key(config):
    mapping, write = config
    mapping["sample"] = {"n": 0, "strateg": "gme"}
    mapping["train"] = {"epochs": "many"}
    mapping["colour"] = "red"
    with pytest.raises(InputError) as caught:
        load_config(write())
    message = str(caught.value)
    assert "4 mistakes" in message
    for key in ("sample.n", "sample.strateg: unknown key", "train.epochs", "colour: unknown key"):
        assert key in message
    assert "\n" not in message


def test_missing_files_are_named(config):
    mapping, write = config
    mapping["evaluate"]["gold"] = "nowhere.jsonl"
    with pytest.raises(InputError, match=r"evaluate\.gold: no such file: .*nowhere\.jsonl"):
        load_config(write())


def test_one_source_of_relations_is_wanted(config):
    mapping, write = config
    mapping["lotus"]["metadata"] = "x.csv"
    with pytest.raises(InputError, match="either 'relations', or 'metadata' and 'doi2pmid'"):
        load_config(write())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"out: [", "config.yaml:1"),
        (b"- a\n- b\n", "expected a mapping"),
        (b"\xff\xfe", "not UTF-8"),
        (b"", "empty"),
    ],
)
def test_files_that_are_no_config_end_with_exit_code_2(cli, tmp_path, content, message):
    path = tmp_path / "config.yaml"
    path.write_bytes(content)
    for command in (("config", "check"), ("run",)):
        result = cli(*command, path)
        assert result.exit_code == 2
        assert message in result.stderr


def test_show_prints_every_default_and_can_be_read_back(cli, config, tmp_path):
    _, write = config
    result = cli("config", "show", write())
    shown = yaml.safe_load(result.stdout)
    assert shown["train"]["lora_rank"] == 8
    assert shown["extract"]["length_penalty"] == 1.5
    again = tmp_path / "again.yaml"
    again.write_text(result.stdout)
    assert cli("config", "show", again).stdout == result.stdout


_ALONE = sorted(set(Config.model_fields) - {"out", "seed", "field", "lotus", "evaluate", "curation"})


@pytest.mark.parametrize("name", _ALONE)
def test_a_file_of_sections_for_single_commands_is_checked(cli, tmp_path, name):
    path = tmp_path / "sections.yaml"
    path.write_text(yaml.safe_dump({name: {}}))
    result = cli("config", "check", path)
    assert result.exit_code == 0 and f"no mistakes in the section {name}" in result.stdout + result.stderr
    path.write_text(yaml.safe_dump({"train": {"epochs": "many"}} | {name: {"colour": "red", "size": 1}}))
    result = cli("config", "check", path)
    assert result.exit_code == 2
    for mistake in (f"{name}.colour: unknown key", f"{name}.size: unknown key"):
        assert mistake in result.stderr
    assert name == "train" or "train.epochs" in result.stderr


def test_what_only_a_run_has_makes_a_config_of_it(cli, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("out: runs/x\ntrain: {}\n")
    result = cli("config", "check", path)
    assert result.exit_code == 2 and "train: begins with documents: expected a section 'documents'" in result.stderr
