"""`resample_poly` and `decimate`: a low-pass filter between samples that are inserted and samples that are left out.

With a filter of delay d, output p is sample p * down + d of x upsampled and filtered: no other is computed, and no
zeros are added to the filter to align them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import gcd
from typing import Any, NamedTuple

from arrayconv._arrays import dtypes, host
from arrayconv._arrays.array import Array
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.identify import device_of, identify
from arrayconv._arrays.namespace import Namespace, on_device
from arrayconv._arrays.numpy_dtypes import floating
from arrayconv._calls import cache, dry_run, prepare
from arrayconv._errors import check_option, flag, listed, shown
from arrayconv._problem.axes import check_positions, integer, strided
from arrayconv._problem.boundary import BOUNDARIES
from arrayconv._problem.spec import Axis
from arrayconv._runtime.programs import as_program
from arrayconv._runtime.tracing import shape_of
from arrayconv._signal import design, extension
from arrayconv._signal.arrays import Pair, array_like, array_of, beside, pair
from arrayconv._signal.resampling import EXTENSIONS, Line, axis_number, bind

_LOBES = 10  # of the sinc, on each side
_BACKGROUNDS = ("maximum", "mean", "median", "minimum")
_PADTYPES = (*_BACKGROUNDS, *BOUNDARIES, *extension.EXPLICIT)
_IIR = (
    "an IIR filter is a recursion, no convolution. Use ftype='fir', or scipy.signal.decimate, on CuPy that of "
    "cupyx.scipy.signal"
)


class _Rates(NamedTuple):
    """What a call of either function does to its axis."""

    up: int
    down: int
    delay: int  # samples by which the result is late
    padtype: str = "constant"
    cval: Any = 0


class _BoundResampler(NamedTuple):
    """A call, bound."""

    call: Callable[[Any, Any], Any]
    taps: Any  # the filter; None where it is the caller's
    gain: int  # that multiplies the caller's filter
    background: tuple[Any, ...] | None  # library, and what `_background` takes

    def __call__(self, x: Any, window: Any = None) -> Any:
        h = self.taps if self.taps is not None else window if self.gain == 1 else window * self.gain
        if self.background is None:
            return self.call(x, h)
        library, *settings = self.background
        level = as_program(library, _background, tuple(settings), (x,))
        return self.call(_typed(x, settings) - level, h) + level


def resampled(function: str, x: Any, up: Any, down: Any, axis: Any, window: Any, padtype: Any, cval: Any) -> Any:
    """Return x resampled by up / down along an axis."""
    arrays = (x, window) if hasattr(window, "dtype") else (x,)
    cache_key = cache.key(
        f"signal.{function}", arrays, (up, down, axis, padtype, cval, *(() if len(arrays) > 1 else (window,)))
    )
    call = cache.lookup(cache_key)
    if call is not None:
        return call(*arrays)
    up, down = _factors(function, up, down)
    check_option(function, "padtype", padtype, _PADTYPES)
    if cval is not None and padtype != "constant":
        raise ValueError(f"{function}: cval has no effect when padtype is {padtype!r}. Got cval={shown(cval)}.")
    x, xp, _ = array_of(function, "x", x)
    label = axis_number(function, axis, shape_of(x))
    if up == down == 1:
        return xp.asarray(x, copy=True)
    rates = _Rates(up, down, 0, padtype, 0 if cval is None else cval)
    if isinstance(window, list) or hasattr(window, "dtype"):
        return _first(function, x, window, label, rates, cache_key)
    half = _LOBES * max(up, down)
    numbers = design.lowpass(function, 2 * half + 1, 1.0 / max(up, down), host.frozen(window))
    taps = _taps(x, [up * value for value in numbers])
    return _first(function, x, taps, label, rates, cache_key, is_own=True)


def decimated(function: str, x: Any, q: Any, n: Any, ftype: Any, axis: Any, zero_phase: Any) -> Any:
    """Return every q-th sample along an axis, after a low-pass filter."""
    cache_key = cache.key(f"signal.{function}", (x,), (q, n, ftype, axis, zero_phase))
    call = cache.lookup(cache_key)
    if call is not None:
        return call(x)
    factor = integer(function, "q", q)
    if factor < 1:
        raise ValueError(f"{function}: `q` must be at least 1. Got {factor}.")
    zero_phase = flag(function, "zero_phase", zero_phase)
    n = None if n is None else integer(function, "n", n)
    numbers = _decimation_filter(function, factor, n, ftype)
    x, xp, _ = array_of(function, "x", x)
    label = axis_number(function, axis, shape_of(x))
    if zero_phase and factor == 1:
        return xp.asarray(x, copy=True)
    delay = 0 if zero_phase else (len(numbers) - 1) // 2
    own = dtype_name(x.dtype)
    taps = _taps(x, numbers, "float64" if own == "float16" else own)
    return _first(function, x, taps, label, _Rates(1, factor, delay), cache_key, is_own=True)


def _decimation_filter(function: str, factor: int, n: Any, ftype: Any) -> tuple[complex, ...]:
    """Return the taps that `ftype` names or, as a system with a numerator and a denominator, has."""
    if isinstance(ftype, str):
        if ftype == "iir":
            raise NotImplementedError(
                f"{function}: `ftype` must be 'fir' or a system without poles. Got 'iir': {_IIR}."
            )
        check_option(function, "ftype", ftype, ("fir",))
        order = 2 * _LOBES * factor if n is None else n
        if order < 0:
            raise ValueError(f"{function}: `n` must be at least 0. Got {order}.")
        if factor == 1:
            raise ValueError(f"{function}: `q` must be at least 2: a filter for q=1 has no cutoff. Got q=1.")
        return design.lowpass(function, order + 1, 1.0 / factor, "hamming")
    system = ftype.to_tf() if hasattr(ftype, "to_tf") else ftype
    if not hasattr(system, "num") or not hasattr(system, "den"):
        raise ValueError(f"{function}: invalid ftype: `ftype` must be 'fir' or a discrete system. Got {shown(ftype)}.")
    numerator, denominator = [host.array(function, "ftype", part).ravel() for part in (system.num, system.den)]
    if len(denominator) != 1 and denominator[1:].any():
        raise NotImplementedError(
            f"{function}: `ftype` must be 'fir' or a system without poles. Got a denominator of {len(denominator)} "
            f"coefficients: {_IIR}."
        )
    return tuple((numerator / denominator[0]).tolist())


def _factors(function: str, up: Any, down: Any) -> tuple[int, int]:
    """Return both rates without their common divisor."""
    numbers = []
    for name, value in (("up", up), ("down", down)):
        whole = int(value) if isinstance(value, float) and value.is_integer() else value
        if isinstance(whole, (float, str)):
            raise ValueError(f"{function}: {name} must be an integer. Got {name}={shown(value)}.")
        numbers.append(integer(function, name, whole))
        if numbers[-1] < 1:
            raise ValueError(f"{function}: up and down must be >= 1. Got {name}={numbers[-1]}.")
    common = gcd(*numbers)
    return numbers[0] // common, numbers[1] // common


def _taps(x: Array, numbers: Any, own: str | None = None) -> Array:
    """Return taps as an array like x, of the precision of x, or of the dtype called `own`: float64 beside integers."""
    own = dtype_name(x.dtype) if own is None else own
    name = dtypes.component(floating(own)) if own.startswith("complex") else floating(own)
    name = dtypes.complexified(name) if any(isinstance(value, complex) for value in numbers) else name
    return array_like(numbers, name, x)


def _first(function: str, x: Any, window: Any, label: int, rates: _Rates, cache_key: Any, is_own: bool = False) -> Any:
    """Bind a call, cache it and return its result."""
    inputs = beside(function, ("x", "window"), x, window)
    taps = inputs.shapes[1]
    if len(taps) != 1 or not taps[0]:
        raise ValueError(f"{function}: window must be 1-D and not empty. Got shape {taps}.")
    gain = 1 if is_own else rates.up
    if gain != 1:
        inputs = inputs._replace(arrays=(inputs.arrays[0], inputs.arrays[1] * gain))
    bound = _bind(function, inputs, label, rates, inputs.arrays[1] if is_own else None, gain)
    cache.store(cache_key, bound)
    return bound._replace(gain=1)(*inputs.arrays)


def _bind(function: str, inputs: Pair, label: int, rates: _Rates, own: Any, gain: int) -> _BoundResampler:
    size, taps = inputs.shapes[0][label], inputs.shapes[1][0]
    is_level = rates.padtype in _BACKGROUNDS
    mode = "constant" if is_level else rates.padtype
    background = _level(function, inputs, label, rates.padtype) if is_level and not dry_run.is_active() else None
    outputs = strided(size * rates.up, rates.down) if size else 0
    if not size and is_level:
        raise ValueError(f"{function}: `padtype` {rates.padtype!r} needs samples. Got x of shape {inputs.shapes[0]}.")
    before = taps - 1 - (taps - 1) // 2 + rates.delay
    axis = Axis(size, taps, outputs, rates.down, 1, rates.up, before, EXTENSIONS[mode])
    check_positions(function, axis)
    options = prepare.options(function, "auto", "componentwise", None, rates.cval, "cval")
    line = Line(function, inputs, label, axis, mode, options)
    block = partial(_block, function, label, rates)
    call, _ = bind(line, block)
    return _BoundResampler(call.shortest() if hasattr(call, "shortest") else call, own, gain, background)


def _block(function: str, label: int, rates: _Rates, x: Any, h: Any) -> Any:
    """Return the result of some of x's lines."""
    return _bind(function, pair(function, ("x", "window"), x, h), label, rates, None, 1)(x, h)


def _level(function: str, inputs: Pair, label: int, padtype: str) -> tuple[Any, ...]:
    """Return what `_background` takes, after the library."""
    x = inputs.arrays[0]
    name = floating(dtype_name(x.dtype))
    if padtype != "mean" and name.startswith("complex"):
        raise TypeError(
            f"{function}: `padtype` {padtype!r} needs an order of the samples. Got complex x. Use one of "
            f"{listed(option for option in _PADTYPES if option not in _BACKGROUNDS or option == 'mean')}."
        )
    dtype = inputs.dtype_of(name)
    return identify(function, "x", x) or "numpy", padtype, label, dtype, inputs.xp


def _typed(x: Any, settings: Any) -> Any:
    _, _, dtype, xp = settings
    return xp.astype(x, dtype, copy=False)


@float_errors_ignored
def _background(padtype: str, label: int, dtype: Any, xp: Namespace, x: Any) -> Array:
    """Return the level of each line, its axis kept."""
    device = device_of(x)
    with on_device(xp, device):
        data = xp.astype(x, dtype, copy=False)
        if padtype == "mean":
            return xp.mean(data, axis=label, keepdims=True)
        if padtype != "median":
            return (xp.min if padtype == "minimum" else xp.max)(data, axis=label, keepdims=True)
        ordered, n = xp.sort(data, axis=label), data.shape[label]
        middle = [ordered[(*(slice(None),) * label, slice(place, place + 1), ...)] for place in ((n - 1) // 2, n // 2)]
        undefined = xp.any(xp.isnan(data), axis=label, keepdims=True)
        level = (middle[0] + middle[1]) / 2 if n % 2 == 0 else middle[0]
        return xp.where(undefined, xp.asarray(float("nan"), dtype=dtype, device=device), level)
