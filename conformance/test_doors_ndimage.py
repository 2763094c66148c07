"""`ndimage`: SciPy's linear filters, against chains of exact passes and against SciPy itself."""

import numpy as np
import pytest

from . import asserts, bounds, definitions
from .cases import ndimage as rows
from .doors import check, described, function, invoke, operands_of

REAL = ("real", "complex")
NONFINITE = pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")


def _check(subject, row, dtype, small=False, wide=None, bad=None):
    _, name, shapes, options = row
    operands = operands_of(subject, shapes, dtype, small)
    if bad is not None:
        operands["input"] = _with(subject, operands["input"], bad)
    return check(subject, f"ndimage.{name}", operands, options, "componentwise", wide=wide)


def _with(subject, operand, bad):
    host = np.array(operand.host)
    host[(1,) * host.ndim] = bad
    return operand._replace(array=subject.backend.array(host, operand.dtype), host=host)


@pytest.mark.cross(("row", rows.WEIGHTED), ("kind", REAL))
def test_weights(subject, row, kind):
    _check(subject, row, getattr(subject.backend, kind))


@pytest.mark.cross(("row", rows.WEIGHTED[::2]), few=4)
def test_float32_is_summed_in_float64(subject, row):
    wide = subject.backend.real
    _check(subject, row, "float32", wide=wide)


@pytest.mark.cross(("row", rows.EXTENDED), few=2)
def test_mode(subject, row):
    _check(subject, row, subject.backend.real)


@pytest.mark.cross(("row", rows.CHAINS))
def test_chain(subject, row):
    _check(subject, row, subject.backend.real)


@pytest.mark.cross(("row", rows.CHAINS[:-2:3]), few=5)
def test_complex_chain(subject, row):
    _check(subject, row, subject.backend.complex)


@pytest.mark.cross(("row", rows.INTEGERS), ("dtypes", [("uint8",), ("int16",), ("int32",)]), few=3)
def test_integers_are_cut_and_wrap(subject, row, dtypes):
    _check(subject, row, dtypes[0], small=True)


@NONFINITE
@pytest.mark.cross(("row", [*rows.WEIGHTED[:8:2], *rows.CHAINS[::3]]), ("bad", ("nan", "inf")), few=7)
def test_contaminates_only_its_windows(subject, row, bad):
    _check(subject, row, subject.backend.real, bad=float(bad))


@pytest.mark.cross(("row", rows.GENERIC))
def test_callback(subject, row):
    """The callback gets the input, an axis, an output, the mode and the constant, as SciPy's does."""
    _, name, parameter, mode = row
    inner = "sobel" if parameter == "derivative" else "correlate1d"

    def derivative(input, axis, output, mode, cval):
        step = function(subject, f"ndimage.{inner}")
        if parameter == "derivative":
            return step(input, axis, output, mode, cval)
        taps = subject.backend.xp.asarray([1.0, -2.0, 1.0], dtype=input.dtype, device=subject.backend.device)
        return step(input, taps, axis, output, mode, cval)

    operands = operands_of(subject, {"input": (6, 5)}, subject.backend.real)
    path, call = f"ndimage.{name}", described(f"ndimage.{name}", operands, {"mode": mode})
    exact = definitions.exact(path, {"input": operands["input"].host}, {"mode": mode})
    out = function(subject, path)(operands["input"].array, mode=mode, **{parameter: derivative})
    asserts.form(out, operands["input"].array, subject.backend.real, exact.shape, subject, call)
    asserts.values(subject.backend.host(out), exact, subject.backend.real, "componentwise", call)


@pytest.mark.only("numpy", "torch", "array_api_strict", "cupy")
@pytest.mark.cross(("row", rows.CHAINS[:-2:4]))
def test_output_may_be_the_input(subject, row):
    _, name, shapes, options = row
    operands = operands_of(subject, shapes, subject.backend.real)
    path, x = f"ndimage.{name}", operands["input"]
    exact = definitions.exact(path, {"input": x.host}, options)
    call = described(path, operands, {**options, "output": "input"})
    out = function(subject, path)(x.array, output=x.array, **options)
    assert out is x.array, f"the result is another array, but should be `output` itself [{call}]"
    asserts.values(subject.backend.host(out), exact, subject.backend.real, "componentwise", call)


@pytest.mark.cross(("dtypes", [("float32", "float64"), ("int16", "float32"), ("uint8", "float64")]), few=2)
def test_output_dtype(subject, dtypes):
    own, requested = dtypes
    operands = operands_of(subject, {"input": (6, 5), "weights": (3, 2)}, own, small=True)
    path, options = "ndimage.correlate", {"output": requested}
    check(subject, path, operands, options, "componentwise", dtype=requested)


@pytest.mark.only("numpy")  # a check of the definition, which is the same on every backend
@pytest.mark.cross(("row", [*rows.WEIGHTED, *rows.EXTENDED, *rows.CHAINS]))
def test_agrees_with_scipy(subject, row):
    ndimage = pytest.importorskip("scipy.ndimage", reason="SciPy is not installed")
    _, name, shapes, options = row
    operands = operands_of(subject, shapes, subject.backend.real)
    out = subject.backend.host(invoke(subject, f"ndimage.{name}", operands, options))
    hosts = {key: each.host.astype("float64") for key, each in operands.items()}
    exact = definitions.exact(f"ndimage.{name}", hosts, options)
    call = described(f"ndimage.{name}", operands, options)
    bound = bounds.allowed(exact, subject.backend.real, "componentwise")
    asserts.within(out, getattr(ndimage, name)(**hosts, **options), 2 * bound, call)
