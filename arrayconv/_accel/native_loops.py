"""The package's own machine code on NumPy arrays: every output is written once, near the speed of memory.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, stride*p + dilation*k]

Outputs next to each other form a row; the sums of a piece of it stay in registers until all terms are added.

Wins      few taps along one axis, all integers, channels, strides, depthwise groups.
Cost      macs multiply-adds, vectorised over outputs where they and their samples are adjacent, over `threads`.
Memory    the kernel, and where the sample of each term stands; x is read in place, unless channels are adjacent.
Accuracy  componentwise: sums in the order of channels and taps; integers are exact and wrap.
"""

from __future__ import annotations

from functools import partial

from arrayconv._accel import _native, _numpy_rows, _rows
from arrayconv._accel._base import unavailable
from arrayconv._cost_table import pace
from arrayconv._spec import Spec
from arrayconv._xp import Traits


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return unavailable(_native.LIBRARY, "numpy", traits)


def _cost(spec: Spec, traits: Traits) -> int:
    kind = _rows.kind(spec, traits)
    together = kind == "float" and spec.filters >= _rows.TOGETHER
    return _rows.cost(spec, traits, pace(f"native_loops-{'filters' if together else kind}"), 0, together=together)


native_loops = _numpy_rows.on_rows("native_loops", _why_not, _cost, _native.rows)
bypass = partial(_numpy_rows.bypass, _native.rows, _native.entire_rows)
