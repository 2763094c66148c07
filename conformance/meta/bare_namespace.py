"""A namespace of the standard's required functions alone: no extension, no views, no protocol to NumPy."""

import sys
from types import SimpleNamespace

import array_api_strict as strict


class Array:
    """An array of array-api-strict, with the standard's operators, indices and attributes alone."""

    def __init__(self, inner):
        self._inner = inner

    def __array_namespace__(self, api_version=None):
        return sys.modules[__name__]

    shape = property(lambda self: self._inner.shape)
    ndim = property(lambda self: self._inner.ndim)
    size = property(lambda self: self._inner.size)
    dtype = property(lambda self: self._inner.dtype)
    device = property(lambda self: "cpu")
    T = property(lambda self: Array(self._inner.T))
    mT = property(lambda self: Array(self._inner.mT))

    def to_device(self, device):
        return self

    def __getitem__(self, key):
        return Array(strict.asarray(self._inner[_inner(key)], copy=True))  # never a view

    def __setitem__(self, key, value):
        raise TypeError("these arrays are never written")


def _inner(value):
    if isinstance(value, Array):
        return value._inner
    return type(value)(map(_inner, value)) if type(value) in (list, tuple) else value


def _outer(value):
    if isinstance(value, strict._array_object.Array):
        return Array(value)
    return type(value)(map(_outer, value)) if type(value) in (list, tuple) else value


def _lifted(function):
    def call(*args, **options):
        if options.get("device") == "cpu":
            del options["device"]
        return _outer(function(*map(_inner, args), **{name: _inner(value) for name, value in options.items()}))

    return call


for _name in [
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
]:
    for _side in ("", "r"):
        _operator = f"__{_side}{_name}__"
        setattr(Array, _operator, _lifted(getattr(strict._array_object.Array, _operator)))
for _name in [
    "lt",
    "le",
    "gt",
    "ge",
    "eq",
    "ne",
    "neg",
    "pos",
    "abs",
    "invert",
    "bool",
    "int",
    "float",
    "complex",
    "index",
]:
    setattr(Array, f"__{_name}__", _lifted(getattr(strict._array_object.Array, f"__{_name}__")))
for _name in strict.__all__:
    _what = getattr(strict, _name)
    if callable(_what) and _name not in ("Device", "ArrayAPIStrictFlagsContext"):
        globals()[_name] = _lifted(_what)
    elif not _name.startswith("__") and _name not in ("fft", "linalg"):
        globals()[_name] = _what


def asarray(value, **options):
    """Takes numbers and lists, and arrays of its own: no other library's."""
    if hasattr(value, "__array__"):
        raise TypeError("no other library's arrays are known here")
    return _lifted(strict.asarray)(value, **options)


def __array_namespace_info__():
    info = strict.__array_namespace_info__()
    return SimpleNamespace(
        capabilities=info.capabilities,
        default_device=lambda: "cpu",
        devices=lambda: ["cpu"],
        dtypes=lambda device=None, kind=None: info.dtypes(kind=kind),
        default_dtypes=lambda device=None: info.default_dtypes(),
    )


inner = sys.modules[__name__]
