"""Where a result is written: buffers, places, and what an array given for output would lose or overwrite."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Iterable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from arrayconv._arrays import scratch
from arrayconv._arrays.array import Array
from arrayconv._arrays.identify import device_of, identify
from arrayconv._arrays.libraries import is_immutable, is_known
from arrayconv._arrays.namespace import Namespace, namespace_of, writing
from arrayconv._runtime.tracing import is_compiling, is_recorded, is_traced

Index = tuple[Any, ...]

_LONELY = (1 << 19) - 1  # multiply-adds of a product below which OpenBLAS, from 0.3 on, starts no thread
_FEW = 1 << 15  # elements of another library's array that is small


def buffer(part: Any, shape: tuple[int, ...], *, zeros: bool, xp: Namespace, device: Any) -> Array:
    """Return an array to put `part` into, of its dtype; under torch's vmap it is batched as `part` is."""
    if hasattr(part, "new_zeros"):
        return part.new_zeros(shape) if zeros else part.new_empty(shape)
    if is_numpy(part):
        y: Any = (np.zeros if zeros else np.empty)(shape, part.dtype)
        return y
    return (xp.zeros if zeros else xp.empty)(shape, dtype=part.dtype, device=device)


def scratch_like(part: Any, shape: tuple[int, ...], *, xp: Namespace, device: Any) -> Array:
    """Return what `buffer` does for values that do not outlive the call, from memory that earlier calls left."""
    if is_numpy(part):
        return scratch.empty(shape, part.dtype)
    return buffer(part, shape, zeros=False, xp=xp, device=device)


def product(a: Any, b: Any, *, xp: Namespace, may_use_threads: bool = True) -> Array:
    """Return a matrix product that does not outlive the call; unless `may_use_threads`, one that starts no threads."""
    if not is_numpy(a) or a.ndim < 2:
        return xp.matmul(a, b)
    batch = a.shape[:-2] if b.ndim == 2 else np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    y = scratch.empty((*batch, a.shape[-2], b.shape[-1]), a.dtype)
    return np.matmul(a, b, out=y) if may_use_threads else product_of_rows(a, b, y)


def product_of_rows(a: Any, b: Any, y: Any) -> Any:
    """Write a product of NumPy arrays to y a few rows at a time: of such sizes OpenBLAS shares nothing with threads."""
    rows, inner = a.shape[-2:]
    most = max(1, _LONELY // (inner * b.shape[-1])) if a.size and b.size else rows
    if rows <= most:
        return np.matmul(a, b, out=y)
    whole = rows - rows % most
    stack = (*a.shape[:-2], whole // most, most)
    target = y[..., :whole, :].reshape(*y.shape[:-2], whole // most, most, y.shape[-1])
    np.matmul(a[..., :whole, :].reshape(*stack, inner), b[..., None, :, :], out=target)
    if whole < rows:
        np.matmul(a[..., whole:, :], b, out=y[..., whole:, :])
    return y


def set_at(y: Array, index: Any, value: Array | int) -> Array:
    """Return `y` with `value` at `index`: written in place where the library allows it, else a new array."""
    if is_numpy(y):
        y[index] = value
        return y
    at = getattr(y, "at", None)
    if at is not None:
        return at[index].set(value)
    if is_recorded("torch") and isinstance(y, sys.modules["torch"].Tensor):
        return _scattered(y, index if isinstance(index, tuple) else (index,), value)
    if is_compiling() or is_known(type(y)):
        y[index] = value
        return y
    try:
        y[index] = value
    except Exception:  # of whatever kind the library's authors thought right
        return _replaced(y, index, value)
    return y


def _scattered(y: Any, index: tuple[Any, ...], value: Any, axis: int = 0) -> Any:
    """Return a new tensor with `value` at an index of slices, integers and one ellipsis, from `axis` on."""
    torch = sys.modules["torch"]
    if not index:
        return torch.broadcast_to(value, y.shape) if torch.is_tensor(value) else torch.full_like(y, value)
    first, rest = index[0], index[1:]
    if first is Ellipsis:
        return _scattered(y, (*(slice(None),) * (y.ndim - axis - len(rest)), *rest), value, axis)
    if isinstance(first, slice):
        part = y[(*(slice(None),) * axis, first)]
        return torch.slice_scatter(y, _scattered(part, rest, value, axis + 1), axis, *first.indices(y.shape[axis]))
    return torch.select_scatter(y, _scattered(torch.select(y, axis, first), rest, value, axis), axis, first)


def _replaced(y: Any, index: Any, value: Any) -> Array:
    """Return what `set_at` does for a library whose arrays can't be written, by the standard's functions."""
    xp, size = y.__array_namespace__(), prod(y.shape)
    source = np.arange(size).reshape(y.shape)  # of each element of the result, which one of y and `value` it is
    target = source[index].shape
    if not prod(target):
        return y
    source[index] = np.arange(size, size + prod(target)).reshape(target)
    value = xp.asarray(value, dtype=y.dtype) if isinstance(value, int) else value
    both = xp.concat([xp.reshape(y, (-1,)), xp.reshape(xp.broadcast_to(value, target), (-1,))])
    return xp.reshape(xp.take(both, xp.asarray(source.ravel().tolist()), axis=0), y.shape)


def reshape(x: Any, shape: tuple[int, ...], *, xp: Namespace) -> Array:
    """Return the standard's `reshape`: of a small NumPy array the method takes a fraction of the function's time."""
    return x.reshape(shape) if is_numpy(x) else xp.reshape(x, shape)


def permute_dims(x: Any, order: tuple[int, ...], *, xp: Namespace) -> Array:
    """Return the standard's `permute_dims`, as fast as `reshape`."""
    return x.transpose(order) if is_numpy(x) else xp.permute_dims(x, order)


def copied_view(x: Any, shape: tuple[int, ...], steps: tuple[int, ...]) -> Any:
    """Return the elements of a NumPy array at steps of bytes, which may overlap, as an array that outlives no call."""
    y = scratch.empty(shape, x.dtype)
    y[...] = overlapping(x, 0, shape, steps)
    return y


def overlapping(x: Any, first: int, shape: tuple[int, ...], steps: tuple[int, ...]) -> Any:
    """Return a view of a NumPy array at steps of bytes, which may overlap, from a sample of its last axis on."""
    if x.flags.c_contiguous:  # the same view in a tenth of the time
        return np.ndarray(shape, x.dtype, x, first * x.itemsize, steps)
    return np.lib.stride_tricks.as_strided(x[..., first:], shape, steps, writeable=False)


def contiguous(x: Any) -> Any:
    """Return a NumPy array whose elements follow each other in memory: of others BLAS makes other last bits."""
    return np.ascontiguousarray(x) if is_numpy(x) else x


def retains_larger_base(y: Any) -> bool:
    """Whether an array is, or may be, a view that keeps much more memory than it shows, or shows it in pieces."""
    if not is_numpy(y):
        return True
    held = y.nbytes if y.base is None else getattr(y.base, "nbytes", 0)
    return not y.flags.c_contiguous or held > 1.02 * y.nbytes


def is_numpy(x: Any) -> bool:
    """Whether x is NumPy's: a function, since type checkers take very long to compare ndarray with `Array`."""
    return isinstance(x, np.ndarray)


class Frame(NamedTuple):
    """An array of zeros that data is put into."""

    shape: tuple[int, ...]
    zeros: tuple[Index, ...]  # where no data is put
    slack: int = 0  # zeros behind it in memory, for arrays that are written in place


def zero_padded_parts(
    like: Any,
    zero_padded_scratch: Frame,
    parts: Iterable[tuple[Index, Array]],
    *,
    xp: Namespace,
    device: Any,
    zeros_first: bool,
) -> tuple[Array, Any]:
    """Return an array of the dtype of `like`, zeros but for `parts` (place, data), and its memory.

    Neither outlives the call. With slack the memory is one axis; without, it is the array itself. Each element is
    written once, unless there are few or `zeros_first` asks for it: most are zeros, or arrays are not written in place.
    """
    size, slack = prod(zero_padded_scratch.shape), zero_padded_scratch.slack
    shape = (size + slack,) if slack else zero_padded_scratch.shape
    few = zeros_first or _is_small(like, size)
    if few:
        memory = buffer(like, shape, zeros=True, xp=xp, device=device)
    else:
        memory = scratch_like(like, shape, xp=xp, device=device)
    y: Any = reshape(memory[:size], zero_padded_scratch.shape, xp=xp) if slack else memory
    if few:
        for place, data in parts:
            y = set_at(y, place, data)
    else:
        clear(memory, (slice(size, None),) if slack else ())
        clear(y, zero_padded_scratch.zeros)
        for place, data in parts:
            y[place] = data
    return y, memory if slack else y


def zero_padded(
    x: Any,
    shape: tuple[int, ...],
    place: tuple[slice, ...],
    *,
    xp: Namespace,
    device: Any,
    zeros_first: bool = False,
) -> Array:
    """Return x at `place` along the last axes of an array of zeros: see `zero_padded_parts`."""
    zeros_first = zeros_first or _is_small(x, prod(shape))
    zeros = () if zeros_first else zero_regions(shape, place)
    parts = (((..., *place), x),)
    return zero_padded_parts(x, Frame(shape, zeros), parts, xp=xp, device=device, zeros_first=zeros_first)[0]


def _is_small(like: Any, size: int) -> bool:
    """Whether zeros are written, and data over them, sooner than each in its place: not where memory is new for it."""
    return size * like.itemsize < scratch.LEAST if is_numpy(like) else size < _FEW


def zero_padded_scratch(shape: tuple[int, ...], dtype: Any, place: tuple[slice, ...]) -> Any:
    """Return a NumPy array that does not outlive the call, of zeros except at `place` along its last axes."""
    return clear(scratch.empty(shape, dtype), zero_regions(shape, place))


def clear(y: Any, places: Iterable[Any]) -> Any:
    """Return y with zeros written at `places`."""
    for place in places:
        y[place] = 0
    return y


def zero_regions(shape: tuple[int, ...], place: Sequence[slice]) -> tuple[Index, ...]:
    """Return the indices of all of an array but what is at `place` along its last axes."""
    indices: list[Index] = []
    for number, (size, held) in enumerate(zip(shape[len(shape) - len(place) :], place, strict=True)):
        rest = (slice(None),) * (len(place) - number - 1)
        indices += [(..., *place[:number], part, *rest) for part in outside(held, size)]
    return tuple(indices)


def outside(held: slice, size: int) -> list[slice]:
    """Return what is before and behind a slice of an axis, as far as there is any."""
    before = [slice(0, held.start)] if held.start else []
    return before if held.stop is None or held.stop >= size else [*before, slice(held.stop, size)]


def lengthened(shape: Sequence[int], s: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    """Return a shape with the lengths `s` along `axes`."""
    found = list(shape)
    for length, axis in zip(s, axes, strict=True):
        found[axis] = length
    return tuple(found)


def padded(x: Any, s: Sequence[int], axes: Sequence[int]) -> Any:
    """Return a NumPy array, cut or continued by zeros to `s` samples along `axes`: x itself, or one of its own."""
    shape = lengthened(x.shape, s, axes)
    if shape == x.shape:
        return x
    held = tuple(slice(0, min(old, new)) for old, new in zip(x.shape, shape, strict=True))
    return zero_padded(x[held], shape, held, xp=np, device="cpu")


def has_internal_overlap(x: Any) -> bool:
    """Whether two elements of a strided array share memory."""
    in_elements = callable(getattr(x, "stride", None))  # torch counts steps in elements, NumPy in bytes
    strides = x.stride() if in_elements else getattr(x, "strides", None)
    if not strides or 0 in x.shape:
        return False
    steps = sorted((abs(step), n) for step, n in zip(strides, x.shape, strict=True) if n > 1)
    span = unit = 1 if in_elements else x.itemsize
    nested = True
    for step, n in steps:
        nested = nested and step >= span
        span += (n - 1) * step
    if nested or span < unit * prod(x.shape):
        return not nested
    places = np.zeros(1, np.int64)  # axes that interleave: only their places can tell
    for step, n in steps:
        places = (places[:, None] + step * np.arange(n)).reshape(-1)
    return bool((np.diff(np.sort(places)) < unit).any())


def is_writable_in_place(backend: str, out: Any) -> bool:
    """Whether loops may write the elements of `out` where they stand.

    Not in another byte order or unaligned; nor where torch stands between: conjugates, negatives and zeros that it has
    only taken note of, and tensors of a type of their own.
    """
    if backend == "numpy":
        return out.dtype.isnative and out.flags.aligned
    if backend == "torch":
        plain = type(out) in (sys.modules["torch"].Tensor, sys.modules["torch"].nn.Parameter)
        return plain and not (out.is_conj() or out.is_neg() or out._is_zerotensor())
    return True


def layout_signature(backend: str, out: Any) -> Hashable | None:
    """Return all that `check_target` and `is_writable_in_place` read of a plain array, None for any other."""
    if backend == "numpy":
        flags = out.flags
        return out.shape, out.strides, out.dtype, flags.writeable, flags.aligned
    if backend != "torch" or out.requires_grad:
        return None
    pending = out.is_conj(), out.is_neg(), out._is_zerotensor()
    return out.shape, out.stride(), out.dtype, out.device, out.layout, pending


def shares_memory(backend: str, first: Array, second: Array, *, plain: bool = False) -> bool:
    """Whether writing to `first` may change `second`; True where it can't be told. `plain`: nobody traces them."""
    if backend in ("numpy", "cupy"):
        return bool(sys.modules[backend].may_share_memory(first, second))
    if backend == "torch" and (plain or not is_traced(backend, first, second)):
        a: Any = first
        b: Any = second
        return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()
    return True


def needs_gradient(backend: str, *arrays: Any) -> bool:
    """Whether torch is recording what happens to one of `arrays`."""
    if backend != "torch":
        return False
    return sys.modules["torch"].is_grad_enabled() and any(array.requires_grad for array in arrays)


class ErrorWords(NamedTuple):
    """How a door words what is wrong with an array given for output."""

    argument: str
    like: str  # what it must be like
    losing: str  # whose gradient it would lose
    way_out: str


def check_target(
    function: str, words: ErrorWords, out: Any, operands: tuple[Array, ...], backend: str, device: Any
) -> None:
    """Refuse an array given for output that can't be written, or not without harm; its form is the door's concern."""
    text, way_out = f"{function}: `{words.argument}`", words.way_out
    own = identify(function, words.argument, out)
    if own != backend:
        raise TypeError(f"{text} must be a {backend} array like {words.like}. Got {own or type(out).__name__}.")
    if is_immutable(backend) or (backend == "torch" and is_compiling()):
        raise TypeError(f"{text} cannot be written: {backend} arrays are immutable here. {way_out}.")
    if needs_gradient(backend, out):
        raise TypeError(
            f"{text} itself requires a gradient. Got requires_grad=True. {way_out}, or call under torch.no_grad()."
        )
    if needs_gradient(backend, *operands):
        raise TypeError(f"{text} would lose the gradient that {words.losing} requires. {way_out}.")
    if backend != "numpy" and device_of(out) != device:
        raise TypeError(f"{text} must be on the device {device}. Got {device_of(out)}.")
    if not is_known(type(out)) and not writing(namespace_of(backend, out)).assigns:
        raise TypeError(f"{text} cannot be written: {backend} arrays are immutable. {way_out}.")
    if has_internal_overlap(out):
        raise ValueError(
            f"{text} must have memory of its own for every element. Got shape {tuple(out.shape)} over fewer "
            f"elements of memory. Pass an array that is not broadcast or strided over itself."
        )
