"""Streams of CuPy arrays: on their device, without a wait, within the bound."""

import cupy
import numpy as np
import pytest

from arrayconv import Convolver, testing
from tests.cuda.standin import Device, allowed


@pytest.mark.parametrize(("taps", "latency"), [(5, 0), (120, 63)])
def test_chunks_stay_on_their_device(taps, latency):
    rng = np.random.default_rng(taps)
    x, kernel = rng.standard_normal((2, 300)), rng.standard_normal(taps) / taps
    with Device(1):
        chunks = [cupy.asarray(x[:, first:stop]) for first, stop in ((0, 7), (7, 7), (7, 200), (200, 300))]
        taps_on_device = cupy.asarray(kernel)
    stream = Convolver(taps_on_device, "same", axes=1, boundary="edge").stream(max_latency=latency)
    parts = [*map(stream.push, chunks), stream.flush()]
    assert all(part.device == Device(1) for part in parts)
    with allowed():
        y = np.concatenate([part.get() for part in parts], axis=1)
    options = {"mode": "same", "axes": 1, "boundary": "edge"}
    bound = testing.error_bound("convolve", x, kernel, accuracy="normwise", **options)
    assert (np.abs(y - testing.reference("convolve", x, kernel, **options)) <= bound).all()
