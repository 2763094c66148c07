"""Measures the ceilings of the GPUs here: what `CEILINGS` has of data sheets, by CUDA's events.

A copy of much more than a cache holds, multiply-adds of registers (a matrix product in IEEE precision where only torch
is there), and operations on a tiny array, one launch after the other. The shortest of several rounds counts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from arrayconv._accel import full_precision
from arrayconv._accel.cuda import job, launch
from arrayconv._accel.cuda.sources import Kernel
from arrayconv._arrays.identify import device_of
from arrayconv._arrays.libraries import Card, library_row
from arrayconv._arrays.namespace import compat_namespace
from arrayconv._arrays.traits import traits
from arrayconv._cli.console import sentence
from arrayconv._costs.cards import Ceilings

_ROUNDS = 12
_COPIED = 1 << 28  # bytes; caches have at most a quarter
_LAUNCHES = 300
_BLOCKS, _THREADS, _KERNEL_ROUNDS = 4096, 256, 64
_OF_A_THREAD = 8 * 32  # multiply-adds of a round: SUMS * ROUND of multiply_adds.cuh
_SIDE = 4096  # of the matrices of a product
_TYPES = {"float32": "float", "float64": "double"}
_LIBRARIES = ("cupy", "torch")

Log = Callable[[str], None]
Run = Callable[[], Any]


class Clock(NamedTuple):
    """CUDA's events of a library."""

    event: Callable[[], Any]
    milliseconds: Callable[[Any, Any], float]  # between two events that have passed


class Bench(NamedTuple):
    """What is timed on a card: calls, and how much each does."""

    card: Card
    clock: Clock
    copy: Run
    copied: int  # bytes, read and written
    tiny: Run
    multiply_adds: dict[str, tuple[Run, int]]  # dtype -> a call and its multiply-adds


def measure(log: Log) -> tuple[dict[str, Ceilings], list[str]]:
    """Return the ceilings of the usable cards by the driver's name, and why libraries could not measure one."""
    rows: dict[str, Ceilings] = {}
    reasons: list[str] = []
    for name in _LIBRARIES:
        if find_spec(name) is None:
            reasons.append(f"{name} is not installed")
            continue
        try:
            bench = bench_of(name)
            if bench.card.name not in rows:
                log(f"measuring {bench.card.name}")
                rows[bench.card.name] = ceilings(bench)
        except Exception as unusable:  # of the library's own type: no driver, no card, no compiler
            reasons.append(f"{name}: {sentence(unusable)}")
    return rows, reasons


def ceilings(bench: Bench) -> Ceilings:
    """Return the ceilings of a card."""
    time = partial(_microseconds, bench.clock)
    copied = bench.copied / time(bench.copy, 4)
    macs = {dtype: count / time(run, 2) for dtype, (run, count) in bench.multiply_adds.items()}
    launch_ns = 1000 * time(bench.tiny, _LAUNCHES)
    return Ceilings(
        launch_ns=max(1, round(launch_ns)),
        copy_bytes_us=max(1, round(copied)),
        mac_us=max(1, round(macs["float32"])),
        float64_mac_us=max(1, round(macs["float64"])),
        memory_mib=max(1, bench.card.memory >> 20),
    )


def _microseconds(clock: Clock, run: Run, count: int) -> float:
    """Return the least microseconds of one of `count` calls in a row."""
    run()  # compiles, and fills pools of memory
    times: list[float] = []
    for _ in range(_ROUNDS):
        start, stop = clock.event(), clock.event()
        start.record()
        for _ in range(count):
            run()
        stop.record()
        stop.synchronize()
        times.append(clock.milliseconds(start, stop))
    return 1000 * min(times) / count


def _of_cupy() -> Bench:
    xp, cupy = compat_namespace("cupy"), import_module("cupy")
    device = device_of(xp.zeros(1))
    x, y, tiny = cupy.ones(_COPIED // 4, dtype="float32"), cupy.zeros(_COPIED // 4, dtype="float32"), cupy.ones(8)
    card = library_row("cupy").card(device.id)
    clock = Clock(cupy.cuda.Event, cupy.cuda.get_elapsed_time)
    macs = _BLOCKS * _THREADS * _KERNEL_ROUNDS * _OF_A_THREAD
    runs = {dtype: (_kernel(y, dtype, device), macs) for dtype in _TYPES}
    return Bench(card, clock, partial(y.__setitem__, ..., x), 2 * _COPIED, partial(tiny.__iadd__, 1), runs)


def _kernel(y: Any, dtype: str, device: Any) -> Run:
    """Return a launch of the kernel of multiply-adds, which writes to y."""
    function = launch.compiled(kernel(dtype), device.id)
    packed = np.zeros(1, job.JOB)
    packed["y"], packed["batch"], packed["fill_real"], packed["fill_imag"] = y.data.ptr, _KERNEL_ROUNDS, 0.5, 1.0
    return partial(function, (_BLOCKS, 1, 1), (_THREADS, 1, 1), (packed,))


def kernel(dtype: str) -> Kernel:
    """Return the kernel of multiply-adds of a dtype."""
    types = dict.fromkeys(("X", "W", "Y", "SUM"), _TYPES[dtype])
    return Kernel("multiply_adds", tuple(f"-D{k}={v}" for k, v in {**types, "JOB_BYTES": job.JOB.itemsize}.items()))


def _of_torch() -> Bench:
    torch = import_module("torch")
    if not torch.cuda.is_available():
        raise RuntimeError("it has no CUDA device")
    device = torch.device("cuda", torch.cuda.current_device())
    x, y = (torch.ones(_COPIED // 4, dtype=torch.float32, device=device) for _ in range(2))
    tiny = torch.ones(8, device=device)
    clock = Clock(partial(torch.cuda.Event, enable_timing=True), torch.cuda.Event.elapsed_time)
    card = library_row("torch").card(device.index)
    runs = {dtype: (_product(torch, dtype, device), _SIDE**3) for dtype in _TYPES}
    return Bench(card, clock, partial(y.copy_, x), 2 * _COPIED, partial(tiny.add_, 1), runs)


def _product(torch: Any, dtype: str, device: Any) -> Run:
    left, right = (torch.ones((_SIDE, _SIDE), dtype=getattr(torch, dtype), device=device) for _ in range(2))
    precise = traits("torch", device, compat_namespace("torch"), dtype)

    def run() -> None:
        with full_precision(precise):
            torch.matmul(left, right)

    return run


def bench_of(library: str) -> Bench:
    """Return what is timed on the current card of a library; an error of the library's own type where it has none."""
    return _BENCHES[library]()


_BENCHES: dict[str, Callable[[], Bench]] = {"cupy": _of_cupy, "torch": _of_torch}
