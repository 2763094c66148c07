"""Who competes in a problem: ours as it comes, ours beside NumPy and SciPy alone, by every method, and the peers.

Every contender's result is compared with ours before it is timed, and the reason of each one that is left out is kept.
"""

from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

import arrayconv
from arrayconv import nn
from arrayconv._arrays.host import copied
from arrayconv._cli import libraries
from benchmarks import peers
from benchmarks.problems import explained, operands
from benchmarks.timing import Timed

PURE = frozenset({"numpy", "scipy"})  # of the accelerators what SciPy brings along
PLAIN = PURE | {"native"}  # and what comes with this package where a C compiler built it
TOLERANCES = {"float32": 1e-4, "complex64": 1e-4, "float64": 1e-11}  # of the largest output; integers are exact
SLOW_NS = 400 * 10**6  # a method that is expected to take longer is left out


class Field(NamedTuple):
    """Everyone who competes in a problem, checked, and what our planner says."""

    ours: dict[str, Timed]  # 'auto', and 'plain' and 'pure' where those may differ
    methods: dict[str, Timed]
    peers: dict[str, Timed]
    left_out: dict[str, str]
    method: str  # what 'auto' runs
    plain_method: str

    @property
    def timed(self):
        """Everyone under one name each."""
        groups = (("ours", self.ours), ("method", self.methods), ("peer", self.peers))
        return {(group, name): timed for group, row in groups for name, timed in row.items()}


def prepare(library):
    """Get a library ready: JAX computes in float64 only if told before its first array.

    NumPy's arrays borrow from torch where it is imported, so it is; `plain` is the time without any of that.
    """
    if library == "numpy" and find_spec("torch"):
        import_module("torch")
    if library == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)


def device(library):
    return "cpu:0" if library == "jax" else "cpu"


def plain():
    """Return the context of an installation with NumPy and SciPy alone."""
    return arrayconv.config.using(accelerators=PLAIN)


def pure():
    """Return the context of the same, and on JAX's arrays of JAX alone, without the package's own machine code."""
    return arrayconv.config.using(accelerators=PURE | {"jax"})


def ours(problem, method="auto"):
    """Return our function of both operands."""
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
    prepare(library)
    x, kernel = (libraries.array(library, device(library), a, problem.dtype) for a in operands(problem))

    def ready(method="auto"):
        function = ours(problem, method)
        if library == "jax":
            import jax

            function = jax.jit(function)
        return partial(function, x, kernel)

    reference = copied(library, ready()())
    found = _explained(problem, library, x, kernel)
    left_out: dict[str, str] = {}
    contenders = {"auto": Timed(ready())}
    plain_method = found.method
    if library == "numpy":
        with plain():
            plain_method = _explained(problem, library, x, kernel).method
        contenders |= {"plain": Timed(ready(), plain), "pure": Timed(ready(), pure)}
    if library == "jax":
        contenders["pure"] = Timed(ready(), pure)
    methods = {row.name: row for row in found.candidates} if every_method else {}
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
    return Field(contenders, allowed, rivals, left_out, found.method, plain_method)


def _explained(problem, library, x, kernel):
    """Return the explanation of our call, under jax.jit as it is timed there."""
    if library != "jax":
        return explained(problem, x, kernel)
    import jax

    found: list[Any] = []
    jax.eval_shape(lambda *arrays: found.append(explained(problem, *arrays)), x, kernel)
    return found[0]


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
