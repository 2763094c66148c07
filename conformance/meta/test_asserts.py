"""Comparisons raise when they should, with got, should-be and call; bounds are neither void nor too tight."""

import numpy as np
import pytest

from .. import asserts, bounds, dtypes, targets
from ..backends import load
from ..checks import Subject, check, exact_result, operand
from ..crossing import crossed, spread

CALL = asserts.Call("convolve", {"x": np.zeros(3)}, {"x": "float32"}, {"mode": "same"})
SHOWN = r"\[convolve\(x float32 \(3,\), mode='same'\)\]"


@pytest.fixture(scope="module")
def numpy_subject():
    return Subject(targets.load("arrayconv"), load("numpy"))


def test_equal():
    asserts.equal("out.shape", (3,), (3,), CALL)
    with pytest.raises(AssertionError, match=r"out.shape=\(3,\), but should be \(4,\) " + SHOWN):
        asserts.equal("out.shape", (3,), (4,), CALL)


def test_form(numpy_subject):
    out = np.zeros(3, "float32")
    asserts.form(out, out, "float32", (3,), numpy_subject, CALL)
    with pytest.raises(AssertionError, match=r"out.dtype=float32, but should be float64 " + SHOWN):
        asserts.form(out, out, "float64", (3,), numpy_subject, CALL)
    with pytest.raises(AssertionError, match=r"out.shape=\(3,\), but should be \(2,\)"):
        asserts.form(out, out, "float32", (2,), numpy_subject, CALL)
    with pytest.raises(AssertionError, match=r"type\(out\)=builtins.list, but should be numpy.ndarray"):
        asserts.form([0, 0, 0], out, "float32", (3,), numpy_subject, CALL)


def test_identical():
    asserts.identical(np.asarray([1, 2]), [1, 2], CALL)
    with pytest.raises(AssertionError, match=r"out\[1\]=2, but should be 3; 1 of 2 are wrong"):
        asserts.identical(np.asarray([1, 2]), [1, 3], CALL)
    with pytest.raises(AssertionError, match=r"out.shape"):
        asserts.identical(np.asarray([1, 2]), [1, 2, 3], CALL)


def test_within():
    asserts.within(np.asarray([1.0]), np.asarray([1.5]), 0.5, CALL)
    with pytest.raises(AssertionError, match=r"out\[1\]=2.0, but should be 3.0 within 0.5 \(error 1\); 1 of 2"):
        asserts.within(np.asarray([1.0, 2.0]), np.asarray([1.0, 3.0]), 0.5, CALL)
    with pytest.raises(AssertionError, match="nan"):
        asserts.within(np.asarray([np.nan]), np.asarray([1.0]), np.inf, CALL)


def test_values_of_nonfinite():
    x = np.asarray([np.nan, 1.0, 1.0])
    exact = exact_result("correlate", x, np.asarray([1.0]), {})
    asserts.values(np.asarray([np.nan, 1.0, 1.0]), exact, "float64", "componentwise", CALL)
    asserts.values(np.asarray([np.inf, 1.0, 1.0]), exact, "float64", "componentwise", CALL)  # either is non-finite
    with pytest.raises(AssertionError, match=r"out\[0\]=1.0, but should be non-finite"):
        asserts.values(np.asarray([1.0, 1.0, 1.0]), exact, "float64", "componentwise", CALL)
    with pytest.raises(AssertionError, match=r"out\[1\]=nan, but should be 1.0, finite"):
        asserts.values(np.asarray([np.nan, np.nan, 1.0]), exact, "float64", "componentwise", CALL)


def test_raises():
    def refuse():
        raise ValueError("convolve: `mode` must be one of ... Got 'x'.")

    asserts.raises(ValueError, ["convolve", "`mode`"], refuse, CALL)
    with pytest.raises(AssertionError, match=r"should name \['stride'\]"):
        asserts.raises(ValueError, ["stride"], refuse, CALL)
    with pytest.raises(AssertionError, match="but should raise TypeError"):
        asserts.raises(TypeError, [], refuse, CALL)
    with pytest.raises(AssertionError, match=r"raised ValueError, but should be Exception"):
        asserts.raises(Exception, [], refuse, CALL)
    with pytest.raises(AssertionError, match=r"returned builtins.int, but should raise ValueError"):
        asserts.raises(ValueError, [], lambda: 1, CALL)


def test_a_failure_comes_with_a_snippet(numpy_subject):
    wrong = Subject(targets.load("wrong_zero"), numpy_subject.backend)
    x, kernel = operand(wrong, [1, 2, 3], "float64"), operand(wrong, [1, 10], "float64")
    with pytest.raises(AssertionError) as failure:
        check(wrong, "convolve", x, kernel, mode="same")
    note = "\n".join(failure.value.__notes__)
    assert "x = xp.asarray([1.0, 2.0, 3.0], dtype=xp.float64" in note
    assert "wrong_zero.convolve(x, kernel, mode='same')" in note


@pytest.mark.parametrize("name", ["float64", "float32", "float16", "complex64"])
@pytest.mark.parametrize("accuracy", ["componentwise", "normwise"])
def test_bounds_hold_and_bite(name, accuracy):
    """A plain sum stays inside; a wrong tap, or the precision below, does not."""
    rng = np.random.default_rng(3)
    x, w = rng.normal(size=60), rng.normal(size=9)
    if dtypes.kind(name) == "complex":
        x, w = x + 1j * rng.normal(size=60), w * (1 - 2j)
    x, w = x.astype(name), w.astype(name)
    exact = exact_result("convolve", x, w, {"mode": "valid"})
    wide = dtypes.accumulator(name)
    plain = np.convolve(x.astype(wide), w.astype(wide), "valid").astype(name)
    bound = bounds.allowed(exact, name, accuracy)
    asserts.within(plain, exact.values, bound, CALL)
    with pytest.raises(AssertionError):
        asserts.within(plain + w[0] * 1e-2, exact.values, bound, CALL)
    below = {"float64": "float32", "float32": "float16", "complex64": "float16", "float16": "int8"}[name]
    rough = np.convolve(x.real.astype(below), w.real.astype(below), "valid").astype(name)
    with pytest.raises(AssertionError):
        asserts.within(rough, exact.values.real, bound, CALL)


def test_integers_wrap():
    exact = exact_result("convolve", np.asarray([200, 200], "uint8"), np.asarray([1, 1], "uint8"), {})
    assert bounds.wrapped(exact, "uint8").tolist() == [200, 144, 200]
    assert bounds.wrapped(exact, "int8").tolist() == [-56, -112, -56]


@pytest.mark.parametrize(
    ("first", "second", "result"),
    [
        ("int8", "int32", "int32"),
        ("uint8", "int8", "int16"),
        ("uint32", "int32", "int64"),
        ("uint64", "int8", None),
        ("int64", "float32", "float32"),
        ("float16", "bfloat16", "float32"),
        ("float32", "float64", "float64"),
        ("complex64", "float64", "complex128"),
        ("float16", "complex64", "complex64"),
        ("int16", "complex64", "complex64"),
    ],
)
def test_promotion(first, second, result):
    assert dtypes.promote(first, second) == dtypes.promote(second, first) == result


def test_crossing_covers_every_value():
    columns = [tuple(range(7)), ("a", "b"), (True, False, None)]
    rows = spread(columns)
    assert len(rows) == 7
    for column, entries in zip(columns, zip(*rows, strict=True), strict=True):
        assert set(entries) == set(column)
    names, full, ids = crossed([("row", [("odd", (7,)), ("even", (8,))]), ("mode", ("full", "same"))], None)
    assert (names, len(full), ids) == ("row,mode", 4, ["odd-full", "odd-same", "even-full", "even-same"])
