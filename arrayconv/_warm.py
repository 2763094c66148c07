"""Calls that were made before: the same function on arrays of the same kind skips admission and planning.

A front door asks with what it was given, unread: types, shapes, dtypes and options. What it remembers under that key is
the admitted library and the plan, never an array or a value. NumPy arrays and torch tensors only; everything unusual,
a sequence for an option or an `out`, goes the long way, which words every refusal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from arrayconv import _call, config
from arrayconv._accel import AcceleratorFailed, state
from arrayconv._algorithms import Shortcut
from arrayconv._engines import watcher
from arrayconv._plan import Plan
from arrayconv._problem import Problem
from arrayconv._tape import is_recording
from arrayconv._xp import Operands, dtype_name

_MOST = 4096
_PLAIN = frozenset((str, int, type(None)))


class Warm(NamedTuple):
    """What is known of a call besides its arrays."""

    found: Operands  # of which x and kernel are placeholders
    problem: Problem
    plan: Plan
    fill: complex
    shortcut: Shortcut | None
    watcher: Callable[[Any, Any], bool] | None  # whether a gradient or a transform wants to know of the operands

    def answer(self, x: Any, kernel: Any) -> Any:
        """Return the answer for arrays of the same kind."""
        watched = is_recording() or (self.watcher is not None and self.watcher(x, kernel))
        if self.shortcut is not None and not watched:
            try:
                y = self.shortcut(x, kernel)
            except AcceleratorFailed:
                y = None  # the long way finds another method, and says so
            if y is not None:
                return y
        _, _, xp, device, traits = self.found
        return _call.planned(Operands(x, kernel, xp, device, traits), self.problem, self.plan, self.fill)


_known: dict[Any, Warm] = {}


def call(
    function: str,
    x: Any,
    kernel: Any,
    options: tuple[Any, ...],
    prepare: Callable[[], tuple[Operands, Problem, _call.Options]],
    out: Any = None,
) -> Any:
    """Run a door's call: as it was planned before, or prepared now and remembered.

    Parameters
    ----------
    function : str
        The door's name.
    x, kernel : anything
        What the caller gave.
    options : tuple
        Every other argument that matters, as given.
    prepare : callable
        Admits and translates the call; raises what is wrong with it.
    out : array, optional
        Where the caller wants the result; such a call is not remembered.
    """
    key = _key(function, x, kernel, options) if out is None else None
    known = _known.get(key) if key is not None else None
    if known is not None:
        return known.answer(x, kernel)
    found, problem, chosen = prepare()
    if key is None:
        return _call.run(function, found, problem, chosen, out)
    _call.check_fill(function, chosen.fill_value, found.traits)
    made = _call.plan(function, problem, found.traits, chosen)
    if len(_known) >= _MOST:
        _known.clear()
    nothing: Any = None
    shortcut = made.shortcut(chosen.fill_value) if _is_plain(found, problem) else None
    kept = found._replace(x=nothing, kernel=nothing)
    watches = watcher(found.traits.backend)
    _known[key] = Warm(kept, problem, made, chosen.fill_value, shortcut, watches)
    return _call.planned(found, problem, made, chosen.fill_value)


def _is_plain(found: Operands, problem: Problem) -> bool:
    """Whether the arrays are used as they are: their axes the convolved ones, of the dtype in which sums are formed."""
    x, kernel, layout = found.x, found.kernel, problem.layout
    axes = len(problem.spec.axes)
    in_order = all(move.order == tuple(range(axes)) for move in (layout.x, layout.kernel, layout.y))
    same = x.ndim == kernel.ndim == axes and in_order and problem.sums is None
    return same and dtype_name(x.dtype) == dtype_name(kernel.dtype) == found.traits.accumulator


def _key(function: str, x: Any, kernel: Any, options: tuple[Any, ...]) -> Any:
    """Return what a call is remembered by, or None for one that is not."""
    kind = type(x)
    if type(kernel) is not kind:
        return None
    place = None
    if kind is not np.ndarray:
        torch = sys.modules.get("torch")
        if torch is None or kind is not torch.Tensor or torch.compiler.is_compiling():
            return None
        place = x.device, x.layout, kernel.device, kernel.layout
    for option in options:
        if type(option) not in _PLAIN:  # 2.0 and True are equal to 2 and 1, and not allowed in their place
            if type(option) is not tuple:
                return None
            for entry in option:
                if type(entry) not in _PLAIN:
                    return None
    return function, place, x.shape, x.dtype, kernel.shape, kernel.dtype, options, config.current(), state()
