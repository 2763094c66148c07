"""What `out` may be: any memory of the result's dtype is written right by every method of every door, or refused."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import arrayconv
from arrayconv import ndimage
from arrayconv._arrays.out_arrays import has_internal_overlap
from arrayconv._plan.rank import METHODS
from tests import layouts, oracle
from tests.conftest import make_library

DTYPES = ["uint8", "int32", "float32", "float64", "complex64", "complex128"]


C = layouts.dense(2)
MEMORY = {
    "its own": C,
    "another byte order": C._replace(swapped=True),
    "unaligned": C._replace(shift=1),
    "unaligned, in another byte order": C._replace(shift=1, swapped=True),
    "a field of records": C._replace(gap=1),
    "a field in another byte order": C._replace(gap=1, swapped=True),
    "every second sample": C._replace(steps=(1, 2)),
    "reversed": C._replace(steps=(-1, -1)),
    "transposed": C._replace(order=(1, 0)),
    "interleaved axes": C._replace(order=(1, 0), steps=(2, 1)),
}
NUMPY = make_library("numpy")


def flipped(kernel):
    """Return the kernel of the correlation that equals a convolution."""
    return kernel.flip((0, 1)).conj() if isinstance(kernel, torch.Tensor) else kernel[::-1, ::-1].conj()


DOORS = {
    "convolve": lambda x, kernel, out, method: arrayconv.convolve(
        x, kernel, "same", boundary="symmetric", out=out, method=method
    ),
    "correlate": lambda x, kernel, out, method: arrayconv.correlate(
        x, flipped(kernel), "same", boundary="symmetric", out=out, method=method
    ),
    "einconv": lambda x, kernel, out, method: arrayconv.einconv(
        "h w, h w -> h w | h w", x, kernel, padding=1, boundary="symmetric", flip=True, out=out, method=method
    ),
    "Convolver": lambda x, kernel, out, method: arrayconv.Convolver(
        kernel, "same", boundary="symmetric", method=method
    )(x, out=out),
}


@st.composite
def calls(draw):
    """Draw x, a 3 x 3 kernel and the exact result."""
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    random = np.random.default_rng(draw(st.integers(0, 999)))
    x, kernel = (random.integers(0, 5, size).astype(dtype) for size in (shape, (3, 3)))
    if dtype.kind == "c":
        x, kernel = x * dtype.type(1 + 2j), kernel * dtype.type(2 - 1j)
    exact = oracle.rounded(oracle.convolve(oracle.exact(x), oracle.exact(kernel), "same", boundary="symmetric"))
    return x, kernel, exact if dtype.kind == "c" else exact.real


def assert_written(out, exact, call):
    """Raise unless the output array holds the result."""
    assert np.max(np.abs(np.asarray(out) - exact)) <= 1e-3, f"{call}: wrote {out}, should be {exact}"


@pytest.mark.parametrize("kind", MEMORY)
@pytest.mark.parametrize("door", DOORS)
def test_every_method_writes_any_memory(door, kind):
    @settings(max_examples=5, deadline=None)
    @given(calls())
    def law(call):
        x, kernel, exact = call
        before = x.copy(), kernel.copy()
        for method in METHODS:
            out = layouts.place(NUMPY, np.zeros_like(x), MEMORY[kind]).array
            try:
                y = DOORS[door](x, kernel, out, method)
            except NotImplementedError:
                assert not out.any(), f"{door} by {method} wrote before it refused"
                continue
            assert y is out
            assert_written(out, exact, f"{door} by {method} into {kind}")
        np.testing.assert_array_equal(x, before[0])
        np.testing.assert_array_equal(kernel, before[1])

    law()


@pytest.mark.parametrize("kind", MEMORY)
@pytest.mark.parametrize("size", [3, 41])
def test_filters_write_any_memory(kind, size):
    x = np.arange(40.0 * size).reshape(40, size)
    for run in (
        lambda output: ndimage.correlate(x, np.ones((3, 3)), output=output),
        lambda output: ndimage.gaussian_filter(x, 1.5, output=output),
        lambda output: ndimage.uniform_filter(x, 3, output=output),
        lambda output: ndimage.sobel(x, output=output),
    ):
        out = layouts.place(NUMPY, np.zeros_like(x), MEMORY[kind]).array
        run(out)
        np.testing.assert_allclose(out, run(None), rtol=1e-12, atol=1e-9)


TENSORS = {  # what torch takes note of instead of computing it among them
    "conjugate": lambda: torch.zeros((5, 7), dtype=torch.complex128).conj(),
    "negative": lambda: torch.zeros((5, 7), dtype=torch.complex128).conj().imag,
    "transposed": lambda: torch.zeros((7, 5), dtype=torch.float64).mT,
    "every second sample": lambda: torch.zeros((5, 14), dtype=torch.complex128)[:, ::2],
}


@pytest.mark.parametrize("kind", TENSORS)
@pytest.mark.parametrize("door", DOORS)
def test_every_method_writes_any_tensor(door, kind):
    dtype = TENSORS[kind]().dtype
    x = torch.arange(35.0).reshape(5, 7).to(dtype)
    kernel = torch.tensor([[1.0, 2, 3], [0, 1, 4], [2, 2, 1]]).to(dtype)
    if dtype.is_complex:
        x, kernel = x * (1 + 2j), kernel * (2 - 1j)
    exact = DOORS["convolve"](x.numpy(), kernel.numpy(), None, "direct")
    for method in METHODS:
        out = TENSORS[kind]()
        try:
            y = DOORS[door](x, kernel, out, method)
        except NotImplementedError:
            continue
        assert y is out
        assert_written(out.resolve_conj().resolve_neg(), exact, f"{door} by {method} into {kind}")


def places(x):
    """Return where each element of a strided array begins, in bytes."""
    index = np.indices(x.shape).reshape(x.ndim, -1)
    return np.asarray(x.strides) @ index if x.ndim else np.zeros(1)


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(-5, 5)), min_size=1, max_size=4),
    st.sampled_from([1, 2, 4, 8]),
    st.integers(0, 1),
)
def test_memory_that_elements_share_is_noticed(axes, unit, odd):
    shape, steps = zip(*axes, strict=True)
    itemsize = 4
    strides = tuple(step * unit + odd * (step % 2) for step in steps)
    x = np.lib.stride_tricks.as_strided(np.zeros(4096, np.int32)[2048:], shape, strides)
    gaps = np.diff(np.sort(places(x)))
    assert has_internal_overlap(x) == bool((gaps < itemsize).any())


def test_out_over_itself_is_refused_by_name():
    x = np.ones((3, 2))
    out = np.lib.stride_tricks.as_strided(np.zeros(20), (3, 2), (16, 32))  # two elements at the fifth number
    with pytest.raises(ValueError, match="convolve: `out` must have memory of its own for every element"):
        arrayconv.convolve(x, np.ones((1, 1)), "same", out=out)
