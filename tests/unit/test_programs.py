"""What JAX compiles for a call outside of `jax.jit`: one program per shape, which `jax.clear_caches` frees."""

import gc
from itertools import count

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import arrayconv
from arrayconv import ndimage, nn, signal
from arrayconv._runtime.programs import as_program, program

COMPILED = "/jax/core/compile/backend_compile_duration"
compilations = []
jax.monitoring.register_event_duration_secs_listener(
    lambda event, seconds, **_: compilations.append(seconds) if event == COMPILED else None
)
sizes = count(17)  # shapes that no other test of the process has met


def numbers(*shape, dtype="float32"):
    return jnp.asarray(np.random.default_rng(0).integers(-9, 9, shape).astype(dtype))


def compiled(call, *arrays):
    """Count the programs that a call makes JAX compile."""
    jax.block_until_ready(arrays)
    before = len(compilations)
    jax.block_until_ready(call(*arrays))
    return len(compilations) - before


KERNEL, TAPS = numbers(3, 4), numbers(5)
WEIGHT, WEIGHT1, TRANSPOSED = numbers(4, 3, 3, 3), numbers(4, 3, 3), numbers(3, 4, 3, 3)
BIAS = numbers(4)
WHOLE, PASSES = (
    arrayconv.Convolver(numbers(3, 4), "same", boundary="reflect", separable=False),
    arrayconv.Convolver(numbers(3, 1) * numbers(1, 4), "same", separable=True),
)


def by(method):
    return lambda x: arrayconv.convolve(x, KERNEL, "same", boundary=("wrap", "constant"), method=method)


def gradient(call):
    return lambda x: jax.vjp(call, x)[1](call(x))  # two programs, and the one of the call by itself


METHODS = ("direct", "banded", "fft", "overlap_save", "xla_loops")
ROWS = {  # (call of x, axes before those of a new size, how many of those)
    **{f"method-{name}": (by(name), (), 2) for name in METHODS},
    "method-xla_tiles": (lambda x: arrayconv.convolve(x, KERNEL, "same", boundary="edge", method="xla_tiles"), (), 2),
    "method-xla_conv": (lambda x: arrayconv.convolve(x, KERNEL, stride=2, method="xla_conv"), (), 2),
    "correlate": (lambda x: arrayconv.correlate(x, TAPS, lags=(-2, 3), axes=0, fill_value=1.5), (), 2),
    "conv1d": (lambda x: nn.conv1d(x, WEIGHT1, padding=1), (2, 3), 1),
    "conv2d": (lambda x: nn.conv2d(x, WEIGHT, padding=1), (2, 3), 2),
    "conv2d-bias": (lambda x: nn.conv2d(x, WEIGHT, BIAS, stride=2), (2, 3), 2),
    "conv_transpose2d": (lambda x: nn.conv_transpose2d(x, TRANSPOSED, BIAS, stride=2), (2, 3), 2),
    "unfold": (lambda x: nn.unfold(x, (2, 3), padding=1), (2, 3), 2),
    "einconv": (lambda x: arrayconv.einconv("b h w, h w -> h w | h w", x, KERNEL, padding="same"), (2,), 2),
    "Convolver": (WHOLE, (), 2),
    "Convolver-passes": (PASSES, (), 2),
    "signal-oaconvolve": (lambda x: signal.oaconvolve(x, KERNEL), (), 2),
    "signal-upfirdn": (lambda x: signal.upfirdn(TAPS, x, 3, 2), (2,), 1),
    "gaussian_filter": (lambda x: ndimage.gaussian_filter(x, 1.5), (), 2),
    "uniform_filter": (lambda x: ndimage.uniform_filter(x, 3, output="int16"), (), 2),
    "sobel": (lambda x: ndimage.sobel(x, 0), (), 2),
    "laplace": (lambda x: ndimage.laplace(x), (), 2, 3),  # one per axis, and their sum
    "magnitude": (lambda x: ndimage.gaussian_gradient_magnitude(x, 1.0), (), 2, 3),
    "gradient-conv2d": (gradient(lambda x: nn.conv2d(x, WEIGHT, BIAS, padding=1)), (2, 3), 2, 3),
    "gradient-gaussian_filter": (gradient(lambda x: ndimage.gaussian_filter(x, 1.5)), (), 2, 4),
    "pullback": (lambda x: arrayconv.vjp(arrayconv.convolve, x, KERNEL)[1](arrayconv.convolve(x, KERNEL)), (), 2, 2),
    "vmap": (jax.vmap(lambda x: nn.conv2d(x, WEIGHT, padding=1)), (2, 2, 3), 2),
    "lax": (lambda x: jax.lax.conv_general_dilated(x, WEIGHT, (1, 1), "SAME"), (2, 3), 2),  # what there is to reach
}


@pytest.mark.parametrize("name", ROWS)
def test_a_call_of_a_new_shape_compiles_one_program(name):
    call, lead, axes, *most = ROWS[name]
    call(numbers(*lead, *(next(sizes) for _ in range(axes))))  # kernels and constants, once for all shapes
    x = numbers(*lead, *(next(sizes) for _ in range(axes)))
    assert compiled(call, x) <= (most[0] if most else 1)
    assert compiled(call, x + 1) == compiled(call, numbers(*x.shape)) == 0


def test_a_convolver_transforms_its_kernel_in_a_program_of_its_own():
    convolver = arrayconv.Convolver(KERNEL, method="fft")
    x = numbers(next(sizes), next(sizes))
    assert compiled(convolver, x) == 2
    assert compiled(convolver, x) == 0
    assert convolver.nbytes > 0
    np.testing.assert_allclose(convolver(x), arrayconv.convolve(np.asarray(x), np.asarray(KERNEL)), atol=1e-2)


@pytest.mark.parametrize("fill", [float("nan"), complex(0, float("nan"))], ids=str)
def test_a_fill_that_is_not_equal_to_itself_is_compiled_once(fill):
    x = numbers(next(sizes)).astype(jnp.complex64 if isinstance(fill, complex) else jnp.float32)
    assert compiled(lambda x: arrayconv.convolve(x, TAPS, fill_value=fill * 1), x) == 1
    assert compiled(lambda x: arrayconv.convolve(x, TAPS, fill_value=fill * 1), x) == 0


def test_programs_of_calls_are_freed_with_the_caches_of_jax():
    jax.clear_caches()
    gc.collect()
    client = jax.devices()[0].client
    before = len(client.live_executables())
    for name in ("conv2d", "method-fft", "method-xla_tiles", "Convolver", "gaussian_filter", "gradient-conv2d"):
        call, lead, axes, *_ = ROWS[name]
        for _ in range(2):
            call(numbers(*lead, *(next(sizes) for _ in range(axes))))
    assert program()._cache_size() > 6
    assert len(client.live_executables()) > before + 6
    jax.clear_caches()
    gc.collect()
    assert program()._cache_size() == 0
    assert len(client.live_executables()) <= before


def test_pieces_that_repeat_each_other_share_their_programs():
    x = numbers(60, 50)
    programs = [
        compiled(lambda x, cap=cap: arrayconv.convolve(x, KERNEL, method="direct", max_workspace=cap), x)
        for cap in (20000, 8000)
    ]
    assert programs[1] <= programs[0] < 40  # though it has many more pieces, each of a dozen operations
    y = arrayconv.convolve(x, KERNEL, method="direct", max_workspace=8000)
    np.testing.assert_array_equal(y, arrayconv.convolve(np.asarray(x), np.asarray(KERNEL), method="direct"))


def test_a_method_too_long_for_one_program_runs_operation_by_operation():
    x = numbers(17, 18)
    y = arrayconv.convolve(x, KERNEL, "same", method="dot")
    np.testing.assert_array_equal(y, arrayconv.convolve(np.asarray(x), np.asarray(KERNEL), "same", method="dot"))


@given(
    values=st.recursive(
        st.one_of(st.integers(-9, 9), st.none(), st.booleans(), st.just("text"), st.just(TAPS), st.just(BIAS)),
        lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.integers(0, 3), inner),
        max_leaves=8,
    )
)
def test_values_that_are_no_arrays_pass_through_a_program(values):
    leaves, tree = jax.tree.flatten(as_program("jax", _handed_on, (), (values,)))
    expected, same = jax.tree.flatten(values)
    assert tree == same
    for leaf, other in zip(leaves, expected, strict=True):
        assert type(leaf) is type(other)
        np.testing.assert_array_equal(leaf, other)


def _handed_on(values):
    return values
