"""Measured constants of the cost model: data only, written by benchmarks/calibrate.py.

Integers, so that a choice is the same everywhere; picoseconds unless the name says otherwise. 'other' serves
libraries and devices that were never measured, and so do the guessed rows of CUDA.

Measured 2026-11-22 on 2 cores, jax 0.10.2, numpy 2.4.6, scipy 1.17.1, torch 2.13.0+cpu.
"""

from __future__ import annotations

from typing import NamedTuple


class Rates(NamedTuple):
    """What one library on one kind of device takes, for float32."""

    call_ns: int  # one call of an array function on a tiny array
    pass_byte: int  # one elementwise pass (two reads, one write), per byte of result, in cache
    copy_byte: int  # one strided copy, per byte
    gemm_mac: int  # one multiply-add of a large matrix product
    integer_mac: int  # the same in int32
    fft_point: int  # one real transform, per sample and per log2 of the length


RATES: dict[str, Rates] = {
    "numpy+scipy/cpu": Rates(414, 41, 61, 12, 1310, 180),
    "numpy/cpu": Rates(530, 49, 363, 10, 1319, 629),
    "torch/cpu": Rates(1189, 25, 32, 12, 67, 81),
    "torch/cuda": Rates(8000, 1, 1, 1, 10, 2),
    "cupy/cuda": Rates(10000, 1, 1, 1, 10, 2),
    "jax/cpu": Rates(5805, 146, 211, 7, 65, 150),
    "jax-traced/cpu": Rates(117, 9, 50, 10, 70, 96),
    "other": Rates(5000, 100, 200, 40, 1000, 1000),
}


class Pace(NamedTuple):
    """What an accelerated method takes."""

    call_ns: int  # a call on tiny arrays
    mac_byte: int  # one multiply-add, per byte of an element
    output: int = 0  # one output, whatever its taps


PACES: dict[str, Pace] = {
    # On 2026-11-22, 2 cores, numpy 2.4.6: rounded by hand; benchmarks/calibrate.py --write replaces these three rows.
    "numpy_convolve-short": Pace(1000, 24),
    "numpy_convolve-float": Pace(1000, 12, 10000),
    "numpy_convolve-integer": Pace(1000, 80, 1000),
    # On 2026-11-22, 2 cores of an AMD EPYC (Zen 5), numba 0.68.1, both cores used; of the sums alone, by hand.
    "numba-float": Pace(35000, 4),
    "numba-complex": Pace(35000, 5),
    "numba-integer": Pace(35000, 5),
    "numba-strided": Pace(35000, 150),  # per multiply-add of any dtype
}


def rates(row: str) -> Rates:
    """Return the constants of a row (see `Traits.row`), or the guess for what was never measured."""
    return RATES.get(row, RATES["other"])
