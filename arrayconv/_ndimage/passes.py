"""A filter is a chain of passes, each one correlation or convolution that keeps the shape.

A pass computes in float64 and casts to the result's dtype, so a chain rounds, cuts or wraps once per pass, as
SciPy's does. Nothing is written to the caller's array before the last pass, so it may overlap the input.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial
from math import prod
from typing import Any, NamedTuple

from arrayconv import config
from arrayconv._arrays.array import Array
from arrayconv._arrays.chunks import by_elements, is_lazy
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.dtypes import eps, itemsize
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.namespace import Namespace
from arrayconv._arrays.operands import operands
from arrayconv._arrays.out_arrays import shares_memory
from arrayconv._calls import binding, cache, dry_run, prepare
from arrayconv._calls.binding import BoundCall
from arrayconv._calls.one_call import Direct, applies
from arrayconv._ndimage import chunked, dtypes, fused
from arrayconv._ndimage.fused import Fused
from arrayconv._ndimage.validation import Bare, Call
from arrayconv._ndimage.window import Pass, windows_along
from arrayconv._problem.boundary import Boundary
from arrayconv._problem.problem import Problem, paired
from arrayconv._runtime.programs import LIBRARY
from arrayconv._runtime.tracing import planning, shape_of

Filter = Callable[..., Any]  # (x, weights or None, the caller's array or None) -> y


class _BoundPass(NamedTuple):
    """A pass, bound to data of one kind."""

    call: BoundCall
    weights: Array | None  # None for the caller's
    divisor: int
    casts: bool  # whether its sums are of another dtype than the data between passes

    def __call__(self, outer: Call, x: Array, weights: Array | None) -> Array:
        y = self.call(x, weights if self.weights is None else self.weights)
        if self.divisor != 1:
            y = _divided(outer, y, self.divisor)
        return outer.cast(y, outer.working) if self.casts else y


class Chain(NamedTuple):
    """The passes of a call, bound: a function of any input, and of weights, of the same kinds."""

    call: Call  # without its input and its output array
    passes: tuple[Pass, ...]  # that of weights which are given at each call has none
    fused: Fused | None
    bound: tuple[_BoundPass, ...]  # without `fused`
    dtype: Any  # of the weights that are given, as passes take them; None where the passes hold their own

    def __call__(self, x: Any, weights: Any = None, out: Any = None) -> Any:
        if self.dtype is None:
            weights = None
        call = self.call if out is None else self.call._replace(out=out)
        if self.fused is not None and applies(call.source.backend, x, x if weights is None else weights):
            return run_fused(self.fused, call, x, weights)
        if weights is not None and weights.dtype != self.dtype:
            weights = call.source.xp.astype(weights, self.dtype)
        if self.fused is not None:
            passes = self.passes if weights is None else (self.passes[0]._replace(weights=weights),)
            return _run_passes(call._replace(source=call.source._replace(x=x)), passes)[0]
        with call.source.current_device():
            y = _entering(call, x)
            for one in self.bound:
                y = one(call, y, weights)
            return write_output(call, y, x)


class Program(NamedTuple):
    """The passes of a call on JAX arrays, bound: a function of any input, and of weights, of the same kinds."""

    call: Bare
    fused: Fused
    dtype: Any = None  # of the weights that are given, as the passes take them; None where these hold their own

    def __call__(self, x: Any, weights: Any = None, out: Any = None) -> Any:
        """Return the filtered input; no JAX array is written to."""
        if self.dtype is None:
            weights = None
        elif weights.dtype != self.dtype:
            weights = self.call.xp.astype(weights, self.dtype)
        return self.fused.as_program(self.call, x, weights)

    def attempt(self, x: Any, out: Any) -> Any:
        """Return the filtered input."""
        return self(x)


@float_errors_ignored
def run(call: Call, passes: Iterable[Pass], cache_key: Hashable | None = None, *, takes_weights: bool = False) -> Any:
    """Return the input after all passes, in the caller's array where there is one; a copy where there are none.

    The next call of the same key is a `Chain`, which takes weights (`takes_weights`) or uses those of the passes.
    """
    with call.source.current_device():
        return _run(call, tuple(passes), cache_key, takes_weights)


def _run(call: Call, chain: tuple[Pass, ...], cache_key: Hashable | None, takes_weights: bool) -> Any:
    x = call.source.x
    can_fuse = bool(chain) and fused.applies(call.source, x, chain[0].weights)
    own = fused.bind(call, (chain,), takes_weights=takes_weights) if can_fuse else None
    if dry_run.is_active():
        first = dry_run.noted()
        _chained(call, chain)
        if len(chain) > 1 and is_lazy(call.source.backend):
            dry_run.remark(chunked.remark(call, chain))
        if own is not None:
            dry_run.note_fused(own.candidate(), first)
        return stand_in(call, call.result, x)
    if is_lazy(call.source.backend):
        y = chunked.run(call, _entering(call, x), chain)
        return write_output(call, _chained(call, chain)[0] if y is None else y, x)
    if call.source.backend == LIBRARY:
        return _run_by_xla(call, chain, own, cache_key, takes_weights)
    if own is not None:
        y = run_fused(own, call, x, chain[0].weights if takes_weights else None)
        _remember(cache_key, call, chain, own, (), takes_weights)
        return y
    y, bound = _run_passes(call, chain)
    if can_fuse or not chain:  # else the next call may be one whose passes are fused
        _remember(cache_key, call, chain, own, bound, takes_weights)
    return y


def _run_by_xla(
    call: Call, chain: tuple[Pass, ...], own: Fused | None, cache_key: Hashable | None, takes_weights: bool
) -> Any:
    """Return the result of a call on JAX arrays."""
    x = call.source.x
    if not chain:
        return write_output(call, x, x)
    if own is not None:
        if not call.is_promoted:  # every such call warns
            cache.store(cache_key, Program(call.bare, own, chain[0].weights.dtype if takes_weights else None))
        return own.run_by_xla(call, x, chain[0].weights, partial(_tangent, call, chain))
    return write_output(call, _program(call.bare, chain, x), x)


def _program(call: Bare, chain: tuple[Pass, ...], x: Array, weights: tuple[Array, ...] = ()) -> Array:
    """Return x after all passes, as one program; `weights` where they are others than those of the passes."""
    operands = x, weights or tuple(one.weights for one in chain)
    return prepare.as_planned_program(LIBRARY, _as_program, (call, _bare(chain)), operands)


def _bare(chain: tuple[Pass, ...]) -> tuple[Pass, ...]:
    return tuple(one._replace(weights=None, values=()) for one in chain)  # pyright: ignore[reportArgumentType]


def _tangent(call: Call, chain: tuple[Pass, ...], engine: Any) -> Any:
    """Return the derivative by the passes, which are linear in x, without the fill, and one pass in its weights.

    An integer result has none. JAX may call it after the trace of this call has ended, so it refers to no array of it.
    """
    bare, bare_chain, source = call.bare, _bare(chain), call.source._replace(x=None)  # pyright: ignore[reportArgumentType]
    numbers: Any = tuple((one.values, shape_of(one.weights)) for one in chain if one.values)

    def passes(call: Bare, x: Any, *weights: Any) -> Any:
        own = weights or tuple(source.xp.reshape(source.taps(values), shape) for values, shape in numbers)
        return _program(call, bare_chain, x, own)

    if dtypes.is_integer(call.result):
        return engine.tangent_of(partial(passes, bare))

    def tangent(primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
        (x, *weights), (dx, *dweights) = primals, tangents
        terms = [] if dx is None else [passes(bare._replace(fill="0.0"), dx, *weights)]
        terms += [passes(bare, x, one) for one in dweights if one is not None]
        return sum(terms[1:], terms[0])

    return tangent


def run_fused(own: Fused, call: Call, x: Array, weights: Any = None) -> Any:
    """Return the result of a call by compiled code, which writes to the caller's array where it overlaps no operand."""
    if call.out is None and own.direct is not None:
        y = own.direct(x, weights)
        if y is not None:
            return y
    out = call.out if fused.can_write(call, x) else None
    if out is not None and weights is not None and shares_memory(call.source.backend, out, weights):
        out = None
    y = own.run(call, x, weights, out)
    return out if out is not None else write_output(call, y, x)


def _run_passes(call: Call, chain: tuple[Pass, ...]) -> tuple[Any, tuple[_BoundPass, ...]]:
    """Return the result of a call, and its passes, bound."""
    _check_workspace(call, chain)
    y, bound = _chained(call, chain)
    return write_output(call, y, call.source.x), bound


def _check_workspace(call: Call, chain: tuple[Pass, ...]) -> None:
    """Raise ValueError if the arrays between passes, or of sums before they are cast, exceed an explicit limit."""
    casts = dtypes.is_integer(call.result) or any(one.divisor != 1 for one in chain)
    width = 2 * itemsize(call.source.sums) * casts + itemsize(call.working) * (len(chain) > 1)
    if not (dry_run.is_active() or is_lazy(call.source.backend)):  # a task has one chunk between passes
        _check_bytes(call.source.function, shape_of(call.source.x), width)


@planning(0)
def _check_bytes(function: str, shape: tuple[int, ...], width: int) -> None:
    settings = config.current()
    if settings.capped and prod(shape) * width > settings.max_workspace:
        raise ValueError(
            f"{function}: `max_workspace` must hold the {prod(shape) * width} bytes of results between "
            f"passes, or the few MiB with which compiled code runs them block by block. Got "
            f"max_workspace={settings.max_workspace}. Allow more."
        )


def _as_program(call: Bare, chain: tuple[Pass, ...], x: Array, weights: tuple[Array, ...]) -> Array:
    filled = tuple(one._replace(weights=taps) for one, taps in zip(chain, weights, strict=True))
    own = call.on(x)
    return own.cast(_chained(own, filled)[0])


def _remember(
    cache_key: Hashable | None,
    call: Call,
    chain: tuple[Pass, ...],
    own: Fused | None,
    bound: tuple[_BoundPass, ...],
    takes_weights: bool,
) -> None:
    """Cache the passes of a call without the caller's arrays."""
    if cache_key is None or call.is_promoted:  # every such call warns
        return
    bare = call._replace(source=call.source._replace(x=None), out=None)  # pyright: ignore[reportArgumentType]
    dtype = None
    if takes_weights:
        dtype = getattr(chain[0].weights, "dtype", None)
        chain = (chain[0]._replace(weights=None),)  # pyright: ignore[reportArgumentType]
        bound = tuple(one._replace(weights=None) for one in bound)
        own = own and own._replace(weights=None)
    remembered = Chain(bare, chain, own, bound, dtype)
    cache.store(cache_key, remembered if own is None or own.direct is None else _directly(remembered, own.direct))


def _directly(chain: Chain, direct: Direct) -> Filter:
    """Return a chain that runs without detours where nothing needs its passes and a new array is the result."""
    backend, holds_weights = chain.call.source.backend, chain.dtype is None

    def run(x: Any, weights: Any = None, out: Any = None) -> Any:
        if out is None and applies(backend, x, x if holds_weights else weights):
            y = direct(x, weights)
            if y is not None:
                return y
        return chain(x, weights, out)

    return run


def _entering(call: Call, x: Array) -> Array:
    return call.cast(x, "uint8") if call.source.name == "bool" else x


def _chained(call: Call, chain: tuple[Pass, ...]) -> tuple[Array, tuple[_BoundPass, ...]]:
    """Return the input after all passes, in the working dtype, and the passes bound."""
    x, bound = _entering(call, call.source.x), []
    for number, one in enumerate(chain):
        if number and call.source.backend == LIBRARY:
            x = dtypes.summable(x, call.working, xp=call.source.xp, dtype=call.source.sums)
        step = _bind(call, x, one)
        x = _plan_only(call, x, one, step) if dry_run.is_active() else step(call, x, None)
        bound.append(step)
    return x, tuple(bound)


def _plan_only(call: Call, x: Array, one: Pass, step: _BoundPass) -> Array:
    """Note the plan of a pass; return a stand-in for its result."""
    y = step.call(x, one.weights)
    dry_run.note_axes(one.axes)
    dry_run.note_pass(*_around(call, one, y))
    if is_lazy(call.source.backend):  # in its chunks
        return call.cast(y, call.working)
    return stand_in(call, call.working, x)


def _around(call: Call, one: Pass, y: Array) -> tuple[int, int]:
    """Return how many array operations follow a pass and precede its gradient, and the bytes of their results."""
    if one.divisor == 1:  # the convolution casts its result itself
        return 0, 0
    sums, working = itemsize(dtype_name(y.dtype)), itemsize(call.working)
    casts = sums != working
    return 2 + 2 * casts, 2 * prod(shape_of(y)) * (sums + casts * working)


def stand_in(call: Call, dtype: str, x: Array) -> Array:
    """Return an array like x without values, of the dtype called `dtype`."""
    return dry_run.stand_in(shape_of(x), dtype, xp=call.source.xp, device=call.source.device)


def write_output(call: Call, y: Array, x: Array) -> Any:
    """Return y in the result's dtype, written to the caller's array or one of its own: not x, which the call was of."""
    if y is x or call.result != call.working:
        y = call.cast(y)
        y = call.source.xp.asarray(y, copy=True) if y is x else y
    if call.order is not None:
        y = call.source.xp.asarray(y, dtype=call.order)
    if call.out is None:
        return y
    call.out[...] = y
    return call.out


def _bind(call: Call, x: Array, one: Pass) -> _BoundPass:
    """Return a pass, bound.

    'componentwise' excludes transforms: SciPy's users compare results with zero, where a transform leaves noise. The
    sums behind integers are formed tap by tap, in SciPy's order, since the cut shows their last bit.
    """
    function = call.source.function
    validated = operands(function, x, one.weights, names=("input", "weights"))
    cuts = dtypes.is_integer(call.result)
    if one.divisor == 1 and not cuts:  # the plan casts each piece, and no array of sums is made
        validated = validated._replace(traits=validated.traits._replace(output=call.working))
    shapes = shape_of(x), shape_of(one.weights)
    problem = _problem(function, *shapes, one.axes, one.before, one.boundaries, one.flip)
    options = prepare.options(function, "direct" if cuts else "auto", "componentwise", None, call.fill)
    bound = binding.cached_call(function, validated, problem, options)
    return _BoundPass(bound, one.weights, one.divisor, one.divisor != 1 or validated.traits.output != call.working)


def _divided(call: Call, y: Any, divisor: int) -> Array:
    """Return sums divided, to be cut."""
    settings = dtypes.is_integer(call.result), call.source.sums, divisor
    if is_lazy(call.source.backend):
        return by_elements(_quotient, (y,), y.dtype, *settings)
    return _quotient(*settings, y, xp=call.source.xp, device=call.source.device)


@float_errors_ignored
def _quotient(cuts: bool, sums: str, divisor: int, y: Any, *, xp: Namespace, device: Any) -> Array:
    """Return sums divided by a whole number.

    XLA multiplies by the reciprocal instead, and 49 * (1 / 49) < 1, so a quotient to be cut is raised by as much as
    that may lose. Sums of whole numbers below 2**50 are then cut like exact quotients.
    """
    quotient = y / divisor
    return quotient * (1 + 2 * eps(sums)) if cuts else quotient


@planning()
def _problem(
    function: str,
    x_shape: tuple[int, ...],
    kernel_shape: tuple[int, ...],
    axes: tuple[int, ...],
    before: tuple[int, ...],
    boundaries: tuple[Boundary, ...],
    flip: bool,
) -> Problem:
    """Translate a pass into the one operation; axes without a kernel axis are batch."""
    space = dict(zip(axes, windows_along(x_shape, axes, kernel_shape, before, boundaries), strict=True))
    return paired(function, x_shape, kernel_shape, axes, space, flip=flip, conj=not flip)
