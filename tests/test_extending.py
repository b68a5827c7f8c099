"""The package of docs/extending.md, as the page has it: it is installed, and every block of the page runs."""

import doctest
import json
import re
import tomllib
from pathlib import Path

import pytest

import abroad
from abroad.core.registry import Registry
from abroad.engines.spec import make_engine, read_settings
from abroad.extraction.load import load_extractor
from tests.plugins import install
from tests.test_registries import REGISTRIES

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
FILES = {title: code for _, title, code in BLOCKS if title}
SESSIONS = [code for language, title, code in BLOCKS if language == "python" and not title]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The page's package; its modules have the names of the page."""
    modules = {"lichens/__init__.py": "", **{name: code for name, code in FILES.items() if name.endswith(".py")}}
    points = tomllib.loads(FILES["pyproject.toml"])["project"]["entry-points"]
    install(tmp_path / "site", monkeypatch, "lichens", modules, points)
    return points


def test_the_sessions_print_what_the_page_says(package):
    names = {}
    for title, code in FILES.items():
        if title.endswith(".py"):
            exec(compile(code, title, "exec"), names)
    for number, code in enumerate(SESSIONS):
        test = doctest.DocTestParser().get_doctest(code, names, f"session {number}", str(PAGE), 0)
        result = doctest.DocTestRunner().run(test, clear_globs=False)
        assert result.attempted and not result.failed
        names.update(test.globs)
    assert len(SESSIONS) == 3


def test_options_that_the_page_gives_settings_by_say_so(cli):
    """`--set` takes settings of one's own extractor, by which its help is found."""
    page = PAGE.read_text(encoding="utf-8")
    given = re.findall(r"`abroad (\w+) --model pattern --set verb=gave`", page)
    assert given == ["extract"]
    shown = " ".join(re.sub("[│|]", " ", cli(*given, "--help").stdout).split())
    assert re.search(r"--set KEY=VALUE.{0,40}A setting of the extractor, yours too", shown)


def test_the_table_has_every_registry_and_what_its_members_are():
    rows = re.findall(r"^\| [^|]+ \| `(abroad\.\w+)` \| `([\w.]+)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {group for group, _ in rows} == REGISTRIES.keys()
    for group, kind in rows:
        registry: Registry = REGISTRIES[group][1]
        for name in registry.own:
            member = registry.get(name)
            assert f"{type(member).__module__}.{type(member).__name__}" == kind


def test_every_entry_point_is_a_member(package):
    for group, members in package.items():
        registry = REGISTRIES[group][1]
        for name in members:
            assert name in registry.names() and registry.read(name, {}) == registry.settings(name)()


def test_the_engine_answers_in_a_command(cli, package, tmp_path):
    (tmp_path / "docs.jsonl").write_text('{"id": "1", "AbstractText": "Usnea barbata gave usnic acid."}\n')
    (tmp_path / "answers.json").write_text(json.dumps({"1": " Usnea barbata produces usnic acid\n"}))
    model = ["--engine", "replay", "--model", tmp_path / "answers.json"]
    command = ["fewshot", tmp_path / "docs.jsonl", "--out", tmp_path / "p.jsonl", *model]
    result = cli(*command)
    assert result.exit_code == 0 and "1 of 1 answers could be read" in result.stderr, result.output
    predicted = json.loads((tmp_path / "p.jsonl").read_text())
    assert [r["chemical"] for r in predicted["relations"]] == ["usnic acid"]
    refused = cli(*command, "--rank", "er-d")
    assert refused.exit_code == 2 and "engine 'replay': ranking takes openai, transformers, vllm" in refused.stderr
    with pytest.raises(abroad.InputError, match=r"nowhere\.json: expected a JSON object"):
        make_engine("replay", "nowhere.json", settings=read_settings("replay", {"otherwise": "x"}))


def test_the_extractor_and_the_protocol_work_by_name(cli, package, tmp_path):
    extractor = load_extractor("pattern", verb="made")
    gold = abroad.Document.from_dict(
        {
            "id": "1",
            "ArticleTitle": "Usnea barbata made usnic acid.",
            "organisms": [{"id": "1", "label": "Usnea florida"}],
            "chemicals": [{"id": "2", "label": "usnic acid"}],
            "relations": [["1", "2"]],
        }
    )
    relations = [abroad.extract(gold, extractor)]
    assert abroad.evaluate([gold], relations, protocol="genus").scores.f1 == 100
    assert abroad.evaluate([gold], relations).scores.f1 == 0
    (tmp_path / "gold.jsonl").write_text(json.dumps(gold.to_dict()) + "\n")
    made = cli(
        "extract", tmp_path / "gold.jsonl", "--model", "pattern", "--set", "verb=made", "--out", tmp_path / "p.jsonl"
    )
    assert made.exit_code == 0, made.output
    files = ["--gold", tmp_path / "gold.jsonl", "--pred", tmp_path / "p.jsonl", "--protocol", "genus", "--json"]
    assert json.loads(cli("evaluate", *files).stdout)["f1"] == 100
