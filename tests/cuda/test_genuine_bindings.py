"""The genuine `cuda.bindings` and NVRTC between the launcher and a driver that writes down its calls. Nothing runs."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from arrayconv._accel.cuda.job import JOB

HERE = Path(__file__).parent
PROGRAM = """
import ctypes, sys
from contextlib import nullcontext
from types import ModuleType, SimpleNamespace
import numpy as np
ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)
from arrayconv._accel.cuda import job, torch_launch
from arrayconv._accel.cuda.sources import Grid, Kernel
from arrayconv._arrays.failures import AcceleratorFailed
torch = sys.modules["torch"] = ModuleType("torch")
torch.cuda = SimpleNamespace(
    device=lambda _: nullcontext(),
    get_device_capability=lambda _: (9, 0),
    current_stream=lambda _: SimpleNamespace(cuda_stream=0x7F0012345678),
)
packed = np.frombuffer(bytes(i % 251 for i in range(job.JOB.itemsize)), job.JOB).copy()
kernel, device = Kernel("loops", job.options(job.Types.alike("float32"), NAXES=1)), SimpleNamespace(index=1)
torch_launch.launch(kernel, Grid((3, 4, 5), (32, 2, 1)), packed, device)
try:
    torch_launch.launch(kernel, Grid((13, 1, 1), (32, 1, 1)), packed, device)
except AcceleratorFailed as failure:
    print(failure)
"""


@pytest.mark.skipif(importlib.util.find_spec("cuda") is None, reason="cuda-bindings is not installed")
def test_the_driver_gets_what_the_launcher_sends(tmp_path):
    library = tmp_path / "libcuda.so.1"
    flags = ["-shared", "-fPIC", f"-DJOB_BYTES={JOB.itemsize}", "-Wl,-soname,libcuda.so.1"]
    subprocess.run(["g++", *flags, str(HERE / "libcuda.cpp"), "-o", str(library)], check=True)
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(library)],
        capture_output=True,
        text=True,
        cwd=HERE.parents[1],
        timeout=120,
        check=True,
    )
    struct = bytes(i % 251 for i in range(JOB.itemsize)).hex()
    assert process.stdout.splitlines() == [
        "load in 1101: ELF",
        "function of 7: loops",
        f"launch 8: 3 4 5, 32 2 1, 0, stream {0x7F0012345678}, 0, {struct}",
        f"launch 8: 13 1 1, 32 1 1, 0, stream {0x7F0012345678}, 0, {struct}",
        "the accelerator 'cuda' failed: RuntimeError: CUDA_ERROR_ILLEGAL_ADDRESS",
    ]
