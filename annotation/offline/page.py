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
from abroad.core.io import atomic_write
from abroad.core.pages import render
from abroad.core.resume import digest
from abroad.core.schema import Document, Prediction, Relation
from abroad.core.settings import Settings
from annotation.argilla.task import RULES, evidence_of, usable_predictions

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
        InputError: a document is of another field than natural products, which the page would show as such.
    """
    for document in documents:
        _ = document.organisms
    usable = usable_predictions(documents, predictions, context, "shown")
    failed = {prediction.id for prediction in predictions if prediction.error}
    cards = [_card(d, _suggested(d, usable.get(d.id), d.id in failed), settings) for d in documents]
    html = _page(cards, settings)
    with atomic_write(out) as stream:
        stream.write(html)


def _suggested(document: Document, prediction: Prediction | None, failed: bool) -> Prediction:
    if prediction is not None:
        return prediction
    return Prediction(document.id, [] if failed else [Relation(*pair) for pair in document.label_pairs()])


def _card(document: Document, prediction: Prediction, settings: OfflineSettings) -> dict[str, Any]:
    relations = [
        {
            "organism": relation.organism,
            "chemical": relation.chemical,
            "score": relation.score,
            "status": relation.status,
            "evidence": [[span.start, span.end, span.role] for span in evidence_of(document, relation)],
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


def _page(cards: list[dict[str, Any]], settings: OfflineSettings) -> str:
    from markupsafe import Markup

    style, script = ((_TEMPLATES / f"offline.{kind}").read_text("utf-8") for kind in ("css", "js"))
    data = {"format": FORMAT, "batch": settings.batch, "cards": cards}
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
        rules=[_pieces(rule) for rule in re.findall(r"^- (.*(?:\n  .*)*)", RULES, re.MULTILINE)],
        data=data | {"key": digest(data)},
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _pieces(rule: str) -> list[tuple[str, str]]:
    """A line of the guidelines as ("b", bold), ("code", code) and ("", plain) pieces."""
    parts = re.split(r"(\*\*.+?\*\*|`.+?`)", " ".join(rule.split()))
    kinds = {"*": "b", "`": "code"}
    return [(kinds[part[0]], part.strip("*`")) if part[:1] in kinds else ("", part) for part in parts if part]
