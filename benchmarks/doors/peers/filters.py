"""A filter of `ndimage` as kernels: its impulse response, and factors of it along one axis each."""

from functools import lru_cache
from importlib import import_module

import numpy as np

from benchmarks.doors.ours import options
from benchmarks.peers import require

RADIUS = 20  # samples on each side of the impulse: no filter of the table reaches further
DENSE = 5  # taps along an axis up to which one kernel is quicker than its factors, or about as quick
MAGNITUDES = {
    "gaussian_gradient_magnitude": ("gaussian_filter", lambda axis, row: {"order": [int(a == axis) for a in (0, 1)]}),
    "generic_gradient_magnitude": ("sobel", lambda axis, row: {"axis": axis}),
}


def kernels(row, hosts):
    """Return the kernels, as correlations, whose results a filter returns: one, or two whose length it returns."""
    if row.function not in MAGNITUDES:
        return [_response(row.function, options(row, _scipy(), "numpy"), row, hosts)]
    function, more = MAGNITUDES[row.function]
    own = {name: value for name, value in row.options.items() if name == "sigma"}
    return [_response(function, {**own, **more(axis, row)}, row, hosts) for axis in (0, 1)]


def _scipy():
    return import_module("scipy.ndimage")


def _response(function, fixed, row, hosts):
    """Return the reversed response to an impulse, without its zeros, centred and odd on every axis."""
    ndim = len(row.shape)
    impulse = np.zeros((2 * RADIUS + 1,) * ndim, np.result_type(row.dtype, np.float64))
    impulse[(RADIUS,) * ndim] = 1
    weights = {name: value.astype(impulse.dtype) for name, value in hosts.items() if name != "input"}
    fixed = {**fixed, "mode": "constant", "output": impulse.dtype}
    response = np.flip(getattr(_scipy(), function)(impulse, **weights, **fixed))
    reach = np.abs(np.argwhere(response) - RADIUS).max(axis=0, initial=0)
    return response[tuple(slice(RADIUS - r, RADIUS + r + 1) for r in reach)].copy()


def factors(kernel):
    """Return [(column, row), ...] whose products add up to a 2-D kernel."""
    u, s, v = np.linalg.svd(kernel)
    rank = int(np.sum(s > 1e-12 * s[0]))
    require(rank <= 2, "the kernel is no short sum of products")
    return [(u[:, k] * s[k], v[k]) for k in range(rank)]


@lru_cache
def pads(shape):
    """Return the samples on each side that a kernel reads."""
    return tuple(size // 2 for size in shape)


def stages(kernel):
    """Return the kernels to run one after the other, for every term: dense where that is small."""
    if kernel.ndim == 1 or max(kernel.shape) <= DENSE or min(kernel.shape) == 1:
        return [[kernel]]
    return [[column[:, None], row[None, :]] for column, row in factors(kernel)]
