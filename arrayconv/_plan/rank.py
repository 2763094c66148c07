"""The choice of algorithm: ranks the table for a problem, with a cost for each method that can run, else a reason.

Pure integers: the choice depends on the spec, the traits and the budget, never on values, load or time of day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import NamedTuple

from arrayconv._accel import ACCELERATED
from arrayconv._algorithms import ALGORITHMS, Accuracy, Algorithm, Extends
from arrayconv._arrays.traits import Traits
from arrayconv._costs import parallel
from arrayconv._costs.cost_table import primitive_costs
from arrayconv._plan import device_work
from arrayconv._problem.boundary import reads_samples
from arrayconv._problem.gather import gathered_axis, needs_gather
from arrayconv._problem.spec import Axis, Spec
from arrayconv._problem.split import block_shape, handles_wrap, handles_zeros, live_phases

TABLE: dict[str, Algorithm] = {**ALGORITHMS, **ACCELERATED}
METHODS = ("auto", *TABLE)
REMOVED = {"numba": "native_loops", "numba_tiles": "native_tiles"}  # methods of earlier versions -> successors
_UNLIMITED = 1 << 62
_EXTENSION_CALLS = 4  # array functions that continue one axis by its own samples
_COPIED_TAP_NS = 2  # of a tap that is copied from between others
_XLAS_CAST_NS = 4_000  # of a small array to the dtype of sums
_MAPPED_PS, _MAPPED_BYTES = 150, 1 << 25  # picoseconds per byte of a result that is not in the heap of the C library
_SLAB_PS, _SLAB_BYTES = 80, 4 << 20  # picoseconds per byte of a result beyond so many, whose memory is new
_APART_PS = 1_300  # to write an output of a phase along the last axis
MAX_AT_ADDRESSES = 16  # steps of a call at addresses
_MAX_PIECES = 4096  # cache-sized pieces of one problem: planning time must not grow with the data


class Budget(NamedTuple):
    """The caller's limits: bytes of workspace (None for no limit), and how the error must be bounded."""

    max_workspace: int | None = None
    accuracy: Accuracy = "normwise"
    is_soft: bool = False  # the limit is a default, exceeded if no method fits


class Candidate(NamedTuple):
    """One row of the ranking."""

    name: str
    cost_ns: int
    block: tuple[int, ...]  # the largest piece that fits: (batch, groups, *outputs)
    workspace: int  # bytes of that piece
    refusal: str | None  # why it cannot run, None if it can
    measured_ns: int | None = None  # measured time, where it was run
    num_parallel: int = 1  # pieces that run side by side, one per thread
    undivided: bool = False  # the whole problem is one piece, upsampled axes included


def rank(spec: Spec, traits: Traits, budget: Budget, zero_fill: bool) -> tuple[Candidate, ...]:
    """Return every algorithm of the table, cheapest first, refused ones last.

    Parameters
    ----------
    spec : Spec
        The whole problem.
    traits : Traits
        Properties of the arrays.
    budget : Budget
        The caller's limits.
    zero_fill : bool
        Whether 'constant' axes extend by zeros, which some algorithms need not copy.
    """
    problem = _Phased(spec, _largest_phase(spec), {})
    rows = [_candidate(algorithm, problem, traits, budget, zero_fill) for algorithm in TABLE.values()]
    return tuple(sorted(rows, key=lambda row: (row.refusal is not None, row.cost_ns)))


def _largest_phase(spec: Spec) -> Spec:
    """Return the phase with the most work; it represents all, since one algorithm runs them."""
    return spec._replace(axes=tuple(_largest(axis) for axis in spec.axes))


def _largest(axis: Axis) -> Axis:
    if not axis.outputs:
        return axis._replace(upsample=1)
    live = [phase.axis for phase in live_phases(axis)]
    if not live:  # no tap multiplies a sample, and nothing runs
        return axis._replace(upsample=1, taps=1)
    return max(live, key=lambda phase: phase.taps * phase.outputs)


def _phase_shapes(spec: Spec) -> Iterator[Spec]:
    """Yield a phase for every combination of counts of taps and outputs: what an algorithm's support may depend on."""
    each = []
    for axis in spec.axes:
        live = [phase.axis for phase in live_phases(axis)] if axis.outputs else []
        each.append({(one.taps, one.outputs): one for one in live} or {(1, 0): _largest(axis)})
    for axes in product(*(shapes.values() for shapes in each)):
        yield spec._replace(axes=axes)


def _within(block: tuple[int, ...], phase: Spec) -> tuple[int, ...]:
    """Return a block with at most the outputs of a phase."""
    lead = len(block) - len(phase.axes)
    sizes = [max(1, min(n, axis.outputs)) for n, axis in zip(block[lead:], phase.axes, strict=True)]
    return (*block[:lead], *sizes)


class _Phased(NamedTuple):
    """A problem, and its pieces by block and extension, which algorithms share."""

    spec: Spec
    phase: Spec  # the largest, which represents all
    pieces: dict[tuple[tuple[int, ...], Extends], Spec]

    def piece(self, block: tuple[int, ...], extends: Extends) -> Spec:
        """Return the spec of one block (batch, groups, *outputs) on its own piece of x."""
        piece = self.pieces.get((block, extends))
        if piece is None:
            piece = self.pieces[block, extends] = _block_spec(self.phase, block, extends)
        return piece


class _CostModel(NamedTuple):
    """Costs, bytes and refusals of one algorithm for blocks (batch, groups, *outputs) of a problem."""

    algorithm: Algorithm
    problem: _Phased
    traits: Traits
    extends: Extends

    @property
    def spec(self) -> Spec:
        return self.problem.spec

    @property
    def phase(self) -> Spec:
        return self.problem.phase

    @property
    def sizes(self) -> tuple[int, ...]:
        return (self.spec.batch, self.spec.groups, *self.phase.output_size)

    @property
    def reaches(self) -> list[int]:
        return [axis.reach for axis in self.phase.axes]

    def piece(self, block: tuple[int, ...]) -> Spec:
        return self.problem.piece(block, self.extends)

    def why_not(self, block: tuple[int, ...]) -> str | None:
        """Return why the algorithm does not support such pieces of every phase, or None."""
        reason = self.algorithm.why_not(self.piece(block), self.traits)
        if reason is not None or all(axis.upsample == 1 for axis in self.spec.axes):
            return reason
        pieces = (_block_spec(phase, _within(block, phase), self.extends) for phase in _phase_shapes(self.spec))
        reasons = (self.algorithm.why_not(piece, self.traits) for piece in pieces)
        return next((reason for reason in reasons if reason is not None), None)

    def bytes(self, block: tuple[int, ...]) -> int:
        return _piece_bytes(self.algorithm, self.piece(block), self.spec, self.traits)

    def count(self, block: tuple[int, ...]) -> int:
        """Count the pieces of all phases."""
        per_phase = prod(-(-max(n, 1) // b) for n, b in zip(self.sizes, block, strict=True))
        return per_phase * prod(max(1, len(live_phases(axis))) for axis in self.spec.axes)

    def cost(self, block: tuple[int, ...], threads: int) -> int:
        """Return the expected nanoseconds of all pieces, one after the other, with the kernel prepared once."""
        if device_work.counts_work(self.algorithm, self.traits):
            return self.device_cost(block)
        piece, count, traits = self.piece(block), self.count(block), self.traits._replace(threads=threads)
        saved = self.prepare_cost(block, threads) * (count - 1)
        step = self.step_cost(piece, traits, count)
        work = (self.algorithm.cost(piece, traits) + step) * count - saved
        return work + self.extension_cost + self.phases_cost + self.slabs_cost + _paged_ns(self.spec, self.traits)

    def step_cost(self, piece: Spec, traits: Traits, count: int) -> int:
        """Return the expected nanoseconds to start each of so many pieces."""
        is_serial = traits.threads == self.traits.threads  # else pieces run side by side, on arrays
        is_cut = any(axis.upsample > 1 for axis in self.spec.axes)  # outputs of a phase are not adjacent
        is_short = count <= MAX_AT_ADDRESSES and not (self.extension_cost or is_cut) and is_serial
        return step_ns(traits, at_addresses=is_short and _runs_at_addresses(self.algorithm, piece, traits))

    def device_cost(self, block: tuple[int, ...]) -> int:
        """Return the same on a GPU, from launches, bytes and multiply-adds."""
        count, prepared = self.count(block), self.algorithm.preparation.work
        piece = self.piece(block)
        work = device_work.piece_work(self.algorithm, piece, self.phase, self.traits, self.extends, is_part=count > 1)
        saved = device_work.piece_ns(prepared(piece, self.traits), self.traits) if prepared and count > 1 else 0
        return device_work.piece_ns(work, self.traits) * count - saved * (count - 1)

    @property
    def extension_cost(self) -> int:
        """The expected nanoseconds of the calls that continue x by its own samples, where the method does not."""
        if "all" in self.extends:
            return 0
        extended = [axis for axis in self.spec.axes if axis.leaves_data and reads_samples(axis.boundary)]
        return (
            sum(not handles_wrap(axis, self.extends) for axis in extended)
            * _EXTENSION_CALLS
            * primitive_costs(self.traits.row).call_ns
        )

    @property
    def slabs_cost(self) -> int:
        """The expected nanoseconds in which XLA joins a result from slabs, in new memory."""
        if self.traits.backend != "jax" or not self.algorithm.cuts.slabs:
            return 0
        nbytes = self.spec.outputs * self.traits.itemsize
        is_joined = any(axis.leaves_data for axis in self.spec.axes)
        return is_joined * max(nbytes - _SLAB_BYTES, 0) * _SLAB_PS // 1000

    @property
    def phases_cost(self) -> int:
        """The expected nanoseconds of copying each phase's taps and outputs, which are not adjacent."""
        is_apart = bool(self.spec.axes) and self.spec.axes[-1].upsample > 1 and self.traits.device == "cpu"
        return _phases_ns(self.spec, self.traits) + is_apart * self.spec.outputs * _APART_PS // 1000

    def prepare_cost(self, block: tuple[int, ...], threads: int) -> int:
        """Return the expected nanoseconds of preparing the kernel, 0 if the algorithm has no separate figure for it."""
        cost = self.algorithm.preparation.cost
        return cost(self.piece(block), self.traits._replace(threads=threads)) if cost else 0

    def fit(self, block: tuple[int, ...], limit: int) -> tuple[int, ...] | None:
        """Return the block, shrunk if necessary to fit `limit` bytes; None if no block fits."""
        return block_shape(block, self.reaches, self.bytes, limit, rows=not self.algorithm.spreads)


def _candidate(algorithm: Algorithm, problem: _Phased, traits: Traits, budget: Budget, zero_fill: bool) -> Candidate:
    def refused(reason: str) -> Candidate:
        return Candidate(algorithm.name, 0, (), 0, reason)

    if budget.accuracy == "componentwise" and algorithm.accuracy == "normwise":
        return refused("its error is bounded by norm, and accuracy='componentwise' was requested")
    limit = _UNLIMITED if budget.max_workspace is None else budget.max_workspace
    whole = _undivided_candidate(algorithm, problem.spec, traits, limit) if zero_fill else None
    if whole is not None:
        return whole
    model = _CostModel(algorithm, problem, traits, algorithm.cuts.extending(zero_fill))
    smallest = (1,) * len(model.sizes)
    reason = model.why_not(smallest)
    if reason is not None:
        return refused(reason)
    block = model.fit(model.sizes, limit)
    if block is None:
        needs = model.bytes(smallest)
        return refused(f"its smallest piece needs {needs} bytes of workspace, more than max_workspace={limit}")
    block = _cache_block(algorithm, problem, traits, block, model.reaches)
    reason = model.why_not(block)
    if reason is not None:
        return refused(reason)
    row = Candidate(algorithm.name, model.cost(block, traits.threads), block, model.bytes(block), None)
    counts = parallel.piece_counts(row.cost_ns, traits.threads) if traits.writable else ()
    return _parallel_row(row, model, limit, counts) if counts and algorithm.cuts.shares(problem.phase, traits) else row


def _parallel_row(row: Candidate, model: _CostModel, limit: int, counts: Sequence[int]) -> Candidate:
    """Return the row with pieces in parallel, if that is expected to be faster."""
    threads, block = model.traits.threads, row.block
    for parts in counts:
        smaller = model.fit(_split_block(block, model.sizes, model.reaches, parts), limit // threads)
        if smaller is None or model.why_not(smaller) is not None:
            continue
        preparation = model.prepare_cost(smaller, 1)  # the other threads wait for it
        cost = parallel.pieces_ns(preparation, model.cost(smaller, 1) - preparation, model.count(smaller), threads)
        if cost < row.cost_ns:
            needs = threads * model.bytes(smaller)
            row = row._replace(cost_ns=cost, block=smaller, workspace=needs, num_parallel=threads)
    return row


def _undivided_candidate(algorithm: Algorithm, spec: Spec, traits: Traits, limit: int) -> Candidate | None:
    """Return the row of an algorithm that supports this upsampled problem whole; None if it needs phases."""
    if algorithm.cuts.upsamples is None or not algorithm.cuts.upsamples(spec) or algorithm.why_not(spec, traits):
        return None
    needs = _piece_bytes(algorithm, spec, spec, traits)
    if needs > limit:
        return None
    block = (spec.batch, spec.groups, *spec.output_size)
    cost = algorithm.cost(spec, traits) + step_ns(traits, at_addresses=_runs_at_addresses(algorithm, spec, traits))
    cost += _phases_ns(spec, traits) + _paged_ns(spec, traits)
    return Candidate(algorithm.name, cost, block, needs, None, undivided=True)


def _paged_ns(spec: Spec, traits: Traits) -> int:
    """Return the nanoseconds in which the system maps a large result of XLA's on CPUs, page by page."""
    nbytes = spec.outputs * traits.itemsize
    is_paged = traits.backend == "jax" and not traits.on_gpu and nbytes >= _MAPPED_BYTES
    return is_paged * nbytes * _MAPPED_PS // 1000


def _phases_ns(spec: Spec, traits: Traits) -> int:
    """Return the nanoseconds to copy the taps of every phase, which are not adjacent."""
    is_cut = any(axis.upsample > 1 for axis in spec.axes) and traits.device == "cpu"
    return _COPIED_TAP_NS * prod(spec.kernel_shape) if is_cut else 0


def _split_block(block: tuple[int, ...], sizes: Sequence[int], reaches: Sequence[int], parts: int) -> tuple[int, ...]:
    """Halve a block until there are at least `parts` of them: the batch, then groups, then axes in order.

    Leading axes are cut first, but none to pieces shorter than its halo while another can be cut.
    """
    shape = list(block)
    while prod(-(-max(n, 1) // b) for n, b in zip(sizes, shape, strict=True)) < parts:
        cuttable = [number for number, size in enumerate(shape) if size > 1]
        if not cuttable:
            break
        number = cuttable[0]
        if number >= 2:  # the first axis whose pieces stay longer than their halo
            number = next((n for n in cuttable if shape[n] > 2 * reaches[n - 2]), cuttable[0])
        shape[number] = -(-shape[number] // 2)
    return tuple(shape)


def _runs_at_addresses(algorithm: Algorithm, piece: Spec, traits: Traits) -> bool:
    """Whether compiled code computes a piece of contiguous arrays of the accumulator's bits as it is."""
    return traits.output.removeprefix("u") == traits.accumulator and algorithm.cuts.at_addresses(piece, traits)


def step_ns(traits: Traits, *, at_addresses: bool = False) -> int:
    """Return the nanoseconds to start a piece: about 20 calls on tiny arrays; on a GPU those until the next launch.

    A piece of contiguous arrays that compiled code computes `at_addresses` takes about 3.
    """
    if traits.on_gpu:
        return 0
    if traits.traced and traits.backend == "jax":  # a part of a program, not calls
        casts = traits.output != traits.accumulator  # x, the kernel and y
        return 5 * primitive_costs(traits.row).call_ns + casts * 3 * _XLAS_CAST_NS
    return (3 if at_addresses else 20) * primitive_costs(traits.row).call_ns


def _cache_block(
    algorithm: Algorithm, problem: _Phased, traits: Traits, block: tuple[int, ...], reaches: Sequence[int]
) -> tuple[int, ...]:
    """Shrink a block until its workspace stays in a CPU's cache, on libraries where starting a piece costs little.

    An algorithm that spreads non-finite values computes the halo of a piece too: none of its pieces is shorter than its
    reach, unless `block` is. With `tiles_images` no piece is smaller than a whole image.
    """
    if not algorithm.cuts.tile_bytes or traits.traced or traits.device != "cpu" or traits.backend == "jax":
        return block

    def workspace(shape: tuple[int, ...]) -> int:
        return algorithm.workspace(problem.piece(shape, frozenset()), traits)

    phase = problem.phase
    fixed = workspace((1,) * len(block))  # the kernel's part, which no block reduces

    def size(shape: tuple[int, ...]) -> int:
        return workspace(shape) - fixed

    whole = (phase.batch, phase.groups, *phase.output_size)
    limit = max(algorithm.cuts.tile_bytes, size(whole) // _MAX_PIECES)
    least: Sequence[int] | None = block[2:] if algorithm.cuts.tiles_images else None
    if algorithm.spreads:
        least = [-(-axis.reach // axis.stride) for axis in phase.axes]
    return block_shape(block, reaches, size, limit, rows=True, least=least) or block


def _block_spec(phase: Spec, block: Sequence[int], extends: Extends) -> Spec:
    batch, groups, *outputs = block
    axes = tuple(_block_axis(axis, count, extends) for axis, count in zip(phase.axes, outputs, strict=True))
    return phase._replace(batch=batch, groups=groups, axes=axes)


def _block_axis(axis: Axis, outputs: int, extends: Extends) -> Axis:
    if needs_gather(axis):
        return gathered_axis(axis, outputs)
    if outputs == axis.outputs and ("all" in extends or handles_zeros(axis, extends) or handles_wrap(axis, extends)):
        return axis
    return axis._replace(outputs=outputs, size=axis.stride * (outputs - 1) + axis.reach, before=0)


def _piece_bytes(algorithm: Algorithm, block: Spec, spec: Spec, traits: Traits) -> int:
    """Return the bytes of one block beyond the caller's arrays: extended input, kernel, result and workspace."""
    if algorithm.cuts.converts and "all" in algorithm.cuts.extends:  # it copies neither
        return algorithm.workspace(block, traits)
    read = prod(_samples(axis) for axis in block.axes)
    samples = block.batch * block.groups * block.channels * read
    guarded = bool(algorithm.spreads) and not traits.exact
    # A cast, or axes extended one by one; with a guard: data, magnitudes, scaled data, and two flags.
    copies = 4 if guarded else 1 + any(axis.leaves_data for axis in spec.axes)
    piece = samples * (copies * traits.itemsize + 2 * guarded)
    kernel = (6 if guarded else 2) * prod(spec.kernel_shape) * traits.itemsize  # cast, flipped, guarded
    result = block.outputs * traits.itemsize  # cast
    return piece + kernel + result + algorithm.workspace(block, traits)


def _samples(axis: Axis) -> int:
    """Count the samples that an axis reads, inside and beyond its ends."""
    lo, hi = axis.span(0, axis.outputs)
    return -(-(hi - lo) // axis.upsample)
