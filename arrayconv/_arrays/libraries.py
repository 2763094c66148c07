"""The table of array libraries: everything that differs between them and that the standard leaves open.

A library without a row gets the standard-only code and no shortcut: `UNKNOWN` is its row. No library is imported here:
functions of a row run on arrays or modules that the caller has.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable
from operator import attrgetter
from typing import Any, NamedTuple

from arrayconv._arrays import compat, to_numpy
from arrayconv._runtime.tracing import planning


def _device_kind(device: Any) -> str:
    kind = str(getattr(device, "type", device))
    return type(device).__name__ if kind.startswith("<") else kind  # no address of an object in a plan's key


def _one_device(module: Any) -> dict[str, Any]:
    return {"cpu": None}


def _wait_for_array(array: Any) -> None:
    if hasattr(array, "block_until_ready"):
        array.block_until_ready()


class Card(NamedTuple):
    """A GPU by the driver's name, '' for an unknown one, and its memory in bytes."""

    name: str = ""
    memory: int = 0


def _chunk_device(x: Any) -> Any:
    """Return the device of a lazy array's chunks, and of a chunk of it the same."""
    return compat.device(getattr(x, "_meta", x))


def _no_wait(array: Any) -> None:
    """Return at once: a lazy array is computed when its owner says so."""


def _no_number(device: Any) -> int | None:
    return None


def _no_card(number: int | None) -> Card:
    return Card()


class Library(NamedTuple):
    """One array library. The defaults are those of a library that is not known."""

    name: str  # as users import it
    packages: tuple[str, ...] = ()  # where its array types are defined
    array_types: tuple[str, ...] = ()  # their names
    namespace: str = ""  # the module to import: array_api_compat's where that wraps the library
    aliases: tuple[str, ...] = ()  # other names that users may give
    standard_only: bool = True  # nothing is relied on that the standard does not guarantee
    writable: bool = False  # y[...] = v works, on views of y too; of a `standard_only` library it is tried
    readable: bool = False  # values of arrays on the CPU are read without waiting
    integer_matmul: bool = True  # on other devices than the CPU
    compiled_loops: bool = False  # this package's loops run on its arrays of the CPU, on several threads
    plain_types: bool = False  # no type of its packages contains more than numbers
    gpu_only: bool = False
    lazy: bool = False  # an array is a graph of chunks of another library, computed later
    current_device: bool = False  # arrays are created and computed on the thread's current device, whatever theirs is
    dtype_hint: str = ""  # what to do where a dtype is missing
    extra: str = ""  # of this package, which installs the library
    device: Callable[[Any], Any] = compat.device  # of an array
    device_kind: Callable[[Any], str] = _device_kind  # of a device: 'cpu', 'cuda', ...
    devices: Callable[[Any], dict[str, Any]] = _one_device  # label -> device of the imported library; None for the only
    to_numpy: Callable[[Any], Any] = to_numpy.of_any  # what NumPy can read
    wait: Callable[[Any], None] = _wait_for_array  # until an array is computed
    queue: Callable[[Any], Hashable] = str  # of a device: names it, and the stream that work submitted now runs in
    number: Callable[[Any], int | None] = _no_number  # of a device on a GPU
    card: Callable[[int | None], Card] = _no_card  # of such a number; nothing waits


def _torch_devices(torch: Any) -> dict[str, Any]:
    labels = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    return {label: torch.device(label) for label in labels}


def _wait_for_torch(tensor: Any) -> None:
    if tensor.device.type == "cuda":
        sys.modules["torch"].cuda.synchronize(tensor.device)


def _torch_queue(device: Any) -> Hashable:
    if device.type != "cuda":
        return str(device)
    return device.index, sys.modules["torch"].cuda.current_stream(device).cuda_stream


def _torch_number(device: Any) -> int | None:
    return device.index  # no attrgetter: torch.compile follows this


def _torch_card(number: int | None) -> Card:
    properties = sys.modules["torch"].cuda.get_device_properties(number)
    return Card(properties.name, properties.total_memory)


def _cupy_queue(device: Any) -> Hashable:
    return device.id, sys.modules["cupy"].cuda.get_current_stream().ptr


def _cupy_card(number: int | None) -> Card:
    properties = sys.modules["cupy"].cuda.runtime.getDeviceProperties(number)
    return Card(properties["name"].decode(), properties["totalGlobalMem"])


def _cupy_devices(cupy: Any) -> dict[str, Any]:
    return {f"cuda:{i}": cupy.cuda.Device(i) for i in range(cupy.cuda.runtime.getDeviceCount())}


def _wait_for_cupy(_: Any) -> None:
    sys.modules["cupy"].cuda.get_current_stream().synchronize()


def _cuda(_: Any) -> str:
    return "cuda"


def _jax_device(x: Any) -> Any:
    """Return the device of an array; of one that is cut among several, all of them, each with a whole array."""
    place = compat.device(x)
    if not hasattr(place, "mesh"):
        return place
    sharding = sys.modules["jax"].sharding
    return sharding.NamedSharding(place.mesh, sharding.PartitionSpec())


def _jax_platform(device: Any) -> str:
    """Return 'cpu', 'gpu', ... for a device, a sharding over several, or None: a tracer's, which has none yet."""
    if hasattr(device, "device_set"):
        device = next(iter(device.device_set))
    if device is None and "jax" in sys.modules:
        jax = sys.modules["jax"]
        device = jax.config.jax_default_device or jax.default_backend()
    return str(getattr(device, "platform", device or "cpu"))


def _jax_number(device: Any) -> int | None:
    if hasattr(device, "device_set"):
        device = next(iter(device.device_set))
    return getattr(device, "id", None)


def _jax_card(number: int | None) -> Card:
    devices = sys.modules["jax"].devices("gpu")
    return Card(next(device for device in devices if number in (None, device.id)).device_kind)


def _jax_devices(jax: Any) -> dict[str, Any]:
    return {f"{device.platform}:{device.id}": device for device in jax.devices()}


def _strict_devices(strict: Any) -> dict[str, Any]:
    return {str(device).split("'")[1]: device for device in strict.__array_namespace_info__().devices()}


UNKNOWN = Library("")
LIBRARIES: dict[str, Library] = {
    row.name: row
    for row in (
        Library(
            "numpy",
            packages=("numpy",),
            array_types=("ndarray", "generic"),
            namespace="array_api_compat.numpy",
            standard_only=False,
            writable=True,
            readable=True,
            compiled_loops=True,
            plain_types=True,
            device=attrgetter("device"),
        ),
        Library(
            "torch",
            extra="torch",
            packages=("torch",),
            array_types=("Tensor",),
            namespace="array_api_compat.torch",
            standard_only=False,
            writable=True,
            readable=True,
            integer_matmul=False,
            device=attrgetter("device"),
            devices=_torch_devices,
            to_numpy=to_numpy.of_torch,
            wait=_wait_for_torch,
            queue=_torch_queue,
            number=_torch_number,
            card=_torch_card,
        ),
        Library(
            "cupy",
            extra="gpu",
            packages=("cupy",),
            array_types=("ndarray",),
            namespace="array_api_compat.cupy",
            standard_only=False,
            writable=True,
            plain_types=True,
            gpu_only=True,
            current_device=True,
            device=attrgetter("device"),
            device_kind=_cuda,
            devices=_cupy_devices,
            to_numpy=to_numpy.of_cupy,
            wait=_wait_for_cupy,
            queue=_cupy_queue,
            number=attrgetter("id"),
            card=_cupy_card,
        ),
        Library(
            "jax",
            extra="jax",
            packages=("jax", "jaxlib"),
            array_types=("ArrayImpl", "Tracer"),
            namespace="jax.numpy",
            standard_only=False,
            compiled_loops=True,
            plain_types=True,
            dtype_hint="set JAX_ENABLE_X64=1 to have it",
            device=_jax_device,
            device_kind=_jax_platform,
            devices=_jax_devices,
            number=_jax_number,
            card=_jax_card,
        ),
        Library(
            "array_api_strict",
            extra="demo",
            packages=("array_api_strict",),
            array_types=("Array",),
            namespace="array_api_strict",
            aliases=("strict",),
            devices=_strict_devices,
            to_numpy=to_numpy.of_strict,
        ),
        Library(
            "dask",
            extra="dask",
            packages=("dask",),
            array_types=("Array",),
            namespace="array_api_compat.dask.array",
            aliases=("dask.array",),
            plain_types=True,
            lazy=True,
            device=_chunk_device,
            wait=_no_wait,
        ),
    )
}
# Compilers follow a look-up in these, and hardly one in the table.
_KNOWN = frozenset(row.name for row in LIBRARIES.values() if not row.standard_only)
_KNOWN_PACKAGES = frozenset(package for name in _KNOWN for package in LIBRARIES[name].packages)
_IMMUTABLE = frozenset(name for name in _KNOWN if not LIBRARIES[name].writable)
_BY_PACKAGE = {package: row for row in LIBRARIES.values() for package in row.packages}
_BY_ALIAS = {alias: row for row in LIBRARIES.values() for alias in (row.name, *row.aliases)}


def library_row(name: str) -> Library:
    """Return the row of the library called `name`, `UNKNOWN` where it has none."""
    return LIBRARIES.get(name, UNKNOWN)


def row_of_type(kind: type) -> Library | None:
    """Return the row of the library whose array type `kind` is or is derived from, None where no row has it."""
    for base in kind.__mro__:  # torch.nn.Parameter and other subclasses
        row = _BY_PACKAGE.get(base.__module__.split(".")[0])
        if row is not None and base.__name__ in row.array_types:
            return row
    return None


@planning()
def namespace_name(name: str) -> str:
    """Return the module that is the namespace of the library that a user calls `name`; of others the name itself."""
    row = _BY_ALIAS.get(name)
    return name if row is None else row.namespace


def is_standard_only(name: str) -> bool:
    """Whether the library called `name` gets the standard-only code."""
    return name not in _KNOWN


def is_immutable(name: str) -> bool:
    """Whether arrays of the library called `name` are known to be immutable."""
    return name in _IMMUTABLE


def is_known(kind: type) -> bool:
    """Whether a type is defined in a package of a library whose behaviour is known."""
    return kind.__module__.split(".")[0] in _KNOWN_PACKAGES
