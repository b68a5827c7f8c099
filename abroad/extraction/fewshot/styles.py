"""How a model is asked: a prompt in a plain file, the form its answer must have, and how long that may be."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError
from abroad.core.field import Field, built_in_field
from abroad.core.io import require_file
from abroad.core.registry import Capability, Member, Registry
from abroad.extraction.fewshot.form import literal, relations_form
from abroad.extraction.fewshot.wording import fill, steps
from abroad.extraction.generative.notation import Notation

_PROMPTS = Path(__file__).with_name("prompts")
_MIN_TOKENS = 64


_MIN_STEP = 100
"""Characters that a step may take in any case."""
_EVIDENCE = 0.7
"""Characters that its line may take for each of the document's; the relations need room after it."""


@dataclass(frozen=True)
class StyleKind(Member):
    """A member of the registry of styles.

    Attributes:
        prompt: file of the prompt (Jinja2); `[[ asked ]]` and the like stand for what the field says.
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
        field: whose relations are asked for.
    """

    name: str
    template: str
    kind: StyleKind
    tokens_per_character: float
    field: Field

    @cached_property
    def notation(self) -> Notation:
        """How relations are written."""
        return Notation(self.field)

    @property
    def steps(self) -> bool:
        """Whether the answer goes through entities (organisms, chemicals) and evidence before its relations."""
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
        return self.lead(characters) + relations_form(self.field)

    def lead(self, characters: int) -> str:
        """The form of what stands before the relations: the steps, or nothing."""
        if not self.steps:
            return ""
        lines: list[str] = []
        for heading, share in [*((step.heading, step.share) for step in steps(self.field)), ("Evidence", _EVIDENCE)]:
            most = max(_MIN_STEP, round(share * characters))
            begins = f"{literal(heading)}:" if lines else ""  # the prompt ends with the first
            lines.append(f"{begins} [^\\n]{{1,{most}}}\\n")
        return "".join(lines) + "Relations:"

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


def load_style(
    name: str, prompt: Path | None = None, tokens_per_character: float | None = None, field: Field | None = None
) -> Style:
    """A style by name.

    Args:
        prompt: a file of your own in place of the style's; what an answer looks like stays.
        tokens_per_character: in place of the style's.
        field: whose relations are asked for; by default natural products.
    Raises:
        InputError: no such style, or a prompt that does not hold the document's text.
    """
    kind = STYLES.get(name)
    path = kind.prompt if prompt is None else require_file(prompt, "a prompt (Jinja2)")
    try:
        template = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; expected a prompt (Jinja2)") from None
    field = field or built_in_field()
    # What a prompt of ours says of the field is filled in; one of the user's own says it itself.
    template = fill(template, field) if prompt is None else template
    style = Style(name, template, kind, kind.tokens_per_character, field)
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
