"""A plan bound to a library and a device, and its run on canonical arrays.

`BoundPlan` decides once what needs no array: where each piece is cut, how it is extended, which loop or which calls
compute it. A call then is a straight pass over the steps: read a piece of x, run, put the result in its place.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from functools import partial
from threading import Lock
from typing import Any, NamedTuple

from arrayconv import _accel, _fft
from arrayconv._algorithms import Bound, Context, Memory
from arrayconv._float_errors import float_errors_ignored
from arrayconv._memory import buffer, is_corner, is_numpy, put
from arrayconv._operands import orientation, reader, wrapped
from arrayconv._ops import contain
from arrayconv._plan import Plan, Task, plan_of
from arrayconv._problem import Problem
from arrayconv._select import TABLE
from arrayconv._spec import Spec
from arrayconv._split import Piece
from arrayconv._threads import share
from arrayconv._tracing import is_traced, planning
from arrayconv._xp import Array, Namespace, compat_namespace

_MOST_KEPT = 64  # bound steps: of more each call binds its own

Constants = dict[tuple[int, bool], Any]  # what a plan prepared of a kernel, by number, as it is and guarded


class _Step(NamedTuple):
    """A piece of a plan, bound."""

    piece: Piece
    place: tuple[slice, ...]  # in y
    read: Callable[[Array], Array]  # of x
    bound: Bound
    kernel: int  # the number of the prepared kernel
    taps: tuple[slice, ...] | None  # its part of the whole kernel, None for all of it
    prepare: Callable[[Array], Any]
    prepare_kept: Callable[[Array], Any]  # the same of what is kept between calls


class BoundPlan:
    """A plan bound to a library and a device: a function of canonical arrays, safe for several threads."""

    def __init__(
        self, plan: Plan, fill: complex, *, xp: Namespace, device: Any, problem: Problem | None = None
    ) -> None:
        algorithm, traits = TABLE[plan.method], plan.traits
        alone = plan.together <= 1
        fft = _fft.namespace(traits.transforms, xp, traits.threads if alone else 1)
        memory = None
        if problem is not None and plan.is_whole:
            memory = Memory(problem, plan.partition.at(0))
        self.plan, self.algorithm = plan, algorithm
        self.context = Context(xp, device, traits, fft, wrapped(fill, traits), alone=alone, memory=memory)
        self.orient = orientation(plan.spec, self.context)
        self._dtype = getattr(xp, traits.output)
        self._casts = traits.output != traits.accumulator
        self._in_place = traits.backend == "numpy" and not self._casts  # methods may write where their results go
        self._contains = bool(algorithm.spreads) and not traits.exact
        self.scales = algorithm.spreads == "overflow"
        self._bounds: dict[Spec, Bound] = {}
        self._is_whole = plan.is_whole
        self._steps: dict[int, _Step] = {}

    def __call__(self, x: Array, kernel: Array, out: Array | None = None, constants: Constants | None = None) -> Array:
        """Return y (batch, groups, filters, *out) for x (batch, groups, channels, *n) and the caller's kernel.

        `constants` is what earlier calls prepared of this kernel; what this one prepares is added.
        """
        with _accel.full_precision(self.plan.traits):
            if self.plan.method not in _accel.ACCELERATED:
                return self._run(x, kernel, out, constants)
            try:
                return self._run(x, kernel, out, constants)
            except _accel.AcceleratorFailed as failure:
                other = self._instead(failure)
            return other._run(x, kernel, out, None)

    @property
    def step(self) -> _Step:
        """The first step: the only one of a whole plan."""
        return self._step(0)

    def prepare(self, kernel: Array) -> Constants:
        """Return what the plan prepares of a kernel: the `constants` of a call."""
        constants: Constants = {}
        with _accel.full_precision(self.plan.traits):
            kernels = _Kernels(self, kernel, constants)
            for step in self._each_step():
                if self._contains:
                    kernels.guarded(step)
                else:
                    kernels.plain(step)
        return constants

    def _run_step(self, step: _Step, x: Array, kernels: _Kernels, out: Array | None = None) -> Array:
        """Return the result of a step of x; `out` itself where it was written there."""
        data = step.read(x)
        if not self._contains:
            return step.bound.run(data, kernels.plain(step), out)
        task = contain.Contained(step.piece.spec, self.context, self.scales)
        return contain.run(step.bound, data, _StepKernel(kernels, step), task, out)

    def _run(self, x: Array, kernel: Array, out: Array | None, constants: Constants | None) -> Array:
        kernels = _Kernels(self, kernel, constants)
        if self._is_whole and out is None:
            return self._own(self._run_step(self.step, x, kernels))
        plan, context, xp = self.plan, self.context, self.context.xp
        y = out
        if y is not None and not plan.covers:
            y[...] = 0
        if y is None and (self._in_place or plan.together > 1 or not plan.partition.num_pieces):
            make = xp.empty if plan.covers else xp.zeros
            y = make(plan.spec.output_shape, dtype=self._dtype, device=context.device)
        if plan.together > 1:
            share(partial(self._write, x, kernels, y), plan.partition.num_pieces, plan.together)
            return y  # pyright: ignore[reportReturnType]
        for step in self._each_step():
            y = self._put(step, x, kernels, y)
        return y  # pyright: ignore[reportReturnType]

    def _own(self, y: Array) -> Array:
        """Return the result of a whole plan in its dtype; a copy of a view that keeps more memory than it shows."""
        xp, context = self.context.xp, self.context
        if self._casts:
            return xp.astype(y, self._dtype, copy=False)
        if self.algorithm.spreads and self.plan.traits.writable and is_corner(y):
            return put(buffer(y, self.plan.spec.output_shape, zeros=False, xp=xp, device=context.device), ..., y)
        return y

    def _put(self, step: _Step, x: Array, kernels: _Kernels, y: Any) -> Array:
        """Return y with the result of a step in its place."""
        if self._in_place:
            target = y[step.place]
            part = self._run_step(step, x, kernels, target)
            if part is not target:
                target[...] = part
            return y
        xp, context = self.context.xp, self.context
        part = xp.astype(self._run_step(step, x, kernels), self._dtype, copy=False)
        if y is None:
            shape, zeros = self.plan.spec.output_shape, not self.plan.covers
            y = buffer(part, shape, zeros=zeros, xp=xp, device=context.device)
        return put(y, step.place, part)

    def _write(self, x: Array, kernels: _Kernels, y: Any, first: int, stop: int) -> None:
        """Write the results of the steps [first, stop)."""
        for step in map(self._step, range(first, stop)):
            target = y[step.place]
            part = self._run_step(step, x, kernels, target if self._in_place else None)
            if part is not target:
                target[...] = part

    def _each_step(self) -> Iterable[_Step]:
        """Return the steps, bound: kept where they are few, else bound one after the other."""
        return map(self._step, range(self.plan.partition.num_pieces))

    def _step(self, number: int) -> _Step:
        """Return a step, bound; kept where they are few."""
        step = self._steps.get(number)
        if step is None:
            step = self._bind(number)
            if self.plan.partition.num_pieces <= _MOST_KEPT:
                self._steps[number] = step
        return step

    def _bind(self, number: int) -> _Step:
        partition = self.plan.partition
        piece = partition.at(number)
        place = (slice(*piece.batch), slice(*piece.groups), slice(None), *piece.target)
        bound = self._bounds.get(piece.spec)
        if bound is None:
            bound = self._bounds[piece.spec] = self.algorithm.bind(piece.spec, self.context)
        kernel, serves = partition.prepared(number)
        prepare = self.algorithm.preparation.bind(piece.spec, self.context)
        once = self.context._replace(once=True)
        return _Step(
            piece,
            place,
            reader(piece, self.plan.spec, self.context),
            bound,
            kernel,
            _part(piece, self.plan.spec),
            self.algorithm.preparation.bind(piece.spec, once) if serves == 1 else prepare,
            prepare,
        )

    def _instead(self, failure: _accel.AcceleratorFailed) -> BoundPlan:
        """Return what goes on where a library failed: another method, for `auto`; says so once."""
        plan, context = self.plan, self.context
        _accel.give_up(failure)
        if plan.asked != "auto":
            raise RuntimeError(f"method {plan.method!r} cannot run: {failure}. Use method='auto'.") from failure
        others = plan.traits._replace(accelerators=plan.traits.accelerators - {failure.library})
        other = plan_of("convolution", plan.task._replace(traits=others), plan.zero_fill)
        warnings.warn(f"{failure}. Method {other.method!r} serves instead.", RuntimeWarning, stacklevel=2)
        return BoundPlan(other, context.fill, xp=context.xp, device=context.device)


@planning()
def _part(piece: Piece, whole: Spec) -> tuple[slice, ...] | None:
    """Return a piece's part of the whole kernel, None for all of it."""
    if piece.spec.kernel_shape == whole.kernel_shape:
        return None
    return (slice(*piece.groups), slice(None), slice(None), *piece.taps)


class _Kernels:
    """The kernel of one call, prepared once for all steps of one number, which follow each other."""

    def __init__(self, plan: BoundPlan, kernel: Array, kept: Constants | None) -> None:
        self._plan, self._given, self._kept = plan, kernel, kept
        self.oriented: Array | None = None
        self._latest: Constants = {}  # of one number: each may be as large as x
        self._lock = Lock() if plan.plan.together > 1 else None  # no compiler follows a lock

    def plain(self, step: _Step) -> Any:
        """Return what the method prepares of the kernel as it is."""
        return self._locked(step, False)

    def guarded(self, step: _Step) -> tuple[contain.Guard, Any]:
        """Return the guarded kernel, and what the method prepares of it."""
        return self._locked(step, True)

    def _locked(self, step: _Step, guarded: bool) -> Any:
        if self._lock is None:
            return self._prepared(step, guarded)
        with self._lock:
            return self._prepared(step, guarded)

    def _prepared(self, step: _Step, guarded: bool) -> Any:
        key = step.kernel, guarded
        known = self._latest if self._kept is None else self._kept
        if key in known:
            return known[key]
        if self._kept is None and (step.kernel, not guarded) not in known:
            known.clear()
        prepare = step.prepare if self._kept is None else step.prepare_kept
        known[key] = prepared = self._guard(step, prepare) if guarded else prepare(self._part(step))
        return prepared

    def _guard(self, step: _Step, prepare: Callable[[Array], Any]) -> tuple[contain.Guard, Any]:
        plan, kernel = self._plan, self._part(step)
        guarded = contain.guard(kernel, 2, plan.context.traits, plan.scales, xp=plan.context.xp)
        if guarded.data is kernel and (step.kernel, False) in self._latest:
            return guarded, self._latest[step.kernel, False]
        return guarded, prepare(guarded.data)

    def _part(self, step: _Step) -> Array:
        """Return the taps that a step meets, as a correlation's."""
        if self.oriented is None:
            self.oriented = self._plan.orient(self._given)
        if step.taps is None:
            return self.oriented
        return self.oriented[step.taps]


class _StepKernel(NamedTuple):
    """The kernel of one step, as `contain` asks for it."""

    kernels: _Kernels
    step: _Step

    def plain(self) -> Any:
        return self.kernels.plain(self.step)

    def guarded(self) -> tuple[contain.Guard, Any]:
        return self.kernels.guarded(self.step)


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
    constants: Constants | None = None,
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
            plan = unhosted(plan)
        elif traits.home:
            return _hosted(plan, x, kernel, fill, out, constants)
    return BoundPlan(plan, fill, xp=xp, device=device)(x, kernel, out, constants)


def unhosted(plan: Plan) -> Plan:
    """Return the plan of the same problem in torch's own functions, for tensors whose operations torch watches."""
    task = Task(plan.spec, _accel.unhosted(plan.traits), plan.asked, plan.budget)
    return plan_of("convolution", task, plan.zero_fill)


def prepared(plan: Plan, kernel: Array, fill: complex, *, xp: Namespace, device: Any) -> Constants:
    """Return what a plan prepares of a kernel, by step: the `constants` of `execute`."""
    return BoundPlan(plan, fill, xp=xp, device=device).prepare(kernel)


def _hosted(plan: Plan, x: Any, kernel: Any, fill: complex, out: Array | None, constants: Constants | None) -> Array:
    """Run a plan for NumPy arrays on another library's, over the same memory."""
    run = BoundPlan(plan, fill, xp=compat_namespace("numpy"), device="cpu")
    target = None if out is None else _accel.memory(out)
    y = run(_accel.memory(x), _accel.memory(kernel), target, constants)
    return _accel.tensor(y) if out is None else out
