"""What a call means: shapes and options of `convolve`, `correlate` and `einconv` as a `reference.Problem`.

With k_eff = dilation * (k - 1) + 1: 'full' has n + k_eff - 1 outputs from lag -(k_eff - 1), 'same' n from lag
-(k_eff // 2), 'valid' n - k_eff + 1 from lag 0; sizes are relative to x. A stride takes every stride-th output.
"""

import re
from math import prod

from .reference import Axis, Problem


def problem(function, x_shape, kernel_shape, options):
    """The problem of a `convolve` or `correlate` call. Shapes may broadcast: see `broadcast`."""
    axes = _axes(len(x_shape), options.get("axes"))
    labels = tuple(range(len(x_shape)))
    kernel_labels = labels if len(kernel_shape) == len(x_shape) else axes
    taps = dict(zip(kernel_labels, kernel_shape, strict=True))
    rows = zip(*(_each(options, name, default, len(axes)) for name, default in _DEFAULTS), strict=True)
    windows = _windows(options.get("lags"), len(axes))
    space = {
        label: _axis(function, x_shape[label], taps[label], options.get("mode") or "full", window, *row)
        for label, window, row in zip(axes, windows, rows, strict=True)
    }
    return Problem(labels, kernel_labels, labels, space, flip=function == "convolve", conj=function == "correlate")


_DEFAULTS = (("stride", 1), ("dilation", 1), ("boundary", "constant"))


def broadcast(problem, x_shape, kernel_shape):
    """Both shapes with the axes that are not convolved repeated to their common size."""
    if len(x_shape) != len(kernel_shape):
        return x_shape, kernel_shape
    sizes = [max(pair) if min(pair) == 1 else pair[0] for pair in zip(x_shape, kernel_shape, strict=True)]
    x = tuple(n if label in problem.space else size for label, (n, size) in enumerate(zip(x_shape, sizes, strict=True)))
    w = tuple(
        k if label in problem.space else size for label, (k, size) in enumerate(zip(kernel_shape, sizes, strict=True))
    )
    return x, w


def _axes(ndim, axes):
    if axes is None:
        return tuple(range(ndim))
    return tuple(axis % ndim for axis in (axes if isinstance(axes, tuple) else (axes,)))


def _each(options, name, default, count):
    value = options.get(name, default)
    return value if isinstance(value, tuple) else (value,) * count


def _windows(lags, count):
    if not isinstance(lags, tuple) or (count == 1 and not isinstance(lags[0], tuple)):
        lags = (lags,) * count
    return [(-entry, entry) if isinstance(entry, int) else entry for entry in lags]


def _axis(function, size, taps, mode, window, stride, dilation, boundary):
    reach = dilation * (taps - 1) + 1
    if window is not None:
        first, outputs = window[0], window[1] - window[0] + 1
    else:
        first, outputs = {
            "full": (1 - reach, size + reach - 1),
            "same": (-(reach // 2), size),
            "valid": (0, size - reach + 1),
        }[mode]
    if function == "convolve" and mode == "same":  # full index (reach - 1) // 2, whose first sample is this one
        first = (reach - 1) // 2 - (reach - 1)
    return Axis(size, taps, -(-outputs // stride), -first, stride, dilation, 1, boundary)


def labelled(pattern, x_shape, kernel_shape, options):
    """The problem of an `einconv` call, and both shapes with grouped axes split, and the result's shape."""
    inputs, output, spatial = _parsed(pattern)
    sizes = {name: value for name, value in options.items() if name not in _EINCONV_OPTIONS}
    flat, shapes = [], []
    for groups, shape in zip(inputs, (x_shape, kernel_shape), strict=True):
        known = dict(sizes)
        for group, size in zip(groups, shape, strict=True):
            missing = [label for label in group if label not in known or label in spatial]
            known.update({label: size // prod(known[other] for other in group if other != label) for label in missing})
        flat.append(tuple(label for group in groups for label in group))
        shapes.append(tuple(known[label] for label in flat[-1]))
    x_sizes, taps = (dict(zip(labels, shape, strict=True)) for labels, shape in zip(flat, shapes, strict=True))
    space = {
        label: _padded_axis(
            x_sizes[label], taps[label], *(_option(options, name, label, spatial) for name in _PER_AXIS)
        )
        for label in spatial
    }
    y = tuple(label for group in output for label in group)
    problem = Problem(flat[0], flat[1], y, space, options.get("flip", False), options.get("conj", False))
    totals = {**taps, **x_sizes, **{label: axis.outputs for label, axis in space.items()}}
    return problem, shapes, tuple(prod(totals[label] for label in group) for group in output)


_PER_AXIS = {"stride": 1, "dilation": 1, "upsample": 1, "padding": "valid", "boundary": "constant"}
_EINCONV_OPTIONS = (*_PER_AXIS, "flip", "conj", "fill_value", "method", "accuracy", "dtype", "max_workspace", "out")


def _parsed(pattern):
    operands, _, spatial = pattern.partition("|")
    inputs, output = operands.split("->")
    sides = [*inputs.split(","), output]
    groups = [[tuple(re.findall(r"\w+", token)) for token in re.findall(r"\([^)]*\)|\w+", side)] for side in sides]
    return groups[:2], groups[2], tuple(spatial.split())


def _option(options, name, label, spatial):
    value = options.get(name, _PER_AXIS[name])
    if isinstance(value, dict):
        return value.get(label, _PER_AXIS[name])
    if isinstance(value, tuple) and not (name == "padding" and len(spatial) == 1 and isinstance(value[0], int)):
        return value[spatial.index(label)]
    return value


def _padded_axis(size, taps, stride, dilation, upsample, padding, boundary):
    upsampled = max((size - 1) * upsample + 1, 0)
    reach = dilation * (taps - 1) + 1
    if padding == "valid":
        padding = (0, 0)
    elif padding == "full":
        padding = (reach - 1, reach - 1)
    elif padding in ("same", "same_lower"):
        total = max((-(-upsampled // stride) - 1) * stride + reach - upsampled, 0)
        padding = (total // 2, total - total // 2) if padding == "same" else (total - total // 2, total // 2)
    before, after = padding if isinstance(padding, tuple) else (padding, padding)
    outputs = (upsampled + before + after - reach) // stride + 1
    return Axis(size, taps, outputs, before, stride, dilation, upsample, boundary)
