"""The page that lists where the code says organism or chemical is true: no module is left out, and no row is idle."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "words.md"
WORDS = re.compile(r"organism|chemical", re.IGNORECASE)
TEXTS = (".j2", ".yaml", ".js", ".css", ".html")
_NAMES = {ast.Name: "id", ast.Attribute: "attr", ast.arg: "arg", ast.keyword: "arg", ast.alias: "name"}
_NAMES |= {ast.FunctionDef: "name", ast.ClassDef: "name"}


def said(text):
    """What the code of a module says: its names, and strings that are no docstrings."""
    nodes = list(ast.walk(ast.parse(text)))
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value
        elif type(node) in _NAMES:
            yield getattr(node, _NAMES[type(node)]) or ""


def says_it(path):
    text = path.read_text("utf-8")
    if not WORDS.search(text):
        return False
    return any(map(WORDS.search, said(text))) if path.suffix == ".py" else True


SAYING = sorted(
    path.relative_to(ROOT)
    for top in ("abroad", "annotation", "gme_sampler")
    for path in (ROOT / top).rglob("*")
    if path.suffix in (".py", *TEXTS) and says_it(path)
)
ROWS = re.findall(r"^\| `([^`]+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)


def holds(row, path):
    """Whether a row names a file: an asterisk stands within one folder."""
    return path.parent == Path(row).parent and Path(path.name).match(Path(row).name)


def test_strings_and_names_count_and_comments_do_not():
    code = '"""Organism."""\nx = "organism"  # chemical\ndef f(a):\n    "chemical"'
    assert set(said(code)) == {"x", "organism", "f", "a"}


def test_every_module_that_says_it_is_named():
    assert [str(path) for path in SAYING if not any(holds(row, path) for row in ROWS)] == []


@pytest.mark.parametrize("row", ROWS)
def test_no_row_is_idle(row):
    assert any(holds(row, path) for path in SAYING)
