"""What a user sees where kernels can't be compiled, and where arrays are on two devices."""

import cupy
import numpy as np
import pytest

import arrayconv
from arrayconv import config
from arrayconv._accel.cuda import launch
from arrayconv._arrays import failures
from tests.cuda.standin import Device

X, TAPS = np.arange(30.0).reshape(5, 6), np.arange(6.0).reshape(2, 3)


@pytest.fixture
def no_compiler(monkeypatch):
    """CuPy without NVRTC, in a process where nothing has failed yet."""

    def raw_module(**_):
        raise RuntimeError("NVRTC is missing")

    launch.compiled.cache_clear()
    config.cache_clear()  # bound calls keep their kernels
    monkeypatch.setattr(failures, "failures", {})
    monkeypatch.setattr(cupy, "RawModule", raw_module)
    yield
    launch.compiled.cache_clear()
    config.cache_clear()  # bound calls keep their kernels


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler_another_method_runs_with_one_warning():
    x, taps = cupy.asarray(X), cupy.asarray(TAPS)
    with pytest.warns(RuntimeWarning, match=r"'cuda' failed: .*NVRTC is missing\. Method '\w+' runs instead"):
        y = arrayconv.convolve(x, taps)
    np.testing.assert_allclose(y.values, arrayconv.convolve(X, TAPS))
    np.testing.assert_array_equal(arrayconv.convolve(x, taps).values, y.values)  # without another warning


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler_a_kernel_that_is_asked_for_is_an_error():
    with pytest.raises(RuntimeError, match=r"method 'cuda_loops' cannot run: .* Use method='auto'"):
        arrayconv.convolve(cupy.asarray(X), cupy.asarray(TAPS), method="cuda_loops")


def test_operands_on_two_devices_are_refused():
    with Device(1):
        taps = cupy.asarray(TAPS)
    with pytest.raises(TypeError, match=r"must be on one device\. Got <CUDA Device 0> and <CUDA Device 1>"):
        arrayconv.convolve(cupy.asarray(X), taps)


def test_arrays_of_the_host_are_refused_beside_cupys():
    with pytest.raises(TypeError, match=r"must come from one array library\. Got cupy and numpy"):
        arrayconv.convolve(cupy.asarray(X), TAPS)
