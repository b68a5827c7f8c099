"""What a synthetic abstract of another field than natural products says beyond its labels: names that others have.

There is no tagger for any field, so the names are those that the seeds and the other abstracts are labelled with. What
none of them names is not seen; natural products are judged by a tagger (`fidelity`).
"""

from __future__ import annotations

from collections.abc import Iterable

from abroad.core.schema import Document
from abroad.extraction.builtin.candidates import label_key
from abroad.synthesis.selection.fidelity import covers
from abroad.text.lexicon import Lexicon


class KnownNames:
    """Finds the labels of other documents in a text.

    Args:
        documents: labelled ones; those of natural products are left out.
    """

    def __init__(self, documents: Iterable[Document]) -> None:
        self._ids: dict[str, set[str]] = {}
        labels: list[str] = []
        for entity in (entity for document in documents if not document.is_built_in for entity in document.entities):
            labels.append(entity.label)
            if ":" in entity.id:  # of a database, and so the same in every document
                self._ids.setdefault(label_key(entity.label), set()).add(entity.id)
        self._lexicon = Lexicon(labels)

    def judge(self, document: Document) -> tuple[float, list[str]]:
        """Share of the known names in the text that a label covers, 1.0 if there is none; and the names that none does.

        A label covers its own words, what contains it or is a part of it, and other names of the same identifier.
        """
        surfaces = (document.extra.get("surfaces") or {}).values()
        keys = {label_key(name) for name in (*(entity.label for entity in document.entities), *surfaces) if name}
        ids, title = {entity.id for entity in document.entities}, label_key(document.title)
        found = self._lexicon.find(document.text)
        extra = [
            name
            for name in found
            if not covers(keys, key := label_key(name)) and key not in title and not self._ids.get(key, set()) & ids
        ]
        return (1 - len(extra) / len(found) if found else 1.0), extra
