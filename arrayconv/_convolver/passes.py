"""Whether a kernel is run whole or as passes along one axis each, and the passes.

Each axis of a problem is independent of the others, boundary, stride and dilation included, so a product of factors is
one ordinary problem after the other, and a sum of products a sum of such chains. The axis that shrinks data most comes
first. Data between passes is in the accumulator's dtype. Beyond constant ends lies, from the second pass on, what the
passes before make of the fill.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

from arrayconv import _call, _tape
from arrayconv._bound import planned
from arrayconv._convolver.source import FUNCTION, Found, Shape, Source
from arrayconv._cost_table import rates
from arrayconv._explain import duration
from arrayconv._float_errors import float_errors_ignored
from arrayconv._host import Numbers
from arrayconv._plan import Plan, Task, plan_of
from arrayconv._problem import Problem, paired
from arrayconv._programs import LIBRARY, number_of
from arrayconv._separable import Factor, Term, balanced, fills, misfit
from arrayconv._shapes import convolved_axes
from arrayconv._spec import Axis
from arrayconv._tracing import planning, record
from arrayconv._xp import Array, Namespace, Operands, Traits, device_of


@record
class Ask(NamedTuple):
    """What a decision depends on besides problem and traits."""

    x_shape: Shape
    axes: Any  # as the caller gave them
    chosen: _call.Options
    demanded: bool  # separable=True
    extra_bytes: int = 0  # that the call takes beside its plans


@record
class Chain(NamedTuple):
    """The passes of one term; all terms run the same."""

    factors: tuple[tuple[int, ...], ...]  # of each pass: the kernel's axes whose factors it takes, the first a long one
    problems: tuple[Problem, ...]
    plans: tuple[Plan, ...]
    terms: int
    cost_ns: int

    @property
    def order(self) -> tuple[int, ...]:
        """The kernel's axis of each pass."""
        return tuple(axes[0] for axes in self.factors)


@record
class Decision(NamedTuple):
    """How a kernel is run on one kind of array."""

    plan: Plan | None  # of the whole kernel; None where passes were demanded
    chain: Chain | None  # None where the kernel is run whole
    reason: str  # why it is
    taps: tuple[Term, ...] = ()  # per term and pass, the numbers of the factor; none where factors are given arrays
    fills: tuple[tuple[complex, ...], ...] = ()  # per term and pass


@planning(0)
def decide(problem: Problem, traits: Traits, found: Found, ask: Ask) -> Decision:
    """Decide between the whole kernel and passes: by predicted cost, where both keep the bound that is promised.

    Raises
    ------
    ValueError
        If passes are demanded and the kernel has none that keep the bound.
    TypeError, ValueError, NotImplementedError
        As `convolve` does.
    """
    demanded = ask.demanded or found.given
    whole = None if demanded else _call.plan(FUNCTION, problem, traits, ask.chosen, ask.extra_bytes)
    chained = _passes(problem, traits, found, ask)
    if isinstance(chained, str):
        if whole is None:
            raise ValueError(f"{FUNCTION}: `kernel` can't be run as passes along its axes: {chained}.")
        return Decision(whole, None, chained)
    chain = chained.chain
    if whole is not None and chain is not None and chain.cost_ns >= whole.chosen.cost_ns:
        return Decision(whole, None, f"{sum_of(chain)} would take longer, est {duration(chain.cost_ns)}")
    return chained._replace(plan=whole)


def sum_of(chain: Chain) -> str:
    """Return what a chain is in words: '2 x 3 passes'."""
    return f"{f'{chain.terms} x ' * (chain.terms > 1)}{len(chain.plans)} passes"


def _passes(problem: Problem, traits: Traits, found: Found, ask: Ask) -> Decision | str:
    """Return the decision for passes, or why there is none."""
    separation, chosen = found.separation, ask.chosen
    if not found.given and not ask.demanded and chosen.method != "auto":
        return f"method={chosen.method!r} was asked for"
    if separation is None and not found.given:
        return found.reason
    if separation is not None and not found.given:
        reason = misfit(separation, found.shape, traits.accumulator, chosen.accuracy)
        if reason is not None:
            return reason
    if separation is None and chosen.fill_value != 0:
        return "a fill other than 0 takes the sums of the factors, whose values are not known here"
    terms = 1 if separation is None else len(separation.terms)
    chain = _chain(problem, traits, found, ask, terms)
    if isinstance(chain, str) or separation is None:
        return chain if isinstance(chain, str) else Decision(None, chain, "")
    return _with_numbers(chain, problem, traits, separation.terms, found.given, chosen.fill_value)


def _with_numbers(
    chain: Chain, problem: Problem, traits: Traits, terms: tuple[Term, ...], given: bool, fill: complex
) -> Decision | str:
    """Return the decision with factors in the accumulator's range, and what lies beyond the ends before each pass."""
    order, accumulator = chain.order, traits.accumulator
    if not given:
        scaled = [balanced(term, order, accumulator) for term in terms]
        if None in scaled:
            return f"its factors leave the range of {accumulator}"
        terms = tuple(term for term in scaled if term is not None)
    conj = problem.spec.conj
    beyond = tuple(fills(term, order, fill, conj=conj) for term in terms)
    return Decision(
        None, chain, "", tuple(tuple(_held(term[axis], traits) for axis in order) for term in terms), beyond
    )


def _held(factor: Factor, traits: Traits) -> Factor:
    """Return taps that the accumulator holds: integers modulo its width, signed."""
    if not traits.exact:
        return factor
    half = 1 << (8 * traits.itemsize - 1)
    return tuple((int(tap.real) + half) % (2 * half) - half for tap in factor)


def _chain(problem: Problem, traits: Traits, found: Found, ask: Ask, terms: int) -> Chain | str:
    at, axes = _axes(problem, found, ask)
    apart = [axis for axis, n in enumerate(found.shape) if n > 1 and at[axis] not in axes]
    if apart:
        return f"its axis {apart[0]} of size {found.shape[apart[0]]} is not convolved: it makes groups or filters"
    groups = _groups(found, [axes.get(label) for label in at])
    problems = _problems(problem, ask.x_shape, found.shape, groups, at, axes)
    held = _held_bytes(problems, terms, traits)
    try:
        plans = tuple(
            _call.plan(FUNCTION, each, _sums(traits, last and terms == 1), ask.chosen, ask.extra_bytes + held)
            for each, last in zip(problems, [False] * (len(problems) - 1) + [True], strict=True)
        )
    except (ValueError, NotImplementedError) as refusal:
        return f"a pass is refused: {str(refusal).removeprefix(f'{FUNCTION}: ').rstrip('.')}"
    return Chain(groups, problems, plans, terms, _cost(plans, problem, traits, terms))


def labels(ndim: int, found: Found, axes: Any) -> tuple[int, ...]:
    """Return the axis of x for every axis of the kernel."""
    return tuple(range(ndim)) if len(found.shape) == ndim else convolved_axes(FUNCTION, ndim, len(found.shape), axes)


def _axes(problem: Problem, found: Found, ask: Ask) -> tuple[tuple[int, ...], dict[int, Axis]]:
    """Return the axis of x for every axis of the kernel, and what happens along those that are convolved."""
    space = convolved_axes(FUNCTION, len(ask.x_shape), len(found.shape), ask.axes)
    at = labels(len(ask.x_shape), found, ask.axes)
    axes = dict(zip(space, problem.spec.axes, strict=True))
    if found.given:  # a factor of one tap may hold a number
        idle = {
            label: Axis(ask.x_shape[label], 1, ask.x_shape[label])
            for label, n in zip(at, found.shape, strict=True)
            if n == 1
        }
        axes = {**idle, **axes}
    return at, axes


def _groups(found: Found, axes: Sequence[Axis | None]) -> tuple[tuple[int, ...], ...]:
    """Return the kernel's axes of each pass: the one that shrinks data most first, and with it those of one tap."""
    met = {number: axis for number, axis in enumerate(axes) if axis is not None}
    own = [number for number in met if found.given or found.shape[number] > 1]
    own.sort(key=lambda number: Fraction(met[number].outputs, max(met[number].size, 1)))
    rest = [number for number, axis in met.items() if number not in own and axis != Axis(axis.size, 1, axis.size)]
    return ((own[0], *rest), *((number,) for number in own[1:]))


def _problems(
    problem: Problem,
    shape: Shape,
    kernel_shape: Shape,
    groups: tuple[tuple[int, ...], ...],
    at: tuple[int, ...],
    axes: dict[int, Axis],
) -> tuple[Problem, ...]:
    """Return the problem of every pass, each on the answer of the one before."""
    found: list[Problem] = []
    for group in groups:
        over = tuple(at[axis] for axis in group)
        taps = tuple(kernel_shape[axis] for axis in group)
        spec = problem.spec
        step = paired(
            FUNCTION, shape, taps, over, {label: axes[label] for label in over}, flip=spec.flip, conj=spec.conj
        )
        found.append(step)
        shape = step.shape
    return tuple(found)


def _sums(traits: Traits, is_last: bool) -> Traits:
    return traits if is_last else traits._replace(output=traits.accumulator)


def _held_bytes(problems: Sequence[Problem], terms: int, traits: Traits) -> int:
    """Return the bytes of what stands between passes: two answers at once, and the sum of the terms so far."""
    sizes = [0, *(prod(each.shape) for each in problems[:-1])]
    last = prod(problems[-1].shape)
    sizes.append(last if terms > 1 else 0)
    pairs = max(a + b for a, b in pairwise(sizes))
    return traits.itemsize * (pairs + last * (terms > 1))


def _cost(plans: Sequence[Plan], problem: Problem, traits: Traits, terms: int) -> int:
    """Return the predicted nanoseconds of all passes, and of adding up the terms."""
    rate = rates(plans[-1].traits.row)
    addition = rate.call_ns + prod(problem.shape) * traits.itemsize * rate.pass_byte // 1000
    return terms * sum(plan.chosen.cost_ns for plan in plans) + (terms - 1) * addition


def arrays(decision: Decision, source: Source, found: Operands) -> tuple[tuple[Array, ...], ...]:
    """Return the factor of every pass, for each term."""
    chain = decision.chain
    if chain is None:
        return ()
    xp = found.xp
    shapes = [tuple(source.found.shape[axis] for axis in group) for group in chain.factors]
    if source.factors:
        rows = [[term[axis] for axis in chain.order] for term in source.factors]
        return tuple(tuple(xp.reshape(taps, n) for taps, n in zip(row, shapes, strict=True)) for row in rows)
    name = found.traits.accumulator
    return tuple(
        tuple(Numbers(taps, n, name).array(name, xp, found.device) for taps, n in zip(row, shapes, strict=True))
        for row in decision.taps
    )


def run(
    found: Operands,
    decision: Decision,
    factors: tuple[tuple[Array, ...], ...],
    constants: Sequence[dict[int, Any]],
) -> Any:
    """Return the sum over terms of x after all passes, in the result's dtype."""
    chain = decision.chain
    assert chain is not None
    beyond = decision.fills or ((0,) * len(chain.plans),) * len(factors)
    if found.traits.backend != LIBRARY:
        return _summed(found, chain.problems, chain.plans, beyond, factors, constants)
    tasks = tuple((plan.task, plan.zero_fill) for plan in chain.plans)
    digits = tuple(tuple(repr(fill) for fill in row) for row in beyond)
    settings = chain.problems, tasks, digits, found.traits, found.xp
    return _call.together(LIBRARY, _as_program, settings, (found.x, factors))


def _as_program(
    problems: tuple[Problem, ...],
    tasks: tuple[tuple[Task, bool], ...],
    digits: tuple[tuple[str, ...], ...],
    traits: Traits,
    xp: Namespace,
    x: Array,
    factors: tuple[tuple[Array, ...], ...],
) -> Any:
    """Return `run`'s answer; each program transforms the factors again, which are short."""
    plans = tuple(plan_of("convolution", *task) for task in tasks)
    beyond = tuple(tuple(number_of(fill) for fill in row) for row in digits)
    found = Operands(x, factors[0][0], xp, device_of(x), traits)
    return _summed(found, problems, plans, beyond, factors, ())


def _summed(
    found: Operands,
    problems: tuple[Problem, ...],
    plans: tuple[Plan, ...],
    beyond: tuple[tuple[complex, ...], ...],
    factors: tuple[tuple[Array, ...], ...],
    constants: Sequence[dict[int, Any]],
) -> Any:
    total, held = None, iter(constants)
    for row, fills_of_row in zip(factors, beyond, strict=True):
        y = found.x
        for factor, problem, plan, fill in zip(row, problems, plans, fills_of_row, strict=True):
            step = Operands(y, factor, found.xp, found.device, plan.traits)
            y = planned(step, problem, plan, fill, next(held, None))
        total = y if total is None else _added(total, y)
    return found.xp.astype(total, getattr(found.xp, found.traits.output), copy=False)


@float_errors_ignored
def _added(total: Any, y: Any) -> Any:
    """Return a sum of terms, in which one infinite sample may stand with both signs: NaN."""
    return total + y


def pullback(steps: Sequence[_tape.Step], terms: int) -> _tape.Pullback:
    """Return the pullback of a call with respect to x alone, from those of its convolutions, term by term."""
    count = len(steps) // terms

    def back(dy: Array, wanted: Sequence[bool]) -> tuple[Any, tuple[Any, ...]]:
        total: Any = None
        for first in range(0, len(steps) if wanted[0] else 0, count):
            dx = dy
            for step in reversed(steps[first : first + count]):
                _, (dx, _) = step.pullback(dx, (True, False))
            total = dx if total is None else total + dx
        return None, (total,)

    return back
