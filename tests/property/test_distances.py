"""However far apart taps, strides and lags are: exact results, in time and memory that grow with what is asked for."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arrayconv
from arrayconv import nn
from arrayconv._plan.rank import METHODS
from arrayconv._problem.boundary import BOUNDARIES
from tests.conftest import make_library

FAR = 10**9
SAMPLES = 1 << 22  # bytes that any of these calls may take: the arrays have thousands of elements

distances = st.one_of(st.integers(0, 3), st.integers(0, 60), st.integers(0, 10**5), st.integers(0, FAR))


def places(positions, size, boundary):
    """Return which samples stand at positions of an extended axis; `size` for the constant."""
    if boundary == "constant":
        return np.where((positions >= 0) & (positions < size), positions, size)
    if boundary == "edge":
        return np.clip(positions, 0, size - 1)
    if boundary == "wrap":
        return positions % size
    period = 2 * size if boundary == "symmetric" else max(2 * size - 2, 1)
    positions = positions % period
    return np.where(positions < size, positions, period - positions - (boundary == "symmetric"))


def exact(x, kernel, starts, counts, strides, dilations, boundaries, fill=0):
    """Return sum_k kernel[k] * X[start + stride * p + dilation * k] for two axes, in exact integers."""
    room = np.full([n + 1 for n in x.shape], fill, x.dtype)
    room[: x.shape[0], : x.shape[1]] = x
    y = np.zeros(counts, np.int64)
    for tap in product(*map(range, kernel.shape)):
        indices = []
        for axis, k in enumerate(tap):
            at = starts[axis] + strides[axis] * np.arange(counts[axis]) + dilations[axis] * k
            indices.append(places(at, x.shape[axis], boundaries[axis]))
        y += int(kernel[tap]) * np.where(
            (indices[0][:, None] == x.shape[0]) | (indices[1] == x.shape[1]), fill, room[np.ix_(*indices)]
        ).astype(np.int64)
    return y


def check(call, expected, dtype, *, least=1):
    """Run every method on a problem; raise unless all that support it are exact, and at least so many do."""
    supported = 0
    for method in METHODS:
        try:
            y = call(method)
        except NotImplementedError:
            continue
        supported += 1
        tolerance = 0 if dtype.startswith("int") else 1e-9
        assert y.shape == expected.shape, method
        assert np.max(np.abs(np.asarray(y) - expected), initial=0) <= tolerance, method
    assert supported >= least


def numbers(draw, shape, dtype):
    return np.random.default_rng(draw(st.integers(0, 99))).integers(-9, 10, shape).astype(dtype)


def planes(draw):
    """Draw a dtype, x and a kernel of two axes, a boundary and a dilation for each."""
    dtype = draw(st.sampled_from(["float64", "int32"]))
    x = numbers(draw, draw(st.tuples(st.integers(1, 9), st.integers(1, 9))), dtype)
    kernel = numbers(draw, draw(st.tuples(st.integers(1, 3), st.integers(1, 3))), dtype)
    boundaries = draw(st.tuples(st.sampled_from(BOUNDARIES), st.sampled_from(BOUNDARIES)))
    dilations = draw(st.tuples(distances, distances).map(lambda pair: tuple(n + 1 for n in pair)))
    return dtype, x, kernel, boundaries, dilations


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_lags_far_outside_the_data(name):
    library = make_library(name)

    @settings(max_examples=40, deadline=None)
    @given(st.data())
    def law(data):
        draw = data.draw
        dtype, x, kernel, boundaries, dilations = planes(draw)
        lags = []
        for _ in range(2):
            first = draw(distances) * draw(st.sampled_from([1, -1]))
            lags.append((first, first + draw(st.integers(0, 9))))
        fill = draw(st.sampled_from([0, 0, 3]))
        starts, counts = zip(*[(first, last - first + 1) for first, last in lags], strict=True)
        expected = exact(x, kernel, starts, counts, (1, 1), dilations, boundaries, fill)
        options = {"lags": lags, "boundary": boundaries, "dilation": dilations, "fill_value": fill}
        arrays = library.asarray(x), library.asarray(kernel)
        check(lambda method: library.numpy(arrayconv.correlate(*arrays, **options, method=method)), expected, dtype)

    law()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_padding_stride_and_dilation_of_any_size(data):
    draw = data.draw
    dtype, x, kernel, boundaries, dilations = planes(draw)
    pads, strides, counts = [], [], []
    for n, k, d in zip(x.shape, kernel.shape, dilations, strict=True):
        reach = d * (k - 1) + 1
        pad = draw(distances) + max(0, -(-(reach - n) // 2))
        stride = max(draw(distances), (n + 2 * pad - reach) // draw(st.integers(1, 9)), 1)
        pads.append(pad)
        strides.append(stride)
        counts.append((n + 2 * pad - reach) // stride + 1)
    expected = exact(x, kernel, [-pad for pad in pads], counts, strides, dilations, boundaries)
    options = {"padding": tuple((p, p) for p in pads), "stride": tuple(strides), "dilation": dilations}
    limit = draw(st.sampled_from([None, 1 << 15]))
    arrays = x[None, None], kernel[None, None]

    def call(method):
        try:
            return nn.conv2d(*arrays, **options, boundary=boundaries, method=method, max_workspace=limit)[0, 0]
        except ValueError as refusal:
            if limit is None or "max_workspace" not in str(refusal):
                raise
            raise NotImplementedError from refusal

    check(call, expected, dtype, least=limit is None)  # of a small workspace taps alone may take more


CALLS = {
    "dilation": lambda b: arrayconv.convolve(np.ones(1000), np.ones(5), "same", dilation=FAR, boundary=b),
    "dilation of rows": lambda b: arrayconv.convolve(
        np.ones((50, 60)), np.ones((3, 3)), "same", dilation=(10**6, 1), boundary=b
    ),
    "lags": lambda b: arrayconv.correlate(
        np.ones((20, 20)), np.ones((3, 3)), lags=((10**8, 10**8 + 2), (0, 5)), boundary=b
    ),
    "stride": lambda b: arrayconv.convolve(np.ones(1000), np.ones(5), stride=FAR, boundary=b),
    "padding and stride": lambda b: nn.conv1d(
        np.ones((1, 1, 9)), np.ones((1, 1, 5)), padding=FAR, stride=10**7, boundary=b
    ),
    "gradient of x": lambda b: arrayconv.vjp(
        arrayconv.convolve, np.ones(1000), np.ones(5), "same", dilation=FAR, boundary=b
    )[1](np.ones(1000))[0],
    "gradient of the kernel": lambda b: arrayconv.vjp(
        arrayconv.convolve, np.ones(1000), np.ones(5), "same", dilation=FAR, boundary=b
    )[1](np.ones(1000))[1],
    "many periods": lambda b: arrayconv.explain(3, 3, dilation=10**7, boundary=b),
    "a large image": lambda b: arrayconv.explain((10**7, 10**7), (3, 3), boundary=b),
    "a long signal": lambda b: arrayconv.explain(10**15, 5, boundary=b),
    "a small workspace": lambda b: arrayconv.explain((10**5, 10**5), (5, 5), max_workspace=10**6, boundary=b),
    "a long signal in a small workspace": lambda b: arrayconv.explain(10**10, 5, max_workspace=10**6, boundary=b),
    "upsampling": lambda b: arrayconv.einconv(
        "n, n -> n | n", np.ones(10), np.ones(5), upsample=FAR, stride=FAR // 7, padding="full", boundary=b
    ),
}


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("name", CALLS)
def test_memory_grows_with_what_is_asked_for(name, boundary):
    tracemalloc.start()
    try:
        CALLS[name](boundary)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < SAMPLES


def test_pieces_of_a_plan_are_ranges():
    for method in ("direct", "banded", "fft", "overlap_save", "im2col", "native_tiles"):
        plan = arrayconv.explain((10**5, 10**5), (5, 5), boundary="wrap", max_workspace=10**6, method=method)
        assert plan.steps > 10**6
