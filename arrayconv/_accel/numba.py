"""Compiled loops on NumPy arrays: every output is written once or a few times, near the speed of memory.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, stride*p + dilation*k]

Outputs next to each other form a row; a row meets nine terms at a time, with their factors in registers.

Wins      what `native_loops` wins, where that was not built.
Cost      macs multiply-adds, vectorised over outputs where they and their samples are adjacent, over `threads`.
Memory    the kernel, and where the sample of each term stands; x is read in place, unless channels are adjacent.
Accuracy  componentwise: sums in the order of channels and taps; integers are exact and wrap.
"""

from __future__ import annotations

from functools import partial

from arrayconv._accel import _jit, _numpy_rows, _rows
from arrayconv._accel._base import unavailable
from arrayconv._accel._flat import Host, Part, Start
from arrayconv._cost_table import pace
from arrayconv._spec import Spec
from arrayconv._xp import Traits


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return unavailable(_jit.LIBRARY, "numpy", traits)


def _cost(spec: Spec, traits: Traits) -> int:
    measured = pace(f"numba-{_rows.kind(spec, traits)}")
    return _rows.cost(spec, traits, measured, _rows.COMPILE_NS)


def _loop(dtype: str, job: _rows.Job) -> Start:
    loop = _jit.loop("numba_kernels", dtype)

    def start(x: Host, factors: Host, y: Host) -> Part:
        def part(first: int, stop: int) -> None:
            loop(x, factors, job.offsets, y, job.sizes, job.steps, job.inner, first, stop)

        return part

    return start


numba = _numpy_rows.on_rows("numba", _why_not, _cost, _loop)
bypass = partial(_numpy_rows.bypass, _loop, None)
