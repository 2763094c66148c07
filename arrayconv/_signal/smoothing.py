"""`savgol_filter`: the fitted polynomials' values as one filter, and at the ends as two short products.

In mode 'interp' the outputs whose windows leave the data come from the polynomials fitted to the first and the last
window: `_kernels.savgol.factors` has their weights as projections on polynomials and the polynomials' values.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.dtypes import component
from arrayconv._arrays.identify import device_of
from arrayconv._arrays.namespace import Namespace, on_device
from arrayconv._calls import cache, dry_run, prepare
from arrayconv._calls.prepare import Options
from arrayconv._errors import check_option
from arrayconv._kernels import savgol
from arrayconv._kernels.savgol import Fit
from arrayconv._ops.pad import along
from arrayconv._problem.boundary import Boundary
from arrayconv._problem.spec import Axis
from arrayconv._runtime.tracing import shape_of
from arrayconv._signal import lines
from arrayconv._signal.arrays import Pair, array_like, array_of
from arrayconv._signal.lines import BoundLine
from arrayconv._signal.resampling import axis_number

_BOUNDARIES: dict[str, Boundary] = {
    "mirror": "reflect",
    "constant": "constant",
    "nearest": "edge",
    "interp": "constant",
    "wrap": "wrap",
}
_NAMES = ("x", "window_length")


class _End(NamedTuple):
    """The outputs of one end: samples projected on polynomials, and these evaluated."""

    part: slice
    project: BoundLine
    evaluate: BoundLine
    projections: Any
    values: Any

    def __call__(self, x: Any, xp: Namespace, label: int) -> Any:
        samples = xp.expand_dims(x[along(label, self.part)], axis=label + 1)
        coefficients = self.project(samples, self.projections)  # (..., 1, polynomials, ...)
        return xp.squeeze(self.evaluate(coefficients, self.values), axis=label + 1)


class _Smoother(NamedTuple):
    """A call, bound: the filter, and in mode 'interp' the ends."""

    middle: BoundLine | None
    taps: Any
    ends: tuple[_End, ...]
    label: int
    xp: Namespace

    def __call__(self, x: Any) -> Any:
        parts = [] if self.middle is None else [self.middle(x, self.taps)]
        if self.ends:
            first, last = [end(x, self.xp, self.label) for end in self.ends]
            parts = [first, *parts, last]
        if dry_run.is_active():
            return dry_run.stand_in(shape_of(x), dtype_name(parts[0].dtype), xp=self.xp, device=device_of(x), like=x)
        if len(parts) == 1:
            return parts[0]
        with on_device(self.xp, device_of(x)):
            return self.xp.concat(parts, axis=self.label)


def coefficients(
    function: str, window_length: Any, polyorder: Any, deriv: Any, delta: Any, pos: Any, use: Any
) -> tuple[float, ...]:
    """Return the weights of `savgol_coeffs`."""
    savgol.check_use(function, use)
    fit = savgol.checked(function, window_length, polyorder, deriv, delta)
    taps = savgol.weights(fit, savgol.position_of(function, fit, pos))
    return taps[::-1] if use == "conv" else taps


def smoothed(
    function: str,
    x: Any,
    window_length: Any,
    polyorder: Any,
    deriv: Any,
    delta: Any,
    axis: Any,
    mode: Any,
    cval: Any,
) -> Any:
    """Return x smoothed, or differentiated, along an axis."""
    cache_key = cache.key(f"signal.{function}", (x,), (window_length, polyorder, deriv, delta, axis, mode, cval))
    call = cache.lookup(cache_key)
    if call is None:
        check_option(function, "mode", mode, _BOUNDARIES)
        fit = savgol.checked(function, window_length, polyorder, deriv, delta)
        options = prepare.options(function, "auto", "componentwise", None, cval, "cval")
        x, xp, device = array_of(function, "x", x)
        label = axis_number(function, axis, shape_of(x))
        size = shape_of(x)[label]
        if mode == "interp" and fit.window_length > size:
            raise ValueError(
                f"{function}: If mode is 'interp', window_length must be less than or equal to the size of x. "
                f"Got window_length={fit.window_length}, and {size} samples along axis {label}. Use another mode."
            )
        call = cache.store(cache_key, _bind(function, x, fit, label, mode, options, xp, device))
    return call(x)


def _bind(
    function: str, x: Any, fit: Fit, label: int, mode: str, options: Options, xp: Namespace, device: Any
) -> _Smoother:
    length, size = fit.window_length, shape_of(x)[label]
    half = length // 2 if mode == "interp" else 0
    name = _dtype(dtype_name(x.dtype))
    taps = array_like(savgol.weights(fit, (length - 1) / 2)[::-1], _real(name), x)
    axis = Axis(size, length, size - 2 * half, before=(length - 1) // 2 - half, boundary=_BOUNDARIES[mode])
    options = options if mode == "constant" else options._replace(fill_value=0)
    middle = None
    if axis.outputs or not half:
        inputs = Pair(_NAMES, (x, taps), xp, device)
        middle = lines.bind(function, inputs, _rule, label, axis, options=options)
    places = (range(half), range(length - half, length)) if half else ()
    parts = slice(0, length), slice(size - length, size)
    ends = [_end(function, x, fit, label, part, tuple(at), xp, device) for part, at in zip(parts, places, strict=False)]
    return _Smoother(middle, taps, tuple(ends), label, xp)


def _end(
    function: str, x: Any, fit: Fit, label: int, part: slice, places: tuple[int, ...], xp: Namespace, device: Any
) -> _End:
    """Bind the fit to the samples in `part`, evaluated at places of them."""
    shape, name = shape_of(x), _dtype(dtype_name(x.dtype))
    lead, trail = shape[:label], shape[label + 1 :]
    length, count = fit.window_length, fit.polyorder + 1
    values, projections = savgol.factors(fit, places)
    flat = (
        [entry for row in zip(*projections, strict=True) for entry in row],
        [entry for row in values for entry in row],
    )
    ones = (1,) * len(lead), (1,) * len(trail)
    shapes = (*ones[0], length, count, *ones[1]), (*ones[0], len(places), count, *ones[1])
    matrices = [
        xp.reshape(array_like(numbers, _real(name), x), size) for numbers, size in zip(flat, shapes, strict=True)
    ]
    samples = dry_run.stand_in((*lead, length, 1, *trail), dtype_name(x.dtype), xp=xp, device=device, like=x)
    project = lines.bind(
        function, Pair(_NAMES, (samples, matrices[0]), xp, device), _rule, label, Axis(length, length, 1), flip=False
    )
    fitted = dry_run.stand_in((*lead, 1, count, *trail), project.form.output, xp=xp, device=device, like=x)
    evaluate = lines.bind(
        function, Pair(_NAMES, (fitted, matrices[1]), xp, device), _rule, label + 1, Axis(count, count, 1), flip=False
    )
    return _End(part, project, evaluate, *matrices)


def _dtype(name: str) -> str:
    """Return the dtype of the result: single and double precision stay, everything else is double."""
    return name if name in ("float32", "float64", "complex64", "complex128") else "float64"


def _real(name: str) -> str:
    return component(name) if name.startswith("complex") else name


def _rule(x: str, taps: str) -> str:
    return _dtype(x)
