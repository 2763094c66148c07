"""How the last two axes of a problem are cut into rows of samples and rows of outputs."""

from __future__ import annotations

from typing import NamedTuple

from arrayconv._problem.spec import Axis, Spec
from arrayconv._runtime.tracing import planning

CHUNK_BYTES = 1 << 19  # of outputs of one axis at a time: they, their terms and samples stay in a CPU's L2 cache
_WIDTHS = (16, 32, 64)  # candidate numbers of outputs per row of a product
_ADDITION = 14  # multiply-adds that take as long as adding a product of one axis to an output


class Bands(NamedTuple):
    """The cut of the last axis, or of the last two."""

    width: int  # outputs per row of a product, P
    step: int  # samples from one row, or strip, to the next
    span: int  # samples of one row, S: `step` in one dimension, a strip's width in more
    strips: int  # along the last axis; 1 in one dimension
    height: int  # rows that one product reads
    phases: int  # products that compute all rows
    rows: int  # rows of outputs

    @property
    def groups(self) -> int:
        """Groups of `height` rows that contain all rows of every phase of a strip."""
        return -(-self.rows // self.phases) + (self.phases > 1)

    def rows_of(self, phase: int) -> int:
        """Count the rows of outputs of a phase."""
        return -(-(self.rows - phase) // self.phases)


@planning()
def bands_of(spec: Spec) -> Bands:
    """Return the cut of the lowest cost: its multiply-adds, more for narrow products, and the additions on one axis."""
    options = [_cut(spec.axes, width) for width in _WIDTHS]
    addition = _ADDITION if len(spec.axes) == 1 else 0
    return min(options, key=lambda bands: bands.height * (bands.span * (bands.width + 8) / bands.width + addition))


def _cut(axes: tuple[Axis, ...], width: int) -> Bands:
    last = axes[-1]
    width = max(1, min(width, last.outputs))
    step, strip = width * last.stride, last.stride * (width - 1) + last.reach
    strips = -(-last.outputs // width)
    if len(axes) == 1:
        height = -(-strip // step)
        return Bands(width, step, step, 1, height, height, strips)
    row = axes[-2]
    phases = -(-row.reach // row.stride)
    return Bands(width, step, strip, strips, phases * row.stride, phases, row.outputs)
