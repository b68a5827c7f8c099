"""A registry: members by name, imported when asked for, ours and those of other packages."""

import sys
from dataclasses import dataclass
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from abroad.core.errors import InputError
from abroad.core.registry import Capability, Registry, read_values, setting_names
from abroad.core.settings import NoSettings
from tests.plugins import install


class Plain:
    Settings = NoSettings
    capabilities = Capability.NONE


@dataclass(frozen=True)
class Knobs:
    count: Annotated[int, Field(ge=1)] = 2
    word: str | None = None


class Able:
    Settings = Knobs
    capabilities = Capability.BEAMS | Capability.IMAGES


OWN = {"plain": f"{__name__}:Plain", "able": f"{__name__}:Able"}


@pytest.fixture
def things():
    return Registry("thing", "abroad.tests.things", OWN)


@pytest.fixture
def others(tmp_path, monkeypatch):
    """A registry beside a package whose entry points are: one that is good, and one for each way to be bad."""
    code = """
        from abroad.core.registry import Capability
        from abroad.core.settings import NoSettings

        class Good:
            Settings, capabilities = NoSettings, Capability.LOGPROBS

        class NoSettingsAtAll:
            capabilities = Capability.NONE

        class CapabilitiesAsText:
            Settings, capabilities = NoSettings, "beams"
    """
    points = {
        "good": "things_elsewhere:Good",
        "plain": "things_elsewhere:Good",
        "no-settings": "things_elsewhere:NoSettingsAtAll",
        "text": "things_elsewhere:CapabilitiesAsText",
        "no-attribute": "things_elsewhere:Nothing",
        "no-module": "things_nowhere:Good",
    }
    install(tmp_path, monkeypatch, "things-elsewhere", {"things_elsewhere.py": code}, {"abroad.tests.things": points})
    return Registry("thing", "abroad.tests.things", OWN)


def test_members_come_by_name_with_what_they_declare(things):
    assert things.names() == ["plain", "able"] and "able" in things and "other" not in things
    assert things.get("able") is Able and things.settings("able") is Knobs
    assert things.able(Capability.IMAGES) == ["able"] and things.able(Capability.CHAT) == []
    assert things.read("able", {"count": "3"}) == Knobs(3)


def test_a_member_is_imported_when_it_is_asked_for():
    lazy = Registry("thing", "abroad.tests.things", {"late": "tests.core.late_member:Member", "plain": OWN["plain"]})
    assert lazy.names() == ["late", "plain"] and lazy.get("plain") is Plain
    assert "tests.core.late_member" not in sys.modules
    with pytest.raises(ModuleNotFoundError):  # a mistake of ours, not of the user
        lazy.get("late")


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda r: r.get("other"), "unknown thing 'other'; expected one of: plain, able"),
        (lambda r: r.get("plan"), "unknown thing 'plan'; did you mean plain. Expected one of: plain, able"),
        (
            lambda r: r.read("able", {"counts": 1}),
            "no setting 'counts'; did you mean count. Expected one of: count, word",
        ),
        (
            lambda r: r.read("able", {"a": 1, "count": 0}),
            "no setting 'a'; expected .*; count: expected 1 or more, found 0",
        ),
        (lambda r: r.read("able", {"size": 1}), "thing able: no setting 'size'; expected one of: count, word"),
        (lambda r: r.read("plain", {"size": 1}), "thing plain: no setting 'size'; it has none"),
        (lambda r: r.read("able", {"count": 0}), "thing able: count: expected 1 or more, found 0"),
        (lambda r: r.require("plain", Capability.BEAMS, "a search"), "thing 'plain': a search takes able"),
        (lambda r: r.require("able", Capability.CHAT, "a game"), "thing 'able': a game takes none that is installed"),
    ],
)
def test_what_cannot_be_is_an_error_that_says_what_can(things, use, message):
    with pytest.raises(InputError, match=message):
        use(things)


def test_other_packages_join_by_entry_points_and_do_not_take_our_names(others):
    assert others.names() == ["plain", "able", "good", "no-attribute", "no-module", "no-settings", "text"]
    assert others.capabilities("good") == Capability.LOGPROBS and others.get("plain") is Plain


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no-settings", "declares no 'Settings'"),
        ("text", "declares no 'capabilities'"),
        ("no-attribute", "cannot be loaded: AttributeError"),
        ("no-module", "cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_a_bad_member_of_another_package_is_named_with_its_package(others, name, message):
    with pytest.raises(InputError, match=f"thing '{name}' of the package things-elsewhere.*{message}"):
        others.get(name)


class Model(BaseModel):
    count: int = 1
    word: str | None = None


@given(st.sampled_from([Knobs, Model]), st.integers(1, 10**6), st.none() | st.text())
def test_settings_are_read_alike_from_dataclasses_and_models_and_from_text(kind, count, word):
    assert setting_names(kind) == ["count", "word"]
    for given_count in (count, str(count)):
        found = read_values(kind, {"count": given_count, "word": word}, "x")
        assert (found.count, found.word) == (count, word)
