"""The package's own register tiles on NumPy arrays: each sample is loaded once for six rows of outputs.

    y[b, g, o, p, q] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, p + k_1, q + k_2]

Wins      two axes and more, from 3 x 3 taps to where a transform takes over, around 31 x 31.
Cost      macs multiply-adds at half the processor's peak and more; all threads.
Memory    the samples of a block of outputs whose windows leave x, or whose samples are not adjacent in memory.
Accuracy  componentwise. Every boundary is followed inside: x is neither padded nor cut.
"""

from __future__ import annotations

from functools import partial

from arrayconv._accel import _native, _numpy_tiles, _tiles
from arrayconv._accel._base import unavailable
from arrayconv._cost_table import pace
from arrayconv._spec import Spec
from arrayconv._xp import Traits


def _why_not(spec: Spec, traits: Traits) -> str | None:
    return unavailable(_native.LIBRARY, "numpy", traits) or _tiles.refusal(spec, traits)


def _cost(spec: Spec, traits: Traits) -> int:
    return _tiles.cost(spec, traits, pace("native_tiles"), 0)


native_tiles = _numpy_tiles.on_tiles("native_tiles", _why_not, _cost, _native.tiles)
bypass = partial(_numpy_tiles.bypass, _native.tiles, _native.entire_tiles)
