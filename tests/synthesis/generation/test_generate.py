"""Generation stage: every prompt answered once, whatever stops it in between."""

import json
import subprocess
import sys

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.helpers import helper_folder, old_helper
from abroad.core.io import write_jsonl
from abroad.engines.base import GenerationRequest
from abroad.engines.spec import make_engine
from abroad.synthesis.generation.generate import generate_abstracts, whole_sentences

IDENTITY = {"engine": "transformers", "model": "tiny"}


def prompt(id, **fields):
    record = {"id": id, "prompt": f"Title: {id}\nAbstract:", "max_tokens": 6, "temperature": 0.7, "seed": 3}
    return {**record, "ArticleTitle": "T", **fields}


@pytest.fixture(scope="module")
def engine(tiny_model):
    return make_engine("transformers", str(tiny_model), batch_size=2)


class Dying:
    """Passes on so many answers of an engine and dies, as a power cut would."""

    def __init__(self, engine, after):
        self.engine, self.left = engine, after

    def generate(self, requests: list[GenerationRequest]):
        for answer in self.engine.generate(requests):
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            yield answer


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_interrupted_run_goes_on_and_gives_what_one_run_gives(engine, tmp_path):
    prompts, whole, parts = (tmp_path / name for name in ("p.jsonl", "whole.jsonl", "parts.jsonl"))
    write_jsonl(prompts, [prompt(str(n)) for n in range(5)])
    generate_abstracts(prompts, whole, engine, Context(), IDENTITY)
    with pytest.raises(KeyboardInterrupt):
        generate_abstracts(prompts, parts, Dying(engine, 3), Context(), IDENTITY)
    assert not parts.exists()
    report = generate_abstracts(prompts, parts, engine, Context(), IDENTITY)
    assert (report.written, report.resumed) == (5, 3)
    assert read(parts) == read(whole)


def test_the_lead_opens_the_abstract_and_other_fields_are_carried_over(engine, tmp_path):
    prompts, out = tmp_path / "p.jsonl", tmp_path / "out.jsonl"
    write_jsonl(prompts, [prompt("1", lead="Rutin was isolated from Ruta fictiva.", relations=[["a", "b"]])])
    generate_abstracts(prompts, out, engine, Context(), IDENTITY)
    record = read(out)[0]
    assert record["AbstractText"].startswith("Rutin was isolated from Ruta fictiva.")
    assert record["relations"] == [["a", "b"]] and record["ArticleTitle"] == "T"


def test_bad_prompt_records_are_set_aside(engine, tmp_path):
    prompts, out, context = tmp_path / "p.jsonl", tmp_path / "out.jsonl", Context()
    prompts.write_text(
        "\n".join([json.dumps(prompt("1")), "{broken", '{"id": "2"}', json.dumps(prompt("1")), json.dumps(prompt("3"))])
    )
    generate_abstracts(prompts, out, engine, context, IDENTITY)
    assert [record["id"] for record in read(out)] == ["1", "3"]
    assert [item["where"].rpartition(":")[2] for item in context.rejects.items] == ["2", "3", "4"]


def test_a_prompt_the_model_cannot_hold_is_set_aside(engine, tmp_path):
    prompts, out, context = tmp_path / "p.jsonl", tmp_path / "out.jsonl", Context()
    write_jsonl(prompts, [prompt("1", prompt="word " * 900), prompt("2")])
    generate_abstracts(prompts, out, engine, context, IDENTITY)
    assert [record["id"] for record in read(out)] == ["2"] and "512 positions" in context.rejects.items[0]["reason"]


def test_a_file_without_prompts_is_an_input_error(engine, tmp_path):
    prompts = tmp_path / "p.jsonl"
    prompts.write_text('{"id": "1"}\n')
    with pytest.raises(InputError, match="no usable prompt"):
        generate_abstracts(prompts, tmp_path / "out.jsonl", engine, Context(), IDENTITY)


def test_a_cut_off_text_ends_with_a_whole_sentence():
    assert whole_sentences("One. Two (IC50 2.5 mM). Thr") == "One. Two (IC50 2.5 mM)."
    assert whole_sentences("no end") == ""


def test_prompts_in_shards_give_the_same_file(engine, tmp_path):
    prompts, whole, sharded = (tmp_path / name for name in ("p.jsonl", "whole.jsonl", "sharded.jsonl"))
    write_jsonl(prompts, [prompt(str(n)) for n in range(5)])
    generate_abstracts(prompts, whole, engine, Context(), IDENTITY)
    with pytest.raises(KeyboardInterrupt):
        generate_abstracts(prompts, sharded, Dying(engine, 1), Context(), IDENTITY, largest_shard=2)
    report = generate_abstracts(prompts, sharded, engine, Context(), IDENTITY, largest_shard=3)
    assert report.resumed == 1 and sharded.read_bytes() == whole.read_bytes()


def test_the_shards_of_an_earlier_version_are_gone_on_with(engine, tmp_path):
    """Version 0 kept them in out.jsonl.shards, unfinished records in NUMBER.jsonl.partial."""
    prompts, out = tmp_path / "p.jsonl", tmp_path / "out.jsonl"
    write_jsonl(prompts, [prompt(str(n)) for n in range(4)])
    with pytest.raises(KeyboardInterrupt):
        generate_abstracts(prompts, out, Dying(engine, 3), Context(), IDENTITY, largest_shard=2)
    (shards,) = helper_folder(out).glob("shards-*")
    old = shards.rename(old_helper(out, "shards"))
    (partial,) = old.glob("00001.jsonl.partial-*")
    partial.rename(old / "00001.jsonl.partial")
    (old / "00001.jsonl.resume.json").write_text(json.dumps(IDENTITY))
    assert generate_abstracts(prompts, out, Counting(engine), Context(), IDENTITY).resumed == 3
    assert len(out.read_text().splitlines()) == 4 and not old.exists()


def test_the_unfinished_work_of_another_model_is_kept(engine, tmp_path):
    prompts, out = tmp_path / "p.jsonl", tmp_path / "out.jsonl"
    write_jsonl(prompts, [prompt(str(n)) for n in range(4)])
    with pytest.raises(KeyboardInterrupt):
        generate_abstracts(prompts, out, Dying(engine, 3), Context(), IDENTITY, largest_shard=2)
    generate_abstracts(prompts, out, engine, Context(), {"model": "mistyped"}, largest_shard=2)
    assert generate_abstracts(prompts, out, engine, Context(), IDENTITY).resumed == 3


class Counting:
    def __init__(self, engine):
        self.engine, self.asked = engine, []

    def generate(self, requests):
        def noted():
            for request in requests:
                self.asked.append(request.id)
                yield request

        return self.engine.generate(noted())


@pytest.mark.parametrize("finished", [True, False])
def test_other_prompts_take_over_what_is_unchanged(engine, tmp_path, finished):
    prompts, out = tmp_path / "p.jsonl", tmp_path / "out.jsonl"
    write_jsonl(prompts, [prompt(str(n)) for n in range(4)])
    if finished:
        generate_abstracts(prompts, out, engine, Context(), IDENTITY, largest_shard=2)
    else:
        with pytest.raises(KeyboardInterrupt):
            generate_abstracts(prompts, out, Dying(engine, 3), Context(), IDENTITY, largest_shard=2)
    write_jsonl(prompts, [prompt("new"), prompt("1"), prompt("0", seed=9)])
    counting = Counting(engine)
    report = generate_abstracts(prompts, out, counting, Context(), IDENTITY, largest_shard=2)
    assert counting.asked == ["new", "0"] and (report.written, report.resumed) == (3, 1)
    assert [record["id"] for record in read(out)] == ["new", "1", "0"]


def test_another_model_starts_anew(engine, tmp_path):
    prompts, out = tmp_path / "p.jsonl", tmp_path / "out.jsonl"
    write_jsonl(prompts, [prompt("1")])
    generate_abstracts(prompts, out, engine, Context(), IDENTITY)
    assert generate_abstracts(prompts, out, engine, Context(), {**IDENTITY, "model": "other"}).resumed == 0


def test_a_request_out_of_range_is_set_aside(engine, tmp_path):
    prompts, out, context = tmp_path / "p.jsonl", tmp_path / "out.jsonl", Context()
    write_jsonl(prompts, [prompt("1", temperature=-1), prompt("2", max_tokens="many"), prompt("3")])
    generate_abstracts(prompts, out, engine, context, IDENTITY)
    assert [record["id"] for record in read(out)] == ["3"] and len(context.rejects) == 2


def test_a_full_disk_stops_cleanly_and_the_rerun_goes_on(tiny_model, tmp_path):
    """A limit on the size of files stands in for the disk: the same error at the same place."""
    prompts, out = tmp_path / "p.jsonl", tmp_path / "out.jsonl"
    write_jsonl(prompts, [prompt(str(n), max_tokens=60) for n in range(12)])
    command = ["synth", "generate", prompts, "--out", out, "--model", tiny_model, "--batch-size", 1]
    room = prompts.stat().st_size + 300  # for the prompts of the shard, and most of the answers
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room})); "
    first, second = (
        subprocess.run(
            [sys.executable, "-c", f"{limit}from abroad.cli import main; main()", *map(str, command)],
            capture_output=True,
            text=True,
        )
        for limit in (limited, "")
    )
    assert first.returncode == 1 and "make room" in first.stderr
    assert second.returncode == 0 and "(0 from" not in second.stderr
    assert [record["id"] for record in read(out)] == [str(n) for n in range(12)]


@pytest.mark.parametrize("wrong_ids", [["0", "1", "2"], ["x", "y", "z"]])
@pytest.mark.parametrize("finished", [False, True])
def test_mistyped_prompts_delete_no_unfinished_answers(engine, tmp_path, capsys, wrong_ids, finished):
    """Also where they have the same ids, and whether the wrong run ends or not."""
    right, wrong, out = (tmp_path / name for name in ("right.jsonl", "wrong.jsonl", "out.jsonl"))
    write_jsonl(right, [prompt(str(n)) for n in range(5)])
    write_jsonl(wrong, [prompt(id, prompt="Another prompt") for id in wrong_ids])
    with pytest.raises(KeyboardInterrupt):
        generate_abstracts(right, out, Dying(engine, 3), Context(), IDENTITY)
    if finished:
        generate_abstracts(wrong, out, engine, Context(), IDENTITY)
    else:
        with pytest.raises(KeyboardInterrupt):
            generate_abstracts(wrong, out, Dying(engine, 1), Context(), IDENTITY)
    assert "3 unfinished answers to other prompts stay in" in capsys.readouterr().err
    assert generate_abstracts(right, out, engine, Context(), IDENTITY).resumed == 3
    assert [record["id"] for record in read(out)] == [str(n) for n in range(5)]
