"""A call of a `Convolver` that is not bound whole: the kernel by its plan, or its passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from arrayconv._arrays.operands import Operands
from arrayconv._calls import dry_run, tape
from arrayconv._calls.binding import bind, run_plan
from arrayconv._convolver import passes
from arrayconv._convolver.kernel import FUNCTION
from arrayconv._convolver.store import CacheEntry
from arrayconv._run.steps import Constants


def run_entry(entry: CacheEntry, operands: Operands, out: Any, constants: Sequence[Constants]) -> Any:
    """Return the result of a call by its entry in the cache; `constants` are what each plan prepares of the kernel."""
    plan, options = entry.plan, entry.options
    if plan.chain is None and plan.plan is not None:
        if out is not None:
            call = bind(FUNCTION, operands, entry.problem, options, out=out)
            return call(operands.x, operands.kernel, out=out, constants=constants[0])
        return run_plan(operands, entry.problem, plan.plan, options.fill_value, constants[0])
    if entry.fused is not None and not dry_run.is_active():
        return entry.fused(operands.x, out)
    if entry.calls and not tape.is_recording():
        y = passes.run_bound(operands, entry.calls, entry.factors, constants)
    else:
        y = passes.run(operands, plan, entry.factors, constants)
    if plan.fused is not None:
        dry_run.note_fused(plan.fused.candidate)
    if out is None:
        return y
    out[...] = y
    return out
