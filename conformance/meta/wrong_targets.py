"""Implementations with one seeded fault each: the suite must find every one of them (`test_wrong_targets.py`).

Each wraps a right implementation, so that nothing else is wrong.
"""

from importlib import import_module

import numpy as np
from array_api_compat import array_namespace

from ..claims import ALL
from ..targets import wrap


def _right(name):
    target = wrap(import_module("arrayconv"), "arrayconv")
    target.name = name
    return target


def _around(name, change):
    """A target whose convolve and correlate are `change(function, x, kernel, options)`."""
    target = _right(name)
    for each in ("convolve", "correlate"):
        right = getattr(target, each)

        def wrong(x, kernel, mode=None, *, right=right, **options):
            options = options if mode is None else {"mode": mode, **options}
            return change(right, x, kernel, options)

        setattr(target, each, wrong)
    return target


def wrong_flip():
    """convolve correlates and correlate convolves."""

    def change(right, x, kernel, options):
        return right(x, array_namespace(kernel).flip(kernel), **options)

    return _around("wrong_flip", change)


def wrong_same():
    """'same' starts one sample late for even kernels, as in other libraries."""

    def change(right, x, kernel, options):
        if (
            options.get("mode") != "same"
            or x.ndim != kernel.ndim
            or not {"stride", "dilation", "axes"}.isdisjoint(options)
        ):
            return right(x, kernel, **options)
        full = right(x, kernel, **{**options, "mode": "full"})
        return full[tuple(slice(k // 2, k // 2 + n) for n, k in zip(x.shape, kernel.shape, strict=True))]

    return _around("wrong_same", change)


def wrong_boundary():
    """symmetric and reflect change places: one library's name is the other's meaning."""
    other = {"symmetric": "reflect", "reflect": "symmetric"}

    def change(right, x, kernel, options):
        names = options.get("boundary", "constant")
        swapped = (
            tuple(other.get(name, name) for name in names) if isinstance(names, tuple) else other.get(names, names)
        )
        return right(x, kernel, **{**options, "boundary": swapped})

    return _around("wrong_boundary", change)


def wrong_conjugate():
    """correlate does not conjugate its kernel."""

    def change(right, x, kernel, options):
        complex_ = right.__name__ == "correlate" and "complex" in str(kernel.dtype)
        return right(x, array_namespace(kernel).conj(kernel) if complex_ else kernel, **options)

    return _around("wrong_conjugate", change)


def wrong_zero():
    """Right in everything but the numbers."""

    def change(right, x, kernel, options):
        out = right(x, kernel, **options)
        return array_namespace(out).zeros_like(out)

    return _around("wrong_zero", change)


def wrong_one():
    """One number of the result is a little off: two parts in 10**6 of the largest."""

    def change(right, x, kernel, options):
        out = right(x, kernel, **options)
        if out.size and out.dtype.kind == "f":
            out.reshape(-1)[out.size // 2] += 2e-6 * np.max(np.abs(out))
        return out

    return _around("wrong_one", change)


def wrong_dtype():
    """float32 comes back as float64."""

    def change(right, x, kernel, options):
        out = right(x, kernel, **options)
        xp = array_namespace(out)
        return xp.astype(out, xp.float64) if out.dtype == xp.float32 else out

    return _around("wrong_dtype", change)


def wrong_library():
    """The result is a NumPy array, whatever the operands are."""

    def change(right, x, kernel, options):
        return np.asarray(right(x, kernel, **options))

    return _around("wrong_library", change)


def wrong_precision():
    """Sums are formed in float32."""

    def change(right, x, kernel, options):
        xp = array_namespace(x)
        if x.dtype != xp.float64 or kernel.dtype != xp.float64:
            return right(x, kernel, **options)
        narrow = right(xp.astype(x, xp.float32), xp.astype(kernel, xp.float32), **options)
        return xp.astype(narrow, xp.float64)

    return _around("wrong_precision", change)


def wrong_integers():
    """Integers are computed in float64, which loses the low bits of long ones."""

    def change(right, x, kernel, options):
        if x.dtype.kind not in "iu" or kernel.dtype.kind not in "iu" or options.get("dtype") is not None:
            return right(x, kernel, **options)
        dtype = np.result_type(x, kernel)
        out = right(x.astype("float64"), kernel.astype("float64"), **options)
        with np.errstate(all="ignore"):
            return out.astype(dtype)

    return _around("wrong_integers", change)


def wrong_containment():
    """One NaN or infinity contaminates every output, as a transform would."""

    def change(right, x, kernel, options):
        out = right(x, kernel, **options)
        return out if np.all(np.isfinite(x)) else np.full_like(out, np.nan)

    return _around("wrong_containment", change)


def wrong_stride():
    """A stride returns the last of every group of outputs instead of the first."""

    def change(right, x, kernel, options):
        stride = options.get("stride", 1)
        if not isinstance(stride, int) or x.ndim != 1:
            return right(x, kernel, **options)
        full = right(x, kernel, **{**options, "stride": 1})
        return full[::-1][::stride][::-1]

    return _around("wrong_stride", change)


def wrong_mutation():
    """The first sample of x is overwritten."""

    def change(right, x, kernel, options):
        out = right(x, kernel, **options)
        x[(0,) * x.ndim] = 0
        return out

    return _around("wrong_mutation", change)


def wrong_error():
    """Refusals are of another type."""

    def change(right, x, kernel, options):
        try:
            return right(x, kernel, **options)
        except ValueError as refusal:
            raise RuntimeError(str(refusal)) from refusal

    return _around("wrong_error", change)


def wrong_lags():
    """lags() of 'same' is one too large where n is odd and k even."""
    target = _right("wrong_lags")
    right = target.lags
    target.lags = lambda n, k, mode="full", **steps: (
        right(n, k, mode, **steps) + (mode == "same" and n % 2 and not k % 2)
    )
    return target


def wrong_einconv():
    """Groups are ignored: every filter multiplies the channels of the first."""
    target = _right("wrong_einconv")
    right = target.einconv

    def einconv(pattern, x, kernel, **options):
        if "(g c)" in pattern and "g" in options:
            x = x.copy()
            x[:, x.shape[1] // 2 :] = x[:, : x.shape[1] // 2]
        return right(pattern, x, kernel, **options)

    target.einconv = einconv
    return target


def wrong_kernels():
    """sobel has its sign reversed: as for a correlation."""
    target = _right("wrong_kernels")
    right = target.kernels.sobel
    target.kernels.sobel = lambda *args, **options: -right(*args, **options)
    return target


def wrong_missing():
    """einconv is claimed and not defined: a stub replaces it, and tests are collected all the same."""
    module = {"CLAIMS": ALL, "kernels": None, "convolve": _right("").convolve}
    return wrap(type("module", (), module), "wrong_missing")
