"""Array libraries in the suite: arrays on a device, and their values on the host.

Any importable namespace of the standard is a backend. The few that need more than the standard have a row in
`_LIBRARIES`. A backend that can't run here raises Unavailable with a sentence, which becomes the reason of every skip.
Results are compared on host copies, so nothing here calls the functions under test, nor anything else of the target.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import numpy as np
import pytest
from array_api_compat import device as device_of

from . import dtypes

_NEEDED = ("asarray", "zeros", "astype", "reshape")  # a module with these is taken for a namespace
_SLOW = ("mparray", "ndonnx")  # numbers of any precision, a program per operation: use few cases


class Unavailable(Exception):
    """Why a backend can't run here."""


class Backend(NamedTuple):
    """A library, a device of it, and how to get arrays in and out."""

    name: str
    xp: Any
    device: Any
    device_name: str
    versions: str
    compiles_shapes: bool = False  # every new shape costs a compilation
    few: bool = False  # calls take long: every row of a table once, instead of every combination
    most: int | None = None  # cases of a test where few run, if there is a limit

    def has(self, dtype):
        """Whether arrays of this dtype exist on the device."""
        return _row(self.name).has(self, dtype)

    @property
    def real(self):
        """The widest real dtype of the device."""
        return "float64" if self.has("float64") else "float32"

    @property
    def complex(self):
        return "complex128" if self.has("complex128") else "complex64"

    def array(self, host, dtype):
        """The host's numbers as an array of the dtype on the device."""
        host = np.array(host)  # a copy: libraries may share the memory, and may refuse it where it is read-only
        if not hasattr(self.xp, dtype):
            pytest.skip(f"{self.name} has no {dtype}")
        return _row(self.name).array(self, host, dtype)

    def host(self, array):
        """A NumPy copy, in float32 where NumPy lacks the dtype: bfloat16."""
        host = np.array(_row(self.name).read(array))
        return host if dtypes.in_numpy(host.dtype.name) else host.astype(np.float32)

    @property
    def library(self):
        """The name of the package whose arrays these are, as error texts give it."""
        return self.name.split(".")[0] if self.name in _LIBRARIES else type(self.xp.zeros(1)).__module__.split(".")[0]

    def dtype_name(self, array):
        return str(getattr(array.dtype, "name", None) or str(array.dtype).rsplit(".", 1)[-1]).rsplit(".", 1)[-1]

    @property
    def jit(self):
        """The library's compiler, or None where calls are always eager."""
        return _row(self.name).jit()

    def device_of(self, array):
        return device_of(array)

    def __str__(self):
        return f"{self.name} {self.versions} on {self.device_name}"


def _has(backend, dtype):
    """Whether a namespace of the standard says that it has a dtype."""
    info = getattr(backend.xp, "__array_namespace_info__", None)
    if info is None or not dtypes.is_standard(dtype):
        return hasattr(backend.xp, dtype)
    try:
        return dtype in info().dtypes(device=backend.device)
    except TypeError:  # one that demands a kind
        return hasattr(backend.xp, dtype)


def _array(backend, host, dtype):
    """An array by the standard's functions: from a NumPy array where they take one, else from a list."""
    host = host.astype(dtype) if dtypes.in_numpy(dtype) else host
    options = {"dtype": getattr(backend.xp, dtype), "device": backend.device}
    try:
        return backend.xp.asarray(host, **options)
    except Exception:  # the standard knows lists, and no other library's arrays
        return backend.xp.reshape(backend.xp.asarray(host.ravel().tolist(), **options), host.shape)


def _read(array):
    """What NumPy makes an array of: by a protocol, by lists, or number by number, as the standard demands."""
    if hasattr(array, "__array__"):
        return array
    if hasattr(array, "unwrap_numpy"):  # ndonnx's, which has none of those
        return array.unwrap_numpy()
    for way in (np.from_dlpack, lambda array: array.tolist()):
        with suppress(Exception):  # not every library that names a protocol keeps to it
            return way(array)
    name = str(getattr(array.dtype, "name", array.dtype)).rsplit(".", 1)[-1]
    number = {"integer": int, "real": float, "complex": complex}[dtypes.kind(name)]
    return np.array([number(array[i]) for i in np.ndindex(*array.shape)], dtype=name).reshape(array.shape)


def _eager():
    return None


def canonical(name):
    """The name of a backend's lists of known failures: the library's own, without the package that wraps it."""
    return {"jax.numpy": "jax"}.get(name, name.removeprefix("array_api_compat."))


def load(name, device=None):
    """The backend, ready for use.

    Unavailable where the library or the device is missing, LookupError where no module of that name is a namespace.
    """
    try:
        return _row(name).load(device)
    except ImportError as missing:
        raise Unavailable(f"{name} is not installed: {missing}") from missing


def _any(name, device):
    """Any namespace, by its dotted name."""
    xp = _module(name)
    if lacking := [function for function in _NEEDED if not hasattr(xp, function)]:
        raise LookupError(f"{name!r}, which is no array namespace: it lacks {', '.join(lacking)}")
    info = getattr(xp, "__array_namespace_info__", None)
    places = list(info().devices()) if info else []
    place = info().default_device() if info and device is None else None
    if place is None:
        place = device_of(xp.zeros(1)) if device is None else next((p for p in places if device in (p, str(p))), None)
    if place is None:
        raise Unavailable(
            f"{name} has no device {device!r}, only {', '.join(map(repr, map(str, places))) or 'its own'}"
        )
    package = name.split(".")[0]
    try:
        versions = version(package)
    except PackageNotFoundError:
        versions = getattr(xp, "__version__", "of unknown version")
    return Backend(name, xp, place, _device_name(place), versions, few=package in _SLOW)


def _device_name(place):
    """A device's text; its class where that is an address, which differs from run to run."""
    return type(place).__qualname__ if type(place).__str__ is object.__str__ else str(place)


def _module(name):
    """The module, or the attribute of one, that a dotted name means."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            value = import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        except ImportError as broken:
            raise Unavailable(f"{name} can't be imported: {broken}") from broken
        for attribute in parts[count:]:
            value = getattr(value, attribute, None)
        if value is not None:
            return value
    raise LookupError(f"{name!r}, and there is no module of that name")


def _numpy(device):
    if device not in (None, "cpu"):
        raise Unavailable(f"numpy has no device {device!r}, only 'cpu'")
    return Backend("numpy", import_module("array_api_compat.numpy"), "cpu", "cpu", np.__version__)


def _torch(device):
    xp = import_module("array_api_compat.torch")
    place = import_module("torch").device(device or "cpu")
    if place.type == "cuda" and not xp.cuda.is_available():
        raise Unavailable("no GPU: torch.cuda.is_available() is False")
    if place.type == "cuda" and place.index is None:
        place = type(place)("cuda", xp.cuda.current_device())
    return Backend("torch", xp, place, str(place), version("torch"))


def _torch_has(backend, dtype):
    return hasattr(backend.xp, dtype)


def _torch_array(backend, host, dtype):
    return backend.xp.asarray(host).to(backend.device).to(getattr(backend.xp, dtype))


def _torch_read(tensor):
    tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
    return (tensor if dtypes.in_numpy(str(tensor.dtype).removeprefix("torch.")) else tensor.float()).numpy()


def _jax(device):
    jax = import_module("jax")
    jax.config.update("jax_enable_x64", True)  # without it JAX turns float64 and int64 into their halves
    try:
        place = jax.devices(device or "cpu")[0]
    except RuntimeError as missing:
        raise Unavailable(f"no GPU: jax has no device {device!r}: {missing}") from missing
    return Backend("jax", import_module("jax.numpy"), place, f"{place} (x64 enabled)", version("jax"), True, True)


def _jax_array(backend, host, dtype):
    """Without the two programs that jax.numpy.asarray compiles for every shape."""
    return import_module("jax").device_put(host.astype(np.dtype(getattr(backend.xp, dtype))), backend.device)


def _jax_jit():
    return import_module("jax").jit


def _strict(device):
    xp = import_module("array_api_strict")
    name = device or "CPU_DEVICE"
    try:
        place = xp.Device(name)
    except (ValueError, KeyError) as unknown:
        raise Unavailable(f"array_api_strict has no device {name!r}: {unknown}") from unknown
    return Backend("array_api_strict", xp, place, name, version("array-api-strict"))


def _strict_has(backend, dtype):
    return dtypes.is_standard(dtype) and _has(backend, dtype)


def _strict_read(array):
    return array.to_device(import_module("array_api_strict").Device("CPU_DEVICE"))


def _cupy(device):
    cupy = import_module("cupy")
    if not cupy.is_available():
        raise Unavailable("no GPU: cupy.is_available() is False")
    number = int(device or 0)
    cupy.cuda.Device(number).use()
    return Backend(
        "cupy", import_module("array_api_compat.cupy"), cupy.cuda.Device(number), f"cuda:{number}", cupy.__version__
    )


def _cupy_read(array):
    return array.get()


def _dask(device):
    if device not in (None, "cpu"):
        raise Unavailable(f"dask.array has no device {device!r}, only 'cpu'")
    xp = import_module("array_api_compat.dask.array")  # the library's own module lacks functions of the standard
    return Backend("dask.array", xp, "cpu", "cpu, chunks of NumPy arrays", version("dask"), few=True)


def _dask_array(backend, host, dtype):
    """Two chunks along every axis."""
    chunks = tuple(-(-size // 2) for size in host.shape)
    return import_module("dask.array").from_array(host.astype(dtype), chunks=chunks)


class _Library(NamedTuple):
    """What a library needs beyond the standard; the defaults are those of any namespace."""

    load: Callable[[Any], Backend]  # (device, None for the usual one)
    array: Callable[[Backend, Any, str], Any] = _array
    read: Callable[[Any], Any] = _read  # what NumPy can read
    has: Callable[[Backend, str], bool] = _has
    jit: Callable[[], Any] = _eager


_LIBRARIES = {
    "numpy": _Library(_numpy),
    "torch": _Library(_torch, _torch_array, _torch_read, _torch_has),
    "jax": _Library(_jax, _jax_array, jit=_jax_jit),
    "array_api_strict": _Library(_strict, read=_strict_read, has=_strict_has),
    "dask.array": _Library(_dask, _dask_array),
    "cupy": _Library(_cupy, read=_cupy_read),
}


NAMES = tuple(_LIBRARIES)


def _row(name):
    return _LIBRARIES.get(name) or _Library(partial(_any, name))


def numbers(seed, shape, dtype, scale=1.0, small=False):
    """Host numbers for an array of the dtype: integers from its whole range or small ones, else normal deviates."""
    rng = np.random.default_rng([seed, *shape])
    if dtypes.kind(dtype) == "integer":
        low, high = dtypes.limits(dtype)
        if small:
            low, high = max(low, -9), 9
        return rng.integers(low, high, size=shape, dtype=dtype, endpoint=True)
    values = rng.normal(size=shape) * scale
    return values + 1j * rng.normal(size=shape) * scale if dtypes.kind(dtype) == "complex" else values
