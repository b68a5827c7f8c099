"""What a model thinks before it answers, told by its form: an element that stands before the answer, whatever its name.

`<think>...</think>`, `<reasoning>...</reasoning>`, `[THINK]...[/THINK]`; a chat template may have written the opening
tag itself, so that the answer has the closing one alone. Markup of a text (`<i>Usnea</i>`) is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from abroad.text.markup import is_text_markup

_XML = r"<(?P<close>/?)(?P<name>[A-Za-z][\w.:-]*)(?:\s+[\w.:-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*>"
_TAG = re.compile(rf"{_XML}|\[(?P<end>/?)(?P<word>[A-Z]{{2,}})\]")


def without_thoughts(text: str) -> str | None:
    """An answer without what stands before the end of its thoughts; None if it ends in them.

    An element that holds the whole of what follows the thoughts (`<answer>...</answer>`) is taken off too.
    """
    end = _unopened_end(text)
    dropped, text = end > 0, text[end:]
    while text.strip():
        tag = next(_tags(text), None)
        if tag is None or _is_end(tag) or text[: tag.start()].strip():
            return text
        closing = f"[/{tag['word']}]" if tag["word"] else f"</{tag['name']}>"
        end = text.rfind(closing)
        if end < 0:
            return None
        inner, text = text[tag.end() : end], text[end + len(closing) :]
        if dropped and not text.strip():
            return inner
        dropped = True
    return None if dropped else text


def _unopened_end(text: str) -> int:
    """Where the last closing tag ends whose opening one stands in the prompt; 0 if there is none."""
    opened: set[str] = set()
    end = 0
    for tag in _tags(text):
        name = tag["word"] or tag["name"]
        if not _is_end(tag):
            opened.add(name)
        elif name not in opened:
            end = tag.end()
    return end


def _tags(text: str) -> Iterator[re.Match[str]]:
    """Tags that are no markup of a text."""
    return (tag for tag in _TAG.finditer(text) if tag["word"] or not is_text_markup(tag["name"]))


def _is_end(tag: re.Match[str]) -> bool:
    return bool(tag["close"] or tag["end"])
