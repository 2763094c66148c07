"""Every number of `convolve` and `correlate`, against the exact result and against SciPy where SciPy is right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from . import asserts, bounds
from .cases import shapes, values
from .checks import check, check_random, described, exact_result, invoke, operand, random_operands
from .required import restricted

FUNCTIONS = ("function", shapes.FUNCTIONS)


@pytest.mark.cross(FUNCTIONS, ("row", shapes.FITTING), ("mode", shapes.MODES))
def test_modes(subject, function, row, mode):
    _, x, kernel, options = row
    check_random(subject, function, x, kernel, mode=mode, **options)


@pytest.mark.cross(FUNCTIONS, ("row", shapes.LONGER_KERNEL), ("mode", shapes.MODES[:2]))
def test_longer_kernel(subject, function, row, mode):
    _, x, kernel, options = row
    check_random(subject, function, x, kernel, mode=mode, **options)


@pytest.mark.cross(FUNCTIONS, ("row", shapes.STEPS), ("mode", shapes.MODES))
def test_stride_and_dilation(subject, function, row, mode):
    _, x, kernel, options = row
    check_random(subject, function, x, kernel, mode=mode, **options)


@pytest.mark.cross(FUNCTIONS, ("row", shapes.AXES), ("mode", shapes.MODES))
def test_axes(subject, function, row, mode):
    _, x, kernel, options = row
    check_random(subject, function, x, kernel, mode=mode, **options)


@pytest.mark.cross(("accuracy", ("normwise", "componentwise")), ("row", shapes.LONG), ("mode", shapes.MODES), FUNCTIONS)
def test_long(subject, function, row, mode, accuracy):
    _, x, kernel, options = row
    check_random(subject, function, x, kernel, mode=mode, accuracy=accuracy, **options)


@pytest.mark.cross(FUNCTIONS, ("row", shapes.EMPTY))
def test_empty(subject, function, row):
    _, x, kernel, options = row
    check_random(subject, function, x, kernel, **options)


@pytest.mark.cross(FUNCTIONS, ("row", shapes.FITTING[:5] + shapes.AXES[:3]), ("mode", shapes.MODES))
def test_complex(subject, function, row, mode):
    _, x, kernel, options = row
    names = (subject.backend.complex,) * 2
    check_random(subject, function, x, kernel, names, mode=mode, **options)


@pytest.mark.cross(("row", values.HAND))
def test_by_hand(subject, row):
    _, function, x, kernel, options, expected = row
    name = subject.backend.complex if np.iscomplexobj(np.asarray(x)) else subject.backend.real
    out = check(subject, function, operand(subject, x, name), operand(subject, kernel, name), **options)
    if "accuracy" in subject.target.claims:  # every product is a small integer; transforms alone may round
        np.testing.assert_array_equal(subject.backend.host(out), np.asarray(expected))


# SciPy as a second opinion, where it is right: its own error is bounded in the same way, so twice the bound is allowed.


@pytest.mark.cross(FUNCTIONS, ("row", shapes.FITTING + shapes.LONG), ("mode", shapes.MODES))
def test_agrees_with_scipy(subject, function, row, mode):
    signal = pytest.importorskip("scipy.signal", reason="SciPy is not installed")
    _, x_shape, kernel_shape, options = row
    if options:
        return
    x, kernel = random_operands(subject, x_shape, kernel_shape, (subject.backend.real,) * 2)
    call = described(function, x, kernel, {"mode": mode})
    out = subject.backend.host(invoke(subject, function, (), x, kernel, {"mode": mode}))
    wide = [values.host.astype("float64") for values in (x, kernel)]
    other = getattr(signal, function)(*wide, mode=mode, method="direct")
    bound = bounds.allowed(
        exact_result(function, x.host, kernel.host, {"mode": mode}), subject.backend.real, "normwise"
    )
    asserts.within(out, other, 2 * bound, call)


@st.composite
def calls(draw):
    """A call of any geometry, small enough for the exact result."""
    ndim = draw(st.integers(1, 3), label="axes")
    each = [draw(st.integers(1, (40, 9, 5)[ndim - 1]), label="size") for _ in range(ndim)]
    taps = [draw(st.integers(1, (40, 6, 3)[ndim - 1]), label="taps") for _ in range(ndim)]
    per_axis = {
        "stride": draw(st.tuples(*[st.integers(1, 4)] * ndim), label="stride"),
        "dilation": draw(st.tuples(*[st.integers(1, 3)] * ndim), label="dilation"),
        "boundary": draw(st.tuples(*[st.sampled_from(shapes.BOUNDARIES)] * ndim), label="boundary"),
    }
    fits = all(d * (k - 1) < n for n, k, d in zip(each, taps, per_axis["dilation"], strict=True))
    mode = draw(st.sampled_from(shapes.MODES if fits else shapes.MODES[:2]), label="mode")
    return tuple(each), tuple(taps), {"mode": mode, **per_axis}


@pytest.mark.cross(FUNCTIONS)
@given(call=calls())
def test_random_geometry(subject, function, call):
    x, kernel, options = call
    check_random(subject, function, x, kernel, **restricted(subject.target.claims, options))
