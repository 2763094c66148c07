"""Chains of passes for arrays of any library: the dtypes they support, and the table of the loop.

The loop itself is in `src/filters.h`. It reads and writes arrays of the caller's dtypes, and sums in float64, or in
uint16 or int32 where that gives the same integers. Blocks of outputs and the samples of their windows stay in cache;
between passes float32 images are stored as float32, and bytes as bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from arrayconv._accel.native import geometry
from arrayconv._accel.native.in_place import Host, Steps
from arrayconv._accel.native.tables import (
    FILTERS,
    NUMBERS,
    FilterAxis,
    FilterPass,
    FiltersTable,
    Job,
    NumberFormat,
    double_bits,
)
from arrayconv._arrays import dtypes
from arrayconv._problem.chain import Chains, Window
from arrayconv._problem.spec import Axis
from arrayconv._runtime.tracing import planning

_COMBINATIONS = ("", "sum", "length")  # COMBINE of src/filter_blocks.h
_ORDERED, _FUSED, _ANY, _MEAN = range(4)  # SUM of src/filter_blocks.h
_NONE, _FLOAT, _NARROW, _WIDE, _UNSIGNED, _CUT = range(6)  # ROUNDING
_EACH = 16  # adjacent numbers that count as one sample, at most
_EXACT_BITS = 48  # of sums of integers whose quotients are exact by one product
_FLOAT64_INTEGERS = 1 << 53  # that float64 contains, all smaller ones too
_MAX_INT32 = (1 << 31) - 1
_BYTE, _MAX_UINT16_DIVISOR = 255, 128  # up to which quotients of sums of bytes are exact
_COMBINED_BYTES = 2  # of integers whose squares and sums float64 contains
_SLACK = 64  # doubles that vectors may read beyond a buffer
_MAX_MARGIN = 1 << 20  # positions beyond one end of an axis
_PADDING = 128  # numbers of a row, at most, beyond those of its windows
_LEVEL, _LEVEL_TAP = 2 * 6144, 32  # doubles of the sums of long means, at most, and those for each tap


class Limits(NamedTuple):
    """Numbers of a buffer, three of which fit the L2 cache, and of a row of a block."""

    buffer: int
    row: int


_FLOAT64, _UINT16 = Limits(1 << 15, 512), Limits(1 << 16, 1024)


class Place(NamedTuple):
    """One axis in memory."""

    size: int
    outputs: int
    x_step: int  # in bytes
    y_step: int
    number: int  # of the pass that filters it, or -1
    axis: int  # of x


def supports(chains: Chains) -> bool:
    """Whether the loop has the dtypes; several chains are combined in float64, which contains no wide integers.

    A uint64 is written as one, but between passes a double does not contain it.
    """
    names = _part(chains.x), _part(chains.y)
    if not all(name in NUMBERS for name in names):
        return False
    if (dtypes.kind(chains.x) == "complex") != (dtypes.kind(chains.y) == "complex"):
        return False
    if chains.is_one_kernel:
        return chains.y != "uint64"
    few = dtypes.kind(names[1]) != "integer" or dtypes.itemsize(names[1]) <= _COMBINED_BYTES
    return not chains.combine or (few and dtypes.kind(chains.y) != "complex")


def buffer_sizes(chains: Chains) -> int:
    """Return the doubles of all buffers of a thread, at most."""
    reaches = [along.reach for _, along in chains.filtered.values()]
    most = max(_FLOAT64.buffer, prod(2 * reach + _PADDING for reach in reaches))
    return 4 * (most + _SLACK) + _LEVEL + _LEVEL_TAP * max(reaches)


@planning()
def macs(chains: Chains) -> int:
    """Return the multiply-adds of all passes, those included that neighbouring blocks repeat."""
    x_strides = _dense(chains.shape, dtypes.itemsize(chains.x))
    y_strides = _dense(chains.output_shape, dtypes.itemsize(chains.y))
    places, each = _places(chains, x_strides, y_strides, 2 if dtypes.kind(chains.y) == "complex" else 1)
    blocks = _blocks(chains, places, each, _FLOAT64)
    total = 0
    for number, windows in enumerate(zip(*chains.chains, strict=True)):
        sums = each
        for place, block in zip(places, blocks, strict=True):
            repeated = chains.filtered[place.axis][1].reach - 1 if place.number > number else 0
            sums *= place.outputs + repeated * -(-place.outputs // block)
        total += sums * sum([len(window.positions) for window in windows])
    return total


def _dense(shape: tuple[int, ...], itemsize: int) -> Steps:
    return tuple([itemsize * prod(shape[axis + 1 :]) for axis in range(len(shape))])


@planning()
def job(chains: Chains, x_strides: Steps, y_strides: Steps, fill: complex, is_uint16: bool = False) -> Job:
    """Return the loop's table for chains on arrays of one layout, with strides in bytes."""
    parts = 2 if dtypes.kind(chains.y) == "complex" else 1
    x_name, y_name = (_part(name) for name in (chains.x, chains.y))
    places, each = _places(chains, x_strides, y_strides, parts)
    blocks = _blocks(chains, places, each, _UINT16 if is_uint16 else _FLOAT64)
    axes, border = _axes(chains, places, blocks)
    passes, positions = _passes(chains, [place.axis for place in places], is_uint16)
    sizes = [axis.taps - 1 + axis.block for axis in axes]
    sizes[-1] += _PADDING
    scratch = -(-(each * prod(sizes) + _SLACK) // _SLACK) * _SLACK  # whole lines of the cache
    table = FiltersTable(
        axes=len(axes),
        chains=len(chains.chains),
        passes=len(chains.chains[0]),
        combine=_COMBINATIONS.index(chains.combine),
        is_uint16=is_uint16,
        x_number=NUMBERS.index(x_name),
        y_number=NUMBERS.index(y_name),
        each=each,
        parts=parts,
        fill_second=double_bits(fill.imag if parts == 2 else fill.real),
        scratch=scratch,
        total=scratch if chains.combine else 0,
        x_start=0,
        y_start=0,
    )
    units = prod(-(-place.outputs // block) for place, block in zip(places, blocks, strict=True))
    first = _format(y_name, wraps=chains.is_one_kernel)
    if _has_means_alone(chains, fill):
        first = first._replace(rounding=_CUT)
    return Job(FILTERS, (table, first, _format(y_name, wraps=True), axes, passes, positions, border), units, scratch)


def _part(name: str) -> str:
    """Return the dtype of an element's numbers."""
    return "uint8" if name == "bool" else dtypes.component(name)


def _format(name: str, *, wraps: bool = False) -> NumberFormat:
    """Return how doubles become numbers of a dtype; with `wraps` every integer wraps, none is cut to an int32 first."""
    if dtypes.kind(name) != "integer":
        return NumberFormat(_FLOAT if name == "float32" else _NONE, False, 0, 0)
    _, bits, signed, *_ = dtypes.DTYPES[name]
    rounding = _UNSIGNED if name == "uint64" else _NARROW if (bits < 32 or name == "int32") and not wraps else _WIDE
    return NumberFormat(rounding, signed, 32 - bits, (1 << bits) - 1 if bits < 64 else -1)


def _has_means_alone(chains: Chains, fill: complex) -> bool:
    """Whether results are means of integers that y and an int32 contain, so that none wraps."""
    if chains.combine or any(dtypes.kind(name) != "integer" for name in (chains.x, chains.y)):
        return False
    own, result = np.iinfo(chains.x), np.iinfo(chains.y)
    are_means = all(window.divisor == len(window.positions) > 1 for chain in chains.chains for window in chain)
    most = min(result.max, _MAX_INT32)
    is_contained = result.min <= min(own.min, fill.real) and max(own.max, fill.real) <= most
    return are_means and is_contained and all(mean(chains, window).is_exact for window in chains.chains[0])


def _places(chains: Chains, x_strides: Steps, y_strides: Steps, parts: int) -> tuple[list[Place], int]:
    """Return the axes in memory, without those of one sample that no pass filters, and the numbers at a position."""
    filtered = chains.filtered
    places = [
        Place(n, outputs, x_step, y_step, filtered[axis][0] if axis in filtered else -1, axis)
        for axis, (n, outputs, x_step, y_step) in enumerate(
            zip(chains.shape, chains.output_shape, x_strides, y_strides, strict=True)
        )
        if n > 1 or axis in filtered
    ]
    each, x_bytes, y_bytes = parts, dtypes.itemsize(_part(chains.x)), dtypes.itemsize(_part(chains.y))
    while len(places) > 1 and places[-1].number < 0 and each * places[-1].size <= _EACH:
        last = places[-1]
        if (last.x_step, last.y_step) != (each * x_bytes, each * y_bytes):
            break
        each *= last.size
        places.pop()
    return places, each


def _blocks(chains: Chains, places: list[Place], each: int, limits: Limits) -> list[int]:
    """Return the outputs of a block along every axis: a part of a row, and as many rows as fit the buffer."""
    blocks, space = [], limits.buffer // each
    for number, place in reversed([*enumerate(places)]):
        around = chains.filtered[place.axis][1].reach - 1 if place.number >= 0 else 0
        most = limits.row // each if number == len(places) - 1 else max(space - around, around, 1)
        count = -(-place.outputs // max(1, -(-place.outputs // max(most, 1))))
        blocks.append(count)
        space = max(space // (count + around), 1)
    return blocks[::-1]


def _axes(chains: Chains, places: list[Place], blocks: list[int]) -> tuple[list[FilterAxis], Host]:
    """Return the axes of the table, and the samples beyond their ends."""
    filtered = chains.filtered
    whole = [filtered[place.axis][1] if place.number >= 0 else Axis(place.size, 1, place.size) for place in places]
    margins = [_margins(axis) for axis in whole]
    steps = tuple(place.x_step for place in places), tuple(place.y_step for place in places)
    entries, border = geometry.axes(whole, margins, steps)
    axes = [
        FilterAxis(
            size=entry.size,
            border=entry.border,
            border_before=entry.border_before,
            before=entry.before,
            outputs=axis.outputs,
            taps=axis.reach,
            x_step=entry.x_step,
            y_step=entry.y_step,
            block=block,
            number=place.number,
            is_constant=axis.boundary == "constant" and not chains.is_one_kernel,
        )
        for entry, axis, place, block in zip(entries, whole, places, blocks, strict=True)
    ]
    return axes, border


def _margins(axis: Axis) -> tuple[int, int]:
    """Return how many positions before and after the samples are read."""
    first, stop = axis.span(0, axis.outputs)
    return max(-first, 0), max(stop - axis.size, 0)


def _passes(chains: Chains, axes: list[int], is_uint16: bool) -> tuple[list[FilterPass], Host]:
    """Return the passes of all chains, and the positions of their terms along the axes of the table."""
    passes, positions, weights = [], [], 0
    for window in (window for chain in chains.chains for window in chain):
        places = window.positions
        columns = {axis: column for column, axis in enumerate(window.axes)}
        listed = [[place[columns[axis]] if axis in columns else 0 for axis in axes] for place in places]
        first = weights + (len(places) - 1 if window.flip else 0)
        own = FilterPass(
            terms=len(places),
            positions=sum(map(len, positions)),
            w_start=first,
            w_step=-1 if window.flip else 1,
            **(_uint16_sums(window) if is_uint16 else _float64_sums(chains, window)),
        )
        passes.append(own)
        positions.append(np.asarray(listed, np.int64).reshape(-1))
        weights += len(places)
    return passes, np.concatenate(positions)


class Mean(NamedTuple):
    """How the sums of a pass are divided."""

    is_exact: bool  # whether float64 contains every sum of the integers
    divides: bool
    divisor: int
    multiplies: bool  # by the factor alone, where that product is rounded to the same number as the quotient
    factor: float


def mean(chains: Chains, window: Window) -> Mean:
    """Return how the sums of a pass in float64 are divided; of sums without a divisor nothing is."""
    names, eps = (_part(chains.x), _part(chains.y)), dtypes.eps("float64")
    is_integer = dtypes.kind(names[1]) == "integer"
    sum_bits = window.divisor.bit_length() + max(8 * dtypes.itemsize(name) for name in names)
    is_exact = dtypes.kind(names[0]) == "integer" and sum_bits <= _EXACT_BITS
    multiplies = (is_integer and is_exact) or names[1] == "float32"
    factor = 1.0
    if is_integer:
        factor += (6 if is_exact else 2) * eps
    if multiplies:
        factor /= window.divisor
    return Mean(is_exact, window.divisor != 1, window.divisor, multiplies, factor)


def _float64_sums(chains: Chains, window: Window) -> dict[str, Any]:
    """Return how the sums of a pass are formed in float64, and divided; one kernel's integers are exact in any order.

    Sums of two samples may exceed float64: where samples are of that dtype, every product is formed.
    """
    names, own = (_part(chains.x), _part(chains.y)), mean(chains, window)
    is_integer = dtypes.kind(names[1]) == "integer"
    if own.divides and (not is_integer or own.is_exact):
        how = _MEAN
    else:
        how = _ORDERED if is_integer and not chains.is_one_kernel else _FUSED if "float64" in names else _ANY
    return {
        "how": how,
        "divides": own.divides,
        "divisor": double_bits(own.divisor),
        "raises": double_bits(own.factor),
        "multiplies": own.multiplies,
    }


def _uint16_sums(window: Window) -> dict[str, Any]:
    """Return how the sums of a pass are formed in uint16, and divided: by a factor of 16 bits, and a shift.

    The factor exceeds the exact one by less than 1, so quotients of sums below 255 times the divisor are exact.
    """
    divides = window.divisor != 1
    shift = window.divisor.bit_length() - 1
    factor = -(-(1 << 16 + shift) // window.divisor)
    if factor == 1 << 16:  # a power of two
        factor, shift = factor >> 1, shift - 1
    return {
        "how": _MEAN if divides else _ANY,
        "divides": divides,
        "divisor": factor,
        "raises": shift,
        "multiplies": True,
    }


def fits_uint16(chains: Chains, weights: Sequence[float], fill: complex) -> bool:
    """Whether sums in uint16 give the integers that sums in float64 give.

    Integers of one and of two bytes, whole weights, and sums that an int32 contains; means are of bytes.
    """
    names = chains.x, chains.y
    if chains.combine or any(dtypes.kind(n) != "integer" or dtypes.itemsize(n) > 2 for n in names):
        return False
    if not all(float(value).is_integer() for value in (*weights, fill.real)):
        return False
    if sum(map(abs, weights)) * max(1 << 16, abs(fill.real)) >= 1 << 31:
        return False
    divisors = [window.divisor for chain in chains.chains for window in chain]
    if max(divisors) == 1:
        return True
    of_bytes = chains.x == "uint8" and chains.y != "int8" and 0 <= fill.real <= _BYTE
    return of_bytes and max(divisors) <= _MAX_UINT16_DIVISOR


def is_near(chains: Chains) -> bool:
    """Whether the table of the samples beyond the ends is short; outputs may be anywhere."""
    return all(max(_margins(along)) <= _MAX_MARGIN for _, along in chains.filtered.values())


def fits_float64(chains: Chains, weights: Sequence[Sequence[Sequence[complex]]], fill: complex) -> bool:
    """Whether no sum of one kernel's integers exceeds float64; `weights` are those of each pass of each chain."""
    if dtypes.kind(chains.y) != "integer":
        return True
    contained, total = 1 << dtypes.DTYPES[chains.y].bits, 0
    for chain in weights:
        largest = max(1 << dtypes.DTYPES[chains.x].bits, int(abs(fill)))
        for factors in chain:
            sums = largest * sum([int(abs(weight)) for weight in factors])
            if sums >= _FLOAT64_INTEGERS:
                return False
            largest = min(sums, contained)  # wrapped
        total += largest
    return total < _FLOAT64_INTEGERS
