"""One checked call of any public function: `signal.upfirdn`, `nn.grad.conv2d_input`, `ndimage.sobel`.

Arrays are passed by name. A target that lacks a door (`target.signal` is None) skips its tests with the reason.
"""

import pytest

from . import asserts, definitions, dtypes
from .asserts import Call
from .backends import numbers
from .checks import operand


def function(subject, path):
    """The target's function of that dotted name; a test of a door that the target does not claim is skipped."""
    door, *names = path.split(".")
    value = getattr(subject.target, door, None)
    if value is None:
        pytest.skip(f"not claimed: {door}")
    for name in names:
        value = getattr(value, name, None)
        if value is None:
            raise AssertionError(f"{path} is not defined in {subject.target.name}")
    return value


class DoorCall(Call):
    """A call whose arrays are passed by name."""

    def snippet(self, target, backend):
        lines = super().snippet(target, backend).splitlines()
        arguments = [f"{name}={name}" for name in self.operands]
        arguments += [f"{name}={value!r}" for name, value in self.options.items()]
        return "\n".join([*lines[:-1], f"{target}.{self.function}({', '.join(arguments)})"])


def described(path, operands, options):
    """The call as an error text shows it."""
    hosts = {name: each.host for name, each in operands.items()}
    names = {name: each.dtype for name, each in operands.items()}
    return DoorCall(path, hosts, names, options)


def operands_of(subject, shapes, dtype, small=False):
    """Operands with reproducible numbers, by name; `dtype` is one name, or a name per operand.

    Small numbers are integers of at most 9, whatever the dtype: their sums are exact.
    """
    each_dtype = dtype if isinstance(dtype, tuple) else (dtype,) * len(shapes)
    return {
        name: operand(subject, _numbers(seed, shape, each, small), each)
        for seed, ((name, shape), each) in enumerate(zip(shapes.items(), each_dtype, strict=True))
    }


def _numbers(seed, shape, dtype, small):
    if not small or dtypes.kind(dtype) == "integer":
        return numbers(seed, shape, dtype, small=small)
    real, imag = (numbers(seed + part, shape, "int64", small=True) for part in (0, 50))
    return real + 1j * imag if dtype.startswith("complex") else real


def invoke(subject, path, operands, options):
    """Call the target; under `jax.jit` on JAX, where it compiles once per call and not once per operation."""
    run = function(subject, path)
    arrays = {name: each.array for name, each in operands.items()}
    native = _native(subject, options)
    if not subject.backend.compiles_shapes:
        return run(**arrays, **native)
    key = (subject.target.name, path, repr(options))
    if key not in _compiled:
        _compiled[key] = subject.backend.jit(lambda arrays: run(**arrays, **native))
    return _compiled[key](arrays)


_compiled = {}  # the same call with the same options, of any shapes, is compiled once per shape


def _native(subject, options):
    """The options as the target takes them: a dtype by the backend's own object."""
    names = [name for name in ("dtype", "output") if isinstance(options.get(name), str)]
    return {**options, **{name: getattr(subject.backend.xp, options[name]) for name in names}}


def check(subject, path, operands, options, accuracy, dtype=None, wide=None):
    """Call a function on operands and check everything against the exact sums; returns the array."""
    __tracebackhide__ = True
    function(subject, path)  # skips before the exact sums are computed
    call = described(path, operands, options)
    exact = definitions.exact(path, {name: each.host for name, each in operands.items()}, options)
    model = next(iter(operands.values()))
    with asserts.reproducing(call, subject):
        out = invoke(subject, path, operands, options)
        asserts.form(out, model.array, dtype or model.dtype, exact.shape, subject, call)
        asserts.values(subject.backend.host(out), exact, dtype or model.dtype, accuracy, call, wide)
    return out
