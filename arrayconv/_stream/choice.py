"""The method of a stream, by predicted cost: direct without latency, an FFT by blocks, or partitions of the kernel.

It depends on the first chunk's dtype, library and shape along the other axes, and on no chunk's size: so outputs do not
either, to the last bit. `FIXED_ORDER` lists the methods that sum the products of an output in one order wherever it is
in a piece; the others call matrix products or dot products of a library, whose order varies with the shape.
"""

from __future__ import annotations

from typing import NamedTuple

from arrayconv._calls import prepare
from arrayconv._plan.plan import Plan
from arrayconv._problem.problem import Problem
from arrayconv._stream import partition
from arrayconv._stream.partition import Partition
from arrayconv._stream.source import FUNCTION, PUSH, Stage

# Without native_dots, which does not support the many outputs of a long chunk.
FIXED_ORDER = ("direct", "native_loops", "native_images", "native_tiles", "xla_loops", "xla_images")
SPECTRAL = ("fft", "overlap_save")
_OUTPUTS = 1024  # of the piece whose cost is compared
_GAIN = 2  # how many times less time a method with latency takes, to be chosen
_BLOCKS = 4  # sizes tried, from the reach on


class Choice(NamedTuple):
    """How a stream runs: the method's name, how many samples make a block, and the partitions of the kernel, if any."""

    options: prepare.Options  # of pieces
    method: str
    block: int = 1
    partitions: tuple[Partition, ...] = ()
    sample_ns: float = 0


def choose(stage: Stage, *, may_partition: bool) -> Choice:
    """Return how to run a stream; raises ValueError if the method requested can't keep the latency."""
    options, limit = stage.source.options, stage.source.max_latency
    problem, plan = _planned(stage, _OUTPUTS, "auto")
    if options.method not in ("auto", *SPECTRAL):
        return Choice(options, options.method)
    if options.method in SPECTRAL and limit == 0:
        raise ValueError(
            f"{FUNCTION}: method {options.method!r} transforms blocks of samples, which takes time to collect. Got "
            f"max_latency=0. Allow at least 1 sample, or use method='auto'."
        )
    direct = _direct(stage, plan)
    if options.accuracy == "componentwise" or limit == 0:
        return direct
    spectral = [choice for block in _blocks(stage) if (choice := _blockwise(stage, block))]
    if may_partition and partition.why_not(problem.spec, plan.traits) is None:
        parts = partition.choose(problem.spec, plan.traits, limit)
        if parts is not None:
            spectral.append(Choice(options, "partitioned", parts.block, parts.partitions, parts.sample_ns))
    spectral.sort(key=lambda choice: choice.block)
    least = min((choice.sample_ns for choice in spectral), default=0)
    best = next((choice for choice in spectral if choice.sample_ns <= partition.SLACK * least), None)
    if best is None or (options.method == "auto" and _GAIN * best.sample_ns > direct.sample_ns):
        return direct
    return best


def _planned(stage: Stage, outputs: int, method: str) -> tuple[Problem, Plan]:
    """Return the plan of so many outputs that read no boundary."""
    axis = stage.stream.axis
    size = axis.stride * (outputs - 1) + axis.reach
    problem = stage.problem(axis._replace(size=size, outputs=outputs, before=0))
    options = stage.source.options._replace(method=method)
    return problem, prepare.plan(PUSH, problem, stage.operands.traits, options)


def _direct(stage: Stage, plan: Plan) -> Choice:
    """Return the method of a fixed order with the least predicted time."""
    rows = [row for row in plan.candidates if row.refusal is None]
    row = next((row for row in rows if row.name in FIXED_ORDER), rows[0])
    samples = _OUTPUTS * stage.stream.axis.stride
    return Choice(stage.source.options._replace(method=row.name), row.name, sample_ns=row.cost_ns / samples)


def _blocks(stage: Stage) -> list[int]:
    """Return the sizes of blocks to compare: powers of two from the reach on, or the longest within the latency."""
    limit, reach = stage.source.max_latency, stage.stream.axis.reach
    if limit is not None:
        return [1 << (limit + 1).bit_length() - 1]
    return [1 << reach.bit_length() + more for more in range(_BLOCKS)]


def _blockwise(stage: Stage, block: int) -> Choice | None:
    """Return an FFT by blocks of so many samples; None if no method can run it."""
    options, stride = stage.source.options, stage.stream.axis.stride
    _, plan = _planned(stage, -(-block // stride), "auto")
    names = SPECTRAL if options.method == "auto" else (options.method,)
    rows = [row for row in plan.candidates if row.refusal is None and row.name in names]
    if not rows or block < 2:
        return None
    # Integers are exact by every method, so each piece may have its own: an FFT may refuse a longer one.
    method = "auto" if stage.operands.traits.exact else rows[0].name
    return Choice(options._replace(method=method), rows[0].name, block, (), rows[0].cost_ns / block)
