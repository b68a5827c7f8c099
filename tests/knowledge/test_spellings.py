"""One compound under several spellings is one row; what tells isomers apart keeps two rows apart."""

import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abroad.knowledge import entities
from abroad.knowledge.entities import TAIL
from abroad.knowledge.query import entities_of
from abroad.knowledge.store import readable
from abroad.sources.name_keys import name_key
from tests.knowledge.test_build import pairs
from tests.knowledge.world import World, document

GREEK = dict(zip("αβγδεζηθικλμνξοπρστυφχψω", (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi "
    "psi omega").split(), strict=True))  # fmt: skip
FRAMES = [
    *("{}-pinene", "(+)-{}-pinene", "3{}-hydroxyusnic acid", "N-{}-acetylx", "N({})-acetylx", "(E)-{}-ocimene"),
    *(
        "{}-D-glucosyl-{}-ionone",
        "5{}H-stigmastane",
        "{}'-hydroxyx",
        "{},{}-carotene",
        "3-O-{}-L-rhamnosylx",
        "{} factor",
    ),
]
APART = [
    *(
        ("α-pinene", "β-pinene"),
        ("3β-hydroxyx", "3α-hydroxyx"),
        ("(+)-α-pinene", "(-)-α-pinene"),
        ("β-pinene", "b-pinene"),
    ),
    *(("β'-hydroxyx", "β-hydroxyx"), ("β,β-carotene", "β,ε-carotene"), ("(E)-β-ocimene", "(Z)-β-ocimene")),
    *(("N-β-acetylx", "n-β-acetylx"), ("β-D-glucosylx", "β-d-glucosylx"), ("1-β-2-x", "12-β-x"), ("3-β-x", "2-β-x")),
]
letters = st.sampled_from(sorted(GREEK))


def spelt(letter, way):
    return {"letter": letter, "capital": letter.upper(), "word": GREEK[letter], "Word": GREEK[letter].title()}[way]


@given(
    st.sampled_from(FRAMES),
    letters,
    letters,
    st.lists(st.sampled_from(["letter", "word", "Word"]), min_size=4, max_size=4),
)
def test_a_greek_letter_and_its_name_are_one_and_no_two_letters_are(frame, letter, other, ways):
    count = frame.count("{}")
    one, two = (frame.format(*(spelt(letter, way) for way in part[:count])) for part in (ways[:2], ways[2:]))
    assert name_key(one) == name_key(two)
    if letter != other:
        assert name_key(frame.format(*[GREEK[other]] * count)) != name_key(one)


def built(world, format, names):
    made = [document(f"g{n}", f"{name} was isolated from Usnea barbata.") for n, name in enumerate(names)]
    world.write(made, {d.id: [("Usnea barbata", name, 0.9)] for d, name in zip(made, names, strict=True)})
    path = world.folder / f"own.{format}"
    world.build(path, format)
    return path


@pytest.mark.parametrize("frame", FRAMES)
def test_two_spellings_of_a_greek_letter_are_one_row(world, format, frame):
    count = frame.count("{}")
    path = built(
        world, format, [frame.format(*[spelt("β", way)] * count) for way in ("letter", "capital", "word", "Word")]
    )
    (pair,) = pairs(path).values()
    assert (pair.documents, pair.publications) == (4, 4)


@pytest.mark.parametrize(("one", "other"), APART)
def test_isomers_are_two_rows(world, format, one, other):
    assert len(pairs(built(world, format, [one, other]))) == 2


@pytest.mark.parametrize("order", [0, 1])
def test_a_spelling_that_alone_gets_a_structure_is_the_same_compound(world, format, monkeypatch, order):
    """OPSIN may read one spelling and not the other: at once, or in a build of before."""
    monkeypatch.setattr(
        entities, "inchikeys", lambda names: {n: "D" * 14 + "-NNNNNNNNNN-N" for n in names if n[0] == "β"}
    )
    names = ["β-fictene", "beta-fictene"][:: 1 if order else -1]
    together = [document(f"g{n}", f"{name} was isolated from Usnea barbata.") for n, name in enumerate(names)]
    relations = {d.id: [("Usnea barbata", name, 0.9)] for d, name in zip(together, names, strict=True)}
    for documents in (together, together[:1], together[1:]):
        path = world.folder / f"{'all' if documents == together else 'parts'}.{format}"
        world.write(documents, relations)
        report = _with_opsin(world, path, format)
    for name in ("all", "parts"):
        (pair,) = pairs(world.folder / f"{name}.{format}").values()
        assert pair.documents == 2
    assert report.added == 1


def _with_opsin(world, path, format):
    from abroad.core.context import Context
    from abroad.knowledge.build import BuildSettings, Sources, build

    return build(path, format, Sources([world.predictions], [world.documents], world.index), BuildSettings(), Context())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10, deadline=None)
@given(letter=letters)
def test_a_query_takes_either_spelling(made_world, tmp_path_factory, letter):
    folder = tmp_path_factory.mktemp("spelt") / "world"
    shutil.copytree(made_world.folder, folder)
    path = built(World(folder), "sqlite", [f"{letter}-fictene"])
    with readable(path) as store:
        assert (
            entities_of(store, TAIL, f"{GREEK[letter]}-fictene") == entities_of(store, TAIL, f"{letter}-fictene") != []
        )
