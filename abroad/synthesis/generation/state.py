"""Abstracts that are the findings of their prompts and nothing more, without a language model.

They are dull, and every relation of them is said as the field's file says it. Where no model is at hand that writes
better, they teach what names of a field look like, and its verbs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import read_records


def state_findings(prompts: Path, context: Context) -> Iterator[dict[str, Any]]:
    """The document of each prompt record that `abroad synth instruct` wrote.

    Args:
        context: its rejects are records without findings.
    Raises:
        InputError: no record has findings.
    """
    count = 0
    for place, _, record in read_records(prompts):
        findings = record.get("findings")
        if not isinstance(findings, str) or not findings.strip():
            context.rejects.add(f"{prompts}:{place}", "expected 'findings', as abroad synth instruct writes")
            continue
        count += 1
        lead = record.get("lead") if isinstance(record.get("lead"), str) else ""
        text = lead if lead and lead.endswith(findings[1:]) else findings  # with its first words ("In this study, ")
        yield {**record, "AbstractText": text, "lead": "", "finish_reason": "stop"}
    if not count:
        raise InputError(f"{prompts}: no prompt with findings{context.rejects.first()}")
