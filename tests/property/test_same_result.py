"""Every method of every door gives the definition's result, at the first call and, to the bit, at later ones.

A three_calls call takes shortcuts that a first one may not, over the caller's own memory: so axes of length 1 are
anywhere, and arrays have the memory layouts of slices, reversals and transposes.
"""

import string
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arrayconv
from arrayconv import config, nn
from arrayconv._plan.rank import METHODS
from tests import layouts, oracle, running
from tests.conftest import make_library

DTYPES = {"int32": 0, "float32": 1e-4, "float64": 1e-11, "complex128": 1e-11}  # error beside the largest number
# Each new shape is compiled by JAX, and the strict library checks every operation.
EXAMPLES = {"numpy": 100, "torch": 40, "jax": 2, "array_api_strict": 20}

sizes = st.one_of(st.just(1), st.integers(1, 7))


def placed(draw, library, *hosts):
    """Return arrays of a library, each in one of the memory layouts of views."""
    memory = [draw(layouts.layouts(library.name, host), label="memory") for host in hosts]
    return [layouts.place(library, host, layout).array for host, layout in zip(hosts, memory, strict=True)]


def numbers(draw, shape, dtype):
    random = np.random.default_rng(draw(st.integers(0, 999), label="seed"))
    values = random.integers(-9, 10, shape)
    return (values + 1j * random.integers(-9, 10, shape) if dtype.startswith("complex") else values).astype(dtype)


def assert_definition(results, expected, dtype, call):
    """Raise unless all results are the same to the bit, and equal what is expected as far as the dtype allows."""
    for first, later in pairwise(results):
        assert first.tobytes() == later.tobytes(), f"{call}: another result when called again"
    y = results[0]
    assert (y.shape, y.dtype) == (expected.shape, np.dtype(dtype)), f"{call}: {y.shape} {y.dtype}"
    tolerance = DTYPES[dtype] * max(1, np.max(np.abs(expected), initial=0))
    error = np.max(np.abs(y - expected), initial=0)
    assert error <= tolerance, f"{call}: error {error}, should be at most {tolerance}"


def three_calls(library, run, arrays):
    """Return the results of a first call and two later ones, None where the method refuses the problem."""
    try:
        return [library.numpy(run(*arrays)) for _ in range(3)]
    except NotImplementedError:
        return None


def over_methods(library, install, expected, dtype, run, arrays, call):
    """Check every method on a problem; raise unless one of them supports it."""
    supported = []
    with config.using(accelerators=running.INSTALLS[install]), running.ranked_once():
        for method in METHODS:
            results = three_calls(library, lambda *operands, method=method: run(*operands, method=method), arrays)
            if results is not None:
                assert_definition(results, expected, dtype, f"{call} by {method} with {install}")
                supported.append(method)
    assert "auto" in supported


def definition(function, x, kernel, space, options):
    """Return the oracle's result where only the axes `space` are convolved, and the others broadcast."""
    exact = getattr(oracle, function)(oracle.exact(x), oracle.exact(kernel), axes=tuple(space), **options)
    return oracle.rounded(exact)


@st.composite
def problems(draw):
    """Draw x, a kernel, convolved axes, and options for them."""
    dtype = draw(st.sampled_from(sorted(DTYPES)), label="dtype")
    ndim = draw(st.integers(1, 4), label="axes")
    space = draw(st.lists(st.integers(0, ndim - 1), min_size=1, max_size=3, unique=True).map(sorted), label="space")
    x_shape = [draw(sizes) for _ in range(ndim)]
    k_shape = [draw(st.integers(1, 4)) if axis in space else 1 for axis in range(ndim)]
    for axis in range(ndim):
        if axis not in space:
            n = draw(st.integers(1, 3))
            pairs = [(1, 1), (1, 1), (n, 1), (1, n), (n, n)]
            x_shape[axis], k_shape[axis] = draw(st.sampled_from(pairs))
    mode = draw(st.sampled_from(["full", "same"]), label="mode")
    count = len(space)
    options = {"boundary": ("constant",) * count, "stride": (1,) * count, "dilation": (1,) * count}
    for name in draw(st.sets(st.sampled_from(sorted(options))), label="unusual"):
        choices = ["constant", "edge", "symmetric", "reflect", "wrap"] if name == "boundary" else [1, 2]
        options[name] = tuple(draw(st.sampled_from(choices)) for _ in range(count))
    x, kernel = (numbers(draw, shape, dtype) for shape in (x_shape, k_shape))
    install = draw(st.sampled_from(sorted(running.INSTALLS)), label="install")
    return x, kernel, tuple(space), mode, options, dtype, install


def labelled(x, kernel, space, orders):
    """Return the einconv pattern of a call whose axes pair by number, for arrays whose axes stand in other orders."""
    letters = string.ascii_lowercase[: x.ndim]
    shared = [axis in space or x.shape[axis] == kernel.shape[axis] > 1 for axis in range(x.ndim)]
    sides = [
        [letters[axis] if shared[axis] or array.shape[axis] > 1 else "()" for axis in range(x.ndim)]
        for array in (x, kernel)
    ]
    sides.append([max(pair) for pair in zip(*sides, strict=True)])  # a letter, where one of the two is
    left, right, output = (" ".join(side[axis] for axis in order) for side, order in zip(sides, orders, strict=True))
    return f"{left}, {right} -> {output} | {' '.join(letters[axis] for axis in space)}"


def padding(function, mode, taps, dilation):
    """Return how many samples beyond the ends a mode reads, before and after."""
    reach = dilation * (taps - 1) + 1
    if mode == "full":
        return reach - 1, reach - 1
    before = reach // 2  # of both functions, one counted from either end
    return before, reach - 1 - before


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("function", ["convolve", "correlate"])
def test_axes_by_number(name, function):
    library = make_library(name)

    @settings(max_examples=EXAMPLES[name], deadline=None)
    @given(st.data(), problems())
    def law(data, problem):
        x, kernel, space, mode, options, dtype, install = problem
        expected = definition(function, x, kernel, space, {"mode": mode, **options})
        run = getattr(arrayconv, function)
        arrays = placed(data.draw, library, x, kernel)
        call = f"{function}({x.shape}, {kernel.shape}, {mode!r}, axes={space}, {options})"
        fixed = {"mode": mode, "axes": space, **options}
        over_methods(
            library, install, expected, dtype, lambda a, b, method: run(a, b, **fixed, method=method), arrays, call
        )
        if function == "convolve":
            convolver = arrayconv.Convolver(arrays[1], **fixed)
            with config.using(accelerators=running.INSTALLS[install]):
                results = [library.numpy(convolver(arrays[0])) for _ in range(3)]
            assert_definition(results, expected, dtype, f"Convolver: {call}")

    law()


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("function", ["convolve", "correlate"])
def test_axes_by_label(name, function):
    library = make_library(name)

    @settings(max_examples=EXAMPLES[name], deadline=None)
    @given(st.data(), problems())
    def law(data, problem):
        x, kernel, space, mode, options, dtype, install = problem
        expected = definition(function, x, kernel, space, {"mode": mode, **options})
        orders = [data.draw(st.permutations(range(x.ndim)), label="order") for _ in range(3)]
        pattern = labelled(x, kernel, space, orders)
        pads = [padding(function, mode, kernel.shape[a], d) for a, d in zip(space, options["dilation"], strict=True)]
        flips = function == "convolve"
        arrays = placed(
            data.draw, library, *(a.transpose(order) for a, order in zip((x, kernel), orders, strict=False))
        )
        fixed = {"padding": pads, "flip": flips, "conj": not flips, **options}
        over_methods(
            library,
            install,
            expected.transpose(orders[2]),
            dtype,
            lambda a, b, method: arrayconv.einconv(pattern, a, b, **fixed, method=method),
            arrays,
            f"einconv({pattern!r}, {fixed})",
        )

    law()


@pytest.mark.parametrize("name", EXAMPLES)
def test_images_of_channels(name):
    library = make_library(name)

    @settings(max_examples=EXAMPLES[name], deadline=None)
    @given(st.data())
    def law(data):
        draw = data.draw
        count = draw(st.integers(1, 3), label="axes")
        dtype = draw(st.sampled_from(sorted(DTYPES)), label="dtype")
        groups = draw(st.integers(1, 2), label="groups")
        batch, channels, filters = (draw(st.integers(1, 3)) for _ in range(3))
        space = [draw(sizes) for _ in range(count)]
        taps = [draw(st.integers(1, 3)) for _ in range(count)]
        stride, dilation = draw(st.integers(1, 2)), draw(st.integers(1, 2))
        pad = [dilation * (k - 1) for k in taps]
        boundary = draw(st.sampled_from(["constant", "edge", "symmetric", "reflect", "wrap"]), label="boundary")
        x = numbers(draw, (batch, groups * channels, *space), dtype)
        kernel = numbers(draw, (groups * filters, channels, *taps), dtype)
        options = {"boundary": boundary, "stride": stride, "dilation": dilation}
        sums = [
            [
                sum(
                    oracle.correlate(
                        oracle.exact(x[b, g * channels + c]), oracle.exact(kernel[g * filters + o, c].conj()), **options
                    )
                    for c in range(channels)
                )
                for g in range(groups)
                for o in range(filters)
            ]
            for b in range(batch)
        ]
        expected = oracle.rounded(np.array(sums, object))
        run = getattr(nn, f"conv{count}d")
        over_methods(
            library,
            draw(st.sampled_from(sorted(running.INSTALLS)), label="install"),
            expected,
            dtype,
            lambda a, w, method: run(a, w, padding=pad, groups=groups, **options, method=method),
            placed(draw, library, x, kernel),
            f"conv{count}d({x.shape}, {kernel.shape}, groups={groups}, padding={pad}, {options})",
        )

    law()
