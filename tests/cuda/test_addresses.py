"""Remembered calls at the addresses of CuPy arrays: few Python functions run, with the results of any other call."""

import cupy
import numpy as np
import pytest

import arrayconv
from tests.cuda import remembered
from tests.cuda.standin import allowed

MOST_CALLS = 14  # of the package's Python functions in a remembered call

CALLS = {  # name: (shape of x, shape of the kernel, options)
    "same": ((40, 37), (3, 4), {"mode": "same"}),
    "full": ((40, 37), (5, 4), {"mode": "full"}),
    "one sample": ((1, 1), (3, 3), {"mode": "full"}),
    "reflected": ((40, 37), (7, 6), {"mode": "same", "boundary": "reflect"}),
    "filled": ((300,), (9,), {"mode": "same", "fill_value": 2.5}),
    "first axis": ((30, 6), (5,), {"axes": 0, "mode": "same"}),
    "stride and dilation": ((50, 41), (3, 4), {"stride": 2, "dilation": (2, 3), "mode": "same"}),
    "kernel per row": ((4, 50), (4, 6), {"axes": 1}),
    "large taps": ((64, 70), (15, 11), {"mode": "same", "boundary": "wrap"}),
}


def operands(name, dtype, device=0):
    random = np.random.default_rng(0)
    hosts = [(10 * random.standard_normal(shape)).astype(dtype) for shape in CALLS[name][:2]]
    with cupy.cuda.Device(device):
        return hosts, [cupy.asarray(host) for host in hosts]


def host(array):
    with allowed():
        return array.get()


@pytest.mark.parametrize("function", ["convolve", "correlate"])
@pytest.mark.parametrize("dtype", ["float32", "uint8", "complex64"])
@pytest.mark.parametrize("name", CALLS)
def test_results_at_addresses_are_those_of_views(name, dtype, function, monkeypatch):
    _, (x, kernel) = operands(name, dtype)
    options = CALLS[name][2]
    if dtype == "uint8" and "fill_value" in options:
        options = {**options, "fill_value": 2}
    convolve = getattr(arrayconv, function)
    first = host(convolve(x, kernel, **options))
    monkeypatch.setattr("arrayconv._accel.cuda.kernels.at_addresses", lambda *_: None)
    arrayconv.config.cache_clear()
    np.testing.assert_array_equal(host(convolve(x, kernel, **options)), first)
    arrayconv.config.cache_clear()


def test_views_and_out_are_read_and_written_where_they_are():
    hosts, (x, kernel) = operands("same", "float32")
    reference = arrayconv.convolve(*hosts, "same")
    wide = cupy.asarray(np.repeat(hosts[0], 2, 1))
    target = cupy.zeros((40, 37), dtype="float32")
    for array in (x, wide[:, ::2]):
        np.testing.assert_allclose(host(arrayconv.convolve(array, kernel, "same")), reference, atol=1e-3)
        y = arrayconv.convolve(array, kernel, "same", out=target)
        assert y is target
        np.testing.assert_allclose(host(y), reference, atol=1e-3)


def test_the_result_is_on_the_arrays_device():
    _, (x, kernel) = operands("same", "float32", device=1)
    for _ in range(2):
        assert arrayconv.convolve(x, kernel, "same").device == cupy.cuda.Device(1)


def test_a_remembered_call_runs_few_python_functions():
    with remembered.call() as convolve:
        names = remembered.own_calls(convolve)
    assert len(names) <= MOST_CALLS, names
    assert "at" in names
