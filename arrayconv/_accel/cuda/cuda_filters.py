"""Chains of passes on CuPy arrays and CUDA tensors of any layout, by the package's own CUDA kernels.

Wins      filters of one or several passes: x is read and y is written in the caller's dtypes, two passes in one launch.
Cost      launches, and multiply-adds in float64 or, of small integers, in int.
Memory    the arrays between launches: none of up to two passes whose windows fit a tile.
Accuracy  sums in float64: of integers product by product in the order of the terms, else with fused products.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from arrayconv._accel.cuda import filter_stages
from arrayconv._accel.cuda.arrays import ARRAYS
from arrayconv._accel.cuda.filter_job import MAX_VALUES, Kind, Taps
from arrayconv._accel.cuda.filter_stages import Launch
from arrayconv._accel.cuda.job import Steps
from arrayconv._accel.cuda.launch import LIBRARY
from arrayconv._accel.native import native_filters
from arrayconv._accel.native.in_place import Host
from arrayconv._arrays import dtypes, failures
from arrayconv._arrays.failures import AcceleratorFailed
from arrayconv._arrays.libraries import library_row
from arrayconv._arrays.namespace import compat_namespace, on_device
from arrayconv._costs.gpu import kernel_ns
from arrayconv._problem.chain import Chains, Window
from arrayconv._runtime.tracing import planning

NAME = "cuda_filters"
_EFFICIENCY = 20  # percent of the card's multiply-adds; a guess
_MAX_LAYOUTS = 16


def reads(backend: str, device: str) -> bool:
    """Whether the kernels read arrays of a library on a kind of device."""
    return backend in ARRAYS and device == "cuda"


def is_available(backend: str, device: str, accelerators: frozenset[str]) -> bool:
    """Whether the kernels may run on such arrays: they are allowed, and neither lack anything nor have failed."""
    if not reads(backend, device) or LIBRARY not in accelerators or LIBRARY in failures.failures:
        return False
    return ARRAYS[backend].missing() is None


def supports(chains: Chains, fill: complex, *, in_struct: bool = True) -> bool:
    """Whether the kernels compute such chains; `in_struct`: whether their taps are known."""
    if not (native_filters.supports(chains) and filter_stages.fits(chains)):
        return False
    windows = [window for chain in chains.chains for window in chain]
    if any(window.sparse for window in windows) and not (in_struct and _num_values(chains) <= MAX_VALUES):
        return False
    # One kernel's fill is filtered by the first pass, which another launch does not see.
    return not chains.is_one_kernel or fill == 0 or len(filter_stages.splits(chains)) == 1


@planning()
def workspace(chains: Chains) -> int:
    """Return the bytes of the arrays between launches: two at a time."""
    shape, sizes = list(chains.shape), [0, 0]
    for window in chains.chains[0][: len(filter_stages.splits(chains)) - 1]:
        for axis, along in zip(window.axes, window.windows, strict=True):
            shape[axis] = along.outputs
        sizes.append(prod(shape))
    return dtypes.itemsize(chains.y) * max(map(sum, pairwise(sizes)))


@planning()
def cost(chains: Chains, is_whole: bool = False, card: str = "") -> int:
    """Return the expected nanoseconds of all launches."""
    outputs, splits = prod(chains.output_shape), filter_stages.splits(chains)
    launches = 1 if splits == (2,) else len(chains.chains) * len(splits)
    nbytes = prod(chains.shape) * dtypes.itemsize(chains.x) + outputs * dtypes.itemsize(chains.y)
    terms = sum(len(window.positions) for chain in chains.chains for window in chain)
    parts = 2 if chains.x.startswith("complex") else 1
    each = kernel_ns(nbytes, outputs * terms * parts // launches, "int32" if is_whole else "float64", _EFFICIENCY, card)
    return launches * each


def _shape(window: Window) -> tuple[int, ...]:
    return tuple(along.taps for along in window.windows)


def _num_values(chains: Chains) -> int:
    return sum(prod(_shape(window)) for chain in chains.chains for window in chain)


class CudaFilters:
    """Chains on a library's arrays; safe for several threads.

    Parameters
    ----------
    backend : str
        The library, a row of `arrays.ARRAYS`.
    chains : Chains
        The passes.
    fill : complex
        The number beyond the ends of constant axes.
    weights : 1-D array of float64, optional
        On the host, of all passes of all chains; without it every call brings those of the one pass.
    is_whole : bool
        Whether an int contains every sum, see `filters.fits_uint16`.
    is_bool : bool
        Whether y is of bools, and the bytes between passes of uint8.
    """

    def __init__(
        self,
        backend: str,
        chains: Chains,
        fill: complex,
        weights: Host | None,
        *,
        is_whole: bool = False,
        is_bool: bool = False,
    ) -> None:
        self.chains, self.fill = chains, fill
        self._arrays, self._xp, self._queue = ARRAYS[backend], compat_namespace(backend), library_row(backend).queue
        self._values = None if weights is None else _dense(chains, weights)
        in_struct = self._values is not None and len(self._values) <= MAX_VALUES
        self._kind = Kind(is_whole and in_struct, in_struct, is_bool)
        self._shape, self._dtype = chains.output_shape, "bool" if is_bool else chains.y
        self._layouts: dict[Any, tuple[Launch, ...]] = {}
        self._uploads: dict[Any, Any] = {}

    @property
    def is_whole(self) -> bool:
        """Whether sums are formed in int."""
        return self._kind.is_whole

    def __call__(self, x: Any, weights: Any = None, out: Any = None) -> Any:
        """Return y; `out` where that is an array to write to, which does not overlap x."""
        arrays, device = self._arrays, x.device
        with on_device(self._xp, device):
            x = arrays.resolved(x)
            y = self._empty(self._shape, self._dtype, device) if out is None else out
            taps = self._taps(weights, device)
            address, between = 0 if taps is None else arrays.address(taps), x
            for one in self._launches(x, y, weights):
                stage, job = one.stage, one.job.copy()
                source = x if stage.reads_x else between
                between = y if stage.writes_y else self._empty(stage.output_shape, self.chains.y, device)
                job["x"], job["w"], job["y"] = arrays.address(source), address, arrays.address(between)
                arrays.launch(one.kernel, one.grid, job, device)
        return y

    def _empty(self, shape: tuple[int, ...], dtype: str, device: Any) -> Any:
        return self._xp.empty(shape, dtype=getattr(self._xp, dtype), device=device)

    def compile(self, x: Any, weights: Any) -> None:
        """Compile what a call on such arrays needs; AcceleratorFailed where that fails."""
        device = x.device
        with on_device(self._xp, device):
            y = self._empty(self._shape, self._dtype, device)
            for one in self._launches(x, y, weights):
                self._arrays.prepare(one.kernel, device)

    def _launches(self, x: Any, y: Any, weights: Any) -> tuple[Launch, ...]:
        steps = self._arrays.steps
        key = steps(x), steps(y), steps(weights) if self._values is None else ()
        layout = self._layouts.get(key)
        if layout is None:
            if len(self._layouts) >= _MAX_LAYOUTS:
                self._layouts.clear()
            layout = self._layouts[key] = tuple(self._stages(*key))
        return layout

    def _stages(self, x: Steps, y: Steps, taps: Steps) -> Iterator[Launch]:
        places = _places(self.chains, None if self._values is not None else taps)
        between = x
        for stage in filter_stages.stages(self.chains, places):
            shape = stage.output_shape
            dense = tuple([prod(shape[axis + 1 :]) for axis in range(len(shape))])
            steps = x if stage.reads_x else between, y if stage.writes_y else dense
            one = filter_stages.launch_of(self.chains, stage, *steps, self.fill, self._kind)
            if self._kind.in_struct:
                _write_taps(one.job, self._values, is_whole=self.is_whole)
            yield one
            between = dense

    def _taps(self, weights: Any, device: Any) -> Any:
        """Return the taps on a device, for work of the current stream; None where they are in the struct."""
        if self._values is None:
            return weights
        if self._kind.in_struct:
            return None
        key = self._queue(device)
        taps = self._uploads.get(key)
        if taps is None:
            taps = self._uploads[key] = self._xp.asarray(self._values, device=device)
        return taps


def _dense(chains: Chains, weights: Host) -> Host:
    """Return the taps of all passes in the order in which windows are read: flipped, and 0 between those of a cross."""
    passes, start = [], 0
    for window in (window for chain in chains.chains for window in chain):
        own = np.zeros(_shape(window))
        count = len(window.positions)
        if window.sparse:
            own[tuple(zip(*window.sparse, strict=True))] = weights[start : start + count]
        else:
            own[...] = weights[start : start + count].reshape(own.shape)
        passes.append((np.flip(own) if window.flip else own).reshape(-1))
        start += count
    return np.concatenate(passes)


def _places(chains: Chains, steps: Steps | None) -> Sequence[Sequence[Taps]]:
    """Return where the taps of each pass are: dense ones after each other, or the caller's, whose steps are known."""
    rows, start = [], 0
    for chain in chains.chains:
        row = []
        for window in chain:
            shape = _shape(window)
            if steps is None:
                row.append(Taps(start, tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))))
                start += prod(shape)
            elif window.flip:
                ends = sum((n - 1) * step for n, step in zip(shape, steps, strict=True))
                row.append(Taps(ends, tuple(-step for step in steps)))
            else:
                row.append(Taps(0, tuple(steps)))
        rows.append(row)
    return rows


def _write_taps(job: Any, values: Any, *, is_whole: bool) -> None:
    taps = job["taps"][0]
    taps = taps.view(np.int32) if is_whole else taps
    taps[: len(values)] = values


def loads(bound: CudaFilters, x: Any, weights: Any) -> bool:
    """Whether the kernels of a filter compile; the first failure is a warning, after which none is available."""
    try:
        bound.compile(x, weights)
    except AcceleratorFailed as failure:
        failures.disable(failure)
        warnings.warn(f"{failure}. A filter's passes run one by one instead.", RuntimeWarning, stacklevel=2)
        return False
    return True
