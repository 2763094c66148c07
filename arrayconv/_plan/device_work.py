"""What a piece of a problem costs on a GPU: launches, bytes and multiply-adds of all that runs around its method too.

The method counts its own array operations, `Algorithm.work`. Here are those that extend x, contain non-finite samples
and write a piece to the result. Tests compare the sums with those that a stand-in for CuPy counts.
"""

from __future__ import annotations

from math import prod

from arrayconv._algorithms import Algorithm, Extends
from arrayconv._arrays.dtypes import component, kind
from arrayconv._arrays.traits import Traits
from arrayconv._costs.gpu import Work, total, work_ns
from arrayconv._problem.boundary import reads_samples
from arrayconv._problem.spec import Axis, Spec
from arrayconv._problem.split import handles_wrap, handles_zeros

_ROUNDS = {"float32": 2, "float64": 5}  # candidates for the scale that keeps sums from overflow


def counts_work(algorithm: Algorithm, traits: Traits) -> bool:
    """Whether the cost of a method on these arrays is that of its counted work."""
    return algorithm.work is not None and traits.on_gpu


def piece_work(
    algorithm: Algorithm, piece: Spec, phase: Spec, traits: Traits, extends: Extends, *, is_part: bool = False
) -> Work:
    """Return the work of a piece of a phase of a problem, which is one of several if `is_part`."""
    assert algorithm.work is not None
    parts = [algorithm.work(piece, traits), _extension(piece, phase, traits, extends)]
    if algorithm.spreads and not traits.exact:
        parts.append(_containment(piece, traits, scales=algorithm.spreads == "overflow"))
    if is_part:
        parts.append(Work(1, 2 * traits.itemsize * piece.outputs))
    return total(*parts)


def piece_ns(work: Work, traits: Traits) -> int:
    """Return the expected nanoseconds of counted work."""
    return work_ns(work, traits.accumulator, traits.card, traced=traits.traced)


def _extension(piece: Spec, phase: Spec, traits: Traits, extends: Extends) -> Work:
    """Count what extends x: a padded copy, and two more operations on each axis that continues x."""
    axes = [axis for axis in phase.axes if _is_extended(axis, extends)]
    if not axes:
        return Work(0, 0)
    continued = sum(reads_samples(axis.boundary) for axis in axes)
    return Work(1 + 2 * len(axes) + continued, 2 * (1 + (continued > 0)) * traits.itemsize * _samples(piece))


def _is_extended(axis: Axis, extends: Extends) -> bool:
    if "all" in extends or not axis.leaves_data:
        return False
    return not (handles_zeros(axis, extends) or handles_wrap(axis, extends))


def _samples(piece: Spec) -> int:
    read = (hi - lo for lo, hi in (axis.span(0, axis.outputs) for axis in piece.axes))
    return prod((piece.batch, piece.groups, piece.channels, *read))


def _containment(piece: Spec, traits: Traits, *, scales: bool) -> Work:
    """Count the guard of x and of the kernel, and the restoration of outputs; with `scales` the scale of both too."""
    size, samples = traits.itemsize, _samples(piece)
    windows = sum(axis.reach.bit_length() for axis in piece.axes)  # steps of the OR over windows
    launches, dims = 16 + 3 * len(piece.axes) + windows, len(piece.axes)
    nbytes = samples * (3 * size + 4 + 3 * windows + 4 * dims) + piece.outputs * (2 * size + 1)
    if scales:
        launches += 25 + 17 * _ROUNDS[component(traits.accumulator)] + 9 * (kind(traits.accumulator) == "complex")
        nbytes += 5 * size * samples + 4 * size * piece.outputs
    return Work(launches, nbytes)
