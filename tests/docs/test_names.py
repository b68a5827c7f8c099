"""README and docs name only commands, options, files and languages that exist; what cannot run is parsed in full."""

import re
import shlex
import tomllib

import pytest
from packaging.requirements import Requirement

from abroad.models.source import PACKAGED
from tests.docs import names
from tests.docs.blocks import LANGUAGES, NEEDS, PAGES, ROOT, blocks, calls_of_abroad, commands, inline_code
from tests.docs.running import matches, shortened
from tests.docs.stand_ins import NOT_RUN, not_run

page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*(?![\w-])")
NOT_OURS = {"--index-url", "--no-deps", "--config_file"}  # of pip and accelerate


@page
def test_every_block_is_of_a_kind_that_is_checked(page):
    for block in blocks(page):
        assert block.language in LANGUAGES, block.where
        assert block.needs is None or block.needs in NEEDS, block.where
        assert block.needs is None or block.language in ("sh", "console"), f"{block.where}: only commands may not run"
    fences = re.findall(r"^\s*```", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(fences) == 2 * len(blocks(page)), "a fence that is not read as a block"


@page
def test_commands_have_these_options_and_arguments(page):
    shell = [block for block in blocks(page) if block.language in ("sh", "console")]
    calls = [(block, words) for block in shell for command, _ in commands(block) for words in calls_of_abroad(command)]
    assert [f"{block.where}: {names.mistakes(words)}" for block, words in calls if names.mistakes(words)] == []


def test_the_demo_s_commands_have_these_options_and_arguments():
    script = (ROOT / "docs" / "demo.sh").read_text(encoding="utf-8").replace("\\\n", " ")
    called = [words for line in script.splitlines() if line.startswith("run ") for words in calls_of_abroad(line[4:])]
    assert len(called) > 8
    assert [mistake for words in called if (mistake := names.mistakes(words))] == []


PACKAGED_MODELS = {distribution for distribution, _ in PACKAGED.values()}
PARSED = [
    (block.where, command)
    for path in PAGES
    for block in blocks(path)
    for command, _ in commands(block)
    if not_run(command)
]
MAX_PARSED = 29
"""It only becomes smaller: whatever can run with something in the place of what it needs, runs (test_pages.py)."""


def test_few_commands_are_only_parsed_and_each_for_a_reason():
    assert len(PARSED) <= MAX_PARSED
    unused = [pattern for pattern in NOT_RUN if not any(re.search(pattern, command) for _, command in PARSED)]
    assert unused == []


@pytest.mark.parametrize(("where", "command"), PARSED, ids=[where for where, _ in PARSED])
def test_what_is_only_parsed_is_parsed_in_full(where, command):
    """By the program itself: our own commands above, those of others here."""
    words = shlex.split(command.replace("\\\n", " "), comments=True)
    if words[0] == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert set(words[1:]) <= set(targets)
    elif words[0] == "pip":
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        (what,) = [word for word in words[2:] if not word.startswith("-")]
        wanted = Requirement(what.replace(".", "abroad", 1) if what.startswith(".") else what)
        known = {name.split("[")[0] for name in (*PACKAGED_MODELS, "abroad", "torch")}
        assert wanted.name in known and wanted.extras <= project["optional-dependencies"].keys()
    elif words[0] == "accelerate":
        launch = pytest.importorskip("accelerate.commands.launch")
        given = launch.launch_command_parser().parse_args(words[2:])
        assert (ROOT / given.config_file).is_file() and given.module and given.training_script == "abroad"
    elif words[0] == "python":
        file = f"{words[2].replace('.', '/')}.py" if words[1] == "-m" else words[1]
        assert (ROOT / file).is_file()
    else:
        assert calls_of_abroad(command) and all(names.mistakes(words) is None for words in calls_of_abroad(command))


@page
def test_prose_names_commands_and_options_that_exist(page):
    options = names.all_options() | NOT_OURS
    for code in inline_code(page):
        assert set(OPTION.findall(code)) <= options, code
        if code.startswith("abroad ") and code.removeprefix("abroad ").islower():
            names.find(re.split(r" (?=-)", code.removeprefix("abroad "))[0].split())


@page
def test_files_of_the_checkout_that_prose_names_are_there(page):
    folders = "abroad|annotation|benchmarks|configs|data|docs|gme_sampler|tests|tools"
    for code in inline_code(page):
        if re.fullmatch(rf"(?:{folders})/[\w./-]*", code) and page.name != "changes.md":
            assert (ROOT / code).exists(), code


@page
def test_links_to_files_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 160


# The checks themselves


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("extract docs.jsonl --outt p.jsonl", "--outt"),
        ("extract docs.jsonl --out", "--out"),
        ("extractt docs.jsonl", "no command 'extractt'"),
        ("synth generat prompts.jsonl --out a.jsonl", "no command 'generat'"),
        ("synth", "names a group"),
        ("evaluate --pred a.jsonl", "--gold"),
        ("sample a.tsv b.tsv --out c.tsv", "b.tsv"),
        ("train docs.jsonl --epochss 3 --out m", "--epochss"),
        ("train docs.jsonl --epochs many --out m", "--epochs"),
        ("train docs.jsonl --epochs 0 --out m", "--epochs"),
        ("train docs.jsonl --quantization nf5 --out m", "nf5"),
        ("sample a.tsv --n some --out c.tsv", "--n"),
        ("synth generate p.jsonl --engine vlm --out a.jsonl", "vlm"),
        ("synth generate p.jsonl --set quantisation=nf4 --out a.jsonl", "quantisation"),
    ],
)
def test_a_wrong_name_is_found(call, told):
    assert told in names.mistakes(call.split())


@pytest.mark.parametrize(
    "call", ["extract a b --out p.jsonl", "train docs.jsonl --out m", "train --plan --config c.yaml", "synth --help"]
)
def test_a_right_call_has_no_mistake(call):
    assert names.mistakes(call.split()) is None


def test_calls_are_found_in_pipes_after_python_and_over_lines():
    assert calls_of_abroad("cat a.txt | abroad extract - --format tsv > out.tsv && abroad doctor") == [
        ["extract", "-", "--format", "tsv"],
        ["doctor"],
    ]
    assert calls_of_abroad(
        "accelerate launch --config_file c.yaml -m abroad train d.jsonl \\\n  --out m # a comment"
    ) == [["train", "d.jsonl", "--out", "m"]]
    assert calls_of_abroad("pip install abroad") == []


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a\nb", "a  \nb\n", True),
        ("a\nb", "a\nc", False),
        ("a\n...\nd", "a\nb\nc\nd", True),
        ("a\n...\nd", "a\nd", True),
        ("a\n...\nd", "a\nb\nc", False),
        ("a\n...", "a\nb\nc", True),
        ("a\n...", "b\nc", False),
        ("took ... s", "took 3.1 s", True),
        ("", "a", False),
        ("score 0.9346 (1)", "score 0.9356 (1)", True),
        ("score 0.9346 (1)", "score 0.9361 (1)", False),
        ("score 0.9346 (1)", "score 0.935 (1)", True),
        ("F1 84.30", "F1 84.30", True),
        ("F1 84.30", "F1 84.31", False),
        ("score 0.93", "score 0.934", False),
        ("a 0.5\n...\nb 0.5", "a 0.5\nc 0.9\nb 0.5", True),
        ("a 0.5\n...\nb 0.5", "a 0.5\nc 0.9\nb 0.6", False),
    ],
)
def test_what_is_printed_is_compared(expected, printed, same):
    assert matches(expected, printed) == same


def test_what_is_printed_is_cut_where_the_page_cuts_it():
    assert shortened("a\nb\nc\nd\ne\n", "x\n...\ny") == "a\n...\ne"
    assert shortened("a\nb\n", "x") == "a\nb"
