"""Which claims a call requires: its function, options, shapes and dtypes."""

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


def required(function, x, kernel, options):
    """The claims that a call of `convolve`, `correlate` or `einconv` requires."""
    words = {function}
    for name in OPTIONS.keys() & options.keys():
        words |= _option(name, options[name])
    words |= _of_dtypes(x, kernel)
    if function == "einconv" or not _is_array(x):
        return words
    if options.get("lags") is None:
        words |= {f"mode:{options.get('mode') or 'full'}"} & ALL
    if not _is_array(kernel):
        return words | {"lists"}
    return words | _of_shapes(tuple(x.shape), tuple(kernel.shape), options)


def _is_array(value):
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _of_dtypes(*operands):
    names = {str(each.dtype).rsplit(".", 1)[-1] for each in operands if _is_array(each)}
    words = {_dtype_claim(name) for name in names} - {None}
    return words | ({"mixed"} if len(names) > 1 else set())


def _dtype_claim(name):
    if name not in dtypes.NAMES:
        return None
    if dtypes.is_narrow(name):
        return "half"
    return {"integer": "integers", "complex": "complex", "real": name}[dtypes.kind(name)]


def _of_shapes(x, kernel, options):
    axes = options.get("axes")
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
