"""`cudnn_conv` on the stand-in for CuPy, torch's device being the CPU: no copy, CuPy's stream, IEEE float32."""

from contextlib import contextmanager
from types import SimpleNamespace

import cupy
import numpy as np
import pytest

import arrayconv
from arrayconv._accel.torch.cudnn_conv import _has_cuda
from arrayconv._costs.gpu import ceilings
from tests.cuda.standin import LEDGER, Device

torch = pytest.importorskip("torch", reason="torch is not installed")
RANDOM = np.random.default_rng(0)
X, FILTERS = RANDOM.standard_normal((2, 6, 18, 23)), RANDOM.standard_normal((8, 6, 3, 3))
TOLERANCE = 1e-12  # of sums of 54 products of numbers near 1


@pytest.fixture
def exchange(monkeypatch):
    """torch with a CUDA device, which exchanges arrays with the stand-in; a record of its streams and of the arrays."""
    record = SimpleNamespace(streams=[], arrays=[], precisions=[])

    @contextmanager
    def stream(each):
        record.streams.append(each)
        yield

    def from_dlpack(array):
        record.arrays.append(array)
        record.precisions.append(torch.backends.cudnn.conv.fp32_precision)
        return torch.from_numpy(array.values)

    _has_cuda.cache_clear()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "stream", stream)
    monkeypatch.setattr(torch.cuda, "default_stream", lambda device: ("default", device.index))
    monkeypatch.setattr(torch.cuda, "ExternalStream", lambda address, device: (address, device.index))
    monkeypatch.setattr(torch, "from_dlpack", from_dlpack)
    monkeypatch.setattr(cupy, "from_dlpack", lambda tensor: cupy.asarray(tensor.numpy()), raising=False)
    yield record
    _has_cuda.cache_clear()


def on_device(number, array):
    with Device(number):
        return cupy.asarray(array)


@pytest.mark.parametrize("number", [0, 1])
def test_result_is_the_operation_on_the_arrays_device_and_stream(exchange, number):
    x, filters = on_device(number, X), on_device(number, FILTERS)
    expected = arrayconv.nn.conv2d(X, FILTERS, padding=1, method="direct")
    y = arrayconv.nn.conv2d(x, filters, padding=1, method="cudnn_conv")
    assert y.device == Device(number)
    np.testing.assert_allclose(y.values, expected, atol=TOLERANCE)
    stream = next(stream for stream in iter(cupy.cuda.Stream, None) if stream.ptr > 1)
    with stream:
        arrayconv.nn.conv2d(x, filters, padding=1, method="cudnn_conv")
    assert exchange.streams == [("default", number), (stream.ptr, number)]
    assert set(exchange.precisions) == {"ieee"}


def test_transposed_and_strided_calls_are_the_operation(exchange):
    filters = FILTERS.swapaxes(0, 1)
    y = arrayconv.nn.conv_transpose2d(cupy.asarray(X), cupy.asarray(filters), stride=2, method="cudnn_conv")
    expected = arrayconv.nn.conv_transpose2d(X, filters, stride=2, method="direct")
    np.testing.assert_allclose(y.values, expected, atol=TOLERANCE)
    assert exchange.arrays


def test_negative_strides_are_copied(exchange):
    x = cupy.asarray(X)[..., ::-1]
    y = arrayconv.nn.conv2d(x, cupy.asarray(FILTERS), method="cudnn_conv")
    np.testing.assert_allclose(y.values, arrayconv.nn.conv2d(X[..., ::-1], FILTERS, method="direct"), atol=TOLERANCE)
    assert all(min(array.strides) > 0 for array in exchange.arrays)


def test_a_kernel_kept_by_a_convolver_is_no_tensor(exchange):
    convolver = arrayconv.Convolver(cupy.asarray(FILTERS[0, 0]), "same", separable=False, method="cudnn_conv")
    for _ in range(2):
        np.testing.assert_allclose(
            convolver(cupy.asarray(X[0, 0])).values, arrayconv.convolve(X[0, 0], FILTERS[0, 0], "same"), atol=TOLERANCE
        )
    assert len(exchange.arrays) == 4


@pytest.mark.usefixtures("exchange")
def test_launches_take_about_what_the_cost_says():
    x, filters = (cupy.asarray(each.astype("float32")) for each in (X, FILTERS))
    plan = arrayconv.explain(x, filters, call=arrayconv.nn.conv2d, method="cudnn_conv")
    arrayconv.nn.conv2d(x, filters, method="cudnn_conv")
    LEDGER.reset()
    arrayconv.nn.conv2d(x, filters, method="cudnn_conv")

    assert 0.5 <= plan.cost_ns / (LEDGER.num_launches * ceilings("").launch_ns) <= 2  # of arrays so small


def test_without_a_torch_of_cuda_the_reason_says_so():
    _has_cuda.cache_clear()
    with pytest.raises(NotImplementedError, match="the imported torch has no CUDA device"):
        arrayconv.nn.conv2d(cupy.asarray(X[:1]), cupy.asarray(FILTERS), method="cudnn_conv")
