"""Passes along one axis each: what they convolve, in which order, and what they cost.

Each axis of a problem is independent of the others, boundary, stride and dilation included, so a product of factors is
one ordinary problem after the other, and a sum of products a sum of such chains. The axis that shrinks data most comes
first. Data between passes is in the accumulator's dtype.

A pass convolves all axes, with one tap along those of the other passes, so that methods read and write arrays in the
order of their axes. A method that computes a pass in one piece may take the others as batch: transforms do.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

from arrayconv._arrays.traits import Traits
from arrayconv._calls import prepare
from arrayconv._convolver.kernel import FUNCTION, Separability, Shape
from arrayconv._costs.cost_table import primitive_costs
from arrayconv._costs.gpu import Work, work_ns
from arrayconv._plan.plan import Plan
from arrayconv._plan.rank import step_ns
from arrayconv._problem.axes import convolved_axes
from arrayconv._problem.chain import Window
from arrayconv._problem.problem import Problem, paired
from arrayconv._problem.spec import Axis

_CACHED_BYTES = 3 << 19  # of arrays between passes
_COMPILED = "native_"
_PASSES_OF_MEMORY = 4  # elementwise passes in cache that take as long as an array in memory, written and read again


class FactorRequest(NamedTuple):
    """What the choice between passes and the whole kernel depends on besides problem and traits."""

    x_shape: Shape
    axes: Any  # as the caller gave them
    options: prepare.Options
    required: bool  # separable=True
    extra_bytes: int = 0  # that the call takes beside its plans
    x_dtype: str = ""  # '' where passes may not run in one call of compiled code


class Chain(NamedTuple):
    """The passes of one term; all terms run the same."""

    factors: tuple[tuple[int, ...], ...]  # of each pass: the kernel's axes whose factors it takes, the first a long one
    problems: tuple[Problem, ...]
    plans: tuple[Plan, ...]
    windows: tuple[Window, ...]  # of each pass
    terms: int
    cost_ns: int

    @property
    def order(self) -> tuple[int, ...]:
        """The kernel's axis of each pass."""
        return tuple(axes[0] for axes in self.factors)

    def __str__(self) -> str:
        return f"{f'{self.terms} x ' * (self.terms > 1)}{len(self.plans)} passes"


class KernelAxes(NamedTuple):
    """Which axes of x the kernel's are, and what happens along those that are convolved."""

    labels: tuple[int, ...]  # of every axis of the kernel the axis of x
    convolved: dict[int, Axis]  # by axis of x


def chain_of(
    problem: Problem, traits: Traits, separability: Separability, request: FactorRequest, terms: int
) -> Chain | str:
    """Return the passes of a kernel of so many terms, or why there are none."""
    shape, axes = separability.shape, _kernel_axes(problem, separability, request)
    for axis, n in enumerate(shape):
        if n > 1 and axes.labels[axis] not in axes.convolved:
            return f"its axis {axis} of size {n} is not convolved: it makes groups or filters"
    factors = _factors(separability, [axes.convolved.get(label) for label in axes.labels])
    windows = tuple(
        Window(over, tuple(axes.convolved[label] for label in over), problem.spec.flip)
        for over in (tuple(axes.labels[axis] for axis in group) for group in factors)
    )
    everywhere = tuple(sorted(axes.convolved))
    whole = _problems(problem, request.x_shape, windows, [everywhere] * len(windows))
    batched = _problems(problem, request.x_shape, windows, [window.axes for window in windows])
    planned = _plans(whole, batched, traits, request, terms)
    if isinstance(planned, str):
        return planned
    problems, plans = zip(*planned, strict=True)
    return Chain(factors, problems, plans, windows, terms, _cost(problems, plans, problem, traits, terms))


def labels(ndim: int, kernel_shape: Shape, axes: Any) -> tuple[int, ...]:
    """Return the axis of x for every axis of the kernel."""
    dims = len(kernel_shape)
    return tuple(range(ndim)) if dims == ndim else convolved_axes(FUNCTION, ndim, dims, axes)


def _kernel_axes(problem: Problem, separability: Separability, request: FactorRequest) -> KernelAxes:
    x_shape, shape = request.x_shape, separability.shape
    own = labels(len(x_shape), shape, request.axes)
    space = convolved_axes(FUNCTION, len(x_shape), len(shape), request.axes)
    convolved = dict(zip(space, problem.spec.axes, strict=True))
    if separability.from_factors:  # a factor of one tap may hold a number
        for label, n in zip(own, shape, strict=True):
            if n == 1:
                convolved.setdefault(label, Axis(x_shape[label], 1, x_shape[label]))
    return KernelAxes(own, convolved)


def _factors(separability: Separability, axes: Sequence[Axis | None]) -> tuple[tuple[int, ...], ...]:
    """Return the kernel's axes of each pass: the one that shrinks data most first, and with it those of one tap."""
    convolved = {number: axis for number, axis in enumerate(axes) if axis is not None}
    long = [number for number in convolved if separability.from_factors or separability.shape[number] > 1]
    long.sort(key=lambda number: convolved[number].outputs / max(convolved[number].size, 1))
    rest = [
        number for number, axis in convolved.items() if number not in long and axis != Axis(axis.size, 1, axis.size)
    ]
    return ((long[0], *rest), *((number,) for number in long[1:]))


def _problems(
    problem: Problem, shape: Shape, windows: Sequence[Window], labels: Sequence[tuple[int, ...]]
) -> tuple[Problem, ...]:
    """Return the problem of every pass, each on the result of the one before, over the axes of x in `labels`."""
    problems: list[Problem] = []
    for window, over in zip(windows, labels, strict=True):
        own = dict(zip(window.axes, window.windows, strict=True))
        convolved = {label: own.get(label, Axis(shape[label], 1, shape[label])) for label in over}
        taps = tuple(axis.taps for axis in convolved.values())
        step = paired(FUNCTION, shape, taps, over, convolved, flip=problem.spec.flip, conj=problem.spec.conj)
        problems.append(step)
        shape = step.shape
    return tuple(problems)


def _plans(
    whole: Sequence[Problem], batched: Sequence[Problem], traits: Traits, request: FactorRequest, terms: int
) -> list[tuple[Problem, Plan]] | str:
    """Return the problem and plan of every pass, over all axes or with the others as batch, or why one is refused."""
    extra = request.extra_bytes + _bytes_between(whole, terms, traits)
    between = traits._replace(output=traits.accumulator)
    last = traits if terms == 1 else between
    planned: list[tuple[Problem, Plan]] = []
    for number, problems in enumerate(zip(whole, batched, strict=True)):
        own = last if number == len(whole) - 1 else between
        first, second = (_plan(each, own, request, extra) for each in problems)
        if not isinstance(second, str) and (isinstance(first, str) or _is_better(second, first)):
            planned.append((problems[1], second))
        elif isinstance(first, str):
            return f"a pass is refused: {first}"
        else:
            planned.append((problems[0], first))
    return planned


def _plan(problem: Problem, traits: Traits, request: FactorRequest, extra: int) -> Plan | str:
    try:
        return prepare.plan(FUNCTION, problem, traits, request.options, extra)
    except (ValueError, NotImplementedError) as refusal:
        return str(refusal).removeprefix(f"{FUNCTION}: ").rstrip(".")


def _is_better(batched: Plan, whole: Plan) -> bool:
    """Whether a plan of a batch is cheaper, and in one piece.

    Pieces of a batch are written one after the other in the order of its axes, which is not that of the array.
    """
    return batched.candidate.cost_ns < whole.candidate.cost_ns and batched.partition.num_pieces == 1


def _bytes_between(problems: Sequence[Problem], terms: int, traits: Traits) -> int:
    """Return the bytes of the arrays between passes: two results at a time, and the sum of the terms so far."""
    sizes = [0, *(prod(each.shape) for each in problems[:-1])]
    last = prod(problems[-1].shape)
    sizes.append(last if terms > 1 else 0)
    pairs = max(a + b for a, b in pairwise(sizes))
    return traits.itemsize * (pairs + last * (terms > 1))


def _cost(problems: Sequence[Problem], plans: Sequence[Plan], problem: Problem, traits: Traits, terms: int) -> int:
    """Return the predicted nanoseconds of all passes, of the arrays between them, and of adding up the terms."""
    passes = sum([plan.candidate.cost_ns for plan in plans])
    if traits.on_gpu:
        addition = work_ns(Work(1, 3 * prod(problem.shape) * traits.itemsize), traits.accumulator, traits.card)
        return terms * passes + (terms - 1) * addition
    rate = primitive_costs(plans[-1].traits.row)
    between = sum([prod(each.shape) for each in problems[:-1]]) * traits.itemsize
    if between > _CACHED_BYTES:
        passes += _PASSES_OF_MEMORY * between * rate.pass_byte // 1000 + sum(map(_from_memory, plans))
    addition = rate.call_ns + prod(problem.shape) * traits.itemsize * rate.pass_byte // 1000
    return terms * passes + (terms - 1) * addition


def _from_memory(plan: Plan) -> int:
    """Return the nanoseconds that a pass of a compiled loop takes beyond its prediction, which is for arrays in cache.

    Measured with 9 to 33 taps on 512 x 512 to 2048 x 2048 samples.
    """
    return max(plan.candidate.cost_ns - step_ns(plan.traits), 0) * plan.method.startswith(_COMPILED)
