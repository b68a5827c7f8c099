"""data/curated is what its datasheet says: names, offsets and hashes, and no text."""

import importlib.util
import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

from abroad.core.context import Context
from abroad.documents.curated.labels import normal, read_labels, text_sha256

ROOT = Path(__file__).parents[3]
CURATED = ROOT / "data" / "curated"
LABELS, LOCKED = CURATED / "labels.jsonl", CURATED / "locked_for_scoring_only.jsonl"
ORIGIN = {LABELS: "labelled.json", LOCKED: "labelled_locked.json"}
LONGEST_NAME = 150  # characters: a systematic name
MAX_WORDS = 13  # of a systematic name that its authors wrote with spaces
EITHER = pytest.mark.parametrize("path", [LABELS, LOCKED], ids=lambda path: path.name)
FIELDS = {
    *("id", "PMID", "doi", "source", "text_sha256", "title_sha256", "abstract_sha256"),
    *("organisms", "chemicals", "relations"),
}


@pytest.fixture(scope="module")
def maker():
    spec = importlib.util.spec_from_file_location("curated_labels", ROOT / "benchmarks" / "curated_labels.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def records(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def entities(record):
    return [*record["organisms"], *record["chemicals"]]


@EITHER
def test_every_record_is_read(path):
    context = Context()
    labels = read_labels(path, context)
    assert (len(labels), len(context.rejects)) == ({LABELS: 3523, LOCKED: 100}[path], 0)
    assert [item.to_dict() for item in labels] == records(path)
    assert [item.id for item in labels] == sorted(item.id for item in labels)


@EITHER
def test_nothing_but_names_is_shipped(path):
    """Each value is an identifier, a hash, a number or a name; the shapes leave no room for a sentence."""
    for record in records(path):
        assert set(record) == FIELDS
        assert re.fullmatch(r"[fgh]\d{4}", record["id"])
        assert record["PMID"] is None or re.fullmatch(r"\d{1,8}", record["PMID"])
        assert record["doi"] is None or re.fullmatch(r"10\.\d{4,9}/\S{1,80}", record["doi"])
        assert record["source"] in {"foodmine", "journal", "mibig", "mibig_negative", "npatlas", "other"}
        for name in ("text_sha256", "title_sha256", "abstract_sha256"):
            assert record[name] is None or re.fullmatch(r"[0-9a-f]{64}", record[name])
        for entity in record["organisms"]:
            assert set(entity) == {"id", "label", "spans"}
        for entity in record["chemicals"]:
            assert set(entity) == {"id", "label", "type", "spans"} and entity["type"] in ("chemical", "class")
        for entity in entities(record):
            assert re.fullmatch(r"[OC]\d{1,3}(#\d)?", entity["id"])
            label = entity["label"]
            assert len(label) < LONGEST_NAME and len(label.split()) <= MAX_WORDS, label
            assert not re.search(r"[a-z]\. [A-Z]|\n", label), label
        ids = {entity["id"] for entity in entities(record)}
        assert {id for pair in record["relations"] for id in pair} == ids


@EITHER
def test_counts_and_relations_are_those_of_the_source(path, shared_data):
    source = json.loads((shared_data / "field" / ORIGIN[path]).read_text("utf-8"))
    shipped = {record["id"]: record for record in records(path)}
    assert set(shipped) == set(source)
    for id, record in shipped.items():
        for ours, theirs in ((_pairs(record), _pairs(source[id])), (_types(record), _types(source[id]))):
            assert ours == theirs, id
        assert record["source"] == source[id]["source"]


def _pairs(record):
    labels = {entity["id"]: entity["label"] for entity in entities(record)}
    return [(labels[organism], labels[chemical]) for organism, chemical in record["relations"]]


def _types(record):
    return [(entity["label"], entity["type"]) for entity in record["chemicals"]]


@EITHER
def test_hashes_and_offsets_fit_the_texts(path, shared_data):
    source = json.loads((shared_data / "field" / ORIGIN[path]).read_text("utf-8"))
    named = total = 0
    for record in records(path):
        title, abstract = source[record["id"]]["ArticleTitle"], source[record["id"]]["AbstractText"]
        assert record["text_sha256"] == text_sha256(title, abstract)
        text = f"{normal(title)} {normal(abstract)}"
        for entity in entities(record):
            total += 1
            named += bool(entity["spans"])
            for start, end in entity["spans"]:
                assert 0 <= start < end <= len(text)
                assert text[start:end].strip() == text[start:end]
    assert named > 0.95 * total


@EITHER
def test_no_run_of_words_of_a_text_is_shipped_but_in_a_name(path, shared_data):
    """Six words in a row of a title or an abstract stand nowhere in the file but inside a label."""
    source = json.loads((shared_data / "field" / ORIGIN[path]).read_text("utf-8"))
    for record in records(path):
        labels = [entity["label"] for entity in entities(record)]
        words = f"{source[record['id']]['ArticleTitle']} {source[record['id']]['AbstractText']}".split()
        runs = {" ".join(words[place : place + 6]) for place in range(len(words) - 5)}
        line = json.dumps(record, ensure_ascii=False)
        for run in runs:
            assert run not in line or any(run in label for label in labels), run


def test_the_files_are_made_again(maker, shared_data, tmp_path, capsys):
    """To the byte by the same code; spans may move when the reading of lists is mended, all else may not."""
    for name in ("once", "again"):
        maker.main(shared_data / "field", tmp_path / name)
    for path in ORIGIN:
        made = tmp_path / "once" / path.name
        assert made.read_bytes() == (tmp_path / "again" / path.name).read_bytes()
        assert [_without_spans(record) for record in records(made)] == [_without_spans(r) for r in records(path)]


def _without_spans(record):
    bare = [{name: value for name, value in entity.items() if name != "spans"} for entity in entities(record)]
    return {**record, "organisms": bare, "chemicals": []}


def test_the_locked_documents_are_in_no_other_part():
    labels, locked = records(LABELS), records(LOCKED)
    for name in ("id", "PMID", "text_sha256", "abstract_sha256"):
        assert not {r[name] for r in labels if r[name]} & {r[name] for r in locked if r[name]}
    split = json.loads((ROOT / "benchmarks" / "results" / "split.json").read_text("utf-8"))
    assert set(split["validation"]) <= {record["id"] for record in labels}
    # Two papers are in both parts, in the words of two journals' feeds; the datasheet names them.
    shared = {r["doi"] for r in labels if r["doi"]} & {r["doi"] for r in locked if r["doi"]}
    assert shared == {"10.3390/md19020046", "10.3390/md19020052"}
    assert all(doi in (CURATED / "README.md").read_text("utf-8") for doi in shared)


def test_the_datasheet_states_the_counts_of_the_files(maker):
    said = (CURATED / "README.md").read_text("utf-8")
    for path in ORIGIN:
        counts = maker.counts(read_labels(path, Context()))
        assert _row(path.name, counts["documents"], counts["relations"], counts["without relations"]) in said
    for source, numbers in maker.counts(read_labels(LABELS, Context()))[maker.BY_SOURCE].items():
        assert _row(source, *numbers) in said


def _row(name, *numbers):
    return f"| `{name}` | {' | '.join(f'{number:,}' for number in numbers)} |"


def test_the_files_stay_small():
    assert sum(path.stat().st_size for path in CURATED.iterdir()) < 4_000_000


def test_the_datasheet_names_the_papers_that_are_in_training_and_validation():
    split = json.loads((ROOT / "benchmarks" / "results" / "split.json").read_text("utf-8"))
    of_doi = defaultdict(set)
    for record in records(LABELS):
        of_doi[record["doi"] or record["id"]].add(record["id"])
    twice = [ids for ids in of_doi.values() if len(ids) > 1]
    said = (CURATED / "README.md").read_text("utf-8")
    assert f"{len(twice)} DOIs are in two records" in said
    for ids in twice:
        if len(ids & set(split["validation"])) == 1:
            assert all(f"`{id}`" in said for id in ids)
