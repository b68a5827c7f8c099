"""How a model is asked: a prompt in a plain file, the form its answer must have, and how long that may be."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError
from abroad.core.io import require_file
from abroad.core.registry import Capability, Member, Registry

_PROMPTS = Path(__file__).with_name("prompts")
_MIN_TOKENS = 64


def _word(longest: int, never_last: str) -> str:
    """A word of a name as a regex: not "produces" or the like, and not with the end of a sentence in it."""
    verb = "produc"
    starts = "|".join(f"{verb[:n]}[^{letter}.;\\n ]" for n, letter in enumerate(verb))
    parts = "|".join(verb[:n] for n in range(1, len(verb)))
    return rf"((({starts})([^;\n ]{{0,{longest}}}[^{never_last}.;\n ])?)|{parts}|[A-Za-z]{{1,6}}\.)"


# Names end after so many words: a model that would write prose must come to a relation. Of 1,600 curated names, none
# has more than 6 words or a word of more than 120 characters.
_ORGANISM = "{0}( {0}){{0,4}}".format(_word(30, ":,"))
_CHEMICAL = "{0}( {0}){{0,7}}".format(_word(150, ""))
_RELATION = f"{_ORGANISM} produces {_CHEMICAL}"
# One relation after another, or "none". As one regex: a grammar's lexer takes the longest name, verb and all.
_RELATIONS = f" ?(none|{_RELATION}(; {_RELATION})*)\\n"
# A step may take so many characters for each of the document's, and no less than so many: the relations need room
# after it. Organisms take at most 0.34 in the curated documents, and chemicals 0.75.
_STEPS = {"": 0.35, "Chemicals:": 0.8, "Evidence:": 0.7}
_MIN_STEP = 100


@dataclass(frozen=True)
class StyleKind(Member):
    """A member of the registry of styles.

    Attributes:
        prompt: file of the prompt (Jinja2).
        tokens_per_character: new tokens for each character of the document: 95% of the curated documents' relations
            are of at most 0.45 (SmolLM2's tokenizer), and lists and evidence repeat about the document once more.
        shots: examples where no number is asked for.
        capabilities: STEPS, CHAT.
    """

    prompt: Path
    tokens_per_character: float
    shots: int = 5


@dataclass(frozen=True)
class Style:
    """How a model is asked, with the prompt that it reads.

    Attributes:
        name: for records and messages.
        template: Jinja2 text of the prompt, with `examples` and `text`.
        kind: the member of the registry.
        tokens_per_character: new tokens for each character of the document.
    """

    name: str
    template: str
    kind: StyleKind
    tokens_per_character: float

    @property
    def steps(self) -> bool:
        """Whether the answer goes through organisms, chemicals and evidence before its relations."""
        return Capability.STEPS in self.kind.capabilities

    @property
    def chat(self) -> bool:
        """Whether the prompt is put as a user's turn where the model has a chat template."""
        return Capability.CHAT in self.kind.capabilities

    @property
    def hash(self) -> str:
        """Names the prompt in tables and records: the beginning of its SHA-256."""
        return hashlib.sha256(self.template.encode()).hexdigest()[:12]

    def form(self, characters: int) -> str:
        """The form of the answer for a document of so many characters, as a regex."""
        return self.lead(characters) + _RELATIONS

    def lead(self, characters: int) -> str:
        """The form of what stands before the relations: the steps, or nothing."""
        if not self.steps:
            return ""
        steps = []
        for heading, share in _STEPS.items():
            most = max(_MIN_STEP, round(share * characters))
            steps.append(f"{heading} [^\\n]{{1,{most}}}\\n")
        return "".join(steps) + "Relations:"

    @property
    def stop(self) -> tuple[str, ...]:
        return ("\n\n", "\nText:") if self.steps else ("\nText:", "\n\n")

    def budget(self, characters: int) -> int:
        """New tokens that the answer for a document of so many characters may take."""
        return _MIN_TOKENS + round(self.tokens_per_character * characters)

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


STYLES: Registry[StyleKind] = Registry(
    "prompt style",
    "abroad.fewshot_styles",
    {
        "classic": "abroad.extraction.fewshot.styles:CLASSIC",
        "instruct": "abroad.extraction.fewshot.styles:INSTRUCT",
        "cot": "abroad.extraction.fewshot.styles:COT",
    },
)
"""How a model is asked for relations by examples."""

CLASSIC = StyleKind(_PROMPTS / "classic.j2", 0.45)
"""The published few-shot: an instruction first, and examples."""
INSTRUCT = StyleKind(_PROMPTS / "instruct.j2", 0.45, capabilities=Capability.CHAT)
# Steps take room: five worked examples and the answer leave a context of 2,048 tokens (LLaMA's) too small for 57 of the
# 97 published curated abstracts at hand, one for 20.
COT = StyleKind(_PROMPTS / "cot.j2", 1.0, 1, capabilities=Capability.CHAT | Capability.STEPS)


def load_style(name: str, prompt: Path | None = None, tokens_per_character: float | None = None) -> Style:
    """A style by name.

    Args:
        prompt: a file of your own in place of the style's; what an answer looks like stays.
        tokens_per_character: in place of the style's.
    Raises:
        InputError: no such style, or a prompt that does not hold the document's text.
    """
    kind = STYLES.get(name)
    path = kind.prompt if prompt is None else require_file(prompt, "a prompt (Jinja2)")
    try:
        template = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; expected a prompt (Jinja2)") from None
    style = Style(name, template, kind, kind.tokens_per_character)
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
