"""The front door that says what a call would do: `explain`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from inspect import BoundArguments
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, overload

from arrayconv._arrays.traits import Traits
from arrayconv._calls import around, chunked, dry_call, explanation, prepare, timing
from arrayconv._calls.explanation import Explanation, shape_argument
from arrayconv._einconv import lowering, options
from arrayconv._einconv.labels import labelling, refuse_labelled, refuse_numbered
from arrayconv._errors import flag
from arrayconv._problem import positional
from arrayconv._problem.axes import Mode
from arrayconv._problem.problem import Problem

if TYPE_CHECKING:
    from arrayconv.typing import Accuracy, Method

__all__ = ["explain"]

_Parameters = ParamSpec("_Parameters")
_EINCONV = "arrayconv.einconv"
_GEOMETRY = {  # the options of `einconv` that decide shapes, in the order of `Geometry`
    "stride": 1,
    "dilation": 1,
    "upsample": 1,
    "padding": "valid",
    "boundary": "constant",
    "flip": False,
    "conj": False,
}


class _Explain(Protocol[_Parameters]):
    """`explain` as type checkers see it: with the options below, or with those of `call`."""

    @overload
    def __call__(self, *args: _Parameters.args, **kwargs: _Parameters.kwargs) -> Explanation: ...
    @overload
    def __call__(self, *arguments: Any, call: Callable[..., Any], **options: Any) -> Explanation: ...


def _or_of_call(function: Callable[_Parameters, Explanation]) -> _Explain[_Parameters]:
    """Let `explain` take the arguments of `call` in place of its own."""

    @wraps(function)
    def explain(*arguments: Any, call: Any = None, **options: Any) -> Explanation:
        if call is None:
            return function(*arguments, **options)
        return _of_call(call, arguments, **options)

    return explain  # pyright: ignore[reportReturnType]


@_or_of_call
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
    method: Method = "auto",
    accuracy: Accuracy = "normwise",
    dtype: Any = None,
    max_workspace: int | None = None,
    like: Any = None,
    card: str | None = None,
    measure: bool = False,
    pattern: str | None = None,
    padding: Any = "valid",
    upsample: Any = 1,
    flip: bool = False,
    conj: bool = False,
    sizes: Mapping[str, int] | None = None,
    call: Any = None,
    derivatives: bool = False,
) -> Explanation:
    """Say what a call would do: which method, and why not the others. Computes nothing unless `measure` is set.

    ``explain(*arguments, call=function, **options)`` explains ``function(*arguments, **options)`` for every function of
    this package that convolves: `convolve`, `correlate`, `einconv`, `normalized_convolve`, those of `signal`,
    `ndimage`, `nn`, `nn.grad` and `astronomy`, a `Convolver`, a layer of `nn.modules`. Without `call` it is `convolve`;
    with `lags`, `correlate`; with `pattern`, `einconv`.

    Parameters
    ----------
    x_or_shape, kernel_or_shape : array, or tuple of int
        The operands, or their shapes (an int for one axis).
    mode : {'full', 'same', 'valid'}, optional
        Which outputs: n + k_eff - 1, n or n - k_eff + 1 per axis, relative to x; 'full' by default. Not with `pattern`.
    axes : int or sequence of int, optional
        The convolved axes; None names all. Not with `pattern`.
    boundary : str or one per axis
        How x is extended beyond its ends: 'constant', 'edge', 'symmetric', 'reflect', 'wrap'. With `pattern` this,
        `stride` and `dilation` may be dicts by label.
    fill_value : number
        The constant of 'constant'.
    stride, dilation : int or one per axis
        Step between outputs; distance between taps, in samples.
    lags : int, (first, last) or one of these per axis, optional
        The lags of a correlation, ends included. Excludes a mode, a stride and `pattern`.
    method : str
        'auto', or the name of the method that must run.
    accuracy : {'normwise', 'componentwise'}
        How the rounding error must be bounded; 'componentwise' keeps 'auto' off the FFT.
    max_workspace : int, optional
        Bytes the call may allocate beyond its operands and result.
    dtype : dtype or str, optional
        Dtype of the result. With shapes alone 'float64' by default.
    like : array, namespace or str, optional
        Whose library and device to plan for, where `x_or_shape` is a shape. NumPy by default.
    card : str, optional
        A GPU to plan for, such as 'H100', by shapes: neither it nor the library need be there. `like` is then the
        name of a library, 'cupy' by default. Costs are predicted from the card's data sheet, or from what
        ``python -m arrayconv tune --gpu`` measured on it.
    measure : bool
        Run every method that is not refused, some seconds in all, on the arrays, or on numbers of these shapes.
    pattern : str, optional
        The labels of an `einconv` call, which is then explained.
    padding : {'valid', 'full', 'same', 'same_lower'}, int, (before, after), or one per label
        Samples read beyond the ends of x. This and the next four only with `pattern`.
    upsample : int, sequence or dict
        `upsample` - 1 zeros are read between samples of x.
    flip, conj : bool
        Reverse the kernel; conjugate it.
    sizes : dict of str to int, optional
        Sizes of labels in split axes that the other operand does not determine.
    call : function, `Convolver` or layer, optional
        The function to explain. All other arguments are then its own, except `like`, `dtype` (of the arrays whose
        shapes are passed, and the function's option where it has one) and `derivatives`. A shape may replace every
        array; a list is data. Arrays to write to are refused.
    derivatives : bool
        Whether to explain the gradients of x and the kernel too, of each pass where there are several.

    Returns
    -------
    Explanation
        Its fields can be inspected; ``str()`` of it is a table. With `pattern` it says what each label became. A call
        of several convolutions, such as a filter of `ndimage` along every axis, has them in `passes`, each with its
        axis, cost and explanation. `remarks` say what the function decided before it planned.

    Raises
    ------
    TypeError
        If the operands are of two libraries or devices, or of a dtype without a convolution; if `call` is none of the
        above; for `derivatives` of integers.
    ValueError
        If an option is unknown or sizes contradict each other; if options of `convolve` and `einconv` are mixed; for
        `measure` under a tracer or beside `call`; for an unknown `card`, and for `card` beside arrays, `measure` or
        `call`.
    NotImplementedError
        If a forced `method` cannot run the problem.

    Notes
    -----
    The call itself is made, up to where a plan would run: nothing is translated a second time, so that the method
    explained is the one that runs. With a function of `ndimage` that takes a function, that one is called as well.

    Examples
    --------
    >>> import arrayconv
    >>> arrayconv.explain((2048, 2048), (3, 3), mode="same").output_shape
    (2048, 2048)
    >>> found = arrayconv.explain((8, 32, 32, 3), (5, 5, 3, 16), pattern="b h w c, h w c o -> b h w o | h w")
    >>> dict(found.roles)["channels"]
    ('c',)
    >>> arrayconv.explain((4096, 4096), (5, 5), "same", dtype="float32", card="H100").method
    'cuda_rows'

    Any other function, its arguments as they are, shapes in place of arrays:

    >>> from arrayconv import ndimage, nn
    >>> found = arrayconv.explain((8, 3, 32, 32), (16, 3, 5, 5), call=nn.conv2d, padding=2, derivatives=True)
    >>> found.output_shape, [(name, gradient.output_shape) for name, gradient in found.gradients]
    ((8, 16, 32, 32), [('x', (8, 3, 32, 32)), ('kernel', (16, 3, 5, 5))])
    >>> found = arrayconv.explain((512, 512), 3, call=ndimage.gaussian_filter, dtype="float32")
    >>> [(step.axis, step.taps) for step in found.passes]
    [(0, 25), (1, 25)]
    """
    requested = prepare.options("explain", method, accuracy, max_workspace, fill_value)
    measure, derivatives = flag("explain", "measure", measure), flag("explain", "derivatives", derivatives)
    if measure and card is not None:
        raise ValueError(f"explain: `measure` runs on arrays, not on a card by its name. Got card={card!r}.")
    if pattern is None:
        refuse_labelled(padding, upsample, flip, conj, sizes)
        geometry = positional.correlated("explain", mode, axes, boundary, stride, dilation, lags)
        shapes, traits = explanation.call_inputs("explain", x_or_shape, kernel_or_shape, dtype, like, card)
        problem = positional.problem("explain", *shapes, geometry)
        labels = explanation.UNLABELLED
    else:
        refuse_numbered(mode, axes, lags)
        values = (stride, dilation, upsample, padding, boundary, flip, conj)
        labelled = options.frozen("explain", values, {} if sizes is None else sizes)
        shapes, traits = explanation.call_inputs("explain", x_or_shape, kernel_or_shape, dtype, like, card)
        problem = lowering.problem("explain", pattern, *shapes, labelled)
        labels = labelling("explain", pattern, *shapes, labelled, (traits.output, traits.accumulator))
    prepare.check_fill("explain", fill_value, traits)
    if traits.chunk_backend and hasattr(x_or_shape, "chunks"):
        operands = x_or_shape, kernel_or_shape
        return _of_chunks(operands, shapes[1], (traits, problem, requested), labels, measure, derivatives)
    plan = prepare.plan("explain", problem, traits, requested)
    times = None
    if measure:
        subjects = timing.subjects(x_or_shape, kernel_or_shape, shapes, traits, dtype, like)
        times = timing.methods(subjects, problem, requested, plan.candidates)
    gradients = explanation.gradients("explain", plan, requested.fill_value, shapes) if derivatives else ()
    overhead_ns = around.call_ns(traits, "einconv" if pattern else "convolution", 1)
    return explanation.explanation(plan, problem.shape, labels, times, gradients, overhead_ns)


def _of_chunks(
    operands: tuple[Any, Any],
    kernel_shape: tuple[int, ...],
    call: tuple[Traits, Problem, prepare.Options],
    labels: explanation.Labelling,
    measure: bool,
    derivatives: bool,
) -> Explanation:
    """Explain what a task of a call on a Dask array does."""
    if measure:
        raise ValueError("explain: `measure` runs on arrays, not on Dask's. Pass the shape of a chunk with its halo.")
    if derivatives:
        raise TypeError(
            "explain: Dask arrays have no gradients. Leave `derivatives` out, or pass the shape of a chunk."
        )
    one, remarks = chunked.planned("explain", operands, kernel_shape, *call)
    return replace(explanation.explanation(one.plan, call[1].shape, labels), remarks=remarks)


def _of_call(
    call: Any,
    arguments: Sequence[Any],
    *,
    like: Any = None,
    dtype: Any = None,
    derivatives: bool = False,
    measure: bool = False,
    card: str | None = None,
    **options: Any,
) -> Explanation:
    """Explain a call by its own arguments."""
    if card is not None:
        raise ValueError(f"explain: `card` is for calls without `call`. Got card={card!r}. Leave one of them out.")
    derivatives = flag("explain", "derivatives", derivatives)
    if flag("explain", "measure", measure):
        raise ValueError("explain: `measure` is for calls without `call`. Got measure=True. Leave one of them out.")
    if dry_call.is_convolver(call):
        if dtype is not None:
            raise TypeError(f"explain: a Convolver has its dtype already. Got dtype={dtype!r}. Leave it out.")
        return call.explain(*arguments, like=like, derivatives=derivatives, **options)
    described, bound = dry_call.explained(call, arguments, options, like, dtype, derivatives)
    if call.__module__ != _EINCONV:
        return described
    labels = _labels_of(bound, described)
    return replace(described, **labels._asdict())


def _labels_of(bound: BoundArguments, described: Explanation) -> explanation.Labelling:
    """Return what the labels of an `einconv` call became."""
    values = bound.arguments
    x_shape, kernel_shape = (shape_argument("explain", name, values[name]) for name in ("x", "kernel"))
    geometry = [values.get(name, default) for name, default in _GEOMETRY.items()]
    frozen = options.frozen("explain", geometry, values.get("sizes", {}))
    dtypes = described.dtype, described.accumulator
    return labelling("explain", values["pattern"], x_shape, kernel_shape, frozen, dtypes)
