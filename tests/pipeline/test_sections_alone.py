"""A file of sections for single commands: what a command reads, `config check` takes, and the other way round."""

import pytest
import yaml

from abroad.cli.options import TAKES
from abroad.core.errors import InputError
from abroad.core.io import write_documents
from abroad.pipeline.config import load_section
from tests.cli.test_help import ALL

READ = sorted(
    {
        options.section.partition(".")[0]
        for command in ALL.values()
        for options in getattr(command.callback, TAKES, {}).values()
        if options.section
    }
    | {"extract", "leaderboard"}  # read by the commands themselves
)
ONE = {
    "extract": [{"min_score": 0.5}, {"precision": 0.9}, {"num_beams": 1}, {"model": "builtin", "min_score": 0.5}],
    "rank": [{"keep": 0.5}, {"by": "er-g", "game": {"steps": 5}}],
    "evaluate": [{"protocol": "strict"}, {"gold": "gold.jsonl", "resamples": 1000}],
    "leaderboard": [{"shots": [0], "models": ["smollm2-135m"]}],
    "train": [{"epochs": 2}],
    "synthesis": [{"seed": 3}],
}
CASES = [(name, values) for name in READ for values in [None, {}, *ONE[name]]]


@pytest.fixture
def config(tmp_path):
    def write(sections):
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(sections))
        return tmp_path / "config.yaml"

    return write


@pytest.mark.parametrize(("name", "values"), CASES)
def test_a_section_that_a_command_reads_is_taken_alone(cli, config, name, values):
    result = cli("config", "check", config({name: values}))
    assert result.exit_code == 0 and f"no mistakes in the section {name}" in result.output, result.output


def test_all_of_them_are_taken_together(cli, config):
    result = cli("config", "check", config({name: values[0] for name, values in ONE.items()}))
    assert result.exit_code == 0 and "no mistakes in the sections" in result.output, result.output


@pytest.mark.parametrize("name", READ)
def test_a_mistake_in_one_is_told_by_its_key(cli, config, name):
    result = cli("config", "check", config({name: {"colour": "red"}, "train": {"epochs": -1}}))
    assert result.exit_code == 2 and (f"{name}.colour: unknown key" in result.stderr or name == "train"), result.stderr
    assert "train.epochs" in result.stderr


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"min_score": 0.5, "num_beams": 3}, "no setting 'num_beams' of the built-in extractor"),
        ({"min_score": 0.5, "precision": 0.5}, "min_score or precision, not both"),
        ({"min_score": 2}, "extract.min_score: expected 1 or less"),
        ({"model": "bultin"}, "extract.model: bultin: no such extractor; did you mean builtin?"),
        ({"model": "builtin", "num_beams": 3}, "no setting 'num_beams'"),
    ],
)
def test_an_extractor_that_cannot_be_is_found_in_a_section_alone(cli, config, values, message):
    result = cli("config", "check", config({"extract": values}))
    assert result.exit_code == 2 and message in result.stderr and result.stderr.count("\n") == 1


def test_a_threshold_is_of_no_use_to_what_a_run_trains(cli, config, tmp_path, documents):
    write_documents(tmp_path / "d.jsonl", documents)
    whole = {
        "out": "run",
        "documents": {"files": ["d.jsonl"]},
        "train": {"add_seeds": True},
        "extract": {"min_score": 0.5},
        "evaluate": {"gold": "d.jsonl"},
    }
    result = cli("config", "check", config(whole))
    assert result.exit_code == 2 and "expected 'model'" in result.stderr and "'min_score'" in result.stderr


def test_a_command_takes_from_the_section_what_no_option_says(cli, config, documents, tmp_path):
    docs = tmp_path / "docs.jsonl"
    write_documents(docs, documents)
    path = config({"extract": {"min_score": 1.0}, "evaluate": {"protocol": "strict"}})
    counts = []
    for options in ((), ("--min-score", 0), ("--precision", 0.5)):
        result = cli("extract", docs, "--config", path, *options, "--out", tmp_path / "p.jsonl")
        assert result.exit_code == 0, result.output
        counts.append((tmp_path / "p.jsonl").read_text().count('"organism":'))
    assert counts[0] == 0 < counts[1]
    scored = cli("evaluate", "--gold", docs, "--pred", tmp_path / "p.jsonl", "--config", path)
    assert "protocol strict" in scored.stdout, scored.output
    scored = cli("evaluate", "--gold", docs, "--pred", tmp_path / "p.jsonl", "--config", path, "--protocol", "upstream")
    assert "protocol upstream" in scored.stdout


MISTYPED = {
    "traim": "train",
    "extrat": "extract",
    "Rank": "rank",
    "leader-board": "leaderboard",
    "documens": "documents",
}


@pytest.mark.parametrize("written", MISTYPED)
@pytest.mark.parametrize("command", ["check", "show"])
def test_a_section_that_is_mistyped_is_told_and_nothing_else(cli, config, written, command):
    result = cli("config", command, config({written: {}, "synthesis": {"seed": 3}}))
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert f"1 mistake: {written}: unknown section; did you mean {MISTYPED[written]}?" in result.stderr
    assert "which is missing" not in result.stderr


def test_no_command_takes_the_defaults_where_its_section_is_mistyped(config):
    for name in READ:
        with pytest.raises(InputError, match=f"{name}s: unknown section; did you mean {name}?"):
            load_section(config({f"{name}s": {}}), name)


@pytest.mark.parametrize("content", [{}, None])
def test_a_file_without_sections_says_which_there_are(cli, tmp_path, content):
    (tmp_path / "config.yaml").write_text("" if content is None else "{}")
    result = cli("config", "check", tmp_path / "config.yaml")
    assert result.exit_code == 2 and ("no sections; expected one of: out" in result.stderr or content is None)
    assert "which is missing" not in result.stderr


@pytest.mark.parametrize(("name", "values"), CASES)
def test_a_section_alone_is_shown_with_its_defaults_and_can_be_read_again(cli, config, name, values):
    result = cli("config", "show", config({name: values}))
    assert result.exit_code == 0, result.output
    shown = yaml.safe_load(result.stdout)
    assert list(shown) == [name] and (values or {}).keys() <= shown[name].keys()
    again = cli("config", "show", config(shown))
    assert again.stdout == result.stdout
