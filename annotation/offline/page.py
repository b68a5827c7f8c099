"""One HTML file that curators work in without a server; `annotation.argilla.pull` reads what it saves.

The file holds documents, suggestions, style and script. It fetches nothing: its content security policy allows the
one script and the one style it was written with, by their hashes, and no address at all. Documents are data in it,
put on the page as text.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field

from abroad.core.context import Context
from abroad.core.field import Field as DocumentField
from abroad.core.field import find_field
from abroad.core.field_colours import colours_of
from abroad.core.io import atomic_write
from abroad.core.pages import render
from abroad.core.resume import digest
from abroad.core.schema import Document, Prediction, Relation
from abroad.core.settings import Settings
from annotation.argilla.task import evidence_of, usable_predictions
from annotation.words import (
    check_shown,
    end_types,
    known_types,
    plurals_of,
    rules_of,
    said_of,
    sides_of,
    stated,
)

FORMAT = "abroad-decisions-1"
_TEMPLATES = Path(__file__).parent / "templates"


class OfflineSettings(Settings):
    """How a page is headed, and what goes with its documents."""

    title: str = Field("Curation of relations", description="Title of the page.")
    batch: str = Field("1", description="Name of this batch, kept in the decisions.")
    model: str = Field("abroad", description="Name of what made the predictions.")
    notes: Mapping[str, str] = Field(
        {}, description="Document id -> plain text above its relations (earlier answers, in adjudication)."
    )
    field: Path | None = Field(None, description="File of the field of the documents; null: natural products.")


def write_offline(
    documents: Sequence[Document],
    predictions: Sequence[Prediction],
    out: str | Path,
    settings: OfflineSettings,
    context: Context,
) -> None:
    """Write the page; whole or not at all.

    Args:
        predictions: of some or all documents, shown as suggestions; a document without one shows its own relations.
        context: its rejects are predictions that failed or are of no document here.
    Raises:
        InputError: a document or a prediction is of another field.
    """
    field = find_field(settings.field)
    check_shown(documents, predictions, field)
    usable = usable_predictions(documents, predictions, context, "shown")
    failed = {prediction.id for prediction in predictions if prediction.error}
    suggested = [usable.get(d.id) or (Prediction(d.id) if d.id in failed else stated(d, field)) for d in documents]
    cards = [_card(*shown, settings, field) for shown in zip(documents, suggested, strict=True)]
    html = _page(cards, settings, field)
    with atomic_write(out) as stream:
        stream.write(html)


def _card(
    document: Document, prediction: Prediction, settings: OfflineSettings, field: DocumentField
) -> dict[str, Any]:
    relations = [
        {
            **_sides(document, relation, field),
            "score": relation.score,
            "status": relation.status,
            "evidence": [[span.start, span.end, span.role] for span in evidence_of(document, relation, field)],
        }
        for relation in prediction.relations
    ]
    plain = replace(document, relations=[], extra={})  # its entities give the curated ones their ids and types
    shown = Prediction(document.id, prediction.relations, extra={"model": settings.model})
    return {
        "document": plain.to_dict() | {"prediction": shown.to_dict()},
        "relations": relations,
        "note": settings.notes.get(document.id, ""),
    }


def _sides(document: Document, relation: Relation, field: DocumentField) -> dict[str, str]:
    if field.is_built_in:
        return {"organism": relation.organism, "chemical": relation.chemical}
    said = (relation.head, relation.type, relation.tail)
    types = end_types(said, known_types(document.entities, [relation]), field)
    return dict(zip(("head", "type", "tail", "head_type", "tail_type"), (*said, *types), strict=True))


def _page(cards: list[dict[str, Any]], settings: OfflineSettings, field: DocumentField) -> str:
    from markupsafe import Markup

    typed = not field.is_built_in
    style = (_TEMPLATES / "offline.css").read_text("utf-8") + (_style_of(field) if typed else "")
    script = render("annotation.offline", "offline.js", typed=typed) + "\n"
    data: dict[str, Any] = {"format": FORMAT, "batch": settings.batch, "cards": cards}
    if typed:
        data["types"] = list(field.entities)  # in their order, which JSON here does not keep
        data["field"] = field.model_dump(mode="json", exclude={"entities": {"__all__": {"names"}}})
    return render(
        "annotation.offline",
        "offline.html.j2",
        title=settings.title,
        policy=(
            f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
            "base-uri 'none'; form-action 'none'"
        ),
        style=Markup(style),  # ours, not data
        script=Markup(script),
        rules=[_pieces(rule) for rule in _rules(rules_of(field))],
        data=data | {"key": digest(data)},
        **_words_of(field),
    )


def _words_of(field: DocumentField) -> dict[str, Any]:
    """What the template says of a field; `types` are empty for natural products, whose page has words of its own."""
    if field.is_built_in:
        marking = "mark the selected text as organism, chemical"
        return {"types": [], "relations": [], "heading": "", "sides": [], "mark_keys": ("o, c", marking)}
    ways = {sides_of(field, relation) for relation in field.relations.values()}
    said = [said_of(field, relation) for relation in field.relations.values()]
    numbers = ", ".join(str(number) for number in range(1, min(9, len(field.entities)) + 1))
    return {
        "types": [{"name": name, "singular": entity.singular} for name, entity in field.entities.items()],
        "relations": list(field.relations),
        "heading": said[0] if len(said) == 1 else f"between {plurals_of(field)}",
        "sides": [side.capitalize() for side in ways.pop()] if len(ways) == 1 else ["Head", "Tail"],
        "mark_keys": (numbers, "mark the selected text, as one of the types in their order"),
    }


def _style_of(field: DocumentField) -> str:
    """Rules for the marks of each type; names of types and colours are checked by the field."""
    return "".join(
        f".type-{name} {{ background: color-mix(in srgb, {colour} 22%, var(--paper)); "
        f"border-bottom: 2px solid {colour}; }}\n"
        for name, colour in colours_of(field).items()
    )


def _rules(text: str) -> list[str]:
    """The items of the guidelines, and paragraphs that are none."""
    return re.findall(r"^(?:- )?(\S.*(?:\n  .*)*)", text, re.MULTILINE)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _pieces(rule: str) -> list[tuple[str, str]]:
    """A line of the guidelines as ("b", bold), ("code", code) and ("", plain) pieces."""
    parts = re.split(r"(\*\*.+?\*\*|`.+?`)", " ".join(rule.split()))
    kinds = {"*": "b", "`": "code"}
    return [(kinds[part[0]], part.strip("*`")) if part[:1] in kinds else ("", part) for part in parts if part]
