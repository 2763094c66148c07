"""Whether a kernel is run whole or as passes along one axis each, by predicted cost.

From the second pass on, the fill beyond constant ends is what the passes before make of it.
"""

from __future__ import annotations

from typing import NamedTuple

from arrayconv._arrays.traits import Traits
from arrayconv._calls import prepare
from arrayconv._calls.explanation import duration
from arrayconv._convolver.chain import Chain, FactorRequest, chain_of
from arrayconv._convolver.fused import FusedPasses, fused_passes
from arrayconv._convolver.kernel import FUNCTION, Separability
from arrayconv._kernels.separable import Factor, Term, balanced, fills, misfit
from arrayconv._plan.plan import Plan
from arrayconv._problem.problem import Problem
from arrayconv._runtime.tracing import planning


class FactorPlan(NamedTuple):
    """How a kernel is run on one kind of array."""

    plan: Plan | None  # of the whole kernel; None where passes are required
    chain: Chain | None  # None where the kernel is run whole
    reason: str  # why it is
    taps: tuple[
        Term, ...
    ] = ()  # per term and pass, the numbers of the factor; none where the caller's factors are arrays
    fills: tuple[tuple[complex, ...], ...] = ()  # per term and pass
    fused: FusedPasses | None = None  # all passes in one call of compiled code, where that is predicted to be quickest

    @property
    def cost_ns(self) -> int:
        """Predicted nanoseconds of the passes."""
        assert self.chain is not None
        return self.chain.cost_ns if self.fused is None else self.fused.candidate.cost_ns


@planning(0)
def plan_factors(problem: Problem, traits: Traits, separability: Separability, request: FactorRequest) -> FactorPlan:
    """Choose between the whole kernel and passes, by predicted cost, where both keep the error bound.

    Raises
    ------
    ValueError
        If passes are required and the kernel has none that keep the bound.
    TypeError, ValueError, NotImplementedError
        As `convolve` does.
    """
    whole = None
    if not (request.required or separability.from_factors):
        whole = prepare.plan(FUNCTION, problem, traits, request.options, request.extra_bytes)
    passes = _unfit(separability, traits, request) or _passes(problem, traits, separability, request)
    if isinstance(passes, str):
        if whole is None:
            raise ValueError(f"{FUNCTION}: `kernel` can't be run as passes along its axes: {passes}.")
        return FactorPlan(whole, None, passes)
    passes = passes._replace(fused=_quicker_fused(passes, problem, traits, request))
    if whole is not None and passes.cost_ns >= whole.candidate.cost_ns:
        return FactorPlan(whole, None, f"{passes.chain} would take longer, est {duration(passes.cost_ns)}")
    return passes._replace(plan=whole)


def _quicker_fused(passes: FactorPlan, problem: Problem, traits: Traits, request: FactorRequest) -> FusedPasses | None:
    """Return the passes as one call of compiled code, where it computes them and is predicted to be quicker."""
    if passes.chain is None or not passes.taps:
        return None
    own = fused_passes(passes.chain, passes.taps, problem, traits, request)
    return own if own is not None and own.candidate.cost_ns < passes.chain.cost_ns else None


def _unfit(separability: Separability, traits: Traits, request: FactorRequest) -> str | None:
    """Return why passes are not what was requested, whatever they cost."""
    separation, options = separability.separation, request.options
    if separation is None and separability.from_factors and options.fill_value != 0:
        return "a fill other than 0 needs the sums of the factors, whose values are not known here"
    if separability.from_factors:
        return None
    if not request.required and options.method != "auto":
        return f"method={options.method!r} was requested"
    if separation is None:
        return separability.reason
    return misfit(separation, separability.shape, traits.accumulator, options.accuracy)


def _passes(problem: Problem, traits: Traits, separability: Separability, request: FactorRequest) -> FactorPlan | str:
    """Return the plan as passes, or why there is none."""
    separation = separability.separation
    terms = None if separation is None else separation.terms
    chain = chain_of(problem, traits, separability, request, 1 if terms is None else len(terms))
    if isinstance(chain, str) or terms is None:
        return chain if isinstance(chain, str) else FactorPlan(None, chain, "")
    if not separability.from_factors:
        terms = _balanced(terms, chain, traits.accumulator)
    if terms is None:
        return f"its factors leave the range of {traits.accumulator}"
    order, conj = chain.order, problem.spec.conj
    taps = tuple(tuple(_wrapped(term[axis], traits) for axis in order) for term in terms)
    outside = tuple(fills(term, order, request.options.fill_value, conj=conj) for term in terms)
    return FactorPlan(None, chain, "", taps, outside)


def _balanced(terms: tuple[Term, ...], chain: Chain, accumulator: str) -> tuple[Term, ...] | None:
    """Return terms with factors in the accumulator's range, or None where one is not."""
    scaled = [balanced(term, chain.order, accumulator) for term in terms]
    inside = tuple(term for term in scaled if term is not None)
    return inside if len(inside) == len(terms) else None


def _wrapped(factor: Factor, traits: Traits) -> Factor:
    """Return taps that the accumulator holds: integers modulo its width, signed."""
    if not traits.exact:
        return factor
    half = 1 << (8 * traits.itemsize - 1)
    return tuple((int(tap.real) + half) % (2 * half) - half for tap in factor)
