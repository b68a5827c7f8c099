"""Docstrings that documentation tools can read: a summary first, then Google's sections, one name a line."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("abroad", "annotation", "gme_sampler")
FILES = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
SECTION = re.compile(r"(Args|Attributes|Returns|Raises|Yields|Example):", re.MULTILINE)
TWO_NAMES = re.compile(r"^    \w+(, \w+)+: |^    \w+: .*; [a-z]\w*: ", re.MULTILINE)


SAID_BY_THE_MODULE = {"register", "main"}
"""Entries of modules of commands and scripts, which the docstring of the module describes."""


def docstrings(file: Path):
    """(where, docstring) of a module and all that it defines."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (doc := ast.get_docstring(node)):
            yield f"{file.name}: {getattr(node, 'name', 'module')}", doc


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_docstring_begins_with_a_summary_and_names_one_thing_a_line(file):
    for where, doc in docstrings(file):
        assert not SECTION.match(doc), where
        assert not TWO_NAMES.search(doc), f"{where}: {TWO_NAMES.search(doc)[0]}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_every_public_function_and_class_has_a_docstring(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    public = [
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
        and not node.name.startswith("_")
        and node.name not in SAID_BY_THE_MODULE
        and not any(getattr(decorator, "id", "") == "overload" for decorator in node.decorator_list)
    ]
    assert [node.name for node in public if not ast.get_docstring(node)] == []


ARRAY = re.compile(r"(np\.ndarray|torch\.Tensor|NDArray\[[\w.]+\])")
SHAPE = re.compile(r"shape \(|shape of|array \(\w|\[\w+(, [\w +]+)*\]")


def public_functions(tree):
    """(name, function) of what a module gives others: its functions, and the methods of its classes."""
    for node in tree.body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        for each in inner if not getattr(node, "name", "_").startswith("_") else ():
            # a name that ends in an underscore is what an estimator has learnt: its class says the shape
            if isinstance(each, ast.FunctionDef) and not each.name.startswith("_") and not each.name.endswith("_"):
                yield prefix + each.name, each


OF_ARRAYS = [file for file in FILES if not file.is_relative_to(ROOT / "gme_sampler")]  # which says [n, K] and the like


@pytest.mark.parametrize("file", OF_ARRAYS, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_functions_of_arrays_tell_their_shapes(file):
    silent = []
    for name, function in public_functions(ast.parse(file.read_text(encoding="utf-8"))):
        arguments = [each.annotation for each in (*function.args.args, *function.args.kwonlyargs)]
        kinds = [ast.unparse(each) for each in (*arguments, function.returns) if each is not None]
        if any(ARRAY.fullmatch(kind) for kind in kinds) and not SHAPE.search(ast.get_docstring(function) or ""):
            silent.append(name)
    assert silent == []
