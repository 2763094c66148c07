"""The array library's own pieces, before anything of the target: a failure here is the library's, and others follow."""

import numpy as np
import pytest

from . import asserts, bounds, dtypes
from .backends import numbers
from .cases import backend as rows

KINDS = ("real", "complex")


def _dtype(subject, name):
    name = getattr(subject.backend, name) if name in KINDS else name
    if not subject.backend.has(name):
        pytest.skip(f"{subject.backend.name} has no {name} on {subject.backend.device_name}")
    return name


def _arrays(subject, shapes, name):
    hosts = [np.asarray(numbers(seed, shape, name)).astype(name) for seed, shape in enumerate(shapes)]
    return hosts, [subject.backend.array(host, name) for host in hosts]


def _function(subject, name):
    """The library's function; a test is skipped where it is missing, or refuses the operands."""
    value = subject.backend.xp
    for part in name.split("."):
        value = getattr(value, part, None)
    if value is None:
        pytest.skip(f"{subject.backend.name} has no {name}")

    def run(*args, **options):
        try:
            return value(*args, **options)
        except (AttributeError, RuntimeError, NotImplementedError) as refusal:
            pytest.skip(f"{subject.backend.name} refuses {name}: {refusal}")

    return run


def _blame(subject, text):
    """What a failing message names: the library, whose function it is, and not the target."""
    return f"{text}, a function of {subject.backend} and not of the target"


@pytest.mark.cross(("row", rows.EXACT))
def test_exact(subject, row):
    _, function, shapes, kind, options = row
    name = _dtype(subject, kind)
    hosts, arrays = _arrays(subject, shapes, name)
    call = _blame(subject, f"xp.{function}({name} {shapes}, {options})")
    joined = function in ("concat", "stack")
    run = _function(subject, function)
    out = subject.backend.host(run(arrays, **options) if joined else run(*arrays, **options))
    if function == "reshape":
        expected = hosts[0].reshape(options["shape"])  # np.reshape has no `shape` before NumPy 2.1
    else:
        expected = getattr(np, function)(*([hosts] if joined else hosts), **options)
    asserts.identical(out, expected.astype(out.dtype), call)


@pytest.mark.cross(("row", rows.FLOOR), ("dtypes", [("int8",), ("int32",), ("int64",), ("float32",)]))
def test_floor_division(subject, row, dtypes):
    dividends, divisor = row
    out = subject.backend.array(np.array(dividends), dtypes[0]) // divisor
    call = _blame(subject, f"array({dividends}, {dtypes[0]}) // {divisor}")
    asserts.identical(subject.backend.host(out), np.array(dividends) // divisor, call)


@pytest.mark.cross(("dtypes", [row[:2] for row in rows.CASTS]))
def test_cast(subject, dtypes):
    values = np.array(next(row[2] for row in rows.CASTS if row[:2] == dtypes)).astype(dtypes[0])
    call = _blame(subject, f"xp.astype({values.tolist()}, {dtypes[0]} to {dtypes[1]})")
    array = subject.backend.array(values, dtypes[0])
    out = subject.backend.xp.astype(array, getattr(subject.backend.xp, dtypes[1]))
    asserts.equal("dtype", subject.backend.dtype_name(out), dtypes[1], call)
    expected = values.astype(dtypes[1])
    tiny = bounds.flushed(dtypes[1])
    asserts.within(subject.backend.host(out), expected, np.where(np.abs(expected) < tiny, tiny, 0), call)


@pytest.mark.cross(("row", rows.SUMS))
def test_sums(subject, row):
    """A product in a narrower format (TF32, bfloat16) exceeds the bound of the dtype."""
    _, function, shapes, kind = row
    name = _dtype(subject, kind)
    hosts, arrays = _arrays(subject, shapes, name)
    wide = [host.astype(np.clongdouble if dtypes.kind(name) == "complex" else np.longdouble) for host in hosts]
    magnitude = np.matmul(*(np.abs(host) for host in wide))
    bound = bounds.C[dtypes.kind(name)] * shapes[0][-1] * dtypes.eps(name) * magnitude
    call = _blame(subject, f"xp.{function}({name} {shapes})")
    asserts.within(subject.backend.host(_function(subject, function)(*arrays)), np.matmul(*wide), bound, call)


@pytest.mark.cross(("row", rows.TRANSFORMS))
def test_transform(subject, row):
    _, function, n, kind = row
    name = _dtype(subject, kind)
    transform = _function(subject, f"fft.{function}")
    points = n // 2 + 1 if function == "irfft" else n
    (host,), (array,) = _arrays(subject, [(points,)], name)
    out = subject.backend.host(transform(array, n=n))
    expected = _transform(function, host, n)
    bound = bounds.T * np.log2(n) * dtypes.eps(name) * np.linalg.norm(expected.astype(complex))  # by norm
    call = _blame(subject, f"xp.fft.{function}({name} ({points},), n={n})")
    asserts.equal("out.shape", out.shape, expected.shape, call)
    asserts.within(out, expected, bound, call)


def _transform(function, host, n):
    """The definition, in extended precision."""
    pi = 4 * np.arctan(np.longdouble(1))
    x = host.astype(np.clongdouble)
    if function == "irfft":  # the other half is the conjugate's; the ends are real
        x = np.concatenate([x.real[:1] + 0j, x[1:-1], x.real[-1:] + 0j, np.conj(x[1:-1])[::-1]])
    sign = 1 if function[0] == "i" else -1
    turns = np.outer(np.arange(n), np.arange(n)) % n
    y = np.exp(sign * 2j * pi * turns.astype(np.longdouble) / n) @ x
    if function[0] == "i":
        y = y / n
    return y.real if function == "irfft" else y[: n // 2 + 1] if function == "rfft" else y
