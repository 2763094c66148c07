"""The functions of scipy.ndimage's interface, which several libraries implement, with our names."""

from ._shared import BOTH, FLOATS

NAMES = {"constant": "constant", "edge": "nearest", "symmetric": "reflect", "reflect": "mirror", "wrap": "wrap"}
CLAIMS = {
    *(*BOTH, "mode:same", *FLOATS, "1d", "2d", "3d", "nd", "even", "longer_kernel", "fill"),
    *("boundary:edge", "boundary:symmetric", "boundary:reflect", "boundary:wrap", "boundary:wide"),
}


def functions(ndimage):
    """`convolve` and `correlate` on a module with SciPy's names; an even convolution is centred a sample later."""

    def convolve(x, kernel, mode="same", *, boundary="constant", fill_value=0):
        origin = tuple(-1 if taps % 2 == 0 else 0 for taps in kernel.shape)
        return ndimage.convolve(x, kernel, mode=NAMES[boundary], cval=fill_value, origin=origin)

    def correlate(x, kernel, mode="same", *, boundary="constant", fill_value=0):
        return ndimage.correlate(x, kernel, mode=NAMES[boundary], cval=fill_value)

    return convolve, correlate
