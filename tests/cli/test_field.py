"""`abroad field`: checks files of fields, writes new ones, and overwrites none."""

import json
from pathlib import Path

import pytest

from abroad.core.field import load_field

NEW = ("field", "new", "biodegradation", "--head", "bacterium", "--tail", "pollutant", "--verb", "degrades")


def test_a_new_field_passes_the_check_and_is_never_overwritten(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli(*NEW, "--passive", "is degraded by").exit_code == 0
    checked = cli("field", "check", "biodegradation.yaml")
    assert checked.exit_code == 0 and "no mistakes; bacterium, pollutant; degrades" in checked.stderr
    ways = load_field("biodegradation.yaml").relations["degrades"].verbalisations
    assert [way.plural for way in ways] == ["{head} degrade {tail}.", "{tail} are degraded by {head}."]
    for more in ((), ("--force",)):
        again = cli(*NEW, *more)
        assert again.exit_code == 2 and "left alone" in again.stderr


def test_what_no_option_says_is_asked_for_only_at_a_terminal(cli, tmp_path):
    refused = cli(*NEW[:-2], "--out", tmp_path / "x.yaml")
    assert refused.exit_code == 2 and "--verb" in refused.stderr and not (tmp_path / "x.yaml").exists()


def test_documents_of_another_field_are_named(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.jsonl").write_text(
        '{"id": "7", "AbstractText": "A", "organisms": [{"id": "o", "label": "Usnea"}], "chemicals": []}'
    )
    assert cli("field", "check", "natural_products", "--documents", "d.jsonl").exit_code == 0
    assert cli(*NEW).exit_code == 0
    refused = cli("field", "check", "biodegradation.yaml", "--documents", "d.jsonl")
    assert refused.exit_code == 2 and "d.jsonl" in refused.stderr and "document '7'" in refused.stderr


SET_ASIDE = {
    "a document of another field": '{"id": "2", "AbstractText": "B", "organisms": [{"id": "o", "label": "Usnea"}], '
    '"chemicals": [{"id": "c", "label": "x"}], "relations": [["o", "c"]]}',
    "a relation of an unknown entity": '{"id": "2", "AbstractText": "B", "entities": [], "relations": '
    '[{"head": "b", "type": "degrades", "tail": "p"}]}',
    "broken JSON": "{",
}


@pytest.mark.parametrize("kind", SET_ASIDE)
def test_records_that_are_set_aside_are_mistakes(cli, tmp_path, kind):
    field, file = tmp_path / "f.yaml", tmp_path / "d.jsonl"
    assert cli(*NEW, "--out", field).exit_code == 0
    entities = [{"id": "b", "label": "A", "type": "bacterium"}, {"id": "p", "label": "x", "type": "pollutant"}]
    relations = [{"head": "b", "type": "degrades", "tail": "p"}]
    good = json.dumps({"id": "1", "AbstractText": "A", "entities": entities, "relations": relations}) + "\n"
    file.write_text(good)
    fine = cli("field", "check", field, "--documents", file)
    assert fine.exit_code == 0 and "no mistakes" in fine.stderr
    file.write_text(good + SET_ASIDE[kind] + "\n")
    refused = cli("field", "check", field, "--documents", file)
    assert refused.exit_code == 2 and "no mistakes" not in refused.stderr, refused.stderr
    assert "d.jsonl:2: " in refused.stderr, refused.stderr
    assert "d.jsonl: 1 record(s) set aside, 1 read; expected every one to be a document of the field" in refused.stderr


FIELD_FILES = sorted((Path(__file__).parents[2] / "configs" / "fields").glob("*.yaml"))


@pytest.mark.parametrize("command", [("config", "check"), ("config", "show"), ("run",)], ids=" ".join)
@pytest.mark.parametrize("file", FIELD_FILES, ids=lambda file: file.stem)
def test_a_field_in_place_of_a_config_is_told_which_command_checks_it(cli, file, command):
    refused = cli(*command, file)
    assert refused.exit_code == 2 and len(refused.stderr.strip().splitlines()) == 1
    assert f"{file}: expected a config, found a field: `abroad field check {file}` checks it" in refused.stderr
    section = cli("extract", "--text", "Usnea.", "--config", file)
    assert section.exit_code == 2 and "expected a config, found a field" in section.stderr


def test_what_is_more_of_a_config_than_of_a_field_is_a_config(cli, tmp_path):
    (tmp_path / "c.yaml").write_text("name: x\nextract: {}\n")
    refused = cli("config", "check", tmp_path / "c.yaml")
    assert refused.exit_code == 2 and "name: unknown section" in refused.stderr


@pytest.mark.parametrize("text", ["", "[1", "- 1", "a: &a [*a]"])
def test_a_file_that_is_no_field_ends_with_one_line(cli, tmp_path, text):
    (tmp_path / "f.yaml").write_text(text)
    refused = cli("field", "check", tmp_path / "f.yaml")
    assert refused.exit_code == 2 and len(refused.stderr.strip().splitlines()) == 1 and "f.yaml" in refused.stderr
