"""Every refusal of the front doors: its type, its full text, and that it precedes any computation or change.

A text names the call, the rule, the argument in backticks, every number of the contradiction, and the remedy.
"""

import re
import subprocess
import sys

import array_api_strict
import dask.array
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from scipy import sparse

import arrayconv
from arrayconv import _autodiff, ndimage, nn, signal
from arrayconv._arrays import dtypes
from arrayconv._calls import binding
from arrayconv._plan.rank import METHODS, TABLE

EXACT = [name for name, algorithm in TABLE.items() if algorithm.accuracy == "componentwise"]

DOORS = {name: getattr(arrayconv, name) for name in ("convolve", "correlate", "explain")}
COMPUTING = ("convolve", "correlate")
LISTED = str(list(dtypes.DTYPES))


def read_only(values, dtype=None):
    array = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array


X, KERNEL = read_only([0.0, 1, 2, 3, 4, 5]), read_only([1.0, 1])
IMAGE, STENCIL = read_only(np.ones((3, 4))), read_only(np.ones((2, 2)))
COUNTS = read_only([1, 2, 3])


class Labelled(np.ndarray):
    """A subclass whose labels would be lost."""


def on(device, n, dtype="float32"):
    return array_api_strict.ones(n, dtype=getattr(array_api_strict, dtype), device=array_api_strict.Device(device))


def matrix():
    return np.ones((2, 2)).view(np.matrix)


FOREIGN_DTYPES = {
    "object": object,
    "str32": "U1",
    "float128": "g",  # longdouble
    "complex256": "G",
    "datetime64[D]": "M8[D]",
    "void64": [("a", int)],
}
INTEGER_META = torch.ones(4, dtype=torch.int32, device="meta")

# name: (call of a door, type, text after "<door>: ")
SHARED = {
    "mixed-libraries": (
        lambda door: door(X, torch.ones(2)),
        TypeError,
        "`x` and `kernel` must come from one array library. Got numpy and torch. "
        "Convert one of them first; nothing is moved behind your back.",
    ),
    "mixed-libraries-other-way": (
        lambda door: door(jnp.ones(4), KERNEL),
        TypeError,
        "`x` and `kernel` must come from one array library. Got jax and numpy. "
        "Convert one of them first; nothing is moved behind your back.",
    ),
    "list-beside-torch": (
        lambda door: door([1.0, 2.0], torch.ones(2)),
        TypeError,
        "`x` and `kernel` must come from one array library. Got numpy and torch. "
        "Convert one of them first; nothing is moved behind your back.",
    ),
    "mixed-devices": (
        lambda door: door(on("device1", 4), on("device2", 2)),
        TypeError,
        "`x` and `kernel` must be on one device. Got array_api_strict.Device('device1') and "
        "array_api_strict.Device('device2'). Move one of them first; nothing is moved behind your back.",
    ),
    "mixed-devices-torch": (
        lambda door: door(torch.ones(4, device="meta"), torch.ones(2)),
        TypeError,
        "`x` and `kernel` must be on one device. Got meta and cpu. "
        "Move one of them first; nothing is moved behind your back.",
    ),
    "bool-x": (
        lambda door: door(read_only([True, False]), KERNEL),
        TypeError,
        "`x` has dtype bool, which has no convolution here. Cast it to an integer dtype first.",
    ),
    "bool-kernel": (
        lambda door: door(torch.ones(3), torch.ones(2, dtype=torch.bool)),
        TypeError,
        "`kernel` has dtype bool, which has no convolution here. Cast it to an integer dtype first.",
    ),
    "bool-list": (
        lambda door: door([True, False], KERNEL),
        TypeError,
        "`x` has dtype bool, which has no convolution here. Cast it to an integer dtype first.",
    ),
    "bool-kernel-list": (
        lambda door: door(X, [True]),
        TypeError,
        "`kernel` has dtype bool, which has no convolution here. Cast it to an integer dtype first.",
    ),
    **{
        f"{name}-x": (
            lambda door, dtype=dtype: door(np.ones(3, dtype=dtype), KERNEL),
            TypeError,
            f"`x` has dtype {name}, which has no convolution here. Cast it to one of {LISTED}.",
        )
        for name, dtype in FOREIGN_DTYPES.items()
    },
    **{
        f"{name}-kernel": (
            lambda door, dtype=dtype: door(X, np.ones(2, dtype=dtype)),
            TypeError,
            f"`kernel` has dtype {name}, which has no convolution here. Cast it to one of {LISTED}.",
        )
        for name, dtype in FOREIGN_DTYPES.items()
    },
    "float8": (
        lambda door: door(torch.ones(3, dtype=torch.float8_e4m3fn), torch.ones(2)),
        TypeError,
        f"`x` has dtype float8_e4m3fn, which has no convolution here. Cast it to one of {LISTED}.",
    ),
    "uint64-and-signed": (
        lambda door: door(read_only([1], "uint64"), read_only([1], "int8")),
        TypeError,
        "uint64 and int8 have no common dtype. Got `x` uint64, `kernel` int8. "
        "Cast one of them; with dtype= both are cast.",
    ),
    "masked": (
        lambda door: door(np.ma.ones(3), KERNEL),
        TypeError,
        "`x` is a numpy.ma.MaskedArray, whose mask, units or other meaning would be lost. "
        "Convert it with numpy.asarray first.",
    ),
    "masked-kernel": (
        lambda door: door(X, np.ma.ones(3)),
        TypeError,
        "`kernel` is a numpy.ma.MaskedArray, whose mask, units or other meaning would be lost. "
        "Convert it with numpy.asarray first.",
    ),
    "matrix": (
        lambda door: door(matrix(), STENCIL),
        TypeError,
        "`x` is a numpy.matrix, whose mask, units or other meaning would be lost. Convert it with numpy.asarray first.",
    ),
    "record": (
        lambda door: door(np.rec.array([1, 2]), KERNEL),
        TypeError,
        "`x` is a numpy.rec.recarray, whose mask, units or other meaning would be lost. "
        "Convert it with numpy.asarray first.",
    ),
    "subclass": (
        lambda door: door(X.view(Labelled), KERNEL),
        TypeError,
        f"`x` is a {Labelled.__module__}.Labelled, whose mask, units or other meaning would be lost. "
        f"Convert it with numpy.asarray first.",
    ),
    "scipy-sparse-array": (
        lambda door: door(sparse.csr_array(np.eye(3)), STENCIL),
        TypeError,
        "`x` is a sparse array (scipy.sparse._csr.csr_array). Convert it to a dense array first.",
    ),
    "scipy-sparse-matrix": (
        lambda door: door(IMAGE, sparse.coo_matrix(np.eye(3))),
        TypeError,
        "`kernel` is a sparse array (scipy.sparse._coo.coo_matrix). Convert it to a dense array first.",
    ),
    "torch-sparse": (
        lambda door: door(torch.eye(3).to_sparse(), torch.ones((2, 2))),
        TypeError,
        "`x` is a sparse torch tensor (torch.sparse_coo). Call .to_dense() first.",
    ),
    "empty-kernel": (
        lambda door: door(IMAGE, np.ones((2, 0))),
        ValueError,
        "`kernel` must have at least one tap on every axis. Got shape (2, 0).",
    ),
    "empty-kernel-list": (
        lambda door: door(X, []),
        ValueError,
        "`kernel` must have at least one tap on every axis. Got shape (0,).",
    ),
    "kernel-axes": (
        lambda door: door(IMAGE, KERNEL),
        ValueError,
        "without `axes` the kernel must have as many axes as x. Got x.ndim=2, kernel.ndim=1. "
        "Name the axes of x that the kernel runs along with `axes`.",
    ),
    "kernel-axes-and-axes": (
        lambda door: door(IMAGE, np.ones((2, 2, 2)), axes=0),
        ValueError,
        "the kernel must have as many axes as x, or one per entry of `axes`. Got x.ndim=2, kernel.ndim=3, axes=(0,).",
    ),
    "axes-twice": (
        lambda door: door(IMAGE, STENCIL, axes=(0, -2)),
        ValueError,
        "`axes` names an axis twice. Got (0, -2) for x.ndim=2.",
    ),
    "axes-beyond": (
        lambda door: door(IMAGE, KERNEL, axes=2),
        ValueError,
        "`axes` must be in [-2, 2). Got (2,) for x.ndim=2.",
    ),
    "axes-float": (
        lambda door: door(IMAGE, KERNEL, axes=1.0),
        TypeError,
        "`axes` must be an integer. Got 1.0.",
    ),
    "no-broadcast": (
        lambda door: door(IMAGE, STENCIL, axes=1),
        ValueError,
        "axes that are not convolved must broadcast. Got axis 0 of size 3 in x and 2 in the kernel, "
        "shapes (3, 4) and (2, 2). Name it in `axes`, or make one of them 1.",
    ),
    **{
        f"{option}-{value}": (
            lambda door, option=option, value=value: door(IMAGE, STENCIL, **{option: value}),
            ValueError,
            f"`{option}` must be at least 1 on every axis. Got {value!r}.",
        )
        for option in ("stride", "dilation")
        for value in (0, -1, (1, 0))
    },
    **{
        f"{option}-{value}": (
            lambda door, option=option, value=value: door(X, KERNEL, **{option: value}),
            TypeError,
            f"`{option}` must be an integer. Got {value!r}.",
        )
        for option in ("stride", "dilation")
        for value in (1.5, "2", None)
    },
    "stride-count": (
        lambda door: door(IMAGE, STENCIL, stride=(1, 2, 3)),
        ValueError,
        "`stride` must be one value or one per convolved axis. Got 3 values (1, 2, 3) for 2 axes.",
    ),
    "dilation-count": (
        lambda door: door(IMAGE, STENCIL, dilation=[2]),
        ValueError,
        "`dilation` must be one value or one per convolved axis. Got 1 values (2,) for 2 axes.",
    ),
    "boundary-count": (
        lambda door: door(IMAGE, STENCIL, boundary=("edge", "wrap", "wrap")),
        ValueError,
        "`boundary` must be one value or one per convolved axis. Got 3 values ('edge', 'wrap', 'wrap') for 2 axes.",
    ),
    "boundary": (
        lambda door: door(X, KERNEL, boundary="nearest"),
        ValueError,
        "`boundary` must be one of 'constant', 'edge', 'symmetric', 'reflect', 'wrap'. Got 'nearest'. "
        "It is called 'edge' here.",
    ),
    "boundary-none": (
        lambda door: door(IMAGE, STENCIL, boundary=("edge", None)),
        ValueError,
        "`boundary` must be one of 'constant', 'edge', 'symmetric', 'reflect', 'wrap'. Got None.",
    ),
    "mode": (
        lambda door: door(X, KERNEL, "sames"),
        ValueError,
        "`mode` must be one of 'full', 'same', 'valid'. Got 'sames'. Did you mean 'same'?",
    ),
    "mode-list": (
        lambda door: door(X, KERNEL, ["full"]),
        ValueError,
        "`mode` must be one of 'full', 'same', 'valid'. Got ['full'].",
    ),
    "method": (
        lambda door: door(X, KERNEL, method="karatsuba"),
        ValueError,
        f"`method` must be one of {', '.join(map(repr, METHODS))}. Got 'karatsuba'.",
    ),
    "accuracy": (
        lambda door: door(X, KERNEL, accuracy="exact"),
        ValueError,
        "`accuracy` must be one of 'normwise', 'componentwise'. Got 'exact'.",
    ),
    "valid": (
        lambda door: door(KERNEL, X, "valid"),
        ValueError,
        "mode 'valid' needs a kernel no longer than x. Got 6 taps with dilation 1 (reach 6) on an axis of 2 samples. "
        "Use mode 'full' or 'same'.",
    ),
    "valid-dilated": (
        lambda door: door(X, np.ones(3), "valid", dilation=4),
        ValueError,
        "mode 'valid' needs a kernel no longer than x. Got 3 taps with dilation 4 (reach 9) on an axis of 6 samples. "
        "Use mode 'full' or 'same'.",
    ),
    "empty-axis": (
        lambda door: door(np.ones(0), KERNEL, boundary="edge"),
        ValueError,
        "boundary 'edge' extends the data, but the axis has 0 samples. Use boundary='constant'.",
    ),
    "fill-kind": (
        lambda door: door(COUNTS, COUNTS, fill_value=0.5),
        TypeError,
        "`fill_value` must fit the result's dtype int64. Got 0.5. Pass a wider dtype=, or a fill of its kind.",
    ),
    "fill-complex": (
        lambda door: door(X, KERNEL, fill_value=1j),
        TypeError,
        "`fill_value` must fit the result's dtype float64. Got 1j. Pass a wider dtype=, or a fill of its kind.",
    ),
    "fill-text": (
        lambda door: door(X, KERNEL, fill_value="0"),
        TypeError,
        "`fill_value` must be a number. Got str.",
    ),
    "fill-array": (
        lambda door: door(X, KERNEL, fill_value=KERNEL),
        TypeError,
        "`fill_value` must be a number. Got ndarray.",
    ),
    "narrowing": (
        lambda door: door(X, KERNEL, dtype="float32"),
        TypeError,
        "`dtype` widens the accumulator and the result, it never narrows. Got dtype=float32 for x float64 and kernel "
        "float64. Cast the operands first if that is meant.",
    ),
    "list-does-not-fit": (
        lambda door: door(read_only([1, 2], "uint8"), [-1, 300]),
        ValueError,
        "the numbers in `kernel` must fit the dtype of x, uint8 [0, 255]. Got -1 to 300. "
        "Pass dtype= with a wider type, or an array.",
    ),
    **{
        f"max-workspace-{value}": (
            lambda door, value=value: door(X, KERNEL, max_workspace=value),
            ValueError,
            f"`max_workspace` must be at least 1 byte. Got {value}.",
        )
        for value in (0, -5)
    },
    "max-workspace-float": (
        lambda door: door(X, KERNEL, max_workspace=1e9),
        TypeError,
        "`max_workspace` must be an integer. Got 1000000000.0.",
    ),
    "fft-componentwise": (
        lambda door: door(X, KERNEL, method="fft", accuracy="componentwise"),
        NotImplementedError,
        "method 'fft' cannot run this. Reason: its error is bounded by norm, and accuracy='componentwise' was requested"
        ". Use method='auto' or one of ",
    ),
    "fft-without-float64": (
        lambda door: door(on("no_float64", 4, "int32"), on("no_float64", 2, "int32"), method="overlap_save"),
        NotImplementedError,
        "method 'overlap_save' cannot run this. Reason: exact integers by FFT need float64, which the array_api_strict "
        "device array_api_strict.Device('no_float64') does not have. "
        "Use method='auto' or one of ",
    ),
    "fft-without-axes": (
        lambda door: door(IMAGE, IMAGE, axes=(), method="fft"),
        NotImplementedError,
        "method 'fft' cannot run this. Reason: there is no convolved axis to transform. Use method='auto' or one of ",
    ),
    "im2col-without-integer-products": (
        lambda door: door(INTEGER_META, INTEGER_META, method="im2col"),
        NotImplementedError,
        "method 'im2col' cannot run this. Reason: torch on meta has no integer matrix product. "
        "Use method='auto' or one of ",
    ),
}
SHARED["dask"] = (
    lambda door: door(dask.array.ones(3)[dask.array.ones(3) > 0], KERNEL),
    ValueError,
    "`x` must have chunks of known sizes. Got shape (nan,). Call x.compute_chunk_sizes() first.",
)


@pytest.fixture
def inert(monkeypatch):
    """Make every computation raise."""

    def computed(*_, **__):
        raise AssertionError("something was computed before the refusal")

    for module, name in ((_autodiff, "run"), (binding, "canonical_operands"), (binding, "BoundPlan")):
        monkeypatch.setattr(module, name, computed)


@pytest.mark.usefixtures("inert")
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", SHARED)
def test_refusal_before_anything_is_computed(name, door):
    call, error, text = SHARED[name]
    before = [array.copy() for array in (X, KERNEL, IMAGE, STENCIL, COUNTS)]
    with pytest.raises(error) as refusal:
        call(DOORS[door])
    message, way_out = str(refusal.value), ""
    if text.endswith(" or one of "):  # which accelerated methods there are depends on the machine
        message, way_out = message[: len(f"{door}: {text}")], message[len(f"{door}: {text}") :]
        assert set(re.findall(r"'(\w+)'", way_out)) <= set(TABLE)
        assert way_out.startswith("['direct', ")
    assert message == f"{door}: {text}"
    assert type(refusal.value) is error
    for array, copy in zip((X, KERNEL, IMAGE, STENCIL, COUNTS), before, strict=True):
        assert np.array_equal(array, copy)


@pytest.mark.parametrize("door", COMPUTING)
@pytest.mark.parametrize(
    ("value", "name"),
    [(None, "builtins.NoneType"), ("abc", "builtins.str"), ({1}, "builtins.set"), (range(3), "builtins.range")],
)
def test_an_object_that_is_no_array_is_refused(value, name, door):
    for operands, argument in (((value, KERNEL), "x"), ((X, value), "kernel")):
        with pytest.raises(TypeError) as refusal:
            DOORS[door](*operands)
        assert str(refusal.value) == (f"{door}: `{argument}` must be an array or a nested list of numbers. Got {name}.")


LAGS = {
    "with-mode": (
        {"mode": "same", "lags": 1},
        ValueError,
        "`lags` says which outputs to compute, so it excludes `mode` and `stride`. "
        "Got lags=1, mode='same', stride=1. Leave them out.",
    ),
    "with-full": (
        {"mode": "full", "lags": (0, 1)},
        ValueError,
        "`lags` says which outputs to compute, so it excludes `mode` and `stride`. "
        "Got lags=(0, 1), mode='full', stride=1. Leave them out.",
    ),
    "with-stride": (
        {"stride": 2, "lags": 1},
        ValueError,
        "`lags` says which outputs to compute, so it excludes `mode` and `stride`. "
        "Got lags=1, mode=None, stride=2. Leave them out.",
    ),
    "descending": ({"lags": (2, 1)}, ValueError, "`lags` must ascend. Got first 2, last 1."),
    "negative": ({"lags": -1}, ValueError, "`lags` as an int is the largest lag, so at least 0. Got -1."),
    "float": ({"lags": 1.5}, TypeError, "`lags` must be an integer. Got 1.5."),
    "float-end": ({"lags": (0, 2.5)}, TypeError, "`lags` must be an integer. Got 2.5."),
    "three": (
        {"lags": (1, 2, 3)},
        ValueError,
        "`lags` must be an int L, for the lags -L..L, or a (first, last) pair, or one of these per convolved axis. "
        "Got 3 values (1, 2, 3) for 1 axes.",
    ),
    "triple": (
        {"lags": ((1, 2, 3),)},
        ValueError,
        "`lags` must be an int or a (first, last) pair per axis. Got (1, 2, 3).",
    ),
}


@pytest.mark.usefixtures("inert")
@pytest.mark.parametrize("door", ["correlate", "explain"])
@pytest.mark.parametrize("name", LAGS)
def test_lags_are_refused(name, door):
    options, error, text = LAGS[name]
    with pytest.raises(error) as refusal:
        DOORS[door](X, KERNEL, **options)
    assert str(refusal.value) == f"{door}: {text}"


def test_a_pair_of_lags_is_ambiguous_for_two_axes():
    with pytest.raises(ValueError, match="ambiguous") as refusal:
        arrayconv.correlate(IMAGE, STENCIL, lags=(0, 1))
    assert str(refusal.value) == (
        "correlate: `lags` is ambiguous for 2 axes. Got (0, 1). Write ((0, 1), (0, 1)) for the lags 0..1 on both axes, "
        "or ((-L, L), (-M, M)) for one largest lag per axis."
    )


LAGS_OF_SIZES = {
    "mode": (
        lambda lags: lags(5, 2, "sames"),
        ValueError,
        "`mode` must be one of 'full', 'same', 'valid'. Got 'sames'. Did you mean 'same'?",
    ),
    "count": (lambda lags: lags((5, 6), 2), ValueError, "`n` and `k` must name as many axes. Got n=(5, 6), k=2."),
    "no-taps": (
        lambda lags: lags(5, 0),
        ValueError,
        "`k` must be at least 1 on every axis. Got n=5, k=0.",
    ),
    "valid": (
        lambda lags: lags(2, 5, "valid"),
        ValueError,
        "mode 'valid' needs a kernel no longer than x. Got 5 taps with dilation 1 (reach 5) on an axis of 2 samples. "
        "Use mode 'full' or 'same'.",
    ),
    "stride": (lambda lags: lags(5, 2, stride=0), ValueError, "`stride` must be at least 1 on every axis. Got 0."),
    "dilation": (lambda lags: lags(5, 2, dilation=1.5), TypeError, "`dilation` must be an integer. Got 1.5."),
    "stride-count": (
        lambda lags: lags((5, 6), (2, 2), stride=(1, 2, 3)),
        ValueError,
        "`stride` must be one value or one per convolved axis. Got 3 values (1, 2, 3) for 2 axes.",
    ),
}


@pytest.mark.parametrize("name", LAGS_OF_SIZES)
def test_lags_of_sizes_are_refused(name):
    call, error, text = LAGS_OF_SIZES[name]
    with pytest.raises(error) as refusal:
        call(arrayconv.lags)
    assert str(refusal.value) == f"lags: {text}"


@pytest.mark.parametrize(("n", "k", "name"), [(-1, 2, "n"), (5, -2, "k")])
def test_lags_refuses_negative_sizes(n, k, name):
    with pytest.raises(ValueError, match="sizes") as refusal:
        arrayconv.lags(n, k)
    assert str(refusal.value) == f"lags: `{name}` must have sizes of at least 0. Got ({min(n, k)},)."


@pytest.mark.parametrize("size", [5.0, "5", None])
def test_lags_names_a_size_that_is_no_integer(size):
    with pytest.raises(TypeError, match=rf"^lags: `n` must be .*Got {size!r}\."):
        arrayconv.lags(size, 2)
    with pytest.raises(TypeError, match=rf"^lags: `k` must be .*Got {size!r}\."):
        arrayconv.lags(5, size)


# ---- explain alone ----


@pytest.mark.parametrize("shape", [2.5, "ab", None])
def test_explain_names_an_object_that_is_neither_array_nor_shape(shape):
    with pytest.raises(TypeError, match=r"^explain: `x_or_shape` must be .*Got "):
        arrayconv.explain(shape, 2)
    with pytest.raises(TypeError, match=r"^explain: `kernel_or_shape` must be .*Got "):
        arrayconv.explain(2, shape)


def test_explain_refuses_negative_sizes():
    with pytest.raises(ValueError, match=r"^explain: .*at least 0\. Got \(-3, 4\)\."):
        arrayconv.explain((-3, 4), (2, 2))


@pytest.mark.parametrize("like", ["no_such_library", pytest, object()], ids=["name", "module", "object"])
def test_explain_names_a_like_that_is_no_array(like):
    with pytest.raises((TypeError, ValueError, ModuleNotFoundError), match=r"^explain: `like` must .*Got "):
        arrayconv.explain(4, 2, like=like)


@pytest.mark.parametrize("method", ["fft", "overlap_save"])
def test_integers_beyond_the_bound_are_refused_by_transforms(method):
    with pytest.raises(NotImplementedError) as refusal:
        arrayconv.explain(2**22, 2**20, method=method, dtype="int64")
    text = str(refusal.value)
    head = f"explain: method '{method}' cannot run this. Reason: integers would not be exact: the rounding bound is "
    assert text.startswith(head)
    bound, _, rest = text.removeprefix(head).partition(", not below 0.5, for transforms of ")
    assert float(bound) >= 0.5
    assert rest.startswith("(")
    assert ", 1 channels and 1048576 taps. Use method='auto' or one of ['direct', 'im2col', 'banded', 'dot'" in rest
    assert arrayconv.explain(2**22, 2**20, dtype="int64").method in EXACT


# ---- workspace ----


@pytest.mark.parametrize("door", DOORS)
def test_workspace_too_small_for_any_method(door):
    with pytest.raises(ValueError, match="too small") as refusal:
        DOORS[door](X, KERNEL, max_workspace=1)
    head, *rows = str(refusal.value).split("direct: ")
    assert head == f"{door}: `max_workspace` is too small for any piece. Got 1 bytes. "
    for row in ("direct: " + rows[0]).rstrip(".").split("; "):
        name, _, reason = row.partition(": ")
        assert name in METHODS
        if "workspace" in reason:  # the others could not run it with any
            assert reason.startswith("its smallest piece needs ")
            assert reason.endswith(" bytes of workspace, more than max_workspace=1")
    assert str(refusal.value).count("its smallest piece needs ") >= 6


def test_workspace_too_small_for_the_requested_method():
    with pytest.raises(ValueError, match="too small") as refusal:
        arrayconv.convolve(X, KERNEL, method="fft", max_workspace=100)
    text = str(refusal.value)
    assert text.startswith("convolve: `max_workspace` is too small for any piece. Got 100 bytes. ")
    assert "its smallest piece needs " in text
    assert text.endswith(" bytes of workspace, more than max_workspace=100.")


def test_the_bytes_in_a_refusal_are_enough():
    with pytest.raises(ValueError, match="too small") as refusal:
        arrayconv.convolve(X, KERNEL, method="direct", max_workspace=1)
    needed = int(str(refusal.value).partition(" needs ")[2].partition(" ")[0])
    assert np.array_equal(arrayconv.convolve(X, KERNEL, method="direct", max_workspace=needed), np.convolve(X, KERNEL))
    with pytest.raises(ValueError, match="too small"):
        arrayconv.convolve(X, KERNEL, method="direct", max_workspace=needed - 1)


def test_workspace_too_small_to_reorder_axes():
    with pytest.raises(ValueError, match="reordering the axes") as refusal:
        arrayconv.convolve(torch.ones(4, 9, 6), torch.ones(3), axes=1, max_workspace=100)
    text = str(refusal.value)
    assert text.startswith("convolve: `max_workspace` must exceed the ")
    assert text.endswith(
        " bytes that reordering the axes takes. Got max_workspace=100. "
        "Allow more, or pass arrays with batch axes first."
    )


def test_workspace_too_small_for_a_gradient_that_reorders_axes():
    x, kernel = np.ones((4, 9, 6)), np.ones(3)
    with pytest.raises(ValueError, match="vjp: `max_workspace` must exceed the 1728 bytes that a gradient takes"):
        arrayconv.vjp(lambda a, b: arrayconv.convolve(a, b, axes=1, max_workspace=1500), x, kernel)


def test_refused_workspace_is_the_one_that_was_given():
    x = read_only(np.ones((4, 9, 6)))
    for limit in range(2000, 8000, 500):
        try:
            arrayconv.convolve(x, np.ones(3), axes=1, max_workspace=limit, method="overlap_save")
        except ValueError as refusal:
            assert f"Got {limit} bytes" in str(refusal) or f"Got max_workspace={limit}" in str(refusal)  # noqa: PT017


def test_workspace_of_an_overlapping_out_is_named():
    x = np.ones(100)
    with pytest.raises(ValueError, match=r"^convolve: `max_workspace` .*`out`"):
        arrayconv.convolve(x, KERNEL, "same", max_workspace=300, out=x)


# ---- lists ----


@pytest.mark.parametrize("door", COMPUTING)
def test_ragged_lists_are_refused(door):
    with pytest.raises(ValueError, match=rf"^{door}: `kernel` must be a nested list of equal lengths\."):
        DOORS[door](IMAGE, [[1, 2], [3]])
    with pytest.raises(ValueError, match=rf"^{door}: `x` must be a nested list of equal lengths\."):
        DOORS[door]([[1, 2], [3]], STENCIL)


def test_numbers_beyond_every_dtype_are_printed():
    with pytest.raises((TypeError, ValueError), match=r"^convolve: the numbers in `kernel` must fit .*Got "):
        arrayconv.convolve(COUNTS, [2**70, 1])


def test_numbers_beyond_the_requested_dtype_are_refused():
    with pytest.raises(
        ValueError, match=r"^convolve: the numbers in `kernel` must fit dtype=int16 \[-32768, 32767\]\."
    ):
        arrayconv.convolve(read_only([1, 2], "uint8"), [70000], dtype="int16")


@pytest.mark.parametrize("tensors", [
    [torch.ones(2), torch.ones(2)], [torch.tensor(1.0), torch.tensor(2.0)], [[jnp.asarray(1.0)], [jnp.asarray(2.0)]],
], ids=["tensors", "scalars", "nested"])  # fmt: skip
def test_lists_of_other_libraries_arrays_are_refused(tensors):
    # turning them into NumPy would move them and lose their gradients
    with pytest.raises(
        TypeError, match=r"^convolve: `x` must be an array or a nested list of numbers\. Got .*(torch|jax)"
    ):
        arrayconv.convolve(tensors, [1.0] if np.ndim(tensors) == 1 else [[1.0]])


def test_taps_with_gradients_in_a_list_are_refused():
    taps = [torch.tensor(1.0, requires_grad=True), torch.tensor(2.0, requires_grad=True)]
    with pytest.raises(TypeError, match=r"^convolve: `kernel` must be an array or a nested list of numbers\. Got "):
        arrayconv.convolve(torch.ones(4), taps)


@pytest.mark.parametrize("xp", [np, torch])
@pytest.mark.parametrize(("dtype", "tap"), [("float16", 65520.0), ("float32", -1e39), ("complex64", 1e39j)])
def test_taps_too_large_for_the_dtype_are_infinite_with_a_warning(xp, dtype, tap):
    x = xp.ones(3, dtype=getattr(xp, dtype))
    with pytest.warns(RuntimeWarning, match=f"are infinite in {dtype}. Pass a wider dtype"), np.errstate(all="raise"):
        y = arrayconv.convolve(x, [tap])
    assert not np.isfinite(np.asarray(y)).any()
    assert np.isfinite(np.asarray(arrayconv.convolve(xp.ones(3, dtype=xp.float16), [65519.0]))).all()


# ---- dtype= ----


@pytest.mark.parametrize("dtype", ["foo", 3, [1], "<f8x", bool, object])
def test_unknown_dtype_is_refused_with_the_ones_there_are(dtype):
    with pytest.raises(TypeError, match=r"^convolve: `dtype` must be one of .*'int8', .*'complex128'.*\. Got "):
        arrayconv.convolve(X, KERNEL, dtype=dtype)


# ---- axes ----


def test_axes_may_be_any_sequence():
    expected = arrayconv.convolve(IMAGE, STENCIL)
    for axes in ([0, 1], (0, 1), range(2), np.array([0, 1])):
        assert np.array_equal(arrayconv.convolve(IMAGE, STENCIL, axes=axes), expected)


def test_an_array_without_axes_has_none_to_name():
    with pytest.raises(ValueError, match=r"^convolve: `axes` .*x\.ndim=0"):
        arrayconv.convolve(np.float64(2), [3.0], axes=0)


# ---- refusals do not depend on history, values or the library ----


def test_refusal_is_the_same_after_an_equal_call():
    arrayconv.convolve(X, KERNEL, stride=2)
    for options in ({"stride": 2.0}, {"dilation": 1.0}, {"axes": 0.0}):
        with pytest.raises(TypeError, match="must be an integer"):
            arrayconv.convolve(X, KERNEL, **options)
    arrayconv.correlate(X, KERNEL, lags=(0, 1))
    with pytest.raises(TypeError, match="must be an integer"):
        arrayconv.correlate(X, KERNEL, lags=(0.0, 1.0))


def test_the_message_says_how_to_cut_x_beside_a_lazy_kernel():
    with pytest.raises(TypeError, match=r"^convolve: `x` must be a Dask array where `kernel` is one\. .*from_array"):
        arrayconv.convolve(X, dask.array.ones(3))


def test_library_does_not_change_a_text(library):
    x, kernel = library.asarray(np.ones(6)), library.asarray(np.ones(2))
    for options in (
        {"stride": 0},
        {"boundary": "nearest"},
        {"mode": "sames"},
        {"max_workspace": 0},
        {"fill_value": 1j},
    ):
        texts = []
        for operands in ((x, kernel), (np.ones(6), np.ones(2))):
            with pytest.raises((ValueError, TypeError)) as refusal:
                arrayconv.convolve(*operands, **options)
            texts.append(str(refusal.value))
        assert texts[0] == texts[1]


def test_einconv_sums_nothing_before_it_refuses(monkeypatch):
    def summed(*_, **__):
        raise AssertionError("summed before the refusal")

    x, kernel = on("device1", (2, 9)), on("device1", 3)
    monkeypatch.setattr(array_api_strict, "sum", summed)
    with pytest.raises(NotImplementedError, match=r"^einconv: method 'fft' cannot run this"):
        arrayconv.einconv("a n, n -> n | n", x, kernel, method="fft", accuracy="componentwise")
    with pytest.raises(ValueError, match=r"^einconv: `out` must have shape \(7,\)"):
        arrayconv.einconv("a n, n -> n | n", x, kernel, out=on("device1", 3))


MISSPELT = {  # name of the case -> call, and the end of its error
    "ndimage mode": (lambda: ndimage.gaussian_filter(IMAGE, 1, mode="reflct"), "'reflect'?"),
    "signal flag": (lambda: signal.convolve2d(IMAGE, STENCIL, boundary="sym"), "'symm'?"),
    "signal method": (lambda: signal.convolve(IMAGE, STENCIL, method="firect"), "'direct'?"),
    "extension": (lambda: signal.upfirdn([1.0], IMAGE, mode="symetric"), "'symmetric'?"),
    "library": (lambda: arrayconv.kernels.sobel(xp="torhc"), "'torch'?"),
    "like": (lambda: arrayconv.explain((9,), (3,), like="nunpy"), "'numpy'?"),
    "card": (lambda: arrayconv.explain((9,), (3,), card="H10"), "'H100'?"),
    "padding": (lambda: nn.conv2d(IMAGE[None], STENCIL[None, None], padding="smae"), "'same'?"),
    "torch's boundary": (
        lambda: nn.conv2d(IMAGE[None], STENCIL[None, None], boundary="replicate"),
        "called 'edge' here.",
    ),
    "SciPy's boundary": (lambda: arrayconv.convolve(IMAGE, STENCIL, boundary="mirror"), "called 'reflect' here."),
}


@pytest.mark.parametrize("case", MISSPELT)
def test_an_error_suggests_the_name_that_was_meant(case):
    call, end = MISSPELT[case]
    with pytest.raises((ValueError, RuntimeError)) as error:
        call()
    assert str(error.value).endswith(end)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("arrayconv.convolv", "convolve"),
        ("arrayconv.ndimage.gausian_filter", "gaussian_filter"),
        ("arrayconv.signal.lfiltr", "lfilter"),
        ("arrayconv.nn.conv_2d", "conv2d"),
    ],
)
def test_a_missing_attribute_suggests_the_name_that_was_meant(path, meant):
    """Python does, in the traceback that it prints, where the error has the module."""
    code = f"import arrayconv; {path}"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert process.stderr.endswith(f"Did you mean: {meant!r}?\n")
