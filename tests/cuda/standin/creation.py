"""Functions that create arrays, on the current device, and that rearrange them."""

import numpy as np

from tests.cuda.standin import array as arrays
from tests.cuda.standin.array import allocated, ndarray, result, values_of, view
from tests.cuda.standin.ledger import LEDGER

_UNWRITTEN = 85  # in the memory of `empty`, of integers; floats are NaN


def empty(shape, dtype=float, order="C"):
    values = np.empty(shape, dtype)
    values.fill(np.nan if values.dtype.kind in "fc" else _UNWRITTEN)
    return allocated(values)


def zeros(shape, dtype=float, order="C"):
    return result("memset", np.zeros(shape, dtype))


def ones(shape, dtype=None, order="C"):
    return result("fill", np.ones(shape, dtype or float))


def full(shape, fill_value, dtype=None, order="C"):
    values_of(fill_value)
    return result("fill", np.full(shape, fill_value, dtype))


def empty_like(prototype, dtype=None, order="K", subok=None, shape=None):
    return empty(prototype.shape if shape is None else shape, dtype or prototype.dtype)


def zeros_like(a, dtype=None, order="K", subok=None, shape=None):
    return zeros(a.shape if shape is None else shape, dtype or a.dtype)


def ones_like(a, dtype=None, order="K", subok=None, shape=None):
    return ones(a.shape if shape is None else shape, dtype or a.dtype)


def full_like(a, fill_value, dtype=None, order="K", subok=None, shape=None):
    return full(a.shape if shape is None else shape, fill_value, dtype or a.dtype)


def arange(start, stop=None, step=1, dtype=None):
    start, stop = (0, start) if stop is None else (start, stop)
    return result("arange", np.arange(start, stop, step, dtype))


def eye(N, M=None, k=0, dtype=float, order="C"):
    return result("eye", np.eye(N, M, k, dtype))


def array(obj, dtype=None, copy=True, order="K", subok=False, ndmin=0, *, blocking=False):
    """`cupy.array`: what is not on a device yet is transferred."""
    if not isinstance(obj, ndarray):
        LEDGER.transfers["arrays"] += 1
        return allocated(np.array(obj, dtype=dtype))
    if not copy and (dtype is None or np.dtype(dtype) == obj.dtype):
        return obj
    return result("copy", np.array(values_of(obj)[0], dtype=dtype), obj)


def asarray(a, dtype=None, order=None, *, blocking=False):
    return array(a, dtype, copy=False)


def ascontiguousarray(a, dtype=None):
    a = a if dtype is None else a.astype(dtype, copy=False)
    return a if a.flags.c_contiguous else a.copy()


def transpose(a, axes=None):
    return view(a, np.transpose(a.values, axes))


def swapaxes(a, axis1, axis2):
    return view(a, np.swapaxes(a.values, axis1, axis2))


def moveaxis(a, source, destination):
    return view(a, np.moveaxis(a.values, source, destination))


def expand_dims(a, axis):
    return view(a, np.expand_dims(a.values, axis))


def squeeze(a, axis=None):
    return view(a, np.squeeze(a.values, axis))


def flip(a, axis=None):
    return view(a, np.flip(a.values, axis))


def broadcast_to(array, shape):
    return view(array, np.broadcast_to(array.values, shape))


def broadcast_arrays(*args):
    shape = np.broadcast_shapes(*(a.shape for a in args))
    return [broadcast_to(a, shape) for a in args]


def concatenate(tup, axis=0, out=None, *, dtype=None, casting="same_kind"):
    """`cupy.concatenate`: one launch with a transfer of addresses for many small arrays, else a copy for each."""
    if not all(isinstance(a, ndarray) for a in tup):
        raise TypeError("Only cupy arrays can be concatenated")
    y = allocated(np.concatenate(values_of(*tup), axis))
    is_one_launch = len(tup) > 8 and y.nbytes < (2 << 20) * len(tup)
    LEDGER.transfers["addresses"] += is_one_launch
    LEDGER.launch("concatenate", sum(a.nbytes for a in tup), y.nbytes, 1 if is_one_launch else len(tup))
    return y


def stack(tup, axis=0, out=None, *, dtype=None, casting="same_kind"):
    return concatenate([expand_dims(a, axis) for a in tup], axis)


def roll(a, shift, axis=None):
    y = allocated(np.roll(values_of(a)[0], shift, axis))
    LEDGER.launch("roll", a.nbytes, y.nbytes, 2)
    return y


def may_share_memory(a, b, max_work=None):
    return np.may_share_memory(a.values, b.values)


def result_type(*arrays_and_dtypes):
    return np.result_type(*(x.dtype if isinstance(x, ndarray) else x for x in arrays_and_dtypes))


FUNCTIONS = {
    function.__name__: function
    for function in (
        empty, zeros, ones, full, empty_like, zeros_like, ones_like, full_like, arange, eye, array, asarray,
        ascontiguousarray, transpose, swapaxes, moveaxis, expand_dims, squeeze, flip, broadcast_to, broadcast_arrays,
        concatenate, stack, roll, may_share_memory, result_type, arrays.reshape,
    )
} | {"real": lambda val: val.real, "imag": lambda val: val.imag, "isdtype": np.isdtype}  # fmt: skip
