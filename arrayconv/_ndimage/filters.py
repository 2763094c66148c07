"""Each family of filters as a list of passes."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

from arrayconv._arrays.array import Array
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.out_arrays import output_key
from arrayconv._calls import cache
from arrayconv._ndimage import dtypes
from arrayconv._ndimage.arguments import before_of, boundary_of, entry_axes, one_axis, per_axis, several_axes, whole
from arrayconv._ndimage.gaussian import gaussian_pass
from arrayconv._ndimage.passes import run
from arrayconv._ndimage.validation import Call, validate_call, validate_input, weights_like
from arrayconv._ndimage.window import Pass
from arrayconv._problem.axes import integer, real
from arrayconv._problem.boundary import Boundary
from arrayconv._runtime.capacity import check_numbers

_DOOR = "ndimage."
_CENTRAL = (-1, 0, 1)  # difference
NEGLIGIBLE = 1e-15  # SciPy's largest standard deviation of an axis that it does not filter


class Request(NamedTuple):
    """The arguments that every filter has, unchecked, and the name of the function that was called."""

    function: str
    input: Any
    output: Any
    mode: Any
    cval: Any

    @property
    def out(self) -> Any:
        """The array that the result is written to, None for a new one."""
        output = self.output
        return None if output is None or isinstance(output, type) or not hasattr(output, "dtype") else output

    def key(self, *options: Any, weights: Any = None) -> Hashable | None:
        """Return the cache key of the call.

        Weights that are no array are part of it by their numbers, an output array by its memory layout.
        """
        function, x, output, mode, cval = self
        if output is None and weights is None:  # almost every call
            return cache.key(_DOOR + function, (x,), (None, mode, cval, *options), True)
        own, arrays = (output, mode, cval, *options), (x,)
        if weights is not None:
            if hasattr(weights, "dtype"):
                arrays = x, weights
            else:
                own = *own, _as_tuple(weights)
        out = None if output is None else self.out
        if out is not None:
            layout = output_key(out, arrays)
            if layout is None:
                return None
            arrays, own = (*arrays, out), (*layout, *own[1:])
        return cache.key(_DOOR + function, arrays, own, out is None)

    def validate(self, *, promote: bool = False) -> Call:
        """Return the call; its input is validated before its output and its fill."""
        return validate_call(validate_input(self.function, self.input), self.output, self.cval, promote=promote)

    def validate_weighted(self, weights: Any) -> tuple[Call, Array, tuple[Any, ...]]:
        """Return the call and its weights as `weights_like` does, which are validated before the output too."""
        source = validate_input(self.function, self.input)
        taps, values = weights_like(source, weights)
        is_complex = dtypes.is_complex(dtype_name(taps.dtype))
        return validate_call(source, self.output, self.cval, complex_weights=is_complex, promote=True), taps, values


def _as_tuple(weights: Any) -> Any:
    return tuple(map(_as_tuple, weights)) if isinstance(weights, (list, tuple)) else weights


def windowed(request: Request, weights: Any, origin: Any, axes: Any, *, flip: bool) -> Any:
    """Return the input after one pass of a kernel with as many axes as are filtered."""
    cache_key = request.key(origin, axes, weights=weights)
    remembered = cache.lookup(cache_key)
    if remembered is not None:
        return remembered(request.input, weights, request.out)
    call, taps, values = request.validate_weighted(weights)
    window = _window(request, call, taps, origin, axes, flip)._replace(values=values)
    return run(call, [window], cache_key, takes_weights=hasattr(weights, "dtype"))


def _window(request: Request, call: Call, taps: Array, origin: Any, axes: Any, flip: bool) -> Pass:
    function, mode = request.function, request.mode
    source = call.source
    numbers = several_axes(function, axes, source.x.ndim)
    if len(taps.shape) != len(numbers) or 0 in taps.shape:
        rank = sum(size > 0 for size in taps.shape)
        raise RuntimeError(
            f"{function}: weights.ndim ({rank}) must match len(axes) ({len(numbers)}), empty axes not counted: filter "
            f"weights array has incorrect shape. Got weights {tuple(taps.shape)}, input {tuple(source.x.shape)}."
        )
    if not isinstance(mode, str):
        raise RuntimeError(f"{function}: A sequence of modes is not supported. Got mode={mode!r}.")
    space = tuple(sorted(numbers))
    origins = dict(
        zip(entry_axes(numbers, source.x.ndim), per_axis(function, "origin", origin, len(numbers)), strict=True)
    )
    before = tuple(
        before_of(function, size, origins[axis], flip=flip) for axis, size in zip(space, taps.shape, strict=True)
    )
    return Pass(space, taps, before, (boundary_of(function, mode),) * len(space), flip)


def line(request: Request, weights: Any, axis: Any, origin: Any, *, flip: bool) -> Any:
    """Return the input after one pass of a one-dimensional kernel."""
    cache_key = request.key(axis, origin, weights=weights)
    remembered = cache.lookup(cache_key)
    if remembered is not None:
        return remembered(request.input, weights, request.out)
    function = request.function
    call, taps, values = request.validate_weighted(weights)
    if len(taps.shape) != 1 or 0 in taps.shape:
        raise RuntimeError(f"{function}: no filter weights given. Got weights of shape {tuple(taps.shape)}.")
    number = one_axis(function, axis, call.source.x.ndim)
    before = before_of(function, taps.shape[0], origin, flip=flip)
    window = Pass((number,), taps, (before,), (boundary_of(function, request.mode),), flip, values=values)
    return run(call, [window], cache_key, takes_weights=hasattr(weights, "dtype"))


def gaussian1d(request: Request, sigma: Any, axis: Any, order: Any, truncate: float, radius: Any) -> Any:
    """Return the input after a Gaussian or its derivative along one axis."""
    cache_key = request.key(sigma, axis, order, truncate, radius)
    remembered = cache.lookup(cache_key)
    if remembered is not None:
        return remembered(request.input, None, request.out)
    call = request.validate(promote=True)
    number = one_axis(request.function, axis, call.source.x.ndim)
    return run(call, [gaussian_pass(call, number, sigma, order, request.mode, truncate, radius)], cache_key)


def gaussian(
    request: Request, sigma: Any, order: Any, truncate: float = 4.0, radius: Any = None, axes: Any = None
) -> Any:
    """Return the input after a Gaussian or its derivatives, one pass per axis."""
    cache_key = request.key(sigma, order, truncate, radius, axes)
    remembered = cache.lookup(cache_key)
    if remembered is not None:
        return remembered(request.input, None, request.out)
    call = request.validate()
    return run(call, gaussian_chain(call, sigma, order, request.mode, truncate, radius, axes), cache_key)


def gaussian_chain(
    call: Call, sigma: Any, order: Any, mode: Any, truncate: float = 4.0, radius: Any = None, axes: Any = None
) -> list[Pass]:
    """Return the passes of a Gaussian or its derivatives, one per axis."""
    function = call.source.function
    numbers = several_axes(function, axes, call.source.x.ndim)
    entries = _entries(function, len(numbers), sigma=sigma, order=order, mode=mode, radius=radius)
    return [
        gaussian_pass(call, axis, sigma, order, mode, truncate, radius)
        for axis, (sigma, order, mode, radius) in zip(numbers, entries, strict=True)
        if real(function, "sigma", sigma) > NEGLIGIBLE
    ]


def mean1d(request: Request, size: Any, axis: Any, origin: Any) -> Any:
    """Return the means of windows along one axis."""
    cache_key = request.key(size, axis, origin)
    remembered = cache.lookup(cache_key)
    if remembered is not None:
        return remembered(request.input, None, request.out)
    call = request.validate(promote=True)
    number = one_axis(request.function, axis, call.source.x.ndim)
    return run(call, [_mean(call, number, size, request.mode, origin)], cache_key)


def mean(request: Request, size: Any, origin: Any, axes: Any) -> Any:
    """Return the means of boxes, one pass per axis."""
    cache_key = request.key(size, origin, axes)
    remembered = cache.lookup(cache_key)
    if remembered is not None:
        return remembered(request.input, None, request.out)
    function, call = request.function, request.validate(promote=True)
    numbers = several_axes(function, axes, call.source.x.ndim)
    entries = _entries(function, len(numbers), size=size, mode=request.mode, origin=origin)
    chain = [
        _mean(call, axis, _cut(function, size), mode, origin)
        for axis, (size, mode, origin) in zip(numbers, entries, strict=True)
        if real(function, "size", size) > 1
    ]
    return run(call, chain, cache_key)


def _cut(function: str, size: Any) -> int:
    """Return a window's size as SciPy cuts it, 3 for 3.5."""
    return integer(function, "size", int(min(real(function, "size", size), 2.0**64)))


def _mean(call: Call, axis: int, size: Any, mode: Any, origin: Any) -> Pass:
    """Return the pass of a window's mean: its sum, then one division, so that whole numbers have exact sums."""
    function = call.source.function
    taps = whole(function, "size", size)
    if taps < 1:
        raise RuntimeError(f"{function}: incorrect filter size: `size` must be at least 1. Got {size}.")
    check_numbers(function, "`size`", taps, f"size {size}")
    before = before_of(function, taps, origin)
    ones = (1.0,) * taps
    boundaries = (boundary_of(function, mode),)
    return Pass((axis,), call.source.taps(ones), (before,), boundaries, divisor=taps, values=ones)


def gradient(request: Request, axis: Any, smoothing: tuple[int, int, int]) -> Any:
    """Return a central difference along one axis, smoothed along the others."""
    cache_key = request.key(axis)
    remembered = cache.lookup(cache_key)
    if remembered is not None:
        return remembered(request.input, None, request.out)
    function, call = request.function, request.validate()
    source, ndim = call.source, call.source.x.ndim
    number = one_axis(function, axis, ndim)
    modes: list[Boundary] = [boundary_of(function, name) for name in per_axis(function, "mode", request.mode, ndim)]
    order = [number, *(other for other in range(ndim) if other != number)]
    weights = {values: source.taps(values) for values in (_CENTRAL, smoothing)}
    each = {other: _CENTRAL if other == number else smoothing for other in order}
    chain = [Pass((n,), weights[values], (1,), (modes[n],), values=values) for n, values in each.items()]
    return run(call, chain, cache_key)


def _entries(function: str, count: int, **options: Any) -> list[tuple[Any, ...]]:
    """Return one tuple of options per axis."""
    columns = [per_axis(function, argument, value, count) for argument, value in options.items()]
    return list(zip(*columns, strict=True))
