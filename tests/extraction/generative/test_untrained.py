"""A chat model as it was published is refused wherever an extractor is asked for, before anything of it is loaded."""

import shutil

import pytest
import yaml

from abroad.core.errors import InputError
from abroad.core.io import write_documents
from abroad.extraction.load import load_extractor
from tests.plugins import install

WORDS = ("a chat model that was not trained for this task", "abroad fewshot", "abroad train", "trained: true")
SETTINGS = {"num_beams": 1, "max_new_tokens": 2}


@pytest.fixture
def work(documents, tmp_path, monkeypatch):
    """A folder with documents, in which nothing can be loaded."""
    monkeypatch.chdir(tmp_path)
    write_documents(tmp_path / "docs.jsonl", documents)
    return tmp_path


@pytest.fixture
def nothing_loads(monkeypatch):
    def load(*arguments, **named):
        raise AssertionError("it was loaded")

    for name in ("load_generative_extractor", "resolve_model", "load_tokenizer"):
        monkeypatch.setattr(f"abroad.extraction.generative.load.{name}", load)


def config(work, sections):
    (work / "config.yaml").write_text(yaml.safe_dump(sections))
    return work / "config.yaml"


@pytest.fixture(params=["a directory", "of a package"])
def untrained(request):
    return str(request.getfixturevalue("tiny_model")) if request.param == "a directory" else "smollm2-135m"


def test_it_is_refused_by_every_way_in(cli, work, nothing_loads, untrained):
    section = config(work, {"extract": {"model": untrained}})
    whole = work / "whole.yaml"
    whole.write_text(
        yaml.safe_dump({"out": "run", "documents": {"files": ["docs.jsonl"]}, "extract": {"model": untrained}})
    )
    for line in (
        ("extract", "docs.jsonl", "--model", untrained, "--out", "p.jsonl"),
        ("extract", "--text", "Usnic acid from Usnea.", "--model", untrained),
        ("extract", "docs.jsonl", "--config", section, "--out", "p.jsonl"),
        ("tune", "decode", "docs.jsonl", "--model", untrained, "--study", "s.sqlite"),
        ("config", "check", whole),
        ("run", whole),
    ):
        result = cli(*line)
        assert result.exit_code == 2 and result.stderr.count("\n") == 1, (line, result.output)
        assert all(word in result.stderr for word in (untrained, *WORDS)), (line, result.stderr)
    assert sorted(path.name for path in work.iterdir()) == ["config.yaml", "docs.jsonl", "whole.yaml"]
    with pytest.raises(InputError, match=WORDS[0]):
        load_extractor(untrained)


def test_who_says_that_it_was_trained_is_believed_by_every_way_in(cli, work, tiny_model):
    section = config(work, {"extract": {"model": str(tiny_model), "trained": True, **SETTINGS}})
    options = ("--num-beams", 1, "--max-new-tokens", 2)
    assert load_extractor(tiny_model, trained=True, **SETTINGS)
    for line in (
        ("extract", "docs.jsonl", "--model", tiny_model, "--trained", *options, "--out", "p.jsonl"),
        ("extract", "docs.jsonl", "--config", section, "--out", "q.jsonl"),
        ("config", "check", section),
    ):
        result = cli(*line)
        assert result.exit_code == 0, (line, result.output)
    assert (work / "p.jsonl").read_bytes() == (work / "q.jsonl").read_bytes()
    whole = config(
        work,
        {
            "out": "run",
            "documents": {"files": ["docs.jsonl"]},
            "extract": {"model": str(tiny_model), "trained": True, **SETTINGS},
        },
    )
    assert cli("run", whole).exit_code == 0 and (work / "run" / "predictions.jsonl").is_file()


def test_saying_so_changes_nothing_of_what_is_compared_when_a_run_goes_on(tiny_model):
    from abroad.pipeline.sections import ExtractSection

    for model in (None, str(tiny_model)):
        assert ExtractSection(model=model, trained=True).identity() == ExtractSection(model=model).identity()
    said, unsaid = (load_extractor(tiny_model, trained=True, **SETTINGS) for _ in range(2))
    assert said.identity == unsaid.identity and "trained" not in str(said.identity)


def test_what_was_trained_here_is_known_by_its_files(cli, tiny_adapter, tiny_model, biogpt, tmp_path):
    release = shutil.copytree(tiny_model, tmp_path / "release")
    (release / "decoding.json").write_text('{"beams": 1, "max_new_tokens": 2}')
    for model in (tiny_adapter, biogpt, release):
        result = cli("extract", "--text", "Usnic acid from Usnea.", "--model", model, "--max-new-tokens", 2)
        assert result.exit_code == 0, result.output


def test_an_extractor_of_another_package_may_refuse_before_it_is_loaded_too(cli, tmp_path, monkeypatch):
    code = """
        from abroad.core.errors import InputError
        from abroad.core.registry import Capability
        from abroad.core.settings import NoSettings
        from abroad.extraction.base import ExtractorKind

        def refuse(name, settings):
            raise InputError(f"{name}: has no licence")

        KIND = ExtractorKind("a list", NoSettings, Capability.NONE, lambda name, settings: 1 / 0, check=refuse)
    """
    install(
        tmp_path / "site",
        monkeypatch,
        "word-list",
        {"word_list.py": code},
        {"abroad.extractors": {"w": "word_list:KIND"}},
    )
    path = config(tmp_path, {"out": "run", "documents": {"files": ["a.jsonl"]}, "extract": {"model": "w"}})
    for line in (("extract", "--text", "Usnea.", "--model", "w"), ("config", "check", path)):
        result = cli(*line)
        assert result.exit_code == 2 and "w: has no licence" in result.stderr
