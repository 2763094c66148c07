"""The front door for finding a template: `match_template`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from arrayconv._matching import call

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import Accuracy, ArrayLike, ArrayT, Boundary, NumPyLike

__all__ = ["match_template"]


@overload
def match_template(
    image: NumPyLike,
    template: ArrayLike,
    pad_input: bool = False,
    mode: Boundary = "constant",
    constant_values: float = 0,
    *,
    score: Literal["zncc", "ncc", "zcc", "cc", "ssd", "nssd"] = "zncc",
    axes: int | Sequence[int] | None = None,
    channel_axis: int | None = None,
    accuracy: Accuracy = "normwise",
) -> NDArray[Any]: ...
@overload
def match_template(
    image: ArrayT,
    template: ArrayLike,
    pad_input: bool = False,
    mode: Boundary = "constant",
    constant_values: float = 0,
    *,
    score: Literal["zncc", "ncc", "zcc", "cc", "ssd", "nssd"] = "zncc",
    axes: int | Sequence[int] | None = None,
    channel_axis: int | None = None,
    accuracy: Accuracy = "normwise",
) -> ArrayT: ...
def match_template(
    image: Any,
    template: ArrayLike,
    pad_input: bool = False,
    mode: Boundary = "constant",
    constant_values: float = 0,
    *,
    score: Literal["zncc", "ncc", "zcc", "cc", "ssd", "nssd"] = "zncc",
    axes: int | Sequence[int] | None = None,
    channel_axis: int | None = None,
    accuracy: Accuracy = "normwise",
) -> Any:
    """Score how well a template matches an image at every position, by normalised cross-correlation.

    With the default score, where I is a window of the image and T the template, both less their own means,
    ``y = sum(I * T) / sqrt(sum(I**2) * sum(T**2))``: 1 where the window is the template times a positive number plus a
    constant, -1 where it is the negative of that.

    Parameters
    ----------
    image : array, shape (..., n_1, ..., n_d)
        Signal, image or volume of an integer or real dtype; nested lists become a NumPy array.
    template : array, shape (..., k_1, ..., k_d)
        Template, of the same library and device.
    pad_input : bool
        False: only windows inside the image, and y[p] is the window that starts at p. True: as many scores as the
        image has samples, and y[p] is the window whose sample ``k // 2`` is at p.
    mode : {'constant', 'edge', 'symmetric', 'reflect', 'wrap'}
        How `pad_input` extends the image, by `numpy.pad`'s names.
    constant_values : float
        The constant of 'constant'.
    score : {'zncc', 'ncc', 'zcc', 'cc', 'ssd', 'nssd'}
        zncc
            Zero-mean normalised cross-correlation, as above: `skimage.feature.match_template`, OpenCV's
            TM_CCOEFF_NORMED.
        ncc
            Normalised cross-correlation, without subtracting means (TM_CCORR_NORMED).
        zcc
            ``sum(I * T)`` with means subtracted (TM_CCOEFF).
        cc
            ``sum(image * template)`` (TM_CCORR), `arrayconv.correlate` in mode 'valid'.
        ssd
            Sum of squared differences, least at the best match (TM_SQDIFF).
        nssd
            The same divided by the norms of window and template (TM_SQDIFF_NORMED).
    axes : int or sequence of int, optional
        The axes that windows run along; all by default, but `channel_axis`. A template with as many axes as the image
        pairs with it by number, and the other axes broadcast both ways: batches of images, or of templates. One with
        fewer axes has them in the order of `axes`.
    channel_axis : int, optional
        An axis over which a window reaches as a whole, such as colours: one score for all its samples, with one mean.
    accuracy : {'normwise', 'componentwise'}
        'componentwise' keeps the template's correlation off the FFT; see Notes.

    Returns
    -------
    array
        Of the library and device of `image`, n - k + 1 (with `pad_input` n) scores along each of `axes`, none along
        `channel_axis`. float32 where an operand is and the other is not float64, else float64; sums are in float64
        wherever the device has it.

    Raises
    ------
    TypeError
        If the operands are of two libraries or devices, or complex, or of a dtype without a convolution (bool).
    ValueError
        If an option is unknown, axes contradict each other, or the template is larger than the image.

    See Also
    --------
    correlate : the sums of products alone, over any lags.

    Notes
    -----
    One correlation with the template, directly or by FFT, and sums over windows by passes along one axis, whose cost
    hardly grows with the template; about six arrays of the image's size in float64.

    A window is flat, and its score 0, where its variance is not known: below ``4 * (n + 2) * eps`` of the mean square
    of its samples less the image's mean, n the additions behind its sum; with 'normwise' also where its norm is below
    the error bound of an FFT of the image. For integers whose squared sums fit float64 only constant windows are flat.
    Elsewhere the error of a score is at most the sum of the roots of these two ratios. A NaN makes the scores of
    its windows NaN, and no others. Differentiable where the library is; the gradient of a flat window is 0. OpenCV
    subtracts the mean of every channel by itself, here all channels have one.

    Source: J. P. Lewis, Fast Normalized Cross-Correlation, 1995.

    Examples
    --------
    >>> import numpy as np, arrayconv
    >>> image = np.zeros((5, 6))
    >>> image[1:3, 3:5] = [[1, 2], [3, 5]]
    >>> y = arrayconv.match_template(image, image[1:3, 3:5])
    >>> y.shape, tuple(int(i) for i in np.unravel_index(y.argmax(), y.shape)), float(round(y.max(), 12))
    ((4, 5), (1, 3), 1.0)
    """
    options = pad_input, mode, constant_values, score, axes, channel_axis
    return call.matched("match_template", image, template, options, accuracy)
