"""`signal`: SciPy's convolutions by their own names, against the exact sums and against SciPy where it is right."""

import numpy as np
import pytest

from . import asserts, bounds, definitions
from .cases import signal as rows
from .doors import check, described, function, invoke, operands_of

BOUNDED = ("convolve2d", "correlate2d", "upfirdn", "lfilter", "resample_poly", "sepfir2d")  # element by element
TRANSFORMED = ("fftconvolve", "oaconvolve")  # float64 for integers, and the bound of transforms


def _accuracy(name, options):
    bounded = name in BOUNDED or options.get("method") == "direct"
    return "componentwise" if bounded else "normwise"


def _check(subject, row, dtype, small=False):
    _, name, shapes, options = row
    operands = operands_of(subject, shapes, dtype, small)
    return check(subject, f"signal.{name}", operands, options, _accuracy(name, options))


@pytest.mark.cross(("row", rows.CALLS), ("kind", ("real", "complex")))
def test_call(subject, row, kind):
    _check(subject, row, getattr(subject.backend, kind))


@pytest.mark.cross(("row", rows.CAUSAL))
def test_causal(subject, row):
    _check(subject, row, subject.backend.real)


@pytest.mark.cross(("row", rows.CONTINUED), few=2)
def test_continued(subject, row):
    _check(subject, row, subject.backend.real, small=True)


@pytest.mark.cross(("row", rows.INTEGERS), ("dtypes", [("uint8",), ("int32",), ("int64",)]), few=3)
def test_integers_are_exact_and_wrap(subject, row, dtypes):
    _check(subject, row, dtypes[0])


@pytest.mark.cross(("name", TRANSFORMED), ("dtypes", [("int32", "float64")]))
def test_integers_are_transformed_as_float64(subject, name, dtypes):
    operands = operands_of(subject, {"in1": (50,), "in2": (9,)}, dtypes[0], small=True)
    check(subject, f"signal.{name}", operands, {"mode": "same"}, "normwise", dtype=dtypes[1])


@pytest.mark.cross(("row", rows.CALLS[::3]), few=6)
def test_float32(subject, row):
    _check(subject, row, "float32")


@pytest.mark.cross(("row", rows.LAGS))
def test_correlation_lags(subject, row):
    _, n, k, mode, expected = row
    lags = function(subject, "signal.correlation_lags")(n, k, mode)
    call = f"signal.correlation_lags({n}, {k}, {mode!r})"
    asserts.equal("lags", np.asarray(lags).tolist(), expected, call)


@pytest.mark.cross(("shapes", [((9,), (3,)), ((400,), (300,))]))
def test_choose_conv_method(subject, shapes):
    """It names one of the two methods, that of `convolve` for these shapes and not for these values."""
    operands = operands_of(subject, dict(zip(("in1", "in2"), shapes, strict=True)), subject.backend.real)
    choose = function(subject, "signal.choose_conv_method")
    call = described("signal.choose_conv_method", operands, {})
    in1, in2 = (each.array for each in operands.values())
    choice = choose(in1, in2)
    assert choice in ("direct", "fft"), f"returned {choice!r}, but should be 'direct' or 'fft' [{call}]"
    asserts.equal("the choice for other values", choose(in1 * 0, in2), choice, call)


@pytest.mark.only("numpy")  # a check of the definition, which is the same on every backend
@pytest.mark.cross(("row", [row for row in [*rows.CALLS, *rows.CAUSAL] if (row[1], row[0]) not in rows.NO_SCIPY]))
def test_agrees_with_scipy(subject, row):
    signal = pytest.importorskip("scipy.signal", reason="SciPy is not installed")
    _, name, shapes, options = row
    operands = operands_of(subject, shapes, subject.backend.real)
    out = subject.backend.host(invoke(subject, f"signal.{name}", operands, options))
    hosts = {key: each.host.astype("float64") for key, each in operands.items()}
    exact = definitions.exact(f"signal.{name}", hosts, options)
    bound = bounds.allowed(exact, subject.backend.real, "normwise")  # the looser: SciPy may transform
    call = described(f"signal.{name}", operands, options)
    asserts.within(out, getattr(signal, name)(**hosts, **options), 2 * bound, call)
