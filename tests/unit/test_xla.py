"""Loops that XLA calls agree with the definition, eager, compiled, mapped and differentiated, or are refused."""

import ctypes
import functools
import math
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import arrayconv
from arrayconv import _accel, config, ndimage, nn
from arrayconv.__main__ import main
from arrayconv._accel import AcceleratorFailed
from arrayconv._accel.jax import ffi as xla
from arrayconv._accel.native import dots, filters, loader, rows, tiles
from arrayconv._accel.native.in_place import contiguous_steps
from arrayconv._accel.native.tables import (
    FILTERS,
    GAPS,
    WINOGRAD_DOTS,
    LoopHead,
    PlanesHead,
    WinogradDotsTable,
    WinogradKernelsTable,
    WinogradTable,
    XlaHead,
    double_bits,
    packed,
)
from arrayconv._arrays import failures
from arrayconv._costs import parallel
from arrayconv._ndimage.window import windows_along
from arrayconv._plan.plan import make
from arrayconv._problem.boundary import BOUNDARIES
from arrayconv._problem.chain import Chains, Window
from arrayconv._runtime import threads
from tests import cases, running
from tests.conftest import make_library

jax = pytest.importorskip("jax", reason="jax is not installed")
pytestmark = pytest.mark.skipif(not loader.built(), reason="the loops were not built: no C compiler")

ROOT = Path(arrayconv.__file__).parent.parent
LOOPS = ("xla_loops", "xla_tiles", "xla_images")
METHODS = (*LOOPS, "xla_winograd")
SMALL = (*METHODS, "xla_dots")  # of up to 1024 outputs


def agrees(spec, dtype, method, fill=0):
    running.assert_definition(make_library("jax"), *cases.operands(spec, dtype), spec, dtype, method, fill)


def images(*shapes):
    random = np.random.default_rng(0)
    return [jax.numpy.asarray(random.standard_normal(shape), "float32") for shape in shapes]


SPECS = {
    "image": cases.spec(cases.axis(13, 3, 13, before=1), cases.axis(17, 7, 17, before=3)),
    "planes": cases.spec(cases.axis(4, 3, 5, before=2), cases.axis(7, 3, 7, before=1), cases.axis(6, 2), channels=2),
    "groups": cases.spec(cases.axis(8, 3), cases.axis(9, 2), channels=2, filters=3, groups=2, batch=2),
    "strides": cases.spec(cases.axis(19, 3, 9, before=1, stride=2), cases.axis(30, 4, 10, before=2, stride=3)),
    "dilation": cases.spec(cases.axis(8, 3), cases.axis(19, 4, 19, dilation=3, before=4)),
    "beyond": cases.spec(cases.axis(4, 3, 4, before=9), cases.axis(9, 3, 3, before=-2)),
    "upsampled": cases.spec(cases.axis(5, 4, 9, upsample=2, before=2), cases.axis(6, 3, 11, upsample=2, before=1)),
    "a-column": cases.spec(cases.axis(40, 3), cases.axis(4, 4)),
    "a-row": cases.spec(cases.axis(3, 3), cases.axis(40, 4)),
}
SIGNALS = {
    "signal": cases.spec(cases.axis(40, 13)),
    "strided-signal": cases.spec(cases.axis(41, 4, stride=3, dilation=2), channels=3, filters=2, batch=2),
    "depthwise-signals": cases.spec(cases.axis(20, 3), groups=4, batch=2),
    "no-axis": cases.spec(channels=3, filters=2, batch=5),
}
DOTS = {  # gradients of kernels: few outputs, many taps
    "gradient": cases.spec(cases.axis(18, 16), cases.axis(20, 18), channels=2, filters=5, batch=3),
    "of-a-strided-layer": cases.spec(
        cases.axis(19, 9, 3, dilation=2, before=1), cases.axis(20, 8, 3, dilation=2, before=1), filters=6, batch=2
    ),
    "of-groups": cases.spec(cases.axis(40, 36), channels=2, filters=3, groups=4, batch=3),
    "of-volumes": cases.spec(*[cases.axis(n, n - 2) for n in (6, 7, 9)], channels=2, filters=5, batch=3),
    "one-output": cases.spec(cases.axis(9, 9), cases.axis(7, 7), channels=2, filters=5, batch=3),
}


@pytest.mark.parametrize(("dtype", "fill"), [("float32", 0), ("float64", -1.5)])
@pytest.mark.parametrize(
    ("method", "name"),
    [*product((*LOOPS, "xla_dots"), SPECS), *product(["xla_loops"], SIGNALS), *product(["xla_dots"], DOTS)],
    ids=lambda value: value,
)
def test_counts_and_axes_equal_the_definition(method, name, dtype, fill):
    agrees({**SPECS, **SIGNALS, **DOTS}[name], dtype, method, fill)


@pytest.mark.parametrize("dtype", ["complex64", "complex128", "int8", "int16", "int32", "int64"])
@pytest.mark.parametrize("name", ["signal", "groups"])
def test_other_dtypes_equal_the_definition(name, dtype):
    agrees({**SPECS, **SIGNALS}[name], dtype, "xla_loops")


@pytest.mark.parametrize(("first", "second"), [*product(BOUNDARIES, BOUNDARIES)])
def test_every_boundary_is_followed_inside(first, second):
    spec = cases.spec(cases.axis(4, 3, 11, before=5, boundary=first), cases.axis(3, 4, 12, before=4, boundary=second))
    agrees(spec, "float64", "xla_tiles", fill=2.5)


@pytest.mark.parametrize("method", METHODS)
def test_blocks_are_shared_by_threads_of_the_pool(method, monkeypatch):
    """Many small blocks, more threads than the pool may have: each block is written once, by the first free thread."""
    monkeypatch.setattr(threads, "usable", lambda: 7)
    monkeypatch.setattr(rows, "_ROW_BYTES", 64)
    monkeypatch.setattr(parallel, "_XLA_GRAIN", 1)
    for name, value in (("_BLOCK_ROWS", 12), ("_BLOCK_BYTES", 64)):
        monkeypatch.setattr(tiles, name, value)
    cached = tiles.job, make
    for planned in cached:
        planned.cache_clear()
    spec = cases.spec(cases.axis(40, 3, 40, before=1), cases.axis(50, 4, 50, before=2, boundary="reflect"), batch=2)
    try:
        for _ in range(5):
            agrees(spec, "float64", method)
    finally:
        for planned in cached:
            planned.cache_clear()


@pytest.mark.parametrize("method", METHODS)
def test_calls_side_by_side_are_independent(method):
    x, kernel = images((4, 300, 300), (9, 9))

    @jax.jit
    def four(x):
        return [arrayconv.convolve(x[i], (i + 1) * kernel, "same", method=method) for i in range(4)]

    expected = [arrayconv.convolve(np.asarray(x[i]), (i + 1) * np.asarray(kernel), "same") for i in range(4)]
    for _ in range(10):
        for y, exact in zip(four(x), expected, strict=True):
            np.testing.assert_allclose(y, exact, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_a_nan_reaches_only_the_outputs_whose_window_holds_it(method):
    x = jax.numpy.ones((40, 50)).at[10, 20].set(np.nan)
    y = jax.jit(lambda x: arrayconv.convolve(x, jax.numpy.zeros((3, 3)), "same", method=method))(x)
    expected = np.zeros(x.shape)
    expected[9:12, 19:22] = np.nan
    np.testing.assert_array_equal(y, expected)


TRANSFORMED = {
    "jit": lambda f: jax.jit(f),
    "grad": lambda f: jax.grad(lambda x, w: (f(x, w) ** 2).sum(), (0, 1)),
    "jit-grad": lambda f: jax.jit(jax.grad(lambda x, w: (f(x, w) ** 2).sum(), (0, 1))),
    "jacfwd": lambda f: jax.jacfwd(f, 1),
    "jacrev": lambda f: jax.jacrev(f, 1),
    "hessian": lambda f: jax.hessian(lambda x, w: (f(x, w) ** 2).sum(), 1),
    "vmap": lambda f: lambda x, w: jax.vmap(f, (0, None))(x[None] * np.array([[[1.0]], [[2.0]]], "float32"), w),
    "jit-vmap-grad": lambda f: jax.jit(
        lambda x, w: jax.vmap(jax.grad(lambda w: (f(x, w) ** 2).sum()))(w[None] * np.ones((2, 1, 1), "float32"))
    ),
}


@functools.cache
def transformed(name, method, wide):
    def call(x, w):
        return arrayconv.convolve(x, w, "same", boundary="reflect", method=method)

    with jax.enable_x64(wide):
        return jax.tree.leaves(TRANSFORMED[name](call)(*images((9, 11), (3, 4))))


WIDE = ("jit", "hessian", "vmap", "jit-vmap-grad")  # the others are parts of these


@pytest.mark.rows(where=lambda name, wide, method: name in WIDE or not wide)
@pytest.mark.parametrize("wide", [False, True], ids=["without-x64", "x64"])
@pytest.mark.parametrize("name", TRANSFORMED)
@pytest.mark.parametrize("method", SMALL)
def test_transformed_calls_equal_those_of_direct(method, name, wide):
    for y, exact in zip(transformed(name, method, wide), transformed(name, "direct", wide), strict=True):
        assert y.dtype == exact.dtype == np.float32
        np.testing.assert_allclose(y, exact, rtol=1e-4, atol=1e-3)


def test_large_images_are_computed_by_tiles():
    methods = []

    def convolve(x):
        methods.append(arrayconv.explain(x, (7, 7), "same").method)
        return arrayconv.convolve(x, jax.numpy.ones((7, 7), x.dtype), "same")

    lowered = jax.jit(convolve).lower(jax.ShapeDtypeStruct((512, 512), "float32"))
    assert methods == ["xla_tiles"]
    assert xla.NAME in lowered.as_text()


REFUSALS = {
    "it sums in float32 or float64. Got int32": ("xla_tiles", (9, 9), "int32", {}),
    "it supports two convolved axes or more. Got 1": ("xla_tiles", (9,), "float32", {}),
    "it supports dilation 1 on the last axis but one. Got dilation 2": (
        "xla_tiles",
        (9, 9),
        "float32",
        {"dilation": 2},
    ),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_refusals_say_why(reason):
    method, shape, dtype, options = REFUSALS[reason]
    x = jax.numpy.ones(shape, dtype)
    refused = {row.name: row.refusal for row in arrayconv.explain(x, x[(slice(3),) * x.ndim], **options).candidates}
    assert (refused[method] or "").startswith(reason)


@pytest.mark.parametrize("method", SMALL)
def test_only_jax_arrays_on_cpus_are_supported(method):
    refused = {row.name: row.refusal for row in arrayconv.explain(np.ones((9, 9)), (3, 3)).candidates}
    assert refused[method] == "it supports jax arrays"
    library, spec = make_library("jax"), SPECS["image"]
    traits = running.planned(library, spec, "float32", method).traits._replace(device="gpu")
    assert _accel.ACCELERATED[method].why_not(spec, traits) == "it supports arrays on CPUs. Got gpu"


def test_a_traced_array_is_where_jax_puts_arrays_by_default(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    refused = []

    def explained(x):
        refused.extend(row.refusal for row in arrayconv.explain(x, (3, 3)).candidates if row.name in SMALL)
        return x

    jax.jit(explained).trace(jax.ShapeDtypeStruct((9, 9), "float32"))
    assert refused == ["it supports arrays on CPUs. Got gpu"] * len(SMALL)


@pytest.mark.parametrize("off", ["xla_ffi", "native"])
@pytest.mark.parametrize("method", SMALL)
def test_methods_that_are_switched_off_are_refused(method, off):
    x, kernel = images((30, 30), (3, 3))
    with config.using(accelerators=set(config.ACCELERATORS) - {off}):
        with pytest.raises(NotImplementedError, match=f"the accelerator '{off}' is switched off"):
            arrayconv.convolve(x, kernel, method=method)
        arrayconv.convolve(x, kernel)


NN = {  # (shape of x, shape of the kernel, the call): strides, phases, dilations, groups, counts of filters
    "conv2d": ((2, 6, 13, 17), (9, 6, 3, 4), lambda x, w, **how: nn.conv2d(x, w, padding=1, **how)),
    "strided": ((2, 6, 13, 17), (8, 3, 3, 4), lambda x, w, **how: nn.conv2d(x, w, stride=(2, 3), groups=2, **how)),
    "dilated": ((1, 4, 20, 17), (5, 4, 3, 2), lambda x, w, **how: nn.conv2d(x, w, stride=2, dilation=(2, 3), **how)),
    "transposed": ((2, 4, 7, 6), (4, 5, 3, 4), lambda x, w, **how: nn.conv_transpose2d(x, w, stride=2, **how)),
    "transposed-3": (
        (1, 4, 5, 6),
        (4, 3, 4, 5),
        lambda x, w, **how: nn.conv_transpose2d(x, w, stride=3, padding=1, groups=2, **how),
    ),
    "signals": ((2, 3, 40), (6, 3, 5), lambda x, w, **how: nn.conv1d(x, w, stride=2, padding=2, **how)),
    "volumes": ((1, 2, 5, 6, 7), (4, 2, 3, 2, 3), lambda x, w, **how: nn.conv3d(x, w, padding=1, **how)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NN)
def test_images_have_the_bits_of_numpy_s(name, dtype):
    x_shape, w_shape, call = NN[name]
    random = np.random.default_rng(3)
    x, w = (random.standard_normal(shape).astype(dtype) for shape in (x_shape, w_shape))
    with jax.enable_x64(True):
        arrays = jax.numpy.asarray(x), jax.numpy.asarray(w)
        compiled = jax.jit(lambda x, w: call(x, w, method="xla_images"))(*arrays)
        eager = call(*arrays, method="xla_images")
    expected = call(x, w, method="native_images")
    np.testing.assert_array_equal(compiled, expected, strict=True)
    np.testing.assert_array_equal(eager, expected, strict=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_of_kernels_have_the_bits_of_numpy_s(dtype):
    random = np.random.default_rng(5)
    x, dy = (random.standard_normal((2, channels, 16, 16)).astype(dtype) for channels in (4, 8))
    call, size = nn.grad.conv2d_weight, (8, 4, 3, 3)
    assert arrayconv.explain(x, size, dy, call=call, padding=1).method == "native_dots"
    expected = call(x, size, dy, padding=1)
    with jax.enable_x64(True):
        arrays = jax.numpy.asarray(x), jax.numpy.asarray(dy)
        assert arrayconv.explain(arrays[0], size, arrays[1], call=call, padding=1).method == "xla_dots"
        y = call(arrays[0], size, arrays[1], padding=1)
    np.testing.assert_array_equal(y, expected, strict=True)


def test_layers_of_many_channels_are_computed_by_their_loop():
    methods = []
    with jax.enable_x64(True):

        def conv2d(x, w):
            explanation = arrayconv.explain(x, w, pattern="b c h w, o c h w -> b o h w | h w")
            methods.append(explanation.method)
            return nn.conv2d(x, w, padding=1)

        x, w = (jax.ShapeDtypeStruct(shape, "float64") for shape in ((8, 64, 56, 56), (64, 64, 3, 3)))
        lowered = jax.jit(conv2d).lower(x, w).as_text()
    assert methods == ["xla_winograd"]
    assert xla.NAME in lowered


LOOPED = {
    "fori_loop": lambda f, x, w: jax.lax.fori_loop(0, 3, lambda i, x: f(x, w), x),
    "scan": lambda f, x, w: jax.lax.scan(lambda x, _: (f(x, w), None), x, None, length=3)[0],
    "donated": lambda f, x, w: jax.jit(lambda x, w: f(f(f(x, w), w), w), donate_argnums=0)(x + 0, w),
}


@pytest.mark.parametrize("name", LOOPED)
@pytest.mark.parametrize("method", SMALL)
def test_programs_that_reuse_buffers_give_the_same(method, name):
    x, w = images((9, 11), (3, 3))

    def convolve(x, w):
        return arrayconv.convolve(x, w, "same", method=method)

    expected = arrayconv.convolve(np.asarray(x), np.asarray(w), "same", method="direct")
    for _ in range(2):
        expected = arrayconv.convolve(expected, np.asarray(w), "same", method="direct")
    np.testing.assert_allclose(LOOPED[name](convolve, x, w), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_two_python_threads_run_programs_at_once(method):
    x, kernel = images((2, 400, 400), (9, 9))
    convolve = jax.jit(lambda x, w: arrayconv.convolve(x, w, "same", method=method))
    expected = [np.asarray(convolve(part, kernel)) for part in x]
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda n: np.asarray(convolve(x[n % 2], kernel)), range(20))
        for number, y in enumerate(results):
            np.testing.assert_array_equal(y, expected[number % 2])


def test_a_program_is_exported_where_its_call_is_allowed():
    from jax import export

    x, kernel = images((30, 30), (3, 3))
    convolve = jax.jit(lambda x, w: arrayconv.convolve(x, w, "same", method="xla_tiles"))
    with pytest.raises(ValueError, match=r"arrayconv\.loops"):
        export.export(convolve)(x, kernel)
    allowed = [export.DisabledSafetyCheck.custom_call(xla.NAME)]
    exported = export.export(convolve, disabled_checks=allowed)(x, kernel)
    np.testing.assert_array_equal(exported.call(x, kernel), convolve(x, kernel))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_program_that_was_compiled_before_a_fork_runs_in_the_child():
    code = """
import os, sys, warnings
import numpy as np, jax, arrayconv
warnings.simplefilter("ignore")
x = jax.numpy.ones((900, 900), "float32")
convolve = jax.jit(lambda x, w: arrayconv.convolve(x, w, "same", method="xla_tiles")).lower(x, x[:9, :9]).compile()
expected = np.asarray(convolve(x, x[:9, :9]))
child = os.fork()
if child == 0:
    same = np.array_equal(np.asarray(convolve(x, x[:9, :9])), expected)
    os._exit(0 if same else 3)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert (process.returncode, process.stdout.strip()) == (0, "0"), process.stderr


def refuse(name, capsule, *, platform):
    raise RuntimeError("no such interface")


@pytest.fixture
def _refusing(monkeypatch):
    """XLA refuses the handler, as one of an unknown version."""
    monkeypatch.setattr(failures, "failures", {})
    monkeypatch.setattr(jax.ffi, "register_ffi_target", refuse)
    xla.registered.cache_clear()
    yield
    xla.registered.cache_clear()


@pytest.mark.usefixtures("_refusing")
def test_where_xla_refuses_another_method_runs_after_one_warning():
    x, kernel = images((300, 300), (7, 7))
    expected = arrayconv.convolve(np.asarray(x), np.asarray(kernel), "same", method="direct")
    convolve = jax.jit(lambda x, kernel: arrayconv.convolve(x, kernel, "same"))
    with pytest.warns(
        RuntimeWarning, match="accelerator 'xla_ffi' failed: .* RuntimeError: no such interface"
    ) as caught:
        np.testing.assert_allclose(convolve(x, kernel), expected, rtol=1e-4, atol=1e-4)
    assert len(caught) == 1
    np.testing.assert_allclose(arrayconv.convolve(x, kernel, "same"), expected, rtol=1e-4, atol=1e-4)
    assert "native" in _accel.available(frozenset(config.ACCELERATORS))


@pytest.mark.usefixtures("_refusing")
@pytest.mark.parametrize("method", METHODS)
def test_where_xla_refuses_a_forced_method_says_so(method):
    with pytest.raises(RuntimeError, match=f"method '{method}' cannot run: the accelerator 'xla_ffi' failed"):
        arrayconv.convolve(*images((30, 30), (3, 3)), method=method)


@pytest.mark.usefixtures("_refusing")
def test_where_xla_refuses_explain_says_why(capsys):
    x, kernel = images((300, 300), (7, 7))
    with pytest.warns(RuntimeWarning, match="Other methods run instead"):
        explanation = arrayconv.explain(x, kernel, "same")
    refused = {row.name: row.refusal for row in explanation.candidates}
    assert explanation.method not in METHODS
    assert all("XLA refuses the loops" in refused[method] for method in METHODS)
    assert main(["backends"]) == 0
    assert "XLA refuses the loops" in " ".join(capsys.readouterr().out.split())


FILTERED = {
    "gaussian": lambda x, w: ndimage.gaussian_filter(x, 1.2, mode="constant", cval=3),
    "weights": lambda x, w: ndimage.correlate(x, w, mode="constant", cval=1.5),
    "laplace": lambda x, w: ndimage.laplace(x) * w.sum(),
    "length": lambda x, w: ndimage.gaussian_gradient_magnitude(x, 0.8) * w.sum(),
}
DIFFERENTIATED = {
    **{name: TRANSFORMED[name] for name in ("jit-grad", "vmap", "jit-vmap-grad")},
    "jvp": lambda f: lambda x, w: jax.jvp(f, (x, w), (x, w)),
    "checkpoint": lambda f: jax.grad(jax.checkpoint(jax.jit(lambda x, w: (f(x, w) ** 2).sum())), (0, 1)),
    "grad-vmap": lambda f: jax.grad(lambda x, w: (jax.vmap(f, (0, None))(x[None] * 2, w) ** 2).sum(), (0, 1)),
}


def filter_methods(x):
    return {step.method for step in arrayconv.explain(x, 1.0, call=ndimage.gaussian_filter).passes}


NESTED = {  # compositions, for a filter whose array alone has a derivative and for one whose weights have too
    "checkpoint": ("gaussian", "weights"),
    "grad-vmap": ("gaussian", "weights"),
}


@pytest.mark.rows(where=lambda name, transform: name in NESTED.get(transform, FILTERED))
@pytest.mark.parametrize("transform", DIFFERENTIATED)
@pytest.mark.parametrize("name", FILTERED)
def test_filters_have_the_derivatives_of_their_passes(name, transform):
    x, w = images((9, 11), (3, 4))
    y = jax.tree.leaves(DIFFERENTIATED[transform](FILTERED[name])(x, w))
    with config.using(accelerators=set(config.ACCELERATORS) - {"xla_ffi"}):
        assert filter_methods(x) != {"native_filters"}
        expected = jax.tree.leaves(DIFFERENTIATED[transform](FILTERED[name])(x, w))
    assert filter_methods(x) == {"native_filters"}
    for own, exact in zip(y, expected, strict=True):
        assert own.dtype == exact.dtype
        np.testing.assert_allclose(own, exact, rtol=1e-4, atol=1e-3)


@pytest.mark.usefixtures("_refusing")
def test_where_xla_refuses_the_passes_of_a_filter_run_after_one_warning():
    (x,) = images((30, 31))
    with pytest.warns(RuntimeWarning, match="A filter's passes run one by one instead") as caught:
        y = ndimage.gaussian_filter(x, 1.0)
    assert len(caught) == 1
    np.testing.assert_allclose(y, ndimage.gaussian_filter(np.asarray(x), 1.0), rtol=1e-5, atol=1e-5)
    assert filter_methods(x) != {"native_filters"}


def test_without_native_code_jax_has_the_standard_methods_and_xla_conv(monkeypatch, tmp_path):
    monkeypatch.setattr(loader, "_PATH", tmp_path / "loops.so")
    _accel.installed.cache_clear()
    try:
        x, kernel = images((2, 3, 30, 30), (4, 3, 3, 3))
        explanation = arrayconv.explain(x, kernel, pattern="b c h w, o c h w -> b o h w | h w")
        refused = {row.name: row.refusal for row in explanation.candidates}
        assert all("'native' is not built: there was no C compiler" in refused[method] for method in METHODS)
        assert refused["xla_conv"] is None
        expected = nn.conv2d(np.asarray(x), np.asarray(kernel))
        np.testing.assert_allclose(nn.conv2d(x, kernel), expected, rtol=1e-4, atol=1e-4)
    finally:
        _accel.installed.cache_clear()
        config.cache_clear()


CREATED = 0x5EED  # the address of an error that XLA would make
LAYOUTS = {  # struct_size of the call frame and of the functions, major version, bytes of metadata
    "a-shorter-frame": (160, 232, 0, None),
    "fewer-functions": (168, 136, 0, None),
    "another-version": (168, 232, 1, None),
    "metadata-of-before-versions": (168, 232, 0, 24),
}


def frame_of(frame_bytes=168, api_bytes=232, major=0, metadata_bytes=None):
    """Return the address of a call frame, the owners of its memory, metadata, and texts of the errors made with it."""
    texts = []

    @ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.POINTER(ctypes.c_int64))
    def create(call):
        texts.append(ctypes.string_at(call[2]).decode())
        return CREATED

    api, frame, extension, metadata = [(ctypes.c_int64 * 40)() for _ in range(4)]
    api[0], api[4], api[6] = api_bytes, major | 7 << 32, ctypes.cast(create, ctypes.c_void_p).value
    frame[0], frame[2], frame[4] = frame_bytes, ctypes.addressof(api), 3
    if metadata_bytes is not None:
        metadata[0], extension[0], extension[1] = metadata_bytes, 32, 1
        extension[3], frame[1] = ctypes.addressof(metadata), ctypes.addressof(extension)
    return ctypes.addressof(frame), (api, frame, extension, create), metadata, texts


def handled(frame):
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(("arrayconv_xla", _library()))(frame)


def _library():
    return ctypes.CDLL(str(loader._PATH))


@pytest.mark.parametrize("name", LAYOUTS)
def test_an_interface_of_another_layout_is_an_error_that_names_both(name):
    frame, _memory, metadata, texts = frame_of(*LAYOUTS[name])
    assert handled(frame) == CREATED
    major = LAYOUTS[name][2]
    assert texts[0].startswith(f"arrayconv: XLA's FFI is version {major}.7 ")
    assert "written for version 0.3" in texts[0]
    assert list(metadata[1:5]) == [0] * 4


@pytest.mark.parametrize("size", [36, 48, 200])
def test_metadata_of_any_later_size_gets_the_version(size):
    frame, _memory, metadata, texts = frame_of(metadata_bytes=size, major=1)  # then XLA refuses it
    assert (handled(frame), texts) == (0, [])
    assert metadata[3] == 3 << 32  # version 0.3


def _right_call():
    """Return a call's operands and table as they are right."""
    spec = SPECS["image"]
    job = tiles.job(spec, contiguous_steps(spec.input_shape), contiguous_steps(spec.output_shape), 0, 0, 4)
    code = loader.loaded()
    own = LoopHead(job.loop, code.level, code.kinds["float32"], 0, job.units)
    return images((13, 17), (3, 7)), XlaHead(1, 1, 13 * 17, 21, 13 * 17), (own, *job.parts)


def changed(parts, **fields):
    """Return a table of whose loop's head these fields are others."""
    return parts[0]._replace(**fields), *parts[1:]


WRONG = {  # change of a right call, and the message
    "a-short-table": (lambda head, parts: head[:4], "it is too short"),
    "an-unknown-loop": (lambda head, parts: packed(head, *changed(parts, loop=99)), "it names no loop"),
    "a-loop-over-filters": (
        lambda head, parts: packed(head, *changed(parts, loop=FILTERS)),
        "disagrees? with its counts",
    ),
    "a-loop-of-gaps": (lambda head, parts: packed(head, *changed(parts, loop=GAPS)), "on NumPy arrays only"),
    "a-loop-after-the-last": (
        lambda head, parts: packed(head, *changed(parts, loop=WINOGRAD_DOTS + 1)),
        "it names no loop",
    ),
    "a-kind-after-the-last": (lambda head, parts: packed(head, *changed(parts, kind=8)), "it names no loop"),
    "an-unknown-kind": (lambda head, parts: packed(head, *changed(parts, kind=99)), "it names no loop"),
    "a-kind-without-tiles": (lambda head, parts: packed(head, *changed(parts, kind=4)), "does not support the kind"),
    "no-thread": (lambda head, parts: packed(head._replace(threads=0), *parts), "counts are below one"),
    "a-cut-table": (lambda head, parts: packed(head, *parts)[:-1], "its length disagrees with its counts"),
    "another-loop-s-table": (lambda head, parts: packed(head, *changed(parts, loop=0)), "disagrees? with its counts"),
    "a-huge-count": (
        lambda head, parts: packed(head, parts[0], parts[1]._replace(border=1 << 62), *parts[2:]),
        "its length disagrees with its counts",
    ),
    "more-units": (lambda head, parts: packed(head, *changed(parts, units=99)), "its units disagree with its counts"),
    "a-larger-x": (lambda head, parts: packed(head._replace(x_size=9), *parts), "a buffer is of another size"),
    "another-dtype": (lambda head, parts: packed(head, *changed(parts, kind=1)), "a buffer is of another dtype"),
    "narrow-numbers": (lambda head, parts: np.ones(40, "int32"), "its numbers are not of 64 bits"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_table_that_does_not_fit_is_an_error_that_xla_raises(name):
    change, message = WRONG[name]
    (x, w), head, parts = _right_call()
    table = np.asarray(change(head, parts))
    call = jax.ffi.ffi_call(xla.registered(), jax.ShapeDtypeStruct((13, 17), "float32"))
    with pytest.raises(Exception, match=message):
        jax.block_until_ready(call(x, w, table=table))


def _dots_call():
    """Return the operands, the shape of the result, and the table of a call of `xla_dots` as they are right."""
    spec = cases.spec(cases.axis(40, 30), channels=2, filters=6, groups=2, batch=3)
    layouts = (
        contiguous_steps(spec.input_shape),
        contiguous_steps(spec.kernel_shape),
        contiguous_steps(spec.output_shape),
    )
    job, code = dots.job(spec, *layouts, 4), loader.loaded()
    sizes = map(math.prod, (spec.input_shape, spec.kernel_shape, spec.output_shape))
    own = LoopHead(job.loop, code.level, code.kinds["float32"], 0, job.units)
    return images(spec.input_shape, spec.kernel_shape), spec.output_shape, XlaHead(1, 1, *sizes), (own, *job.parts)


WRONG_DOTS = {
    "more-columns": (lambda table: table._replace(columns=1 << 62), "its length disagrees with its counts"),
    "one-column-more": (
        lambda table: table._replace(columns=table.columns + 1),
        "its length disagrees with its counts",
    ),
    "fewer-axes": (lambda table: table._replace(outer_axes=0), "its length disagrees with its counts"),
    "more-groups": (lambda table: table._replace(groups=9), "its units disagree with its counts"),
}


@pytest.mark.parametrize("name", WRONG_DOTS)
def test_a_table_of_dots_that_does_not_fit_is_an_error(name):
    change, message = WRONG_DOTS[name]
    (x, w), shape, head, (own, table, *rest) = _dots_call()
    call = jax.ffi.ffi_call(xla.registered(), jax.ShapeDtypeStruct(shape, "float32"))
    jax.block_until_ready(call(x, w, table=np.asarray(packed(head, own, table, *rest))))
    with pytest.raises(Exception, match=message):
        jax.block_until_ready(call(x, w, table=np.asarray(packed(head, own, change(table), *rest))))


_HEAD, _LOOP = (0, XlaHead), (len(XlaHead._fields), LoopHead)
_OWN = sum(len(head._fields) for head in (XlaHead, LoopHead))
_KERNELS, _TILES = (_OWN, WinogradKernelsTable), (_OWN + len(PlanesHead._fields), WinogradTable)
_TAPS = _TILES[0], WinogradDotsTable
OUTPUTS, TAPS = (5, 3, 3, 3), (5, 3, 18, 18)  # kernels of x (n, 3, 20, 20)
WRONG_TABLES = {  # the kernel, the tables that are passed, by the names of the right ones, and the message
    "alone": (OUTPUTS, {"table": "table"}, "does not run alone"),
    "without-kernels": (OUTPUTS, {"again": "again", "table": "table"}, "do not run together"),
    "exchanged": (OUTPUTS, {"again": "kernels", "kernels": "again", "table": "table"}, "do not run together"),
    "again-the-same": (TAPS, {"again": "table", "table": "table"}, "do not run together"),
}
WRONG_NUMBERS = {  # the kernel, the table, the place of the number, what it is, and the message
    "another-kind": (TAPS, "again", _LOOP, "kind", 1, "its loops are of several dtypes"),
    "another-x": (TAPS, "again", _HEAD, "x_size", 9, "its loops are of several sizes"),
    "another-kernel": (TAPS, "again", _HEAD, "w_size", 9, "its loops are of several sizes"),
    "another-result": (OUTPUTS, "again", _HEAD, "y_size", 9, "its loops are of several sizes"),
    "fewer-factors": (OUTPUTS, "table", _HEAD, "w_size", 9, "its loops are of several sizes"),
    "no-taps": (OUTPUTS, "kernels", _KERNELS, "taps", 0, "its loops are of several sizes"),
    "another-step-of-kernels": (OUTPUTS, "kernels", _KERNELS, "step", 9, "its length disagrees with its counts"),
    "another-step": (OUTPUTS, "table", _TILES, "step", -1, "its length disagrees with its counts"),
    "another-step-of-taps": (TAPS, "table", _TAPS, "step", 4, "its length disagrees with its counts"),
    "more-blocks": (OUTPUTS, "table", _TILES, "row_blocks", 7, "its units disagree with its counts"),
    "more-blocks-of-filters": (TAPS, "table", _TAPS, "filter_blocks", 7, "its units disagree with its counts"),
}


@pytest.mark.parametrize("name", [*WRONG_TABLES, *WRONG_NUMBERS])
def test_tables_that_do_not_fit_each_other_are_an_error(name, monkeypatch):
    call, called = xla.call, []

    def changed(tables, *rest):
        called.append(tables)
        if name in WRONG_TABLES:
            return call({own: tables[of] for own, of in WRONG_TABLES[name][1].items()}, *rest)
        _, which, (first, head), field, number, _ = WRONG_NUMBERS[name]
        table = np.array(tables[which])
        table[first + head._fields.index(field)] = number
        return call({**tables, which: table}, *rest)

    monkeypatch.setattr(xla, "call", changed)
    kernel, *_, message = {**WRONG_TABLES, **WRONG_NUMBERS}[name]
    batch = 2 + [*WRONG_TABLES, *WRONG_NUMBERS].index(name)  # so that the program is traced
    with pytest.raises(Exception, match=message):
        jax.block_until_ready(nn.conv2d(*images((batch, 3, 20, 20), kernel), method="xla_winograd"))
    assert sorted(called[0]) == (["again", "kernels", "table"] if kernel is OUTPUTS else ["again", "table"])


def _filters_call(combine=False):
    """Return the operands and the table of a mean of 11 rows and a weighted sum of 3 columns."""
    shape = 13, 17
    windows = (
        Window((0,), windows_along(shape, (0,), (11,), (5,), ("reflect",)), divisor=11),
        Window((1,), windows_along(shape, (1,), (3,), (1,), ("constant",)), flip=True),
    )
    chains = Chains(shape, (windows, windows) if combine else (windows,), "float32", "float32", "sum" * combine)
    job = filters.job(chains, (68, 4), (68, 4), 2.5)
    code = loader.loaded()
    own = LoopHead(job.loop, code.level, code.kinds["float64"], double_bits(2.5), job.units)
    weights = np.array([*[1.0] * 11, 1, 2, -3] * (2 if combine else 1))
    return (images(shape)[0], weights), XlaHead(1, 1, 221, weights.size, 221), [own, *job.parts]


def part(number, entry=None, /, **fields):
    """Return a change of one part of a filter's table: of the fields of a struct, or of a number of an array."""

    def change(head, parts):
        one = parts[number]
        if isinstance(entry, tuple):
            one = one.copy()
            one[entry[0]] = entry[1]
        elif entry is not None:
            one = [*one[:entry], one[entry]._replace(**fields), *one[entry + 1 :]]
        else:
            one = one._replace(**fields)
        return head, [*parts[:number], one, *parts[number + 1 :]]

    return change


HUGE = 1 << 62
WRONG_FILTERS = {  # change of a right table: head, then 0 loop, 1 table, 2 and 3 formats, 4 axes, 5 passes, 6 positions
    "no-axis": (part(1, axes=0), "its length disagrees"),
    "many-axes": (part(1, axes=65), "its length disagrees"),
    "huge-axes": (part(1, axes=HUGE), "its length disagrees"),
    "no-chain": (part(1, chains=0), "its length disagrees"),
    "huge-chains": (part(1, chains=HUGE, passes=4), "its length disagrees"),
    "a-pass-more": (part(1, passes=3), "its length disagrees"),
    "huge-terms": (part(5, 0, terms=HUGE), "its length disagrees"),
    "a-term-less": (part(5, 0, terms=10), "its length disagrees"),
    "more-taps": (part(4, 0, taps=12), "its length disagrees"),
    "a-huge-window": (part(4, 0, taps=HUGE), "its length disagrees"),
    "an-axis-without-a-pass": (part(4, 0, number=-1), "its length disagrees"),
    "a-pass-that-does-not-exist": (part(4, 1, number=2), "its length disagrees"),
    "no-sample": (part(4, 0, size=0), "its length disagrees"),
    "an-empty-block": (part(4, 0, block=0), "its length disagrees"),
    "a-block-beyond-the-axis": (part(4, 0, block=14), "its length disagrees"),
    "border-elsewhere": (part(4, 1, border=0), "its length disagrees"),
    "a-border-of-another-length": (part(4, 0, border_before=6), "its length disagrees"),
    "small-blocks": (part(4, 0, block=1), "its units disagree"),
    "more-units": (part(0, units=2), "its units disagree"),
    "an-unknown-dtype": (part(1, x_number=10), "no such numbers"),
    "wide-numbers-in-uint16": (part(1, is_uint16=True), "no such numbers"),
    "no-parts": (part(1, parts=0), "no such numbers"),
    "three-parts": (part(1, parts=3, each=3), "no such numbers"),
    "no-number": (part(1, each=0), "no such numbers"),
    "an-unknown-rounding": (part(2, rounding=6), "no such numbers"),
    "an-unknown-combination": (part(1, combine=3), "no such numbers"),
    "a-combination-without-memory": (part(1, combine=1), "do not contain a block"),
    "small-buffers": (part(1, scratch=64), "do not contain a block"),
    "huge-buffers": (part(1, scratch=HUGE), "do not contain a block"),
    "a-stride": (part(4, 0, x_step=72), "its steps disagree"),
    "a-stride-of-y": (part(4, 1, y_step=8), "its steps disagree"),
    "a-start": (part(1, x_start=4), "its steps disagree"),
    "an-unknown-sum": (part(5, 1, how=4), "its windows disagree"),
    "a-mean-of-a-part": (part(5, 1, how=3, terms=3, w_start=14), "its windows disagree"),
    "weights-beyond": (part(5, 1, w_start=14), "its windows disagree"),
    "weights-before": (part(5, 1, w_start=1), "its windows disagree"),
    "a-weight-again": (part(5, 1, w_step=0), "its windows disagree"),
    "another-pass-s-positions": (part(5, 1, positions=0), "its windows disagree"),
    "a-position-beyond": (part(6, (0, 11)), "its windows disagree"),
    "a-position-along-another-axis": (part(6, (1, 1)), "its windows disagree"),
    "a-sample-beyond": (part(7, (0, 13)), "its windows disagree"),
    "a-sample-before": (part(7, (0, -2)), "its windows disagree"),
    "fewer-weights": (lambda head, parts: (head._replace(w_size=13), parts), "its windows disagree"),
    "other-sizes": (lambda head, parts: (head._replace(x_size=220), parts), "x and y are of different sizes"),
    "another-y": (lambda head, parts: (head._replace(x_size=220, y_size=220), parts), "its steps disagree"),
    "more-weights": (lambda head, parts: (head._replace(w_size=15), parts), "a buffer is of another size"),
}


@pytest.mark.parametrize("name", WRONG_FILTERS)
def test_a_filter_s_table_that_leads_out_of_a_buffer_is_an_error_that_xla_raises(name):
    change, message = WRONG_FILTERS[name]
    operands, head, parts = _filters_call()
    head, parts = change(head, parts)
    call = jax.ffi.ffi_call(xla.registered(), jax.ShapeDtypeStruct((13, 17), "float32"))
    with pytest.raises(Exception, match=f"INVALID_ARGUMENT.*{message}"):
        jax.block_until_ready(call(*operands, table=packed(head, *parts)))


WRONG_BUFFERS = {  # dtypes of x, the weights and y
    "x": ("float64", "float64", "float32"),
    "weights": ("float32", "int32", "float32"),
    "y": ("float32", "float64", "int32"),
    "bits": ("float32", "uint32", "float32"),  # half of them
}


@pytest.mark.parametrize("name", WRONG_BUFFERS)
def test_a_filter_s_buffers_of_other_dtypes_are_an_error_that_xla_raises(name):
    (x, weights), head, parts = _filters_call()
    x_dtype, dtype, result = WRONG_BUFFERS[name]
    with jax.enable_x64(True):
        call = jax.ffi.ffi_call(xla.registered(), jax.ShapeDtypeStruct(x.shape, result))
        with pytest.raises(Exception, match=r"INVALID_ARGUMENT.*a buffer is of another"):
            jax.block_until_ready(call(x.astype(x_dtype), weights.astype(dtype), table=packed(head, *parts)))


@pytest.mark.parametrize("combine", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32", "bits"])
def test_a_filter_s_right_table_is_run(dtype, combine):
    (x, weights), head, parts = _filters_call(combine)
    expected = ndimage.uniform_filter1d(np.asarray(x), 11, axis=0, mode="mirror")
    expected = ndimage.convolve1d(expected, [1, 2, -3], axis=1, mode="constant", cval=2.5) * (1 + combine)
    taps = weights.view("uint32") if dtype == "bits" else weights.astype(dtype)
    call = jax.ffi.ffi_call(xla.registered(), jax.ShapeDtypeStruct(x.shape, "float32"))
    y = call(x, taps, table=packed(head, *changed(parts, level=99)))
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)


def test_a_filter_s_table_of_one_pass_is_run():
    shape = 13, 17
    window = Window((0,), windows_along(shape, (0,), (11,), (5,), ("reflect",)), divisor=11)
    job = filters.job(Chains(shape, ((window,),), "float32", "float32"), (68, 4), (68, 4), 0)
    code, (x, *_) = loader.loaded(), images(shape)
    own = LoopHead(job.loop, code.level, code.kinds["float64"], double_bits(0), job.units)
    call = jax.ffi.ffi_call(xla.registered(), jax.ShapeDtypeStruct(x.shape, "float32"))
    y = call(x, np.ones(11, "float32"), table=packed(XlaHead(1, 1, 221, 11, 221), own, *job.parts))
    expected = ndimage.uniform_filter1d(np.asarray(x), 11, axis=0, mode="mirror")
    np.testing.assert_array_max_ulp(np.asarray(y), expected, 1)  # a sum in float64, rounded


def test_without_memory_for_a_filter_the_program_fails():
    operands, head, parts = _filters_call()
    head, parts = part(1, scratch=1 << 55)(head, parts)
    call = jax.ffi.ffi_call(xla.registered(), jax.ShapeDtypeStruct((13, 17), "float32"))
    with pytest.raises(Exception, match=r"RESOURCE_EXHAUSTED.*arrayconv: no memory for the samples of a block"):
        jax.block_until_ready(call(*operands, table=packed(head, *parts)))


def test_a_right_table_is_run():
    (x, w), head, parts = _right_call()
    call = jax.ffi.ffi_call(xla.registered(), jax.ShapeDtypeStruct((13, 17), "float32"))
    y = call(x, w, table=packed(head, *changed(parts, level=99)))  # of a machine that has more
    expected = arrayconv.correlate(np.asarray(x), np.asarray(w), "same", method="direct")
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)


def test_operands_that_are_not_known_are_an_error_that_xla_raises():
    x = jax.numpy.ones(4, "float32")
    with pytest.raises(
        Exception, match="arrayconv: these loops do not support the call: it does not have two operands"
    ):
        jax.block_until_ready(jax.ffi.ffi_call(xla.registered(), [jax.ShapeDtypeStruct((4,), "float32")])(x))


def test_without_memory_for_a_block_the_program_fails():
    (x, w), head, parts = _right_call()
    table = packed(head, parts[0], parts[1]._replace(copy_size=1 << 55), *parts[2:])
    call = jax.ffi.ffi_call(xla.registered(), jax.ShapeDtypeStruct((13, 17), "float32"))
    with pytest.raises(Exception, match=r"RESOURCE_EXHAUSTED.*arrayconv: no memory for the samples of a block"):
        jax.block_until_ready(call(x, w, table=table))


SOURCES = Path(loader.__file__).parent / "src"
COMPILER = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")
FIELDS = {  # of the subset: the last field of each struct that the handler reads or writes
    "XLA_FFI_Metadata_Extension": ("extension_base", "metadata"),
    "XLA_FFI_Metadata": ("struct_size", "api_version"),
    "XLA_FFI_Api_Version": ("struct_size", "major_version", "minor_version"),
    "XLA_FFI_Extension_Base": ("struct_size", "type"),
    "XLA_FFI_Buffer": ("dtype", "data", "rank", "dims"),
    "XLA_FFI_Array": ("dtype", "size", "data"),
    "XLA_FFI_Args": ("size", "types", "args"),
    "XLA_FFI_Rets": ("size", "types", "rets"),
    "XLA_FFI_Attrs": ("size", "types", "names", "attrs"),
    "XLA_FFI_Error_Create_Args": ("struct_size", "message", "errc"),
    "XLA_FFI_Error_Destroy_Args": ("struct_size", "error"),
    "XLA_FFI_ThreadPool_Schedule_Args": ("ctx", "task", "data"),
    "XLA_FFI_Api": ("api_version", "XLA_FFI_Error_Create", "XLA_FFI_Error_Destroy", "XLA_FFI_ThreadPool_Schedule"),
    "XLA_FFI_CallFrame": ("api", "ctx", "stage", "args", "rets", "attrs"),
}
NUMBERS = {  # of ours -> as XLA's header calls them
    "XLA_FFI_MAJOR": "XLA_FFI_API_MAJOR",
    "XLA_FFI_METADATA": "XLA_FFI_Extension_Metadata",
    "XLA_FFI_EXECUTE": "XLA_FFI_ExecutionStage_EXECUTE",
    "XLA_FFI_INVALID": "XLA_FFI_Error_Code_INVALID_ARGUMENT",
    "XLA_FFI_EXHAUSTED": "XLA_FFI_Error_Code_RESOURCE_EXHAUSTED",
    "XLA_FFI_UNIMPLEMENTED": "XLA_FFI_Error_Code_UNIMPLEMENTED",
    **{
        f"XLA_FFI_{name}": f"XLA_FFI_DataType_{name}"
        for name in ("PRED", "S8", "S16", "S32", "S64", "U8", "U16", "U32", "U64", "F32", "F64", "C64", "C128")
    },
}


def _compiled(tmp_path, name, text, *flags):
    """Return a program or library compiled from C."""
    source, target = tmp_path / f"{name}.c", tmp_path / name
    source.write_text(text)
    command = [COMPILER, "-std=gnu11", *flags, str(source), "-o", str(target)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert process.returncode == 0, process.stderr
    return target


@needs_compiler
def test_our_part_of_xla_s_interface_has_the_layout_of_its_header(tmp_path):
    include = Path(pytest.importorskip("jaxlib", reason="jaxlib is not installed").__file__).parent / "include"
    if not (include / "xla/ffi/api/c_api.h").exists():
        pytest.skip("this jaxlib ships no header")
    printed = []
    for header, numbers in (("xla_ffi.h", NUMBERS), ("xla/ffi/api/c_api.h", NUMBERS.values())):
        lines = [
            f'printf("%zu\\n", offsetof({struct}, {field}));' for struct, fields in FIELDS.items() for field in fields
        ]
        lines += [f'printf("%d\\n", (int){number});' for number in numbers]
        text = f"""#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "{header}"
int main(void) {{ {" ".join(lines)} return 0; }}
"""
        program = _compiled(tmp_path, f"layout{len(printed)}", text, f"-I{SOURCES}", f"-I{include}")
        printed.append(subprocess.run([program], capture_output=True, text=True, check=True).stdout.split())
    assert printed[0] == printed[1]
    assert len(printed[0]) == sum(map(len, FIELDS.values())) + len(NUMBERS)


@needs_compiler
def test_xla_itself_refuses_a_handler_of_a_version_it_does_not_know(tmp_path, monkeypatch):
    text = """#include <stddef.h>
#include <stdint.h>
#include "xla_ffi.h"
XLA_FFI_Error *arrayconv_xla(XLA_FFI_CallFrame *frame)
{
    XLA_FFI_Metadata *metadata = ((XLA_FFI_Metadata_Extension *)frame->extension_start)->metadata;
    metadata->api_version.major_version = 99;
    metadata->api_version.minor_version = 0;
    return NULL;
}
"""
    library = ctypes.CDLL(str(_compiled(tmp_path, "later.so", text, "-shared", "-fPIC", f"-I{SOURCES}")))
    code = loader.loaded()
    monkeypatch.setattr(loader, "loaded", lambda: code._replace(xla=library.arrayconv_xla))
    monkeypatch.setattr(xla, "NAME", "arrayconv.loops.later")
    monkeypatch.setattr(failures, "failures", {})
    xla.registered.cache_clear()
    try:
        with pytest.raises(AcceleratorFailed, match=r"XLA refuses the loops.*99\.0"):
            xla.registered()
    finally:
        xla.registered.cache_clear()
