"""The registry of learners: what is trained on each of several sets that are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import Field as FieldOfRelations
from abroad.core.field import find_field
from abroad.core.registry import Member, Registry, member_of
from abroad.core.schema import Document
from abroad.core.settings import Seed, Settings
from abroad.documents.instructions import Task
from abroad.extraction.base import Extractor
from abroad.extraction.generative.decoding import Decoding
from abroad.training.settings import TrainSettings


@dataclass(frozen=True)
class LearnerKind(Member):
    """A member of the registry of learners.

    Attributes:
        name: (settings) -> what is trained, for readers of a report.
        fit: (training documents, settings, folder for what it writes, context) -> an extractor trained on those
            documents alone. Raises InputError for items that it cannot learn from.
    """

    name: Callable[[Learner], str]
    fit: Callable[[Sequence[Document | Task], Learner, Path, Context], Extractor]


LEARNERS: Registry[LearnerKind] = Registry(
    "learner",
    "abroad.learners",
    {
        "extractor": "abroad.experiments.learners:EXTRACTOR",
        "lm": "abroad.experiments.learners:LANGUAGE_MODEL",
    },
)
"""What is trained on a set, to see what the set is worth."""


class Learner(Settings):
    """What is trained on each set."""

    kind: Annotated[str, member_of(LEARNERS)] = Field(
        "extractor", description="What is trained: extractor (seconds), or lm, a LoRA adapter of a language model."
    )
    train: TrainSettings = Field(TrainSettings(), description="How the adapter of lm is trained.")
    seed: Seed = Field(0, description="Seed of training and resampling.")

    @property
    def name(self) -> str:
        """What is trained, for readers of a report."""
        return LEARNERS.get(self.kind).name(self)

    def fit(self, documents: Sequence[Document | Task], out: Path, context: Context) -> Extractor:
        """Train on the documents alone; `out` is where an adapter goes."""
        return LEARNERS.get(self.kind).fit(documents, self, out, context)


class CurveLearner(Learner):
    """What is trained on each part of a set, by `abroad train curve`.

    It stands among the commands that train an adapter, and so trains one if nothing else is asked for.
    """

    kind: Annotated[str, member_of(LEARNERS)] = Field(
        "lm", description="What is trained: extractor (seconds), or lm, a LoRA adapter of a language model."
    )


def _fit_extractor(documents: Sequence[Document | Task], learner: Learner, out: Path, context: Context) -> Extractor:
    own = [item for item in documents if isinstance(item, Document)]
    if len(own) < len(documents):
        raise InputError("the extractor learns from documents, not from tasks; expected --learner lm")
    field = find_field(learner.train.field)
    if not field.is_built_in:
        return _fit_joint(own, field, learner)
    from abroad.extraction.builtin.fit import Basis, train_extractor
    from abroad.extraction.builtin.mentions import NoTagger
    from abroad.extraction.builtin.settings import ExtractorTrainSettings

    return train_extractor(own, [], Basis(NoTagger()), ExtractorTrainSettings(seed=learner.seed))[0]


def _fit_joint(documents: Sequence[Document], field: FieldOfRelations, learner: Learner) -> Extractor:
    """The extractor of another field, as `abroad extractor train --field` makes it."""
    from abroad.extraction.joint.fit import KnownNames, train_joint
    from abroad.extraction.joint.from_documents import annotated, names_of, schema_of
    from abroad.extraction.joint.names import NameFinder
    from abroad.extraction.joint.settings import JointTrainSettings

    schema = schema_of(field)
    texts = [annotated(document, schema.ranges) for document in documents]
    folder = Path(learner.train.field or "").parent
    names = KnownNames(list(names_of(field, folder)), NameFinder.of_field(field, folder))
    return train_joint(schema, texts, JointTrainSettings(seed=learner.seed), names)[0]


def _fit_adapter(documents: Sequence[Document | Task], learner: Learner, out: Path, context: Context) -> Extractor:
    from abroad.extraction.generative.load import load_generative_extractor
    from abroad.training.train import train

    train(documents, [], learner.train, out, context)
    decoding = Decoding(num_beams=1, max_new_tokens=learner.train.validation_max_new_tokens)
    return load_generative_extractor(str(out), decoding)


def _name_of_extractor(learner: Learner) -> str:
    field = find_field(learner.train.field)
    return f"the {'built-in extractor' if field.is_built_in else f'extractor of {field.title}'}, trained from scratch"


EXTRACTOR = LearnerKind(_name_of_extractor, _fit_extractor)
LANGUAGE_MODEL = LearnerKind(lambda learner: learner.train.model, _fit_adapter, Settings=TrainSettings)
