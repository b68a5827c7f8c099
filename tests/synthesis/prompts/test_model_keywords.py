"""Keywords that the language model writes: asked at each temperature, counted, and silent about the relations."""

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import write_documents
from abroad.engines.base import Generation
from abroad.synthesis.generation.writer import Writer
from abroad.synthesis.prompts.instruct import instruct
from abroad.synthesis.prompts.model_keywords import ask_keywords, best_keywords, read_keywords
from abroad.synthesis.prompts.settings import InstructSettings
from abroad.synthesis.stages import instruct_stage
from tests.conftest import make_document

DOCUMENT = make_document(
    "1",
    "Lichen acids of Usnea testalis.",
    "Usnic acid was isolated from Usnea testalis by column chromatography. Antifungal activity against wheat rust.",
    [("Usnea testalis", "usnic acid")],
)
SETTINGS = InstructSettings(style="vicuna", keywords=3, keywords_by="model", prompts_per_document=2)


@pytest.mark.parametrize(
    "answer",
    [
        " column chromatography, antifungal activity, wheat rust",
        "\n1. Column chromatography\n2. Antifungal activity\n3. Wheat rust\n",
        "Keywords: column chromatography; antifungal activity; wheat rust.",
        "- column chromatography\n- antifungal activity\n* wheat rust",
    ],
)
def test_an_answer_is_read_in_whatever_form(answer):
    assert read_keywords(answer) == ["column chromatography", "antifungal activity", "wheat rust"]


def test_what_most_answers_have_comes_first_and_no_name_of_a_relation():
    answers = ["usnic acid content, wheat rust, lichens", "wheat rust, antifungal", "antifungal, wheat rust, usnea"]
    assert best_keywords(DOCUMENT, answers, ["spare one", "spare two"], 4) == [
        "wheat rust",
        "antifungal",
        "lichens",
        "spare one",
    ]


class Asked:
    def __init__(self, answer=" wheat rust, antifungal activity, column chromatography"):
        self.answer, self.requests = answer, []

    def generate(self, requests):
        for request in requests:
            self.requests.append(request)
            yield Generation(request.id, self.answer, "stop", 9)


def test_the_model_is_asked_once_at_each_temperature_and_a_killed_run_goes_on(tmp_path):
    engine = Asked()
    found = ask_keywords([DOCUMENT], SETTINGS, Writer(engine, {"model": "m"}, tmp_path, Context()))
    assert found == [["wheat rust", "antifungal activity", "column chromatography"]]
    assert [request.temperature for request in engine.requests] == [0.4, 0.5, 0.6, 0.7]
    assert all(request.prompt.endswith("ASSISTANT:") for request in engine.requests)
    again = Asked("nothing of this")
    assert ask_keywords([DOCUMENT], SETTINGS, Writer(again, {"model": "m"}, tmp_path, Context())) == found
    assert again.requests == []


def test_they_stand_in_every_prompt(tmp_path):
    def find(documents):
        return ask_keywords(documents, SETTINGS, Writer(Asked(), {}, tmp_path, Context()))

    records = list(instruct([DOCUMENT], SETTINGS, find_keywords=find))
    assert [sorted(r["keywords"]) for r in records] == [
        ["antifungal activity", "column chromatography", "wheat rust"]
    ] * 2


def test_without_a_model_there_are_none(tmp_path):
    from abroad.core.context import Context

    write_documents(tmp_path / "d.jsonl", [DOCUMENT])
    with pytest.raises(InputError, match="expected a model to ask"):
        instruct_stage(tmp_path / "d.jsonl", tmp_path / "p.jsonl", SETTINGS, Context())


def test_the_command_asks_the_model_of_its_config(cli, tiny_model, tmp_path):
    write_documents(tmp_path / "d.jsonl", [DOCUMENT])
    config = tmp_path / "c.yaml"
    config.write_text(f"synthesis: {{model: {tiny_model}, style: vicuna, keywords_by: model, keywords: 3}}\n")
    result = cli("synth", "instruct", tmp_path / "d.jsonl", "--config", config, "--out", tmp_path / "p.jsonl")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "p.jsonl.abroad" / "work" / "keywords.jsonl").is_file()
