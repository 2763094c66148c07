"""torch's convolution on GPUs, by cuDNN: for tensors, and for CuPy arrays where the caller has imported torch.

    y = conv(x as (batch, groups * channels, *n), w as (groups * filters, channels, *k), stride, padding, dilation)

An upsampled problem is torch's transposed convolution, where that supports it.

Wins      many channels and filters.
Cost      macs multiply-adds, of filters in blocks; and the containment of non-finite samples, some 75 launches.
Memory    the extra outputs of equal padding on both sides, and what cuDNN allocates.
Accuracy  by norm: cuDNN may compute by Winograd's transform or by an FFT. TF32 is off.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from math import prod
from typing import Any

from arrayconv._accel.torch.calls import Call, applied, call, is_transposed, uncropped_size
from arrayconv._accel.torch.precision import full_precision, reproducible
from arrayconv._algorithms import Algorithm, Bound, Context, Cuts, Preparation, per_call
from arrayconv._arrays.failures import AcceleratorFailed, unavailable
from arrayconv._arrays.tensors import LIBRARY
from arrayconv._arrays.traits import Traits
from arrayconv._costs.gpu import Work, work_ns
from arrayconv._ops.windows import LEADING, reversed_taps
from arrayconv._problem.spec import Spec
from arrayconv._runtime.tracing import planning

_BACKENDS = ("torch", "cupy")
_MAX_AXES = 3
_FILTERS = 32  # of a block; fewer per group leave lanes empty; a guess
_LAUNCHES = 3  # with those that bring x and the result into cuDNN's order; a guess
_LEGACY_STREAMS = (0, 1)  # addresses by which CUDA names its default stream


def _why_not(spec: Spec, traits: Traits) -> str | None:
    reason = _library_refusal(traits)
    if reason is not None:
        return reason
    if traits.accumulator not in ("float32", "float64"):
        return f"it sums in float32 or float64. Got {traits.accumulator}"
    if not 1 <= len(spec.axes) <= _MAX_AXES:
        return f"it supports one to {_MAX_AXES} convolved axes. Got {len(spec.axes)}"
    return None


def _library_refusal(traits: Traits) -> str | None:
    """Return why torch can't be used for these arrays, or None."""
    if traits.backend not in _BACKENDS:
        return "it supports torch tensors and CuPy arrays"
    reason = unavailable(LIBRARY, traits.backend, traits)
    if reason is not None:
        return reason
    if traits.device != "cuda":
        return f"it supports CUDA devices. Got device {traits.device}"
    if traits.traced:
        return "a traced program would run in TF32 where the process allows that"
    return "the imported torch has no CUDA device" if traits.backend == "cupy" and not _has_cuda() else None


@planning()
def _has_cuda() -> bool:
    return sys.modules[LIBRARY].cuda.is_available()


def _work(spec: Spec, traits: Traits) -> Work:
    macs = spec.macs // max(1, spec.filters) * (-(-spec.filters // _FILTERS) * _FILTERS)
    macs //= prod(axis.upsample for axis in spec.axes)  # without the zeros between samples
    return Work(_LAUNCHES, traits.itemsize * (prod(spec.input_shape) + spec.outputs), macs)


def _cost(spec: Spec, traits: Traits) -> int:
    return work_ns(_work(spec, traits), traits.accumulator, traits.card)


def _workspace(spec: Spec, traits: Traits) -> int:
    result = prod((spec.batch, spec.groups, spec.filters, *uncropped_size(spec)))
    copies = 2 * prod(spec.input_shape) + prod(spec.kernel_shape)  # contiguous, or in cuDNN's order
    return traits.itemsize * (result + copies)


def _prepare(kernel: Any, spec: Spec, context: Context) -> tuple[Call, Any]:
    """Return the call and its weights, in the caller's library. The kernel is finite: the method is contained."""
    torch_call, xp = call(spec), context.xp
    if torch_call.transposed:
        order = (0, 2, 1, *range(LEADING, LEADING + len(spec.axes)))
        kernel = xp.permute_dims(reversed_taps(kernel, xp), order)
    return torch_call, xp.reshape(kernel, torch_call.w_shape)


def _bind(spec: Spec, context: Context) -> Bound:
    convolve = _on_cupy if context.traits.backend == "cupy" else _on_tensors

    def run(x: Any, prepared: tuple[Call, Any], out: Any) -> Any:
        torch_call, weights = prepared
        x = x[(..., *torch_call.samples)]
        x = context.xp.reshape(x, (spec.batch, *torch_call.x_shape[1:]))
        return context.xp.reshape(convolve(torch_call, x, weights), spec.output_shape)

    return Bound(run)


def _on_tensors(torch_call: Call, x: Any, weights: Any) -> Any:
    """Return torch's result; the caller of a method sets the precision of tensors' products."""
    with reproducible(sys.modules[LIBRARY]):
        return applied(torch_call, x, weights, None)


def _on_cupy(torch_call: Call, x: Any, weights: Any) -> Any:
    """Return torch's result for CuPy arrays, without a copy, on CuPy's current stream."""
    cupy, torch = sys.modules["cupy"], sys.modules[LIBRARY]
    with _on_stream_of(cupy, torch, x.device.id), full_precision(torch, "cuda"):
        tensors = [_tensor(torch, array) for array in (x, weights)]
        return cupy.from_dlpack(_on_tensors(torch_call, *tensors))


@contextmanager
def _on_stream_of(cupy: Any, torch: Any, number: int) -> Generator[None]:
    """Let torch compute on CuPy's current stream of a device inside a ``with`` block: no stream waits for another."""
    address, device = cupy.cuda.get_current_stream().ptr, torch.device("cuda", number)
    if address in _LEGACY_STREAMS:
        stream = torch.cuda.default_stream(device)
    else:
        stream = torch.cuda.ExternalStream(address, device=device)
    with torch.cuda.stream(stream):
        yield


def _tensor(torch: Any, array: Any) -> Any:
    """Return a tensor over a CuPy array's memory; over a copy where a stride is negative: torch has no such strides."""
    array = array.copy() if any(stride < 0 for stride in array.strides) else array
    try:
        return torch.from_dlpack(array)
    except (BufferError, RuntimeError, TypeError) as failure:
        raise AcceleratorFailed(LIBRARY, f"{type(failure).__name__}: {failure}") from failure


cudnn_conv = Algorithm(
    "cudnn_conv",
    _why_not,
    _cost,
    _workspace,
    Preparation(per_call(_prepare)),
    _bind,
    accuracy="normwise",
    cuts=Cuts(extends=frozenset({"zero"}), upsamples=is_transposed),
    spreads="overflow",  # of transforms: Winograd's, and FFTs
    work=_work,
)
