"""Every registry has a suite of behaviour, and every member stands in it."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tests.annotation.argilla.members
import tests.documents.members
import tests.engines.members
import tests.evaluation.members
import tests.experiments.members
import tests.extraction.fewshot.members
import tests.extraction.members
import tests.ranking.members
import tests.synthesis.prompts.members
from abroad.core.registry import Capability, Registry
from tests.cli.test_help import HEAVY

ROOT = Path(__file__).parents[1]
SUITES = {
    "abroad.curation_orders": ("tests/annotation/argilla/test_order.py", tests.annotation.argilla.members.MEMBERS),
    "abroad.engines": ("tests/engines/test_behaviour.py", tests.engines.members.MEMBERS),
    "abroad.extractors": ("tests/extraction/test_behaviour.py", tests.extraction.members.MEMBERS),
    "abroad.fewshot_styles": ("tests/extraction/fewshot/test_examples.py", tests.extraction.fewshot.members.STYLES),
    "abroad.learners": ("tests/experiments/test_learners.py", tests.experiments.members.MEMBERS),
    "abroad.orders": ("tests/ranking/test_orders.py", tests.ranking.members.MEMBERS),
    "abroad.prompt_styles": ("tests/synthesis/prompts/test_instruct.py", tests.synthesis.prompts.members.MEMBERS),
    "abroad.protocols": ("tests/evaluation/test_protocols.py", tests.evaluation.members.MEMBERS),
    "abroad.retrievers": ("tests/extraction/fewshot/test_examples.py", tests.extraction.fewshot.members.RETRIEVERS),
    "abroad.selectors": ("tests/documents/test_selectors.py", tests.documents.members.MEMBERS),
}
"""Group of a registry -> (its suite, what the suite knows of each member)."""


def registries() -> dict[str, tuple[str, Registry]]:
    """Group -> (name in the code, registry) of all that the packages make."""
    found = {}
    for package in ("abroad", "annotation"):
        for file in sorted((ROOT / package).rglob("*.py")):
            for name in re.findall(r"^(\w+)[^\n=]*= Registry\(", file.read_text(encoding="utf-8"), re.MULTILINE):
                module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
                registry = getattr(importlib.import_module(module), name)
                found[registry.group] = (name, registry)
    return found


REGISTRIES = registries()
ALL = pytest.mark.parametrize("group", REGISTRIES)


def test_every_registry_has_a_suite_and_every_suite_a_registry():
    assert REGISTRIES.keys() == SUITES.keys()


@ALL
def test_every_member_stands_in_the_suite_which_runs_over_the_registry(group):
    name, registry = REGISTRIES[group]
    suite, members = SUITES[group]
    assert set(members) == set(registry.own)
    assert f"{name}.own" in (ROOT / suite).read_text(encoding="utf-8")


@ALL
def test_every_member_declares_settings_that_have_defaults_and_capabilities(group):
    _, registry = REGISTRIES[group]
    for name in registry.own:
        assert isinstance(registry.capabilities(name), Capability)
        assert isinstance(registry.read(name, {}), registry.settings(name))


def test_what_members_declare_is_read_without_anything_heavy():
    modules = sorted({path.partition(":")[0] for _, registry in REGISTRIES.values() for path in registry.own.values()})
    heavy = sorted(set(HEAVY) - {"pydantic", "numpy"})  # settings are checked; policies and suffixes are arrays
    script = f"import sys, {', '.join(modules)}; print([name for name in {heavy!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip() == "[]"


NAMES = sorted({name for _, registry in REGISTRIES.values() for name in registry.own} - {"standard", "product"})


def test_nothing_asks_which_member_it_is():
    """A capability is asked for, no name, type or text of an error; the registry's own line has the names."""
    name = "|".join(NAMES)
    # `Settings` alone is what all settings are made of, and no member's.
    asking = re.compile(
        rf'(==|!=) "({name})"|"({name})" (==|!=)|\bin \("({name})"'
        r"|isinstance\([^)]*(Engine|Extractor|\wSettings|Style|Retriever|Protocol)\b|\" in str\(error|in str\(error\)"
    )
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for package in ("abroad", "annotation")
        for file in sorted((ROOT / package).rglob("*.py"))
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if asking.search(line)
    ]
    assert found == []
