"""`cupy.ndarray` over a NumPy array: a shape, a dtype and strides to look at, and values that only launches read."""

import types
import weakref

import numpy as np

from tests.cuda.standin.device import Device, OtherDevice, current, wait
from tests.cuda.standin.ledger import LEDGER

_IMPLICIT = "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct one explicitly."


class ndarray:
    """An array on a device: created by `allocated` or `view`, never by its type."""

    __slots__ = ("__weakref__", "_device", "base", "values")
    __array_priority__ = 100
    __hash__ = None

    def __new__(cls, *_, **__):
        raise TypeError("stand-in for CuPy: create arrays by its functions")

    shape = property(lambda self: self.values.shape)
    ndim = property(lambda self: self.values.ndim)
    size = property(lambda self: self.values.size)
    dtype = property(lambda self: self.values.dtype)
    itemsize = property(lambda self: self.values.itemsize)
    nbytes = property(lambda self: self.values.nbytes)
    strides = property(lambda self: self.values.strides)
    device = property(lambda self: Device(self._device))
    T = property(lambda self: view(self, self.values.T))
    mT = property(lambda self: view(self, np.swapaxes(self.values, -1, -2)))
    data = property(lambda self: types.SimpleNamespace(ptr=self.values.ctypes.data, device_id=self._device))

    @property
    def flags(self):
        flags = self.values.flags
        return types.SimpleNamespace(
            c_contiguous=flags.c_contiguous, f_contiguous=flags.f_contiguous, owndata=self.base is None
        )

    @property
    def real(self):
        return view(self, self.values.real) if self.dtype.kind == "c" else self

    @property
    def imag(self):
        return view(self, self.values.imag) if self.dtype.kind == "c" else result("fill", np.zeros_like(self.values))

    # What reads a value, and so waits.

    def __array__(self, *_, **__):
        raise TypeError(_IMPLICIT)

    def __bool__(self):
        return bool(self._read("bool()"))

    def __int__(self):
        return int(self._read("int()"))

    def __float__(self):
        return float(self._read("float()"))

    def __complex__(self):
        return complex(self._read("complex()"))

    def item(self):
        return self._read("item()").item()

    def tolist(self):
        return self._read("tolist()").tolist()

    def get(self, stream=None, order="C", out=None, blocking=True):
        return np.array(self._read("get()"), order=order)

    def _read(self, what):
        wait(what)
        LEDGER.transfers["results"] += 1
        return self.values

    def __len__(self):
        return len(self.values)

    def __iter__(self):
        return (self[i] for i in range(len(self.values)))

    def __repr__(self):
        return f"<array of the stand-in for CuPy, {self.shape} {self.dtype}>"

    def __getitem__(self, index):
        _check_index(index)
        return view(self, self.values[index])

    def __setitem__(self, index, value):
        _check_index(index)
        target = self.values[index]
        operand = values_of(self, value)[1]
        LEDGER.launch("copy" if isinstance(value, ndarray) else "fill", getattr(value, "nbytes", 0), target.nbytes)
        with np.errstate(all="ignore"):
            self.values[index] = operand

    def astype(self, dtype, order="K", casting=None, subok=None, copy=True):
        if not copy and np.dtype(dtype) == self.dtype:
            return self
        with np.errstate(all="ignore"):
            return result("astype", values_of(self)[0].astype(dtype), self)

    def copy(self, order="C"):
        return result("copy", np.array(values_of(self)[0], order=order), self)

    def view(self):
        return view(self, self.values.view())

    def reshape(self, *shape, order="C"):
        return reshape(self, shape[0] if len(shape) == 1 else shape)

    def ravel(self, order="C"):
        return reshape(self, (-1,))

    def transpose(self, *axes):
        return view(self, self.values.transpose(*axes))


ndarray.__module__ = "cupy"


def _check_index(index):
    for part in index if isinstance(index, tuple) else (index,):
        if not (part is None or part is Ellipsis or isinstance(part, (slice, int))):
            raise NotImplementedError(f"stand-in for CuPy: an index of type {type(part).__name__}")


def _array(values, base, device):
    array = object.__new__(ndarray)
    array.values, array.base, array._device = values, base, device
    return array


def view(of, values):
    """Return an array over memory of another."""
    return _array(np.asarray(values), of if of.base is None else of.base, of._device)


def allocated(values):
    """Return an array with memory of its own on the current device."""
    values = np.asarray(values)
    if not (values.flags.c_contiguous or values.flags.f_contiguous):
        values = np.ascontiguousarray(values)
    array = _array(values, None, current())
    LEDGER.allocate(values.nbytes)
    weakref.finalize(array, LEDGER.free, values.nbytes)
    return array


def result(name, values, *operands):
    """Return the result of one launch, which read its operands."""
    array = allocated(values)
    LEDGER.launch(name, sum(operand.nbytes for operand in operands if isinstance(operand, ndarray)), array.nbytes)
    return array


def values_of(*operands):
    """Return the values that a launch reads: of arrays on the current device, and of Python's numbers."""
    for operand in operands:
        if isinstance(operand, ndarray):
            if operand._device != current():
                raise OtherDevice(f"an array is on device {operand._device}, the current one is {current()}")
        elif not isinstance(operand, (bool, int, float, complex, np.generic)):
            raise TypeError(f"Unsupported type {type(operand)}")
    return [operand.values if isinstance(operand, ndarray) else operand for operand in operands]


def reshape(a, shape, order="C"):
    """`cupy.reshape`: a view where the strides allow one, else a copy."""
    reshaped = a.values.reshape(shape)
    return view(a, reshaped) if np.may_share_memory(reshaped, a.values) else result("copy", reshaped, a)
