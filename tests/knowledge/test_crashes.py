"""Killed, out of disk, or two at once: a knowledge base holds what it held before, and the next build goes on."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from abroad.core.helpers import helper_folder
from tests.knowledge.test_build import dump, pairs
from tests.knowledge.world import DOCUMENTS, RELATIONS, document

MORE = [document(f"m{n}", f"Usnic acid of Usnea barbata and of Ruta fictiva {n}.", f"10.1000/m{n}") for n in range(40)]
MORE_RELATIONS = {d.id: [("Usnea barbata", "Usnic acid", 0.5), ("Ruta fictiva", "Usnic acid", 0.5)] for d in MORE}
BUILD = """
import os, signal, sys
from pathlib import Path
from abroad.core.context import Context
from abroad.knowledge import parquet, store
from abroad.knowledge.build import BuildSettings, Sources, build

out, format, folder, last = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
count = 0


def counted(method):
    def call(self, *arguments):
        global count
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return method(self, *arguments)
    return call


for kind in (store.DuckStore, store.SqliteStore):
    kind.query, kind.insert = counted(kind.query), counted(kind.insert)
sources = Sources([folder / "predictions.jsonl"], [folder / "documents.jsonl"], folder / "lotus.sqlite")
build(out, format, sources, BuildSettings(opsin=False), Context())
print(count)
"""


def run(world, out, format, last=0, limit=None):
    before = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n" if limit else ""
    command = [sys.executable, "-c", before + BUILD, out, format, world.folder, last]
    return subprocess.run([*map(str, command)], capture_output=True, text=True)


@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
def test_killed_at_any_moment_the_database_is_what_it_was_or_what_it_is_to_be(world, base, format):
    before = dump(base)
    world.write([*DOCUMENTS, *MORE], RELATIONS | MORE_RELATIONS)
    undisturbed = world.folder / f"whole.{format}"
    shutil.copy(base, undisturbed)
    if format == "parquet":
        shutil.copytree(helper_folder(base), helper_folder(undisturbed))
    statements = int(run(world, undisturbed, format).stdout)
    after = dump(undisturbed)
    for place in (3, statements // 3, statements // 2, statements - 4, statements - 1):
        done = run(world, base, format, place)
        assert done.returncode == -signal.SIGKILL, done.stderr
        found = dump(base)
        assert found in (before, after), place
        if found == before:
            assert pairs(base).keys() == {(p[0], p[1]) for r in RELATIONS.values() for p in r} - _other_spellings() | {
                ("Salvia miltiorrhiza", "(-)-Epicatechin")
            }
    done = run(world, base, format)
    assert done.returncode == 0, done.stderr
    assert dump(base) == after


def _other_spellings():
    return {("Salvia miltiorrhiza", "(−)-Epicatechin")}


@pytest.mark.skipif(os.name == "nt", reason="limits the size of files")
@pytest.mark.parametrize("room", [4_096, 16_384])
def test_out_of_disk_the_database_is_what_it_was_and_the_command_says_so(world, base, format, room, cli):
    before = dump(base)
    world.write([*DOCUMENTS, *MORE], RELATIONS | MORE_RELATIONS)
    done = run(world, base, format, limit=room)
    assert done.returncode == 1 and "OSError" in done.stderr.splitlines()[-1], done.stderr
    assert dump(base) == before
    world.build(base, format)
    assert pairs(base)["Ruta fictiva", "Usnic acid"].publications == 40


HOLDER = """
import sys
from pathlib import Path
from abroad.knowledge.store import writable
with writable(Path(sys.argv[1]), sys.argv[2]) as store, store.transaction():
    store.query("DELETE FROM pair")
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def writer(base, format):
    command = [sys.executable, "-c", HOLDER, str(base), format]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_of_two_writers_the_second_is_told_and_does_nothing(world, base, format, writer, monkeypatch):
    from abroad.knowledge import store

    monkeypatch.setattr(store, "_PATIENCE", 0.2)
    with pytest.raises(store.Busy, match="another process is at this database"):
        world.build(base, format)
    writer.kill()
    writer.wait()
    report, _ = world.build(base, format)
    assert report.unchanged == len(DOCUMENTS) and len(pairs(base)) == 4


def test_who_reads_while_another_writes_sees_the_old_rows_or_is_told(base, format, writer, cli):
    result = cli("knowledge", "stats", base)
    if format == "sqlite":
        assert result.exit_code == 0 and "known" in result.stdout
    else:
        assert result.exit_code == 1 and "another process is at this database" in result.stderr
