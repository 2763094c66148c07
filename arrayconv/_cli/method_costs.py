"""Measures the rows of METHOD_COSTS from the times of each accelerated method for whole problems of its kind.

The cost model is linear in the constants of a row. So they are fitted to the measured times, with each difference
relative to its time: a multiply-add and an output to problems of some size, then the call to a tiny one. Loops are
measured on one thread, as in the table, and JAX under `jax.jit`, as it is used.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from arrayconv import config, convolution, ndimage, nn
from arrayconv._accel.native import native_filters
from arrayconv._arrays.identify import device_of
from arrayconv._arrays.namespace import Namespace, compat_namespace, has_dtype
from arrayconv._arrays.traits import Traits, traits
from arrayconv._calls.timing import shortest
from arrayconv._cli.console import sentence
from arrayconv._costs.cost_table import Costs, MethodCost, PrimitiveCosts, active_table, using_tables
from arrayconv._plan.plan import with_accelerators
from arrayconv._plan.rank import Budget, Candidate, rank
from arrayconv._problem.chain import Chains, Window
from arrayconv._problem.spec import Axis, Spec

_ROUNDS = 40
_SECONDS = 0.8  # at most, for the rounds of one row
_UNIT = 10**6  # a constant so large that rounding its coefficient to nanoseconds does not matter

Log = Callable[[str], None]


class Problem(NamedTuple):
    """A problem to time: sizes and taps per axis, and counts; without padding ('valid')."""

    sizes: tuple[int, ...]
    taps: tuple[int, ...]
    stride: int = 1
    batch: int = 1
    groups: int = 1
    channels: int = 1
    filters: int = 1

    @property
    def spec(self) -> Spec:
        """The problem as the planner's Spec."""
        axes = tuple(
            Axis(size, taps, (size - taps) // self.stride + 1, stride=self.stride)
            for size, taps in zip(self.sizes, self.taps, strict=True)
        )
        return Spec(self.batch, self.groups, self.channels, self.filters, axes)


class Fit(NamedTuple):
    """The data that a row is fitted to: a library, a method, dtypes, and problems, of which the first is tiny."""

    library: str
    method: str
    dtypes: tuple[str, ...]
    problems: tuple[Problem, ...]


_FLOATS, _INTEGERS, _COMPLEX = ("float32", "float64"), ("int32", "int64"), ("complex64", "complex128")
_NARROW = ("int8", "int16", "int32")
_ROWS = (Problem((256, 512), (5, 5)), Problem((512, 1024), (9, 9)), Problem((300_000,), (101,)))
_STRIDED = Problem((512, 512), (7, 7), stride=2)
_CHANNELS = (
    Problem((8, 8), (3, 3), channels=4, filters=4),
    Problem((128, 128), (3, 3), channels=3, filters=16),
    Problem((64, 64), (3, 3), batch=2, channels=32, filters=64),
    Problem((64, 64), (7, 7), channels=16, filters=16),
)
_GRADIENTS = (
    Problem((10, 10), (8, 8), channels=4, filters=4),
    Problem((58, 58), (56, 56), batch=16, channels=2, filters=16),
    Problem((30, 30), (28, 28), batch=1, channels=8, groups=32),
)
_LAYERS = (
    Problem((8, 8), (3, 3), channels=4, filters=4),
    Problem((64, 64), (3, 3), batch=2, channels=32, filters=64),
    Problem((128, 128), (3, 3), channels=8, filters=8),
    Problem((30, 30), (3, 3), channels=64, filters=64),
)
_IMAGES = (Problem((16, 16), (3, 3)), *(Problem((128, 128), (k, k)) for k in (3, 7, 13)))

# torch copies the windows of a small single image, whatever its row
_TORCHS_IMAGES, _TORCHS_CHANNELS = (tuple(one._replace(batch=2) for one in group) for group in (_IMAGES, _CHANNELS))

_SQUARES = tuple(Problem((512, 512), (k, k)) for k in (3, 7, 15, 31))
_FILTERS = (Problem((8, 8), (3, 1)), *(Problem((512, 512), taps) for taps in ((3, 1), (1, 17), (33, 1), (5, 5))))
_TILES = (Problem((96, 96), (3, 3)), *_SQUARES)

ROWS = {
    "numpy_convolve-short": Fit(
        "numpy", "numpy_convolve", _FLOATS, (Problem((16,), (3,)), *(Problem((50_000,), (k,)) for k in (5, 11)))
    ),
    "numpy_convolve-float": Fit(
        "numpy", "numpy_convolve", _FLOATS, (Problem((30,), (15,)), *(Problem((20_000,), (k,)) for k in (15, 31, 127)))
    ),
    "numpy_convolve-integer": Fit(
        "numpy", "numpy_convolve", _INTEGERS, (Problem((16,), (3,)), *(Problem((20_000,), (k,)) for k in (7, 31, 63)))
    ),
    "native_loops-float": Fit("numpy", "native_loops", _FLOATS, (Problem((30,), (15,)), *_ROWS)),
    "native_loops-filters": Fit("numpy", "native_loops", _FLOATS, _CHANNELS),
    "native_loops-complex": Fit("numpy", "native_loops", _COMPLEX, (Problem((30,), (15,)), *_ROWS)),
    "native_loops-integer": Fit("numpy", "native_loops", _NARROW, (Problem((30,), (15,)), *_ROWS)),
    "native_loops-integer-filters": Fit("numpy", "native_loops", _NARROW, _CHANNELS),
    "native_loops-strided": Fit("numpy", "native_loops", _FLOATS, (Problem((60,), (8,), stride=2), _STRIDED)),
    "native_loops-strided-complex": Fit("numpy", "native_loops", _COMPLEX, (Problem((60,), (8,), stride=2), _STRIDED)),
    "native_tiles": Fit("numpy", "native_tiles", _FLOATS, (Problem((16, 16), (3, 3)), *_SQUARES)),
    "native_filters": Fit("numpy", native_filters.NAME, _FLOATS, _FILTERS),
    "native_images": Fit("numpy", "native_images", _FLOATS, _CHANNELS),
    "native_images-integer": Fit("numpy", "native_images", _NARROW, _CHANNELS),
    "native_dots": Fit("numpy", "native_dots", _FLOATS, _GRADIENTS),
    "native_winograd": Fit("numpy", "native_winograd", _FLOATS, _LAYERS),
    "torch_conv-single": Fit("torch", "torch_conv", ("float32",), _TORCHS_IMAGES),
    "torch_conv-depthwise": Fit(
        "torch",
        "torch_conv",
        ("float32",),
        (Problem((8, 8), (3, 3), groups=8), *(Problem((56, 56), (k, k), batch=4, groups=64) for k in (3, 7))),
    ),
    "torch_conv-channels": Fit("torch", "torch_conv", ("float32",), _TORCHS_CHANNELS),
    "torch_conv-float64": Fit("torch", "torch_conv", ("float64",), (_IMAGES[0], _IMAGES[2], *_CHANNELS[1:])),
    "xla_conv-single": Fit("jax", "xla_conv", ("float32",), _IMAGES),
    "xla_conv-channels": Fit("jax", "xla_conv", ("float32",), _CHANNELS),
    "xla_tiles": Fit("jax", "xla_tiles", _FLOATS, _TILES),
    "xla_conv-float64": Fit("jax", "xla_conv", ("float64",), (_IMAGES[0], _IMAGES[2], *_CHANNELS[1:])),
}


class Platform(NamedTuple):
    """A library's namespace and device."""

    name: str
    xp: Namespace
    device: Any

    def traits(self, dtype: str) -> Traits:
        """Return the traits of a call with one thread, on JAX of a traced one."""
        base = traits(self.name, self.device, self.xp, dtype, traced=self.name == "jax")
        return with_accelerators(base, frozenset(config.ACCELERATORS), threads=1)


def measure(log: Log, primitive_costs: Mapping[str, PrimitiveCosts]) -> dict[str, MethodCost]:
    """Return the rows of METHOD_COSTS that can be measured here; `log` gets a line at the start of each."""
    active = active_table()
    costs = Costs({**active.primitive_costs, **primitive_costs}, active.method_costs, "measured")
    rows: dict[str, MethodCost] = {}
    for row, fit_case in ROWS.items():
        if find_spec(fit_case.library) is None:
            continue
        log(f"measuring {row}")
        try:
            rows[row] = _measure_row(row, fit_case, costs)
        except Exception as unusable:  # libraries that cannot compute raise exceptions of their own types
            log(f"{row} is not measured: {sentence(unusable)}")
    return rows


def _measure_row(row: str, fit_case: Fit, costs: Costs) -> MethodCost:
    """Measure a row; raises NotImplementedError if its method cannot run here."""
    xp = compat_namespace(fit_case.library)
    platform = Platform(fit_case.library, xp, device_of(xp.zeros(1)))
    cases = list(product(fit_case.problems, [name for name in fit_case.dtypes if has_dtype(xp, platform.device, name)]))
    refusals = [_refusal(problem.spec, platform.traits(dtype), fit_case.method) for problem, dtype in cases]
    if not cases or any(refusals):
        raise NotImplementedError(next(filter(None, refusals), f"there is no {fit_case.dtypes[0]}"))
    rows = [coefficients(costs, row, problem.spec, platform.traits(dtype), fit_case.method) for problem, dtype in cases]
    with config.using(threads=1, accelerators=frozenset(config.ACCELERATORS)):
        calls = [_call(problem, dtype, platform, fit_case.method) for problem, dtype in cases]
        shortest(calls, 1, 0)  # compiles, and fills caches
        times = shortest(calls, _ROUNDS, round(_SECONDS * 1e9))
    return fit(rows, times, num_tiny=len(cases) // len(fit_case.problems))


def _refusal(spec: Spec, known_traits: Traits, method: str) -> str | None:
    if method == native_filters.NAME:  # of ndimage alone, not ranked
        return None if native_filters.is_available(known_traits.accelerators) else "the compiled loops are missing"
    return _ranked(spec, known_traits, method).refusal


def _predicted(spec: Spec, known_traits: Traits, method: str) -> int:
    """Return the predicted nanoseconds of a problem; of filters with outputs at every sample."""
    if method != native_filters.NAME:
        return _ranked(spec, known_traits, method).cost_ns
    windows = tuple(axis._replace(outputs=axis.size, before=axis.taps // 2) for axis in spec.axes)
    window = Window(tuple(range(len(windows))), windows)
    return native_filters.cost(Chains(spec.input_size, ((window,),), known_traits.output, known_traits.output), 1)


def _ranked(spec: Spec, known_traits: Traits, method: str) -> Candidate:
    return next(row for row in rank(spec, known_traits, Budget(), True) if row.name == method)


def _call(problem: Problem, dtype: str, platform: Platform, method: str) -> Callable[[], Any]:
    """Return a public call for a problem: `correlate` on one channel, `nn.conv2d` on more, a filter of `ndimage`."""
    random, spec = np.random.default_rng(0), problem.spec
    single = problem.batch == problem.groups == problem.channels == problem.filters == 1
    x_shape = (spec.batch, spec.groups * spec.channels, *spec.input_size)
    w_shape = (spec.groups * spec.filters, spec.channels, *spec.kernel_size)
    x, kernel = (
        platform.xp.asarray((9 * random.standard_normal(shape[2 * single :])).astype(dtype), device=platform.device)
        for shape in (x_shape, w_shape)
    )
    options: Any = {"stride": problem.stride, "method": method}
    function: Any = partial(nn.conv2d, groups=problem.groups, **options)
    if single:
        function = partial(convolution.correlate, mode="valid", **options)
    if method == native_filters.NAME:
        function = ndimage.correlate
    if platform.name == "jax":
        function = sys.modules["jax"].jit(function)
    return partial(function, x, kernel)


def coefficients(costs: Costs, row: str, spec: Spec, known_traits: Traits, method: str) -> tuple[float, ...]:
    """Return the nanoseconds that the model predicts with constants of 0, and those of one unit of each constant."""

    def predicted(method_cost: MethodCost) -> int:
        with using_tables(costs._replace(method_costs={**costs.method_costs, row: method_cost})):
            return _predicted(spec, known_traits, method)

    fixed = predicted(MethodCost(0, 0, 0))
    units = (MethodCost(_UNIT, 0, 0), MethodCost(0, _UNIT, 0), MethodCost(0, 0, _UNIT))
    return (fixed, *((predicted(unit) - fixed) / _UNIT for unit in units))


def fit(rows: Sequence[Sequence[float]], times: Sequence[int], num_tiny: int) -> MethodCost:
    """Return the constants whose predictions are nearest to `times`; the first `num_tiny` are those of tiny problems.

    Each constant is rounded before the next is fitted, which compensates for the rounding of a small number.
    """
    fixed, call, macs, outputs = np.array(rows, float).T
    times_ns = np.array(times, float)
    tiny, large = slice(num_tiny), slice(num_tiny, None)
    calls = max(1, np.median((times_ns - fixed)[tiny] / call[tiny]))  # includes the work, which is small
    rest = (times_ns - fixed - calls * call)[large]
    work, weights = np.stack([macs, outputs], axis=1)[large], 1 / times_ns[large]
    cache_line_mac = max(1, round(_nonnegative_fit(work, rest, weights)[0]))
    output = round(_nonnegative_fit(work[:, 1:], rest - cache_line_mac * work[:, 0], weights)[0])
    calls = np.median((times_ns - fixed - cache_line_mac * macs - output * outputs)[tiny] / call[tiny])
    return MethodCost(max(1, round(calls)), cache_line_mac, output)


def _nonnegative_fit(columns: Any, target: Any, weights: Any) -> Any:
    """Return the non-negative coefficients whose weighted sum of columns is nearest to the target."""
    best, smallest_error = np.zeros(columns.shape[1]), np.inf
    for subset in product((True, False), repeat=columns.shape[1]):
        solution = np.zeros(columns.shape[1])
        part = columns[:, subset] * weights[:, None]
        solution[list(subset)] = np.linalg.lstsq(part, target * weights, rcond=None)[0]
        error = np.linalg.norm((columns @ solution - target) * weights)
        if (solution >= 0).all() and error < smallest_error:
            best, smallest_error = solution, error
    return best
