"""The front door for labelled axes: `einconv`, convolution as einsum with a bar.

What a label does follows from where it stands: after the bar it is convolved; in both operands and the output it is
a group, in both operands only a channel that is summed; in x and the output a batch, in the kernel and the output a
filter; in one operand only it is summed away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

from arrayconv import _call, _pattern
from arrayconv._pattern import Pattern
from arrayconv._problem import Problem, Sum, labelled
from arrayconv._shapes import boundary_per_axis, integer, padded_axis, padding_per_axis, positive_per_axis
from arrayconv._spec import Axis
from arrayconv._tracing import planning, record, shape_of
from arrayconv._xp import operands

__all__ = ["einconv"]


@record
class _Geometry(NamedTuple):
    """The options that decide shapes, one entry per convolved label, as hashable values."""

    stride: tuple[Any, ...]
    dilation: tuple[Any, ...]
    upsample: tuple[Any, ...]
    padding: tuple[Any, ...]
    boundary: tuple[Any, ...]
    flip: bool
    conj: bool
    sizes: tuple[tuple[str, int], ...]


def einconv(
    pattern: str,
    x: Any,
    kernel: Any,
    *,
    stride: Any = 1,
    dilation: Any = 1,
    upsample: Any = 1,
    padding: Any = "valid",
    boundary: Any = "constant",
    fill_value: complex = 0,
    flip: bool = False,
    conj: bool = False,
    method: str = "auto",
    accuracy: str = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
    out: Any = None,
    **sizes: int,
) -> Any:
    """Correlate arrays over labelled axes, with channels, groups and filters named where they stand.

    ``einconv("b h w c, h w c o -> b h w o | h w", x, kernel)`` computes
    ``y[b, h, w, o] = sum_c sum_ij x[b, h + i, w + j, c] * kernel[i, j, c, o]``.

    Parameters
    ----------
    pattern : str
        ``"x labels, kernel labels -> output labels | convolved labels"``. Convolved labels are in both operands and
        the output. Of the others, one in both operands and the output is a group, in both operands only it is summed
        (channels), in one operand and the output it is a batch or filter axis, in one operand only it is summed away.
        ``(g c)`` splits an axis of an operand, or merges axes of the output.
    x, kernel : array
        Operands of one library and device, with the axes the pattern names.
    stride, dilation, upsample : int, sequence or dict
        Per convolved label, by position after the bar or by name: step between outputs, gap between taps, and
        `upsample` - 1 zeros between samples of x after it is extended.
    padding : {'valid', 'full', 'same', 'same_lower'}, int, (before, after), or one per label
        Samples read beyond the ends, after upsampling. 'same' and 'same_lower' give ceil(n / stride) outputs as XLA
        does: an odd pad goes after, respectively before.
    boundary, fill_value, method, accuracy, dtype, max_workspace, out
        As in `arrayconv.convolve`.
    flip : bool
        Reverse the kernel: convolution instead of correlation.
    conj : bool
        Conjugate the kernel.
    **sizes : int
        Sizes of labels that a split axis leaves open: ``g=2``.

    Returns
    -------
    array
        With the output's axes, of the library and device of `x`; dtype as in `arrayconv.convolve`.

    Raises
    ------
    ValueError
        If the pattern is malformed (shown under a caret) or sizes contradict each other.
    TypeError, NotImplementedError
        As in `arrayconv.convolve`.

    Examples
    --------
    >>> import numpy as np, arrayconv
    >>> x, kernel = np.ones((8, 32, 32, 3)), np.ones((5, 5, 3, 16))
    >>> arrayconv.einconv("b h w c, h w c o -> b h w o | h w", x, kernel).shape
    (8, 28, 28, 16)
    """
    if not isinstance(pattern, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"einconv: `pattern` must be a string. Got {type(pattern).__name__}.")
    parsed = _pattern.parse("einconv", pattern)
    geometry = _geometry(parsed, stride, dilation, upsample, padding, boundary, flip, conj, sizes)
    chosen = _call.options("einconv", method, accuracy, max_workspace, fill_value)
    found = operands("einconv", x, kernel, dtype)
    problem = _problem(parsed, shape_of(found.x), shape_of(found.kernel), geometry)
    return _call.run("einconv", found, problem, chosen, out)


def _geometry(
    pattern: Pattern,
    stride: Any,
    dilation: Any,
    upsample: Any,
    padding: Any,
    boundary: Any,
    flip: Any,
    conj: Any,
    sizes: Mapping[str, Any],
) -> _Geometry:
    count, labels = len(pattern.space), {*pattern.x.labels, *pattern.kernel.labels}
    unknown = sorted(set(sizes) - labels)
    if unknown:
        raise TypeError(f"einconv: no label or option is called {unknown}. The labels are {sorted(labels)}.")
    given = tuple((label, integer("einconv", label, size)) for label, size in sorted(sizes.items()))
    if any(size < 1 for _, size in given):
        raise ValueError(f"einconv: sizes of labels must be at least 1. Got {dict(given)}.")
    named = {
        name: _by_position(pattern, name, value, default)
        for name, value, default in (
            ("stride", stride, 1),
            ("dilation", dilation, 1),
            ("upsample", upsample, 1),
            ("padding", padding, "valid"),
            ("boundary", boundary, "constant"),
        )
    }
    return _Geometry(
        positive_per_axis("einconv", "stride", named["stride"], count),
        positive_per_axis("einconv", "dilation", named["dilation"], count),
        positive_per_axis("einconv", "upsample", named["upsample"], count),
        padding_per_axis("einconv", named["padding"], count),
        boundary_per_axis("einconv", named["boundary"], count),
        bool(flip),
        bool(conj),
        given,
    )


def _by_position(pattern: Pattern, argument: str, value: Any, default: Any) -> Any:
    """Return an option given by label as a sequence in the order of the convolved labels."""
    if not isinstance(value, Mapping):
        return value
    unknown = [label for label in value if label not in pattern.space]
    if unknown:
        raise ValueError(
            f"einconv: `{argument}` names labels that are not convolved: {unknown}. "
            f"Convolved are {list(pattern.space)} in '{pattern.text}'."
        )
    return [value.get(label, default) for label in pattern.space]


@planning()
def _problem(pattern: Pattern, x_shape: tuple[int, ...], kernel_shape: tuple[int, ...], geometry: _Geometry) -> Problem:
    """Translate a pattern and shapes into the one operation."""
    given = dict(geometry.sizes)
    x_sizes = _pattern.sizes("einconv", pattern, pattern.x, "x", x_shape, given)
    w_sizes = _pattern.sizes("einconv", pattern, pattern.kernel, "kernel", kernel_shape, given)
    for label in x_sizes:
        if label not in pattern.space and x_sizes[label] != w_sizes.get(label, x_sizes[label]):
            raise ValueError(
                f"einconv: label '{label}' must have one size. Got {x_sizes[label]} in x {x_shape} and "
                f"{w_sizes[label]} in the kernel {kernel_shape} of '{pattern.text}'."
            )
    if 0 in kernel_shape:
        raise ValueError(f"einconv: `kernel` must have at least one element. Got shape {kernel_shape}.")
    axes = _axes(pattern, geometry, x_sizes, w_sizes)
    sums = (
        _sum(pattern.x.labels, pattern.kernel.labels, pattern, x_sizes),
        _sum(pattern.kernel.labels, pattern.x.labels, pattern, w_sizes),
    )
    problem = _lowered(pattern, geometry, x_sizes, w_sizes, axes)
    return problem._replace(sums=sums) if any(part.axes for part in sums) else problem


def _axes(
    pattern: Pattern, geometry: _Geometry, x_sizes: Mapping[str, int], w_sizes: Mapping[str, int]
) -> tuple[Axis, ...]:
    return tuple(
        padded_axis("einconv", Axis(x_sizes[label], w_sizes[label], 0, s, d, u, 0, b), padding)
        for label, s, d, u, b, padding in zip(
            pattern.space,
            geometry.stride,
            geometry.dilation,
            geometry.upsample,
            geometry.boundary,
            geometry.padding,
            strict=True,
        )
    )


def _lowered(
    pattern: Pattern,
    geometry: _Geometry,
    x_sizes: Mapping[str, int],
    w_sizes: Mapping[str, int],
    axes: Sequence[Axis],
) -> Problem:
    outputs = dict(zip(pattern.space, (axis.outputs for axis in axes), strict=True))
    y_sizes = {label: outputs.get(label, x_sizes.get(label, w_sizes.get(label, 1))) for label in pattern.output.labels}
    kept_x, kept_w = (
        [label for label in own if label in other or label in y_sizes]
        for own, other in (
            (pattern.x.labels, pattern.kernel.labels),
            (pattern.kernel.labels, pattern.x.labels),
        )
    )
    shapes = (
        tuple(x_sizes[label] for label in kept_x),
        tuple(w_sizes[label] for label in kept_w),
        tuple(y_sizes[label] for label in pattern.output.labels),
    )
    problem = labelled(
        (kept_x, kept_w, pattern.output.labels),
        shapes,
        {**w_sizes, **x_sizes},
        dict(zip(pattern.space, axes, strict=True)),
        flip=geometry.flip,
        conj=geometry.conj,
    )
    return problem._replace(shape=tuple(prod(y_sizes[label] for label in axis) for axis in pattern.output.axes))


def _sum(own: Sequence[str], other: Sequence[str], pattern: Pattern, sizes: Mapping[str, int]) -> Sum:
    lonely = [n for n, label in enumerate(own) if label not in other and label not in pattern.output.labels]
    return Sum(tuple(sizes[label] for label in own), tuple(lonely))
