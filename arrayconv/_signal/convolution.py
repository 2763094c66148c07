"""The convolutions of two inputs: over all axes, over some while the others broadcast, over a plane with edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.dtypes import kind as kind_of
from arrayconv._arrays.namespace import Namespace
from arrayconv._arrays.numpy_dtypes import floating, result_type
from arrayconv._arrays.traits import Traits
from arrayconv._calls import binding, cache, dry_run, prepare
from arrayconv._calls.binding import BoundCall
from arrayconv._calls.prepare import Options
from arrayconv._errors import shown, suggestion
from arrayconv._plan.rank import TABLE
from arrayconv._problem.boundary import boundary_names, reads_samples
from arrayconv._runtime.tracing import planning
from arrayconv._signal import shapes
from arrayconv._signal.arrays import Form, Pair, Typed, pair, typed
from arrayconv._signal.shapes import Kind, Request, Translated, translate

NAMES = ("in1", "in2")
_DOOR = "signal."  # before the names of functions that other doors have too

# What each method may run, first choice first: `cuda_fft` refuses all but CuPy's arrays, the FFT integers that it could
# not keep exact, and problems without a convolved axis; the result does not depend on the method.
METHODS: dict[str, tuple[Options, ...]] = {
    "auto": (Options(),),
    "direct": (Options(accuracy="componentwise"),),
    "fft": (Options("cuda_fft"), Options("fft"), Options("overlap_save"), Options()),
}
# Up to here 'auto' sums directly, as SciPy does: nothing is slow yet, and small exact results stay exact.
_FEW_MACS = 1 << 14
_BOUNDARIES = boundary_names("signal")
_LONG = ("float96", "float128", "complex192", "complex256", "longdouble", "clongdouble")
_WIDEST = 1023  # bits of an integer that surely has a float64
_Bound = Callable[[Any, Any], Any]
_UNCASTABLE = "could not cast `fillvalue` directly to the output type (it was first converted to complex)"


def everywhere(function: str, kind: Kind, in1: Any, in2: Any, mode: Any, method: Any) -> Any:
    """Convolve or correlate over every axis."""
    cache_key = cache.key(_DOOR + function, (in1, in2), (mode, method))
    call = cache.lookup(cache_key)
    if call is None:
        inputs, request = _over_all_axes(function, kind, in1, in2, mode, method)
        core, (in1, in2) = typed(function, inputs, result_type), inputs.arrays
        if 0 in inputs.shapes[1]:
            return _zeros(core, shapes.empty_shape(function, inputs.shapes, mode))
        translated = translate(request)
        call = cache.store(cache_key, _bind(function, core, translated, _allowed(translated, method, inputs)))
    return call(in1, in2)


def choice(function: str, in1: Any, in2: Any, mode: Any) -> str:
    """Return which of SciPy's methods 'auto' means: 'direct' or 'fft'."""
    cache_key = cache.key(_DOOR + function, (in1, in2), (mode,))
    cached = cache.lookup(cache_key)
    return cache.store(cache_key, _choice(function, in1, in2, mode)) if cached is None else cached


def _choice(function: str, in1: Any, in2: Any, mode: Any) -> str:
    inputs, call = _over_all_axes(function, "convolve", in1, in2, mode, "auto")
    if any(str(array.dtype) in _LONG for array in inputs.arrays):
        return "direct"  # no FFT here takes them; the convolution itself refuses, with the way out
    core = typed(function, inputs, result_type).operands
    allowed = _allowed(translate(call), "auto", inputs)[0]
    plan = prepare.plan(function, translate(call).problem, core.traits, allowed)
    return "fft" if TABLE[plan.method].accuracy == "normwise" else "direct"


def _allowed(call: Translated, method: str, inputs: Pair) -> tuple[Options, ...]:
    """Return the options a method may run with; a small 'auto', or one of bools, is 'direct'."""
    bools = all(str(array.dtype).endswith("bool") for array in inputs.arrays)
    if method == "auto" and (bools or call.problem.spec.macs <= _FEW_MACS):
        dry_run.remark(f"method 'auto' is 'direct' for bools and for up to {_FEW_MACS} multiply-adds")
        method = "direct"
    return METHODS[method]


def _over_all_axes(function: str, kind: Kind, in1: Any, in2: Any, mode: Any, method: Any) -> tuple[Pair, Request]:
    inputs = pair(function, NAMES, in1, in2)
    shapes.check_dimensions(function, inputs.shapes, "in1 and in2" if kind == "correlate" else "volume and kernel")
    shapes.check_mode(function, mode)
    if not isinstance(method, str) or method not in ("auto", "direct", "fft"):
        meant = suggestion(method, METHODS) if isinstance(method, str) else ""
        raise ValueError(
            f"{function}: Acceptable method flags are 'auto', 'direct', or 'fft'. Got {shown(method)}.{meant}"
        )
    space = tuple(range(len(inputs.shapes[0])))
    shapes.check_valid(function, inputs.shapes, mode, space)
    shapes.check_filled(function, inputs.shapes, mode)
    return inputs, Request(function, kind, inputs.shapes, space, mode, may_swap=_may_swap(kind, inputs))


def _may_swap(kind: Kind, inputs: Pair) -> bool:
    """Whether the roles may be exchanged: a correlation then has to reverse `in2`, and torch has no flip of uint16."""
    flips = kind == "convolve" or not any("uint" in str(array.dtype) for array in inputs.arrays)
    return flips and not any(0 in shape for shape in inputs.shapes)


def broadcast(function: str, in1: Any, in2: Any, mode: Any, axes: Any) -> Any:
    """Convolve over `axes` by the method of least cost, in the dtype of spectra, the other axes broadcasting."""
    cache_key = cache.key(_DOOR + function, (in1, in2), (mode, axes))
    call = cache.lookup(cache_key)
    if call is None:
        inputs = pair(function, NAMES, in1, in2)
        first, second = inputs.shapes
        shapes.check_dimensions(function, inputs.shapes)
        shapes.check_mode(function, mode, "acceptable")
        named = shapes.convolved_axes(function, axes, len(first)) if first else ()
        if 0 in first or 0 in second:
            typed(
                function, inputs, result_type
            )  # refuses dtypes without a convolution; SciPy's result has its own dtype
            return inputs.xp.zeros(0, dtype=inputs.dtype_of("float64"), device=inputs.device)
        call = cache.store(cache_key, _broadcast(function, inputs, mode, named))
        in1, in2 = inputs.arrays
    return call(in1, in2)


def _broadcast(function: str, inputs: Pair, mode: Any, named: tuple[int, ...]) -> _Bound:
    first, second = inputs.shapes
    shapes.check_broadcast(function, inputs.shapes, named)
    longer = tuple(axis for axis in named if first[axis] != 1 and second[axis] != 1)
    shapes.check_valid(function, inputs.shapes, mode, longer)
    core = typed(function, inputs, _spectral if longer else result_type)
    # An axis of length 1 in one input is a product, whose outputs are those of 'full' and of 'valid'. The 'same' part
    # of it is a convolution where `in1` is the one.
    space = longer if mode != "same" else tuple(axis for axis in named if second[axis] != 1)
    request = Request(function, "convolve", inputs.shapes, space, mode)
    return _bind(function, core, translate(request), METHODS["auto"])


def _spectral(first: str, second: str) -> str:
    return result_type(floating(first), floating(second))


def planar(function: str, kind: Kind, in1: Any, in2: Any, mode: Any, boundary: Any, fillvalue: Any) -> Any:
    """Convolve or correlate two planes, `in1` extended by `boundary`."""
    cache_key = cache.key(_DOOR + function, (in1, in2), (mode, boundary, fillvalue))
    call = cache.lookup(cache_key)
    if call is None:
        inputs = pair(function, NAMES, in1, in2)
        _check_planar(function, inputs, mode, boundary)
        core, (in1, in2) = typed(function, inputs, result_type), inputs.arrays
        fill = _fill(function, fillvalue, core.operands.traits.output)
        if 0 in inputs.shapes[1]:
            return _zeros(core, shapes.empty_shape(function, inputs.shapes, mode))
        call = cache.store(cache_key, _planar(function, kind, inputs, core, mode, boundary, fill))
    return call(in1, in2)


def _check_planar(function: str, inputs: Pair, mode: Any, boundary: Any) -> None:
    if any(len(shape) != 2 for shape in inputs.shapes):
        raise ValueError(
            f"{function}: {function} inputs must both be 2-D arrays. Got in1 of shape {inputs.shapes[0]} "
            f"and in2 of {inputs.shapes[1]}."
        )
    shapes.check_mode(function, mode)
    if not isinstance(boundary, str) or boundary not in _BOUNDARIES:
        raise ValueError(
            f"{function}: Acceptable boundary flags are 'fill', 'circular' (or 'wrap'), and 'symmetric' (or 'symm'). "
            f"Got {boundary!r}.{suggestion(boundary, _BOUNDARIES) if isinstance(boundary, str) else ''}"
        )
    shapes.check_valid(function, inputs.shapes, mode, (0, 1))


def _planar(function: str, kind: Kind, inputs: Pair, core: Typed, mode: str, boundary: str, fill: complex) -> _Bound:
    outside = "constant" if mode == "valid" else _BOUNDARIES[boundary]
    if reads_samples(outside) and mode == "full" and 0 in inputs.shapes[0]:
        raise ValueError(f"{function}: boundary {boundary!r} extends in1. Got an empty one, shape {inputs.shapes[0]}.")
    fill = fill if mode != "valid" and not reads_samples(outside) else 0
    may_swap = not reads_samples(outside) and fill == 0 and _may_swap(kind, inputs)
    request = Request(function, kind, inputs.shapes, (0, 1), mode, outside, may_swap)
    return _bind(function, core, translate(request), METHODS["direct"], fill)


@planning(0)
def _fill(function: str, value: Any, output: str) -> complex:
    """Return `fillvalue` as a number of the kind of the result's dtype."""
    if isinstance(value, (list, tuple, np.ndarray, np.generic)):
        host = np.asarray(value)
        if host.size != 1:
            rule = "must be scalar or an array with one element" if host.size else "cannot be an empty array"
            raise ValueError(f"{function}: `fillvalue` {rule}. Got shape {host.shape}.")
        value = host.item()
    kind = kind_of(output)
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        value = int(value)
    types = {"integer": int, "real": (int, float), "complex": (int, float, complex)}[kind]
    if not isinstance(value, types) or (isinstance(value, int) and value.bit_length() > _WIDEST):
        raise ValueError(f"{function}: {_UNCASTABLE}. Got {shown(value)} for {output}.")
    return value


def _zeros(core: Typed, shape: tuple[int, ...]) -> Any:
    """Return what sums over nothing are."""
    xp, device = core.operands.xp, core.operands.device
    return xp.zeros(shape, dtype=getattr(xp, core.form.output), device=device)


class _BoundPair(NamedTuple):
    """A call on two inputs, bound."""

    call: BoundCall
    form: Form
    swapped: bool  # x is the second
    reverses: bool  # and then reversed and conjugated

    def shortest(self) -> _Bound:
        """Return the bound call itself where its operands and its result are SciPy's."""
        return self.call if not self.swapped and self.form.is_identity(self.call.problem) else self

    def __call__(self, in1: Any, in2: Any) -> Any:
        x, kernel = self.form.operands(in1, in2)
        if self.swapped:
            x, kernel = (_reversed(kernel, self.form.xp) if self.reverses else kernel), x
        return self.form.result(self.call(x, kernel))


def _bind(function: str, core: Typed, call: Translated, methods: tuple[Options, ...], fill: complex = 0) -> _Bound:
    """Bind a translated call to the first of `methods` that can run it."""
    operands = core.operands
    if call.swapped:  # what is reversed at each call keeps its shape and dtype
        dry_run.remark("in2 is x and in1 the kernel: convolution commutes, and in2 has more samples")
        operands = operands._replace(x=operands.kernel, kernel=operands.x)
    options = _first(function, call, operands.traits, methods, fill)
    bound = binding.cached_call(function, operands, call.problem, options)
    return _BoundPair(bound, core.form, call.swapped, call.reverses).shortest()


@planning(0)
def _first(function: str, call: Translated, traits: Traits, methods: tuple[Options, ...], fill: complex) -> Options:
    """Return the first of `methods` that can run the call, or the last, with its fill."""
    *first, last = [options._replace(fill_value=fill) for options in methods]
    for options in first:
        try:
            prepare.plan(function, call.problem, traits, options)
        except NotImplementedError:
            dry_run.remark(f"method {options.method!r} is refused, so the next one is tried")
            continue
        return options
    return last


def _reversed(x: Any, xp: Namespace) -> Any:
    """Return x reversed along every axis and conjugated: a correlation with it is a convolution with this."""
    x = xp.flip(x)
    return xp.conj(x) if kind_of(dtype_name(x.dtype)) == "complex" else x
