"""YAML of people's files, with a bound on what its aliases may unfold to.

`yaml.safe_load` gives "billion laughs" as small nested lists that share their parts; whatever then prints, compares
or checks them unfolds them. So the size is counted as if unfolded, before anything is made of it.
"""

from __future__ import annotations

from typing import Any

import yaml

MAX_CHARACTERS = 2 << 20
MAX_NODES = 100_000


def load_yaml(text: str) -> Any:
    """The value of a YAML document.

    Raises:
        yaml.YAMLError: broken YAML, a value that is none (an integer of thousands of digits), or too much of it.
    """
    if len(text) > MAX_CHARACTERS:
        raise _refused(f"more than {MAX_CHARACTERS} characters")
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node) > MAX_NODES:
            raise _refused(f"more than {MAX_NODES:,} values, aliases unfolded")
        return loader.construct_document(node)
    except RecursionError:
        raise _refused("nested too deep, or an alias within itself") from None
    except (ValueError, TypeError, OverflowError) as error:
        raise _refused(f"a value that cannot be read: {str(error)[:100]}") from None
    finally:
        loader.dispose()


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
