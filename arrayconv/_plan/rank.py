"""Why this algorithm: rank the table for a problem, with a cost for what can run and a reason for what can't.

Pure integers: the choice depends on the spec, the traits and the budget, never on values, load or time of day.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from arrayconv._accel import ACCELERATED
from arrayconv._algorithms import ALGORITHMS, Accuracy, Algorithm, Extends
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import primitive_costs
from arrayconv._problem.gather import gathered_axis, needs_gather
from arrayconv._problem.spec import Axis, Spec
from arrayconv._problem.split import among_zeros, block_shape, is_circular, live_phases
from arrayconv._runtime.tracing import record

TABLE: dict[str, Algorithm] = {**ALGORITHMS, **ACCELERATED}
METHODS = ("auto", *TABLE)
GONE = {"numba": "native_loops", "numba_tiles": "native_tiles"}  # of earlier versions, and what serves in their place
_UNLIMITED = 1 << 62
_MAX_PIECES = 4096  # cache-sized pieces of one problem: planning time must not grow with the data


@record
class Budget(NamedTuple):
    """What the caller allows: bytes of workspace (None for any), and how the error must be bounded."""

    max_workspace: int | None = None
    accuracy: Accuracy = "normwise"
    yields: bool = False  # the cap is a default: it is exceeded where nothing fits


@record
class Candidate(NamedTuple):
    """One row of the ranking."""

    name: str
    cost_ns: int
    block: tuple[int, ...]  # the largest piece that fits: (batch, groups, *outputs)
    workspace: int  # bytes of such a piece
    refusal: str | None  # why it can't run, None if it can
    measured_ns: int | None = None  # what it took, where somebody measured
    num_parallel: int = 1  # pieces that run side by side, each on a thread of its own
    undivided: bool = False  # the whole problem is one piece, upsampled axes as they are


def rank(spec: Spec, traits: Traits, budget: Budget, zero_fill: bool) -> tuple[Candidate, ...]:
    """Return every algorithm of the table, cheapest first, refused ones last.

    Parameters
    ----------
    spec : Spec
        The whole problem.
    traits : Traits
        What is known of the arrays.
    budget : Budget
        What the caller allows.
    zero_fill : bool
        'constant' axes are continued by zeros, which some algorithms need not copy.
    """
    phase = _largest_phase(spec)
    rows = [_candidate(algorithm, spec, phase, traits, budget, zero_fill) for algorithm in TABLE.values()]
    return tuple(sorted(rows, key=lambda row: (row.refusal is not None, row.cost_ns)))


def _largest_phase(spec: Spec) -> Spec:
    """Return the phase with the most work: it stands for all, since one algorithm runs them."""
    return spec._replace(axes=tuple(_largest(axis) for axis in spec.axes))


def _largest(axis: Axis) -> Axis:
    if not axis.outputs:
        return axis._replace(upsample=1)
    met = [phase.axis for phase in live_phases(axis)]
    if not met:  # no tap meets a sample, and nothing runs
        return axis._replace(upsample=1, taps=1)
    return max(met, key=lambda phase: phase.taps * phase.outputs)


class _Work(NamedTuple):
    """A problem for one algorithm, of which blocks (batch, groups, *outputs) are asked what they take."""

    algorithm: Algorithm
    spec: Spec
    phase: Spec  # the largest, which stands for all
    traits: Traits
    extends: Extends

    @property
    def sizes(self) -> tuple[int, ...]:
        return (self.spec.batch, self.spec.groups, *self.phase.output_size)

    @property
    def reaches(self) -> list[int]:
        return [axis.reach for axis in self.phase.axes]

    def piece(self, block: tuple[int, ...]) -> Spec:
        return _block_spec(self.phase, block, self.extends)

    def why_not(self, block: tuple[int, ...]) -> str | None:
        return self.algorithm.why_not(self.piece(block), self.traits)

    def bytes(self, block: tuple[int, ...]) -> int:
        return _piece_bytes(self.algorithm, self.piece(block), self.spec, self.traits)

    def count(self, block: tuple[int, ...]) -> int:
        """Count the pieces of all phases."""
        each = prod(-(-max(n, 1) // b) for n, b in zip(self.sizes, block, strict=True))
        return each * prod(max(1, len(live_phases(axis))) for axis in self.spec.axes)

    def cost(self, block: tuple[int, ...], threads: int) -> int:
        """Return the expected nanoseconds of all pieces, one after the other; the kernel they meet is prepared once."""
        piece, count, traits = self.piece(block), self.count(block), self.traits._replace(threads=threads)
        again = self.prepare_cost(block, threads) * (count - 1)
        return (self.algorithm.cost(piece, traits) + _step_ns(traits)) * count - again

    def prepare_cost(self, block: tuple[int, ...], threads: int) -> int:
        """Return the expected nanoseconds of what needs only the kernel, as far as it is told apart."""
        prepares = self.algorithm.preparation.cost
        return prepares(self.piece(block), self.traits._replace(threads=threads)) if prepares else 0

    def within(self, block: tuple[int, ...], limit: int) -> tuple[int, ...] | None:
        """Return the block, smaller if need be, that keeps to so many bytes; None where none does."""
        return block_shape(block, self.reaches, self.bytes, limit, rows=not self.algorithm.spreads)


def _candidate(
    algorithm: Algorithm, spec: Spec, phase: Spec, traits: Traits, budget: Budget, zero_fill: bool
) -> Candidate:
    def refused(reason: str) -> Candidate:
        return Candidate(algorithm.name, 0, (), 0, reason)

    if budget.accuracy == "componentwise" and algorithm.accuracy == "normwise":
        return refused("its error is bounded by norm, and accuracy='componentwise' was asked for")
    limit = _UNLIMITED if budget.max_workspace is None else budget.max_workspace
    whole = _undivided(algorithm, spec, traits, limit) if zero_fill else None
    if whole is not None:
        return whole
    work = _Work(algorithm, spec, phase, traits, algorithm.cuts.extending(zero_fill))
    smallest = (1,) * len(work.sizes)
    reason = work.why_not(smallest)
    if reason is not None:
        return refused(reason)
    block = work.within(work.sizes, limit)
    if block is None:
        needs = work.bytes(smallest)
        return refused(f"its smallest piece needs {needs} bytes of workspace, more than max_workspace={limit}")
    block = _cache_block(algorithm, phase, traits, block, work.reaches)
    reason = work.why_not(block)
    if reason is not None:
        return refused(reason)
    found = Candidate(algorithm.name, work.cost(block, traits.threads), block, work.bytes(block), None)
    counts = parallel.piece_counts(found.cost_ns, traits.threads) if traits.writable else ()
    return _parallel_row(found, work, limit, counts) if counts and algorithm.cuts.shares(phase, traits) else found


def _parallel_row(found: Candidate, work: _Work, limit: int, counts: Sequence[int]) -> Candidate:
    """Return the row with pieces on threads of their own, where that is expected to take less."""
    threads, block = work.traits.threads, found.block
    for parts in counts:
        smaller = work.within(_parted(block, work.sizes, work.reaches, parts), limit // threads)
        if smaller is None or work.why_not(smaller) is not None:
            continue
        first = work.prepare_cost(smaller, 1)  # while all wait
        took = parallel.pieces_ns(first, work.cost(smaller, 1) - first, work.count(smaller), threads)
        if took < found.cost_ns:
            needs = threads * work.bytes(smaller)
            found = found._replace(cost_ns=took, block=smaller, workspace=needs, num_parallel=threads)
    return found


def _undivided(algorithm: Algorithm, spec: Spec, traits: Traits, limit: int) -> Candidate | None:
    """Return the row of an algorithm that takes this upsampled problem as it is; None where it takes phases."""
    if algorithm.cuts.upsamples is None or not algorithm.cuts.upsamples(spec) or algorithm.why_not(spec, traits):
        return None
    needs = _piece_bytes(algorithm, spec, spec, traits)
    if needs > limit:
        return None
    block = (spec.batch, spec.groups, *spec.output_size)
    cost = algorithm.cost(spec, traits) + _step_ns(traits)
    return Candidate(algorithm.name, cost, block, needs, None, undivided=True)


def _parted(block: tuple[int, ...], sizes: Sequence[int], reaches: Sequence[int], parts: int) -> tuple[int, ...]:
    """Cut a block until there are at least `parts` of them: the batch first, then the axis longest in reaches."""
    shape = list(block)
    while prod(-(-max(n, 1) // b) for n, b in zip(sizes, shape, strict=True)) < parts:
        cuttable = [number for number, size in enumerate(shape) if size > 1]
        if not cuttable:
            break
        number = cuttable[0]
        if number >= 2:  # leading axes first, while no halo is longer than the piece
            number = next((n for n in cuttable if shape[n] > 2 * reaches[n - 2]), cuttable[0])
        shape[number] = -(-shape[number] // 2)
    return tuple(shape)


def _step_ns(traits: Traits) -> int:
    """Return the nanoseconds of starting a piece: about as long as 20 calls on tiny arrays."""
    return 20 * primitive_costs(traits.row).call_ns


def _cache_block(
    algorithm: Algorithm, phase: Spec, traits: Traits, block: tuple[int, ...], reaches: Sequence[int]
) -> tuple[int, ...]:
    """Shrink a block until what it works on stays in a CPU's cache, where pieces cost little to start.

    What smears works on the halo of a piece as on the rest: no piece is shorter than its reach, as far as `block` goes;
    nor is one less than a whole image where those are not cut.
    """
    if not algorithm.cuts.tile_bytes or traits.traced or traits.device != "cpu" or traits.backend == "jax":
        return block

    def workspace(shape: tuple[int, ...]) -> int:
        return algorithm.workspace(_block_spec(phase, shape, frozenset()), traits)

    fixed = workspace((1,) * len(block))  # the kernel's share, which no block makes smaller

    def size(shape: tuple[int, ...]) -> int:
        return workspace(shape) - fixed

    whole = (phase.batch, phase.groups, *phase.output_size)
    limit = max(algorithm.cuts.tile_bytes, size(whole) // _MAX_PIECES)
    least: Sequence[int] | None = block[2:] if algorithm.cuts.tiles_images else None
    if algorithm.spreads:
        least = [-(-axis.reach // axis.stride) for axis in phase.axes]
    return block_shape(block, reaches, size, limit, rows=True, least=least) or block


def _block_spec(phase: Spec, block: Sequence[int], extends: Extends) -> Spec:
    """Return the spec of one block of a phase on a piece of x of its own."""
    batch, groups, *outputs = block
    axes = tuple(_block_axis(axis, count, extends) for axis, count in zip(phase.axes, outputs, strict=True))
    return phase._replace(batch=batch, groups=groups, axes=axes)


def _block_axis(axis: Axis, outputs: int, extends: Extends) -> Axis:
    if needs_gather(axis):
        return gathered_axis(axis, outputs)
    if outputs == axis.outputs and ("all" in extends or among_zeros(axis, extends) or is_circular(axis, extends)):
        return axis
    return axis._replace(outputs=outputs, size=axis.stride * (outputs - 1) + axis.reach, before=0)


def _piece_bytes(algorithm: Algorithm, block: Spec, spec: Spec, traits: Traits) -> int:
    """Return the bytes one block takes beyond the caller's arrays: extended input, kernel, and the method's own."""
    read = prod(_samples(axis) for axis in block.axes)
    samples = block.batch * block.groups * block.channels * read
    guarded = bool(algorithm.spreads) and not traits.exact
    # A cast, or one axis extended after the other; guarded data, its magnitudes, scaled, and two flags.
    copies = 4 if guarded else 1 + any(axis.leaves_data for axis in spec.axes)
    piece = samples * (copies * traits.itemsize + 2 * guarded)
    kernel = (6 if guarded else 2) * prod(spec.kernel_shape) * traits.itemsize  # cast, flipped, guarded
    result = block.outputs * traits.itemsize  # cast
    return piece + kernel + result + algorithm.workspace(block, traits)


def _samples(axis: Axis) -> int:
    """Count the samples that an axis reads, of its own and beyond the ends."""
    lo, hi = axis.span(0, axis.outputs)
    return -(-(hi - lo) // axis.upsample)
