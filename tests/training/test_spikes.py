"""Loss spikes: found, logged with their batches, and undone by policy."""

import json
import math
from dataclasses import replace

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.schema import Document, Entity
from abroad.training.data import TokenisedExample
from abroad.training.record import course
from abroad.training.settings import TrainSettings
from abroad.training.spikes import SpikeDetector
from abroad.training.train import TrainingRun


def test_a_jump_is_a_spike_and_a_slope_is_none():
    detector = SpikeDetector(window=16, zscore=6)
    assert all(detector.see(3 - 0.05 * step + 0.1 * (step % 2)) is None for step in range(30))
    past = detector.past
    assert detector.see(9.0) > 6 and detector.see(math.nan) == math.inf
    assert detector.past == past  # spikes do not join what is normal


def test_nothing_is_a_spike_before_there_is_a_course():
    detector = SpikeDetector(window=16, zscore=6)
    assert [detector.see(loss) for loss in (1.0, 100.0, 1.0)] == [None] * 3


def study(n):
    bare = Document(str(n), f"Study {n}", "Rutin was isolated from Ruta ficta.")
    return bare.with_products([Entity("o", "Ruta ficta")], [Entity("c", "rutin")], [("o", "c")])


POISONED = (12, 13, 14)


def poisoned_run(model, out, policy):
    """Thirty updates of like documents; the targets of three are one token again and again, as in a corrupt shard."""
    settings = TrainSettings(
        model=str(model),
        epochs=2,
        learning_rate=1e-2,
        batch_size=4,
        gradient_accumulation_steps=1,
        warmup_steps=0,
        max_grad_norm=1e9,
        checkpoint_every=4,
        spike_policy=policy,
        spike_window=8,
        spike_zscore=4,
    )
    run = TrainingRun([study(n) for n in range(60)], [], settings, out, Context())
    poisoned = {place for update in run.updates if update.number in POISONED for place in update.batches[0]}
    for place in poisoned:
        broken = run.examples[place]
        run.examples[place] = TokenisedExample(broken.id, broken.prompt, (4321,) * 40)
    # In the second epoch these examples would come again: a whole one stands for them.
    whole = next(place for place in range(60) if place not in poisoned)
    run.updates[15:] = [
        replace(u, batches=tuple(tuple(whole if p in poisoned else p for p in batch) for batch in u.batches))
        for u in run.updates[15:]
    ]
    return run


def log(out, name):
    path = out / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture(scope="module")
def outcomes(tiny_model, tmp_path_factory):
    found = {}
    for policy in ("continue", "skip", "rollback"):
        out = tmp_path_factory.mktemp(policy)
        run = poisoned_run(tiny_model, out, policy)
        run.finish(run.train())
        found[policy] = out
    return found


@pytest.mark.parametrize("policy", ["continue", "skip", "rollback"])
def test_spikes_are_logged_with_their_batches(outcomes, policy):
    spikes = [spike for spike in log(outcomes[policy], "spikes.jsonl") if spike["kind"] == "loss"]
    found = [spike["update"] for spike in spikes]
    assert found == list(POISONED) or (policy == "continue" and found == list(POISONED[:2]))  # it has learnt the third
    assert all(spike["policy"] == policy and spike["zscore"] >= 4 and len(spike["ids"][0]) == 4 for spike in spikes)


def test_a_guarded_run_ends_lower(outcomes):
    def final(policy):
        return sum(record["loss"] for record in course(log(outcomes[policy], "metrics.jsonl"))[-8:])

    assert final("skip") < final("continue") and final("rollback") < final("continue")


def test_a_roll_back_leaves_the_batches_out(outcomes):
    made = [record["update"] for record in course(log(outcomes["rollback"], "order.jsonl"))]
    assert made == [number for number in range(1, 31) if number not in POISONED]
    assert [r["update"] for r in log(outcomes["skip"], "order.jsonl") if r["skipped"]] == list(POISONED)


def test_an_unknown_policy_is_refused():
    with pytest.raises(InputError, match=r"spike_policy: .* found 'panic'"):
        TrainSettings(spike_policy="panic")
