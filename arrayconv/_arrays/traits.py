"""What a plan may know of arrays: below the front doors nothing tests the type of an array, it reads a `Traits`."""

from __future__ import annotations

from typing import Any, NamedTuple

from arrayconv._arrays import dtypes
from arrayconv._arrays.identify import device_kind
from arrayconv._arrays.libraries import Card, is_immutable, is_standard_only, library_row
from arrayconv._arrays.namespace import Namespace, compat_namespace, has_dtype, has_fft, writing
from arrayconv._runtime.tracing import is_recorded, planning

_GPUS = frozenset(("cuda", "gpu", "rocm", "xpu", "mps"))


class Traits(NamedTuple):
    """What a plan needs to know of its arrays; hashable, part of a plan's key."""

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
    accelerators: frozenset[str] = frozenset()  # the libraries whose methods may run
    threads: int = 1  # how many this package's own loops and a provider's transforms may use
    has_fft: bool = True  # there are transforms: a provider's, or the namespace's optional `fft` extension
    card: str = ""  # the driver's name of a GPU, '' for an unknown one
    memory: int = 0  # bytes of that GPU, 0 for an unknown one
    origin: str = ""  # the library of the caller's arrays, where the backend computes over the same memory
    chunk_backend: str = ""  # of a lazy backend: the library of its chunks, whose traits the other fields are

    @property
    def library(self) -> str:
        """The library of the caller's arrays."""
        return self.origin or self.backend

    @property
    def of_chunk(self) -> Traits:
        """The traits of a lazy array's chunks; its own for any other."""
        return self._replace(backend=self.chunk_backend, chunk_backend="") if self.chunk_backend else self

    @property
    def row(self) -> str:
        """Name of the cost table's row: library, the provider of transforms, tracing, device."""
        provider = f"+{self.transforms}" if self.transforms else ""
        return f"{self.backend}{provider}{'-traced' * self.traced}/{self.device}"

    @property
    def on_gpu(self) -> bool:
        """Whether every operation is a launch, which takes longer than many thousand elements."""
        return self.device in _GPUS

    @property
    def exact(self) -> bool:
        """Whether the result is integer, and so must be exact."""
        return dtypes.kind(self.accumulator) == "integer"

    @property
    def itemsize(self) -> int:
        """Bytes of one accumulated element."""
        return dtypes.itemsize(self.accumulator)


def traits(backend: str, device: Any, xp: Namespace, output: str, *, traced: bool = False) -> Traits:
    """Return what a plan may know of arrays of this library on this device; of a lazy one NumPy's as its chunks."""
    if library_row(backend).lazy:
        return lazy(backend, traits("numpy", "cpu", compat_namespace("numpy"), output))
    kind = device_kind(backend, device)
    exact = dtypes.kind(output) == "integer"
    readable, integer_matmul = _on_device(backend, kind)
    card, memory = _card(backend, library_row(backend).number(device)) if kind in _GPUS else ("", 0)
    return Traits(
        backend=backend,
        device=kind,
        accumulator=dtypes.accumulator(output),
        output=output,
        traced=traced,
        readable=readable and not traced,
        writable=_is_writable(backend, xp, traced),
        float64=not exact or has_dtype(xp, device, "float64"),
        integer_matmul=integer_matmul,
        has_fft=has_fft(xp),
        card=card,
        memory=memory,
    )


def lazy(backend: str, of_chunks: Traits) -> Traits:
    """Return the traits of a lazy library's arrays from those of their chunks."""
    return of_chunks._replace(backend=backend, chunk_backend=of_chunks.backend)


ON_CARDS = ("cupy", "torch", "jax")  # libraries of `traits_on_card`


def traits_on_card(backend: str, output: str, card: str) -> Traits:
    """Return what a plan may know of a known library's arrays on a GPU by its name, which need not be there."""
    row = library_row(backend)
    return Traits(
        backend=backend,
        device="gpu" if backend == "jax" else "cuda",
        accumulator=dtypes.accumulator(output),
        output=output,
        writable=row.writable,
        integer_matmul=row.integer_matmul,
        card=card,
    )


@planning()
def _card(backend: str, number: int | None) -> Card:
    """Return the name and the memory of a GPU: asked once, and of a driver that does not say unknown."""
    try:
        return library_row(backend).card(number)
    except Exception:  # of the library's own type: no driver, or none that this library can ask
        return Card()


@planning()
def _on_device(backend: str, kind: str) -> tuple[bool, bool]:
    """Return whether values are readable on such a device, and whether matmul takes integers there."""
    row, on_cpu = library_row(backend), kind == "cpu"
    return row.readable and on_cpu, row.integer_matmul or on_cpu


def _is_writable(backend: str, xp: Namespace, traced: bool) -> bool:
    if is_standard_only(backend):
        return writing(xp).aliases
    return not (is_immutable(backend) or (traced and is_recorded(backend)))
