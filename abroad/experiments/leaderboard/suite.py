"""A suite: named tasks, each of cases or of curated documents; a YAML file, or the one that comes with the code."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import built_in_field
from abroad.core.linearise import SEPARATOR, VERB, parse
from abroad.core.schema import Document, Entity
from abroad.core.settings import Settings, mistakes_of, read_yaml
from abroad.documents.inputs import read_documents

_FOLDER = Path(__file__).with_name("suites")
_ALTERNATIVE = " | "


class Case(Settings):
    """A short document with its relations, "ORGANISM produces CHEMICAL | CHEMICAL"."""

    id: str = Field(min_length=1, description="Name of the case, unique in its task.")
    title: str = Field("", description="Title of the document, if it has one.")
    text: str = Field(min_length=1, description="Text that the model is asked about.")
    relations: tuple[str, ...] = Field(description='What is to be found, as "ORGANISM produces CHEMICAL | CHEMICAL".')

    @field_validator("relations")
    @classmethod
    def _readable(cls, relations: tuple[str, ...]) -> tuple[str, ...]:
        for relation in relations:
            if len(_pairs(relation)) != relation.count(_ALTERNATIVE) + 1:
                raise ValueError(f"expected 'ORGANISM produces CHEMICAL | CHEMICAL', found {relation!r}")
        return relations

    def document(self, id: str) -> Document:
        pairs = [pair for relation in self.relations for pair in _pairs(relation)]
        organisms, chemicals = (list(dict.fromkeys(side)) for side in zip(*pairs, strict=True)) if pairs else ([], [])
        heads, tails = ([Entity(label, label) for label in side] for side in (organisms, chemicals))
        return Document(id, self.title, self.text).with_products(heads, tails, pairs)


def _pairs(relation: str) -> list[tuple[str, str]]:
    organism, _, chemicals = relation.partition(VERB)
    parts = [f"{organism}{VERB}{chemical}" for chemical in chemicals.split(_ALTERNATIVE)]
    return parse(SEPARATOR.join(parts)).pairs


class CasesTask(Settings):
    """Cases that stand in the suite itself."""

    kind: Literal["cases"] = Field(description="The cases stand in the suite itself.")
    name: str = Field(min_length=1, description="Name of the task in the table.")
    description: str = Field("", description="What the task asks of a model.")
    cases: tuple[Case, ...] = Field(min_length=1, description="The documents with their relations.")


class DocumentsTask(Settings):
    """Curated documents of a file; a relative path counts from the suite's folder."""

    kind: Literal["documents"] = Field(description="The documents come from a file.")
    name: str = Field(min_length=1, description="Name of the task in the table.")
    description: str = Field("", description="What the task asks of a model.")
    path: Path = Field(description="Curated documents; a relative path counts from the suite.")
    sample: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Ask about so many of the documents, drawn at random."
    )
    seed: Annotated[int, Field(ge=0)] = Field(0, description="Seed by which the documents are drawn.")


class SuiteFile(Settings):
    """What a suite's YAML may say."""

    name: str = Field(pattern=r"^[\w.+-]+$", description="Name of the suite in the table.")
    description: str = Field("", description="What the suite is made for.")
    tasks: tuple[Annotated[CasesTask | DocumentsTask, Field(discriminator="kind")], ...] = Field(
        min_length=1, description="The tasks that every model is asked."
    )


@dataclass(frozen=True)
class SuiteTask:
    """Documents that every model of a suite is asked about.

    Attributes:
        documents: with their relations; ids are unique in the suite.
    """

    name: str
    description: str
    documents: tuple[Document, ...]


@dataclass(frozen=True)
class Suite:
    """The tasks that models are compared on.

    Attributes:
        path: the file it was read from.
        inputs: that, and the files that its tasks name.
    """

    name: str
    description: str
    tasks: tuple[SuiteTask, ...]
    path: Path
    inputs: tuple[Path, ...]

    @property
    def documents(self) -> list[Document]:
        return [document for task in self.tasks for document in task.documents]


def suite_names() -> list[str]:
    """Suites that come with the code."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def load_suite(name: str, context: Context, cases: int | None = None) -> Suite:
    """A suite by name, or by the path of its YAML file.

    Args:
        cases: at most so many of each task of cases, drawn alike each time; files have a `sample` of their own.
        context: its rejects are records of the suite's files that are not documents.
    Raises:
        InputError: no such suite, or every mistake of the file at once, each with its key.
    """
    path = _FOLDER / f"{name}.yaml" if name in suite_names() else Path(name)
    if not path.exists():
        raise InputError(f"{name}: no such suite; expected a YAML file or one of: {', '.join(suite_names())}")
    try:
        said = SuiteFile.model_validate(read_yaml(path, "a suite (YAML)"))
    except ValidationError as error:
        raise InputError(mistakes_of(path, error, kind=SuiteFile)) from None
    tasks = tuple(_task(task, path, f"tasks.{place}", context, cases) for place, task in enumerate(said.tasks))
    names = [task.name for task in tasks]
    ids = [document.id for task in tasks for document in task.documents]
    for what, values in (("task", names), ("case", ids)):
        repeated = next((value for value in values if values.count(value) > 1), None)
        if repeated is not None:
            raise InputError(f"{path}: the {what} {repeated!r} stands twice")
    files = tuple(_file(task, path) for task in said.tasks if isinstance(task, DocumentsTask))
    return Suite(said.name, said.description, tasks, path, (path, *files))


def _task(task: CasesTask | DocumentsTask, suite: Path, key: str, context: Context, cases: int | None) -> SuiteTask:
    if isinstance(task, CasesTask):
        own = [case.document(case.id) for case in task.cases]
        return SuiteTask(task.name, task.description, tuple(_drawn(own, cases, 0)))
    try:
        documents = read_documents(_file(task, suite), context)
        # Prompts of any field can be had (`abroad fewshot --field`); what a row says is of natural products.
        built_in_field().check_documents(documents, _file(task, suite))
    except InputError as error:
        raise InputError(f"{suite}: {key}.path: {error}") from None
    return SuiteTask(task.name, task.description, tuple(_drawn(documents, task.sample, task.seed)))


def _drawn(documents: list[Document], count: int | None, seed: int) -> list[Document]:
    """So many documents, in their order; all of them without a count."""
    if count is None or count >= len(documents):
        return documents
    chosen = sorted(random.Random(seed).sample(range(len(documents)), count))
    return [documents[place] for place in chosen]


def _file(task: DocumentsTask, suite: Path) -> Path:
    return suite.parent / task.path
