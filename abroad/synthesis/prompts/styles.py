"""Prompts for an abstract, in the form a model was made for; a registry of styles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from abroad.core.field import Field, built_in_field
from abroad.core.registry import Member, Registry
from abroad.synthesis.prompts.findings import NUMBERS
from abroad.synthesis.prompts.guides import Guide, Topic

STOP = ("\n", "Title:", "Keywords:", "Main findings:", "Abstract:", "Instructions:")
"""The answer ends where the model starts to write another prompt."""
_STOP_GUIDED = ("\n\n", "Title:", "Keywords:", "Main findings:", "Instructions:", "Principles:")
STOP_CHAT = ("Title:", "Keywords:", "Main findings:", "Instructions:", "Principles:", "USER:")
"""Of models that answer: many open with a line break, and with "Abstract:", which must not end the answer."""


@dataclass(frozen=True)
class Prompt:
    """What a model is shown, and how its answer is read.

    Attributes:
        text: what the model reads.
        lead: opening words of the answer that are forced on it and count as its own; may be empty.
        stop: where the answer ends.
        answer_after: the abstract is what stands after these words of the answer; all of it without them.
        one_paragraph: the abstract is the first paragraph of that, without a heading.
        then: the model first writes what comes before the abstract (its check against the principles); these words and
            the lead follow that, and it goes on.
    """

    text: str
    lead: str = ""
    stop: tuple[str, ...] = STOP
    answer_after: str = ""
    one_paragraph: bool = False
    then: str = ""


@dataclass(frozen=True)
class Brief:
    """What an abstract is to be written of.

    Attributes:
        findings: sentences that it must state.
        topic: aim and technique of the study; they join the keywords.
        guide: principles and exemplars to stand before the task.
        field: which says what the task is; natural products by default.
    """

    title: str
    keywords: Sequence[str]
    findings: str
    topic: Topic | None = None
    guide: Guide | None = None
    field: Field = field(default_factory=built_in_field)

    @property
    def task(self) -> str:
        """What the model is to do."""
        return self.field.prompts.synthesis or (
            "Write the abstract of a scientific article from its title, its keywords and its main findings. State "
            f"every main finding with all names exactly as given, and name {_no_other(self.field)}."
        )

    @property
    def keyword_list(self) -> str:
        topic = [self.topic.aim, self.topic.technique] if self.topic else []
        return ", ".join([*topic, *self.keywords])


# Vicuna v1.1 conversation template, https://github.com/lm-sys/FastChat (Apache-2.0).
_VICUNA_SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions."
)


def standard(brief: Brief, draw: Random) -> Prompt:
    """An instruction, for models tuned to follow one."""
    if brief.guide is None:
        return Prompt(f"Instructions: {brief.task}\n{_fields(brief)}\nAbstract:", stop=STOP_CHAT, one_paragraph=True)
    text = f"Instructions: {_guided(brief, brief.guide)}\nCheck:"
    return Prompt(text, stop=STOP_CHAT, answer_after="Abstract:", one_paragraph=True)


def vicuna(brief: Brief, draw: Random) -> Prompt:
    """The same instruction as a turn of Vicuna v1.1."""
    if brief.guide is None:
        return Prompt(vicuna_turn(f"{brief.task}\n{_fields(brief)}"), stop=STOP_CHAT, one_paragraph=True)
    text = f"{vicuna_turn(_guided(brief, brief.guide))} Check:"
    return Prompt(text, stop=STOP_CHAT, answer_after="Abstract:", one_paragraph=True)


def vicuna_turn(words: str) -> str:
    """What a user says, as a turn of Vicuna v1.1, up to where the answer begins."""
    return f"{_VICUNA_SYSTEM} USER: {words} ASSISTANT:"


def completion(brief: Brief, draw: Random) -> Prompt:
    """For small models that follow no instruction: the abstract is begun with the findings, the model goes on.

    Under principles it writes its check against them first, as the worked exemplars do, and then the abstract.
    """
    opening = draw.choice(brief.field.prompts.openings or ("",)) if brief.topic is None else _aim(brief.topic)
    findings = brief.findings
    if opening and findings.partition(" ")[0].lower() in NUMBERS:
        findings = findings[0].lower() + findings[1:]
    if brief.guide is None:
        keywords = f"Keywords: {brief.keyword_list}\n" if brief.keyword_list else ""
        return Prompt(f"Title: {brief.title}\n{keywords}Abstract:", lead=opening + findings)
    return Prompt(f"{_guided(brief, brief.guide)}\nCheck:", lead=opening + findings, then="\nAbstract:")


@dataclass(frozen=True)
class PromptStyle(Member):
    """A member of the registry of prompt styles.

    Attributes:
        write: (what the abstract is to be written of, source of draws) -> the prompt.
        turn: what is asked of the model -> the text that it reads.
    """

    write: Callable[[Brief, Random], Prompt]
    turn: Callable[[str], str] = lambda words: words


PROMPT_STYLES: Registry[PromptStyle] = Registry(
    "prompt style",
    "abroad.prompt_styles",
    {
        "completion": "abroad.synthesis.prompts.styles:COMPLETION",
        "standard": "abroad.synthesis.prompts.styles:STANDARD",
        "vicuna": "abroad.synthesis.prompts.styles:VICUNA",
    },
)
"""How a model is asked to write an abstract."""

COMPLETION = PromptStyle(completion)
STANDARD = PromptStyle(standard)
VICUNA = PromptStyle(vicuna, vicuna_turn)


def make_prompt(style: str, brief: Brief, draw: Random) -> Prompt:
    """A prompt in one of the styles.

    Raises:
        InputError: no such style.
    """
    return PROMPT_STYLES.get(style).write(brief, draw)


def _no_other(of: Field) -> str:
    return " and ".join(f"no other {kind.singular}" for kind in of.entities.values())


def _fields(brief: Brief) -> str:
    keywords = f"Keywords: {brief.keyword_list}.\n" if brief.keyword_list else ""
    return f"Title: {brief.title}\n{keywords}Main findings: {brief.findings}"


def _guided(brief: Brief, guide: Guide) -> str:
    """Task, principles, worked exemplars, and the fields to write for."""
    exemplars = "\n\n".join(
        f"Title: {e.title}\nKeywords: {e.keywords}.\nMain findings: {e.findings}\n"
        f"Check: {e.check}\nAbstract: {e.abstract}"
        for e in guide.exemplars
    )
    return f"{brief.task}\nPrinciples:\n{guide.numbered()}\n\n{exemplars}\n\n{_fields(brief)}"


def _aim(topic: Topic) -> str:
    article = "an" if topic.aim[0] in "aeiou" else "a"
    if topic.aim in ("chemotaxonomic", "chemical ecology", "quorum sensing"):
        article = "a"
    return f"In {article} {topic.aim} study by {topic.technique}, "
