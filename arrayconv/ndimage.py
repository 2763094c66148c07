"""scipy.ndimage's linear filters, on the array's own library and device.

``from arrayconv import ndimage`` in place of ``from scipy import ndimage``: the same names, signatures, centring,
dtypes and results, on NumPy, CuPy, PyTorch and JAX arrays alike, differentiable where the library is. These parameters
mean the same in every function that has them:

* `input`: array of any shape, of a bool, integer, real or complex dtype (no half precision), or nested lists, which
  become a NumPy array.
* `output`: dtype of the result, its name, or an array of the input's shape to write to, which may overlap the
  input and is returned. None is the input's dtype. Integers are cut toward zero and wrap, once per one-dimensional
  pass. For a complex result a real dtype is promoted with a warning (refused where a filter is a chain of
  passes, but for `uniform_filter`), and a real array is refused.
* `mode`: how the input is extended. 'reflect' or 'grid-mirror' (d c b a | a b c d | d c b a), 'constant' or
  'grid-constant' (`cval`), 'nearest' (a a | a b c d | d d), 'mirror' (d c b | a b c d | c b a), 'wrap' or 'grid-wrap'
  (c d | a b c d | a b). Filters that run along several axes, one by one, also take a mode per axis.
* `cval`: the constant of 'constant'.
* `origin`: moves the window, by -(n // 2) to (n - 1) // 2 for n taps. 0 centres it: an even window has its
  larger half before the output, in a convolution after it.
* `axis`: the axis to filter along.
* `axes`: the axes to filter, None for all; sequences per axis follow their order (SciPy's `origin` in `correlate`
  and `convolve`, and `sigma` in `gaussian_laplace`, only where some axes are left out).

Functions return an array of the input's shape, library and device; `output` itself where that was an array.

All raise RuntimeError for an unsupported dtype or mode, an `output` array of another shape, a sequence of another
length; ValueError for an axis or origin out of range; TypeError for operands of two libraries or devices, and for
an `output` array where arrays can't be written or the input requires a gradient.

Sums are formed in float64 and rounded once per pass (in float32 where the device, or JAX without x64, has no float64),
with SciPy's error bound, so never by a transform: for large kernels `arrayconv.correlate` is the faster one.
Differences from SciPy, all deliberate: weights up to 2.2e-16 count, and a one-dimensional kernel is symmetric only if
it is; NaN and infinities contaminate every window that contains them, under zero weights too, and no running mean
carries them on; flat areas of integers survive a Gaussian, where SciPy may lose 1 to rounding; a sigma of 0 is a
ValueError in `gaussian_filter1d`; half precision is refused even where no axis is left to filter.

Rank filters, interpolation and `fourier_*`, which multiply a spectrum, are no convolutions: they are in scipy.ndimage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from arrayconv._ndimage import combined, filters
from arrayconv._ndimage.elsewhere import where
from arrayconv._ndimage.filters import Request

__all__ = [
    "convolve",
    "convolve1d",
    "correlate",
    "correlate1d",
    "gaussian_filter",
    "gaussian_filter1d",
    "gaussian_gradient_magnitude",
    "gaussian_laplace",
    "generic_gradient_magnitude",
    "generic_laplace",
    "laplace",
    "prewitt",
    "sobel",
    "uniform_filter",
    "uniform_filter1d",
]


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(f"module 'arrayconv.ndimage' has no attribute {name!r}{where(name)}")


_Modes = str | Sequence[str]
_Ints = int | Sequence[int]


def correlate(
    input: Any,
    weights: Any,
    output: Any = None,
    mode: str = "reflect",
    cval: complex = 0.0,
    origin: _Ints = 0,
    *,
    axes: _Ints | None = None,
) -> Any:
    """Return a correlation: each output is the sum of its window times the (conjugated) weights.

    Parameters
    ----------
    weights : array or nested lists
        Kernel with one axis per filtered axis; they run along the filtered axes in ascending order.

    Raises
    ------
    RuntimeError
        If `weights` has another number of axes or no elements, or `mode` is a sequence.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> ndimage.correlate([1, 2, 3, 4, 5], [1, 10])
    array([11, 21, 32, 43, 54])
    """
    return filters.windowed(Request("correlate", input, output, mode, cval), weights, origin, axes, flip=False)


def convolve(
    input: Any,
    weights: Any,
    output: Any = None,
    mode: str = "reflect",
    cval: complex = 0.0,
    origin: _Ints = 0,
    *,
    axes: _Ints | None = None,
) -> Any:
    """Return a convolution: as in `correlate`, with the weights reversed and not conjugated.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> ndimage.convolve([1, 2, 3, 4, 5], [1, 10])
    array([12, 23, 34, 45, 55])
    """
    return filters.windowed(Request("convolve", input, output, mode, cval), weights, origin, axes, flip=True)


def correlate1d(
    input: Any,
    weights: Any,
    axis: int = -1,
    output: Any = None,
    mode: str = "reflect",
    cval: complex = 0.0,
    origin: int = 0,
) -> Any:
    """Return the correlation of the lines along one axis with weights.

    Parameters
    ----------
    weights : array or list, one-dimensional
        Kernel, conjugated where it is complex.

    Raises
    ------
    RuntimeError
        If `weights` is empty or not one-dimensional.
    """
    return filters.line(Request("correlate1d", input, output, mode, cval), weights, axis, origin, flip=False)


def convolve1d(
    input: Any,
    weights: Any,
    axis: int = -1,
    output: Any = None,
    mode: str = "reflect",
    cval: complex = 0.0,
    origin: int = 0,
) -> Any:
    """Return the convolution of the lines along one axis: as in `correlate1d`, weights reversed, not conjugated."""
    return filters.line(Request("convolve1d", input, output, mode, cval), weights, axis, origin, flip=True)


def gaussian_filter1d(
    input: Any,
    sigma: float,
    axis: int = -1,
    order: int = 0,
    output: Any = None,
    mode: str = "reflect",
    cval: complex = 0.0,
    truncate: float = 4.0,
    *,
    radius: int | None = None,
) -> Any:
    """Return the lines along one axis, filtered with a Gaussian or one of its derivatives.

    Parameters
    ----------
    sigma : float
        Standard deviation in samples.
    order : int
        Order of the derivative, 0 for the Gaussian itself.
    truncate : float
        Where the tails are cut, in standard deviations: radius = floor(truncate * sigma + 1/2).
    radius : int, optional
        Taps on each side of the centre, instead of `truncate`.

    Raises
    ------
    ValueError
        If `order` or the radius is negative, or `sigma` is 0 or not finite.
    """
    request = Request("gaussian_filter1d", input, output, mode, cval)
    return filters.gaussian1d(request, sigma, axis, order, truncate, radius)


def gaussian_filter(
    input: Any,
    sigma: float | Sequence[float],
    order: _Ints = 0,
    output: Any = None,
    mode: _Modes = "reflect",
    cval: complex = 0.0,
    truncate: float = 4.0,
    *,
    radius: _Ints | None = None,
    axes: _Ints | None = None,
) -> Any:
    """Return an array filtered with a Gaussian or its derivatives, one pass per axis.

    Parameters
    ----------
    sigma, order, truncate, radius
        As in `gaussian_filter1d`; all but `truncate` also one per axis. A sigma up to 1e-15 leaves its axis unfiltered.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> ndimage.gaussian_filter([[0, 0, 0], [0, 90, 0], [0, 0, 0]], sigma=1, radius=1)
    array([[ 6, 10,  6],
           [10, 18, 10],
           [ 6, 10,  6]])
    """
    request = Request("gaussian_filter", input, output, mode, cval)
    return filters.gaussian(request, sigma, order, truncate, radius, axes)


def uniform_filter1d(
    input: Any,
    size: int,
    axis: int = -1,
    output: Any = None,
    mode: str = "reflect",
    cval: complex = 0.0,
    origin: int = 0,
) -> Any:
    """Return the mean of a window along one axis: its sum divided by its size.

    Parameters
    ----------
    size : int
        Samples in the window.

    Raises
    ------
    RuntimeError
        If `size` is less than 1.
    """
    return filters.mean1d(Request("uniform_filter1d", input, output, mode, cval), size, axis, origin)


def uniform_filter(
    input: Any,
    size: _Ints = 3,
    output: Any = None,
    mode: _Modes = "reflect",
    cval: complex = 0.0,
    origin: _Ints = 0,
    *,
    axes: _Ints | None = None,
) -> Any:
    """Return the mean of a box, one pass per axis.

    Parameters
    ----------
    size : int or sequence of int
        As in `uniform_filter1d`, also one per axis. An axis with a size up to 1 is not filtered.
    """
    return filters.mean(Request("uniform_filter", input, output, mode, cval), size, origin, axes)


def sobel(input: Any, axis: int = -1, output: Any = None, mode: _Modes = "reflect", cval: complex = 0.0) -> Any:
    """Return Sobel's derivative: [-1, 0, 1] along `axis`, then [1, 2, 1] along every other axis.

    Examples
    --------
    >>> from arrayconv import ndimage
    >>> ndimage.sobel([[1, 1, 5, 5], [1, 1, 5, 5]])
    array([[ 0, 16, 16,  0],
           [ 0, 16, 16,  0]])
    """
    return filters.gradient(Request("sobel", input, output, mode, cval), axis, (1, 2, 1))


def prewitt(input: Any, axis: int = -1, output: Any = None, mode: _Modes = "reflect", cval: complex = 0.0) -> Any:
    """Return Prewitt's derivative: [-1, 0, 1] along `axis`, then [1, 1, 1] along every other axis."""
    return filters.gradient(Request("prewitt", input, output, mode, cval), axis, (1, 1, 1))


def laplace(
    input: Any, output: Any = None, mode: _Modes = "reflect", cval: complex = 0.0, *, axes: _Ints | None = None
) -> Any:
    """Return the sum of second differences, [1, -2, 1], along all axes."""
    return combined.laplace(Request("laplace", input, output, mode, cval), axes)


def gaussian_laplace(
    input: Any,
    sigma: float | Sequence[float],
    output: Any = None,
    mode: _Modes = "reflect",
    cval: complex = 0.0,
    *,
    axes: _Ints | None = None,
    **kwargs: Any,
) -> Any:
    """Return the sum of a Gaussian's second derivatives along all axes.

    Parameters
    ----------
    sigma, **kwargs
        As in `gaussian_filter`, which takes `truncate` and `radius` too.
    """
    return combined.gaussian_laplace(Request("gaussian_laplace", input, output, mode, cval), sigma, axes, kwargs)


def gaussian_gradient_magnitude(
    input: Any,
    sigma: float | Sequence[float],
    output: Any = None,
    mode: _Modes = "reflect",
    cval: complex = 0.0,
    *,
    axes: _Ints | None = None,
    **kwargs: Any,
) -> Any:
    """Return the length of the gradient, by a Gaussian's first derivatives.

    Parameters
    ----------
    sigma, **kwargs
        As in `gaussian_laplace`, but `sigma` is for all axes of `input`: those that `axes` leaves out are smoothed.
    """
    request = Request("gaussian_gradient_magnitude", input, output, mode, cval)
    return combined.gaussian_gradient_magnitude(request, sigma, axes, kwargs)


def generic_laplace(
    input: Any,
    derivative2: Callable[..., Any],
    output: Any = None,
    mode: _Modes = "reflect",
    cval: complex = 0.0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: Mapping[str, Any] | None = None,
    *,
    axes: _Ints | None = None,
) -> Any:
    """Return the sum of the results of a second derivative along all axes.

    Parameters
    ----------
    derivative2 : callable
        ``derivative2(input, axis, output, mode, cval, *extra_arguments, **extra_keywords)``. Its `output` is always a
        dtype, where SciPy first passes an array to write to, which not every library has. It returns its result.
    extra_arguments, extra_keywords
        Its further arguments.
    """
    derivative = combined.with_extras("generic_laplace", "derivative2", derivative2, extra_arguments, extra_keywords)
    return combined.generic(Request("generic_laplace", input, output, mode, cval), derivative, axes, "sum")


def generic_gradient_magnitude(
    input: Any,
    derivative: Callable[..., Any],
    output: Any = None,
    mode: _Modes = "reflect",
    cval: complex = 0.0,
    extra_arguments: Sequence[Any] = (),
    extra_keywords: Mapping[str, Any] | None = None,
    *,
    axes: _Ints | None = None,
) -> Any:
    """Return the root of the summed squares of a derivative's results along all axes.

    Parameters
    ----------
    derivative, extra_arguments, extra_keywords
        As in `generic_laplace`.
    """
    first = combined.with_extras(
        "generic_gradient_magnitude", "derivative", derivative, extra_arguments, extra_keywords
    )
    request = Request("generic_gradient_magnitude", input, output, mode, cval)
    return combined.generic(request, first, axes, "length")
