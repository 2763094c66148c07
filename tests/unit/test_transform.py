"""Fast lengths and the transforms' error figures."""

import importlib

import numpy as np
import pytest

from arrayconv import _fft
from arrayconv._ops import transform
from arrayconv._problem.fast_lengths import fast_length


def is_smooth(n):
    for prime in (2, 3, 5):
        while n % prime == 0:
            n //= prime
    return n == 1


def test_fast_length_is_the_next_5_smooth_number():
    for n in range(1, 3000):
        expected = next(m for m in range(n, 2 * n + 2) if is_smooth(m))
        assert fast_length(n) == expected


@pytest.mark.parametrize("lengths", [(1,), (7, 4), (6, 5, 3)])
@pytest.mark.parametrize("real", [True, False])
def test_inverse_undoes_forward(lengths, real):
    random = np.random.default_rng(0)
    x = random.standard_normal((2, *lengths)) + (0 if real else 1j)
    spectrum = transform.forward(x, lengths, real=real, fft=np.fft)
    assert spectrum[0].size == transform.spectrum_elements(lengths, real)
    np.testing.assert_allclose(transform.inverse(spectrum, lengths, real=real, fft=np.fft), x, atol=1e-14)


def test_padding_far_beyond_the_data_gives_the_same_spectrum():
    x = np.random.default_rng(0).standard_normal((1, 3, 4))
    padded = np.zeros((1, 40, 50))
    padded[:, :3, :4] = x
    for real in (True, False):
        far = transform.forward(x, (40, 50), real=real, fft=np.fft)
        np.testing.assert_allclose(far, transform.forward(padded, (40, 50), real=real, fft=np.fft), atol=1e-13)


PADDED = [  # samples beside two of a batch, and lengths
    ((9,), (9,)),
    ((9,), (16,)),
    ((9, 7), (9, 8)),
    ((9, 7), (20, 15)),
    ((90, 7), (90, 600)),
    ((9, 7, 5), (12, 7, 6)),
    ((300, 260), (320, 270)),  # in parts, where new memory is avoided
]


def is_called_so(library, part, **_):
    """Only SciPy's functions are called for a part of the rows at a time."""
    return library == "scipy" or part is None


@pytest.mark.rows(where=is_called_so)
@pytest.mark.parametrize("part", [None, 0, 1000], ids=lambda part: f"part={part}")
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize(("samples", "lengths"), PADDED)
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("library", _fft.PROVIDERS)
def test_provided_transforms_are_numpys(library, threads, samples, lengths, dtype, part, monkeypatch):
    pytest.importorskip(library, reason=f"{library} is not installed")
    provider = importlib.import_module(_fft.PROVIDERS[library].module)
    if part is not None:
        monkeypatch.setattr(provider, "_PART", part)
    real, functions = dtype.startswith("float"), provider.with_threads(threads)
    random = np.random.default_rng(0)
    x = (random.standard_normal((2, *samples)) + (0 if real else 1j * random.standard_normal(samples))).astype(dtype)
    before, axes = x.copy(), tuple(range(-len(lengths), 0))
    forward, inverse = (functions.rfftn, functions.irfftn) if real else (functions.fftn, functions.ifftn)
    names = ("rfftn", "irfftn") if real else ("fftn", "ifftn")
    share = 1e-5 if dtype in ("float32", "complex64") else 1e-13  # of the largest value
    spectrum = forward(x, s=lengths, axes=axes)
    np.testing.assert_array_equal(x, before)
    assert spectrum.dtype == np.result_type(dtype, np.complex64)
    expected = getattr(np.fft, names[0])(x, s=lengths, axes=axes)
    np.testing.assert_allclose(spectrum, expected, rtol=0, atol=share * np.max(np.abs(expected)))
    y = inverse(spectrum, s=lengths, axes=axes)
    assert y.dtype == dtype
    expected = getattr(np.fft, names[1])(expected, s=lengths, axes=axes)
    np.testing.assert_allclose(y, expected, rtol=0, atol=share * np.max(np.abs(expected)))


@pytest.mark.parametrize("library", _fft.PROVIDERS)
def test_provided_transforms_cut_longer_data(library):
    pytest.importorskip(library, reason=f"{library} is not installed")
    functions = importlib.import_module(_fft.PROVIDERS[library].module).with_threads(1)
    x = np.random.default_rng(0).standard_normal((9, 8))
    for name, data in (("rfftn", x), ("fftn", x + 1j)):
        spectrum = getattr(functions, name)(data.copy(), s=(6, 5), axes=(0, 1))
        np.testing.assert_allclose(spectrum, getattr(np.fft, name)(data, s=(6, 5), axes=(0, 1)), atol=1e-12)
