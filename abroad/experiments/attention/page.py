"""The attention study as a page to look at and as JSON; the page needs no network.

The heat map is drawn by a few lines of JavaScript from bytes in the page: means of the quarters of the layers, of
each layer, and the heads that look most at the mentions (else: the least trivial ones), not all of them, or a page
would have tens of megabytes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from abroad.core.io import atomic_write, write_json
from abroad.core.pages import render
from abroad.experiments.attention.measures import by_quarter
from abroad.experiments.attention.study import DocumentAttention, Measure, StudySettings

MEASURES = {
    "trivial": "R2 of trivial patterns (self, previous, first word)",
    "instruction": "divergence with the instruction before the text",
    "random_prefix": "divergence with as many random tokens before it",
    "instruction_effect": "difference of the two: what the instruction itself does",
    "own_mention": "attention from a relation's label to its own mentions",
    "own_mention_lift": "the same, as a multiple of looking at all tokens alike: own mentions",
    "any_mention": "attention from relations' labels to any gold mention",
    "any_mention_lift": "the same, as a multiple of looking at all tokens alike: any mention",
    "between_models": "divergence from the first model",
}
_QUARTERS = ("first", "second", "third", "last")
_HEADS = 8
_MAX_WORDS = 400  # of a heat map; a longer text is shown to there


def write_study(
    path: Path,
    measures: Mapping[str, Mapping[str, Measure]],
    shown: Mapping[str, Sequence[DocumentAttention]],
    settings: StudySettings,
    documents: int,
) -> Path:
    """Write the page, and the numbers beside it; the path of the latter."""
    numbers = path.with_suffix(".json")
    write_json(
        numbers,
        {
            "settings": settings.identity(),
            "documents": documents,
            "models": {name: {key: asdict(m) for key, m in found.items()} for name, found in measures.items()},
        },
    )
    page = render(
        "abroad.experiments.attention",
        "attention.html.j2",
        measures=measures,
        titles=MEASURES,
        quarters=_QUARTERS,
        settings=settings,
        documents=documents,
        today=date.today().isoformat(),
        data=_safe_json([_view(name, item) for name, items in shown.items() for item in items]),
    )
    with atomic_write(path) as stream:
        stream.write(page)
    return numbers


def describe(measures: Mapping[str, Mapping[str, Measure]]) -> list[str]:
    """The measures as lines for a terminal: a column each quarter of the layers, with 95% intervals."""
    lines = []
    for name, found in measures.items():
        lines.append(name)
        for key, measure in found.items():
            cells = (
                f"{mean:7.3f} ({low:.3f} to {high:.3f})"
                for mean, low, high in zip(measure.quarters, measure.low, measure.high, strict=True)
            )
            lines.append(f"  {key:19}{'  '.join(cells)}   {measure.documents} documents")
    return lines


def _view(model: str, item: DocumentAttention) -> dict[str, Any]:
    """What the page draws of one model's attention on one document."""
    import numpy as np

    words = item.words[: min(_MAX_WORDS, item.attention.shape[-1])]
    n = len(words)
    attention = item.attention[:, :, :n, :n]
    mean = attention.mean(axis=1)
    maps = [(f"{_QUARTERS[q]} quarter of the layers", matrix) for q, matrix in enumerate(by_quarter(mean))]
    maps += [(f"layer {layer + 1}, mean of its heads", matrix) for layer, matrix in enumerate(mean)]
    worth, why = (1 - item.trivial, "least trivial") if item.own is None else (item.own, "most at mentions")
    for index in np.argsort(-worth, axis=None)[:_HEADS]:
        layer, head = np.unravel_index(index, worth.shape)
        maps.append((f"layer {layer + 1}, head {head + 1} ({why})", attention[layer, head]))
    return {
        "model": model,
        "document": item.id,
        "words": words,
        "cut": len(item.words) - n,
        "maps": [{"name": name, "bytes": _packed(matrix)} for name, matrix in maps],
    }


def _packed(matrix: Any) -> str:
    """The lower triangle, row by row: square roots in 0 to 255, so that small values can be seen, as base64."""
    import numpy as np

    values = matrix[np.tril_indices(matrix.shape[-1])]
    return base64.b64encode(np.round(255 * np.sqrt(np.clip(values, 0, 1))).astype(np.uint8).tobytes()).decode()


def _safe_json(value: Any) -> str:
    """JSON for a script element: no character of it can end the element."""
    text = json.dumps(value, ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
