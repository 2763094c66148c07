"""What is timed in a problem: ours as it comes, ours beside NumPy and SciPy alone, ours by every method, and the peers.

Every contender's result is compared with ours before it is timed, and a contender that is left out has a reason.
"""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

import arrayconv
from arrayconv import nn
from arrayconv._arrays.host import copied
from arrayconv._cli import libraries
from benchmarks import layers, peers
from benchmarks.problems import explained, operands
from benchmarks.timing import Timed

PURE = frozenset({"numpy", "scipy"})  # of the accelerators what SciPy brings along
PLAIN = PURE | {"native"}  # and what comes with this package where a C compiler built it
TOLERANCES = {"float32": 1e-4, "complex64": 1e-4, "float64": 1e-11}  # of the largest output; integers are exact
SLOW_NS = 400 * 10**6  # a method that is expected to take longer is left out


class Field(NamedTuple):
    """The contenders of a problem, checked, and what our planner says."""

    ours: dict[str, Timed]  # 'auto', and 'plain' and 'pure' where those may differ
    methods: dict[str, Timed]
    peers: dict[str, Timed]
    left_out: dict[str, str]
    method: str  # what 'auto' runs
    plain_method: str

    @property
    def timed(self):
        """All contenders, under one name each."""
        groups = (("ours", self.ours), ("method", self.methods), ("peer", self.peers))
        return {(group, name): timed for group, row in groups for name, timed in row.items()}


def plain():
    """Return the context of an installation with NumPy and SciPy alone."""
    return arrayconv.config.using(accelerators=PLAIN)


def pure():
    """Return the context of the same without the package's own machine code; JAX's arrays keep JAX."""
    return arrayconv.config.using(accelerators=PURE | {"jax"})


def _eager(function):
    return function


def _torch_too():
    """Import torch, whose convolution NumPy's arrays use once it is imported."""
    if find_spec("torch"):
        import_module("torch")


def _jax_in_float64():
    import_module("jax").config.update("jax_enable_x64", True)


def _jit(function):
    return import_module("jax").jit(function)


def _nothing():
    pass


class Arrays(NamedTuple):
    """How calls on a library's arrays are timed."""

    prepare: Callable[[], None] = _nothing  # before its first array
    device: str = "cpu"
    compiled: Callable[[Any], Any] = _eager  # what users compile a function with
    contexts: Mapping[str, Any] = MappingProxyType({})  # of calls of ours that are timed beside 'auto'
    traced: bool = False  # shapes are explained, since a method can't be chosen for values


ARRAYS = {
    "numpy": Arrays(_torch_too, contexts={"plain": plain, "pure": pure}),
    "torch": Arrays(),
    "jax": Arrays(_jax_in_float64, "cpu:0", _jit, {"pure": pure}, traced=True),
}


def ours(problem, method="auto"):
    """Return our function of both operands."""
    if layers.is_row(problem):
        return layers.ours(problem, method)
    match problem.kind:
        case "convolve":
            how = {"mode": "same", "axes": problem.axes, "method": method, **problem.options}
            return partial(arrayconv.convolve, **how)
        case "lags":
            return partial(arrayconv.correlate, method=method, **problem.options)
        case "channels":
            return partial(nn.conv2d, method=method, **problem.options)
        case _:
            return partial(nn.conv_transpose2d, method=method, **problem.options)


def field(problem, library, every_method=False, only=None):
    """Return the contenders of a problem on a library's arrays: all, or those whose (group, name) is in `only`."""
    arrays = ARRAYS[library]
    arrays.prepare()
    x, kernel = (libraries.array(library, arrays.device, a, problem.dtype) for a in operands(problem))

    def ready(method="auto"):
        return partial(arrays.compiled(ours(problem, method)), x, kernel)

    reference = copied(library, ready()())
    explanation = _explained(problem, arrays, x, kernel)
    left_out: dict[str, str] = {}
    contenders = {"auto": Timed(ready())} | {name: Timed(ready(), context) for name, context in arrays.contexts.items()}
    plain_method = explanation.method
    if "plain" in arrays.contexts:
        with arrays.contexts["plain"]():
            plain_method = _explained(problem, arrays, x, kernel).method
    methods = {row.name: row for row in explanation.candidates} if every_method else {}
    allowed = {}
    for name, row in methods.items():
        if row.refusal is not None:
            left_out[name] = row.refusal
        elif row.cost_ns > SLOW_NS:
            left_out[name] = f"it is expected to take {row.cost_ns / 1e9:.1f} s"
        else:
            allowed[name] = Timed(ready(name))
    rivals = {}
    for name, build in peers.of(library).items():
        try:
            rivals[name] = Timed(build(problem, x, kernel))
        except peers.Unsuitable as reason:
            left_out[name] = str(reason)
    for group, row in (("ours", contenders), ("method", allowed), ("peer", rivals)):
        for name in [name for name in row if only is not None and (group, name) not in only]:
            del row[name]
        _check(row, reference, problem, library, left_out)
    return Field(contenders, allowed, rivals, left_out, explanation.method, plain_method)


def _explained(problem, arrays, x, kernel):
    """Return the explanation of our call, traced where it is timed so."""
    explanations: list[Any] = []

    def explain(*operands):
        explanations.append(explained(problem, *operands))

    if arrays.traced:
        import_module("jax").eval_shape(explain, x, kernel)
    else:
        explain(x, kernel)
    return explanations[0]


def _check(row, reference, problem, library, left_out):
    """Run each contender once; raise where a result is wrong, drop the ones whose library refuses."""
    for name, timed in list(row.items()):
        try:
            with timed.context():
                y = copied(library, timed.call())
        except (RuntimeError, NotImplementedError, TypeError, MemoryError) as refusal:
            left_out[name] = str(refusal).splitlines()[0]
            del row[name]
            continue
        agree(np.asarray(y), reference, problem, name)


def agree(y, reference, problem, name):
    """Raise AssertionError unless a result equals ours within the tolerance of the dtype."""
    y = y.reshape(reference.shape) if y.size == reference.size else y
    assert y.shape == reference.shape, f"{problem.label}: {name} has shape {y.shape}, ours {reference.shape}"
    tolerance = TOLERANCES.get(problem.dtype, 0)
    error = np.max(np.abs(y - reference), initial=0)
    limit = tolerance * np.max(np.abs(reference), initial=0)
    assert error <= limit, f"{problem.label}: {name} differs by {error:.3g} where {limit:.3g} is allowed"
