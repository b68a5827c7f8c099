"""Rounds of curation on the project's sample, with real extraction and real training, without a server."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from abroad.cli.app import app
from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import file_sha256, read_documents
from abroad.pipeline.config import Config
from abroad.pipeline.curation import run_curation
from annotation.decisions.records import read_decisions
from tests.annotation.page_curators import decide, page_data

ROOT = Path(__file__).parents[3]


def make_config(out, **curation):
    sample = ROOT / "data" / "sample"
    return Config(
        out=out,
        seed=7,
        lotus={"metadata": sample / "lotus_metadata.csv", "doi2pmid": sample / "doi2pmid.tsv"},
        sample={"n": 1},
        documents={"files": [sample / "curated.jsonl"]},
        curation={"offline": True, "batch": 8, "resamples": 1000, **curation},
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Two rounds to the end by two curators, one of whom overlooks a relation now and then."""
    out = tmp_path_factory.mktemp("loop") / "run"
    config = make_config(out, adopt="always")
    said, waits = [], []
    waits.append(run_curation(config, Context(say=said.append)).waiting_for)
    truth = {document.id: document.label_pairs() for document in read_documents(out / "documents.jsonl")}
    for number in (1, 2):
        page = out / f"round-{number}" / "curate.html"
        before = page.read_bytes()
        decide(page, out / "decisions" / f"ana-{number}.json", "ana", truth)
        overlooked = set()
        decide(
            page,
            out / "decisions" / f"ben-{number}.json",
            "ben",
            truth,
            lambda id, pair, seen=overlooked: len(seen) < 1 and (seen.add(id) or True),
        )
        waits.append(run_curation(config, Context(say=said.append)).waiting_for)
        asked = decide(out / "adjudicate.html", out / "decisions" / f"eva-{number}.json", "eva", truth)
        assert set(asked) == overlooked
        waits.append(run_curation(config, Context(say=said.append)).waiting_for)
        assert page.read_bytes() == before
    return config, said, waits


def report(config, number):
    return json.loads((config.out / f"round-{number}" / "round.json").read_text())


def test_each_run_says_what_to_do_next(finished):
    config, _, waits = finished
    assert "round-1: 0 of 8 documents are decided" in waits[0] and "curate.html" in waits[0]
    assert "round-1: curators differ on 1 documents" in waits[1] and "adjudicate.html" in waits[1]
    assert "round-2: 0 of 8" in waits[2] and str(config.out / "decisions") in waits[2]
    assert waits[4].startswith("every document has been shown")


def test_no_document_is_shown_twice_and_none_is_forgotten(finished):
    config, _, _ = finished
    batches = [set(report(config, number)["batch"]) for number in (1, 2)]
    assert not batches[0] & batches[1]
    assert batches[0] | batches[1] == {d.id for d in read_documents(config.out / "documents.jsonl")}


def test_the_model_is_scored_on_what_it_had_not_seen(finished):
    config, _, _ = finished
    first = report(config, 1)
    assert (first["model"], first["curators"], first["conflicts"]) == ("built-in", ["ana", "ben"], 0)
    assert first["scores"]["documents"] == 8 and 0 < first["scores"]["f1"] <= 100
    assert (config.out / "round-1" / "report.html").exists()


def test_a_model_is_linked_to_the_decisions_it_learned_from(finished):
    config, _, _ = finished
    folder = config.out / "round-2" / "model"
    link = json.loads((folder / "decisions.json").read_text())
    assert link["model"][str(folder / "scorer.json")] == file_sha256(folder / "scorer.json")
    assert {d["curator"] for d in link["decisions"]} == {"ana", "ben", "eva"}
    assert {d["document"] for d in link["decisions"]} == set(link["documents"])
    assert {d["curator"] for d in link["decisions"] if d["batch"] == "adjudication"} == {"eva"}
    assert len(link["documents"]) == 16 and all(d["digest"] and d["source"] for d in link["decisions"])
    training = report(config, 2)["training"]
    assert training["curated_documents"] == 16 and training["adopted"]
    assert report(config, 2)["next_model"] == str(folder)
    assert json.loads((folder / "scorer.json").read_text())["facts"]["weight of curated documents"] == 2


def test_agreement_is_measured_where_curators_share_documents(finished):
    config, _, _ = finished
    agreed = json.loads((config.out / "round-1" / "agreement.json").read_text())
    assert agreed["documents"] == 8 and 0.5 < agreed["fleiss"]["value"] < 1  # by how few are wrong
    assert (config.out / "round-1" / "agreement.svg").exists()
    assert len(read_decisions(config.out / "curated" / "decisions.jsonl")) == 34


def test_what_curators_differ_in_is_asked_once_more_with_their_answers(finished):
    config, _, _ = finished
    [card] = page_data(config.out / "adjudicate.html")["cards"]
    assert card["document"]["id"] in report(config, 2)["batch"]
    assert "ana:" in card["note"] and "? = not settled" in card["note"]
    merged = {d.id: d.extra["curation"]["status"] for d in read_documents(config.out / "curated" / "curated.jsonl")}
    assert list(merged.values()).count("adjudicated") == 2 and merged[card["document"]["id"]] == "adjudicated"


def test_a_finished_loop_does_nothing_more(finished):
    config, _, waits = finished
    said = []
    assert run_curation(config, Context(say=said.append)).waiting_for == waits[4]
    assert all("done before" in line for line in said)


def test_a_batch_half_done_waits_and_a_small_one_trains_nothing(tmp_path):
    config = make_config(tmp_path / "run", batch=4)
    run_curation(config, Context())
    page, folder = config.out / "round-1" / "curate.html", config.out / "decisions"
    truth = {document.id: document.label_pairs() for document in read_documents(config.out / "documents.jsonl")}
    decide(page, folder / "ana.json", "ana", truth)
    value = json.loads((folder / "ana.json").read_text())
    answers = value["answers"]
    answers[0]["status"], answers[1]["status"] = "draft", "discarded"
    (folder / "ana.json").write_text(json.dumps(value, indent=1))
    (folder / "shopping.json").write_text('{"milk": {"litres": 2}}')
    said = []
    assert "3 of 4 documents are decided (ana)" in run_curation(config, Context(say=said.append)).waiting_for
    assert any("shopping.json" in line for line in said)
    answers[0]["status"] = "submitted"
    (folder / "ana.json").write_text(json.dumps(value, indent=1))
    assert "round-2: 0 of 4" in run_curation(config, Context(say=said.append)).waiting_for
    first = report(config, 1)
    assert first["training"] == "3 curated documents; training begins with 10" and first["next_model"] is None
    assert "only ana" in first["agreement"] and first["scores"]["documents"] == 3


def test_the_command_ends_well_and_refuses_what_makes_no_sense(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    text = (
        (ROOT / "configs" / "curation.yaml")
        .read_text()
        .replace("../runs/curation\n", f"{tmp_path}/run\n")
        .replace("../data", f"{ROOT}/data")
    )
    (tmp_path / "c.yaml").write_text(text.replace("n: 27", "n: 3"))
    result = CliRunner().invoke(app, ["run", str(tmp_path / "c.yaml")])
    assert result.exit_code == 0 and "run the same command again" in result.output
    refused = CliRunner().invoke(app, ["run", str(tmp_path / "c.yaml"), "--only", "sample"])
    assert refused.exit_code == 2 and "--only goes with stages" in refused.output
    with pytest.raises(InputError, match="expected an extractor"):
        run_curation(make_config(tmp_path / "other", model=tmp_path), Context())


def test_two_curators_on_a_server(annotation_server, tmp_path, monkeypatch):
    from annotation.argilla.pull import pull
    from annotation.argilla.push import find_dataset
    from tests.annotation.curators import answer

    monkeypatch.setenv("ARGILLA_API_KEY", annotation_server.api_key)
    where = {"offline": False, "url": annotation_server.url, "workspace": "loop", "dataset": "loop"}
    config = make_config(tmp_path / "run", batch=3, overlap=1.0, conflicts="leave", **where)
    waiting = run_curation(config, Context()).waiting_for
    assert "round-1: 0 of 3 documents" in waiting and annotation_server.url in waiting
    truth = {document.id: document.label_pairs() for document in read_documents(config.out / "documents.jsonl")}
    batch = [document.id for document in read_documents(config.out / "round-1" / "batch.jsonl")]
    differed = batch[0]
    for name in ("loop-ana", "loop-ben"):
        client = annotation_server.curator(name, "loop")
        for id in batch:
            pairs = [*truth[id], *([("Usnea testalis", "acid")] if name == "loop-ben" and id == differed else [])]
            lines = "\n".join(" | ".join(pair) for pair in pairs) or "none"
            answer(client, "loop-overlap", "loop", id, lines).raise_for_status()
        waiting = run_curation(config, Context()).waiting_for
        assert name != "loop-ana" or "0 of 3 documents are decided (loop-ana)" in waiting
    assert "round-2: 0 of 3" in waiting
    first = report(config, 1)
    assert len(first["curators"]) == 2 and first["conflicts"] == 1 and first["agreement"]["documents"] == 3
    owner = annotation_server.connect()
    assert find_dataset(owner, "loop-adjudication", "loop") is not None
    assert {d.source for d in pull(owner, "loop", "loop", Context()).decisions} == {"argilla:loop-overlap"}
