"""A pytest plugin: torch under CUDA's rules. Load it with `-p tests.cuda.torch_plugin`.

Tensors of the CPU are on a CUDA device in arrayconv's eyes: whatever waits for a device raises, and so do products of
integer matrices. Kernels are compiled by g++ and run on the tensors' memory.
"""

import sys
from contextlib import nullcontext
from functools import wraps
from types import SimpleNamespace

import torch

from arrayconv._accel.cuda import torch_launch
from arrayconv._arrays.libraries import LIBRARIES
from tests.cuda.standin.bindings import DRIVER, NVRTC

WAITS = (
    "__bool__", "__float__", "__int__", "__index__", "__complex__", "__array__", "__contains__", "item", "tolist",
    "numpy", "cpu", "nonzero", "equal",
)  # fmt: skip
STREAM, CAPABILITY = 0x5EA0, (9, 0)


def _waiting(name):
    genuine = getattr(torch.Tensor, name)

    @wraps(genuine)
    def method(self, *args, **keywords):
        if not _is_of_package(sys._getframe(1)):
            return genuine(self, *args, **keywords)
        raise RuntimeError(f"Tensor.{name} waits for the device")

    return method


def _is_of_package(frame):
    """Whether the package is among the callers: tests may read values."""
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.partition(".")[0] == "arrayconv":
            return True
        frame = frame.f_back
    return False


def _floating_matmul(genuine):
    @wraps(genuine)
    def matmul(a, b, **keywords):
        if not (a.is_floating_point() or a.is_complex()):
            raise RuntimeError(f'"addmm_cuda" not implemented for {a.dtype}')
        return genuine(a, b, **keywords)

    return matmul


def _cuda_kind(device):
    return "cuda" if device.type == "cpu" else device.type


def install():
    """Set CUDA's rules, and the stand-ins for the driver and NVRTC."""
    LIBRARIES["torch"] = LIBRARIES["torch"]._replace(device_kind=_cuda_kind)
    for name in WAITS:
        setattr(torch.Tensor, name, _waiting(name))
    torch.matmul = _floating_matmul(torch.matmul)
    torch_launch._bindings = lambda: (DRIVER, NVRTC)
    torch_launch.missing = lambda: None
    torch.cuda.device = nullcontext
    torch.cuda.current_stream = lambda device=None: SimpleNamespace(cuda_stream=STREAM)
    torch.cuda.get_device_capability = lambda device=None: CAPABILITY


install()


def pytest_report_header():
    return "torch's tensors are on the CPU, under CUDA's rules: NOTHING HERE RUNS ON A GPU"
