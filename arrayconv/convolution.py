"""The front door: `convolve`, `correlate` and `lags`; `_problem.positional` says what their options mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from arrayconv._arrays.operands import operands
from arrayconv._calls import cache, prepare
from arrayconv._calls.binding import bind
from arrayconv._calls.explanation import shape_argument
from arrayconv._errors import check_option
from arrayconv._problem import positional
from arrayconv._problem.axes import MODES, Mode, is_sequence, mode_axis, positive_per_axis
from arrayconv._problem.spec import Axis
from arrayconv._runtime.capacity import check_result
from arrayconv._runtime.tracing import shape_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import Accuracy, ArrayLike, ArrayT, Boundaries, Method, NumPyLike

__all__ = ["convolve", "correlate", "lags"]


@overload
def convolve(
    x: NumPyLike,
    kernel: ArrayLike,
    mode: Mode = "full",
    *,
    axes: Sequence[int] | int | None = None,
    boundary: Boundaries = "constant",
    fill_value: complex = 0,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
    out: Any = None,
) -> NDArray[Any]: ...
@overload
def convolve(
    x: ArrayT,
    kernel: ArrayLike,
    mode: Mode = "full",
    *,
    axes: Sequence[int] | int | None = None,
    boundary: Boundaries = "constant",
    fill_value: complex = 0,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
    out: Any = None,
) -> ArrayT: ...
def convolve(
    x: Any,
    kernel: ArrayLike,
    mode: Mode = "full",
    *,
    axes: Sequence[int] | int | None = None,
    boundary: Boundaries = "constant",
    fill_value: complex = 0,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
    out: Any = None,
) -> Any:
    """Convolve an array with a kernel over chosen axes, on the array's own library and device.

    ``y[n] = sum_k kernel[k] * X[n - dilation*k]`` on every convolved axis, where X is `x` extended by `boundary`.

    Parameters
    ----------
    x : array, shape (..., n_1, ..., n_d)
        Integer, real or complex data of any supported library; nested lists become a NumPy array.
    kernel : array, shape (..., k_1, ..., k_d)
        Kernel, of the same library and device. Nested lists become an array like `x`.
    mode : {'full', 'same', 'valid'}
        Which outputs: n + k_eff - 1, n or n - k_eff + 1 per axis, relative to `x`, k_eff = dilation*(k - 1) + 1.
        'same' is the slice of 'full' that starts at (k_eff - 1) // 2.
    axes : int or sequence of int, optional
        The convolved axes. With ``kernel.ndim == x.ndim``, kernel axis j pairs with axis j of `x` and the axes not
        named broadcast both ways; otherwise kernel axis i pairs with ``axes[i]``. None names all.
    boundary : str or one per axis
        How x is extended beyond its ends, by `numpy.pad`'s names: 'constant', 'edge', 'symmetric', 'reflect', 'wrap'.
    fill_value : number
        The constant of 'constant'.
    stride, dilation : int or one per axis
        Step between outputs; distance between taps, in samples.
    method : str
        'auto', 'direct', 'im2col', 'banded', 'dot', 'fft', 'overlap_save', 'numpy_convolve', 'native_loops',
        'native_tiles', 'native_images', 'native_dots', 'native_winograd', 'torch_conv', 'cudnn_conv', 'xla_conv',
        'xla_gpu_conv', 'xla_loops', 'xla_tiles', 'xla_images', 'xla_dots', 'xla_winograd', 'cuda_loops', 'cuda_rows',
        'cuda_tiles', 'cuda_line', 'cuda_dots' or 'cuda_fft'.
    accuracy : {'normwise', 'componentwise'}
        How the rounding error must be bounded; 'componentwise' keeps 'auto' off the FFT.
    dtype : dtype, optional
        Wider dtype for the sums and the result.
    max_workspace : int, optional
        Bytes the call may allocate beyond its operands and result.
    out : array, optional
        Where to write: the result's exact shape, dtype and device. May overlap the operands.

    Returns
    -------
    array
        Of the library and device of `x`. Like kinds promote by the Array API standard; an integer with a float
        takes the float's dtype. Integers are exact and wrap. `out` itself where there is one.

    Raises
    ------
    TypeError
        If the operands are of two libraries or devices, or of a dtype without a convolution (bool, object).
    ValueError
        If an option is unknown, sizes contradict each other, or `max_workspace` is too small for any piece.
    NotImplementedError
        If a forced `method` cannot run the problem (the text says why).

    See Also
    --------
    correlate : the same without reversing the kernel.
    explain : which method would run, and why not the others.
    einconv : labelled axes, channels and groups.

    Notes
    -----
    O(n k) operations directly, O(n log n) by FFT; `explain` prints the choice and its workspace. NaN and infinities
    contaminate only the outputs whose window contains them, by every method. Differentiable where the library is.
    Dask arrays give Dask arrays, computed chunk by chunk (see the page on Dask).

    Examples
    --------
    >>> import arrayconv
    >>> arrayconv.convolve([1, 2, 3, 4, 5], [1, 10], mode="same")
    array([ 1, 12, 23, 34, 45])
    """
    options = mode, axes, boundary, stride, dilation, dtype, method, accuracy, max_workspace, fill_value
    cache_key = cache.key("convolve", (x, kernel), options)
    call = cache.lookup(cache_key)
    if call is None:
        geometry = positional.geometry("convolve", mode, axes, boundary, stride, dilation)
        choice = prepare.options("convolve", method, accuracy, max_workspace, fill_value)
        validated = operands("convolve", x, kernel, dtype)
        x, kernel = validated.x, validated.kernel
        problem = positional.problem("convolve", shape_of(x), shape_of(kernel), geometry)
        call = cache.store(cache_key, bind("convolve", validated, problem, choice, out=out))
    return call(x, kernel, out=out)


@overload
def correlate(
    x: NumPyLike,
    kernel: ArrayLike,
    mode: Mode | None = None,
    *,
    axes: Sequence[int] | int | None = None,
    boundary: Boundaries = "constant",
    fill_value: complex = 0,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    lags: Any = None,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
    out: Any = None,
) -> NDArray[Any]: ...
@overload
def correlate(
    x: ArrayT,
    kernel: ArrayLike,
    mode: Mode | None = None,
    *,
    axes: Sequence[int] | int | None = None,
    boundary: Boundaries = "constant",
    fill_value: complex = 0,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    lags: Any = None,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
    out: Any = None,
) -> ArrayT: ...
def correlate(
    x: Any,
    kernel: ArrayLike,
    mode: Mode | None = None,
    *,
    axes: Sequence[int] | int | None = None,
    boundary: Boundaries = "constant",
    fill_value: complex = 0,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    lags: Any = None,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
    out: Any = None,
) -> Any:
    """Correlate an array with a kernel over chosen axes, on the array's own library and device.

    ``y[l] = sum_n X[l + dilation*n] * conj(kernel[n])`` on every convolved axis, where X is `x` extended by
    `boundary`; the kernel is conjugated, as NumPy and SciPy do.

    Parameters
    ----------
    x : array, shape (..., n_1, ..., n_d)
        Integer, real or complex data of any supported library; nested lists become a NumPy array.
    kernel : array, shape (..., k_1, ..., k_d)
        Kernel, of the same library and device. Nested lists become an array like `x`.
    mode : {'full', 'same', 'valid'}, optional
        Which outputs: n + k_eff - 1, n or n - k_eff + 1 per axis, relative to `x`, k_eff = dilation*(k - 1) + 1. 'full'
        by default; 'same' starts at lag ``-(k_eff // 2)``.
    axes : int or sequence of int, optional
        The convolved axes. With ``kernel.ndim == x.ndim``, kernel axis j pairs with axis j of `x` and the axes not
        named broadcast both ways; otherwise kernel axis i pairs with ``axes[i]``. None names all.
    boundary : str or one per axis
        How x is extended beyond its ends, by `numpy.pad`'s names: 'constant', 'edge', 'symmetric', 'reflect', 'wrap'.
    fill_value : number
        The constant of 'constant'.
    stride, dilation : int or one per axis
        Step between outputs; distance between taps, in samples.
    lags : int, (first, last) or one of these per axis, optional
        Compute only these lags, ends included: an int L means -L..L. Excludes a mode and a stride.
    method : str
        'auto' runs the method that is predicted to be the fastest; a name, such as 'direct', 'im2col' or 'fft', forces
        it. `arrayconv.explain` lists them all.
    accuracy : {'normwise', 'componentwise'}
        How the rounding error must be bounded; 'componentwise' keeps 'auto' off the FFT.
    dtype : dtype, optional
        Wider dtype for the sums and the result.
    max_workspace : int, optional
        Bytes the call may allocate beyond its operands and result.
    out : array, optional
        Where to write: the result's exact shape, dtype and device. May overlap the operands.

    Returns
    -------
    array
        Of the library and device of `x`. Like kinds promote by the Array API standard; an integer with a float
        takes the float's dtype. Integers are exact and wrap. `out` itself where there is one.
        ``arrayconv.lags(n, k, mode)`` gives the lag of every output of the three modes.

    Raises
    ------
    TypeError
        If the operands are of two libraries or devices, or of a dtype without a convolution (bool, object).
    ValueError
        If an option is unknown, sizes contradict each other, `lags` does not ascend or is combined with `mode` or
        `stride`, or `max_workspace` is too small for any piece.
    NotImplementedError
        If a forced `method` cannot run the problem (the text says why).

    See Also
    --------
    convolve : the same with the kernel reversed and not conjugated.
    lags : the lag of every output.
    match_template : correlations normalised by the energy of each window.

    Notes
    -----
    O(n k) operations directly, O(n log n) by FFT; with `lags`, one product per lag and tap. NaN and infinities
    contaminate only the outputs whose window contains them, by every method. Differentiable where the library is.
    Dask arrays give Dask arrays, computed chunk by chunk.

    Examples
    --------
    >>> import arrayconv
    >>> arrayconv.correlate([1, 2, 3, 4, 5], [1, 10], mode="same")
    array([10, 21, 32, 43, 54])
    >>> arrayconv.correlate([1, 2, 3, 4, 5], [1, 10], lags=(0, 1))
    array([21, 32])
    """
    options = mode, axes, boundary, stride, dilation, lags, dtype, method, accuracy, max_workspace, fill_value
    cache_key = cache.key("correlate", (x, kernel), options)
    call = cache.lookup(cache_key)
    if call is None:
        geometry = positional.correlated("correlate", mode, axes, boundary, stride, dilation, lags)
        geometry = geometry._replace(correlates=True)
        choice = prepare.options("correlate", method, accuracy, max_workspace, fill_value)
        validated = operands("correlate", x, kernel, dtype)
        x, kernel = validated.x, validated.kernel
        problem = positional.problem("correlate", shape_of(x), shape_of(kernel), geometry)
        call = cache.store(cache_key, bind("correlate", validated, problem, choice, out=out))
    return call(x, kernel, out=out)


@overload
def lags(n: int, k: int, mode: Mode = "full", *, stride: Any = 1, dilation: Any = 1) -> NDArray[np.int64]: ...
@overload
def lags(
    n: Sequence[int], k: Sequence[int], mode: Mode = "full", *, stride: Any = 1, dilation: Any = 1
) -> tuple[NDArray[np.int64], ...]: ...
def lags(n: Any, k: Any, mode: Mode = "full", *, stride: Any = 1, dilation: Any = 1) -> Any:
    """Return the lag of every output of a correlation of `n` samples with `k` taps.

    Parameters
    ----------
    n, k : int or tuple of int
        Sizes of x and the kernel on the correlated axes.
    mode : {'full', 'same', 'valid'}
        Which outputs: n + k_eff - 1, n or n - k_eff + 1 per axis, k_eff = dilation*(k - 1) + 1; 'same' starts at lag
        ``-(k_eff // 2)``.
    stride, dilation : int or one per axis
        Step between outputs; distance between taps, in samples.

    Returns
    -------
    numpy.ndarray of int64, or a tuple of them
        ``lags[i]`` is the l of ``sum_n x[l + dilation*n] * conj(kernel[n])`` at output i; one array per axis where
        `n` and `k` are tuples.

    Raises
    ------
    ValueError
        If the mode is unknown, sizes are negative, `k` is 0, or a valid correlation does not fit.

    Examples
    --------
    >>> import arrayconv
    >>> arrayconv.lags(5, 2, "same")
    array([-1,  0,  1,  2,  3])
    """
    check_option("lags", "mode", mode, MODES)
    sizes, taps = (
        shape_argument("lags", name, tuple(value) if is_sequence(value) else value)
        for name, value in (("n", n), ("k", k))
    )
    if len(sizes) != len(taps):
        raise ValueError(f"lags: `n` and `k` must name as many axes. Got n={n!r}, k={k!r}.")
    if any(tap < 1 for tap in taps):
        raise ValueError(f"lags: `k` must be at least 1 on every axis. Got n={n!r}, k={k!r}.")
    strides = positive_per_axis("lags", "stride", stride, len(sizes))
    dilations = positive_per_axis("lags", "dilation", dilation, len(sizes))
    each = [
        mode_axis("lags", Axis(size, tap, 0, stride=s, dilation=d), mode)
        for size, tap, s, d in zip(sizes, taps, strides, dilations, strict=True)
    ]
    for axis in each:
        check_result("lags", (axis.outputs,), axis.outputs, 8, "Ask for the lags of smaller `n`, `k` or `dilation`")
    values = tuple(np.arange(axis.outputs, dtype=np.int64) * axis.stride - axis.before for axis in each)
    return values if is_sequence(n) else values[0]
