"""Simulated curators of the offline page: they read its data and give back what the page would save."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from abroad.core.schema import LabelPair

Truth = Mapping[str, list[LabelPair]]


def page_data(page: Path) -> dict:
    """What an offline page holds."""
    return json.loads(page.read_text(encoding="utf-8").split('id="data">')[1].split("</script>")[0])


def decide(
    page: Path, target: Path, curator: str, truth: Truth, slip: Callable[[str, LabelPair], bool] = lambda *_: False
) -> list[str]:
    """Save a curator's answers on every document of a page; returns their ids.

    Args:
        truth: document id -> its relations.
        slip: whether the curator overlooks a relation.
    """
    data = page_data(page)
    answers = []
    for card in data["cards"]:
        id = card["document"]["id"]
        pairs = [pair for pair in truth[id] if not slip(id, pair)]
        answers.append(
            {
                "document": id,
                "curator": curator,
                "status": "submitted",
                "batch": data["batch"],
                "updated_at": "2026-01-01T00:00:00Z",
                "relations": "\n".join(" | ".join(pair) for pair in pairs) or "none",
                "spans": [
                    {"start": start, "end": end, "label": role}
                    for relation in card["relations"]
                    for start, end, role in relation["evidence"]
                ],
            }
        )
    value = {"format": data["format"], "documents": [card["document"] for card in data["cards"]], "answers": answers}
    target.write_text(json.dumps(value, indent=1), encoding="utf-8")
    return [answer["document"] for answer in answers]
