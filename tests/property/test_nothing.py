"""A zero in every place, batch, channels, filters, samples or taps: torch's result, the definition's, or a refusal.

Sums of nothing are zeros, also in gradients, and what is refused is refused in the caller's terms, by NumPy arrays,
torch's tensors and JAX's arrays alike.
"""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

import arrayconv  # noqa: E402
from arrayconv import Convolver, ndimage, nn, signal  # noqa: E402

LIBRARIES = ("numpy", "torch", "jax")


def of_numpy(call, arrays):
    y, pullback = arrayconv.vjp(call, *map(np.asarray, arrays))
    return y, *pullback(2 * y)


def of_torch(call, arrays):
    tensors = [torch.asarray(array).requires_grad_() for array in arrays]
    y = call(*tensors)
    return tuple(one.detach().numpy() for one in (y, *torch.autograd.grad((y**2).sum(), tensors)))


def of_jax(call, arrays):
    y, pullback = jax.vjp(call, *map(jnp.asarray, arrays))
    return y, *pullback(2 * y)


WAYS = {"numpy": of_numpy, "torch": of_torch, "jax": of_jax}


def outcome(way, call, arrays):
    """Return the result and the gradients, or the words of the refusal."""
    try:
        return [np.asarray(one) for one in way(call, arrays)]
    except (ValueError, TypeError, RuntimeError) as refusal:
        return str(refusal)


def assert_results(name, reference, call, arrays):
    """Raise unless every library gives what torch gives, or zeros of our own shapes, or the same words of ours."""
    outcomes = [outcome(WAYS[library], call, arrays) for library in LIBRARIES]
    first = outcomes[0]
    if isinstance(first, str):
        assert first.startswith(f"{name}: `") or first.startswith(f"{name}: the "), first
        assert outcomes == [first] * len(outcomes)
        return
    for other in outcomes[1:]:
        assert not isinstance(other, str), other
        assert [one.shape for one in other] == [one.shape for one in first]
        for one, own in zip(other, first, strict=True):
            np.testing.assert_allclose(one, own)
    expected = outcome(of_torch, reference, arrays) if reference else "there is none"
    if not isinstance(expected, str) and expected[0].shape == first[0].shape:
        for one, own in zip(expected, first, strict=True):
            np.testing.assert_allclose(one, own)
    else:  # a sum of nothing, and the bias
        assert not np.any(first[0] - (1 if len(arrays) == 3 else 0))
        assert not np.any(first[1])
        assert not np.any(first[2])


@pytest.mark.parametrize(
    ("name", "groups", "stride"),
    [("conv1d", 1, 2), ("conv1d", 2, 1), ("conv_transpose1d", 1, 2), ("conv_transpose1d", 2, 2), ("conv2d", 1, 1)],
)
def test_convolutions_of_nothing(name, groups, stride):
    more = (4,) if name.endswith("2d") else ()
    options = {"stride": stride, "padding": 1, "groups": groups}
    zeros = 0
    for batch, channels, filters, size, taps in product((0, 2), (0, 2), (0, 2), (0, 5), (0, 1, 3)):
        if 0 not in (batch, channels, filters, size, taps):
            continue
        rows = (channels, filters // groups) if "transpose" in name else (filters, channels // groups)
        kernel = (*rows, taps, *(3,) * len(more))
        arrays = [np.ones(shape) for shape in ((batch, channels, size, *more), kernel, (filters,))]

        def call(x, w, b, of=nn):
            return getattr(of, name)(x, w, b, **options)

        assert_results(name, lambda x, w, b: call(x, w, b, torch.nn.functional), call, arrays)
        zeros += 1
    assert zeros == 46


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("x_shape", "k_shape"), [((0, 4, 8, 8), (4, 3, 3, 3)), ((2, 0, 8, 8), (0, 3, 3, 3))])
def test_transposed_without_a_batch_or_channels_does_not_reach_torch(x_shape, k_shape, stride):
    x, w = (torch.ones(shape, requires_grad=True) for shape in (x_shape, k_shape))
    for _ in range(2):
        y = nn.conv_transpose2d(x, w, stride=stride)
        y.sum().backward()
        assert y.shape == (x_shape[0], 3, 7 * stride + 3, 7 * stride + 3)
        assert not y.any()
        assert not w.grad.any()
        assert not x.grad.any()


EINCONV = {
    "channels": ("b c h, o c h -> b o h | h", {"padding": "same"}),
    "per-sample": ("b h, b o h -> b o h | h", {"stride": 2, "padding": "full"}),
    "upsampled": ("b c h, o c h -> b o h | h", {"upsample": 2, "padding": "full"}),
    "summed": ("b c h, o c h -> o h | h", {"padding": "full"}),
}


@pytest.mark.parametrize("name", EINCONV)
def test_einconv_of_nothing(name):
    pattern, options = EINCONV[name]
    x_labels, k_labels = (part.split() for part in pattern.split(" ->")[0].split(", "))
    for zero in "bcoh":
        sizes = {"b": 2, "c": 3, "o": 2, "h": 5, zero: 0}
        shapes = [[sizes[label] for label in x_labels], [3 if label == "h" else sizes[label] for label in k_labels]]
        if all(0 not in shape for shape in shapes):
            continue
        assert_results(
            "einconv", None, lambda x, k: arrayconv.einconv(pattern, x, k, **options), list(map(np.ones, shapes))
        )


CALLS = {
    "convolve": lambda x, k: arrayconv.convolve(x, k, axes=-1),
    "convolve-wrap": lambda x, k: arrayconv.convolve(x, k, "same", axes=-1, boundary="wrap"),
    "correlate": lambda x, k: arrayconv.correlate(x, k, "same", axes=-1),
    "correlate-stride": lambda x, k: arrayconv.correlate(x, k, "full", axes=-1, stride=2),
}


@pytest.mark.parametrize("name", CALLS)
def test_arrays_of_nothing(name):
    for shapes in (((0, 5), 3), ((2, 0), 3), ((2, 5), 0), ((0, 0), 3), ((0, 5), 0), ((0, 2, 5), 3)):
        assert_results(name.split("-")[0], None, CALLS[name], [np.ones(shapes[0]), np.ones(shapes[1])])


OTHERS = {
    "Convolver": lambda x, k: Convolver(k, mode="same", axes=-1)(x),
    "signal.fftconvolve": lambda x, k: signal.fftconvolve(x, k[None, :], axes=-1),
    "ndimage.gaussian_filter": lambda x, k: ndimage.gaussian_filter(x, 1.0),
    "ndimage.convolve1d": lambda x, k: ndimage.convolve1d(x, k),
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("shape", [(0, 5), (2, 0)])
def test_filters_of_nothing_are_empty_or_refuse(name, library, shape):
    asarray = {"numpy": np.asarray, "torch": torch.asarray, "jax": jnp.asarray}[library]
    try:
        y = OTHERS[name](asarray(np.ones(shape)), asarray(np.ones(3)))
    except (ValueError, RuntimeError) as refusal:
        message = str(refusal)
        if not message.startswith(name.rsplit(".", maxsplit=1)[-1]):
            raise
        return
    assert not np.asarray(y).any()
    assert 0 in y.shape or name.startswith("signal")
