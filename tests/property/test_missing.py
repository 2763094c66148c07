"""`normalized_convolve` is its definition in fractions, on every library, by every method, with exact support."""

import os
from fractions import Fraction
from importlib import import_module
from itertools import product
from math import log2, prod

import numpy as np
import pytest

import arrayconv
from arrayconv._accel.native import gaps, loader
from arrayconv._missing import blocks, compiled
from arrayconv._missing import options as missing_options
from arrayconv._problem import positional

ROUNDS = int(os.environ.get("ARRAYCONV_MISSING_ROUNDS", "6"))
LIBRARIES = {"numpy": "numpy", "torch": "torch", "jax": "jax.numpy", "array_api_strict": "array_api_strict"}
BOUNDARIES = ("constant", "edge", "symmetric", "reflect", "wrap")
METHODS = ("auto", "direct", "fft", "overlap_save", "banded", "im2col")


def namespace(name):
    if name == "jax":
        jax = pytest.importorskip("jax", reason="JAX is not installed")
        jax.config.update("jax_enable_x64", True)
    return pytest.importorskip(LIBRARIES[name], reason=f"{name} is not installed")


def host(y):
    return np.asarray(y.detach() if hasattr(y, "detach") else y)


def draw(random):
    """Return the operands and options of one call."""
    ndim = int(random.integers(1, 3))
    shape, taps = (tuple(int(n) for n in random.integers(1, most, ndim)) for most in (8, 5))
    x, kernel = random.standard_normal(shape), random.integers(-1, 4, taps) / 2
    if abs(kernel.sum()) < 0.5:
        kernel.flat[0] += 2 - kernel.sum()
    x[random.random(shape) < random.choice([0.1, 0.6])] = np.nan
    options = {
        "mode": str(random.choice(["full", "same"])),
        "boundary": [str(name) for name in random.choice(BOUNDARIES, ndim)],
        "stride": [int(n) for n in random.integers(1, 3, ndim)],
        "dilation": [int(n) for n in random.integers(1, 3, ndim)],
        "fill_value": [None, 0, 1.5, float("nan")][random.integers(4)],
        "where": None if random.random() < 0.5 else random.random(shape) < 0.7,
    }
    return x, kernel, options


def places(n, taps, mode, boundary, stride, dilation):
    """Return for every output and tap of an axis the sample that the tap multiplies, -1 for none."""
    reach = dilation * (taps - 1) + 1
    first, count = (0, n + reach - 1) if mode == "full" else ((reach - 1) // 2, n)
    options = {"constant_values": -1} if boundary == "constant" else {}
    extended = np.pad(np.arange(n), 2 * reach, boundary, **options)
    return [
        [int(extended[2 * reach + p - dilation * k]) for k in range(taps)] for p in range(first, first + count, stride)
    ]


def exact(x, kernel, options):
    """Return sums, weights and numbers of samples in fractions and integers, straight from the definition."""
    names = "boundary", "stride", "dilation"
    rows = [
        places(n, k, options["mode"], *(options[name][axis] for name in names))
        for axis, (n, k) in enumerate(zip(x.shape, kernel.shape, strict=True))
    ]
    fill, there = options["fill_value"], ~np.isnan(x)
    if options["where"] is not None:
        there &= options["where"]
    shape = tuple(map(len, rows))
    sums, weights, counts = (np.empty(shape, object) for _ in range(3))
    for place in np.ndindex(shape):
        sums[place], weights[place], counts[place] = Fraction(0), Fraction(0), 0
        for tap in np.ndindex(kernel.shape):
            sample = tuple(row[p][k] for row, p, k in zip(rows, place, tap, strict=True))
            outside = -1 in sample
            if (fill is None or np.isnan(fill)) if outside else not there[sample]:
                continue
            weight = Fraction(float(kernel[tap]))
            sums[place] += weight * Fraction(float(fill if outside else x[sample]))
            weights[place] += weight
            counts[place] += weight != 0
    return sums, weights, counts


def errors(x, kernel, options):
    """Return bounds on the errors of both sums, by norm."""
    extended = prod(n + 4 * (2 * (k - 1) + 1) for n, k in zip(x.shape, kernel.shape, strict=True))
    factor = (kernel.size + 12 * log2(extended) + 4) * np.finfo(float).eps * np.sqrt(extended)
    largest = max(np.max(np.abs(x[~np.isnan(x)]), initial=0), abs(options["fill_value"] or 0) * 1.0, 1)
    largest = 1.5 if np.isnan(largest) else largest
    norm = float(np.sqrt(np.sum(kernel * kernel)))
    return factor * largest * norm, factor * norm


def check(y, weight, x, kernel, options):
    sums, weights, counts = exact(x, kernel, options)
    assert y.shape == weight.shape == sums.shape
    of_sum, of_weight = errors(x, kernel, {**options, "fill_value": np.nan_to_num(options["fill_value"] or 0)})
    for place in np.ndindex(y.shape):
        if not counts[place]:
            assert np.isnan(y[place]), place
            assert weight[place] == 0, place
            continue
        assert abs(Fraction(float(weight[place])) - weights[place]) <= of_weight, place
        safe = abs(float(weights[place])) - of_weight
        if safe > 0:
            mean = float(sums[place] / weights[place])
            assert abs(y[place] - mean) <= (of_sum + abs(mean) * of_weight) / safe + 1e-15 * abs(mean), place


def computed(xp, x, kernel, options, **more):
    where = options["where"]
    arrays = {**options, "where": None if where is None else xp.asarray(where)}
    result = arrayconv.normalized_convolve(xp.asarray(x), xp.asarray(kernel), return_weight=True, **arrays, **more)
    return [host(each) for each in result]


@pytest.mark.parametrize("method", METHODS)
def test_is_the_definition_by_every_method(method):
    for seed in range(ROUNDS):
        x, kernel, options = draw(np.random.default_rng(seed))
        check(*computed(np, x, kernel, options, method=method), x, kernel, options)


@pytest.mark.parametrize("threads", [1, 2])
def test_is_the_definition_block_by_block(monkeypatch, threads):
    """Arrays of any size are cut as large ones are."""
    monkeypatch.setattr(blocks, "_MIN_SIZE", 1)
    monkeypatch.setattr(blocks, "_SCRATCH_BYTES", 1 << 10)
    blocks.blocks.cache_clear()
    cut = []
    for seed in range(2 * ROUNDS):
        random = np.random.default_rng(seed)
        x, kernel, options = draw(random)
        x = np.concatenate([x, random.permutation(x)] * int(random.integers(2, 6)))
        options["where"] = None if options["where"] is None else random.random(x.shape) < 0.7
        with arrayconv.config.using(threads=threads):
            check(*computed(np, x, kernel, options), x, kernel, options)
        cut.append(blocks.blocks(x.shape, kernel.ndim, problems_of(x, kernel, options), 8) is not None)
    blocks.blocks.cache_clear()
    assert sum(cut) > ROUNDS // 2  # most are cut


@pytest.mark.skipif(not loader.built(), reason="the loops are not compiled")
def test_is_the_definition_by_the_compiled_loop(monkeypatch):
    """Arrays of any size, in blocks of few rows and columns."""
    monkeypatch.setattr(compiled, "_MIN_SIZE", 1)
    monkeypatch.setattr(gaps, "_BLOCK_ROWS", 2)
    monkeypatch.setattr(gaps, "_BLOCK_COLUMNS", 5)
    ran, run = [], gaps.run
    monkeypatch.setattr(gaps, "run", lambda *arguments: (ran.append(len(arguments[2].down)), run(*arguments)))
    compiled.layout_of.cache_clear()
    for seed in range(4 * ROUNDS):
        random = np.random.default_rng(seed)
        x, kernel, options = draw(random)
        options["stride"][-1] = 1
        if seed % 3 == 0:  # a product of factors, one of which has a zero
            kernel = np.outer(np.append(random.random(4) + 0.1, 0), random.random(7) - 0.1)[: 2 + seed % 4]
            x = np.where(random.random((6, 9)) < 0.4, np.nan, random.standard_normal((6, 9)))
            options.update(stride=[2, 1], dilation=[1, 2], boundary=["constant", "wrap"], where=None, mode="full")
        x = np.asfortranarray(x) if seed % 5 == 0 else x
        check(*computed(np, x, kernel, options), x, kernel, options)
    compiled.layout_of.cache_clear()
    assert 0 < sum(terms > 0 for terms in ran) < len(ran)
    assert len(ran) > 2 * ROUNDS


@pytest.mark.skipif(not loader.built(), reason="the loops are not compiled")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_compiled_loop_returns_what_others_do(dtype):
    random = np.random.default_rng(5)
    x, kernel = random.standard_normal((3, 90, 120)).astype(dtype), random.random((5, 7)).astype(dtype)
    x[random.random(x.shape) < 0.3] = np.nan
    x[1, 20:60, 30:90] = np.nan
    where = random.random((90, 120)) < 0.9
    options = {"mode": "same", "axes": (1, 2), "where": where, "return_weight": True, "min_weight": 0.3}
    for factor in (kernel, np.outer(kernel[:, 0], kernel[0])):
        results = [arrayconv.normalized_convolve(x, factor, method=name, **options) for name in ("auto", "direct")]
        for first, second in zip(*results, strict=True):
            assert first.dtype == dtype
            np.testing.assert_array_equal(np.isnan(first), np.isnan(second))
            limit = 100 * np.finfo(dtype).eps  # of sums of 35 products near 1, and of their means
            np.testing.assert_allclose(first, second, rtol=limit, atol=limit * 20)


def problems_of(x, kernel, options):
    """Return the problems of a call."""
    axes = tuple(map(tuple, (options["boundary"], options["stride"], options["dilation"])))
    geometry = positional.geometry("f", options["mode"], None, *axes)
    shared = "auto", "normwise", None, options["fill_value"]
    request = missing_options.request("f", geometry, "omit", 0.0, True, shared)
    return missing_options.problems("f", x.shape, kernel.shape, request)


@pytest.mark.parametrize("name", LIBRARIES)
def test_is_the_definition_on_every_library(name):
    xp = namespace(name)
    for seed in range(1 if name == "jax" else ROUNDS // 2):
        x, kernel, options = draw(np.random.default_rng(seed))
        check(*computed(xp, x, kernel, options), x, kernel, options)


def test_support_is_counted_where_weights_cancel_or_round():
    """A transform's rounding error is no weight, and taps that cancel have support."""
    x = np.full(4000, np.nan)
    x[:40], kernel = 1e6, np.random.default_rng(0).random(301) * 1e-3
    for method in ("fft", "overlap_save", "direct"):
        y, weight = arrayconv.normalized_convolve(x, kernel, "same", method=method, return_weight=True)
        supported = np.arange(4000) < 40 + 150
        np.testing.assert_array_equal(np.isnan(y), ~supported)
        np.testing.assert_array_equal(weight == 0, ~supported)
    y = arrayconv.normalized_convolve([1.0, 3.0, np.nan], [1.0, -1.0, 1.0], "valid")
    assert np.isinf(y).all() or abs(y).max() > 1e15  # (3 - 1) / 0: there is support


def test_a_kernel_of_256_taps_does_not_wrap_its_count():
    x = np.full(600, np.nan)
    x[:256] = 2
    for taps in (255, 256, 257):
        y = arrayconv.normalized_convolve(x, np.ones(taps), method="fft")
        np.testing.assert_array_equal(np.isnan(y), np.arange(y.size) >= 255 + taps)


def test_shares_and_integers():
    x = np.array([1, 2, 3, 4])
    y, weight = arrayconv.normalized_convolve(x, [1, 2, 1], "same", min_weight=1, return_weight=True)
    np.testing.assert_array_equal(y, [np.nan, 2, 3, np.nan])
    np.testing.assert_array_equal(weight, [3, 4, 4, 3])
    noisy = np.random.default_rng(0).random((64, 64))
    whole = arrayconv.normalized_convolve(noisy, noisy[:9, :9], "valid", min_weight=1, method="fft")
    assert not np.isnan(whole).any()


def test_policies():
    x = np.array([1.0, np.nan, 3.0, np.inf, 1.0])
    y = arrayconv.normalized_convolve(x, [1.0, 1.0], "same", nan_policy="propagate")
    np.testing.assert_array_equal(y, [1, np.nan, np.nan, np.inf, np.inf])
    y = arrayconv.normalized_convolve(x, [1.0, 1.0], "same", where=[True, False, True, False, True], nan_policy="raise")
    np.testing.assert_array_equal(y, [1, 1, 3, 3, 1])
    with pytest.raises(ValueError, match="must not contain NaN with nan_policy='raise'"):
        arrayconv.normalized_convolve(x, [1.0, 1.0], nan_policy="raise")


@pytest.mark.parametrize("kind", ["complex128", "float32", "float16", "int16", "uint8"])
def test_dtypes(kind):
    x, kernel = np.arange(1, 9).astype(kind), np.array([1, 2, 1], kind)
    y = arrayconv.normalized_convolve(x, kernel, "valid")
    assert y.dtype == (kind if "int" not in kind else "float64")
    np.testing.assert_array_equal(y, np.arange(2, 8))


def test_lags_and_correlation():
    x = np.array([1.0, np.nan, 3.0])
    y = arrayconv.normalized_convolve(x, [1.0, 3.0], correlate=True, lags=(0, 1))
    np.testing.assert_array_equal(y, [1, 3])


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_gradients_are_finite_and_those_of_differences(name):
    xp = namespace(name)
    random = np.random.default_rng(3)
    x, kernel, weights = random.standard_normal((6, 7)), random.random((3, 3)), random.standard_normal((6, 7))
    x[:4, :4] = np.nan

    def loss(x, kernel, xp=xp):
        y = arrayconv.normalized_convolve(x, kernel, "same")
        return (xp.where(xp.isnan(y), xp.zeros_like(y), y) * xp.asarray(weights)).sum()

    if name == "torch":
        leaves = [xp.asarray(each).requires_grad_() for each in (x, kernel)]
        loss(*leaves).backward()
        gradients = [host(leaf.grad) for leaf in leaves]
    else:
        gradients = [host(each) for each in import_module("jax").grad(loss, (0, 1))(xp.asarray(x), xp.asarray(kernel))]
    assert all(np.isfinite(each).all() for each in gradients)
    assert not gradients[0][np.isnan(x)].any()
    for number, point in product((0, 1), ((0, 0), (2, 2))):
        step = [np.zeros_like(x), np.zeros_like(kernel)]
        place = (point[0] + 3, point[1] + 4) if number == 0 else point
        step[number][place] = 1e-6
        ends = [loss(x + sign * step[0], kernel + sign * step[1], np) for sign in (1, -1)]
        assert abs(float(ends[0] - ends[1]) / 2e-6 - gradients[number][place]) < 1e-7  # of values near 1


BAD = [
    ({"where": np.ones(3, bool)}, ValueError, "must broadcast to the shape of x"),
    ({"where": np.ones(4)}, TypeError, "must be boolean"),
    ({"where": "yes"}, TypeError, "`where`"),
    ({"nan_policy": "ignore"}, ValueError, "'propagate', 'omit', 'raise'"),
    ({"min_weight": 1.5}, ValueError, "from 0 to 1"),
    ({"return_weight": 1}, TypeError, "True or False"),
    ({"lags": 1}, ValueError, "correlate=True"),
    ({"fill_value": np.nan, "nan_policy": "raise"}, ValueError, "`fill_value`"),
    ({"kernel": [1.0, -1.0]}, ValueError, "must not sum to zero"),
    ({"mode": "valid", "kernel": np.ones(5)}, ValueError, "normalized_convolve"),
]


@pytest.mark.parametrize(("options", "kind", "text"), BAD)
def test_bad_input(options, kind, text):
    arguments = {"x": np.arange(4.0), "kernel": np.ones(2), **options}
    with pytest.raises(kind, match=text):
        arrayconv.normalized_convolve(**arguments)


def test_vjp_says_that_it_is_not_one_convolution():
    with pytest.raises(TypeError, match="must be one convolution"):
        arrayconv.vjp(arrayconv.normalized_convolve, np.ones(5), np.ones(2))
