"""The front door: `convolve`, `correlate`, `explain` and `lags`; `_problem.positional` says what their options mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from arrayconv._arrays.operands import operands
from arrayconv._calls import cache, explanation, prepare, timing
from arrayconv._calls.binding import bind
from arrayconv._einconv import lowering, options
from arrayconv._einconv.labels import labelling, refuse_labelled, refuse_numbered
from arrayconv._errors import check_option, flag
from arrayconv._problem import positional
from arrayconv._problem.axes import MODES, Mode, is_sequence, mode_axis, positive_per_axis
from arrayconv._problem.spec import Axis
from arrayconv._runtime.capacity import check_result
from arrayconv._runtime.tracing import shape_of

__all__ = ["convolve", "correlate", "explain", "lags"]


def convolve(
    x: Any,
    kernel: Any,
    mode: Mode = "full",
    *,
    axes: Sequence[int] | int | None = None,
    boundary: str | Sequence[str] = "constant",
    fill_value: complex = 0,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    method: str = "auto",
    accuracy: str = "normwise",
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
        What lies beyond the ends, by `numpy.pad`'s names: 'constant', 'edge', 'symmetric', 'reflect', 'wrap'.
    fill_value : number
        The constant of 'constant'.
    stride, dilation : int or one per axis
        Keep every stride-th output; put the taps `dilation` samples apart.
    method : str
        'auto', 'direct', 'im2col', 'banded', 'dot', 'fft', 'overlap_save', 'numpy_convolve', 'native_loops',
        'native_tiles', 'native_images', 'torch_conv', 'xla_conv', 'xla_loops', 'xla_tiles' or
        'xla_images'.
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
        takes the float's dtype. Integers are exact and wrap. `out` itself where that was given.

    Raises
    ------
    TypeError
        If the operands are of two libraries or devices, or of a dtype without a convolution (bool, object).
    ValueError
        If an option is unknown, sizes contradict each other, or `max_workspace` is too small for any piece.
    NotImplementedError
        If a forced `method` cannot run the problem (the text says why), or the array is lazy (Dask).

    See Also
    --------
    correlate : the same without reversing the kernel.
    explain : which method would run, and why not the others.
    einconv : labelled axes, channels and groups.

    Notes
    -----
    O(n k) operations directly, O(n log n) by FFT; `explain` prints the choice and its workspace. NaN and infinities
    spoil only the outputs whose window holds them, whatever the method. Differentiable where the library is.

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


def correlate(
    x: Any,
    kernel: Any,
    mode: Mode | None = None,
    *,
    axes: Sequence[int] | int | None = None,
    boundary: str | Sequence[str] = "constant",
    fill_value: complex = 0,
    stride: int | Sequence[int] = 1,
    dilation: int | Sequence[int] = 1,
    lags: Any = None,
    method: str = "auto",
    accuracy: str = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
    out: Any = None,
) -> Any:
    """Correlate an array with a kernel over chosen axes, on the array's own library and device.

    ``y[l] = sum_n X[l + dilation*n] * conj(kernel[n])`` on every convolved axis, where X is `x` extended by
    `boundary`; the kernel is conjugated, as NumPy and SciPy do.

    Parameters
    ----------
    x, kernel, axes, boundary, fill_value, stride, dilation, method, accuracy, dtype, max_workspace, out
        As in `convolve`.
    mode : {'full', 'same', 'valid'}, optional
        As in `convolve`, 'full' by default; 'same' starts at lag ``-(k_eff // 2)``.
    lags : int, (first, last) or one of these per axis, optional
        Compute only these lags, ends included: an int L means -L..L. Not together with a mode or a stride.

    Returns
    -------
    array
        As in `convolve`; ``arrayconv.lags(n, k, mode)`` gives the lag of every output of the three modes.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As in `convolve`, and if `lags` is given together with `mode` or `stride`, or does not ascend.

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


def explain(
    x_or_shape: Any,
    kernel_or_shape: Any,
    mode: Mode | None = None,
    *,
    axes: Sequence[int] | int | None = None,
    boundary: Any = "constant",
    fill_value: complex = 0,
    stride: Any = 1,
    dilation: Any = 1,
    lags: Any = None,
    method: str = "auto",
    accuracy: str = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
    like: Any = None,
    measure: bool = False,
    pattern: str | None = None,
    padding: Any = "valid",
    upsample: Any = 1,
    flip: bool = False,
    conj: bool = False,
    sizes: Mapping[str, int] | None = None,
) -> explanation.Explanation:
    """Say what a call would do: which method, and why not the others. Computes nothing unless told to `measure`.

    The call is `convolve`; with `lags`, `correlate`; with `pattern`, `einconv`.

    Parameters
    ----------
    x_or_shape, kernel_or_shape : array, or tuple of int
        The operands, or their shapes (an int for one axis).
    mode, axes, boundary, fill_value, stride, dilation, lags, method, accuracy, max_workspace
        As in `convolve` and `correlate`; with `pattern`, options as in `einconv`, and neither mode, axes nor lags.
    dtype : dtype or str, optional
        Dtype of the result. With shapes alone 'float64' by default.
    like : array, namespace or str, optional
        Whose library and device to plan for, where `x_or_shape` is a shape. NumPy by default.
    measure : bool
        Run every method that is not refused, some seconds in all, on the arrays or on numbers of the shapes given.
    pattern : str, optional
        The labels of an `einconv` call, which is then what is explained.
    padding, upsample, flip, conj, sizes
        As in `einconv`, `sizes` as a dict; only with `pattern`.

    Returns
    -------
    Explanation
        Its fields can be inspected; ``str()`` of it is a table. With `pattern` it says what each label became.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As the call itself would, if options of `convolve` and `einconv` are mixed, and for `measure` under a tracer.

    Examples
    --------
    >>> import arrayconv
    >>> arrayconv.explain((2048, 2048), (3, 3), mode="same").output_shape
    (2048, 2048)
    >>> found = arrayconv.explain((8, 32, 32, 3), (5, 5, 3, 16), pattern="b h w c, h w c o -> b h w o | h w")
    >>> dict(found.roles)["channels"]
    ('c',)
    """
    chosen = prepare.options("explain", method, accuracy, max_workspace, fill_value)
    measure = flag("explain", "measure", measure)
    if pattern is None:
        refuse_labelled(padding, upsample, flip, conj, sizes)
        geometry = positional.correlated("explain", mode, axes, boundary, stride, dilation, lags)
        x_shape, kernel_shape, found = explanation.call_inputs("explain", x_or_shape, kernel_or_shape, dtype, like)
        problem = positional.problem("explain", x_shape, kernel_shape, geometry)
        labels = explanation.UNLABELLED
    else:
        refuse_numbered(mode, axes, lags)
        given = (stride, dilation, upsample, padding, boundary, flip, conj)
        labelled = options.frozen("explain", given, {} if sizes is None else sizes)
        x_shape, kernel_shape, found = explanation.call_inputs("explain", x_or_shape, kernel_or_shape, dtype, like)
        problem = lowering.problem("explain", pattern, x_shape, kernel_shape, labelled)
        labels = labelling("explain", pattern, x_shape, kernel_shape, labelled, found)
    prepare.check_fill("explain", fill_value, found)
    plan = prepare.plan("explain", problem, found, chosen)
    if not measure:
        return explanation.explanation(plan, problem.shape, labels)
    subjects = timing.subjects(x_or_shape, kernel_or_shape, (x_shape, kernel_shape), found, dtype, like)
    times = timing.methods(subjects, problem, chosen, plan.candidates)
    return explanation.explanation(plan, problem.shape, labels, times)


def lags(n: Any, k: Any, mode: Mode = "full", *, stride: Any = 1, dilation: Any = 1) -> Any:
    """Return the lag of every output of a correlation of `n` samples with `k` taps.

    Parameters
    ----------
    n, k : int or tuple of int
        Sizes of x and the kernel on the correlated axes.
    mode : {'full', 'same', 'valid'}
        As in `correlate`.
    stride, dilation : int or one per axis
        As in `correlate`.

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
        explanation.shape_argument("lags", name, tuple(value) if is_sequence(value) else value)
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
