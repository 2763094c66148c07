"""The pieces of a problem as ranges: any number of them takes the same time to plan, and a few integers to keep.

Pieces that need the same of the kernel, prepared, follow each other, so that only one such is ever held. Along an axis
a block inside the data is like the next, so a box of outputs is cut into few segments of blocks that are alike; boxes
of such segments, by what they prepare, are all there is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterator, Sequence, Set
from itertools import accumulate, product
from math import prod
from typing import NamedTuple

from arrayconv._problem.gather import needs_gather
from arrayconv._problem.spec import Axis, Spec
from arrayconv._problem.split import SMALL, Phase, Piece, Range, boxes, cut, live_phases, undivided
from arrayconv._runtime.tracing import planning, record

_LISTED = 512  # pieces that are kept as they are: of so few each is wanted at every call


@record
class Blocks(NamedTuple):
    """A range of outputs, samples or groups cut into blocks of `size`, the last of what is left."""

    first: int
    stop: int
    size: int

    @property
    def num_blocks(self) -> int:
        """Return how many blocks there are."""
        return -(-(self.stop - self.first) // self.size)

    @property
    def length(self) -> int:
        """Return how much all of them hold."""
        return self.stop - self.first

    def at(self, number: int) -> Range:
        """Return one block."""
        first = self.first + number * self.size
        return first, min(first + self.size, self.stop)


@record
class Grid(NamedTuple):
    """Blocks of outputs of one phase that differ in their place alone."""

    phase: tuple[Phase, ...]
    axes: tuple[Blocks, ...]

    @property
    def num_blocks(self) -> int:
        """Return how many blocks there are, of one batch and group."""
        return prod(blocks.num_blocks for blocks in self.axes)


@record
class Partition(NamedTuple):
    """A problem cut into pieces: for each kind of prepared kernel and block of groups, of all grids the batches."""

    spec: Spec
    extends: frozenset[str]
    batch: Blocks
    groups: Blocks
    kinds: tuple[tuple[Grid, ...], ...]
    ends: tuple[int, ...] = ()  # the pieces up to the end of each kind
    listed: tuple[Piece, ...] = ()  # all pieces where they are few

    @property
    def num_pieces(self) -> int:
        """Return how many pieces there are."""
        return len(self.listed) or (self.ends[-1] if self.ends else 0)

    def at(self, number: int) -> Piece:
        """Return a piece by its number."""
        return self.listed[number] if self.listed else _at(self, number)

    def prepared(self, number: int) -> tuple[int, int]:
        """Return the number of the prepared kernel that a piece needs, and how many pieces need it."""
        return _prepared(self, number) if self.kinds else (0, 1)

    def each(self) -> Iterator[Piece]:
        """Yield all pieces in order."""
        return map(self.at, range(self.num_pieces))

    @property
    def outputs(self) -> int:
        """Return how many outputs the pieces write."""
        if self.listed:
            return sum(piece.spec.outputs for piece in self.listed)
        places = sum(prod(blocks.length for blocks in grid.axes) for kind in self.kinds for grid in kind)
        return self.batch.length * self.groups.length * self.spec.filters * places


Prepared = Callable[[Spec], Hashable]  # all of a piece's spec that its prepared kernel depends on


def partition(
    spec: Spec, block: Sequence[int], *, extends: Set[str], slabs: bool, prepared_by: Prepared | None = None
) -> Partition:
    """Cut a problem into blocks of at most `block` (batch, groups, *outputs of a phase).

    Parameters
    ----------
    extends : set of {'zero', 'wrap', 'all'}
        Which boundaries the algorithm handles itself, beyond the ends of a piece of x.
    slabs : bool
        Handle borders as slabs where the problem is large.
    prepared_by : callable, optional
        All that preparing a kernel reads of a piece's spec; everything but the batch by default.
    """
    batch, groups = Blocks(0, spec.batch, max(block[0], 1)), Blocks(0, spec.groups, max(block[1], 1))
    together = min(block[0], spec.batch) * min(block[1], spec.groups)  # images of all channels
    large = slabs and together * spec.channels * prod(spec.input_size) > SMALL
    whole = Partition(spec, frozenset(extends), batch, groups, ())
    kinds: dict[Hashable, list[Grid]] = {}
    for grid in _grids(whole, block, large):
        piece = _piece(whole, grid, (0, 0, *(0 for _ in grid.axes)))
        prepared = prepared_by(piece.spec) if prepared_by else piece.spec._replace(batch=1)
        taps = tuple((one.start, one.step) for one in piece.taps)  # slices have no hash before Python 3.12
        kinds.setdefault((taps, prepared), []).append(grid)
    each = [sum(grid.num_blocks for grid in grids) for grids in kinds.values()]
    ends = accumulate(batch.num_blocks * groups.num_blocks * blocks for blocks in each)
    return _listed(whole._replace(kinds=tuple(map(tuple, kinds.values())), ends=tuple(ends)))


def undivided_partition(spec: Spec) -> Partition:
    """Return a whole problem as one piece, for an algorithm that takes upsampled axes as they are."""
    batch, groups = Blocks(0, spec.batch, spec.batch), Blocks(0, spec.groups, spec.groups)
    return Partition(spec, frozenset(), batch, groups, (), listed=(undivided(spec),))


def nothing(spec: Spec) -> Partition:
    """Return the partition of a problem without outputs, or whose outputs are sums of nothing."""
    return Partition(spec, frozenset(), Blocks(0, 0, 1), Blocks(0, 0, 1), ())


def _listed(whole: Partition) -> Partition:
    if whole.num_pieces > _LISTED:
        return whole
    return whole._replace(listed=tuple(_at(whole, number) for number in range(whole.num_pieces)))


def _grids(whole: Partition, block: Sequence[int], large: bool) -> Iterator[Grid]:
    for phase in product(*(live_phases(axis) for axis in whole.spec.axes)):
        for box in boxes(phase, slabs=large):
            segments = [
                list(_segments(part.axis, Blocks(*outputs, size), whole.extends))
                for part, outputs, size in zip(phase, box, block[2:], strict=True)
            ]
            yield from (Grid(phase, axes) for axes in product(*segments))


def _segments(axis: Axis, blocks: Blocks, extends: Set[str]) -> Iterator[Blocks]:
    """Yield the blocks along an axis as few segments of blocks that are alike but for their place."""
    number, full = 0, blocks.length // blocks.size
    while number < blocks.num_blocks:
        stop = _alike(axis, blocks, number, full, extends)
        yield Blocks(blocks.at(number)[0], blocks.at(stop - 1)[1], blocks.size)
        number = stop


def _alike(axis: Axis, blocks: Blocks, number: int, full: int, extends: Set[str]) -> int:
    """Return the block behind the last one that is like block `number`, from that on."""
    if number >= full:
        return number + 1
    if needs_gather(axis) or not extends:  # each on samples of its own, brought together or extended
        return full
    first, _ = blocks.at(number)
    if axis.stride * first >= axis.before:  # inside as long as the last sample is
        inside = (axis.size - axis.reach + axis.before) // axis.stride + 1  # outputs before this one end inside
        stop = min((inside - blocks.first) // blocks.size, full)
        if stop > number:
            return stop
    like, _ = cut(axis, *blocks.at(number), extends)
    stop = number + 1
    while stop < full and cut(axis, *blocks.at(stop), extends)[0] == like:
        stop += 1
    return stop


def _piece(whole: Partition, grid: Grid, numbers: Sequence[int]) -> Piece:
    """Return the piece of the blocks `numbers`: of the batch, of the groups, of each axis."""
    spec = whole.spec
    batch, groups = whole.batch.at(numbers[0]), whole.groups.at(numbers[1])
    box = [blocks.at(number) for blocks, number in zip(grid.axes, numbers[2:], strict=True)]
    cuts = [cut(part.axis, *outputs, whole.extends) for part, outputs in zip(grid.phase, box, strict=True)]
    inner = spec._replace(
        batch=batch[1] - batch[0],
        groups=groups[1] - groups[0],
        axes=tuple(axis for axis, _ in cuts),
        flip=False,
        conj=False,
    )
    targets = tuple(
        slice(p.first_output + first * p.output_step, p.first_output + (stop - 1) * p.output_step + 1, p.output_step)
        for p, (first, stop) in zip(grid.phase, box, strict=True)
    )
    taps = tuple(slice(p.first_tap, None, p.tap_step) for p in grid.phase)
    return Piece(inner, batch, groups, tuple(source for _, source in cuts), taps, targets)


class _Place(NamedTuple):
    """Where a piece stands."""

    kind: int
    group: int
    number: int  # among those that one prepared kernel serves
    serves: int  # how many those are


def _place(whole: Partition, number: int) -> _Place:
    kind = bisect_right(whole.ends, number)
    before = whole.ends[kind - 1] if kind else 0
    serves = (whole.ends[kind] - before) // whole.groups.num_blocks
    group, number = divmod(number - before, serves)
    return _Place(kind, group, number, serves)


@planning(0)
def _at(whole: Partition, number: int) -> Piece:
    kind, group, number, serves = _place(whole, number)
    batch, number = divmod(number, serves // whole.batch.num_blocks)
    for grid in whole.kinds[kind]:
        if number < grid.num_blocks:
            return _piece(whole, grid, (batch, group, *_numbers(grid, number)))
        number -= grid.num_blocks
    raise IndexError(number)


@planning(0)
def _prepared(whole: Partition, number: int) -> tuple[int, int]:
    place = _place(whole, number)
    return place.kind * whole.groups.num_blocks + place.group, place.serves


def _numbers(grid: Grid, number: int) -> list[int]:
    """Return the number of a block along each axis."""
    numbers: list[int] = []
    for blocks in reversed(grid.axes):
        number, own = divmod(number, blocks.num_blocks)
        numbers.append(own)
    return numbers[::-1]
