"""Layouts of arrays in memory: a layout is a value that prints itself, drawn by Hypothesis or named in a table.

Every layout contains the same numbers. The bytes between, before and after them are NaN or -1: a result shows a read
there, and `Placed.surroundings` a write.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

BLANK = 0xFF  # of all bytes: NaN for floats, -1 for signed integers
MARGIN = 2  # samples before and after all others


class Layout(NamedTuple):
    """How the axes of an array step through memory."""

    order: tuple[int, ...]  # axes, the one of the longest steps first
    steps: tuple[int, ...]  # by axis, in steps of a dense array: negative in reverse, 0 for one sample many times
    gap: int = 0  # bytes between two samples, as in records of several fields
    shift: int = 0  # bytes from an aligned address to the first sample
    swapped: bool = False  # bytes in the order that is not the machine's
    read_only: bool = False
    lazy: bool = False  # tensors: conjugated or negated by a mark alone

    def __repr__(self):
        usual = dense(len(self.order))
        fields = [f"{name}={value}" for name, value in self._asdict().items() if value != getattr(usual, name)]
        return f"Layout({', '.join(fields)})"

    def strides(self, shape, unit=1):
        """Return the step of each axis, the offset of the first sample, and the length of all."""
        strides, step = [0] * len(shape), unit
        for axis in reversed(self.order):
            strides[axis] = step * self.steps[axis]
            step *= max(1, abs(self.steps[axis]) * shape[axis])
        first = -sum(stride * (n - 1) for stride, n in zip(strides, shape, strict=True) if stride < 0)
        return tuple(strides), first, step


def dense(ndim):
    """Return the layout of a new array."""
    return Layout(tuple(range(ndim)), (1,) * ndim)


@st.composite
def layouts(draw, library, array, *, writable=False):
    """Draw a layout for the numbers of a host array; a `writable` one stores no sample twice."""
    ndim = array.ndim
    plain = dense(ndim)
    kind = draw(st.sampled_from(["dense", "permuted", "stepped"]))
    if kind == "dense":
        return plain._replace(read_only=library == "numpy" and not writable and draw(st.booleans()))
    order = tuple(draw(st.permutations(range(ndim))))
    usual = _memory(library).steps
    if kind == "permuted" or usual == (1,):
        return plain._replace(order=order)
    steps = [st.sampled_from(usual + (() if writable else _repeats(array, axis))) for axis in range(ndim)]
    layout = Layout(order, draw(st.tuples(*steps)))
    if library == "torch":
        return layout._replace(lazy=draw(st.booleans()) and array.dtype.kind in "fc")
    if library != "numpy":
        return layout
    odd = st.sampled_from([0, 0, 0, 0, 1])  # most often a layout that a bound call could mistake for its own
    gaps = st.sampled_from([0, 0, 0, 0, 1, array.itemsize // 2])
    return layout._replace(
        gap=draw(gaps), shift=draw(odd), swapped=draw(odd) == 1, read_only=not writable and draw(odd) == 1
    )


def _repeats(array, axis):
    """Return (0, 0) where all samples along an axis are the same, so that one may stand for all."""
    return (0, 0) if (array == array.take([0], axis)).all() else ()


class Placed(NamedTuple):
    """An array of some library, and the memory that it is a view of."""

    array: Any
    memory: Any  # on the host, a byte each; None where the library shows none

    def snapshot(self):
        """Return the bytes of the memory."""
        return None if self.memory is None else self.memory.tobytes()

    def surroundings(self):
        """Return the bytes of the memory that are no sample; blanks the samples."""
        self.array[...] = 0
        return self.snapshot()


def place(library, host, layout):
    """Return the numbers of a host array as an array of a library, with a layout in memory."""
    return _memory(library.name).place(library, np.asarray(host), layout)


def _numpy(library, host, layout):
    margin = MARGIN * host.itemsize
    strides, first, room = layout.strides(host.shape, host.itemsize + layout.gap)
    memory = np.full(room + 2 * margin + layout.shift, BLANK, np.uint8)
    dtype = host.dtype.newbyteorder() if layout.swapped else host.dtype
    array = np.ndarray(host.shape, dtype, memory, margin + layout.shift + first, strides)
    array[...] = host
    array.flags.writeable = not layout.read_only
    return Placed(array, memory)


def _strict(library, host, layout):
    array, memory = _numpy(library, host, layout)
    return Placed(library.xp.asarray(array, device=library.device), memory)


def _torch(library, host, layout):
    torch = library.xp
    if layout.lazy and host.dtype.kind == "f":
        return _negated(library, host, layout)
    strides, first, room = layout.strides(host.shape)
    memory = np.full((room + 2 * MARGIN) * host.itemsize, BLANK, np.uint8)
    flat = torch.from_numpy(memory.view(host.dtype))
    tensor = flat.as_strided(host.shape, strides, MARGIN + first)
    numbers = torch.from_numpy(np.array(host.conj() if layout.lazy else host))
    for sample in np.ndindex(host.shape):  # torch refuses to copy onto samples that share memory
        tensor[sample] = numbers[sample]
    return Placed(tensor.conj() if layout.lazy else tensor, memory)


def _negated(library, host, layout):
    """Return a tensor that is marked as negated: a part of a conjugate."""
    pairs = (1j * -host).astype({"float32": "complex64", "float64": "complex128"}[host.dtype.name])
    tensor, memory = _torch(library, pairs, layout._replace(lazy=False))
    return Placed(tensor.conj().imag, memory)


def _jax(library, host, layout):
    import jax
    from jax.experimental import layout as layouts
    from jax.sharding import SingleDeviceSharding

    device = SingleDeviceSharding(library.device)
    return Placed(jax.device_put(host, layouts.Format(layouts.Layout(layout.order), device)), None)


def _dense(library, host, layout):
    return Placed(library.asarray(host), None)


class _Memory(NamedTuple):
    """How a library stores its arrays; the defaults are for a library of which nothing is known."""

    place: Callable[..., Placed] = _dense  # (library, host, layout)
    steps: tuple[int, ...] = (1,)  # that an axis may have


_MEMORY = {
    "numpy": _Memory(_numpy, (1, 1, -1, 2, -2, 3)),
    "array_api_strict": _Memory(_strict, (1, 1, -1, 2, -2, 3)),
    "torch": _Memory(_torch, (1, 1, 2, 3)),
    "jax": _Memory(_jax),
}


def _memory(library):
    return _MEMORY.get(library, _Memory())


def samples(draw, shape, dtype):
    """Draw numbers of a dtype, the same along some of the axes."""
    repeated = draw(st.sets(st.integers(0, len(shape) - 1), max_size=1)) if shape else ()
    random = np.random.default_rng(draw(st.integers(0, 999), label="seed"))
    sizes = [1 if axis in repeated else n for axis, n in enumerate(shape)]
    values = random.integers(-9, 10, sizes) if np.dtype(dtype).kind in "iu" else random.standard_normal(sizes)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * random.standard_normal(sizes)
    return np.broadcast_to(values.astype(dtype), shape)


def bits(host):
    """Return the bytes of an array's numbers in order, for any order in memory."""
    return host.shape, host.astype(host.dtype.newbyteorder("="), order="C").tobytes()
