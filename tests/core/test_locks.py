"""Two runs of one output: the second is told who holds it; a holder that dies holds nothing."""

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.locks import held
from abroad.core.outputs import Kind, Output, guard
from abroad.core.resume import ResumableOutput
from abroad.core.schema import Document, Prediction
from abroad.engines.base import Generation
from abroad.sources.pubmed import Article

HOLDER = """
import sys
from abroad.core.locks import held
with held(sys.argv[1], "abroad test"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out.jsonl"


@pytest.fixture
def holder(out):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, out], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def by_lock(path):
    with held(path):
        pass


def by_gate(path):
    with guard([Output(path, Kind("x"))]):
        pass


def by_resumption(path):
    with ResumableOutput(path, {}, {}):
        pass


def by_generation(path):
    from abroad.synthesis.generation.generate import generate_abstracts

    prompts = path.with_name("prompts.jsonl")
    prompts.write_text('{"id": "1", "prompt": "A"}\n')
    engine = SimpleNamespace(generate=lambda requests: (Generation(r.id, "Text.", "stop", 1) for r in requests))
    generate_abstracts(prompts, path, engine, Context(), {})


def by_fetching(path):
    from abroad.documents.fetch import fetch_documents
    from abroad.sources.references import Reference

    article = Article("1", "A title.", None, None)
    client = SimpleNamespace(fetch=lambda pmids, context: iter([{"1": article}]))
    fetch_documents([Reference("1")], {}, path, Context(), client=client)


def by_extraction(path):
    from abroad.extraction.base import extract_documents

    extractor = SimpleNamespace(identity={}, extract=lambda documents: (Prediction(d.id) for d in documents))
    extract_documents([Document("1", "A title.", "")], extractor, path)


WAYS = [by_lock, by_gate, by_resumption, by_generation, by_fetching, by_extraction]


@pytest.mark.parametrize("way", WAYS)
def test_the_second_run_is_told_who_holds_the_output(out, holder, way, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    for path in (out, out.relative_to(tmp_path), link / out.name):
        with pytest.raises(InputError) as caught:
            way(path)
        assert caught.value.exit_code == 2
        words = rf"process {holder.pid} on {re.escape(socket.gethostname())} since \d{{4}}-.* \(abroad test\)"
        assert re.search(words, str(caught.value)) and str(path) in str(caught.value)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("end", ["kill", "end"])
def test_when_the_holder_is_gone_the_output_is_free(out, holder, way, end):
    if end == "kill":
        holder.send_signal(signal.SIGKILL)
    else:
        holder.stdin.close()
    holder.wait(30)
    way(out)


def test_a_block_within_a_block_holds_too_and_leaves_nothing(out, tmp_path):
    with held(out), guard([Output(out, Kind("x"))]), ResumableOutput(out, {}, {}):
        assert (tmp_path / "out.jsonl.abroad" / "lock.json").exists()
    by_lock(out)
    names = {path.name for path in tmp_path.rglob("*")}
    assert not any(name.startswith("lock") for name in names)


def test_a_failing_block_lets_go(out, tmp_path):
    with pytest.raises(RuntimeError), held(out):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    by_lock(out)


def test_what_several_runs_share_is_not_held(out, holder):
    with guard([Output(out, Kind("a study", shared=True))]):
        pass


@pytest.mark.skipif(os.name == "nt", reason="counts processes by their exit codes")
def test_of_many_at_once_each_holds_it_alone(out, tmp_path):
    script = textwrap.dedent("""
        import os, sys, time
        from abroad.core.errors import InputError
        from abroad.core.locks import held
        while True:
            try:
                with held(sys.argv[1]):
                    mark = os.open(sys.argv[2], os.O_CREAT | os.O_EXCL)  # fails where another holds it too
                    time.sleep(0.01)
                    os.close(mark)
                    os.unlink(sys.argv[2])
                    break
            except InputError:
                time.sleep(0.005)
    """)
    command = [sys.executable, "-c", script, str(out), str(tmp_path / "mark")]
    processes = [subprocess.Popen(command) for _ in range(6)]
    assert [process.wait(60) for process in processes] == [0] * 6


COMMANDS = ["extract", "documents fetch", "synth generate", "train", "run", "extractor train", "knowledge build"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_whose_output_is_held_exits_with_2(cli, tmp_path, monkeypatch, command):
    """Every command that goes on where it stopped, before it reads or loads anything large."""
    monkeypatch.chdir(tmp_path)
    docs, config, place = tmp_path / "docs.jsonl", tmp_path / "c.yaml", tmp_path / "run"
    docs.write_text('{"id": "1", "title": "Rutin of Ruta."}\n')
    config.write_text("out: run\nlotus: {relations: docs.jsonl}\nevaluate: {gold: docs.jsonl}\n")
    if command == "run":
        arguments = [config]
    else:
        arguments = [docs, *(["--model", tmp_path] if command == "synth generate" else []), "--out", place]
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, place], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "held\n"
        result = cli(*command.split(), *arguments)
        assert result.exit_code == 2 and f"process {process.pid} on" in result.stderr, result.output
    finally:
        process.kill()
        process.wait()
