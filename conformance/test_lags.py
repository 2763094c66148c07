"""Lags: which they are, and that only the requested ones are computed."""

import numpy as np
import pytest

from . import asserts
from .cases import lags as rows
from .cases import shapes, values
from .checks import Call, check, check_random, operand


def _expected(n, k, mode, stride=1, dilation=1):
    """The lag of every output: counted from the definition."""
    reach = dilation * (k - 1) + 1
    overlapping = range(1 - reach, n)  # the lags at which the kernel's extent overlaps x
    inside = [lag for lag in overlapping if lag >= 0 and lag + reach <= n]
    centred = range(-(reach // 2), -(reach // 2) + n)
    return list({"full": overlapping, "same": centred, "valid": inside}[mode])[::stride]


@pytest.mark.parametrize("mode", shapes.MODES)
@pytest.mark.parametrize(("name", "stride", "dilation"), rows.STEPS)
def test_lags(subject, mode, name, stride, dilation):
    for n in rows.SIZES:
        for k in rows.SIZES:
            if mode == "valid" and dilation * (k - 1) + 1 > n:
                continue
            got = subject.target.lags(n, k, mode, stride=stride, dilation=dilation)
            call = f"lags({n}, {k}, {mode!r}, stride={stride}, dilation={dilation})"
            asserts.kind_of_array(got, np.zeros(1), call)
            asserts.equal("dtype", str(got.dtype), "int64", call)
            asserts.equal("lags", got.tolist(), _expected(n, k, mode, stride, dilation), call)


def test_lags_of_every_axis(subject):
    got = subject.target.lags((5, 4), (2, 3), "same")
    asserts.equal("type", type(got), tuple, "lags((5, 4), (2, 3), 'same')")
    asserts.equal(
        "lags", [each.tolist() for each in got], [[-1, 0, 1, 2, 3], [-1, 0, 1, 2]], "lags((5, 4), (2, 3), 'same')"
    )


@pytest.mark.parametrize("row", values.PEAKS, ids=lambda row: row[0])
def test_peak(subject, row):
    """The lag at which a spike of the kernel is over a spike of x."""
    _, x, kernel, position, lag = row
    name = subject.backend.real
    out = check(subject, "correlate", operand(subject, x, name), operand(subject, kernel, name), mode="same")
    call = f"correlate({x}, {kernel}, 'same')"
    asserts.equal("argmax", int(np.argmax(subject.backend.host(out))), position, call)
    asserts.equal("lag", int(subject.target.lags(len(x), len(kernel), "same")[position]), lag, call)


@pytest.mark.cross(("row", rows.WINDOWS), ("kind", ("real", "complex")))
def test_windows(subject, row, kind):
    _, x, kernel, options = row
    check_random(subject, "correlate", x, kernel, (getattr(subject.backend, kind),) * 2, **options)


@pytest.mark.cross(("mode", shapes.MODES), ("kernel", ((3,), (4,))))
def test_modes_are_windows(subject, mode, kernel):
    """The lags of a mode, requested as a window, give the mode's values."""
    name = subject.backend.real
    lags = subject.target.lags(9, kernel[0], mode)
    window = (int(lags[0]), int(lags[-1]))
    a = check_random(subject, "correlate", (9,), kernel, (name, name), mode=mode)
    b = check_random(subject, "correlate", (9,), kernel, (name, name), lags=window)
    call = Call("correlate", {}, {}, {"mode": mode, "lags": window})
    asserts.equal("out.shape", tuple(b.shape), tuple(a.shape), call)
