"""Each kind of extractor, as a name or directory with settings, for the suite of behaviour."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from abroad.core.field import built_in_field
from abroad.core.field_file import NewField, new_field
from abroad.extraction.joint.fit import train_joint
from abroad.extraction.joint.from_documents import annotated, schema_of
from abroad.extraction.joint.settings import JointTrainSettings
from tests.extraction.joint.remedies import products


class Sample(NamedTuple):
    """An extractor to try: `other` are settings that change what it finds."""

    name: Path | str
    settings: dict[str, Any]
    other: dict[str, Any]


def of_builtin(request: pytest.FixtureRequest) -> list[Sample]:
    own = request.getfixturevalue("own_extractor")
    return [Sample("builtin", {}, {"min_score": 0.9}), Sample(own, {}, {"min_score": 0.9})]


def of_language_model(request: pytest.FixtureRequest) -> list[Sample]:
    model, adapter = (request.getfixturevalue(name) for name in ("tiny_model", "tiny_adapter"))
    settings = {"beams": 1, "max_new_tokens": 4, "trained": True}
    return [Sample(folder, settings, {**settings, "max_new_tokens": 3}) for folder in (model, adapter)]


def of_fewshot(request: pytest.FixtureRequest) -> list[Sample]:
    settings = {"model": str(request.getfixturevalue("tiny_model")), "style": "classic", "shots": 1}
    return [Sample("fewshot", settings, {**settings, "shots": 2})]


def of_joint(request: pytest.FixtureRequest) -> list[Sample]:
    folder = request.getfixturevalue("tmp_path_factory").mktemp("models") / "joint"
    texts = [annotated(document) for document in products(24)]
    extractor, _ = train_joint(schema_of(built_in_field()), texts, JointTrainSettings(folds=2))
    extractor.save(folder)
    return [Sample(folder, {}, {"min_score": 0.9})]


def of_names(request: pytest.FixtureRequest) -> list[Sample]:
    folder = request.getfixturevalue("tmp_path_factory").mktemp("fields")
    of = new_field(NewField(name="growth", head="plant", tail="acid", verb="has"))
    (folder / "acids.txt").write_text("usnic acid\nhydroxymellein\n")
    of = of.replace("names: none", "names: taxonomy", 1)
    of = of.replace("names: none", "names: {kind: table, file: acids.txt}", 1)
    (folder / "growth.yaml").write_text(of)
    return [Sample(folder / "growth.yaml", {}, {"within": "document"})]


MEMBERS: dict[str, Callable[[pytest.FixtureRequest], list[Sample]]] = {
    "builtin": of_builtin,
    "fewshot": of_fewshot,
    "joint": of_joint,
    "language-model": of_language_model,
    "names": of_names,
}
