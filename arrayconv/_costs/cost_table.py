"""Measured constants of the cost model, or the user's own in their place.

benchmarks/calibrate.py measures what methods are made of and writes this file; benchmarks/fit.py then changes rows
until the predictions agree with the times of whole methods over a grid of problems.

Integers, so that a choice is the same everywhere; picoseconds unless the name says otherwise. 'other' serves
libraries and devices that were never measured, and so do the guessed rows of CUDA. What `python -m arrayconv tune`
measured on this machine replaces rows of the same name; it is read when the first plan needs a constant.

Measured 2026-11-22 on 2 cores, jax 0.10.2, numpy 2.4.6, scipy 1.17.1, torch 2.13.0+cpu.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from arrayconv._costs import user_file


class PrimitiveCosts(NamedTuple):
    """What one library on one kind of device takes, for float32."""

    call_ns: int  # one call of an array function on a tiny array
    pass_byte: int  # one elementwise pass (two reads, one write), per byte of result, in cache
    copy_byte: int  # one strided copy, per byte
    gemm_mac: int  # one multiply-add of a large matrix product, with all threads
    integer_mac: int  # the same in int32
    fft_point: int  # one real transform, per sample and per log2 of the length; lent ones with one thread


THREADS = 2  # which large matrix products had in these rows

PRIMITIVE_COSTS: dict[str, PrimitiveCosts] = {
    "numpy+scipy/cpu": PrimitiveCosts(529, 60, 26, 7, 228, 180),
    "numpy+ducc0/cpu": PrimitiveCosts(848, 112, 15, 10, 291, 120),
    "numpy+torch/cpu": PrimitiveCosts(848, 112, 15, 10, 291, 100),  # not fitted: tensors without ducc0
    "numpy/cpu": PrimitiveCosts(
        848, 112, 15, 10, 291, 629
    ),  # its own work is that of the row before, tried on 2026-11-29
    "torch/cpu": PrimitiveCosts(1729, 25, 45, 19, 67, 81),
    "torch/cuda": PrimitiveCosts(8000, 1, 1, 1, 10, 2),
    "cupy/cuda": PrimitiveCosts(10000, 1, 1, 1, 10, 2),
    "jax/cpu": PrimitiveCosts(
        5805, 146, 211, 7, 65, 250
    ),  # transforms by hand on 2026-11-23, with all they need around them
    "jax-traced/cpu": PrimitiveCosts(117, 9, 50, 12, 70, 100),  # likewise
    "other": PrimitiveCosts(5000, 100, 200, 40, 1000, 1000),
}


LINE = 64  # bytes: single multiply-adds take too few picoseconds to be told apart by whole ones


class MethodCost(NamedTuple):
    """What an accelerated method takes."""

    call_ns: int  # a call on tiny arrays
    cache_line_mac: int  # a multiply-add of each element of 64 bytes
    output: int = 0  # one output, whatever its taps; of rows, the start of one for each term; of tiles, 64 bytes a pass


METHOD_COSTS: dict[str, MethodCost] = {
    # With vectors of 64 bytes, and of what `METHOD_COSTS_AVX2` does not have without them.
    # Fitted on 2026-11-22, 2 cores of an AMD EPYC (Zen 5), gcc 12.2; loops are those of one thread.
    "numpy_convolve-short": MethodCost(1500, 1246),  # calls of 12 us on 2026-11-29, native_loops' of 5, im2col's of 16
    "numpy_convolve-float": MethodCost(1500, 640, 2364),
    "numpy_convolve-integer": MethodCost(1500, 11520, 1000),
    "native_loops-float": MethodCost(652, 512, 1400),
    "native_loops-filters": MethodCost(652, 200, 200),
    "native_loops-complex": MethodCost(652, 500, 1200),
    "native_loops-integer": MethodCost(652, 320, 426),
    "native_loops-strided": MethodCost(652, 10650, 426),  # per multiply-add of any dtype
    "native_tiles": MethodCost(521, 154, 256),
    "native_images": MethodCost(12000, 280, 200),  # a guess on the safe side: not measured with such vectors
    "torch_conv-single": MethodCost(687, 1280, 1429),
    "torch_conv-depthwise": MethodCost(9000, 160, 350),
    "torch_conv-channels": MethodCost(38000, 64, 500),
    "torch_conv-float64": MethodCost(8000, 128, 136),
    "xla_conv-single": MethodCost(10000, 7680),
    "xla_conv-channels": MethodCost(10000, 192),
    "xla_conv-float64": MethodCost(25000, 512),
    "xla_tiles": MethodCost(2500, 160, 192),  # set by hand from timings under jax.jit on 2026-11-23, jax 0.10.2
}

METHOD_COSTS_AVX2: dict[str, MethodCost] = {
    # Fitted on 2026-11-23, 2 cores of an AMD EPYC (Zen 3), to problems of one channel and of many.
    "native_images": MethodCost(4688, 275, 352),
    "native_loops-filters": MethodCost(652, 200, 320),
    "torch_conv-channels": MethodCost(97280, 102, 688),
    "torch_conv-depthwise": MethodCost(9000, 160, 350),
    "torch_conv-single": MethodCost(5626, 3277, 3658),
    "torch_conv-float64": MethodCost(32768, 205, 349),
}


KINDS: dict[str, Any] = {"PRIMITIVE_COSTS": PrimitiveCosts, "METHOD_COSTS": MethodCost}


class Costs(NamedTuple):
    """The tables in force, and where they come from."""

    primitive_costs: dict[str, PrimitiveCosts]
    method_costs: dict[str, MethodCost]
    source: str  # 'shipped table', or the user's file and its date
    threads: int = THREADS  # which matrix products had where these were measured


@cache
def has_avx512() -> bool:
    """Whether NumPy finds vectors of 64 bytes here: AVX-512."""
    extensions: Any = np.show_config(mode="dicts")
    found = extensions["SIMD Extensions"]["found"]
    return any(name == "X86_V4" or name.startswith("AVX512") for name in found)


def shipped() -> Costs:
    """Return the tables that came with the package, those for this machine's kind of processor."""
    return Costs(
        dict(PRIMITIVE_COSTS), {**METHOD_COSTS, **({} if has_avx512() else METHOD_COSTS_AVX2)}, "shipped table"
    )


@cache
def active_table() -> Costs:
    """Return the tables this process chooses by: the shipped ones, under the rows of the user's own."""
    path, own = user_file.table_path(), None
    try:
        own = None if path is None else user_file.load(path, KINDS)
    except ValueError as wrong:
        warnings.warn(
            f"arrayconv: the cost table {path} is ignored: {wrong}. Delete it, with "
            f"`python -m arrayconv tune --remove`, or measure again, with `python -m arrayconv tune --write`.",
            RuntimeWarning,
            stacklevel=2,
        )
    base = shipped()
    if own is None:
        return base
    tables = own.tables
    source = f"{path}, tuned {own.date}"
    cores = own.machine.get("cores")
    threads = cores if type(cores) is int and cores > 0 else THREADS  # what is said of a machine may be anything
    primitive_costs, method_costs = (
        {**base.primitive_costs, **tables.get("PRIMITIVE_COSTS", {})},
        {**base.method_costs, **tables.get("METHOD_COSTS", {})},
    )
    return Costs(primitive_costs, method_costs, source, threads)


_tried: list[Costs] = []  # the last of them answers


@contextmanager
def using_tables(costs: Costs) -> Generator[None]:
    """Let `primitive_costs` and `method_cost` answer from other tables, so that a fit sees what these predict.

    Plans are remembered by what was in force when they were made, so rank, and plan nothing inside.
    """
    _tried.append(costs)
    try:
        yield
    finally:
        _tried.pop()


def _answering() -> Costs:
    return _tried[-1] if _tried else active_table()


def primitive_costs(row: str) -> PrimitiveCosts:
    """Return the constants of a row (see `Traits.row`), or the guess for what was never measured."""
    found = _answering().primitive_costs
    return found.get(row, found["other"])


def method_cost(name: str) -> MethodCost:
    """Return the constants of an accelerated method."""
    return _answering().method_costs[name]


def threads() -> int:
    """Return with how many threads the matrix products of `primitive_costs` were measured."""
    return _answering().threads
