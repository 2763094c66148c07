"""The quotient of two convolutions: of the samples that are there, and of the mask that says which are."""

from __future__ import annotations

from typing import Any, NamedTuple

from arrayconv import _autodiff
from arrayconv._arrays import dtypes
from arrayconv._arrays.array import Array
from arrayconv._arrays.chunks import is_graph
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.namespace import has_dtype
from arrayconv._arrays.operands import Operands, operands
from arrayconv._calls import dry_run
from arrayconv._calls.binding import cached_call
from arrayconv._calls.prepare import Options
from arrayconv._missing import blocks, compiled, support
from arrayconv._missing import mask as masks
from arrayconv._missing.options import Problems, Request, problems
from arrayconv._problem.problem import Problem
from arrayconv._runtime.tracing import shape_of

_SLACK = 64  # multiples of eps, beyond one per tap, by which a weight may miss its share: transforms round too


class Sums(NamedTuple):
    """Both sums of a call, and which outputs have support; None if all have."""

    samples: Array
    weight: Array
    supported: Array | None


def output_name(call: Operands) -> str:
    """Return the dtype of a quotient: that of a convolution, or the widest float for integers."""
    name = call.traits.output
    if dtypes.kind(name) != "integer":
        return name
    return "float64" if has_dtype(call.xp, call.device, "float64") else "float32"


@float_errors_ignored
def quotient(request: Request, x: Array, kernel: Array, where: Array | None, output: str) -> tuple[Array, Array | None]:
    """Return the normalised convolution of validated operands, and the weight of every output.

    None for the weights where they were neither requested nor needed.
    """
    call = operands(request.function, x, kernel)
    xp, name = call.xp, dtypes.accumulator(output)
    planned = problems(request.function, shape_of(x), shape_of(kernel), request)
    taps = support.readable_taps(call, planned)
    if dry_run.is_active():
        return _noted(request, call, planned, taps, name, output)
    computed = compiled.quotient(request, call, where, planned, taps, name)
    parts = None if computed else blocks.quotient(request, call, where, planned, taps, name)
    if computed is not None:
        y, weight = computed
    elif parts is None:
        y, weight = _whole(request, call, where, planned, taps, name)
    else:
        y, weight = parts.y, parts.weight
        if not parts.certain:
            mask = masks.present(x, where, request.policy == "omit", xp=xp)
            supported = support.counted(call, mask, planned, request, taps)
            y = _nan_unless(supported, y, xp)
            weight = None if weight is None else xp.where(supported, weight, xp.zeros_like(weight))
    if request.min_weight and weight is not None:
        y = _nan_unless(_is_enough(request, call.kernel, weight, planned, name, xp), y, xp)
    dtype = getattr(xp, output)
    y = xp.astype(y, dtype, copy=False)
    return y, None if weight is None else xp.astype(weight, dtype, copy=False)


def _noted(
    request: Request, call: Operands, planned: Problems, taps: support.Taps | None, name: str, output: str
) -> tuple[Array, Array]:
    """Note the convolutions of a dry run, and return stand-ins."""
    xp, device, choice = call.xp, call.device, request.choice
    kernel = dry_run.stand_in(shape_of(call.kernel), name, xp=xp, device=device)
    both = (2, *shape_of(call.x))
    if planned.reads_fill:
        x = dry_run.stand_in(both[1:], name, xp=xp, device=device)
        _convolved(request.function, x, kernel, planned.one, choice)
        _convolved(request.function, x, kernel, planned.one, choice._replace(fill_value=1))
    else:
        x = dry_run.stand_in(both, name, xp=xp, device=device)
        _convolved(request.function, x, kernel, planned.both, choice._replace(fill_value=0))
    candidate = compiled.candidate(request, call, planned, taps, name)
    if candidate is not None:
        dry_run.note_fused(candidate)
    elif call.traits.readable:
        dry_run.remark("one more convolution, of integers, counts samples if a weight may be a rounding error")
    else:
        flags, nonzero = (
            dry_run.stand_in(shape_of(each), planned.counter, xp=xp, device=device) for each in (call.x, call.kernel)
        )
        _convolved(request.function, flags, nonzero, planned.one, support.counting(planned, request))
    y = dry_run.stand_in(planned.one.shape, output, xp=xp, device=device)
    return y, y


def _whole(
    request: Request, call: Operands, where: Array | None, planned: Problems, taps: support.Taps | None, name: str
) -> tuple[Array, Array]:
    """Return the quotient and the weights of the whole array, NaN and 0 without support."""
    xp = call.xp
    mask = masks.present(call.x, where, request.policy == "omit", xp=xp)
    total, weight, supported = _sums(request, call, mask, planned, taps, name)
    if supported is None:
        return total / weight, weight
    y = total / xp.where(supported, weight, xp.ones_like(weight))
    return _nan_unless(supported, y, xp), weight


def _nan_unless(condition: Array, y: Array, xp: Any) -> Array:
    return xp.where(condition, y, xp.full_like(y, float("nan")))


def _sums(
    request: Request, call: Operands, mask: Array | None, planned: Problems, taps: support.Taps | None, name: str
) -> Sums:
    """Return the sums of samples and of the mask: of one call, or of two if only one of them reads a fill."""
    xp, function, choice = call.xp, request.function, request.choice
    dtype = getattr(xp, name)
    samples, ones = masks.samples(call.x, mask, dtype, xp=xp), masks.numbers(mask, call.x, dtype, xp=xp)
    kernel = xp.astype(call.kernel, dtype, copy=False)
    if planned.reads_fill:
        total, _ = _convolved(function, samples, kernel, planned.one, choice)
        weight, method = _convolved(function, ones, kernel, planned.one, choice._replace(fill_value=1))
    else:
        both, method = _convolved(
            function, xp.stack([samples, ones]), kernel, planned.both, choice._replace(fill_value=0)
        )
        total, weight = both[0, ...], both[1, ...]
    weight = _without_support(weight, request, call, mask, planned, taps, name, method)
    return Sums(total, *weight)


def _without_support(
    weight: Array,
    request: Request,
    call: Operands,
    mask: Array | None,
    planned: Problems,
    taps: support.Taps | None,
    name: str,
    method: str,
) -> tuple[Array, Array | None]:
    """Return the weights, 0 without support, and which outputs have support; None where all have."""
    readable = not (is_graph(call.x) or _autodiff.needs_autodiff(call.traits.library, call.x))
    if (
        taps is not None
        and readable
        and support.is_certain(weight, support.weight_error(planned.one.spec, taps, method, name), call)
    ):
        return weight, None
    supported = support.counted(call, mask, planned, request, taps)
    return call.xp.where(supported, weight, call.xp.zeros_like(weight)), supported


def _convolved(function: str, x: Array, kernel: Array, problem: Problem, choice: Options) -> tuple[Array, str]:
    """Return a convolution, and the name of the method that computed it."""
    admitted = operands(function, x, kernel)
    call = cached_call(function, admitted, problem, choice)
    return call(admitted.x, admitted.kernel), call.plan().method


def _is_enough(request: Request, kernel: Array, weight: Array, planned: Problems, name: str, xp: Any) -> Array:
    """Return which weights are at least the requested share of that of the whole kernel, but for rounding."""
    taps = xp.astype(kernel, getattr(xp, name), copy=False)
    keepdims = len(planned.summed) < taps.ndim or taps.ndim == weight.ndim
    whole = xp.abs(xp.sum(taps, axis=planned.summed, keepdims=keepdims))
    size = xp.sum(xp.abs(taps), axis=planned.summed, keepdims=keepdims)
    rounding = (planned.one.spec.taps + _SLACK) * dtypes.eps(name) * size
    return xp.abs(weight) >= request.min_weight * whole - rounding
