"""Which library an array belongs to, and what that library can do: the only file that imports array_api_compat.

Below the front doors nobody tests the type of an array; they read a `Traits` value made here. Requirements:

* no array library is imported on a user's behalf: a type is recognised by the package it was defined in;
* an allow-list: a library we don't know gets the standard-only code and no shortcut;
* what would be silently wrong is refused by type: masks, matrices, sparse storage, lazy arrays;
* nothing moves: two libraries or two devices are a TypeError that names both.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple, Protocol

import array_api_compat
import numpy as np

from arrayconv._arrays import dtypes, host, wrappers
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.namespace import Namespace, has_dtype, has_fft, is_namespace, writing
from arrayconv._errors import listed, shown
from arrayconv._runtime import torch_modes
from arrayconv._runtime.tracing import is_compiling, is_recorded, is_traced, planning, record


class Array(Protocol):
    """What this package asks of an array beyond its namespace's functions."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the lengths of the axes."""
        ...

    @property
    def ndim(self) -> int:
        """Return the number of axes."""
        ...

    @property
    def dtype(self) -> Any:
        """Return the library's own dtype."""
        ...

    def __getitem__(self, key: Any, /) -> Array: ...
    def __setitem__(self, key: Any, value: Any, /) -> None: ...
    def __add__(self, other: Any, /) -> Array: ...
    def __iadd__(self, other: Any, /) -> Array: ...
    def __sub__(self, other: Any, /) -> Array: ...
    def __mul__(self, other: Any, /) -> Array: ...
    def __rtruediv__(self, other: Any, /) -> Array: ...
    def __and__(self, other: Any, /) -> Array: ...
    def __or__(self, other: Any, /) -> Array: ...
    def __invert__(self) -> Array: ...
    def __lshift__(self, other: Any, /) -> Array: ...
    def __rshift__(self, other: Any, /) -> Array: ...
    def __gt__(self, other: Any, /) -> Array: ...
    def __lt__(self, other: Any, /) -> Array: ...


@record
class Traits(NamedTuple):
    """What a plan needs to know of the arrays it will meet; hashable, part of a plan's key."""

    backend: str  # 'numpy', 'torch', 'cupy', 'jax', 'array_api_strict', or the name of an unknown library
    device: str  # kind of device: 'cpu', 'cuda', 'gpu', 'meta', ...
    accumulator: str  # dtype name in which sums are formed
    output: str  # dtype name of the result
    traced: bool = False  # under jax.jit, torch.compile or a mode of torch: shapes are known, values are not
    readable: bool = False  # values may be looked at without waiting for a device or breaking a trace
    writable: bool = False  # y[...] = v works, on views of y too
    float64: bool = True  # the device computes in float64: exact integers by FFT need it
    integer_matmul: bool = True  # matmul takes integers on this device
    transforms: str = ""  # the library whose transforms are used, '' for the namespace's own
    accelerators: frozenset[str] = frozenset()  # the libraries whose methods may serve
    threads: int = 1  # how many this package's own loops and a provider's transforms may use
    has_fft: bool = True  # there are transforms: a provider's, or the namespace's optional `fft` extension
    origin: str = (
        ""  # the library whose arrays these are, where they are computed as the backend's over the same memory
    )

    @property
    def library(self) -> str:
        """The library of the caller's arrays."""
        return self.origin or self.backend

    @property
    def row(self) -> str:
        """Name of the cost table's row: library, the provider of transforms, tracing, device."""
        provider = f"+{self.transforms}" if self.transforms else ""
        return f"{self.backend}{provider}{'-traced' * self.traced}/{self.device}"

    @property
    def exact(self) -> bool:
        """Whether the result is integer, and so must be exact."""
        return dtypes.kind(self.accumulator) == "integer"

    @property
    def itemsize(self) -> int:
        """Bytes of one accumulated element."""
        return dtypes.itemsize(self.accumulator)


class Operands(NamedTuple):
    """Two arrays of one library on one device, and what is known of them."""

    x: Array
    kernel: Array
    xp: Namespace
    device: Any
    traits: Traits


_KNOWN = {"numpy": "numpy", "torch": "torch", "cupy": "cupy", "jax": "jax", "jaxlib": "jax", "dask": "dask"}
_ALIASES = {"jax": "jax.numpy", "strict": "array_api_strict"}
_NUMBERS = frozenset((bool, int, float, complex))


@planning(256)
def library(kind: type) -> str:
    """Return the name of the array library that `kind` belongs to, or '' for what is no array.

    Raises
    ------
    TypeError
        For array-like types whose meaning would be lost: masks, matrices, sparse storage, subclasses.
    NotImplementedError
        For Dask arrays.
    """
    wrappers.check_type(kind)
    if issubclass(kind, (np.ndarray, np.generic)):
        return "numpy"
    for base in kind.__mro__:  # torch.nn.Parameter and other subclasses of a library's array
        known = _KNOWN.get(base.__module__.split(".")[0])
        if known is not None and _is_array_type(base, known):
            return known
    owner = next((base for base in kind.__mro__ if "__array_namespace__" in vars(base)), None)
    return owner.__module__.split(".")[0] if owner is not None else ""


def _is_array_type(kind: type, known: str) -> bool:
    return kind.__name__ in {"torch": ("Tensor",), "cupy": ("ndarray",), "jax": ("ArrayImpl", "Tracer")}[known]


@planning(256)
def _may_wrap(kind: type) -> bool:
    return wrappers.may_wrap(kind)


def identify(function: str, argument: str, value: Any) -> str:
    """Return the library of `value`, '' for lists and numbers; refusals name the function and the argument."""
    name = _admitted(function, argument, value)
    if name == "torch" and value.layout is not sys.modules["torch"].strided:
        raise TypeError(f"{function}: `{argument}` is a sparse torch tensor ({value.layout}). Call .to_dense() first.")
    if isinstance(value, (list, tuple)):
        _check_entries(function, argument, value)
    elif not name and not isinstance(value, (int, float, complex)):
        raise TypeError(
            f"{function}: `{argument}` must be an array or a nested list of numbers. Got {wrappers.named(type(value))}."
        )
    return name


def _admitted(function: str, argument: str, value: Any) -> str:
    """Return the library of a value, '' for what is no array; refuses what would lose its meaning."""
    try:
        name = library(type(value))
        if _may_wrap(type(value)):
            wrappers.check_value(value)
    except (TypeError, NotImplementedError) as refusal:
        raise type(refusal)(f"{function}: `{argument}` {refusal}.") from None
    return name


def _check_entries(function: str, argument: str, values: Any) -> None:
    """Refuse lists of what NumPy would strip of its meaning, or move."""
    for entry in values:
        if isinstance(entry, (list, tuple)):
            _check_entries(function, argument, entry)
        elif type(entry) not in _NUMBERS and (name := _admitted(function, argument, entry)) not in ("", "numpy"):
            raise TypeError(
                f"{function}: `{argument}` must be an array or a nested list of numbers. Got a list of "
                f"{name} arrays. Stack them into one array first; nothing is moved behind your back."
            )


def is_known(kind: type) -> bool:
    """Whether a type is of a library whose behaviour is known here."""
    return kind.__module__.split(".")[0] in _KNOWN


def compat_namespace(xp: Any = None) -> Namespace:
    """Return the wrapped namespace of a module, a library's name, or None for NumPy; any other namespace as it is."""
    name = "numpy" if xp is None else xp if isinstance(xp, str) else getattr(xp, "__name__", "")
    if is_compiling() and name in ("torch", "array_api_compat.torch"):  # no compiler follows an import by name
        from array_api_compat import torch

        return torch
    if name.startswith("array_api_compat."):
        return import_module(name)
    name = _ALIASES.get(name, name)
    wrapped = name in ("numpy", "torch", "cupy")
    if not (wrapped or xp is None or isinstance(xp, str)) and hasattr(xp, "asarray"):
        return xp
    try:
        return import_module(f"array_api_compat.{name}" if wrapped else name)
    except (ModuleNotFoundError, ValueError) as missing:
        raise ModuleNotFoundError(
            f"compat_namespace: `xp` must name an installed array library. Got {name or xp!r} ({missing})."
        ) from None


def given_namespace(function: str, argument: str, value: Any) -> Namespace:
    """Return the wrapped namespace a caller names: a module, a library's name, what acts as one, or None for NumPy."""
    try:
        if value is None or is_namespace(value):
            xp = compat_namespace(value)
            if hasattr(xp, "asarray"):
                return xp
        kind = TypeError
    except (ImportError, ValueError):  # ValueError: '' or a relative name
        kind = ValueError
    raise kind(
        f"{function}: `{argument}` must be an array namespace or an installed library's name. Got {shown(value)}."
    )


def namespace_of(backend: str, x: Any) -> Namespace:
    """Return the wrapped namespace of an array of the library `backend`."""
    if backend not in _KNOWN:
        return array_api_compat.array_namespace(x)
    return compat_namespace(backend) if is_compiling() else _imported(backend)


@lru_cache
def _imported(library: str) -> Namespace:
    return compat_namespace(library)


@planning(256, typed=True)  # typed: array-api-strict warns when its dtypes are compared with NumPy's
def dtype_name(dtype: Any) -> str:
    """Return 'float32' for any library's float32, whether an instance, a class or a name."""
    if isinstance(dtype, type):
        dtype = np.dtype(dtype)
    return str(getattr(dtype, "name", None) or str(dtype).rsplit(".", 1)[-1])


def checked_dtype_name(function: str, argument: str, dtype: Any) -> str:
    """Return the dtype's name, or raise TypeError where this package does not compute in it."""
    try:
        name = dtype if isinstance(dtype, str) else dtype_name(dtype)
    except TypeError:
        name = repr(dtype)
    return dtypes.checked(function, argument, name)


def requested_dtype_name(function: str, dtype: Any, argument: str = "dtype") -> str:
    """Return the name of a dtype a caller asks for, or raise TypeError listing the known ones.

    Any library's dtype and any spelling NumPy reads: 'f4', 'double', float. A byte order is read and not kept: results
    are in the machine's, as those of data in another order are.
    """
    try:
        name = parse_dtype_name(dtype) if isinstance(dtype, str) else dtype_name(dtype)
    except (TypeError, ValueError):
        name = ""
    if name not in dtypes.DTYPES:
        raise TypeError(f"{function}: `{argument}` must be one of {listed(dtypes.DTYPES)}. Got {shown(dtype)}.")
    return name


@planning(256)
def parse_dtype_name(name: str) -> str:
    """Return the name of the dtype that NumPy reads in a string, '' for none; its own names stay as they are."""
    if name in dtypes.DTYPES:
        return name
    if name.lstrip("<>=|")[:1] in ("a", "S", "U", "V", "M", "m", "O"):  # text, dates, objects; NumPy warns of some
        return ""
    try:
        return np.dtype(name).name
    except (TypeError, ValueError, SyntaxError):  # NumPy parses strings with commas
        return ""


def device_of(x: Any) -> Any:
    """Return the device of an array."""
    name = library(type(x))
    if name in ("numpy", "torch", "cupy"):
        return x.device
    place = array_api_compat.device(x)
    return _whole_mesh(place) if name == "jax" and hasattr(place, "mesh") else place


def _whole_mesh(sharding: Any) -> Any:
    """Return the place of arrays that are whole on each device of a sharding: what is made for one that is cut."""
    jax = sys.modules["jax"]
    return jax.sharding.NamedSharding(sharding.mesh, jax.sharding.PartitionSpec())


def device_kind(backend: str, device: Any) -> str:
    """Return 'cpu', 'cuda', ... for a library's device object."""
    if backend == "cupy":
        return "cuda"
    if backend == "jax":
        return _jax_platform(device)
    kind = str(getattr(device, "type", device))
    return type(device).__name__ if kind.startswith("<") else kind  # no address of an object in a plan's key


def _jax_platform(device: Any) -> str:
    """Return 'cpu', 'gpu', ... for a device, a sharding over several, or None: a tracer's, which has none yet."""
    if hasattr(device, "device_set"):
        device = next(iter(device.device_set))
    if device is None and "jax" in sys.modules:
        jax = sys.modules["jax"]
        device = jax.config.jax_default_device or jax.default_backend()
    return str(getattr(device, "platform", device or "cpu"))


@float_errors_ignored
def operands(
    function: str, x: Any, kernel: Any, dtype: Any = None, names: tuple[str, str] = ("x", "kernel")
) -> Operands:
    """Admit two arrays: one library, one device, dtypes that have a convolution; lists become arrays.

    Lists become NumPy arrays as `x`, and arrays like `x` as the kernel: on its device, in its dtype where that
    can hold the numbers. Nothing else is converted or moved.
    """
    first, second = identify(function, names[0], x), identify(function, names[1], kernel)
    if not first or isinstance(x, np.generic):
        x, first = host.array(function, names[0], x), "numpy"
    if isinstance(kernel, np.generic):
        kernel = np.asarray(kernel)
    if second and first != second:
        raise TypeError(
            f"{function}: `{names[0]}` and `{names[1]}` must come from one array library. "
            f"Got {first} and {second}. Convert one of them first; nothing is moved behind your back."
        )
    xp = namespace_of(first, x)
    device = device_of(x)
    x_name = checked_dtype_name(function, names[0], x.dtype)
    if not second:
        name = x_name if dtype is None else requested_dtype_name(function, dtype)
        target = "the dtype of x, " if dtype is None else "dtype="
        float64 = has_dtype(xp, device, "float64")
        numbers = host.fitting(function, names[1], kernel, name, target, float64)
        kernel = numbers.array(numbers.dtype, xp, device)
    elif first != "numpy":
        _check_devices(function, names, first, x, kernel)
    if first == "torch" and not is_compiling():
        _check_fake(function, names, x, kernel)
    dtypes = x_name, checked_dtype_name(function, names[1], kernel.dtype)
    output = _output_name(function, names, dtypes, dtype, first, xp, device)
    return Operands(x, kernel, xp, device, traits(first, device, xp, output, traced=is_traced(first, x, kernel)))


def _check_devices(function: str, names: tuple[str, str], backend: str, x: Any, kernel: Any) -> None:
    if backend == "jax" and is_traced(backend, x, kernel):
        return  # a tracer has no device of its own: the compiled function decides
    places = [device_of(array) for array in (x, kernel)]
    if places[0] != places[1]:
        raise TypeError(
            f"{function}: `{names[0]}` and `{names[1]}` must be on one device. Got {places[0]} and {places[1]}. "
            f"Move one of them first; nothing is moved behind your back."
        )


def _check_fake(function: str, names: tuple[str, str], x: Any, kernel: Any) -> None:
    """Refuse tensors with values beside fake ones, unless the mode of those takes them."""
    number = torch_modes.with_values(x, kernel)
    if number is not None:
        raise TypeError(
            f"{function}: `{names[number]}` has values, among fake tensors that have none. Got "
            f"{type((x, kernel)[number]).__name__} of shape {tuple((x, kernel)[number].shape)}. Convert it by the fake "
            f"mode's from_tensor, pass lists inside the mode, or make the mode with allow_non_fake_inputs=True."
        )


def _output_name(
    function: str, names: tuple[str, str], dtypes: tuple[str, str], dtype: Any, backend: str, xp: Namespace, device: Any
) -> str:
    """Return the result's dtype name; raises where it does not exist on the device."""
    wanted = None if dtype is None else requested_dtype_name(function, dtype)
    output = result_dtype(function, names, *dtypes, wanted)
    if output not in dtypes and not has_dtype(xp, device, output):
        raise TypeError(
            f"{function}: the result's dtype {output} does not exist on {backend} device {device}. Got "
            f"{names[0]} {dtypes[0]}, {names[1]} {dtypes[1]}, dtype={wanted}. Cast the operands to a common narrower "
            f"dtype."
        )
    return output


def result_dtype(function: str, names: tuple[str, str], x_name: str, w_name: str, wanted: str | None) -> str:
    """Return the result's dtype name by the one rule, widened to `wanted` where that is given."""
    common = dtypes.promote(x_name, w_name)
    if wanted is not None:
        if all(dtypes.widens(name, wanted) for name in (x_name, w_name)):
            return wanted
        raise TypeError(
            f"{function}: `dtype` widens the accumulator and the result, it never narrows. Got dtype={wanted} for "
            f"{names[0]} {x_name} and {names[1]} {w_name}. Cast the operands first if that is meant."
        )
    if common is None:
        raise TypeError(
            f"{function}: {x_name} and {w_name} have no common dtype. Got `{names[0]}` {x_name}, `{names[1]}` "
            f"{w_name}. Cast one of them; with dtype= both are cast."
        )
    return common


def traits(backend: str, device: Any, xp: Namespace, output: str, *, traced: bool = False) -> Traits:
    """Return what a plan may know of arrays of this library on this device."""
    kind = device_kind(backend, device)
    exact = dtypes.kind(output) == "integer"
    return Traits(
        backend=backend,
        device=kind,
        accumulator=dtypes.accumulator(output),
        output=output,
        traced=traced,
        readable=backend == "numpy" or (backend == "torch" and kind == "cpu" and not traced),
        writable=_is_writable(backend, xp, traced),
        float64=not exact or has_dtype(xp, device, "float64"),
        integer_matmul=not (backend == "torch" and kind != "cpu"),
        has_fft=has_fft(xp),
    )


def _is_writable(backend: str, xp: Namespace, traced: bool) -> bool:
    if backend not in _KNOWN:
        return writing(xp).aliases
    return backend != "jax" and not (traced and is_recorded(backend))


def traits_like(function: str, like: Any, dtype: Any = None, argument: str = "like") -> Traits:
    """Return the traits of a call on arrays like `like`: an array, a namespace, a library's name, or None for NumPy."""
    if like is not None and not is_namespace(like):
        return operands(function, like, like, dtype, (argument, argument)).traits
    xp = given_namespace(function, argument, like)
    backend = getattr(xp, "__name__", "").removeprefix("array_api_compat.").split(".")[0]
    info = getattr(xp, "__array_namespace_info__", None)
    device = info().default_device() if info is not None and backend in _KNOWN else None
    if device is None:
        sample = xp.zeros(1)
        backend, device = _admitted(function, argument, sample), device_of(sample)
    default = "float64" if has_dtype(xp, device, "float64") else "float32"
    name = default if dtype is None else requested_dtype_name(function, dtype)
    if not has_dtype(xp, device, name):
        raise TypeError(f"{function}: `dtype` {name} does not exist in {backend} on {device}. Use a narrower one.")
    return traits(backend, device, xp, name)
