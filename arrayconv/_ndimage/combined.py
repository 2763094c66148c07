"""Filters that combine a derivative's results along several axes: Laplacians and lengths of gradients."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial, reduce
from typing import Any, NamedTuple

from arrayconv import config
from arrayconv._arrays.array import Array
from arrayconv._arrays.chunks import by_elements, is_lazy
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.identify import device_of
from arrayconv._arrays.namespace import Namespace
from arrayconv._calls import cache, dry_run
from arrayconv._errors import shown
from arrayconv._ndimage import dtypes, fused
from arrayconv._ndimage.arguments import boundary_of, entry_axes, per_axis, several_axes
from arrayconv._ndimage.filters import Request, gaussian, gaussian_chain, line
from arrayconv._ndimage.fused import Fused
from arrayconv._ndimage.passes import Program, run_fused, stand_in, write_output
from arrayconv._ndimage.validation import Call, validate_input
from arrayconv._ndimage.window import Pass
from arrayconv._problem.axes import is_iterable
from arrayconv._problem.boundary import Boundary
from arrayconv._problem.chain import Combination
from arrayconv._runtime.programs import LIBRARY, as_program

Derivative = Callable[[Any, int, Any, Any, Any], Any]  # (input, axis, output, mode, cval)
# (call, filtered axes, their modes) -> the passes of each derivative
Passes = Callable[[Call, Sequence[int], Sequence[Any]], Sequence[Sequence[Pass]]]

_FEW_BITS = 16
_DIFFERENCE = {0: 1.0, 1: -2.0, 2: 1.0}  # weights by their places in a window
_SMOOTHING = {"truncate", "radius"}  # options of a Gaussian that are one for all axes, or one per axis


class _Remembered(NamedTuple):
    """A filter, bound."""

    call: Call  # without its input and its output array
    fused: Fused

    def attempt(self, x: Any, out: Any) -> Any:
        """Return the filtered input; None where the derivatives must be combined."""
        if not fused.applies(self.call.source, x):
            return None
        return run_fused(self.fused, self.call if out is None else self.call._replace(out=out), x)


def laplace(request: Request, axes: Any) -> Any:
    """Return the sum of second differences along the axes."""
    cache_key = request.key(axes)
    y = _remembered_result(cache_key, request)
    return _by_axes(request, cache_key, axes, _second_difference, "sum", _laplace_passes) if y is None else y


def _second_difference(x: Any, axis: int, output: Any, mode: Any, cval: Any) -> Any:
    return line(Request("laplace", x, output, mode, cval), tuple(_DIFFERENCE.values()), axis, 0, flip=False)


def _laplace_passes(call: Call, axes: Sequence[int], modes: Sequence[Any]) -> Sequence[Sequence[Pass]]:
    """Return one pass of a cross: the sum of the differences along all axes.

    Where each difference would be cut to an integer the sum of them differs; then there are no passes.
    """
    if dtypes.is_integer(call.result) and not _has_whole_differences(call):
        return []
    centre = (1,) * len(axes)
    weights: dict[tuple[int, ...], float] = {centre: _DIFFERENCE[1] * len(axes)}
    for number in range(len(axes)):
        for place in (0, 2):
            weights[(*centre[:number], place, *centre[number + 1 :])] = _DIFFERENCE[place]
    boundaries: tuple[Boundary, ...] = tuple([boundary_of(call.source.function, mode) for mode in modes])
    values = tuple(weights.values())
    return [[Pass(tuple(axes), call.source.taps(values), centre, boundaries, positions=tuple(weights), values=values)]]


def _has_whole_differences(call: Call) -> bool:
    """Whether all differences are whole numbers that an int32 contains."""
    if not dtypes.is_integer(call.source.name) or dtypes.bits(call.source.name) > _FEW_BITS:
        return False
    return call.fill.real.is_integer() and abs(call.fill) < 1 << _FEW_BITS


def gaussian_laplace(request: Request, sigma: Any, axes: Any, options: Mapping[str, Any]) -> Any:
    """Return the sum of a Gaussian's second derivatives; axes that are left out have a sigma of 0."""
    cache_key = request.key(sigma, axes, dict(options))
    y = _remembered_result(cache_key, request)
    if y is not None:
        return y
    function, x = request.function, validate_input(request.function, request.input).x
    numbers = several_axes(function, axes, x.ndim)
    by_axis = dict(zip(entry_axes(numbers, x.ndim), per_axis(function, "sigma", sigma, len(numbers)), strict=True))
    sigmas = tuple(by_axis.get(axis, 0) for axis in range(x.ndim))
    return _gaussian_by_axes(request._replace(input=x), cache_key, 2, sigmas, axes, options, "sum")


def gaussian_gradient_magnitude(request: Request, sigma: Any, axes: Any, options: Mapping[str, Any]) -> Any:
    """Return the length of the gradient by a Gaussian's first derivatives."""
    cache_key = request.key(sigma, axes, dict(options))
    y = _remembered_result(cache_key, request)
    return _gaussian_by_axes(request, cache_key, 1, sigma, axes, options, "length") if y is None else y


def _remembered_result(cache_key: Hashable | None, request: Request) -> Any:
    """Return the result of the filter that is cached under a key; None where there is none, or derivatives must run."""
    remembered = cache.lookup(cache_key)
    return None if remembered is None else remembered.attempt(request.input, request.out)


def _gaussian_by_axes(
    request: Request,
    cache_key: Hashable | None,
    order: int,
    sigma: Any,
    axes: Any,
    options: Mapping[str, Any],
    combine: Combination,
) -> Any:
    function = request.function

    def derivative(x: Any, axis: int, output: Any, mode: Any, cval: Any) -> Any:
        orders = tuple([order * (other == axis) for other in range(x.ndim)])  # part of a cache key
        return gaussian(Request(function, x, output, mode, cval), sigma, orders, **options)

    def passes(call: Call, numbers: Sequence[int], modes: Sequence[Any]) -> Sequence[Sequence[Pass]]:
        ndim = call.source.x.ndim
        orders = [[order * (other == axis) for other in range(ndim)] for axis in numbers]
        return [gaussian_chain(call, sigma, each, mode, **options) for each, mode in zip(orders, modes, strict=True)]

    known = passes if _SMOOTHING.issuperset(options) else None
    return _by_axes(request, cache_key, axes, derivative, combine, known)


def with_extras(function: str, argument: str, derivative: Any, arguments: Any, keywords: Any) -> Derivative:
    """Return a derivative with further arguments; `argument` is its own name."""
    if not callable(derivative):
        raise TypeError(f"{function}: `{argument}` must be a function. Got {shown(derivative)}.")
    if not is_iterable(arguments):
        raise TypeError(f"{function}: `extra_arguments` must be a sequence. Got {shown(arguments)}.")
    if keywords is not None and not isinstance(keywords, Mapping):
        raise TypeError(f"{function}: `extra_keywords` must be a dict or None. Got {shown(keywords)}.")

    def derivative_with_extras(*first: Any) -> Any:
        return derivative(*first, *arguments, **(keywords or {}))

    return derivative_with_extras


class _Along(NamedTuple):
    """What a generic filter is for arrays of one shape and dtype: a call without its arrays, and where it filters."""

    call: Call
    axes: Sequence[int]
    modes: Sequence[Any]


def generic(request: Request, derivative: Derivative, axes: Any, combine: Combination) -> Any:
    """Return the sum of a derivative's results along the axes, or the root of their summed squares."""
    cache_key = request.key(axes)
    along = cache.lookup(cache_key)
    if along is None:
        call, numbers, modes = _validated(request, axes)
        bare = call._replace(source=call.source._replace(x=None), out=None)  # pyright: ignore[reportArgumentType]
        cache.store(cache_key, _Along(bare, numbers, modes))
    else:
        source = along.call.source._replace(x=request.input)
        call, numbers, modes = along.call._replace(source=source, out=request.out), along.axes, along.modes
    return _combined(call, request, derivative, numbers, modes, combine, None)


def _validated(request: Request, axes: Any) -> tuple[Call, Sequence[int], Sequence[Any]]:
    """Return the validated call, the filtered axes and their modes."""
    call = request.validate()
    numbers = several_axes(request.function, axes, call.source.x.ndim)
    modes = per_axis(request.function, "mode", request.mode, len(numbers))
    for name in modes:
        boundary_of(request.function, name)
    return call, numbers, modes


def _by_axes(
    request: Request,
    cache_key: Hashable | None,
    axes: Any,
    derivative: Derivative,
    combine: Combination,
    passes: Passes | None,
) -> Any:
    """Return a derivative's results, combined: by one call of the passes of all of them where these are known."""
    call, numbers, modes = _validated(request, axes)
    source, own = call.source, None
    can_fuse = passes is not None and numbers and call.result != "bool" and fused.applies(source, source.x)
    if passes is not None and can_fuse and fused.supports(source, config.current().accelerators):
        chains = passes(call, numbers, modes)
        is_sum_of_one = combine == "sum" and len(chains) == 1
        own = _bind(call, chains, "" if is_sum_of_one else combine)
    if own is None or dry_run.is_active():
        return _combined(call, request, derivative, numbers, modes, combine, own)
    if source.backend == LIBRARY:
        if not call.is_promoted:
            cache.store(cache_key, Program(call.bare, own))
        one_by_one = _with_input(call, request, derivative, numbers, modes, combine)
        return own.run_by_xla(call, source.x, None, lambda engine: engine.tangent_of(one_by_one))
    if not call.is_promoted:
        bare = call._replace(source=source._replace(x=None), out=None)  # pyright: ignore[reportArgumentType]
        cache.store(cache_key, _Remembered(bare, own))
    return run_fused(own, call, source.x)


def _bind(call: Call, chains: Sequence[Sequence[Pass]], combine: Combination) -> Fused | None:
    """Return the passes of all derivatives, bound.

    The results of each wrap, or are cut to an int32, before they are added: in float64 that is so for few bits only.
    """
    if dtypes.is_integer(call.result) and dtypes.bits(call.result) > _FEW_BITS:
        return None
    return fused.bind(call, chains, combine) if chains and all(map(len, chains)) else None


def _with_input(
    call: Call,
    request: Request,
    derivative: Derivative,
    numbers: Sequence[int],
    modes: Sequence[Any],
    combine: Combination,
) -> Callable[[Any], Any]:
    """Return the results along the axes, combined, as a function of the input, which refers to no array."""
    bare = call._replace(source=call.source._replace(x=None))  # pyright: ignore[reportArgumentType]
    request = request._replace(input=None)

    def combined(x: Any) -> Any:
        own = bare._replace(source=bare.source._replace(x=x))
        return _combined(own, request, derivative, numbers, modes, combine, None)

    return combined


def _combined(
    call: Call,
    request: Request,
    derivative: Derivative,
    numbers: Sequence[int],
    modes: Sequence[Any],
    combine: Combination,
    own: Fused | None,
) -> Any:
    """Return a derivative's results along the axes, combined."""
    source = call.source
    parts = [
        derivative(source.x, axis, call.dtype, mode, request.cval) for axis, mode in zip(numbers, modes, strict=True)
    ]
    with source.current_device():
        parts = [call.cast(part) for part in parts]
    if dry_run.is_active():
        if own is not None:
            dry_run.note_fused(own.candidate())
        return stand_in(call, call.result, source.x)
    function = _total if combine == "sum" else _length
    with source.current_device():
        if not parts:
            return write_output(call, source.x, source.x)
        if is_lazy(source.backend):
            y = by_elements(_of_chunks, tuple(parts), parts[0].dtype, combine, call.result)
        else:
            y = as_program(source.backend, function, (call.result, source.xp), tuple(parts))
        return write_output(call, y, source.x)


def _of_chunks(combine: Combination, result: str, *parts: Array, xp: Namespace, device: Any) -> Array:
    return (_total if combine == "sum" else _length)(result, xp, *parts)


@float_errors_ignored
def _total(result: str, xp: Namespace, *parts: Array) -> Array:
    return reduce(partial(dtypes.added, name=result, xp=xp), parts)


@float_errors_ignored
def _length(result: str, xp: Namespace, *parts: Array) -> Array:
    """Return the root of the summed squares."""
    squares = [dtypes.squared(part, result, xp=xp) for part in parts]
    total = reduce(partial(dtypes.added, name=result, xp=xp), squares)
    return dtypes.root(total, result, xp=xp, device=device_of(total))
