"""Every command has help with an example, and asking for it loads nothing heavy."""

import os
import shlex
import subprocess
import sys

import pytest
import typer

from abroad.cli import app
from tests.docs.names import mistakes

HEAVY = (
    "torch",
    "transformers",
    "peft",
    "spacy",
    "thinc",
    "onnxruntime",
    "vllm",
    "numba",
    "polars",
    "sklearn",
    "matplotlib",
    "pydantic",
    "numpy",
)


def every(command, path=()):
    """Yield (words, command) of a command or group, and of all below it."""
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from every(child, (*path, name))


EVERY = dict(every(typer.main.get_command(app)))
ALL = {path: command for path, command in EVERY.items() if not hasattr(command, "commands")}
GROUPS = [path for path in EVERY if path not in ALL]


def test_all_agreed_commands_are_there():
    agreed = [
        "run", "config check", "config show", "lotus prepare", "lotus fetch", "sample", "documents fetch",
        "documents split", "synth instruct", "synth generate", "synth select", "train run", "extract", "fewshot",
        "evaluate", "leaderboard", "doctor",
    ]  # fmt: skip
    assert {" ".join(path) for path in ALL} >= set(agreed)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_has_help_with_an_example_of_itself(cli, path):
    result = cli(*path, "--help")
    assert result.exit_code == 0
    assert f"Example: abroad {' '.join(path)}" in " ".join(result.stdout.split())


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: " ".join(("abroad", *path)))
def test_every_group_has_help_with_an_example_of_one_of_its_commands(cli, path):
    result = cli(*path, "--help")
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    example = text.partition("Example: ")[2]
    assert example.startswith(" ".join(("abroad", *path))) and text.count("Example: ") == 1
    words = shlex.split(example)[1:]
    assert len(words) > len(path) + 1 and mistakes(words) is None


CLIPPED = ("Of ", "As of ", "With --", "At most ", "In place of ", "Most ", "Only ")


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_helps_of_options_are_sentences(path):
    for option in ALL[path].params:
        text = option.help or ""
        if option.name == "help" or (not text and option.name in WITHOUT):
            continue
        assert len(text.split()) > 2 and text.endswith((".", "]")), (option.name, text)
        assert not text.startswith(CLIPPED), (option.name, text)


WITHOUT = {"study"}


def test_help_loads_nothing_heavy():
    script = f"import sys, abroad.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip() == "[]"


def test_what_describes_a_model_an_engine_or_a_run_loads_nothing_heavy():
    modules = "abroad.models.source, abroad.engines.spec, abroad.pipeline.config, abroad.pipeline.stages"
    heavy = set(HEAVY) - {"pydantic"}  # checks configs and settings of engines
    script = f"import sys, {modules}; print([name for name in {heavy!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip() == "[]"


def test_the_sampler_is_a_library_of_its_own():
    script = "import sys, gme_sampler, gme_sampler.plot; print('abroad' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip() == "False"


@pytest.mark.parametrize("arguments", [("nonsense",), ("sample",), ("evaluate", "--nonsense")])
def test_wrong_usage_ends_with_exit_code_2(cli, arguments):
    assert cli(*arguments).exit_code == 2


def test_doctor_names_what_is_missing_and_how_to_add_it(cli, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "argilla" else real(name, *a))
    result = cli("doctor")
    assert result.exit_code == 0
    assert "python" in result.stdout
    assert 'pip install -e "' in result.stdout and '[annotation]"' in result.stdout


@pytest.mark.parametrize("words", [(), *ALL], ids=" ".join)
def test_short_and_long_help_are_the_same(words):
    from typer.testing import CliRunner

    short, long = (CliRunner().invoke(app, [*words, option]) for option in ("-h", "--help"))
    assert short.exit_code == long.exit_code == 0 and short.output == long.output != ""


@pytest.mark.parametrize(
    ("shell", "typed"),
    [
        ("bash", {"COMP_WORDS": "abroad extr", "COMP_CWORD": "1"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "abroad extr"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "abroad extr", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_shells_complete_commands(shell, typed):
    environment = {**os.environ, "_ABROAD_COMPLETE": f"complete_{shell}", **typed}
    code = "from abroad.cli import app; app(prog_name='abroad')"
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True).stdout
    assert "extract" in said and "extractor" in said and "evaluate" not in said
