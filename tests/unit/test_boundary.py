"""Runs say what lies beyond the ends: they must spell out numpy.pad."""

import numpy as np
import pytest

from arrayconv._boundary import BOUNDARIES, FILL, Cycle, runs
from tests import oracle


def spelled(pieces):
    """Return the sample each position copies, FILL for the constant."""
    spelt = []
    for run in pieces:
        one = spelled(run.runs) * run.periods if isinstance(run, Cycle) else None
        spelt += one or [run.start + run.step * i for i in range(run.length)]
        assert run.length == len(one or range(run.length))
    return spelt


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 2), (5, 3), (17, 23), (170, 230), (-1, 2), (2, -1)])
def test_runs_spell_out_the_extension(boundary, size, before, after):
    if size + min(before, 0) + min(after, 0) < 0:
        pytest.skip("nothing is left of the axis")
    pieces = runs(size, -before, size + after, boundary)
    expected = [oracle.source(position, size, boundary) for position in range(-before, size + after)]
    assert spelled(pieces) == [FILL if place is None else place for place in expected]
    if min(before, after) >= 0 and boundary != "constant":
        assert spelled(pieces) == np.pad(np.arange(size), (before, after), mode=boundary).tolist()


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_runs_are_few_for_long_axes(boundary):
    assert len(runs(10**7, -5, 10**7 + 5, boundary)) == 3


def test_a_range_inside_is_one_slice():
    assert runs(10, 2, 7, "wrap") == ((2, 1, 5),)


def test_an_empty_axis_extends_by_the_constant_only():
    assert spelled(runs(0, -2, 1, "constant")) == [FILL] * 3
    with pytest.raises(ValueError, match=r"boundary 'edge' extends the data, but the axis has 0 samples"):
        runs(0, -2, 1, "edge")


def test_oracle_is_numpys_pad():
    for boundary in BOUNDARIES[1:]:
        for size in (1, 2, 5):
            positions = range(-11, size + 11)
            padded = np.pad(np.arange(size), 11, mode=boundary)
            assert [oracle.source(p, size, boundary) for p in positions] == padded.tolist()
