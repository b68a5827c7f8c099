"""What makes a text no abstract: refusals, lists, echoes of the prompt, cut-off ends, another language."""

from __future__ import annotations

import re
from collections.abc import Sequence

REFUSAL, LISTING, ECHO, CUT_OFF, LANGUAGE, LEAK = (
    "refuses",
    "makes a list",
    "echoes the prompt",
    "ends in the middle",
    "wrong language",
    "takes names from an example",
)
_REFUSAL = re.compile(
    r"\b(?:as an ai\b|as a (?:large )?language model|i(?:'m| am) (?:sorry|unable|not able)|i (?:cannot|can't|can not) "
    r"(?:write|provide|help|assist|create|generate)|sorry, (?:but )?i\b|my (?:training|knowledge cut-?off))",
    re.IGNORECASE,
)
_ITEM = re.compile(r"(?m)^\s*(?:[-*•]|\d{1,2}[.)]|\([a-z\d]\))\s+\S")
_MAX_ITEMS = 2
_INSTRUCTION = re.compile(
    r"\b(?:main findings?|key ?words?|instructions?|here is (?:an?|the) abstract|abstract should|title)\s*:"
    r"|###|\[/?INST\]",
    re.IGNORECASE,
)
_ECHO_WORDS = 12
_SHORTEST = 20  # words; of less no language can be told


def flaws(
    text: str, prompt: str = "", finish_reason: str = "", findings: str = "", avoid: Sequence[str] = ()
) -> list[str]:
    """The flaws of a generated text, each once.

    Args:
        prompt: what was asked; a run of twelve of its words in the text is an echo, those of `findings`
            aside, which the text is to say.
        finish_reason: "length" for a text cut off at the token budget.
        avoid: names of examples in the prompt, which the text must not take over.
    """
    found = []
    if _REFUSAL.search(text[:600]):
        found.append(REFUSAL)
    if len(_ITEM.findall(text)) > _MAX_ITEMS:
        found.append(LISTING)
    if _INSTRUCTION.search(text) or _echoes(text, prompt, findings):
        found.append(ECHO)
    if finish_reason == "length" and not re.search(r"[.!?][\"')\]]*\s*$", text):
        found.append(CUT_OFF)
    if any(name in text and name not in findings for name in avoid):
        found.append(LEAK)
    if not is_english(text):
        found.append(LANGUAGE)
    return found


def is_english(text: str) -> bool:
    """Whether the text is in English; True for one too short to tell."""
    if len(text.split()) < _SHORTEST:
        return True
    import py3langid

    return py3langid.classify(text)[0] in ("en", "la")  # Latin names can outweigh a short English text


def _echoes(text: str, prompt: str, findings: str) -> bool:
    if not prompt or not findings:  # without the findings one cannot tell an echo from what was to be said
        return False
    allowed = _runs(findings)
    return bool((_runs(prompt) - allowed) & _runs(text))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[index : index + _ECHO_WORDS]) for index in range(len(words) - _ECHO_WORDS + 1)}
