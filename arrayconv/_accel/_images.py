"""Images of many channels: what a problem costs, how it is cut into blocks and phases, and what the loop is told.

The loop itself is in `native/images.h`; NumPy arrays meet it in `native_images`, JAX arrays in `xla_loops`.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from arrayconv._accel import _planes
from arrayconv._accel._in_place import Host, Steps
from arrayconv._accel._rows import MIN_SHARED_FILTERS
from arrayconv._accel._tables import IMAGES, ImagesTable, Job, LeadPhase
from arrayconv._accel._tables import Axis as AxisEntry
from arrayconv._accel._tables import Phase as PhaseEntry
from arrayconv._cost_table import LINE, Pace, rates
from arrayconv._ops.windows import LEADING
from arrayconv._scattered import is_scattered, near
from arrayconv._spec import Axis, Spec
from arrayconv._split import Phase, phase_count, phases
from arrayconv._tracing import planning
from arrayconv._xp import Traits

_BLOCK_BYTES = 1 << 18  # of samples: they, the factors and what comes out stay in the second cache
_MOST_PHASES = 64
_SHARE = 1 << 24  # bytes times multiply-adds that are worth a thread of their own
_SUMS_BYTES = 512 * 6  # of outputs that native/images.h sums at a time, of six filters, for each phase of columns
_WORDS = 2048  # of tables


def refusal(spec: Spec, traits: Traits) -> str | None:
    """Return why the loop can't serve a problem, or None."""
    if traits.accumulator not in ("float32", "float64"):
        return f"it sums in float32 or float64. Got {traits.accumulator}"
    return None if spec.axes else "it takes one convolved axis or more. Got 0"


def upsamples(spec: Spec) -> bool:
    """Whether an upsampled problem is served as it is."""
    if not spec.outputs or not spec.terms or all(axis.upsample == 1 for axis in spec.axes):
        return False
    if prod(map(phase_count, spec.axes)) > _MOST_PHASES:
        return False
    parts = [part.axis for axis in spec.axes for part in phases(axis)]
    return all(near(part) == part and not is_scattered(part) for part in parts)  # else brought near, phase by phase


def cost(spec: Spec, traits: Traits, measured: Pace) -> int:
    """Return nanoseconds at a measured pace: outputs at the ends of rows that nobody wants are computed too."""
    along = [_AxisPhases.of(axis) for axis in _surrounded(spec)]
    met = prod(sum(part.axis.outputs * part.axis.taps for part in phases(axis)) for axis in spec.axes)
    macs = spec.batch * spec.groups * spec.filters * spec.channels * met
    rows, columns = along[-2:]
    wanted = rows.max_outputs * columns.max_outputs
    computed = (rows.max_outputs - 1) * columns.positions + columns.max_outputs
    slow = 1 if spec.filters >= MIN_SHARED_FILTERS else 2  # where every sample is loaded for one sum alone
    work = macs * computed // max(1, wanted) * traits.itemsize * measured.mac_line * slow // LINE
    copied = prod(spec.input_shape) * prod(axis.taps for axis in spec.axes[:-2])
    work += copied * traits.itemsize * rates(traits.row).copy_byte + spec.outputs * measured.output
    return measured.call_ns + work // min(worth(spec, traits), _units(spec, along, traits)) // 1000


def _units(spec: Spec, along: list[_AxisPhases], traits: Traits) -> int:
    """Return how many blocks there are to share, at least one."""
    places = prod(axis.axis.outputs for axis in along[:-2])
    return max(1, spec.batch * spec.groups * places * _Blocks.of(spec, traits).bands)


def worth(spec: Spec, traits: Traits) -> int:
    """Return how many threads a problem of this size is shared by."""
    return max(1, min(traits.threads, spec.macs * traits.itemsize // _SHARE))


def workspace(spec: Spec, traits: Traits) -> int:
    """Return the bytes of the kernel by phases, of the blocks of all threads, and of the tables."""
    blocks = _Blocks.of(spec, traits)
    along = [_AxisPhases.of(axis) for axis in _surrounded(spec)]
    sums = _SUMS_BYTES * len(along[-1].parts)
    numbers = 8 * (4 * spec.terms + 8 * sum(axis.low + axis.high for axis in along))
    kernel = prod(spec.kernel_shape) * traits.itemsize
    return 2 * kernel + traits.threads * (blocks.room * traits.itemsize + sums) + numbers + 8 * _WORDS


class _AxisPhases(NamedTuple):
    """An axis as phases that have their steps in common, and the samples that those meet."""

    axis: Axis
    parts: tuple[Phase, ...]
    before: int  # of the first sample, those that the first output of some phase may meet
    extra: int  # positions that a row holds beyond its outputs, of every rest by the stride
    max_outputs: int  # outputs of a phase

    @classmethod
    def of(cls, axis: Axis) -> _AxisPhases:
        parts = phases(axis)
        before = max(part.axis.before for part in parts)
        step = parts[0].axis.stride
        reaches = [before - part.axis.before + part.axis.reach - 1 for part in parts if part.axis.taps]
        return cls(axis, parts, before, max([0, *reaches]) // step, max(part.axis.outputs for part in parts))

    @property
    def step(self) -> int:
        return self.parts[0].axis.stride

    @property
    def positions(self) -> int:
        """Return the positions of a row of a copy."""
        return self.max_outputs + self.extra

    @property
    def low(self) -> int:
        """Return how many positions before the first sample are read."""
        return max(self.before, 0)

    @property
    def high(self) -> int:
        """Return how many positions after the last sample are read."""
        return max(self.step * self.positions - self.before - self.axis.size, 0)

    @property
    def taps(self) -> int:
        return max(1, *(part.axis.taps for part in self.parts))

    def places(self, part: Phase) -> list[tuple[int, int]]:
        """Return where the taps of a phase meet a copy: the position, and the rest that its samples leave."""
        first = self.before - part.axis.before
        return [divmod(first + part.axis.dilation * tap, self.step) for tap in range(part.axis.taps)]


def _surrounded(spec: Spec) -> tuple[Axis, ...]:
    """Return the axes, two at least."""
    return (Axis(1, 1, 1), *spec.axes) if len(spec.axes) == 1 else spec.axes


class _Blocks(NamedTuple):
    """How outputs are cut along the rows, and what a block copies."""

    bands: int
    rows: int  # of a phase, in each
    high: int  # rows of a copy
    pitch: int  # from one to the next
    room: int  # samples

    @classmethod
    def of(cls, spec: Spec, traits: Traits) -> _Blocks:
        along = [_AxisPhases.of(axis) for axis in _surrounded(spec)]
        rows, columns = along[-2:]
        pitch, planes = columns.positions, spec.channels * prod(axis.taps for axis in along[:-2])
        each = max(1, planes * rows.step * columns.step * pitch)  # 0 without channels
        most = max(_BLOCK_BYTES // (each * traits.itemsize) - rows.extra, rows.extra // 2 + 1)
        units = prod((spec.batch, spec.groups, *(axis.axis.outputs for axis in along[:-2])))
        wanted = 2 * worth(spec, traits) if worth(spec, traits) > 1 else 1  # for as many threads, not much apart
        bands = max(-(-rows.max_outputs // most), min(-(-wanted // max(1, units)), rows.max_outputs))
        count = -(-rows.max_outputs // bands)
        high = count + rows.extra
        return cls(-(-rows.max_outputs // count), count, high, pitch, each * high)


@planning()
def job(spec: Spec, x_steps: Steps, y_steps: Steps, start: int, origin: int, traits: Traits) -> Job:
    """Return the loop's table for a problem on arrays of some layout."""
    blocks, along = _Blocks.of(spec, traits), [_AxisPhases.of(axis) for axis in _surrounded(spec)]
    axes, border = _axes(along, x_steps[LEADING:], y_steps[LEADING:])
    leads = [LeadPhase(-part.axis.before, part.axis.taps) for axis in along[:-2] for part in axis.parts]
    phases, offsets = _phases(spec, along, blocks)
    head = _planes.head(
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


def _axes(along: list[_AxisPhases], x_steps: Steps, y_steps: Steps) -> tuple[list[AxisEntry], Host]:
    """Return the axes, and the samples that stand beyond the ends of all of them."""
    none = (0,) * (len(along) - len(x_steps))  # of an axis that was put around
    steps = (*none, *x_steps), (*none, *y_steps)
    entries, border = _planes.axes([each.axis for each in along], [(each.low, each.high) for each in along], steps)
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


def _phases(spec: Spec, along: list[_AxisPhases], blocks: _Blocks) -> tuple[list[PhaseEntry], list[Host]]:
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


Taps = tuple[int, int, int]  # those of a phase: the first, the step between them, how many


def taps_of(spec: Spec) -> tuple[tuple[Taps, ...], ...]:
    """Return the taps of each phase, for each axis."""
    return tuple([tuple([(part.first_tap, part.tap_step, part.axis.taps) for part in phases(a)]) for a in spec.axes])


def ordered(kernel: Any, taps: tuple[tuple[Taps, ...], ...]) -> Host:
    """Return the factors of a kernel (groups, filters, channels, *k), those of one phase after those of another."""
    parts = by_phases(np.asarray(kernel), taps)
    return np.ascontiguousarray(parts[0]) if len(parts) == 1 else np.concatenate(parts)


def by_phases(kernel: Any, taps: tuple[tuple[Taps, ...], ...]) -> list[Any]:
    """Return the factors of each phase, of a kernel of any library whose arrays have NumPy's `reshape`."""
    return [kernel[(..., *map(_cut, found))].reshape(-1) for found in product(*taps)]


def _cut(taps: Taps) -> slice:
    first, step, count = taps
    return slice(first, first + step * count, step)
