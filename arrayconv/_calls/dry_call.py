"""A public function, called in a dry run: with arrays, or with shapes where an array is expected.

What a function's own parameters are called says which of its arguments are arrays; it is recognised by its module and
name, so that no module is imported to explain a call of another.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from inspect import BoundArguments, signature
from typing import Any, NamedTuple

import numpy as np

from arrayconv import _accel, config
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.identify import device_of, identify
from arrayconv._arrays.namespace import Namespace, is_namespace, namespace_of, requested_namespace
from arrayconv._arrays.operands import traits_like
from arrayconv._arrays.traits import Traits, traits
from arrayconv._calls import around, dry_run
from arrayconv._calls.dry_run import Record
from arrayconv._calls.explanation import (
    Explanation,
    Pass,
    by_method,
    chain,
    explanation,
    gradients,
    pass_of,
    shape_argument,
)
from arrayconv._errors import shown
from arrayconv._runtime.programs import LIBRARY
from arrayconv._runtime.tracing import shape_of

FUNCTION = "explain"
MODULES = ("astronomy", "convolution", "einconv", "matching", "ndimage", "nn", "nn.grad", "normalized", "signal")
_TOP = ("convolution", "einconv", "matching", "normalized")  # whose functions the package itself exports
_LAYERS, _CONVOLVER = "arrayconv.nn.modules", "arrayconv.convolver"
_OTHERS = (
    "choose_conv_method",
    "correlation_lags",
    "fold",
    "lags",
    "savgol_coeffs",
    "unfold",
)  # public functions that convolve nothing
_CORE_ARRAYS = ("x", "array", "kernel", "in1", "in2", "h", "input", "weights", "weight", "bias", "grad_output")
_ARRAYS = (*_CORE_ARRAYS, "image", "template", "b", "hrow", "hcol")
_FLAGS = ("where", "mask")  # arrays of booleans
_TARGETS = ("out", "output")


class _Model(NamedTuple):
    """The library, device and dtype of arrays."""

    library: str
    xp: Namespace
    device: Any
    traits: Traits  # of a call on such arrays

    @property
    def dtype(self) -> str:
        """Name of the dtype."""
        return self.traits.output


def is_convolver(call: Any) -> bool:
    """Whether a call is of a `Convolver`, which explains itself."""
    return any(base.__module__ == _CONVOLVER for base in type(call).__mro__)


def explained(
    call: Any, arguments: Sequence[Any], options: Mapping[str, Any], like: Any, dtype: Any, derivatives: bool
) -> tuple[Explanation, BoundArguments]:
    """Describe a call of a public function or of a layer, and return its arguments by name.

    Raises
    ------
    TypeError
        If `call` is not one of them, does not take the arguments, or is given an array to write to.
    Exception
        Whatever the call itself would raise.
    """
    name, parameters = _named(call)
    bound = _bound(name, parameters, arguments, options, dtype)
    model = _model(bound.arguments, _layer_weight(call) if like is None else like, dtype)
    _accel.probe(model.traits, config.current().accelerators)
    with dry_run.recording() as record:
        shape, result_dtype = _run(call, bound, model)
    each = tuple(_each(record, derivatives))
    overhead_ns = around.call_ns(model.traits, _module(call), len(each), record.arrays)
    if len(each) == 1:
        (one,) = each
        cost_ns = one.cost_ns + overhead_ns
        described = replace(  # the door may cast what it convolved
            one, output_shape=shape, dtype=result_dtype, cost_ns=cost_ns, overhead_ns=overhead_ns
        )
    else:
        described = chain(name, shape, result_dtype, model.traits, _passes(record, each), overhead_ns)
    return replace(described, remarks=tuple(record.remarks)), bound


def _each(record: Record, derivatives: bool) -> Iterator[Explanation]:
    """Describe the convolutions of a call; derivatives need the passes of a filter one by one, except JAX's."""
    for one in record.calls:
        of_operands = gradients(FUNCTION, one.plan, one.fill, one.shapes, one.arrays) if derivatives else ()
        described = explanation(one.plan, one.problem.shape, gradients=of_operands)
        by_passes = derivatives and one.plan.traits.library != LIBRARY
        yield described if one.fused is None or by_passes else by_method(described, one.fused)


def _passes(record: Record, each: Sequence[Explanation]) -> tuple[Pass, ...]:
    """Return the convolutions of a call that is several, each with its axis."""
    axes = [one.axes[0] if one.axes and len(one.axes) == 1 else one.axes for one in record.calls]
    parts = zip(record.calls, axes, each, strict=True)
    return tuple(pass_of(one.plan.spec.taps, axis, described) for one, axis, described in parts)


def _named(call: Any) -> tuple[str, Callable[..., Any]]:
    """Return the name of a call that can be explained, and the function whose parameters it has."""
    if any(base.__module__.startswith(_LAYERS) for base in type(call).__mro__):
        return type(call).__name__, call.forward
    module, name = _public_module(getattr(call, "__module__", "")), getattr(call, "__name__", "")
    public = module in [f"arrayconv.{known}" for known in MODULES] and name not in _OTHERS
    if public and name in sys.modules[module].__all__ and getattr(sys.modules[module], name) is call:
        return name, call
    raise TypeError(f"{FUNCTION}: `call` must be {_accepted()}. Got {shown(call)}.")


def _module(call: Any) -> str:
    """Return the module of a call, without the package's name."""
    if hasattr(call, "forward"):
        return _LAYERS.partition(".")[2]
    return _public_module(call.__module__).partition(".")[2]


def _public_module(name: str) -> str:
    """Return the module that users import a function from: `arrayconv.signal` for those of its parts."""
    package = name.rpartition(".")[0]
    return (
        package
        if package in [f"arrayconv.{known}" for known in MODULES] and name[len("arrayconv.") :] not in MODULES
        else name
    )


def _accepted() -> str:
    names = {module: import_module(f"arrayconv.{module}").__all__ for module in MODULES}
    parts = [
        f"arrayconv.{'' if module in _TOP else f'{module}.'}({', '.join(convolving)})"
        for module, public in names.items()
        if (convolving := [name for name in public if name not in _OTHERS])
    ]
    return f"one of {', '.join(parts)}, a Convolver, or a layer of arrayconv.nn.modules"


def _bound(
    name: str, parameters: Callable[..., Any], arguments: Sequence[Any], options: Mapping[str, Any], dtype: Any
) -> BoundArguments:
    """Return the arguments by name, the dtype with them where the function has such an option."""
    own = signature(parameters)
    more = {"dtype": dtype} if dtype is not None and "dtype" in own.parameters else {}
    try:
        bound = own.bind(*arguments, **options, **more)
    except TypeError as refusal:
        raise TypeError(f"{FUNCTION}: the arguments must be those of {name}{own}. Got: {refusal}.") from None
    for target in _TARGETS:
        value = bound.arguments.get(target)
        if hasattr(value, "dtype") and hasattr(value, "shape") and not isinstance(value, type):
            raise TypeError(f"{FUNCTION}: `{target}` must not be an array: nothing is written. Leave it out.")
    return bound


def _layer_weight(call: Any) -> Any:
    return call.weight if hasattr(call, "forward") else None


def _is_shape(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(isinstance(size, (int, np.integer)) for size in value)
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _model(arguments: Mapping[str, Any], like: Any, dtype: Any) -> _Model:
    """Return what stand-ins for shapes are like: `like`, else the first array of the call, else NumPy's arrays."""
    if like is None:
        values = [arguments[name] for name in _ARRAYS if arguments.get(name) is not None]
        arrays = [value for value in values if not _is_shape(value)]
        like = next((value for value in arrays if hasattr(value, "shape")), None)
        if like is not None and len(arrays) == len(values):  # no stand-in is needed, and bools have no traits
            if dtype is not None and "dtype" not in arguments:
                raise TypeError(f"{FUNCTION}: `dtype` is for shapes, and all operands are arrays. Leave it out.")
            library = identify(FUNCTION, "call", like)
            xp, device = namespace_of(library, like), device_of(like)
            return _Model(library, xp, device, traits(library, device, xp, _summable(like)))
    if isinstance(like, list):
        like = np.asarray(like)
    like_traits = traits_like(FUNCTION, like, dtype)
    if like is not None and not is_namespace(like):
        return _Model(like_traits.backend, namespace_of(like_traits.backend, like), device_of(like), like_traits)
    xp = requested_namespace(FUNCTION, "like", like)
    return _Model(like_traits.backend, xp, None, like_traits)


def _summable(array: Any) -> str:
    """Return the name of an array's dtype, or of the one in which bools are summed."""
    name = dtype_name(array.dtype)
    return "int32" if name == "bool" else name


def _run(call: Callable[..., Any], bound: BoundArguments, model: _Model) -> tuple[tuple[int, ...], str]:
    """Call a function in a dry run; return the shape and dtype of its result."""
    result: list[Any] = []

    def run() -> None:
        for name in _ARRAYS:
            value = bound.arguments.get(name)
            if value is not None and _is_shape(value):
                shape = shape_argument(FUNCTION, name, value)
                places[name] = dry_run.stand_in(shape, model.dtype, xp=model.xp, device=model.device)
        for name in _FLAGS:
            value = bound.arguments.get(name)
            if isinstance(value, tuple) and _is_shape(value):
                shape = shape_argument(FUNCTION, name, value)
                places[name] = dry_run.stand_in(shape, "bool", xp=model.xp, device=model.device)
        filled = BoundArguments(bound.signature, {**bound.arguments, **places})  # pyright: ignore[reportArgumentType]
        y = call(*filled.args, **filled.kwargs)
        y = y[0] if isinstance(y, tuple) else y  # the weights of `normalized_convolve` follow
        result.append((shape_of(y), dtype_name(y.dtype)))

    places: dict[str, Any] = {}
    dry_run.without_computing(model.library if model.library == LIBRARY else "", run)
    return result[0]
