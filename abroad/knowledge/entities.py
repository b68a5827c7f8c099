"""Labels as they were extracted -> the organisms and compounds that they name.

An organism is its NCBI taxon, else its Wikidata item, else its name, whatever the case and the authors that are cited
with it; a compound is what the index or OPSIN says, else
its name. Isomers stay apart (`abroad.sources.name_keys`), and a strain or an unnamed species is one of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from abroad.knowledge.kinds import COMPOUND, HEAD, ORGANISM, TAIL, BaseKind
from abroad.linking.opsin import inchikeys
from abroad.sources.name_index import ChemicalEntry, NameIndex
from abroad.sources.name_keys import name_key, organism_key
from abroad.text.scientific_names import organism_identifier, scientific_name
from abroad.text.taxon_names import genera

__all__ = ["HEAD", "TAIL", "Named", "Names"]


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
        kind: of the database, whose field says how names of its types are linked.
        index: of names; without it nothing is linked but organisms of NCBI's taxonomy.
        opsin: whether OPSIN is asked for the structures of systematic names that the index lacks.
    """

    def __init__(self, kind: BaseKind, index: NameIndex | None, opsin: bool = True) -> None:
        self._kind, self._index, self._opsin = kind, index, opsin

    def key(self, type: str, label: str) -> str:
        """What the spellings of a name of a type share."""
        return organism_key(label) if self._kind.is_organism(type) else name_key(label)

    def look_up(self, type: str, labels: Sequence[str]) -> dict[str, Named]:
        """What labels of a type name."""
        if self._kind.is_built_in:
            return {label: self.organism(label) for label in labels} if type == HEAD else self.compounds(labels)
        linking = self._kind.field.entities[type].linking
        own = Names(self._kind, self._index if "index" in linking else None, self._opsin and "opsin" in linking)
        if not self._kind.is_organism(type):
            found = own.compounds(labels)
        elif "taxonomy" in linking:
            found = {label: own.organism(label) for label in labels}
        else:
            found = {label: Named(f"{ORGANISM}/name:{organism_key(label)}", organism_key(label)) for label in labels}
        return {label: self._typed(named, type) for label, named in found.items()}

    def _typed(self, named: Named, type: str) -> Named:
        """As an entity of another field, whose relations the index may know nothing of."""
        id = f"{type}/{named.entity.partition('/')[2]}"
        return replace(named, entity=id, indexed=named.indexed if self._kind.compares else None)

    def organism(self, label: str) -> Named:
        """The organism of a label."""
        entry = self._index.organism_entry(label) if self._index else None
        key = organism_key(label)
        item = entry.wikidata if entry else None
        identifier = organism_identifier(label) or (f"wikidata:{item}" if item else None)
        groups = dict(self._genus(label))
        groups |= entry.lineage if entry else {}
        curies = tuple(dict.fromkeys(filter(None, (identifier, f"wikidata:{item}" if item else None))))
        id = f"{ORGANISM}/{identifier or f'name:{key}'}"
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
            return Named(f"{COMPOUND}/name:{key}", key)
        identifier = entry.identifier
        id = identifier or (entry.id if entry.id else f"name:{key}")
        known = (entry.id, entry.wikidata, entry.label, entry.classes, entry.identifiers)
        return Named(f"{COMPOUND}/{id}", key, identifier, *known)

    def _genus(self, label: str) -> dict[str, str]:
        genus = scientific_name(label).removeprefix("Candidatus ").split(" ")[0]
        if genus not in genera():
            return {}
        lineage = self._index.genus_lineage(genus) if self._index else {}
        return {"genus": genus, **lineage}
