"""`cupy.RawModule` with g++ in the place of NVRTC: kernels run on the CPU, on the values of the stand-in's arrays.

Compiled kernels are kept in a folder of the user's temporary directory, by the hash of all that they depend on.
"""

import ctypes
import getpass
import hashlib
import os
import subprocess
import tempfile
from math import prod
from pathlib import Path

import numpy as np

from tests.cuda.standin.ledger import LEDGER

HERE = Path(__file__).parent.parent
FLAGS = tuple(os.environ.get("ARRAYCONV_SHIM_FLAGS", "-O1").split())  # a sanitizer's, say
MAX_THREADS = 1024  # of a block
MAX_BLOCKS = (2**31 - 1, 65535, 65535)
RACES = ("-O1", "-fsanitize=thread", "-DRACES")  # flags: see races.h
FAILURES = (None, "some threads do not reach a barrier", "threads of a block race for a word of memory")
_ENTRY = """
extern "C" int run_kernel(const void *job, const unsigned *blocks, const unsigned *threads, unsigned seed)
{
    return shim::launch([](const void *job) { %s(*(const Job *)job); }, job, blocks, threads, seed);
}
"""
ITEMSIZES = {
    "float16": 2, "bfloat16": 2, "float": 4, "double": 8, "complex64": 8, "complex128": 16,
    "signed8": 1, "short": 2, "int": 4, "word": 8, "unsigned8": 1, "unsigned16": 2, "unsigned": 4, "unsigned64": 8,
}  # fmt: skip
_compiled = {}


class CompileException(Exception):
    """`cupy.cuda.compiler.CompileException`."""


class RawModule:
    """A source and the compiler's options; compiled when a function is asked for."""

    def __init__(self, *, code=None, path=None, options=(), backend="nvrtc", name_expressions=None, jitify=False):
        self.code, self.options = code, tuple(options)

    def get_function(self, name):
        key = self.code, self.options, FLAGS, name
        if key not in _compiled:
            _compiled[key] = _compile(self.code + _ENTRY % name, self.options)
        return RawKernel(name, _compiled[key], [_itemsize(self.options, macro) for macro in "XWY"])


class RawKernel:
    """A kernel: a call launches it."""

    def __init__(self, name, function, itemsizes):
        self.name, self._function, self._itemsizes = name, function, itemsizes

    def __call__(self, grid, block, args, *, shared_mem=0):
        (job,) = args
        if not isinstance(job, np.ndarray) or job.size != 1:
            raise TypeError("CuPy passes structured arrays of one element by value, and no others")
        if not all(0 < n <= most for n, most in zip(grid, MAX_BLOCKS, strict=True)) or np.prod(block) > MAX_THREADS:
            raise RuntimeError(f"CUDA_ERROR_INVALID_VALUE: grid {grid}, block {block}")
        self._count(job[0])
        numbers = (ctypes.c_uint * 3)(*grid), (ctypes.c_uint * 3)(*block)
        failure = FAILURES[self._function(ctypes.c_void_p(job.ctypes.data), *numbers, 1)]
        if failure is not None:
            raise AssertionError(f"{self.name}: {failure}")

    def _count(self, job):
        """Count the launch, with every sample and every tap read once."""
        axes = [axis for axis in job["axes"] if axis["outputs"]]
        batch, groups, channels, filters = (int(job[name]) for name in ("batch", "groups", "channels", "filters"))
        samples, outputs, taps = (prod(int(axis[name]) for axis in axes) for name in ("size", "outputs", "taps"))
        x, w, y = self._itemsizes
        read = groups * channels * (x * batch * samples + w * filters * taps)
        LEDGER.launch(self.name, read, y * batch * groups * filters * outputs)


def _itemsize(options, macro):
    (name,) = (option.partition("=")[2] for option in options if option.startswith(f"-D{macro}="))
    return ITEMSIZES[name]


def _folder():
    folder = Path(tempfile.gettempdir()) / f"arrayconv-kernels-{getpass.getuser()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _shim():
    return "".join((HERE / name).read_text() for name in ("shim.h", "races.h"))


def _compile(text, options):
    facts = repr((text, _shim(), options, FLAGS)).encode()
    path = _folder() / f"{hashlib.sha256(facts).hexdigest()}.so"
    if not path.exists():
        own = path.with_suffix(f".{os.getpid()}")
        _run("g++", "-c", "-fPIC", "-w", *FLAGS, *options, f"-I{HERE}", "-x", "c++", "-", "-o", f"{own}.o", text=text)
        linked = [flag for flag in FLAGS if flag not in RACES]  # without the sanitizer's library
        _run("g++", "-shared", *linked, f"{own}.o", "-o", str(own))
        Path(f"{own}.o").unlink()
        own.rename(path)
    function = ctypes.CDLL(str(path)).run_kernel
    function.restype = ctypes.c_int
    return function


def _run(*command, text=""):
    process = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    if process.returncode:
        raise CompileException(process.stderr)
