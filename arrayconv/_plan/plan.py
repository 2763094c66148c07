"""A plan: which algorithm runs which piece.

A plan is made from integers alone, so it can be printed, cached and compared without an array. `_run.execute` binds and
runs it.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from arrayconv import _accel, _fft
from arrayconv._algorithms import Algorithm
from arrayconv._arrays.libraries import library_row
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._plan.rank import METHODS, TABLE, Budget, Candidate, rank
from arrayconv._problem.partition import Partition, nothing, partition, undivided_partition
from arrayconv._problem.spec import Spec
from arrayconv._problem.split import among_zeros
from arrayconv._runtime.tracing import planning, record

_MAX_PARALLEL_STEPS = 64  # steps in one program: each makes it longer, and XLA took up to 2 s per step to compile


@record
class Task(NamedTuple):
    """A problem and the conditions under which it is planned, as a hashable value: what engines hand around."""

    spec: Spec
    traits: Traits
    method: str  # the one asked for, or 'auto'
    budget: Budget


@record
class Plan(NamedTuple):
    """The steps of one problem on one kind of array, and how they were chosen."""

    spec: Spec
    traits: Traits
    method: str
    partition: Partition
    candidates: tuple[Candidate, ...]
    requested: str  # the method asked for, 'auto' included
    budget: Budget
    num_parallel: int = 1  # steps that run side by side
    zero_fill: bool = True  # whether zeros lie beyond the ends

    @property
    def task(self) -> Task:
        """What was asked."""
        return Task(self.spec, self.traits, self.requested, self.budget)

    @property
    def chosen(self) -> Candidate:
        """The row of the ranking that runs."""
        return next(row for row in self.candidates if row.name == self.method)

    @property
    def covers(self) -> bool:
        """Whether the steps write every output; where upsampling leaves taps without samples, zeros stay."""
        return self.partition.outputs == self.spec.outputs

    @property
    def repeats(self) -> bool:
        """Whether its steps are mostly the same problem again, as blocks are and borders are not, or very many."""
        count, phases = self.partition.num_pieces, prod(axis.upsample for axis in self.spec.axes)
        if count > _MAX_PARALLEL_STEPS:
            return True
        return count > 2 * phases * len({piece.spec for piece in self.partition.each()})

    @property
    def keeps(self) -> bool:
        """Whether what is prepared of a kernel is worth keeping between calls: spectra."""
        return TABLE[self.method].preparation.cost is not None

    @property
    def is_whole(self) -> bool:
        """Whether a single step computes all of y, so that its result is the answer."""
        return self.partition.num_pieces == 1 and self.partition.at(0).spec.output_shape == self.spec.output_shape


@record
class Refusal(NamedTuple):
    """Why no plan could be made, for the front door to word as an error."""

    method: str
    candidates: tuple[Candidate, ...]


@planning()
def make(spec: Spec, traits: Traits, method: str, budget: Budget, zero_fill: bool) -> Plan | Refusal:
    """Plan a problem: `method` is a name of the table or 'auto', `zero_fill` whether zeros lie beyond the ends.

    Where nothing fits a cap that nobody asked for, it is planned without one.
    """
    assert method in METHODS
    sums = spec.outputs > 0 and spec.terms > 0
    ranked = spec if sums else _countable(spec)
    candidates = rank(ranked, traits, budget, zero_fill)
    runnable = [row for row in candidates if row.refusal is None and method in ("auto", row.name)]
    if not runnable and budget.yields:
        candidates = rank(ranked, traits, Budget(None, budget.accuracy), zero_fill)
        runnable = [row for row in candidates if row.refusal is None and method in ("auto", row.name)]
    if not runnable:
        return Refusal(method, candidates)
    chosen = runnable[0]
    pieces = _partition(spec, chosen, TABLE[chosen.name], zero_fill)
    return Plan(
        spec,
        traits,
        chosen.name,
        pieces,
        candidates,
        method,
        budget,
        min(chosen.num_parallel, pieces.num_pieces),
        zero_fill,
    )


def plan_of(function: str, task: Task, zero_fill: bool) -> Plan:
    """Return the plan of a task; raises what `refused` words where nothing can run it."""
    plan = make(*task, zero_fill)
    if isinstance(plan, Refusal):
        raise refused(function, plan, task.budget.max_workspace)
    return plan


def _partition(spec: Spec, chosen: Candidate, algorithm: Algorithm, zero_fill: bool) -> Partition:
    if not spec.outputs or not spec.terms:  # a sum of nothing is zero
        return nothing(spec)
    if chosen.undivided:
        return undivided_partition(spec)
    cuts = algorithm.cuts
    extends = cuts.extending(zero_fill)
    slabs = cuts.slabs and not all(among_zeros(axis, extends) for axis in spec.axes)
    return partition(spec, chosen.block, extends=extends, slabs=slabs, prepared_by=algorithm.preparation.depends_on)


def _countable(spec: Spec) -> Spec:
    """Return a problem in which nothing is to be summed with ones for the counts of nothing, which costs divide by."""
    counts = {name: max(1, getattr(spec, name)) for name in ("batch", "groups", "channels", "filters")}
    return spec._replace(**counts)


@planning()
def planned(task: Task) -> Plan:
    """Plan a task, zeros beyond its ends; raises NotImplementedError or ValueError where nothing can run it.

    A method that was forced for the call is kept where it can run what was derived from it too.
    """
    plan = make(*task, True)
    if isinstance(plan, Refusal):
        return plan_of("the derivative of a convolution", task._replace(method="auto"), True)
    return plan


def refused(function: str, refusal: Refusal, limit: int | None, taken: int = 0) -> Exception:
    """Return the error for a problem that the method asked for, or every method, refuses.

    `limit` is the caller's cap on workspace, of which `taken` bytes go to copies outside the plan.
    """
    rows = [row for row in refusal.candidates if refusal.method in ("auto", row.name)]
    reasons = "; ".join(f"{row.name}: {row.refusal}" if len(rows) > 1 else f"{row.refusal}" for row in rows)
    if limit is not None and any("max_workspace" in (row.refusal or "") for row in rows):
        copies = f", of which {taken} go to copies" if taken else ""
        return ValueError(
            f"{function}: `max_workspace` is too small for any piece. Got {limit} bytes{copies}. {reasons}."
        )
    runnable = {row.name for row in refusal.candidates if row.refusal is None}
    others = [name for name in TABLE if name in runnable]
    way_out = f"Use method='auto' or one of {others}" if others else "Nothing else can run it either"
    return NotImplementedError(f"{function}: method {refusal.method!r} cannot run this. Reason: {reasons}. {way_out}.")


def with_accelerators(traits: Traits, allowed: frozenset[str], threads: int | None = None) -> Traits:
    """Return `traits` with the shortcuts that are installed and allowed, and the threads they may use, None for all.

    JAX compiles a call as a whole, whoever made it: it is planned as one that is traced.
    """
    if traits.backend == "jax":
        traits = traits._replace(traced=True)
    traits = _accel.numpy_view_traits(_accel.usable_after_fork(traits._replace(accelerators=_accel.available(allowed))))
    is_compiled = library_row(traits.backend).compiled_loops and traits.device == "cpu"
    most = parallel.most_threads(threads, is_compiled=is_compiled)
    return traits._replace(transforms=_fft.provider(traits), threads=most)
