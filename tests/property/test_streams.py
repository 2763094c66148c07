"""Streams: joined outputs are those of one call, for random sizes of chunks, copies and pickles in between.

ARRAYCONV_CHUNKINGS sets the number of random streams (25).
"""

import os
import pickle
from itertools import product

import array_api_compat
import numpy as np
import pytest

from arrayconv import Convolver, testing
from tests import oracle

CHUNKINGS = int(os.environ.get("ARRAYCONV_CHUNKINGS", "25"))
BOUNDARIES = ("constant", "edge", "symmetric", "reflect")
SHAPES = [  # of x and the kernel, the streamed axis, and `axes`
    ((60,), (7,), 0, None),
    ((3, 60), (7,), -1, -1),
    ((1, 60), (2, 7), 1, 1),
    ((3, 60), (3, 7), 1, 1),
    ((60, 5), (7, 3), 0, None),
    ((4, 60, 2), (9,), 1, 1),
]


def pushed(stream, x, axis, rng, largest):
    """Return the joined outputs of random chunks; now and then a copy or a pickle continues in place of the stream."""
    axis %= x.ndim
    outputs, at, size = [], 0, x.shape[axis]
    while at < size or not outputs:
        stop = min(at + int(rng.integers(0, largest + 1)), size)
        chunk = x[(slice(None),) * axis + (slice(at, stop),)]
        if rng.random() < 0.1:
            other, stream = stream, stream.copy()
            other.push(chunk)
        elif rng.random() < 0.1:
            stream = pickle.loads(pickle.dumps(stream))
        outputs.append(stream.push(chunk))
        at = stop
    xp = array_api_compat.array_namespace(x)
    return xp.concat([*outputs, stream.flush()], axis=axis), stream


def numbers(rng, shape, dtype):
    if dtype.startswith("int"):
        return rng.integers(-100, 100, shape).astype(dtype)
    x = rng.standard_normal(shape)
    return (x + 1j * rng.standard_normal(shape) if dtype.startswith("complex") else x).astype(dtype)


def random_call(rng):
    """Return x, a kernel, the streamed axis and options."""
    shape, taps, axis, axes = SHAPES[rng.integers(len(SHAPES))]
    dtype = str(rng.choice(["float32", "float64", "complex64", "int16"]))
    streamed = len(shape) - 1 if axis == -1 else axis
    size, reach = int(rng.integers(0, 60)), int(rng.integers(1, 10))
    shape = (*shape[:streamed], size, *shape[streamed + 1 :])
    place = streamed if len(taps) == len(shape) else 0
    taps = (*taps[:place], reach, *taps[place + 1 :])
    options = {
        "mode": str(rng.choice(["full", "same", "valid"])),
        "boundary": str(rng.choice(BOUNDARIES)),
        "stride": int(rng.choice([1, 1, 2, 5])),
        "dilation": int(rng.choice([1, 1, 3])),
        "fill_value": int(rng.choice([0, 2])),
        "axes": axes,
        "correlate": bool(rng.integers(2)),
    }
    return numbers(rng, shape, dtype), numbers(rng, taps, dtype), axis, options


@pytest.mark.parametrize("seed", range(CHUNKINGS))
def test_joined_outputs_are_those_of_one_call_to_the_bit(seed):
    rng = np.random.default_rng(seed)
    x, kernel, axis, options = random_call(rng)
    method = str(rng.choice(["auto", "direct", "native_loops"]))
    try:
        expected = Convolver(kernel, method="direct", **options)(x)
    except ValueError as error:
        reason = str(error).partition(":")[2].split(".")[0]
        with pytest.raises(ValueError, match=r"^(Stream|Convolver)") as raised:
            pushed(Convolver(kernel, method=method, **options).stream(axis), x, axis, rng, 9)
        assert reason in str(raised.value)
        return
    stream = Convolver(kernel, method=method, **options).stream(axis, max_latency=0)
    y, stream = pushed(stream, x, axis, rng, int(rng.choice([1, 9, 80])))
    same = Convolver(kernel, **{**options, "method": stream.method})(x)
    assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
    assert y.tobytes() == same.tobytes()
    assert (stream.samples, stream.outputs, stream.latency) == (x.shape[axis], y.shape[axis], 0)


def within_bound(y, x, kernel, options):
    """Whether a convolution is within the published bound by norm of the exact one."""
    exact = testing.reference("convolve", x, kernel, **options)
    bound = testing.error_bound("convolve", x, kernel, accuracy="normwise", **options)
    return y.shape == exact.shape and bool((np.abs(y - exact) <= bound).all())


@pytest.mark.parametrize("latency", [None, 20])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int16"])
def test_an_fft_by_blocks_is_within_the_bound_and_the_same_for_all_chunks(dtype, latency):
    rng = np.random.default_rng(5)
    cases = [((400,), (90,), 0, None), ((2, 300), (2, 90), 1, 1), ((2, 1, 300), (3, 70), 2, 2)]
    cases = [case for case in cases if len(case[1]) != 2 or len(case[0]) == 2]
    settings = product(cases, [("full", "constant", 1), ("same", "edge", 2), ("valid", "reflect", 3)])
    for (shape, taps, axis, axes), (mode, boundary, stride) in settings:
        x, kernel = numbers(rng, shape, dtype), numbers(rng, taps, dtype)
        options = {"mode": mode, "boundary": boundary, "stride": stride, "axes": axes}
        convolver = Convolver(kernel, method="fft", **options)
        first, stream = pushed(convolver.stream(axis, max_latency=latency), x, axis, rng, 30)
        second, _ = pushed(convolver.stream(axis, max_latency=latency), x, axis, rng, 200)
        assert latency is None or 0 < stream.latency <= latency
        assert first.tobytes() == second.tobytes()
        if dtype == "int16":
            assert first.tobytes() == Convolver(kernel, method="direct", **options)(x).tobytes()
        else:
            assert within_bound(first, x, kernel, options)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e36])
def test_partitions_contain_what_other_outputs_do_not_read(value):
    rng = np.random.default_rng(1)
    x, kernel = rng.standard_normal(1500).astype("float32"), rng.standard_normal(300).astype("float32")
    x[500] = value
    convolver = Convolver(kernel, method="fft")
    y, stream = pushed(convolver.stream(max_latency=31), x, 0, rng, 100)
    expected = Convolver(kernel, method="direct")(x)
    assert stream.method == "partitioned"
    np.testing.assert_array_equal(np.isfinite(y), np.isfinite(expected))
    others = np.r_[0:480, 832:1799]  # of other blocks: the bound by norm of a block contains its largest sample
    x[500] = 0
    bound = testing.error_bound("convolve", x, kernel, accuracy="normwise")
    assert (np.abs(y - expected)[others] <= 2 * np.broadcast_to(bound, y.shape)[others]).all()


def test_non_uniform_partitions_are_chosen_and_right():
    rng = np.random.default_rng(2)
    x, kernel = (rng.integers(-1000, 1000, size).astype("float64") for size in (9000, 6000))
    stream = Convolver(kernel, method="fft").stream(max_latency=15)
    y, stream = pushed(stream, x, 0, rng, 500)
    assert len(stream.partitions) == 2
    assert stream.latency == 15
    (first, end), (second, last) = [(part.first, part.first + part.block * part.blocks) for part in stream.partitions]
    assert (first, end) == (0, second)
    assert last >= kernel.size
    exact = np.convolve(x.astype("int64"), kernel.astype("int64"))  # below 2^53, so exact in float64 too
    terms = kernel.size + 12 * np.log2(y.size) + 4  # of `testing.error_bound`, which takes seconds for so many taps
    assert np.abs(y - exact).max() <= np.finfo(float).eps * terms * np.linalg.norm(x) * np.linalg.norm(kernel)


def test_the_oracle_of_nested_loops_agrees():
    x, kernel = np.arange(1.0, 8), np.array([1.0, 10, 100])
    for mode, boundary in product(("full", "same", "valid"), BOUNDARIES):
        stream = Convolver(kernel, mode, boundary=boundary, stride=2).stream()
        y, _ = pushed(stream, x, 0, np.random.default_rng(0), 2)
        exact = oracle.rounded(oracle.convolve(x, kernel, mode, boundary=boundary, stride=2))
        np.testing.assert_array_equal(y, np.asarray(exact, dtype=float))
