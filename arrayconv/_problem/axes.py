"""Modes, lags and paddings as `Axis` values, which determine the shape of the result.

With k_eff = dilation * (k - 1) + 1, relative to x and never swapped:

    full    n + k_eff - 1 outputs, from lag -(k_eff - 1)
    same    n outputs,             from lag -(k_eff // 2)
    valid   n - k_eff + 1 outputs, from lag 0, and no extension

Of these outputs every stride-th is computed. A convolution's 'same' starts at full index (k_eff - 1) // 2, which is
the same position once the kernel is flipped. Everything here is integers and error texts.
"""

from __future__ import annotations

from operator import index
from typing import Any, Literal

from arrayconv._errors import check_option, listed, shown, suggestion
from arrayconv._problem.boundary import BOUNDARIES, FOREIGN, Boundary, reads_samples
from arrayconv._problem.spec import Axis

Mode = Literal["full", "same", "valid"]
MODES = ("full", "same", "valid")
PADDINGS = ("valid", "full", "same", "same_lower")
PADDING_RULE = f"one of {listed(PADDINGS)}, an int or a (before, after) pair per axis"
_LIMIT = 2**63


def is_sequence(value: object) -> bool:
    """Whether `value` is a list or tuple: one entry per axis rather than one for all."""
    return isinstance(value, (list, tuple))


def is_iterable(value: Any) -> bool:
    """Whether `value` can be iterated, unlike a 0-d array; torch.compile traces this, but not `numpy.iterable`."""
    try:
        iter(value)
    except TypeError:
        return False
    return True


def integer(function: str, argument: str, value: Any, rule: str = "an integer") -> int:
    """Return `value` as an int of 64 bits, or raise TypeError, saying that it must be `rule`, or OverflowError."""
    try:
        number = index(value)
    except TypeError:
        raise TypeError(f"{function}: `{argument}` must be {rule}. Got {shown(value)}.") from None
    if not -_LIMIT <= number < _LIMIT:
        raise OverflowError(f"{function}: `{argument}` must fit 64 bits, -2**63 to 2**63 - 1. Got {shown(number)}.")
    return number


def real(function: str, argument: str, value: Any) -> float:
    """Return a number or 0-d array as int or float; raises TypeError, or OverflowError beyond float64.

    An array on a device is a TypeError: to read it would wait for the device.
    """
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < _LIMIT):
        return value  # may be symbolic under a compiler, so no further operation on it
    refusal = f"{function}: `{argument}` must be a real number. Got "
    if isinstance(value, (str, bytes)) or tuple(getattr(value, "shape", ())) != ():
        raise TypeError(f"{refusal}{shown(value)}.")
    device = str(getattr(value, "device", "cpu"))
    if "cpu" not in device.lower():
        raise TypeError(f"{refusal}an array on {device}, and waits for no device. Pass float(...) of it.")
    try:
        return float(value)
    except OverflowError:
        raise OverflowError(f"{function}: `{argument}` must fit float64. Got {shown(value)}.") from None
    except (TypeError, ValueError):
        advice = " Where a compiler traces it, pass it as a static argument." if hasattr(value, "shape") else ""
        raise TypeError(f"{refusal}{shown(value)}.{advice}") from None


def per_axis(function: str, argument: str, value: Any, count: int) -> tuple[Any, ...]:
    """Return one entry per axis: a single value is repeated `count` times, a sequence must have `count` entries."""
    if not is_sequence(value):
        return (value,) * count
    if len(value) != count:
        raise ValueError(
            f"{function}: `{argument}` must be one value or one per convolved axis. "
            f"Got {len(value)} values {shown(tuple(value))} for {count} axes."
        )
    return tuple(value)


def positive_per_axis(function: str, argument: str, value: Any, count: int) -> tuple[int, ...]:
    """Like `per_axis`, for integers of at least 1."""
    entries = tuple(integer(function, argument, entry) for entry in per_axis(function, argument, value, count))
    if any(entry < 1 for entry in entries):
        raise ValueError(f"{function}: `{argument}` must be at least 1 on every axis. Got {value!r}.")
    return entries


def boundary_per_axis(function: str, value: Any, count: int) -> tuple[Boundary, ...]:
    """Like `per_axis`, for boundary names."""
    entries = per_axis(function, "boundary", value, count)
    for entry in entries:
        check_option(function, "boundary", entry, BOUNDARIES, foreign=FOREIGN)
    return entries


def mode_axis(function: str, axis: Axis, mode: str) -> Axis:
    """Return `axis` with the outputs and offset of `mode`; raises ValueError if 'valid' has no output."""
    reach = axis.reach
    if mode == "full":
        before, outputs = reach - 1, axis.size + reach - 1
    elif mode == "same":
        before, outputs = reach // 2, axis.size
    else:
        before, outputs = 0, axis.size - reach + 1
        if outputs < 1:
            raise ValueError(
                f"{function}: mode 'valid' needs a kernel no longer than x. Got {axis.taps} taps with dilation "
                f"{axis.dilation} (reach {reach}) on an axis of {axis.size} samples. Use mode 'full' or 'same'."
            )
    return checked(function, axis._replace(before=before, outputs=strided(outputs, axis.stride)))


def lag_axis(function: str, axis: Axis, window: tuple[int, int]) -> Axis:
    """Return `axis` computing the lags first..last of `window`, ends included."""
    first, last = window
    return checked(function, axis._replace(before=-first, outputs=last - first + 1))


def padded_axis(function: str, axis: Axis, padding: str | tuple[int, int], kernel: str = "the kernel") -> Axis:
    """Return `axis` for a padding of (before, after) upsampled samples or one of XLA's names.

    'same' and 'same_lower' give ceil(n / stride) outputs; an odd pad goes after, respectively before.
    """
    size, reach = axis.upsampled_size, axis.reach
    if padding == "valid":
        before, after = 0, 0
    elif padding == "full":
        before, after = reach - 1, reach - 1
    elif padding in ("same", "same_lower"):
        total = max((strided(size, axis.stride) - 1) * axis.stride + reach - size, 0)
        before = total // 2 if padding == "same" else total - total // 2
        after = total - before
    else:
        before, after = (integer(function, "padding", part) for part in padding)
    last_start = size + before + after - reach  # of a window
    if last_start < 0:
        raise ValueError(
            f"{function}: the padded axis must hold {kernel}. Got {axis.size} samples, upsample {axis.upsample}, "
            f"padding ({before}, {after}): {size + before + after} samples for {axis.taps} taps with dilation "
            f"{axis.dilation} (reach {reach}). Pad more or use a shorter kernel."
        )
    return checked(function, axis._replace(before=before, outputs=last_start // axis.stride + 1))


def strided(outputs: int, stride: int) -> int:
    """Count every stride-th of `outputs` positions, the first included."""
    return -(-outputs // stride)


def checked(function: str, axis: Axis) -> Axis:
    """Return `axis`; raises if positions need more than 64 bits, or if the boundary extends an empty axis."""
    check_positions(function, axis)
    if axis.size == 0 and axis.outputs and reads_samples(axis.boundary):
        raise ValueError(
            f"{function}: boundary {axis.boundary!r} extends the data, but the axis has 0 samples. "
            f"Use boundary='constant'."
        )
    return axis


def check_positions(function: str, axis: Axis) -> None:
    """Raise OverflowError if the positions of samples that are read exceed 64 bits."""
    lo, hi = axis.span(0, max(axis.outputs, 1))
    if max(-lo, hi, axis.upsampled_size, axis.outputs, axis.reach) >= _LIMIT:
        raise OverflowError(
            f"{function}: samples must be counted in 64 bits. Got {axis.size} samples, {axis.taps} taps, `stride` "
            f"{axis.stride}, `dilation` {axis.dilation}, `upsample` {axis.upsample}, and by `mode`, `lags` or "
            f"`padding` {axis.outputs} outputs that read from sample {lo} to {hi - 1}."
        )


def lag_windows(function: str, value: Any, count: int) -> tuple[tuple[int, int], ...]:
    """Return a (first, last) pair per axis: an int L means -L..L, a pair its own ends, both included."""
    if count == 1 and _is_pair(value):
        value = (value,)
    elif count == 2 and _is_pair(value):
        a, b = value
        raise ValueError(
            f"{function}: `lags` is ambiguous for 2 axes. Got {(a, b)}. Write (({a}, {b}), ({a}, {b})) for the lags "
            f"{a}..{b} on both axes, or ((-L, L), (-M, M)) for one largest lag per axis."
        )
    if is_sequence(value) and len(value) != count:
        raise ValueError(
            f"{function}: `lags` must be an int L, for the lags -L..L, or a (first, last) pair, or one of these per "
            f"convolved axis. Got {len(value)} values {shown(tuple(value))} for {count} axes."
        )
    return tuple(_lag_window(function, entry) for entry in per_axis(function, "lags", value, count))


def _is_pair(value: Any) -> bool:
    return is_sequence(value) and len(value) == 2 and not any(is_sequence(entry) for entry in value)


def _lag_window(function: str, entry: Any) -> tuple[int, int]:
    if not is_sequence(entry):
        largest = integer(function, "lags", entry)
        if largest < 0:
            raise ValueError(f"{function}: `lags` as an int is the largest lag, so at least 0. Got {largest}.")
        return -largest, largest
    if len(entry) != 2:
        raise ValueError(f"{function}: `lags` must be an int or a (first, last) pair per axis. Got {entry!r}.")
    first, last = (integer(function, "lags", part) for part in entry)
    if last < first:
        raise ValueError(f"{function}: `lags` must ascend. Got first {first}, last {last}.")
    return first, last


def padding_per_axis(function: str, value: Any, count: int) -> tuple[Any, ...]:
    """Return a padding name or a (before, after) pair per axis."""
    if isinstance(value, str) or not is_sequence(value):
        value = (value,) * count
    elif count == 1 and _is_pair(value) and not isinstance(value[0], str):
        value = (tuple(value),)
    return tuple(_padding(function, entry) for entry in per_axis(function, "padding", value, count))


def _padding(function: str, entry: Any) -> Any:
    if isinstance(entry, str):
        if entry not in PADDINGS:
            raise ValueError(
                f"{function}: `padding` must be one of {listed(PADDINGS)}, an int or a (before, after) pair. "
                f"Got {entry!r}.{suggestion(entry, PADDINGS)}"
            )
        return entry
    pair = tuple(entry) if is_sequence(entry) else (entry, entry)
    if len(pair) != 2:
        raise ValueError(f"{function}: `padding` must be an int or a (before, after) pair per axis. Got {entry!r}.")
    return tuple(integer(function, "padding", part, PADDING_RULE) for part in pair)


def convolved_axes(function: str, ndim: int, kernel_ndim: int, axes: Any) -> tuple[int, ...]:
    """Return the convolved axes of x as non-negative ints, in the order the options follow."""
    if axes is None:
        if kernel_ndim != ndim:
            raise ValueError(
                f"{function}: without `axes` the kernel must have as many axes as x. Got x.ndim={ndim}, "
                f"kernel.ndim={kernel_ndim}. Name the axes of x that the kernel runs along with `axes`."
            )
        return tuple(range(ndim))
    entries = tuple(axes) if is_sequence(axes) else (axes,)
    numbers = tuple(integer(function, "axes", entry) for entry in entries)
    if any(not -ndim <= number < ndim for number in numbers):
        raise ValueError(f"{function}: `axes` must be in [-{ndim}, {ndim}). Got {numbers} for x.ndim={ndim}.")
    normal = tuple(number % ndim for number in numbers)
    if len(set(normal)) != len(normal):
        raise ValueError(f"{function}: `axes` names an axis twice. Got {numbers} for x.ndim={ndim}.")
    if kernel_ndim not in (ndim, len(normal)):
        raise ValueError(
            f"{function}: the kernel must have as many axes as x, or one per entry of `axes`. Got x.ndim={ndim}, "
            f"kernel.ndim={kernel_ndim}, axes={numbers}."
        )
    return normal
