"""Named stencils: their taps, and that they have the requested library, dtype and device."""

import cmath
import math

import numpy as np
import pytest

from . import asserts, dtypes
from .cases import kernels as rows
from .checks import described, invoke, operand


def _make(subject, function, options, **keywords):
    """The kernel on the backend, its host copy and the call."""
    make = getattr(subject.target.kernels, function)
    out = make(**options, xp=subject.backend.xp, device=subject.backend.device, **keywords)
    return out, subject.backend.host(out), f"kernels.{function}({options})"


def _taps(subject, host, expected, call):
    """A few roundings away from the expected ones, relative to the largest tap."""
    __tracebackhide__ = True
    asserts.equal("out.shape", host.shape, np.shape(expected), call)
    error = 16 * dtypes.eps(subject.backend.real) * np.max(np.abs(expected))
    asserts.within(host, np.asarray(expected), error, call)


@pytest.mark.cross(("row", rows.EXACT))
def test_taps(subject, row):
    _, function, options, expected = row
    out, host, call = _make(subject, function, options)
    model = operand(subject, expected, subject.backend.real)
    asserts.form(out, model.array, subject.backend.real, model.host.shape, subject, call)
    asserts.identical(host, model.host, call)


@pytest.mark.cross(("row", rows.SCIPY))
def test_is_an_impulse_response_of_scipy(subject, row):
    ndimage = pytest.importorskip("scipy.ndimage", reason="SciPy is not installed")
    _, function, options, name, theirs = row
    _, host, call = _make(subject, function, options)
    impulse = np.zeros(host.shape)
    impulse[tuple(size // 2 for size in host.shape)] = 1
    response = getattr(ndimage, name)(impulse, mode="constant", **theirs)
    if name in ("sobel", "prewitt", "laplace", "uniform_filter", "gaussian_filter", "gaussian_laplace"):
        _taps(subject, host, response, call)


@pytest.mark.cross(("row", rows.EVERY))
def test_convolving_an_impulse_gives_the_kernel_back(subject, row):
    _, function, options = row
    out, host, call = _make(subject, function, options)
    name = subject.backend.dtype_name(out)
    impulse = operand(subject, np.ones((1,) * host.ndim), name)
    options = {"accuracy": "componentwise"}  # a transform would round
    again = invoke(subject, "convolve", (), impulse, impulse._replace(array=out, host=host), options)
    call = described("convolve", impulse, impulse._replace(host=host), options)
    asserts.identical(subject.backend.host(again), host, call)


@pytest.mark.cross(
    ("row", rows.EVERY), ("dtypes", [("float32",), ("float64",), ("complex64",), ("bfloat16",), ("float16",)])
)
def test_dtype(subject, row, dtypes):
    _, function, options = row
    (name,) = dtypes
    out, _, call = _make_or_refuse(subject, function, options, name)
    if out is not None:
        asserts.equal("out.dtype", subject.backend.dtype_name(out), name, call)


def _make_or_refuse(subject, function, options, name):
    """Complex taps have no real dtype: a TypeError that names both."""
    dtype = getattr(subject.backend.xp, name)
    if function == "gabor" and options.get("part") is None and not name.startswith("complex"):
        call = f"kernels.{function}({options}, dtype={name})"
        asserts.raises(
            TypeError, [function, "dtype", name], lambda: _make(subject, function, options, dtype=dtype), call
        )
        return None, None, call
    return _make(subject, function, options, dtype=dtype)


@pytest.mark.cross(("row", rows.EVERY), ("name", ("int32", "int64")))
def test_integer_dtype_holds_every_tap_or_is_refused(subject, row, name):
    if not subject.backend.has(name):
        pytest.skip(f"{subject.backend.name} has no {name} on {subject.backend.device_name}")
    _, function, options = row
    dtype = getattr(subject.backend.xp, name)
    call = f"kernels.{function}({options}, dtype={name})"
    if function not in rows.WHOLE:
        asserts.raises(
            TypeError, [function, "dtype", name], lambda: _make(subject, function, options, dtype=dtype), call
        )
        return
    out, host, call = _make(subject, function, options, dtype=dtype)
    asserts.equal("out.dtype", subject.backend.dtype_name(out), name, call)
    asserts.identical(host, _make(subject, function, options)[1].astype(name), call)


def test_without_xp_is_numpy(subject):
    for options in ({}, {"xp": "numpy"}):
        out = subject.target.kernels.sobel(**options)
        asserts.kind_of_array(out, np.zeros(1), f"kernels.sobel({options})")
        asserts.equal("out.dtype", str(out.dtype), "float64", f"kernels.sobel({options})")


def test_difference_of_gaussians(subject):
    """The narrower Gaussian is extended by zeros to the wider one's size."""
    _, wide, call = _make(subject, "dog", {"sigma1": 1, "sigma2": 2, "ndim": 1})
    _, first, _ = _make(subject, "gaussian", {"sigma": 1, "ndim": 1})
    _, second, _ = _make(subject, "gaussian", {"sigma": 2, "ndim": 1})
    margin = (len(second) - len(first)) // 2
    _taps(subject, wide, np.pad(first, margin) - second, call)


def test_gabor(subject):
    """The formula, at every tap."""
    f, theta, s_u, s_v, offset = 0.15, 0.6, 1.5, 2.5, 0.3
    _, host, call = _make(subject, "gabor", {"frequency": f, "theta": theta, "sigma": (s_u, s_v), "offset": offset})
    rows_, columns = (size // 2 for size in host.shape)
    asserts.equal("rows", rows_, math.ceil(max(3 * s_v * math.cos(theta), 3 * s_u * math.sin(theta))), call)
    expected = np.empty(host.shape, complex)
    for i, j in np.ndindex(host.shape):
        r, c = i - rows_, j - columns
        u, v = c * math.cos(theta) + r * math.sin(theta), r * math.cos(theta) - c * math.sin(theta)
        envelope = math.exp(-((u / s_u) ** 2 + (v / s_v) ** 2) / 2) / (2 * math.pi * s_u * s_v)
        expected[i, j] = envelope * cmath.exp(1j * (2 * math.pi * f * u + offset))
    _taps(subject, host, expected, call)
