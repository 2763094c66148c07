"""A plan: which algorithm runs which piece, and the loop that runs it.

A plan is made from integers alone, so it can be printed, cached and compared without an array. Running it is a
straight pass over its steps: cut the piece of x, run, put the result in its place.
"""

from __future__ import annotations

import warnings
from functools import partial
from math import prod
from threading import Lock
from typing import Any, NamedTuple

from arrayconv import _accel
from arrayconv._algorithms import Algorithm, Context, Shortcut
from arrayconv._float_errors import float_errors_ignored
from arrayconv._memory import buffer, is_corner, is_numpy, put
from arrayconv._operands import cut, oriented, wrapped
from arrayconv._ops import contain
from arrayconv._partition import Partition, nothing, partition, undivided_partition
from arrayconv._select import METHODS, TABLE, Budget, Candidate, rank
from arrayconv._spec import Spec
from arrayconv._split import Piece
from arrayconv._tracing import is_traced, planning, record
from arrayconv._xp import Array, Namespace, Traits, compat_namespace

_MOST_TOGETHER = 64  # steps in one program: each makes it longer, and XLA took up to 2 s per step to compile


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
    asked: str  # the method asked for, 'auto' included
    budget: Budget
    together: int = 1  # steps that run side by side
    zero_fill: bool = True  # whether zeros lie beyond the ends

    @property
    def task(self) -> Task:
        """What was asked."""
        return Task(self.spec, self.traits, self.asked, self.budget)

    @property
    def chosen(self) -> Candidate:
        """The row of the ranking that runs."""
        return next(row for row in self.candidates if row.name == self.method)

    def shortcut(self, fill: complex) -> Shortcut | None:
        """Return the method's call on the caller's own arrays, None where more is to be done.

        For arrays of the accumulator's dtype whose axes are the convolved ones, in order.
        """
        make_shortcut = TABLE[self.method].shortcut
        if make_shortcut is None or not self.is_whole or self.traits.output != self.traits.accumulator:
            return None
        if any(axis.upsample != 1 for axis in self.spec.axes) or not self.covers:
            return None
        conj = self.spec.conj and self.traits.accumulator.startswith("complex")
        step, traits = self.partition.at(0), self.traits
        run = make_shortcut(self.spec._replace(conj=conj), step.spec, step.source, traits, fill)
        return _accel.on_memory(run) if run is not None and traits.home else run

    @property
    def covers(self) -> bool:
        """Whether the steps write every output; where upsampling leaves taps without samples, zeros stay."""
        return self.partition.outputs == self.spec.outputs

    @property
    def repeats(self) -> bool:
        """Whether its steps are mostly the same problem again, as blocks are and borders are not, or very many."""
        count, phases = self.partition.num_pieces, prod(axis.upsample for axis in self.spec.axes)
        if count > _MOST_TOGETHER:
            return True
        return count > 2 * phases * len({piece.spec for piece in self.partition.each()})

    @property
    def keeps(self) -> bool:
        """Whether what is prepared of a kernel is worth keeping between calls: spectra."""
        return TABLE[self.method].prepare_cost is not None

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
        min(chosen.together, pieces.num_pieces),
        zero_fill,
    )


def remade(task: Task, zero_fill: bool) -> Plan:
    """Return the plan that was made of a task before."""
    made = make(*task, zero_fill)
    assert isinstance(made, Plan)
    return made


def _partition(spec: Spec, chosen: Candidate, algorithm: Algorithm, zero_fill: bool) -> Partition:
    if not spec.outputs or not spec.terms:  # a sum of nothing is zero
        return nothing(spec)
    if chosen.undivided:
        return undivided_partition(spec)
    extends = algorithm.extending(zero_fill)
    slabs = algorithm.slabs and not ("zero" in extends and all(axis.boundary == "constant" for axis in spec.axes))
    return partition(spec, chosen.block, extends=extends, slabs=slabs, prepared_by=algorithm.prepared_by)


def _countable(spec: Spec) -> Spec:
    """Return a problem in which nothing is to be summed with ones for the counts of nothing, which costs divide by."""
    counts = {name: max(1, getattr(spec, name)) for name in ("batch", "groups", "channels", "filters")}
    return spec._replace(**counts)


@planning()
def planned(task: Task) -> Plan:
    """Plan a task, zeros beyond its ends; raises NotImplementedError or ValueError where nothing can run it.

    A method that was forced for the call is kept where it can run what was derived from it too.
    """
    made = make(*task, True)
    if isinstance(made, Refusal):
        made = make(*task._replace(method="auto"), True)
    if isinstance(made, Refusal):
        raise refused("the derivative of a convolution", made, task.budget.max_workspace)
    return made


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
    traits = _accel.hosted(_accel.surviving(traits._replace(accelerators=_accel.available(allowed))))
    most = _accel.usable() if traits.backend in ("numpy", "jax") and traits.device == "cpu" else 1
    return traits._replace(transforms=_accel.lender(traits), threads=most if threads is None else min(threads, most))


@float_errors_ignored
def execute(
    plan: Plan,
    x: Array,
    kernel: Array,
    fill: complex,
    *,
    xp: Namespace,
    device: Any,
    out: Array | None = None,
    constants: dict[int, Any] | None = None,
) -> Array:
    """Run a plan on canonical arrays.

    Parameters
    ----------
    plan : Plan
        Steps for exactly these shapes and dtypes.
    x : array, shape (batch, groups, channels, *n)
        Data of any dtype that the accumulator holds.
    kernel : array, shape (groups, filters, channels, *k)
        Kernel as the caller gave it; the spec says whether it is flipped and conjugated.
    fill : number
        What lies beyond the ends of 'constant' axes.
    xp, device
        Namespace and device of both arrays.
    out : array, optional
        Where to write, shape (batch, groups, filters, *out), not overlapping x.
    constants : dict, optional
        What earlier calls of this plan prepared of this kernel, by step; what this one prepares is added.

    Returns
    -------
    array, shape (batch, groups, filters, *out)
        Of the plan's output dtype; `out` itself where that was given.
    """
    traits = plan.traits
    if traits.library == "torch" and not is_numpy(x):
        if not traits.traced and is_traced("torch", x, kernel):
            return execute(_unhosted(plan, fill), x, kernel, fill, xp=xp, device=device, out=out)
        if traits.home:
            return _hosted(plan, x, kernel, fill, out, constants)
    context = _context(plan, fill, xp, device)
    kernel = oriented(kernel, plan.spec, context)
    run = _accelerated if plan.method in _accel.ACCELERATED else _walked
    with _accel.full_precision(traits):
        return run(plan, x, kernel, out, context, constants)


def _unhosted(plan: Plan, fill: complex) -> Plan:
    """Return the plan of the same problem in torch's own functions, for tensors that turn out to be watched."""
    made = make(plan.spec, _accel.unhosted(plan.traits), plan.asked, plan.budget, fill == 0)
    if isinstance(made, Refusal):
        raise refused("convolution", made, plan.budget.max_workspace)
    return made


def prepared(plan: Plan, kernel: Array, fill: complex, *, xp: Namespace, device: Any) -> dict[int, Any]:
    """Return what a plan prepares of a kernel, by step: the `constants` of `execute`."""
    context = _context(plan, fill, xp, device)
    constants: dict[int, Any] = {}
    with _accel.full_precision(plan.traits):
        runner = _Runner(plan, kernel, oriented(kernel, plan.spec, context), context, constants)
        for number in range(plan.partition.num_pieces):
            runner.prepare(number, plan.partition.at(number))
    return constants


def _context(plan: Plan, fill: complex, xp: Namespace, device: Any) -> Context:
    traits, alone = plan.traits, plan.together <= 1
    fft = _accel.transforms(traits.transforms, xp, traits.threads if alone else 1)
    return Context(xp, device, traits, fft, wrapped(fill, traits), alone=alone)


def _hosted(
    plan: Plan, x: Any, kernel: Any, fill: complex, out: Array | None, constants: dict[int, Any] | None
) -> Array:
    """Run a plan for NumPy arrays on another library's, over the same memory."""
    xp, target = compat_namespace("numpy"), None if out is None else _accel.memory(out)
    arrays = _accel.memory(x), _accel.memory(kernel)
    y = execute(plan, *arrays, fill, xp=xp, device="cpu", out=target, constants=constants)
    return _accel.tensor(y) if out is None else out


def _walked(
    plan: Plan, x: Array, kernel: Array, out: Array | None, context: Context, constants: dict[int, Any] | None = None
) -> Array:
    return _walk(plan, _Runner(plan, x, kernel, context, constants), out, context)


def _accelerated(
    plan: Plan, x: Array, kernel: Array, out: Array | None, context: Context, constants: dict[int, Any] | None
) -> Array:
    """Run a plan of an accelerated method; where its library fails, `auto` goes on with another, and says so once."""
    try:
        return _walked(plan, x, kernel, out, context, constants)
    except _accel.AcceleratorFailed as failure:
        _accel.give_up(failure)
        if plan.asked != "auto":
            raise RuntimeError(f"method {plan.method!r} cannot run: {failure}. Use method='auto'.") from failure
        others = plan.traits._replace(accelerators=plan.traits.accelerators - {failure.library})
        other = make(plan.spec, others, "auto", plan.budget, context.fill == 0)
        if isinstance(other, Refusal):
            raise refused("convolution", other, plan.budget.max_workspace) from failure
        warnings.warn(f"{failure}. Method {other.method!r} serves instead.", RuntimeWarning, stacklevel=2)
    return _walked(other, x, kernel, out, context._replace(alone=other.together <= 1))


def _walk(plan: Plan, run: _Runner, out: Array | None, context: Context) -> Array:
    """Run the steps one after the other and put their results in place."""
    xp, dtype = context.xp, getattr(context.xp, plan.traits.output)
    first: Any = None
    if plan.is_whole and out is None:
        first = run(0, plan.partition.at(0))
        if not (TABLE[plan.method].smears and plan.traits.writable and is_corner(first)):
            return xp.astype(first, dtype, copy=False)
    y = out
    if y is not None and not plan.covers:
        y[...] = 0
    numpy, same = plan.traits.backend == "numpy", plan.traits.accumulator == plan.traits.output
    writes = TABLE[plan.method].writes and numpy and same
    if y is None and writes:
        y = (xp.empty if plan.covers else xp.zeros)(plan.spec.output_shape, dtype=dtype, device=context.device)
    if plan.together > 1:
        if y is None:
            y = (xp.empty if plan.covers else xp.zeros)(plan.spec.output_shape, dtype=dtype, device=context.device)
        _accel.share(partial(_written, plan, run, y, dtype, writes), plan.partition.num_pieces, plan.together)
        return y
    for number in range(plan.partition.num_pieces):
        step = plan.partition.at(number)
        place = _target(step)
        if writes and y is not None:
            _write(run, number, step, y[place])
            continue
        part = xp.astype(run(number, step) if first is None else first, dtype, copy=False)
        if y is None:
            y = buffer(part, plan.spec.output_shape, zeros=not plan.covers, xp=xp, device=context.device)
        y = put(y, place, part)
        del part  # which may be a view of something larger, before the next piece is made
    return xp.zeros(plan.spec.output_shape, dtype=dtype, device=context.device) if y is None else y


def _target(step: Piece) -> tuple[slice, ...]:
    return (slice(*step.batch), slice(*step.groups), slice(None), *step.target)


def _write(run: _Runner, number: int, step: Piece, target: Any) -> None:
    """Run a step whose method writes to `target`, unless its result had to be mended."""
    part = run(number, step, target)
    if part is not target:
        target[...] = part


def _written(plan: Plan, run: _Runner, y: Array, dtype: Any, writes: bool, first: int, stop: int) -> None:
    """Run the steps [first, stop) and put their results in place."""
    for number in range(first, stop):
        step = plan.partition.at(number)
        place = _target(step)
        if writes:
            _write(run, number, step, y[place])
        else:
            y[place] = run(number, step)


class _Runner:
    """Runs the steps of one call; prepares the kernel once for all pieces of equal spec, which follow each other."""

    def __init__(self, plan: Plan, x: Array, kernel: Array, context: Context, kept: dict[int, Any] | None) -> None:
        self._algorithm = TABLE[plan.method]
        self._guards = self._algorithm.smears and not plan.traits.exact
        self._x, self._kernel, self._context = x, kernel, context
        self._partition = plan.partition
        self._held = -1  # the key of what is prepared: no more than one, since each may be as large as x
        self._prepared: tuple[contain.Guard, Any] | None = None
        self._lock = Lock() if plan.together > 1 else None  # no compiler follows a lock
        self._kept = kept  # all that was prepared, where the caller wants to keep it between calls

    def __call__(self, number: int, step: Piece, out: Array | None = None) -> Array:
        context, algorithm = self._context, self._algorithm
        if out is not None:
            context = context._replace(out=out)
        piece = cut(self._x, step, context)
        kernel, constants = self.prepare(number, step)
        if not self._guards:
            return algorithm.run(piece, constants, step.spec, context)
        if not algorithm.mixes and kernel.bad is None:
            y = contain.untouched(
                lambda: algorithm.run(piece, constants, step.spec, context), context.traits, alone=context.alone
            )
            if y is not None:
                return y

        def ran(found: contain.Guard) -> Array:
            return contain.restore(
                algorithm.run(found.data, constants, step.spec, context), found, kernel, step.spec, context
            )

        def plain(data: Array) -> Array:
            return ran(contain.Guard(data, None, None))

        def guarded(data: Array) -> Array:
            return ran(contain.guard(data, 2, context.traits, algorithm.mixes, xp=context.xp))

        return contain.either(piece, plain, guarded, context.traits, algorithm.mixes, xp=context.xp)

    def prepare(self, number: int, step: Piece) -> tuple[contain.Guard, Any]:
        """Return the kernel of a step, guarded, and what the method prepares of it."""
        if self._lock is None:
            return self._found(number, step)
        with self._lock:
            return self._found(number, step)

    def _found(self, number: int, step: Piece) -> tuple[contain.Guard, Any]:
        key, serves = self._partition.prepared(number)
        if self._kept is not None and key in self._kept:
            return self._kept[key]
        if key != self._held or self._prepared is None:
            self._prepared = None
            kernel = self._kernel[(slice(*step.groups), slice(None), slice(None), *step.taps)]
            guarded = contain.Guard(kernel, None, None)
            if self._guards:
                guarded = contain.guard(kernel, 2, self._context.traits, self._algorithm.mixes, xp=self._context.xp)
            once = self._kept is None and serves == 1
            constants = self._algorithm.prepare(guarded.data, step.spec, self._context._replace(once=once))
            self._held, self._prepared = key, (guarded, constants)
            if self._kept is not None:
                self._kept[key] = self._prepared
        return self._prepared
