"""How a model is asked: a prompt in a plain file, the form its answer must have, and how long that may be."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from abroad.errors import InputError
from abroad.io import require_file

_PROMPTS = Path(__file__).with_name("prompts")
_LEAST_TOKENS = 32

# One relation after another, or "none". As one regex: a grammar's lexer takes the longest name, verb and all.
_RELATIONS = r" ?(none|[^;\n]+ produces [^;\n]+(; [^;\n]+ produces [^;\n]+)*)\n"
_STEPS = r" [^\n]{1,400}\nChemicals: [^\n]{1,600}\nEvidence: [^\n]{1,800}\nRelations:" + _RELATIONS


@dataclass(frozen=True)
class Style:
    """Attributes:
    template: Jinja2 text of the prompt, with `examples` and `text`.
    steps: the answer goes through organisms, chemicals and evidence before its relations.
    chat: whether it is put as a user's turn where the model has a chat template.
    tokens_per_character: new tokens for each character of the document: 95% of the curated documents' relations
        are of at most 0.45 (SmolLM2's tokenizer), and lists and evidence repeat about the document once more.
    """

    name: str
    template: str
    steps: bool
    chat: bool
    tokens_per_character: float

    @property
    def hash(self) -> str:
        """Names the prompt in tables and records: the beginning of its SHA-256."""
        return hashlib.sha256(self.template.encode()).hexdigest()[:12]

    @property
    def regex(self) -> str:
        """The form of the answer."""
        return _STEPS if self.steps else _RELATIONS

    @property
    def stop(self) -> tuple[str, ...]:
        return ("\n\n", "\nText:") if self.steps else ("\nText:", "\n\n")

    def budget(self, characters: int) -> int:
        """New tokens that the answer for a document of so many characters may take."""
        return _LEAST_TOKENS + round(self.tokens_per_character * characters)

    def render(self, text: str, examples: Sequence[Mapping[str, str]]) -> str:
        """The prompt; it ends where the answer begins.

        Raises:
            InputError: the template cannot be filled.
        """
        import jinja2

        try:
            return str(self._compiled.render(text=text, examples=list(examples))).rstrip()
        except jinja2.TemplateError as error:
            raise InputError(f"prompt of style {self.name}: {error}; it may use text and examples") from None

    @cached_property
    def _compiled(self) -> Any:
        import jinja2
        from jinja2.sandbox import SandboxedEnvironment

        # A prompt is plain text, not HTML: nothing is escaped.
        environment = SandboxedEnvironment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        try:
            return environment.from_string(self.template)
        except jinja2.TemplateSyntaxError as error:
            raise InputError(f"prompt of style {self.name}, line {error.lineno}: {error.message}") from None


# Name -> (steps, chat, tokens per character). "classic" is the published few-shot: examples alone, no instruction.
_STYLES = {"classic": (False, False, 0.45), "instruct": (False, True, 0.45), "cot": (True, True, 1.0)}


def style_names() -> list[str]:
    return list(_STYLES)


def load_style(name: str, prompt: Path | None = None, tokens_per_character: float | None = None) -> Style:
    """A style by name.

    Args:
        prompt: a file of your own in place of the style's; what an answer looks like stays.
        tokens_per_character: in place of the style's.
    Raises:
        InputError: no such style, or a prompt that does not hold the document's text.
    """
    if name not in _STYLES:
        raise InputError(f"no prompt style {name!r}; expected one of: {', '.join(_STYLES)}")
    path = _PROMPTS / f"{name}.j2" if prompt is None else require_file(prompt, "a prompt (Jinja2)")
    try:
        template = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; expected a prompt (Jinja2)") from None
    style = Style(name, template, *_STYLES[name])
    if tokens_per_character is not None:
        style = replace(style, tokens_per_character=tokens_per_character)
    probe = "the text of a document"
    try:
        holds = probe in style.render(probe, [])
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    if not holds:
        raise InputError(f"{path}: the prompt never gives the document; expected {{{{ text }}}} in it")
    return style
