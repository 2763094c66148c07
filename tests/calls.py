"""A call of every public function that convolves, with shapes in place of arrays."""

import arrayconv
from arrayconv import astronomy, ndimage, nn, signal


class Shape(tuple):
    """The shape of an array among the arguments of a call."""


def shape(*sizes):
    """Return the shape of an array."""
    return Shape(sizes)


IMAGE, BATCH = shape(20, 31), shape(2, 4, 9, 10)
GRADIENT = shape(2, 6, 7, 8)
QUOTIENTS = {  # of two convolutions
    "normalized_convolve": (arrayconv.normalized_convolve, (IMAGE, shape(3, 4), "same"), {"fill_value": 2}),
    "astronomy.convolve-list": (astronomy.convolve, (IMAGE, [[1.0, 2.0, 1.0]]), {"fill_value": float("nan")}),
    "astronomy.convolve": (
        astronomy.convolve,
        (IMAGE, shape(3, 5)),
        {"nan_treatment": "fill", "normalize_kernel": False},
    ),
    "astronomy.convolve_fft": (astronomy.convolve_fft, (IMAGE, [[1.0, 2.0, 1.0]]), {"boundary": "wrap"}),
    "astronomy.interpolate_replace_nans": (astronomy.interpolate_replace_nans, (IMAGE, [[1.0, 2.0, 1.0]]), {}),
}
CALLS = {  # function, its arguments, its options
    "convolve": (arrayconv.convolve, (IMAGE, shape(3, 4), "same"), {"boundary": "reflect", "stride": (2, 1)}),
    "convolve-fft": (arrayconv.convolve, (shape(90, 91), shape(31, 31)), {"method": "fft"}),
    "convolve-filled": (arrayconv.convolve, (IMAGE, shape(3, 4)), {"fill_value": 2}),
    "correlate": (arrayconv.correlate, (shape(50), shape(7)), {"lags": (-3, 9)}),
    "einconv": (arrayconv.einconv, ("b n c, n c o -> b n o | n", shape(2, 9, 3), shape(3, 3, 4)), {"padding": "same"}),
    "nn.conv": (nn.conv, (shape(1, 2, 4, 3, 5, 4), shape(2, 2, 2, 2, 2, 2)), {}),
    "nn.conv1d": (nn.conv1d, (shape(2, 3, 40), shape(4, 3, 5)), {"padding": "same", "stride": 2}),
    "nn.conv2d": (nn.conv2d, (BATCH, shape(6, 2, 3, 3), shape(6), 1, 1), {"groups": 2}),
    "nn.conv2d-keywords": (nn.conv2d, (), {"input": BATCH, "weight": shape(6, 4, 3, 3), "bias": shape(6)}),
    "nn.conv3d": (nn.conv3d, (shape(1, 2, 5, 6, 7), shape(3, 2, 2, 3, 2)), {"boundary": "wrap", "padding": 1}),
    "nn.conv_transpose": (nn.conv_transpose, (shape(3, 4), shape(3, 2, 3)), {"stride": 2}),
    "nn.conv_transpose1d": (nn.conv_transpose1d, (shape(2, 3, 20), shape(3, 4, 5)), {"stride": 3}),
    "nn.conv_transpose2d": (nn.conv_transpose2d, (BATCH, shape(4, 3, 2, 2), shape(3)), {"stride": 2}),
    "nn.conv_transpose3d": (nn.conv_transpose3d, (shape(1, 2, 3, 4, 5), shape(2, 3, 2, 2, 2)), {"padding": 1}),
    "nn.grad.conv1d_input": (nn.grad.conv1d_input, ((2, 3, 9), shape(4, 3, 3), shape(2, 4, 4)), {"stride": 2}),
    "nn.grad.conv1d_weight": (nn.grad.conv1d_weight, (shape(2, 3, 9), (4, 3, 3), shape(2, 4, 4)), {"stride": 2}),
    "nn.grad.conv2d_input": (nn.grad.conv2d_input, ((2, 4, 9, 10), shape(6, 4, 3, 3), GRADIENT), {}),
    "nn.grad.conv2d_weight": (nn.grad.conv2d_weight, (BATCH, (6, 4, 3, 3), GRADIENT), {}),
    "nn.grad.conv3d_input": (nn.grad.conv3d_input, ((1, 2, 4, 4, 4), shape(3, 2, 2, 2, 2), shape(1, 3, 3, 3, 3)), {}),
    "nn.grad.conv3d_weight": (nn.grad.conv3d_weight, (shape(1, 2, 4, 4, 4), (3, 2, 2, 2, 2), shape(1, 3, 3, 3, 3)), {}),
    "signal.convolve": (signal.convolve, (IMAGE, shape(3, 4), "same"), {}),
    "signal.convolve-long": (signal.convolve, (shape(3000), shape(900)), {}),
    "signal.correlate": (signal.correlate, (shape(5), shape(40), "valid"), {}),
    "signal.fftconvolve": (signal.fftconvolve, (IMAGE, shape(3, 31)), {"mode": "same", "axes": 0}),
    "signal.oaconvolve": (signal.oaconvolve, (shape(400), shape(9)), {}),
    "signal.convolve2d": (signal.convolve2d, (IMAGE, shape(3, 4), "same", "symm"), {}),
    "signal.correlate2d": (signal.correlate2d, (IMAGE, shape(3, 4)), {"fillvalue": 1}),
    "signal.upfirdn": (signal.upfirdn, (shape(7), shape(3, 40), 3, 2), {}),
    "signal.upfirdn-extended": (signal.upfirdn, (shape(7), shape(3, 40), 3, 2), {"axis": 0, "mode": "smooth"}),
    "signal.savgol_filter": (signal.savgol_filter, (shape(3, 40), 7, 2), {}),
    "signal.savgol_filter-mirror": (signal.savgol_filter, (IMAGE, 6, 2), {"axis": 0, "mode": "mirror", "deriv": 1}),
    "signal.resample_poly": (signal.resample_poly, (shape(40, 3), 3, 2), {}),
    "signal.resample_poly-line": (signal.resample_poly, (shape(40), 3, 2), {"padtype": "line"}),
    "signal.decimate": (signal.decimate, (shape(3, 90), 4), {"ftype": "fir"}),
    "signal.lfilter": (signal.lfilter, (shape(5), 1.0, shape(3, 40)), {}),
    "signal.sepfir2d": (signal.sepfir2d, (IMAGE, shape(5), shape(3)), {}),
    "match_template": (arrayconv.match_template, (IMAGE, shape(5, 6)), {}),
    "match_template-padded": (arrayconv.match_template, (shape(200), shape(71), True, "reflect"), {"score": "nssd"}),
    "ndimage.correlate": (ndimage.correlate, (IMAGE, shape(3, 4)), {}),
    "ndimage.convolve": (ndimage.convolve, (IMAGE, [[1.0, 2.0], [3.0, 4.0]]), {"mode": "nearest"}),
    "ndimage.correlate1d": (ndimage.correlate1d, (IMAGE, [1, 2, 1]), {"axis": 0}),
    "ndimage.convolve1d": (ndimage.convolve1d, (IMAGE, shape(3)), {}),
    "ndimage.gaussian_filter1d": (ndimage.gaussian_filter1d, (IMAGE, 1.5), {}),
    "ndimage.gaussian_filter": (ndimage.gaussian_filter, (IMAGE, (1.5, 2.0)), {}),
    "ndimage.gaussian_filter-nothing": (ndimage.gaussian_filter, (IMAGE, 0), {}),
    "ndimage.uniform_filter1d": (ndimage.uniform_filter1d, (IMAGE, 5), {}),
    "ndimage.uniform_filter": (ndimage.uniform_filter, (IMAGE, (3, 4)), {"output": "float32"}),
    "ndimage.sobel": (ndimage.sobel, (shape(9, 10, 11),), {"axis": 1}),
    "ndimage.prewitt": (ndimage.prewitt, (IMAGE,), {"output": "int16"}),
    "ndimage.laplace": (ndimage.laplace, (IMAGE,), {}),
    "ndimage.gaussian_laplace": (ndimage.gaussian_laplace, (IMAGE, 1.2), {}),
    "ndimage.gaussian_gradient_magnitude": (ndimage.gaussian_gradient_magnitude, (IMAGE, 1.2), {}),
    "ndimage.generic_laplace": (ndimage.generic_laplace, (IMAGE, ndimage.sobel), {}),
    "ndimage.generic_gradient_magnitude": (ndimage.generic_gradient_magnitude, (IMAGE, ndimage.prewitt), {}),
}


def filled(arguments, options, make):
    """Return the arguments of a call with arrays in place of shapes."""
    each = [make(value) if isinstance(value, Shape) else value for value in arguments]
    return each, {name: make(value) if isinstance(value, Shape) else value for name, value in options.items()}
