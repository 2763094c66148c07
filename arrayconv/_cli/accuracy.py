"""The demo's two operations, SciPy's functions for them, reference results in float64, and error bounds for float32.

A direct method computes each output as n products and n - 1 sums, in any order: |error| <= n eps (|x| * |w|), element
by element. A transform spreads its error over the array: ||error||_2 <= 4 eps log2(points) ||x||_2 ||w||_2.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log2, prod, sqrt
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from arrayconv import kernels
from arrayconv._cli.console import import_optional
from arrayconv._plan.rank import TABLE
from arrayconv._problem.boundary import Boundary

Host = np.ndarray[Any, Any]
EPS = float(np.finfo(np.float32).eps)
_TRANSFORM = 4  # a radix-2 transform's own constant is 3.5: Higham, Accuracy and Stability, theorem 24.2


class Operation(NamedTuple):
    """One convolution, or the magnitude of two, to compute on every library; and SciPy's function for it."""

    name: str
    title: str
    kernels: tuple[Host, ...]  # float32
    boundary: Boundary  # arrayconv's name, numpy.pad's
    scipy_mode: str  # scipy.ndimage's name: its 'reflect' is 'symmetric' here
    filter_name: str  # the function of `ndimage`, SciPy's or arrayconv's
    filter_parts: Callable[[ModuleType, Any], list[Any]]  # calls that function; `combine` joins the parts


class Reference(NamedTuple):
    """An operation's float64 result, and the terms of its error bounds."""

    operation: Operation
    value: Host  # float64
    magnitudes: tuple[Host, ...]  # |x| * |w| for each kernel
    norms: tuple[float, ...]  # ||x||_2 ||w||_2
    num_points: int


def operations(sigma: float) -> tuple[Operation, Operation]:
    """Return the edges by Sobel's kernels and the blur by a Gaussian."""
    sobel: Any = tuple(kernels.sobel(axis=axis, dtype="float32") for axis in (-1, 0))
    gaussian: Any = kernels.gaussian(sigma, dtype="float32")
    size = f"{gaussian.shape[0]} x {gaussian.shape[1]}"

    def edges(ndimage: ModuleType, x: Any) -> list[Any]:
        return [ndimage.sobel(x, axis=axis, mode="mirror") for axis in (-1, 0)]

    def blur(ndimage: ModuleType, x: Any) -> list[Any]:
        return [ndimage.gaussian_filter(x, sigma, mode="reflect")]

    return (
        Operation("edges", "Edges: Sobel magnitude", sobel, "reflect", "mirror", "sobel", edges),
        Operation(
            f"blur {size}", f"Blur: Gaussian, {size}", (gaussian,), "symmetric", "reflect", "gaussian_filter", blur
        ),
    )


def compute_reference(operation: Operation, photo: Host) -> Reference:
    """Compute an operation on a float32 image by scipy.ndimage in float64."""
    ndimage = import_optional("scipy.ndimage", "the comparison with SciPy")
    x, mode = photo.astype(np.float64), operation.scipy_mode
    taps = [w.astype(np.float64) for w in operation.kernels]
    value = combine([ndimage.convolve(x, w, mode=mode) for w in taps], np.sqrt)
    magnitudes = tuple(ndimage.convolve(np.abs(x), np.abs(w), mode=mode) for w in taps)
    width = max(taps[0].shape) // 2
    wide = extend(operation, x)
    norms = tuple(float(np.linalg.norm(wide) * np.linalg.norm(w)) for w in taps)
    return Reference(operation, value, magnitudes, norms, prod(n + 2 * width for n in x.shape))


def extend(operation: Operation, x: Host) -> Host:
    """Return x extended by the samples that the kernel reads outside it."""
    width = max(operation.kernels[0].shape) // 2
    return np.pad(x, width, mode=operation.boundary)  # pyright: ignore[reportArgumentType, reportCallIssue]


def combine(parts: list[Any], root: Callable[[Any], Any]) -> Any:
    """Return the only part, or the square root of the sum of squares."""
    return parts[0] if len(parts) == 1 else root(parts[0] * parts[0] + parts[1] * parts[1])


def bound_ratio(reference: Reference, method: str, difference: Host) -> float:
    """Return the difference of a float32 result from the reference, divided by its bound; above 1 is an error."""
    # Squares, their sum and the root are rounded too.
    rounding = 2 * EPS * np.abs(reference.value) if len(reference.magnitudes) > 1 else np.zeros(())
    if TABLE[method].accuracy == "normwise":
        bounds = [_TRANSFORM * EPS * log2(reference.num_points) * norm for norm in reference.norms]
        return float(np.linalg.norm(difference) / (combine(bounds, sqrt) + np.linalg.norm(rounding)))
    bounds = [w.size * EPS * total for w, total in zip(reference.operation.kernels, reference.magnitudes, strict=True)]
    bound = combine(bounds, np.sqrt) + rounding
    return float(np.max(difference / np.maximum(bound, np.finfo(np.float32).tiny)))
