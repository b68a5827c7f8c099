"""Outputs that grow record by record: nothing lost, nothing twice, nothing mixed."""

import json

from abroad.core.resume import ResumableOutput

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
    with (tmp_path / "out.jsonl.partial").open("a") as stream:
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
