"""ComPEFT: what is kept, how small it is, and that the way back gives the same adapter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abroad.core.errors import InputError
from abroad.models.compeft import compress, read_change, write_change
from abroad.models.golomb import decode, encode, rice_width


@given(st.sets(st.integers(0, 5000), min_size=1), st.integers(0, 8))
def test_places_come_back(places, width):
    rising = np.array(sorted(places), dtype=np.int64)
    assert decode(*encode(rising, width), width, len(rising)).tolist() == rising.tolist()


def test_streams_cut_short_are_told():
    unary, remainders = encode(np.arange(0, 900, 9), 3)
    with pytest.raises(ValueError, match="cut short"):
        decode(unary[:5], remainders, 3, 100)


@pytest.mark.parametrize(("percent", "bits"), [(5, 0.34), (10, 0.57), (20, 0.92)])
def test_the_size_is_that_of_the_paper(percent, bits):
    draw = np.random.default_rng(0)
    places = np.sort(draw.choice(200_000, 2000 * percent, replace=False))
    unary, remainders = encode(places, rice_width(percent / 100))
    total = 8 * (len(unary) + len(remainders)) + len(places)
    assert total / 200_000 == pytest.approx(bits, abs=0.03)


arrays = st.integers(1, 40).flatmap(lambda n: st.lists(st.floats(-5, 5, width=32), min_size=n, max_size=n))


@settings(max_examples=50)
@given(arrays, st.sampled_from([5, 20, 50]), st.sampled_from([0.5, 1.0, 4.0]))
def test_the_largest_changes_keep_their_sign_and_share_one_size(values, density, scale):
    initial = {"b": np.zeros((2, 3), np.float32), "a": np.ones(len(values), np.float32)}
    tuned = {"b": np.full((2, 3), 9.0, np.float32), "a": np.array(values, np.float32) + 1}
    change = compress(initial, tuned, density, scale)
    whole = change.applied_to(initial)
    difference = np.concatenate([(whole[name] - initial[name]).ravel() for name in ("a", "b")])
    true = np.concatenate([(tuned[name] - initial[name]).ravel() for name in ("a", "b")])
    kept = np.flatnonzero(difference)
    assert len(kept) == max(1, round(len(true) * density / 100))
    assert np.abs(true[kept]).min() >= np.delete(np.abs(true), kept).max(initial=0)
    assert (np.sign(difference[kept]) == np.sign(true[kept])).all()
    assert np.abs(difference[kept]) == pytest.approx(scale * true.std(), rel=1e-4)


def test_a_file_comes_back_and_a_damaged_one_is_refused(tmp_path):
    draw = np.random.default_rng(1)
    initial = {"x": draw.normal(size=(64, 8)).astype(np.float32)}
    change = compress(initial, {"x": initial["x"] + draw.normal(size=(64, 8)).astype(np.float32)}, 10, 2)
    path = tmp_path / "a.compeft"
    assert write_change(path, change, {"seed": 3}) == path.stat().st_size
    again, header = read_change(path)
    assert header["seed"] == 3
    assert np.array_equal(again.applied_to(initial)["x"], change.applied_to(initial)["x"])
    data = path.read_bytes()
    for broken in (data[:-3], data[:25], b"something else", data[:30] + b"\x00" * 10 + data[40:]):
        path.write_bytes(broken)
        with pytest.raises(InputError, match="damaged"):
            read_change(path)


def test_other_matrices_and_an_untrained_adapter_are_refused():
    a = {"x": np.ones(4, np.float32)}
    with pytest.raises(InputError, match="as it was drawn"):
        compress(a, a, 10, 1)
    with pytest.raises(InputError, match="other matrices"):
        compress(a, {"y": np.ones(4, np.float32)}, 10, 1)
