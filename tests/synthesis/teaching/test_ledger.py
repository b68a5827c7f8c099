"""What was asked and brought no answer is counted, in this run and in the next, however the run ended."""

import json
import os
import signal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.io import read_documents
from abroad.core.tries import Tries, TryRefused
from abroad.synthesis.teaching.cost import Cost, Meter
from abroad.synthesis.teaching.ledger import Ledger
from abroad.synthesis.teaching.settings import TeachSettings
from tests.sources.servers import Completions
from tests.synthesis.teaching.test_teach import COUNT, Teacher, command, inputs, lines, number_of, record  # noqa: F401

KEYS = {"a": "digest of a", "b": "digest of b"}
EVENTS = st.lists(st.tuples(st.sampled_from(sorted(KEYS)), st.sampled_from(["sent", "free", "answered"])), max_size=30)
EACH = Cost(10, 5)


def possible(events):
    """The events in an order that can be: a try is free or answered after it was sent; nothing follows an answer."""
    tries, answered, kept = dict.fromkeys(KEYS, 0), set(), []
    for key, what in events:
        if key in answered or (what != "sent" and not tries[key]):
            continue
        tries[key] += 1 if what == "sent" else -1
        answered |= {key} if what == "answered" else set()
        kept.append((key, what))
    return kept, sum(tries.values()), answered


@given(EVENTS, st.booleans())
def test_what_is_sent_and_neither_free_nor_answered_is_lost_in_every_later_run(tmp_path_factory, events, killed):
    events, lost, answered = possible(events)
    path = tmp_path_factory.mktemp("ledger") / "asked.jsonl"
    meter, tries = Meter(TeachSettings()), Tries()
    ledger = Ledger(path, meter, KEYS).__enter__()
    ledger.reserve(dict.fromkeys(KEYS, EACH))
    with ledger.listening(tries, {key: key for key in KEYS}):
        for key, what in events:
            ledger.answered(key) if what == "answered" else getattr(tries, what)(key)
    if not killed:
        ledger.__exit__()
        assert meter.spent == Cost(lost * EACH.prompt_tokens, lost * EACH.tokens)
        assert path.exists() == bool(lost)
    for _ in range(2):
        later = Meter(TeachSettings())
        with Ledger(path, later, KEYS) as again:
            assert again.take_up(answered) == (lost, later.spent)
        assert later.spent == Cost(lost * EACH.prompt_tokens, lost * EACH.tokens)
    with Ledger(path, later, {"a": "another text"}) as other:  # questions of other texts are of no concern, and stay
        assert other.take_up(set()) == (0, Cost())
    assert path.exists() == bool(lost)


def test_another_try_is_made_within_the_budget_alone(tmp_path):
    meter, tries = Meter(TeachSettings(budget_tokens=44)), Tries()
    with Ledger(tmp_path / "asked.jsonl", meter, KEYS) as ledger:
        ledger.reserve(dict.fromkeys(KEYS, EACH))
        with ledger.listening(tries, {key: key for key in KEYS}):
            tries.sent("a")
            tries.free("a")
            tries.sent("a")  # 30 of 44 are taken by this and by b
            with pytest.raises(TryRefused):
                tries.sent("a")
            tries.sent("b")
            tries.sent("not of this pass")
    assert meter.spent.total == 30


def paid(server):
    """Prompts and answers that a server has charged for, by its own rule of 7 tokens for a prompt."""
    return 7 * len(server.asked)


def test_broken_answers_are_counted_and_the_budget_holds(cli, inputs, tmp_path):  # noqa: F811
    out, budget = tmp_path / "silver.jsonl", 3_000
    with Completions(Teacher()).serve() as server:
        server.failures = ["truncated", None, "hang up"] * 20
        result = cli(*command(inputs, server, out, "--budget-tokens", budget, "--set", "attempts=9"))
        assert result.exit_code == 0, result.stderr
        first = record(out)["cost"]
        assert "tries brought no answer: reckoned at" in result.stderr and first["prompt_tokens"] >= paid(server)
        assert first["prompt_tokens"] + first["tokens"] <= budget
        again = cli(*command(inputs, server, out, "--budget-tokens", budget, "--set", "attempts=9"))
    assert again.exit_code == 0 and "questions of an earlier run were asked and brought no answer" in again.stderr
    second = record(out)["cost"]
    assert first["prompt_tokens"] <= second["prompt_tokens"] and second["prompt_tokens"] + second["tokens"] <= budget


@pytest.mark.parametrize("answer", [429, 503, 400])
def test_what_a_server_does_not_take_costs_nothing(cli, inputs, tmp_path, answer):  # noqa: F811
    out = tmp_path / "silver.jsonl"
    with Completions(Teacher()).serve() as server:
        server.failures = [None, None, answer]
        result = cli(*command(inputs, server, out))
    assert result.exit_code == 0 and "brought no answer" not in result.stderr, result.stderr
    answered = 2 * COUNT - (answer == 400)
    assert record(out)["cost"]["prompt_tokens"] == 7 * answered and record(out)["guessed"] == 0


def test_what_was_refused_is_asked_again_and_nothing_else(cli, inputs, tmp_path):  # noqa: F811
    out, teacher = tmp_path / "silver.jsonl", Teacher()
    with Completions(teacher).serve() as server:
        server.refuse = lambda body: (400, {"error": "no"}) if number_of(body) in (3, 5) else None
        assert cli(*command(inputs, server, out)).exit_code == 0
        rejects = {r["where"]: r["reason"] for r in lines(tmp_path / "silver.jsonl.abroad" / "rejects.jsonl")}
        assert rejects.keys() == {"3", "5"}
        assert all("HTTP 400" in reason and "the next run asks again" in reason for reason in rejects.values())
        server.refuse = None
        assert cli(*command(inputs, server, out)).exit_code == 0
    assert sorted(teacher.asked) == sorted([*range(COUNT), *range(COUNT)])
    assert len(list(read_documents(out))) == COUNT and record(out)["left"] == 0


def test_a_server_that_refuses_everything_ends_the_run_and_once_mended_answers_it(cli, inputs, tmp_path):  # noqa: F811
    out, teacher = tmp_path / "silver.jsonl", Teacher()
    with Completions(teacher).serve() as server:
        server.refuse = lambda body: (400, {"error": {"message": "no", "param": "temperature"}})
        result = cli(*command(inputs, server, out))
        assert result.exit_code == 1 and "--temperature 1" in result.stderr and len(server.asked) == 8
        server.refuse = None
        assert cli(*command(inputs, server, out)).exit_code == 0
    assert sorted(teacher.asked) == sorted([*range(COUNT), *range(COUNT)])


def commands(tmp_path, inputs, server):  # noqa: F811
    """What asks a server: name -> (command, its output)."""
    prompts = tmp_path / "prompts.jsonl"
    asked = ({"id": str(n), "prompt": f"Report {n}.", "ArticleTitle": "T"} for n in range(COUNT))
    prompts.write_text("".join(json.dumps(prompt) + "\n" for prompt in asked), encoding="utf-8")
    engine = ["--engine", "openai", "--model", "m", "--base-url", server.url, "--batch-size", 3]
    out = tmp_path / "out.jsonl"
    return {
        "teach": ["teach", inputs, "--shots", 2, *engine, "--out", out],
        "fewshot": ["fewshot", inputs, "--shots", 2, *engine, "--out", out],
        "generate": ["synth", "generate", prompts, *engine, "--out", out],
    }


@pytest.mark.parametrize("name", ["teach", "fewshot", "generate"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_has_lost_nothing_that_was_asked(cli, inputs, tmp_path, name, number):  # noqa: F811
    asked, teacher = [], Teacher()

    def complete(body):
        asked.append((body.get("seed"), body.get("prompt") or body["messages"][0]["content"]))
        if len(asked) == 5:
            os.kill(os.getpid(), number)
        return teacher(body)

    with Completions(complete).serve() as server:
        wanted = commands(tmp_path, inputs, server)[name]
        first = cli(*wanted)
        assert first.exit_code == (130 if number == signal.SIGINT else 143), first.stderr
        assert "interrupted: everything so far is kept" in first.stderr and len(asked) < COUNT
        assert cli(*wanted).exit_code == 0
    assert len(asked) == len(set(asked)) == (2 * COUNT if name == "teach" else COUNT)


def test_after_a_kill_what_was_under_way_counts(cli, inputs, tmp_path):  # noqa: F811
    out, budget, teacher, running = tmp_path / "silver.jsonl", 2_500, Teacher(), []

    def complete(body):
        if running and len(server.asked) >= 5:
            running.pop().kill()
        return teacher(body)

    with Completions(complete).serve() as server:
        wanted = command(inputs, server, out, "--budget-tokens", budget)
        arguments = [sys.executable, "-m", "abroad", *map(str, wanted)]
        process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        running.append(process)
        assert process.wait() == -signal.SIGKILL
        after = cli(*wanted)
        assert after.exit_code == 0, after.stderr
        assert "1 questions of an earlier run were asked and brought no answer: reckoned at" in after.stderr
        cost = record(out)["cost"]
        assert cost["prompt_tokens"] >= paid(server) and cost["prompt_tokens"] + cost["tokens"] <= budget
    assert max(map(teacher.asked.count, set(teacher.asked))) <= 3


def test_standard_output_is_refused_since_nothing_could_be_kept(cli, inputs):  # noqa: F811
    with Completions(Teacher()).serve() as server:
        result = cli(*command(inputs, server, "-"))
        assert result.exit_code == 2 and "expected a file, not standard output" in result.stderr and not server.asked
