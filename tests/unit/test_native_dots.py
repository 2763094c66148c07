"""Long dot products add in one order, whatever the memory of x and of the kernel."""

import itertools

import numpy as np
import pytest

from arrayconv import nn
from arrayconv._accel.native import loader

pytestmark = pytest.mark.skipif(not loader.built(), reason="the C loops were not built")

SHAPES = {  # of x and the kernel: a run of taps may continue on the next row, and in the next channel
    "rows of the kernel are rows of x": ((1, 2, 4, 3), (1, 2, 2, 3)),
    "one column": ((1, 3, 4, 1), (1, 3, 2, 1)),
    "one column of two": ((1, 2, 6, 2), (1, 2, 5, 1)),
    "all of x": ((2, 2, 5, 17), (2, 2, 5, 17)),
    "apart": ((1, 2, 5, 9), (2, 2, 3, 4)),
}


def in_order(array, order):
    """Return an equal array whose axes are in another order in memory."""
    return np.ascontiguousarray(array.transpose(order)).transpose(np.argsort(order))


@pytest.mark.parametrize("shapes", SHAPES.values(), ids=list(SHAPES))
def test_memory_changes_no_bit(shapes):
    random = np.random.default_rng(0)
    x, kernel = (random.standard_normal(shape).astype("float32") for shape in shapes)
    expected = nn.conv2d(x, kernel, method="native_dots").tobytes()
    for order in itertools.permutations(range(4)):
        assert nn.conv2d(in_order(x, order), kernel, method="native_dots").tobytes() == expected
        assert nn.conv2d(x, in_order(kernel, order), method="native_dots").tobytes() == expected
