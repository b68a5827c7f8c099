"""Prompts for an abstract, in the form a model was made for; a registry of styles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from abroad.errors import InputError
from abroad.synthesis.findings import NUMBERS


@dataclass(frozen=True)
class Prompt:
    """Attributes:
    text: what the model reads.
    lead: opening words of the answer that are forced on it and count as its own; may be empty.
    """

    text: str
    lead: str = ""


STOP = ("\n", "Title:", "Keywords:", "Main findings:", "Abstract:", "Instructions:")
"""The answer ends where the model starts to write another prompt."""

_TASK = (
    "Write the abstract of a scientific article from its title, its keywords and its main findings. "
    "State every main finding with all names exactly as given, and name no other organism and no other compound."
)
# Vicuna v1.1 conversation template, https://github.com/lm-sys/FastChat (Apache-2.0).
_VICUNA_SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions."
)
_OPENINGS = (
    "",
    "",
    "In this study, ",
    "In the course of a chemical investigation, ",
    "As part of a search for bioactive natural products, ",
    "We report that ",
    "After extraction and repeated chromatography, ",
)


def standard(title: str, keywords: list[str], findings: str, draw: Random) -> Prompt:
    """An instruction, for models tuned to follow one."""
    return Prompt(f"Instructions: {_TASK}\n{_fields(title, keywords, findings)}\nAbstract:")


def vicuna(title: str, keywords: list[str], findings: str, draw: Random) -> Prompt:
    """The same instruction as a turn of Vicuna v1.1."""
    return Prompt(f"{_VICUNA_SYSTEM} USER: {_TASK}\n{_fields(title, keywords, findings)} ASSISTANT:")


def completion(title: str, keywords: list[str], findings: str, draw: Random) -> Prompt:
    """For small models that follow no instruction: the abstract is begun with the findings, the model goes on."""
    opening = draw.choice(_OPENINGS)
    if opening and findings.partition(" ")[0].lower() in NUMBERS:
        findings = findings[0].lower() + findings[1:]
    return Prompt(f"Title: {title}\nKeywords: {', '.join(keywords)}\nAbstract:", lead=opening + findings)


_STYLES: dict[str, Callable[[str, list[str], str, Random], Prompt]] = {
    "completion": completion,
    "standard": standard,
    "vicuna": vicuna,
}


def style_names() -> list[str]:
    return sorted(_STYLES)


def make_prompt(style: str, title: str, keywords: list[str], findings: str, draw: Random) -> Prompt:
    """A prompt in one of the styles.

    Raises:
        InputError: no such style.
    """
    if style not in _STYLES:
        raise InputError(f"no prompt style {style!r}; expected one of: {', '.join(style_names())}")
    return _STYLES[style](title, keywords, findings, draw)


def _fields(title: str, keywords: list[str], findings: str) -> str:
    return f"Title: {title}\nKeywords: {', '.join(keywords)}.\nMain findings: {findings}"
