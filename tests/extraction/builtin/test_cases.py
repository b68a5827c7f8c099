"""Kinds of text that extractors read wrongly: each case and each member of a kind is one test."""

import time

import pytest

from abroad.core.schema import Document
from abroad.extraction.builtin.pairs import load_pair_extractor
from tests.extraction.builtin.kinds import CASES, MEMBERS, NOT_YET, XML_MEMBERS, case_ids, members, read_case


@pytest.fixture(scope="module")
def extractor():
    return load_pair_extractor()


def found(extractor, document):
    """{(organism, chemical): score}"""
    (prediction,) = extractor.extract([document])
    assert prediction.error is None
    return {(relation.organism, relation.chemical): relation.score for relation in prediction.relations}


def marked(name, *values):
    """A parameter; those that are not read rightly yet must fail, so that one that comes right is noticed."""
    reason = "not read rightly yet: benchmarks/results/extractor.md"
    return pytest.param(*values, id=name, marks=[pytest.mark.xfail(reason=reason, strict=True)] * (name in NOT_YET))


@pytest.mark.parametrize(("file", "key"), [marked(f"{file[:3]}-{key}", file, key) for file, key in case_ids()])
def test_a_case(extractor, shared_cases, file, key):
    got = found(extractor, read_case(shared_cases, file, key))
    assert not CASES[file][key].problems(got), f"found: {got}"


NAMES = [f"{kind}-own{number % 2 + 1}" for number, (kind, *_) in enumerate(MEMBERS)]
NAMES += [f"c14-own{number}" for number in range(1, len(XML_MEMBERS) + 1)]


@pytest.mark.parametrize("name", [marked(name, name) for name in NAMES])
def test_a_member_of_the_same_kind(extractor, tmp_path, name):
    ((document, expected),) = ((d, e) for own, d, e in members(tmp_path) if own == name)
    got = found(extractor, document)
    assert not expected.problems(got), f"found: {got}"


def test_every_kind_has_members_of_our_own():
    kinds = {file[:3] for file in CASES} | {"c29"}
    assert len(NAMES) == len(set(NAMES)) and {name[:3] for name in NAMES} == kinds
    assert all(f"{kind}-own{number}" in NAMES for kind in kinds for number in (1, 2))


LONG_NAME = "-".join(["2-O-(6-O-p-coumaroyl-beta-D-glucopyranosyl)"] * 12)[:500] + "quercetin"
MANY = [f"{place}-{group}kaempferol" for place in range(1, 11) for group in "methyl ethyl propyl butyl".split()]
MANY += [f"{name}A" for name in MANY] + [f"{place}-O-acetyl{kind}" for place in range(1, 61) for kind in ("rutin", "x")]
SENTENCE = "were isolated from the bulbs of Allium cepa by column chromatography, and their structures were set by NMR."
BAD = {
    "a name of 500 characters": f"{LONG_NAME} and quercetin {SENTENCE}",
    "200 names in one list": f"{', '.join(MANY)} and quercetin {SENTENCE}",
    "no spaces": "从黄连Coptis chinensis的根茎中分离得到小檗碱和巴马汀并测定了它们的抗菌活性" * 20,
    "no spaces, Latin letters": "Quercetinandrutinwereisolatedfromthebulbsof Allium cepaby columnchromatography." * 20,
    "brackets that are not closed": f"Quercetin (1, rutin [2, (+-catechin and ((3R)-hesperetin {SENTENCE}",
    "brackets that are not opened": f"Quercetin 1), rutin 2], +)-catechin and 3R)-hesperetin {SENTENCE}",
    "crossed brackets": f"Quercetin ([1)], poly(gamma-[glutamic) acid] and ]rutin[ {SENTENCE}",
    "markup cut off in a tag": f"Quercetin and <i>rutin</i> {SENTENCE} Also <i>cis</i>-catechin <sup",
    "markup that is not closed": f"<i>Quercetin and <sub>rutin {SENTENCE.replace('Allium', '<i>Allium')} <b>N",
    "an attribute cut off": f'Quercetin and rutin {SENTENCE} <jats:p><jats:italic toggle="ye',
    "an entity cut off": f"Quercetin, &beta;-carotene, &alpha and &#94 {SENTENCE} &bet",
}
PROSE = ("isolated", "bulbs", "chromatography", "their", " by ", " were ", " from ", "分离", "活性", "isolatedfrom")


@pytest.mark.parametrize("name", BAD)
def test_bad_input_takes_no_patience_and_gives_no_half_sentence(extractor, name):
    start = time.monotonic()
    got = found(extractor, Document("d", "", BAD[name]))
    assert time.monotonic() - start < 30  # a bound against explosions, not a measurement
    for label in {label for pair in got for label in pair}:
        assert not any(word in label for word in PROSE), label
        assert len(label) <= 20 + len(LONG_NAME) and "<" not in label and "&" not in label
