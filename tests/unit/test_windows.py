"""Windows of an array: by taps and by outputs they name the same samples, and im2col stacks the fewer of the two."""

import array_api_strict
import numpy as np
import pytest

import arrayconv
from arrayconv._ops import windows
from arrayconv._problem.spec import Axis

AXES = [
    (Axis(9, 4, 6),),
    (Axis(11, 3, 3, stride=3, dilation=2),),
    (Axis(7, 2, 3, stride=2), Axis(8, 3, 4, dilation=2)),
]


@pytest.mark.parametrize("axes", AXES)
def test_a_tap_of_an_output_is_the_same_sample_either_way(axes):
    x = np.arange(np.prod([axis.size for axis in axes])).reshape([axis.size for axis in axes])
    by_tap = np.stack([x[place].ravel() for place in windows.windows(axes)])
    by_output = np.stack([x[place].ravel() for place in windows.fields(axes)])
    np.testing.assert_array_equal(by_tap, by_output.T)


@pytest.mark.parametrize(("size", "taps"), [((40,), (3,)), ((40,), (38,)), ((9, 9), (3, 3)), ((9, 9), (8, 7))])
def test_im2col_stacks_a_view_for_every_tap_or_for_every_output(size, taps, monkeypatch):
    stacked = []

    def stack(views, *args, **kwargs):
        stacked.append(len(views))
        return original(views, *args, **kwargs)

    original = array_api_strict.stack
    monkeypatch.setattr(array_api_strict, "stack", stack)
    random = np.random.default_rng(3)
    x, kernel = (array_api_strict.asarray(random.standard_normal(shape)) for shape in (size, taps))
    arrayconv.convolve(x, kernel, "valid", method="im2col")
    outputs = np.prod([n - k + 1 for n, k in zip(size, taps, strict=True)])
    assert stacked == [min(np.prod(taps), outputs)]
