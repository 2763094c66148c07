"""`cuda.bindings.driver` and `cuda.bindings.nvrtc` with g++ in their place: kernels run on the CPU, on tensors' memory.

Only what the launcher calls, under the names and parameters of the genuine functions; `test_torch_launch.py` compares.
"""

import ctypes
from enum import IntEnum

import numpy as np

from arrayconv._accel.cuda.filter_job import FILTER_JOB
from arrayconv._accel.cuda.job import JOB
from tests.cuda.standin.raw_module import CompileException, RawModule

CONTEXT = 77  # a handle, torch's current context


class CUresult(IntEnum):
    """Statuses of the driver."""

    CUDA_SUCCESS = 0
    CUDA_ERROR_NO_BINARY_FOR_GPU = 209
    CUDA_ERROR_NOT_FOUND = 500
    CUDA_ERROR_ILLEGAL_ADDRESS = 700


class nvrtcResult(IntEnum):
    """Statuses of NVRTC."""

    NVRTC_SUCCESS = 0
    NVRTC_ERROR_COMPILATION = 6


class Program:
    """A source, the compiler's options, and what compiling them printed."""

    def __init__(self, source):
        self.source, self.options, self.log = source, (), b""


class Driver:
    """The driver: keeps the modules loaded, and the launches that it received."""

    CUresult = CUresult

    def __init__(self):
        self.launches = []  # (function, blocks, threads, stream, bytes of the struct)
        self.loads = []  # (context, image)
        self.context = CONTEXT

    def cuCtxGetCurrent(self):
        return CUresult.CUDA_SUCCESS, self.context

    def cuCtxSetCurrent(self, ctx):
        self.context = ctx
        return (CUresult.CUDA_SUCCESS,)

    def cuDeviceGet(self, ordinal):
        return CUresult.CUDA_SUCCESS, ordinal

    def cuDevicePrimaryCtxRetain(self, dev):
        return CUresult.CUDA_SUCCESS, CONTEXT + dev

    def cuModuleLoadData(self, image):
        self.loads.append((self.context, image))
        return CUresult.CUDA_SUCCESS, IMAGES[image]

    def cuModuleGetFunction(self, hmod, name):
        return CUresult.CUDA_SUCCESS, hmod.get_function(name.decode())

    def cuLaunchKernel(
        self,
        f,
        gridDimX,
        gridDimY,
        gridDimZ,
        blockDimX,
        blockDimY,
        blockDimZ,
        sharedMemBytes,
        hStream,
        kernelParams,
        extra,
    ):
        blocks, threads = (gridDimX, gridDimY, gridDimZ), (blockDimX, blockDimY, blockDimZ)
        dtype = FILTER_JOB if f.name.startswith("filter_") else JOB
        struct = ctypes.string_at(ctypes.c_void_p.from_address(kernelParams).value, dtype.itemsize)
        self.launches.append((f.name, blocks, threads, hStream, struct))
        f(blocks, threads, (np.frombuffer(struct, dtype).copy(),))
        return (CUresult.CUDA_SUCCESS,)


class Nvrtc:
    """NVRTC: an image is a name of a source and its options."""

    def nvrtcCreateProgram(self, src, name, numHeaders, headers, includeNames):
        return nvrtcResult.NVRTC_SUCCESS, Program(src)

    def nvrtcCompileProgram(self, prog, numOptions, options):
        assert numOptions == len(options)
        flags = [option.decode() for option in options]
        architectures = [flag for flag in flags if flag.startswith("--gpu-architecture=sm_")]
        assert len(architectures) == 1
        prog.options = tuple(flag for flag in flags if flag not in architectures)
        (kernel,) = (flag.removeprefix("-DKERNEL=") for flag in flags if flag.startswith("-DKERNEL="))
        module = RawModule(code=prog.source.decode(), options=prog.options)
        try:
            module.get_function(kernel)
        except CompileException as failure:
            prog.log = str(failure).encode()
            return (nvrtcResult.NVRTC_ERROR_COMPILATION,)
        prog.image = repr((hash(prog.source), flags)).encode()
        IMAGES[prog.image] = module
        return (nvrtcResult.NVRTC_SUCCESS,)

    def nvrtcGetProgramLogSize(self, prog):
        return nvrtcResult.NVRTC_SUCCESS, len(prog.log) + 1

    def nvrtcGetProgramLog(self, prog, log):
        log[:] = prog.log + bytes(1)
        return (nvrtcResult.NVRTC_SUCCESS,)

    def nvrtcGetCUBINSize(self, prog):
        return nvrtcResult.NVRTC_SUCCESS, len(prog.image)

    def nvrtcGetCUBIN(self, prog, cubin):
        cubin[:] = prog.image
        return (nvrtcResult.NVRTC_SUCCESS,)

    def nvrtcDestroyProgram(self, prog):
        return (nvrtcResult.NVRTC_SUCCESS,)


IMAGES = {}  # image -> module
DRIVER, NVRTC = Driver(), Nvrtc()
