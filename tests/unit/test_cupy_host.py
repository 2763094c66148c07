"""No GPU: the genuine `cupy.ndarray` type over host memory.

Shown: how CuPy arrays are recognised, refused beside other libraries, planned for, and brought into order as views.
Not tested: any number. Code that computes, copies or queries the device raises here, as it must without a driver.
"""

import numpy as np
import pytest

import arrayconv
from arrayconv._algorithms import ALGORITHMS
from arrayconv._arrays.identify import identify, library
from arrayconv._arrays.namespace import compat_namespace
from arrayconv._arrays.operands import operands
from arrayconv._arrays.out_arrays import shares_memory
from arrayconv._problem.layout import layout
from arrayconv._run import canonical

cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
if cupy.is_available():
    pytest.skip("a GPU is present; these tests show what can be told without one", allow_module_level=True)


@pytest.fixture(autouse=True)
def null_stream(monkeypatch):
    """Without a driver CuPy can't say which stream is current."""
    monkeypatch.setattr(cupy.cuda, "get_current_stream", lambda: cupy.cuda.Stream.null)


def on_host(array):
    """Return a cupy.ndarray over the memory of a NumPy array; the device number 0 avoids asking the driver."""
    array = np.ascontiguousarray(array)
    memory = cupy.cuda.UnownedMemory(array.ctypes.data, array.nbytes, array, 0)
    return cupy.ndarray(array.shape, array.dtype, memptr=cupy.cuda.MemoryPointer(memory, 0))


def address(array):
    return array.data.ptr


CUDA = ("cuda_loops", "cuda_rows", "cuda_tiles", "cuda_fft")  # those that support an image by a small kernel
X = on_host(np.zeros((2, 3, 8, 9), dtype=np.float32))
KERNEL = on_host(np.zeros((3, 5), dtype=np.float32))


def test_no_gpu_type_is_recognised():
    assert library(type(X)) == "cupy"
    assert identify("convolve", "x", X) == "cupy"
    assert type(X).__module__.split(".")[0] == "cupy"


def test_no_gpu_subclass_is_recognised():
    class Image(cupy.ndarray):
        pass

    assert library(Image) == "cupy"


def test_no_gpu_namespace_is_the_wrapped_one():
    assert compat_namespace("cupy") is compat_namespace(cupy)
    assert operands("convolve", X[0, 0], KERNEL).xp is compat_namespace("cupy")


def test_no_gpu_traits():
    traits = operands("convolve", X[0, 0], KERNEL).traits
    assert (traits.backend, traits.device) == ("cupy", "cuda")
    assert (traits.accumulator, traits.output) == ("float32", "float32")
    assert not traits.readable  # looking at a value would wait for the device
    assert not traits.traced
    assert traits.writable
    assert traits.float64


@pytest.mark.parametrize(
    ("x", "kernel", "output", "accumulator"),
    [
        ("uint8", "uint8", "uint8", "int8"),
        ("uint8", "int16", "int16", "int16"),
        ("int32", "float32", "float32", "float32"),
        ("float16", "float16", "float16", "float32"),
        ("float16", "float64", "float64", "float64"),
        ("float64", "complex64", "complex128", "complex128"),
        ("uint64", "uint8", "uint64", "int64"),
    ],
)
def test_no_gpu_dtype_rule(x, kernel, output, accumulator):
    traits = operands("convolve", on_host(np.zeros(4, dtype=x)), on_host(np.zeros(2, dtype=kernel))).traits
    assert (traits.output, traits.accumulator) == (output, accumulator)


def test_no_gpu_bool_is_refused():
    with pytest.raises(TypeError, match=r"^convolve: `x` has dtype bool, which has no convolution here\."):
        arrayconv.convolve(on_host(np.zeros(4, dtype=bool)), on_host(np.zeros(2)))


def test_no_gpu_uint64_beside_a_signed_integer_is_refused():
    with pytest.raises(TypeError, match=r"^convolve: uint64 and int8 have no common dtype\."):
        arrayconv.convolve(on_host(np.zeros(4, dtype="uint64")), on_host(np.zeros(2, dtype="int8")))


@pytest.mark.parametrize("first", ["cupy", "numpy"])
def test_no_gpu_mixed_libraries_are_refused(first):
    arrays = {"cupy": on_host(np.zeros(4)), "numpy": np.zeros(4)}
    second = "numpy" if first == "cupy" else "cupy"
    text = f"^convolve: `x` and `kernel` must come from one array library. Got {first} and {second}."
    with pytest.raises(TypeError, match=text):
        arrayconv.convolve(arrays[first], arrays[second])


def test_no_gpu_mixed_with_torch_is_refused():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    with pytest.raises(TypeError, match="Got cupy and torch"):
        arrayconv.convolve(on_host(np.zeros(4)), torch.zeros(2))


def test_no_gpu_out_of_another_library_is_refused():
    with pytest.raises(TypeError, match=r"^convolve: `out` must be a cupy array like x\. Got numpy\."):
        arrayconv.convolve(X[0, 0], KERNEL, "same", out=np.zeros((8, 9), dtype=np.float32))


@pytest.mark.parametrize(
    ("out", "error", "text"),
    [
        (np.zeros((8, 8), dtype="float32"), ValueError, r"`out` must have shape \(8, 9\)\. Got \(8, 8\)\."),
        (np.zeros((8, 9)), TypeError, r"`out` must have the result's dtype float32\. Got float64\."),
    ],
)
def test_no_gpu_out_is_checked(out, error, text):
    with pytest.raises(error, match=text):
        arrayconv.convolve(X[0, 0], KERNEL, "same", out=on_host(out))


def test_no_gpu_overlap_with_out_is_seen():
    base = on_host(np.zeros(16))
    other = on_host(np.zeros(16))
    assert shares_memory("cupy", base, base)
    assert shares_memory("cupy", base[2:10], base[4:12])
    assert shares_memory("cupy", base, base[::-1])
    assert not shares_memory("cupy", base, other)


def test_no_gpu_call_is_explained():
    explanation = arrayconv.explain(X, KERNEL, "same", axes=(2, 3))
    assert (explanation.backend, explanation.device, explanation.dtype, explanation.output_shape) == (
        "cupy",
        "cuda",
        "float32",
        (2, 3, 8, 9),
    )


def test_no_gpu_shapes_are_explained():
    explanation = arrayconv.explain((4096, 4096), (7, 7), "same", like="cupy", dtype="float32")
    assert (explanation.backend, explanation.device, explanation.output_shape) == ("cupy", "cuda", (4096, 4096))
    assert {row.name for row in explanation.candidates if row.refusal is None} == {*ALGORITHMS, *CUDA}


def test_no_gpu_explain_agrees_with_the_arrays():
    from_arrays = arrayconv.explain(X[0, 0], KERNEL)
    assert arrayconv.explain((8, 9), (3, 5), like="cupy", dtype="float32") == from_arrays


@pytest.mark.parametrize(
    ("labels", "shape"),
    [
        ("bchw", (2, 3, 8, 9)),  # already in order
        ("bhwc", (2, 8, 9, 3)),  # channels last
        ("hwcb", (8, 9, 3, 2)),
        ("whbc", (9, 8, 2, 3)),  # transposed image
    ],
)
def test_no_gpu_axes_are_ordered_by_views(labels, shape):
    x = on_host(np.zeros(shape, dtype=np.float32))
    sizes = dict(zip(labels, shape, strict=True))
    kernel = ("o", "c", "h", "w")
    output = ("b", "o", "h", "w")
    both = {**sizes, "o": 4}
    shapes = (shape, (4, 3, 3, 5), (2, 4, 6, 5))
    axes = layout(tuple(labels), kernel, output, ("h", "w"), both, shapes)
    moved = canonical.permuted(x, axes.x, compat_namespace("cupy"))
    assert moved.shape == (2, 1, 3, 8, 9)
    assert address(moved) == address(x)
    assert shares_memory("cupy", moved, x)


def test_no_gpu_nothing_computes():
    with pytest.raises(cupy.cuda.runtime.CUDARuntimeError):
        arrayconv.convolve(X[0, 0], KERNEL, "same", method="direct")
