"""The tables that compiled loops read, as declared in `src/tables.h`: structs of 64-bit words, followed by arrays.

A test compares these fields with the names that the library exports.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from arrayconv._accel.native.in_place import Host

ROWS, TILES, IMAGES, FILTERS, DOTS, GAPS, WINOGRAD, WINOGRAD_KERNELS, WINOGRAD_DOTS = range(9)  # LOOPS of src/tables.h
# Dtypes of filters, in the order of NUMBERS of src/filter_blocks.h.
NUMBERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")
# Dtypes that tiles, dots, gaps and winograd support, and those that images do: columns of KINDS in src/kinds.h.
TILED = ("float32", "float64")
IMAGE_DTYPES = (*TILED, "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


class LoopHead(NamedTuple):
    """Head of every loop; the loop's own table follows."""

    loop: int  # ROWS, TILES, ... above
    level: int
    kind: int
    fill: int  # of integers the number, else the bits of a double
    units: int  # blocks of outputs


class Axis(NamedTuple):
    """One convolved axis, whose outputs p, p + period, ... use the same taps; for tiles the period is 1."""

    size: int  # samples
    border: int  # index of its first entry among those of all axes
    border_before: int  # entries of positions before x, from x outwards; those after x follow
    before: int  # samples from the start of a block's first window to that of x
    outputs: int
    taps: int
    stride: int  # within a phase, as the dilation
    dilation: int
    x_step: int
    y_step: int
    period: int


class RowsTable(NamedTuple):
    """Table of the loop over rows; offsets of the terms and the outer axes follow."""

    terms: int
    outer_axes: int  # outside a row
    outputs: int  # of a row
    blocks: int  # of a row
    block_outputs: int  # of all blocks but the last
    x_step: int  # from output to output
    y_step: int
    x_start: int
    y_start: int


class OuterAxis(NamedTuple):
    """An axis outside the rows; the filters' axis, whose x_step is 0, comes last."""

    size: int
    x_step: int
    y_step: int
    w_step: int


class PlanesHead(NamedTuple):
    """Head of the loops over tiles and over images; their own tables follow."""

    lead_axes: int  # before the last two
    border: int  # entries
    batch: int
    groups: int
    channels: int
    filters: int
    x_batch: int  # steps in x
    x_group: int
    x_channel: int
    y_batch: int  # steps in y
    y_group: int
    y_filter: int
    x_start: int
    y_start: int
    copy_row: int  # step from row to row of a copy
    copy_size: int  # samples in the largest copy of a block


class TilesTable(NamedTuple):
    """Table of the loop over tiles; axes, border, cuts of rows and cuts of columns follow."""

    row_cuts: int
    col_cuts: int
    copies: bool  # whether every block copies its samples


class ImagesTable(NamedTuple):
    """Table of the loop over images; axes, border, phases of the leading axes, phases, offsets follow."""

    lead_phases: int
    phases: int  # combinations of one phase of each axis
    row_blocks: int
    block_rows: int  # of a phase, in all blocks but the last
    column_blocks: int
    block_columns: int
    copy_rows: int  # of one plane of a copy, which has all planes


class LeadPhase(NamedTuple):
    """A phase of one of the axes before the last two."""

    first: int  # position of the sample that the first tap of the first output multiplies
    taps: int


class Phase(NamedTuple):
    """One phase of every axis."""

    terms: int
    offsets: int  # index of the first
    factors: int  # index of the first in the kernel


class CallHead(NamedTuple):
    """Head of a whole call; padded axes, the indices of gathered factors and the loop's head follow."""

    itemsize: int
    factors: int
    taps: int  # factors in each run to reverse, 0 to reverse none
    gathered: int  # factors that are gathered instead, by their indices; 0 to gather none
    x_start: int
    pad_axes: int  # 0: x is read in place
    threads: int  # that share the blocks
    chunks: int  # of blocks, that they take one by one
    openmp: int  # address of GOMP_parallel, 0: the other threads are helpers, see src/team.h


class PadAxis(NamedTuple):
    """An axis along which x is padded with zeros."""

    size: int  # of the copy
    start: int  # zeros before the samples
    samples: int
    x_step: int


class XlaHead(NamedTuple):
    """Head of XLA's attribute; the loop's head follows."""

    chunks: int  # that the units are divided into for threads
    threads: int
    x_size: int  # elements of each buffer
    w_size: int
    y_size: int


class FiltersTable(NamedTuple):
    """Table of the loop over filters; two formats, axes, passes, positions and border follow. Steps are in bytes."""

    axes: int
    chains: int  # of the same samples, whose results are combined
    passes: int  # of each chain
    combine: int  # COMBINE of src/filter_blocks.h
    is_uint16: bool  # whether sums are formed in uint16 rather than in float64
    x_number: int  # dtypes: indices of NUMBERS
    y_number: int
    each: int  # adjacent numbers at a position of the last axis, such as the parts of a complex one
    parts: int  # of an element
    fill_second: int  # the bits of the fill's imaginary part
    scratch: int  # numbers of a buffer
    total: int  # numbers of the combination of several chains
    x_start: int
    y_start: int


class NumberFormat(NamedTuple):
    """A dtype that doubles are rounded to."""

    rounding: int  # ROUNDING of src/filter_blocks.h
    is_signed: bool
    shift: int  # 32 less its bits, where signed
    mask: int  # of its bits, where unsigned


class FilterAxis(NamedTuple):
    """One axis of x and of y."""

    size: int
    border: int  # as in an `Axis`
    border_before: int
    before: int
    outputs: int  # of the last pass
    taps: int
    x_step: int
    y_step: int
    block: int  # outputs of all blocks but the last
    number: int  # of the pass of each chain that filters it, -1 for none
    is_constant: bool  # whether the fill is beyond its ends


class FilterPass(NamedTuple):
    """One pass of a chain."""

    terms: int
    positions: int  # index of the first
    w_start: int  # index of the first factor
    w_step: int
    how: int  # SUM of src/filter_blocks.h
    divides: bool  # whether sums become means
    divisor: int  # the bits of a double; of uint16 a factor
    raises: int  # factor of quotients, or of sums that are multiplied; of uint16 the shift of products
    multiplies: bool


class DotsTable(NamedTuple):
    """Table of the loop over dot products; outer axes, and the columns' offsets in x and in y follow."""

    groups: int
    filters: int  # of a group
    columns: int
    outer_axes: int  # around a run
    run: int  # contiguous positions
    chunk: int  # of the first outer axis
    x_group: int  # steps
    w_group: int
    w_filter: int
    y_group: int
    y_filter: int
    x_start: int
    y_start: int


class GapsTable(NamedTuple):
    """Table of the loop over gaps; rows and columns, outer axes and border follow. Addresses are words."""

    outer_axes: int
    row_blocks: int
    block_rows: int  # of all blocks but the last
    column_blocks: int
    block_columns: int
    terms: int  # products of factors whose sum is the kernel; 0: it is not read as such
    is_product: bool  # whether a tap is other than 0 exactly if its row and its column have one
    omits: bool  # whether a NaN is missing
    where: int  # address of bytes, 0 where a sample is missing; 0 for none
    where_row: int
    where_column: int
    weight: int  # address of the weights, which have the steps of y; 0 for none
    error: int  # of a weight, at most: the bits of a double
    fill_mask: bool  # whether the samples outside x are there


class WinogradTable(NamedTuple):
    """Table of the loop over Winograd's tiles; axes and border follow."""

    row_blocks: int
    block_rows: int  # of tiles, in all blocks but the last
    column_blocks: int
    block_columns: int
    tile_row: int  # elements for the tiles of a block, in whole vectors and one more
    checks: bool  # whether the loop stops at an output that is not finite
    step: int  # of a tile of a line, 0 of images


class WinogradKernelsTable(NamedTuple):
    """Table of the loop that transforms the kernels of Winograd's tiles."""

    kernels: int
    taps: int
    step: int


class WinogradDotsTable(NamedTuple):
    """Table of the loop over tiles of taps; axes, border and the steps of w along the leading axes follow."""

    filter_blocks: int
    lanes: int  # filters of a block, in whole vectors
    block_rows: int  # of tiles, in all blocks but the last
    block_columns: int
    tile_row: int  # elements for the tiles of a block, in whole vectors and one more
    w_group: int  # steps
    w_filter: int
    w_channel: int
    w_row: int
    w_column: int
    step: int


STRUCTS: dict[str, Any] = {
    "loop_head": LoopHead,
    "axis": Axis,
    "rows_table": RowsTable,
    "outer_axis": OuterAxis,
    "planes_head": PlanesHead,
    "tiles_table": TilesTable,
    "images_table": ImagesTable,
    "lead_phase": LeadPhase,
    "phase": Phase,
    "call_head": CallHead,
    "pad_axis": PadAxis,
    "xla_head": XlaHead,
    "filters_table": FiltersTable,
    "number_format": NumberFormat,
    "filter_axis": FilterAxis,
    "filter_pass": FilterPass,
    "dots_table": DotsTable,
    "gaps_table": GapsTable,
    "winograd_table": WinogradTable,
    "winograd_kernels_table": WinogradKernelsTable,
    "winograd_dots_table": WinogradDotsTable,
}


class Job(NamedTuple):
    """A loop on arrays of one layout."""

    loop: int  # ROWS, TILES, ... above
    parts: tuple[Any, ...]  # of its table, to be packed
    units: int  # blocks of outputs
    copy_size: int = 0  # samples that a thread copies at a time


def packed(*parts: Any) -> Host:
    """Return heads and arrays of numbers or structs, concatenated as int64."""
    return np.concatenate([np.asarray(part, np.int64).reshape(-1) for part in parts])


def double_bits(value: complex) -> int:
    """Return the bits of a real number, as a double, in a word."""
    return int(np.float64(value.real).view(np.int64))
