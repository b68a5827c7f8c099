"""Answers as models that were taught to talk give them: with line breaks before, headings, and words after."""

from random import Random

import pytest

from abroad.core.context import Context
from abroad.core.io import read_records, write_jsonl
from abroad.engines.base import Generation
from abroad.synthesis.generation.generate import generate_abstracts
from abroad.synthesis.prompts.guides import load_guide
from abroad.synthesis.prompts.styles import Brief, make_prompt

TEXT = "Rutin was isolated from Ruta ficta. Its structure was established by NMR."
BEFORE = {
    "a space": " ",
    "a line break": "\n",
    "two line breaks": "\n\n",
    "a heading": " Abstract: ",
    "a heading of its own line": "\nAbstract:\n\n",
    "a heading in bold": " **Abstract:**\n",
    "a heading without a colon": "Abstract\n\n",
}
AFTER = {"nothing": "", "a remark": "\n\nNote: I have used all keywords.", "another prompt": "\nTitle: Another study."}


class Answering:
    """Gives one answer, cut at the first stop string as every engine does."""

    def __init__(self, answer, finish="stop"):
        self.answer, self.finish = answer, finish

    def generate(self, requests):
        for request in requests:
            cuts = [self.answer.find(stop) for stop in request.stop if stop in self.answer]
            yield Generation(request.id, self.answer[: min(cuts)] if cuts else self.answer, self.finish, 9)


def written(style, answer, folder, guide=None, finish="stop"):
    prompt = make_prompt(style, Brief("T", ["k"], "Rutin was isolated from Ruta ficta.", guide=guide), Random(0))
    record = {"id": "1", "prompt": prompt.text, "lead": prompt.lead, "stop": list(prompt.stop)}
    record |= {"answer_after": prompt.answer_after, "one_paragraph": getattr(prompt, "one_paragraph", False)}
    write_jsonl(folder / "p.jsonl", [record])
    context = Context()
    generate_abstracts(folder / "p.jsonl", folder / "a.jsonl", Answering(answer, finish), context, {})
    assert not context.rejects
    return next(read_records(folder / "a.jsonl"))[2]


@pytest.mark.parametrize("style", ["standard", "vicuna"])
@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("after", AFTER)
def test_the_abstract_is_what_is_left(style, before, after, tmp_path):
    found = written(style, BEFORE[before] + TEXT + AFTER[after], tmp_path)
    assert (found["AbstractText"], found["finish_reason"]) == (TEXT, "stop")


@pytest.mark.parametrize("style", ["standard", "vicuna"])
@pytest.mark.parametrize("between", [" ", "\n", "\n\n"])
def test_after_the_check_too(style, between, tmp_path):
    answer = f"{between}All names are kept (3).{between}Abstract:{between}{TEXT}\n\nDone."
    assert written(style, answer, tmp_path, load_guide())["AbstractText"] == TEXT


def test_an_answer_cut_off_ends_with_a_whole_sentence_unless_a_paragraph_was_whole(tmp_path):
    (tmp_path / "b").mkdir()
    assert written("vicuna", f"\n{TEXT} The ex", tmp_path, finish="length")["AbstractText"] == TEXT
    whole = written("vicuna", f"\n{TEXT}\n\nI have also", tmp_path / "b", finish="length")
    assert (whole["AbstractText"], whole["finish_reason"]) == (TEXT, "stop")


def test_a_small_model_that_goes_on_from_the_findings_ends_with_its_line(tmp_path):
    found = written("completion", " More was found.\nTitle: Another.", tmp_path)
    assert found["AbstractText"].endswith("More was found.")
