"""Runs are the samples outside the ends: they must spell out numpy.pad."""

import numpy as np
import pytest

from arrayconv._problem.boundary import (
    BOUNDARIES,
    FILL,
    Cycle,
    period,
    period_shift,
    reads_samples,
    runs,
    sample_range,
    wraps,
)
from tests import oracle


def positions(pieces):
    """Return the sample that each position copies, FILL for the constant."""
    samples = []
    for run in pieces:
        one = positions(run.runs) * run.periods if isinstance(run, Cycle) else None
        samples += one or [run.start + run.step * i for i in range(run.length)]
        assert run.length == len(one or range(run.length))
    return samples


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 2), (5, 3), (17, 23), (170, 230), (-1, 2), (2, -1)])
def test_runs_spell_out_the_extension(boundary, size, before, after):
    if size + min(before, 0) + min(after, 0) < 0:
        pytest.skip("nothing is left of the axis")
    pieces = runs(size, -before, size + after, boundary)
    expected = [oracle.source(position, size, boundary) for position in range(-before, size + after)]
    assert positions(pieces) == [FILL if place is None else place for place in expected]
    if min(before, after) >= 0 and boundary != "constant":
        assert positions(pieces) == np.pad(np.arange(size), (before, after), mode=boundary).tolist()


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_runs_are_few_for_long_axes(boundary):
    assert len(runs(10**7, -5, 10**7 + 5, boundary)) == 3


def test_a_range_inside_is_one_slice():
    assert runs(10, 2, 7, "wrap") == ((2, 1, 5),)


def test_an_empty_axis_extends_by_the_constant_only():
    assert positions(runs(0, -2, 1, "constant")) == [FILL] * 3
    with pytest.raises(ValueError, match=r"boundary 'edge' extends the data, but the axis has 0 samples"):
        runs(0, -2, 1, "edge")


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_an_axis_repeats_itself_after_its_period(size, boundary):
    whole = period(size, boundary)
    spelt = [oracle.source(position, size, boundary) for position in range(-40, 40)]
    repeats = [n for n in range(1, 20) if spelt[n:] == spelt[:-n]]
    if whole is None:
        assert len(set(spelt[:40])) == len(set(spelt[40 + size :])) == 1
    else:
        assert whole in repeats
        assert whole == repeats[0] or size == 1  # the same sample everywhere, the mirror of which is itself


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_facts_of_a_boundary(boundary):
    before, after = oracle.source(-1, 5, boundary), oracle.source(5, 5, boundary)
    assert reads_samples(boundary) == (before is not None)
    assert wraps(boundary) == ((before, after) == (4, 0))


RANGES = [(lo, lo + length) for lo in range(-30, 30) for length in (1, 2, 9)]


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_positions_shifted_to_the_data_read_the_same(size, boundary):
    for lo, hi in RANGES:
        by = period_shift(size, lo, hi, boundary)
        read = [[oracle.source(p - offset, size, boundary) for p in range(lo, hi)] for offset in (0, by)]
        assert read[0] == read[1]
        beside = period(size, boundary) or hi - lo
        assert -beside <= lo - by <= max(size, beside)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_a_range_of_samples_extends_as_the_whole_axis_does(size, boundary):
    for lo, hi in RANGES:
        start, end = sample_range(size, lo, hi, boundary)
        assert 0 <= start <= end <= size
        own = [oracle.source(p - start, end - start, boundary) for p in range(lo, hi)]
        assert [place if place is None else start + place for place in own] == [
            oracle.source(p, size, boundary) for p in range(lo, hi)
        ]


def test_a_few_samples_at_an_end_replace_a_long_axis():
    ranges = {boundary: sample_range(100, -3, 5, boundary) for boundary in BOUNDARIES}
    assert ranges == {"constant": (0, 5), "edge": (0, 5), "symmetric": (0, 5), "reflect": (0, 5), "wrap": (0, 100)}
    assert sample_range(100, 90, 104, "reflect") == (90, 100)
    assert sample_range(100, 99, 104, "reflect") == (95, 100)


def test_oracle_is_numpys_pad():
    for boundary in BOUNDARIES[1:]:
        for size in (1, 2, 5):
            positions = range(-11, size + 11)
            padded = np.pad(np.arange(size), 11, mode=boundary)
            assert [oracle.source(p, size, boundary) for p in positions] == padded.tolist()
