"""Relative paths in a config: from its folder, from --base-dir, and, as in earlier versions, from where one is."""

import json
from pathlib import Path

import pytest
import yaml

from abroad.core.errors import InputError
from abroad.extraction.fewshot.member import FewShotModelSettings
from abroad.extraction.load import EXTRACTORS
from abroad.models.source import ENCODERS, PACKAGED
from abroad.pipeline.config import load_config, load_section
from abroad.pipeline.paths import FormerPathsWarning, rebased
from tests.plugins import install

INPUTS = {
    "lotus": {"metadata": "in/m.csv", "doi2pmid": "in/d.tsv"},
    "documents": {"files": ["in/a.jsonl"], "xml": ["in/x"]},
    "synthesis": {"specialise": {"corpus": "in/c.jsonl"}},
    "train": {"validation": "in/v.jsonl", "model": "in/base"},
    "evaluate": {"gold": "in/g.jsonl"},
}


def paths_of(config):
    return [
        *(config.lotus.metadata, config.lotus.doi2pmid, *config.documents.files, *config.documents.xml),
        *(config.synthesis.specialise.corpus, config.train.validation, config.evaluate.gold),
    ]


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A folder to be in and one of the config; `fill` lays the inputs into a folder."""
    here, folder = tmp_path / "here", tmp_path / "configs"
    for place in (here, folder):
        place.mkdir()
    config = folder / "run.yaml"
    config.write_text(yaml.safe_dump({"out": "runs/a", **INPUTS}))
    monkeypatch.chdir(here)

    def fill(place, *names):
        for name in names or ("m.csv", "d.tsv", "a.jsonl", "c.jsonl", "v.jsonl", "g.jsonl"):
            (place / "in" / name).parent.mkdir(parents=True, exist_ok=True)
            (place / "in" / name).write_text("x")
        (place / "in" / "x").mkdir(exist_ok=True)
        (place / "in" / "base").mkdir(exist_ok=True)

    return here, folder, config, fill


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("both", [False, True])
def test_paths_count_from_the_folder_of_the_config(places, both):
    here, folder, file, fill = places
    fill(folder)
    if both:
        fill(here)
    config = load_config(file)
    assert all(path.is_relative_to(folder) and path.exists() for path in paths_of(config))
    assert config.out == folder / "runs/a" and config.train.model == str(folder / "in/base")


def test_a_config_of_an_earlier_version_is_read_as_a_whole_from_where_one_is(places):
    here, folder, file, fill = places
    fill(here)
    fill(folder, "g.jsonl")
    with pytest.warns(FormerPathsWarning, match="--base-dir"):
        config = load_config(file)
    assert not any(path.is_absolute() for path in paths_of(config))
    assert config.out == Path("runs/a") and config.train.model == "in/base"


def test_a_run_of_an_earlier_version_goes_on_where_it_is(places):
    here, _, file, _ = places
    inputs = {"lotus": {"relations": str(here / "r.tsv")}, "evaluate": {"gold": str(here / "g.jsonl")}}
    for name in ("r.tsv", "g.jsonl", "runs/a/run.json"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text("x")
    file.write_text(yaml.safe_dump({"out": "runs/a", **inputs}))
    with pytest.warns(FormerPathsWarning):
        assert load_config(file).out == Path("runs/a")
    (here / "runs/a/run.json").unlink()
    assert load_config(file).out == file.parent / "runs/a"


@pytest.mark.filterwarnings("error")
def test_the_base_that_was_asked_for(places, tmp_path, cli):
    here, folder, file, fill = places
    third = tmp_path / "third"
    for place in (here, folder, third):
        fill(place)
    assert all(path.is_relative_to(third) for path in paths_of(load_config(file, third)))
    assert load_config(file, Path()).out == Path("runs/a")
    shown = cli("config", "show", file, "--base-dir", third)
    assert yaml.safe_load(shown.stdout)["out"] == str(third / "runs/a")
    assert cli("config", "check", file, "--base-dir", third).exit_code == 0


def test_what_is_missing_is_named_in_the_folder_of_the_config(places):
    here, folder, file, fill = places
    fill(here, "m.csv")
    with pytest.raises(InputError) as caught:
        load_config(file)
    assert str(folder / "in/m.csv") in str(caught.value)


@pytest.mark.filterwarnings("error")
def test_dots_that_lead_to_where_one_is_leave_no_trace(places):
    """So that what earlier runs recorded of paths holds for the configs that we ship."""
    here, _, _, fill = places
    fill(here)
    (here / "configs").mkdir()
    file = here / "configs" / "run.yaml"
    file.write_text(yaml.safe_dump({"out": "../runs/a", **json.loads(json.dumps(INPUTS).replace("in/", "../in/"))}))
    config = load_config(Path("configs/run.yaml"))
    assert config.out == Path("runs/a") and config.evaluate.gold == Path("in/g.jsonl")


def test_models_that_are_no_paths_stay_names(places):
    _, _, file, _ = places
    file.write_text("train: {model: smollm2-135m}\nextract: {model: builtin}\n")
    assert load_section(file, "train").model == "smollm2-135m" and load_section(file, "extract").model == "builtin"


OTHER = """
    from abroad.core.registry import Capability
    from abroad.core.settings import NoSettings
    from abroad.extraction.base import ExtractorKind

    KIND = ExtractorKind("lichens", NoSettings, Capability.NONE, lambda name, settings: None)
"""


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("section", "key", "name", "names"),
    [
        *(("extract", "model", name, True) for name in (*EXTRACTORS.own, "lichens", *PACKAGED)),
        *((section, "model", name, True) for section in ("train", "synthesis") for name in PACKAGED),
        *(("extract", "base", name, True) for name in PACKAGED),
        # What is no name there is the folder, in all of these.
        *(("train", "model", name, False) for name in ("builtin", "lichens", "tavozine")),
        ("extract", "model", "tavozine", False),
        ("extract", "base", "builtin", False),
    ],
)
def test_a_folder_hides_no_name(places, tmp_path, monkeypatch, section, key, name, names):
    here, folder, file, _ = places
    points = {EXTRACTORS.group: {"lichens": "lichens_extractor:KIND"}}
    install(tmp_path / "site", monkeypatch, "lichens", {"lichens_extractor.py": OTHER}, points)
    for place in (here, folder):
        (place / name).mkdir()
    file.write_text(yaml.safe_dump({section: {key: name}}))
    found = getattr(load_section(file, section), key)
    assert found == (name if names else str(folder / name))


@pytest.mark.parametrize("name", ENCODERS)
def test_a_folder_hides_no_encoder(places, name):
    _, folder, file, _ = places
    (folder / name).mkdir()
    (folder / "own").mkdir()
    settings = FewShotModelSettings(embedder=name, model="smollm2-135m")
    assert rebased(settings, file).embedder == name
    assert rebased(settings.replace(embedder="own"), file).embedder == str(folder / "own")


def test_a_config_is_checked_and_run_by_the_name_though_a_folder_has_it(places, cli):
    _, folder, file, _ = places
    (folder / "builtin").mkdir()
    (folder / "docs.jsonl").write_text('{"id": "1", "ArticleTitle": "Usnic acid was isolated from Usnea barbata."}\n')
    file.write_text("out: run\ndocuments: {files: [docs.jsonl]}\nextract: {model: builtin}\n")
    assert cli("config", "check", file).exit_code == 0
    result = cli("run", file)
    assert result.exit_code == 0 and "relations 1" in result.stderr, result.output


def test_a_command_runs_with_a_config_elsewhere(cli, tmp_path, monkeypatch):
    sample = Path(__file__).parents[2] / "data" / "sample"
    (tmp_path / "a" / "in").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    for name in ("lotus_metadata.csv", "doi2pmid.tsv", "curated_valid.jsonl"):
        (tmp_path / "a" / "in" / name).write_bytes((sample / name).read_bytes())
    config = tmp_path / "a" / "c.yaml"
    config.write_text(
        "out: run\nlotus: {metadata: in/lotus_metadata.csv, doi2pmid: in/doi2pmid.tsv}\n"
        "evaluate: {gold: in/curated_valid.jsonl}\n"
    )
    monkeypatch.chdir(tmp_path / "b")
    result = cli("run", "../a/c.yaml", "--only", "prepare")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "a" / "run" / "relations.tsv").is_file() and not list((tmp_path / "b").iterdir())
