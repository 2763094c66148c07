"""What `explain` says of a labelled call: roles and sizes of labels, and how arrays are brought to canonical axes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from arrayconv._arrays.dtypes import itemsize
from arrayconv._calls.explanation import Labelling
from arrayconv._einconv.lowering import alone, lower
from arrayconv._einconv.options import Geometry
from arrayconv._einconv.pattern import Pattern
from arrayconv._errors import shown
from arrayconv._problem.layout import Permutation

Shape = tuple[int, ...]


def refuse_labelled(padding: Any, upsample: Any, flip: Any, conj: Any, sizes: Any) -> None:
    """Refuse options of `einconv` in an explanation of `convolve`."""
    options = {"padding": padding, "upsample": upsample, "flip": flip, "conj": conj, "sizes": sizes}
    defaults = {"padding": "valid", "upsample": 1, "flip": False, "conj": False, "sizes": None}
    pairs = [(name, value, defaults[name]) for name, value in options.items()]
    wrong = [name for name, value, default in pairs if type(value) is not type(default) or value != default]
    if wrong:
        facts = ", ".join(f"{name}={shown(options[name])}" for name in wrong)
        raise ValueError(
            f"explain: without `pattern`, which makes it a call of `einconv`, there is no `{'`, `'.join(wrong)}`. "
            f"Got {facts}. Pass `pattern`, or use `mode` or `lags`."
        )


def refuse_numbered(mode: Any, axes: Any, lags: Any) -> None:
    """Refuse options of `convolve` in an explanation of `einconv`."""
    options = {"mode": mode, "axes": axes, "lags": lags}
    wrong = [name for name, value in options.items() if value is not None]
    if wrong:
        raise ValueError(
            f"explain: `pattern` names the axes and `padding` the outputs, so there is no `{'`, `'.join(wrong)}`. "
            f"Got {', '.join(f'{name}={options[name]!r}' for name in wrong)}. Pass `padding`, or leave `pattern` out."
        )


def labelling(
    function: str, text: str, x_shape: Shape, kernel_shape: Shape, geometry: Geometry, dtypes: tuple[str, str]
) -> Labelling:
    """Say what every label became, and how operands and output are brought to the shapes of the one operation.

    `dtypes` are those of the result and of the sums.
    """
    lowered, pattern, x_sizes, w_sizes = lower(function, text, x_shape, kernel_shape, geometry)
    outputs = dict(zip(pattern.space, lowered.spec.output_size, strict=True))
    sizes: dict[str, tuple[int, ...]] = {}
    for label in dict.fromkeys((*pattern.x.labels, *pattern.kernel.labels)):
        own = [part[label] for part in (x_sizes, w_sizes) if label in part]
        sizes[label] = (*own, outputs[label]) if label in outputs else tuple(own[:1])
    layout, spec, width = lowered.layout, lowered.spec, max(map(itemsize, dtypes))
    moves: list[tuple[str, Shape, Shape, str]] = []
    for operand, other, shape, move, canonical in (
        (pattern.x, pattern.kernel, x_shape, layout.x, spec.input_shape),
        (pattern.kernel, pattern.x, kernel_shape, layout.kernel, spec.kernel_shape),
    ):
        lonely = [operand.labels[number] for number in alone(operand, other, pattern)]
        moves.append((operand.argument, shape, canonical, _way(move, shape, canonical, lonely, width)))
    back = _way(layout.y, spec.output_shape, lowered.shape, (), width)
    moves.append(("output", spec.output_shape, lowered.shape, back))
    return Labelling(text, _roles(pattern), tuple(sizes.items()), tuple(moves))


def _roles(pattern: Pattern) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the labels of each role, in the order of the one operation."""
    x, kernel, output = (set(part.labels) - set(pattern.space) for part in (pattern.x, pattern.kernel, pattern.output))
    of_x, of_kernel, of_output = pattern.x.labels, pattern.kernel.labels, pattern.output.labels
    return (
        ("batch", tuple(label for label in of_output if label in x - kernel)),
        ("groups", tuple(label for label in of_output if label in x & kernel)),
        ("channels", tuple(label for label in of_x if label in x & kernel - output)),
        ("filters", tuple(label for label in of_output if label in kernel - x)),
        ("convolved", pattern.space),
        ("summed away", tuple(label for label in (*of_x, *of_kernel) if label in (x ^ kernel) - output)),
    )


def _way(move: Permutation, before: Shape, after: Shape, lonely: Sequence[str], width: int) -> str:
    """Say how an array goes from one shape to another: a view, a transposed view, or a copy and its bytes."""
    first = f"summed over {', '.join(lonely)}, then " if lonely else ""
    merges = [n for n in after if n != 1] != [move.split[n] for n in move.order if move.split[n] != 1]
    if move.reorders and merges:
        return f"{first}transposed and copied ({width * prod(after)} bytes)"
    if move.reorders:
        return f"{first}transposed view"
    return f"{first}view" if before != after else f"{first}as it is"
