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

FORMAT, TYPED_FORMAT = 2, 3
"""Of databases of natural products, and of other fields, whose tables have the columns `TYPED` too."""

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
        **{"relation": "VARCHAR", "head_type": "VARCHAR", "tail_type": "VARCHAR", "ordered": "INTEGER"},
    },
    "decision": {
        **{"document": "VARCHAR", "curator": "VARCHAR", "head_text": "VARCHAR", "tail_text": "VARCHAR"},
        **{"verdict": "VARCHAR", "comment": "VARCHAR", "decided_at": "VARCHAR"},
        "relation": "VARCHAR",
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
TYPED = {"evidence": ("relation", "head_type", "tail_type", "ordered"), "decision": ("relation",)}
"""The last columns of some tables, which natural products, a single relation of two types, have no need of."""
LATER = ("identifier",)
"""Tables that databases of this format may lack, since they came later; the next build with the index fills them."""

_DOCUMENT = "d.publication, d.year, d.doi, d.retracted"
_EVIDENCE = "e.document, e.score, e.rule, e.sentence, e.spans, e.head_text, e.tail_text"
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
"""Evidence with the entities that its labels name, for people who open one of natural products by other means."""

BUILT_IN_READ = {
    "stated": f"""
SELECT h.entity AS head, 'produces' AS relation, t.entity AS tail, {_EVIDENCE}, {_DOCUMENT},
  h.entity AS first_side, t.entity AS second_side, 'organism' AS head_type, 'chemical' AS tail_type
FROM evidence e
JOIN alias h ON h.type = 'head' AND h.label = e.head_label
JOIN alias t ON t.type = 'tail' AND t.label = e.tail_label
JOIN document d ON d.id = e.document
""",
    "decided": "SELECT document, curator, head_text, 'produces' AS relation, tail_text, verdict, comment, decided_at "
    "FROM decision",
    "used": "SELECT 'head' AS alias_type, head_label AS label, 'organism' AS type FROM evidence UNION ALL "
    "SELECT 'tail', tail_label, 'compound' FROM evidence",
}
TYPED_READ = {
    "stated": f"""
SELECT CASE WHEN e.ordered = 0 AND h.entity > t.entity THEN t.entity ELSE h.entity END AS head, e.relation,
  CASE WHEN e.ordered = 0 AND h.entity > t.entity THEN h.entity ELSE t.entity END AS tail, {_EVIDENCE}, {_DOCUMENT},
  h.entity AS first_side, t.entity AS second_side, e.head_type, e.tail_type
FROM evidence e
JOIN alias h ON h.type = e.head_type AND h.label = e.head_label
JOIN alias t ON t.type = e.tail_type AND t.label = e.tail_label
JOIN document d ON d.id = e.document
""",
    "decided": "SELECT document, curator, head_text, relation, tail_text, verdict, comment, decided_at FROM decision",
    "used": "SELECT head_type AS alias_type, head_label AS label, head_type AS type FROM evidence UNION ALL "
    "SELECT tail_type, tail_label, tail_type FROM evidence",
}
"""What is read of both kinds of databases, made each time that one is opened.

`stated`: evidence with the entities that its labels name. Of a relation whose sides are of one type and not told apart,
the lesser entity is the head, whichever the text names first; `first_side` and `second_side` are as the text has them.
`decided`: what curators said. `used`: the labels of evidence, with their types.
"""

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
