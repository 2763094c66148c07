"""The expected time of work on a GPU: launches, memory and arithmetic at the ceilings of the arrays' own card.

A `Work` is counted by each method from its own array operations. On a stand-in for CuPy, which counts launches and
bytes, tests compare both numbers.
"""

from __future__ import annotations

from typing import NamedTuple

from arrayconv._costs.cards import Ceilings, ceilings_of, known
from arrayconv._costs.cost_table import ceilings as active_ceilings

_FLOAT64 = {"float64": 1, "complex128": 4}  # multiply-adds of float64
_FLOAT32 = {"int8": 2, "int16": 2, "int32": 2, "int64": 8, "complex64": 4}  # multiply-adds of float32 in the same time
_OF_PRODUCTS, _OF_INTEGERS = 50, 10  # percent of the card's multiply-adds in a library's matrix products; guesses
_FUSED = 4  # array operations that a compiler joins in one kernel; a guess


BATCHED_LAUNCHES = 6  # of CuPy's product of several matrices besides the product: it lists their addresses
_JOINED, _JOINED_BYTES = 8, 2 << 20  # more arrays, below so many bytes on average, are joined in one launch


class Work(NamedTuple):
    """What a method does on a GPU."""

    launches: int
    nbytes: int  # read and written
    macs: int = 0  # multiply-adds of matrix products


def total(*works: Work) -> Work:
    """Return work done one after the other."""
    return Work(*map(sum, zip(*works, strict=True)))


def joining_launches(arrays: int, nbytes: int) -> int:
    """Return the launches that join so many arrays to one of `nbytes`."""
    return min(arrays, 1) if arrays > _JOINED and nbytes < _JOINED_BYTES * arrays else arrays


def ceilings(card: str) -> Ceilings:
    """Return the ceilings of a card: measured on this machine, else of its data sheet, else the H100's."""
    return ceilings_of(card, active_ceilings())


def work_ns(work: Work, dtype: str, card: str, *, traced: bool = False) -> int:
    """Return the expected nanoseconds of array operations, one after the other."""
    limits, joined = ceilings(card), _FUSED if traced else 1
    efficiency = _OF_INTEGERS if dtype.startswith("int") else _OF_PRODUCTS
    products = _arithmetic_ns(work.macs, dtype, efficiency, limits)
    return (limits.launch_ns * work.launches + 1000 * work.nbytes // limits.copy_bytes_us) // joined + products


def row(card: str) -> Ceilings | None:
    """Return the ceilings of a card that is known; None for another one."""
    return known(card, active_ceilings())


def memory(card: str, nbytes: int) -> int:
    """Return the bytes of a card's memory: `nbytes` where its driver says so, else those of its row, else 0."""
    limits = row(card)
    return nbytes or (0 if limits is None else limits.memory_mib << 20)


def kernel_ns(nbytes: int, macs: int, dtype: str, efficiency: int, card: str = "") -> int:
    """Return the expected nanoseconds of one launch; `efficiency` is its share of the multiply-adds in percent."""
    limits = ceilings(card)
    memory = 1000 * nbytes // limits.copy_bytes_us
    return limits.launch_ns + max(memory, _arithmetic_ns(macs, dtype, efficiency, limits))


def _arithmetic_ns(macs: int, dtype: str, efficiency: int, limits: Ceilings) -> int:
    if dtype in _FLOAT64:
        return 1000 * macs * _FLOAT64[dtype] * 100 // (limits.float64_mac_us * efficiency)
    return 1000 * macs * _FLOAT32.get(dtype, 1) * 100 // (limits.mac_us * efficiency)
