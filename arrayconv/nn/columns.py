"""Windows as columns, and their sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from arrayconv._nn import patches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import ArrayT, NumPyLike, PerAxis

__all__ = ["fold", "unfold"]


@overload
def fold(
    input: NumPyLike,
    output_size: PerAxis,
    kernel_size: PerAxis,
    dilation: PerAxis = 1,
    padding: PerAxis = 0,
    stride: PerAxis = 1,
) -> NDArray[Any]: ...
@overload
def fold(
    input: ArrayT,
    output_size: PerAxis,
    kernel_size: PerAxis,
    dilation: PerAxis = 1,
    padding: PerAxis = 0,
    stride: PerAxis = 1,
) -> ArrayT: ...
def fold(
    input: Any,
    output_size: PerAxis,
    kernel_size: PerAxis,
    dilation: PerAxis = 1,
    padding: PerAxis = 0,
    stride: PerAxis = 1,
) -> Any:
    """Add columns up at the positions that `unfold` would copy them from: its adjoint.

    Parameters
    ----------
    input : array, shape (batch, channels * taps, windows) or (channels * taps, windows)
        Columns, of an integer, real or complex dtype.
    output_size : int or sequence of int
        Spatial size of the result.
    kernel_size : int or sequence of int
        Taps per spatial axis. `kernel_size` or else `output_size` says how many axes there are; two where both are
        ints.
    dilation : int or one per axis
        Distance between taps.
    padding : int or one per axis
        Samples at both ends whose sums are left out.
    stride : int or one per axis
        Step between windows.

    Returns
    -------
    array
        (batch, channels, *output_size), or without the batch.

    Raises
    ------
    ValueError, TypeError
        If `input` has not as many columns as there are windows, shapes or options are malformed, or the dtype is bool.

    Notes
    -----
    One addition per entry of `input`. Source: `torch.nn.functional.fold`.

    Examples
    --------
    >>> from arrayconv import nn
    >>> nn.fold([[1, 2, 3], [2, 3, 4]], (4,), (2,))
    array([[1, 4, 6, 4]])
    """
    return patches.fold("fold", input, output_size, kernel_size, dilation, padding, stride)


@overload
def unfold(
    input: NumPyLike, kernel_size: PerAxis, dilation: PerAxis = 1, padding: PerAxis = 0, stride: PerAxis = 1
) -> NDArray[Any]: ...
@overload
def unfold(
    input: ArrayT, kernel_size: PerAxis, dilation: PerAxis = 1, padding: PerAxis = 0, stride: PerAxis = 1
) -> ArrayT: ...
def unfold(input: Any, kernel_size: PerAxis, dilation: PerAxis = 1, padding: PerAxis = 0, stride: PerAxis = 1) -> Any:
    """Copy every window of an array into a column.

    Parameters
    ----------
    input : array, shape (batch, channels, *size) or (channels, *size)
        Integer, real or complex data of any supported library; nested lists become a NumPy array.
    kernel_size : int or sequence of int
        Taps per spatial axis of `input`. An int means two axes, as in torch.
    dilation : int or one per axis
        Distance between taps.
    padding : int or one per axis
        Zeros added at both ends.
    stride : int or one per axis
        Step between windows.

    Returns
    -------
    array
        (batch, channels * taps, windows), or without the batch; windows in the order of the outputs of `conv`.

    Raises
    ------
    ValueError, TypeError
        If a window is longer than the padded axis, shapes or options are malformed, or the dtype is bool.

    Notes
    -----
    As many copies of each sample as windows contain it. Source: `torch.nn.functional.unfold`.

    Examples
    --------
    >>> from arrayconv import nn
    >>> nn.unfold([[1, 2, 3, 4]], (2,))
    array([[1, 2, 3],
           [2, 3, 4]])
    """
    return patches.unfold("unfold", input, kernel_size, dilation, padding, stride)
