"""Pictures of the API pages: each kernel's taps, each filter on an image, each boundary and mode on a signal.

Every table has one row per name; a row is what the picture needs. Backgrounds are white, in dark mode too.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

import arrayconv
from arrayconv import kernels, ndimage

KERNELS: dict[str, Callable[[], Any]] = {
    "box": lambda: kernels.box((3, 5)),
    "dog": lambda: kernels.dog(2.0, 3.2),
    "gabor": lambda: kernels.gabor(3.0, 8.0, part="real"),
    "gaussian": lambda: kernels.gaussian(2.0),
    "horizontal_edge": kernels.horizontal_edge,
    "laplacian": kernels.laplacian,
    "log": lambda: kernels.log(2.0),
    "prewitt": kernels.prewitt,
    "savgol": lambda: kernels.savgol(11, 3)[None],
    "scharr": kernels.scharr,
    "sobel": kernels.sobel,
    "vertical_edge": kernels.vertical_edge,
}
_MEAN, _SECOND = np.full((9, 9), 1 / 81), (1, -2, 1)


def _second_difference(input, axis, output, mode, cval):
    return ndimage.correlate1d(input, _SECOND, axis, output, mode, cval)


FILTERS: dict[str, tuple[str, Callable[[Any], Any]]] = {  # name -> how it was called, and the call
    "convolve": ("a 9 x 9 mean", lambda x: ndimage.convolve(x, _MEAN)),
    "convolve1d": ("[1, 0, -1] along axis 0", lambda x: ndimage.convolve1d(x, (1, 0, -1), 0)),
    "correlate": ("a 9 x 9 mean", lambda x: ndimage.correlate(x, _MEAN)),
    "correlate1d": ("[1, 0, -1] along axis 0", lambda x: ndimage.correlate1d(x, (1, 0, -1), 0)),
    "gaussian_filter": ("sigma=4", lambda x: ndimage.gaussian_filter(x, 4)),
    "gaussian_filter1d": ("sigma=8, axis=1", lambda x: ndimage.gaussian_filter1d(x, 8, 1)),
    "gaussian_gradient_magnitude": ("sigma=2", lambda x: ndimage.gaussian_gradient_magnitude(x, 2)),
    "gaussian_laplace": ("sigma=3", lambda x: ndimage.gaussian_laplace(x, 3)),
    "generic_gradient_magnitude": ("of sobel", lambda x: ndimage.generic_gradient_magnitude(x, ndimage.sobel)),
    "generic_laplace": ("of [1, -2, 1]", lambda x: ndimage.generic_laplace(x, _second_difference)),
    "laplace": ("", ndimage.laplace),
    "prewitt": ("along the last axis", ndimage.prewitt),
    "sobel": ("along the last axis", ndimage.sobel),
    "uniform_filter": ("size=15", lambda x: ndimage.uniform_filter(x, 15)),
    "uniform_filter1d": ("size=25, axis=1", lambda x: ndimage.uniform_filter1d(x, 25, 1)),
}
BOUNDARIES = ("constant", "edge", "symmetric", "reflect", "wrap")
MODES = ("full", "same", "valid")


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, dpi=110, format="png")
    return stream.getvalue()


def _image(axes: Any, x: Any, title: str, colours: str = "gray", **options: Any) -> None:
    axes.imshow(x, cmap=colours, **options)
    axes.set_title(title, fontsize=10)
    axes.set_xticks([]), axes.set_yticks([])


def kernel(name: str) -> bytes:
    """Return the taps of a kernel as a picture, with their numbers where these are few."""
    taps = np.real(np.asarray(KERNELS[name]()))
    limit = float(np.abs(taps).max())
    figure = Figure((7.2, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.3])
    image = left.imshow(taps, cmap="RdBu_r", vmin=-limit, vmax=limit)
    left.set_title(f"{taps.shape[0]} x {taps.shape[1]} taps", fontsize=10)
    figure.colorbar(image, ax=left, shrink=0.85)
    if taps.size <= 49:
        for (row, column), tap in np.ndenumerate(taps):
            pale = abs(tap) < 0.6 * limit
            left.text(column, row, f"{tap:.3g}", ha="center", va="center", color="black" if pale else "white")
    image = photograph()
    response = arrayconv.convolve(image, taps, "same", boundary="reflect")
    _image(right, response, f"a photograph, convolved with {name}")
    return _png(figure)


def photograph() -> Any:
    """Return the photograph that the filters are shown on, 256 x 256 float64 in [0, 1]."""
    from skimage.data import camera

    return camera()[::2, ::2].astype(float) / 255


def image_filter(name: str) -> bytes:
    """Return a photograph before and after a filter of `ndimage`."""
    options, call = FILTERS[name]
    x = photograph()
    figure = Figure((7.2, 3.7), layout="constrained")
    left, right = figure.subplots(1, 2)
    _image(left, x, "input")
    _image(right, call(x), f"{name}{': ' + options if options else ''}")
    return _png(figure)


def boundary(name: str) -> bytes:
    """Return a short signal, extended as the boundary says, and its convolution with a Gaussian of 15 taps."""
    x = np.array([2.0, 3, 5, 4, 6, 9, 7, 8])
    n, beyond = len(x), 7
    # correlating with a single tap at the outermost lag reads the extended samples themselves
    tap = np.zeros(2 * beyond + 1)
    reads = []
    for lag in range(2 * beyond + 1):
        tap[:] = 0
        tap[lag] = 1
        reads.append(arrayconv.correlate(x, tap, "same", boundary=name))
    extended = np.concatenate([[reads[lag][0] for lag in range(beyond)], x, [r[-1] for r in reads[beyond + 1 :]]])
    blurred = arrayconv.convolve(x, kernels.gaussian(2.5, radius=beyond, ndim=1), "same", boundary=name)
    figure = Figure((7.2, 2.9), layout="constrained")
    axes = figure.subplots()
    positions = np.arange(-beyond, n + beyond)
    inside = (positions >= 0) & (positions < n)
    axes.bar(positions[inside], extended[inside], color="#3949ab", label="x")
    axes.bar(positions[~inside], extended[~inside], color="#c5cae9", label=f"boundary={name!r}")
    axes.plot(np.arange(n), blurred, "o-", color="#e64a19", label="convolved with a Gaussian")
    axes.set_xlabel("position"), axes.legend(ncols=3, fontsize=9, loc="upper center", bbox_to_anchor=(0.5, 1.18))
    return _png(figure)


def mode(name: str) -> bytes:
    """Return a signal and its convolution with five taps, at the positions that the mode keeps."""
    x, taps = np.array([0.0, 0, 3, 3, 3, 0, 0, 1, 0, 0]), np.full(5, 0.2)
    y = arrayconv.convolve(x, taps, name)
    start = {"full": -2, "same": 0, "valid": 2}[name]
    figure = Figure((7.2, 2.6), layout="constrained")
    axes = figure.subplots()
    axes.bar(np.arange(len(x)), x, color="#3949ab", label=f"x: {len(x)} samples")
    axes.plot(start + np.arange(len(y)), y, "o-", color="#e64a19", label=f"mode={name!r}: {len(y)} outputs")
    axes.set_xlim(-3, len(x) + 2), axes.set_xlabel("position of the middle tap"), axes.legend(fontsize=9)
    return _png(figure)


mpl.use("Agg")
