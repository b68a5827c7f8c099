"""Drafts are measured by the clock and by the formula, and the one that each prefers is named."""

import shutil

import pytest

from abroad.core.io import write_documents
from abroad.engines.speculation import SpeculationCounts
from abroad.experiments.tuning.draft import MeasuredDraft, measure_drafts, preferred
from abroad.models.load import load_model, load_tokenizer
from abroad.models.resolve import resolve_model


@pytest.fixture
def data(documents, tmp_path):
    write_documents(tmp_path / "dev.jsonl", documents)
    return tmp_path / "dev.jsonl"


def rows(stdout):
    return {tuple(line.split()[:2]): line.split()[2:] for line in stdout.splitlines()[1:] if "fastest" not in line}


def test_each_candidate_is_measured_and_one_is_named(cli, data, tiny_model, other_tiny_model, tmp_path):
    itself = tmp_path / "itself"
    shutil.copytree(tiny_model, itself)
    drafts = ["--draft", "ngram", "--draft", itself, "--draft", other_tiny_model]
    options = ["--draft-tokens", "2,4", "--documents", 2, "--max-new-tokens", 12, "--batch-size", 2]
    result = cli("tune", "draft", data, "--model", tiny_model, *drafts, *options)
    assert result.exit_code == 0, result.output
    found = rows(result.stdout)
    named = {("none", "1"), ("none", "2")} | {
        (d, n) for d in ("ngram", str(itself), str(other_tiny_model)) for n in "24"
    }
    assert found.keys() == named
    assert float(found[str(itself), "4"][0]) >= 4 and found[str(itself), "4"][1] == "100%"  # it guesses itself
    assert float(found[str(other_tiny_model), "4"][0]) == pytest.approx(1, abs=0.3)
    clock, formula = result.stdout.splitlines()[-2:]
    assert clock.startswith("fastest by the clock: ") and formula.startswith("fastest by the formula: ")
    rates = {key: float(cells[-3] if key[0] != "none" or key[1] == "1" else cells[-2]) for key, cells in found.items()}
    best = max(rates, key=rates.get)
    assert (f"draft={best[0]} --set draft_tokens={best[1]}" if best[0] != "none" else "no draft") in clock


def test_the_formula_is_tokens_a_pass_over_the_time_of_draft_and_check(tiny_model, other_tiny_model, monkeypatch):
    """TAR(g) / (g t_draft + t_verify(g)), over one token in the time of one pass."""
    from abroad.engines.base import GenerationRequest

    source = resolve_model(str(tiny_model))
    model = (load_model(source), load_tokenizer(source))
    draft = load_model(resolve_model(str(other_tiny_model)))
    seconds = {(model[0], 1): 8.0, (model[0], 4): 10.0, (draft, 1): 2.0}
    monkeypatch.setattr("abroad.experiments.tuning.draft.latency", lambda model, token, width: seconds[model, width])
    requests = [GenerationRequest("r", "Usnea gave usnic acid", max_new_tokens=8)]
    *_, none, found = measure_drafts(model, requests, {"small": draft}, [3], 1)
    assert none.predicted == 1.0 and none.speedup == 1.0
    assert found.predicted == pytest.approx(found.counts.tokens_per_pass / (3 * 2.0 + 10.0) * 8.0)


def test_the_model_alone_in_batches_may_be_the_fastest():
    counts = SpeculationCounts(passes=10, tokens=30)
    measured = [
        MeasuredDraft(None, 1, None, 10.0, 1.0, 1.0),
        MeasuredDraft(None, 8, None, 50.0, 5.0, None),
        MeasuredDraft("ngram", 5, counts, 20.0, 2.0, 1.8),
    ]
    clock, formula = preferred(measured)
    assert clock.settings == "no draft, --batch-size 8"
    assert formula.settings == "--set draft=ngram --set draft_tokens=5"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--draft", "suffix"], "of vLLM alone"),
        (["--draft-tokens", "0"], "expected whole numbers"),
        (["--draft-tokens", "x"], "expected whole numbers"),
        (["--draft", "nowhere"], "no such model"),
    ],
)
def test_what_cannot_be_measured_is_refused(cli, data, tiny_model, options, message):
    result = cli("tune", "draft", data, "--model", tiny_model, *options)
    assert result.exit_code == 2 and message in result.stderr
