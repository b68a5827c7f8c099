"""The reference is what the code says today; the site builds without a warning; the demo runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.docs.blocks import ROOT
from tools import reference


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_reference_is_current(name):
    written = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert written == reference.PAGES[name](), "run `make docs`"


def test_the_reference_has_every_command_and_option():
    from tests.docs.names import ROOT_COMMAND

    page = reference.commands_page()

    def below(command, path):
        if hasattr(command, "commands"):
            for name, child in command.commands.items():
                below(child, f"{path} {name}")
        else:
            section = re.split(rf"^#+ {path}$", page, flags=re.MULTILINE)[1].split("\n#")[0]
            wanted = {option for p in command.params if p.param_type_name == "option" for option in p.opts}
            assert wanted - {"--help"} <= set(re.findall(r"`(--?[\w-]+)", section)), path

    below(ROOT_COMMAND, "abroad")


def leaves(command, path=()):
    """(words, command) of every command below one."""
    if not hasattr(command, "commands"):
        yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from leaves(child, (*path, name))


def test_the_reference_says_what_a_value_is():
    """Read off the commands' own refusals: a choice names its values, a number refuses a word."""
    from tests.docs.names import ROOT_COMMAND

    options = [
        (path, parameter)
        for path, command in leaves(ROOT_COMMAND)
        for parameter in command.params
        if parameter.param_type_name == "option" and not parameter.metavar and not getattr(parameter, "is_flag", False)
    ]
    assert len(options) > 300
    for path, parameter in options:
        said = reference._value(parameter)
        refusal = refusal_of(parameter, ["no such value"] * parameter.nargs)
        if said.startswith("["):
            assert all(f"'{choice}'" in refusal for choice in said[1:-1].split("|")), (path, parameter.opts, refusal)
        else:
            number = re.search(r"valid (integer|number|float)", refusal) is not None
            assert number == ("NUMBER" in said), (path, parameter.opts, said, refusal)
            assert len(said.split()) == parameter.nargs, (path, parameter.opts)


def refusal_of(parameter, values):
    """What an option says of values, "" where it takes them."""
    value = tuple(values) if parameter.nargs > 1 else values[0]
    try:
        parameter.process_value(None, [value] if parameter.multiple else value)
    except Exception as error:  # of the click that typer brings, or of click
        return str(getattr(error, "message", error))
    return ""


def test_every_page_stands_in_the_navigation():
    def files(item):
        if isinstance(item, str):
            return [item]
        return [file for child in (item.values() if isinstance(item, dict) else item) for file in files(child)]

    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert set(files(nav)) == pages


def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    command = [sys.executable, "-m", "mkdocs", "build", "-q", "--strict", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    python = (tmp_path / "site" / "reference" / "python" / "index.html").read_text(encoding="utf-8")
    assert all(f'id="abroad.{name}"' in python for name in ("extract", "load_extractor", "Document", "Relation"))


@pytest.mark.slow
def test_the_demo_runs_and_says_where_to_look(tmp_path, smollm2):
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "abroad").write_text(f'#!/bin/sh\nexec {sys.executable} -m abroad "$@"\n')
    (programs / "abroad").chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    out = tmp_path / "demo"
    done = subprocess.run(["sh", ROOT / "docs" / "demo.sh", out], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"^F1 +\d", done.stdout, re.MULTILINE)) == 2
    told = [Path(line.split()[0]) for line in done.stdout.split("Where to look:")[1].splitlines() if str(out) in line]
    assert len(told) == 6 and all(path.is_file() for path in told)
