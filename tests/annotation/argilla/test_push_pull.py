"""Documents go to a real server and decisions come back: nothing doubled, nothing lost."""

import json
import threading

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.core.errors import AbroadError, InputError
from abroad.core.io import dump_line, read_documents, write_documents, write_json
from abroad.core.schema import Prediction
from annotation.argilla.adjudicate import adjudicate
from annotation.argilla.connection import connect
from annotation.argilla.pull import file_names, pull, read_offline, together, write_pulled
from annotation.argilla.push import PushSettings, find_dataset, is_overlap, push
from annotation.argilla.stored import stored_records
from annotation.argilla.task import make_record
from annotation.argilla.users import add_curator
from annotation.decisions.records import read_decisions
from tests.annotation.curators import answer
from tests.conftest import make_document

pytest.importorskip("argilla")
from abroad.text.evidence import with_evidence

TEXT = "Usnic acid and barbatic acid were isolated from Usnea testalis."
PAIRS = [("Usnea testalis", "usnic acid"), ("Usnea testalis", "barbatic acid")]
DOCUMENTS = [make_document(f"d{n}", f"Title {n}.", TEXT, []) for n in range(8)]
PREDICTIONS = [
    Prediction(d.id, [with_evidence(d, *pair, score) for pair, score in zip(PAIRS, (0.9, 0.4), strict=True)])
    for d in DOCUMENTS
]


def setting(name, **more):
    return PushSettings(dataset=name, workspace=name, **more)


def test_push_twice_updates_and_keeps_what_was_answered(annotation_server, tmp_path):
    client = annotation_server.connect()
    context = Context()
    first = push(client, DOCUMENTS, [*PREDICTIONS, Prediction("else", [])], setting("twice"), context)
    assert (first.created, first.updated) == (8, 0)
    assert context.rejects.items == [{"where": "prediction else", "reason": "no document has this id"}]
    ana = annotation_server.curator("twice-ana", "twice")
    assert answer(ana, "twice", "twice", "d0", "Usnea testalis | usnic acid").status_code == 201

    again = push(client, DOCUMENTS, [Prediction(d.id, []) for d in DOCUMENTS], setting("twice", batch="2"), Context())
    assert (again.created, again.updated, again.answered) == (0, 7, ["d0"])
    records = {record.id: record for record in stored_records(client, find_dataset(client, "twice", "twice"))}
    assert set(records) == {d.id for d in DOCUMENTS}
    assert records["d0"].metadata["batch"] == "1" and records["d1"].metadata["batch"] == "2"
    (decision,) = pull(client, "twice", "twice", Context()).decisions
    assert (decision.curator, decision.relations) == ("twice-ana", (PAIRS[0],))


def test_what_a_curator_sees(annotation_server):
    client = annotation_server.connect()
    push(client, DOCUMENTS[:1], PREDICTIONS[:1], setting("sees", model="pairs 0.1", batch="b"), Context())
    dataset = find_dataset(client, "sees", "sees")
    assert "the source from which the chemical was isolated" in dataset.guidelines
    (record,) = dataset.records()
    assert record.fields["text"] == f"Title 0.\n{TEXT}"
    suggestions = {item.question_name: item for item in record.suggestions}
    assert suggestions["relations"].value == "Usnea testalis | usnic acid\nUsnea testalis | barbatic acid"
    assert (suggestions["relations"].score, suggestions["relations"].agent) == (0.4, "pairs 0.1")
    text = DOCUMENTS[0].text
    spans = {(span["label"], text[span["start"] : span["end"]]) for span in suggestions["spans"].value}
    assert spans == {("organism", "Usnea testalis"), ("chemical", "Usnic acid"), ("chemical", "barbatic acid")}
    assert max(suggestions["spans"].score) == 0.9
    shown = {name: record.metadata[name] for name in ("relation_count", "lowest_score", "batch", "rank")}
    assert shown == {"relation_count": 2, "lowest_score": 0.4, "batch": "b", "rank": 0}


def test_two_curators_in_parallel_conflict_and_adjudication(annotation_server, tmp_path):
    client = annotation_server.connect()
    report = push(client, DOCUMENTS, PREDICTIONS, setting("both", overlap=1.0), Context())
    assert report.overlapping == 8
    names = ("both-ana", "both-bo")
    curators = [annotation_server.curator(name, "both") for name in names]
    both = "\n".join(map(" | ".join, PAIRS))
    texts = [{d.id: both for d in DOCUMENTS}, {d.id: both if d.id != "d3" else " | ".join(PAIRS[0]) for d in DOCUMENTS}]
    codes = []

    def work(curator, answers):
        for id, text in answers.items():
            codes.append(answer(curator, "both-overlap", "both", id, text).status_code)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(curators, texts, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [201] * 16

    merged, counts = write_pulled(pull(client, "both", "both", Context()), tmp_path)
    assert (counts.submitted, counts.curators, counts.conflicts) == (16, 2, 1)
    assert [conflict.document for conflict in merged.conflicts] == ["d3"]
    own = {d.id: d.label_pairs() for d in read_documents(tmp_path / "curators" / "both-bo.jsonl")}
    assert own["d3"] == [PAIRS[0]] and own["d4"] == PAIRS

    assert adjudicate(client, pull(client, "both", "both", Context()), "both", "both") == ["d3"]
    (record,) = find_dataset(client, "both-adjudication", "both").records()
    assert "both-ana:" in record.fields["answers"] and "? Usnea testalis | barbatic acid" in record.fields["answers"]
    judge = annotation_server.curator("both-judge", "both")
    assert answer(judge, "both-adjudication", "both", "d3", both).status_code == 201
    merged, counts = write_pulled(pull(client, "both", "both", Context()), tmp_path)
    curated = {document.id: document for document in merged.documents}
    assert counts.conflicts == 0 and curated["d3"].label_pairs() == PAIRS
    assert curated["d3"].extra["curation"]["status"] == "adjudicated"
    assert adjudicate(client, pull(client, "both", "both", Context()), "both", "both") == []


def test_drafts_discarded_and_free_text_are_kept(annotation_server, tmp_path):
    client = annotation_server.connect()
    push(client, DOCUMENTS[:4], PREDICTIONS, setting("kept"), Context())
    ana = annotation_server.curator("kept-ana", "kept")
    spans = [{"start": 9, "end": 19, "label": "chemical"}]
    assert answer(ana, "kept", "kept", "d0", "U. testalis | usnic acid\nhm?", spans=spans).status_code == 201
    assert answer(ana, "kept", "kept", "d1", "none", status="draft").status_code == 201
    assert answer(ana, "kept", "kept", "d2", None, status="discarded").status_code == 201
    pulled = pull(client, "kept", "kept", Context())
    by_id = {decision.document: decision for decision in pulled.decisions}
    assert {id: d.status for id, d in by_id.items()} == {"d0": "submitted", "d1": "draft", "d2": "discarded"}
    assert by_id["d0"].relations == (PAIRS[0],)
    assert [flag.line for flag in by_id["d0"].flagged] == ["hm?"]
    assert [(m.start, m.end, m.role) for m in by_id["d0"].mentions] == [(9, 19, "chemical")]
    assert by_id["d0"].updated_at
    _, counts = write_pulled(pulled, tmp_path)
    assert (counts.documents, counts.drafts, counts.discarded, counts.flagged) == (1, 1, 1, 1)
    assert write_pulled(pulled, tmp_path, drafts=True)[1].documents == 2
    assert pulled.predictions["d3"].relations == PREDICTIONS[3].relations
    assert len(together([pulled, pulled]).decisions) == 3


def test_killed_in_the_middle_and_pushed_again(own_server, monkeypatch):
    own_server.start()
    many = [make_document(f"m{n}", "T.", TEXT, []) for n in range(250)]
    made = []

    def kill_at_150(card):
        made.append(card)
        if len(made) == 150:
            own_server.kill()
        return make_record(card)

    with monkeypatch.context() as patch:
        patch.setattr("annotation.argilla.push.make_record", kill_at_150)
        with pytest.raises(AbroadError, match="no server answers"):
            push(own_server.connect(), many, [], setting("killed"), Context())
    own_server.start()
    client = own_server.connect()
    report = push(client, many, [], setting("killed"), Context())
    assert (report.created, report.updated) == (150, 100)
    assert len(list(stored_records(client, find_dataset(client, "killed", "killed")))) == 250


def test_wrong_settings(annotation_server):
    client = annotation_server.connect()
    with pytest.raises(InputError, match=r"overlap: .* found 2"):
        push(client, DOCUMENTS, [], setting("wrong", overlap=2), Context())
    with pytest.raises(InputError, match="expected letters"):
        push(client, DOCUMENTS, [], setting("not a name"), Context())
    with pytest.raises(InputError, match="push to it first"):
        pull(client, "nowhere", "nowhere", Context())


def test_overlap_is_a_stable_share():
    chosen = [is_overlap(str(n), 0.2) for n in range(2000)]
    assert 340 < sum(chosen) < 460
    assert not any(is_overlap(str(n), 0) for n in range(50)) and all(is_overlap(str(n), 1) for n in range(50))


def test_from_the_command_line(annotation_server, cli, tmp_path, monkeypatch):
    monkeypatch.setenv("ARGILLA_API_URL", annotation_server.url)
    monkeypatch.setenv("ARGILLA_API_KEY", annotation_server.api_key)
    write_documents(tmp_path / "docs.jsonl", DOCUMENTS[:3])
    lines = [dump_line(prediction.to_dict()) for prediction in PREDICTIONS[:2]]
    (tmp_path / "pred.jsonl").write_text("".join([*lines, "broken\n"]))
    place = ("--dataset", "command", "--workspace", "command")
    pushed = cli(
        "annotate", "push", tmp_path / "docs.jsonl", "--pred", tmp_path / "pred.jsonl", "--order", "gme", *place
    )
    assert pushed.exit_code == 0 and "3 documents pushed (3 new, 0 updated" in pushed.stdout
    assert "broken JSON" in (tmp_path / "pred.jsonl.abroad" / "rejects-of-push.jsonl").read_text()
    ana = annotation_server.curator("command-ana", "command")
    assert answer(ana, "command", "command", "d2", "Usnea testalis | usnic acid").status_code == 201
    pulled = cli("annotate", "pull", "--out", tmp_path / "out", *place)
    assert "1 curated documents of 1 curators: 1 answers submitted" in pulled.stdout
    (document,) = read_documents(tmp_path / "out" / "curated.jsonl")
    assert document.label_pairs() == [PAIRS[0]] and document.title == "Title 2."
    assert "0 conflicts to decide" in cli("annotate", "adjudicate", *place).stdout
    assert cli("annotate", "push", tmp_path / "docs.jsonl", "--order", "best", *place).exit_code == 2
    assert cli("annotate", "pull", "--out", tmp_path / "out", "--no-server").exit_code == 2


def test_what_the_offline_page_saved(tmp_path):
    answers = [
        {"document": "d0", "curator": "ana", "status": "submitted", "relations": "Usnea testalis | usnic acid"},
        {"document": "d1", "curator": "ana", "status": "draft", "relations": "?"},
        {"document": "gone", "curator": "ana", "status": "submitted", "relations": ""},
        {"document": "d0", "curator": "bo", "status": "perhaps", "relations": ""},
    ]
    shown = [{**d.to_dict(), "prediction": p.to_dict()} for d, p in zip(DOCUMENTS[:2], PREDICTIONS, strict=False)]
    write_json(tmp_path / "ana.json", {"documents": shown, "answers": answers})
    context = Context()
    pulled = read_offline(tmp_path / "ana.json", context)
    assert [(d.document, d.status, d.source) for d in pulled.decisions] == [
        ("d0", "submitted", "html:ana.json"),
        ("d1", "draft", "html:ana.json"),
    ]
    assert pulled.predictions["d0"].relations == PREDICTIONS[0].relations
    assert [item["where"].rpartition(": ")[2] for item in context.rejects.items] == ["answer 3", "answer 4"]
    write_json(tmp_path / "else.json", {"x": {}})
    with pytest.raises(InputError, match="the JSON that the offline page saves"):
        read_offline(tmp_path / "else.json", context)


@pytest.mark.parametrize("prediction", [3, "x", [], {}, {"id": "1"}, {"id": "1", "relations": [{"organism": 1}]}])
def test_a_malformed_prediction_is_set_aside_and_the_answers_stay(tmp_path, prediction):
    document = {"id": "1", "ArticleTitle": "Rutin of Ruta."}
    answers = [{"document": id, "curator": "ana", "status": "submitted", "relations": "Ruta | rutin"} for id in "12"]
    value = {"documents": [document | {"prediction": prediction}, document | {"id": "2"}], "answers": answers}
    (tmp_path / "ana.json").write_text(json.dumps(value))
    context = Context()
    pulled = read_offline(tmp_path / "ana.json", context)
    assert [decision.document for decision in pulled.decisions] == ["1", "2"]
    assert [item["where"] for item in context.rejects.items] == [f"{tmp_path / 'ana.json'}: document 1"]
    assert pulled.documents["1"].extra == {} and pulled.predictions == {}


NAMES = [
    "ana b",
    "ana_b",
    "ana/b",
    "Ana_B",
    "ana.b",
    "..",
    ".",
    "",
    "con\u0301",
    "c\u00f3n",
    "é" * 200,
    "é" * 201,
    "-x",
    "\ud800",
]


@given(st.lists(st.text(max_size=8) | st.sampled_from(NAMES), unique=True, max_size=12))
@example(NAMES)
def test_curators_have_files_of_their_own(curators):
    """Whatever their names: none is another's, none leaves the folder, none is too long for a file system."""
    files = file_names(curators)
    assert len({name.casefold() for name in files.values()}) == len(set(curators))
    for name in files.values():
        assert "/" not in name and name[0] not in ".-" and len(name.encode()) < 250 and name.endswith(".jsonl")
    assert file_names(["ana.b-1_x@y"])["ana.b-1_x@y"] == "ana.b-1_x@y.jsonl"


def pull_of(cli, tmp_path, *curators):
    answers = [
        {"document": "d0", "curator": curator, "status": "submitted", "relations": "Usnea testalis | usnic acid"}
        for curator in curators
    ]
    write_json(tmp_path / "answers.json", {"documents": [DOCUMENTS[0].to_dict()], "answers": answers})
    out = tmp_path / "out"
    result = cli("annotate", "pull", "--no-server", "--from", tmp_path / "answers.json", "--out", out)
    assert result.exit_code == 0, result.output
    return {path.name for path in (out / "curators").iterdir()}


@pytest.mark.parametrize("earlier_version", [False, True])
def test_files_of_former_curators_go_and_others_stay(cli, tmp_path, earlier_version):
    assert pull_of(cli, tmp_path, "ana b", "ana_b", "bo") == {*file_names(["ana b", "ana_b"]).values(), "bo.jsonl"}
    (tmp_path / "out" / "curators" / "mine.jsonl").write_text("")
    if earlier_version:  # which knew of no list of its own
        (tmp_path / "out.abroad" / "curators.json").unlink()
    assert pull_of(cli, tmp_path, "ana_b") == {"ana_b.jsonl", "mine.jsonl"}


def test_an_admin_pulls_and_adjudicates(annotation_server, cli, tmp_path):
    """With the names of the curators, and not of the workspace's owner alone."""
    owner = annotation_server.connect()
    push(owner, DOCUMENTS[:2], PREDICTIONS[:2], setting("admin", overlap=1.0), Context())
    for name, chemical in (("admin-ana", "usnic acid"), ("admin-bo", "barbatic acid")):
        client = annotation_server.curator(name, "admin")
        answer(client, "admin-overlap", "admin", "d0", f"Usnea testalis | {chemical}")
    add_curator(owner, "admin-chief", role="admin", workspace="admin")
    users = owner.http_client.get("/api/v1/users").json()["items"]
    key = next(user["api_key"] for user in users if user["username"] == "admin-chief")
    options = ("--url", annotation_server.url, "--api-key", key, "--dataset", "admin", "--workspace", "admin")
    for _ in range(2):
        result = cli("annotate", "pull", "--out", tmp_path / "out", *options)
        assert result.exit_code == 0, result.output
        names = {decision.curator for decision in read_decisions(tmp_path / "out" / "decisions.jsonl")}
        assert names == {"admin-ana", "admin-bo"}
        result = cli("annotate", "adjudicate", *options)
        assert result.exit_code == 0 and "1 conflicts to decide" in result.output, result.output
    chief = connect(annotation_server.url, key)
    answer(chief, "admin-adjudication", "admin", "d0", "Usnea testalis | usnic acid")
    assert pull(chief, "admin", "admin", Context()).decisions[-1].curator == "admin-chief"
    push(chief, DOCUMENTS[2:4], [], setting("admin"), Context())
    annotator = annotation_server.curator("admin-cy", "admin")
    with pytest.raises(InputError, match="API key of an owner or admin"):
        pull(annotator, "admin", "admin", Context())
