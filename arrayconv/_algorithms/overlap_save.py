"""Overlap-save: FFT convolution of overlapping tiles that fit the cache, N-D.

Each axis is cut into tiles of L samples at a step of L - reach + 1; a circular convolution of a tile is right in all
but its first reach - 1 samples, which the previous tile computes.

Wins      data much longer than the kernel: less memory traffic, and log2(L) instead of log2(n).
Cost      tiles * L log2(L) per axis, L chosen among multiples of the reach for the fewest operations per output.
Memory    the tiles (L / (L - reach + 1) times x) and their spectra.
Accuracy  by norm, tile by tile: the rounding error of a large value stays in its tiles. Integers are exact or refused.
Source    Oppenheim and Schafer, Discrete-Time Signal Processing, section 8.7.3.
"""

from __future__ import annotations

from itertools import product
from math import log2, prod
from typing import Any, NamedTuple

from arrayconv._algorithms._base import Algorithm, Context, Cuts, Preparation, per_call, per_piece
from arrayconv._algorithms.fft import (
    LANES,
    LONE,
    prepared_by,
    spectral_cost,
    spectral_prepare_cost,
    spectral_prepare_work,
    spectral_shares,
    spectral_work,
    spectral_workspace,
)
from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import permute_dims, reshape
from arrayconv._arrays.traits import Traits
from arrayconv._costs.cost_table import primitive_costs
from arrayconv._costs.gpu import Work, total
from arrayconv._ops import pad, spectral, windows
from arrayconv._problem.boundary import FILL, Run
from arrayconv._problem.fast_lengths import fast_length
from arrayconv._problem.spec import Axis, Spec
from arrayconv._runtime.tracing import planning

Shape = tuple[int, ...]

_MAX_POINTS = 1 << 17  # samples of one tile on a CPU: a float32 tile and its spectrum stay in a 2 MiB cache
_MULTIPLES = (1.5, 2, 3, 4, 6, 8, 16, 32, 64)  # of the reach: tile lengths tried


class Tiling(NamedTuple):
    """How one axis is cut: `tiles` tiles of `length` samples, at a step of `step`."""

    length: int
    step: int
    tiles: int


@planning()
def _tilings(spec: Spec, on_gpu: bool) -> tuple[Tiling, ...]:
    """Return the cut with the fewest operations per output among tiles that fit a CPU's cache, or three reaches."""
    rows = LANES if len(spec.axes) == 1 and spec.batch % LANES else 1
    options = list(product(*(_options(axis, rows) for axis in spec.axes)))
    if on_gpu:
        return min(options, key=_operations)
    max_points = max(_MAX_POINTS, prod(3 * axis.reach for axis in spec.axes))
    small = [option for option in options if prod(tiling.length for tiling in option) <= max_points]
    smallest = min(options, key=lambda option: prod(tiling.length for tiling in option))
    return min(small or [smallest], key=_operations)


def _options(axis: Axis, rows: int) -> list[Tiling]:
    """Return the candidate cuts of an axis, a single tile among them; the number of tiles is a multiple of `rows`."""
    positions = max(axis.stride * (axis.outputs - 1) + 1, 1)
    full_length = fast_length(positions + axis.reach - 1)
    lengths = {fast_length(max(int(axis.reach * multiple), 16)) for multiple in _MULTIPLES}
    cuts = [length for length in sorted(lengths) if axis.reach <= length < full_length]
    steps = [(length, length - axis.reach + 1) for length in cuts]
    tilings = [Tiling(length, step, -(-positions // (step * rows)) * rows) for length, step in steps]
    return [*tilings, Tiling(full_length, full_length - axis.reach + 1, 1)]


def _operations(tilings: tuple[Tiling, ...]) -> float:
    points, tiles = prod(tiling.length for tiling in tilings), prod(tiling.tiles for tiling in tilings)
    lone = LONE if len(tilings) == tiles == 1 else 1
    return lone * tiles * points * log2(points + 1)


@planning()
def _lengths(spec: Spec, on_gpu: bool) -> tuple[int, ...]:
    return tuple(tiling.length for tiling in _tilings(spec, on_gpu))


@planning()
def _tiles(spec: Spec, on_gpu: bool) -> int:
    return prod(tiling.tiles for tiling in _tilings(spec, on_gpu))


def _cut(spec: Spec, traits: Traits) -> tuple[tuple[int, ...], int]:
    """Return the lengths of a tile and the number of tiles."""
    return _lengths(spec, traits.on_gpu), _tiles(spec, traits.on_gpu)


def _why_not(spec: Spec, traits: Traits) -> str | None:
    if not spec.axes:
        return "there is no convolved axis to transform"
    return spectral.why_not(spec, _lengths(spec, traits.on_gpu), traits)


def _cost(spec: Spec, traits: Traits) -> int:
    joining = (60 * len(spec.axes) ** 2 - 20) * primitive_costs(traits.row).call_ns
    return spectral_cost(spec, *_cut(spec, traits), traits) * 5 // 4 + joining  # 1/4 more to cut and join


def _work(spec: Spec, traits: Traits) -> Work:
    lengths, tiles = _cut(spec, traits)
    samples = spec.batch * spec.groups * (spec.channels + spec.filters) * tiles * prod(lengths)
    joining = Work(2 + 7 * len(spec.axes), 3 * traits.itemsize * samples)
    return total(joining, spectral_work(spec, lengths, tiles, traits))


def _prepare_work(spec: Spec, traits: Traits) -> Work:
    return spectral_prepare_work(spec, _lengths(spec, traits.on_gpu), traits)


def _workspace(spec: Spec, traits: Traits) -> int:
    lengths, count = _cut(spec, traits)
    tiles = spec.batch * spec.groups * spec.channels * count * prod(lengths) * traits.itemsize
    return tiles + spectral_workspace(spec, *_cut(spec, traits), traits)


def _prepare(kernel: Array, spec: Spec, context: Context) -> spectral.Spectra:
    return spectral.kernel_spectra(kernel, spec, _lengths(spec, context.traits.on_gpu), context)


class Steps(NamedTuple):
    """The shapes and orders of axes from x to tiles, and from their outputs to the result."""

    extension: tuple[tuple[Run, ...], ...]  # of every axis: exactly the samples that its tiles read
    tile_order: tuple[int, ...]  # axes (B, *tiles, G, C, *lengths) of tiled x
    rows: Shape  # (B * tiles, G, C, *lengths)
    valid: tuple[Any, ...]
    outputs: Shape  # (B, *tiles, G, O, *steps)
    output_order: tuple[int, ...]  # axes (B, G, O, tiles, step, ...) of `outputs`
    joined: Shape
    read: tuple[Any, ...]  # every stride-th of the joined outputs


@planning()
def _steps(spec: Spec, on_gpu: bool) -> Steps:
    tilings, dims = _tilings(spec, on_gpu), len(spec.axes)
    lengths, counts = _lengths(spec, on_gpu), tuple(tiling.tiles for tiling in tilings)
    at = [windows.LEADING + 2 * number for number in range(dims)]  # each axis becomes (tiles, samples of a tile)
    order = [axis for number in range(dims) for axis in (1 + number, dims + 3 + number)]
    return Steps(
        extension=tuple(_extension(axis, tiling) for axis, tiling in zip(spec.axes, tilings, strict=True)),
        tile_order=(0, *at, 1, 2, *(axis + 1 for axis in at)),
        rows=(spec.batch * _tiles(spec, on_gpu), spec.groups, spec.channels, *lengths),
        valid=(..., *(slice(axis.reach - 1, length) for axis, length in zip(spec.axes, lengths, strict=True))),
        outputs=(spec.batch, *counts, spec.groups, spec.filters, *(tiling.step for tiling in tilings)),
        output_order=(0, dims + 1, dims + 2, *order),
        joined=(spec.batch, spec.groups, spec.filters, *(tiling.tiles * tiling.step for tiling in tilings)),
        read=(..., *(slice(0, axis.stride * (axis.outputs - 1) + 1, axis.stride) for axis in spec.axes)),
    )


def _extension(axis: Axis, tiling: Tiling) -> tuple[Run, ...]:
    """Return the samples that the tiles of one axis read, zeros beyond its ends."""
    needed = tiling.step * tiling.tiles + axis.reach - 1
    samples = min(axis.size, needed - axis.before)
    runs = (Run(FILL, 0, axis.before), Run(0, 1, samples), Run(FILL, 0, needed - axis.before - samples))
    return tuple(run for run in runs if run.length)


def _run(x: Array, kernel: spectral.Spectra, spec: Spec, context: Context) -> Array:
    xp, steps = context.xp, _steps(spec, context.traits.on_gpu)
    for number, extension in enumerate(steps.extension):
        x = pad.extend(x, windows.LEADING + number, extension, 0, xp=xp, device=context.device)
    cut = windows.LEADING  # each axis becomes (count, length); the cut axis moves along by two
    for tiling in _tilings(spec, context.traits.on_gpu):
        x = windows.tiles(x, cut, tiling.length, tiling.step, tiling.tiles, xp=xp)
        cut += 2
    tiles = reshape(permute_dims(x, steps.tile_order, xp=xp), steps.rows, xp=xp)
    y = spectral.convolve(tiles, kernel, context)[steps.valid]
    y = permute_dims(reshape(y, steps.outputs, xp=xp), steps.output_order, xp=xp)
    return reshape(y, steps.joined, xp=xp)[steps.read]


def _depends_on(spec: Spec) -> tuple[Any, ...]:
    on_cpus, on_gpus = _lengths(spec, False), _lengths(spec, True)
    return *prepared_by(on_cpus, spec), on_gpus  # the rule for cutting a problem does not know its device


def _prepare_cost(spec: Spec, traits: Traits) -> int:
    return spectral_prepare_cost(spec, _lengths(spec, traits.on_gpu), traits)


overlap_save = Algorithm(
    "overlap_save",
    _why_not,
    _cost,
    _workspace,
    Preparation(
        per_call(_prepare),
        _depends_on,
        _prepare_cost,
        _prepare_work,
    ),
    per_piece(_run),
    accuracy="normwise",
    cuts=Cuts(
        extends=frozenset({"zero"}),
        shares=spectral_shares,
        tile_bytes=10 << 20,  # on 2048 x 2048 such pieces took half the time of all tiles at once
    ),
    spreads="overflow",
    work=_work,
)
