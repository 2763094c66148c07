"""The front door for labelled axes: `einconv`, convolution as einsum with a bar.

What a label does follows from where it is written: after the bar it is convolved; in both operands and the output it
is a group, in both operands only a channel that is summed; in x and the output a batch, in the kernel and the output a
filter; in one operand only it is summed away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, overload

from arrayconv._arrays.operands import operands
from arrayconv._calls import cache, prepare
from arrayconv._calls.binding import bind
from arrayconv._einconv import lowering
from arrayconv._einconv.options import frozen
from arrayconv._runtime.tracing import shape_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv.typing import Accuracy, ArrayLike, ArrayT, Boundaries, Boundary, Method, NumPyLike, Padding, PerAxis

__all__ = ["einconv"]


@overload
def einconv(
    pattern: str,
    x: NumPyLike,
    kernel: ArrayLike,
    *,
    stride: PerAxis | Mapping[str, int] = 1,
    dilation: PerAxis | Mapping[str, int] = 1,
    upsample: PerAxis | Mapping[str, int] = 1,
    padding: Padding | list[Any] | tuple[Any, ...] | Mapping[str, Any] = "valid",
    boundary: Boundaries | Mapping[str, Boundary] = "constant",
    fill_value: complex = 0,
    flip: bool = False,
    conj: bool = False,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
    out: Any = None,
    **sizes: int,
) -> NDArray[Any]: ...
@overload
def einconv(
    pattern: str,
    x: ArrayT,
    kernel: ArrayLike,
    *,
    stride: PerAxis | Mapping[str, int] = 1,
    dilation: PerAxis | Mapping[str, int] = 1,
    upsample: PerAxis | Mapping[str, int] = 1,
    padding: Padding | list[Any] | tuple[Any, ...] | Mapping[str, Any] = "valid",
    boundary: Boundaries | Mapping[str, Boundary] = "constant",
    fill_value: complex = 0,
    flip: bool = False,
    conj: bool = False,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
    out: Any = None,
    **sizes: int,
) -> ArrayT: ...
def einconv(
    pattern: str,
    x: Any,
    kernel: ArrayLike,
    *,
    stride: PerAxis | Mapping[str, int] = 1,
    dilation: PerAxis | Mapping[str, int] = 1,
    upsample: PerAxis | Mapping[str, int] = 1,
    padding: Padding | list[Any] | tuple[Any, ...] | Mapping[str, Any] = "valid",
    boundary: Boundaries | Mapping[str, Boundary] = "constant",
    fill_value: complex = 0,
    flip: bool = False,
    conj: bool = False,
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
    out: Any = None,
    **sizes: int,
) -> Any:
    """Correlate arrays over labelled axes, with channels, groups and filters named in a pattern.

    ``einconv("b h w c, h w c o -> b h w o | h w", x, kernel)`` computes
    ``y[b, h, w, o] = sum_c sum_ij x[b, h + i, w + j, c] * kernel[i, j, c, o]``.

    Parameters
    ----------
    pattern : str
        ``"x labels, kernel labels -> output labels | convolved labels"``. Convolved labels are in both operands and
        the output. Of the others, one in both operands and the output is a group, in both operands only it is summed
        (channels), in one operand and the output it is a batch or filter axis, in one operand only it is summed away.
        ``(g c)`` splits an axis of an operand, or merges axes of the output; ``()`` is an axis of size 1.
    x, kernel : array
        Operands of one library and device, with the axes that the pattern names: integer, real or complex data. Nested
        lists become a NumPy array, or one like `x`.
    stride, dilation, upsample : int, sequence or dict
        Per convolved label, by position after the bar or by name: step between outputs, gap between taps, and
        `upsample` - 1 zeros between samples of x after it is extended.
    padding : {'valid', 'full', 'same', 'same_lower'}, int, (before, after), or one per label
        Samples read beyond the ends, after upsampling. 'same' and 'same_lower' give ceil(n / stride) outputs as XLA
        does: an odd pad goes after, respectively before.
    boundary : str, one per label, or dict
        How x is extended beyond its ends, by `numpy.pad`'s names: 'constant', 'edge', 'symmetric', 'reflect', 'wrap'.
    fill_value : number
        The constant of 'constant'.
    flip : bool
        Reverse the kernel: convolution instead of correlation.
    conj : bool
        Conjugate the kernel.
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
    **sizes : int
        Sizes of labels in split axes that the other operand does not determine: ``g=2``. That of a convolved label
        is its size in the operand that splits an axis into it.

    Returns
    -------
    array
        With the output's axes, of the library and device of `x`. Like kinds promote by the Array API standard; an
        integer with a float takes the float's dtype. Integers are exact and wrap. `out` itself where there is one.

    Raises
    ------
    ValueError
        If the pattern is malformed, sizes contradict each other or stay open, or an option names a label that is not
        convolved, all of them shown under carets in the pattern; if an option is unknown, or `max_workspace` is too
        small for any piece.
    TypeError
        If the operands are of two libraries or devices, or of a dtype without a convolution (bool, object), or a size
        is passed for a label that is in no operand.
    NotImplementedError
        If a forced `method` cannot run the problem (the text says why).

    See Also
    --------
    convolve, correlate : axes by number, without channels.
    arrayconv.nn : torch's layouts.
    explain : what each label became, and which method would run.

    Notes
    -----
    One multiply-add per output, tap and summed channel, or fewer by FFT. Differentiable where the library is.

    Examples
    --------
    >>> import numpy as np, arrayconv
    >>> x, kernel = np.ones((8, 32, 32, 3)), np.ones((5, 5, 3, 16))
    >>> arrayconv.einconv("b h w c, h w c o -> b h w o | h w", x, kernel).shape
    (8, 28, 28, 16)

    Two groups, as torch lays them out; how many there are follows from the shapes:

    >>> x, kernel = np.ones((8, 6, 32)), np.ones((4, 3, 5))
    >>> arrayconv.einconv("b (g c) n, (g o) c n -> b (g o) n | n", x, kernel, stride=2, padding={"n": "same"}).shape
    (8, 4, 16)
    """
    places = stride, dilation, upsample, padding, boundary, flip, conj
    options = pattern, *places, dtype, method, accuracy, max_workspace, fill_value, *sizes.items()
    cache_key = cache.key("einconv", (x, kernel), options)
    call = cache.lookup(cache_key)
    if call is None:
        geometry = frozen("einconv", places, sizes)
        choice = prepare.options("einconv", method, accuracy, max_workspace, fill_value)
        validated = operands("einconv", x, kernel, dtype)
        x, kernel = validated.x, validated.kernel
        problem = lowering.problem("einconv", pattern, shape_of(x), shape_of(kernel), geometry)
        call = cache.store(cache_key, bind("einconv", validated, problem, choice, out=out))
    return call(x, kernel, out=out)
