"""Launches for tensors, on torch's device and stream, by `cuda.bindings`: torch's wheels for CUDA install it.

A kernel is compiled by NVRTC for the tensor's card, and loaded once per context. What NVRTC or the driver refuses is an
`AcceleratorFailed` with their words.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from arrayconv._accel.cuda.launch import LIBRARY
from arrayconv._accel.cuda.sources import Grid, Kernel
from arrayconv._arrays.failures import AcceleratorFailed
from arrayconv._arrays.traits import Traits
from arrayconv._runtime.tracing import planning


def why_not(traits: Traits) -> str | None:
    """Return why kernels do not run on such tensors, or None."""
    if traits.device != "cuda":
        return f"it supports tensors on CUDA devices. Got device {traits.device}"
    if traits.traced:
        return "torch traces or intercepts this call, and observes its own functions only"
    return missing()


@planning()
def missing() -> str | None:
    """Return which part of CUDA the process lacks, or None."""
    version = sys.modules["torch"].version
    if version.hip:
        return f"it is CUDA code, and this torch is built for ROCm {version.hip}"
    try:
        is_installed = find_spec("cuda.bindings") is not None
    except ModuleNotFoundError:  # no package of the name `cuda`
        is_installed = False
    if is_installed:
        return None
    release = f"=={version.cuda.partition('.')[0]}.*" if version.cuda else ""
    return f"it needs the package cuda-bindings, which is not installed: pip install 'cuda-bindings{release}'"


def launch(kernel: Kernel, grid: Grid, job: np.ndarray[Any, Any], device: Any) -> None:
    """Run a kernel on torch's current stream of a device; `job` is passed by value."""
    torch = sys.modules["torch"]
    parameters = np.asarray([job.ctypes.data], np.uint64)  # the address of each argument
    try:
        with torch.cuda.device(device):
            driver = _bindings()[0]
            function = _function(kernel, device.index, _context(driver, device.index))
            stream = torch.cuda.current_stream(device).cuda_stream
            _checked(driver.cuLaunchKernel(function, *grid.blocks, *grid.threads, 0, stream, parameters.ctypes.data, 0))
    except Exception as failure:  # no driver, a source that does not compile, a device that refuses the code
        raise AcceleratorFailed(LIBRARY, f"{type(failure).__name__}: {failure}") from failure


def prepare(kernel: Kernel, device: Any) -> None:
    """Compile a kernel for a device before its first launch; AcceleratorFailed where that fails."""
    try:
        with sys.modules["torch"].cuda.device(device):
            _function(kernel, device.index, _context(_bindings()[0], device.index))
    except Exception as failure:  # as in `launch`
        raise AcceleratorFailed(LIBRARY, f"{type(failure).__name__}: {failure}") from failure


@cache
def _bindings() -> tuple[Any, Any]:
    """Return the modules of the driver and of NVRTC."""
    return import_module("cuda.bindings.driver"), import_module("cuda.bindings.nvrtc")


def _checked(results: tuple[Any, ...]) -> Any:
    """Return the value of a function of `cuda.bindings`; RuntimeError with the name of its error."""
    status, *values = results
    if status:
        raise RuntimeError(status.name)
    return values[0] if values else None


def _context(driver: Any, number: int) -> int:
    """Return the current context: torch's, which a thread that has not used the device yet does not have."""
    context = int(_checked(driver.cuCtxGetCurrent()))
    if context:
        return context
    primary = _primary_context(number)
    _checked(driver.cuCtxSetCurrent(primary))
    return int(primary)


@cache
def _primary_context(number: int) -> Any:
    driver = _bindings()[0]
    return _checked(driver.cuDevicePrimaryCtxRetain(_checked(driver.cuDeviceGet(number))))


@cache
def _function(kernel: Kernel, number: int, _context: int) -> Any:
    """Return a kernel loaded in a context of a device, which is the current one."""
    driver = _bindings()[0]
    major, minor = sys.modules["torch"].cuda.get_device_capability(number)
    module = _checked(driver.cuModuleLoadData(_code(kernel, f"sm_{major}{minor}")))
    return _checked(driver.cuModuleGetFunction(module, kernel.name.encode()))


@cache
def _code(kernel: Kernel, architecture: str) -> bytes:
    """Return a kernel's machine code; RuntimeError with the compiler's words."""
    nvrtc = _bindings()[1]
    program = _checked(nvrtc.nvrtcCreateProgram(kernel.text.encode(), f"{kernel.name}.cu".encode(), 0, [], []))
    try:
        flags = [flag.encode() for flag in (*kernel.flags, f"--gpu-architecture={architecture}")]
        (status,) = nvrtc.nvrtcCompileProgram(program, len(flags), flags)
        if status:
            log = bytearray(_checked(nvrtc.nvrtcGetProgramLogSize(program)))
            _checked(nvrtc.nvrtcGetProgramLog(program, log))
            raise RuntimeError(f"{status.name}: {log.rstrip(bytes(1)).decode()}")
        code = bytearray(_checked(nvrtc.nvrtcGetCUBINSize(program)))
        _checked(nvrtc.nvrtcGetCUBIN(program, code))
    finally:
        nvrtc.nvrtcDestroyProgram(program)
    return bytes(code)
