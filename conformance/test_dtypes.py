"""The result's dtype, and numbers that show in which precision the sums were formed."""

import pytest

from . import asserts, dtypes
from .cases import dtypes as rows
from .cases import shapes, values
from .checks import check, check_random, described, operand, random_operands

FUNCTIONS = ("function", shapes.FUNCTIONS)


@pytest.mark.cross(("dtypes", rows.SAME + rows.INTEGERS), FUNCTIONS, ("row", rows.PROBES))
def test_same_dtype(subject, dtypes, function, row):
    _, x, kernel, options = row
    check_random(subject, function, x, kernel, dtypes, **options)


@pytest.mark.cross(("dtypes", rows.MIXED), FUNCTIONS, ("row", rows.PROBES[:2]))
def test_mixed_dtypes(subject, dtypes, function, row):
    _, x, kernel, options = row
    _skip_without_result(subject, *dtypes)
    check_random(subject, function, x, kernel, dtypes, **options)


def _skip_without_result(subject, first, second):
    name = dtypes.promote(first, second)
    if not subject.backend.has(name):
        pytest.skip(f"{subject.backend.name} has no {name} on {subject.backend.device_name}")


@pytest.mark.cross(("dtypes", rows.WIDENED), FUNCTIONS)
def test_widened(subject, dtypes, function):
    first, second, result = dtypes
    check_random(subject, function, (30,), (11,), (first, second), dtype=result)


@pytest.mark.cross(("dtypes", rows.REFUSED), FUNCTIONS)
@pytest.mark.requires("errors")
def test_no_common_dtype(subject, dtypes, function):
    x, kernel = random_operands(subject, (5,), (2,), dtypes)
    call = described(function, x, kernel, {})
    run = getattr(subject.target, function)
    asserts.raises(TypeError, [function, *dtypes], lambda: run(x.array, kernel.array), call)


@pytest.mark.cross(FUNCTIONS)
@pytest.mark.requires("errors")
def test_bool_is_refused(subject, function):
    flags = subject.backend.xp.asarray([True, False, True], device=subject.backend.device)
    name = subject.backend.real
    numbers = operand(subject, [1, 2], name)
    call = described(function, operand(subject, [1, 0, 1], name), numbers, {"x": "bool"})
    asserts.raises(
        TypeError, [function, "`x`", "bool"], lambda: getattr(subject.target, function)(flags, numbers.array), call
    )


@pytest.mark.cross(FUNCTIONS)
@pytest.mark.requires("errors")
def test_dtype_never_narrows(subject, function):
    x, kernel = random_operands(subject, (5,), (2,), ("int32", "int32"))
    narrow = subject.backend.xp.int8
    call = described(function, x, kernel, {"dtype": "int8"})
    run = getattr(subject.target, function)
    asserts.raises(
        TypeError, [function, "dtype", "int8", "int32"], lambda: run(x.array, kernel.array, dtype=narrow), call
    )


@pytest.mark.cross(("row", values.WRAPPING))
def test_integers_wrap(subject, row):
    _, name, x, kernel, options, expected = row
    result = options.get("dtype", name)
    for needed in {name, result}:
        if not subject.backend.has(needed):
            pytest.skip(f"{subject.backend.name} has no {needed} on {subject.backend.device_name}")
    out = check(
        subject,
        "convolve",
        operand(subject, _typed(x, name), name),
        operand(subject, _typed(kernel, name), name),
        **options,
    )
    call = f"convolve({x}, {kernel}, {options})"
    asserts.identical(subject.backend.host(out), _typed(expected, result), call)


def _typed(numbers, name):
    import numpy as np

    return np.array(numbers, dtype=name)


@pytest.mark.cross(("dtypes", rows.SAME[2:4]), ("taps", (2048,)))
def test_half_precision_sums_in_float32(subject, dtypes, taps):
    """Ones: a float16 sum stops growing at 2048, a bfloat16 sum at 256."""
    name = dtypes[0]
    x, kernel = operand(subject, [1.0] * (taps + 3), name), operand(subject, [1.0] * taps, name)
    check(subject, "correlate", x, kernel, mode="valid")


@pytest.mark.cross(("dtypes", rows.INTEGERS))
def test_long_integers_are_exact(subject, dtypes):
    """Long operands with numbers of the full range, by the method that 'auto' picks: every bit counts."""
    check_random(subject, "convolve", (3000,), (400,), dtypes)
