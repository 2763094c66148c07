"""Compiled register tiles on NumPy arrays: six rows of outputs at a time, each sample loaded once for all of them.

    y[b, g, o, p, q] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, p + k_1, q + k_2]

Wins      what `native_tiles` wins, where that was not built.
Cost      macs multiply-adds at half the processor's peak and more; all threads.
Memory    the samples of a block of outputs whose windows leave x, or whose samples are not adjacent in memory.
Accuracy  componentwise. Every boundary is followed inside: x is neither padded nor cut.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from arrayconv._accel import _jit, _numpy_tiles, _tiles
from arrayconv._accel._base import unavailable
from arrayconv._accel._flat import Host, Part, Start
from arrayconv._cost_table import pace
from arrayconv._spec import Spec
from arrayconv._xp import Traits


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return unavailable(_jit.LIBRARY, "numpy", traits) or _tiles.refusal(spec, traits)


def _cost(spec: Spec, traits: Traits) -> int:
    return _tiles.cost(spec, traits, pace("numba_tiles"), _tiles.COMPILE_NS)


def _loop(dtype: str, tables: _tiles.Tables, fill: complex) -> Start:
    loop = _jit.loop("tile_kernels", dtype)

    def start(x: Host, factors: Host, y: Host) -> Part:
        def part(first: int, stop: int) -> None:
            copy = np.empty(tables.room, x.dtype)
            copied = copy.view()
            copied.flags.writeable = False
            loop(x, factors, y, *tables[:6], fill, copy, copied, first, stop)

        return part

    return start


numba_tiles = _numpy_tiles.on_tiles("numba_tiles", _why_not, _cost, _loop)
bypass = partial(_numpy_tiles.bypass, _loop, None)
