"""Outputs that grow record by record: nothing lost, nothing twice, nothing mixed."""

import json

import pytest

from abroad.core.resume import ResumableOutput, partial_file

WANTED = {"a": "1", "b": "2", "c": "3"}


def ids(path):
    return [json.loads(line)["id"] for line in path.read_text().splitlines()]


def write(out, identity, keys, wanted=WANTED, finish=True):
    with ResumableOutput(out, identity, wanted) as output:
        found = set(output.done)
        for key in keys:
            output.append({"id": key})
    if finish:
        output.finish(order=wanted)
    return found


def test_a_killed_run_goes_on_and_the_output_appears_when_whole(tmp_path):
    out = tmp_path / "out.jsonl"
    write(out, {"model": "m"}, ["c"], finish=False)
    assert not out.exists()
    assert write(out, {"model": "m"}, ["a", "b"]) == {"c"}
    assert ids(out) == ["a", "b", "c"]


def test_a_torn_last_record_is_made_again(tmp_path):
    out = tmp_path / "out.jsonl"
    write(out, {}, ["a"], finish=False)
    with partial_file(out, {}).open("a") as stream:
        stream.write('{"id": "b", "inp')
    assert write(out, {}, []) == {"a"}


def test_another_model_starts_anew(tmp_path):
    out = tmp_path / "out.jsonl"
    write(out, {"model": "m"}, ["a"], finish=False)
    assert write(out, {"model": "n"}, ["b"]) == set()
    assert ids(out) == ["b"]


def test_a_record_whose_input_changed_is_made_again(tmp_path):
    out = tmp_path / "out.jsonl"
    write(out, {}, ["a", "b", "c"])
    assert write(out, {}, ["b"], wanted={**WANTED, "b": "other"}) == {"a", "c"}
    assert ids(out) == ["a", "b", "c"]


def test_a_finished_output_is_taken_up_when_more_is_wanted(tmp_path):
    out = tmp_path / "out.jsonl"
    write(out, {}, ["a", "b", "c"])
    assert write(out, {}, ["d"], wanted={**WANTED, "d": "4"}) == {"a", "b", "c"}
    assert ids(out) == ["a", "b", "c", "d"]


def test_the_unfinished_work_of_another_model_is_kept(tmp_path):
    out = tmp_path / "out.jsonl"
    write(out, {"model": "m"}, ["a", "b"], finish=False)
    write(out, {"model": "n"}, ["a", "b", "c"])
    assert write(out, {"model": "m"}, ["c"]) == {"a", "b"}


def earlier_version(out, records, partial, identity):
    """Lay files where version 0 laid them."""
    lines = "".join(json.dumps({"id": key, "input_digest": WANTED[key], "old": True}) + "\n" for key in records)
    out.with_name(out.name + ".partial" if partial else out.name).write_text(lines)
    out.with_name(out.name + ".resume.json").write_text(json.dumps(identity))


@pytest.mark.parametrize("partial", [True, False])
def test_the_work_of_an_earlier_version_goes_on(tmp_path, partial):
    out = tmp_path / "out.jsonl"
    earlier_version(out, ["a", "b"], partial, {"model": "m"})
    assert write(out, {"model": "m"}, ["c"]) == {"a", "b"}
    assert ids(out) == ["a", "b", "c"]


def test_the_work_of_an_earlier_version_stays_where_another_model_runs(tmp_path):
    out = tmp_path / "out.jsonl"
    earlier_version(out, ["a", "b"], True, {"model": "m"})
    assert write(out, {"model": "n"}, ["a", "b", "c"]) == set()
    assert write(out, {"model": "m"}, ["c"]) == {"a", "b"}


def test_nothing_lies_beside_an_output_but_its_folder(tmp_path):
    out = tmp_path / "out.jsonl"
    write(out, {}, ["a"], finish=False)
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl.abroad"]
    write(out, {}, ["b"])
    assert {path.name for path in tmp_path.iterdir()} == {"out.jsonl", "out.jsonl.abroad"}


OTHERS = {
    "model": ({"model": "n"}, WANTED),
    "texts": ({"model": "m"}, {key: "other" for key in WANTED}),
    "records": ({"model": "m"}, {"x": "1", "y": "2"}),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_mistyped_run_deletes_no_unfinished_work(tmp_path, other):
    """Whether it takes another model, the same records with other texts, or other records."""
    out = tmp_path / "out.jsonl"
    identity, wanted = OTHERS[other]
    write(out, {"model": "m"}, ["a", "b"], finish=False)
    assert write(out, identity, list(wanted)[:1], wanted=wanted, finish=False) == set()
    assert write(out, {"model": "m"}, ["c"]) == {"a", "b"}
    assert ids(out) == ["a", "b", "c"]


@pytest.mark.parametrize("other", ["model", "records"])
def test_nor_does_it_when_it_is_finished_and_it_says_so(tmp_path, capsys, other):
    out = tmp_path / "out.jsonl"
    identity, wanted = OTHERS[other]
    write(out, {"model": "m"}, ["a", "b"], finish=False)
    write(out, identity, list(wanted), wanted=wanted)
    assert ids(out) == list(wanted) and "unfinished work" in capsys.readouterr().err
    assert write(out, {"model": "m"}, ["c"]) == {"a", "b"}
    assert ids(out) == ["a", "b", "c"]


def test_a_record_without_a_result_yet_stands_in_the_output_and_is_made_again(tmp_path):
    out = tmp_path / "out.jsonl"
    with ResumableOutput(out, {}, WANTED) as output:
        for key in WANTED:
            output.append({"id": key, "ask_again": key == "b"})
    output.finish(order=WANTED)
    assert ids(out) == ["a", "b", "c"]
    assert write(out, {}, ["b"]) == {"a", "c"}
    assert ids(out) == ["a", "b", "c"]
    assert not any(json.loads(line).get("ask_again") for line in out.read_text().splitlines())
