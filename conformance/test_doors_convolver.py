"""`Convolver`: every call is that of the function, the first and the later ones, and the kernel is copied."""

import numpy as np
import pytest

from . import asserts
from .cases import convolver as rows
from .checks import check_result, exact_result
from .doors import described, function, operands_of


def _convolver(subject, row, dtype):
    """The operands, and a Convolver that runs its kernel whole: 'auto' reads the kernel, which waits for a device."""
    _, name, shapes, options = row
    operands = operands_of(subject, {"x": shapes[0], "kernel": shapes[1]}, dtype)
    make = function(subject, "Convolver")
    correlate = {"correlate": True} if name == "correlate" else {}
    return operands, make(operands["kernel"].array, **correlate, **options, separable=False)


def _check(subject, run, operands, row, x=None):
    _, name, _, options = row
    x = operands["x"] if x is None else x
    exact = exact_result(name, x.host, operands["kernel"].host, options)
    call = described(f"Convolver({name})", {"x": x, "kernel": operands["kernel"]}, options)
    out = run(x.array)
    check_result(subject, out, x, exact, x.dtype, options, call)
    return subject.backend.host(out), call


@pytest.mark.cross(("row", rows.CALLS), ("kind", ("real", "complex")), few=2)
def test_call(subject, row, kind):
    """First and later calls have the same bits; another x in between changes nothing."""
    operands, run = _convolver(subject, row, getattr(subject.backend, kind))
    first, call = _check(subject, run, operands, row)
    x = operands["x"]
    half = x._replace(array=subject.backend.array(x.host / 2, x.dtype), host=x.host / 2)
    _check(subject, run, operands, row, half)
    second, _ = _check(subject, run, operands, row)
    asserts.identical(second, first, call)


@pytest.mark.cross(("row", rows.CALLS[::2]), ("dtypes", [("uint8",), ("int32",), ("float32",)]), few=3)
def test_dtype(subject, row, dtypes):
    operands, run = _convolver(subject, row, dtypes[0])
    _check(subject, run, operands, row)


@pytest.mark.cross(("row", rows.CALLS[:4]), few=4)
def test_other_shapes_and_dtypes_of_x(subject, row):
    """One kernel, several kinds of x: each has its plan."""
    operands, run = _convolver(subject, row, "float32")
    for shape in (row[2][0], tuple(n + 3 for n in row[2][0])):
        _check(subject, run, operands, row, operands_of(subject, {"x": shape}, "float32")["x"])


@pytest.mark.only("numpy", "torch", "cupy")
@pytest.mark.cross(("row", rows.CALLS[:3]))
def test_later_changes_of_the_kernel_have_no_effect(subject, row):
    operands, run = _convolver(subject, row, subject.backend.real)
    operands["kernel"].array[...] = 0
    _check(subject, run, operands, row)


@pytest.mark.only("numpy", "torch", "array_api_strict", "cupy")
@pytest.mark.cross(("row", rows.CALLS))
def test_out(subject, row):
    operands, run = _convolver(subject, row, subject.backend.real)
    x = operands["x"]
    shape = exact_result(row[1], x.host, operands["kernel"].host, row[3]).shape
    out = subject.backend.xp.ones(shape, dtype=x.array.dtype, device=subject.backend.device)
    _, call = _check(subject, lambda array: run(array, out=out), operands, row)
    assert run(x.array, out=out) is out, f"the result is another array, but should be `out` itself [{call}]"


@pytest.mark.only("numpy", "jax", "array_api_strict")  # it reads the kernel's values
@pytest.mark.cross(("dtypes", [("int32",), ("int64",)]), few=2)
def test_separable_integers(subject, dtypes):
    """An outer product of integers runs as passes and is exact."""
    operands = operands_of(subject, {"x": (9, 8)}, dtypes[0], small=True)
    taps = np.outer([1, 2, 1], [1, 0, -1])
    kernel = operands["x"]._replace(array=subject.backend.array(taps, dtypes[0]), host=taps.astype(dtypes[0]))
    run = function(subject, "Convolver")(kernel.array, mode="same", separable=True)
    row = ("", "convolve", (), {"mode": "same"})
    _check(subject, run, {**operands, "kernel": kernel}, row)
