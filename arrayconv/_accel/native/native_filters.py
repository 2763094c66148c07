"""Chains of passes on NumPy arrays of any layout and byte order, by one call of the compiled loop.

Wins      filters of one or several passes: x is read once and y is written once, in the caller's dtypes.
Cost      multiply-adds in float64, and the conversion of every sample and output, over `threads`.
Memory    four buffers of a block for every thread; x is copied where its elements are in another byte order.
Accuracy  sums in float64: of integers product by product in the order of the terms, else with fused products.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from arrayconv._accel.native import filters, loader
from arrayconv._accel.native.in_place import At, Host, Steps, address, contiguous_steps
from arrayconv._arrays import failures
from arrayconv._arrays.dtypes import itemsize
from arrayconv._arrays.failures import AcceleratorFailed
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import LINE, method_cost
from arrayconv._costs.parallel import Threads
from arrayconv._problem.chain import Chains, is_regular
from arrayconv._runtime.tracing import planning

NAME = "native_filters"
_MAX_LAYOUTS = 16
_DOUBLE = 8  # bytes
_CACHED_BYTES = 4 << 20  # of samples and outputs that stay in the L2 caches between calls
_MEMORY_BYTE = 30  # picoseconds of any other, which all threads share


def is_available(accelerators: frozenset[str]) -> bool:
    """Whether the loop may be used: it was compiled, allowed, and has not failed."""
    return loader.LIBRARY in accelerators and loader.LIBRARY not in failures.failures and loader.built()


def loads(load: Callable[[], Any] | None = None) -> bool:
    """Whether `load`, the loader by default, provides the loop; its first failure is a warning and the last attempt."""
    try:
        (load or loader.loaded)()
    except AcceleratorFailed as failure:
        failures.disable(failure)
        warnings.warn(f"{failure}. A filter's passes run one by one instead.", RuntimeWarning, stacklevel=2)
        return False
    return True


@planning()
def supports(chains: Chains) -> bool:
    """Whether the loop computes such chains."""
    is_empty = not (prod(chains.shape) and prod(chains.output_shape) and chains.filtered)
    return not is_empty and is_regular(chains) and filters.supports(chains) and filters.is_near(chains)


def cost(chains: Chains, most_threads: int, is_uint16: bool = False, by_xla: bool = False) -> int:
    """Return nanoseconds by measured costs; vectors contain four times as many numbers of uint16."""
    measured = method_cost(NAME)
    picoseconds = filters.macs(chains) * measured.cache_line_mac * _DOUBLE // LINE
    picoseconds += prod(chains.output_shape) * measured.output * sum(map(len, chains.chains))
    picoseconds >>= 2 * is_uint16
    nbytes = prod(chains.shape) * itemsize(chains.x) + prod(chains.output_shape) * itemsize(chains.y)
    memory = max(nbytes - _CACHED_BYTES, 0) * _MEMORY_BYTE
    threads = threads_of(chains, most_threads, is_uint16, by_xla).most
    return measured.call_ns + (picoseconds // threads + memory) // 1000


@planning()
def threads_of(chains: Chains, most: int, is_uint16: bool = False, by_xla: bool = False) -> Threads:
    """Return the threads that may share chains of this size."""
    work = (filters.macs(chains) + 8 * prod(chains.output_shape)) * _DOUBLE >> 2 * is_uint16
    return parallel.threads("filters", work, most, by_xla=by_xla)


@planning()
def workspace(chains: Chains, most_threads: int) -> int:
    """Return the bytes of the buffers of all threads."""
    threads = threads_of(chains, most_threads).most
    return threads * _DOUBLE * filters.buffer_sizes(chains)


class BoundFilters:
    """Chains on NumPy arrays; safe for several threads.

    Parameters
    ----------
    chains : Chains
        The passes.
    fill : complex
        The number beyond the ends of constant axes.
    threads : int
        At most.
    weights : 1-D array of float64, optional
        The weights of all passes of all chains, contiguous; without them each call takes them.
    is_uint16 : bool
        Whether sums are formed in uint16, see `filters.fits_uint16`.
    on_torchs : bool
        Whether the arrays are memory of tensors: the threads are then torch's where that is possible.
    """

    def __init__(
        self,
        chains: Chains,
        fill: complex,
        threads: int,
        weights: Host | None = None,
        *,
        is_uint16: bool = False,
        on_torchs: bool = False,
    ) -> None:
        self.chains, self.fill, self.is_uint16, self.weights = chains, fill, is_uint16, weights
        self.on_torchs, self.max_threads = on_torchs, threads
        self.threads = threads_of(chains, threads, is_uint16)
        self.weights_at = None if weights is None else address(weights)
        self.shape, self.dtype = chains.output_shape, np.dtype(chains.y)
        self._layouts: dict[Any, At] = {}

    def __call__(self, x: Any, weights: Any = None, out: Any = None) -> Any:
        """Return y; `out` where that is an array to write to, which does not overlap x.

        `weights` are those of a call that takes them, contiguous float64, else ignored.
        """
        if not x.dtype.isnative:
            x = x.astype(x.dtype.newbyteorder("="))
        y: Any = np.empty(self.shape, self.dtype) if out is None else out
        at = self._layouts.get((x.strides, y.strides)) or self._add_layout(x.strides, y.strides)
        at(address(x), address(weights) if self.weights_at is None else self.weights_at, address(y))
        return y

    def at_addresses(self) -> At:
        """Return the loop at addresses of contiguous x, the weights of the call, and contiguous y."""
        steps = [contiguous_steps(shape) for shape in (self.chains.shape, self.shape)]
        widths = itemsize(self.chains.x), itemsize(self.chains.y)
        x_strides, y_strides = (tuple([step * n for step in own]) for own, n in zip(steps, widths, strict=True))
        return self._at(x_strides, y_strides)

    def _at(self, x_strides: Steps, y_strides: Steps) -> At:
        job = filters.job(self.chains, x_strides, y_strides, self.fill, self.is_uint16)
        return loader.on_threads(job, "float64", self.fill, self.threads, on_torchs=self.on_torchs)

    def _add_layout(self, x_strides: Steps, y_strides: Steps) -> At:
        if len(self._layouts) >= _MAX_LAYOUTS:
            self._layouts.clear()
        at = self._layouts[x_strides, y_strides] = self._at(x_strides, y_strides)
        return at
