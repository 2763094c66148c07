"""torch's products on CUDA are in IEEE float32 while a call runs; numbers on a device are refused. No GPU is used."""

from types import SimpleNamespace

import pytest

from arrayconv import _accel
from arrayconv._accel.torch import precision
from arrayconv._arrays.traits import Traits

torch = pytest.importorskip("torch", reason="torch is not installed")
CUDA = Traits("torch", "cuda", "float32", "float32")


def precisions():
    return torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision


def test_products_are_ieee_inside_a_call_and_as_before_after_it():
    before = precisions()
    torch.backends.cuda.matmul.fp32_precision = torch.backends.cudnn.conv.fp32_precision = "tf32"
    try:
        with _accel.full_precision(CUDA):
            assert precisions() == ("ieee", "ieee")
        assert precisions() == ("tf32", "tf32")
    finally:
        torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision = before


class Inherited:
    """An operation whose precision the process has not set: that of all of CUDA, until it is set for ever."""

    def __init__(self, cuda):
        self.cuda = cuda

    @property
    def fp32_precision(self):
        return self.cuda.fp32_precision


def test_a_precision_that_is_inherited_is_not_set():
    cudnn = SimpleNamespace(fp32_precision="none")
    cudnn.conv = Inherited(cudnn)
    backends = SimpleNamespace(cudnn=cudnn, cuda=SimpleNamespace(matmul=Inherited(cudnn)))
    process = SimpleNamespace(backends=backends, is_autocast_enabled=lambda _: False)
    with precision.full_precision(process, "cuda"):
        assert cudnn.conv.fp32_precision == "ieee"
    assert cudnn.conv.fp32_precision == "none"


def test_products_are_ieee_under_autocast():
    torch.set_autocast_enabled("cuda", True)
    try:
        with _accel.full_precision(CUDA):
            assert (precisions(), torch.is_autocast_enabled("cuda")) == (("ieee", "ieee"), False)
        assert torch.is_autocast_enabled("cuda")
    finally:
        torch.set_autocast_enabled("cuda", False)


def test_a_number_on_a_device_is_refused():
    import cupy

    from arrayconv import ndimage

    sigma = cupy.sum(cupy.ones(3))
    with pytest.raises(TypeError, match=r"`sigma` must be a real number. Got an array on .*, and waits for no device"):
        ndimage.gaussian_filter(cupy.ones((4, 5)), sigma)
