"""The gate itself: what may be overwritten, and which marks it leaves."""

import json

import pytest

from abroad.core.errors import InputError
from abroad.core.helpers import helper_folder
from abroad.core.io import atomic_write
from abroad.core.outputs import Kind, Output, check_outputs, guard

JSONL = Kind("JSONL", (".jsonl",))


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out.jsonl"


def written(out, text="text", **options):
    with guard([Output(out, JSONL)], **options):
        out.write_text(text)


def test_a_file_that_was_written_may_be_written_again(out):
    written(out)
    written(out, "other")
    assert out.read_text() == "other"


def test_a_file_of_the_same_size_is_told_by_its_hash(out):
    written(out)
    out.write_text("TEXT")
    with pytest.raises(InputError, match="changed since"):
        written(out)


def test_another_file_in_place_of_a_deleted_one_is_no_output(out):
    written(out)
    out.unlink()
    written(out)
    out.unlink()
    out.write_text("somebody else's")
    with pytest.raises(InputError, match="did not write it"):
        written(out)


def test_an_output_that_went_leaves_its_name_to_nobody(out):
    written(out)
    with guard([Output(out, JSONL)]):
        out.unlink()  # as a resumed run does, and is interrupted
    out.write_text("somebody else's")
    with pytest.raises(InputError, match="did not write it"):
        written(out)


def test_a_block_that_fails_before_it_writes_leaves_nothing(out, tmp_path):
    with pytest.raises(ValueError, match="x"), guard([Output(tmp_path / "a" / "b" / "out.jsonl", JSONL)]):
        raise ValueError("x")
    assert list(tmp_path.iterdir()) == []


def test_a_forced_block_that_fails_does_not_make_a_foreign_file_ours(out):
    out.write_text("mine")
    with pytest.raises(ValueError, match="x"), guard([Output(out, JSONL)], force=True):
        raise ValueError("x")
    with pytest.raises(InputError, match="--force"):
        written(out)


def test_while_a_block_runs_its_output_is_marked(out):
    with guard([Output(out, JSONL)], command="abroad x"):
        marks = out.with_name("out.jsonl.abroad")
        assert json.loads((marks / "writing.json").read_text()) == {"command": "abroad x"}
    assert not marks.exists()


@pytest.mark.parametrize("left", ["lock", "lock.json", ".written.json.1.part"])
def test_what_a_killed_process_leaves_of_a_mark_is_nobodys(out, left):
    helper_folder(out).mkdir()
    (helper_folder(out) / left).write_text("{")
    with guard([Output(out, JSONL)]):
        pass


def test_unfinished_work_is_known_as_ours_until_its_output_is_written(out):
    work = helper_folder(out) / "partial.jsonl"
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), guard([Output(out, JSONL)], command="abroad extract"):
            work.write_text("half of it")
            raise KeyboardInterrupt
        assert sorted(path.name for path in work.parent.iterdir()) == ["begun.json", "partial.jsonl"]
    with guard([Output(out, JSONL)]):
        out.write_text("all of it")
        work.unlink()
    assert [path.name for path in work.parent.iterdir()] == ["written.json"]


def test_unfinished_work_that_is_taken_away_leaves_nothing(out):
    work = helper_folder(out) / "partial.jsonl"
    with pytest.raises(KeyboardInterrupt), guard([Output(out, JSONL)]):
        work.write_text("half of it")
        raise KeyboardInterrupt
    work.unlink()
    with guard([Output(out, JSONL)]):
        pass
    assert not [*helper_folder(out).iterdir()]


def test_the_second_process_of_a_run_leaves_no_marks(out, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with guard([Output(out, JSONL)]):
        assert not out.with_name("out.jsonl.abroad").exists()


def test_a_link_to_nothing_is_not_replaced(out, tmp_path):
    out.symlink_to(tmp_path / "nothing")
    with pytest.raises(InputError, match="already"):
        written(out)


def test_an_input_in_the_helpers_of_an_output_is_refused(out):
    helpers = out.with_name("out.jsonl.abroad")
    helpers.mkdir()
    (helpers / "predictions.jsonl").write_text("x")
    with pytest.raises(InputError, match="lies in what it writes"):
        written(out, inputs=[helpers / "predictions.jsonl"])


def test_an_input_in_a_folder_that_is_written_is_refused(tmp_path):
    folder = tmp_path / "model"
    with guard([Output(folder, Kind("a model", folder=True))]):
        folder.mkdir()
        (folder / "weights").write_text("x")
    check_outputs([Output(folder, Kind("a model", folder=True))])
    with pytest.raises(InputError, match="lies in what it writes"):
        check_outputs([Output(folder, Kind("a model", folder=True))], [folder / "weights"])


def test_files_that_others_lay_in_a_folder_are_theirs(tmp_path):
    folder, kind = tmp_path / "board", Kind("a board", folder=True)

    def write(text):
        with guard([Output(folder, kind)]):
            folder.mkdir(exist_ok=True)
            (folder / "table").write_text(text)

    write("one")
    (folder / "notes").write_text("mine")
    write("two")
    (folder / "notes").write_text("mine, longer")
    write("three")
    (folder / "table").write_text("edited")
    with pytest.raises(InputError, match="changed since"):
        write("four")
    assert (folder / "table").read_text() == "edited"


def test_an_input_with_an_impossible_name_is_left_to_the_command(out):
    check_outputs([Output(out, JSONL)], ["x" * 5000])


@pytest.mark.parametrize("name", [".", "pipe", "x" * 300, "file/below"])
def test_atomic_write_says_where_nothing_can_be_written(tmp_path, monkeypatch, name):
    import os

    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError), atomic_write(name) as stream:
        stream.write("x")
    assert {path.name for path in tmp_path.iterdir()} == {"pipe", "file"}
