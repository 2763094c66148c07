"""Checks and planning, shared by every public function once its arguments are translated.

A public function passes a `Problem` and `Options`. Nothing below depends on which function the user called, except for
its name in error texts. Everything is checked before anything is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple, get_args

import numpy as np

from arrayconv import _accel, config
from arrayconv._algorithms import Accuracy
from arrayconv._arrays.dtype_names import checked_dtype_name
from arrayconv._arrays.dtypes import holds, itemsize
from arrayconv._arrays.operands import Operands
from arrayconv._arrays.out_arrays import ErrorWords, check_target, is_writable_in_place
from arrayconv._arrays.traits import Traits
from arrayconv._calls import dry_run, tape
from arrayconv._calls.copies import copies
from arrayconv._costs import gpu
from arrayconv._errors import check_option, shown
from arrayconv._plan.plan import Plan, Refusal, make, refused, with_accelerators
from arrayconv._plan.rank import METHODS, REMOVED, Budget
from arrayconv._problem.axes import integer
from arrayconv._problem.problem import Problem
from arrayconv._run.pieces import has_views
from arrayconv._runtime import capacity
from arrayconv._runtime.programs import LIBRARY, as_program
from arrayconv._runtime.tracing import planning, specialized

_MAX_FILL_BITS = 1023  # of an integer that fits float64
_FEWER = "Compute fewer outputs: `mode`, `lags`, `padding`, `stride`, `dilation` and `upsample` determine how many"
_OUT = ErrorWords("out", "x", "x or the kernel", "Leave out=None")


class Options(NamedTuple):
    """The options of every public function besides the geometry."""

    method: str = "auto"
    accuracy: Accuracy = "normwise"
    max_workspace: int | None = None
    fill_value: Any = 0


def options(
    function: str, method: Any, accuracy: Any, max_workspace: Any, fill_value: Any, fill_name: str = "fill_value"
) -> Options:
    """Check the shared options; raises ValueError or TypeError naming the invalid one."""
    check_option(function, "method", method, METHODS, REMOVED)
    check_option(function, "accuracy", accuracy, get_args(Accuracy))
    if max_workspace is not None:
        max_workspace = integer(function, "max_workspace", max_workspace)
        if max_workspace < 1:
            raise ValueError(f"{function}: `max_workspace` must be at least 1 byte. Got {max_workspace}.")
    if isinstance(fill_value, np.generic):
        fill_value = fill_value.item()
    if not isinstance(fill_value, (int, float, complex)):
        raise TypeError(f"{function}: `{fill_name}` must be a number. Got {type(fill_value).__name__}.")
    if isinstance(fill_value, int) and fill_value.bit_length() > _MAX_FILL_BITS:
        raise OverflowError(f"{function}: `{fill_name}` must fit float64. Got {shown(fill_value)}.")
    return Options(method, accuracy, specialized(max_workspace), specialized(fill_value))


@planning(0)
def plan(function: str, problem: Problem, traits: Traits, options: Options, extra_bytes: int = 0) -> Plan:
    """Return the plan of a call; raises if the requested method, or every method, refuses it.

    Of a lazy array it is that of the whole problem on one array like its chunks.
    """
    traits = traits.of_chunk
    settings = config.current()
    limit = _default_workspace(traits) if options.max_workspace is None else options.max_workspace
    is_soft = options.max_workspace is None and not settings.capped
    avoidable, layout_bytes = copies(problem, traits)
    copies_pieces = avoidable > max(limit - extra_bytes - layout_bytes, 0) // 2
    layout_bytes += avoidable * (not copies_pieces)
    available = limit - extra_bytes - layout_bytes
    if available <= 0 and not is_soft:
        parts = [f"the {extra_bytes} bytes that results between passes and a copy for `out` take"] * (extra_bytes > 0)
        parts += [f"the {layout_bytes} bytes that reordering the axes takes"] * (layout_bytes > 0)
        raise ValueError(
            f"{function}: `max_workspace` must exceed {' and '.join(parts)}. Got max_workspace={limit}. "
            f"Allow more, or pass arrays with batch axes first."
        )
    plan_traits = with_accelerators(traits, settings.accelerators, settings.threads)
    budget = Budget(available, options.accuracy, is_soft)
    result = make(problem.spec, plan_traits, options.method, budget, options.fill_value == 0)
    if (
        isinstance(result, Refusal) and plan_traits.traced and not traits.traced
    ):  # no plan is short enough for one program
        result = make(problem.spec, plan_traits._replace(traced=False), options.method, budget, options.fill_value == 0)
    if isinstance(result, Refusal):
        raise refused(function, result, limit, limit - available)
    return result._replace(copies_pieces=True) if copies_pieces else result


def _default_workspace(traits: Traits) -> int:
    """Return the limit of a call that sets none: the user's, else a share of a GPU's memory, else the default."""
    settings = config.current()
    if settings.capped or not traits.on_gpu:
        return settings.max_workspace
    return gpu.memory(traits.card, traits.memory) // config.SHARE_OF_GPU or config.DEFAULT_WORKSPACE


def check_size(function: str, problem: Problem, traits: Traits) -> None:
    """Raise MemoryError, before planning, if the result exceeds the machine's memory; devices check their own."""
    if "cpu" in traits.device.lower():
        capacity.check_result(function, problem.shape, prod(problem.shape), itemsize(traits.output), _FEWER)


def check_fill(function: str, fill_value: Any, traits: Traits, argument: str = "fill_value") -> None:
    """Raise TypeError if the result's dtype can't represent the fill, which would be truncated."""
    fill_kind = "complex" if isinstance(fill_value, complex) else "real" if isinstance(fill_value, float) else "integer"
    if not holds(traits.output, fill_kind):
        raise TypeError(
            f"{function}: `{argument}` must fit the result's dtype {traits.output}. Got {shown(fill_value)}. "
            f"Pass a wider dtype=, or a fill of its kind."
        )


def as_planned_program(
    library: str, function: Callable[..., Any], settings: tuple[Any, ...], operands: tuple[Any, ...]
) -> Any:
    """Return what `programs.as_program` does, for a function that plans calls; run call by call if a tape records."""
    if library != LIBRARY or tape.is_recording() or dry_run.is_active():
        return function(*settings, *operands)
    return as_program(library, _run_with_key, (function, settings, config.current(), _accel.state()), operands)


def _run_with_key(function: Callable[..., Any], settings: tuple[Any, ...], *rest: Any) -> Any:
    _config, _state, *operands = rest  # plans depend on these, so they are part of the program's cache key
    return function(*settings, *operands)


def check_out(function: str, out: Any, operands: Operands, problem: Problem) -> bool:
    """Raise if `out` can't store the result; return whether steps may write to it, provided it overlaps no operand.

    They may write to any array of NumPy, piece by piece where its axes or its bytes are in another order.
    """
    backend = operands.traits.backend
    check_target(function, _OUT, out, (operands.x, operands.kernel), backend, operands.device)
    if tuple(out.shape) != problem.shape:
        raise ValueError(f"{function}: `out` must have shape {problem.shape}. Got {tuple(out.shape)}.")
    name = checked_dtype_name(function, "out", out.dtype)
    if name != operands.traits.output:
        raise TypeError(f"{function}: `out` must have the result's dtype {operands.traits.output}. Got {name}.")
    if backend == "numpy" and not out.flags.writeable:
        raise ValueError(f"{function}: `out` is read-only. Pass a writeable array of shape {problem.shape}.")
    if backend == "numpy":
        return operands.traits.writable
    return has_views(problem) and operands.traits.writable and is_writable_in_place(backend, out)
