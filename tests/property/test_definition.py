"""Every algorithm equals the definition on every case it does not refuse, on every library."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from arrayconv._algorithms import ALGORITHMS
from arrayconv._plan.rank import TABLE
from arrayconv._problem.boundary import BOUNDARIES
from arrayconv._problem.spec import Axis, Spec
from tests import cases, oracle, running
from tests.conftest import make_library
from tests.listing import offenders

# JAX compiles every operation of every shape anew, so it runs each kind of row rather than every row.
JAX_ROWS = ("full-1d", "stride-dilation", "upsample-wrap", "reflect-wide", "groups", "mixed-2d", "complex", "int32")


def assert_defined(library, rows, method, accelerators=None):
    """Raise with every row that a method computes otherwise than defined; skip where it is refused them all."""
    refusals = []

    def defined(case):
        plan = running.planned(library, case.spec, case.dtype, method, fill=case.fill, accelerators=accelerators)
        if isinstance(plan, str):
            refusals.append(plan)
            return
        x, w = case.operands()
        y = running.run(library, plan, x, w, case.fill)
        exact, accuracy = running.exact_result(case), TABLE[method].accuracy
        running.assert_contract(y, exact, x, w, case.spec, case.dtype, case.fill, accuracy=accuracy)

    assert offenders(rows, defined, lambda case: case.name) == {}
    if len(refusals) == len(rows):
        pytest.skip(refusals[0])


@pytest.mark.parametrize("method", TABLE)
def test_algorithm_equals_definition(library, method):
    rows = [case for case in cases.CASES if library.name != "jax" or case.name in JAX_ROWS]
    assert_defined(library, rows, method)


@pytest.mark.parametrize("method", ALGORITHMS)
def test_standard_only_code_equals_definition(method):
    """NumPy without its accelerators: the path an unknown library takes."""
    assert_defined(make_library("numpy"), cases.CASES, method, accelerators=frozenset())


@st.composite
def axes(draw, sizes, taps):
    """Draw one axis with every option free."""
    size, count = draw(st.integers(1, sizes), label="size"), draw(st.integers(1, taps), label="taps")
    dilation = draw(st.integers(1, 3), label="dilation")
    return Axis(
        size=size,
        taps=count,
        outputs=draw(st.integers(1, sizes), label="outputs"),
        stride=draw(st.integers(1, 3), label="stride"),
        dilation=dilation,
        upsample=draw(st.sampled_from([1, 1, 2, 3, 4]), label="upsample"),
        before=draw(st.integers(-4, dilation * count + 4), label="before"),
        boundary=draw(st.sampled_from(BOUNDARIES), label="boundary"),
    )


@st.composite
def specs(draw):
    """Draw a problem of 1 to 4 axes, smaller the more axes it has, so that the oracle stays quick."""
    ndim = draw(st.integers(1, 4), label="ndim")
    sizes, taps = ((16, 8), (6, 4), (4, 3), (3, 2))[ndim - 1]
    counts = [draw(st.integers(1, 2), label=name) for name in ("batch", "groups", "channels", "filters")]
    return Spec(*counts, tuple(draw(axes(sizes, taps)) for _ in range(ndim)), draw(st.booleans()), draw(st.booleans()))


@pytest.mark.parametrize("name", ["numpy", "torch", "array_api_strict"])
@hypothesis.settings(max_examples=80, deadline=None)
@hypothesis.given(
    spec=specs(),
    dtype=st.sampled_from(["float64", "float32", "complex128", "int8", "int32", "int64", "uint8", "uint32"]),
    fill=st.sampled_from([0, 0, 3]),
    max_workspace=st.sampled_from([None, None, 1 << 16, 1 << 13]),
    seed=st.integers(0, 2**32 - 1),
)
def test_random_problem_equals_definition_by_every_method(name, spec, dtype, fill, max_workspace, seed):
    library, random = make_library(name), np.random.default_rng(seed)
    x = cases.numbers(random, spec.input_shape, dtype)
    w = cases.numbers(random, spec.kernel_shape, dtype)
    exact = oracle.operation(oracle.exact(x), oracle.exact(w), spec, fill)

    def defined(method):
        plan = running.planned(library, spec, dtype, method, fill=fill, max_workspace=max_workspace)
        if isinstance(plan, str):
            hypothesis.event(f"{method} refused: {plan.split(':')[0][:60]}")
            return
        y = running.run(library, plan, x, w, fill)
        running.assert_contract(y, exact, x, w, spec, dtype, fill, accuracy=TABLE[method].accuracy)

    with running.ranked_once():
        assert offenders(TABLE, defined) == {}
