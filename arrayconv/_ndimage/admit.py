"""What a function is given, admitted: the input as an array, its weights, the result's dtype, where it goes, the fill.

One library and one device; lists become arrays; what SciPy refuses is refused before anything is computed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from arrayconv._memory import covers_itself, needs_gradient
from arrayconv._ndimage import dtypes
from arrayconv._ndimage.arguments import fill_of
from arrayconv._tracing import is_traced
from arrayconv._xp import (
    Array,
    Namespace,
    compat_namespace,
    device_of,
    dtype_name,
    has_dtype,
    identify,
)


class Source(NamedTuple):
    """The input of a call and what is known of it."""

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


class Call(NamedTuple):
    """An admitted call: its input, the dtype name of its result, where that goes (or None), and the fill."""

    source: Source
    result: str
    out: Any
    fill: complex

    @property
    def dtype(self) -> Any:
        """The result's dtype, as an array of the library shows it."""
        xp = self.source.xp
        return xp.zeros(0, dtype=getattr(xp, self.result), device=self.source.device).dtype

    @property
    def working(self) -> str:
        """Dtype name between passes: a bool is the byte it is stored in."""
        return "uint8" if self.result == "bool" else self.result

    def cast(self, y: Array, name: str | None = None) -> Array:
        """Return y in the dtype called `name`, the result's by default."""
        return dtypes.cast(y, name or self.result, xp=self.source.xp, device=self.source.device)


def source(function: str, x: Any) -> Source:
    """Admit an input: an array of a dtype that filters have, or nested lists."""
    backend = identify(function, "input", x)
    if not backend or isinstance(x, np.generic):
        x, backend = np.asarray(x), "numpy"
    xp = compat_namespace(x.__array_namespace__() if hasattr(x, "__array_namespace__") else backend)
    name = dtype_name(x.dtype)
    dtypes.check_supported(function, "input", name)
    return Source(function, x, backend, xp, device_of(x), name)


def weights_like(of: Source, weights: Any) -> Array:
    """Return weights as an array like the input's, in the widest real or complex dtype."""
    own = identify(of.function, "weights", weights)
    if own and own != of.backend and not isinstance(weights, np.generic):
        raise TypeError(
            f"{of.function}: `input` and `weights` must come from one array library. Got {of.backend} and {own}. "
            f"Convert one of them first; nothing is moved behind your back."
        )
    if not own or own == "numpy":
        host = np.asarray(weights)
        host = host.astype(np.complex128 if host.dtype.kind == "c" else np.float64, copy=False)
        weights = host if of.backend == "numpy" else _from_host(of, host)
    name = dtypes.complexified(of.sums) if dtypes.is_complex(dtype_name(weights.dtype)) else of.sums
    return of.xp.astype(weights, getattr(of.xp, name), copy=False)


def _from_host(of: Source, host: Any) -> Array:
    name = dtypes.complexified(of.sums) if host.dtype.kind == "c" else of.sums
    flat = of.xp.asarray(host.ravel().tolist(), dtype=getattr(of.xp, name), device=of.device)
    return of.xp.reshape(flat, host.shape)


def call(of: Source, output: Any, cval: Any, *, complex_weights: bool = False, promote: bool = False) -> Call:
    """Admit the output and the fill of a call.

    Parameters
    ----------
    of : Source
        Its input.
    output, cval
        As the function was given them.
    complex_weights : bool
        Whether the weights are complex.
    promote : bool
        Whether a real dtype becomes complex where the result is, with SciPy's warning, or is refused.
    """
    is_array = hasattr(output, "dtype") and not isinstance(output, type)
    if is_array:
        _check_out(of, output)
    complex_input = dtypes.is_complex(of.name)
    result = dtypes.result_name(
        of.function, output, is_array, of.name, complex_result=complex_input or complex_weights, promote=promote
    )
    if output is None and result == "complex128" and of.sums == "float32":
        result = "complex64"
    if not has_dtype(of.xp, of.device, result):
        raise TypeError(
            f"{of.function}: the result's dtype {result} does not exist on {of.backend} device {of.device}. "
            f"Pass a narrower `output`."
        )
    fill = fill_of(of.function, cval, complex_input=complex_input, complex_weights=complex_weights)
    return Call(of, result, output if is_array else None, fill)


def _check_out(of: Source, out: Any) -> None:
    """Refuse an `output` array that can't take the answer."""
    function, x, backend = of.function, of.x, of.backend
    own = identify(function, "output", out)
    if own != backend:
        raise TypeError(f"{function}: `output` must be a {backend} array like `input`. Got {own}.")
    if backend == "jax" or is_traced(backend, x, out):
        raise TypeError(f"{function}: `output` cannot be written: {backend} arrays are immutable here. Pass a dtype.")
    if needs_gradient(backend, x, out):
        raise TypeError(f"{function}: `output` would lose the gradient that `input` requires. Pass a dtype.")
    if tuple(out.shape) != tuple(x.shape):
        raise RuntimeError(f"{function}: output shape not correct. Got {tuple(out.shape)}, should be {tuple(x.shape)}.")
    if backend == "numpy" and not out.flags.writeable:
        raise ValueError(f"{function}: output array is read-only. Pass a writeable one.")
    if covers_itself(out):
        raise ValueError(f"{function}: `output` must have memory of its own for every element. Pass another array.")
    if backend != "numpy" and device_of(out) != of.device:
        raise TypeError(f"{function}: `output` must be on the device {of.device}. Got {device_of(out)}.")
