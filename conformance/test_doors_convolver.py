"""`Convolver`: every call is that of the function, the first and the later ones, and the kernel is copied.

Streams of a Convolver that has them: joined results are those of one call. Others skip with the reason.
"""

from itertools import cycle

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


def _stream(subject, row, dtype, **shown):
    """The operands, a new stream, and the call as an error text shows it."""
    *call, axis = row
    operands, convolver = _convolver(subject, call, dtype)
    stream = getattr(convolver, "stream", None)
    if stream is None:
        pytest.skip("not claimed: Convolver.stream")
    return operands, stream(axis), described(f"Convolver({row[1]}).stream", operands, {**row[3], "axis": axis, **shown})


def _chunks(x, axis, sizes):
    """The consecutive parts of x, whose sizes repeat."""
    at, end, lead = 0, x.host.shape[axis], (slice(None),) * (axis % x.host.ndim)
    for size in cycle(sizes):
        if at >= end:
            return
        yield x.array[(*lead, slice(at, min(at + size, end)), ...)]
        at += size


def _joined(subject, row, stream, chunks, model, call):
    """The results as one host array; each has the library, dtype, device and other axes of one call's."""
    parts, axis = [], row[4]
    with asserts.reproducing(call, subject):
        for part in [*map(stream.push, chunks), stream.flush()]:
            shape = [*_exact_shape(row)]
            shape[axis] = part.shape[axis]
            asserts.form(part, model.array, model.dtype, shape, subject, call)
            parts.append(subject.backend.host(part))
    return np.concatenate(parts, axis=axis)


def _exact_shape(row):
    return exact_result(row[1], *map(np.zeros, row[2]), row[3]).shape


@pytest.mark.cross(("row", rows.STREAMS), ("sizes", rows.CHUNKS), ("dtypes", [("float64",), ("int32",)]), few=4)
def test_stream(subject, row, sizes, dtypes):
    """Joined results are those of one call, and one chunk gives the same bits as many."""
    operands, stream, call = _stream(subject, row, dtypes[0], chunks=sizes[1])
    x, axis = operands["x"], row[4]
    out = _joined(subject, row, stream, _chunks(x, axis, sizes[1]), x, call)
    exact = exact_result(row[1], x.host, operands["kernel"].host, row[3])
    asserts.equal("out.shape", out.shape, exact.shape, call)
    asserts.values(out, exact, x.dtype, "normwise", call)
    _, stream, call = _stream(subject, row, dtypes[0], chunks=x.host.shape[axis])
    asserts.identical(_joined(subject, row, stream, [x.array], x, call), out, call)


@pytest.mark.requires("errors")
@pytest.mark.cross(("row", rows.STREAMS[::3]), few=3)
def test_stream_after_an_error(subject, row):
    """A chunk of another shape is refused and changes nothing."""
    operands, stream, call = _stream(subject, row, "int32", chunks=6)
    x = operands["x"]
    wrong = x.array[None, ...]
    first, *rest = _chunks(x, row[4], (6,))
    parts = [stream.push(first)]
    asserts.raises(ValueError, ("chunk", str(tuple(wrong.shape))), lambda: stream.push(wrong), call)
    parts += [*map(stream.push, rest), stream.flush()]
    out = np.concatenate([subject.backend.host(part) for part in parts], axis=row[4])
    asserts.values(out, exact_result(row[1], x.host, operands["kernel"].host, row[3]), "int32", "normwise", call)


@pytest.mark.requires("errors")
def test_stream_of_a_periodic_axis_is_refused(subject):
    row = ("wrap", "convolve", ((9,), (3,)), {"mode": "same", "boundary": "wrap"}, 0)
    operands, stream, call = _stream(subject, row, subject.backend.real)
    asserts.raises(ValueError, ("'wrap'", "axis"), lambda: stream.push(operands["x"].array), call)
