"""Validate the arguments of a filter: the input as an array, its weights, the result's dtype and target, the fill.

One library and one device; lists become arrays; what SciPy refuses is refused before anything is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import numpy as np

from arrayconv._arrays import host
from arrayconv._arrays.array import Array
from arrayconv._arrays.chunks import by_elements, chunk_library, is_lazy
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.identify import device_of, identify
from arrayconv._arrays.namespace import Namespace, has_dtype, namespace_of, on_device
from arrayconv._arrays.out_arrays import ErrorWords, check_target
from arrayconv._ndimage import dtypes
from arrayconv._ndimage.arguments import fill_of
from arrayconv._runtime.programs import number_of
from arrayconv._runtime.tracing import shape_of

_OUTPUT = ErrorWords("output", "`input`", "`input`", "Pass a dtype")


class Source(NamedTuple):
    """The input of a call, its library, device and dtype."""

    function: str
    x: Array
    backend: str
    xp: Namespace
    device: Any
    name: str  # of its dtype

    @property
    def sums(self) -> str:
        """Dtype name of real sums and taps: the widest of the device."""
        return "float64" if has_dtype(self.xp, self.device, "float64") else "float32"

    def taps(self, values: Sequence[float]) -> Array:
        """Return taps as an array like the input's, of the dtype of sums."""
        xp, device = self.of_weights
        with self.current_device():
            return xp.asarray(list(values), dtype=getattr(xp, self.sums), device=device)

    @property
    def of_weights(self) -> tuple[Namespace, Any]:
        """Namespace and device of weights: the input's, of a lazy one those of its chunks."""
        if not is_lazy(self.backend):
            return self.xp, self.device
        _, xp, device = chunk_library(self.function, "input", self.x)
        return xp, device

    def current_device(self) -> AbstractContextManager[Any]:
        """Return a context in which the library computes on the input's device."""
        return on_device(self.xp, self.device)


class Call(NamedTuple):
    """A validated call: its input, the dtype name of its result, the array to write to (or None), and the fill."""

    source: Source
    result: str
    out: Any
    fill: complex
    order: Any = None  # NumPy's dtype of the result, where that is in another byte order than the machine's
    is_promoted: bool = False  # whether a real dtype was requested and the result is complex, which warns

    @property
    def dtype(self) -> Any:
        """The result's dtype, as an array of the library shows it."""
        xp, device = self.source.of_weights
        return xp.zeros(0, dtype=getattr(xp, self.result), device=device).dtype

    @property
    def working(self) -> str:
        """Dtype name between passes: a bool is the byte it is stored in."""
        return "uint8" if self.result == "bool" else self.result

    @property
    def bare(self) -> Bare:
        """The call without its array."""
        source = self.source
        return Bare(source.function, source.backend, source.xp, source.name, self.result, repr(self.fill))

    def cast(self, y: Array, name: str | None = None) -> Array:
        """Return y in the dtype called `name`, the result's by default."""
        name = name or self.result
        dtype = getattr(self.source.xp, name)
        if y.dtype == dtype:
            return y
        if is_lazy(self.source.backend):
            return by_elements(_cast, (y,), dtype, name)
        return dtypes.cast(y, name, xp=self.source.xp, device=self.source.device)


def _cast(name: str, y: Array, *, xp: Namespace, device: Any) -> Array:
    return dtypes.cast(y, name, xp=xp, device=device)


class Bare(NamedTuple):
    """A call without its array, hashable: the cache key of its program."""

    function: str
    backend: str
    xp: Namespace
    name: str
    result: str
    fill: str  # in digits, since NaN is not equal to itself

    def on(self, x: Array) -> Call:
        """Return the call on an array, with no place for the result."""
        source = Source(self.function, x, self.backend, self.xp, device_of(x), self.name)
        return Call(source, self.result, None, number_of(self.fill))


def validate_input(function: str, x: Any) -> Source:
    """Validate an input: an array of a dtype that filters support, or nested lists."""
    backend = identify(function, "input", x)
    if not backend or isinstance(x, np.generic):
        x, backend = host.array(function, "input", x), "numpy"
    name = dtype_name(x.dtype)
    dtypes.check_supported(function, "input", name)
    return Source(function, x, backend, namespace_of(backend, x), device_of(x), name)


def weights_like(source: Source, weights: Any) -> tuple[Array, tuple[Any, ...]]:
    """Return weights as an array like the input's, in the widest real or complex dtype; of lists also the numbers."""
    own = "" if isinstance(weights, np.generic) else identify(source.function, "weights", weights)
    accepted = source.backend, chunk_library(source.function, "input", source.x)[0]
    if own and own not in accepted:
        raise TypeError(
            f"{source.function}: `input` and `weights` must come from one array library. "
            f"Got {source.backend} and {own}. Convert one of them first; nothing is moved behind your back."
        )
    if own:
        widest = _widest(source, dtype_name(weights.dtype))
        xp = source.xp if own == source.backend else source.of_weights[0]
        return xp.astype(weights, getattr(xp, widest), copy=False), ()
    numbers = host.numbers(source.function, "weights", weights)
    return numbers.array(_widest(source, numbers.dtype), *source.of_weights), numbers.values


def _widest(source: Source, name: str) -> str:
    return dtypes.complexified(source.sums) if dtypes.is_complex(name) else source.sums


def validate_call(
    source: Source, output: Any, cval: Any, *, complex_weights: bool = False, promote: bool = False
) -> Call:
    """Validate the output and the fill of a call.

    Parameters
    ----------
    source : Source
        Its input.
    output, cval
        The function's arguments.
    complex_weights : bool
        Whether the weights are complex.
    promote : bool
        Whether a real dtype becomes complex where the result is, with SciPy's warning, or is refused.
    """
    is_array = hasattr(output, "dtype") and not isinstance(output, type)
    if is_array:
        _check_not_lazy(source, output)
        _check_out(source, output)
    complex_input = dtypes.is_complex(source.name)
    result = dtypes.result_name(
        source.function, output, is_array, source.name, complex_result=complex_input or complex_weights, promote=promote
    )
    if output is None and result == "complex128" and source.sums == "float32":
        result = "complex64"
    if not has_dtype(source.xp, source.device, result):
        raise TypeError(
            f"{source.function}: the result's dtype {result} does not exist on {source.backend} device "
            f"{source.device}. Pass a narrower `output`."
        )
    fill = fill_of(source.function, cval, complex_input, complex_weights)
    order = None if is_array else dtypes.foreign_order(source.function, output, source.backend)
    requested = source.name if output is None else dtypes.output_name(source.function, output, is_array)
    is_promoted = output is not None and dtypes.is_complex(result) and not dtypes.is_complex(requested)
    return Call(source, result, output if is_array else None, fill, order, is_promoted)


def _check_not_lazy(source: Source, out: Any) -> None:
    if is_lazy(source.backend):
        raise TypeError(
            f"{source.function}: `output` must be a dtype with Dask arrays, whose result is computed later. Got "
            f"{type(out).__name__}. Pass output.dtype, and write the result by dask.array.store(y, output)."
        )


def _check_out(source: Source, out: Any) -> None:
    """Refuse an `output` array that the result can't be written to."""
    function = source.function
    check_target(function, _OUTPUT, out, (source.x,), source.backend, source.device)
    if shape_of(out) != shape_of(source.x):
        raise RuntimeError(
            f"{function}: output shape not correct. Got {shape_of(out)}, should be {shape_of(source.x)}."
        )
    if source.backend == "numpy" and not out.flags.writeable:
        raise ValueError(f"{function}: output array is read-only. Pass a writeable one.")
