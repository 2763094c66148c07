"""What holds for every function: unchanged inputs, repeatable bits, containment, scale, limits, `out`, devices."""

import tracemalloc
from functools import partial

import numpy as np
import pytest

from . import asserts, definitions
from .cases import promises as rows
from .doors import check, described, function, invoke, operands_of


def _bits(subject, array):
    return np.ascontiguousarray(subject.backend.host(array)).tobytes()


def _same_bits(what, first, second, call):
    if first != second:
        raise AssertionError(f"{what}: the bits differ, but should be those of the first call [{call}]")


def _halved(subject, operands):
    return {
        name: each._replace(array=subject.backend.array(each.host / 2, each.dtype), host=each.host / 2)
        for name, each in operands.items()
    }


@pytest.mark.cross(("row", rows.CALLS), few=3)
def test_repeated_calls(subject, row):
    """Inputs keep their bytes, a result keeps its own, and a repeated call returns the bits of the first."""
    _, path, shapes, options = row
    operands = operands_of(subject, shapes, subject.backend.real)
    call = described(path, operands, options)
    before = {name: _bits(subject, each.array) for name, each in operands.items()}
    result = invoke(subject, path, operands, options)
    for name, each in operands.items():
        if before[name] != _bits(subject, each.array):
            raise AssertionError(f"{name} has changed, but should be as before the call [{call}]")
    first = _bits(subject, result)
    asserts.form(result, next(iter(operands.values())).array, subject.backend.real, result.shape, subject, call)
    invoke(subject, path, _halved(subject, operands), options)
    _same_bits("the first result after another call", first, _bits(subject, result), call)
    _same_bits("a repeated call", first, _bits(subject, invoke(subject, path, operands, options)), call)


def _accuracy(path):
    return "componentwise" if path.startswith("ndimage") else "normwise"


@pytest.mark.cross(("row", rows.SCALED), ("exponent", rows.EXPONENTS), few=8)
def test_scaled_by_a_power_of_two(subject, row, exponent):
    """No overflow and no loss: x scaled by 2**100 and by 2**-100 in float32."""
    _, path, shapes, options = row
    operands = operands_of(subject, shapes, "float32")
    name, x = next(iter(operands.items()))
    host = np.ldexp(x.host, exponent)
    operands[name] = x._replace(array=subject.backend.array(host, "float32"), host=host)
    if "bias" in operands:
        operands.pop("bias")
    check(subject, path, operands, options, _accuracy(path))


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@pytest.mark.cross(("row", rows.DEFINED), ("bad", ("nan", "inf")), few=8)
def test_contaminates_only_its_windows(subject, row, bad):
    _, path, shapes, options = row
    operands = operands_of(subject, shapes, subject.backend.real)
    name, x = next(iter(operands.items()))
    host = np.array(x.host)
    host[tuple(n // 2 for n in host.shape)] = float(bad)
    operands[name] = x._replace(array=subject.backend.array(host, x.dtype), host=host)
    check(subject, path, operands, options, _accuracy(path))


@pytest.mark.cross(("row", rows.LIMITED), ("limit", rows.LIMITS), few=4)
def test_workspace_limit(subject, row, limit):
    """Results are within their bounds under a limit, or the call is refused with the numbers."""
    _, path, shapes, options = row
    operands = operands_of(subject, shapes, subject.backend.real)
    options = {**options, "max_workspace": limit}
    call = described(path, operands, options)
    refused = _refusal(partial(invoke, subject, path, operands, options))
    if refused is None:  # a method may need none
        check(subject, path, operands, options, "normwise")
        return
    missing = [word for word in (path.rsplit(".", 1)[-1], "max_workspace", str(limit)) if word not in refused]
    assert not missing, f"the message {refused!r} should name {missing}, but should not omit it [{call}]"


def _refusal(run):
    try:
        run()
    except ValueError as refusal:
        return str(refusal)
    return None


OBJECTS = 100_000  # bytes of Python objects that a call creates, and of what it caches


@pytest.mark.only("numpy")  # the library that reports its allocations
@pytest.mark.cross(("row", rows.LIMITED[:3]))
def test_allocations_stay_below_the_limit(subject, row):
    _, path, shapes, options = row
    name, size = next(iter(shapes.items()))
    shapes = {**shapes, name: (*size[:-1], 200_000 // max(size[:-1], default=1))}
    operands = operands_of(subject, shapes, subject.backend.real)
    options = {**options, "max_workspace": 400_000}
    invoke(subject, path, operands, options)
    tracemalloc.start()
    try:
        out = invoke(subject, path, operands, options)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    most = options["max_workspace"] + out.nbytes + OBJECTS
    call = described(path, operands, options)
    assert peak <= most, f"{peak} bytes were allocated, but should be at most {most} [{call}]"


LAYOUTS = {
    "strided": lambda shape: np.zeros((*shape[:-1], 2 * shape[-1]))[..., ::2],
    "reversed": lambda shape: np.zeros(shape)[..., ::-1],
    "columns": lambda shape: np.zeros(shape[::-1]).T,
    "swapped-bytes": lambda shape: np.zeros(shape, np.dtype("float64").newbyteorder()),
}


@pytest.mark.only("numpy")
@pytest.mark.cross(("row", rows.OUT), ("layout", tuple(LAYOUTS)))
def test_layout_of_out(subject, row, layout):
    """Strides and byte order of `out` are the caller's."""
    _, path, parameter, shapes, options = row
    operands = operands_of(subject, shapes, "float64")
    exact = definitions.exact(path, {name: each.host for name, each in operands.items()}, options)
    out = LAYOUTS[layout](exact.shape)
    call = described(path, operands, {**options, parameter: layout})
    lead = [options["pattern"]] if "pattern" in options else []
    named = {name: value for name, value in options.items() if name != "pattern"}
    result = function(subject, path)(*lead, *(each.array for each in operands.values()), **named, **{parameter: out})
    assert result is out, f"the result is another array, but should be `{parameter}` itself [{call}]"
    asserts.values(np.asarray(out, "float64"), exact, "float64", _accuracy(path), call)


@pytest.mark.only("numpy", "torch", "cupy")
@pytest.mark.cross(("row", rows.OUT[:3]))
def test_out_may_overlap_an_operand(subject, row):
    """Part of the memory of x as `out`: every sample is read before it is overwritten."""
    _, path, parameter, shapes, _ = row
    shapes = {name: size[-1:] for name, size in shapes.items()} | {"x": (12,)}
    operands = operands_of(subject, shapes, subject.backend.real)
    options = {"pattern": "n, n -> n | n"} if path == "einconv" else {"mode": "valid"}
    exact = definitions.exact(path, {name: each.host for name, each in operands.items()}, options)
    x, kernel = (each.array for each in operands.values())
    call = described(path, operands, {**options, parameter: "part of x"})
    lead = [options["pattern"]] if "pattern" in options else []
    named = {name: value for name, value in options.items() if name != "pattern"}
    out = function(subject, path)(*lead, x, kernel, **named, out=x[1 : 1 + exact.shape[0]])
    asserts.values(subject.backend.host(out), exact, subject.backend.real, "normwise", call)


@pytest.mark.only("array_api_strict")  # whose second device refuses every conversion to NumPy
@pytest.mark.cross(("row", rows.CALLS))
def test_nothing_leaves_the_device(subject, row):
    _, path, shapes, options = row
    backend = subject.backend._replace(device=subject.backend.xp.Device("device1"))
    moved = subject._replace(backend=backend)
    operands = operands_of(moved, shapes, backend.real)
    call = described(path, operands, options)
    out = invoke(moved, path, operands, options)
    asserts.equal("out.device", str(backend.device_of(out)), str(backend.device), call)
