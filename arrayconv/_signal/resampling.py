"""Filters along one upsampled and strided axis, the others a batch: `upfirdn`, and what `polyphase` adds to it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from math import prod
from typing import Any, NamedTuple

from arrayconv._arrays.array import Array
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.identify import device_of
from arrayconv._arrays.namespace import Namespace, on_device
from arrayconv._arrays.numpy_dtypes import result_type
from arrayconv._arrays.operands import Operands
from arrayconv._calls import binding, cache, dry_run, prepare
from arrayconv._calls.binding import BoundCall
from arrayconv._calls.prepare import Options
from arrayconv._errors import listed, shown, suggestion
from arrayconv._problem.axes import check_positions, integer, real, strided
from arrayconv._problem.boundary import BOUNDARIES, Boundary
from arrayconv._problem.problem import Problem, paired
from arrayconv._problem.spec import Axis
from arrayconv._runtime.capacity import check_result
from arrayconv._runtime.programs import as_program
from arrayconv._runtime.tracing import planning, shape_of
from arrayconv._signal import blocks, extension
from arrayconv._signal.arrays import Form, Pair, pair, typed

Shape = tuple[int, ...]

# Every mode, and what the core sees beyond the ends; explicit extensions are part of the data by then.
EXTENSIONS: dict[str, Boundary] = {
    **{name: name for name in BOUNDARIES},
    **dict.fromkeys(extension.EXPLICIT, "constant"),
}


class _BoundFilter(NamedTuple):
    """A call, bound: an extension that the core does not have, and its operation."""

    call: BoundCall
    form: Form
    extend: Callable[[Any], Any] | None

    def shortest(self) -> BoundCall | _BoundFilter:
        """Return the bound call itself where x is not extended first and the result is the core's."""
        return self.call if self.extend is None and self.form.is_identity(self.call.problem) else self

    def __call__(self, x: Any, h: Any) -> Any:
        x, h = self.form.operands(x, h)
        return self.on_extended(x if self.extend is None else self.extend(x), h)

    def on_extended(self, x: Any, h: Any) -> Any:
        """Return the result for operands of the core, already extended."""
        return self.form.result(self.call(x, h))


def filtered(function: str, h: Any, x: Any, rates: tuple[Any, Any], axis: Any, mode: Any, cval: Any) -> Any:
    """Return x upsampled, filtered with h and downsampled along one axis; `rates` is (up, down)."""
    cache_key = cache.key(f"signal.{function}", (x, h), (*rates, axis, mode, cval))
    call = cache.lookup(cache_key)
    if call is None:
        options = prepare.options(function, "auto", "componentwise", None, cval, "cval")
        inputs = pair(function, ("x", "h"), x, h)
        extension_mode = _extension(function, mode)
        label = axis_number(function, axis, inputs.shapes[0])
        geometry = _axis(function, inputs.shapes[0][label], inputs.shapes[1], rates, extension_mode)
        block = partial(filtered, function, rates=rates, axis=label, mode=extension_mode, cval=0)
        return first_result(Line(function, inputs, label, geometry, extension_mode, options), block, cache_key)
    return call(x, h)


class Line(NamedTuple):
    """A filter along one axis, checked."""

    function: str
    inputs: Pair  # x and the taps
    label: int
    axis: Axis
    extension_mode: str
    options: Options


def first_result(line: Line, filter_block: Callable[[Any, Any], Any], cache_key: Hashable | None) -> Any:
    """Return the result of a call, and cache the call; `filter_block` filters some of x's lines."""
    bound, operands = bind(line, filter_block)
    cache.store(cache_key, bound.shortest() if isinstance(bound, _BoundFilter) else bound)
    return bound(*line.inputs.arrays) if operands is None else bound.on_extended(operands.x, operands.kernel)


def bind(line: Line, filter_block: Callable[[Any, Any], Any]) -> tuple[Any, Operands | None]:
    """Return a call of x and the taps, and its first operands, extended; None where it runs block by block."""
    function, inputs, label, axis, mode, options = line
    if mode in extension.EXPLICIT and axis.outputs:
        copy = blocks.of_extension(function, mode, typed(function, inputs, _rule), axis, label)
        if copy is not None and copy.is_cut:
            return blocks.BlockedFilter(copy, filter_block), None
        if copy is not None:
            options = copy.beside(options)
    return _bind(function, inputs, label, axis, mode, options)


def _bind(
    function: str, inputs: Pair, label: int, axis: Axis, extension_mode: str, options: Options
) -> tuple[_BoundFilter, Operands]:
    """Return the call and its first operands, extended."""
    shape = (*inputs.shapes[0][:label], axis.outputs, *inputs.shapes[0][label + 1 :])
    core = typed(function, inputs, _rule)
    operands, extend = core.operands, None
    if not operands.traits.chunk_backend:
        check_result(function, shape, prod(shape), 4, "`up` and `down` say how many samples come out")
    prepare.check_fill(function, options.fill_value, operands.traits, "cval")
    if extension_mode in extension.EXPLICIT and axis.outputs:
        ends = extension.reach(axis)
        extend = partial(
            _extended, operands.traits.backend, (core.form.output, label, extension_mode, ends, operands.xp)
        )
        operands, axis = operands._replace(x=_first(extend, operands, label, ends)), extension.lengthened(axis, ends)
    problem = _problem(function, shape_of(operands.x), inputs.shapes[1], label, axis)
    options = options if extension_mode == "constant" else options._replace(fill_value=0)
    return _BoundFilter(binding.cached_call(function, operands, problem, options), core.form, extend), operands


def _first(extend: Callable[[Any], Any], operands: Operands, label: int, ends: tuple[int, int]) -> Any:
    """Return x of the first call, extended; a stand-in of its shape in a dry run."""
    if not dry_run.is_active():
        return extend(operands.x)
    before, after = ends
    dry_run.remark(f"x is extended in a copy first, by {before} samples before and {after} after")
    shape = list(shape_of(operands.x))
    shape[label] += before + after
    return dry_run.stand_in(tuple(shape), operands.traits.output, xp=operands.xp, device=operands.device)


def _rule(x: str, h: str) -> str:
    return result_type(x, h, "float32")


@float_errors_ignored
def _extended(backend: str, settings: tuple[Any, ...], x: Any) -> Any:
    return as_program(backend, _extension_of, settings, (x,))


def _extension_of(
    output: str, label: int, extension_mode: str, ends: tuple[int, int], xp: Namespace, x: Array
) -> Array:
    device = device_of(x)
    with on_device(xp, device):
        data = xp.astype(x, getattr(xp, output), copy=False)
        return extension.extend(data, label, extension_mode, ends, xp=xp, device=device)


def _extension(function: str, mode: Any) -> str:
    name = mode.lower() if isinstance(mode, str) else ""
    if name not in EXTENSIONS:
        word = mode if isinstance(mode, str) else shown(mode)
        meant = suggestion(name, EXTENSIONS)
        raise ValueError(f"{function}: Unknown mode: {word}. Use one of {listed(EXTENSIONS)}.{meant}")
    return name


def axis_number(function: str, axis: Any, shape: Shape) -> int:
    number = integer(function, "axis", axis)
    if not -len(shape) <= number < len(shape):
        raise IndexError(f"{function}: tuple index out of range. Got axis={number} for x of shape {shape}.")
    return number % len(shape)


def _axis(function: str, size: int, h_shape: Shape, rates: tuple[Any, Any], extension_mode: str) -> Axis:
    """Return the filtered axis."""
    if len(h_shape) != 1 or not h_shape[0]:
        raise ValueError(f"{function}: h must be 1-D with non-zero length. Got shape {h_shape}.")
    up, down = (_rate(function, name, rate) for name, rate in zip(("up", "down"), rates, strict=True))
    taps = h_shape[0]
    outputs = max(0, strided((size - 1) * up + taps, down))
    if not size and outputs and extension_mode != "constant":
        raise ValueError(f"{function}: mode {extension_mode!r} extends the data. Got no samples. Use mode='constant'.")
    axis = Axis(size, taps, outputs, stride=down, upsample=up, before=taps - 1, boundary=EXTENSIONS[extension_mode])
    check_positions(function, axis)
    return axis


def _rate(function: str, argument: str, rate: Any) -> int:
    number = real(function, argument, rate)
    if not number >= 1 or number % 1:  # neither is true of a NaN
        raise ValueError(f"{function}: Both up and down must be >= 1, and whole numbers. Got {argument}={shown(rate)}.")
    return integer(function, argument, int(number))


@planning()
def _problem(function: str, x_shape: Shape, h_shape: Shape, label: int, axis: Axis) -> Problem:
    return paired(function, x_shape, h_shape, (label,), {label: axis}, flip=True)
