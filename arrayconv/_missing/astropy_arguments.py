"""Arguments as astropy's functions take them, without importing astropy: kernels, quantities, masks, warnings.

Objects are known by what they offer: a kernel by `array` and `dimension`, a quantity by `unit` and `value`, NDData by
`data`, `mask` and `uncertainty`. Where astropy is loaded its own warning and error classes are used, for their users.
"""

from __future__ import annotations

import sys
import warnings
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from arrayconv._arrays import host
from arrayconv._arrays.dtype_names import checked_dtype_name, dtype_name, requested_dtype_name
from arrayconv._arrays.dtypes import complexified, component, kind
from arrayconv._arrays.identify import device_of, identify
from arrayconv._arrays.namespace import Namespace, has_dtype, namespace_of, on_device
from arrayconv._arrays.operands import operands
from arrayconv._calls import dry_run
from arrayconv._errors import check_option
from arrayconv._runtime.tracing import shape_of

BOUNDARIES = {"fill": "constant", "wrap": "wrap", "extend": "edge"}
TREATMENTS = ("interpolate", "fill")


class Arguments(NamedTuple):
    """The array and the kernel in the dtype of the sums, and what the caller gets back."""

    x: Any
    kernel: Any
    where: Any  # boolean, or None
    xp: Namespace
    device: Any
    library: str
    readable: bool
    dtype: str  # of the result
    order: Any  # NumPy's dtype of the result, with its byte order; None elsewhere
    unit: Any
    kernel_type: Any  # of the result, where the array is a kernel itself


def warn(text: str) -> None:
    """Warn as astropy does."""
    loaded = sys.modules.get("astropy.utils.exceptions")
    warnings.warn(text, UserWarning if loaded is None else loaded.AstropyUserWarning, stacklevel=4)


def size_error(text: str) -> Exception:
    """Return the error for a kernel of an unsuitable size: astropy's own where that is loaded, else ValueError."""
    loaded = sys.modules.get("astropy.convolution.utils")
    return ValueError(text) if loaded is None else loaded.KernelSizeError(text)


def is_kernel(value: Any) -> bool:
    """Whether a value is a kernel object of astropy's kind."""
    return hasattr(value, "array") and hasattr(value, "dimension")


def is_nddata(value: Any) -> bool:
    """Whether a value is an NDData: an array with a mask, a unit and an uncertainty."""
    return all(hasattr(value, name) for name in ("data", "mask", "uncertainty", "unit"))


def parse(function: str, array: Any, kernel: Any, mask: Any, nan_treatment: Any, precision: str = "") -> Arguments:
    """Return the arguments that both functions share, checked."""
    check_option(function, "nan_treatment", nan_treatment, TREATMENTS)
    kernel_type = _class_of(array)
    taps = _taps(function, kernel)
    values, unit, masked = _values(array)
    if masked is not None and mask is not None:
        masked = np.asarray(masked != 0) | np.asarray(mask != 0)
    x, weights = (_listed(function, name, each) for name, each in (("array", values), ("kernel", taps)))
    call = operands(function, x, weights, None, ("array", "kernel"))
    xp, device, library = call.xp, call.device, call.traits.library
    own, summed = checked_dtype_name(function, "array", call.x.dtype), call.traits.output
    result = _result(own, summed, has_dtype(xp, device, "float64"))
    float64 = has_dtype(xp, device, "float64")
    sums = precision if precision and (float64 or precision != "float64") else _wide(summed, float64)
    if kind(summed) == "complex":
        sums = complexified(component(sums))
    dtype = getattr(xp, sums)
    with on_device(xp, device):
        where = _where(function, mask if masked is None else masked, call.x, xp, device, library)
    with on_device(xp, device):
        samples, weights = (cast(each, dtype, sums, xp=xp, device=device) for each in (call.x, call.kernel))
    order = call.x.dtype if library == "numpy" and own == result else None
    readable = call.traits.readable
    return Arguments(samples, weights, where, xp, device, library, readable, result, order, unit, kernel_type)


def cast(x: Any, dtype: Any, name: str, *, xp: Namespace, device: Any) -> Any:
    """Return an array in a dtype of that name, which in NumPy may have another byte order."""
    if dry_run.is_stand_in(x):
        return x if dtype_name(x.dtype) == name else dry_run.stand_in(shape_of(x), name, xp=xp, device=device)
    return xp.astype(x, dtype, copy=False)


def _class_of(array: Any) -> Any:
    """Return the class that a convolution of two kernels returns, None for an array."""
    if not is_kernel(array):
        return None
    base = next((each for each in type(array).__mro__ if each.__name__ in ("Kernel1D", "Kernel2D")), None)
    if base is None:
        raise TypeError(f"convolve: `array` must be a kernel of one or two axes, or an array. Got {type(array)}.")
    return base


def _taps(function: str, kernel: Any) -> Any:
    if isinstance(kernel, np.ma.MaskedArray):
        if np.ma.is_masked(kernel):
            raise ValueError(
                "The kernel is a masked array with masked values. Use kernel.filled(fill_value) to fill masked values "
                f"before passing to {function}."
            )
        return kernel.data
    kernel = kernel.array if is_kernel(kernel) else kernel
    return kernel.value if hasattr(kernel, "unit") and hasattr(kernel, "value") else kernel


def _values(array: Any) -> tuple[Any, Any, Any]:
    """Return the numbers of an array, its unit and its mask; None for none."""
    if is_kernel(array):
        return array.array, None, None
    if is_nddata(array):
        return array.data, array.unit, array.mask
    unit = getattr(array, "unit", None)
    if unit is not None and hasattr(array, "value"):
        array = array.value
    if isinstance(array, np.ma.MaskedArray):
        return array.data, unit, np.ma.getmaskarray(array)
    if type(array).__module__.split(".")[0] == "pandas":
        array = array.to_numpy()
    return array, unit, None


def _listed(function: str, name: str, value: Any) -> Any:
    """Return lists, and what NumPy holds of booleans, as arrays of numbers; any other array as it is."""
    library = identify(function, name, value)
    if library == "" and name == "array":
        value = host.array(function, name, value)
        value = value.astype(np.float64) if value.size == 0 else value
    if dtype_name(getattr(value, "dtype", np.dtype("float64"))) == "bool":
        xp = namespace_of(library or "numpy", value)
        return xp.astype(value, xp.uint8)
    return value


def _wide(name: str, float64: bool) -> str:
    """Return the dtype of sums: astropy's, double precision, where the device has it."""
    wide = "float64" if float64 else "float32"
    return complexified(wide) if kind(name) == "complex" else wide


def _result(own: str, summed: str, float64: bool) -> str:
    """Return the dtype of the result: the array's if that is a float, else double precision; complex if need be."""
    if kind(own) == "real" and kind(summed) == "complex":
        return complexified("float32" if own == "float32" or not float64 else "float64")
    return own if kind(own) != "integer" else _wide(summed, float64)


def _where(function: str, mask: Any, x: Any, xp: Namespace, device: Any, library: str) -> Any:
    """Return which samples are not masked, None without a mask."""
    if mask is None:
        return None
    if isinstance(mask, np.ma.MaskedArray):
        raise TypeError(f"{function}: `mask` must not be a masked array itself. Pass mask.filled(True).")
    if identify(function, "mask", mask) in ("", "numpy") and library != "numpy":
        if identify(function, "mask", mask) == "numpy" and np.ndim(mask):
            raise TypeError(
                f"{function}: `array` and `mask` must come from one array library. Got {library} and numpy."
            )
        mask = host.from_numpy(np.asarray(mask) != 0, "bool", xp, device)
    elif identify(function, "mask", mask) == "":
        mask = np.asarray(mask)
    if shape_of(mask) != shape_of(x):
        raise ValueError(f"{function}: `mask` must have the shape of `array`, {shape_of(x)}. Got {shape_of(mask)}.")
    if device_of(mask) != device and library != "jax":
        raise TypeError(f"{function}: `array` and `mask` must be on one device. Got {device} and {device_of(mask)}.")
    return ~mask if dtype_name(mask.dtype) == "bool" else mask == 0


def complex_precision(function: str, dtype: Any) -> str:
    """Return the real dtype of a complex one; TypeError for any other."""
    name = requested_dtype_name(function, dtype, "complex_dtype")
    if kind(name) != "complex":
        raise TypeError(f"{function}: `complex_dtype` must be complex64 or complex128. Got {name}.")
    return component(name)


def dtype_of_sums(arguments: Arguments) -> str:
    """Return the dtype of the sums."""
    return dtype_name(arguments.x.dtype)


def marked_separable(result: Any, array: Any, kernel: Any) -> Any:
    """Return a kernel that is marked as separable if its factors are; any other result as it is."""
    if is_kernel(result):
        result._is_bool = False
        result._separable = array._separable and getattr(kernel, "_separable", True)
    return result


def _without_nan(xp: Any, x: Any, y: Any) -> Any:
    return xp.where(xp.isnan(x), y, x)


def replaced(function: str, array: Any, y: Any) -> Any:
    """Return an array with y in the place of its NaN."""
    if isinstance(array, (list, tuple)):
        array = host.array(function, "array", array)
    xp = namespace_of(identify(function, "array", array) or "numpy", array)
    with on_device(xp, device_of(array)):
        return dry_run.elementwise(partial(_without_nan, xp), array, y, xp=xp)


def returned(arguments: Arguments, y: Any) -> Any:
    """Return a result in its dtype, with the unit of the array, or as a kernel."""
    if kind(dtype_name(y.dtype)) != "complex" or kind(arguments.dtype) == "complex":
        dtype = getattr(arguments.xp, arguments.dtype) if arguments.order is None else arguments.order
        y = cast(y, dtype, arguments.dtype, xp=arguments.xp, device=arguments.device)
    if arguments.kernel_type is not None:
        return arguments.kernel_type(array=y)
    return y if arguments.unit is None else y << arguments.unit
