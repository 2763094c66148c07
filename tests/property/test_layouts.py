"""The memory layout of arrays changes no bit: of no method, by no door, at a first call or at a cached one.

A cached call works on the caller's own memory, and is looked up by shapes and dtypes alone: so each example calls with
one layout, twice, with another, and with the first again, and then writes into memory of a third.
"""

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arrayconv
from arrayconv import config, ndimage, nn, signal
from arrayconv._plan.rank import METHODS
from tests import layouts, oracle, running
from tests.conftest import LIBRARIES, make_library

DTYPES = {"int32": 0, "float32": 1e-5, "float64": 1e-13, "complex128": 1e-13}  # error beside the norms' product
# The strict library checks every operation, and JAX compiles for each shape: there a door of each kind is enough.
EXAMPLES = {"numpy": 20, "torch": 8, "jax": 2, "array_api_strict": 3}
COMPILED = ("convolve", "nn.conv2d")
INSTALLS = ("everything", "everything", "everything", "no machine code", "NumPy and SciPy", "standard")
OUTPUTS = ("numpy", "torch")  # whose arrays are written into
BOUNDARIES = {"constant": "constant", "reflect": "symmetric", "nearest": "edge", "mirror": "reflect", "wrap": "wrap"}

sizes = st.one_of(st.just(1), st.integers(2, 6), st.integers(2, 6))
steps = st.sampled_from([1, 1, 2])
beyond = st.one_of(st.just("constant"), st.sampled_from(sorted(BOUNDARIES.values())))  # the loops extend by zeros
taps = st.integers(1, 4)


class Problem(NamedTuple):
    """A call of a door, without the memory layout of its arrays."""

    call: str
    arrays: tuple[np.ndarray, ...]
    run: Any  # (arrays..., method=, out=) -> the result, or several
    expected: tuple[np.ndarray, ...]
    has_method: bool = True  # whether the door has `method`
    out: bool = False  # whether it writes into an array
    backward: bool = False  # whether the results are gradients: their own calls choose their methods


def exactly(function, x, kernel, **options):
    return oracle.rounded(getattr(oracle, function)(oracle.exact(x), oracle.exact(kernel), **options))


def numbered(function):
    def door(draw, dtype):
        shape = draw(st.lists(sizes, min_size=1, max_size=3))
        kernel_shape = [draw(taps) for _ in shape]
        options = {"mode": draw(st.sampled_from(["full", "same"])), "stride": draw(steps)}
        options["boundary"] = draw(beyond)
        x, kernel = layouts.samples(draw, shape, dtype), layouts.samples(draw, kernel_shape, dtype)
        expected = exactly(function, x, kernel, **options)

        def run(x, kernel, **more):
            return getattr(arrayconv, function)(x, kernel, **options, **more)

        return Problem(f"{function}({shape}, {kernel_shape}, {options})", (x, kernel), run, (expected,), out=True)

    return door


def convolver(draw, dtype):
    shape = draw(st.lists(sizes, min_size=1, max_size=2))
    x, kernel = (layouts.samples(draw, size, dtype) for size in (shape, [draw(taps) for _ in shape]))
    expected = exactly("convolve", x, kernel, mode="same", boundary="symmetric")

    def run(x, kernel, method, **more):
        convolve = arrayconv.Convolver(kernel, mode="same", boundary="symmetric", method=method)
        return convolve(x), convolve(x, **more)

    return Problem(f"Convolver({kernel.shape})({shape})", (x, kernel), run, (expected, expected), out=True)


def labelled(draw, dtype):
    batch, channels, filters, n, k = (*(draw(st.integers(1, 3)) for _ in range(3)), draw(sizes), draw(taps))
    x, kernel = layouts.samples(draw, (n, batch, channels), dtype), layouts.samples(draw, (k, channels, filters), dtype)
    expected = np.zeros((n, batch, filters), oracle.rounded(oracle.exact(x)).dtype)
    for b, c, f in np.ndindex(batch, channels, filters):
        expected[:, b, f] += exactly("convolve", x[:, b, c], kernel[:, c, f], mode="same")
    options = {"padding": [(k // 2, k - 1 - k // 2)], "flip": True}

    def run(x, kernel, **more):
        return arrayconv.einconv("n b c, n c f -> n b f | n", x, kernel, **options, **more)

    return Problem(f"einconv({x.shape}, {kernel.shape})", (x, kernel), run, (expected,), out=True)


def network(count, transposed):
    def door(draw, dtype):
        batch, groups, channels, filters = (draw(st.integers(1, 2)) for _ in range(4))
        space, kernel = [draw(sizes) for _ in range(count)], [draw(st.integers(1, 3)) for _ in range(count)]
        stride = draw(steps)
        x = layouts.samples(draw, (batch, groups * channels, *space), dtype)
        weight_shape = (groups * channels, filters) if transposed else (groups * filters, channels)
        weight = layouts.samples(draw, (*weight_shape, *kernel), dtype)
        bias = layouts.samples(draw, (groups * filters,), dtype)
        arrays = (x, weight, bias) if draw(st.booleans(), label="bias") else (x, weight)
        expected = (spread if transposed else gathered)(x, weight, groups, stride)
        if len(arrays) == 3:
            expected = expected + bias.reshape(-1, *[1] * count)
        name, options = f"conv{'_transpose' * transposed}{count}d", {"stride": stride, "groups": groups}
        if not transposed:
            options["padding"] = [k - 1 for k in kernel]

        def run(*arrays, **more):
            return getattr(nn, name)(*arrays, **options, **more)

        return Problem(f"{name}({x.shape}, {weight.shape}, {options})", arrays, run, (expected,))

    return door


def gathered(x, weight, groups, stride):
    """Return the definition of a layer's full correlation."""
    filters, channels = weight.shape[0] // groups, weight.shape[1]
    return np.array(
        [
            [
                sum(
                    exactly("correlate", sample[f // filters * channels + c], weight[f, c].conj(), stride=stride)
                    for c in range(channels)
                )
                for f in range(len(weight))
            ]
            for sample in x
        ]
    )


def spread(x, weight, groups, stride):
    """Return the definition of a transposed layer: each sample adds a kernel to the result."""
    wide = np.result_type(x.dtype, float)
    filters, channels = weight.shape[1], weight.shape[0] // groups
    space = [stride * (n - 1) + k for n, k in zip(x.shape[2:], weight.shape[2:], strict=True)]
    y = np.zeros((len(x), groups * filters, *space), wide)
    for b, c, *at in np.ndindex(x.shape):
        place = tuple(slice(stride * n, stride * n + k) for n, k in zip(at, weight.shape[2:], strict=True))
        group = slice(c // channels * filters, (c // channels + 1) * filters)
        y[(b, group, *place)] += x[(b, c, *at)].astype(wide) * weight[c]
    return y


def of_signals(function):
    def door(draw, dtype):
        dtype = "float64" if dtype == "int32" and function in ("fftconvolve", "oaconvolve") else dtype  # as in SciPy
        shape = [draw(sizes) for _ in range(2)]
        x, kernel = (layouts.samples(draw, size, dtype) for size in (shape, [draw(taps) for _ in shape]))
        expected = exactly("correlate" if "correlate" in function else "convolve", x, kernel)
        return Problem(
            f"signal.{function}({x.shape}, {kernel.shape})", (x, kernel), getattr(signal, function), (expected,), False
        )

    return door


def upfirdn(draw, dtype):
    dtype = "float64" if dtype == "int32" else dtype
    x, kernel = layouts.samples(draw, (draw(sizes), draw(sizes)), dtype), layouts.samples(draw, (draw(taps),), dtype)
    up, down = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    between = np.zeros((up * (x.shape[0] - 1) + 1, x.shape[1]), x.dtype)
    between[::up] = x
    expected = exactly("convolve", between, kernel[:, None])[::down]
    return Problem(
        f"signal.upfirdn({kernel.shape}, {x.shape}, {up}, {down}, 0)",
        (x, kernel),
        lambda x, kernel: signal.upfirdn(kernel, x, up, down, 0),
        (expected,),
        False,
    )


def filtering(draw, dtype):
    shape = [draw(sizes) for _ in range(2)]
    x, weights = layouts.samples(draw, shape, dtype), layouts.samples(draw, [draw(taps) for _ in shape], dtype)
    mode = draw(st.sampled_from(sorted(BOUNDARIES)))
    expected = exactly("correlate", x, weights, mode="same", boundary=BOUNDARIES[mode])

    def run(x, weights, out=None):
        return ndimage.correlate(x, weights, output=out, mode=mode)

    return Problem(
        f"ndimage.correlate({x.shape}, {weights.shape}, {mode!r})", (x, weights), run, (expected,), False, out=True
    )


def averaging(draw, dtype):
    x = layouts.samples(draw, [draw(sizes) for _ in range(2)], "float64" if dtype == "int32" else dtype)
    box = np.full((3, 3), 1 / 9)
    expected = exactly("correlate", x, box, mode="same", boundary="symmetric")

    def run(x, out=None):
        return ndimage.uniform_filter(x, 3, output=out)

    return Problem(f"ndimage.uniform_filter({x.shape}, 3)", (x,), run, (expected,), False, out=True)


def derivative(draw, dtype):
    dtype = "float64" if dtype == "int32" else dtype
    shape = [draw(sizes) for _ in range(2)]
    x, kernel = (layouts.samples(draw, size, dtype) for size in (shape, [draw(taps) for _ in shape]))
    dy = layouts.samples(draw, [n + k - 1 for n, k in zip(x.shape, kernel.shape, strict=True)], dtype)
    expected = (exactly("correlate", dy, kernel, mode="valid"), exactly("correlate", dy, x, mode="valid"))

    def run(x, kernel, dy, method):
        _, pullback = arrayconv.vjp(arrayconv.convolve, x, kernel, method=method)
        return pullback(dy)

    return Problem(f"vjp(convolve, {x.shape}, {kernel.shape})", (x, kernel, dy), run, expected, backward=True)


DOORS = {
    "convolve": numbered("convolve"),
    "correlate": numbered("correlate"),
    "Convolver": convolver,
    "einconv": labelled,
    "nn.conv1d": network(1, False),
    "nn.conv2d": network(2, False),
    "nn.conv_transpose2d": network(2, True),
    "signal.convolve": of_signals("convolve"),
    "signal.correlate": of_signals("correlate"),
    "signal.fftconvolve": of_signals("fftconvolve"),
    "signal.oaconvolve": of_signals("oaconvolve"),
    "signal.convolve2d": of_signals("convolve2d"),
    "signal.upfirdn": upfirdn,
    "ndimage.correlate": filtering,
    "ndimage.uniform_filter": averaging,
    "vjp": derivative,
}


class Results:
    """The results of one method, of calls that differ in the memory of their arrays alone.

    Those of arrays with one layout must be the same to the bit, into `out` too. Matrix products of a library add in
    an order that depends on the layout of their operands; the compiled loops have one order. 'auto' may choose another
    method where a copy for `out` takes from the workspace.
    """

    def __init__(self, library, problem, method, install):
        self.library, self.problem = library, problem
        self.options = {"method": method} if problem.has_method else {}
        self.dtype = problem.arrays[0].dtype
        self.call = f"{problem.call} of {self.dtype} by {method} with {install}"
        self.one_order = method.startswith("native_") and self.dtype.kind != "c" and not problem.backward
        self.loose = method == "auto"
        self.known = {}

    def add(self, memory):
        """Call with arrays of these layouts, and compare."""
        self._compare(self._results(memory), memory)

    def write(self, memory, into):
        """Call with an output array of layout `into`, compare, and check that nothing is written beside it."""
        empty = np.zeros(self.problem.expected[-1].shape, self.dtype)
        out, other = (layouts.place(self.library, empty, into) for _ in range(2))
        results = self._results(memory, out=out.array)
        assert layouts.bits(results[-1]) == layouts.bits(self.library.numpy(out.array)), f"{self.call}: not `out`"
        self._compare(results, memory, f" into {into}")
        assert out.surroundings() == other.surroundings(), f"{self.call} in {memory} into {into}: wrote beside it"

    def _results(self, memory, **more):
        placed = [layouts.place(self.library, a, m) for a, m in zip(self.problem.arrays, memory, strict=True)]
        before = [one.snapshot() for one in placed]
        results = self.problem.run(*(one.array for one in placed), **self.options, **more)
        assert [one.snapshot() for one in placed] == before, f"{self.call} in {memory}: wrote into an operand"
        return [self.library.numpy(y) for y in (results if isinstance(results, tuple) else (results,))]

    def _compare(self, results, memory, into=""):
        call, key = f"{self.call} in {memory}{into}", None if self.one_order else memory
        if key not in self.known or (into and self.loose):
            for y, expected in zip(results, self.problem.expected, strict=True):
                assert_near(y, expected, self.dtype, call)
            self.known.setdefault(key, results)
            return
        for y, first in zip(results, self.known[key], strict=True):
            assert layouts.bits(y) == layouts.bits(first), f"{call}: {y}, but at first {first}"


def assert_near(y, expected, dtype, call):
    """Raise unless a result has the definition's shape, and its numbers as far as the dtype allows."""
    assert (y.shape, y.dtype.name) == (expected.shape, dtype.name), f"{call}: {y.shape} {y.dtype}"
    tolerance = DTYPES[dtype.name] * max(1, np.max(np.abs(expected), initial=0))
    error = np.max(np.abs(y - expected), initial=0)
    assert error <= tolerance, f"{call}: error {error}, should be at most {tolerance}"


@pytest.mark.parametrize(
    ("door", "name"), [(door, name) for name in LIBRARIES for door in (COMPILED if name == "jax" else DOORS)]
)
def test_memory_changes_no_result(door, name):
    library = make_library(name)

    @settings(max_examples=EXAMPLES[name], deadline=None)
    @given(st.data())
    def law(data):
        draw = data.draw
        problem = DOORS[door](draw, draw(st.sampled_from(sorted(DTYPES)), label="dtype"))
        install = draw(st.sampled_from(INSTALLS), label="install")
        way = st.tuples(*(layouts.layouts(name, array) for array in problem.arrays))
        first, other = draw(way, label="memory"), draw(way, label="other memory")
        into = draw(layouts.layouts(name, problem.expected[-1], writable=True), label="out")
        for method in METHODS if problem.has_method else ("auto",):
            results = Results(library, problem, method, install)
            config.cache_clear()
            with config.using(accelerators=running.INSTALLS[install]):
                try:
                    results.add(first)
                except NotImplementedError:
                    continue
                for memory in (first, other, other, first):
                    results.add(memory)
                if problem.out and name in OUTPUTS:
                    results.write(other, into)

    with running.ranked_once():
        law()
