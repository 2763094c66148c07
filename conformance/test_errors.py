"""Refusals, before anything is computed: the exception's type, and the facts its text names."""

import numpy as np
import pytest

from . import asserts
from .cases import errors as rows
from .checks import described, operand, random_operands

pytestmark = pytest.mark.requires("errors")
FUNCTIONS = ("function", rows.BOTH)


def _refused(subject, function, x_shape, kernel_shape, options, kind, fragments, lead=()):
    __tracebackhide__ = True
    x, kernel = random_operands(subject, x_shape, kernel_shape, (subject.backend.real,) * 2)
    call = described(function, x, kernel, options, lead)
    run = getattr(subject.target, function)
    asserts.raises(kind, [function, *fragments], lambda: run(*lead, x.array, kernel.array, **options), call)


@pytest.mark.cross(("row", rows.GEOMETRY), ("function", (*rows.BOTH, "explain")))
def test_options(subject, row, function):
    _, _, x_shape, kernel_shape, options, kind, fragments = row
    _refused(subject, function, x_shape, kernel_shape, options, kind, fragments)


@pytest.mark.cross(("row", rows.LAGS))
def test_lags_option(subject, row):
    _, x_shape, kernel_shape, options, kind, fragments = row
    _refused(subject, "correlate", x_shape, kernel_shape, options, kind, fragments)


@pytest.mark.cross(("row", rows.EINCONV))
def test_einconv(subject, row):
    _, pattern, x_shape, kernel_shape, options, kind, fragments = row
    _refused(subject, "einconv", x_shape, kernel_shape, options, kind, fragments, (pattern,))


@pytest.mark.cross(("row", rows.LAGS_FUNCTION))
def test_lags_function(subject, row):
    _, arguments, kind, fragments = row
    asserts.raises(kind, ["lags", *fragments], lambda: subject.target.lags(*arguments), f"lags{arguments}")


@pytest.mark.cross(("row", rows.KERNELS))
def test_kernels(subject, row):
    _, function, options, kind, fragments = row
    run = getattr(subject.target.kernels, function)
    asserts.raises(kind, [function, *fragments], lambda: run(**options), f"kernels.{function}({options})")


@pytest.mark.cross(FUNCTIONS)
def test_unknown_option_is_a_type_error(subject, function):
    _refused(subject, function, (5,), (2,), {"strides": 2}, TypeError, ["strides"])


@pytest.mark.cross(FUNCTIONS)
def test_mixed_libraries(subject, function):
    """Nothing is converted behind the caller's back: both libraries are named."""
    x, kernel = random_operands(subject, (5,), (2,), (subject.backend.real,) * 2)
    other, name = _foreign(subject.backend.name, kernel.host)
    call = described(function, x, kernel, {"kernel": name})
    run = getattr(subject.target, function)
    asserts.raises(TypeError, [function, subject.backend.library, name], lambda: run(x.array, other), call)
    asserts.raises(TypeError, [function, subject.backend.library, name], lambda: run(other, x.array), call)


def _foreign(name, host):
    if name != "numpy":
        return host, "numpy"
    strict = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    return strict.asarray(host.copy()), "array_api_strict"


@pytest.mark.only("array_api_strict")
@pytest.mark.cross(FUNCTIONS)
def test_mixed_devices(subject, function):
    """Nothing moves behind the caller's back: both devices are named."""
    x, kernel = random_operands(subject, (5,), (2,), ("float32", "float32"))
    here = subject.backend.device_name
    there = "device2" if here != "device2" else "device1"
    moved = kernel.array.to_device(subject.backend.xp.Device(there))
    call = described(function, x, kernel, {"device": there})
    run = getattr(subject.target, function)
    asserts.raises(TypeError, [function, here, there], lambda: run(x.array, moved), call)


@pytest.mark.cross(FUNCTIONS, ("kind", ("masked", "matrix", "object", "text", "none", "ragged")))
def test_not_an_array(subject, function, kind):
    """Values that would be silently wrong are refused by type, whatever the backend of the other operand."""
    numbers = np.asarray([[1.0, 2.0, 3.0]])
    odd, error = {
        "masked": (lambda: np.ma.array(numbers, mask=numbers > 2), TypeError),
        "matrix": (lambda: np.ndarray.view(numbers, np.matrix), TypeError),
        "object": (lambda: numbers.astype(object), TypeError),
        "text": (lambda: "abc", TypeError),
        "none": (lambda: None, TypeError),
        "ragged": (lambda: [[1, 2], [3]], ValueError),
    }[kind]
    value = odd()
    kernel = operand(subject, [[1, 2]], subject.backend.real)
    run = getattr(subject.target, function)
    call = f"{function}({kind}, kernel)"
    if kind != "ragged":
        asserts.raises(error, [function, "`x`"], lambda: run(value, kernel.array), call)
    if subject.backend.name == "numpy" or kind in ("ragged", "none", "text"):
        asserts.raises(error, [function, "`kernel`"], lambda: run(kernel.array, value), call)


@pytest.mark.only("numpy", "torch", "array_api_strict", "cupy")
@pytest.mark.cross(FUNCTIONS, ("fault", ("shape", "dtype", "library")))
def test_out(subject, function, fault):
    """`out` must have the result's shape, dtype and library; each refusal says what it got."""
    name = subject.backend.real
    x, kernel = random_operands(subject, (5,), (2,), (name, name))
    array = subject.backend.array
    if fault == "shape":
        out, kind, fragments = array(np.zeros(5), name), ValueError, ["`out`", "(6,)", "(5,)"]
    elif fault == "dtype":
        out, kind, fragments = array(np.zeros(6), "int32"), TypeError, ["`out`", name, "int32"]
    else:
        out, other = _foreign(subject.backend.name, np.zeros(6))
        kind, fragments = TypeError, ["`out`", subject.backend.library, other]
    call = described(function, x, kernel, {"wrong": fault})
    run = getattr(subject.target, function)
    asserts.raises(kind, [function, *fragments], lambda: run(x.array, kernel.array, out=out), call)
