"""Lists, ranges and shared heads are resolved as authors mean them; what is ambiguous stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.synthesis.prompts.contract import contract
from abroad.text.expand import MAX_LABELS, expand_lists, expand_phrase, expand_shared_heads, singular

CASES = {
    "gloeophyllins A-D (1-4) were": ["gloeophyllin A", "gloeophyllin B", "gloeophyllin C", "gloeophyllin D"],
    "geodiamolides A, B, H and I (1-4)": ["geodiamolide A", "geodiamolide B", "geodiamolide H", "geodiamolide I"],
    "patellamides A-C (6-8) and ulithiacyclamide B": ["patellamide A", "patellamide B", "patellamide C"],
    "honulactones A (1), B (2), and D (4) exhibit": ["honulactone A", "honulactone B", "honulactone D"],
    "dendocarbins A--C (1--3)": ["dendocarbin A", "dendocarbin B", "dendocarbin C"],
    "baculiferins C, E–G, and K (4, 6-8, 12)": [f"baculiferin {letter}" for letter in "CEFGK"],
    "clavulones I, II, III, 7-acetoxyclavulone": ["clavulone I", "clavulone II", "clavulone III"],
    "alpicosides I-IV": [f"alpicoside {numeral}" for numeral in ("I", "II", "III", "IV")],
    "trichorovins-IX-XI": ["trichorovin-IX", "trichorovin-X", "trichorovin-XI"],
    "quinolactacins A1 (2), A2 (3) and B (4), quinolonimide": [
        "quinolactacin A1",
        "quinolactacin A2",
        "quinolactacin B",
    ],
    "piericidins A1-A3": ["piericidin A1", "piericidin A2", "piericidin A3"],
    "eudistomins Y(8)-Y(10) (8-10)": ["eudistomin Y8", "eudistomin Y9", "eudistomin Y10"],
    "ginsenosides Rb1, Rd and Rg1": ["ginsenoside Rb1", "ginsenoside Rd", "ginsenoside Rg1"],
    "hopanoids α-γ": ["hopanoid α", "hopanoid β", "hopanoid γ"],
    "xylarins A′ and B′": ["xylarin A′", "xylarin B′"],
    "palustrisoic acids A and H": ["palustrisoic acid A", "palustrisoic acid H"],
    "9-methoxystrobilurins G, K, and E": [f"9-methoxystrobilurin {letter}" for letter in "GKE"],
    "alpins 1-3 (4-6)": ["alpin 1", "alpin 2", "alpin 3"],
    "caerulomycins F through H": ["caerulomycin F", "caerulomycin G", "caerulomycin H"],
}


@pytest.mark.parametrize(("text", "labels"), CASES.items())
def test_lists_and_ranges(text, labels):
    (expansion,) = expand_lists(f"We found {text}")
    assert list(expansion.labels) == labels


@pytest.mark.parametrize(
    "text",
    [
        "oudemansins 1-4 were isolated",  # numbers of compounds, not names
        "new flustramines (2-4, 6-13)",
        "compounds A and B",
        "rings A and B",
        "caspases 3 and 9",
        "the alpins And others",
        "alpins A",
        "acids A and B",
        "two acids A and B",
        "suicin 90-1330",
        "alpins C-A",
    ],
)
def test_what_is_ambiguous_stays_as_it_is(text):
    assert [label for expansion in expand_lists(text) for label in expansion.labels] in ([], ["alpin C", "alpin A"][:0])
    assert expand_phrase(text) == [text]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("3- and 4-hydroxymellein", ["3-hydroxymellein", "4-hydroxymellein"]),
        ("1-, 2- and 3-methylxanthine", ["1-methylxanthine", "2-methylxanthine", "3-methylxanthine"]),
        ("methyl and ethyl gallate", ["methyl gallate", "ethyl gallate"]),
        ("N-isobutyl- and N-isopentylmethanamide", ["N-isobutylmethanamide", "N-isopentylmethanamide"]),
    ],
)
def test_shared_heads(text, labels):
    (expansion,) = expand_shared_heads(f"We found {text} in leaves.")
    assert list(expansion.labels) == labels
    assert expand_phrase(text) == labels


@pytest.mark.parametrize("name", ["genistein", "usnic acid", "4-hydroxymellein", "quercetin 3-O-glucoside", ""])
def test_single_names_expand_to_themselves(name):
    assert expand_phrase(name) == [name]


def test_every_label_keeps_the_span_that_names_it():
    text = "Gloeophyllins A-C (1-3), E (4) and F were new."
    (expansion,) = expand_lists(text)
    named = [text[start:end] for start, end in expansion.spans]
    assert named == ["A-C", "A-C", "A-C", "E", "F"]
    assert text[expansion.start : expansion.end] == "Gloeophyllins A-C (1-3), E (4) and F"
    assert expansion.rule == "range"


def test_a_range_too_long_is_capped_and_counted():
    (expansion,) = expand_lists("fictins A1-A5000 and B2")
    assert len(expansion.labels) == MAX_LABELS
    assert expansion.capped == 5000 - MAX_LABELS + 1


LETTERS = st.lists(st.sampled_from("ABCDEFGHJKLMN"), min_size=2, max_size=9, unique=True)
ROMANS = st.lists(st.sampled_from(["I", "II", "III", "IV", "V", "VI", "VII"]), min_size=2, max_size=6, unique=True)


@given(st.sampled_from(["gloeophyllin", "honulactone", "palustrisoic acid"]), LETTERS | ROMANS)
def test_what_synthesis_contracts_is_expanded_back(stem, suffixes):
    labels = [f"{stem} {suffix}" for suffix in suffixes]
    (phrase,) = contract(labels)
    assert sorted(expand_phrase(phrase.text)) == sorted(labels)
    assert sorted(expand_phrase(f"{phrase.text} (1-{len(labels)})")) == sorted(labels)


@given(LETTERS)
def test_never_more_labels_than_the_list_holds(suffixes):
    text = "fictins " + ", ".join(suffixes)
    assert [label for expansion in expand_lists(text) for label in expansion.labels] == [
        f"fictin {s}" for s in suffixes
    ]


@given(st.text(alphabet="fictinsABIVX12()[],-–' and\n\t\u200f\u0000αβ<>&", max_size=300) | st.text(max_size=200))
def test_whatever_the_text_nothing_is_raised_and_spans_lie_in_it(text):
    for expansion in [*expand_lists(text), *expand_shared_heads(text)]:
        assert 0 <= expansion.start < expansion.end <= len(text)
        assert len(expansion.labels) == len(expansion.spans) == len(set(expansion.labels))
        assert all(expansion.start <= start < end <= expansion.end for start, end in expansion.spans)
    assert expand_phrase(text)


@pytest.mark.parametrize(
    "text",
    [
        "fictins " + "A, " * 30_000,
        "(" * 50_000,
        "a-" * 50_000,
        "fictins A(" * 9_000,
        "yl, " * 25_000,
        "x" * 100_000,
        "3-, " * 25_000,
        "α- and " * 14_000,
        "caffeic, " * 11_000 + "acid",
        "fictins A (" + "1-" * 45_000,
        "fictins A and " * 7_000,
        "fictins" + " " * 90_000 + "A, B",
        "3-O-glucoside, " * 6_000,
        "RK-1355A and " * 7_000,
        "methyl " * 14_000 + "esters A, B",
        "fictins A" + "'" * 90_000,
    ],
    ids=lambda text: text[:12],
)
def test_long_and_nested_input_takes_bounded_work(text):
    labels = [label for e in [*expand_lists(text), *expand_shared_heads(text)] for label in e.labels]
    assert len(labels) <= len(text)


@pytest.mark.parametrize(("plural", "one"), [("alpins", "alpin"), ("lactones", "lactone"), ("glass", "glass")])
def test_plurals(plural, one):
    assert singular(plural) == one


DASHES = "-‐‑‒–—−"
PRIMES = "'′’"
SPACES = " \u00a0\u2009\u202f"


@given(st.sampled_from(DASHES), st.sampled_from(SPACES), st.sampled_from(PRIMES))
def test_dashes_spaces_and_primes_of_all_kinds_are_read_alike(dash, space, prime):
    (congeners,) = expand_lists(f"We isolated fictins{space}A{dash}C{space}and{space}E{prime}.")
    assert list(congeners.labels) == ["fictin A", "fictin B", "fictin C", f"fictin E{prime}"]
    (shared,) = expand_shared_heads(f"We isolated 3{prime}{dash}{space}and{space}4{prime}{dash}hydroxymellein.")
    assert list(shared.labels) == [f"3{prime}{dash}hydroxymellein", f"4{prime}{dash}hydroxymellein"]


SHAPES = st.sampled_from(["{}", "{}1", "{}2a", "R{}", "{}α", "II{}", "{}-1", "{}′"])


@given(st.lists(st.sampled_from("ABCDEFGH"), min_size=2, max_size=6, unique=True), SHAPES, st.sampled_from([" ", "-"]))
def test_suffixes_of_any_shape_make_a_list(letters, shape, glue):
    suffixes = [shape.format(letter.lower() if shape.startswith("R") else letter) for letter in letters]
    (expansion,) = expand_lists(f"It made fictins{glue}{', '.join(suffixes[:-1])} and {suffixes[-1]}.")
    assert list(expansion.labels) == [f"fictin{glue}{suffix}" for suffix in suffixes]


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(["A{}", "B-{}", "Rb{}", "D{}a", "A({})"]))
def test_a_range_runs_over_the_part_in_which_its_ends_differ(start, length, shape):
    text = f"fictins {shape.format(start)} to {shape.format(start + length)}"
    (expansion,) = expand_lists(text)
    shape = shape.replace("(", "").replace(")", "")
    assert list(expansion.labels) == [f"fictin {shape.format(n)}" for n in range(start, start + length + 1)]


@given(
    st.lists(
        st.sampled_from(["caffeic", "ferulic", "p-coumaric", "usnic", "3,4-dihydroxybenzoic"]), min_size=2, unique=True
    )
)
def test_acids_that_share_their_last_word(acids):
    for words in ("acid", "acids"):
        (expansion,) = expand_shared_heads(f"We found {', '.join(acids[:-1])} and {acids[-1]} {words} in leaves.")
        assert list(expansion.labels) == [f"{acid} acid" for acid in acids]


FRAGMENTS = st.sampled_from(
    """fictins fictin ganoderic acids A B1 IV L LR a e (1) (1-3) (٣) , and to / ~ & ; - – ' ′ ( [ ) ] α β 3 4- hydroxy
    mellein ic yl gallate 3-O-glucoside kaempferol cis trans MC E. tirandamycins (TAMs) TAM -RR -4'-O- luteolin-7-O- ₁
    Ⅰ ²""".split()
)


@given(st.lists(FRAGMENTS, max_size=30).map("".join) | st.lists(FRAGMENTS, max_size=30).map(" ".join))
def test_whatever_is_put_together_spans_and_labels_are_sound(text):
    for expansion in [*expand_lists(text), *expand_shared_heads(text)]:
        assert 0 <= expansion.start < expansion.end <= len(text)
        assert len(expansion.labels) == len(expansion.spans) == len(set(expansion.labels)) >= 2
        assert all(expansion.start <= start < end <= expansion.end for start, end in expansion.spans)
    assert expand_phrase(text)


@given(st.text(alphabet="3,4-αβ()+and lyicoxd Ngs'/–", max_size=200))
def test_shared_heads_never_overlap_and_lie_in_the_text(text):
    end = 0
    for expansion in expand_shared_heads(text):
        assert end <= expansion.start < expansion.end <= len(text)
        assert len(expansion.labels) == len(set(expansion.labels)) >= 2
        end = expansion.end


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "lamellarins gamma (1), alpha (2), and epsilon (3), along with eight",
            ["lamellarin gamma", "lamellarin alpha", "lamellarin epsilon"],
        ),
        (
            "lamellarins M (4), K (5), K-diacetate (6), and X-triacetate (11), have",
            ["lamellarin M", "lamellarin K", "lamellarin K-diacetate", "lamellarin X-triacetate"],
        ),
        (
            "ginsenosides-Rb1 (6), -Rd (7), -Re (9) and -Rg1 (10), gypenoside XVII",
            ["ginsenoside-Rb1", "ginsenoside-Rd", "ginsenoside-Re", "ginsenoside-Rg1"],
        ),
        ("the enzymes beta and alpha", []),
    ],
)
def test_greek_words_derivatives_and_hyphened_members(text, expected):
    assert [label for expansion in expand_lists(text) for label in expansion.labels] == expected
