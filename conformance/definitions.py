"""What a call of each door means: its exact result, from the sums of `reference`.

`exact(path, arrays, options)` takes host arrays by the names of the parameters. The modes, sizes and centrings of
SciPy and torch are written out here; `reference` knows windows alone.
"""

from math import prod

import numpy as np

from . import filters, geometry, reference
from .checks import exact_result
from .reference import Axis, Problem


def exact(path, arrays, options):
    """The exact result of the function of a door."""
    door, _, name = path.rpartition(".")
    if door == "ndimage":
        return filters.exact(name, arrays, options)
    if door == "nn":
        return (_transposed if "transpose" in name else _convolved)(arrays, options)
    if door == "signal":
        return _SIGNALS[name](arrays, options) if name in _SIGNALS else _scipy(name, arrays, options)
    if name == "einconv":
        return labelled(arrays, options)
    return exact_result(name, arrays["x"], arrays["kernel"], options)


def labelled(arrays, options):
    """The exact result of an `einconv` call."""
    options = dict(options)
    x, kernel = arrays["x"], arrays["kernel"]
    problem, shapes, shape = geometry.labelled(options.pop("pattern"), x.shape, kernel.shape, options)
    result = reference.evaluate(problem, x.reshape(shapes[0]), kernel.reshape(shapes[1]), options.get("fill_value", 0))
    return result.reshaped(shape)


_BOUNDARIES = {"fill": "constant", "symm": "symmetric", "wrap": "wrap"}  # of convolve2d, in numpy.pad's names


def _scipy(name, arrays, options):
    """A correlation is the convolution with the reversed conjugate; 'valid' takes the larger input first."""
    in1, in2 = arrays["in1"], arrays["in2"]
    mode, axes = options.get("mode", "full"), options.get("axes")
    axes = range(in1.ndim) if axes is None else [axis % in1.ndim for axis in np.atleast_1d(axes).tolist()]
    if name.startswith("correlate"):
        in2 = np.conj(np.flip(in2))
    if mode == "valid" and any(in1.shape[axis] < in2.shape[axis] for axis in axes):
        in1, in2 = in2, in1
    later = name == "correlate2d"  # whose 'same' is centred one sample later for even kernels
    boundary = _BOUNDARIES[options.get("boundary", "fill")]
    space = {axis: _windows(in1.shape[axis], in2.shape[axis], mode, later, boundary) for axis in axes}
    labels = tuple(range(in1.ndim))
    problem = Problem(labels, labels, labels, space, flip=True)
    shapes = geometry.broadcast(problem, in1.shape, in2.shape)
    in1, in2 = (np.broadcast_to(array, shape) for array, shape in zip((in1, in2), shapes, strict=True))
    return reference.evaluate(problem, in1, in2, options.get("fillvalue", 0))


def _windows(n, k, mode, later, boundary):
    first, outputs = {
        "full": (0, n + k - 1),
        "same": (k // 2 if later else (k - 1) // 2, n),
        "valid": (k - 1, n - k + 1),
    }[mode]
    return Axis(n, k, outputs, k - 1 - first, boundary=boundary)


def _causal(arrays, options):
    """`lfilter` of a number `a` of 1: every output sums the sample at its place and those before it."""
    b, x = arrays["b"], arrays["x"]
    axis = options.get("axis", -1) % x.ndim
    return _along(x, b, axis, Axis(x.shape[axis], len(b), x.shape[axis], len(b) - 1))


def _polyphase(arrays, options):
    """`resample_poly` with its filter passed: `up` times the filter, whose delay of (taps - 1) // 2 is removed."""
    x, h, axis = arrays["x"], arrays["window"] * options["up"], options.get("axis", 0) % arrays["x"].ndim
    size, taps, up, down = x.shape[axis], len(h), options["up"], options["down"]
    boundary = options.get("padtype", "constant")
    window = Axis(size, taps, -(-size * up // down), taps - 1 - (taps - 1) // 2, down, 1, up, boundary)
    return _along(x, h, axis, window)


def _along(x, h, axis, window):
    labels = tuple(range(x.ndim))
    return reference.evaluate(Problem(labels, (axis,), labels, {axis: window}, flip=True), x, h, 0)


def _separable(arrays, options):
    """`sepfir2d`: one convolution with the product of both filters, centred, in an image mirrored with its edges."""
    image, rows, columns = arrays["input"], arrays["hrow"], arrays["hcol"]
    kernel = np.multiply.outer(columns, rows)
    axes = {
        axis: Axis(n, k, n, k // 2, boundary="symmetric")
        for axis, (n, k) in enumerate(zip(image.shape, kernel.shape, strict=True))
    }
    return reference.evaluate(Problem((0, 1), (0, 1), (0, 1), axes, flip=True), image, kernel, 0)


_POINTS = {"smooth", "line", "antisymmetric", "antireflect"}  # extensions that compute new samples


def _resampled(arrays, options):
    h, x = arrays["h"], arrays["x"]
    up, down, axis = options.get("up", 1), options.get("down", 1), options.get("axis", -1) % x.ndim
    mode, size, added = options.get("mode", "constant"), x.shape[axis], 0
    if mode in _POINTS:
        added = len(h) // up + 1
        x, mode = _continued(x, axis, added, mode), "constant"
    outputs = ((size - 1) * up + len(h) - 1) // down + 1
    window = Axis(x.shape[axis], len(h), outputs, len(h) - 1 - up * added, down, 1, up, mode)
    labels = tuple(range(x.ndim))
    problem = Problem(labels, (axis,), labels, {axis: window}, flip=True)
    return reference.evaluate(problem, x, h, options.get("cval", 0))


def _continued(x, axis, added, mode):
    """x with `added` samples at each end, by the slope at the ends or by point reflection."""
    x = np.moveaxis(x, axis, -1)
    n, first, last = x.shape[-1], x[..., :1], x[..., -1:]
    steps = np.arange(1, added + 1)
    if mode == "smooth":
        before, after = first - x[..., 1:2], last - x[..., -2:-1]
        before, after = first + before * steps[::-1], last + after * steps
    elif mode == "line":
        slope = (last - first) / (n - 1)
        before, after = first - slope * steps[::-1], last + slope * steps
    else:
        before, after = _reflected(x, added, mode)
    return np.moveaxis(np.concatenate([before, x, after], axis=-1), -1, axis)


def _reflected(x, added, mode):
    """Point reflections about the end samples (antireflect), or about half a sample further, where x is 0."""
    n, outside = x.shape[-1], []
    for position in [*range(-added, 0), *range(n, n + added)]:
        sign, offset = 1, 0
        while not 0 <= position < n:
            low = position < 0
            if mode == "antireflect":
                end = x[..., 0 if low else n - 1]
                offset = offset + sign * 2 * end
                position = -position if low else 2 * (n - 1) - position
            else:
                position = -1 - position if low else 2 * n - 1 - position
            sign = -sign
        outside.append(offset + sign * x[..., position])
    return np.stack(outside[:added], axis=-1), np.stack(outside[added:], axis=-1)


_SIGNALS = {"upfirdn": _resampled, "lfilter": _causal, "resample_poly": _polyphase, "sepfir2d": _separable}
_SPATIAL = "hwdef"


def _convolved(arrays, options):
    count = arrays["weight"].ndim - 2
    space = " ".join(_SPATIAL[:count])
    named = {name: options[name] for name in ("boundary", "fill_value") if name in options}
    steps = {name: _each(options.get(name, 1), count) for name in ("stride", "dilation")}
    named |= {"padding": dict(zip(_SPATIAL, _each(options.get("padding", 0), count), strict=False))}
    pattern = f"b (g c) {space}, (g o) c {space} -> b (g o) {space} | {space}"
    return _channels(pattern, arrays, options, {**named, **steps})


def _transposed(arrays, options):
    count = arrays["weight"].ndim - 2
    space = " ".join(_SPATIAL[:count])
    rows = [_each(options.get(name, 0), count) for name in ("padding", "output_padding")]
    dilation = _each(options.get("dilation", 1), count)
    reaches = [d * (k - 1) for d, k in zip(dilation, arrays["weight"].shape[2:], strict=True)]
    padding = [(r - p, r - p + extra) for r, p, extra in zip(reaches, *rows, strict=True)]
    steps = {"upsample": _each(options.get("stride", 1), count), "dilation": dilation, "flip": True}
    pattern = f"b (g c) {space}, (g c) o {space} -> b (g o) {space} | {space}"
    return _channels(pattern, arrays, options, {"padding": dict(zip(_SPATIAL, padding, strict=False)), **steps})


def _each(value, count):
    return tuple(value) if isinstance(value, (tuple, list)) and len(value) == count else (value,) * count


def _channels(pattern, arrays, options, named):
    x, weight = arrays["input"], arrays["weight"]
    unbatched = x.ndim == weight.ndim - 1
    x = x[None] if unbatched else x
    call = {"pattern": pattern, "g": options.get("groups", 1), **named}
    result = labelled({"x": x, "kernel": weight}, call)
    if "bias" in arrays:
        result = _plus(result, arrays["bias"].reshape(1, -1, *(1,) * (x.ndim - 2)))
    return result.reshaped(result.shape[1:]) if unbatched else result


def _plus(result, bias):
    """The exact result with one more term per output."""
    bad = ~np.isfinite(bias)
    (real, imag), shift = reference.integers(*(np.where(bad, 0, part) for part in (bias.real, bias.imag)))
    common = max(shift, result.shift)
    scale, own = 2 ** (common - result.shift), 2 ** (common - shift)
    return result._replace(
        real=result.real * scale + real * own,
        imag=result.imag * scale + imag * own,
        shift=common,
        magnitude=result.magnitude + np.abs(np.where(bad, 0, bias)).astype(np.longdouble),
        contaminated=result.contaminated | bad,
        terms=result.terms + 1,
        norm_x=float(np.hypot(result.norm_x, np.linalg.norm(np.where(bad, 0, bias).astype(complex)))),
        norm_kernel=float(np.hypot(result.norm_kernel, 1)),
    )


def windows(shape, kernel_size, dilation=1, padding=0, stride=1):
    """Where `unfold` copies each entry of its columns from: (channel, *position) per (row, column), None for zeros."""
    count = len(shape) - 1
    kernel, dilation, padding, stride = (_each(value, count) for value in (kernel_size, dilation, padding, stride))
    outputs = [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, d, p, s in zip(shape[1:], kernel, dilation, padding, stride, strict=True)
    ]
    sources = {}
    for row, (channel, *tap) in enumerate(np.ndindex(shape[0], *kernel)):
        for column, output in enumerate(np.ndindex(*outputs)):
            place = [s * o + d * t - p for s, o, d, t, p in zip(stride, output, dilation, tap, padding, strict=True)]
            inside = all(0 <= at < n for at, n in zip(place, shape[1:], strict=True))
            sources[row, column] = (channel, *place) if inside else None
    return sources, (shape[0] * prod(kernel), prod(outputs))
