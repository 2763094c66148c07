"""Several passes by one call of compiled code, on NumPy arrays and on tensors in the memory of the CPU.

A tape, a tracer and a gradient need the passes one by one.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from arrayconv import _autodiff
from arrayconv._accel.cuda import cuda_filters
from arrayconv._accel.native import native_filters
from arrayconv._accel.native.in_place import address
from arrayconv._accel.native.native_filters import BoundFilters
from arrayconv._arrays.array import Array
from arrayconv._arrays.tensors import has_memory, memory
from arrayconv._calls import tape
from arrayconv._plan.rank import Candidate
from arrayconv._problem.chain import Chains
from arrayconv._runtime.tracing import is_compiling, is_traced

_NUMPY, _TORCH = "numpy", "torch"


def is_available(backend: str, device: str, accelerators: frozenset[str]) -> bool:
    """Whether the compiled code may run on arrays of a library on a device."""
    if not native_filters.is_available(accelerators):
        return False
    return backend == _NUMPY or (backend == _TORCH and device == "cpu" and _NUMPY in accelerators)


def applies(backend: str, *arrays: Array) -> bool:
    """Whether nothing needs the passes of a call on these arrays: no tape, no tracer, no gradient."""
    if backend == _NUMPY:  # of no array that torch.compile traces: it does not read their dtypes
        return not tape.is_recording()
    if is_compiling() or tape.is_recording():
        return False
    if backend != _TORCH:
        return True
    detect = _autodiff.detector(_TORCH)
    return not is_traced(_TORCH, *arrays) and (detect is None or not detect(arrays[0], arrays[-1]))


def host(backend: str, array: Any) -> Any:
    """Return the memory of an array as NumPy's."""
    return memory(array) if backend == _TORCH else array


def run(bound: BoundFilters, backend: str, x: Any, weights: Any, out: Any = None) -> Any:
    """Return x after all passes, in the dtype of the chains; `out` where that was written."""
    samples, target = host(backend, x), None if out is None else host(backend, out)
    if samples.dtype == np.bool_:
        samples = samples.view(np.uint8)
    y = bound(samples, weights, target)
    if out is not None:
        return out
    return sys.modules[_TORCH].from_numpy(y) if backend == _TORCH else y


def doubles(backend: str, weights: Any) -> Any:
    """Return weights that come with a call, as the loop takes them: contiguous float64."""
    taps = np.ascontiguousarray(host(backend, weights), np.float64)
    return taps if taps.flags.aligned else taps.copy()


Direct = Callable[[Any, Any], Any]  # (x, weights) -> y; None for an array that `run` takes


def direct(bound: BoundFilters, backend: str, *, like: np.dtype[Any]) -> Direct | None:
    """Return `run` for contiguous arrays of a dtype."""
    if like.kind == "b" or not like.isnative:
        return None
    return (_tensors if backend == _TORCH else _arrays)(bound)


def _arrays(bound: BoundFilters) -> Direct:
    at, weights_at, empty, shape, dtype = bound.at_addresses(), bound.weights_at, np.empty, bound.shape, bound.dtype
    addressof, from_buffer = ctypes.addressof, cast(Callable[[Any], Any], ctypes.c_char.from_buffer)

    def run(x: Any, weights: Any) -> Any:
        try:
            x_at = addressof(from_buffer(x))
        except (TypeError, ValueError):  # it is read-only or not contiguous
            return None
        y = empty(shape, dtype)
        if weights_at is None:
            taps = doubles(_NUMPY, weights)
            at(x_at, address(taps), addressof(from_buffer(y)))
        else:
            at(x_at, weights_at, addressof(from_buffer(y)))
        return y

    return run


def _tensors(bound: BoundFilters) -> Direct:
    at, weights_at, empty, shape, dtype = bound.at_addresses(), bound.weights_at, np.empty, bound.shape, bound.dtype
    from_numpy, maybe_conj = sys.modules[_TORCH].from_numpy, dtype.kind == "c"

    def run(x: Any, weights: Any) -> Any:
        if not (x.is_contiguous() and has_memory(x)) or x.is_neg() or (maybe_conj and x.is_conj()):
            return None
        y = from_numpy(empty(shape, dtype))
        if weights_at is None:
            taps = doubles(_TORCH, weights)
            at(x.data_ptr(), address(taps), y.data_ptr())
        else:
            at(x.data_ptr(), weights_at, y.data_ptr())
        return y

    return run


def candidate(chains: Chains, threads: int, *, is_uint16: bool, by_xla: bool = False) -> Candidate:
    """Return the row of an explanation."""
    cost, workspace = native_filters.cost(chains, threads, is_uint16, by_xla), native_filters.workspace(chains, threads)
    return Candidate(native_filters.NAME, cost, (1, 1, *chains.output_shape), workspace, None)


def kernels_candidate(chains: Chains, *, is_whole: bool, card: str = "") -> Candidate:
    """Return the row of an explanation for CUDA kernels."""
    cost, workspace = cuda_filters.cost(chains, is_whole, card), cuda_filters.workspace(chains)
    return Candidate(cuda_filters.NAME, cost, (1, 1, *chains.output_shape), workspace, None)
