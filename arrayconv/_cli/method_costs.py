"""Measures the rows of METHOD_COSTS: what each accelerated method takes for whole problems of its kind.

The cost model is linear in the constants of a row. So they are those for which it predicts the times measured, each
difference relative to its time: a multiply-add and an output from problems of some size, then the call from a tiny one.
Loops are measured on one thread, as the table has them, and JAX under `jax.jit`, where its users are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from arrayconv import config, convolution, nn
from arrayconv._arrays.identify import device_of
from arrayconv._arrays.namespace import Namespace, compat_namespace, has_dtype
from arrayconv._arrays.traits import Traits, traits
from arrayconv._calls.timing import shortest
from arrayconv._cli.console import sentence
from arrayconv._costs.cost_table import Costs, MethodCost, PrimitiveCosts, active_table, using_tables
from arrayconv._plan.plan import with_accelerators
from arrayconv._plan.rank import Budget, Candidate, rank
from arrayconv._problem.spec import Axis, Spec

_ROUNDS = 40
_SECONDS = 0.8  # of rounds for one row at most
_UNIT = 10**6  # a constant large enough that whole nanoseconds of its share are exact

Say = Callable[[str], None]


class Problem(NamedTuple):
    """What is run: sizes and taps per axis, and counts; zeros beyond the ends are left out ('valid')."""

    sizes: tuple[int, ...]
    taps: tuple[int, ...]
    stride: int = 1
    batch: int = 1
    groups: int = 1
    channels: int = 1
    filters: int = 1

    @property
    def spec(self) -> Spec:
        """The problem as the planner knows it."""
        axes = tuple(
            Axis(size, taps, (size - taps) // self.stride + 1, stride=self.stride)
            for size, taps in zip(self.sizes, self.taps, strict=True)
        )
        return Spec(self.batch, self.groups, self.channels, self.filters, axes)


class Trials(NamedTuple):
    """What a row is measured on: a library's arrays, a method, dtypes, and problems of which the first is tiny."""

    library: str
    method: str
    dtypes: tuple[str, ...]
    problems: tuple[Problem, ...]


_FLOATS, _INTEGERS, _COMPLEX = ("float32", "float64"), ("int32", "int64"), ("complex64", "complex128")
_ROWS = (Problem((256, 512), (5, 5)), Problem((512, 1024), (9, 9)), Problem((300_000,), (101,)))
_STRIDED = Problem((512, 512), (7, 7), stride=2)
_CHANNELS = (
    Problem((8, 8), (3, 3), channels=4, filters=4),
    Problem((128, 128), (3, 3), channels=3, filters=16),
    Problem((64, 64), (3, 3), batch=2, channels=32, filters=64),
    Problem((64, 64), (7, 7), channels=16, filters=16),
)
_IMAGES = (Problem((16, 16), (3, 3)), *(Problem((128, 128), (k, k)) for k in (3, 7, 13)))

_SQUARES = tuple(Problem((512, 512), (k, k)) for k in (3, 7, 15, 31))
_TILES = (Problem((96, 96), (3, 3)), *_SQUARES)

ROWS = {
    "numpy_convolve-short": Trials(
        "numpy", "numpy_convolve", _FLOATS, (Problem((16,), (3,)), *(Problem((50_000,), (k,)) for k in (5, 11)))
    ),
    "numpy_convolve-float": Trials(
        "numpy", "numpy_convolve", _FLOATS, (Problem((30,), (15,)), *(Problem((20_000,), (k,)) for k in (15, 31, 127)))
    ),
    "numpy_convolve-integer": Trials(
        "numpy", "numpy_convolve", _INTEGERS, (Problem((16,), (3,)), *(Problem((20_000,), (k,)) for k in (7, 31, 63)))
    ),
    "native_loops-float": Trials("numpy", "native_loops", _FLOATS, (Problem((30,), (15,)), *_ROWS)),
    "native_loops-filters": Trials("numpy", "native_loops", _FLOATS, _CHANNELS),
    "native_loops-complex": Trials("numpy", "native_loops", _COMPLEX, (Problem((30,), (15,)), *_ROWS)),
    "native_loops-integer": Trials("numpy", "native_loops", _INTEGERS, (Problem((30,), (15,)), *_ROWS)),
    "native_loops-strided": Trials("numpy", "native_loops", _FLOATS, (Problem((60,), (8,), stride=2), _STRIDED)),
    "native_tiles": Trials("numpy", "native_tiles", _FLOATS, (Problem((16, 16), (3, 3)), *_SQUARES)),
    "native_images": Trials("numpy", "native_images", _FLOATS, _CHANNELS),
    "torch_conv-single": Trials("torch", "torch_conv", ("float32",), _IMAGES),
    "torch_conv-depthwise": Trials(
        "torch",
        "torch_conv",
        ("float32",),
        (Problem((8, 8), (3, 3), groups=8), *(Problem((56, 56), (k, k), batch=4, groups=64) for k in (3, 7))),
    ),
    "torch_conv-channels": Trials("torch", "torch_conv", ("float32",), _CHANNELS),
    "torch_conv-float64": Trials("torch", "torch_conv", ("float64",), (_IMAGES[0], _IMAGES[2], *_CHANNELS[1:])),
    "xla_conv-single": Trials("jax", "xla_conv", ("float32",), _IMAGES),
    "xla_conv-channels": Trials("jax", "xla_conv", ("float32",), _CHANNELS),
    "xla_tiles": Trials("jax", "xla_tiles", _FLOATS, _TILES),
    "xla_conv-float64": Trials("jax", "xla_conv", ("float64",), (_IMAGES[0], _IMAGES[2], *_CHANNELS[1:])),
}


class Home(NamedTuple):
    """Where a library's arrays are made."""

    name: str
    xp: Namespace
    device: Any

    def traits(self, dtype: str) -> Traits:
        """Return what the planner knows of a call with one thread, on JAX of a traced one."""
        found = traits(self.name, self.device, self.xp, dtype, traced=self.name == "jax")
        return with_accelerators(found, frozenset(config.ACCELERATORS), threads=1)


def method_costs(say: Say, primitive_costs: Mapping[str, PrimitiveCosts]) -> dict[str, MethodCost]:
    """Return the rows of METHOD_COSTS that can be measured here; `say` is told of each as it begins."""
    now = active_table()
    costs = Costs({**now.primitive_costs, **primitive_costs}, now.method_costs, "measured")
    found: dict[str, MethodCost] = {}
    for row, trials in ROWS.items():
        if find_spec(trials.library) is None:
            continue
        say(f"measuring {row}")
        try:
            found[row] = _method_cost(row, trials, costs)
        except Exception as unusable:  # libraries that cannot compute raise types of their own
            say(f"{row} is not measured: {sentence(unusable)}")
    return found


def _method_cost(row: str, trials: Trials, costs: Costs) -> MethodCost:
    """Measure a row; raises NotImplementedError where its method cannot run here."""
    xp = compat_namespace(trials.library)
    home = Home(trials.library, xp, device_of(xp.zeros(1)))
    cases = list(product(trials.problems, [name for name in trials.dtypes if has_dtype(xp, home.device, name)]))
    refusals = [_ranked(problem.spec, home.traits(dtype), trials.method).refusal for problem, dtype in cases]
    if not cases or any(refusals):
        raise NotImplementedError(next(filter(None, refusals), f"there is no {trials.dtypes[0]}"))
    parts = [shares(costs, row, problem.spec, home.traits(dtype), trials.method) for problem, dtype in cases]
    with config.using(threads=1, accelerators=frozenset(config.ACCELERATORS)):
        calls = [_call(problem, dtype, home, trials.method) for problem, dtype in cases]
        shortest(calls, 1, 0)  # which compiles, and fills caches
        times = shortest(calls, _ROUNDS, round(_SECONDS * 1e9))
    return fitted(parts, times, tiny=len(cases) // len(trials.problems))


def _ranked(spec: Spec, known: Traits, method: str) -> Candidate:
    return next(row for row in rank(spec, known, Budget(), True) if row.name == method)


def _call(problem: Problem, dtype: str, home: Home, method: str) -> Callable[[], Any]:
    """Return a call of our own functions for a problem: `convolve` on one channel, `nn`'s on more."""
    random, spec = np.random.default_rng(0), problem.spec
    single = problem.batch == problem.groups == problem.channels == problem.filters == 1
    x_shape = (spec.batch, spec.groups * spec.channels, *spec.input_size)
    w_shape = (spec.groups * spec.filters, spec.channels, *spec.kernel_size)
    x, kernel = (
        home.xp.asarray((9 * random.standard_normal(shape[2 * single :])).astype(dtype), device=home.device)
        for shape in (x_shape, w_shape)
    )
    function: Any = partial(nn.conv2d, groups=problem.groups, stride=problem.stride, method=method)
    if single:
        function = partial(convolution.correlate, mode="valid", stride=problem.stride, method=method)
    if home.name == "jax":
        function = sys.modules["jax"].jit(function)
    return partial(function, x, kernel)


def shares(costs: Costs, row: str, spec: Spec, known: Traits, method: str) -> tuple[float, ...]:
    """Return nanoseconds that the model predicts for free constants, and those of one unit of each constant."""

    def predicted(method_cost: MethodCost) -> int:
        with using_tables(costs._replace(method_costs={**costs.method_costs, row: method_cost})):
            return _ranked(spec, known, method).cost_ns

    free = predicted(MethodCost(0, 0, 0))
    units = (MethodCost(_UNIT, 0, 0), MethodCost(0, _UNIT, 0), MethodCost(0, 0, _UNIT))
    return (free, *((predicted(unit) - free) / _UNIT for unit in units))


def fitted(parts: Sequence[Sequence[float]], times: Sequence[int], tiny: int) -> MethodCost:
    """Return the constants for which the model comes nearest to times; the first `tiny` of them are tiny problems'.

    Each is rounded before the next is fitted, which makes up for what rounding a small number takes away.
    """
    free, call, macs, outputs = np.array(parts, float).T
    took = np.array(times, float)
    calls = max(1, np.median((took - free)[:tiny] / call[:tiny]))  # not yet without the work, of which there is little
    rest = (took - free - calls * call)[tiny:]
    work, weights = np.stack([macs, outputs], axis=1)[tiny:], 1 / took[tiny:]
    cache_line_mac = max(1, round(_nonnegative(work, rest, weights)[0]))
    output = round(_nonnegative(work[:, 1:], rest - cache_line_mac * work[:, 0], weights)[0])
    calls = np.median((took - free - cache_line_mac * macs - output * outputs)[:tiny] / call[:tiny])
    return MethodCost(max(1, round(calls)), cache_line_mac, output)


def _nonnegative(columns: Any, wanted: Any, weights: Any) -> Any:
    """Return the coefficients, none below zero, whose sum of columns is nearest to what is wanted."""
    best, least = np.zeros(columns.shape[1]), np.inf
    for kept in product((True, False), repeat=columns.shape[1]):
        some = np.zeros(columns.shape[1])
        part = columns[:, kept] * weights[:, None]
        some[list(kept)] = np.linalg.lstsq(part, wanted * weights, rcond=None)[0]
        error = np.linalg.norm((columns @ some - wanted) * weights)
        if (some >= 0).all() and error < least:
            best, least = some, error
    return best
