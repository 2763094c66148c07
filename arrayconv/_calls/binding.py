"""Bound calls: a translated and planned call as a function of the caller's arrays, with any memory layout.

    x, kernel -> canonical axes -> the plan's steps -> the result's axes -> postprocessing, such as a bias

All that depends on shapes and dtypes alone is decided when the call is bound. For a gradient, a trace or a tape,
`_autodiff` runs the plan instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from arrayconv import _accel, _autodiff
from arrayconv._accel import AcceleratorFailed
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.dtypes import itemsize
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.libraries import library_row
from arrayconv._arrays.namespace import compat_namespace
from arrayconv._arrays.operands import Operands
from arrayconv._arrays.out_arrays import layout_signature, shares_memory
from arrayconv._autodiff import compiled
from arrayconv._autodiff.compiled import Postprocess
from arrayconv._calls import cache, dry_run, prepare, tape
from arrayconv._calls.prepare import Options, check_fill, check_out, check_size
from arrayconv._plan.plan import Plan
from arrayconv._problem.problem import Problem
from arrayconv._run.canonical import caller_result, canonical_operands, copies_result, permuted, permuter
from arrayconv._run.execute import BoundPlan
from arrayconv._run.pieces import piece_reader, piece_writer
from arrayconv._run.steps import Constants
from arrayconv._runtime.tracing import is_recorded

if TYPE_CHECKING:
    from arrayconv._calls import gradients

# (x, kernel, bias, out, constants) -> y; None for arrays that `_autodiff` must handle
Direct = Callable[..., Any]

_UNBOUND: Any = object()
_GRADIENTS = "arrayconv._calls.gradients"  # of tensors alone: other arrays need not import it
_CHUNKED = "arrayconv._calls.chunked"
_MAX_SIGNATURES = 16  # of `out` arrays, cached by one call


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
    """Return the bound call of a public function, after the checks that remain.

    Parameters
    ----------
    function : str
        Its name, for error texts.
    operands : Operands
        The validated operands.
    problem : Problem
        The call in integers.
    options : Options
        Method, accuracy, workspace and fill.
    postprocess : callable, optional
        (result, bias, operands) -> what the caller gets.
    bias : array, optional
        The validated bias, for `postprocess`.
    out : array, optional
        The array that the first call writes to.
    """
    check_fill(function, options.fill_value, operands.traits)
    if operands.traits.chunk_backend:
        return import_module(_CHUNKED).ChunkedCall(function, operands, problem, options, postprocess)
    kind = _DeviceCall if library_row(operands.traits.backend).current_device else BoundCall
    call = kind(function, operands, problem, options, postprocess)
    if out is None:
        check_size(function, problem, operands.traits)
        call.plan()
        call.bind()  # before it is cached, so that its bytes count
    else:
        call.plan(in_place=call.writes_in_place(out, operands.x, operands.kernel))
    return call


def cached_call(function: str, operands: Operands, problem: Problem, options: Options) -> BoundCall:
    """Return the bound call of a translated call, from the cache if it is there."""
    translation = problem, operands.traits, options, type(options.fill_value)
    cache_key = cache.translated_key(function, (operands.x, operands.kernel), translation)
    call = cache.lookup(cache_key)
    if call is None:
        call = cache.store(cache_key, bind(function, operands, problem, options))
    return call


class BoundCall:
    """A planned call for operands of given shapes, dtypes and device; safe for several threads."""

    def __init__(
        self, function: str, operands: Operands, problem: Problem, options: Options, postprocess: Postprocess | None
    ) -> None:
        self.function, self.problem, self.options, self.postprocess = function, problem, options, postprocess
        self.operands: Operands = operands._replace(x=None, kernel=None)  # pyright: ignore[reportArgumentType]
        self._dtypes = operands.x.dtype, operands.kernel.dtype
        self._shapes = tuple(operands.x.shape), tuple(operands.kernel.shape)
        self._detector: Callable[[Any, Any], bool] | None = None
        self._plans: dict[int, Plan] = {}
        self._gradients: gradients.Gradients | None = None
        self._outs: dict[Any, bool] = {}  # layout of a checked `out` -> whether steps may write to it
        self._direct: Direct | None = None if operands.traits.traced or dry_run.is_active() else _UNBOUND

    def __call__(
        self, x: Any, kernel: Any, bias: Any = None, out: Any = None, constants: Constants | None = None
    ) -> Any:
        """Return the postprocessed result for arrays like the operands; `out` itself if it is passed.

        `constants` are what earlier calls prepared from this kernel; this call adds what it prepares.
        """
        if out is not None:
            return self._write(out, x, kernel, constants)
        direct = self._direct
        if direct is _UNBOUND:
            direct = self.bind()
        if direct is not None and self._runs_directly(x, kernel, bias):
            try:
                y = direct(x, kernel, bias, None, constants)
            except AcceleratorFailed:
                y = None  # `_run` tries another method, and warns
            if y is not None:
                if tape.is_recording():
                    self._note(x, kernel)
                return y
        elif direct is not None and self._gradients is not None and not tape.is_recording():
            try:
                y = self._gradients(x, kernel, bias)
            except AcceleratorFailed:
                y = None
            if y is not None:
                return y
        return self._run(self.plan(), x, kernel, bias, constants)

    def plan(self, *, in_place: bool = True) -> Plan:
        """Return the plan; unless `in_place`, of a call whose result is copied to `out`, with that copy's bytes."""
        extra_bytes = 0 if in_place else self.problem.spec.outputs * itemsize(self.operands.traits.output)
        cached = self._plans.get(extra_bytes)
        if cached is None:
            cached = prepare.plan(self.function, self.problem, self.operands.traits, self.options, extra_bytes)
            self._plans[extra_bytes] = cached
        return cached

    def _runs_directly(self, x: Any, kernel: Any, bias: Any) -> bool:
        """Whether nothing needs the operations one by one; a tape needs those after a postprocessed convolution."""
        if self.postprocess is not None and tape.is_recording():
            return False
        return not self._needs_autodiff(x, kernel, bias)

    def _needs_autodiff(self, x: Any, kernel: Any, bias: Any) -> bool:
        """Whether a gradient or a transform needs the operations on the operands."""
        detect = self._detector
        return detect is not None and (detect(x, kernel) or (bias is not None and detect(bias, bias)))

    def _note(self, x: Any, kernel: Any) -> None:
        """Record the call on the tape."""
        operands = self.operands._replace(x=x, kernel=kernel)
        pullback = partial(tape.of_convolution, operands, self.problem, self.plan(), self.options.fill_value)
        tape.note((x, kernel), pullback, convolves=True)

    def bind(self) -> Direct | None:
        """Return the direct function of the arrays, without autodiff; None if there is none."""
        if self._direct is not _UNBOUND:
            return self._direct
        self._detector = _autodiff.detector(self.operands.traits.backend)
        try:
            self._direct = _direct(self, self.plan(), self._dtypes, self._shapes)
        except AcceleratorFailed:
            return None  # not cached: `_run` determines the method to use instead
        if self.operands.traits.library != "torch":
            return self._direct
        self._gradients = import_module(_GRADIENTS).of_call(
            self.problem,
            self.plan(),
            self.options.fill_value,
            self._dtypes,
            self._shapes,
            self.postprocess,
            self._direct,
        )
        return self._direct

    def _write(self, out: Any, x: Any, kernel: Any, constants: Constants | None) -> Any:
        if not self.writes_in_place(out, x, kernel):
            out[...] = self._run(self.plan(in_place=False), x, kernel, None, constants)
            return out
        direct = self._direct
        if direct is _UNBOUND:
            direct = self.bind()
        if direct is None or direct(x, kernel, None, out, constants) is None:
            out[...] = self._run(self.plan(), x, kernel, None, constants)
        return out

    def writes_in_place(self, out: Any, x: Any, kernel: Any) -> bool:
        """Whether steps may write to `out`; raises if `out` can't store the result."""
        backend = self.operands.traits.backend
        plain = type(out) is type(x) and not (tape.is_recording() or self._needs_autodiff(x, kernel, None))
        signature = layout_signature(backend, out) if plain else None
        writable = self._outs.get(signature)
        if writable is None:
            plain = False  # unknown before the check
            writable = check_out(self.function, out, self.operands._replace(x=x, kernel=kernel), self.problem)
            if signature is not None and len(self._outs) < _MAX_SIGNATURES:
                self._outs[signature] = writable
        if not writable or shares_memory(backend, out, x, plain=plain):
            return False
        return not shares_memory(backend, out, kernel, plain=plain)

    @float_errors_ignored
    def _run(self, plan: Plan, x: Any, kernel: Any, bias: Any, constants: Constants | None) -> Any:
        """Return the postprocessed result by `run_plan`, which supports autodiff and records on the tape."""
        operands, problem, fill = self.operands._replace(x=x, kernel=kernel), self.problem, self.options.fill_value
        return run_plan(operands, problem, plan, fill, constants, self.postprocess, bias)


class _DeviceCall(BoundCall):
    """A bound call of a library that computes on the current device: on that of the operands."""

    def __call__(
        self, x: Any, kernel: Any, bias: Any = None, out: Any = None, constants: Constants | None = None
    ) -> Any:
        with self.operands.device:
            return super().__call__(x, kernel, bias, out, constants)


def run_plan(
    operands: Operands,
    problem: Problem,
    plan: Plan,
    fill: complex,
    constants: Constants | None = None,
    postprocess: Postprocess | None = None,
    bias: Any = None,
) -> Any:
    """Return the postprocessed result of a planned call, with the library's autodiff, and record it on the tape."""
    if dry_run.is_active():
        return dry_run.note(operands, problem, plan, fill)
    in_program = postprocess is not None and compiled.compiles(plan) and not tape.is_recording()
    y = run_unrecorded(operands, problem, plan, fill, constants, postprocess if in_program else None, bias)
    arrays = operands.x, operands.kernel
    tape.note(arrays, lambda: tape.of_convolution(operands, problem, plan, fill), convolves=True)
    return y if postprocess is None or in_program else postprocess(y, bias, operands)


@float_errors_ignored
def run_unrecorded(
    operands: Operands,
    problem: Problem,
    plan: Plan,
    fill: complex,
    constants: Constants | None = None,
    postprocess: Postprocess | None = None,
    bias: Any = None,
) -> Any:
    """Return what `run_plan` does, not recorded on a tape, and postprocessed only inside one compiled program."""
    if compiled.compiles(plan):
        return compiled.run(operands, problem, plan, fill, constants, postprocess, bias)
    on_axes = partial(_on_axes, operands, problem, plan, fill)
    if operands.traits.traced and is_recorded(operands.traits.library):
        return _autodiff.recorded(partial(on_axes, None), operands.x, operands.kernel)
    return on_axes(constants, operands.x, operands.kernel)


def _on_axes(
    operands: Operands, problem: Problem, plan: Plan, fill: complex, constants: Constants | None, x: Any, kernel: Any
) -> Any:
    if plan.copies_pieces:
        xp, layout = operands.xp, problem.layout
        to_x = piece_reader(problem, plan.traits, lambda x: permuted(x, layout.x, xp))
        x, kernel = to_x(x), permuted(kernel, layout.kernel, xp)
    else:
        x, kernel = canonical_operands(operands._replace(x=x, kernel=kernel), problem)
    y = _autodiff.run(plan, x, kernel, fill, xp=operands.xp, device=operands.device, constants=constants)
    return caller_result(y, problem, operands.xp)


def _direct(call: BoundCall, plan: Plan, dtypes: tuple[Any, Any], shapes: tuple[Any, Any]) -> Direct | None:
    """Return the call as a function of eager arrays without autodiff; None for traced calls and compiled programs."""
    if plan.traits.traced or compiled.compiles(plan):
        return None
    operands, problem = call.operands, call.problem
    plan = plan._replace(traits=_accel.method_traits(plan.method, plan.traits))
    if plan.traits.backend == "numpy":
        operands = operands._replace(xp=compat_namespace("numpy"), device="cpu", traits=plan.traits)
    # Sums of unsigned integers are formed in the signed dtype of their width, which has the same bits.
    same_bits = plan.traits.accumulator, plan.traits.output.removeprefix("u")
    plain = problem.sums is None and plan.writes_all and same_bits[0] == same_bits[1]
    same_dtypes = all(dtype_name(d).removeprefix("u") == same_bits[0] and getattr(d, "isnative", True) for d in dtypes)
    run = BoundPlan(
        plan,
        call.options.fill_value,
        xp=operands.xp,
        device=operands.device,
        problem=problem if plain and same_dtypes else None,
    )
    general = _general(run, operands, problem, call.postprocess, shapes)
    if plan.traits.library == "torch":
        general = _accel.on_numpy_views(general) if plan.traits.origin else _accel.on_tensors_with_memory(general)
        if plan.method == "torch_conv" and (call.postprocess is None or hasattr(call.postprocess, "gradient")):
            whole = import_module(_GRADIENTS).torchs_convolution(
                problem, call.plan(), call.options.fill_value, dtypes, shapes
            )
            general = general if whole is None else _accel.on_torchs_convolution(whole, general)
    at = run.at_addresses() if plain and same_dtypes else None
    if at is None:
        return general
    postprocess = None if call.postprocess is None else partial(_run_postprocess, call.postprocess, operands)
    result = problem.shape, np.dtype(plan.traits.output)
    if plan.traits.backend == "cupy":
        return _accel.cupy_at_addresses(at, general, *result, postprocess)
    at_addresses = _accel.tensors_at_addresses if plan.traits.origin else _accel.numpy_at_addresses
    add = getattr(call.postprocess, "at_addresses", None)
    return at_addresses(at, general, *result, postprocess, add and add(problem.shape, plan.traits))


@float_errors_ignored
def _run_postprocess(postprocess: Postprocess, operands: Operands, y: Any, bias: Any) -> Any:
    return postprocess(y, bias, operands)


def _general(
    run: BoundPlan, operands: Operands, problem: Problem, postprocess: Postprocess | None, shapes: tuple[Any, Any]
) -> Direct:
    """Return the call on arrays of any memory layout: to canonical axes, through the plan, and back."""
    xp, layout, output = operands.xp, problem.layout, problem.spec.output_shape
    to_x, to_kernel = permuter(layout.x, shapes[0], xp), permuter(layout.kernel, shapes[1], xp)
    to_result = permuter(layout.y, output, xp, problem.shape)
    to_target = permuter(layout.y.inverse, problem.shape, xp, output)  # a view where it is not written piece by piece
    plan, sums = run.plan, problem.sums is not None
    if plan.traits.backend == "numpy":
        to_target = piece_writer(problem, to_target)
    to_x = piece_reader(problem, plan.traits, to_x) if plan.copies_pieces else to_x
    result_dtype = np.dtype(plan.traits.output) if plan.copies_pieces and copies_result(problem) else None

    @float_errors_ignored
    def general(x: Any, kernel: Any, bias: Any, out: Any, constants: Any) -> Any:
        if sums:
            x, kernel = canonical_operands(operands._replace(x=x, kernel=kernel), problem)
        else:
            x, kernel = to_x(x), to_kernel(kernel)
        if out is not None:
            run(x, kernel, to_target(out), constants)
            return out
        if result_dtype is None:
            y = to_result(run(x, kernel, None, constants))
        else:
            y = np.empty(problem.shape, result_dtype)
            run(x, kernel, to_target(y), constants)
        return y if postprocess is None else postprocess(y, bias, operands)

    return general
