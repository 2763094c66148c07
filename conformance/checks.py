"""One call, checked in order: it runs (smoke), array type, dtype, shape and device, then every value.

Everything here takes a `Subject`, the implementation on the backend, so that a seeded wrong target can be checked
without starting pytest again.
"""

from typing import Any, NamedTuple

import numpy as np

from . import asserts, dtypes, geometry, reference
from .asserts import Call
from .backends import Backend, numbers

OWN = ("out",)  # options that are arrays, not shown in a call


class Subject(NamedTuple):
    """The implementation under test, and the backend."""

    target: Any
    backend: Backend


class Operand(NamedTuple):
    """An array of the backend, and its numbers."""

    array: Any
    host: np.ndarray
    dtype: str


def operand(subject, host, dtype):
    """Put numbers on the device; the host copy has them as the dtype rounded them."""
    array = subject.backend.array(host, dtype)
    return Operand(array, subject.backend.host(array), dtype)


def random_operands(subject, x_shape, kernel_shape, names, scale=1.0):
    """Two operands of the dtypes `names` with reproducible numbers; integers beside floats are small."""
    shapes = (x_shape, kernel_shape)
    small = len({dtypes.kind(name) == "integer" for name in names}) == 2
    return [
        operand(subject, numbers(seed, shape, name, scale, small), name)
        for seed, (shape, name) in enumerate(zip(shapes, names, strict=True))
    ]


def described(function, x, kernel, options, lead=(), names=("x", "kernel")):
    """The call as an error text shows it."""
    shown = {name: value for name, value in options.items() if name not in OWN}
    operands = dict(zip(names, (x.host, kernel.host), strict=True))
    return Call(function, operands, dict(zip(names, (x.dtype, kernel.dtype), strict=True)), shown, lead)


def exact_result(function, x, kernel, options):
    """The exact result of a `convolve` or `correlate` call on host numbers."""
    problem = geometry.problem(function, x.shape, kernel.shape, options)
    x_shape, kernel_shape = geometry.broadcast(problem, x.shape, kernel.shape)
    x, kernel = np.broadcast_to(x, x_shape), np.broadcast_to(kernel, kernel_shape)
    return reference.evaluate(problem, x, kernel, options.get("fill_value", 0))


def result_dtype(x, kernel, options):
    requested = options.get("dtype")
    return dtypes.promote(x.dtype, kernel.dtype) if requested is None else requested


def invoke(subject, function, lead, x, kernel, options):
    """Call the target; under `jax.jit` on JAX, where it compiles once per call and not once per operation.

    `test_lazy.py` checks that the eager call gives the same.
    """
    target = getattr(subject.target, function)
    if not subject.backend.compiles_shapes:
        return target(*lead, x.array, kernel.array, **_native(subject, options))
    key = (subject.target.name, function, lead, repr(options))
    if key not in _compiled:
        _compiled[key] = subject.backend.jit(lambda x, kernel: target(*lead, x, kernel, **_native(subject, options)))
    return _compiled[key](x.array, kernel.array)


_compiled = {}  # the same call with the same options, of any shapes, is compiled once per shape


def check(subject, function, x, kernel, **options):
    """Call `convolve` or `correlate` on two operands and check everything; the array is returned."""
    __tracebackhide__ = True
    call = described(function, x, kernel, options)
    exact = exact_result(function, x.host, kernel.host, options)
    with asserts.reproducing(call, subject):
        out = invoke(subject, function, (), x, kernel, options)
        check_result(subject, out, x, exact, result_dtype(x, kernel, options), options, call)
    return out


def _native(subject, options):
    """The options as the target takes them: a dtype by the backend's own object."""
    if options.get("dtype") is None:
        return options
    return {**options, "dtype": getattr(subject.backend.xp, options["dtype"])}


def check_result(subject, out, model, exact, dtype, options, call):
    """Check a result against the exact one."""
    __tracebackhide__ = True
    asserts.form(out, model.array, dtype, exact.shape, subject, call)
    accuracy = options.get("accuracy", "normwise")
    asserts.values(subject.backend.host(out), exact, dtype, accuracy, call)


def check_random(subject, function, x_shape, kernel_shape, names=None, **options):
    """`check` on reproducible numbers, real ones by default."""
    __tracebackhide__ = True
    names = names or (subject.backend.real,) * 2
    return check(subject, function, *random_operands(subject, x_shape, kernel_shape, names), **options)
