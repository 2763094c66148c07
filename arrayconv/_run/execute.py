"""A plan bound to a library and a device, and its run on canonical arrays.

`BoundPlan` decides once all that needs no array: where each piece is cut, how it is extended, which loop or which calls
compute it. A call is then one pass over the steps: read a piece of x, run the method, write the result to y.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from arrayconv import _accel, _fft
from arrayconv._algorithms import Bound, Context, Memory
from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import axes_in_memory, buffer, is_numpy, retains_larger_base, set_at
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.namespace import Namespace, compat_namespace
from arrayconv._ops import contain
from arrayconv._plan.plan import Plan, Task, plan_bilinear, plan_of
from arrayconv._plan.rank import MAX_AT_ADDRESSES, TABLE
from arrayconv._problem.problem import Problem
from arrayconv._problem.spec import Spec
from arrayconv._problem.split import Piece
from arrayconv._run.operands import orientation, reader, wrap_fill
from arrayconv._run.pieces import is_pieces
from arrayconv._run.steps import Constants, Kernels, Step, StepKernel, part_of_kernel
from arrayconv._runtime.threads import parallel_for
from arrayconv._runtime.tracing import is_traced, planning

At = Callable[[int, int, int], None]  # (x, kernel, y)
_MAX_CACHED = 64  # bound steps: if there are more, each call binds its own


class BoundPlan:
    """A plan bound to a library and a device: a function of canonical arrays, safe for several threads."""

    def __init__(
        self, plan: Plan, fill: complex, *, xp: Namespace, device: Any, problem: Problem | None = None
    ) -> None:
        algorithm, traits = TABLE[plan.method], plan.traits
        may_use_threads = plan.num_parallel <= 1
        fft = _fft.namespace(traits.transforms, xp, traits.threads if may_use_threads else 1)
        self.plan, self.algorithm = plan, algorithm
        self.context = Context(xp, device, traits, fft, wrap_fill(fill, traits), may_use_threads=may_use_threads)
        few = may_use_threads and 0 < plan.partition.num_pieces <= MAX_AT_ADDRESSES
        self._problem = problem if few else None
        converts = algorithm.cuts.converts
        self.orient = orientation(plan.spec, self.context, casts=not converts)
        self._dtype = getattr(xp, traits.output)
        self._casts = traits.output != traits.accumulator and not converts
        # Methods may write to y directly.
        self._in_place = converts or (traits.backend == "numpy" and not self._casts)
        self._contains = bool(algorithm.spreads) and not traits.exact
        self.scales = algorithm.spreads == "overflow"
        self._guard = partial(contain.guard, keep=2, traits=traits, scales=self.scales, xp=xp)
        self._bounds: dict[Spec, Bound] = {}
        self._is_whole = plan.is_whole
        self._needs_full_precision = _accel.needs_full_precision(plan.method, traits)
        self._steps: dict[int, Step] = {}

    def __call__(self, x: Array, kernel: Array, out: Array | None = None, constants: Constants | None = None) -> Array:
        """Return y (batch, groups, filters, *out) for x (batch, groups, channels, *n) and the caller's kernel.

        `constants` are what earlier calls prepared from this kernel; this call adds what it prepares.
        """
        try:
            if not self._needs_full_precision:
                return self._run(x, kernel, out, constants)
            with _accel.full_precision(self.plan.traits):
                return self._run(x, kernel, out, constants)
        except _accel.AcceleratorFailed as failure:
            other = self._fallback(failure)
        return other(x, kernel, out)

    def at_addresses(self) -> At | None:
        """Return the call at addresses of contiguous x, kernel and y; None where a step does not run there."""
        if self._problem is None:
            return None
        steps = [step.bound.at for step in self._each_step()]
        if len(steps) == 1:
            return steps[0]
        return None if None in steps else partial(_run_each, tuple(steps))

    def prepare(self, kernel: Array) -> Constants:
        """Return what the plan prepares from a kernel: the `constants` of a call."""
        constants: Constants = {}
        with _accel.full_precision(self.plan.traits):
            kernels = self._kernels(kernel, constants)
            for step in self._each_step():
                if self._contains:
                    kernels.guarded(step)
                else:
                    kernels.plain(step)
        return constants

    def _kernels(self, kernel: Array, constants: Constants | None) -> Kernels:
        return Kernels(partial(self.orient, kernel), self._guard, constants, shared=self.plan.num_parallel > 1)

    def _run_step(self, step: Step, x: Array, kernels: Kernels, out: Array | None = None) -> Array:
        """Return the result of a step on x; `out` itself if it was written to."""
        data = step.read(x)
        if not self._contains:
            return step.bound.run(data, kernels.plain(step), out)
        task = contain.Contained(step.piece.spec, self.context, self.scales)
        return contain.run(step.bound, data, StepKernel(kernels, step), task, out)

    def _run(self, x: Array, kernel: Array, out: Array | None, constants: Constants | None) -> Array:
        kernels = self._kernels(kernel, constants)
        if self._is_whole:
            return self._run_whole(x, kernels, out)
        plan, context, xp = self.plan, self.context, self.context.xp
        y = out
        if y is not None and not plan.writes_all:
            y[...] = 0
        if y is None and (self._in_place or plan.num_parallel > 1 or not plan.partition.num_pieces):
            allocate = xp.empty if plan.writes_all else xp.zeros
            order = axes_in_memory(x) if is_numpy(x) else None
            shape = plan.spec.output_shape
            if order is None:
                y = allocate(shape, dtype=self._dtype, device=context.device)
            else:  # in the order of x, so that steps read and write along one axis
                y = allocate(tuple([shape[axis] for axis in order]), dtype=self._dtype).transpose(np.argsort(order))
        if plan.num_parallel > 1:
            parallel_for(partial(self._write, x, kernels, y), plan.partition.num_pieces, plan.num_parallel)
            return y  # pyright: ignore[reportReturnType]
        for step in self._each_step():
            y = self._store(step, x, kernels, y)
        return y  # pyright: ignore[reportReturnType]

    def _run_whole(self, x: Array, kernels: Kernels, out: Any) -> Array:
        target = None if is_pieces(out) or not self._in_place else out
        y = self._run_step(self._step(0), x, kernels, target)
        if out is None:
            return self._finalize(y)
        if y is not out:
            out[...] = self.context.xp.astype(y, self._dtype, copy=False) if self._casts else y
        return out

    def _finalize(self, y: Array) -> Array:
        """Return the result of a whole plan in its dtype; a copy if it is a view that keeps a larger array alive."""
        xp, context = self.context.xp, self.context
        if self._casts:
            return xp.astype(y, self._dtype, copy=False)
        if self.algorithm.spreads and self.plan.traits.writable and retains_larger_base(y):
            return set_at(buffer(y, self.plan.spec.output_shape, zeros=False, xp=xp, device=context.device), ..., y)
        return y

    def _store(self, step: Step, x: Array, kernels: Kernels, y: Any) -> Array:
        """Return y with the result of a step written to it."""
        if self._in_place or is_pieces(y):
            self._write_step(step, x, kernels, y)
            return y
        xp, context = self.context.xp, self.context
        part = xp.astype(self._run_step(step, x, kernels), self._dtype, copy=False)
        if y is None:
            shape, zeros = self.plan.spec.output_shape, not self.plan.writes_all
            y = buffer(part, shape, zeros=zeros, xp=xp, device=context.device)
        return set_at(y, step.place, part)

    def _write(self, x: Array, kernels: Kernels, y: Any, first: int, stop: int) -> None:
        """Write the results of the steps [first, stop)."""
        for step in map(self._step, range(first, stop)):
            self._write_step(step, x, kernels, y)

    def _write_step(self, step: Step, x: Array, kernels: Kernels, y: Any) -> None:
        target = y[step.place] if self._in_place and not is_pieces(y) else None
        part = self._run_step(step, x, kernels, target)
        if part is not target:
            y[step.place] = part

    def _each_step(self) -> Iterable[Step]:
        """Return the bound steps, in order (see `_step`)."""
        return map(self._step, range(self.plan.partition.num_pieces))

    def _step(self, number: int) -> Step:
        """Return a bound step; cached if there are few."""
        step = self._steps.get(number)
        if step is None:
            step = self._bind(number)
            if self.plan.partition.num_pieces <= _MAX_CACHED:
                self._steps[number] = step
        return step

    def _bind(self, number: int) -> Step:
        partition = self.plan.partition
        piece = partition.at(number)
        place = (slice(*piece.batch), slice(*piece.groups), slice(None), *piece.target)
        bound = self._bound(piece)
        kernel, num_uses = partition.prepared_kernel(number)
        prepare = self.algorithm.preparation.bind(piece.spec, self.context)
        single_use = self.context._replace(single_use=True)
        return Step(
            piece,
            place,
            reader(piece, self.plan.spec, self.context, casts=not self.algorithm.cuts.converts),
            bound,
            kernel,
            part_of_kernel(piece, self.plan.spec),
            self.algorithm.preparation.bind(piece.spec, single_use) if num_uses == 1 else prepare,
            prepare,
        )

    def _bound(self, piece: Piece) -> Bound:
        """Return the method bound to a piece: to its place in memory too, or to its spec alone."""
        if self._problem is not None:
            context = self.context._replace(memory=Memory(self._problem, piece))
            return self.algorithm.bind(piece.spec, context)
        bound = self._bounds.get(piece.spec)
        if bound is None:
            bound = self._bounds[piece.spec] = self.algorithm.bind(piece.spec, self.context)
        return bound

    def _fallback(self, failure: _accel.AcceleratorFailed) -> BoundPlan:
        """Return the plan of another method, with a warning, after a library failed; raises unless 'auto'."""
        plan, context = self.plan, self.context
        _accel.disable(failure)
        if plan.requested != "auto":
            raise RuntimeError(f"method {plan.method!r} cannot run: {failure}. Use method='auto'.") from failure
        others = plan.traits._replace(accelerators=plan.traits.accelerators - {failure.library})
        other = plan_of("convolution", plan.task._replace(traits=others), plan.zero_fill)
        warnings.warn(f"{failure}. Method {other.method!r} runs instead.", RuntimeWarning, stacklevel=2)
        return BoundPlan(other, context.fill, xp=context.xp, device=context.device)


def _run_each(steps: tuple[Any, ...], x: int, kernel: int, y: int) -> None:
    for step in steps:
        step(x, kernel, y)


@float_errors_ignored
def execute(
    plan: Plan,
    x: Array,
    kernel: Array,
    fill: complex,
    *,
    xp: Namespace,
    device: Any,
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
        Kernel as the caller passed it; the spec says whether it is flipped and conjugated.
    fill : number
        The value beyond the ends of 'constant' axes.
    xp, device
        Namespace and device of both arrays.
    constants : dict, optional
        What earlier calls of this plan prepared from this kernel, by step; this call adds what it prepares.

    Returns
    -------
    array, shape (batch, groups, filters, *out)
        Of the plan's output dtype.
    """
    traits = plan.traits
    if traits.library == "torch" and not is_numpy(x):
        if not traits.traced and is_traced("torch", x, kernel):
            plan = origin_plan(plan)
        elif traits.origin:
            return _run_on_numpy_views(plan, x, kernel, fill, constants)
    return BoundPlan(plan, fill, xp=xp, device=device)(x, kernel, None, constants)


@float_errors_ignored
def execute_bilinear(task: Task, x: Array, kernel: Array) -> Array:
    """Run a bilinear task on canonical NumPy arrays, by a plan that stays bound for later calls."""
    return _bound(task, _accel.state())(x, kernel)


def execute_bilinear_on_views(task: Task, x: Any, kernel: Any) -> Any:
    """Do the same for tensors that a plan for NumPy arrays computes, through views of their memory."""
    return _accel.tensor(execute_bilinear(task, _accel.memory(x), _accel.memory(kernel)))


@planning(256)
def _bound(task: Task, _state: tuple[int, ...]) -> BoundPlan:
    return BoundPlan(plan_bilinear(task), 0, xp=compat_namespace("numpy"), device="cpu")


def origin_plan(plan: Plan) -> Plan:
    """Return the plan of the same problem in torch's own functions, for tensors that torch traces or intercepts."""
    task = Task(plan.spec, _accel.origin_traits(plan.traits), plan.requested, plan.budget)
    return plan_of("convolution", task, plan.zero_fill)


def prepare_kernel(plan: Plan, kernel: Array, fill: complex, *, xp: Namespace, device: Any) -> Constants:
    """Return what a plan prepares from a kernel, by step: the `constants` of `execute`."""
    return BoundPlan(plan, fill, xp=xp, device=device).prepare(kernel)


def _run_on_numpy_views(plan: Plan, x: Any, kernel: Any, fill: complex, constants: Constants | None) -> Array:
    """Run a plan for NumPy arrays on another library's arrays, through views of their memory."""
    run = BoundPlan(plan, fill, xp=compat_namespace("numpy"), device="cpu")
    return _accel.tensor(run(_accel.memory(x), _accel.memory(kernel), None, constants))
