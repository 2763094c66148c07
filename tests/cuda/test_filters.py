"""The filters' CUDA kernels, compiled by g++ and run on the CPU, against NumPy's results. Nothing runs on a GPU."""

import cupy
import hypothesis
import numpy as np
import pytest

import arrayconv
from arrayconv import config, ndimage
from arrayconv._accel.cuda import filter_stages, launch
from arrayconv._accel.cuda.filter_job import MAX_VALUES
from arrayconv._arrays import failures
from tests.cuda.standin import LEDGER, allowed
from tests.cuda.test_kernels import numbers
from tests.property.test_fused_filters import UNSHRUNK, calls, gain
from tests.property.test_fused_filters import samples as drawn_samples

PLANES, WINDOWS = "filter_planes", "filter_windows"
MODES = ("constant", "nearest", "reflect", "mirror", "wrap")
TENTHS = (np.arange(-4.0, 8).reshape(3, 4) / 10).tolist()  # some sums of bytes are whole numbers only if ordered
CALLS = {  # name -> function, options, launches
    "gaussian": ("gaussian_filter", {"sigma": 1.2}, {PLANES: 1}),
    "sobel 0": ("sobel", {"axis": 0}, {PLANES: 1}),
    "sobel 1": ("sobel", {"axis": 1}, {PLANES: 1}),
    "prewitt": ("prewitt", {"axis": 1}, {PLANES: 1}),
    "uniform": ("uniform_filter", {"size": (3, 6), "origin": (1, -2)}, {PLANES: 1}),
    "laplace": ("laplace", {}, {WINDOWS: 1}),
    "gaussian_laplace": ("gaussian_laplace", {"sigma": 0.8}, {PLANES: 1}),
    "magnitude": ("gaussian_gradient_magnitude", {"sigma": 0.8}, {PLANES: 1}),
    "convolve": ("convolve", {"weights": TENTHS, "origin": (1, -1)}, {WINDOWS: 1}),
    "correlate": ("correlate", {"weights": TENTHS}, {WINDOWS: 1}),
    "correlate1d": ("correlate1d", {"weights": [0.1, 0.2, -0.7], "axis": 0, "origin": -1}, {WINDOWS: 1}),
    "convolve1d": ("convolve1d", {"weights": [0.1, 0.2, -0.7, 0.3], "axis": 1}, {WINDOWS: 1}),
    "uniform1d": ("uniform_filter1d", {"size": 5, "axis": 0}, {WINDOWS: 1}),
}
SHAPE = (35, 130)  # of two tiles each way, none whole
ROWS = [
    *[("float32", name, MODES) for name in CALLS],
    *[("uint8", name, MODES) for name in ("gaussian", "convolve", "correlate1d")],
    *[("uint8", name, MODES[:2]) for name in ("sobel 0", "uniform")],
    ("int8", "sobel 1", MODES[:2]),
    ("bool", "uniform", MODES[:2]),
    ("int16", "gaussian", MODES[:2]),
    ("uint16", "convolve", MODES[:2]),
    ("int32", "gaussian", MODES[:2]),
    ("uint32", "uniform1d", MODES[:2]),
    ("int64", "uniform", MODES[:2]),
    ("uint64", "gaussian", MODES[:2]),
    ("float64", "correlate1d", MODES[:2]),
    ("complex64", "gaussian", MODES[:2]),
    ("complex128", "convolve1d", MODES[:2]),
]


def samples(shape, dtype, seed=1):
    """Return random numbers; bools and integers of the whole range."""
    return numbers(shape, "uint8", seed) < 99 if dtype == "bool" else numbers(shape, dtype, seed)


def same(y, expected):
    """Compare a result with NumPy's: integers exactly, others within the rounding of sums."""
    assert (y.dtype, y.shape) == (expected.dtype, expected.shape)
    if expected.dtype.kind in "biu":
        np.testing.assert_array_equal(y.values, expected)
    else:
        eps, scale = np.finfo(expected.dtype).eps, np.abs(expected[np.isfinite(expected)]).max()
        np.testing.assert_allclose(y.values, expected, rtol=0, atol=64 * eps * scale)


def check(x, function, options, launches=None):
    """Compare a filter on the stand-in with NumPy's, the first call and the second one."""
    x_there = x if isinstance(x, cupy.ndarray) else cupy.asarray(x)
    LEDGER.reset()
    y = getattr(ndimage, function)(x_there, **options)
    assert launches is None or dict(LEDGER.launches) == launches
    same(y, getattr(ndimage, function)(x_there.values, **options))
    again = getattr(ndimage, function)(x_there, **options)
    np.testing.assert_array_equal(again.values, y.values)


def compare(dtype, name, modes=MODES[:2]):
    """Compare a row of the table with NumPy's filter."""
    function, options, launches = CALLS[name]
    for mode in modes:
        cval = {"cval": -1.5} if mode == "constant" else {}
        check(samples(SHAPE, dtype), function, {**options, **cval, "mode": mode}, launches)


@pytest.mark.parametrize(("dtype", "name", "modes"), ROWS, ids=[f"{dtype}-{name}" for dtype, name, _ in ROWS])
def test_filter_equals_numpys_in_one_launch(dtype, name, modes):
    compare(dtype, name, modes)


def test_float_is_cut_to_an_integer_as_scipy_cuts_it():
    x = 1e3 * samples(SHAPE, "float32")
    x[3, 4], x[20, 100], x[30, 7] = np.nan, np.inf, -3e9
    check(x, "gaussian_filter", {"sigma": 1.2, "output": np.int8}, {PLANES: 1})


def test_nonfinite_samples_do_not_contaminate_what_a_cross_does_not_contain():
    x = samples(SHAPE, "float32")
    x[3, 4], x[20, 100] = np.nan, np.inf
    y, expected = ndimage.laplace(cupy.asarray(x)).values, ndimage.laplace(x)
    np.testing.assert_array_equal(np.isfinite(y), np.isfinite(expected))


@pytest.mark.parametrize("axes", [(0, 2), (2, 1), (1,), (0, 1, 2)])
def test_axes_of_a_volume(axes):
    launches = {1: {WINDOWS: 1}, 2: {PLANES: 1}, 3: {WINDOWS: 1, PLANES: 1}}[len(axes)]
    options = {"sigma": 0.8, "axes": axes, "mode": ["constant", "mirror", "wrap"][: len(axes)], "cval": 2}
    check(samples((4, 9, 11), "float32"), "gaussian_filter", options, launches)


def test_combined_chains_of_a_volume_are_added_launch_by_launch():
    x = samples((4, 9, 11), "float32")
    check(x, "gaussian_gradient_magnitude", {"sigma": 0.8}, {WINDOWS: 3, PLANES: 3})


def test_layout_of_memory_is_read_as_it_is():
    whole = cupy.asarray(samples((2, 40, 70, 3), "float32"))
    for x in (whole[1, ::-2, 5:, 1], whole[0, :, :, 2].T, whole[0]):
        check(x, "gaussian_filter", {"sigma": 0.8, "axes": (0, 1)}, {PLANES: 1})


def test_weights_of_the_caller_are_read_where_they_are():
    x, weights = samples(SHAPE, "float32"), numbers((4, 5), "float64", 2)
    for function in ("convolve", "correlate"):
        for step in (1, -1):
            LEDGER.reset()
            there = cupy.asarray(weights)[::step, ::step]
            for factor in (1, 2):
                y = getattr(ndimage, function)(cupy.asarray(factor * x), there)
                same(y, getattr(ndimage, function)(factor * x, weights[::step, ::step]))
            assert dict(LEDGER.launches) == {WINDOWS: 2}


def test_more_taps_than_the_struct_has_are_uploaded_once_per_stream():
    x, options = cupy.asarray(samples((9, 40), "float32")), {"size": MAX_VALUES // 2 + 1, "mode": "wrap"}
    check(x, "uniform_filter", options, {WINDOWS: 2})
    LEDGER.reset()
    ndimage.uniform_filter(x, **options)
    assert not LEDGER.transfers
    with cupy.cuda.Stream():
        ndimage.uniform_filter(x, **options)
    assert LEDGER.transfers["arrays"]


def test_output_is_written_without_a_copy():
    x = samples(SHAPE, "float32")
    for dtype in ("float32", "bool"):
        out = cupy.zeros(SHAPE, dtype=dtype)
        function, options = ndimage.gaussian_filter, {"sigma": 1.2}
        for _ in range(2):
            LEDGER.reset()
            function(cupy.asarray(x), output=out, **options)
            assert dict(LEDGER.launches) == {PLANES: 1}
        same(out, function(x, output=np.dtype(dtype), **options))


def test_output_that_overlaps_the_input_gets_a_copy():
    x = cupy.asarray(samples(SHAPE, "float32"))
    expected = ndimage.gaussian_filter(x.values.copy(), 1.2)
    ndimage.gaussian_filter(x, 1.2, output=x)
    same(x, expected)


@pytest.mark.parametrize("dtype", ["float64", "int16", "int8"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_convolver_runs_its_passes_in_one_launch(dtype, mode):
    kernel = np.outer([1, 2, 3, 2, 1, -1, 1], [1, 0, -1, 3])
    if dtype == "float64":
        kernel += np.outer([1, 0, 1, 0, 1, 0, 1], [2, 1, 0, 1])  # a sum of two products
    x = samples((40, 60), dtype)
    for fill in (0, 3):
        here = arrayconv.Convolver(kernel.astype(dtype), mode, fill_value=fill, separable=True)
        with allowed():
            there = arrayconv.Convolver(cupy.asarray(kernel.astype(dtype)), mode, fill_value=fill, separable=True)
        LEDGER.reset()
        same(there(cupy.asarray(x)), here(x))
        assert dict(LEDGER.launches) == {PLANES: 1}


def test_what_no_kernel_computes_runs_pass_by_pass():
    x = cupy.asarray(samples((7, 9), "complex64"))
    check(x, "correlate", {"weights": [[1j, 2.0]]})
    assert not {PLANES, WINDOWS} & LEDGER.launches.keys()
    with config.using(accelerators=frozenset()):
        check(samples((7, 9), "float32"), "gaussian_filter", {"sigma": 1.2})
    assert not {PLANES, WINDOWS} & LEDGER.launches.keys()


def test_explanation_names_the_kernels_and_compiles_none(monkeypatch):
    monkeypatch.setattr(launch, "compiled", None)
    row = arrayconv.explain(cupy.asarray(samples((70, 90), "float32")), 1.2, call=ndimage.gaussian_filter)
    assert {step.method for step in row.passes} == {"cuda_filters"}


def test_without_a_compiler_passes_run_with_one_warning(monkeypatch):
    def raw_module(**_):
        raise RuntimeError("NVRTC is missing")

    x = samples((9, 13), "float32")
    launch.compiled.cache_clear()
    monkeypatch.setattr(failures, "failures", {})
    monkeypatch.setattr(cupy, "RawModule", raw_module)
    with allowed():
        convolver = arrayconv.Convolver(cupy.asarray(np.ones((3, 3))), separable=True)
    with pytest.warns(RuntimeWarning, match=r"'cuda' failed: .*NVRTC is missing\. A filter's passes run one by one"):
        y = ndimage.gaussian_filter(cupy.asarray(x), 1.3)
    same(y, ndimage.gaussian_filter(x, 1.3))
    same(ndimage.sobel(cupy.asarray(x)), ndimage.sobel(x))  # without another warning
    np.testing.assert_allclose(convolver(cupy.asarray(x)).values, arrayconv.convolve(x, np.ones((3, 3))), atol=1e-5)
    launch.compiled.cache_clear()


def test_windows_beyond_a_tile_take_a_launch_each():
    assert filter_stages._tile(1000, 8, is_down_first=False) is None
    check(samples((20, 30), "float64"), "gaussian_filter", {"sigma": 0.8, "radius": 90}, {WINDOWS: 2})


@hypothesis.settings(max_examples=5, deadline=None, derandomize=True, phases=UNSHRUNK)
@hypothesis.given(calls())
def test_drawn_call_equals_numpys(call):
    name, dtype, shape, options, seed = call
    x = drawn_samples(dtype, shape, seed)
    expected = getattr(ndimage, name)(x, **options)
    scale = np.abs(x[np.isfinite(x)].astype(complex)).max(initial=0) * gain(options) + abs(options["cval"])
    if "weights" in options:
        options["weights"] = cupy.asarray(options["weights"]) if seed % 2 else options["weights"].tolist()
    y = getattr(ndimage, name)(cupy.asarray(x), **options)
    if expected.dtype.kind in "biu":
        np.testing.assert_array_equal(y.values, expected)
        return
    is_finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.isfinite(y.values), is_finite)
    atol = 64 * np.finfo(expected.dtype).eps * scale
    np.testing.assert_allclose(y.values[is_finite], expected[is_finite], rtol=0, atol=atol)
