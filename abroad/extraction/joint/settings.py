"""How the joint extractor is trained on annotated documents."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from abroad.core.settings import Count, Seed, Settings


class JointTrainSettings(Settings):
    """How an extractor of a field's own learns, calibrates and measures."""

    folds: Annotated[int, Field(ge=2)] = Field(5, description="Folds of the cross-validation, by document.")
    seed: Seed = Field(0, description="Seed by which documents are dealt to the folds, and of the trees.")
    iterations: Count = Field(60, description="Steps of the tagger's optimisation (L-BFGS).")
