"""The stand-in as the module `cupy` of this process."""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import numpy as np

from tests.cuda.standin import creation, device, elementwise, fft, protocols
from tests.cuda.standin.array import ndarray
from tests.cuda.standin.raw_module import RawModule

VERSION = "14.2.0+standin"
_NUMPYS = (
    "bool_", "intp", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32",
    "float64", "complex64", "complex128", "dtype", "finfo", "iinfo", "issubdtype", "integer", "signedinteger",
    "unsignedinteger", "floating", "complexfloating", "number", "broadcast_shapes", "nan", "inf", "pi", "e",
    "newaxis", "promote_types", "can_cast",
)  # fmt: skip


def _module(name, **names):
    module = ModuleType(name)
    module.__spec__, module.__path__ = ModuleSpec(name, None), []
    vars(module).update(names)
    sys.modules[name] = module
    return module


def install():
    """Make the stand-in the module `cupy`; RuntimeError where a module of that name is imported already."""
    if "cupy" in sys.modules:
        raise RuntimeError("the stand-in for CuPy comes too late: a module of that name is imported")
    ndarray.__array_ufunc__, ndarray.__array_function__ = protocols.array_ufunc, protocols.array_function
    cuda = _module(
        "cupy.cuda",
        Device=device.Device,
        Stream=device.Stream,
        Event=device.Event,
        get_current_stream=device.current_stream,
        get_elapsed_time=device.get_elapsed_time,
        device=_module("cupy.cuda.device", Device=device.Device),
        runtime=SimpleNamespace(getDeviceCount=lambda: device.COUNT, getDeviceProperties=device.properties),
        is_available=lambda: True,
    )
    _module("cupyx")
    _module("cupyx.scipy")
    _module("cupyx.scipy.fft", **fft.SCIPY_FUNCTIONS)
    return _module(
        "cupy",
        __version__=VERSION,
        ndarray=ndarray,
        RawModule=RawModule,
        cuda=cuda,
        fft=_module("cupy.fft", __all__=list(fft.FUNCTIONS), **fft.FUNCTIONS),
        linalg=_module("cupy.linalg", __all__=["lstsq"], lstsq=None),
        is_available=lambda: True,
        **{name: getattr(np, name) for name in _NUMPYS},
        **elementwise.FUNCTIONS,
        **creation.FUNCTIONS,
    )
