"""What every front door does once its arguments are translated: check them, and plan.

A door hands over a `Problem` and `Options`. Nothing below knows which function the user typed, except for its name
in error texts. Everything is checked before anything is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple, get_args

import numpy as np

from arrayconv import _accel, config
from arrayconv._algorithms import Accuracy
from arrayconv._arrays.dtypes import holds, itemsize
from arrayconv._arrays.memory import ErrorWords, check_target, is_writable_in_place
from arrayconv._arrays.xp import Operands, Traits, checked_dtype_name
from arrayconv._calls import dry_run, tape
from arrayconv._errors import check_option, shown
from arrayconv._plan.plan import Plan, Refusal, make, refused, with_accelerators
from arrayconv._plan.rank import GONE, METHODS, Budget
from arrayconv._problem.axes import integer
from arrayconv._problem.problem import Problem, Sum
from arrayconv._runtime import capacity
from arrayconv._runtime.programs import LIBRARY, as_program
from arrayconv._runtime.tracing import planning, record

_WIDEST = 1023  # bits of an integer that surely has a float64
_FEWER = "Ask for fewer outputs: `mode`, `lags`, `padding`, `stride`, `dilation` and `upsample` say how many"
_OUT = ErrorWords("out", "x", "x or the kernel", "Leave out=None")


@record
class Options(NamedTuple):
    """What every door takes besides the geometry."""

    method: str = "auto"
    accuracy: Accuracy = "normwise"
    max_workspace: int | None = None
    fill_value: Any = 0


def options(
    function: str, method: Any, accuracy: Any, max_workspace: Any, fill_value: Any, fill_name: str = "fill_value"
) -> Options:
    """Check the shared options; raises ValueError or TypeError naming the one that is off."""
    check_option(function, "method", method, METHODS, GONE)
    check_option(function, "accuracy", accuracy, get_args(Accuracy))
    if max_workspace is not None:
        max_workspace = integer(function, "max_workspace", max_workspace)
        if max_workspace < 1:
            raise ValueError(f"{function}: `max_workspace` must be at least 1 byte. Got {max_workspace}.")
    if isinstance(fill_value, np.generic):
        fill_value = fill_value.item()
    if not isinstance(fill_value, (int, float, complex)):
        raise TypeError(f"{function}: `{fill_name}` must be a number. Got {type(fill_value).__name__}.")
    if isinstance(fill_value, int) and fill_value.bit_length() > _WIDEST:
        raise OverflowError(f"{function}: `{fill_name}` must fit float64. Got {shown(fill_value)}.")
    return Options(method, accuracy, max_workspace, fill_value)


@planning(0)
def plan(function: str, problem: Problem, traits: Traits, chosen: Options, extra_bytes: int = 0) -> Plan:
    """Return the plan of a call; raises where the method asked for, or every method, is refused."""
    settings = config.current()
    limit = settings.max_workspace if chosen.max_workspace is None else chosen.max_workspace
    yields = chosen.max_workspace is None and not settings.capped
    layout_bytes = _layout_bytes(problem, traits)
    left = limit - extra_bytes - layout_bytes
    if left <= 0 and not yields:
        takes = [f"the {extra_bytes} bytes that a copy for `out` takes"] * (extra_bytes > 0)
        takes += [f"the {layout_bytes} bytes that bringing the axes into order takes"] * (layout_bytes > 0)
        raise ValueError(
            f"{function}: `max_workspace` must exceed {' and '.join(takes)}. Got max_workspace={limit}. "
            f"Allow more, or pass arrays with batch axes first."
        )
    planned_by = with_accelerators(traits, settings.accelerators, settings.threads)
    budget = Budget(left, chosen.accuracy, yields)
    made = make(problem.spec, planned_by, chosen.method, budget, chosen.fill_value == 0)
    if isinstance(made, Refusal) and planned_by.traced and not traits.traced:  # too long for one program
        made = make(problem.spec, planned_by._replace(traced=False), chosen.method, budget, chosen.fill_value == 0)
    if isinstance(made, Refusal):
        raise refused(function, made, limit, limit - left)
    return made


def _layout_bytes(problem: Problem, traits: Traits) -> int:
    """Return the bytes of the copies that reordering or summing axes may make, at the wider of the dtypes."""
    layout = problem.layout
    width = max(itemsize(traits.output), traits.itemsize)
    operands = sum(width * prod(move.split) for move in (layout.x, layout.kernel) if move.moves and move.joins)
    merged = [n for n in problem.shape if n != 1] != [n for n in layout.y.joined if n != 1]
    summed = sum(width * _summed_elements(part) for part in problem.sums or () if part.axes)
    return operands + summed + width * prod(problem.shape) * (layout.y.moves and merged)


def _summed_elements(part: Sum) -> int:
    """Count the elements of an operand, cast, and of its sums."""
    return prod(part.split) + prod(n for axis, n in enumerate(part.split) if axis not in part.axes)


def check_size(function: str, problem: Problem, traits: Traits) -> None:
    """Raise MemoryError before anything is planned for a result that the machine can't hold; devices know theirs."""
    if "cpu" in traits.device.lower():
        capacity.check_result(function, problem.shape, prod(problem.shape), itemsize(traits.output), _FEWER)


def check_fill(function: str, fill_value: Any, traits: Traits, argument: str = "fill_value") -> None:
    """Raise where the result's dtype can't hold the fill: it could only be truncated."""
    found = "complex" if isinstance(fill_value, complex) else "real" if isinstance(fill_value, float) else "integer"
    if not holds(traits.output, found):
        raise TypeError(
            f"{function}: `{argument}` must fit the result's dtype {traits.output}. Got {shown(fill_value)}. "
            f"Pass a wider dtype=, or a fill of its kind."
        )


def as_planned_program(
    library: str, function: Callable[..., Any], settings: tuple[Any, ...], operands: tuple[Any, ...]
) -> Any:
    """Return what `programs.as_program` does, for a function that plans calls; who records sees those one by one."""
    if library != LIBRARY or tape.is_recording() or dry_run.is_active():
        return function(*settings, *operands)
    return as_program(library, _planning, (function, settings, config.current(), _accel.state()), operands)


def _planning(function: Callable[..., Any], settings: tuple[Any, ...], *rest: Any) -> Any:
    _config, _state, *operands = rest  # what calls are planned by, and so a program is remembered by
    return function(*settings, *operands)


def check_out(function: str, out: Any, found: Operands, problem: Problem) -> bool:
    """Refuse an `out` that can't take the answer; return whether steps may write to it that overlaps no operand."""
    backend = found.traits.backend
    check_target(function, _OUT, out, (found.x, found.kernel), backend, found.device)
    if tuple(out.shape) != problem.shape:
        raise ValueError(f"{function}: `out` must have shape {problem.shape}. Got {tuple(out.shape)}.")
    name = checked_dtype_name(function, "out", out.dtype)
    if name != found.traits.output:
        raise TypeError(f"{function}: `out` must have the result's dtype {found.traits.output}. Got {name}.")
    if backend == "numpy" and not out.flags.writeable:
        raise ValueError(f"{function}: `out` is read-only. Pass a writeable array of shape {problem.shape}.")
    plain = [n for n in problem.shape if n != 1] == [n for n in problem.layout.y.joined if n != 1]
    kept = [n for n in problem.layout.y.split if n != 1] == [n for n in problem.spec.output_shape if n != 1]
    return plain and kept and found.traits.writable and is_writable_in_place(backend, out)
