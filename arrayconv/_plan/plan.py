"""A plan: which algorithm runs which piece.

A plan is computed from integers alone, so it can be printed, cached and compared without an array. `_run.execute` binds
and runs it.
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
from arrayconv._problem.partition import Partition, empty_partition, partition, undivided_partition
from arrayconv._problem.spec import Spec
from arrayconv._problem.split import handles_zeros
from arrayconv._runtime.tracing import planning

_MAX_PARALLEL_STEPS = 64  # steps of one program: XLA took up to 2 s per step to compile


class Task(NamedTuple):
    """A problem and the conditions under which it is planned, as a hashable value that autodiff rules pass on."""

    spec: Spec
    traits: Traits
    method: str  # as requested, 'auto' included
    budget: Budget


class Plan(NamedTuple):
    """The steps of one problem on one kind of array, and the ranking they come from."""

    spec: Spec
    traits: Traits
    method: str
    partition: Partition
    candidates: tuple[Candidate, ...]
    requested: str  # the method as requested, 'auto' included
    budget: Budget
    num_parallel: int = 1  # steps that run side by side
    zero_fill: bool = True  # whether 'constant' axes are extended by zeros
    copies_pieces: bool = False  # whether x is copied to canonical axes piece by piece, where no view has them

    @property
    def task(self) -> Task:
        """The task that this plan was computed for."""
        return Task(self.spec, self.traits, self.requested, self.budget)

    @property
    def candidate(self) -> Candidate:
        """The row of the ranking of the method that runs."""
        return next(row for row in self.candidates if row.name == self.method)

    @property
    def writes_all(self) -> bool:
        """Whether the steps write every output; phases without taps are not written and stay zero."""
        return self.partition.outputs == self.spec.outputs

    @property
    def is_repetitive(self) -> bool:
        """Whether most steps have equal specs, like blocks and unlike borders, or there are very many."""
        count, phases = self.partition.num_pieces, prod(axis.upsample for axis in self.spec.axes)
        if count > _MAX_PARALLEL_STEPS:
            return True
        return count > 2 * phases * len({piece.spec for piece in self.partition.pieces()})

    @property
    def caches_kernel(self) -> bool:
        """Whether the prepared kernel, for example its spectra, is worth caching between calls."""
        return TABLE[self.method].preparation.cost is not None

    @property
    def is_whole(self) -> bool:
        """Whether a single step computes all of y."""
        return self.partition.num_pieces == 1 and self.partition.at(0).spec.output_shape == self.spec.output_shape


class Refusal(NamedTuple):
    """Why a problem has no plan; `refused` words it as an error."""

    method: str
    candidates: tuple[Candidate, ...]


@planning()
def make(spec: Spec, traits: Traits, method: str, budget: Budget, zero_fill: bool) -> Plan | Refusal:
    """Plan a problem: `method` is a name of the table or 'auto', `zero_fill` whether 'constant' axes extend by zeros.

    If no method fits a soft limit on workspace, the problem is planned without the limit.
    """
    assert method in METHODS
    has_sums = spec.outputs > 0 and spec.terms > 0
    ranked = spec if has_sums else _countable(spec)
    candidates = rank(ranked, traits, budget, zero_fill)
    runnable = [row for row in candidates if row.refusal is None and method in ("auto", row.name)]
    if not runnable and budget.is_soft:
        candidates = rank(ranked, traits, Budget(None, budget.accuracy), zero_fill)
        runnable = [row for row in candidates if row.refusal is None and method in ("auto", row.name)]
    if not runnable:
        return Refusal(method, candidates)
    candidate = runnable[0]
    pieces = _partition(spec, candidate, TABLE[candidate.name], zero_fill, on_gpu=traits.on_gpu)
    return Plan(
        spec,
        traits,
        candidate.name,
        pieces,
        candidates,
        method,
        budget,
        min(candidate.num_parallel, pieces.num_pieces),
        zero_fill,
    )


def plan_of(function: str, task: Task, zero_fill: bool) -> Plan:
    """Return the plan of a task; raises the error of `refused` if no method can run it."""
    plan = make(*task, zero_fill)
    if isinstance(plan, Refusal):
        raise refused(function, plan, task.budget.max_workspace)
    return plan


def _partition(spec: Spec, candidate: Candidate, algorithm: Algorithm, zero_fill: bool, *, on_gpu: bool) -> Partition:
    if not spec.outputs or not spec.terms:  # an empty sum is zero
        return empty_partition(spec)
    if candidate.undivided:
        return undivided_partition(spec)
    cuts = algorithm.cuts
    extends = cuts.extending(zero_fill)
    # On a GPU a copy of x takes less time than the launches for the borders.
    slabs = cuts.slabs and not on_gpu and not all(handles_zeros(axis, extends) for axis in spec.axes)
    block = candidate.block
    if cuts.converts and not candidate.workspace:  # no phase is cut, that of the most outputs neither
        block = (spec.batch, spec.groups, *spec.output_size)
    return partition(spec, block, extends=extends, slabs=slabs, prepared_by=algorithm.preparation.depends_on)


def _countable(spec: Spec) -> Spec:
    """Return the spec with counts of 0 replaced by 1, since cost formulas divide by them."""
    counts = {name: max(1, getattr(spec, name)) for name in ("batch", "groups", "channels", "filters")}
    return spec._replace(**counts)


@planning()
def plan_bilinear(task: Task) -> Plan:
    """Plan a task with zero extension; raises NotImplementedError or ValueError if no method can run it.

    The method requested for the call is used for its derivatives too if it can run them, else 'auto'.
    """
    plan = make(*task, True)
    if isinstance(plan, Refusal):
        return plan_of("the derivative of a convolution", task._replace(method="auto"), True)
    return plan


def refused(function: str, refusal: Refusal, limit: int | None, copied_bytes: int = 0) -> Exception:
    """Return the error for a problem that the requested method, or every method, refuses.

    `limit` is the caller's cap on workspace, of which `copied_bytes` go to copies outside the plan.
    """
    rows = [row for row in refusal.candidates if refusal.method in ("auto", row.name)]
    reasons = "; ".join(f"{row.name}: {row.refusal}" if len(rows) > 1 else f"{row.refusal}" for row in rows)
    if limit is not None and any("max_workspace" in (row.refusal or "") for row in rows):
        copies = f", of which {copied_bytes} go to copies" if copied_bytes else ""
        return ValueError(
            f"{function}: `max_workspace` is too small for any piece. Got {limit} bytes{copies}. {reasons}."
        )
    runnable = {row.name for row in refusal.candidates if row.refusal is None}
    others = [name for name in TABLE if name in runnable]
    way_out = f"Use method='auto' or one of {others}" if others else "No other method can run it either"
    return NotImplementedError(f"{function}: method {refusal.method!r} cannot run this. Reason: {reasons}. {way_out}.")


def with_accelerators(traits: Traits, allowed: frozenset[str], threads: int | None = None) -> Traits:
    """Return `traits` with the accelerators that are installed and allowed, and their number of threads, None for all.

    A call on JAX arrays is compiled as a whole, so it is planned like a traced one.
    """
    if traits.backend == "jax":
        traits = traits._replace(traced=True)
    usable = _accel.available(allowed, of_arrays=traits.backend)
    traits = _accel.numpy_view_traits(_accel.usable_after_fork(traits._replace(accelerators=usable)))
    is_compiled = library_row(traits.backend).compiled_loops and traits.device == "cpu"
    allowed_threads = parallel.most_threads(threads, is_compiled=is_compiled)
    return traits._replace(transforms=_fft.provider(traits), threads=allowed_threads)
