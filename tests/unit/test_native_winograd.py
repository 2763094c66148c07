"""Winograd's tiles against the definition, and where a tile's outputs depend on samples outside their windows.

The loops run on NumPy arrays, and by XLA on JAX arrays.
"""

import numpy as np
import pytest

import arrayconv
from arrayconv import nn
from arrayconv._accel.native import loader, native_winograd, winograd, winograd_dots
from tests import running
from tests.conftest import make_library
from tests.unit.test_native import WINOGRAD

pytestmark = pytest.mark.skipif(not loader.built(), reason="the C loops were not built")

METHODS = {"numpy": "native_winograd", "jax": "xla_winograd"}
METHOD = METHODS["numpy"]
LARGEST = np.finfo("float32").max


@pytest.fixture(params=[(3, 3), (1, 3), (2, 5), (1, 9)], ids=lambda taps: "-by-".join(map(str, taps)))
def layer(request):
    random = np.random.default_rng(0)
    return (random.standard_normal(shape).astype("float32") for shape in ((2, 5, 13, 42), (7, 5, *request.param)))


@pytest.fixture(params=["numpy", "jax"])
def conv2d(request):
    """The layer by one library's method, of NumPy arrays and to one."""
    library, method = make_library(request.param), METHODS[request.param]
    return lambda x, w: library.numpy(nn.conv2d(library.asarray(x), library.asarray(w), method=method))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("spec", WINOGRAD.values(), ids=list(WINOGRAD))
def test_tiles_compute_the_definition_and_the_same_bits_by_xla(spec, dtype):
    x, kernel, exact, _ = running.problem(spec, dtype, 3)
    results = []
    for name, method in METHODS.items():
        library = make_library(name)
        results.append(running.run(library, running.planned(library, spec, dtype, method, fill=3), x, kernel, 3))
        running.assert_within(results[-1], exact, np.full(exact.shape, bound(x, kernel, spec, dtype)))
    if native_winograd.tiles(spec)[0] is winograd:  # tiles of taps contain samples beyond those that XLA extends
        np.testing.assert_array_equal(*results)


NORMS = {0: (2, 3.5), 1: (1.42, 1.86), 2: (2.45, 3.58), 3: (2.83, 5)}  # step of a tile -> of taps, of samples


def bound(x, kernel, spec, dtype):
    """Return the largest error by the norms of the transforms, the samples beside a window included."""
    loop, (_, tile) = native_winograd.tiles(spec)
    norm_of_taps, norm_of_samples = NORMS[tile.step]
    adjacent = tile.window[1] * tile.window[0] if loop is winograd else tile.rows * tile.columns
    products = spec.terms // adjacent + 12
    samples = np.sqrt(spec.terms * (4 if loop is winograd_dots and not tile.step else 2)) * np.abs(x).max(initial=3)
    taps = np.linalg.norm(kernel.reshape(-1, spec.terms), axis=1).max()
    return norm_of_taps * norm_of_samples * products * np.finfo(dtype).eps * samples * taps


def test_threads_and_pieces_of_the_batch_change_no_bit(layer):
    x, kernel = layer
    with arrayconv.config.using(threads=1):
        expected = nn.conv2d(x, kernel, padding=1, method=METHOD)
        one_by_one = [nn.conv2d(image, kernel, padding=1, method=METHOD) for image in x]
    with arrayconv.config.using(threads=3):
        assert nn.conv2d(x, kernel, padding=1, method=METHOD).tobytes() == expected.tobytes()
    assert np.stack(one_by_one).tobytes() == expected.tobytes()


def test_blocks_that_share_planes_are_the_same_for_any_threads():
    random = np.random.default_rng(0)
    x, kernel = (random.standard_normal(shape).astype("float32") for shape in ((2, 3, 11, 40, 50), (5, 3, 4, 3, 3)))
    with arrayconv.config.using(threads=1):
        expected = nn.conv3d(x, kernel, padding=1, method=METHOD)
        first = nn.conv3d(x[:, :, :5], kernel, padding=((1, 0), 1, 1), method=METHOD)
    with arrayconv.config.using(threads=3):
        assert nn.conv3d(x, kernel, padding=1, method=METHOD).tobytes() == expected.tobytes()
    np.testing.assert_array_equal(first, expected[:, :, : first.shape[2]])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_not_finite_reaches_its_windows_only(conv2d, layer, value):
    x, kernel = layer
    expected = conv2d(x, kernel)
    x[1, 2, 6, 19] = value
    y = conv2d(x, kernel)
    inside, (rows, columns) = np.zeros(y.shape, bool), kernel.shape[2:]
    inside[1, :, 7 - rows : 7, 20 - columns : 20] = True
    assert not np.isfinite(y[inside]).any()
    np.testing.assert_allclose(y[~inside], expected[~inside], rtol=0, atol=1e-5)


def test_a_tap_that_is_not_finite_reaches_its_filter_only(conv2d, layer):
    x, kernel = layer
    expected = conv2d(x, kernel)
    kernel[3, 1, -1, 0] = np.nan
    y = conv2d(x, kernel)
    assert np.isnan(y[:, 3]).all()
    others = np.arange(7) != 3
    np.testing.assert_allclose(y[:, others], expected[:, others], rtol=0, atol=1e-5)


def test_sums_of_large_samples_do_not_overflow(conv2d, layer):
    x, kernel = layer
    # Sums of four samples exceed the range, sums of products with small taps do not; XLA's smallest taps are normal.
    scale, small_scale = np.float32(LARGEST / 8), np.float32(2.0**-20)
    small = nn.conv2d(x, kernel, method="native_loops")
    y = conv2d(x * scale, kernel * small_scale)
    np.testing.assert_allclose(y / (scale * small_scale), small, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("call", "x", "kernel"), [
    (nn.conv2d, (8, 32, 64, 64), (64, 32, 3, 3)), (nn.conv1d, (8, 32, 4096), (64, 32, 9)),
    (nn.conv3d, (2, 16, 24, 24, 24), (32, 16, 3, 3, 3)),
])  # fmt: skip
def test_auto_picks_it_for_layers_and_never_where_each_sum_must_be_exact(call, x, kernel):
    described = arrayconv.explain(x, kernel, call=call, like="numpy", dtype="float32")
    assert described.method == METHOD
    described = arrayconv.explain(x, kernel, call=call, like="numpy", dtype="float32", accuracy="componentwise")
    assert described.method != METHOD


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_reaches_its_filter_only(conv2d, value):
    random = np.random.default_rng(0)
    x, dy = (random.standard_normal(shape).astype("float32") for shape in ((3, 4, 23, 40), (20, 4, 21, 38)))
    expected = conv2d(x, dy)
    dy[7, 2, 5, 9] = value
    y = conv2d(x, dy)
    assert not np.isfinite(y[:, 7]).any()
    others = np.arange(20) != 7
    np.testing.assert_allclose(y[:, others], expected[:, others], rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", METHODS)
def test_auto_picks_it_for_layers_and_their_gradients_on_either_library(name):
    layer = {"x": (8, 32, 64, 64), "weight": (64, 32, 3, 3)}
    described = arrayconv.explain(*layer.values(), call=nn.conv2d, like=name, dtype="float32", derivatives=True)
    assert METHODS[name] in str(described)
    assert described.method == METHODS[name]


@pytest.mark.parametrize("taps", range(3, 20))
@pytest.mark.parametrize("stride", [2, 3])
@pytest.mark.parametrize("name", METHODS)
def test_transposed_layers_are_computed_where_it_supports_every_phase(name, stride, taps):
    random, library = np.random.default_rng(0), make_library(name)
    x, kernel = (random.standard_normal(shape).astype("float32") for shape in ((2, 3, 40), (3, 5, taps)))
    phases = {-(-(taps - first) // stride) for first in range(stride)}
    arrays = library.asarray(x), library.asarray(kernel)
    if not phases <= set(range(3, 10)):
        with pytest.raises(NotImplementedError, match="it supports 3 x 3 taps, or 3 to 9"):
            nn.conv_transpose1d(*arrays, stride=stride, method=METHODS[name])
        return
    expected = nn.conv_transpose1d(x, kernel, stride=stride, method="native_loops")
    y = library.numpy(nn.conv_transpose1d(*arrays, stride=stride, method=METHODS[name]))
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("rows", "columns"), [(21, 38), (23, 34), (19, 32)])
def test_a_gradient_of_a_layer_is_the_same_for_any_threads_and_layout(rows, columns):
    random = np.random.default_rng(0)
    x, dy = (random.standard_normal(shape).astype("float32") for shape in ((3, 20, 23, 40), (70, 20, rows, columns)))
    expected = nn.conv2d(x, dy, method=METHOD).tobytes()
    for threads in (1, 3):
        with arrayconv.config.using(threads=threads):
            assert nn.conv2d(x, dy, method=METHOD).tobytes() == expected
    swapped = np.ascontiguousarray(dy.transpose(1, 0, 2, 3)).transpose(1, 0, 2, 3)
    assert nn.conv2d(x, swapped, method=METHOD).tobytes() == expected
