"""Which claims a call requires: its function, options, shapes and dtypes."""

from functools import cache

from . import dtypes
from .claims import ALL, OPTIONS, PARAMETERS


def restricted(claims, options):
    """The options of a random call without those that are not claimed."""
    return {name: value for name, value in options.items() if name not in OPTIONS or not _option(name, value) - claims}


def _option(name, value):
    """The claims that an option at a value requires."""
    per_axis = isinstance(value, tuple) and name not in ("axes", "lags")
    values = value if per_axis else (value,)
    if isinstance(value, (str, int, float, complex, tuple, type(None))) and all(
        each == OPTIONS[name] for each in values
    ):
        return set()
    words = {f"boundary:{each}" for each in values} if name == "boundary" else PARAMETERS[name]
    return (words | ({"per_axis"} if per_axis else set())) & ALL


def of_arrays(function, x, kernel, options):
    """The claims that a call on arrays requires; an operand may be nested lists."""
    operands = [each if _is_array(each) else None for each in (x, kernel)]
    shapes = [None if each is None else tuple(each.shape) for each in operands]
    names = [str(each.dtype).rsplit(".", 1)[-1] for each in operands if each is not None]
    return required(function, shapes, names, options)


def required(function, shapes, dtype_names, options):
    """The claims of a call: its function, options, dtypes and shapes; the shape of nested lists is None."""
    words = {function, *_of_dtypes(frozenset(dtype_names))}
    for name in OPTIONS.keys() & options.keys():
        words |= _option(name, options[name])
    mode = options.get("mode")
    if function not in ("convolve", "correlate"):
        return words | ({f"mode:{mode}"} & ALL)
    if options.get("lags") is None:
        words |= {f"mode:{mode or 'full'}"} & ALL
    if None in shapes[1:]:
        words.add("lists")
    return words if len(shapes) != 2 or None in shapes else words | _of_shapes(*shapes, options)


def _is_array(value):
    return hasattr(value, "shape") and hasattr(value, "dtype")


@cache
def _of_dtypes(names):
    words = {_dtype_claim(name) for name in names if name in dtypes.NAMES}
    return words | ({"mixed"} if len(names) > 1 else set())


def _dtype_claim(name):
    if dtypes.is_narrow(name):
        return "half"
    return {"integer": "integers", "complex": "complex", "real": name}[dtypes.kind(name)]


def _of_shapes(x, kernel, options):
    """The claims of the shapes; none where `axes` names an axis that x or the kernel lacks, which is an error."""
    axes = options.get("axes")
    if axes is not None and any(not isinstance(axis, int) or not -len(x) <= axis < len(x) for axis in _each(axes, 1)):
        return set()
    if len(kernel) not in (len(x), len(x) if axes is None else len(_each(axes, 1))):
        return set()
    count = len(axes) if isinstance(axes, (tuple, list)) else len(x) if axes is None else 1
    words = {f"{count}d" if count < 4 else "nd"} & ALL
    if 0 in (*x, *kernel):
        words.add("empty")
    sizes = x if axes is None else [x[axis] for axis in (axes if isinstance(axes, (tuple, list)) else (axes,))]
    taps = kernel if len(kernel) == count else [kernel[axis] for axis in _each(axes, count)]
    dilations = _each(options.get("dilation", 1), count)
    if any(tap % 2 == 0 for tap in taps):
        words.add("even")
    if any(dilation * (tap - 1) >= n for n, tap, dilation in zip(sizes, taps, dilations, strict=False)):
        words.add("longer_kernel" if options.get("boundary", "constant") == "constant" else "boundary:wide")
    return words


def _each(value, count):
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * count
