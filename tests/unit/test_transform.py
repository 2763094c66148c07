"""Fast lengths and the transforms' error figures."""

import numpy as np
import pytest

from arrayconv._lengths import fast_length
from arrayconv._ops import transform


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
