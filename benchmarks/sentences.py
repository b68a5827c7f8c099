"""Sentences that share out compounds among organisms, made by a small grammar from names of real ones.

Only one real abstract in ten names several producers, so an encoder hardly learns from them which organism is of
which compound. Here a grammar of statements (who makes what, "respectively", contrasts, hosts, targets, controls,
negation) is filled with names of LOTUS and NPAtlas; what the statement says is known by construction. The names are
paired at random: nothing that is stated is to be believed, only how it is stated.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from abroad.core.schema import Document, Entity


@dataclass(frozen=True)
class Names:
    """What the grammar is filled with.

    Attributes:
        organisms, compounds: of natural products; others: hosts and test organisms; drugs: that are given or compared.
    """

    organisms: Sequence[str]
    compounds: Sequence[str]
    others: Sequence[str]
    drugs: Sequence[str]

    @classmethod
    def read(cls, shared: Path) -> Names:
        """Of LOTUS, NPAtlas (less the documents held out) and BioRED."""
        field_data = shared / "field"
        with gzip.open(field_data / "lotus_wikidata_plants.tsv.gz", "rt", encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
        plants = {row["organism"] for row in rows if row["organism"].count(" ") == 1}
        compounds = {row["compound"] for row in rows if len(row["compound"]) < 60}
        split = json.loads((Path(__file__).parent / "results" / "split.json").read_text(encoding="utf-8"))
        silver = json.loads((field_data / "npatlas_silver.json").read_text(encoding="utf-8"))
        records = [record for key, record in silver.items() if key not in split["npatlas"]]
        microbes = [entity["label"] for record in records for entity in record["organisms"]]
        made = {entity["label"] for record in records for entity in record["chemicals"]}
        others = [_label(entity) for record in records for entity in record["negative_organisms"]]
        with (shared / "ner" / "biored.jsonl").open(encoding="utf-8") as stream:
            entities = (entity for line in stream for entity in json.loads(line)["entities"])
            drugs = Counter(name for _, _, kind, name, _ in entities if kind == "ChemicalEntity" and name.isalpha())
        common = [name for name, count in drugs.items() if count > 1 and len(name) > 5]
        half = sorted(plants)
        random.Random(0).shuffle(half)
        return cls(
            [*half[: len(set(microbes)) * 2], *sorted(set(microbes))],
            [*sorted(compounds), *sorted(made)],
            others,
            common,
        )


def _label(entity: str | dict[str, str]) -> str:
    return entity if isinstance(entity, str) else entity["label"]


@dataclass
class _Text:
    """A text that grows by statements.

    Attributes:
        pairs: (organism, compound) that hold; free: names that were not used yet, by kind.
    """

    names: Names
    chance: random.Random
    sentences: list[str] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def organism(self) -> str:
        return self._new(self.names.organisms)

    def other(self) -> str:
        return self._new(self.names.others)

    def drug(self) -> str:
        return self._new(self.names.drugs)

    def compounds(self, most: int = 3) -> list[str]:
        return [self._new(self.names.compounds) for _ in range(self.chance.randint(1, most))]

    def _new(self, source: Sequence[str]) -> str:
        while True:
            name = self.chance.choice(source)
            key = name.lower().split(" ")[0]
            if key not in self.taken:
                self.taken.add(key)
                return name

    def hold(self, organism: str, compounds: Sequence[str]) -> None:
        self.pairs += [(organism, compound) for compound in compounds]

    def one_of(self, *words: str) -> str:
        return self.chance.choice(words)

    def made(self) -> str:
        return self.one_of("yielded", "gave", "afforded", "produced", "contained", "furnished", "provided")

    def makes(self) -> str:
        return self.one_of("produces", "contains", "accumulates", "biosynthesizes", "synthesizes")

    def found(self, compounds: Sequence[str]) -> str:
        verb = self.one_of(
            "isolated from", "found in", "obtained from", "identified in", "detected in", "purified from"
        )
        return f"{'were' if len(compounds) > 1 else 'was'} {verb}"

    def listed(self, names: Sequence[str], numbers: bool = False) -> str:
        marked = [f"{name} ({place})" for place, name in enumerate(names, 1)] if numbers else list(names)
        if len(marked) == 1:
            return marked[0]
        comma = "," if len(marked) > 2 and self.chance.random() < 0.5 else ""
        return f"{', '.join(marked[:-1])}{comma} and {marked[-1]}"

    def of(self, organism: str) -> str:
        """An organism as a source: "the roots of Rosa alba"."""
        part = self.one_of("", "", "", "the roots of ", "the leaves of ", "cultures of ", "the fungus ", "the plant ")
        return f"{part}{organism}"

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence[0].upper() + sentence[1:] + ".")


def _respectively(t: _Text) -> None:
    count = t.chance.choice((2, 2, 3))
    organisms, compounds = [t.organism() for _ in range(count)], [t.compounds(1)[0] for _ in range(count)]
    for organism, compound in zip(organisms, compounds, strict=True):
        t.hold(organism, [compound])
    comma = t.one_of(",", "")
    if t.chance.random() < 0.5:
        t.say(f"{t.listed(compounds)} {t.found(compounds)} {t.listed(organisms)}{comma} respectively")
    else:
        t.say(f"{t.listed(organisms)} {t.made()} {t.listed(compounds)}{comma} respectively")


def _contrast(t: _Text) -> None:
    a, b, x, y = t.organism(), t.organism(), t.compounds(), t.compounds()
    t.hold(a, x)
    t.hold(b, y)
    link = t.one_of(", whereas", ", while", ", and", "; ", ", but")
    forms = (
        f"{t.of(a)} {t.made()} {t.listed(x)}{link} {t.of(b)} {t.made()} {t.listed(y)}",
        f"{t.listed(x)} {t.found(x)} {t.of(a)}{link} {t.listed(y)} {t.found(y)} {t.of(b)}",
        f"in addition to {t.listed(x)} from {t.of(a)}, {t.listed(y)} {t.found(y)} {t.of(b)}",
        f"{t.listed(x)} from {t.of(a)} and {t.listed(y)} from {t.of(b)} were studied",
        f"{t.listed(x)} {'are' if len(x) > 1 else 'is'} produced by {a}, {t.listed(y)} by {b}",
        f"from {t.of(a)} we isolated {t.listed(x)} and from {t.of(b)} {t.listed(y)}",
    )
    t.say(t.chance.choice(forms))


def _both(t: _Text) -> None:
    a, b, x = t.organism(), t.organism(), t.compounds(2)
    t.hold(a, x)
    t.hold(b, x)
    forms = (
        f"{t.listed(x)} {t.found(x)} both {t.of(a)} and {t.of(b)}",
        f"both {a} and {b} {t.made()} {t.listed(x)}",
        f"{t.listed(x)} {'occur' if len(x) > 1 else 'occurs'} in {a} as well as in {b}",
    )
    t.say(t.chance.choice(forms))


def _not_the_other(t: _Text) -> None:
    a, b, x = t.organism(), t.organism(), t.compounds(2)
    t.hold(a, x)
    was = "were" if len(x) > 1 else "was"
    forms = (
        f"{t.listed(x)} {t.found(x)} {a}, not {b}",
        f"{t.listed(x)} {t.found(x)} {a} but not in {b}",
        f"unlike {b}, {a} {t.makes()} {t.listed(x)}",
        f"{a} {t.makes()} {t.listed(x)}, which {was} absent from {b}",
        f"{t.listed(x)} {was} present in {a}, and absent in {b}",
        f"no {x[0]} was found in {b}, whereas {a} {t.made()} {t.listed(x)}",
    )
    t.say(t.chance.choice(forms))


def _only_one(t: _Text) -> None:
    a, b, (x, y) = t.organism(), t.organism(), (t.compounds(1)[0], t.compounds(1)[0])
    t.hold(a, [x, y])
    t.hold(b, [x])
    t.say(t.one_of(f"{a} contained {x} and {y}, {b} only {x}", f"{x} {t.found([x])} {a} and {b}, {y} in {a} alone"))


def _negated(t: _Text) -> None:
    a, x, y = t.organism(), t.compounds(2), t.compounds(1)[0]
    t.hold(a, x)
    forms = (
        f"{t.of(a)} {t.made()} {t.listed(x)}, but no {y} was detected",
        f"{a} {t.makes()} {t.listed(x)} and lacks {y}",
        f"{t.listed(x)}, but not {y}, {t.found(x)} {t.of(a)}",
    )
    t.say(t.chance.choice(forms))


def _host(t: _Text) -> None:
    a, host, x = t.organism(), t.other(), t.compounds()
    t.hold(a, x)
    kind = t.one_of(
        "an endophyte of",
        "a parasite of",
        "a symbiont of",
        "an epiphyte of",
        "a pathogen of",
        "isolated from",
        "growing on",
        "associated with",
        "collected on",
    )
    forms = (
        f"{t.listed(x)} {t.found(x)} {a}, {kind} {host}",
        f"{a}, {kind} {host}, {t.made()} {t.listed(x, True)}",
        f"the fungus {a} from the leaves of {host} {t.made()} {t.listed(x)}",
        f"{t.listed(x)} {'are metabolites' if len(x) > 1 else 'is a metabolite'} of {a}, {kind} {host}",
    )
    t.say(t.chance.choice(forms))


def _target(t: _Text) -> None:
    a, target, drug, x = t.organism(), t.other(), t.drug(), t.compounds()
    t.hold(a, x)
    forms = (
        f"{t.listed(x)} from {t.of(a)} inhibited the growth of {target}",
        f"{target} was killed by {t.listed(x)} of {a}",
        f"{t.listed(x)} of {a} {'were' if len(x) > 1 else 'was'} active against {target}; {drug} was the control",
        f"{t.listed(x, True)} {t.found(x)} {t.of(a)}; against {target} {drug} was weaker",
        f"compared with {drug}, {t.listed(x)} from {t.of(a)} protected cells infected with {target}",
    )
    t.say(t.chance.choice(forms))


def _given(t: _Text) -> None:
    a, drug, x = t.organism(), t.drug(), t.compounds(2)
    solvent = t.one_of("methanol", "ethanol", "chloroform", "hexane", "acetone")
    t.hold(a, x)
    forms = (
        f"in rats treated with {drug}, {t.listed(x)} from {t.of(a)} reduced the damage",
        f"when {drug} was added to the medium, {a} {t.made()} {t.listed(x)}",
        f"{t.of(a)} was extracted with {solvent} and {t.made()} {t.listed(x)}",
        f"induction of {a} by {drug} led to {t.listed(x)}",
    )
    t.say(t.chance.choice(forms))


def _nothing(t: _Text) -> None:
    a, b, drug, x = t.other(), t.other(), t.drug(), t.compounds(1)[0]
    forms = (
        f"{drug} was toxic to {a} and to {b}",
        f"{a} was treated with {drug} and {x}",
        f"{x} was synthesized from {drug} and tested against {a}",
        f"no {x} was detected in {a} or {b}",
        f"{a} degraded {drug} within three days",
        f"the uptake of {drug} by {a} was measured after infection with {b}",
        f"growth of {a} on {x} as the sole carbon source was poor",
    )
    t.say(t.chance.choice(forms))


_STATEMENTS: Sequence[tuple[Callable[[_Text], None], float]] = (
    (_respectively, 3),
    (_contrast, 4),
    (_both, 1),
    (_not_the_other, 2),
    (_only_one, 1),
    (_negated, 1),
    (_host, 2),
    (_target, 2),
    (_given, 1),
    (_nothing, 1.5),
)


def sentences(names: Names, count: int, seed: int = 0) -> list[Document]:
    """Texts of one to three statements about organisms and compounds of their own, with what they state."""
    chance = random.Random(seed)
    kinds, weights = [kind for kind, _ in _STATEMENTS], [weight for _, weight in _STATEMENTS]
    found = []
    for number in range(count):
        text = _Text(names, chance)
        for kind in chance.choices(kinds, weights, k=chance.choice((1, 1, 1, 2, 2, 3))):
            kind(text)
        pairs = list(dict.fromkeys(text.pairs))
        sides = [list(dict.fromkeys(pair[side] for pair in pairs)) for side in (0, 1)]
        organisms, compounds = (
            [Entity(f"{mark}{n}", label) for n, label in enumerate(side)]
            for mark, side in zip("OC", sides, strict=True)
        )
        relations = [(f"O{sides[0].index(o)}", f"C{sides[1].index(c)}") for o, c in pairs]
        whole = " ".join(text.sentences)
        title, abstract = (whole, "") if chance.random() < 0.15 else ("", whole)
        found.append(Document(f"sentences:{number}", title, abstract).with_products(organisms, compounds, relations))
    return found
