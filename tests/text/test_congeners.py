"""Heads and suffixes of all shapes; what is no list of congeners."""

import pytest

from abroad.text.expand import expand_lists


def labels(text):
    return [label for expansion in expand_lists(f"We isolated {text} in May.") for label in expansion.labels]


def fictins(*suffixes, head="fictin "):
    return [head + suffix for suffix in suffixes]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fictins c and e", fictins("c", "e")),
        ("fictins c–e", fictins("c", "d", "e")),
        ("chlorophyll a and b", ["chlorophyll a", "chlorophyll b"]),
        ("microcystins LR, RR and YR", fictins("LR", "RR", "YR", head="microcystin ")),
        ("microcystin-LR, -RR and -YR", fictins("LR", "RR", "YR", head="microcystin-")),
        ("microcystins -LR and -RR", fictins("LR", "RR", head="microcystin-")),
        ("azaspiracids-1, -2, and -3", fictins("1", "2", "3", head="azaspiracid-")),
        ("tanshinones I, IIA and IIB", fictins("I", "IIA", "IIB", head="tanshinone ")),
        ("ginsenosides Rb(1), Rb(2), Rc and Rg(1)", fictins("Rb1", "Rb2", "Rc", "Rg1", head="ginsenoside ")),
        ("ochratoxins A, B and Cα", fictins("A", "B", "Cα", head="ochratoxin ")),
        ("nodularin-R, -Har and -V", fictins("R", "Har", "V", head="nodularin-")),
        ("surfactin-Leu and -Val", fictins("Leu", "Val", head="surfactin-")),
        ("bryostatins 1-3 and 5", fictins("1", "2", "3", "5", head="bryostatin ")),
        ("vitamins B1, B2, and B6", fictins("B1", "B2", "B6", head="vitamin ")),
        ("fictins A1-3", fictins("A1", "A2", "A3")),
        ("fictins A₁–A₃", fictins("A₁", "A₂", "A₃")),
        ("fictins B-1 to 3", fictins("B-1", "B-2", "B-3")),
        ("fictins IIA-IIC", fictins("IIA", "IIB", "IIC")),
        ("fictins D1a-c", fictins("D1a", "D1b", "D1c")),
        ("fictins 3A-3C (1-3)", fictins("3A", "3B", "3C")),
        ("fictins Ⅰ–Ⅲ", fictins("Ⅰ", "Ⅱ", "Ⅲ")),
        ("fictins A/B", fictins("A", "B")),
        ("fictins A & B", fictins("A", "B")),
        ("fictins A~C", fictins("A", "B", "C")),
        ("fictins A, B, C (1–3) and D (5)", fictins("A", "B", "C", "D")),
        ("fictins A(1) and B(2)", fictins("A", "B")),
        ("fictins A1(1) and B2(2)", fictins("A1", "B2")),
        ("fictins A (1) to C (3)", fictins("A", "B", "C")),
        ("fictins A, 1, and B, 2", fictins("A", "B")),
        ("fictins A (FicA, 6) and B (FicB, 7)", fictins("A", "B")),
        ("fictins A [(22E)-ergosta-7,22-dien-3-ol] (1) and B [5α] (2)", fictins("A", "B")),
        ("fictins B (), and D ()", fictins("B", "D")),
        ("fictins T-V(1–3), and AA (9)", fictins("T", "U", "V", "AA")),
        ("fictins B1 and C1-amide", fictins("B1", "C1-amide")),
        ("new triterpenes, fictins, A–C (1–3)", fictins("A", "B", "C")),
        ("'fictins A-C'", fictins("A", "B", "C")),
        ("'fictins A and B'", fictins("A", "B")),
        ("derivatives-fictins A and B", fictins("A", "B")),
        ("FICTINS A AND B", fictins("A", "B", head="FICTIN ")),
    ],
)
def test_suffixes(text, expected):
    assert labels(text) == expected


@pytest.mark.parametrize(
    ("text", "heads"),
    [
        ("fictin A-C", "fictin"),
        ("ganoderic acid A, B and C", "ganoderic acid"),
        ("ganoderic acids A, B and C", "ganoderic acid"),
        ("methyl ganoderates A-C", "methyl ganoderate"),
        ("ganoderic acid methyl esters A-C", "ganoderic acid methyl ester"),
        ("1-O-methylemodin glycosides A-C", "1-O-methylemodin glycoside"),
        ("homotemsirolimuses A-C", "homotemsirolimus"),
        ("F-36316 A, B and C", "F-36316"),
        ("TMC-151s A-C", "TMC-151"),
        ("fictins (FCTs) A-C", "fictin"),
    ],
)
def test_the_extent_of_the_head(text, heads):
    assert labels(text) == [f"{heads} {letter}" for letter in "ABC"]


def test_a_head_that_the_text_abbreviates():
    assert labels("tirandamycins (TAMs), namely TAM E (1) and F (2)") == ["tirandamycin E", "tirandamycin F"]


def test_a_code_has_its_first_suffix_glued_to_it():
    assert labels("RK-1355A and B") == ["RK-1355A", "RK-1355B"]
    assert labels("F-9775A and F-9775B") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fictins I–V", ["I", "II", "III", "IV", "V"]),
        ("fictins V–X (1–3)", ["V", "W", "X"]),
        ("fictins A and I–L", ["A", "I", "J", "K", "L"]),
        ("fictins C–F", ["C", "D", "E", "F"]),
    ],
)
def test_numerals_and_letters_are_told_by_their_company(text, expected):
    assert labels(text) == fictins(*expected)


@pytest.mark.parametrize(
    "text",
    [
        "samples A and B",
        "phase I and II",
        "the caspases 3 and 9",
        "new acids A and B",
        "fictin A and its epimer B",
        "fictin A and E. coli",
        "ergosta-5,7,22-trien-3β-ol",
        "3',4',5-trihydroxy-6,7,8-trimethoxyflavone",
        "quercetin 3,7-dimethyl ether",
        "Sarocladium kiliense HDN11-112",
        "fictin MC-LR, MC-YR",
        "fictin A-type and B-type",
        "fictin 4 and 5",
    ],
)
def test_no_congeners(text):
    assert labels(text) == []
