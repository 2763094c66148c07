"""Any namespace of the standard works: without extensions, of older versions, without views or writing in place."""

import importlib
import subprocess
import sys
import warnings

import numpy as np
import pytest

import arrayconv
from arrayconv import kernels, ndimage, nn, signal
from arrayconv._arrays.host import copied
from arrayconv._arrays.identify import device_kind
from conformance.meta import bare_namespace

RANDOM = np.random.default_rng(7)
X, K = RANDOM.normal(size=(13, 12)), RANDOM.normal(size=(3, 4))
LONG, TAPS = RANDOM.normal(size=(40, 41)), RANDOM.normal(size=(17, 18))
WHOLE = RANDOM.integers(-9, 9, (13, 12))
SEPARABLE = np.outer(K[:, 0], K[0])
WITH_NAN = np.where(X > 1.9, np.nan, X)
DOORS = {
    "convolve": lambda a: arrayconv.convolve(a(X), a(K), "same", boundary="reflect"),
    "convolve-strided": lambda a: arrayconv.convolve(a(X[0]), a(K[0]), stride=2, boundary="wrap"),
    "convolve-long": lambda a: arrayconv.convolve(a(LONG), a(TAPS), "same"),
    "convolve-list": lambda a: arrayconv.convolve(a(X), K.tolist(), dilation=(1, 2)),
    "convolve-integers": lambda a: arrayconv.convolve(a(WHOLE), a(WHOLE[:3, :4])),
    "convolve-nan": lambda a: arrayconv.convolve(a(WITH_NAN), a(K), "same"),
    "convolve-blocks": lambda a: arrayconv.convolve(a(X), a(K), method="direct", max_workspace=7000),
    "convolve-im2col": lambda a: arrayconv.convolve(a(X), a(K), boundary="edge", method="im2col"),
    "convolve-banded": lambda a: arrayconv.convolve(a(X), a(K), boundary="symmetric", method="banded"),
    "convolve-dot": lambda a: arrayconv.convolve(a(X), a(K), method="dot"),
    "correlate": lambda a: arrayconv.correlate(a(X), a(K), lags=((-2, 3), (0, 4))),
    "einconv": lambda a: arrayconv.einconv("n h, h o -> n o h | h", a(X), a(K)),
    "Convolver": lambda a: arrayconv.Convolver(a(SEPARABLE), "same")(a(X)),
    "from_factors": lambda a: arrayconv.Convolver.from_factors([(a(K[:, 0]), a(K[0]))])(a(X)),
    "vjp": lambda a: arrayconv.vjp(lambda x, k: arrayconv.convolve(x, k, "same"), a(X), a(K))[1](a(X))[1],
    "separate": lambda a: kernels.separate(a(SEPARABLE))[0][0],
    "nn.conv2d": lambda a: nn.conv2d(a(X[None, None]), a(K[None, None]), a(np.ones(1)), padding=2, stride=2),
    "nn.conv_transpose2d": lambda a: nn.conv_transpose2d(a(X[None, None]), a(K[None, None]), stride=2),
    "nn.fold": lambda a: nn.fold(nn.unfold(a(X[None, None]), (3, 3)), X.shape, (3, 3)),
    "signal.convolve": lambda a: signal.convolve(a(X), a(K), "same"),
    "signal.correlate2d": lambda a: signal.correlate2d(a(X), a(K), "same", "symm"),
    "signal.upfirdn": lambda a: signal.upfirdn(a(K[0]), a(X), 3, 2),
    "signal.fftconvolve": lambda a: signal.fftconvolve(a(X), a(K)),
    "signal.oaconvolve": lambda a: signal.oaconvolve(a(X), a(K)),
    "ndimage.gaussian_filter": lambda a: ndimage.gaussian_filter(a(X), 1.2),
    "ndimage.sobel": lambda a: ndimage.sobel(a(X)),
    "ndimage.uniform_filter": lambda a: ndimage.uniform_filter(a(X), 3),
    "ndimage.convolve": lambda a: ndimage.convolve(a(X), a(K), mode="nearest"),
}
FLAGS = {
    "no-extensions": {"enabled_extensions": ()},
    "no-boolean-indexing": {"boolean_indexing": False},
    "no-data-dependent-shapes": {"data_dependent_shapes": False},
    **{version: {"api_version": version} for version in ("2021.12", "2022.12", "2023.12")},
    "oldest-and-barest": {
        "api_version": "2021.12",
        "enabled_extensions": (),
        "boolean_indexing": False,
        "data_dependent_shapes": False,
    },
}


def agrees(door, make, library):
    expected, got = DOORS[door](np.asarray), DOORS[door](make)
    assert type(got) is type(make(X))
    np.testing.assert_allclose(copied(library, got), expected, rtol=1e-12, atol=1e-12)


@pytest.fixture(params=FLAGS)
def strict(request):
    xp = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of versions that it supports by half
        xp.set_array_api_strict_flags(**FLAGS[request.param])
    yield xp
    xp.reset_array_api_strict_flags()


@pytest.mark.parametrize("door", DOORS)
def test_no_optional_part_of_the_standard_is_needed(door, strict):
    agrees(door, strict.asarray, "array_api_strict")


def _bare(host):
    host = np.asarray(host)
    return bare_namespace.asarray(host.tolist(), dtype=getattr(bare_namespace, host.dtype.name))


@pytest.mark.parametrize("door", DOORS)
def test_arrays_need_neither_views_nor_writing_in_place_nor_a_protocol(door):
    agrees(door, _bare, "conformance")


class Copying(bare_namespace.Array):
    """An array that can be written, but of which no other array is a view."""

    def __setitem__(self, key, value):
        self._inner[bare_namespace._inner(key)] = bare_namespace._inner(value)


@pytest.mark.parametrize("door", DOORS)
def test_writing_to_a_view_need_not_change_its_array(door, monkeypatch):
    monkeypatch.setattr(bare_namespace, "Array", Copying)
    monkeypatch.setattr(bare_namespace, "reshape", _reshaped)
    _clear_namespaces()
    agrees(door, _bare, "conformance")
    _clear_namespaces()


def _reshaped(x, shape, **options):
    import array_api_strict

    return type(x)(array_api_strict.reshape(x._inner, shape, copy=True))


def _clear_namespaces():
    from arrayconv._arrays.namespace import writing

    writing.cache_clear()


def test_an_out_that_cannot_be_written_is_refused_before_any_work():
    with pytest.raises(TypeError, match="convolve: `out` cannot be written: conformance arrays are immutable"):
        arrayconv.convolve(_bare(X), _bare(K), out=_bare(np.zeros((15, 15))))


def test_out_is_written_where_no_array_is_a_view(monkeypatch):
    monkeypatch.setattr(bare_namespace, "Array", Copying)
    monkeypatch.setattr(bare_namespace, "reshape", _reshaped)
    _clear_namespaces()
    out = _bare(np.zeros((15, 15)))
    assert arrayconv.convolve(_bare(X), _bare(K), out=out) is out
    np.testing.assert_allclose(copied("conformance", out), arrayconv.convolve(X, K))
    _clear_namespaces()


@pytest.mark.parametrize("like", ["namespace", "array"])
@pytest.mark.parametrize("method", ["fft", "overlap_save"])
def test_transforms_are_refused_by_name_where_there_are_none(method, like):
    subject = bare_namespace if like == "namespace" else _bare(X)
    explanation = arrayconv.explain((64, 64), (31, 31), like=subject)
    reasons = {row.name: row.refusal for row in explanation.candidates}
    assert reasons[method] == "conformance does not have the standard's optional `fft` extension"
    assert explanation.method not in ("fft", "overlap_save")
    with pytest.raises(NotImplementedError, match=rf"{method}' cannot run this. Reason: conformance does not have"):
        arrayconv.convolve(_bare(X), _bare(K), method=method)


@pytest.mark.parametrize("make", ["sobel", "laplacian", "vertical_edge"])
def test_kernels_are_made_by_any_object_that_is_a_namespace(make):
    class Namespace:  # no module, and nothing to import
        float64, float32, int64 = bare_namespace.float64, bare_namespace.float32, bare_namespace.int64
        asarray = staticmethod(bare_namespace.asarray)
        reshape = staticmethod(bare_namespace.reshape)

    for xp in (bare_namespace, Namespace, Namespace()):
        kernel = getattr(kernels, make)(xp=xp)
        np.testing.assert_array_equal(copied("conformance", kernel), getattr(kernels, make)())


@pytest.mark.parametrize("door", [door for door in DOORS if door != "convolve-long"])  # half a minute of mpmath
def test_mparray(door):
    agrees(door, pytest.importorskip("mparray", reason="mparray is not installed").asarray, "mparray")


def _ndonnx():
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    return pytest.importorskip("ndonnx", reason="ndonnx is not installed")


@pytest.mark.parametrize("door", ["convolve", "Convolver", "nn.conv2d"])
def test_ndonnx(door):
    agrees(door, _ndonnx().asarray, "ndonnx")


@pytest.mark.parametrize("door", ["convolve", "convolve-list", "convolve-nan", "correlate", "einconv", "nn.conv2d"])
def test_arrays_without_values_make_a_program_that_computes_the_same(door):
    xp = _ndonnx()
    inputs = {}

    def lazy(host):
        name = f"i{len(inputs)}"
        inputs[name] = np.asarray(host)
        return xp.argument(shape=host.shape, dtype=xp.asarray(host).dtype), name

    arrays = {}

    def make(host):
        array, name = lazy(host)
        arrays[name] = array
        return array

    program = xp.build(arrays, {"y": DOORS[door](make)})
    session = importlib.import_module("onnxruntime").InferenceSession(program.SerializeToString())
    feeds = {entry.name: inputs[_origin(entry.name)] for entry in session.get_inputs()}
    (y,) = session.run(None, feeds)[:1]
    np.testing.assert_allclose(y, DOORS[door](np.asarray), rtol=1e-12, atol=1e-12)


def _origin(name):
    return name.split("_")[0]


def test_nothing_of_the_other_libraries_is_imported_to_compute_on_a_namespace():
    code = """
import sys
import arrayconv
from conformance.meta import bare_namespace as xp
x = xp.asarray([1.0, 2.0, 3.0])
arrayconv.convolve(x, x)
print([name for name in ("scipy", "torch", "jax") if name in sys.modules])
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (process.returncode, process.stdout.strip()) == (0, "[]"), process.stderr


def test_a_device_without_a_name_is_called_by_its_type():
    class Device:
        pass

    assert device_kind("other", Device()) == "Device"
    assert device_kind("other", "cpu:1") == "cpu:1"
