"""The contenders of a row. Each result is compared with ours before anything is timed.

Within what part of the largest value they must agree: `TOLERANCES`. Integers are equal, except in `ndimage`, where a
sum may fall just below a whole number in one implementation: they agree within 1 there. OpenCV rounds integers to
nearest where SciPy and we cut them toward zero after every pass: within 1 for each of two passes, and 1 for the sum.
"""

from typing import Any, NamedTuple

import numpy as np

from arrayconv._arrays.identify import library as library_of
from arrayconv._calls.timing import wait
from benchmarks.doors import ours as own
from benchmarks.doors import peers
from benchmarks.doors.contender import bind, hosts
from benchmarks.doors.rows import draw
from benchmarks.peers import Unsuitable
from benchmarks.timing import Timed, once

TOLERANCES = {"float32": 2e-4, "complex64": 2e-4, "float64": 1e-9}
MAX_UNLIKE = 0.01  # share of values that are NaN in one result alone
CUT, ROUNDED = 1, 3  # units of integers: of filters, and of peers that round
SLOW_NS = 3 * 10**9  # a peer whose first two calls take longer is left out: the first may import and compile
NOT_COMPARED = ("choose_conv_method",)  # it may differ: each names its own quicker method
REFUSALS = (RuntimeError, NotImplementedError, TypeError, ValueError, MemoryError, IndexError, AttributeError)


class Field(NamedTuple):
    """What is timed in a row, what is left out and why, and what our planner says."""

    ours: Timed
    peers: dict[str, Timed]
    left_out: dict[str, str]
    wrong: dict[str, str]  # peers whose results are not ours
    method: str
    cost_ns: int | None  # predicted


def field(row, library):
    """Return the Field of a row on a library's arrays."""
    prepare(library)
    operands = draw(row)
    arrays = own.to_library(library, operands)
    contender = own.contender(row, library, arrays)
    shape = _result_shape(row, contender)
    call = own.call(row, contender, shape)
    reference = hosts(call(), contender)
    method, cost = own.explained(row, library, contender)
    rivals, left_out, wrong = {}, {}, {}
    for peer in peers.of(library):
        try:
            rivals[peer.name] = _rival(peer, row, arrays, operands, shape, reference, library)
        except Unsuitable as reason:
            left_out[peer.name] = str(reason)
        except AssertionError as difference:
            wrong[peer.name] = str(difference)
    return Field(Timed(call), rivals, left_out, wrong, method, cost)


def prepare(library):
    """Set JAX up for float64."""
    if library == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)


def _result_shape(row, contender):
    """Return the shape of our result, which its gradient has too; () where there is none."""
    if not row.gradients:
        return ()
    return tuple(contender.function(*contender.arrays).shape)


def _rival(peer, row, arrays, operands, shape, reference, library):
    """Return the checked call of a peer; Unsuitable if its library refuses."""
    contender = peers.build(peer, row, arrays, operands)
    try:
        call = _bound(contender, row, shape)
        if all(once(Timed(call), finish=wait_if_array) > SLOW_NS for _ in range(2)):
            raise Unsuitable("a call takes seconds")
        result = call()
    except REFUSALS as refusal:
        raise Unsuitable(_line(refusal)) from refusal
    _require_own(result, contender.library)
    if row.function not in NOT_COMPARED:
        agree(hosts(result, contender), reference, row, peer.name, contender.rounds)
    return Timed(call)


def _bound(contender, row, shape):
    return bind(contender, row.gradients, shape)


def wait_if_array(value):
    """Wait for a result, or for all of several."""
    for one in value if isinstance(value, (tuple, list)) else (value,):
        if hasattr(one, "block_until_ready"):
            wait(one)
    return value


def _line(refusal):
    return (str(refusal).splitlines() or [type(refusal).__name__])[0][:120]


def _require_own(result, library):
    """Raise Unsuitable where a peer returns arrays of another library."""
    one = result[0] if isinstance(result, (tuple, list)) else result
    if hasattr(one, "shape") and library_of(type(one)) != library:
        raise Unsuitable(f"it returns a {type(one).__module__.partition('.')[0]} array")


def agree(values, reference, row, name, rounds=False):
    """Raise AssertionError unless a peer's results equal ours within the tolerance."""
    assert len(values) == len(reference), f"{row.label}: {name} returns {len(values)} arrays, ours {len(reference)}"
    for value, expected in zip(values, reference, strict=True):
        value = value.reshape(expected.shape) if value.size == expected.size else value
        assert value.shape == expected.shape, f"{row.label}: {name} has shape {value.shape}, ours {expected.shape}"
        error = _error(value, expected)
        limit = tolerance(row, expected, rounds, value.dtype.name)
        assert error <= limit, f"{row.label}: {name} differs by {error:.3g} where {limit:.3g} is allowed"


def _error(value, expected):
    """Return the largest difference where both are numbers, infinity if more than a hundredth is not.

    The gradient of a root is NaN at 0, and near the border one sum may be 0 where another is a rounding error.
    """
    unlike = np.isnan(value) != np.isnan(expected)
    if unlike.size and unlike.mean() > MAX_UNLIKE:
        return np.inf
    wide: Any = np.complex128 if "c" in (value.dtype.kind, expected.dtype.kind) else np.float64
    difference = np.abs(value.astype(wide) - expected.astype(wide))
    return np.max(difference[~np.isnan(difference)], initial=0)


def tolerance(row, expected, rounds=False, own=""):
    """Return the largest difference from ours that is allowed; of integers a peer may make floats called `own`."""
    name = expected.dtype.name
    if np.dtype(row.dtype).kind in "iu" and row.door == "ndimage":
        return ROUNDED if rounds else CUT
    relative = TOLERANCES.get(name, 0) if name != "complex128" else TOLERANCES["float64"]
    relative = max(relative, TOLERANCES.get(own, 0)) if np.dtype(row.dtype).kind in "iu" else relative
    values = np.abs(expected)
    return max(relative, TOLERANCES.get(row.dtype, 0)) * np.max(values[~np.isnan(values)], initial=0)
