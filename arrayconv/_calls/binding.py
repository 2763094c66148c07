"""A call that is translated, planned and bound: a function of the caller's own arrays, on any layout of memory.

    x, kernel -> canonical axes -> the plan's steps -> the answer's axes, bias and all

All that depends on shapes and dtypes alone is decided when the call is bound. Where a library wants to know what
happens to the arrays, for a gradient, a trace or a tape, the plan is run by the library's engine instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from arrayconv import _accel, _autodiff
from arrayconv._accel import AcceleratorFailed
from arrayconv._arrays.dtypes import itemsize
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.memory import layout_signature, shares_memory
from arrayconv._arrays.xp import Operands, compat_namespace, dtype_name
from arrayconv._autodiff import compiled
from arrayconv._autodiff.compiled import Postprocess
from arrayconv._calls import cache, dry_run, tape
from arrayconv._calls.prepare import Options, check_fill, check_out, check_size, plan
from arrayconv._plan.plan import Plan
from arrayconv._problem.problem import Problem
from arrayconv._run.canonical import answer, canonical_operands, mover
from arrayconv._run.execute import BoundPlan
from arrayconv._run.steps import Constants
from arrayconv._runtime.tracing import is_recorded

# (x, kernel, bias, out, constants) -> y; None for arrays that must go through the library's engine
Direct = Callable[..., Any]

_UNBOUND: Any = object()
_MAX_SIGNATURES = 16  # of `out` that one call remembers


@float_errors_ignored
def bind(
    function: str,
    operands: Operands,
    problem: Problem,
    options: Options,
    *,
    postprocess: Postprocess | None = None,
    bias: Any = None,
    out: Any = None,
) -> BoundCall:
    """Return the call of a door, once nothing is refused any more.

    Parameters
    ----------
    function : str
        The door's name.
    operands : Operands
        As validated.
    problem : Problem
        The call in integers.
    options : Options
        The rest.
    finish : callable, optional
        What the door does to the answer, last of all.
    bias : array, optional
        As validated, for `postprocess`.
    out : array, optional
        Where the first call is to write.
    """
    check_fill(function, options.fill_value, operands.traits)
    call = BoundCall(function, operands, problem, options, postprocess)
    if out is None:
        check_size(function, problem, operands.traits)
        call.plan()
        call.bind()  # before it is remembered, and weighed
    else:
        call.plan(writes=call.takes(out, operands.x, operands.kernel))
    return call


def known(function: str, operands: Operands, problem: Problem, options: Options) -> BoundCall:
    """Return a translated call, bound now or when the same was first asked for."""
    translation = problem, operands.traits, options, type(options.fill_value)
    cache_key = cache.translated_key(function, (operands.x, operands.kernel), translation)
    call = cache.lookup(cache_key)
    if call is None:
        call = cache.remember(cache_key, bind(function, operands, problem, options))
    return call


class BoundCall:
    """A call of a door on arrays of one kind; safe for several threads."""

    def __init__(
        self, function: str, operands: Operands, problem: Problem, options: Options, postprocess: Postprocess | None
    ) -> None:
        self.function, self.problem, self.options, self.postprocess = function, problem, options, postprocess
        self.operands: Operands = operands._replace(x=None, kernel=None)  # pyright: ignore[reportArgumentType]
        self._dtypes = operands.x.dtype, operands.kernel.dtype
        self._shapes = tuple(operands.x.shape), tuple(operands.kernel.shape)
        self._detector: Callable[[Any, Any], bool] | None = None
        self._plans: dict[int, Plan] = {}
        self._outs: dict[Any, bool] = {}  # forms of `out` that passed -> whether steps may write to such an array
        self._direct: Direct | None = None if operands.traits.traced or dry_run.is_active() else _UNBOUND

    def __call__(
        self, x: Any, kernel: Any, bias: Any = None, out: Any = None, constants: Constants | None = None
    ) -> Any:
        """Return the finished answer for arrays of the call's kind; `out` itself where that is given.

        `constants` is what earlier calls prepared of this kernel; what this one prepares is added.
        """
        if out is not None:
            return self._into(out, x, kernel, constants)
        direct = self._direct
        if direct is _UNBOUND:
            direct = self.bind()
        if direct is not None and not self._needs_autodiff(x, kernel, bias):
            try:
                y = direct(x, kernel, bias, None, constants)
            except AcceleratorFailed:
                y = None  # the engine's way tries another method, and says so
            if y is not None:
                return y
        return self._planned(self.plan(), x, kernel, bias, constants)

    def plan(self, *, writes: bool = True) -> Plan:
        """Return the plan: of a call whose steps write to `out`, or whose answer is copied there."""
        extra = 0 if writes else self.problem.spec.outputs * itemsize(self.operands.traits.output)
        made = self._plans.get(extra)
        if made is None:
            made = plan(self.function, self.problem, self.operands.traits, self.options, extra)
            self._plans[extra] = made
        return made

    def _needs_autodiff(self, x: Any, kernel: Any, bias: Any) -> bool:
        """Whether a tape, a gradient or a transform wants to know of the operands."""
        if tape.is_recording():
            return True
        needs_autodiff = self._detector
        return needs_autodiff is not None and (
            needs_autodiff(x, kernel) or (bias is not None and needs_autodiff(bias, bias))
        )

    def bind(self) -> Direct | None:
        """Return the call without an engine, bound; None where there is none."""
        if self._direct is not _UNBOUND:
            return self._direct
        self._detector = _autodiff.detector(self.operands.traits.backend)
        try:
            self._direct = _direct(self, self.plan(), self._dtypes, self._shapes)
        except AcceleratorFailed:
            return None  # not kept: what serves instead is found out by the engine's way
        return self._direct

    def _into(self, out: Any, x: Any, kernel: Any, constants: Constants | None) -> Any:
        if not self.takes(out, x, kernel):
            out[...] = self._planned(self.plan(writes=False), x, kernel, None, constants)
            return out
        direct = self._direct
        if direct is _UNBOUND:
            direct = self.bind()
        if direct is None or direct(x, kernel, None, out, constants) is None:
            out[...] = self._planned(self.plan(), x, kernel, None, constants)
        return out

    def takes(self, out: Any, x: Any, kernel: Any) -> bool:
        """Whether steps may write to `out`; raises where it can't take the answer."""
        backend = self.operands.traits.backend
        plain = type(out) is type(x) and not self._needs_autodiff(x, kernel, None)
        form = layout_signature(backend, out) if plain else None
        takes = self._outs.get(form)
        if takes is None:
            plain = False  # not known to be before it is checked
            takes = check_out(self.function, out, self.operands._replace(x=x, kernel=kernel), self.problem)
            if form is not None and len(self._outs) < _MAX_SIGNATURES:
                self._outs[form] = takes
        if not takes or shares_memory(backend, out, x, plain=plain):
            return False
        return not shares_memory(backend, out, kernel, plain=plain)

    @float_errors_ignored
    def _planned(self, made: Plan, x: Any, kernel: Any, bias: Any, constants: Constants | None) -> Any:
        """Return the finished answer by way of the library's engine, noted on the tape."""
        operands, problem, fill = self.operands._replace(x=x, kernel=kernel), self.problem, self.options.fill_value
        return planned(operands, problem, made, fill, constants, self.postprocess, bias)


def planned(
    operands: Operands,
    problem: Problem,
    made: Plan,
    fill: complex,
    constants: Constants | None = None,
    postprocess: Postprocess | None = None,
    bias: Any = None,
) -> Any:
    """Return the finished answer of a planned call by way of the library's engine, noted on the tape."""
    if dry_run.is_active():
        return dry_run.note(operands, problem, made, fill)
    in_program = postprocess is not None and compiled.serves(made) and not tape.is_recording()
    y = computed(operands, problem, made, fill, constants, postprocess if in_program else None, bias)
    arrays = operands.x, operands.kernel
    tape.note(arrays, lambda: tape.of_convolution(operands, problem, made, fill), convolves=True)
    return y if postprocess is None or in_program else postprocess(y, bias, operands)


@float_errors_ignored
def computed(
    operands: Operands,
    problem: Problem,
    made: Plan,
    fill: complex,
    constants: Constants | None = None,
    postprocess: Postprocess | None = None,
    bias: Any = None,
) -> Any:
    """Return what `planned` does, of which no tape is told; finished in a program alone."""
    if compiled.serves(made):
        return compiled.run(operands, problem, made, fill, constants, postprocess, bias)
    on_axes = partial(_on_axes, operands, problem, made, fill)
    if operands.traits.traced and is_recorded(operands.traits.library):
        return _autodiff.recorded(partial(on_axes, None), operands.x, operands.kernel)
    return on_axes(constants, operands.x, operands.kernel)


def _on_axes(
    operands: Operands, problem: Problem, made: Plan, fill: complex, constants: Constants | None, x: Any, kernel: Any
) -> Any:
    x, kernel = canonical_operands(operands._replace(x=x, kernel=kernel), problem)
    y = _autodiff.run(made, x, kernel, fill, xp=operands.xp, device=operands.device, constants=constants)
    return answer(y, problem, operands.xp)


def _direct(call: BoundCall, made: Plan, dtypes: tuple[Any, Any], shapes: tuple[Any, Any]) -> Direct | None:
    """Return the call on arrays that nobody watches; None for a library that runs programs of its own."""
    if made.traits.traced or compiled.serves(made):
        return None
    operands, problem = call.operands, call.problem
    made = made._replace(traits=_accel.method_traits(made.method, made.traits))
    if made.traits.backend == "numpy":
        operands = operands._replace(xp=compat_namespace("numpy"), device="cpu", traits=made.traits)
    plain = problem.sums is None and made.covers and made.traits.output == made.traits.accumulator
    same = all(dtype_name(dtype) == made.traits.accumulator and getattr(dtype, "isnative", True) for dtype in dtypes)
    run = BoundPlan(
        made,
        call.options.fill_value,
        xp=operands.xp,
        device=operands.device,
        problem=problem if plain and same else None,
    )
    general = _general(run, operands, problem, call.postprocess, shapes)
    if made.traits.library == "torch":
        general = _accel.on_memory(general) if made.traits.origin else _accel.where_written(general)
    at = run.step.bound.at if plain and same and made.is_whole else None
    if at is None:
        return general
    postprocess = None if call.postprocess is None else partial(_postprocessed, call.postprocess, operands)
    on_places = _accel.on_places if made.traits.origin else _accel.on_addresses
    return on_places(at, general, problem.shape, np.dtype(made.traits.accumulator), postprocess)


@float_errors_ignored
def _postprocessed(postprocess: Postprocess, operands: Operands, y: Any, bias: Any) -> Any:
    return postprocess(y, bias, operands)


def _general(
    run: BoundPlan, operands: Operands, problem: Problem, postprocess: Postprocess | None, shapes: tuple[Any, Any]
) -> Direct:
    """Return the call on arrays of any layout: to canonical axes, through the plan, and back."""
    xp, layout, output = operands.xp, problem.layout, problem.spec.output_shape
    to_x, to_kernel = mover(layout.x, shapes[0], xp), mover(layout.kernel, shapes[1], xp)
    to_answer = mover(layout.y, output, xp, problem.shape)
    to_target = mover(layout.y.inverse, problem.shape, xp, output)  # a view: only axes of length 1 come or go
    sums = problem.sums is not None

    @float_errors_ignored
    def general(x: Any, kernel: Any, bias: Any, out: Any, constants: Any) -> Any:
        if sums:
            x, kernel = canonical_operands(operands._replace(x=x, kernel=kernel), problem)
        else:
            x, kernel = to_x(x), to_kernel(kernel)
        if out is not None:
            run(x, kernel, to_target(out), constants)
            return out
        y = to_answer(run(x, kernel, None, constants))
        return y if postprocess is None else postprocess(y, bias, operands)

    return general
