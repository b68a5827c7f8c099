"""Labels as they were extracted -> the organisms and compounds that they name.

An organism is its NCBI taxon, else its Wikidata item, else its name, whatever the case and the authors that are cited
with it; a compound is what the index or OPSIN says, else
its name. Isomers stay apart (`abroad.sources.name_keys`), and a strain or an unnamed species is one of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from abroad.linking.opsin import inchikeys
from abroad.sources.name_index import ChemicalEntry, NameIndex
from abroad.sources.name_keys import name_key, organism_key
from abroad.text.scientific_names import organism_identifier, scientific_name
from abroad.text.taxon_names import genera

HEAD, TAIL = "head", "tail"


@dataclass(frozen=True)
class Named:
    """What a label names.

    Attributes:
        entity: id in the knowledge base; labels of one entity share it.
        key: of the name, equal for its spellings.
        identifier: CURIE, where there is one.
        indexed: id in the index; None for a name that the index lacks.
        item: of Wikidata.
        name: as the index has it; None where it lacks it.
        groups: level -> name: ranks of the taxa above an organism, NPClassifier's levels of a compound.
        identifiers: all that are known, as CURIEs.
    """

    entity: str
    key: str
    identifier: str | None = None
    indexed: str | None = None
    item: str | None = None
    name: str | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    identifiers: tuple[str, ...] = ()


class Names:
    """Looks labels up.

    Args:
        index: of names; without it nothing is linked but organisms of NCBI's taxonomy.
        opsin: whether OPSIN is asked for the structures of systematic names that the index lacks.
    """

    def __init__(self, index: NameIndex | None, opsin: bool = True) -> None:
        self._index, self._opsin = index, opsin

    def key(self, type: str, label: str) -> str:
        """What the spellings of a name of a side share."""
        return organism_key(label) if type == HEAD else name_key(label)

    def look_up(self, type: str, labels: Sequence[str]) -> dict[str, Named]:
        """What labels of a side name."""
        return {label: self.organism(label) for label in labels} if type == HEAD else self.compounds(labels)

    def organism(self, label: str) -> Named:
        """The organism of a label."""
        entry = self._index.organism_entry(label) if self._index else None
        key = organism_key(label)
        item = entry.wikidata if entry else None
        identifier = organism_identifier(label) or (f"wikidata:{item}" if item else None)
        groups = dict(self._genus(label))
        groups |= entry.lineage if entry else {}
        curies = tuple(dict.fromkeys(filter(None, (identifier, f"wikidata:{item}" if item else None))))
        id = f"organism/{identifier or f'name:{key}'}"
        if entry is None:
            return Named(id, key, identifier, groups=groups, identifiers=curies)
        return Named(id, key, identifier, entry.id, item, entry.label, groups, curies)

    def compounds(self, labels: Iterable[str]) -> dict[str, Named]:
        """The compounds of labels; OPSIN is started once for all of them.

        Spellings of one name are one compound, whichever of them OPSIN can read.
        """
        keys = {label: name_key(label) for label in labels}
        entries = {key: self._index.chemical(label) if self._index else None for label, key in keys.items()}
        missing = [label for label, key in keys.items() if entries[key] is None]
        for label, inchikey in (inchikeys(missing) if self._opsin and missing else {}).items():
            found = self._index.chemical_by_inchikey(inchikey) if self._index else None
            entries[keys[label]] = entries[keys[label]] or found or ChemicalEntry(None, None, inchikey)
        return {label: self._compound(label, entries[key]) for label, key in keys.items()}

    def _compound(self, label: str, entry: ChemicalEntry | None) -> Named:
        key = name_key(label)
        if entry is None:
            return Named(f"compound/name:{key}", key)
        identifier = entry.identifier
        id = identifier or (entry.id if entry.id else f"name:{key}")
        known = (entry.id, entry.wikidata, entry.label, entry.classes, entry.identifiers)
        return Named(f"compound/{id}", key, identifier, *known)

    def _genus(self, label: str) -> dict[str, str]:
        genus = scientific_name(label).removeprefix("Candidatus ").split(" ")[0]
        if genus not in genera():
            return {}
        lineage = self._index.genus_lineage(genus) if self._index else {}
        return {"genus": genus, **lineage}
