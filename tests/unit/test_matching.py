"""`match_template` against exact sums of its definition, other libraries' functions, and its own error bound."""

from fractions import Fraction
from itertools import product
from math import isqrt

import numpy as np
import pytest

import arrayconv
from arrayconv import match_template
from arrayconv._matching import geometry
from tests.conftest import make_library

EPS = np.finfo(np.float64).eps
SCORES = ("zncc", "ncc", "zcc", "cc", "ssd", "nssd")
LIBRARIES = ["numpy", "torch", "jax", "array_api_strict"]
RANDOM = np.random.default_rng(5)


def root(value):
    """Return the square root of a Fraction, to 40 digits."""
    scale = 10**80
    return Fraction(isqrt(value.numerator * scale * value.denominator), value.denominator * 10**40)


def exact(score, window, template):
    """Return a score as its definition says, in fractions."""
    w, t = [[Fraction(float(value)) for value in array.ravel()] for array in (window, template)]
    if score in ("zncc", "zcc"):
        w, t = [[value - sum(values) / len(values) for value in values] for values in (w, t)]
    norm = root(sum(a * a for a in w) * sum(b * b for b in t))
    if score.endswith("ssd"):
        distance = sum((a - b) ** 2 for a, b in zip(w, t, strict=True))
        return distance if score == "ssd" else distance / norm
    products = sum(a * b for a, b in zip(w, t, strict=True))
    return products if score in ("zcc", "cc") else products / norm if norm else Fraction(0)


def windows(image, shape):
    for place in product(*(range(n - k + 1) for n, k in zip(image.shape, shape, strict=True))):
        yield place, image[tuple(slice(at, at + k) for at, k in zip(place, shape, strict=True))]


def allowed(image, window, template):
    """Return the documented bound on the error of a 'zncc': the roots of both ratios, and rounding of the result."""
    shift = window - image.mean()
    variance = float(exact("zcc", window, window))
    if not variance:
        return 0.0
    depth = sum(geometry.additions(k) for k in template.shape)
    spectral = (window.size + 12 * np.log2(image.size + window.size) + 4) * EPS * np.linalg.norm(image - image.mean())
    return np.sqrt(4 * (depth + 2) * EPS * (shift**2).sum() / variance) + spectral / np.sqrt(variance) + 8 * EPS


CASES = {
    "line": RANDOM.standard_normal(30),
    "plane": RANDOM.standard_normal((9, 8)),
    "volume": RANDOM.standard_normal((4, 5, 4)),
    "texture on 1e6": 1e6 + 1e-5 * RANDOM.standard_normal((9, 8)),
    "texture on a step": np.where(np.arange(8) < 4, 0, 1e6) + 1e-3 * RANDOM.standard_normal((9, 8)),
    "flat area": np.pad(RANDOM.standard_normal((5, 4)), ((0, 4), (4, 0)), constant_values=0.1),
    "bytes": RANDOM.integers(0, 256, (9, 8)).astype("uint8"),
    "integers": RANDOM.integers(-(2**30), 2**30, (9, 8)).astype("int32"),
}


@pytest.mark.parametrize("accuracy", ["normwise", "componentwise"])
@pytest.mark.parametrize("name", CASES)
def test_zncc_is_within_its_bound_of_the_exact_quotient(name, accuracy):
    image = CASES[name]
    template = image[tuple(slice(1, 4) for _ in image.shape)]
    y = match_template(image, template, accuracy=accuracy)
    assert y.dtype == np.float64
    errors = {}
    for place, window in windows(image, template.shape):
        bound = allowed(image.astype(float), window.astype(float), template)
        error = abs(float(exact("zncc", window, template) - Fraction(float(y[place]))))
        if not error <= bound:
            errors[place] = error, bound
    assert errors == {}
    if name == "texture on a step":  # below the rounding errors of squares around a mean that is far away: flat
        assert not y[:, 0].any()
    elif name != "flat area":
        assert y[(1,) * image.ndim] > 1 - 1e-6


@pytest.mark.parametrize("score", SCORES)
def test_scores_of_integers_follow_their_definitions(score):
    image, template = CASES["bytes"], CASES["bytes"][2:5, 3:6]
    y = match_template(image, template, score=score)
    expected = np.empty(y.shape)
    for place, window in windows(image, template.shape):
        expected[place] = float(exact(score, window, template))
    np.testing.assert_allclose(y, expected, rtol=1e-13, atol=1e-13 * abs(expected).max())


def test_only_constant_windows_of_small_integers_are_flat():
    image = np.full((12, 12), 200, np.uint8)
    image[6, 6] = 201  # the smallest deviation there is
    y = match_template(image, np.arange(9, dtype=np.uint8).reshape(3, 3))
    assert np.count_nonzero(y) == 8  # the pixel under the template's centre is its mean
    assert not match_template(image, np.full((3, 3), 7, np.uint8)).any()


def test_a_constant_of_any_size_is_flat():
    for level in (0.1, 1e6 + 0.1, -1e300):
        assert not match_template(np.full((9, 9), level), np.arange(9.0).reshape(3, 3), score="zncc").any()


@pytest.mark.parametrize("mode", ["constant", "edge", "symmetric", "reflect", "wrap"])
@pytest.mark.parametrize("pad_input", [False, True])
def test_equals_scikit_image(pad_input, mode):
    feature = pytest.importorskip("skimage.feature", reason="scikit-image is not installed")
    image = RANDOM.standard_normal((14, 15))
    for shape in ((3, 4), (5, 2), (1, 3)):
        template = RANDOM.standard_normal(shape)
        theirs = feature.match_template(image, template, pad_input, mode, 2.5)
        np.testing.assert_allclose(match_template(image, template, pad_input, mode, 2.5), theirs, atol=1e-12)


@pytest.mark.parametrize(
    ("score", "flag"),
    [("zncc", "CCOEFF_NORMED"), ("ncc", "CCORR_NORMED"), ("zcc", "CCOEFF"), ("cc", "CCORR"), ("ssd", "SQDIFF")],
)
def test_equals_opencv(score, flag):
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
    image, template = RANDOM.random((20, 21)).astype("float32"), RANDOM.random((5, 6)).astype("float32")
    theirs = cv2.matchTemplate(image, template, getattr(cv2, f"TM_{flag}"))
    ours = match_template(image, template, score=score)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


@pytest.mark.parametrize("taps", [1, 2, 31, 32, 33, 64, 65, 100, 1025])
def test_sums_over_long_windows_are_exact(taps):
    x = RANDOM.integers(0, 256, 1100).astype("uint8")
    y = match_template(x, np.zeros(taps, "uint8"), score="ssd")
    assert y.tolist() == np.convolve(x.astype(int) ** 2, np.ones(taps, int), "valid").tolist()


def test_batches_of_images_and_of_templates_broadcast():
    images, templates = RANDOM.standard_normal((3, 9, 8)), RANDOM.standard_normal((3, 3, 2))
    y = match_template(images, templates, axes=(1, 2))
    one = match_template(images[:1], templates, axes=(1, 2))
    few = match_template(images, templates[2].T, axes=(2, 1))
    for number in range(3):
        np.testing.assert_allclose(y[number], match_template(images[number], templates[number]), atol=1e-14)
        np.testing.assert_allclose(one[number], match_template(images[0], templates[number]), atol=1e-14)
        np.testing.assert_allclose(few[number], match_template(images[number], templates[2]), atol=1e-14)


@pytest.mark.parametrize("axis", [0, 2])
def test_channels_are_one_window(axis):
    image, template = RANDOM.standard_normal((9, 8, 3)), RANDOM.standard_normal((3, 2, 3))
    expected = match_template(image, template)[..., 0]
    image, template = np.moveaxis(image, -1, axis), np.moveaxis(template, -1, axis)
    y = match_template(image, template, channel_axis=axis)
    np.testing.assert_allclose(y, expected, atol=1e-14)
    assert match_template(image, template, True, channel_axis=axis).shape == (9, 8)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("score", ["zncc", "ncc", "ssd"])
def test_nonfinite_samples_stay_in_their_windows(score, bad):
    image = RANDOM.standard_normal((40, 40))
    template, expected = image[:5, :5], match_template(image, image[:5, :5], score=score)
    image[20, 20] = bad
    y = match_template(image, template.copy(), score=score)
    outside = np.ones(y.shape, bool)
    outside[16:21, 16:21] = False
    assert not np.isfinite(y[~outside]).any()
    np.testing.assert_allclose(y[outside], expected[outside], atol=1e-12)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("score", SCORES)
def test_every_library_has_the_same_scores(library, score):
    backend = make_library(library)
    image, template = RANDOM.standard_normal((12, 40)), RANDOM.standard_normal((3, 36))
    expected = match_template(image, template, True, "reflect", score=score)
    y = match_template(backend.asarray(image), backend.asarray(template), True, "reflect", score=score)
    np.testing.assert_allclose(backend.numpy(y), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("score", SCORES)
def test_gradients(score):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    image, template = torch.rand(6, 5, dtype=torch.float64), torch.rand(3, 2, dtype=torch.float64)
    arguments = image.requires_grad_(), template.requires_grad_()
    assert torch.autograd.gradcheck(lambda x, t: match_template(x, t, score=score), arguments)


def test_gradients_of_flat_windows_are_zero():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    image = torch.ones(6, 6, dtype=torch.float64, requires_grad=True)
    match_template(image, torch.rand(3, 3, dtype=torch.float64)).sum().backward()
    assert not image.grad.any()


def test_jax_differentiates_compiles_and_maps():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    images, template = RANDOM.standard_normal((2, 9, 8)), RANDOM.standard_normal((3, 2))
    with jax.enable_x64(True):
        x, t = jax.numpy.asarray(images), jax.numpy.asarray(template)
        y = jax.jit(jax.vmap(lambda one: match_template(one, t)))(x)
        np.testing.assert_allclose(np.asarray(y)[1], match_template(images[1], template), atol=1e-12)
        gradient = jax.grad(lambda one: match_template(one, t).sum())(x[0])
    assert np.isfinite(np.asarray(gradient)).all()


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"score": "ccoeff"}, ValueError, "`score` must be one of 'zncc'"),
        ({"mode": "same"}, ValueError, "`mode` must be one of 'constant'"),
        ({"template": np.ones((7, 2))}, ValueError, "pad_input=True"),
        ({"template": np.ones(3)}, ValueError, "axes="),
        ({"template": np.ones((0, 3))}, ValueError, "must have samples"),
        ({"image": np.ones((6, 6)) * 1j}, TypeError, "magnitude"),
        ({"constant_values": 1j}, TypeError, "constant_values"),
        ({"channel_axis": 1}, ValueError, "as many channels along"),
        ({"axes": (0, 0)}, ValueError, "must differ"),
        ({"axes": 5}, ValueError, "`axes` must be in"),
        ({"accuracy": "best"}, ValueError, "`accuracy`"),
        ({"pad_input": 1}, TypeError, "pad_input"),
    ],
)
def test_refusals_name_the_argument(changes, error, words):
    with pytest.raises(error, match=words):
        match_template(**{"image": np.ones((6, 6)), "template": np.ones((3, 3)), **changes})


def test_no_larger_template_costs_more_passes_than_its_logarithm():
    explanation = arrayconv.explain(image=(4000,), template=(1024,), call=match_template)
    assert [step.taps for step in explanation.passes[1:]] == [32, 32] * 2
