"""The front door for data with gaps: `normalized_convolve`, a convolution divided by the weight of what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.namespace import on_device
from arrayconv._arrays.operands import operands
from arrayconv._calls import dry_run, prepare
from arrayconv._errors import flag
from arrayconv._missing import mask, options, quotient, support
from arrayconv._problem import positional
from arrayconv._problem.axes import Mode
from arrayconv._runtime.tracing import shape_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import Accuracy, ArrayLike, ArrayT, Boundaries, Method, NumPyLike

__all__ = ["normalized_convolve"]


@overload
def normalized_convolve(
    x: NumPyLike,
    kernel: ArrayLike,
    mode: Mode | None = None,
    *,
    where: Any = None,
    nan_policy: Literal["omit", "propagate", "raise"] = "omit",
    min_weight: float = 0.0,
    return_weight: Literal[False] = False,
    correlate: bool = False,
    axes: Sequence[int] | int | None = None,
    boundary: Boundaries = "constant",
    fill_value: complex | None = None,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    lags: Any = None,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> NDArray[Any]: ...
@overload
def normalized_convolve(
    x: ArrayT,
    kernel: ArrayLike,
    mode: Mode | None = None,
    *,
    where: Any = None,
    nan_policy: Literal["omit", "propagate", "raise"] = "omit",
    min_weight: float = 0.0,
    return_weight: Literal[False] = False,
    correlate: bool = False,
    axes: Sequence[int] | int | None = None,
    boundary: Boundaries = "constant",
    fill_value: complex | None = None,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    lags: Any = None,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> ArrayT: ...
@overload
def normalized_convolve(
    x: NumPyLike,
    kernel: ArrayLike,
    mode: Mode | None = None,
    *,
    where: Any = None,
    nan_policy: Literal["omit", "propagate", "raise"] = "omit",
    min_weight: float = 0.0,
    return_weight: Literal[True],
    correlate: bool = False,
    axes: Sequence[int] | int | None = None,
    boundary: Boundaries = "constant",
    fill_value: complex | None = None,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    lags: Any = None,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> tuple[NDArray[Any], NDArray[Any]]: ...
@overload
def normalized_convolve(
    x: ArrayT,
    kernel: ArrayLike,
    mode: Mode | None = None,
    *,
    where: Any = None,
    nan_policy: Literal["omit", "propagate", "raise"] = "omit",
    min_weight: float = 0.0,
    return_weight: Literal[True],
    correlate: bool = False,
    axes: Sequence[int] | int | None = None,
    boundary: Boundaries = "constant",
    fill_value: complex | None = None,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    lags: Any = None,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> tuple[ArrayT, ArrayT]: ...
@float_errors_ignored
def normalized_convolve(
    x: Any,
    kernel: ArrayLike,
    mode: Mode | None = None,
    *,
    where: Any = None,
    nan_policy: Literal["omit", "propagate", "raise"] = "omit",
    min_weight: float = 0.0,
    return_weight: bool = False,
    correlate: bool = False,
    axes: Sequence[int] | int | None = None,
    boundary: Boundaries = "constant",
    fill_value: complex | None = None,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    lags: Any = None,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
) -> Any:
    """Convolve an array that has gaps: the weighted mean of the samples that are there.

    ``y[n] = sum_k kernel[k] * M[n-k] * X[n-k] / sum_k kernel[k] * M[n-k]``, with ``k`` times `dilation`. M is 1 where a
    sample is there and 0 where it is missing, whatever its value; `boundary` extends it as it extends `x` to X.

    Parameters
    ----------
    x : array, shape (..., n_1, ..., n_d)
        Integer, real or complex data of any supported library; nested lists become a NumPy array.
    kernel : array, shape (..., k_1, ..., k_d)
        The weights, of the same library and device. They need no normalisation. Nested lists become an array like `x`.
    mode : {'full', 'same', 'valid'}, optional
        Which outputs: n + k_eff - 1, n or n - k_eff + 1 per axis, relative to `x`, k_eff = dilation*(k - 1) + 1. 'full'
        by default.
    where : array of bool, optional
        True where `x` is there, as in NumPy's reductions; it broadcasts to the shape of `x`. Values of missing samples
        have no effect.
    nan_policy : {'omit', 'propagate', 'raise'}
        'omit': a NaN is missing too (a complex number if either part is NaN). 'propagate': a NaN is a sample, and
        contaminates the outputs whose window contains it. 'raise': ValueError if a sample that is there is NaN.
    min_weight : float
        From 0 to 1: NaN where the weight's magnitude is below that share of the kernel's sum, by more than rounding:
        ``(taps + 64) * eps * sum(abs(kernel))``. With 1 only complete windows remain.
    return_weight : bool
        Return the weight, the denominator, too.
    correlate : bool
        Correlate: the kernel is not reversed, and conjugated.
    axes : int or sequence of int, optional
        The convolved axes. With ``kernel.ndim == x.ndim``, kernel axis j pairs with axis j of `x` and the axes not
        named broadcast both ways; otherwise kernel axis i pairs with ``axes[i]``. None names all.
    boundary : str or one per axis
        How x is extended beyond its ends, by `numpy.pad`'s names: 'constant', 'edge', 'symmetric', 'reflect', 'wrap'. A
        gap near the end is extended as a gap.
    fill_value : number, optional
        The samples outside the array with 'constant'. None: nothing is there, so windows at the ends are means of what
        they contain. A NaN is treated as one in `x`.
    stride, dilation : int or one per axis
        Step between outputs; distance between taps, in samples.
    lags : int, (first, last) or one of these per axis, optional
        Compute only these lags of a correlation, ends included: an int L means -L..L. Excludes a mode and a stride, and
        needs ``correlate=True``.
    method : str
        'auto' runs the method that is predicted to be the fastest; a name, such as 'direct', 'im2col' or 'fft', forces
        it. `arrayconv.explain` lists them all.
    accuracy : {'normwise', 'componentwise'}
        How the rounding error must be bounded; 'componentwise' keeps 'auto' off the FFT.
    dtype : dtype, optional
        Wider dtype for the sums and the result.
    max_workspace : int, optional
        Bytes each of the convolutions may allocate beyond its operands and result; masks and the sums between them are
        not counted.

    Returns
    -------
    y : array
        Of the library, device and dtype of ``convolve(x, kernel)``; for integers of float64, float32 where the device
        has no float64. NaN where the output has no support.
    weight : array
        If `return_weight`: the denominators, in the shape and dtype of `y`; exactly 0 without support. ``y * weight``
        is the sum of what is there.

    Raises
    ------
    TypeError
        If the operands are of two libraries or devices, or of a dtype without a convolution (bool, object); if `where`
        is not boolean, or of another library or device than `x`; if values must be read while a compiler traces
        (``nan_policy='raise'``).
    ValueError
        If an option is unknown or sizes contradict each other; if `where` does not broadcast to the shape of `x`,
        `min_weight` is no share, 'raise' finds a NaN, or the kernel sums to 0 up to rounding,
        ``abs(sum) <= taps * eps * sum(abs)``, where it can be read.
    NotImplementedError
        If a forced `method` cannot run the problem (the text says why).

    See Also
    --------
    convolve : all samples are there.
    arrayconv.astronomy : the functions of `astropy.convolution`.

    Notes
    -----
    An output has support if a sample that is there is under a tap other than 0. Integers decide that, never a rounded
    weight, so NaN marks the same outputs by every method and library. There is no warning, even if no output has it.

    Negative and complex taps are summed with their signs, so a constant remains that constant under every kernel. The
    weight may then cancel: the quotient is large, or infinite or NaN if the weight is 0, though there is support.
    `min_weight` removes such outputs. A kernel that sums to 0, a derivative, has no mean. Where its values can't be
    read (a GPU, a trace, a gradient) the division decides, usually NaN.

    Infinities are samples, and contaminate only the outputs whose window contains them. Sums overflow where those of
    `convolve` do.

    Two convolutions in one call, three where outputs may lack support, two calls with a `fill_value`. Differentiable on
    torch and JAX with respect to `x` and `kernel`: missing samples and outputs without support have zero gradients.
    Knutsson and Westin (1993), Normalized and differential convolution, is the source of the name.

    Examples
    --------
    >>> import numpy as np, arrayconv
    >>> x = np.array([1.0, np.nan, 3.0, 5.0, np.nan, np.nan, np.nan])
    >>> arrayconv.normalized_convolve(x, [1, 1, 1], "same")
    array([ 1.,  2.,  4.,  4.,  5., nan, nan])
    >>> y, weight = arrayconv.normalized_convolve(x, [1, 1, 1], "same", min_weight=0.5, return_weight=True)
    >>> y
    array([nan,  2.,  4.,  4., nan, nan, nan])
    >>> weight
    array([1., 2., 2., 2., 1., 0., 0.])
    """
    function = "normalized_convolve"
    if flag(function, "correlate", correlate):
        geometry = positional.correlated(function, mode, axes, boundary, stride, dilation, lags)
        geometry = geometry._replace(correlates=True)
    else:
        if lags is not None:
            raise ValueError(f"{function}: `lags` are those of a correlation. Got lags={lags!r}. Pass correlate=True.")
        geometry = positional.geometry(function, "full" if mode is None else mode, axes, boundary, stride, dilation)
    shared = method, accuracy, max_workspace, fill_value
    request = options.request(function, geometry, nan_policy, min_weight, return_weight, shared)
    validated = operands(function, x, kernel, dtype)
    x, kernel = validated.x, validated.kernel
    planned = options.problems(function, shape_of(x), shape_of(kernel), request)
    with on_device(validated.xp, validated.device):
        where = mask.parse_where(function, where, validated)
        output = quotient.output_name(validated)
        prepare.check_fill(function, request.choice.fill_value, validated.traits._replace(output=output))
        support.check_sum(function, support.readable_taps(validated, planned), output)
        if nan_policy == "raise" and not dry_run.is_stand_in(x):
            mask.check_no_nan(function, x, where, validated.traits.library, xp=validated.xp)
        y, weight = prepare.as_planned_program(
            validated.traits.library, _quotient, (request, output), (x, kernel, where)
        )
    return (y, weight) if request.return_weight else y


def _quotient(request: options.Request, output: str, x: Any, kernel: Any, where: Any) -> Any:
    return quotient.quotient(request, x, kernel, where, output)
