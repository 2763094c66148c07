"""What compiled loops are told, as `src/tables.h` declares it: structs of 64-bit words, each followed by its arrays.

A test compares these fields with the names that the library exports.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from arrayconv._accel.native.in_place import Host

ROWS, TILES, IMAGES = range(3)  # LOOPS of src/tables.h
TILED = ("float32", "float64")  # dtypes that tiles and images support: a column of KINDS in src/kinds.h


class LoopHead(NamedTuple):
    """Head of every loop; its own table follows."""

    loop: int  # ROWS, TILES or IMAGES
    level: int
    kind: int
    fill: int  # the bits of a double
    units: int  # blocks of outputs


class Axis(NamedTuple):
    """One convolved axis, whose outputs p, p + period, ... meet the same taps; of tiles the period is 1."""

    size: int  # samples
    border: int  # the first of its entries among those of all axes
    border_before: int  # entries of positions before x, from x outwards; those after x follow
    before: int  # samples before x that the first window of a block begins at
    outputs: int
    taps: int
    stride: int  # within a phase, as the dilation
    dilation: int
    x_step: int
    y_step: int
    period: int


class RowsTable(NamedTuple):
    """Head of the loop over rows; offsets of the terms and the outer axes follow."""

    terms: int
    outer_axes: int  # around a row
    outputs: int  # of a row
    blocks: int  # of a row
    block_outputs: int  # of all blocks but the last
    x_step: int  # from output to output
    y_step: int
    x_start: int
    y_start: int


class OuterAxis(NamedTuple):
    """An axis around rows; one of filters, which moves nothing in x, comes last."""

    size: int
    x_step: int
    y_step: int
    w_step: int


class PlanesHead(NamedTuple):
    """Head of the loops over tiles and over images, before the tables of their own."""

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
    room: int  # samples of the largest copy of a block's


class TilesTable(NamedTuple):
    """The loop over tiles: axes, border, cuts of rows and cuts of columns follow."""

    row_cuts: int
    col_cuts: int
    copies: bool  # whether every block copies its samples


class ImagesTable(NamedTuple):
    """The loop over images: axes, border, phases of the leading axes, of all axes together, offsets follow."""

    lead_phases: int
    phases: int
    bands: int  # blocks of rows
    band_rows: int  # of a phase, in all bands but the last
    copy_rows: int  # of one plane of a copy, which holds all planes


class LeadPhase(NamedTuple):
    """A phase of one of the axes before the last two."""

    first: int  # position that the first tap of the first output meets
    taps: int


class Phase(NamedTuple):
    """A phase of all axes together."""

    terms: int
    offsets: int  # the first of them
    factors: int  # the first of them in the kernel


class CallHead(NamedTuple):
    """Head of a whole call; padded axes and the loop's head follow."""

    itemsize: int
    factors: int
    taps: int  # of each run of factors that is reversed, 0 for none
    x_start: int
    pad_axes: int  # 0: x is read as it is


class PadAxis(NamedTuple):
    """An axis along which x is copied among zeros."""

    size: int  # of the copy
    start: int  # zeros before the samples
    samples: int
    x_step: int


class XlaHead(NamedTuple):
    """Head of XLA's attribute; the loop's head follows."""

    chunks: int  # in which threads take the units
    threads: int
    x_size: int  # elements of each buffer
    w_size: int
    y_size: int


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
}


class Job(NamedTuple):
    """A loop on arrays of some layout."""

    loop: int  # ROWS, TILES or IMAGES
    parts: tuple[Any, ...]  # its table, as it is packed
    units: int  # blocks of outputs
    room: int = 0  # samples that a thread copies at a time


def packed(*parts: Any) -> Host:
    """Return heads, and arrays of numbers or structs, one after the other as int64."""
    return np.concatenate([np.asarray(part, np.int64).reshape(-1) for part in parts])


def double_bits(value: complex) -> int:
    """Return a real number as the word that holds the bits of a double."""
    return int(np.float64(value.real).view(np.int64))
