"""The code of README and docs: its blocks, how each is checked, and the inline code that names commands.

A block is checked by its language:

    sh        every line is a command and is run; nothing is said of what it prints
    console   lines after "$ " are commands and are run; the other lines are what they print, compared
    python    with ">>> " a session whose output is compared, else a program
    yaml      settings of a run config, checked as such
    json, text  not checked

A comment before it says what a reader needs that a test has not. Something stands in for it (`tests.docs.stand_ins`),
the commands run, and what they print is not compared; those that cannot run at all are parsed in full:

    <!-- needs a GPU -->          or a network, an hour, a person, a server

What a person would do before it, curate a page and save the decisions, a test can do as well; then the block runs:

    <!-- after a person -->

A title writes the block into a file, in the folder where the commands of the page run:

    ```yaml title="own.yaml"
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LANGUAGES = ("sh", "console", "python", "yaml", "json", "text")
NEEDS = ("a GPU", "a network", "an hour", "a person", "a server")

_FENCE = re.compile(
    r"""^(?:<!--\ (?:needs\ (?P<needs>[^>]*?)|after\ (?P<after>a\ person))\ -->\n\n?)?
    ^(?P<indent>[ ]*)```(?P<language>\w*)(?P<info>[^\n]*)\n
    (?P<code>.*?)
    ^(?P=indent)```[ ]*$""",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int  # of the first line of the code
    language: str
    code: str
    needs: str | None = None  # what a test lacks to run it
    title: str | None = None  # the file that it is written into
    after: str | None = None  # who has done something before it

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        titles = re.findall(r'title="([^"]+)"', match["info"])
        line = text.count("\n", 0, match.start("code")) + 1
        title = titles[0] if titles else None
        found.append(Block(page, line, match["language"], match["code"], match["needs"], title, match["after"]))
    return found


def commands(block: Block) -> list[tuple[str, str]]:
    """(command, what it prints) of a block of `sh` or `console`; lines that end in a backslash go on in the next.

    Other blocks have none.
    """
    if block.language not in ("sh", "console"):
        return []
    lines = block.code.splitlines()
    found: list[tuple[list[str], list[str]]] = []
    goes_on = False
    for line in lines:
        if goes_on:
            found[-1][0].append(line)
        elif block.language == "console" and not line.startswith("$ "):
            assert found, f"{block.where}: output before the first command"
            found[-1][1].append(line)
            continue
        elif line.strip() and not line.lstrip().startswith("#"):
            found.append(([line.removeprefix("$ ")], []))
        else:
            continue
        goes_on = line.endswith("\\")
    return [("\n".join(command), "\n".join(output)) for command, output in found]


def calls_of_abroad(command: str) -> list[list[str]]:
    """The arguments of each call of `abroad` in a line of shell: in pipes, after `-m` and after other commands."""
    lexer = shlex.shlex(command.replace("\\\n", " "), posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split = True
    found: list[list[str]] = []
    current: list[str] | None = None
    starts = True
    before = ""
    for word in lexer:
        if set(word) <= set("|;&<>") and word:
            current, starts = None, word[0] in "|;&"
            continue
        if word == "abroad" and (starts or before == "-m"):
            current = []
            found.append(current)
        elif current is not None:
            current.append(word)
        starts, before = False, word
    return found


def inline_code(page: Path) -> list[str]:
    """The inline code of a page's prose, with line ends as spaces."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return [" ".join(code.split()) for code in re.findall(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)", text)]
