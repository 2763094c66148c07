"""NVRTC without a GPU: a kernel's cubin, and what the assembler says of it: registers, spills, shared memory."""

import re
from typing import NamedTuple

import pytest

nvrtc = pytest.importorskip(
    "cuda.bindings.nvrtc", reason="NVRTC is missing: pip install 'cuda-bindings==13.0.*' nvidia-cuda-nvrtc==13.0.88"
)


class Facts(NamedTuple):
    """What a compiled kernel needs."""

    registers: int  # of a thread
    spilled: int  # bytes of registers stored to memory and loaded again
    shared: int  # bytes of a block
    code: bytes


def _checked(status, *values):
    if int(status) != 0:
        raise RuntimeError(f"NVRTC: {status}")
    return values[0] if values else None


def compiled(kernel, architecture):
    """Return the facts of a kernel compiled for an architecture, such as 90; RuntimeError with the compiler's words."""
    program = _checked(*nvrtc.nvrtcCreateProgram(kernel.text.encode(), b"kernel.cu", 0, [], []))
    try:
        flags = [*kernel.flags, f"-arch=sm_{architecture}", "--ptxas-options=-v"]
        (status,) = nvrtc.nvrtcCompileProgram(program, len(flags), [flag.encode() for flag in flags])
        log = bytearray(_checked(*nvrtc.nvrtcGetProgramLogSize(program)))
        _checked(*nvrtc.nvrtcGetProgramLog(program, log))
        if int(status) != 0:
            raise RuntimeError(log.decode())
        code = bytearray(_checked(*nvrtc.nvrtcGetCUBINSize(program)))
        _checked(*nvrtc.nvrtcGetCUBIN(program, code))
    finally:
        _checked(*nvrtc.nvrtcDestroyProgram(program))
    return _facts(log.decode(), bytes(code))


def _facts(log, code):
    registers = max(int(n) for n in re.findall(r"Used (\d+) registers", log))
    spilled = sum(
        int(n) for pair in re.findall(r"(\d+) bytes spill stores, (\d+) bytes spill loads", log) for n in pair
    )
    shared = max((int(n) for n in re.findall(r"(\d+) bytes smem", log)), default=0)
    return Facts(registers, spilled, shared, code)
