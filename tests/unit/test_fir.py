"""The FIR functions of `signal` against exact weights, SciPy, and themselves block by block."""

from fractions import Fraction

import numpy as np
import pytest

import arrayconv
from arrayconv import kernels, ndimage, signal
from arrayconv._signal import design
from tests.conftest import make_library

scipy_signal = pytest.importorskip("scipy.signal", reason="SciPy is not installed")

RANDOM = np.random.default_rng(3)
X = RANDOM.standard_normal((3, 40))
CALLS = {  # function, positional arguments, options
    "savgol-even": ("savgol_filter", (X, 6, 3), {"deriv": 1, "delta": 0.5}),
    "savgol-whole": ("savgol_filter", (X, 40, 4), {}),
    "savgol-axis": ("savgol_filter", (X, 3, 1), {"axis": 0}),
    **{
        f"savgol-{mode}": ("savgol_filter", (X, 7, 2), {"mode": mode, "cval": 1.5})
        for mode in ("interp", "mirror", "constant", "nearest", "wrap")
    },
    **{
        f"resample-{kind}": ("resample_poly", (X, 3, 2), {"axis": 1, "padtype": kind})
        for kind in ("constant", "mean", "median", "minimum", "maximum", "line", "smooth", "antireflect", "wrap")
    },
    "resample-taps": ("resample_poly", (X, 5, 4, 1, np.array([1.0, 2, 4, 1])), {}),
    "resample-fraction": ("resample_poly", (X, 10, 4, 0), {"window": ("tukey", 0.3)}),
    "decimate": ("decimate", (X, 3), {"ftype": "fir"}),
    "decimate-late": ("decimate", (X, 4, 9, "fir"), {"axis": 1, "zero_phase": False}),
    "decimate-system": ("decimate", (X, 3), {"ftype": scipy_signal.dlti([1, 2, 1], [2.0])}),
    "lfilter": ("lfilter", ([1.0, 2, 3], 2.0, X), {}),
    "lfilter-state": ("lfilter", ([1.0, 2, 3], [2.0], X), {"zi": np.ones((1, 2))}),
    "lfilter-short": ("lfilter", (np.ones(60), 1, X), {"zi": RANDOM.standard_normal((3, 59))}),
    "sepfir2d": ("sepfir2d", (X, [1.0, 2, 5], [3.0, 0, 1, 0, 0]), {}),
    "sepfir2d-bytes": ("sepfir2d", ((9 * X).astype("uint8"), [1.0, 2, 5], [3.0]), {}),
}


@pytest.mark.parametrize("name", CALLS)
def test_equals_scipy(name):
    function, arguments, options = CALLS[name]
    ours, theirs = (getattr(module, function)(*arguments, **options) for module in (signal, scipy_signal))
    pairs = zip(ours, theirs, strict=True) if isinstance(theirs, tuple) else [(ours, theirs)]
    for y, expected in pairs:
        assert y.dtype == expected.dtype
        np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("library", ["torch", "jax", "array_api_strict"])
@pytest.mark.parametrize("name", CALLS)
def test_every_library_computes_the_same(library, name):
    backend = make_library(library)
    function, arguments, options = CALLS[name]
    expected = getattr(signal, function)(*arguments, **options)
    convert = lambda value: backend.asarray(value) if isinstance(value, np.ndarray) else value  # noqa: E731
    result = getattr(signal, function)(
        *map(convert, arguments), **{key: convert(value) for key, value in options.items()}
    )
    pairs = zip(result, expected, strict=True) if isinstance(expected, tuple) else [(result, expected)]
    for y, one in pairs:
        assert type(y) is type(backend.asarray(X))
        np.testing.assert_allclose(backend.numpy(y), one, rtol=1e-5, atol=1e-5)  # float32 on JAX without x64


def fitted(length, order, derivative, place):
    """Return the weights by the normal equations in fractions."""
    powers = [[(Fraction(j) - Fraction(place)) ** k for j in range(length)] for k in range(order + 1)]
    rows = [
        [*(sum(a * b for a, b in zip(p, q, strict=True)) for q in powers), Fraction(k == derivative)]
        for k, p in enumerate(powers)
    ]
    for n in range(order + 1):
        rows[n] = [value / rows[n][n] for value in rows[n]]
        for m in range(order + 1):
            if m != n:
                rows[m] = [a - rows[m][n] * b for a, b in zip(rows[m], rows[n], strict=True)]
    factor = np.prod(range(1, derivative + 1), dtype=int).item()
    return [float(factor * sum(row[-1] * p[j] for row, p in zip(rows, powers, strict=True))) for j in range(length)]


@pytest.mark.parametrize(
    ("length", "order", "derivative", "place"),
    [(5, 2, 0, 2), (6, 3, 1, 2.5), (9, 8, 3, 8), (21, 12, 0, 10), (1, 0, 0, 0)],
)
def test_savgol_weights_are_the_exact_fractions_rounded_once(length, order, derivative, place):
    expected = fitted(length, order, derivative, place)
    weights = signal.savgol_coeffs(length, order, derivative, pos=place, use="dot")
    assert weights.tolist() == expected
    assert kernels.savgol(length, order, deriv=derivative, pos=place).tolist() == expected[::-1]


def test_polynomials_pass_a_savgol_filter_unchanged_to_the_ends():
    x = np.arange(50.0)
    cubic = ((x - 20) ** 3)[:, None] + np.zeros(3)
    y = signal.savgol_filter(cubic, 11, 3, axis=0)
    bound = 64 * np.finfo(float).eps * abs(cubic).max()
    assert abs(y - cubic).max() <= bound


def test_lfilter_continues_from_block_to_block():
    b, x = RANDOM.standard_normal(7), RANDOM.standard_normal((2, 50))
    whole, state, parts = signal.lfilter(b, 1, x), np.zeros((2, 6)), []
    for block in np.split(x, [3, 20, 21], axis=1):
        y, state = signal.lfilter(b, 1, block, zi=state)
        parts.append(y)
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-13)


WINDOWS = {"kaiser": (5.0,), "gaussian": (7.0,), "general_gaussian": (1.5, 7.0), "general_cosine": ((0.5, 0.3, 0.2),)}
WINDOWS |= {"general_hamming": (0.7,), "exponential": (None, 3.0), "tukey": (0.25,)}


@pytest.mark.parametrize("count", [21, 22])
@pytest.mark.parametrize("name", design.WINDOWS)
def test_windows_are_scipys(name, count):
    window = (name, *WINDOWS[name]) if name in WINDOWS else name
    theirs = scipy_signal.get_window(window, count, fftbins=False)
    np.testing.assert_allclose(design.samples("f", window, count), theirs, rtol=0, atol=2e-15)  # of cosines' arguments


@pytest.mark.parametrize("function", ["savgol_filter", "resample_poly", "lfilter", "sepfir2d", "decimate"])
def test_gradients(function):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    _, arguments, options = next(row for row in CALLS.values() if row[0] == function)
    tensors = [torch.tensor(value) if isinstance(value, np.ndarray) else value for value in arguments]
    place = next(n for n, value in enumerate(tensors) if hasattr(value, "shape"))

    def call(x):
        return getattr(signal, function)(*[x if n == place else value for n, value in enumerate(tensors)], **options)

    assert torch.autograd.gradcheck(call, tensors[place][:, :40].requires_grad_())


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: signal.lfilter([1.0], [1.0, 0.5], X), NotImplementedError, "recursion.*scipy.signal.lfilter"),
        (lambda: signal.lfilter([1.0], 0, X), ValueError, "`a` must not be 0"),
        (lambda: signal.decimate(X, 3), NotImplementedError, r"ftype='fir', or scipy\.signal\.decimate"),
        (
            lambda: signal.decimate(X, 3, ftype=scipy_signal.dlti([1], [1, 0.5])),
            NotImplementedError,
            r"denominator of 2 coefficients: an IIR.*scipy\.signal\.decimate",
        ),
        (lambda: signal.resample_poly(X, 3, 2, window="chebwin"), ValueError, "scipy.signal.firwin"),
        (lambda: signal.savgol_filter(X, 50, 2), ValueError, "less than or equal to the size of x"),
        (lambda: signal.filtfilt, AttributeError, "recursive.*scipy.signal has it"),
        (lambda: signal.medfilt, AttributeError, "no linear filter"),
        (lambda: ndimage.fourier_gaussian, AttributeError, "spectrum.*scipy.ndimage has it"),
        (lambda: ndimage.median_filter, AttributeError, "no linear filter"),
        (lambda: ndimage.shift, AttributeError, "interpolat"),
        (lambda: ndimage.nothing, AttributeError, "no attribute 'nothing'$"),
    ],
)
def test_what_is_no_convolution_says_where_it_is(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    ("b", "a", "name"), [(np.eye(2), [2.0], "b"), ([], [2.0], "b"), ([1.0], np.eye(2), "a"), ([1.0], [], "a")]
)
def test_lfilter_refuses_coefficients_in_scipys_words(b, a, name):
    words = f"Parameter {name} is not a non-empty 1d array"
    with pytest.raises(ValueError, match=f"^{words}"):
        scipy_signal.lfilter(b, a, X)
    with pytest.raises(ValueError, match=f"^lfilter: {words}. Got `{name}` of shape"):
        signal.lfilter(b, a, X)


def test_lfilter_refuses_integers_by_scipys_exception():
    b, a, x = (np.array(values, np.uint64) for values in ([1], [2], [3, 4]))
    for module, words in ((scipy_signal, "produced result type"), (signal, "produced the result type 'uint64'")):
        with pytest.raises(NotImplementedError, match=words):
            module.lfilter(b, a, x)


def test_a_spacing_must_not_be_traced():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    with pytest.raises(TypeError, match=r"`delta` must be a real number.*pass it as a static argument"):
        jax.jit(lambda x, delta: signal.savgol_filter(x, 5, 2, 1, delta))(X, 0.5)


def test_explain_describes_the_passes():
    assert [step.axis for step in arrayconv.explain((9, 40), [1, 1, 1], [1], call=signal.sepfir2d).passes] == [1, 0]
