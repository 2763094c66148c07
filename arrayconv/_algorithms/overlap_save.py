"""Overlap-save: FFT convolution of overlapping tiles that fit the cache, N-D.

Each axis is cut into tiles of L samples, L - reach + 1 apart; a circular convolution of a tile is right in all
but its first reach - 1 samples, and those belong to the tile before.

Wins      long data with a kernel much shorter than it; less memory traffic and log2(L) instead of log2(n).
Cost      tiles * L log2(L) per axis, L chosen among multiples of the reach for the fewest operations per output.
Memory    the tiles (L / (L - reach + 1) times x) and their spectra.
Accuracy  by norm, tile by tile: what a large value costs stays within its tile. Integers are exact or refused.
Source    Oppenheim and Schafer, Discrete-Time Signal Processing, section 8.7.3.
"""

from __future__ import annotations

from itertools import product
from math import log2, prod
from typing import NamedTuple

from arrayconv._algorithms._base import Algorithm, Bound, Context, Cuts, Preparation, per_call
from arrayconv._algorithms.fft import (
    LANES,
    LONE,
    prepared_by,
    spectral_cost,
    spectral_prepare_cost,
    spectral_shares,
    spectral_workspace,
)
from arrayconv._boundary import FILL, Run
from arrayconv._cost_table import rates
from arrayconv._lengths import fast_length
from arrayconv._ops import pad, spectral, windows
from arrayconv._spec import Axis, Spec
from arrayconv._tracing import planning, record
from arrayconv._xp import Array, Traits

_MOST_POINTS = 1 << 17  # samples of one tile: a float32 tile and its spectrum stay in a 2 MiB cache
_MULTIPLES = (1.5, 2, 3, 4, 6, 8, 16, 32, 64)  # of the reach: tile lengths tried


@record
class Tiling(NamedTuple):
    """How one axis is cut: `tiles` tiles of `length` samples, `step` apart."""

    length: int
    step: int
    tiles: int


@planning()
def _tilings(spec: Spec) -> tuple[Tiling, ...]:
    """Return the cut with the fewest operations per output among tiles that fit the cache, or a few reaches."""
    rows = LANES if len(spec.axes) == 1 and spec.batch % LANES else 1
    options = list(product(*(_options(axis, rows) for axis in spec.axes)))
    most = max(_MOST_POINTS, prod(3 * axis.reach for axis in spec.axes))
    small = [option for option in options if prod(tiling.length for tiling in option) <= most]
    fewest = min(options, key=lambda option: prod(tiling.length for tiling in option))
    return min(small or [fewest], key=_operations)


def _options(axis: Axis, rows: int) -> list[Tiling]:
    """Return the cuts of an axis that are tried, the uncut among them; the number of tiles is a multiple of `rows`."""
    positions = max(axis.stride * (axis.outputs - 1) + 1, 1)
    whole = fast_length(positions + axis.reach - 1)
    lengths = {fast_length(max(int(axis.reach * multiple), 16)) for multiple in _MULTIPLES}
    cuts = [length for length in sorted(lengths) if axis.reach <= length < whole]
    steps = [(length, length - axis.reach + 1) for length in cuts]
    tiled = [Tiling(length, step, -(-positions // (step * rows)) * rows) for length, step in steps]
    return [*tiled, Tiling(whole, whole - axis.reach + 1, 1)]


def _operations(tilings: tuple[Tiling, ...]) -> float:
    points, tiles = prod(tiling.length for tiling in tilings), prod(tiling.tiles for tiling in tilings)
    lonely = LONE if len(tilings) == tiles == 1 else 1
    return lonely * tiles * points * log2(points + 1)


@planning()
def _lengths(spec: Spec) -> tuple[int, ...]:
    return tuple(tiling.length for tiling in _tilings(spec))


@planning()
def _tiles(spec: Spec) -> int:
    return prod(tiling.tiles for tiling in _tilings(spec))


def _why_not(spec: Spec, traits: Traits) -> str | None:
    if not spec.axes:
        return "there is no convolved axis to transform"
    return spectral.why_not(spec, _lengths(spec), traits)


def _cost(spec: Spec, traits: Traits) -> int:
    joining = (60 * len(spec.axes) ** 2 - 20) * rates(traits.row).call_ns
    return spectral_cost(spec, _lengths(spec), _tiles(spec), traits) * 5 // 4 + joining  # a fourth more to cut and join


def _workspace(spec: Spec, traits: Traits) -> int:
    tiles = spec.batch * spec.groups * spec.channels * _tiles(spec) * prod(_lengths(spec)) * traits.itemsize
    return tiles + spectral_workspace(spec, _lengths(spec), _tiles(spec), traits)


def _prepare(kernel: Array, spec: Spec, context: Context) -> spectral.Spectra:
    return spectral.kernel_spectra(kernel, spec, _lengths(spec), context)


def _run(x: Array, kernel: spectral.Spectra, spec: Spec, context: Context) -> Array:
    xp, tilings = context.xp, _tilings(spec)
    for number, (axis, tiling) in enumerate(zip(spec.axes, tilings, strict=True)):
        x = _zero_extended(x, windows.LEADING + number, axis, tiling, context)
    cut = windows.LEADING  # each axis becomes (count, length); the cut axis moves along by two
    for tiling in tilings:
        x = windows.tiles(x, cut, tiling.length, tiling.step, tiling.tiles, xp=xp)
        cut += 2
    dims = len(tilings)
    counts = [windows.LEADING + 2 * number for number in range(dims)]
    x = xp.permute_dims(x, (0, *counts, 1, 2, *(count + 1 for count in counts)))
    rows = spec.batch * _tiles(spec)
    y = spectral.convolve(xp.reshape(x, (rows, spec.groups, spec.channels, *kernel.lengths)), kernel, context)
    valid = tuple(slice(axis.reach - 1, t.length) for axis, t in zip(spec.axes, tilings, strict=True))
    return _joined(y[(..., *valid)], spec, tilings, context)


def _zero_extended(x: Array, number: int, axis: Axis, tiling: Tiling, context: Context) -> Array:
    """Return x over exactly the samples that the tiles of one axis read, zeros beyond its ends."""
    needed = tiling.step * tiling.tiles + axis.reach - 1
    held = min(axis.size, needed - axis.before)
    pieces = (Run(FILL, 0, axis.before), Run(0, 1, held), Run(FILL, 0, needed - axis.before - held))
    pieces = tuple(run for run in pieces if run.length)
    return pad.extend(x, number, pieces, 0, xp=context.xp, device=context.device)


def _joined(y: Array, spec: Spec, tilings: tuple[Tiling, ...], context: Context) -> Array:
    """Return the tiles' outputs (batch * tiles, groups, filters, *steps) side by side, at the stride."""
    dims = len(tilings)
    y = context.xp.reshape(
        y, (spec.batch, *(t.tiles for t in tilings), spec.groups, spec.filters, *(t.step for t in tilings))
    )
    order = [0, dims + 1, dims + 2]
    for number in range(dims):
        order += [1 + number, dims + 3 + number]
    y = context.xp.permute_dims(y, tuple(order))
    shape = (spec.batch, spec.groups, spec.filters, *(t.tiles * t.step for t in tilings))
    read = tuple(slice(0, axis.stride * (axis.outputs - 1) + 1, axis.stride) for axis in spec.axes)
    return context.xp.reshape(y, shape)[(..., *read)]


def _bind(spec: Spec, context: Context) -> Bound:
    return Bound(lambda x, prepared, out: _run(x, prepared, spec, context))


overlap_save = Algorithm(
    "overlap_save",
    _why_not,
    _cost,
    _workspace,
    Preparation(
        per_call(_prepare),
        lambda spec: prepared_by(_lengths(spec), spec),
        lambda spec, traits: spectral_prepare_cost(spec, _lengths(spec), traits),
    ),
    _bind,
    accuracy="normwise",
    cuts=Cuts(
        extends=frozenset({"zero"}),
        shares=spectral_shares,
        tile_bytes=10 << 20,  # pieces of this workspace took half the time of all tiles at once on 2048 x 2048
    ),
    spreads="overflow",
)
