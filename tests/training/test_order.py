"""The order of the data: every example once an epoch, the same again, and rows that hold what fits."""

from hypothesis import given
from hypothesis import strategies as st

from abroad.training.order import batch_hash, pack, plan_updates
from abroad.training.settings import TrainSettings

lengths = st.lists(st.integers(1, 50), min_size=1, max_size=60)


@given(lengths, st.integers(1, 5), st.integers(1, 4), st.booleans())
def test_every_example_comes_once_an_epoch(lengths, size, accumulation, packed):
    settings = TrainSettings(
        epochs=2, batch_size=size, gradient_accumulation_steps=accumulation, max_length=50, pack=packed
    )
    updates = plan_updates(lengths, settings)
    for epoch in (1, 2):
        seen = [place for u in updates if u.epoch == epoch for batch in u.batches for place in batch]
        assert sorted(seen) == list(range(len(lengths)))
    assert [update.number for update in updates] == list(range(1, len(updates) + 1))
    assert updates == plan_updates(lengths, settings)


@given(lengths)
def test_rows_hold_no_more_than_fits(lengths):
    rows = pack(range(len(lengths)), lengths, 50)
    assert all(sum(lengths[place] for place in row) <= 50 for row in rows)
    assert sum(map(len, rows)) == len(lengths)


def test_epochs_and_seeds_differ():
    def order(seed):
        updates = plan_updates(
            [1] * 30, TrainSettings(epochs=2, batch_size=30, gradient_accumulation_steps=1, seed=seed)
        )
        return [update.batches for update in updates]

    assert order(0)[0] != order(0)[1] and order(0) != order(1)


def test_the_hash_tells_order_and_batches():
    assert batch_hash([["a", "b"]]) == batch_hash([["a", "b"]])
    assert len({batch_hash(ids) for ids in ([["a", "b"]], [["b", "a"]], [["a"], ["b"]])}) == 3
