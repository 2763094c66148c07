"""The loop of `native_filters` on JAX arrays on CPUs, called by XLA.

Wins      as on NumPy arrays: all passes of a filter run on one block after the other.
Cost      that of the loop, on threads of XLA's own pool.
Memory    that of the loop.
Accuracy  the bits of NumPy's result: sums in float64 also in programs without that dtype.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from arrayconv import _accel
from arrayconv._accel.jax import ffi
from arrayconv._accel.native import filters, loader, native_filters
from arrayconv._accel.native.in_place import Host, Steps
from arrayconv._arrays.dtypes import itemsize
from arrayconv._problem.chain import Chains
from arrayconv._runtime.programs import number_of


def is_available(accelerators: frozenset[str], device: str) -> bool:
    """Whether XLA may call the loop for arrays on such a device."""
    return device == "cpu" and _accel.available(accelerators) >= {loader.LIBRARY, ffi.LIBRARY}


def loads() -> bool:
    """Whether XLA takes the loop; the first failure is a warning, after which it is not available."""
    return native_filters.loads(ffi.registered)


class XlaFilters(NamedTuple):
    """Chains on JAX arrays; hashable, a part of the cache key of programs."""

    chains: Chains
    fill: str  # in digits, since NaN is not equal to itself
    max_threads: int
    is_uint16: bool  # see `filters.fits_uint16`

    @property
    def threads(self) -> int:
        """Threads of a call, at most."""
        return native_filters.threads_of(self.chains, self.max_threads, self.is_uint16, True).most

    def batched(self, count: int) -> XlaFilters:
        """Return the chains over arrays with a first axis of `count` that no pass filters."""
        chains = tuple(
            tuple(window._replace(axes=tuple(axis + 1 for axis in window.axes)) for window in chain)
            for chain in self.chains.chains
        )
        return self._replace(chains=self.chains._replace(shape=(count, *self.chains.shape), chains=chains))

    def run(self, x: Any, weights: Any) -> Any:
        """Return y as part of the traced program.

        `weights` are those of all passes of all chains: one axis of floats, or what `bits` returns.
        """
        chains, fill = self.chains, number_of(self.fill)
        steps = _strides(chains.shape, chains.x), _strides(chains.shape, chains.y)
        job = filters.job(chains, *steps, fill, self.is_uint16)
        words = 2 if weights.dtype == np.uint32 else 1
        sizes = prod(chains.shape), weights.size // words, prod(chains.shape)
        table = ffi.with_sizes(job.units, loader.table(job, "float64", fill), sizes, self.threads)
        return ffi.call({"table": table}, (x, weights), chains.shape, chains.y)


def bits(weights: Host) -> Host:
    """Return float64 weights as pairs of uint32, for programs without float64."""
    return weights.view(np.uint32)


def _strides(shape: tuple[int, ...], dtype: str) -> Steps:
    """Return the strides of a contiguous array in bytes."""
    return tuple([prod(shape[axis + 1 :]) * itemsize(dtype) for axis in range(len(shape))])
