"""The columns of a table in which an extractor found no relation."""

from __future__ import annotations

from abroad.core.schema import Relation
from abroad.documents.columns import PRODUCTS, TYPED, Columns
from abroad.extraction.base import Extractor


def columns_for(extractor: Extractor) -> Columns:
    """Those of the field that the extractor says it reads: by its schema, its notation or its style."""
    schema = getattr(extractor, "schema", None)
    if schema is not None:
        kinds = (Relation("", "", type=r.name, head_type=r.head, tail_type=r.tail) for r in schema.relations)
        return PRODUCTS if all(kind.is_built_in for kind in kinds) else TYPED
    writes = getattr(extractor, "notation", None) or getattr(extractor, "style", None)
    field = getattr(writes, "field", None)
    return PRODUCTS if field is None or field.is_built_in else TYPED
