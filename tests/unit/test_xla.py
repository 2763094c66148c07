"""Loops that XLA calls agree with the definition, eager, compiled, mapped and differentiated, or are refused."""

import ctypes
import importlib
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import arrayconv
from arrayconv import _accel, _plan, config
from arrayconv._accel import AcceleratorFailed
from arrayconv._boundary import BOUNDARIES
from tests import cases, oracle, running
from tests.conftest import make_library

jax = pytest.importorskip("jax", reason="jax is not installed")

xla, rows, tiles = (importlib.import_module(f"arrayconv._accel.{name}") for name in ("_xla", "_rows", "_tiles"))
ROOT = Path(arrayconv.__file__).parent.parent
METHODS = ("xla_loops", "xla_tiles")


def agrees(spec, dtype, method, fill=0):
    library, random = make_library("jax"), np.random.default_rng(7)
    x, w = cases.numbers(random, spec.input_shape, dtype), cases.numbers(random, spec.kernel_shape, dtype)
    plan = running.planned(library, spec, dtype, method, fill=fill)
    assert not isinstance(plan, str), plan
    y = running.run(library, plan, x, w, fill)
    exact = oracle.operation(oracle.exact(x), oracle.exact(w), spec, fill)
    running.assert_contract(y, exact, x, w, spec, dtype, fill, accuracy="componentwise")


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


@pytest.mark.parametrize("fill", [0, -1.5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("method", "name"), [*product(METHODS, SPECS), *product(["xla_loops"], SIGNALS)], ids=lambda value: value
)
def test_counts_and_axes_equal_the_definition(method, name, dtype, fill):
    agrees({**SPECS, **SIGNALS}[name], dtype, method, fill)


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
    """Many small blocks, more threads than the pool may have: each block is written once, by whoever comes first."""
    monkeypatch.setattr(_accel, "usable", lambda: 7)
    monkeypatch.setattr(rows, "_ROW_BYTES", 64)
    monkeypatch.setattr(rows, "_SHARE", 1)
    for name, value in (("_BAND", 12), ("_BLOCK_BYTES", 64), ("_SHARE", 1)):
        monkeypatch.setattr(tiles, name, value)
    remembered = tiles.tables, _plan.make
    for planned in remembered:
        planned.cache_clear()
    spec = cases.spec(cases.axis(40, 3, 40, before=1), cases.axis(50, 4, 50, before=2, boundary="reflect"), batch=2)
    try:
        for _ in range(5):
            agrees(spec, "float64", method)
    finally:
        for planned in remembered:
            planned.cache_clear()


@pytest.mark.parametrize("method", METHODS)
def test_calls_side_by_side_do_not_meet(method):
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


@pytest.mark.parametrize("wide", [False, True], ids=["without-x64", "x64"])
@pytest.mark.parametrize("name", TRANSFORMED)
@pytest.mark.parametrize("method", METHODS)
def test_transformed_calls_equal_those_of_direct(method, name, wide):
    with jax.enable_x64(wide):
        found, expected = [
            TRANSFORMED[name](lambda x, w, m=m: arrayconv.convolve(x, w, "same", boundary="reflect", method=m))(
                *images((9, 11), (3, 4))
            )
            for m in (method, "direct")
        ]
    for y, exact in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert y.dtype == exact.dtype == np.float32
        np.testing.assert_allclose(y, exact, rtol=1e-4, atol=1e-3)


def test_large_images_are_given_to_tiles_and_small_ones_are_not():
    chosen = []

    def convolve(x):
        chosen.append(arrayconv.explain(x, (7, 7), "same").method)
        return arrayconv.convolve(x, jax.numpy.ones((7, 7), x.dtype), "same")

    jax.jit(convolve).lower(jax.ShapeDtypeStruct((512, 512), "float32"))
    jax.jit(convolve).lower(jax.ShapeDtypeStruct((9, 9), "float32"))
    assert chosen[0] == "xla_tiles"
    assert chosen[1] not in METHODS


REFUSALS = {
    "it sums in float32 or float64. Got int32": ("xla_tiles", (9, 9), "int32", {}),
    "it takes two convolved axes or more. Got 1": ("xla_tiles", (9,), "float32", {}),
    "it takes adjacent rows of taps. Got dilation 2": ("xla_tiles", (9, 9), "float32", {"dilation": 2}),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_refusals_say_why(reason):
    method, shape, dtype, options = REFUSALS[reason]
    x = jax.numpy.ones(shape, dtype)
    refused = {row.name: row.refusal for row in arrayconv.explain(x, x[(slice(3),) * x.ndim], **options).candidates}
    assert (refused[method] or "").startswith(reason)


@pytest.mark.parametrize("method", METHODS)
def test_only_jax_arrays_on_cpus_are_served(method):
    refused = {row.name: row.refusal for row in arrayconv.explain(np.ones((9, 9)), (3, 3)).candidates}
    assert refused[method] == "it serves jax arrays"
    library, spec = make_library("jax"), SPECS["image"]
    traits = running.planned(library, spec, "float32", method).traits._replace(device="gpu")
    assert _accel.ACCELERATED[method].why_not(spec, traits) == "it serves arrays on CPUs. Got gpu"


def test_a_traced_array_is_where_jax_puts_arrays_by_default(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    refused = []

    def explained(x):
        refused.extend(row.refusal for row in arrayconv.explain(x, (3, 3)).candidates if row.name in METHODS)
        return x

    jax.jit(explained).trace(jax.ShapeDtypeStruct((9, 9), "float32"))
    assert refused == ["it serves arrays on CPUs. Got gpu"] * len(METHODS)


@pytest.mark.parametrize("off", ["xla_ffi", "numba"])
@pytest.mark.parametrize("method", METHODS)
def test_what_is_switched_off_does_not_serve(method, off):
    x, kernel = images((30, 30), (3, 3))
    with config.using(accelerators=set(config.ACCELERATORS) - {off}):
        with pytest.raises(NotImplementedError, match=f"the accelerator '{off}' is not installed, switched off"):
            arrayconv.convolve(x, kernel, method=method)
        arrayconv.convolve(x, kernel)


def refuse(name, capsule, *, platform, api_version):
    raise RuntimeError("no such interface")


@pytest.fixture
def _refusing(monkeypatch):
    """XLA refuses what is registered, as it does with handlers of a version it does not know."""
    monkeypatch.setattr(_accel, "_failed", set())
    monkeypatch.setattr(jax.ffi, "register_ffi_target", refuse)
    xla.target.cache_clear()
    yield
    xla.target.cache_clear()


@pytest.mark.usefixtures("_refusing")
def test_where_xla_refuses_another_method_answers_after_one_warning():
    x, kernel = images((300, 300), (7, 7))
    expected = arrayconv.convolve(np.asarray(x), np.asarray(kernel), "same", method="direct")
    convolve = jax.jit(lambda x, kernel: arrayconv.convolve(x, kernel, "same"))
    with pytest.warns(RuntimeWarning, match="accelerator 'xla_ffi' failed: RuntimeError: no such interface") as told:
        np.testing.assert_allclose(convolve(x, kernel), expected, rtol=1e-4, atol=1e-4)
    assert len(told) == 1
    np.testing.assert_allclose(arrayconv.convolve(x, kernel, "same"), expected, rtol=1e-4, atol=1e-4)
    assert "numba" in _accel.available(frozenset(config.ACCELERATORS))


@pytest.mark.usefixtures("_refusing")
@pytest.mark.parametrize("method", METHODS)
def test_where_xla_refuses_a_forced_method_says_so(method):
    with pytest.raises(RuntimeError, match=f"method '{method}' cannot run: the accelerator 'xla_ffi' failed"):
        arrayconv.convolve(*images((30, 30), (3, 3)), method=method)


CREATED = 0x5EED  # the address of an error that XLA would make
LAYOUTS = {  # struct_size of the call frame and of the functions, major version: what was written for, and others
    "as-written-for": (168, 232, 0, 0),
    "longer": (176, 300, 0, 0),
    "a-shorter-frame": (160, 232, 0, CREATED),
    "fewer-functions": (168, 136, 0, CREATED),
    "another-version": (168, 232, 1, CREATED),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_call_frame_of_another_layout_is_an_error_and_no_crash(name):
    """The frame asks for metadata, as XLA does when a handler is registered."""
    frame_bytes, api_bytes, major, answer = LAYOUTS[name]
    create = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(lambda call: CREATED)
    api, frame, extension, metadata = [(ctypes.c_int64 * 40)() for _ in range(4)]
    api[0], api[4], api[6] = api_bytes, major, ctypes.cast(create, ctypes.c_void_p).value
    metadata[0] = 48
    extension[0], extension[1], extension[3] = 32, 1, ctypes.addressof(metadata)
    frame[0], frame[1], frame[2] = frame_bytes, ctypes.addressof(extension), ctypes.addressof(api)
    handler = importlib.import_module("arrayconv._accel.numba_kernels").handler("float32")
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(handler.address)
    assert call(ctypes.addressof(frame)) == answer
    assert (metadata[1], metadata[3]) == ((0, 0) if answer else (24, 3 << 32))


def test_operands_that_are_not_known_are_an_error_that_xla_raises():
    name = xla.target("numba_kernels", "float32")
    x = jax.numpy.ones(4, "float32")
    with pytest.raises(Exception, match="arrayconv: a compiled loop met a call it does not know"):
        jax.block_until_ready(jax.ffi.ffi_call(name, [jax.ShapeDtypeStruct((4,), "float32")])(x))


def test_a_failure_to_compile_is_told_as_that_of_the_compiler(monkeypatch):
    jit = importlib.import_module("arrayconv._accel._jit")

    def broken(dtype):
        raise ValueError("no compiler here")

    monkeypatch.setattr(importlib.import_module("arrayconv._accel.numba_kernels"), "handler", broken)
    for remembered in (jit.handler, xla.target):
        remembered.cache_clear()
    with pytest.raises(AcceleratorFailed, match="the accelerator 'numba' failed: ValueError: no compiler here"):
        xla.target("numba_kernels", "float32")
    jit.handler.cache_clear()


def printed(code, cache):
    """Return what a new process prints, whose machine code is kept in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_second_process_compiles_nothing(tmp_path):
    code = """
from arrayconv._accel import numba_kernels
print(numba_kernels.handler("int64").cache_hits)
"""
    assert [printed(code, tmp_path) for _ in range(2)] == ["0", "1"]


def test_code_kept_by_different_processes_is_not_mistaken_for_each_other(tmp_path):
    kept = [("numba_kernels", "float32"), ("numba_kernels", "float64"), ("tile_kernels", "float32")]
    for module, dtype in kept:
        printed(f"from arrayconv._accel import {module}; {module}.handler({dtype!r})", tmp_path)
    code = f"""
from importlib import import_module
import jax, numpy as np, arrayconv
jax.config.update("jax_enable_x64", True)
for module, dtype in {kept}:
    x, kernel = (jax.numpy.arange(float(n * n)).astype(dtype).reshape(n, n) for n in (30, 3))
    method = {{"numba_kernels": "xla_loops", "tile_kernels": "xla_tiles"}}[module]
    ours, expected = (arrayconv.convolve(x, kernel, method=chosen) for chosen in (method, "direct"))
    np.testing.assert_array_equal(ours, expected, err_msg=f"{{method}}, {{dtype}}")
    assert import_module(f"arrayconv._accel.{{module}}").handler(dtype).cache_hits == 1
"""
    printed(code, tmp_path)
