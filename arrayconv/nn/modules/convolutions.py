"""torch.nn's convolutions of one to three axes."""

from __future__ import annotations

import torch

from arrayconv._nn.layers import Convolution

__all__ = ["Conv1d", "Conv2d", "Conv3d"]


class Conv1d(Convolution, torch.nn.Conv1d):
    """Convolve over one axis: `torch.nn.Conv1d`, computed by arrayconv.

    A call takes ``(batch, in_channels, n)`` and returns ``(batch, out_channels, n')``, or both
    without the batch: ``y[b, o, p] = bias[o] + sum_c sum_k weight[o, c, k] * X[b, c, stride*p + dilation*k - before]``,
    where X is the input extended by `boundary`. State dicts load from torch's layer and into it.

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
        'auto' runs the method that is predicted to be the fastest; a name, such as 'direct', 'im2col' or 'fft', forces
        it. `arrayconv.explain` lists them all.
    accuracy : {'normwise', 'componentwise'}
        How the rounding error must be bounded; 'componentwise' keeps 'auto' off the FFT.
    max_workspace : int, optional
        Bytes a call may allocate beyond its operands and result.

    Attributes
    ----------
    weight : torch.nn.Parameter, shape (out_channels, in_channels / groups, k)
        Drawn as torch draws it.
    bias : torch.nn.Parameter, shape (out_channels,), or None
        What is added to each channel.
    boundary : tuple of str
        How each axis is extended, in `numpy.pad`'s names; set `padding_mode` to change it.

    Raises
    ------
    ValueError
        If an option is unknown or channels are no multiples of `groups`; by a call, if its shape contradicts them.
    TypeError
        If a number is no integer; by a call, if its input is no tensor or on another device than the weight.
    NotImplementedError
        By a call, if a forced `method` cannot run the problem (the text says why).

    Notes
    -----
    Takes k multiply-adds per output, input channel of its group and output channel, for k taps, or fewer by FFT. Under
    torch.autocast operands are cast as torch's layers cast them; half precision is summed in float32. Differentiable.
    Source: `torch.nn.Conv1d`, by its signature, parameters and numbers.

    Examples
    --------
    >>> import torch
    >>> from arrayconv.nn import modules
    >>> layer = modules.Conv1d(4, 8, 3, stride=2, padding="same", padding_mode="circular")
    >>> layer(torch.ones(2, 4, 9)).shape
    torch.Size([2, 8, 5])
    """

    _count = 1


class Conv2d(Convolution, torch.nn.Conv2d):
    """Convolve over two axes: `torch.nn.Conv2d`, computed by arrayconv.

    A call takes ``(batch, in_channels, height, width)`` and returns ``(batch, out_channels, height', width')``, or both
    without the batch: ``y[b, o, p] = bias[o] + sum_c sum_k weight[o, c, k] * X[b, c, stride*p + dilation*k - before]``,
    where X is the input extended by `boundary`. State dicts load from torch's layer and into it.

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
        'auto' runs the method that is predicted to be the fastest; a name, such as 'direct', 'im2col' or 'fft', forces
        it. `arrayconv.explain` lists them all.
    accuracy : {'normwise', 'componentwise'}
        How the rounding error must be bounded; 'componentwise' keeps 'auto' off the FFT.
    max_workspace : int, optional
        Bytes a call may allocate beyond its operands and result.

    Attributes
    ----------
    weight : torch.nn.Parameter, shape (out_channels, in_channels / groups, k_1, k_2)
        Drawn as torch draws it.
    bias : torch.nn.Parameter, shape (out_channels,), or None
        What is added to each channel.
    boundary : tuple of str
        How each axis is extended, in `numpy.pad`'s names; set `padding_mode` to change it.

    Raises
    ------
    ValueError
        If an option is unknown or channels are no multiples of `groups`; by a call, if its shape contradicts them.
    TypeError
        If a number is no integer; by a call, if its input is no tensor or on another device than the weight.
    NotImplementedError
        By a call, if a forced `method` cannot run the problem (the text says why).

    Notes
    -----
    Takes k multiply-adds per output, input channel of its group and output channel, for k taps, or fewer by FFT. Under
    torch.autocast operands are cast as torch's layers cast them; half precision is summed in float32. Differentiable.
    Source: `torch.nn.Conv2d`, by its signature, parameters and numbers.

    Examples
    --------
    >>> import torch
    >>> from arrayconv.nn import modules
    >>> layer = modules.Conv2d(3, 8, 5, padding=2, boundary="symmetric")
    >>> layer
    Conv2d(3, 8, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2), padding_mode=symmetric)
    >>> layer.load_state_dict(torch.nn.Conv2d(3, 8, 5).state_dict())
    <All keys matched successfully>
    """

    _count = 2


class Conv3d(Convolution, torch.nn.Conv3d):
    """Convolve over three axes: `torch.nn.Conv3d`, computed by arrayconv.

    A call takes ``(batch, in_channels, depth, height, width)`` and returns
    ``(batch, out_channels, depth', height', width')``, or both without the batch:
    ``y[b, o, p] = bias[o] + sum_c sum_k weight[o, c, k] * X[b, c, stride*p + dilation*k - before]``, where X is the
    input extended by `boundary`. State dicts load from torch's layer and into it.

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
        'auto' runs the method that is predicted to be the fastest; a name, such as 'direct', 'im2col' or 'fft', forces
        it. `arrayconv.explain` lists them all.
    accuracy : {'normwise', 'componentwise'}
        How the rounding error must be bounded; 'componentwise' keeps 'auto' off the FFT.
    max_workspace : int, optional
        Bytes a call may allocate beyond its operands and result.

    Attributes
    ----------
    weight : torch.nn.Parameter, shape (out_channels, in_channels / groups, k_1, k_2, k_3)
        Drawn as torch draws it.
    bias : torch.nn.Parameter, shape (out_channels,), or None
        What is added to each channel.
    boundary : tuple of str
        How each axis is extended, in `numpy.pad`'s names; set `padding_mode` to change it.

    Raises
    ------
    ValueError
        If an option is unknown or channels are no multiples of `groups`; by a call, if its shape contradicts them.
    TypeError
        If a number is no integer; by a call, if its input is no tensor or on another device than the weight.
    NotImplementedError
        By a call, if a forced `method` cannot run the problem (the text says why).

    Notes
    -----
    Takes k multiply-adds per output, input channel of its group and output channel, for k taps, or fewer by FFT. Under
    torch.autocast operands are cast as torch's layers cast them; half precision is summed in float32. Differentiable.
    Source: `torch.nn.Conv3d`, by its signature, parameters and numbers.

    Examples
    --------
    >>> import torch
    >>> from arrayconv.nn import modules
    >>> layer = modules.Conv3d(2, 4, 3, padding="same", boundary="reflect")
    >>> layer(torch.ones(1, 2, 4, 5, 6)).shape
    torch.Size([1, 4, 4, 5, 6])
    """

    _count = 3
