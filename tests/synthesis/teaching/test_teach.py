"""`abroad teach` against a server that answers, refuses, chats, rate-limits; and with a small real model."""

import json

import pytest

from abroad.core.io import read_documents, write_documents
from tests.conftest import make_document
from tests.sources.servers import Completions

COUNT = 8


@pytest.fixture
def inputs(tmp_path):
    documents = [
        make_document(str(n), f"Report {n}.", f"Usnic acid and atranorin were found in Usnea testalis {n}.", [])
        for n in range(COUNT)
    ]
    write_documents(tmp_path / "docs.jsonl", documents)
    return tmp_path / "docs.jsonl"


def number_of(body):
    """The document that a request asks about."""
    text = body["messages"][0]["content"] if "messages" in body else body["prompt"]
    return int(text.rpartition("Report ")[2].partition(".")[0])


class Teacher:
    """Names usnic acid of every document; in every second answer to a document of odd number atranorin too."""

    def __init__(self, special=None, times=1):
        self.asked, self.special, self.times = [], special or {}, times

    def __call__(self, body):
        if body.get("echo"):
            return "", "length"
        number = number_of(body)
        before = self.asked.count(number)
        self.asked.append(number)
        if number in self.special:
            return self.special[number], "stop"
        both = number % 2 and before % 2
        more = f"; Usnea testalis produces {'atranorin' if both else 'usnic acid'}" * self.times
        return f"Usnea testalis produces usnic acid{more}", "stop"


def command(inputs, server, out, *more):
    return [
        *("teach", inputs, "--out", out, "--engine", "openai", "--model", "m", "--base-url", server.url),
        *("--batch-size", 1, "--shots", 2, "--set", "first_wait=0", "--set", "attempts=2", *more),
    ]


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def record(out):
    return json.loads((out.parent / f"{out.name}.abroad" / "run.json").read_text())["result"]


def test_what_passes_share_is_silver_and_what_they_dispute_goes_to_people(cli, inputs, tmp_path):
    out, disputed, page = tmp_path / "silver.jsonl", tmp_path / "disputed.jsonl", tmp_path / "page.html"
    teacher = Teacher()
    with Completions(teacher).serve() as server:
        result = cli(*command(inputs, server, out, "--curate", disputed))
        assert result.exit_code == 0, result.stderr
        prompts = {body["messages"][0]["content"] for body in server.asked}
        again = cli(*command(inputs, server, out, "--curate", disputed))
    assert again.exit_code == 0 and sorted(teacher.asked) == sorted([*range(COUNT), *range(COUNT)])  # each once
    assert len(prompts) == 2 * COUNT  # the passes' examples differ
    silver = {d.id: d for d in read_documents(out)}
    assert len(silver) == COUNT
    for id, document in silver.items():
        assert document.label_pairs() == [("Usnea testalis", "usnic acid")]
        assert document.extra["agreement"] == pytest.approx(2 / 3 if int(id) % 2 else 1, abs=1e-3)
    assert [d.id for d in read_documents(disputed)] == ["1", "3", "5", "7"]
    (suggested,) = {
        tuple(r["score"] for r in p["relations"])
        for p in lines(tmp_path / "disputed.jsonl.abroad" / "predictions.jsonl")
    }
    assert sorted(suggested) == [0.5, 1.0]
    report = record(out)
    assert report["cost"]["prompt_tokens"] == 2 * COUNT * 7
    assert (report["silver"], report["curation"], report["resumed"]) == (COUNT, COUNT // 2, 2 * COUNT)
    exported = cli("annotate", "export", disputed, "--html", page)
    assert exported.exit_code == 0 and "Usnea testalis" in page.read_text()


def test_a_teacher_that_fails_is_counted_set_aside_and_passed_by(cli, inputs, tmp_path):
    special = {
        0: "I'm sorry, but I cannot help with that.",
        2: "Usnea inventa produces inventic acid",
        4: "none",
    }
    out = tmp_path / "silver.jsonl"
    with Completions(Teacher(special)).serve() as server:
        server.failures = [400, 429, 429, 429, 429]  # a refusal; then two questions that are limited in every try
        first = cli(*command(inputs, server, out))
        assert first.exit_code == 0, first.stderr
        left = record(out)["left"]
        asked = len(server.asked)
        second = cli(*command(inputs, server, out))
    assert left > 0 and "did not answer" in first.stderr
    assert second.exit_code == 0 and record(out)["left"] == 0
    assert 0 < len(server.asked) - asked <= 2 * left  # what was answered is not asked again
    rejects = {r["where"]: r["reason"] for r in lines(tmp_path / "silver.jsonl.abroad" / "rejects.jsonl")}
    assert "I'm sorry" in rejects["0"] and not any("HTTP 400" in reason for reason in rejects.values())
    silver = {d.id: d for d in read_documents(out)}
    assert "0" not in silver and not silver.keys() & rejects.keys()
    assert record(out)["not_in_text"] == 2
    assert "no relation of the answer (1) has" in rejects["2"]  # which does not say that there are none
    assert "4" not in silver or (silver["4"].relations == [] and silver["4"].extra["agreement"] == 1)


def test_a_budget_is_never_passed_and_a_larger_one_goes_on(cli, inputs, tmp_path):
    out = tmp_path / "silver.jsonl"
    teacher = Teacher(times=17)  # nearly as much as an answer may be
    with Completions(teacher).serve() as server:
        told = cli(*command(inputs, server, out, "--estimate", "--price-in", 2, "--price-out", 8))
        assert told.exit_code == 0 and "in money" in told.stderr and not server.asked and not out.exists()
        poor = cli(*command(inputs, server, out, "--budget-tokens", 1_060))
        assert poor.exit_code == 0 and "the budget ended the run" in poor.stderr, poor.stderr
        report, asked = record(out), len(server.asked)
        assert report["stopped"] and 0 < report["silver"] < COUNT and report["left"] == COUNT - report["silver"]
        assert report["cost"]["prompt_tokens"] + report["cost"]["tokens"] <= 1_060 and asked == 2 * report["silver"]
        rich = cli(*command(inputs, server, out, "--budget", 5, "--price-in", 2, "--price-out", 8))
    assert rich.exit_code == 0, rich.stderr
    assert sorted(teacher.asked) == sorted([*range(COUNT), *range(COUNT)])
    assert record(out)["resumed"] == asked and record(out)["silver"] == COUNT and record(out)["money"] > 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--budget", 3], "takes prices"),
        (["--vary", "samples"], "temperature above 0"),
        (["--shots", 0], "take a shot or more"),
        (["--passes", 1], "--passes"),
        (["--shots", 99], "99 shots, but"),
        (["--min-confidence", 0.5], "only a fine-tuned model tells how sure it is"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_asked(cli, inputs, tmp_path, options, words):
    with Completions(Teacher()).serve() as server:
        result = cli(*command(inputs, server, tmp_path / "s.jsonl"), *options)
        assert result.exit_code == 2 and words in result.stderr and not server.asked


@pytest.mark.parametrize(
    ("failures", "more", "words"),
    [
        ([429] * 99, (), "the server answered no document"),
        ([503] * 99, (), "the server answered no document"),
        ([None, *[429] * 99], (), "the server answered no document"),
        ([], ("--budget-tokens", 50), "the budget does not bear a document"),
        ([], ("--budget", 1e-6, "--price-in", 1, "--price-out", 1), "the budget does not bear a document"),
    ],
    ids=["limited", "away", "limited soon", "few tokens", "little money"],
)
def test_a_run_that_labels_nothing_fails_and_says_what_to_do(cli, inputs, tmp_path, failures, more, words):
    documents = read_documents(inputs)[:2]  # so few that the server is not yet taken to be gone
    write_documents(inputs, documents)
    out = tmp_path / "silver.jsonl"
    with Completions(Teacher()).serve() as server:
        server.failures = failures
        result = cli(*command(inputs, server, out, *more))
        assert result.exit_code == 1, result.output
        assert words in result.stderr and "nothing is labelled" in result.stderr and "spent" in result.stderr
        assert record(out)["left"] == len(documents)
        server.failures = []
        assert cli(*command(inputs, server, out)).exit_code == 0
    assert len(read_documents(out)) == len(documents)


def test_fewer_examples_than_usual_are_an_error_only_where_they_were_asked_for(cli, inputs, tmp_path):
    shown = [make_document(f"e{n}", f"Case {n}.", f"Ruta alba gave acid {n}.", [("Ruta alba", "acid")]) for n in "abcd"]
    write_documents(tmp_path / "few.jsonl", shown)
    asked = ["--examples", tmp_path / "few.jsonl"]
    for name in ("teach", "fewshot"):
        with Completions(Teacher()).serve() as server:
            common = [name, inputs, "--out", tmp_path / f"{name}.jsonl", "--engine", "openai", "--model", "m", *asked]
            common += ["--base-url", server.url]
            refused = cli(*common, "--shots", 5)
            assert refused.exit_code == 2 and "5 shots, but 4 examples" in refused.stderr and not server.asked
            made = cli(*common)
            assert made.exit_code == 0, made.stderr
            assert made.stderr.count("4 examples are shown, not 5 as is usual for instruct") == 1
            assert all(body["messages"][0]["content"].count("Case") == 4 for body in server.asked)


def test_passes_that_differ_by_examples_take_one_each(cli, inputs, tmp_path):
    write_documents(tmp_path / "one.jsonl", [make_document("e", "Case.", "Ruta alba gave x.", [("Ruta alba", "x")])])
    with Completions(Teacher()).serve() as server:
        options = ("--examples", tmp_path / "one.jsonl", "--shots", 1)
        result = cli(*command(inputs, server, tmp_path / "s.jsonl", *options))
        assert result.exit_code == 2 and "1 examples for 2 passes" in result.stderr and not server.asked


def test_a_teacher_of_whom_nothing_can_be_used_fails(cli, inputs, tmp_path):
    with Completions(lambda body: ("As an assistant I would rather talk.", "stop")).serve() as server:
        result = cli(*command(inputs, server, tmp_path / "s.jsonl"))
    assert result.exit_code == 1 and "no answer of the teacher could be used" in result.stderr


def test_a_server_that_is_gone_or_gives_no_access_ends_the_run_and_keeps_what_it_said(cli, inputs, tmp_path):
    out, teacher = tmp_path / "s.jsonl", Teacher()
    with Completions(teacher).serve() as server:
        server.failures = [None, None, 401]
        assert cli(*command(inputs, server, out)).exit_code == 1
        assert cli(*command(inputs, server, out)).exit_code == 0
    assert sorted(teacher.asked) == sorted([*range(COUNT), *range(COUNT)])
    with Completions(Teacher()).serve() as server:
        server.failures = [429] * 1_000
        gone = cli(*command(inputs, server, tmp_path / "t.jsonl"))
        assert gone.exit_code == 1 and len(server.asked) <= 40


def test_samples_of_one_prompt_differ_by_seed_and_ranking_filters(cli, inputs, tmp_path):
    out = tmp_path / "silver.jsonl"
    with Completions(Teacher()).serve() as server:
        more = ("--vary", "samples", "--temperature", 0.7, "--passes", 3, "--rank", "likelihood", "--keep", 0.5)
        result = cli(*command(inputs, server, out, *more))
        assert result.exit_code == 0, result.stderr
        seeds = {body["seed"] for body in server.asked if "messages" in body}
    assert seeds == {0, 1, 2} and all(len(d.relations) == 1 for d in read_documents(out))


def test_a_real_model_is_bound_to_the_text(cli, tiny_model, documents, tmp_path):
    write_documents(tmp_path / "docs.jsonl", documents[:2])
    out = tmp_path / "silver.jsonl"
    common = ("teach", tmp_path / "docs.jsonl", "--out", out, "--model", tiny_model, "--style", "classic", "--shots", 1)
    result = cli(*common)
    assert result.exit_code == 0, result.stderr
    text = {d.id: d.text.lower() for d in documents}
    for answer in lines(tmp_path / "silver.jsonl.abroad" / "answers.jsonl"):
        assert answer["error"] is None and answer["not_in_text"] == 0
        assert all(name["organism"].lower() in text[answer["id"]] for name in answer["relations"])


def test_the_extractor_learns_from_silver_by_its_weight(cli, tmp_path):
    from tests.extraction.builtin.test_fit import SYNTHETIC

    given = SYNTHETIC.read_text(encoding="utf-8").splitlines()
    curated, silver, out = tmp_path / "curated.jsonl", tmp_path / "silver.jsonl", tmp_path / "extractor"
    curated.write_text("\n".join(given[:12]), encoding="utf-8")
    taught = [json.loads(line) | {"agreement": 0.8, "disputed": [["Usnea x", "y"]]} for line in given[10:18]]
    taught[-1]["agreement"] = "much"
    taught[-2]["disputed"] = "none"
    silver.write_text("\n".join(map(json.dumps, taught)), encoding="utf-8")
    result = cli("extractor", "train", curated, "--silver", silver, "--out", out, "--cv", 2)
    assert result.exit_code == 0, result.stderr
    assert "silver documents: 4" in result.stdout and "curated documents: 12" in result.stdout
    reasons = [r["reason"] for r in lines(tmp_path / "extractor.abroad" / "rejects.jsonl")]
    assert sum("same publication" in reason for reason in reasons) == 2
    assert any("'agreement'" in reason for reason in reasons) and any("'disputed'" in reason for reason in reasons)


def test_where_no_answer_can_be_used_the_reasons_and_the_cost_are_told_and_no_silver_is_replaced(cli, inputs, tmp_path):
    out = tmp_path / "silver.jsonl"
    with Completions(Teacher()).serve() as server:
        assert cli(*command(inputs, server, out)).exit_code == 0
        before = out.read_text()
    with Completions(lambda body: ("As an assistant I would rather talk.", "stop")).serve() as server:
        for target in (out, tmp_path / "new.jsonl"):
            result = cli(*command(inputs, server, target, "--seed", 5))
            assert result.exit_code == 1 and "no answer of the teacher could be used" in result.stderr
            assert "spent 112 tokens of prompts" in result.stderr
            assert len(lines(target.parent / f"{target.name}.abroad" / "rejects.jsonl")) == COUNT
            assert (record(target)["set_aside"], record(target)["silver"]) == (COUNT, 0)
    assert out.read_text() == before and not (tmp_path / "new.jsonl").exists()


def test_a_chat_may_think_and_introduce_its_answer_and_ends_of_itself(cli, inputs, tmp_path):
    def thinking(body):
        said = f"Usnea testalis produces {'atranorin' if number_of(body) % 2 else 'usnic acid'}"
        return f"<think>\nUsnea testalis produces usnic acid?\n\nHm.\n</think>\n\nHere it is:\n\n**{said}**", "stop"

    with Completions(thinking).serve() as server:
        chat = cli(*command(inputs, server, tmp_path / "s.jsonl"))
        assert chat.exit_code == 0 and not any("stop" in body for body in server.asked)
        done = len(server.asked)
        assert cli(*command(inputs, server, tmp_path / "t.jsonl", "--chat", "never")).exit_code == 0
        assert all("\n\n" in body["stop"] for body in server.asked[done:])
    named = [document.label_pairs() for document in read_documents(tmp_path / "s.jsonl")]
    assert named == [[("Usnea testalis", "atranorin" if n % 2 else "usnic acid")] for n in range(COUNT)]


def test_more_samples_ask_for_their_own_answers_alone(cli, inputs, tmp_path):
    out, more = tmp_path / "silver.jsonl", ("--vary", "samples", "--temperature", 0.7)
    with Completions(Teacher()).serve() as server:
        assert cli(*command(inputs, server, out, *more, "--passes", 3)).exit_code == 0
        assert cli(*command(inputs, server, out, *more, "--passes", 5)).exit_code == 0
        assert [body["seed"] for body in server.asked].count(0) == COUNT and len(server.asked) == 5 * COUNT
        assert record(out)["resumed"] == 3 * COUNT and record(out)["cost"]["prompt_tokens"] == 5 * COUNT * 7
        given = read_documents(inputs)
        given[3] = make_document("3", "Report 3.", "Usnic acid from Usnea testalis, again.", [])
        write_documents(inputs, given)
        assert cli(*command(inputs, server, out, *more, "--passes", 5)).exit_code == 0
    assert len(server.asked) == 5 * (COUNT + 1) and record(out)["resumed"] == 5 * (COUNT - 1)


def test_a_text_under_two_ids_is_asked_once_and_labels_both(cli, inputs, tmp_path):
    given = read_documents(inputs)
    write_documents(inputs, [*given, make_document("copy", given[0].title, given[0].abstract, [])])
    out, teacher = tmp_path / "silver.jsonl", Teacher()
    with Completions(teacher).serve() as server:
        result = cli(*command(inputs, server, out))
    assert result.exit_code == 0 and "1 documents have the text of another" in result.stderr
    assert sorted(teacher.asked) == sorted([*range(COUNT), *range(COUNT)])
    silver = {d.id: d for d in read_documents(out)}
    assert silver["copy"].label_pairs() == silver["0"].label_pairs() and len(silver) == COUNT + 1
