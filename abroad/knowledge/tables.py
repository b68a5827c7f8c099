"""The tables of a knowledge base. DuckDB and SQLite take the same statements.

What was read:

    document   every document that was read; text only of those with evidence; `given` is its id in its file
    evidence   a row for each relation of a document: its labels, score, rule, sentence, and spans in the text
    decision   what curators said of a relation of a document
    known      the relations of the index, by the index's ids
    alias      a label as it was extracted -> the entity that it names
    identifier all identifiers of an entity, as CURIEs in lower case
    member     the groups of an entity: taxa above an organism, classes of a compound
    meta       facts about the database itself, as JSON

What follows from that, made anew by every build (`abroad.knowledge.combine`):

    entity     an organism or a compound
    pair       a row for each head, relation and tail

Every table but `pair` and `entity` is only ever changed by its rows, so that a build of a few new documents writes
little. There are no keys that a database would have to enforce: who writes, deletes first what it replaces.
"""

from __future__ import annotations

FORMAT = 2

COLUMNS: dict[str, dict[str, str]] = {
    "meta": {"name": "VARCHAR", "value": "VARCHAR"},
    "document": {
        **{"id": "VARCHAR", "given": "VARCHAR", "pmid": "VARCHAR", "doi": "VARCHAR", "item": "VARCHAR"},
        **{"title": "VARCHAR", "abstract": "VARCHAR", "year": "INTEGER", "retracted": "INTEGER", "digest": "VARCHAR"},
        **{"text_key": "VARCHAR", "publication": "VARCHAR"},
    },
    "evidence": {
        **{"document": "VARCHAR", "head_label": "VARCHAR", "tail_label": "VARCHAR", "head_text": "VARCHAR"},
        **{"tail_text": "VARCHAR", "score": "DOUBLE", "rule": "VARCHAR", "sentence": "VARCHAR", "spans": "VARCHAR"},
    },
    "decision": {
        **{"document": "VARCHAR", "curator": "VARCHAR", "head_text": "VARCHAR", "tail_text": "VARCHAR"},
        **{"verdict": "VARCHAR", "comment": "VARCHAR", "decided_at": "VARCHAR"},
    },
    "known": {"head": "VARCHAR", "tail": "VARCHAR", "doi": "VARCHAR"},
    "alias": {
        **{"type": "VARCHAR", "label": "VARCHAR", "name_key": "VARCHAR", "entity": "VARCHAR", "identifier": "VARCHAR"},
        **{"indexed": "VARCHAR", "item": "VARCHAR", "name": "VARCHAR"},
    },
    "identifier": {"entity": "VARCHAR", "curie": "VARCHAR"},
    "member": {"entity": "VARCHAR", "level": "VARCHAR", "name": "VARCHAR"},
    "entity": {
        **{"id": "VARCHAR", "type": "VARCHAR", "name": "VARCHAR", "identifier": "VARCHAR", "indexed": "VARCHAR"},
        **{"item": "VARCHAR"},
    },
    "pair": {
        **{"head": "VARCHAR", "relation": "VARCHAR", "tail": "VARCHAR", "probability": "DOUBLE", "status": "VARCHAR"},
        **{"publications": "INTEGER", "documents": "INTEGER", "first_year": "INTEGER", "last_year": "INTEGER"},
        **{"accepted": "INTEGER", "rejected": "INTEGER"},
    },
}
"""Table -> its columns with their types."""
LATER = ("identifier",)
"""Tables that databases of this format may lack, since they came later; the next build with the index fills them."""

VIEWS = {
    "statement": """
SELECT e.document, h.entity AS head, t.entity AS tail, e.score, e.rule, e.sentence, e.spans, e.head_text, e.tail_text,
  d.publication, d.year, d.doi, d.retracted
FROM evidence e
JOIN alias h ON h.type = 'head' AND h.label = e.head_label
JOIN alias t ON t.type = 'tail' AND t.label = e.tail_label
JOIN document d ON d.id = e.document
"""
}
"""Evidence with the entities that its labels name."""

SQLITE_INDEXES = (
    *("document(id)", "document(given)", "document(pmid)", "document(doi)"),
    *("evidence(document)", "evidence(head_label)", "evidence(tail_label)"),
    *("decision(document)", "known(head, tail)", "known(doi)", "alias(type, label)", "alias(entity)"),
    *(
        "alias(name_key)",
        "member(entity)",
        "member(name)",
        "identifier(curie)",
        "identifier(entity)",
        "entity(id)",
        "pair(head)",
        "pair(tail)",
    ),
)
"""SQLite reads a table row by row where it has no index; DuckDB needs none."""
