"""`lfilter` of a filter without recursion, and `sepfir2d`."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from arrayconv._arrays import dtypes, host
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.identify import identify
from arrayconv._arrays.namespace import Namespace
from arrayconv._arrays.numpy_dtypes import result_type
from arrayconv._calls import cache, dry_run
from arrayconv._ops.pad import along
from arrayconv._problem.spec import Axis
from arrayconv._runtime.tracing import planning, shape_of
from arrayconv._signal import lines
from arrayconv._signal.arrays import Pair, array_of, beside
from arrayconv._signal.lines import BoundLine
from arrayconv._signal.resampling import axis_number

_FLOATS = ("float32", "float64", "complex64", "complex128")


def _always(name: str, *_names: str) -> str:
    return name


class _BoundFir(NamedTuple):
    """A causal filter, bound."""

    line: BoundLine
    scale: complex  # of the coefficients: a[0] where that is a number
    delays: int  # values of the filter's state, where it is passed
    size: int
    xp: Namespace
    dtype: Any

    def __call__(self, b: Any, x: Any, a: Any = None, zi: Any = None) -> Any:
        label, xp = self.line.label, self.xp
        b = xp.astype(b, self.dtype, copy=False)
        if a is not None:
            b = b / xp.astype(a, self.dtype, copy=False)
        elif self.scale != 1:
            b = b / self.scale
        y = self.line(x, b)
        if zi is None or dry_run.is_active():
            return y
        head = y[along(label, slice(0, self.delays))] + xp.astype(zi, self.dtype, copy=False)
        y = xp.concat([head, y[along(label, slice(self.delays, None))]], axis=label)
        return y[along(label, slice(0, self.size))], y[along(label, slice(self.size, None))]


def filtered(function: str, b: Any, a: Any, x: Any, axis: Any, zi: Any) -> Any:
    """Return x filtered, and the filter's last state where a first one is passed."""
    gain = a if hasattr(a, "dtype") else None
    arrays = (b, x, *(() if gain is None else (gain,)), *(() if zi is None else (zi,)))
    cache_key = cache.key(f"signal.{function}", arrays, (() if gain is not None else a, axis, zi is None, gain is None))
    call = cache.lookup(cache_key)
    if call is None:
        b, x, gain, zi, call = _bind(function, b, a, x, axis, zi)
        cache.store(cache_key, call)
    return call(b, x, gain, zi)


def _bind(function: str, b: Any, a: Any, x: Any, axis: Any, zi: Any) -> tuple[Any, Any, Any, Any, _BoundFir]:
    """Return the operands as arrays, and the call."""
    inputs = beside(function, ("x", "b"), x, b)
    x, b = inputs.arrays
    b = inputs.xp.reshape(b, (1,)) if b.ndim == 0 else b
    if b.ndim != 1 or not b.shape[0]:
        raise ValueError(f"{function}: Parameter b is not a non-empty 1d array. Got `b` of shape {shape_of(b)}.")
    if not x.ndim:
        raise ValueError(f"{function}: x must be at least 1-D. Got a number.")
    label = axis_number(function, axis, shape_of(x))
    gain, scale, names = _denominator(function, a, inputs)
    if zi is not None:
        zi = beside(function, ("x", "zi"), x, zi).arrays[1]
        names.append(dtype_name(zi.dtype))
    for argument, name in (
        ("b", dtype_name(b.dtype)),
        ("x", dtype_name(x.dtype)),
        *(("a or zi", one) for one in names),
    ):
        if name != "bool":
            dtypes.checked(function, argument, name)
    output = result_type(dtype_name(b.dtype), dtype_name(x.dtype), *names)
    if output not in _FLOATS:
        raise NotImplementedError(
            f"{function}: the dtypes of `b`, `a`, `x` and `zi` produced the result type '{output}', which is not "
            f"supported. Got {dtype_name(b.dtype)}, {names[0]} and {dtype_name(x.dtype)}. Cast one of them to a float."
        )
    delays, size = b.shape[0] - 1, shape_of(x)[label]
    if zi is not None:
        _check_state(function, shape_of(zi), shape_of(x), label, delays)
    dtype = inputs.dtype_of(output)
    operands = inputs._replace(arrays=(x, inputs.xp.astype(b, dtype, copy=False)))
    window = Axis(size, delays + 1, size + (0 if zi is None else delays), before=delays)
    line = lines.bind(function, operands, partial(_always, output), label, window)
    return b, x, gain, zi, _BoundFir(line, scale, delays, size, inputs.xp, dtype)


def _denominator(function: str, a: Any, inputs: Pair) -> tuple[Any, complex, list[str]]:
    """Return `a` as an array of x's library, or as a number beside None, and its dtype."""
    library = identify(function, "a", a)
    if library and not isinstance(a, np.ndarray):
        array = beside(function, ("x", "a"), inputs.arrays[0], a).arrays[1]
        _check_denominator(function, shape_of(array))
        return array, 1, [dtype_name(array.dtype)]
    if isinstance(a, np.ndarray):
        array = beside(function, ("x", "a"), inputs.arrays[0], a).arrays[1]
        _check_denominator(function, array.shape)
        return array, 1, [array.dtype.name]
    numbers = host.numbers(function, "a", a)
    _check_denominator(function, numbers.shape)
    if numbers.dtype != "bool":
        dtypes.checked(function, "a", numbers.dtype)
    scale = numbers.values[0]
    if not scale:
        raise ValueError(f"{function}: `a` must not be 0. Got {a}.")
    return None, scale, [numbers.dtype]


def _check_denominator(function: str, shape: tuple[int, ...]) -> None:
    if len(shape) > 1 or 0 in shape:
        raise ValueError(f"{function}: Parameter a is not a non-empty 1d array. Got `a` of shape {shape}.")
    if shape and shape[0] > 1:
        raise NotImplementedError(
            f"{function}: `a` must have one coefficient: a filter with more is a recursion (IIR), no convolution. Got "
            f"{shape[0]}. Use scipy.signal.lfilter (cupyx.scipy.signal on CuPy; torchaudio.functional on torch)."
        )


@planning(0)
def _check_state(function: str, got: tuple[int, ...], shape: tuple[int, ...], label: int, delays: int) -> None:
    if len(got) != len(shape):
        raise ValueError(
            f"{function}: Dimensions of parameters x and zi must match. Got x of shape {shape}, `zi` of {got}."
        )
    expected = (*shape[:label], delays, *shape[label + 1 :])
    fits = [n == m or (n == 1 and axis != label) for axis, (n, m) in enumerate(zip(got, expected, strict=True))]
    if not all(fits):
        raise ValueError(f"{function}: Unexpected shape for parameter zi: expected {expected}, found {got}.")


class _BoundPlane(NamedTuple):
    """Two filters of an image, bound."""

    rows: BoundLine
    columns: BoundLine

    def __call__(self, image: Any, hrow: Any, hcol: Any) -> Any:
        return self.columns(self.rows(image, hrow), hcol)


def separable(function: str, image: Any, hrow: Any, hcol: Any) -> Any:
    """Return an image filtered along its rows and its columns."""
    cache_key = cache.key(f"signal.{function}", (image, hrow, hcol), ())
    call = cache.lookup(cache_key)
    if call is None:
        image, hrow, hcol, call = _bind_plane(function, image, hrow, hcol)
        cache.store(cache_key, call)
    return call(image, hrow, hcol)


def _bind_plane(function: str, image: Any, hrow: Any, hcol: Any) -> tuple[Any, Any, Any, _BoundPlane]:
    image, xp, device = array_of(function, "input", image)
    if image.ndim != 2:
        words = "object too deep" if image.ndim > 2 else "object of too small depth"
        raise ValueError(f"{function}: `input` must have 2 axes: {words}. Got shape {shape_of(image)}.")
    name = dtype_name(image.dtype)
    result = result_type(dtypes.checked(function, "input", name) if name != "bool" else name, "float32")
    taps = [_taps(function, argument, value, image, result) for argument, value in (("hrow", hrow), ("hcol", hcol))]
    each: list[BoundLine] = []
    x = image
    for label, (argument, h) in zip((1, 0), (("hrow", taps[0]), ("hcol", taps[1])), strict=True):
        size, count = shape_of(image)[label], h.shape[0]
        if not size and count > 1:
            raise ValueError(f"{function}: `input` must have samples to mirror. Got shape {shape_of(image)}.")
        axis = Axis(size, count, size, before=count // 2, boundary="symmetric")
        line = lines.bind(
            function, Pair(("input", argument), (x, h), xp, device), partial(_always, result), label, axis
        )
        each.append(line)
        x = dry_run.stand_in(shape_of(image), line.form.output, xp=xp, device=device, like=image)
    return image, *taps, _BoundPlane(*each)


def _taps(function: str, argument: str, value: Any, image: Any, result: str) -> Any:
    """Return the taps of one axis, which must not have a wider dtype than the result."""
    inputs = beside(function, ("input", argument), image, value)
    taps = inputs.arrays[1]
    if taps.ndim > 1:
        raise ValueError(f"{function}: `{argument}` must be 1-D: object too deep. Got shape {shape_of(taps)}.")
    if not taps.ndim or not taps.shape[0] % 2:
        raise ValueError(f"{function}: hrow and hcol must be odd length. Got `{argument}` of shape {shape_of(taps)}.")
    own = dtype_name(taps.dtype)
    if isinstance(value, (list, tuple)) and not own.startswith("complex"):
        return inputs.xp.astype(taps, inputs.dtype_of(result), copy=False)
    if result_type(own, result) != result:
        raise TypeError(
            f"{function}: `{argument}` must be of a dtype that the result's, {result}, represents. Got {own}. Cast the "
            f"taps, or `input`."
        )
    return taps
