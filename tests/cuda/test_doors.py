"""Every public function on the stand-in for CuPy: on the arrays' device, without a wait, with NumPy's results."""

import cupy
import numpy as np
import pytest

import arrayconv
from tests.calls import CALLS, QUOTIENTS, filled
from tests.cuda.standin import LEDGER, Device, allowed

EVERY = {**CALLS, **QUOTIENTS}
RESULTS = 1e-12  # largest difference from NumPy's result, of numbers near 1


def host_array(sizes):
    return np.random.default_rng(len(sizes)).standard_normal(sizes)


def elsewhere(sizes):
    """Return an array on another device than the current one."""
    with Device(1):
        return cupy.asarray(host_array(sizes))


@pytest.mark.parametrize("name", EVERY)
def test_result_is_numpys_and_on_the_arrays_device(name):
    function, arguments, options = EVERY[name]
    each, keywords = filled(arguments, options, elsewhere)
    y = function(*each, **keywords)
    assert (y.device, Device()) == (Device(1), Device(0))
    with allowed():
        first = y.get()
    reference_each, reference_keywords = filled(arguments, options, host_array)
    np.testing.assert_allclose(first, function(*reference_each, **reference_keywords), rtol=RESULTS, atol=RESULTS)
    again = function(*each, **keywords)
    with allowed():
        np.testing.assert_array_equal(again.get(), first)


@pytest.mark.parametrize("name", EVERY)
def test_second_call_transfers_nothing_but_lists(name):
    function, arguments, options = EVERY[name]
    each, keywords = filled(arguments, options, elsewhere)
    function(*each, **keywords)
    LEDGER.reset()
    function(*each, **keywords)
    assert LEDGER.transfers["arrays"] + LEDGER.transfers["results"] == 0


@pytest.mark.parametrize("separable", [False, "auto", True])
def test_convolver_computes_on_the_arrays_device(separable):
    taps = np.outer([1.0, 2, 1], [1.0, 0, -1])
    x = elsewhere((20, 31))
    with Device(1):
        kernel = cupy.asarray(taps)
    with allowed():  # it reads the kernel once, to see whether it is a product
        filters = [arrayconv.Convolver(each, "same", separable=separable) for each in (kernel, taps.tolist())]
    reference = arrayconv.convolve(host_array((20, 31)), taps, "same")
    for conv in filters:
        for _ in range(2):
            y = conv(x)
            assert y.device == Device(1)
            with allowed():
                np.testing.assert_allclose(y.get(), reference, atol=RESULTS)


def test_convolver_of_a_list_runs_on_two_devices():
    conv = arrayconv.Convolver([[1.0, 2.0], [3.0, 4.0]], "same", separable=False)
    for number in (0, 1, 0):
        with Device(number):
            x = cupy.asarray(host_array((40, 41)))
        assert conv(x).device == Device(number)


def test_vjp_computes_on_the_arrays_device():
    x, kernel = elsewhere((2, 4, 9, 10)), elsewhere((6, 4, 3, 3))
    y, pullback = arrayconv.vjp(arrayconv.nn.conv2d, x, kernel)
    with Device(1):
        dy = cupy.ones_like(y)
    assert all(gradient.device == Device(1) for gradient in pullback(dy))


@pytest.mark.parametrize("call", ["convolve", "correlate", "nn.conv1d", "ndimage.gaussian_filter", "Convolver"])
def test_bfloat16_which_cupys_namespace_lacks_is_refused(call):
    bfloat16 = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed").bfloat16
    x, taps = cupy.asarray(np.ones(9, bfloat16)), cupy.asarray(np.ones(3, bfloat16))
    calls = {
        "convolve": lambda: arrayconv.convolve(x, taps),
        "correlate": lambda: arrayconv.correlate(x, taps),
        "nn.conv1d": lambda: arrayconv.nn.conv1d(x[None], taps[None, None]),
        "ndimage.gaussian_filter": lambda: arrayconv.ndimage.gaussian_filter(x, 1.0),
        "Convolver": lambda: arrayconv.Convolver(taps)(x),
    }
    with pytest.raises((TypeError, RuntimeError), match="bfloat16"):
        calls[call]()
