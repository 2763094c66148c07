"""The compiled loops of `numba_tiles`: six rows of outputs at a time, a few rows and columns of taps at a time.

What one pass loads it uses for all six rows, with its factors and sums in registers:

    for a vector of columns j:  y[r, j] += sum over t, c of  w[t, c] * x[r + t, j + c],   0 <= r < 6

The vector instructions are spelled out, since no compiler vectorises loops with so many streams by itself. This module
imports numba, and is imported when the method first runs; machine code is kept on disk as that of `numba_kernels` is.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import llvmlite.binding as llvm  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
from llvmlite import ir  # pyright: ignore[reportMissingTypeStubs]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from arrayconv._accel import _xla_handler as xla
from arrayconv._accel._jit import FLAGS, c_function, machine_code, named
from arrayconv._accel._memory_at import load, read, written

ROWS = 6  # of outputs at a time: with 15 factors they fill the registers of the widest processors
TAP_ROWS, TAP_COLUMNS = 5, 3  # of a pass, at most
_INT = ir.IntType(64)
# Columns of the tables that describe axes.
_SIZE, _FIRST, _LOW, _BEFORE, _OUTPUTS, _TAPS, _STRIDE, _DILATION, _IN_X, _IN_Y = range(10)
PACKED, _FILL = 13, 8  # entries of XLA's table before the tables themselves, and which of them is the fill


def _vector_bytes() -> int:
    """Return the width of this processor's vectors."""
    features = llvm.get_host_cpu_features()
    return 64 if features.get("avx512f") else 32 if features.get("avx") else 16


_VECTOR = _vector_bytes()


class _Pass:
    """The instructions of one pass: `rows` rows of outputs, `taps` rows and `columns` columns of taps."""

    def __init__(self, builder: Any, element: Any, size: int, rows: int, taps: int, columns: int) -> None:
        self.builder, self.size = builder, size
        self.rows, self.taps, self.columns = rows, taps, columns
        self.lanes = _VECTOR // size
        self.vector = ir.VectorType(element, self.lanes)
        self.mask = ir.VectorType(ir.IntType(1), self.lanes)
        self.name = f"v{self.lanes}f{8 * size}"

    def function(self, name: str, result: Any, *arguments: Any) -> Any:
        return cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(result, arguments), name)

    def at(self, pointer: Any, *offsets: Any) -> Any:
        """Return the address of the vector at a sum of offsets."""
        total = offsets[0]
        for offset in offsets[1:]:
            total = self.builder.add(total, offset)
        return self.builder.bitcast(self.builder.gep(pointer, [total]), self.vector.as_pointer())

    def splat(self, value: Any, kind: Any) -> Any:
        vector = self.builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.IntType(32)(0))
        order = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(vector, ir.Constant(kind, ir.Undefined), order)

    def load(self, address: Any, mask: Any) -> Any:
        if mask is None:
            return self.builder.load(address, align=self.size)
        pointer, align = self.vector.as_pointer(), ir.IntType(32)
        load = self.function(f"llvm.masked.load.{self.name}.p0", self.vector, pointer, align, self.mask, self.vector)
        nothing = ir.Constant(self.vector, [0.0] * self.lanes)
        return self.builder.call(load, [address, align(self.size), mask, nothing])

    def store(self, value: Any, address: Any, mask: Any) -> None:
        if mask is None:
            self.builder.store(value, address, align=self.size)
            return
        pointer, align = self.vector.as_pointer(), ir.IntType(32)
        store = self.function(
            f"llvm.masked.store.{self.name}.p0", ir.VoidType(), self.vector, pointer, align, self.mask
        )
        self.builder.call(store, [value, address, align(self.size), mask])

    def product(self, x: Any, factor: Any, total: Any) -> Any:
        """Return total + x * factor, rounded once where the processor can."""
        if total is None:
            return self.builder.fmul(x, factor)
        multiply_add = self.function(f"llvm.fmuladd.{self.name}", *[self.vector] * 4)
        return self.builder.call(multiply_add, [x, factor, total])

    def first_lanes(self, count: Any) -> Any:
        """Return a mask of the first `count` lanes."""
        kind = ir.VectorType(_INT, self.lanes)
        return self.builder.icmp_signed("<", ir.Constant(kind, list(range(self.lanes))), self.splat(count, kind))

    def emit(self, y: Any, x: Any, w: Any, count: Any, fresh: Any) -> None:
        """Emit both loops over `count` columns: sums that are new, and sums that go on.

        Each of `y`, `x`, `w` is (pointer, first element, step from row to row); x has a step from tap to tap too.
        """
        builder = self.builder
        factors = [
            [builder.load(builder.gep(w[0], [builder.add(self._row(w, t), _INT(c))])) for c in range(self.columns)]
            for t in range(self.taps)
        ]
        factors = [[self.splat(factor, self.vector) for factor in row] for row in factors]
        outputs = [self._row(y, row) for row in range(self.rows)]
        hops = [builder.mul(x[3], _INT(c)) for c in range(self.columns)]
        samples = [[builder.add(self._row(x, row), hop) for hop in hops] for row in range(self.rows + self.taps - 1)]
        whole = builder.and_(count, _INT(-self.lanes))
        rest = builder.sub(count, whole)

        def sums(at: Any, mask: Any, new: bool) -> None:
            totals: list[Any] = [
                None if new else self.load(self.at(y[0], outputs[row], at), mask) for row in range(self.rows)
            ]
            for q, row_samples in enumerate(samples):
                for c, sample in enumerate(row_samples):
                    seen = self.load(self.at(x[0], sample, at), mask)
                    for row in range(max(0, q - self.taps + 1), min(self.rows, q + 1)):
                        totals[row] = self.product(seen, factors[q - row][c], totals[row])
            for row, total in enumerate(totals):
                self.store(total, self.at(y[0], outputs[row], at), mask)

        with builder.if_else(fresh) as branches:
            for branch, new in zip(branches, (True, False), strict=True):
                with branch:
                    with cgutils.for_range_slice(builder, _INT(0), whole, _INT(self.lanes), intp=_INT) as (at, _):
                        sums(at, None, new)
                    with builder.if_then(builder.icmp_signed(">", rest, _INT(0))):
                        sums(whole, self.first_lanes(rest), new)

    def _row(self, place: Any, row: int) -> Any:
        return self.builder.add(place[1], self.builder.mul(place[2], _INT(row)))


@intrinsic
def _pass(
    typingctx: Any, y: Any, y0: Any, ys: Any, x: Any, x0: Any, xs: Any, hop: Any, w: Any, w0: Any, ws: Any,
    count: Any, code: Any, fresh: Any,
) -> Any:  # fmt: skip
    """Add one pass to rows of y; `code` is `_code` of its rows, tap rows and tap columns."""
    whole = types.int64
    signature = types.void(y, whole, whole, x, whole, whole, whole, w, whole, whole, whole, whole, types.boolean)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        yv, y0, ys, xv, x0, xs, hop, wv, w0, ws, count, code, fresh = args
        element, size = context.get_value_type(y.dtype), y.dtype.bitwidth // 8

        def memory(kind: Any, value: Any) -> Any:
            return context.make_array(kind)(context, builder, value).data

        yp, xp, wp = memory(y, yv), memory(x, xv), memory(w, wv)
        after = builder.append_basic_block("after")
        choice = builder.switch(code, after)
        for rows in (1, ROWS):
            for taps in range(1, TAP_ROWS + 1):
                for columns in range(1, TAP_COLUMNS + 1):
                    block = builder.append_basic_block("pass")
                    choice.add_case(_INT(_code(rows, taps, columns)), block)
                    builder.position_at_end(block)
                    made = _Pass(builder, element, size, rows, taps, columns)
                    made.emit((yp, y0, ys), (xp, x0, xs, hop), (wp, w0, ws), count, fresh)
                    builder.branch(after)
        builder.position_at_end(after)
        return context.get_dummy_value()

    return signature, generate


@register_jitable
def _code(rows: Any, taps: Any, columns: Any) -> Any:
    return (rows * 8 + taps) * 8 + columns


@register_jitable(**FLAGS)
def _plane(
    y: Any, y0: Any, ys: Any, x: Any, x0: Any, xs: Any, hop: Any, w: Any, w0: Any, taps: Any, size: Any, fresh: Any,
    again: Any,
) -> None:  # fmt: skip
    """Add a plane of taps (rows, columns) to a block of outputs; `again`: rows may be computed twice."""
    down, across = -(-taps[0] // TAP_ROWS), -(-taps[1] // TAP_COLUMNS)
    row = 0
    while row < size[0]:
        rows = ROWS
        if row + ROWS > size[0]:
            if again and size[0] >= ROWS:
                row = size[0] - ROWS
            else:
                rows = 1
        new = fresh
        for i in range(down):
            t, tap_rows = taps[0] * i // down, taps[0] * (i + 1) // down - taps[0] * i // down
            for j in range(across):
                c, columns = taps[1] * j // across, taps[1] * (j + 1) // across - taps[1] * j // across
                at = x0 + (row + t) * xs + c * hop
                code = _code(rows, tap_rows, columns)
                w_at = w0 + t * taps[1] + c
                _pass(y, y0 + row * ys, ys, x, at, xs, hop, w, w_at, taps[1], size[1], code, new)  # pyright: ignore[reportCallIssue]
                new = False
        row += rows


@register_jitable(**FLAGS)
def _source(at: Any, size: Any, beyond: Any, first: Any, low: Any) -> Any:
    """Return the sample that stands at a position of an extended axis, -1 for the fill."""
    if at < 0:
        return beyond[first - 1 - at]
    if at >= size:
        return beyond[first + low + at - size]
    return at


@register_jitable(**FLAGS)
def _extended(
    copy: Any, copy_row: Any, x: Any, origin: Any, steps: Any, at: Any, size: Any, axes: Any, beyond: Any, fill: Any,
    is_blank: Any,
) -> None:  # fmt: skip
    """Copy the samples from positions `at` on, rows and columns, extended beyond the ends of x."""
    inside = min(max(-at[1], 0), size[1])
    outside = min(max(axes[1, _SIZE] - at[1], inside), size[1])
    for row in range(size[0]):
        target, source = row * copy_row, -1
        if not is_blank:
            source = _source(at[0] + row, axes[0, _SIZE], beyond, axes[0, _FIRST], axes[0, _LOW])
        if source < 0:
            for column in range(size[1]):
                copy[target + column] = fill
            continue
        first = origin + source * steps[0]
        if steps[1] == 1:
            for column in range(inside, outside):
                copy[np.uint64(target + column)] = x[np.uint64(first + at[1] + column)]
        else:
            for column in range(inside, outside):
                copy[target + column] = x[first + (at[1] + column) * steps[1]]
        for number in range(inside + size[1] - outside):
            column = number if number < inside else outside + number - inside
            source = _source(at[1] + column, axes[1, _SIZE], beyond, axes[1, _FIRST], axes[1, _LOW])
            copy[target + column] = fill if source < 0 else x[first + source * steps[1]]


@register_jitable(**FLAGS)
def _correlate(
    x: Any, w: Any, y: Any, counts: Any, lead: Any, axes: Any, beyond: Any, bands: Any, blocks: Any, fill: Any,
    copy: Any, copied: Any, first: Any, stop: Any,
) -> None:  # fmt: skip
    """Write the blocks of outputs [first, stop).

    Parameters
    ----------
    x, w, y : flat arrays
        Memory of x and y, addressed by element, and the factors, (groups, filters, channels, *k).
    counts : array of int64, shape (6, 3)
        Batch, groups, channels, filters: how many, the step in x, the step in y. 0 and the first elements. The step
        from row to row of what a block copies, whether all do, 0.
    lead : array of int64, shape (axes before the last two, 10)
        Size, place in `beyond` and how many of those come first, before, outputs, taps, stride, dilation, step in x
        and in y.
    axes : array of int64, shape (2, 10)
        The same of the last two, whose strides are 1.
    beyond : array of int64
        Which samples stand beyond the ends of each axis, before and after, -1 for the fill.
    bands, blocks : arrays of int64
        Where the blocks of rows and of columns begin, and the last ends.
    fill : number
    copy, copied : flat arrays
        Room for the samples of a block: the same memory, to be written and to be read.
    first, stop : int
        Blocks to compute.
    """
    taps = (axes[0, _TAPS], axes[1, _TAPS])
    hop = axes[1, _DILATION]
    leads, lead_taps = 1, 1
    for axis in range(len(lead)):
        leads *= lead[axis, _OUTPUTS]
        lead_taps *= lead[axis, _TAPS]
    planes = counts[2, 0] * lead_taps
    x_steps, y_step = (axes[0, _IN_X], axes[1, _IN_X]), axes[0, _IN_Y]
    copy_row, copies = counts[5, 0], counts[5, 1] != 0
    for unit in range(first, stop):
        rest, block = divmod(unit, len(blocks) - 1)
        rest, band = divmod(rest, len(bands) - 1)
        rest, place = divmod(rest, leads)
        batch, group = divmod(rest, counts[1, 0])
        size = (bands[band + 1] - bands[band], blocks[block + 1] - blocks[block])
        at = (bands[band] - axes[0, _BEFORE], blocks[block] - axes[1, _BEFORE])
        held = (size[0] + taps[0] - 1, size[1] + (taps[1] - 1) * hop)
        inside = at[0] >= 0 and at[1] >= 0
        inside = inside and at[0] + held[0] <= axes[0, _SIZE] and at[1] + held[1] <= axes[1, _SIZE]
        for plane in range(planes):
            channel, tap = divmod(plane, lead_taps)
            origin = counts[4, 1] + counts[0, 1] * batch + counts[1, 1] * group + counts[2, 1] * channel
            y0 = counts[4, 2] + counts[0, 2] * batch + counts[1, 2] * group + bands[band] * y_step + blocks[block]
            left, is_blank = place, False
            for axis in range(len(lead) - 1, -1, -1):
                left, output = divmod(left, lead[axis, _OUTPUTS])
                tap, k = divmod(tap, lead[axis, _TAPS])
                position = lead[axis, _STRIDE] * output + lead[axis, _DILATION] * k - lead[axis, _BEFORE]
                source = _source(position, lead[axis, _SIZE], beyond, lead[axis, _FIRST], lead[axis, _LOW])
                is_blank |= source < 0
                origin += source * lead[axis, _IN_X]
                y0 += output * lead[axis, _IN_Y]
            direct = inside and not is_blank and x_steps[1] == 1 and not copies
            if not direct:
                _extended(copy, copy_row, x, origin, x_steps, at, held, axes, beyond, fill, is_blank)
            x0 = origin + at[0] * x_steps[0] + at[1]
            for o in range(counts[3, 0]):
                w0 = ((group * counts[3, 0] + o) * planes + plane) * taps[0] * taps[1]
                target = y0 + o * counts[3, 2]
                seen, start, step = (x, x0, x_steps[0]) if direct else (copied, 0, copy_row)
                _plane(y, target, y_step, seen, start, step, hop, w, w0, taps, size, plane == 0, planes == 1)


@cache
def kernel(dtype: str) -> Any:
    """Return the compiled loop for a dtype, from the disk where it was compiled before."""
    element = getattr(types, dtype)
    data, table = types.Array(element, 1, "C", readonly=True), types.Array(types.int64, 1, "C", readonly=True)
    rows, whole = types.Array(types.int64, 2, "C", readonly=True), types.int64
    signature = types.void(
        data, data, element[::1], rows, rows, rows, table, table, table, element, element[::1], data, whole, whole
    )
    return machine_code(_correlate, signature)


def _part(job: Any, first: Any, stop: Any, runner: Any, element: Any) -> None:
    """Write the blocks [first, stop) of a call from XLA, whose table `xla_tiles` made."""
    at = load(job, xla.TABLE)
    head = read(at, PACKED, np.int64)
    fill = read(at, PACKED, np.float64)[_FILL]
    x_size, w_size, y_size, room, room_bytes = head[3], head[4], head[5], head[6], head[7]
    leads, beyonds, bands, blocks = head[9], head[10], head[11], head[12]
    at += 8 * PACKED
    counts = read(at, (6, 3), np.int64)
    lead = read(at + 8 * 18, (leads, 10), np.int64)
    at += 8 * (18 + 10 * leads)
    axes = read(at, (2, 10), np.int64)
    beyond = read(at + 8 * 20, beyonds, np.int64)
    at += 8 * (20 + beyonds)
    copy = load(job, xla.ROOM) + runner * room_bytes
    _correlate(
        read(load(job, xla.X), x_size, element),
        read(load(job, xla.FACTORS), w_size, element),
        written(load(job, xla.Y), y_size, element),
        counts, lead, axes, beyond,
        read(at, bands, np.int64), read(at + 8 * bands, blocks, np.int64), element(fill),
        written(copy, room, element), read(copy, room, element), first, stop,
    )  # fmt: skip


_serve = xla.serving(_part)


@cache
def handler(dtype: str) -> Any:
    """Return what XLA calls for a dtype, from the disk where it was compiled before."""
    element = np.dtype(dtype).type

    def answer(frame: Any) -> Any:
        return _serve(frame, element)

    return c_function(named(answer, dtype), types.int64(types.int64))
