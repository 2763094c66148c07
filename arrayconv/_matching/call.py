"""A call of `match_template`: operands, options and sizes checked, bound, cached."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple, get_args

import numpy as np

from arrayconv._algorithms import Accuracy
from arrayconv._arrays import dtypes, host
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.identify import device_of, identify
from arrayconv._arrays.namespace import has_dtype
from arrayconv._arrays.operands import operands
from arrayconv._calls import cache, dry_run, prepare
from arrayconv._calls.binding import BoundCall
from arrayconv._errors import check_option, flag
from arrayconv._matching.geometry import geometry, sizes
from arrayconv._matching.scores import ARRAYS, CALLS, WINDOW_SUMS, Match, numerator, score, scored
from arrayconv._matching.sums import Correlations
from arrayconv._problem.axes import is_sequence
from arrayconv._runtime.programs import LIBRARY
from arrayconv._runtime.tracing import shape_of

_NAMES = ("image", "template")


class _BoundMatch(NamedTuple):
    """A call, bound: its convolutions in their order."""

    match: Match
    convolutions: tuple[BoundCall, ...]

    def __call__(self, image: Any, template: Any) -> Any:
        return score(self.match, image, template, self.convolutions)[0]


def matched(function: str, image: Any, template: Any, options: tuple[Any, ...], accuracy: Any) -> Any:
    """Return the scores; `options` are (pad_input, mode, constant_values, score, axes, channel_axis)."""
    cache_key = cache.key(function, (image, template), (*options, accuracy))
    call = cache.lookup(cache_key)
    if call is not None:
        return call(image, template)
    image, template, match = _checked(function, image, template, options, accuracy)
    if dry_run.is_active():
        return _planned(match, device_of(image))
    library = identify(function, "image", image)
    if library == LIBRARY:
        return prepare.as_planned_program(library, scored, (match,), (image, template))
    y, convolutions = score(match, image, template)
    cache.store(cache_key, _BoundMatch(match, convolutions))
    return y


def _checked(
    function: str, image: Any, template: Any, options: tuple[Any, ...], accuracy: Any
) -> tuple[Any, Any, Match]:
    """Return the operands as arrays, and the match."""
    if not identify(function, "image", image) or isinstance(image, np.generic):
        image = host.array(function, "image", image)
    validated = operands(function, image, template, None, _NAMES)
    image, template, xp = validated.x, validated.kernel, validated.xp
    names = dtype_name(image.dtype), dtype_name(template.dtype)
    for argument, name in zip(_NAMES, names, strict=True):
        if dtypes.kind(name) == "complex":
            raise TypeError(
                f"{function}: `{argument}` must be real: a score orders windows. Got {name}. Match the real and the "
                f"imaginary part as channels, or the magnitude."
            )
    pad, mode, fill, *rest = options
    prepare.options(function, "auto", "normwise", None, fill, "constant_values")
    if isinstance(fill, complex):
        raise TypeError(f"{function}: `constant_values` must be a real number. Got {fill}.")
    check_option(function, "accuracy", accuracy, get_args(Accuracy))
    rest[1] = tuple(rest[1]) if is_sequence(rest[1]) else rest[1]
    fill = float(fill.item() if isinstance(fill, np.generic) else fill)
    shapes = shape_of(image), shape_of(template)
    checked = geometry(function, shapes, (flag(function, "pad_input", pad), mode, fill, *rest), accuracy)
    return (
        image,
        template,
        Match(checked, sizes(checked, shapes, names, has_dtype(xp, validated.device, "float64")), xp),
    )


def _planned(match: Match, device: Any) -> Any:
    """Note the plans of a match's convolutions; return a stand-in for the scores."""
    (_, sizes, xp) = match
    shapes = sizes.padded, sizes.template
    x, t = [dry_run.stand_in(shape, sizes.working, xp=xp, device=device) for shape in shapes]
    sums = Correlations(match.geometry.function)
    numerator(match, x, t, sums)
    for _ in range(WINDOW_SUMS[match.geometry.score]):
        sums.over(x, sizes.taps)
    of_image, of_result = ARRAYS[match.geometry.score]
    elements = of_image * prod(sizes.padded) + of_result * prod(sizes.shape)
    dry_run.note_arrays(CALLS, elements * dtypes.itemsize(sizes.working))
    return dry_run.stand_in(sizes.shape, sizes.output, xp=xp, device=device)
