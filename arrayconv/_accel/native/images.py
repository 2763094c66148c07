"""Images of many channels: what a problem costs, how it is cut into blocks and phases, and what the loop is told.

The loop itself is in `src/images.h`; NumPy arrays meet it in `native_images`, JAX arrays in `xla_loops`.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from arrayconv._accel.native import geometry
from arrayconv._accel.native.in_place import Host, Steps
from arrayconv._accel.native.phases import AxisPhases, along_axes
from arrayconv._accel.native.rows import MIN_SHARED_FILTERS
from arrayconv._accel.native.tables import IMAGES, TILED, ImagesTable, Job, LeadPhase
from arrayconv._accel.native.tables import Axis as AxisEntry
from arrayconv._accel.native.tables import Phase as PhaseEntry
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import LINE, MethodCost, primitive_costs
from arrayconv._ops.windows import LEADING
from arrayconv._problem.gather import near, needs_gather
from arrayconv._problem.spec import Spec
from arrayconv._problem.split import phase_count, phases
from arrayconv._runtime.tracing import planning

_BLOCK_BYTES = 1 << 18  # of samples: they, the factors and what comes out stay in the second cache
_MAX_PHASES = 64
_SUMS_BYTES = 512 * 6  # of outputs that src/images.h sums at a time, of six filters, for each phase of columns
_WORDS = 2048  # of tables


def refusal(spec: Spec, traits: Traits) -> str | None:
    """Return why the loop can't serve a problem, or None."""
    if traits.accumulator not in TILED:
        return f"it sums in {' or '.join(TILED)}. Got {traits.accumulator}"
    return None if spec.axes else "it takes one convolved axis or more. Got 0"


def upsamples(spec: Spec) -> bool:
    """Whether an upsampled problem is served as it is."""
    if not spec.outputs or not spec.terms or all(axis.upsample == 1 for axis in spec.axes):
        return False
    if prod(map(phase_count, spec.axes)) > _MAX_PHASES:
        return False
    parts = [part.axis for axis in spec.axes for part in phases(axis)]
    return all(near(part) == part and not needs_gather(part) for part in parts)  # else brought near, phase by phase


def cost(spec: Spec, traits: Traits, measured: MethodCost) -> int:
    """Return nanoseconds at a measured pace: outputs at the ends of rows that nobody wants are computed too."""
    along = along_axes(spec)
    met = prod(sum(part.axis.outputs * part.axis.taps for part in phases(axis)) for axis in spec.axes)
    macs = spec.batch * spec.groups * spec.filters * spec.channels * met
    rows, columns = along[-2:]
    wanted = rows.max_outputs * columns.max_outputs
    computed = (rows.max_outputs - 1) * columns.positions + columns.max_outputs
    slow = 1 if spec.filters >= MIN_SHARED_FILTERS else 2  # where every sample is loaded for one sum alone
    work = macs * computed // max(1, wanted) * traits.itemsize * measured.cache_line_mac * slow // LINE
    copied = prod(spec.input_shape) * prod(axis.taps for axis in spec.axes[:-2])
    work += copied * traits.itemsize * primitive_costs(traits.row).copy_byte + spec.outputs * measured.output
    return measured.call_ns + work // min(num_threads(spec, traits), _units(spec, along, traits)) // 1000


def _units(spec: Spec, along: list[AxisPhases], traits: Traits) -> int:
    """Return how many blocks there are to share, at least one."""
    places = prod(axis.axis.outputs for axis in along[:-2])
    return max(1, spec.batch * spec.groups * places * _Blocks.of(spec, traits).bands)


def num_threads(spec: Spec, traits: Traits) -> int:
    """Return how many threads compute a problem of this size."""
    return parallel.num_threads("images", spec.macs * traits.itemsize, traits.threads)


def workspace(spec: Spec, traits: Traits) -> int:
    """Return the bytes of the kernel by phases, of the blocks of all threads, and of the tables."""
    blocks = _Blocks.of(spec, traits)
    along = along_axes(spec)
    sums = _SUMS_BYTES * len(along[-1].parts)
    numbers = 8 * (4 * spec.terms + 8 * sum(axis.low + axis.high for axis in along))
    kernel = prod(spec.kernel_shape) * traits.itemsize
    return 2 * kernel + traits.threads * (blocks.room * traits.itemsize + sums) + numbers + 8 * _WORDS


class _Blocks(NamedTuple):
    """How outputs are cut along the rows, and what a block copies."""

    bands: int
    rows: int  # of a phase, in each
    high: int  # rows of a copy
    pitch: int  # from one to the next
    room: int  # samples

    @classmethod
    def of(cls, spec: Spec, traits: Traits) -> _Blocks:
        along = along_axes(spec)
        rows, columns = along[-2:]
        pitch, planes = columns.positions, spec.channels * prod(axis.taps for axis in along[:-2])
        each = max(1, planes * rows.step * columns.step * pitch)  # 0 without channels
        most = max(_BLOCK_BYTES // (each * traits.itemsize) - rows.extra, rows.extra // 2 + 1)
        units = prod((spec.batch, spec.groups, *(axis.axis.outputs for axis in along[:-2])))
        wanted = (
            2 * num_threads(spec, traits) if num_threads(spec, traits) > 1 else 1
        )  # for as many threads, not much apart
        bands = max(-(-rows.max_outputs // most), min(-(-wanted // max(1, units)), rows.max_outputs))
        count = -(-rows.max_outputs // bands)
        high = count + rows.extra
        return cls(-(-rows.max_outputs // count), count, high, pitch, each * high)


@planning()
def job(spec: Spec, x_steps: Steps, y_steps: Steps, start: int, origin: int, traits: Traits) -> Job:
    """Return the loop's table for a problem on arrays of some layout."""
    blocks, along = _Blocks.of(spec, traits), along_axes(spec)
    axes, border = _axes(along, x_steps[LEADING:], y_steps[LEADING:])
    leads = [LeadPhase(-part.axis.before, part.axis.taps) for axis in along[:-2] for part in axis.parts]
    phases, offsets = _phases(spec, along, blocks)
    head = geometry.head(
        spec,
        (x_steps, y_steps),
        (start, origin),
        lead_axes=len(along) - 2,
        border=border.size,
        copy_row=blocks.pitch,
        room=blocks.room,
    )
    table = ImagesTable(len(leads), len(phases), blocks.bands, band_rows=blocks.rows, copy_rows=blocks.high)
    parts = head, table, axes, border, leads, phases, *offsets
    return Job(IMAGES, parts, _units(spec, along, traits), blocks.room)


def _axes(along: list[AxisPhases], x_steps: Steps, y_steps: Steps) -> tuple[list[AxisEntry], Host]:
    """Return the axes, and the samples that stand beyond the ends of all of them."""
    none = (0,) * (len(along) - len(x_steps))  # of an axis that was put around
    steps = (*none, *x_steps), (*none, *y_steps)
    entries, border = geometry.axes([each.axis for each in along], [(each.low, each.high) for each in along], steps)
    phased = [
        entry._replace(
            before=each.before,
            taps=each.taps,
            stride=each.step,
            dilation=each.parts[0].axis.dilation,
            period=each.parts[0].output_step,
        )
        for entry, each in zip(entries, along, strict=True)
    ]
    return phased, border


def _phases(spec: Spec, along: list[AxisPhases], blocks: _Blocks) -> tuple[list[PhaseEntry], list[Host]]:
    """Return the phases of all axes together, and where every term of each stands in a copy."""
    found: list[PhaseEntry] = []
    offsets: list[Host] = []
    rows, columns = along[-2:]
    part = blocks.high * blocks.pitch
    before = 0  # terms of the phases so far
    for parts in product(*(axis.parts for axis in along)):
        planes = np.arange(spec.channels * prod(lead.axis.taps for lead in parts[:-2]), dtype=np.int64)
        down = [columns.step * part * rest + blocks.pitch * place for place, rest in rows.places(parts[-2])]
        across = [part * rest + place for place, rest in columns.places(parts[-1])]
        offsets.append(_outer(_outer(rows.step * columns.step * part * planes, down), across))
        found.append(PhaseEntry(offsets[-1].size, before, before * spec.groups * spec.filters))
        before += offsets[-1].size
    return found, offsets


def _outer(first: Host, second: list[int]) -> Host:
    """Return the sums of all pairs, those of the first number first."""
    return (first[:, None] + np.array(second, np.int64)).reshape(-1)
