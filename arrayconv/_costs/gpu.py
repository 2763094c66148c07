"""What a GPU can do at most, and the expected time of a kernel: its launch, and memory or arithmetic if that is longer.

Rows are measured by `python tools/gpu_check`. The first one, for cards without a row, is NVIDIA's data sheet of the
H100 SXM (2023): 3.35 TB/s of memory, 67 TFLOP/s in float32. Nothing in this table was measured yet.
"""

from __future__ import annotations

from typing import NamedTuple


class Ceilings(NamedTuple):
    """The limits of one card."""

    launch_ns: int
    copy_bytes_us: int  # bytes read and written in a microsecond
    mac_us: int  # multiply-adds of float32 in a microsecond


CEILINGS = {"": Ceilings(5_000, 3_350_000, 33_500_000)}
_SLOWER = {  # times that a multiply-add takes, of float32's
    "float32": 1, "float64": 2, "complex64": 4, "complex128": 8, "int8": 2, "int16": 2, "int32": 2, "int64": 8,
}  # fmt: skip


def kernel_ns(nbytes: int, macs: int, dtype: str, efficiency: int, card: str = "") -> int:
    """Return the expected nanoseconds of one launch; `efficiency` is its share of the multiply-adds in percent."""
    limits = CEILINGS[card]
    memory = 1000 * nbytes // limits.copy_bytes_us
    arithmetic = 1000 * macs * _SLOWER[dtype] * 100 // (limits.mac_us * efficiency)
    return limits.launch_ns + max(memory, arithmetic)
