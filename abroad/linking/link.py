"""Identifiers of the two sides of a relation, and whether LOTUS knows it.

A relation is `known` or `new` only where LOTUS has both names: what it knows of a name that it lacks, nobody can tell,
and so such a relation is `not linked`.

Organisms: NCBI Taxonomy, always. Chemicals: the local index of names, then, for
systematic names, the structure that OPSIN reads from the name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from abroad.core.schema import Document, Prediction, Relation
from abroad.linking.opsin import inchikeys
from abroad.sources.name_index import ChemicalEntry, NameIndex
from abroad.text.abbreviations import definitions
from abroad.text.scientific_names import organism_identifier

KNOWN, NEW, DISPUTED, NOT_LINKED = "known", "new", "disputed", "not linked"
STATUSES = (KNOWN, NEW, DISPUTED, NOT_LINKED)


class Linker:
    """Adds `organism_id`, `chemical_id` and `status` to predictions.

    Args:
        index: None leaves chemicals to OPSIN and says nothing about LOTUS.
        opsin: whether to ask OPSIN for what the index lacks.
    """

    def __init__(self, index: NameIndex | None = None, opsin: bool = True) -> None:
        self.index, self.opsin = index, opsin

    def link(self, documents: Sequence[Document], predictions: Sequence[Prediction]) -> list[Prediction]:
        """The predictions with identifiers, OPSIN started once for all; those of other fields have theirs already."""
        by_id = {document.id: document for document in documents}
        long_forms = {key: definitions(document.text) for key, document in by_id.items()}
        names = {
            long_forms.get(prediction.id, {}).get(relation.chemical, relation.chemical)
            for prediction in predictions
            for relation in prediction.relations
            if relation.is_built_in
        }
        entries = {name: self._entry(name) for name in sorted(names)}
        missing = [name for name, entry in entries.items() if entry is None]
        for name, inchikey in (inchikeys(missing) if self.opsin and missing else {}).items():
            found = self.index.chemical_by_inchikey(inchikey) if self.index else None
            entries[name] = found or ChemicalEntry(None, None, inchikey)
        result = []
        for prediction in predictions:
            document, forms = by_id.get(prediction.id), long_forms.get(prediction.id, {})
            linked = [
                self._linked(relation, document, entries[forms.get(relation.chemical, relation.chemical)])
                if relation.is_built_in
                else relation
                for relation in prediction.relations
            ]
            result.append(replace(prediction, relations=linked))
        return result

    def _entry(self, name: str) -> ChemicalEntry | None:
        return self.index.chemical(name) if self.index else None

    def _linked(self, relation: Relation, document: Document | None, entry: ChemicalEntry | None) -> Relation:
        chemical = entry.identifier if entry else None
        status = self._status(relation, document, entry) if self.index else None
        return replace(
            relation,
            head_id=organism_identifier(relation.organism) or self._organism_item(relation.organism),
            tail_id=chemical,
            status=status,
        )

    def _organism_item(self, name: str) -> str | None:
        item = self.index.organism(name) if self.index else None
        return f"wikidata:{item}" if item else None

    def _status(self, relation: Relation, document: Document | None, entry: ChemicalEntry | None) -> str:
        """Known: LOTUS has it. Disputed: from this very publication LOTUS has the chemical for other organisms only."""
        assert self.index is not None
        organism = self.index.organism_entry(relation.organism)
        if organism is None or entry is None or entry.id is None:
            return NOT_LINKED
        if self.index.is_known(entry.id, organism.id):
            return KNOWN
        doi = self.index.doi(document) if document else None
        others = self.index.organisms_in(doi, entry.id) if doi else set()
        return DISPUTED if others else NEW
