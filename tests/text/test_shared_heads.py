"""Names that share an end or a front are made whole."""

import pytest

from abroad.text.expand import expand_shared_heads
from abroad.text.hanging import is_bare_derivative, is_locant, parts_of


def labels(text):
    return [list(expansion.labels) for expansion in expand_shared_heads(f"We isolated {text} in May.")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("α-, β-, γ- and δ-tocopherol", ["α-tocopherol", "β-tocopherol", "γ-tocopherol", "δ-tocopherol"]),
        ("α and β-pinene", ["α-pinene", "β-pinene"]),
        ("α/β-pinene", ["α-pinene", "β-pinene"]),
        ("cis- and trans-resveratrol", ["cis-resveratrol", "trans-resveratrol"]),
        ("(+)- and (−)-usnic acid", ["(+)-usnic acid", "(−)-usnic acid"]),
        ("(2E)- and (2Z)-decenal", ["(2E)-decenal", "(2Z)-decenal"]),
        ("5,7- and 7,8-dihydroxyflavone", ["5,7-dihydroxyflavone", "7,8-dihydroxyflavone"]),
        ("3- (1) and 4-hydroxymellein (2)", ["3-hydroxymellein", "4-hydroxymellein"]),
        ("3- and 5-caffeoylquinic acids", ["3-caffeoylquinic acid", "5-caffeoylquinic acid"]),
        ("N-methyl- and N,N-dimethyltryptamine", ["N-methyltryptamine", "N,N-dimethyltryptamine"]),
        ("4-hydroxy- and 3,4-dihydroxybenzoic acid", ["4-hydroxybenzoic acid", "3,4-dihydroxybenzoic acid"]),
        ("all-trans- and 9-cis-β-carotene", ["all-trans-β-carotene", "9-cis-β-carotene"]),
        ("neo- and cryptochlorogenic acids", ["neochlorogenic acid", "cryptochlorogenic acid"]),
        ("mono- and diglucosides", ["monoglucoside", "diglucoside"]),
        ("18E- and 18Z-lyngbyalosides C", ["18E-lyngbyaloside C", "18Z-lyngbyaloside C"]),
        ("(+)- and (-)-fictins A and B", ["(+)-fictin A", "(+)-fictin B", "(-)-fictin A", "(-)-fictin B"]),
        ("kaempferol 3- and 7-O-glucosides", ["kaempferol 3-O-glucoside", "kaempferol 7-O-glucoside"]),
        ("apigenin 7- and luteolin 4'-glucoside", ["apigenin 7-glucoside", "luteolin 4'-glucoside"]),
        ("luteolin-7-O- and -4'-O-glucoside", ["luteolin-7-O-glucoside", "luteolin-4'-O-glucoside"]),
    ],
)
def test_hanging_hyphens(text, expected):
    assert labels(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("linoleic and oleic acids", ["linoleic acid", "oleic acid"]),
        ("gallic, and ellagic acid", ["gallic acid", "ellagic acid"]),
        (
            "linoleic (40%, 6.7 mg/g), oleic (29%) and α-linolenic (3%) acids",
            ["linoleic acid", "oleic acid", "α-linolenic acid"],
        ),
        ("corosolic and maslinic coumaroyl esters", ["corosolic coumaroyl ester", "maslinic coumaroyl ester"]),
        ("ethyl, propyl and isobutyl alcohols", ["ethyl alcohol", "propyl alcohol", "isobutyl alcohol"]),
        ("diallyl and allyl methyl disulfide", ["diallyl disulfide", "allyl methyl disulfide"]),
        ("kaempferol 3-O-glucoside and 3-O-rutinoside", ["kaempferol 3-O-glucoside", "kaempferol 3-O-rutinoside"]),
        ("quercetin-3-O-glucoside and -rutinoside", ["quercetin-3-O-glucoside", "quercetin-3-O-rutinoside"]),
    ],
)
def test_shared_words(text, expected):
    assert labels(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "quercetin and kaempferol glycosides",
        "luteolin 7-O-glucoside and apigenin 7-O-glucoside",
        "anti- and pro-inflammatory effects",
        "10- and 20-fold more",
        "T- and B-cells",
        "gallic acid and ferulic acid",
        "short- and long-term",
    ],
)
def test_what_is_whole_or_no_name_stays(text):
    assert labels(text) == []


def test_parts_of_names():
    assert [part for part, _ in parts_of("(−)-3-O-α-D-glucoside")] == ["(−)", "3", "O", "α", "D", "glucoside"]
    assert all(is_locant(part) for part in ("3", "5,7", "(2E)", "N", "α", "cis", "20(S)", "3′"))
    assert not any(is_locant(part) for part in ("", "methyl", "anti-x"[5:] + "inflammatory"))
    assert is_bare_derivative("3-O-glucoside") and not is_bare_derivative("quercetin-3-O-glucoside")
