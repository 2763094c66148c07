"""An image by a kernel in slabs of transforms as a single call: what has to be contained is found slab by slab.

It forms the very sums that `fft` does in slabs, for calls made before: on images of 256^2 finding one's way there, and
looking at all samples beforehand, takes a third of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from arrayconv._accel._base import Bypass, Laid, unavailable
from arrayconv._accel._borrowed import on_memory
from arrayconv._accel._slabs import Slabs
from arrayconv._algorithms.fft import in_slabs, lengths_of, reads
from arrayconv._boundary import FILL
from arrayconv._float_errors import float_errors_ignored
from arrayconv._ops.windows import LEADING


def bypass(lent: Callable[[], Slabs | None], laid: Laid) -> Bypass | None:
    """Return the convolution of real or complex arrays whose axes are in order, with zeros beyond their ends."""
    spec, traits, layout = laid.step.spec, laid.traits, laid.problem.layout
    if unavailable("numpy", "numpy", traits) or len(laid.steps) > 1 or not in_slabs(spec, traits):
        return None
    if layout.x.moves or layout.kernel.moves or layout.y.moves or spec.kernel_shape != laid.problem.spec.kernel_shape:
        return None
    if not all(len(runs) == 1 and runs[0].start != FILL and runs[0].step == 1 for runs in laid.step.source):
        return None
    held = tuple(slice(runs[0].start, runs[0].start + runs[0].length) for runs in laid.step.source)
    x_shape, answer, taps = layout.x.joined[LEADING:], laid.problem.shape, _taps(laid)
    shapes = tuple(cut.stop - cut.start for cut in held), tuple(axis.reach for axis in spec.axes)
    slabs = lent()
    if slabs is None:
        return None
    circle = slabs.laid(*shapes, np.dtype(traits.accumulator), lengths_of(spec), reads(spec), is_spectrum=False)

    @float_errors_ignored
    def run(x: Any, kernel: Any, bias: Any = None) -> Any:
        y = circle.convolve(x.reshape(x_shape)[held], taps(kernel), guarded=True)
        if y is not None and bias is not None:
            y += bias.reshape(())
        return None if y is None else y.reshape(answer)

    return on_memory(run) if traits.home else run


def _taps(laid: Laid) -> Callable[[Any], Any]:
    """Return what makes of the caller's kernel the factor of a product of spectra: reversed unless it is flipped."""
    spec = laid.problem.spec
    reach, apart = (
        tuple(axis.reach for axis in spec.axes),
        tuple(slice(None, None, axis.dilation) for axis in spec.axes),
    )
    turned = None if spec.flip else (slice(None, None, -1),) * len(spec.axes)
    conj = spec.conj and laid.traits.accumulator.startswith("complex")

    def taps(kernel: Any) -> Any:
        kernel = kernel.reshape(spec.kernel_size)
        if turned is not None:
            kernel = kernel[turned]
        if conj:
            kernel = kernel.conj()
        if reach == spec.kernel_size:
            return kernel
        spread = np.zeros(reach, kernel.dtype)
        spread[apart] = kernel
        return spread

    return taps
