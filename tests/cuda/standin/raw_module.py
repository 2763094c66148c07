"""`cupy.RawModule` with g++ in the place of NVRTC: kernels run on the CPU, on the values of the stand-in's arrays.

Compiled kernels are kept in a folder of the user's temporary directory, by the hash of all that they depend on.
"""

import ctypes
import getpass
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from tests.cuda.standin import traffic
from tests.cuda.standin.ledger import LEDGER

HERE = Path(__file__).parent.parent
FLAGS = tuple(os.environ.get("ARRAYCONV_SHIM_FLAGS", "-O1").split())  # a sanitizer's, say
MAX_THREADS = 1024  # of a block
MAX_BLOCKS = (2**31 - 1, 65535, 65535)
RACES = ("-O1", "-fsanitize=thread", "-DRACES")  # flags: see races.h
FAILURES = (None, "some threads do not reach a barrier", "threads of a block race for a word of memory")
_ENTRY = """
template <class Struct> static void call(void (*kernel)(Struct), const void *argument) { kernel(*(Struct *)argument); }
extern "C" int run_kernel(const void *job, const unsigned *blocks, const unsigned *threads, unsigned seed)
{
    return shim::launch([](const void *job) { call(%s, job); }, job, blocks, threads, seed);
}
"""
_DTYPES = {
    "float16": "f2", "bfloat16": "u2", "float": "f4", "double": "f8", "complex64": "c8", "complex128": "c16",
    "signed8": "i1", "short": "i2", "int": "i4", "word": "i8",
    "unsigned8": "u1", "unsigned16": "u2", "unsigned": "u4", "unsigned64": "u8",
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
        return RawKernel(name, _compiled[key], [_dtype(self.options, macro) for macro in "XWY"])


class RawKernel:
    """A kernel: a call launches it."""

    def __init__(self, name, function, dtypes):
        self.name, self._function, self._dtypes = name, function, dtypes

    def __call__(self, grid, block, args, *, shared_mem=0):
        (job,) = args
        if not isinstance(job, np.ndarray) or job.size != 1:
            raise TypeError("CuPy passes structured arrays of one element by value, and no others")
        if not all(0 < n <= most for n, most in zip(grid, MAX_BLOCKS, strict=True)) or np.prod(block) > MAX_THREADS:
            raise RuntimeError(f"CUDA_ERROR_INVALID_VALUE: grid {grid}, block {block}")
        LEDGER.launch(self.name, *traffic.of(self.name, job[0], *self._dtypes))
        numbers = (ctypes.c_uint * 3)(*grid), (ctypes.c_uint * 3)(*block)
        failure = FAILURES[self._function(ctypes.c_void_p(job.ctypes.data), *numbers, 1)]
        if failure is not None:
            raise AssertionError(f"{self.name}: {failure}")


def _dtype(options, macro):
    """Return the dtype of a macro; an array without one has the dtype of x."""
    names = [option.partition("=")[2] for option in options if option.startswith(f"-D{macro}=")]
    return np.dtype(_DTYPES[names[0]]) if names else _dtype(options, "X")


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
        own, options = path.with_suffix(f".{os.getpid()}"), [*options, f"-DHAS_BARRIERS={int('__syncthreads' in text)}"]
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
