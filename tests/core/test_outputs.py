"""The gate itself: what may be overwritten, and which marks it leaves."""

import json

import pytest

from abroad.core import locks
from abroad.core.errors import InputError
from abroad.core.helpers import helper_folder
from abroad.core.io import atomic_write
from abroad.core.outputs import Kind, Output, check_outputs, guard
from abroad.core.provenance import run_record

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
        assert json.loads((marks / "writing.json").read_text()) == {"command": "abroad x", "option": "--out"}
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


# Results of other commands, and earlier ones of the same.


def test_a_result_of_another_command_stays(out):
    written(out, command="abroad documents split")
    with pytest.raises(InputError, match="a result of `abroad documents split --out`; give another name, or --force"):
        written(out, "other", command="abroad extract")
    assert out.read_text() == "text"
    written(out, "other", command="abroad extract", force=True)
    written(out, "more", command="abroad extract")
    with pytest.raises(InputError, match="abroad extract"):
        written(out, command="abroad documents split")


def test_a_result_of_another_option_stays(out):
    written(out, command="abroad documents split")
    with pytest.raises(InputError, match="documents split --out`"):
        check_outputs([Output(out, JSONL, "--out-test")], command="abroad documents split")


@pytest.mark.parametrize("command, refused", [("abroad extract", False), ("abroad documents split", True)])
def test_what_a_killed_run_of_another_command_left_stays(out, command, refused):
    out.write_text("half")
    helper_folder(out).mkdir()
    (helper_folder(out) / "writing.json").write_text(json.dumps({"command": "abroad extract", "option": "--out"}))
    if refused:
        with pytest.raises(InputError, match="a result of `abroad extract --out`"):
            written(out, command=command)
    else:
        written(out, command=command)


def test_a_mark_of_an_earlier_version_names_no_option(out):
    written(out, command="abroad extract")
    mark = helper_folder(out) / "written.json"
    mark.write_text(json.dumps({key: value for key, value in json.loads(mark.read_text()).items() if key != "option"}))
    written(out, command="abroad extract")


def test_commands_that_share_a_kind_add_to_one_file(out):
    kind = Kind("a study", grows=True, commands=("abroad a", "abroad b"))
    with guard([Output(out, kind)], command="abroad a"):
        out.write_text("a")
    check_outputs([Output(out, kind)], command="abroad b")
    with pytest.raises(InputError, match="a result of `abroad a --out`"):
        check_outputs([Output(out, kind)], command="abroad c")


def test_a_result_that_is_replaced_stays_aside_and_is_told(out, capsys):
    kept = helper_folder(out) / "earlier" / out.name
    for number, text in enumerate(["one", "two", "two", "three"]):
        with guard([Output(out, JSONL)], command="abroad x"), atomic_write(out) as stream:
            stream.write(text)
        said = capsys.readouterr().err
        assert said == ("" if number in (0, 2) else f"{out}: the earlier result is replaced; it stays in {kept}\n")
    assert out.read_text() == "three" and kept.read_text() == "two"
    assert {path.name for path in helper_folder(out).iterdir()} == {"written.json", "earlier"}


def test_settings_that_differ_are_named(out, capsys):
    for settings in ({"model": "a", "seed": 1}, {"model": "b", "seed": 1}):
        with guard([Output(out, JSONL)]), run_record(out, "x", settings, []), atomic_write(out) as stream:
            stream.write(str(settings))
    assert '(model: "a" before, "b" now)' in capsys.readouterr().err


def test_a_killed_run_does_not_take_its_own_half_for_the_earlier_result(out, capsys):
    kept = helper_folder(out) / "earlier" / out.name
    with guard([Output(out, JSONL)], command="abroad x"), atomic_write(out) as stream:
        stream.write("one")
    outputs = [Output(out, JSONL)]
    killed = guard(outputs, command="abroad x")
    killed.__enter__()
    with atomic_write(out) as stream:
        stream.write("half of two")
    (helper_folder(out) / "lock").unlink()  # as the system does
    locks._held.clear()
    with guard(outputs, command="abroad x"), atomic_write(out) as stream:
        stream.write("two")
    assert out.read_text() == "two" and kept.read_text() == "one"
    assert capsys.readouterr().err.count("is replaced") == 1
    assert not (helper_folder(out) / ".earlier").exists()


def test_an_interrupted_run_that_took_its_output_away_settles_later(out):
    with guard([Output(out, JSONL)], command="abroad x"), atomic_write(out) as stream:
        stream.write("one")
    with pytest.raises(KeyboardInterrupt), guard([Output(out, JSONL)], command="abroad x"):
        out.unlink()
        raise KeyboardInterrupt
    with guard([Output(out, JSONL)], command="abroad x"), atomic_write(out) as stream:
        stream.write("two")
    assert (helper_folder(out) / "earlier" / out.name).read_text() == "one"


def test_of_a_folder_the_replaced_files_stay_aside(tmp_path, capsys):
    folder, kind = tmp_path / "model", Kind("a model", folder=True)
    for text in ("one", "two"):
        with guard([Output(folder, kind)]):
            for name, content in (("weights", text), ("vocabulary", "same")):
                with atomic_write(folder / name) as stream:
                    stream.write(content)
            with (folder / "log").open("a") as stream:
                stream.write(text)
    kept = helper_folder(folder) / "earlier"
    assert [path.name for path in kept.iterdir()] == ["weights"] and (kept / "weights").read_text() == "one"
    assert f"it stays in {kept}" in capsys.readouterr().err


def test_what_grows_is_not_kept_aside(out):
    kind = Kind("a study", grows=True)
    for text in ("one", "two"):
        with guard([Output(out, kind)]), atomic_write(out) as stream:
            stream.write(text)
    assert not (helper_folder(out) / "earlier").exists()


def test_where_no_second_names_are_known_a_copy_is_kept(out, monkeypatch):
    def no_links(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", no_links)
    for text in ("one", "two"):
        with guard([Output(out, JSONL)]), atomic_write(out) as stream:
            stream.write(text)
    assert (helper_folder(out) / "earlier" / out.name).read_text() == "one"


@pytest.mark.parametrize(
    "path", ["p.jsonl.abroad/x.jsonl", "p.jsonl.abroad/a/x.jsonl", "p.jsonl.abroad", "link/x.jsonl"]
)
def test_no_output_lies_among_the_helpers_of_another(tmp_path, path):
    (tmp_path / "p.jsonl.abroad").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "p.jsonl.abroad")
    kind = JSONL if path.endswith("l") else Kind("a folder", folder=True)
    with pytest.raises(InputError, match="holds the helpers of an output"):
        check_outputs([Output(tmp_path / path, kind)], force=True)
