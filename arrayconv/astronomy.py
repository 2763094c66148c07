"""`astropy.convolution`'s functions on arrays of any library: a one-line change of an import.

Both compute what `arrayconv.normalized_convolve` computes; docs/differences.md lists where they differ from astropy's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

from arrayconv._arrays.dtypes import complexified
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.namespace import on_device
from arrayconv._missing import astropy_arguments as parsing
from arrayconv._missing import astropy_direct, astropy_transforms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import ArrayT, NumPyLike

__all__ = ["convolve", "convolve_fft", "interpolate_replace_nans"]


class _Kernel(Protocol):
    """astropy's kernels."""

    @property
    def array(self) -> Any: ...


class _Data(Protocol):
    """astropy's NDData."""

    @property
    def uncertainty(self) -> Any: ...


_Wrapped = _Kernel | _Data


@overload
def convolve(
    array: NumPyLike,
    kernel: Any,
    boundary: Literal["fill", "wrap", "extend"] | None = "fill",
    fill_value: float = 0.0,
    nan_treatment: Literal["interpolate", "fill"] = "interpolate",
    normalize_kernel: bool = True,
    mask: Any = None,
    preserve_nan: bool = False,
    normalization_zero_tol: float = 1e-8,
) -> NDArray[Any]: ...
@overload
def convolve(
    array: ArrayT,
    kernel: Any,
    boundary: Literal["fill", "wrap", "extend"] | None = "fill",
    fill_value: float = 0.0,
    nan_treatment: Literal["interpolate", "fill"] = "interpolate",
    normalize_kernel: bool = True,
    mask: Any = None,
    preserve_nan: bool = False,
    normalization_zero_tol: float = 1e-8,
) -> ArrayT: ...
@overload
def convolve(
    array: _Wrapped,
    kernel: Any,
    boundary: Literal["fill", "wrap", "extend"] | None = "fill",
    fill_value: float = 0.0,
    nan_treatment: Literal["interpolate", "fill"] = "interpolate",
    normalize_kernel: bool = True,
    mask: Any = None,
    preserve_nan: bool = False,
    normalization_zero_tol: float = 1e-8,
) -> Any: ...
@float_errors_ignored
def convolve(
    array: Any,
    kernel: Any,
    boundary: Literal["fill", "wrap", "extend"] | None = "fill",
    fill_value: float = 0.0,
    nan_treatment: Literal["interpolate", "fill"] = "interpolate",
    normalize_kernel: bool = True,
    mask: Any = None,
    preserve_nan: bool = False,
    normalization_zero_tol: float = 1e-8,
) -> Any:
    """Convolve an array that may have NaN, as `astropy.convolution.convolve` does, by any method.

    Parameters
    ----------
    array : array, shape (n_1, ..., n_d)
        Of any supported library and any number of axes; nested lists, astropy's kernels, Quantity and NDData too. A
        NumPy array may be masked.
    kernel : array, shape (k_1, ..., k_d)
        Of the same library and device, of odd sizes; or an object with `array`, as astropy's kernels.
    boundary : {'fill', 'wrap', 'extend', None}
        `fill_value` outside the array, the array again, its end samples; None: 0 where the kernel extends beyond it.
    fill_value : float
        For ``boundary='fill'``, and for gaps with ``nan_treatment='fill'``. NaN outside is a gap.
    nan_treatment : {'interpolate', 'fill'}
        Divide by the weight of the samples that are there, or put `fill_value` in the place of gaps.
    normalize_kernel : bool
        Divide the kernel by its sum.
    mask : array, optional
        In the shape of `array`; what is not 0 is a gap.
    preserve_nan : bool
        Return NaN where the array has a gap.
    normalization_zero_tol : float
        Up to which magnitude the kernel's sum counts as zero.

    Returns
    -------
    array
        In the shape of `array`, in its dtype if that is a float, otherwise in float64; sums are formed in float64 where
        the device has it. With the unit of a Quantity; a kernel for a kernel. Gaps without support are NaN.

    Raises
    ------
    ValueError
        If an option is unknown, the kernel sums to zero and must be normalized, or shapes do not match.
        `KernelSizeError`, where astropy is loaded, for a kernel of even size, or of more taps than samples with None.
    TypeError
        If `array` and `kernel` are of two libraries or devices, or of a dtype without a convolution (object).

    Warns
    -----
    AstropyUserWarning
        UserWarning where astropy is not loaded: if interpolation leaves NaN, and values can be read.

    See Also
    --------
    arrayconv.normalized_convolve : the operation itself, with modes, strides, any axes, support and weights.

    Notes
    -----
    Two convolutions with 'interpolate', one with 'fill', each by the method that is predicted to be the fastest.
    Source: `astropy.convolution.convolve`.

    Examples
    --------
    >>> from arrayconv.astronomy import convolve
    >>> convolve([1.0, float("nan"), 3.0], [1, 1, 1], boundary="extend")
    array([1., 2., 3.])
    """
    if parsing.is_kernel(array) and parsing.is_kernel(kernel):
        parsing.warn(
            "Both array and kernel are Kernel instances, hardwiring the following parameters: boundary='fill', "
            "fill_value=0, normalize_Kernel=True, nan_treatment='interpolate'"
        )
        boundary, fill_value, normalize_kernel, nan_treatment = "fill", 0, True, "interpolate"
    arguments = parsing.parse("convolve", array, kernel, mask, nan_treatment)
    options = boundary, fill_value, nan_treatment, normalize_kernel, preserve_nan, normalization_zero_tol
    with on_device(arguments.xp, arguments.device):
        result = parsing.returned(arguments, astropy_direct.convolve(arguments, *options))
    return parsing.marked_separable(result, array, kernel)


@overload
def convolve_fft(
    array: NumPyLike,
    kernel: Any,
    boundary: Literal["fill", "wrap"] | None = "fill",
    fill_value: float = 0.0,
    nan_treatment: Literal["interpolate", "fill"] = "interpolate",
    normalize_kernel: bool | Callable[[Any], Any] = True,
    normalization_zero_tol: float = 1e-8,
    preserve_nan: bool = False,
    mask: Any = None,
    crop: bool = True,
    return_fft: bool = False,
    fft_pad: bool | None = None,
    psf_pad: bool | None = None,
    min_wt: float = 0.0,
    allow_huge: bool = False,
    fftn: Callable[[Any], Any] | None = None,
    ifftn: Callable[[Any], Any] | None = None,
    complex_dtype: Any = complex,
    dealias: bool = False,
) -> NDArray[Any]: ...
@overload
def convolve_fft(
    array: ArrayT,
    kernel: Any,
    boundary: Literal["fill", "wrap"] | None = "fill",
    fill_value: float = 0.0,
    nan_treatment: Literal["interpolate", "fill"] = "interpolate",
    normalize_kernel: bool | Callable[[Any], Any] = True,
    normalization_zero_tol: float = 1e-8,
    preserve_nan: bool = False,
    mask: Any = None,
    crop: bool = True,
    return_fft: bool = False,
    fft_pad: bool | None = None,
    psf_pad: bool | None = None,
    min_wt: float = 0.0,
    allow_huge: bool = False,
    fftn: Callable[[Any], Any] | None = None,
    ifftn: Callable[[Any], Any] | None = None,
    complex_dtype: Any = complex,
    dealias: bool = False,
) -> ArrayT: ...
@overload
def convolve_fft(
    array: _Wrapped,
    kernel: Any,
    boundary: Literal["fill", "wrap"] | None = "fill",
    fill_value: float = 0.0,
    nan_treatment: Literal["interpolate", "fill"] = "interpolate",
    normalize_kernel: bool | Callable[[Any], Any] = True,
    normalization_zero_tol: float = 1e-8,
    preserve_nan: bool = False,
    mask: Any = None,
    crop: bool = True,
    return_fft: bool = False,
    fft_pad: bool | None = None,
    psf_pad: bool | None = None,
    min_wt: float = 0.0,
    allow_huge: bool = False,
    fftn: Callable[[Any], Any] | None = None,
    ifftn: Callable[[Any], Any] | None = None,
    complex_dtype: Any = complex,
    dealias: bool = False,
) -> Any: ...
@float_errors_ignored
def convolve_fft(
    array: Any,
    kernel: Any,
    boundary: Literal["fill", "wrap"] | None = "fill",
    fill_value: float = 0.0,
    nan_treatment: Literal["interpolate", "fill"] = "interpolate",
    normalize_kernel: bool | Callable[[Any], Any] = True,
    normalization_zero_tol: float = 1e-8,
    preserve_nan: bool = False,
    mask: Any = None,
    crop: bool = True,
    return_fft: bool = False,
    fft_pad: bool | None = None,
    psf_pad: bool | None = None,
    min_wt: float = 0.0,
    allow_huge: bool = False,
    fftn: Callable[[Any], Any] | None = None,
    ifftn: Callable[[Any], Any] | None = None,
    complex_dtype: Any = complex,
    dealias: bool = False,
) -> Any:
    """Convolve an array that may have gaps, as `astropy.convolution.convolve_fft` does, by any method.

    Parameters
    ----------
    array : array, shape (n_1, ..., n_d)
        Of any supported library and any number of axes; nested lists, astropy's kernels, Quantity and NDData too. A
        NumPy array may be masked. Infinite samples are gaps, as NaN are.
    kernel : array, shape (k_1, ..., k_d)
        Of the same library and device; or an object with `array`, as astropy's kernels. Taps that are not finite are 0.
        Sizes may be even: tap ``k // 2`` is the middle.
    boundary : {'fill', 'wrap', None}
        `fill_value` outside the array, or the array again; None is 'fill', with a warning.
    fill_value : float
        For ``boundary='fill'``, and for gaps with ``nan_treatment='fill'``. NaN or infinity outside is a gap.
    nan_treatment : {'interpolate', 'fill'}
        Divide by the weight of the samples that are there, or put `fill_value` in the place of gaps.
    normalize_kernel : bool or callable
        Divide the kernel by its sum, or by what the callable returns for it.
    normalization_zero_tol : float
        Up to which magnitude the kernel's sum counts as zero.
    preserve_nan : bool
        Return NaN where the array has a gap.
    mask : array, optional
        In the shape of `array`; what is not 0 is a gap.
    crop : bool
        Return the part of the padded result that `array` covers; else the padded result.
    return_fft : bool
        Return the product of the transforms of the padded array and the kernel instead.
    fft_pad, psf_pad, dealias : bool, optional
        How the array is padded: to a fast length, by the kernel's size, by half of that again. Without `psf_pad` the
        result is circular. They affect the result only then, or if it is not cropped.
    min_wt : float
        From 0 to 1: NaN where the share of the kernel's weight that is there is lower. With 0 outputs without support
        are 0.
    allow_huge : bool
        Allow padded arrays of more than 10**9 bytes.
    fftn, ifftn : callable, optional
        `fftn` is used with `return_fft`. Convolutions choose transforms of their own.
    complex_dtype : dtype
        complex64 sums in float32; complex128 in float64, where the device has it.

    Returns
    -------
    array
        Real for real operands, in the precision of `complex_dtype`; complex for complex ones.

    Raises
    ------
    ValueError
        If an option is unknown, the kernel sums to zero and must be normalized, or shapes do not match; for padding
        together with 'wrap', and for arrays too large without `allow_huge`.
    TypeError
        If `array` and `kernel` are of two libraries or devices, or of a dtype without a convolution (object), or both
        are kernels.
    NotImplementedError
        For ``boundary='extend'``: `convolve` has it.

    Notes
    -----
    Two convolutions with 'interpolate', one with 'fill', by FFT only where that is predicted to be fastest. Source:
    `astropy.convolution.convolve_fft`.

    Examples
    --------
    >>> from arrayconv.astronomy import convolve_fft
    >>> convolve_fft([1.0, float("nan"), 3.0], [1, 1, 1])
    array([0.5, 2. , 1.5])
    """
    if parsing.is_kernel(array) and parsing.is_kernel(kernel):
        raise TypeError("convolve_fft: `array` and `kernel` must not both be kernels. Use convolve for two kernels.")
    precision = parsing.complex_precision("convolve_fft", complex_dtype)
    arguments = parsing.parse("convolve_fft", array, kernel, mask, nan_treatment, precision)
    result = parsing.dtype_of_sums(arguments)
    arguments = arguments._replace(dtype=complexified(result) if return_fft else result, order=None)
    with on_device(arguments.xp, arguments.device):
        y = astropy_transforms.convolve(
            arguments,
            astropy_transforms.Options(
                boundary, fill_value, nan_treatment, normalize_kernel, normalization_zero_tol, preserve_nan, crop,
                return_fft, fft_pad, psf_pad, min_wt, allow_huge, fftn, dealias,
            ),
        )  # fmt: skip
        return parsing.returned(arguments, y)


@overload
def interpolate_replace_nans(
    array: NumPyLike, kernel: Any, convolve: Callable[..., Any] = convolve, **kwargs: Any
) -> NDArray[Any]: ...
@overload
def interpolate_replace_nans(
    array: ArrayT, kernel: Any, convolve: Callable[..., Any] = convolve, **kwargs: Any
) -> ArrayT: ...
@overload
def interpolate_replace_nans(
    array: _Wrapped, kernel: Any, convolve: Callable[..., Any] = convolve, **kwargs: Any
) -> Any: ...
def interpolate_replace_nans(array: Any, kernel: Any, convolve: Callable[..., Any] = convolve, **kwargs: Any) -> Any:
    """Return an array with its NaN replaced by the weighted means of what is around them.

    Parameters
    ----------
    array : array, shape (n_1, ..., n_d)
        Of any supported library; nested lists, Quantity and NDData too. A NumPy array may be masked.
    kernel : array, shape (k_1, ..., k_d)
        Weights of the samples around a NaN, of the same library and device; their sum must not be zero.
    convolve : callable
        `convolve` or `convolve_fft`, which computes the means.
    **kwargs
        Its options but `nan_treatment`, `normalize_kernel` and `preserve_nan`.

    Returns
    -------
    array
        A new array of the shape and dtype that `convolve` returns. NaN stay where no sample is under the kernel.

    Raises
    ------
    ValueError
        If an option is unknown, the kernel sums to zero, or shapes do not match.
    TypeError
        If `array` and `kernel` are of two libraries or devices, or of a dtype without a convolution (object).

    Notes
    -----
    Costs one call of `convolve`. Source: `astropy.convolution.interpolate_replace_nans`.

    Examples
    --------
    >>> from arrayconv.astronomy import interpolate_replace_nans
    >>> interpolate_replace_nans([1.0, float("nan"), 3.0], [1, 1, 1])
    array([1., 2., 3.])
    """
    y = convolve(array, kernel, nan_treatment="interpolate", normalize_kernel=True, preserve_nan=False, **kwargs)
    return parsing.replaced("interpolate_replace_nans", array, y)
