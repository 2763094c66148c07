"""Bands of one axis in a batch: lines one after the other in memory are one product for as many as fit the cache."""

from __future__ import annotations

from typing import Any

from arrayconv._algorithms._base import Context
from arrayconv._algorithms.banded import target
from arrayconv._algorithms.banded.bands import CHUNK_BYTES, Bands, bands_of
from arrayconv._algorithms.banded.matrix import add_product
from arrayconv._memory import passing, permute_dims, reshape
from arrayconv._spec import Spec
from arrayconv._xp import Array


def lines_at_once(spec: Spec, bands: Bands, itemsize: int) -> int:
    """Count the lines of a batch that are one product and stay in the cache; 0 where there are no such."""
    if spec.batch == 1 or spec.groups * spec.channels != 1:
        return 0
    line = (bands.rows + bands.height - 1) * max(bands.span, spec.filters * bands.width) * itemsize
    return min(spec.batch, CHUNK_BYTES // line)


def run(x: Array, matrices: list[Array], spec: Spec, lines: int, to: target.Target, context: Context) -> target.Target:
    """Return the target with the outputs of a batch, one product for so many `lines` at a time.

    Each line is copied among zeros, and its last rows run on into the next: those outputs are left out.
    """
    bands, xp = bands_of(spec), context.xp
    layout = target.layout_of(spec, bands.width, context.in_place)
    per = bands.rows + bands.height - 1
    for first in range(0, spec.batch, lines):
        part = x[first : min(first + lines, spec.batch), 0, 0, :]
        count: Any = part.shape[0]
        rows = _line_after_line(part, (per, bands.span), spec.axes[0].before, bands.height - 1, context)
        total: Any = None
        for h, matrix in enumerate(matrices):
            total = add_product(total, rows[h : h + count * per, :], matrix[0, ...], context)
        total = reshape(total, (count, 1, per, spec.filters, bands.width), xp=xp)[:, :, : bands.rows, ...]
        place = target.place_of(layout, (slice(first, first + count), ...), 0, bands.rows)
        to = target.put_rows(to, place, permute_dims(total, (0, 1, 3, 2, 4), xp=xp))
    return to


def _line_after_line(lines: Array, shape: tuple[int, int], before: int, slack: int, context: Context) -> Array:
    """Return lines as rows, `shape` for each, one after the other in memory, zeros beyond their ends and behind."""
    (per, span), (count, size) = shape, lines.shape
    used = count * per * span
    memory: Any = passing(lines, (used + slack * span,), xp=context.xp, device=context.device)
    among = reshape(memory[:used], (count, per * span), xp=context.xp)
    among[:, :before] = 0
    among[:, before : before + size] = lines
    among[:, before + size :] = 0
    memory[used:] = 0
    return reshape(memory, (count * per + slack, span), xp=context.xp)
