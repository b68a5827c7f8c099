"""How the packages lean on each other: few levels, and no more edges than there are. Which may, import-linter holds."""

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOPS = ("abroad", "annotation", "gme_sampler")
MAX_LEVELS = 8
MAX_EDGES = 90
"""Both only become smaller."""


def package(module: str) -> str:
    """A package of abroad, or one beside it; its face and its entry are of no package."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "abroad" else parts[0]


def modules() -> dict[str, Path]:
    """Module -> file, of all that lies in a package."""
    found = {}
    for top in TOPS:
        for file in (ROOT / top).rglob("*.py"):
            parts = file.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return {name: file for name, file in found.items() if package(name) not in ("abroad", "abroad.__main__")}


def imports(file: Path) -> set[str]:
    """What a file imports, also within functions and for types."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.partition(".")[0] in TOPS}


def edges() -> dict[str, set[str]]:
    """Package -> those that it imports from."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, file in modules().items():
        found[package(name)] |= {package(other) for other in imports(file)} - {package(name)}
    return found


def chain(start: str, below: dict[str, set[str]]) -> list[str]:
    """The longest way down from a package."""

    @cache
    def longest(name: str) -> tuple[str, ...]:
        return (name, *max((longest(other) for other in sorted(below.get(name, ()))), key=len, default=()))

    return list(longest(start))


def test_packages_stand_on_few_levels():
    below = edges()
    longest = max((chain(name, below) for name in sorted(below)), key=len)
    assert len(longest) <= MAX_LEVELS, " -> ".join(longest)


def test_packages_have_few_edges():
    assert sum(len(others) for others in edges().values()) <= MAX_EDGES


def test_the_longest_chain_is_found():
    assert chain("a", {"a": {"b", "d"}, "b": {"c"}, "c": {"d"}}) == ["a", "b", "c", "d"]
