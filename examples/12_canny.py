"""Canny's edge detector, written once.

`canny` below is written against scipy.ndimage's names and the array standard. With `arrayconv.ndimage` instead it runs
on the arrays of every library and detects scikit-image's edges.
"""

from importlib import import_module
from importlib.util import find_spec

import numpy as np

from arrayconv import ndimage  # with `from scipy import ndimage`: NumPy arrays only

SIGMA, LOW, HIGH = 2.0, 0.1, 0.2


def canny(image, xp):
    """Return where a gray image has an edge: a ridge of the gradient that is strong, or connected to a strong one."""
    gauss = {"sigma": SIGMA, "mode": "constant"}
    inside = ndimage.gaussian_filter(xp.ones_like(image), **gauss)  # the weight of the Gaussian inside the image
    smooth = ndimage.gaussian_filter(image, **gauss) / inside
    down, right = ndimage.sobel(smooth, axis=0), ndimage.sobel(smooth, axis=1)
    ridge, strength = suppress_nonmaxima(xp.sqrt(down * down + right * right), down, right, xp)
    edge = ridge & (strength >= HIGH)
    count, previous = int(xp.sum(xp.astype(edge, xp.int64))), -1
    while count != previous:  # grow along the ridges
        near = ndimage.uniform_filter(xp.astype(edge, xp.float32), 3, mode="constant") > 0
        edge = ridge & near
        count, previous = int(xp.sum(xp.astype(edge, xp.int64))), count
    return edge


def suppress_nonmaxima(strength, down, right, xp):
    """Return which inner pixels are at least as strong as both neighbours across the edge, and the strength of all."""
    rows, columns = strength.shape
    here = (slice(1, -1), slice(1, -1))
    steep = xp.abs(down[here]) > xp.abs(right[here])
    falls = down[here] * right[here] >= 0  # the gradient points down and right, or up and left
    longer = xp.where(steep, xp.abs(down[here]), xp.abs(right[here]))
    shorter = xp.where(steep, xp.abs(right[here]), xp.abs(down[here]))
    share = shorter / xp.where(longer > 0, longer, xp.ones_like(longer))

    def neighbour(row, column):
        return strength[1 + row : rows - 1 + row, 1 + column : columns - 1 + column]

    def side(k):
        """Return the strength one step along the gradient, between a straight and a diagonal neighbour."""
        straight = xp.where(steep, xp.where(falls, neighbour(k, 0), neighbour(-k, 0)), neighbour(0, k))
        diagonal = xp.where(falls, neighbour(k, k), neighbour(-k, k))
        return share * diagonal + (1 - share) * straight

    largest = (side(1) <= strength[here]) & (side(-1) <= strength[here])
    return largest & (strength[here] >= LOW), strength[here]


def namespaces():
    """Yield the installed libraries."""
    for name, module in {"numpy": "numpy", "torch": "torch", "jax": "jax.numpy", "cupy": "cupy"}.items():
        if not find_spec(name):
            print(f"{name:<6} is not installed")
            continue
        if name == "jax":
            import_module("jax").config.update("jax_enable_x64", True)
        xp = import_module(module)
        if name == "cupy" and not xp.is_available():
            print(f"{name:<6} has no GPU")
            continue
        yield name, import_module(f"array_api_compat.{name}") if name in ("numpy", "torch", "cupy") else xp


if find_spec("skimage"):
    from skimage.data import camera
    from skimage.feature import canny as reference

    image = camera()[::2, ::2] / 255  # every other pixel, to be quick
    expected = reference(image, sigma=SIGMA)[1:-1, 1:-1]
else:
    rows, columns = np.mgrid[:128, :128]
    image = np.where(np.hypot(rows - 63.7, columns - 64.2) < 40, 0.8, 0.2)
    expected = None

first = None
for name, xp in namespaces():
    edges = canny(xp.asarray(image), xp)
    assert type(edges) is type(xp.asarray(image))
    host = np.asarray(edges.get() if name == "cupy" else edges)
    first = host if first is None else first
    # Two strengths that differ only by rounding may be ordered either way: a few pixels of 64 516.
    assert np.sum(host != first) <= 5
    print(
        f"{name:<6} {type(edges).__module__}.{type(edges).__name__}: {host.mean():.1%} of the pixels are edges", end=""
    )
    if expected is None:
        print()
        continue
    print(f", {np.sum(host != expected)} of them are not scikit-image's")
    assert np.sum(host != expected) <= 5

print()
rows, columns = (size // 32 for size in first.shape)
for row in first[: 32 * rows, : 32 * columns].reshape(32, rows, 32, columns).mean(axis=(1, 3)):
    print("".join(" .:*#"[min(4, int(12 * share))] * 2 for share in row).rstrip())
assert 0 < first.mean() < 0.2
