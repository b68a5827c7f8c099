"""What is wrong with a value is said in sentences of ours, of every kind that our settings can meet."""

import enum
import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from abroad.core.settings import mistakes_in


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Everything(BaseModel):
    whole: Annotated[int, Field(ge=1, le=10_000)] = 1
    more: Annotated[float, Field(gt=0, lt=1)] = 0.5
    finite: Annotated[float, Field(allow_inf_nan=False)] = 0.5
    truth: bool = True
    text: Annotated[str, Field(min_length=1, max_length=3)] = "a"
    form: Annotated[str, Field(pattern=r"^[a-z]+$")] = "a"
    items: Annotated[tuple[int, ...], Field(min_length=1, max_length=2)] = (1,)
    listed: list[int] = Field([])
    of: dict[str, float] = Field({})
    path: Path = Path("a")
    one: Literal["a", "b"] = "a"
    colour: Colour = Colour.RED
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] = Cat(kind="cat")


def said(**values):
    with pytest.raises(ValidationError) as caught:
        Everything(**values)
    return [f"{key}: {text}" for key, text in mistakes_in(caught.value, kind=Everything)]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"whole": 0}, "whole: expected 1 or more, found 0"),
        ({"whole": 20_000}, "whole: expected 10,000 or less, found 20000"),
        ({"whole": "x"}, "whole: expected a whole number, found 'x'"),
        ({"whole": 1.5}, "whole: expected a whole number, found 1.5"),
        ({"whole": "9" * 5_000}, "whole: expected a number, found an integer of more than"),
        ({"more": 0}, "more: expected more than 0, found 0"),
        ({"more": 1}, "more: expected less than 1, found 1"),
        ({"more": []}, "more: expected a number, found []"),
        ({"finite": float("inf")}, "finite: expected a finite number, found inf"),
        ({"truth": "perhaps"}, "truth: expected true or false, found 'perhaps'"),
        ({"text": ""}, "text: expected at least 1 character, found ''"),
        ({"text": "abcd"}, "text: expected at most 3 characters, found 'abcd'"),
        ({"text": 3}, "text: expected text, found 3"),
        ({"form": "A"}, "form: expected text of the form ^[a-z]+$, found 'A'"),
        ({"items": []}, "items: expected at least 1 item, found []"),
        ({"items": [1, 2, 3]}, "items: expected at most 2 items, found [1, 2, 3]"),
        ({"items": 1}, "items: expected a list, found 1"),
        ({"listed": "a"}, "listed: expected a list, found 'a'"),
        ({"of": 3}, "of: expected a mapping, found 3"),
        ({"path": 3}, "path: expected a path, found 3"),
        ({"one": "c"}, "one: expected a or b, found 'c'"),
        ({"colour": "green"}, "colour: expected red or blue, found 'green'"),
        ({"pet": {}}, "pet: expected the key kind, found {}"),
        ({"pet": {"kind": "cow"}}, "pet: expected kind: one of cat, dog, not cow, found {'kind': 'cow'}"),
        ({"pet": 3}, "pet: expected a mapping, found 3"),
    ],
    ids=lambda value: value.partition(":")[0] if isinstance(value, str) else "",
)
def test_a_mistake_is_said_in_a_sentence(values, text):
    [line] = said(**values)
    assert line.startswith(text)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(name=st.sampled_from([*Everything.model_fields]), value=values)
def test_no_words_of_the_library_reach_a_reader(name, value):
    try:
        Everything(**{name: value})
    except ValidationError as error:
        for _, text in mistakes_in(error, kind=Everything):
            assert re.match(r"expected |unknown key", text) and "\n" not in text, text
