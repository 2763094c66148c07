"""torch.nn.functional.conv1d, conv2d and conv3d, after torch.nn.functional.pad."""

from torch import __version__
from torch.nn import functional

from ._shared import BOTH, FLOATS, MODES, each, paddings

BACKEND = "torch"
CLAIMS = {
    *(*BOTH, *MODES, *FLOATS, "1d", "2d", "3d", "even", "longer_kernel", "complex", "stride", "dilation", "per_axis"),
    *("boundary:edge", "boundary:reflect", "boundary:wrap", "gradients"),
}

__all__ = ["BACKEND", "CLAIMS", "__version__", "convolve", "correlate"]

_NAMES = {"constant": "constant", "edge": "replicate", "reflect": "reflect", "wrap": "circular"}


def convolve(x, kernel, mode="full", *, stride=1, dilation=1, boundary="constant"):
    return _conv(x, kernel.flip(tuple(range(x.ndim))), mode, stride, dilation, boundary)


def correlate(x, kernel, mode=None, *, stride=1, dilation=1, boundary="constant"):
    return _conv(x, kernel.conj().resolve_conj(), mode, stride, dilation, boundary)


def _conv(x, kernel, mode, stride, dilation, boundary):
    dilation = each(dilation, x.ndim)
    widths = paddings(mode, kernel.shape, dilation)
    x, kernel = x[None, None], kernel[None, None]
    for name in {*each(boundary, len(widths))}:  # torch pads all axes alike: those of one name at a time
        pairs = [pair if own == name else (0, 0) for pair, own in zip(widths, each(boundary, len(widths)), strict=True)]
        x = functional.pad(x, [width for pair in reversed(pairs) for width in pair], mode=_NAMES[name])
    conv = (functional.conv1d, functional.conv2d, functional.conv3d)[len(widths) - 1]
    return conv(x, kernel, stride=each(stride, len(widths)), dilation=dilation)[0, 0]
