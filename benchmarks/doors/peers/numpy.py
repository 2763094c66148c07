"""For NumPy arrays: SciPy's functions, NumPy's, OpenCV, scikit-image, and torch on views of the arrays."""

from functools import partial
from importlib import import_module

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.doors.contender import Contender
from benchmarks.doors.ours import MODES, named, options
from benchmarks.doors.peers import filters, require
from benchmarks.doors.rows import MODULES

SCIPY = ("core", "ndimage", "signal")  # doors that imitate SciPy
LACKING = ("einconv", "match_template", "normalized_convolve", "vjp")
DIRECT_TAPS = 15  # of an axis, up to which astropy's users take its direct function
SIGNAL = {"convolve", "correlate"}


def scipy_function(row, arrays, hosts, library="numpy"):
    """The function of the same name; for a Convolver the one that its users would call."""
    require(row.door in SCIPY and row.function not in LACKING, "it has no such function")
    require(not row.gradients, "it has no gradients")
    module = import_module(MODULES[row.door][1])
    if "chunk" in row.options:
        return Contender(_chunks(module.lfilter, row, arrays["kernel"]), (arrays["x"],), library)
    if row.door == "core":
        tiled = "fftconvolve" if library == "jax" else "oaconvolve"  # whose results on JAX arrays are other numbers
        name = tiled if row.function == "Convolver" else row.function
        return Contender(partial(getattr(module, name), mode="same"), tuple(arrays.values()), library)
    function = getattr(module, row.function)
    call = named(function, tuple(arrays), **options(row, module, library))
    return Contender(call, tuple(arrays.values()), library, is_compiled=False)


def astropy_means(row, arrays, hosts):
    require(row.function == "normalized_convolve" or row.door == "astronomy", "it has no such function")
    module = import_module("astropy.convolution")
    if row.door == "astronomy":
        call = named(getattr(module, row.function), tuple(arrays), **row.options)
        return Contender(call, tuple(arrays.values()), "numpy")
    if row.operands["kernel"][0] <= DIRECT_TAPS:
        return Contender(module.convolve, tuple(arrays.values()), "numpy")
    return Contender(partial(module.convolve_fft, allow_huge=True), tuple(arrays.values()), "numpy")


def _chunks(lfilter, row, kernel):
    size, one = row.options["chunk"], np.ones(1, kernel.dtype)

    def run(x):
        state, parts = np.zeros(kernel.shape[0] - 1, kernel.dtype), []
        for at in range(0, x.shape[0], size):
            y, state = lfilter(kernel, one, x[at : at + size], zi=state)
            parts.append(y)
        return np.concatenate(parts)

    return run


def scipy_at_once(row, arrays, hosts):
    """oaconvolve of all chunks of a stream: what users call where no chunk has to wait for its result."""
    require("chunk" in row.options, "it has no chunks")
    oaconvolve = import_module("scipy.signal").oaconvolve
    return Contender(lambda x: oaconvolve(x, arrays["kernel"])[: x.shape[0]], (arrays["x"],), "numpy")


def numpy_function(row, arrays, hosts):
    require(not row.gradients, "it has no gradients")
    if row.function == "einconv":
        return _windows(arrays)
    names = {"convolve": np.convolve, "correlate": np.correlate}
    require(row.door in ("core", "signal") and row.function in names and len(row.shape) == 1, "it has no such function")
    require(row.dtype not in ("uint8", "int16") or row.door == "signal", "it sums in another dtype")
    return Contender(partial(names[row.function], mode="same"), tuple(arrays.values()), "numpy")


def _windows(arrays):
    def run(x, kernel):
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        views = sliding_window_view(padded, kernel.shape[-2:], (-2, -1))
        return np.einsum("bchwij,ocij->bohw", views, kernel, optimize=True)

    return Contender(run, tuple(arrays.values()), "numpy")


def torch_on_views(row, arrays, hosts):
    from benchmarks.doors.peers import torch as peers

    is_timed = row.door in ("nn", "nn.grad") or row.function == "einconv" or row.gradients
    require(is_timed, "it is timed with channels, and with gradients")
    torch = import_module("torch")
    views = {name: torch.from_numpy(array) for name, array in arrays.items()}
    build = peers.convolutions if row.door == "core" else peers.torch_function
    return build(row, views, hosts)


# ---- OpenCV ----


def opencv(row, arrays, hosts):
    """OpenCV's functions. They round integers to nearest, where SciPy's and ours cut them toward zero in every pass."""
    if row.function == "match_template":
        return _opencv_matcher(row, arrays)
    require(row.door == "ndimage" or row.function == "Convolver", "it has no such function")
    require("chunk" not in row.options, "it has no streams")
    require(not row.gradients, "it has no gradients")
    require(row.dtype != "complex64", "it has no complex numbers")
    require(not row.function.startswith("generic_"), "it calls no function of the user's")
    require(row.shape[-1] <= 2**20, "its images have sides below 2^20")
    if row.function == "Convolver":
        call = _opencv_convolution(hosts["kernel"])
        return Contender(call, (arrays["x"],), "numpy")
    call = _opencv_functions().get(row.function, _opencv_kernels)(row, hosts)
    return Contender(call, (arrays["input"],), "numpy", rounds=True)


def _opencv_matcher(row, arrays):
    import cv2

    require(row.dtype in ("uint8", "float32"), "it matches bytes and single precision")
    call = partial(cv2.matchTemplate, method=cv2.TM_CCOEFF_NORMED)
    return Contender(lambda image, template: call(image, template), tuple(arrays.values()), "numpy")


def _opencv_convolution(kernel):
    import cv2

    return partial(cv2.filter2D, ddepth=-1, kernel=np.flip(kernel).copy(), borderType=cv2.BORDER_CONSTANT)


def _border():
    import cv2

    return {"reflect": cv2.BORDER_REFLECT, "mirror": cv2.BORDER_REFLECT_101}[MODES["numpy"]]


def _depth(row):
    import cv2

    return {"int16": cv2.CV_16S, "float32": cv2.CV_32F, None: -1}[row.options.get("output")]


def _opencv_functions():
    return {
        "gaussian_filter": _opencv_gaussian,
        "uniform_filter": _opencv_box,
        "sobel": _opencv_sobel,
        "laplace": _opencv_laplacian,
    }


def _opencv_gaussian(row, hosts):
    import cv2

    size = 2 * int(4 * row.options["sigma"] + 0.5) + 1
    return lambda x: cv2.GaussianBlur(x, (size, size), row.options["sigma"], borderType=_border())


def _opencv_box(row, hosts):
    import cv2

    return lambda x: cv2.blur(x, (row.options["size"],) * 2, borderType=_border())


def _opencv_sobel(row, hosts):
    import cv2

    order = (1, 0) if row.options["axis"] in (1, -1) else (0, 1)
    return lambda x: cv2.Sobel(x, _depth(row), *order, ksize=3, borderType=_border())


def _opencv_laplacian(row, hosts):
    import cv2

    return lambda x: cv2.Laplacian(x, _depth(row), ksize=1, borderType=_border())


def _opencv_kernels(row, hosts):
    """filter2D by the dense kernel, or sepFilter2D by each of its products."""
    import cv2

    depth, border = _depth(row), _border()
    if len(row.shape) == 1:
        kernel = filters.kernels(row, hosts)[0][None, :]
        return lambda x: cv2.filter2D(x[None, :], depth, kernel, borderType=border)[0]

    def one(terms, x):
        parts = [_opencv_stage(x, stages, depth, border) for stages in terms]
        return parts[0] if len(parts) == 1 else cv2.add(*parts)

    each = [partial(one, filters.stages(kernel)) for kernel in filters.kernels(row, hosts)]
    if len(each) == 1:
        return each[0]
    return lambda x: cv2.magnitude(each[0](x), each[1](x))


def _opencv_stage(x, stages, depth, border):
    import cv2

    if len(stages) == 1:
        return cv2.filter2D(x, depth, stages[0], borderType=border)
    column, line = stages
    return cv2.sepFilter2D(x, depth, line.ravel(), column.ravel(), borderType=border)


# ---- scikit-image ----


def scikit_image(row, arrays, hosts):
    """scikit-image's filters, of floats: integers become floats between 0 and 1 there."""
    if row.function == "match_template":
        match = import_module("skimage.feature").match_template
        return Contender(match, tuple(arrays.values()), "numpy")
    require(row.door == "ndimage" and not row.gradients, "it has no such function")
    require(row.dtype in ("float32", "float64"), "it returns floats")
    known = {"gaussian_filter": 1.0, "sobel": 4.0, "prewitt": 3.0, "laplace": -1.0}  # ours over theirs
    require(row.function in known, "it has no such function")
    skimage, mode = import_module("skimage.filters"), MODES["numpy"]
    calls = {
        "gaussian_filter": lambda x: skimage.gaussian(x, row.options["sigma"], mode=mode, preserve_range=True),
        "sobel": lambda x: skimage.sobel(x, axis=row.options["axis"], mode=mode),
        "prewitt": lambda x: skimage.prewitt(x, axis=row.options["axis"], mode=mode),
        "laplace": skimage.laplace,
    }
    return Contender(calls[row.function], (arrays["input"],), "numpy", scale=known[row.function])
