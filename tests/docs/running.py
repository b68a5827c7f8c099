"""Run the blocks of a page as a reader would, in one folder, and compare what they print; or write it anew.

`make docs` writes it anew (`ABROAD_WRITE_DOCS=1`), for a look at the difference before it is committed.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from abroad.core.io import read_documents
from tests.annotation.page_curators import decide
from tests.docs.blocks import ROOT, Block, blocks, commands
from tests.docs.stand_ins import StandIns, not_run

_PROGRESS = re.compile(r"^  [^:\n]+: \d+(?:/\d+)?(?:, .*)?\n", re.MULTILINE)
WRITE = os.environ.get("ABROAD_WRITE_DOCS") == "1"


class Shell:
    """Runs commands in a folder: `abroad` alone in this process, which is quick; all else by bash."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        programs = folder / ".bin"
        programs.mkdir()
        program = programs / "abroad"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m abroad "$@"\n')
        program.chmod(0o755)
        path = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}

    def run(self, command: str) -> tuple[int, str]:
        """(exit code, what it printed on both streams)."""
        words = shlex.split(command.replace("\\\n", " "), comments=True)
        alone = words[0] == "abroad" and not re.search(r"[|<>&;$]", command)
        exit_code, printed = self._in_process(words[1:]) if alone else self._by_bash(command)
        return exit_code, _PROGRESS.sub("", printed)

    def _by_bash(self, command: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command}"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )
        return done.returncode, done.stdout

    def _in_process(self, words: list[str]) -> tuple[int, str]:
        from typer.testing import CliRunner

        from abroad.cli import app

        with inside(self.folder):
            result = CliRunner(env={"COLUMNS": "120"}).invoke(app, words)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def run_page(page: Path, folder: Path, stand_ins: StandIns) -> int:
    """Run a page's blocks in a folder, in order; how many commands and statements were run.

    Args:
        stand_ins: for what some of its blocks need.
    Raises:
        AssertionError: a command fails, or prints something else than the page says.
    """
    shell = Shell(folder)
    names: dict[str, Any] = {"__name__": "__main__"}
    count = 0
    changed: dict[Block, str] = {}
    for block in blocks(page):
        if block.title is not None:
            target = folder / block.title
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.code, encoding="utf-8")
        if block.needs is not None:
            count += _run_with(stand_ins, block, shell)
            continue
        if block.after is not None:
            curate(block, folder)
        if block.language in ("sh", "console"):
            count += len(commands(block))
            new = _run_commands(block, shell)
        elif block.language == "python":
            new, statements = _run_python(block, names, folder)
            count += statements
        else:
            continue
        if new != block.code:
            changed[block] = new
    if changed:
        _write(page, changed)
    return count


def _run_with(stand_ins: StandIns, block: Block, shell: Shell) -> int:
    """Run the commands of a block that can be; what they print is not compared."""
    runnable = [command for command, _ in commands(block) if not not_run(command)]
    for command in runnable:
        exit_code, printed = stand_ins.run(command, shell.run)
        assert exit_code == 0, f"{block.where}: {command}\nended with exit code {exit_code}:\n{printed}"
    return len(runnable)


def curate(block: Block, folder: Path) -> None:
    """Save what the curators that a block names decided on `curate.html`; all but the first overlook a relation."""
    truth = {document.id: document.label_pairs() for document in read_documents(ROOT / "data/sample/curated.jsonl")}
    for place, (file, curator) in enumerate(re.findall(r"--from (decisions-(\w+)-\d+\.json)", block.code)):
        missed = [(id, pair) for id, pairs in truth.items() for pair in pairs][: place and 1]
        decide(folder / "curate.html", folder / file, curator, truth, lambda *said, missed=missed: said in missed)


def _run_commands(block: Block, shell: Shell) -> str:
    code = block.code
    for command, expected in commands(block):
        exit_code, printed = shell.run(command)
        assert exit_code == 0, f"{block.where}: {command}\nended with exit code {exit_code}:\n{printed}"
        if block.language == "sh" or matches(expected, printed):
            continue
        assert WRITE, f"{block.where}: {command}\nprints\n{printed}\nand not\n{expected}"
        old = f"$ {command}\n{expected}"
        code = code.replace(old.rstrip("\n"), f"$ {command}\n{shortened(printed, expected)}".rstrip("\n"), 1)
    return code


def matches(expected: str, printed: str) -> bool:
    """Whether a page tells what is printed.

    Spaces at line ends do not count, and `...` stands for anything. Numbers of three decimals or more may differ by
    0.001, since processors do not round alike in 8 bits; those of fewer are the same.
    """
    text = expected.strip("\n")
    parts = [_pattern(line.rstrip()) for line in text.splitlines()]
    pattern = "\n".join(parts).replace("\n.*\n", "\n(?:.*\n)*?").removesuffix("\n.*")
    if text.endswith("\n..."):
        pattern += r"(?:\n.*)*"
    lines = [line.rstrip() for line in printed.strip("\n").splitlines()]
    found = re.fullmatch(pattern, "\n".join(lines))
    if found is None:
        return False
    pairs = zip(re.findall(_DECIMAL, text), found.groups(), strict=True)
    return all(_is_same(*pair) for pair in pairs)


_DECIMAL = r"\d+\.\d+"
_BETWEEN_MACHINES = 0.001


def _is_same(told: str, printed: str) -> bool:
    """Whether two numbers are the same but for what machines make of them."""
    exact = min(len(number.partition(".")[2]) for number in (told, printed)) < 3
    return told == printed or (not exact and abs(float(told) - float(printed)) <= _BETWEEN_MACHINES + 1e-9)


def _pattern(line: str) -> str:
    parts = [re.escape(part).replace(r"\.\.\.", ".*") for part in re.split(_DECIMAL, line)]
    return f"({_DECIMAL})".join(parts)


def shortened(printed: str, expected: str) -> str:
    """What is printed, cut where the page has a line `...`: as many lines before and after it as there."""
    lines, before = [line.rstrip() for line in printed.strip("\n").splitlines()], expected.strip("\n").splitlines()
    if "..." not in before:
        return "\n".join(lines)
    head, tail = before.index("..."), len(before) - before.index("...") - 1
    return "\n".join([*lines[:head], "...", *lines[len(lines) - tail :]])


class _Runner(doctest.DocTestRunner):
    """Remembers what each failed example printed."""

    def __init__(self) -> None:
        super().__init__(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
        self.printed: dict[int, str] = {}

    def report_failure(self, out: Any, test: Any, example: doctest.Example, got: str) -> None:
        self.printed[example.lineno] = got
        super().report_failure(out, test, example, got)


def _run_python(block: Block, names: dict[str, Any], folder: Path) -> tuple[str, int]:
    """(code with its present output, how many statements), run with the names of the page's earlier blocks."""
    if not block.code.startswith(">>> "):
        with inside(folder), contextlib.redirect_stdout(io.StringIO()):
            exec(compile(block.code, block.where, "exec"), names)
        return block.code, 1
    test = doctest.DocTestParser().get_doctest(block.code, names, block.where, str(block.page), block.line - 1)
    runner, said = _Runner(), io.StringIO()
    with inside(folder):
        result = runner.run(test, out=said.write, clear_globs=False)
    names.update(test.globs)
    assert len(runner.printed) == result.failed and (WRITE or not result.failed), said.getvalue()
    lines = block.code.splitlines(keepends=True)
    for example in reversed(test.examples):
        if example.lineno in runner.printed:
            start = example.lineno + example.source.count("\n")
            lines[start : start + example.want.count("\n")] = [runner.printed[example.lineno]]
    return "".join(lines), result.attempted


def _write(page: Path, changed: dict[Block, str]) -> None:
    text = page.read_text(encoding="utf-8")
    for block, code in changed.items():
        assert text.count(block.code) == 1, f"{block.where}: the same block stands twice; write it by hand"
        text = text.replace(block.code, code)
    page.write_text(text, encoding="utf-8")
