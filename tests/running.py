"""Run one algorithm on one case, as the plan does, and compare the result with the contract."""

import contextlib
import functools
import sys
from unittest import mock

import numpy as np

import arrayconv
from arrayconv import config
from arrayconv._arrays import dtypes
from arrayconv._arrays.traits import traits
from arrayconv._calls import cache
from arrayconv._ops import transform
from arrayconv._plan import plan as planner
from arrayconv._plan.plan import Refusal, make, with_accelerators
from arrayconv._plan.rank import Budget, rank
from arrayconv._run import execute
from tests import cases, oracle

ALL_ACCELERATORS = frozenset(config.ACCELERATORS)
INSTALLS = {
    "everything": ALL_ACCELERATORS,
    "NumPy": frozenset({"numpy"}),
    "NumPy and SciPy": frozenset({"numpy", "scipy"}),
    "no machine code": ALL_ACCELERATORS - {"native"},
    "standard": frozenset(),
}


def planned(library, spec, dtype, method, *, fill=0, max_workspace=None, accelerators=None):
    """Return the plan of a forced method, or the sentence that refuses it.

    All accelerators by default, except that tensors stay with torch: as NumPy arrays they would test NumPy again.
    """
    own_traits = traits(library.name, library.device, library.xp, dtype)
    if accelerators is None:
        accelerators = ALL_ACCELERATORS - ({"numpy"} if library.name == "torch" else set())
    own_traits = with_accelerators(own_traits, accelerators)
    plan = make(spec, own_traits, method, Budget(max_workspace), fill == 0)
    if isinstance(plan, Refusal):
        return next(row.refusal for row in plan.candidates if row.name == method)
    return plan


def by_content(function):
    """Decorate a pure function, so that it computes once what many libraries are compared with.

    Arrays among the arguments are compared by dtype, shape and bytes; the result is shared, and must not be written to.
    """
    results = {}

    @functools.wraps(function)
    def cached(*arguments, **options):
        key = tuple(_content(value) for value in (*arguments, *options.items()))
        if key not in results:
            results[key] = function(*arguments, **options)
        return results[key]

    return cached


def _content(value):
    if isinstance(value, tuple):
        return tuple(_content(entry) for entry in value)
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    return repr(value)


@contextlib.contextmanager
def ranked_once():
    """Rank the methods of a problem once, however many of them are forced in turn: a ranking is a pure function."""
    with mock.patch.object(planner, "rank", functools.lru_cache(64)(rank)):
        yield


def run(library, plan, x, w, fill=0):
    """Return the plan's result on the host; JAX runs it as one program, as it runs the public functions."""
    steps = functools.partial(execute.execute, plan, fill=fill, xp=library.xp, device=library.device)
    if library.name == "jax":
        steps = sys.modules["jax"].jit(steps)
    return library.numpy(steps(library.asarray(x), library.asarray(w)))


def bound(x, kernel, bias=None):
    """Return the result of the only bound call, without autodiff of its library."""
    (call,) = cache._calls.values()
    return call.bind()(x, kernel, bias, None, None)


def by_the_engine(x, kernel, bias=None):
    """Return the result of the only bound call, through autodiff of its library."""
    (call,) = cache._calls.values()
    return call._run(call.plan(), x, kernel, bias, None)


@functools.cache
def exact_result(case):
    """Return the oracle's result of a case, computed once."""
    x, w = case.operands()
    return oracle.operation(oracle.exact(x), oracle.exact(w), case.spec, case.fill)


def assert_definition(library, x, w, spec, dtype, method, fill=0):
    """Raise unless a forced method computes the definition, element by element within the bound."""
    plan = planned(library, spec, dtype, method, fill=fill)
    assert not isinstance(plan, str), plan
    exact = oracle.operation(oracle.exact(x), oracle.exact(w), spec, fill)
    assert_contract(run(library, plan, x, w, fill), exact, x, w, spec, dtype, fill, accuracy="componentwise")


def assert_contains_nan(method):
    """Raise unless a NaN of an image reaches exactly the outputs whose windows contain it."""
    x = np.ones((40, 50))
    x[10, 20] = np.nan
    y = arrayconv.convolve(x, np.zeros((3, 3)), "same", method=method)
    expected = np.zeros(x.shape)
    expected[9:12, 19:22] = np.nan
    np.testing.assert_array_equal(y, expected)


@functools.cache
def problem(spec, dtype, fill=0, seed=5):
    """Return random operands, their exact result and its componentwise bound, computed once."""
    random = np.random.default_rng(seed)
    x, w = cases.numbers(random, spec.input_shape, dtype), cases.numbers(random, spec.kernel_shape, dtype)
    exact = oracle.operation(oracle.exact(x), oracle.exact(w), spec, fill)
    integer = dtypes.kind(dtype) == "integer"
    return x, w, exact, None if integer else error_bound(x, w, spec, dtype, fill, "componentwise")


def assert_contract(y, exact, x, w, spec, dtype, fill=0, *, accuracy="normwise"):
    """Raise unless y has the dtype and shape of the result, equals it (integers) or is within the bound (floats)."""
    assert_form(y, spec, dtype)
    integer = dtypes.kind(dtype) == "integer"
    assert_within(y, exact, None if integer else error_bound(x, w, spec, dtype, fill, accuracy))


def assert_form(y, spec, dtype):
    """Raise unless y has the dtype and shape of the result."""
    assert y.dtype == np.dtype(dtype), f"dtype {y.dtype}, but should be {dtype}"
    assert y.shape == spec.output_shape, f"shape {y.shape}, but should be {spec.output_shape}"


def assert_within(y, exact, bound):
    """Raise unless y equals the exact result, or is within the bound where there is one."""
    if bound is None:
        np.testing.assert_array_equal(y, oracle.wrapped(exact, y.dtype))
        return
    error = np.abs(y - oracle.rounded(exact))
    worst = np.unravel_index(np.argmax(error - bound), y.shape) if y.size else ()
    assert y.size == 0 or error[worst] <= bound[worst], (
        f"error {error[worst]:.3g} at {worst}, but the bound is {bound[worst]:.3g}: "
        f"got {y[worst]}, should be {oracle.rounded(exact)[worst]}"
    )


def error_bound(x, w, spec, dtype, fill, accuracy):
    """Return the contract's bound: element by element, or by the norms of everything that is read."""
    factor = 4 if dtypes.kind(dtype) == "complex" else 1
    eps, underflow = dtypes.eps(dtype), spec.terms * dtypes.tiny(dtype)
    componentwise = factor * (spec.terms + 2) * eps * oracle.magnitudes(x, w, spec, fill) + underflow
    if accuracy == "componentwise":
        return componentwise
    read = np.prod([a.span(0, a.outputs)[1] - a.span(0, a.outputs)[0] + a.size for a in spec.axes], initial=1)
    largest = max(np.max(np.abs(x), initial=0), abs(fill))
    norms = largest * np.sqrt(spec.channels * float(read)) * np.linalg.norm(w)
    lengths = [2 * (a.span(0, a.outputs)[1] - a.span(0, a.outputs)[0] + a.size) for a in spec.axes] or [1]
    return componentwise + factor * eps * transform.error_factor(lengths) * norms
