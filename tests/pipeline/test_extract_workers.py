"""Extraction by several processes: whatever is killed, nothing is lost and nothing stands twice."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from abroad.core.context import Context
from abroad.core.errors import AbroadError
from abroad.core.helpers import helper_folder
from abroad.core.io import read_documents, read_predictions, write_jsonl
from abroad.core.schema import Document, Prediction, Relation
from abroad.documents.parts import parts
from abroad.documents.stream import ListedDocuments
from abroad.pipeline import extract as stage
from abroad.pipeline.extract import Extraction, extract_stage
from abroad.pipeline.extract_settings import FileSettings
from tests.shards import answered, wait_until

psutil = pytest.importorskip("psutil")
DOCUMENTS = 60


class Slow:
    """Takes a moment for each document; a text can make it die, fail, or take its time."""

    identity = {"model": "slow"}  # noqa: RUF012

    def extract(self, documents):
        for document in documents:
            if "deadly" in document.text:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(float(os.environ.get("SECONDS_OF_SLOW", "0.01")) * ("slow" in document.text))
            error = "no" if "bad" in document.text else None
            yield Prediction(document.id, [] if error else [Relation("Usnea barbata", document.id, 0.5)], error)


def documents(word="plain", count=DOCUMENTS):
    return [Document(str(n), f"Paper {n}", f"A {word} text.") for n in range(count)]


def run(found, out, workers=2, make=Slow, **more):
    by = Extraction(make(), make)
    return extract_stage(ListedDocuments(found), out, by, FileSettings(workers=workers, **more), Context())


def check_exactly_once(out, count=DOCUMENTS):
    assert Counter(p.id for p in read_predictions(out)) == Counter(map(str, range(count)))
    assert [d.id for d in read_documents(helper_folder(out) / "documents.jsonl")] == [str(n) for n in range(count)]
    assert not list(helper_folder(out).glob("shards*"))


def test_several_processes_write_what_one_writes(tmp_path):
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    found = [*documents(), Document("bad", "", "A bad text.")]
    reports = [run(found, out, workers) for out, workers in ((one, 1), (two, 2))]
    assert one.read_bytes() == two.read_bytes()
    first, second = (report.counts for report in reports)
    assert (first.failed, first.first_error) == (second.failed, second.first_error) == (1, "bad: no")
    assert first.relations == second.relations == DOCUMENTS


def test_a_shard_whose_worker_always_dies_fails_alone_and_the_others_are_kept(tmp_path):
    out = tmp_path / "p.jsonl"
    found = documents(count=20)
    found[7] = Document("7", "", "A deadly text.")
    with pytest.raises(AbroadError, match=r"1 of \d+ shards could not be answered .*SIGKILL"):
        run(found, out)
    assert not out.exists()
    found[7] = Document("7", "", "A text.")
    report = run(found, out)
    assert report.resumed >= 16
    check_exactly_once(out, 20)


def test_an_extractor_that_changed_meanwhile_is_told(tmp_path):
    class Other(Slow):
        identity = {"model": "other"}  # noqa: RUF012

    by = Extraction(Other(), Slow)
    with pytest.raises(AbroadError, match="was changed while the run began"):
        extract_stage(ListedDocuments(documents()), tmp_path / "p.jsonl", by, FileSettings(workers=2), Context())


def test_other_links_and_other_documents_take_over_what_was_extracted(tmp_path):
    """Linking is done anew, extraction is not; documents in other places are found again."""
    out, asked = tmp_path / "p.jsonl", []

    class Counting(Slow):
        def extract(self, documents):
            asked.extend(document.id for document in documents)
            return super().extract(documents)

    run(documents(), out, 1, Counting, link=False)
    assert len(asked) == DOCUMENTS and all(r.organism_id is None for p in read_predictions(out) for r in p.relations)
    asked.clear()
    later = [Document("new", "", "A new text."), *documents()[::-1]]
    report = run(later, out, 1, Counting)
    assert asked == ["new"] and report.resumed == DOCUMENTS
    assert [p.id for p in read_predictions(out)] == [d.id for d in later]
    assert all(r.organism_id is not None for p in read_predictions(out) for r in p.relations)


def test_an_unfinished_run_of_the_version_before_shards_is_gone_on_with(tmp_path):
    from abroad.core.resume import ResumableOutput, digest

    out = tmp_path / "p.jsonl"
    wanted = {document.id: digest(document.text) for document in documents()}
    with ResumableOutput(out, Slow.identity, wanted) as output:
        for id in ("3", "5"):
            output.append(Prediction(id, [Relation("O", "of before")]).to_dict())
    assert run(documents(), out, 1).resumed == 2
    check_exactly_once(out)
    assert [p.id for p in read_predictions(out) if p.relations[0].chemical == "of before"] == ["3", "5"]
    assert not list(helper_folder(out).glob("partial*"))


def test_a_full_text_is_extracted_part_by_part_and_has_one_prediction(tmp_path):
    paragraphs = [f"Paragraph {n}. " + "Quercetin was isolated from Allium cepa. " * 60 for n in range(6)]
    found = [Document("a", "A paper", "An abstract."), Document("full", "A paper", "\n".join(paragraphs))]
    assert len(parts(found[1])) > 1
    run(found, tmp_path / "p.jsonl", 1)
    first, second = read_predictions(tmp_path / "p.jsonl")
    assert (first.id, second.id) == ("a", "full") and len(second.relations) == len(parts(found[1]))


def test_small_inputs_are_read_in_this_process(tmp_path, monkeypatch):
    monkeypatch.setattr(stage, "cores", lambda: 8)
    monkeypatch.setattr(stage, "work_through", lambda *_: pytest.fail("processes were started"))
    run(documents(), tmp_path / "p.jsonl", None)
    check_exactly_once(tmp_path / "p.jsonl")


DRIVER = (
    "import sys; from pathlib import Path; from tests.pipeline.test_extract_workers import run, documents; "
    "run(documents('slow'), Path(sys.argv[1]))"
)


def start(out, seconds):
    environment = os.environ | {"SECONDS_OF_SLOW": str(seconds)}
    # What a shell starts in the background ignores SIGINT, and so would what the tests start.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    command = [sys.executable, "-c", heed + DRIVER, str(out)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def test_a_killed_worker_is_replaced_and_no_record_is_lost_or_doubled(tmp_path):
    out = tmp_path / "p.jsonl"
    process = start(out, 0.2)
    try:
        wait_until(lambda: answered(out) >= 3, 120)
        victims = [child for child in psutil.Process(process.pid).children() if "spawn_main" in str(child.cmdline())]
        victims[0].kill()
        _, stderr = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 0, stderr
    check_exactly_once(out)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_goes_on_where_it_was_and_leaves_no_process(tmp_path, how):
    out = tmp_path / "p.jsonl"
    process = start(out, 1)
    wait_until(lambda: answered(out) >= 3, 120)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(how)
    process.communicate(timeout=300)
    psutil.wait_procs(children, timeout=60)
    assert children and not any(child.is_running() for child in children)
    kept = answered(out)
    assert kept >= 3 and not out.exists()
    report = run(documents("slow"), out)
    assert report.resumed == kept
    check_exactly_once(out)


def test_the_command_takes_workers(cli, tmp_path):
    sentence = "Quercetin was isolated from Allium cepa."
    write_jsonl(tmp_path / "d.jsonl", ({"id": str(n), "AbstractText": sentence} for n in range(4)))
    result = cli("extract", tmp_path / "d.jsonl", "--out", tmp_path / "p.jsonl", "--workers", 2)
    assert result.exit_code == 0, result.output
    check_exactly_once(tmp_path / "p.jsonl", 4)
    assert cli("extract", tmp_path / "d.jsonl", "--out", tmp_path / "q.jsonl", "--workers", 0).exit_code == 2


@pytest.mark.slow
def test_ray_spreads_the_shards(tmp_path, monkeypatch):
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_ADDRESS", "local")
    run(documents(), tmp_path / "p.jsonl")
    check_exactly_once(tmp_path / "p.jsonl")
