"""The largest allowed error, computed for every output: there is no fixed tolerance.

    componentwise   C * terms * eps * (|x| convolved with |w|)          + underflow
    normwise        eps * (terms + T * log2 F) * ||x|| * ||w||          + underflow

eps belongs to the dtype in which sums are formed, x is extended, F is the number of points of transforms that would
contain it, and norms run over the whole array, since the blocks of a black box are unknown. Integers have no bound:
they are exact and wrap. A narrower result (float16, bfloat16) adds one rounding. An operation may lose the smallest
normal number to underflow, not only the smallest number, since libraries may flush subnormals to zero.
"""

from math import log2

import numpy as np

from . import dtypes

C = {"real": 1, "complex": 4}  # a sum of n rounded products errs by at most n * eps/2; complex products round thrice
T = 8  # three transforms, each growing the error by about eps per level; twice that is allowed


def allowed(exact, name, accuracy, wide=None):
    """The largest error each output may have, for a result of dtype `name` whose sums are formed in `wide`."""
    wide = wide or dtypes.accumulator(name)
    bound = {"componentwise": _componentwise, "normwise": _normwise}[accuracy](exact, wide)
    if wide != name:
        values = np.abs(exact.values) + bound
        bound = bound + dtypes.eps(name) / 2 * values + dtypes.tiny(name) * dtypes.eps(name)
    return bound


def _componentwise(exact, name):
    relative = C[dtypes.kind(name)] * exact.terms * dtypes.eps(name)
    return relative * exact.magnitude + 2 * (exact.terms + 1) * np.longdouble(dtypes.tiny(name))


def _normwise(exact, name):
    points = 2.0 ** len(exact.shape) * exact.span
    return np.full(exact.shape, normwise(exact.terms, points, exact.norm_x, exact.norm_kernel, name))


def normwise(terms, points, norm_x, norm_kernel, name):
    """The bound of a transform of `points`, or of a sum of `terms`, by the norms of both operands."""
    relative = dtypes.eps(name) * (C[dtypes.kind(name)] * terms + T * log2(points))
    lost = 2 * (points + 1) * np.longdouble(dtypes.tiny(name))
    return relative * np.longdouble(norm_x) * norm_kernel + lost


def wrapped(exact, name):
    """The exact integers modulo 2**bits, as the dtype."""
    low, _ = dtypes.limits(name)
    width = 2 ** dtypes.bits(name)
    whole = exact.real // 2**exact.shift
    return ((whole - low) % width + low).astype(name)


def flushed(name):
    """Numbers below this may become zero; of integers there are none."""
    return 0.0 if dtypes.kind(name) == "integer" else dtypes.tiny(name)
