"""The options of a normalised convolution, checked and hashable, and the problems that they determine."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any, NamedTuple

from arrayconv._arrays import dtypes
from arrayconv._calls import prepare
from arrayconv._errors import check_option, flag
from arrayconv._problem import positional
from arrayconv._problem.axes import convolved_axes, real
from arrayconv._problem.positional import Geometry
from arrayconv._problem.problem import Problem, paired
from arrayconv._problem.spec import Axis
from arrayconv._runtime.tracing import planning

POLICIES = ("propagate", "omit", "raise")
_COUNTS = ("int8", "int16", "int32")


class Request(NamedTuple):
    """The options of a call; hashable, the key of its program."""

    function: str
    geometry: Geometry
    choice: prepare.Options
    policy: str
    has_fill: bool  # samples outside the array are the fill; else nothing is there
    min_weight: float
    return_weight: bool


class Problems(NamedTuple):
    """The convolutions of a call: of samples and mask together, of one of them, and of the mask along each axis."""

    both: Problem
    one: Problem
    by_axis: tuple[Problem, ...]  # with as many taps as the kernel has along that axis
    reads_fill: bool  # samples outside the array that are there
    space: tuple[int, ...]  # the convolved axes of x
    summed: tuple[int, ...]  # axes of the kernel along which its taps are summed
    counter: str  # integers that contain the number of taps, modulo which none but zero is zero


def request(
    function: str, geometry: Geometry, nan_policy: Any, min_weight: Any, return_weight: Any, shared: Sequence[Any]
) -> Request:
    """Return the checked options of a call; `shared` are method, accuracy, max_workspace and fill_value."""
    method, accuracy, max_workspace, fill = shared
    check_option(function, "nan_policy", nan_policy, POLICIES)
    has_fill = fill is not None
    choice = prepare.options(function, method, accuracy, max_workspace, fill if has_fill else 0)
    if _is_nan(choice.fill_value):
        if nan_policy == "raise":
            raise ValueError(
                f"{function}: `fill_value` must be a number with nan_policy='raise'. Got {fill}. "
                f"Pass fill_value=None if nothing is outside the array."
            )
        if nan_policy == "omit":
            has_fill, choice = False, choice._replace(fill_value=0)
    share = real(function, "min_weight", min_weight)
    if not 0 <= share <= 1:
        raise ValueError(f"{function}: `min_weight` must be a share of the whole weight, from 0 to 1. Got {share}.")
    weight = flag(function, "return_weight", return_weight)
    return Request(function, geometry, choice, nan_policy, has_fill, share, weight)


def _is_nan(number: complex) -> bool:
    return isnan(number.real) or isnan(number.imag)


@planning()
def problems(function: str, x_shape: tuple[int, ...], kernel_shape: tuple[int, ...], request: Request) -> Problems:
    """Translate shapes and options; raises for shapes that contradict them."""
    one = positional.problem(function, x_shape, kernel_shape, request.geometry)
    space = convolved_axes(function, len(x_shape), len(kernel_shape), request.geometry.axes)
    aligned = len(kernel_shape) == len(x_shape)
    labels = tuple(range(len(x_shape))) if aligned else space
    axes = dict(zip(space, one.spec.axes, strict=True))
    after = {label + 1: axis for label, axis in axes.items()}
    orientation = {"flip": one.spec.flip, "conj": one.spec.conj}
    both = paired(function, (2, *x_shape), kernel_shape, [label + 1 for label in labels], after, **orientation)
    outside = any(axis.leaves_data and axis.boundary == "constant" for axis in one.spec.axes)
    summed = space if aligned else tuple(range(len(kernel_shape)))
    bits = {name: dtypes.DTYPES[name].bits for name in _COUNTS}
    count = next((name for name in _COUNTS if one.spec.taps < 1 << bits[name]), _COUNTS[-1])
    return Problems(both, one, _by_axis(function, x_shape, axes), request.has_fill and outside, space, summed, count)


def _by_axis(function: str, shape: tuple[int, ...], axes: dict[int, Axis]) -> tuple[Problem, ...]:
    """Return one problem for each convolved axis; each reads the result of the one before."""
    each = []
    for label, axis in axes.items():
        each.append(paired(function, shape, (axis.taps,), (label,), {label: axis}))
        shape = each[-1].shape
    return tuple(each)
