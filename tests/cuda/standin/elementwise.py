"""Functions and operators of one launch: element by element, reductions, products of matrices."""

import numpy as np

from tests.cuda.standin.array import ndarray, result, values_of
from tests.cuda.standin.device import Synchronized
from tests.cuda.standin.ledger import LEDGER

_ELEMENTWISE = (
    "add", "subtract", "multiply", "divide", "true_divide", "floor_divide", "remainder", "power", "negative",
    "absolute", "conj", "conjugate", "sqrt", "exp", "square", "isfinite", "isnan", "isinf", "maximum", "minimum",
    "logical_or", "logical_and", "logical_not", "logical_xor", "invert", "bitwise_and", "bitwise_or", "bitwise_xor",
    "left_shift", "right_shift", "greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "arccos",
    "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "trunc", "ceil", "floor", "sign", "rint", "cos",
    "sin",
)  # fmt: skip
_OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "power", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
    "lshift": "left_shift", "rshift": "right_shift",
}  # fmt: skip
_COMPARISONS = {
    "gt": "greater",
    "ge": "greater_equal",
    "lt": "less",
    "le": "less_equal",
    "eq": "equal",
    "ne": "not_equal",
}
_UNARY = {"neg": "negative", "invert": "invert", "abs": "absolute"}


def _ufunc(name):
    function = getattr(np, name)

    def call(*args, out=None, dtype=None, casting="same_kind"):
        with np.errstate(all="ignore"):
            return result(name, function(*values_of(*args)), *args)

    call.__name__ = name
    return call


FUNCTIONS = {name: _ufunc(name) for name in _ELEMENTWISE}


def where(condition, x=None, y=None):
    """`cupy.where` of three arguments; that of one would wait."""
    if x is None or y is None:
        raise Synchronized("where(condition)")
    return result("where", np.where(*values_of(condition, x, y)), condition, x, y)


def around(a, decimals=0, out=None):
    return result("round", np.round(values_of(a)[0], decimals), a)


def _reduced(function, a, axis, **options):
    with np.errstate(all="ignore"):
        return result(function.__name__, function(values_of(a)[0], axis=axis, **options), a)


def _sum(a, axis=None, dtype=None, out=None, keepdims=False):
    return _reduced(np.sum, a, axis, dtype=dtype, keepdims=keepdims)


def _mean(a, axis=None, dtype=None, out=None, keepdims=False):
    return _reduced(np.mean, a, axis, dtype=dtype, keepdims=keepdims)


def _max(a, axis=None, out=None, keepdims=False):
    return _reduced(np.max, a, axis, keepdims=keepdims)


def _min(a, axis=None, out=None, keepdims=False):
    return _reduced(np.min, a, axis, keepdims=keepdims)


def _any(a, axis=None, out=None, keepdims=False):
    return _reduced(np.any, a, axis, keepdims=keepdims)


def _all(a, axis=None, out=None, keepdims=False):
    return _reduced(np.all, a, axis, keepdims=keepdims)


def matmul(x1, x2, out=None, **_):
    """`cupy.matmul`: operands are copied unless contiguous, and addresses of broadcast batches computed."""
    a, b = values_of(x1, x2)
    if max(a.ndim, b.ndim) > 2:
        operands = [x if x.flags.c_contiguous else x.copy() for x in (x1, x2)]
        _launch_pointers(*(x.shape[:-2] for x in operands))
    else:
        operands = [x if x.flags.c_contiguous or x.flags.f_contiguous else x.copy() for x in (x1, x2)]
    with np.errstate(all="ignore"):
        return result("matmul", np.matmul(a, b), *operands)


def _launch_pointers(first, second):
    length = max(len(first), len(second))
    shapes = [(1,) * (length - len(shape)) + shape for shape in (first, second)]
    if shapes[0] != shapes[1]:
        LEDGER.launch("matmul pointers", times=3 * length)


def take(a, indices, axis=None, out=None):
    return result("take", np.take(*values_of(a, indices), axis=axis), a, indices)


def tensordot(a, b, axes=2):
    return result("tensordot", np.tensordot(*values_of(a, b), axes), a, b)


FUNCTIONS |= {
    "abs": FUNCTIONS["absolute"], "where": where, "around": around, "round": around, "sum": _sum, "mean": _mean,
    "max": _max, "min": _min, "any": _any, "all": _all, "matmul": matmul, "dot": matmul, "tensordot": tensordot,
    "take": take,
}  # fmt: skip


def _binary(function, is_reflected=False):
    def operator(self, other):
        if not isinstance(other, (ndarray, bool, int, float, complex, np.generic)):
            return NotImplemented
        return function(other, self) if is_reflected else function(self, other)

    return operator


def _in_place(name):
    def operator(self, other):
        with np.errstate(all="ignore"):
            values = getattr(np, name)(*values_of(self, other))
            if values.shape != self.shape:
                raise ValueError("non-broadcastable output operand")
            self.values[...] = values.astype(self.dtype, casting="same_kind", copy=False)
        LEDGER.launch(name, self.nbytes + getattr(other, "nbytes", 0), self.nbytes)
        return self

    return operator


for _name, _function in _OPERATORS.items():
    setattr(ndarray, f"__{_name}__", _binary(FUNCTIONS[_function]))
    setattr(ndarray, f"__r{_name}__", _binary(FUNCTIONS[_function], is_reflected=True))
    setattr(ndarray, f"__i{_name}__", _in_place(_function))
for _name, _function in _COMPARISONS.items():
    setattr(ndarray, f"__{_name}__", _binary(FUNCTIONS[_function]))
for _name, _function in _UNARY.items():
    setattr(ndarray, f"__{_name}__", lambda self, _call=FUNCTIONS[_function]: _call(self))
ndarray.__matmul__ = matmul
for _name in ("sum", "max", "min", "any", "all", "conj"):
    setattr(ndarray, _name, FUNCTIONS[_name])
