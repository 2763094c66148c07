"""torch.nn's transposed convolutions of one to three axes."""

from __future__ import annotations

import torch

from arrayconv._nn.layers import Transposed

__all__ = ["ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]


class ConvTranspose1d(Transposed, torch.nn.ConvTranspose1d):
    """Convolve transposed, over one axis: `torch.nn.ConvTranspose1d`, computed by arrayconv.

    A call takes ``(batch, in_channels, n)`` and returns ``(batch, out_channels, n')``, or both
    without the batch: ``(n - 1)*stride - 2*padding + dilation*(k - 1) + output_padding + 1`` outputs per axis. The
    input is extended by zeros. ``layer(input, output_size)`` chooses the size in place of `output_padding`. State dicts
    load from torch's layer and into it.

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
        'auto' runs the method that is predicted to be the fastest; a name, such as 'direct', 'im2col' or 'fft', forces
        it. `arrayconv.explain` lists them all.
    accuracy : {'normwise', 'componentwise'}
        How the rounding error must be bounded; 'componentwise' keeps 'auto' off the FFT.
    max_workspace : int, optional
        Bytes a call may allocate beyond its operands and result.

    Attributes
    ----------
    weight : torch.nn.Parameter, shape (in_channels, out_channels / groups, k)
        Drawn as torch draws it.
    bias : torch.nn.Parameter, shape (out_channels,), or None
        What is added to each channel.

    Raises
    ------
    ValueError
        If an option is unknown or channels are no multiples of `groups`; by a call, if its shape contradicts them or
        `output_size` is none that the stride allows.
    TypeError
        If a number is no integer; by a call, if its input is no tensor or on another device than the weight.
    NotImplementedError
        By a call, if a forced `method` cannot run the problem (the text says why).

    Notes
    -----
    Takes k multiply-adds per sample, input channel of a group and output channel, for k taps, or fewer by FFT. Under
    torch.autocast operands are cast as torch's layers cast them; half precision is summed in float32. Differentiable.
    Source: `torch.nn.ConvTranspose1d`, by its signature, parameters and numbers.

    Examples
    --------
    >>> import torch
    >>> from arrayconv.nn import modules
    >>> layer = modules.ConvTranspose1d(4, 2, 3, stride=2)
    >>> layer(torch.ones(1, 4, 5)).shape
    torch.Size([1, 2, 11])
    """

    _count = 1


class ConvTranspose2d(Transposed, torch.nn.ConvTranspose2d):
    """Convolve transposed, over two axes: `torch.nn.ConvTranspose2d`, computed by arrayconv.

    A call takes ``(batch, in_channels, height, width)`` and returns ``(batch, out_channels, height', width')``, or both
    without the batch: ``(n - 1)*stride - 2*padding + dilation*(k - 1) + output_padding + 1`` outputs per axis. The
    input is extended by zeros. ``layer(input, output_size)`` chooses the size in place of `output_padding`. State dicts
    load from torch's layer and into it.

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
        'auto' runs the method that is predicted to be the fastest; a name, such as 'direct', 'im2col' or 'fft', forces
        it. `arrayconv.explain` lists them all.
    accuracy : {'normwise', 'componentwise'}
        How the rounding error must be bounded; 'componentwise' keeps 'auto' off the FFT.
    max_workspace : int, optional
        Bytes a call may allocate beyond its operands and result.

    Attributes
    ----------
    weight : torch.nn.Parameter, shape (in_channels, out_channels / groups, k_1, k_2)
        Drawn as torch draws it.
    bias : torch.nn.Parameter, shape (out_channels,), or None
        What is added to each channel.

    Raises
    ------
    ValueError
        If an option is unknown or channels are no multiples of `groups`; by a call, if its shape contradicts them or
        `output_size` is none that the stride allows.
    TypeError
        If a number is no integer; by a call, if its input is no tensor or on another device than the weight.
    NotImplementedError
        By a call, if a forced `method` cannot run the problem (the text says why).

    Notes
    -----
    Takes k multiply-adds per sample, input channel of a group and output channel, for k taps, or fewer by FFT. Under
    torch.autocast operands are cast as torch's layers cast them; half precision is summed in float32. Differentiable.
    Source: `torch.nn.ConvTranspose2d`, by its signature, parameters and numbers.

    Examples
    --------
    >>> import torch
    >>> from arrayconv.nn import modules
    >>> modules.ConvTranspose2d(8, 3, 4, stride=2, padding=1)(torch.ones(2, 8, 5, 5)).shape
    torch.Size([2, 3, 10, 10])
    """

    _count = 2


class ConvTranspose3d(Transposed, torch.nn.ConvTranspose3d):
    """Convolve transposed, over three axes: `torch.nn.ConvTranspose3d`, computed by arrayconv.

    A call takes ``(batch, in_channels, depth, height, width)`` and returns
    ``(batch, out_channels, depth', height', width')``, or both without the batch:
    ``(n - 1)*stride - 2*padding + dilation*(k - 1) + output_padding + 1`` outputs per axis. The input is extended by
    zeros. ``layer(input, output_size)`` chooses the size in place of `output_padding`. State dicts load from torch's
    layer and into it.

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
        'auto' runs the method that is predicted to be the fastest; a name, such as 'direct', 'im2col' or 'fft', forces
        it. `arrayconv.explain` lists them all.
    accuracy : {'normwise', 'componentwise'}
        How the rounding error must be bounded; 'componentwise' keeps 'auto' off the FFT.
    max_workspace : int, optional
        Bytes a call may allocate beyond its operands and result.

    Attributes
    ----------
    weight : torch.nn.Parameter, shape (in_channels, out_channels / groups, k_1, k_2, k_3)
        Drawn as torch draws it.
    bias : torch.nn.Parameter, shape (out_channels,), or None
        What is added to each channel.

    Raises
    ------
    ValueError
        If an option is unknown or channels are no multiples of `groups`; by a call, if its shape contradicts them or
        `output_size` is none that the stride allows.
    TypeError
        If a number is no integer; by a call, if its input is no tensor or on another device than the weight.
    NotImplementedError
        By a call, if a forced `method` cannot run the problem (the text says why).

    Notes
    -----
    Takes k multiply-adds per sample, input channel of a group and output channel, for k taps, or fewer by FFT. Under
    torch.autocast operands are cast as torch's layers cast them; half precision is summed in float32. Differentiable.
    Source: `torch.nn.ConvTranspose3d`, by its signature, parameters and numbers.

    Examples
    --------
    >>> import torch
    >>> from arrayconv.nn import modules
    >>> layer = modules.ConvTranspose3d(2, 4, 2, stride=2)
    >>> layer(torch.ones(1, 2, 3, 3, 3)).shape
    torch.Size([1, 4, 6, 6, 6])
    """

    _count = 3
