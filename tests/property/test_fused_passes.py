"""The passes of a kernel in one call of compiled code equal the definition, and the passes one by one."""

from functools import reduce

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from arrayconv import Convolver, config, testing
from arrayconv._accel.native import loader
from arrayconv._arrays import dtypes
from arrayconv._convolver import factor_plan
from arrayconv._convolver.fused import fused_passes
from tests import oracle
from tests.cases import numbers
from tests.running import by_content

pytestmark = pytest.mark.skipif(not loader.built(), reason="the loops are not compiled")

reference, error_bound = by_content(testing.reference), by_content(testing.error_bound)
MOST_PRODUCTS = 3000  # that the definition sums
BOUNDARIES = ("constant", "edge", "symmetric", "reflect", "wrap")
DTYPES = (
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "float32",
    "float64",
    "complex64",
    "complex128",
)


def factor(kind, taps):
    """Draw taps: small integers, or halves of them, symmetric ones among them."""
    values = st.lists(st.integers(-3, 4), min_size=taps, max_size=taps)
    values = values.flatmap(lambda row: st.sampled_from([row, row[: (taps + 1) // 2] + row[: taps // 2][::-1]]))
    return values if kind == "integer" else values.map(lambda row: [tap / 2 for tap in row])


@st.composite
def calls(draw):
    """Draw a kernel as terms of factors, its dtype, the dtype, shape and seed of x, and the options."""
    dtype = draw(st.sampled_from(DTYPES), label="dtype")
    ndim = draw(st.integers(1, 3), label="ndim")
    most = (300, 40, 9)[ndim - 1]
    shape = tuple(draw(st.lists(st.integers(1, most), min_size=ndim, max_size=ndim), label="shape"))
    kind, taps = dtypes.kind(dtype), draw(st.lists(st.integers(1, 7), min_size=ndim, max_size=ndim), label="taps")
    count = draw(st.sampled_from([1, 1, 2, 3]), label="terms")
    terms = [tuple(draw(factor(kind, n)) for n in taps) for _ in range(count)]
    correlate = draw(st.booleans(), label="correlate")
    options = {
        "boundary": tuple(draw(st.sampled_from(BOUNDARIES)) for _ in range(ndim)),
        "dilation": tuple(draw(st.integers(1, 3)) for _ in range(ndim)),
        "fill_value": draw(st.sampled_from([0, 3, -2] + [1.5] * (kind != "integer"))),
    }
    reaches = [step * (n - 1) + 1 for step, n in zip(options["dilation"], taps, strict=True)]
    fits = all(n >= reach for n, reach in zip(shape, reaches, strict=True))
    if correlate and draw(st.booleans(), label="has lags"):
        firsts = [draw(st.integers(-12, 12)) for _ in range(ndim)]
        lags = [(first, first + draw(st.integers(0, 20))) for first in firsts]
        options["lags"] = lags if ndim > 1 else lags[0]
    else:
        options["mode"] = draw(st.sampled_from(["full", "same"] + ["valid"] * fits))
    narrower = {"float32": ["uint8", "int16"], "float64": ["uint8", "int32", "float32"]}.get(dtype, [])
    dtype = dtype, draw(st.sampled_from([dtype, *narrower]), label="dtype of x")
    return terms, dtype, shape, correlate, options, draw(st.integers(0, 2**32), label="seed")


def layout(x, seed):
    """Return the numbers in memory of another layout: transposed, reversed, strided or in the other byte order."""
    match seed % 5:
        case 0:
            return x
        case 1:
            return np.asfortranarray(x)
        case 2:
            return x[::-1].copy()[::-1]
        case 3:
            return np.repeat(x, 2, axis=-1)[..., ::2]
    return x.astype(x.dtype.newbyteorder())


def samples(dtype, shape, seed):
    """Return numbers of a dtype, of integers those at the ends of its range too."""
    random = np.random.default_rng(seed)
    if dtypes.kind(dtype) == "integer":
        return random.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, size=shape, dtype=dtype, endpoint=True)
    return numbers(random, shape, dtype)


@pytest.fixture(scope="module", autouse=True)
def fused_everywhere():
    """Run passes in one call wherever compiled code computes them, whatever it is predicted to cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            factor_plan,
            "_quicker_fused",
            lambda passes, *rest: fused_passes(passes.chain, passes.taps, *rest) if passes.taps else None,
        )
        yield


def is_fused(convolver, x):
    passes = convolver.explain(x).passes
    return bool(passes) and all(step.method == "native_filters" for step in passes)


@hypothesis.settings(max_examples=300, deadline=None)
@hypothesis.given(calls())
def test_one_call_equals_the_passes_and_the_definition(call):
    terms, (dtype, x_dtype), shape, correlate, options, seed = call
    x = layout(samples(x_dtype, shape, seed), seed)
    terms = [tuple(np.asarray(taps).astype(dtype) for taps in term) for term in terms]
    convolver = Convolver.from_factors(terms, correlate=correlate, **options)
    hypothesis.event(f"one call: {is_fused(convolver, x)}")
    before, y = x.copy(), convolver(x)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(convolver(x), y)
    np.testing.assert_array_equal(convolver(x, out=np.empty_like(y)), y)
    with config.using(accelerators=frozenset(config.ACCELERATORS) - {"native"}):
        one_by_one = convolver(x)
    assert (y.dtype, y.shape) == (one_by_one.dtype, one_by_one.shape)
    is_exact, products = dtypes.kind(dtype) == "integer", [reduce(np.multiply.outer, term) for term in terms]
    if is_exact:
        np.testing.assert_array_equal(y, one_by_one)
    else:
        scale = max(float(np.abs(x).max()), 3.0) * sum(float(np.abs(product).sum()) for product in products)
        np.testing.assert_allclose(y, one_by_one, rtol=0, atol=64 * np.finfo(y.dtype).eps * scale)
    if y.size * products[0].size > MOST_PRODUCTS:
        return
    function = "correlate" if correlate else "convolve"
    exact = reference(
        function, x, sum(product.astype("int64" if is_exact else dtype) for product in products), **options
    )
    if is_exact:
        np.testing.assert_array_equal(y, oracle.wrapped(exact, np.dtype(dtype)))
    else:
        bound = sum(error_bound(function, x, product, accuracy="componentwise", **options) for product in products)
        assert np.all(np.abs(y - exact) <= bound)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", "float64", "complex64"])
@pytest.mark.parametrize("mode", ["same", "full", "valid"])
def test_these_run_in_one_call(dtype, mode):
    x = samples(dtype, (30, 40), 0)
    taps = np.asarray([1, 2, 1], dtype)
    assert is_fused(Convolver.from_factors([(taps, taps)], mode, dilation=2), x)
    assert is_fused(Convolver.from_factors([(taps, taps), (taps, taps)], mode, boundary="reflect"), x)


def test_integers_that_float64_does_not_contain_take_the_passes():
    x, taps = samples("int64", (30, 40), 0), np.asarray([1, 2, 1])
    convolver = Convolver.from_factors([(taps, taps)], "same")
    assert not is_fused(convolver, x)
    assert is_fused(convolver, x.astype("int32"))  # their sums are below 2**53
    assert not is_fused(Convolver.from_factors([(taps << 20, taps)], "same"), x.astype("int32"))


def test_strides_and_complex_taps_take_the_passes():
    x, taps = np.ones((30, 40)), np.asarray([1.0, 2.0, 1.0])
    assert not is_fused(Convolver.from_factors([(taps, taps)], "same", stride=2), x)
    assert not is_fused(Convolver.from_factors([(taps + 0j, 1j * taps)], "same"), x + 0j)


def test_tensors_and_their_gradients():
    torch = pytest.importorskip("torch")
    x = torch.asarray(samples("float64", (20, 30), 0))
    convolver = Convolver.from_factors([([1.0, 2.0, 1.0], [1.0, 0.0, -1.0])], "full", boundary="edge")
    y = convolver(x)
    assert is_fused(convolver, x)
    differentiable = x.clone().requires_grad_()
    z = convolver(differentiable)
    assert z.requires_grad
    torch.testing.assert_close(z.detach(), y)
    z.sum().backward()
    assert differentiable.grad is not None
    assert not convolver(x).requires_grad
    compiled = torch.func.vmap(convolver)(x[None])
    torch.testing.assert_close(compiled[0], y)


def test_lags_far_from_the_samples_are_outputs_of_the_fill():
    x = np.arange(1.0, 9.0)
    convolver = Convolver.from_factors([([1.0, 2.0],)], correlate=True, lags=(1000, 1003), fill_value=5.0)
    np.testing.assert_array_equal(convolver(x), [15.0] * 4)
    far = Convolver.from_factors([([1.0, 2.0],)], correlate=True, lags=(10**9, 10**9 + 3), fill_value=5.0)
    assert not is_fused(far, x)  # its table of samples would be too long


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("mode", ["same", "full", "valid"])
@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32", "float64", "complex64"])
def test_several_blocks_in_used_memory(dtype, mode, boundary):
    """Images of several blocks, in buffers that hold what an earlier call left there."""
    rows, columns = np.arange(15) % 4 - 1, np.arange(15) % 3 - 1
    convolver = Convolver.from_factors([(rows.astype(dtype), columns.astype(dtype))], mode, boundary=boundary)
    filler = np.full((300, 1030), 200, dtype)
    for shape in ((30, 1030), (530, 70), (300, 530)):
        x = samples(dtype, shape, 1)
        assert is_fused(convolver, x)
        convolver(filler)
        y = convolver(x)
        with config.using(accelerators=frozenset(config.ACCELERATORS) - {"native"}):
            expected = convolver(x)
        if dtypes.kind(dtype) == "integer":
            np.testing.assert_array_equal(y, expected)
        else:
            np.testing.assert_allclose(y, expected, rtol=0, atol=1000 * np.finfo(dtype).eps * np.abs(expected).max())
