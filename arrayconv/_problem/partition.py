"""The pieces of a problem as ranges: planning time and memory do not depend on their number.

Pieces that need the same prepared kernel are consecutive, so that only one is in memory at a time. Along an axis,
blocks inside the data have equal specs, so a box of outputs is cut into a few segments of equal blocks; a partition is
the boxes of such segments, grouped by prepared kernel.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterator, Sequence, Set
from itertools import accumulate, product
from math import prod
from typing import NamedTuple

from arrayconv._problem.gather import needs_gather
from arrayconv._problem.spec import Axis, Spec
from arrayconv._problem.split import SMALL, Phase, Piece, Range, boxes, cut, live_phases, undivided_piece
from arrayconv._runtime.tracing import planning

_MAX_CACHED_PIECES = 512  # pieces that are cached: of so few, every call reads each one


class Blocks(NamedTuple):
    """A range of outputs, batches or groups cut into blocks of `size`; the last may be shorter."""

    first: int
    stop: int
    size: int

    @property
    def num_blocks(self) -> int:
        """The number of blocks."""
        return -(-(self.stop - self.first) // self.size)

    @property
    def length(self) -> int:
        """The length of the whole range."""
        return self.stop - self.first

    def at(self, number: int) -> Range:
        """Return the range of one block."""
        first = self.first + number * self.size
        return first, min(first + self.size, self.stop)


class Grid(NamedTuple):
    """Blocks of outputs of one phase that differ only in position."""

    phase: tuple[Phase, ...]
    axes: tuple[Blocks, ...]

    @property
    def num_blocks(self) -> int:
        """The number of blocks, for one block of batches and groups."""
        return prod(blocks.num_blocks for blocks in self.axes)


class Partition(NamedTuple):
    """A problem cut into pieces, ordered by prepared kernel, groups, batches, grid and block of the grid."""

    spec: Spec
    extends: frozenset[str]
    batch: Blocks
    groups: Blocks
    kinds: tuple[tuple[Grid, ...], ...]  # the grids of each kind of prepared kernel
    ends: tuple[int, ...] = ()  # cumulative number of pieces, by kind
    cached_pieces: tuple[Piece, ...] = ()  # all pieces, if there are few

    @property
    def num_pieces(self) -> int:
        """The number of pieces."""
        return len(self.cached_pieces) or (self.ends[-1] if self.ends else 0)

    def at(self, number: int) -> Piece:
        """Return a piece by number."""
        return self.cached_pieces[number] if self.cached_pieces else _at(self, number)

    def prepared_kernel(self, number: int) -> tuple[int, int]:
        """Return the number of the prepared kernel that a piece needs, and how many pieces need it."""
        return _prepared_kernel(self, number) if self.kinds else (0, 1)

    def pieces(self) -> Iterator[Piece]:
        """Yield all pieces in order."""
        return map(self.at, range(self.num_pieces))

    @property
    def outputs(self) -> int:
        """The number of outputs that the pieces write."""
        if self.cached_pieces:
            return sum(piece.spec.outputs for piece in self.cached_pieces)
        positions = sum(prod(blocks.length for blocks in grid.axes) for kind in self.kinds for grid in kind)
        return self.batch.length * self.groups.length * self.spec.filters * positions


Prepared = Callable[[Spec], Hashable]  # a piece's spec -> the part that its prepared kernel depends on


def partition(
    spec: Spec, block: Sequence[int], *, extends: Set[str], slabs: bool, prepared_by: Prepared | None = None
) -> Partition:
    """Cut a problem into blocks of at most `block` (batch, groups, *outputs of a phase).

    Parameters
    ----------
    extends : set of {'zero', 'wrap', 'all'}
        Boundaries that the algorithm handles itself, beyond the ends of a piece of x.
    slabs : bool
        Whether to cut the borders of a large problem off as slabs.
    prepared_by : callable, optional
        The part of a piece's spec that its prepared kernel depends on; everything but the batch by default.
    """
    batch, groups = Blocks(0, spec.batch, max(block[0], 1)), Blocks(0, spec.groups, max(block[1], 1))
    num_images = min(block[0], spec.batch) * min(block[1], spec.groups)  # of all channels, in one piece
    large = slabs and num_images * spec.channels * prod(spec.input_size) > SMALL
    empty = Partition(spec, frozenset(extends), batch, groups, ())
    kinds: dict[Hashable, list[Grid]] = {}
    for grid in _grids(empty, block, large):
        piece = _piece(empty, grid, (0, 0, *(0 for _ in grid.axes)))
        prepared = prepared_by(piece.spec) if prepared_by else piece.spec._replace(batch=1)
        taps = tuple((part.start, part.step) for part in piece.taps)  # slices have no hash before Python 3.12
        kinds.setdefault((taps, prepared), []).append(grid)
    each = [sum(grid.num_blocks for grid in grids) for grids in kinds.values()]
    ends = accumulate(batch.num_blocks * groups.num_blocks * blocks for blocks in each)
    return _with_cached_pieces(empty._replace(kinds=tuple(map(tuple, kinds.values())), ends=tuple(ends)))


def undivided_partition(spec: Spec) -> Partition:
    """Return a whole problem as one piece, for an algorithm that supports upsampled axes."""
    batch, groups = Blocks(0, spec.batch, spec.batch), Blocks(0, spec.groups, spec.groups)
    return Partition(spec, frozenset(), batch, groups, (), cached_pieces=(undivided_piece(spec),))


def empty_partition(spec: Spec) -> Partition:
    """Return the partition of a problem without outputs, or whose outputs are empty sums."""
    return Partition(spec, frozenset(), Blocks(0, 0, 1), Blocks(0, 0, 1), ())


def _with_cached_pieces(whole: Partition) -> Partition:
    if whole.num_pieces > _MAX_CACHED_PIECES:
        return whole
    return whole._replace(cached_pieces=tuple(_at(whole, number) for number in range(whole.num_pieces)))


def _grids(whole: Partition, block: Sequence[int], large: bool) -> Iterator[Grid]:
    for phase in product(*(live_phases(axis) for axis in whole.spec.axes)):
        for box in boxes(phase, slabs=large):
            segments = [
                list(_segments(part.axis, Blocks(*outputs, size), whole.extends))
                for part, outputs, size in zip(phase, box, block[2:], strict=True)
            ]
            yield from (Grid(phase, axes) for axes in product(*segments))


def _segments(axis: Axis, blocks: Blocks, extends: Set[str]) -> Iterator[Blocks]:
    """Yield the blocks along an axis as few segments, each of blocks with equal specs."""
    number, full = 0, blocks.length // blocks.size
    while number < blocks.num_blocks:
        stop = _end_of_segment(axis, blocks, number, full, extends)
        yield Blocks(blocks.at(number)[0], blocks.at(stop - 1)[1], blocks.size)
        number = stop


def _end_of_segment(axis: Axis, blocks: Blocks, number: int, full: int, extends: Set[str]) -> int:
    """Return the first block after `number` whose spec differs from that of block `number`."""
    if number >= full:
        return number + 1
    if needs_gather(axis) or not extends:  # each block has its own samples, gathered or extended
        return full
    first, _ = blocks.at(number)
    if axis.stride * first >= axis.before:  # the window starts inside the data
        end = (axis.size - axis.reach + axis.before) // axis.stride + 1  # first output whose window leaves the data
        stop = min((end - blocks.first) // blocks.size, full)
        if stop > number:
            return stop
    spec, _ = cut(axis, *blocks.at(number), extends)
    stop = number + 1
    while stop < full and cut(axis, *blocks.at(stop), extends)[0] == spec:
        stop += 1
    return stop


def _piece(whole: Partition, grid: Grid, numbers: Sequence[int]) -> Piece:
    """Return the piece of the blocks with these `numbers`: of the batch, of the groups, of each axis."""
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


class _Position(NamedTuple):
    """The position of a piece in the order of a partition."""

    kind: int
    group: int
    number: int  # among the pieces with the same prepared kernel
    num_pieces: int  # with the same prepared kernel


def _position(whole: Partition, number: int) -> _Position:
    kind = bisect_right(whole.ends, number)
    before = whole.ends[kind - 1] if kind else 0
    count = (whole.ends[kind] - before) // whole.groups.num_blocks
    group, number = divmod(number - before, count)
    return _Position(kind, group, number, count)


@planning(0)
def _at(whole: Partition, number: int) -> Piece:
    kind, group, number, count = _position(whole, number)
    batch, number = divmod(number, count // whole.batch.num_blocks)
    for grid in whole.kinds[kind]:
        if number < grid.num_blocks:
            return _piece(whole, grid, (batch, group, *_numbers(grid, number)))
        number -= grid.num_blocks
    raise IndexError(number)


@planning(0)
def _prepared_kernel(whole: Partition, number: int) -> tuple[int, int]:
    position = _position(whole, number)
    return position.kind * whole.groups.num_blocks + position.group, position.num_pieces


def _numbers(grid: Grid, number: int) -> list[int]:
    """Return the number of a block along each axis."""
    numbers: list[int] = []
    for blocks in reversed(grid.axes):
        number, along_axis = divmod(number, blocks.num_blocks)
        numbers.append(along_axis)
    return numbers[::-1]
