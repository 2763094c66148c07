"""Launches for CuPy arrays, on CuPy's device and stream. Nothing waits.

A kernel is compiled once per device and process; CuPy keeps compiled ones on disk too. What fails to compile or to load
is an `AcceleratorFailed`: another method runs, with one warning. A fault inside a kernel appears at a later call, as
all errors of a GPU do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from arrayconv._accel.cuda.sources import Grid, Kernel
from arrayconv._arrays.failures import AcceleratorFailed

LIBRARY = "cuda"

Launch = Callable[[Any, Any, Any], None]  # (blocks, threads, (struct with the addresses,))


def launch(kernel: Kernel, grid: Grid, job: Any, device: Any) -> None:
    """Run a kernel on the current stream of a device, which is the current one."""
    function = compiled(kernel, device.id)
    function(grid.blocks, grid.threads, (job,))


def prepare(kernel: Kernel, device: Any) -> None:
    """Compile a kernel for a device before its first launch; AcceleratorFailed where that fails."""
    compiled(kernel, device.id)


@cache
def compiled(kernel: Kernel, device: int) -> Launch:
    """Return a kernel's function on a device."""
    cupy = sys.modules["cupy"]
    try:
        module = cupy.RawModule(code=kernel.text, options=kernel.flags, backend="nvrtc")
        return module.get_function(kernel.name)
    except Exception as failure:  # no NVRTC, a source that does not compile, a device that refuses the code
        raise AcceleratorFailed(LIBRARY, f"{type(failure).__name__}: {failure}") from failure
