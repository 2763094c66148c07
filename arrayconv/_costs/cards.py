"""What a GPU can do at most: rows of data sheets, until `python -m arrayconv tune --gpu` measures a card.

No row was measured. Bandwidths, multiply-adds (half of the FLOP/s outside of tensor cores) and memory are NVIDIA's;
the time of a launch is in no data sheet and is a guess, the same for all. `benchmarks/calibrate.py --gpu` writes
measured rows to this file, under the driver's name of the card.
"""

from __future__ import annotations

from typing import NamedTuple


class Ceilings(NamedTuple):
    """The limits of one card."""

    launch_ns: int  # from one launch to the next
    copy_bytes_us: int  # bytes read and written in a microsecond
    mac_us: int  # multiply-adds of float32 in a microsecond
    float64_mac_us: int
    memory_mib: int


_LAUNCH_NS = 5_000

CEILINGS: dict[str, Ceilings] = {
    # Data sheet, not measured: NVIDIA A100 (2022), 80 GB SXM: 2039 GB/s, 19.5 and 9.7 TFLOP/s.
    "A100": Ceilings(_LAUNCH_NS, 2_039_000, 9_750_000, 4_850_000, 81_920),
    # Data sheet, not measured: NVIDIA H100 (2023), SXM: 3.35 TB/s, 67 and 34 TFLOP/s, 80 GB.
    "H100": Ceilings(_LAUNCH_NS, 3_350_000, 33_500_000, 17_000_000, 81_920),
    # Data sheet, not measured: NVIDIA H200 (2024), SXM: 4.8 TB/s, 67 and 34 TFLOP/s, 141 GB.
    "H200": Ceilings(_LAUNCH_NS, 4_800_000, 33_500_000, 17_000_000, 144_384),
    # Data sheet, not measured: NVIDIA L40S (2023): 864 GB/s, 91.6 TFLOP/s, 48 GB; float64 at 1/64 of float32's speed.
    "L40S": Ceilings(_LAUNCH_NS, 864_000, 45_800_000, 715_000, 49_152),
    # White paper, not measured: NVIDIA Ada GPU architecture (2022), RTX 4090: 1008 GB/s, 82.6 and 1.29 TFLOP/s, 24 GB.
    "RTX 4090": Ceilings(_LAUNCH_NS, 1_008_000, 41_300_000, 645_000, 24_576),
}
DEFAULT_CARD = "H100"  # the row of cards without one
_DRIVERS_NAMES = {
    "NVIDIA A100-SXM4-80GB": "A100",
    "NVIDIA A100 80GB PCIe": "A100",
    "NVIDIA H100 80GB HBM3": "H100",
    "NVIDIA H200": "H200",
    "NVIDIA L40S": "L40S",
    "NVIDIA GeForce RTX 4090": "RTX 4090",
}


def known(name: str, rows: dict[str, Ceilings]) -> Ceilings | None:
    """Return the row of a card by its short name or the driver's; a measured row wins over a data sheet's."""
    drivers_names = [long for long, short in _DRIVERS_NAMES.items() if short == name]
    names = (*drivers_names, name, _DRIVERS_NAMES.get(name, name))
    return next((rows[each] for each in names if each in rows), None)


def ceilings_of(name: str, rows: dict[str, Ceilings]) -> Ceilings:
    """Return the row of a card, for an unknown one that of the H100."""
    return known(name, rows) or rows[DEFAULT_CARD]
