"""Ask a model for the relations of documents, with examples, and read its answers into predictions."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from abroad.core.errors import InputError
from abroad.core.linearise import SEPARATOR
from abroad.core.registry import Capability, member_of
from abroad.core.resume import ASK_AGAIN, digest
from abroad.core.schema import Document, Prediction
from abroad.core.settings import CountOrNone, NotNegative, Seed, Settings
from abroad.documents.images import IMAGES, SET_ASIDE, Figures, figures, images_digest, refused_image
from abroad.engines.base import NO_TEMPLATE, Engine, Generation, GenerationRequest
from abroad.extraction.fewshot.answers import cut_relations, states
from abroad.extraction.fewshot.examples import find_leaks, one_line, show_example
from abroad.extraction.fewshot.names import relations_grammar, split_named
from abroad.extraction.fewshot.retrieve import ORDERS, RETRIEVERS, Retriever, arrange
from abroad.extraction.fewshot.styles import Style
from abroad.extraction.generative.extractor import read_generation

UNSEEN = "not_in_text_kept"
"""In a prediction with images: how many relations have a name that the text has not, and so no evidence of it."""
CHATS = ("auto", "always", "never")
_READING = 3
"""Raised when examples are arranged or answers are read in another way, so that old predictions are not mixed in."""


class FewShotSettings(Settings):
    """How a model is asked by examples."""

    later_fields: ClassVar[frozenset[str]] = frozenset({"names_from_text", "only_stating"})

    shots: CountOrNone | None = Field(
        None, description="Examples before the document; else by style: 5, but 1 for cot, whose steps take room."
    )
    only_stating: bool = Field(
        False, description="Show examples that state a relation alone: small models repeat the “none” of any other."
    )
    retrieve: Annotated[str, member_of(RETRIEVERS)] = Field(
        "fixed", description="How examples are chosen: fixed, or those most like the document by bm25 or embeddings."
    )
    order: str = Field(
        "similar-last", description="Order of retrieved examples: similar-last, similar-first or shuffled."
    )
    chat: str = Field(
        "auto", description="Chat template: auto (where the style wants it and the model has one), always or never."
    )
    structured: bool = Field(True, description="Bind answers to their form.")
    names_from_text: bool | None = Field(
        None,
        description="Take only names that the text has: bound with the form, else sorted out of the answers. "
        "By default where a document is read without images; a figure has names of its own.",
    )
    fewer_shots: bool = Field(
        False, description="Try prompts beyond the context with fewer examples; else their documents are set aside."
    )
    resolution: CountOrNone = Field(0, description="Longest side of images in pixels; 0: none are shown.")
    temperature: NotNegative = Field(0.0, description="Temperature of sampling; 0 takes the most probable token.")
    seed: Seed = Field(0, description="Seed of sampling and of shuffled examples.")

    @model_validator(mode="after")
    def _known(self) -> Self:
        for name, value, known in (
            ("order", self.order, ORDERS),
            ("chat", self.chat, CHATS),
        ):
            if value not in known:
                raise ValueError(f"no {name} {value!r}; expected one of: {', '.join(known)}")
        return self


@dataclass(frozen=True)
class Shots:
    """Where examples come from.

    Attributes:
        digest: of the pool, so that predictions with other examples are not mixed with these.
        size: of the pool.
        unchecked: examples that may stand in a document; each is kept from that one.
    """

    retriever: Retriever | None = None
    digest: str = ""
    size: int = 0
    unchecked: Sequence[Document] = ()


@dataclass
class FewShotExtractor:
    """Relations by examples in the prompt; an `abroad.extraction.base.Extractor`.

    Attributes:
        images_from: folder that relative paths of images count from.
        model_identity: names engine and model for resumption and the run record.
    """

    engine: Engine
    style: Style
    settings: FewShotSettings
    shots: Shots
    model_identity: dict[str, Any]
    images_from: Path = field(default_factory=Path)
    _shown: dict[str, Figures] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.count > self.shots.size:
            raise InputError(
                f"{self.count} shots, but {self.shots.size} examples that are not in the test set; "
                "expected fewer shots or a larger file of examples"
            )

    @property
    def count(self) -> int:
        """Examples before a document: as many as were asked for, else as are usual and there."""
        return min(self.style.kind.shots, self.shots.size) if self.settings.shots is None else self.settings.shots

    @property
    def fewer(self) -> str | None:
        """What is to be said of examples that are fewer than is usual; None where they are not."""
        usual = self.style.kind.shots
        if self.settings.shots is not None or self.count == usual:
            return None
        return f"{self.count} examples are shown, not {usual} as is usual for {self.style.name}: there are no more"

    @property
    def identity(self) -> dict[str, Any]:
        field = self.style.field
        used = self.settings.identity() | {"shots": self.count} | ({} if self.count else {"retrieve": "", "order": ""})
        if self.settings.names_from_text:  # which was the default once, and is told by "names"
            used.pop("names_from_text", None)
        return {
            **self.model_identity,
            **used,
            "style": self.style.name,
            "prompt": self.style.hash,
            "form": digest(self.style.form(0)) if self.settings.structured else "",
            "tokens_per_character": self.style.tokens_per_character,
            "examples": self.shots.digest if self.count else "",
            "reading": _READING,
            "names": self._names,
            **({} if field.is_built_in else {"field": digest(field.model_dump(mode="json"))}),
        }

    @property
    def _names(self) -> str:
        """Where names are taken from: the text; the text of documents without images; or anywhere."""
        if self.settings.names_from_text is None:
            return "text without images" if self.settings.resolution else "text"
        return "text" if self.settings.names_from_text else ""

    def input_digest(self, document: Document) -> str:
        """Changes when the text or an image does."""
        if not self.settings.resolution or not document.extra.get(IMAGES):
            return digest(document.text)
        return digest(document.text, images_digest(document, self.images_from))

    def extract(self, documents: Sequence[Document]) -> Iterator[Prediction]:
        """One prediction for each document; `extra` holds the answer, its cost, and whether it could be read.

        Raises:
            InputError: chat "always" and a model without a chat template.
        """
        if not documents:
            return
        if self.settings.chat == "always" and not self.engine.has_chat_template:
            raise InputError(NO_TEMPLATE)
        by_id = {document.id: document for document in documents}
        waiting = dict.fromkeys(by_id, self.count)
        last = time.perf_counter()
        while waiting:
            shots, waiting = waiting, {}
            failed: list[Prediction] = []
            for generation in self.engine.generate(self._requests([by_id[id] for id in shots], shots, failed)):
                count = shots[generation.id]
                now = time.perf_counter()
                seconds, last = now - last, now
                if generation.too_long and self.settings.fewer_shots and count:
                    waiting[generation.id] = count - 1
                    continue
                prediction = self._prediction(by_id[generation.id], generation)
                prediction.extra |= {"shots": count, "seconds": round(seconds, 4)}
                yield prediction
            yield from failed

    def _requests(
        self, documents: Iterable[Document], shots: dict[str, int], failed: list[Prediction]
    ) -> Iterator[GenerationRequest]:
        for document in documents:
            try:
                yield self.request(document, shots[document.id])
            except InputError as error:
                failed.append(Prediction(document.id, error=str(error)))

    def request(self, document: Document, shots: int) -> GenerationRequest:
        """What the engine is asked for a document."""
        style, settings = self.style, self.settings
        found = figures(document, self.images_from, settings.resolution)
        if found.urls or found.set_aside:
            self._shown[document.id] = replace(found, urls=())
        images = found.urls
        grammar = None
        if settings.structured and self._takes_names_from_text(len(images)):
            grammar = relations_grammar(document.text, style.lead(len(document.text)), style.field)
        wanted = self.settings.chat == "always" or (self.settings.chat == "auto" and self.style.chat)
        chat = bool(images) or (wanted and self.engine.has_chat_template)
        return GenerationRequest(
            id=document.id,
            prompt=self.prompt(document, shots),
            max_new_tokens=style.budget(len(document.text)),
            temperature=settings.temperature,
            seed=settings.seed,
            # A completion may go on with another example. A turn ends of itself, and an empty line in it may divide
            # thoughts or words of introduction from the answer.
            stop=() if chat else style.stop,
            regex=style.form(len(document.text)) if settings.structured and grammar is None else None,
            grammar=grammar,
            chat=chat,
            images=images,
            # A step's form ends a loop in it, and the steps after it may still hold an answer.
            stop_loops=not (settings.structured and style.steps),
        )

    def _takes_names_from_text(self, images: int) -> bool:
        """Whether the names of a document with so many images must be its text's."""
        return not images if self.settings.names_from_text is None else self.settings.names_from_text

    def _prediction(self, document: Document, generation: Generation) -> Prediction:
        """The prediction of an answer, with what is to be said of the document's images."""
        shown = self._shown.pop(document.id, Figures())
        refused = [refused_image(shown.paths[index], reason) for index, reason in generation.refused_images]
        images = len(shown.paths) - len(refused)
        bound = self._takes_names_from_text(images)
        prediction = read_answer(document, generation, self.style, bound)
        if images and not bound and prediction.error is None:
            ends = [(relation.head, relation.tail) for relation in prediction.relations]
            prediction.extra[UNSEEN] = len(split_named(document.text, ends)[1])
        if reasons := [*shown.set_aside, *refused]:
            prediction.extra[SET_ASIDE] = reasons
        return prediction

    def prompt(self, document: Document, shots: int) -> str:
        """What the engine reads of a document, with so many examples before it."""
        return self.style.render(one_line(document.text), self._examples(document, shots))

    def _examples(self, document: Document, shots: int) -> list[dict[str, str]]:
        if not shots or self.shots.retriever is None:
            return []
        leaked = find_leaks(self.shots.unchecked, [document])
        nearest = self.shots.retriever.nearest(document.text, shots + len(leaked))
        found = [example for example in nearest if example.id not in leaked][:shots]
        # Without a likeness to go by they stay as the file has them.
        alike = Capability.LIKENESS in RETRIEVERS.capabilities(self.settings.retrieve)
        order = "similar-first" if not alike and self.settings.order != "shuffled" else ""
        arranged = arrange(found, order or self.settings.order, self.settings.seed, document.id)
        return [show_example(example, self.style.notation) for example in arranged]


def read_answer(document: Document, generation: Generation, style: Style, names_from_text: bool = False) -> Prediction:
    """The prediction of an answer; `extra["parsed"]` says whether it could be read.

    With `names_from_text` relations with a name that the text has not are left out: `extra["left_out"]` lists and
    `extra["not_in_text"]` counts them. An answer that says "none" was read; one without a single relation in it was
    not.
    """
    if generation.error is not None:
        spent = {"tokens": generation.tokens, "prompt_tokens": generation.prompt_tokens}
        again = {ASK_AGAIN: True} if generation.ask_again else {}
        return Prediction(document.id, error=generation.error, extra=again | (spent if any(spent.values()) else {}))
    # The prompt of the steps ends with "Organisms:", and a model may go on with that or say it again.
    notation = style.notation
    line = cut_relations(generation.text, style.steps, notation.verbs)
    read = line or ""
    left_out: list[tuple[str, str, str]] = []
    if names_from_text and read:
        said = notation.parse(read).triples
        kept, left_out = split_named(document.text, said)
        if kept != said:
            malformed = [part for part in read.split(SEPARATOR) if not states(part, notation.verbs)]
            read = SEPARATOR.join([notation.join(kept), *malformed])
    prediction = read_generation(document, replace(generation, text=read), notation)
    prediction.extra |= {
        "parsed": line is not None and (line == "" or bool(prediction.relations or left_out)),
        **({"not_in_text": len(left_out)} if names_from_text else {}),
        **({"left_out": [list(triple) for triple in left_out]} if left_out else {}),
        "answer": generation.text,
    }
    return prediction


@dataclass(frozen=True)
class AnswerCounts:
    """How answers could be read, over predictions.

    Attributes:
        answers: that the model gave.
        failed: documents that got none.
        parsed: answers that could be read.
        malformed: parts of answers that are no relation.
        not_in_text: relations left out, since the text has not one of their names.
        cut_off: answers that took their whole budget.
        tokens: of all answers.
        prompt_tokens: of their prompts.
        seconds: that took.
        relations: in all answers.
        images_set_aside: images of documents that could not be shown.
        not_in_text_kept: relations with a name that the text has not, of documents whose images were shown.
    """

    answers: int
    failed: int
    parsed: int
    malformed: int
    not_in_text: int
    cut_off: int
    tokens: int
    prompt_tokens: int
    seconds: float
    relations: int = 0
    images_set_aside: int = 0
    not_in_text_kept: int = 0

    @property
    def parse_rate(self) -> float:
        """Percent of the answers; 0 without one."""
        return 100 * self.parsed / self.answers if self.answers else 0.0

    @property
    def says_nothing(self) -> bool:
        """Whether each of at least three answers says that there is no relation."""
        return 3 <= self.answers == self.parsed and not self.relations + self.not_in_text + self.malformed


def count_answers(predictions: Sequence[Prediction]) -> AnswerCounts:
    """How many answers there were, and how many could be read."""
    answered = [prediction.extra for prediction in predictions if prediction.error is None]

    def total(key: str) -> Any:
        return sum(extra.get(key) or 0 for extra in answered)

    return AnswerCounts(
        answers=len(answered),
        failed=len(predictions) - len(answered),
        parsed=total("parsed"),
        malformed=total("malformed"),
        not_in_text=total("not_in_text"),
        cut_off=total("cut_off"),
        tokens=total("tokens"),
        prompt_tokens=total("prompt_tokens"),
        seconds=float(total("seconds")),
        relations=sum(len(prediction.relations) for prediction in predictions),
        images_set_aside=sum(len(extra.get(SET_ASIDE) or ()) for extra in answered),
        not_in_text_kept=total(UNSEEN),
    )
