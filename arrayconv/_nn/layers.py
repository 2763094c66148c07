"""The layers of `nn.modules` without their number of axes: torch.nn's layers, whose calls run plans.

Each precedes torch's class among the bases of a public one, so that `super()` is torch's: parameters, initialisation
and state dicts are torch's own. Imports torch; `arrayconv.nn` imports this only for `nn.modules`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import torch
from torch import Tensor
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd  # pyright: ignore[reportPrivateUsage]

from arrayconv._calls import prepare
from arrayconv._errors import NO_NAMES, check_option
from arrayconv._nn import convolution
from arrayconv._nn.arguments import not_negative, positive, positive_number, window
from arrayconv._nn.shapes import batched
from arrayconv._problem.axes import is_sequence, per_axis
from arrayconv._problem.boundary import BOUNDARIES, FOREIGN, boundary_names
from arrayconv._runtime.tracing import shape_of

if TYPE_CHECKING:
    from arrayconv.typing import Accuracy, Boundaries, Method, Padding, PerAxis

PaddingMode = Literal["zeros", "replicate", "symmetric", "reflect", "circular"]

_BOUNDARY_OF = boundary_names("torch")
_MODE_OF = {boundary: mode for mode, boundary in _BOUNDARY_OF.items()}
_DEFAULTS = {"fill_value": 0, "method": "auto", "accuracy": "normwise", "max_workspace": None}


class _Planned(_ConvNd):
    """The options of our own that all layers have, as attributes, shown by repr where they are not the default.

    It precedes torch's class among the bases, so that `super()` is torch's.
    """

    _count: ClassVar[int]  # of spatial axes
    fill_value: complex
    method: str
    accuracy: str
    max_workspace: int | None

    def _keep(self, choice: prepare.Options) -> None:
        for option in _DEFAULTS:
            setattr(self, option, getattr(choice, option))

    def extra_repr(self) -> str:
        """Return torch's line, and the options of our own that are not the default."""
        parts = [f"{name}={getattr(self, name)!r}" for name, usual in _DEFAULTS.items() if getattr(self, name) != usual]
        return ", ".join([super().extra_repr(), *parts])


class Convolution(_Planned):
    """A convolution; its options are those that `nn.modules.Conv2d` documents."""

    padding_mode: Any  # torch's name or one per axis

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: PerAxis,
        stride: PerAxis = 1,
        padding: Padding = 0,
        dilation: PerAxis = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: PaddingMode | Sequence[PaddingMode] = "zeros",
        device: Any = None,
        dtype: Any = None,
        *,
        boundary: Boundaries | None = None,
        fill_value: complex = 0,
        method: Method = "auto",
        accuracy: Accuracy = "normwise",
        max_workspace: int | None = None,
    ) -> None:
        """Create a layer, which takes (batch, in_channels, size of each axis) or the same without the batch.

        Its weight has the shape (out_channels, in_channels / groups, taps of each axis); it and the bias are drawn as
        torch draws them.

        Parameters
        ----------
        in_channels, out_channels : int
            Channels of the input and of the output, multiples of `groups`.
        kernel_size : int or one per axis
            Taps along each axis.
        stride : int or one per axis
            Step between outputs, in samples.
        padding : {'valid', 'full', 'same', 'same_lower'}, int, one int or (before, after) pair per axis
            Samples read beyond the ends. 'valid' is 0, 'full' has an output wherever a tap multiplies a sample, 'same'
            gives ceil(n / stride) outputs with any stride. An odd pad goes after, by 'same_lower' before.
        dilation : int or one per axis
            Distance between taps, in samples.
        groups : int
            Number of independent convolutions that the channels are split into, in equal parts.
        bias : bool
            Whether each output channel has a number that is added.
        padding_mode : {'zeros', 'replicate', 'symmetric', 'reflect', 'circular'}, or one per axis
            How the input is extended, in torch's names, by any number of samples.
        device, dtype : optional
            Of the parameters, torch's defaults by default.
        boundary : {'constant', 'edge', 'symmetric', 'reflect', 'wrap'}, or one per axis, optional
            How the input is extended, in `numpy.pad`'s names: in place of `padding_mode`.
        fill_value : number
            The constant of 'zeros' and 'constant'.
        method : str
            'auto' runs the method that is predicted to be the fastest; a name, such as 'direct', 'im2col' or 'fft',
            forces it. `arrayconv.explain` lists them all.
        accuracy : {'normwise', 'componentwise'}
            How the rounding error must be bounded; 'componentwise' keeps 'auto' off the FFT.
        max_workspace : int, optional
            Bytes a call may allocate beyond its operands and result.

        Raises
        ------
        ValueError
            If an option is unknown, channels are no multiples of `groups`, or both `boundary` and `padding_mode` are
            passed.
        TypeError
            If a number is no integer.
        """
        name, count = type(self).__name__, self._count
        modes = _modes(name, padding_mode, boundary, count)
        choice = prepare.options(name, method, accuracy, max_workspace, fill_value)
        taps = positive(name, "kernel_size", kernel_size, count)
        options = window(name, count, stride, padding, dilation, groups)
        _check_channels(name, in_channels, out_channels, options.groups)
        # torch refuses some of the paddings that are valid here, so it gets none.
        initialise = cast("Any", super().__init__)  # torch's for this number of axes
        sizes = (options.stride, 0, options.dilation, options.groups)
        initialise(in_channels, out_channels, taps, *sizes, bias, "zeros", device, dtype)
        self.padding = padding if isinstance(padding, str) else tuple([_side(entry) for entry in options.padding])
        self.padding_mode = modes[0] if len(set(modes)) == 1 else modes
        del self._reversed_padding_repeated_twice  # torch's own record of the padding, which would be wrong
        self._keep(choice)

    @property
    def boundary(self) -> tuple[str, ...]:
        """How each axis is extended, in `numpy.pad`'s names; set `padding_mode` to change it."""
        return tuple([_BOUNDARY_OF[mode] for mode in _modes(type(self).__name__, self.padding_mode, None, self._count)])

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Convolve with parameters that need not be the layer's own; torch's `forward` calls this."""
        name = type(self).__name__
        operands = _operands(name, input, weight, bias)
        mode = self.padding_mode
        boundary = (_BOUNDARY_OF.get(mode) if type(mode) is str else None) or self.boundary
        geometry = self._count, self.stride, self.padding, self.dilation, self.groups, boundary
        options = (*geometry, self.fill_value, self.method, self.accuracy, None, self.max_workspace)
        return convolution.convolve(name, *operands, options)


class Transposed(_Planned, _ConvTransposeNd):
    """A transposed convolution; its options are those that `nn.modules.ConvTranspose2d` documents."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: PerAxis,
        stride: PerAxis = 1,
        padding: PerAxis = 0,
        output_padding: PerAxis = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: PerAxis = 1,
        padding_mode: Literal["zeros"] = "zeros",
        device: Any = None,
        dtype: Any = None,
        *,
        method: Method = "auto",
        accuracy: Accuracy = "normwise",
        max_workspace: int | None = None,
    ) -> None:
        """Create a layer, which takes (batch, in_channels, size of each axis) or the same without the batch.

        Its weight has the shape (in_channels, out_channels / groups, taps of each axis); it and the bias are drawn as
        torch draws them.

        Parameters
        ----------
        in_channels, out_channels : int
            Channels of the input and of the output, multiples of `groups`.
        kernel_size : int or one per axis
            Taps along each axis.
        stride : int or one per axis
            Step between the outputs of neighbouring samples.
        padding : int or one per axis
            Outputs left out at both ends.
        output_padding : int or one per axis
            Outputs added at the far end; smaller than `stride` or `dilation`.
        groups : int
            Number of independent convolutions that the channels are split into, in equal parts.
        bias : bool
            Whether each output channel has a number that is added.
        dilation : int or one per axis
            Distance between taps, in outputs.
        padding_mode : {'zeros'}
            torch's argument: nothing but zeros is possible.
        device, dtype : optional
            Of the parameters, torch's defaults by default.
        method : str
            'auto' runs the method that is predicted to be the fastest; a name, such as 'direct', 'im2col' or 'fft',
            forces it. `arrayconv.explain` lists them all.
        accuracy : {'normwise', 'componentwise'}
            How the rounding error must be bounded; 'componentwise' keeps 'auto' off the FFT.
        max_workspace : int, optional
            Bytes a call may allocate beyond its operands and result.

        Raises
        ------
        ValueError
            If an option is unknown or channels are no multiples of `groups`.
        TypeError
            If a number is no integer.
        """
        name, count = type(self).__name__, self._count
        check_option(name, "padding_mode", padding_mode, ("zeros",))
        choice = prepare.options(name, method, accuracy, max_workspace, 0)
        groups = positive_number(name, "groups", groups)
        _check_channels(name, in_channels, out_channels, groups)
        taps = positive(name, "kernel_size", kernel_size, count)
        steps = positive(name, "stride", stride, count)
        sides = [not_negative(name, "padding", padding, count)]
        sides += [not_negative(name, "output_padding", output_padding, count)]
        dilations = positive(name, "dilation", dilation, count)
        initialise = cast("Any", super().__init__)
        sizes = (in_channels, out_channels, taps, steps, *sides, groups)
        initialise(*sizes, bias, dilations, padding_mode, device, dtype)
        self._keep(choice)

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Convolve transposed; `output_size` selects one of the sizes that a stride allows.

        Parameters
        ----------
        input : Tensor
            (batch, in_channels, *size), or without the batch.
        output_size : sequence of int, optional
            The requested spatial size, or the whole shape, in place of `output_padding`.

        Returns
        -------
        Tensor
            (batch, out_channels, *output_size), or without the batch.
        """
        name = type(self).__name__
        operands = _operands(name, input, self.weight, self.bias)
        extra = self.output_padding if output_size is None else self._extra(name, input, output_size)
        geometry = self._count, self.stride, self.padding, extra, self.groups, self.dilation
        options = (*geometry, self.method, self.accuracy, None, self.max_workspace)
        return convolution.transpose(name, *operands, options)

    def _extra(self, name: str, input: Tensor, output_size: Any) -> Any:
        batched(name, "input", shape_of(input), self._count)
        size, padding = list(output_size), cast("Any", self.padding)
        stride, taps, dilation = list(self.stride), list(self.kernel_size), list(self.dilation)
        try:
            return self._output_padding(input, size, stride, padding, taps, self._count, dilation)
        except ValueError as refusal:  # in torch's words, which name no layer
            raise ValueError(f"{name}: `output_size` must fit the input and the layer. Got: {refusal}.") from refusal


def _modes(name: str, padding_mode: Any, boundary: Any, count: int) -> tuple[str, ...]:
    """Return torch's padding modes, one per axis, from either vocabulary."""
    if boundary is not None:
        if padding_mode != "zeros":
            raise ValueError(
                f"{name}: `boundary` replaces `padding_mode`, so only one of them may be passed. "
                f"Got boundary={boundary!r}, padding_mode={padding_mode!r}."
            )
        entries = _entries(name, "boundary", boundary, count, BOUNDARIES, FOREIGN)
        return tuple([_MODE_OF[entry] for entry in entries])
    return _entries(name, "padding_mode", padding_mode, count, tuple(_BOUNDARY_OF))


def _entries(
    name: str, argument: str, value: Any, count: int, known: tuple[str, ...], foreign: Mapping[str, str] = NO_NAMES
) -> tuple[str, ...]:
    value = tuple(value) * count if is_sequence(value) and len(value) == 1 else value
    entries = per_axis(name, argument, value, count)
    for entry in entries:
        check_option(name, argument, entry, known, foreign=foreign)
    return entries


def _side(entry: Any) -> Any:
    """Return one axis' padding in torch's form where there is one: an int where both ends are equal."""
    return entry if isinstance(entry, str) or entry[0] != entry[1] else entry[0]


def _check_channels(name: str, in_channels: Any, out_channels: Any, groups: int) -> None:
    for argument, value in (("in_channels", in_channels), ("out_channels", out_channels)):
        number = positive_number(name, argument, value)
        if number % groups:
            raise ValueError(
                f"{name}: `{argument}` must be a multiple of `groups`. "
                f"Got {argument}={number}, groups={groups}: {number} % {groups} = {number % groups}."
            )


def _operands(name: str, input: Any, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return the operands of a layer, cast as torch's autocast casts those of its convolutions: all but float64."""
    if not isinstance(input, torch.Tensor):
        raise TypeError(
            f"{name}: `input` must be a torch tensor. Got {type(input).__name__}. "
            f"Convert it first, or call the function of `arrayconv.nn`, which takes arrays of every library."
        )
    device = input.device.type
    if device == "meta" or not torch.is_autocast_enabled(device):
        return input, weight, bias
    narrow = torch.get_autocast_dtype(device)
    bias = None if bias is None else _cast(bias, device, narrow)
    return _cast(input, device, narrow), _cast(weight, device, narrow), bias


def _cast(array: Tensor, device: str, narrow: torch.dtype) -> Tensor:
    eligible = array.is_floating_point() and array.dtype != torch.float64 and array.device.type == device
    return array.to(narrow) if eligible else array
