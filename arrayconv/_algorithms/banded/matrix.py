"""The band matrices of a kernel: every tap on a diagonal of its own.

Row j of T's transpose contains the taps from sample stride*j on. So in rows that are longer by `stride` elements the
taps form columns: they are written in one assignment, and the flattened rows are then cut at their true length.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from arrayconv._algorithms._base import Context
from arrayconv._algorithms.banded.bands import bands_of
from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import buffer, permute_dims, reshape, set_at
from arrayconv._arrays.products import product
from arrayconv._arrays.zero_padding import zero_padded
from arrayconv._problem.spec import Spec
from arrayconv._runtime.tracing import planning

Shape = tuple[int, ...]


class BandLayout(NamedTuple):
    """The shapes from taps to matrices."""

    long: Shape  # (G, O, C, *lead, [height,] P, span + stride), of zeros and taps
    place: tuple[slice, ...]  # of the taps in it, along its last axes
    flat: Shape  # of `long` with the last two axes joined
    used: int  # leading elements of the joined axis that are used, P * span
    cut: Shape  # (G, O, C, *lead, height, P, span); of one axis (G, O, C, P, height, span)
    order: tuple[int, ...]  # axes (C, *lead, G, height, span, O, P) of `cut`; of one axis (C, height, G, span, O, P)
    ordered: Shape
    matrices: Shape  # (number of matrices, G, rows of a matrix, O * P)


@planning()
def layout_of(spec: Spec) -> BandLayout:
    """Return the layout: a matrix for every channel and tap of the leading axes; on one axis, for every row."""
    return _of_line(spec) if len(spec.axes) == 1 else _of_plane(spec)


def _of_line(spec: Spec) -> BandLayout:
    bands, axis = bands_of(spec), spec.axes[0]
    outer, width, span = (spec.groups, spec.filters, spec.channels), bands.width, bands.height * bands.span
    place = (slice(None), slice(0, axis.reach, axis.dilation))
    cut = (*outer, width, bands.height, bands.span)
    return _layout(spec, (*outer, width, span + axis.stride), place, cut, (2, 4, 0, 5, 1, 3), bands.span)


def _of_plane(spec: Spec) -> BandLayout:
    bands, (*lead, row, last) = bands_of(spec), spec.axes
    outer = (spec.groups, spec.filters, spec.channels, *(axis.taps for axis in lead), bands.height)
    place = (slice(0, row.reach, row.dilation), slice(None), slice(0, last.reach, last.dilation))
    n = len(outer)
    order = (2, *range(3, n - 1), 0, n - 1, n + 1, 1, n)
    long, cut = (*outer, bands.width, bands.span + last.stride), (*outer, bands.width, bands.span)
    return _layout(spec, long, place, cut, order, bands.height * bands.span)


def _layout(
    spec: Spec, long: Shape, place: tuple[slice, ...], cut: Shape, order: tuple[int, ...], rows: int
) -> BandLayout:
    *outer, width, pitch = long
    columns = spec.filters * width
    count = prod(cut) // (spec.groups * rows * columns)
    used = width * (pitch - spec.axes[-1].stride)
    ordered = tuple(cut[axis] for axis in order)
    return BandLayout(
        long, place, (*outer, width * pitch), used, cut, order, ordered, (count, spec.groups, rows, columns)
    )


def elements(spec: Spec) -> int:
    """Count the elements of the matrices and of the longer rows they are cut from."""
    layout = layout_of(spec)
    return prod(layout.long) + prod(layout.ordered)


def band_matrices(kernel: Array, spec: Spec, context: Context) -> list[Array]:
    """Return the matrices, each (G, rows, O * P) and contiguous: with transposed ones BLAS rounds differently."""
    xp, device, layout = context.xp, context.device, layout_of(spec)
    long = zero_padded(kernel[..., None, :], layout.long, layout.place, xp=xp, device=device, zeros_first=True)
    band = reshape(reshape(long, layout.flat, xp=xp)[..., : layout.used], layout.cut, xp=xp)
    ordered = buffer(kernel, layout.ordered, zeros=False, xp=xp, device=device)
    ordered = reshape(set_at(ordered, ..., permute_dims(band, layout.order, xp=xp)), layout.matrices, xp=xp)
    return [ordered[number, ...] for number in range(layout.matrices[0])]


def add_product(total: Array | None, rows: Array, matrix: Array, context: Context) -> Array:
    """Return a sum with one more product, in place where no compiler traces."""
    term = product(rows, matrix, xp=context.xp, may_use_threads=context.may_use_threads)
    if total is None:
        return term
    if not context.in_place:
        return total + term
    total += term
    return total
