"""`cupy.fft` and `cupyx.scipy.fft` with the passes that CuPy's sources make.

They pad axis by axis, copy views and what a complex-to-real transform would overwrite, and divide in a further pass.
"""

from itertools import pairwise
from math import prod
from typing import NamedTuple

import numpy as np

from tests.cuda.standin.array import allocated, values_of
from tests.cuda.standin.creation import swapaxes, zeros
from tests.cuda.standin.ledger import LEDGER

_MAX_AXES = 3  # of one plan


def _index(ndim, axis, stop):
    index = [slice(None)] * ndim
    index[axis] = slice(0, stop)
    return tuple(index)


def _resized(a, lengths, axes):
    """Cut or zero-pad one axis after the other: zeros and a copy for each that grows."""
    for length, axis in zip(lengths, axes, strict=True):
        if length < a.shape[axis]:
            a = a[_index(a.ndim, axis, length)]
        elif length > a.shape[axis]:
            padded = zeros((*a.shape[:axis], length, *a.shape[axis + 1 :]), a.dtype)
            padded[_index(a.ndim, axis, a.shape[axis])] = a
            a = padded
    return a


def _is_one_plan(a, axes, kind):
    if not 1 < len(axes) <= _MAX_AXES or any(y - x != 1 for x, y in pairwise(axes)):
        return False
    at_an_end = axes[-1] == a.ndim - 1 or axes[0] == 0
    return at_an_end and (kind == "C2C" or not a.flags.f_contiguous)


def _transformed(a, axes, kind, length, options):
    if _is_one_plan(a, axes, kind):
        if not a.flags.c_contiguous or (kind == "C2R" and not options.overwrites):
            a = a.copy()
        return _run(a, axes, kind, length, options)
    order = {"C2C": axes, "R2C": [axes[-1], *axes[:-1]], "C2R": [*axes[:-1], axes[-1]]}[kind]
    real_at = {"C2C": -1, "R2C": 0, "C2R": len(order) - 1}[kind]
    for number, axis in enumerate(order):
        a = _along(a, axis, kind if number == real_at else "C2C", length, options)
    return a


def _along(a, axis, kind, length, options):
    is_last = axis == a.ndim - 1
    a = a if is_last else swapaxes(a, axis, -1)
    if a.base is not None or not a.flags.c_contiguous or (kind == "C2R" and not options.overwrites):
        a = a.copy()
    a = _run(a, [a.ndim - 1], kind, length, options)
    return a if is_last else swapaxes(a, axis, -1)


def _run(a, axes, kind, length, options):
    (values,) = values_of(a)
    norm = options.norm
    if kind == "R2C":
        spectrum, dtype = np.fft.rfftn(values, axes=axes, norm=norm), np.result_type(a.dtype, np.complex64)
    elif kind == "C2R":
        lengths = [*(values.shape[axis] for axis in axes[:-1]), length]
        spectrum, dtype = np.fft.irfftn(values, s=lengths, axes=axes, norm=norm), values.real.dtype
    else:
        spectrum, dtype = (np.fft.ifftn if options.is_inverse else np.fft.fftn)(values, axes=axes, norm=norm), a.dtype
    y = _output(a, spectrum.astype(dtype, copy=False), kind, options)
    LEDGER.launch("transform", len(axes) * a.nbytes, len(axes) * y.nbytes, len(axes))
    if norm == "ortho" or options.is_inverse == (norm == "backward"):
        LEDGER.launch("1/n", y.nbytes, y.nbytes)
    return y


def _output(a, spectrum, kind, options):
    """Return the result: in place of `a` where that is permitted, which real transforms destroy."""
    if options.overwrites and kind == "C2C":
        a.values[...] = spectrum
        return a
    if kind == "C2R":  # the input, or a copy of it
        a.values.fill(np.nan)
    return allocated(spectrum)


class _Options(NamedTuple):
    is_inverse: bool
    norm: str
    overwrites: bool


def _call(kind, a, s, axes, options):
    axes = [axis % a.ndim for axis in (range(-len(s), 0) if axes is None else axes)]
    lengths = [a.shape[axis] for axis in axes] if s is None else list(s)
    if kind == "R2C":
        a = a.astype(np.float64) if a.dtype.kind in "iub" else a
    elif a.dtype.kind != "c":
        a = a.astype(np.result_type(a.dtype, np.complex64))
    resized = [*lengths[:-1], lengths[-1] // 2 + 1] if kind == "C2R" else lengths
    assert prod(lengths), "an empty transform"
    return _transformed(_resized(a, resized, axes), axes, kind, lengths[-1], options)


def _function(name, kind, is_inverse):
    def call(a, s=None, axes=None, norm=None):
        return _call(kind, a, s, axes, _Options(is_inverse, norm or "backward", False))

    call.__name__ = name
    return call


def _scipy_function(name, kind, is_inverse):
    def call(x, s=None, axes=None, norm=None, overwrite_x=False, *, plan=None):
        assert plan is None, "plans of the caller are not modelled"
        return _call(kind, x, s, axes, _Options(is_inverse, norm or "backward", overwrite_x))

    call.__name__ = name
    return call


_KINDS = {
    "rfftn": ("R2C", False), "irfftn": ("C2R", True), "fftn": ("C2C", False), "ifftn": ("C2C", True)
}  # fmt: skip
FUNCTIONS = {name: _function(name, *kind) for name, kind in _KINDS.items()}
SCIPY_FUNCTIONS = {name: _scipy_function(name, *kind) for name, kind in _KINDS.items()}  # of `cupyx.scipy.fft`
