"""YAML of people's files, with a bound on what its aliases may unfold to.

`yaml.safe_load` gives "billion laughs" as small nested lists that share their parts; whatever then prints, compares
or checks them unfolds them. So the size is counted as if unfolded, before anything is made of it.
"""

from __future__ import annotations

from typing import Any

import yaml

from abroad.core.errors import MAX_DIGITS, short

MAX_CHARACTERS = 2 << 20
MAX_NODES = 100_000


def load_yaml(text: str) -> Any:
    """The value of a YAML document.

    Raises:
        yaml.YAMLError: broken YAML, a value that is none (an integer of thousands of digits), or too much of it.
    """
    if len(text) > MAX_CHARACTERS:
        raise _refused(f"more than {MAX_CHARACTERS} characters")
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node) > MAX_NODES:
            raise _refused(f"more than {MAX_NODES:,} values, aliases unfolded")
        return loader.construct_document(node)
    except RecursionError:
        raise _refused("nested too deep, or an alias within itself") from None
    except (ValueError, TypeError, OverflowError):
        raise _refused("a value that cannot be read") from None
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    """Tells of a scalar that is no value its line, its key and what it looks like, in our words."""

    def construct_document(self, node: yaml.Node) -> Any:
        self._root = node
        return super().construct_document(node)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError):
            if not isinstance(node, yaml.ScalarNode):
                raise
            key = ".".join(_path(self._root, node) or ())
            problem = f"{f'{key}: ' if key else ''}a value that cannot be read: {_looks(node)}"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from None


def _looks(node: yaml.ScalarNode) -> str:
    digits = sum(character.isdecimal() for character in node.value)
    if node.tag == "tag:yaml.org,2002:int" and digits > MAX_DIGITS:
        return f"an integer of {digits:,} digits"
    name = {"int": "an integer", "float": "a number", "timestamp": "a date"}.get(node.tag.rpartition(":")[2], "a value")
    return f"{short(node.value)} is not {name}"


def _path(node: yaml.Node, wanted: yaml.Node) -> tuple[str, ...] | None:
    """The keys that lead to a node."""
    if node is wanted:
        return ()
    pairs: list[tuple[str, yaml.Node]] = []
    if isinstance(node, yaml.SequenceNode):
        pairs = [(str(number), child) for number, child in enumerate(node.value)]
    elif isinstance(node, yaml.MappingNode):
        pairs = [(str(key.value)[:40], part) for key, value in node.value for part in (key, value)]
    for key, child in pairs:
        if (found := _path(child, wanted)) is not None:
            return (key, *found)
    return None


def _size(node: yaml.Node, known: dict[int, int] | None = None) -> int:
    """How many nodes it has with its aliases unfolded, each of which is looked at once.

    A node within itself raises RecursionError.
    """
    known = {} if known is None else known
    if id(node) not in known:
        children: list[yaml.Node] = []
        if isinstance(node, yaml.SequenceNode):
            children = node.value
        elif isinstance(node, yaml.MappingNode):
            _refuse_repeated_keys(node)
            children = [child for pair in node.value for child in pair]
        known[id(node)] = 1 + sum(_size(child, known) for child in children)
    return known[id(node)]


def _refuse_repeated_keys(node: yaml.MappingNode) -> None:
    """YAML forbids a key that stands twice in a mapping; the parser takes the last one in silence."""
    names: set[tuple[str, str]] = set()  # 1 and "1" are two keys
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
            if (key.tag, key.value) in names:
                problem = f"the key {key.value[:100]!r} stands twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            names.add((key.tag, key.value))


def _refused(problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem)
