"""Calls that were made before: the same function on arrays of the same kind skips admission and planning.

A front door asks with what it was given, unread: types, shapes, dtypes and options. What it remembers under that key is
the admitted library and the plan, never an array or a value. NumPy arrays and torch tensors only; everything unusual,
a list for an option or an `out`, goes the long way, which words every refusal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from arrayconv import _call, config
from arrayconv._accel import BYPASSES, AcceleratorFailed, Bypass, Laid, state
from arrayconv._engines import watcher
from arrayconv._engines.compiled import Finish
from arrayconv._float_errors import float_errors_ignored
from arrayconv._kept import Table
from arrayconv._plan import Plan
from arrayconv._problem import Problem
from arrayconv._tape import is_recording
from arrayconv._torch_modes import in_force
from arrayconv._xp import Operands, dtype_name

_MOST = 4096
_PLAIN = frozenset((str, int, bool, type(None)))  # beside their types: 2.0 and True are equal to 2 and 1, no more
_SIMPLE = frozenset((str, int, type(None)))


class Prepared(NamedTuple):
    """What a door makes of a call's arguments."""

    found: Operands
    problem: Problem
    chosen: _call.Options
    finish: Finish | None = None  # what the door does to the answer
    bias: Any = None  # as admitted


# (function, x, kernel, options, bias), as given
Prepare = Callable[[str, Any, Any, tuple[Any, ...], Any], Prepared]


class Warm(NamedTuple):
    """What is known of a call besides its arrays."""

    found: Operands  # of which x and kernel are placeholders
    problem: Problem
    plan: Plan
    fill: complex
    shortcut: Bypass | None  # the whole call, `finish` included
    watcher: Callable[[Any, Any], bool] | None  # whether a gradient or a transform wants to know of the operands
    finish: Finish | None = None

    def answer(self, x: Any, kernel: Any, bias: Any = None) -> Any:
        """Return the answer for arrays of the same kind."""
        run, watches = self.shortcut, self.watcher
        if run is not None and not (is_recording() or (watches is not None and watches(x, kernel))):
            try:
                y = run(x, kernel) if bias is None else self._biased(x, kernel, bias)
            except AcceleratorFailed:
                y = None  # the long way finds another method, and says so
            if y is not None:
                return y
        return self._planned(x, kernel, bias)

    @float_errors_ignored
    def _planned(self, x: Any, kernel: Any, bias: Any) -> Any:
        _, _, xp, device, traits = self.found
        found = Operands(x, kernel, xp, device, traits)
        last = _call.Last(self.finish, bias, bias)
        return _call.planned(found, self.problem, self.plan, self.fill, last=last)

    def _biased(self, x: Any, kernel: Any, bias: Any) -> Any:
        watched = self.watcher is not None and self.watcher(bias, bias)
        return None if watched or self.shortcut is None else self.shortcut(x, kernel, bias)


_known: dict[Any, Warm] = Table("calls", _MOST)


def call(
    function: str,
    x: Any,
    kernel: Any,
    options: tuple[Any, ...],
    prepare: Prepare,
    *,
    out: Any = None,
    bias: Any = None,
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
        Admits and translates the call, given the arguments before it and `bias`; raises what is wrong with it.
    out : array, optional
        Where the caller wants the result; such a call is not remembered.
    bias : anything, optional
        What the caller gave to be added, by the door's `finish` or by a method that adds it itself.
    """
    key = _key(function, (x, kernel) if bias is None else (x, kernel, bias), options) if out is None else None
    known = _known.get(key) if key is not None else None
    if known is None:
        prepared = _prepared(prepare, function, x, kernel, options, bias)
        if key is None:
            return _run(function, prepared, out, bias)
        known = _remembered(function, prepared)
        _known[key] = known
    return known.answer(x, kernel, bias)


@float_errors_ignored
def _prepared(prepare: Prepare, *given: Any) -> Prepared:
    return prepare(*given)


@float_errors_ignored
def _run(function: str, prepared: Prepared, out: Any, bias: Any) -> Any:
    found, problem, chosen, finish, added = prepared
    return _call.run(function, found, problem, chosen, out, last=_call.Last(finish, added, bias))


def _remembered(function: str, prepared: Prepared) -> Warm:
    found, problem, chosen, finish, bias = prepared
    _call.check_fill(function, chosen.fill_value, found.traits)
    _call.check_size(function, problem, found.traits)
    plan = _call.plan(function, problem, found.traits, chosen)
    nothing: Any = None
    kept = found._replace(x=nothing, kernel=nothing)
    short = None
    if finish is None or (bias is not None and dtype_name(bias.dtype) == found.traits.accumulator):
        short = shortcut(found, problem, plan, chosen.fill_value)
    return Warm(kept, problem, plan, chosen.fill_value, short, watcher(found.traits.backend), finish)


def shortcut(found: Operands, problem: Problem, made: Plan, fill: complex) -> Bypass | None:
    """Return the plan's call on the caller's own arrays, None where more is to be done than its method does itself."""
    if made.traits.traced:
        return None
    dtypes = [array.dtype for array in (found.x, found.kernel)]
    if any(dtype_name(dtype) != found.traits.accumulator for dtype in dtypes) or problem.sums is not None:
        return None
    if not all(getattr(dtype, "isnative", True) for dtype in dtypes):  # of the same name, in another order of bytes
        return None
    if _is_bare(found, problem):
        bare = made.shortcut(fill)
        if bare is not None:
            return bare
    make_bypass = BYPASSES.get(made.method)
    if make_bypass is None or not made.covers or made.traits.output != made.traits.accumulator:
        return None
    steps = made.partition.listed
    if not steps or (not made.is_whole and made.together == 1):
        return None
    shapes = tuple(found.x.shape), tuple(found.kernel.shape)
    return make_bypass(Laid(problem, *shapes, steps, made.together, made.traits, fill))


def _is_bare(found: Operands, problem: Problem) -> bool:
    """Whether the arrays' axes are the convolved ones, in order."""
    layout, axes = problem.layout, len(problem.spec.axes)
    in_order = all(move.order == tuple(range(axes)) for move in (layout.x, layout.kernel, layout.y))
    return found.x.ndim == found.kernel.ndim == axes and in_order


def _key(function: str, arrays: tuple[Any, ...], options: tuple[Any, ...]) -> Any:
    """Return what a call is remembered by, or None for one that is not."""
    seen = _seen(arrays)
    if seen is None:
        return None
    kinds = tuple(map(type, options))
    known = _kinds(kinds)
    if not known.simple or (known.tuples and not _are_simple(options, known.tuples)):
        if not _is_plain(options):
            return None
        options = _tagged(options)
    return function, seen, known, options, config.current(), state()


def _seen(arrays: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Return shapes and dtypes, of tensors and parameters of torch places too; None unless all are of one library."""
    seen: list[Any] = []
    if type(arrays[0]) is np.ndarray:
        for array in arrays:
            if type(array) is not np.ndarray:
                return None
            seen += array.shape, array.dtype
        return tuple(seen)
    torch = sys.modules.get("torch")
    if torch is None or torch.compiler.is_compiling() or in_force(torch._C):
        return None
    tensor = torch.Tensor
    if len(arrays) == 2:  # nearly every call: no loop, no list
        x, kernel = arrays
        if type(x) is tensor and type(kernel) is tensor:
            return x.shape, x.dtype, x.device, x.layout, kernel.shape, kernel.dtype, kernel.device, kernel.layout
    for array in arrays:
        if type(array) is not tensor and type(array) is not torch.nn.Parameter:
            return None
        seen += array.shape, array.dtype, array.device, array.layout
    return tuple(seen)


class _Kinds:
    """The types of all options, the same object for the same types: a key that is quicker than they are."""

    def __init__(self, types: tuple[type, ...]) -> None:
        self.simple = (_PLAIN | {tuple}).issuperset(types)
        self.tuples = tuple(place for place, kind in enumerate(types) if kind is tuple)


_kinds = lru_cache(_MOST)(_Kinds)


def _are_simple(options: tuple[Any, ...], tuples: tuple[int, ...]) -> bool:
    """Whether these tuples are of ints and names, so that with numbers and names they are a key as they are."""
    for place in tuples:
        for item in options[place]:
            if type(item) not in _SIMPLE:
                return False
    return True


def _is_plain(option: Any) -> bool:
    """Whether an option is made of nothing but numbers, names, tuples and dicts."""
    if isinstance(option, tuple):
        return all(map(_is_plain, option))
    if type(option) is dict:
        return all(map(_is_plain, option.items()))
    return type(option) in _PLAIN


def _tagged(option: Any) -> Any:
    """Return a plain option as a key: a dict as its items, and a bool beside its type."""
    if isinstance(option, tuple):
        return tuple(map(_tagged, option))
    if type(option) is dict:
        return (dict, *map(_tagged, option.items()))
    return (bool, option) if type(option) is bool else option
