"""Benchmarks run as they say that they do."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("data/**/*.md"), *ROOT.glob("benchmarks/**/*.md")]
SCRIPT = re.compile(r"(PYTHONPATH=\S+ )?(?:OMP_NUM_THREADS=1 )?python benchmarks/(\w+)\.py")
MODULE = re.compile(r"python -m benchmarks\.(\w+)")


def test_what_is_run_as_a_script_imports_no_other_benchmark():
    texts = [path.read_text("utf-8") for path in (*PAGES, *ROOT.glob("benchmarks/*.py"))]
    named = {(found[2], bool(found[1])) for text in texts for found in SCRIPT.finditer(text)}
    assert len(named) > 10
    for name, with_path in sorted(named):
        source = (ROOT / "benchmarks" / f"{name}.py").read_text("utf-8")
        assert with_path or not re.search(r"^(from|import) benchmarks\b", source, re.M), name


@pytest.mark.parametrize("path", sorted(ROOT.glob("benchmarks/*.py")), ids=lambda path: path.stem)
def test_what_is_run_as_a_module_is_there(path):
    for name in MODULE.findall(path.read_text("utf-8")):
        assert (ROOT / "benchmarks" / f"{name}.py").is_file(), name
