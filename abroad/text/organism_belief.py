"""How likely a candidate is the name of an organism: logistic regression over its features.

Weights are learnt by `abroad.text.learn.belief` and lie in data/organism_belief.json, with the least belief for
which a mention is kept.
"""

from __future__ import annotations

import json
import math
from functools import cache
from importlib.resources import files
from typing import Any

from abroad.text.organism_candidates import NameCandidate
from abroad.text.organism_features import group


def belief(one: NameCandidate, found: list[str]) -> float:
    """The probability of a candidate with these features, from 0 to 1."""
    weights = _model()["weights"][group(one)]
    total = sum([weights[name] for name in found if name in weights])
    return 1 / (1 + math.exp(-total))


def minimum(one: NameCandidate) -> float:
    """The least belief of a mention of this kind that is kept."""
    return float(_model()["minimum"][group(one)])


@cache
def _model() -> dict[str, dict[str, Any]]:
    text = (files("abroad.text") / "data" / "organism_belief.json").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, Any]] = json.loads(text)
    return loaded
