"""Settings are checked whenever they are made, and know what they were called before."""

import importlib
import json
import pkgutil
import re
from collections.abc import Callable
from typing import ClassVar, Literal

import pytest
from pydantic import ValidationError

import abroad
import annotation
from abroad.core.errors import FormerNameWarning, InputError
from abroad.core.settings import Count, Settings, Share, read_section
from abroad.extraction.generative.decoding import GenerativeSettings


def every_class():
    """Each settings class of abroad and of the curation loop."""
    for package in (abroad, annotation):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            name = module.name.rpartition(".")[2]
            if ("settings" in name or name in MODULES) and module.name not in NEED_VLLM:
                importlib.import_module(module.name)
    found, todo = [], [Settings]
    while todo:
        own = todo.pop().__subclasses__()
        found += own
        todo += own
    return sorted(
        {each for each in found if "test" not in each.__module__}, key=lambda each: (each.__qualname__, each.__module__)
    )


MODULES = {
    *("config", "choice", "decoding", "rank", "game", "policies", "run", "compare", "study", "sampling", "lotus"),
    *(
        "eutils",
        "http",
        "push",
        "page",
        "member",
        "spec",
        "contrastive",
        "inputs",
        "train_encoder",
        "suite",
        "learners",
    ),
}
NEED_VLLM = {"abroad.engines.vllm.contrastive"}  # it is run by vLLM alone, and has no settings
ALL = every_class()
NUMBERS = [
    (kind, name)
    for kind in ALL
    for name, field in kind.model_fields.items()
    if field.annotation in (int, float) and field.metadata
]


def numeric(annotation):
    """Whether a field takes a number, perhaps among others, and no truth value."""
    named = set(re.findall(r"\b(?:int|float|bool)\b", str(annotation)))
    return bool(named) and "bool" not in named


NUMERIC = [(kind, name) for kind in ALL for name, field in kind.model_fields.items() if numeric(field.annotation)]


class Old(Settings):
    former_names: ClassVar = {"beams": "num_beams"}
    later_fields: ClassVar = frozenset({"added"})

    num_beams: Count = 3
    added: int = 0


class Composed(Settings):
    inner: Old


def test_the_settings_of_every_package_are_found():
    names = {kind.__name__ for kind in ALL}
    assert names >= {
        *("TrainSettings", "Decoding", "GenerativeSettings", "InstructSettings", "GenerateSettings", "SelectSettings"),
        *("CurateSettings", "SpecialiseSettings", "SampleSettings", "PrepareSettings", "EutilsSettings", "Config"),
        *("EvaluateSettings", "RankSettings", "GameSettings", "FewShotSettings", "LeaderboardSettings", "Learner"),
        *("StudySettings", "PushSettings", "OfflineSettings", "InputSettings", "EncoderSettings"),
    }


@pytest.mark.parametrize(("kind", "name"), NUMBERS, ids=lambda value: getattr(value, "__name__", value))
def test_a_number_out_of_range_is_an_error_that_names_its_class_and_field(kind, name):
    required = {key: "x" for key, field in kind.model_fields.items() if field.is_required()}
    bound = r"(?:more than \S+|\S+ or more)"
    with pytest.raises(InputError, match=rf"{kind.__name__}: .*{name}: expected {bound}, found -5"):
        kind(**required | {name: -5})


@pytest.mark.parametrize("truth", [True, False])
@pytest.mark.parametrize(("kind", "name"), NUMERIC, ids=lambda value: getattr(value, "__name__", value))
def test_a_truth_is_no_number(kind, name, truth):
    """pydantic takes `True` for 1: `epochs: yes` would train one epoch without a word."""
    required = {key: "x" for key, field in kind.model_fields.items() if field.is_required()}
    with pytest.raises(InputError, match=rf"\b{name}\b.*: expected .*, found {truth}"):
        kind(**required | {name: truth})


def test_a_truth_is_no_number_within_others_either():
    with pytest.raises(InputError, match=r"sizes\.1: expected a whole number, found True"):
        _Nested(sizes=[1, True])
    with pytest.raises(InputError, match=r"shares\.a: expected a number, found False"):
        _Nested(shares={"a": False})
    assert _Nested(on=True, chosen=True, either=True, sizes=[1], made=float).either is True


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_a_copy_is_checked_like_a_new_one(kind):
    """`model_copy(update=...)` of pydantic looks at no value; every way to other settings does here."""
    settings = kind.model_construct()
    for change in ({"no_such": 1}, {"no_such": True}):
        with pytest.raises(InputError, match="no_such: unknown key"):
            settings.model_copy(update=change)
        with pytest.raises(InputError, match="no_such: unknown key"):
            settings.__replace__(**change)


@pytest.mark.parametrize(("kind", "name"), NUMERIC, ids=lambda value: getattr(value, "__name__", value))
def test_a_copy_takes_no_wrong_number(kind, name):
    required = {key: "x" for key, field in kind.model_fields.items() if field.is_required()}
    with pytest.raises(InputError, match=rf"\b{name}: "):
        kind.model_construct(required.keys(), **required).model_copy(update={name: "many"})


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_unknown_fields_are_refused(kind):
    with pytest.raises(InputError, match="no_such: unknown key"):
        kind(no_such=1)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_the_help_of_every_field_is_a_sentence(kind):
    """As a reader of the reference, or of --help, meets it: a capital, four words or more, a full stop."""
    if not kind.__module__.startswith("tests."):
        helps = {name: field.description or "" for name, field in kind.model_fields.items()}
        assert {name: help for name, help in helps.items() if not SENTENCE.fullmatch(help)} == {}


def test_changes_are_checked_too_and_nothing_changes_in_place():
    settings = Old(num_beams=2)
    assert settings.model_copy(update={"num_beams": 5}) == Old(num_beams=5) and settings.model_copy() == settings
    assert settings.replace(num_beams=5).num_beams == 5 and settings.num_beams == 2
    with pytest.raises(InputError, match="num_beams"):
        settings.replace(num_beams=0)
    with pytest.raises(InputError, match="unknown key"):
        settings.replace(beems=1)
    with pytest.raises(ValidationError):
        settings.num_beams = 4


def test_every_mistake_is_told_at_once():
    with pytest.raises(InputError, match=r"2 mistakes: num_beams: .*; added: "):
        Old(num_beams=0, added="many")


def test_former_names_are_read_warned_about_and_stay_in_what_resumption_compares():
    with pytest.warns(FormerNameWarning, match="beams is called num_beams now"):
        assert Old(beams=5) == Old(num_beams=5)
    with pytest.warns(FormerNameWarning):
        assert Old.model_validate({"beams": 5}) == Old().replace(beams=5)
    assert Old(num_beams=5).identity() == {"beams": 5}
    assert Old(added=1).identity() == {"beams": 3, "added": 1}
    with pytest.raises(InputError, match="'beams' is the former name of 'num_beams'"):
        Old(beams=1, num_beams=1)


SENTENCE = re.compile(r"[A-Z]\S*(?: \S+){2,} \S*\.")


def from_a_file(tmp_path):
    (tmp_path / "c.yaml").write_text("old: {beams: 5}")
    return read_section(tmp_path / "c.yaml", "old", Old)


FORMERLY = {
    "made": lambda folder: Old(beams=5),
    "read": lambda folder: Old.model_validate({"beams": 5}),
    "changed": lambda folder: Old().replace(beams=5),
    "taken out of others": lambda folder: Old.of(Old(), beams=5),
    "inside of others": lambda folder: Composed(inner={"beams": 5}),
    "of a file": from_a_file,
    "of the public API": lambda folder: GenerativeSettings(beams=5),
}


@pytest.mark.parametrize("how", FORMERLY)
def test_a_former_name_is_told_of_the_line_that_has_it(how, tmp_path):
    """And not of a line of ours, or of pydantic's, which nobody can mend."""
    with pytest.warns(FormerNameWarning) as told:
        FORMERLY[how](tmp_path)
    assert [warning.filename for warning in told] == [__file__]


FORMER = [(kind, old, name) for kind in ALL for old, name in kind.all_former_names().items() if kind is not Old]


@pytest.mark.parametrize(("kind", "old", "name"), FORMER, ids=lambda value: getattr(value, "__name__", value))
def test_a_former_name_is_of_a_field_and_no_field_itself(kind, old, name):
    assert name in kind.model_fields and old not in kind.model_fields


@pytest.mark.filterwarnings("error")
def test_what_an_earlier_run_wrote_down_is_read_without_a_warning():
    assert Old.recorded({"beams": 5}) == Old.recorded({"num_beams": 5}) == Old(num_beams=5)
    with pytest.raises(InputError, match="unknown key"):
        Old.recorded({"beems": 5})


@pytest.mark.parametrize("kind", [kind for kind in ALL if not any(f.is_required() for f in kind.model_fields.values())])
def test_identities_are_json_and_read_back(kind):
    try:
        settings = kind()
    except InputError:  # a section that wants one of several files
        return
    written = json.loads(json.dumps(settings.identity()))
    if not any(isinstance(value, dict) and value for value in written.values()):
        assert kind.recorded(written) == settings


def test_the_narrower_settings_of_a_section_are_taken_out_of_it():
    from abroad.pipeline.config import TrainSection
    from abroad.training.settings import TrainSettings

    section = TrainSection(epochs=3, add_seeds=True)
    assert TrainSettings.of(section) == TrainSettings(epochs=3)
    assert type(TrainSettings.of(section, seed=4)) is TrainSettings


def test_what_a_class_has_by_default_goes_with_it_into_the_narrower_one():
    class Twice(Old):
        num_beams: Count = 6

    assert Old.of(Twice()) == Old(num_beams=6) and Old.of(Twice(num_beams=3)) == Old()


class _Nested(Settings):
    sizes: tuple[int, ...] = ()
    shares: dict[str, Share] | None = None
    on: bool = False
    chosen: Literal[True, 3] = 3
    either: bool | int = 0
    made: Callable[[int], float] | None = None


class _Inner(Settings):
    threshold: float = 0.5


class _Outer(Settings):
    inner: _Inner = _Inner()
    perhaps: _Inner | None = None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"inner": {"treshold": 1}}, "inner.treshold: unknown key; did you mean threshold?"),
        ({"perhaps": {"threshhold": 1}}, "perhaps.threshhold: unknown key; did you mean threshold?"),
        ({"iner": {}}, "iner: unknown key; did you mean inner?"),
        ({"colour": "red"}, "colour: unknown key"),
        ({"inner": {"colour": "red"}}, "inner.colour: unknown key"),
    ],
)
def test_an_unknown_key_is_met_with_the_nearest_known_one(values, said):
    with pytest.raises(InputError) as caught:
        _Outer(**values)
    assert str(caught.value).endswith(said)


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_no_setting_is_infinite_or_no_number(value):
    from abroad.extraction.generative.decoding import Decoding
    from abroad.training.settings import TrainSettings

    for kind, name in ((TrainSettings, "learning_rate"), (Decoding, "length_penalty")):
        with pytest.raises(InputError, match=name):
            kind(**{name: value})
