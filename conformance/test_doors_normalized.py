"""`normalized_convolve`: quotients of exact sums, NaN exactly where no sample is under a tap, and the weights."""

import numpy as np
import pytest

from . import asserts, bounds, dtypes
from .cases import normalized as rows
from .checks import exact_result, operand
from .doors import described, function

NAME = "normalized_convolve"


def _operands(subject, row, dtype):
    """x with NaN where it is missing, and positive taps, some of them 0."""
    random = np.random.default_rng(len(row[0]))
    (x_shape, kernel_shape), share = row[1:3]
    missing = random.random(x_shape) < share
    taps = random.integers(1, 9, kernel_shape)
    if row[0] == "zero-taps":
        taps[1::2] = 0
    x = operand(subject, np.where(missing, np.nan, random.integers(-9, 10, x_shape)), dtype)
    return {"x": x, "kernel": operand(subject, taps, dtype)}, ~missing


def _exact(x, kernel, there, options):
    """The exact sums of samples and of the mask, and the number of samples under taps that are not 0."""
    options = {name: value for name, value in options.items() if name not in ("method", "fill_value")}
    total = exact_result("convolve", np.where(there, x, 0), kernel, options)
    weight = exact_result("convolve", there.astype(x.dtype), kernel, options)
    count = exact_result("convolve", there.astype(np.int64), (kernel != 0).astype(np.int64), options)
    return total, weight, count.values != 0


def _check(subject, results, operands, there, options, dtype):
    x, kernel = operands["x"], operands["kernel"]
    total, weight, supported = _exact(x.host, kernel.host, there, options)
    call = described(NAME, operands, options)
    of_total, of_weight = (bounds.allowed(each, dtype, "normwise") for each in (total, weight))
    with np.errstate(all="ignore"):
        mean = total.values / weight.values
        bound = (of_total + np.abs(mean) * of_weight) / (weight.values - of_weight)
        bound = bound + 2 * dtypes.eps(dtype) * np.abs(mean)
    for out in results:
        asserts.form(out, x.array, dtype, total.shape, subject, call)
    y, own = (subject.backend.host(out) for out in results)
    asserts.equal("NaN of the result", np.isnan(y).tolist(), (~supported).tolist(), call)
    asserts.equal("weights of 0", (own == 0).tolist(), (~supported).tolist(), call)
    asserts.within(y, mean, bound, call, supported)
    asserts.within(own, weight.values, of_weight, call)


@pytest.mark.cross(("row", rows.CALLS), ("kind", ("float32", "real")), few=4)
def test_gaps_by_nan(subject, row, kind):
    dtype = subject.backend.real if kind == "real" else kind
    operands, there = _operands(subject, row, dtype)
    run = function(subject, NAME)
    with asserts.reproducing(described(NAME, operands, row[3]), subject):
        results = run(operands["x"].array, operands["kernel"].array, return_weight=True, **row[3])
        _check(subject, results, operands, there, row[3], dtype)


@pytest.mark.cross(("row", rows.CALLS[:4]), few=2)
def test_gaps_by_where(subject, row):
    """Values of missing samples have no effect, whatever they are."""
    dtype = subject.backend.real
    operands, there = _operands(subject, row, dtype)
    x = operands["x"]
    operands["x"] = operand(subject, np.where(there, x.host, np.inf), dtype)
    where = subject.backend.xp.asarray(there.tolist(), dtype=subject.backend.xp.bool)
    run = function(subject, NAME)
    results = run(operands["x"].array, operands["kernel"].array, where=where, return_weight=True, **row[3])
    _check(subject, results, operands, there, row[3], dtype)
