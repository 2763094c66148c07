"""`match_template`: every score against its definition in fractions, flat windows exactly 0, padding and axes."""

from fractions import Fraction
from itertools import product
from math import isqrt, log2

import numpy as np
import pytest

from . import asserts, dtypes
from .cases import matching as rows
from .checks import operand
from .doors import described, function

NAME = "match_template"
DIGITS = 10**40


def _root(value):
    """The square root of a Fraction, to 40 digits."""
    return Fraction(isqrt(value.numerator * DIGITS**2 * value.denominator), value.denominator * DIGITS)


def _centred(values):
    return [value - Fraction(sum(values), len(values)) for value in values]


def _norm(values):
    return _root(sum((value * value for value in values), Fraction(0)))


def _score(score, window, template):
    """A score by its definition, in fractions, and the norms that it divides by."""
    w, t = (list(map(Fraction, values)) for values in (window, template))
    if score in ("zncc", "zcc"):
        w, t = _centred(w), _centred(t)
    norms, products = _norm(w) * _norm(t), sum(a * b for a, b in zip(w, t, strict=True))
    if score in ("zcc", "cc"):
        return products, Fraction(1)
    if score == "ssd":
        return sum((a - b) ** 2 for a, b in zip(w, t, strict=True)), Fraction(1)
    if score == "nssd":
        return sum((a - b) ** 2 for a, b in zip(w, t, strict=True)) / norms, norms
    return (products / norms if norms else Fraction(0)), norms


def _windows(image, template, options):
    """The windows of every score, flat, in C order, and the result's shape."""
    if options.get("axes") == 1:
        template = template[None]
    if options.get("pad_input"):
        pads = [(k // 2, (k - 1) - k // 2) for k in template.shape]
        image = np.pad(image, pads, mode=options.get("mode", "constant"))
    shape = [n - k + 1 for n, k in zip(image.shape, template.shape, strict=True)]
    cuts = (
        tuple(slice(at, at + k) for at, k in zip(place, template.shape, strict=True))
        for place in product(*map(range, shape))
    )
    return [[int(value) for value in image[cut].ravel()] for cut in cuts], tuple(shape)


def _expected(image, template, options, precision):
    """Scores, and bounds on their errors: of an FFT's products, of sums of squares around the mean, of the quotient."""
    windows, shape = _windows(image, template, options)
    score, taps = options.get("score", "zncc"), [int(value) for value in template.ravel()]
    size, whole = len(taps), np.linalg.norm(image) + abs(image.mean()) * image.size**0.5
    of_products = (size + 12 * log2(image.size + size) + 8) * precision * whole * (np.linalg.norm(taps) + 1)
    of_squares = 4 * (sum(template.shape) + 2) * precision
    values, limits = [], []
    for window in windows:
        value, norms = _score(score, window, taps)
        if not norms:
            values.append(0.0), limits.append(0.0)
            continue
        deviation = float(_norm(_centred(list(map(Fraction, window)))))
        shift = np.linalg.norm(np.asarray(window) - image.mean())
        spread = (of_squares**0.5 * shift / deviation) if score == "zncc" else of_squares * (1 + abs(float(value)))
        values.append(float(value))
        limits.append(4 * of_products / float(norms) + spread + 8 * precision * abs(float(value)))
    return np.reshape(values, shape), np.reshape(limits, shape)


@pytest.mark.cross(("row", rows.CALLS), ("kind", ("float32", "real", "uint8")), few=3)
def test_scores(subject, row, kind):
    _, image_shape, template_shape, options = row
    dtype = subject.backend.real if kind == "real" else kind
    random = np.random.default_rng(len(row[0]))
    image = random.integers(0, 10, image_shape)
    image.flat[: image.size // 3] = 4  # some windows are flat
    operands = {
        "image": operand(subject, image, dtype),
        "template": operand(subject, random.integers(0, 10, template_shape), dtype),
    }
    call = described(NAME, operands, options)
    run = function(subject, NAME)
    with asserts.reproducing(call, subject):
        out = run(operands["image"].array, operands["template"].array, **options)
        result = "float32" if kind == "float32" else subject.backend.real
        precision = max(dtypes.eps(result), dtypes.eps(subject.backend.real))
        values, limits = _expected(image, operands["template"].host, options, precision)
        asserts.form(out, operands["image"].array, result, values.shape, subject, call)
        asserts.within(subject.backend.host(out), values, limits, call)


@pytest.mark.cross(("score", ("zncc", "ncc")), few=1)
def test_flat_windows_are_zero(subject, score):
    """A window without variance has no direction; `ncc` is 0 where a window is 0."""
    image = np.full((5, 6), 7 if score == "zncc" else 0)
    template = np.arange(4).reshape(2, 2)
    operands = {
        "image": operand(subject, image, subject.backend.real),
        "template": operand(subject, template, subject.backend.real),
    }
    call = described(NAME, operands, {"score": score})
    run = function(subject, NAME)
    with asserts.reproducing(call, subject):
        out = run(operands["image"].array, operands["template"].array, score=score)
        asserts.equal("values", sorted(set(subject.backend.host(out).ravel().tolist())), [0.0], call)
