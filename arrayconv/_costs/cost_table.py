"""Measured constants of the cost model, or the user's own in their place.

benchmarks/calibrate.py measures the primitive operations and writes this file; benchmarks/fit.py then changes rows
until the predictions agree with the times of whole methods over a grid of problems.

Integers, so that a choice is the same everywhere; picoseconds unless the name says otherwise. The row 'other' is for
libraries and devices that were never measured. Rows that `python -m arrayconv tune` measured on this machine replace
rows of the same name; they are read when the first plan needs a constant. Work on GPUs is predicted from the ceilings
of `cards` instead.

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
from arrayconv._costs.cards import CEILINGS, Ceilings


class PrimitiveCosts(NamedTuple):
    """Times of the basic operations of one library on one kind of device, for float32."""

    call_ns: int  # one call of an array function on a tiny array
    pass_byte: int  # one elementwise pass (two reads, one write), per byte of result, in cache
    copy_byte: int  # one strided copy, per byte
    gemm_mac: int  # one multiply-add of a large matrix product, with all threads
    integer_mac: int  # the same in int32
    fft_point: int  # one real transform, per sample and per log2 of the length; a provider's with one thread


THREADS = 2  # of the large matrix products of these rows

PRIMITIVE_COSTS: dict[str, PrimitiveCosts] = {
    "numpy+scipy/cpu": PrimitiveCosts(529, 60, 26, 7, 228, 180),
    "numpy+ducc0/cpu": PrimitiveCosts(848, 112, 15, 10, 291, 120),
    "numpy+torch/cpu": PrimitiveCosts(848, 112, 15, 10, 291, 100),  # not fitted: tensors without ducc0
    # All but the transform as numpy+ducc0, tried on 2026-11-29.
    "numpy/cpu": PrimitiveCosts(848, 112, 15, 10, 291, 629),
    "torch/cpu": PrimitiveCosts(1729, 25, 45, 19, 67, 81),
    # JAX's transforms set by hand on 2026-11-23, the operations around them included.
    "jax/cpu": PrimitiveCosts(5805, 146, 211, 7, 65, 250),
    "jax-traced/cpu": PrimitiveCosts(129, 9, 35, 34, 70, 160),  # fitted on 2026-11-30
    "other": PrimitiveCosts(5000, 100, 200, 40, 1000, 1000),
}


_XLAS_COMPLEX = 8  # times longer that XLA takes to multiply complex matrices than as many bytes of floats
LINE = 64  # bytes: a single multiply-add takes too few picoseconds for an integer to resolve


class MethodCost(NamedTuple):
    """Times of an accelerated method."""

    call_ns: int  # a call on tiny arrays
    cache_line_mac: int  # a multiply-add of each element of 64 bytes
    # One output, whatever its taps; in rows the start of one, per term; in tiles 64 bytes a pass; in winograd 8 bytes.
    output: int = 0


METHOD_COSTS: dict[str, MethodCost] = {
    # With vectors of 64 bytes (AVX-512); without them too, for methods that `METHOD_COSTS_AVX2` does not list.
    # Fitted on 2026-11-22, 2 cores of an AMD EPYC (Zen 5), gcc 12.2, and on 2026-11-30 to times on Zen 4: the rows
    # native_loops-float, -complex and -filters, native_tiles, native_images, native_dots, torch_conv-depthwise, xla_*.
    # Loops are those of one thread.
    "numpy_convolve-short": MethodCost(1500, 1246),  # a call took 12 us on 2026-11-29, of native_loops 5, of im2col 16
    "numpy_convolve-float": MethodCost(9000, 640, 2364),  # a call, by hand: as of -short
    "numpy_convolve-integer": MethodCost(1500, 11520, 1000),
    "native_loops-float": MethodCost(734, 640, 918),
    "native_loops-filters": MethodCost(897, 260, 200),
    "native_loops-complex": MethodCost(700, 850, 1500),
    "native_loops-integer": MethodCost(652, 470, 200),
    "native_loops-integer-filters": MethodCost(3000, 360, 40),
    "native_loops-strided": MethodCost(652, 10650, 426),  # per multiply-add of any dtype but complex ones
    "native_loops-strided-complex": MethodCost(652, 42600, 426),
    "native_filters": MethodCost(4500, 640, 150),  # set by hand from timings on 2026-11-30, Zen 4; sums in float64
    "native_tiles": MethodCost(130, 270, 470),
    "native_images": MethodCost(2200, 280, 600),
    "native_images-integer": MethodCost(2000, 376, 100),
    "native_dots": MethodCost(1500, 317, 2000),
    "native_winograd": MethodCost(20000, 320, 800),
    # Of one thread. The last two by hand on 2026-11-29, Zen 4; -float64 is also that of small images in float32.
    "torch_conv-single": MethodCost(687, 2432, 2715),
    "torch_conv-depthwise": MethodCost(55000, 800, 500),
    "torch_conv-channels": MethodCost(55000, 256, 600),
    "torch_conv-float64": MethodCost(6000, 400, 500),
    "xla_conv-single": MethodCost(20480, 14592),  # of one thread, as those of torch
    "xla_conv-channels": MethodCost(20000, 747),
    "xla_conv-float64": MethodCost(8878, 1557),
    "xla_tiles": MethodCost(1000, 300, 290),
}

METHOD_COSTS_AVX2: dict[str, MethodCost] = {
    # Fitted on 2026-11-23, 2 cores of an AMD EPYC (Zen 3), to problems of one channel and of many.
    "native_images": MethodCost(4688, 250, 704),
    "native_loops-filters": MethodCost(652, 200, 320),
    "torch_conv-channels": MethodCost(97280, 194, 1307),  # torch's rows are of one thread: 1.9 times those of two
    "torch_conv-depthwise": MethodCost(9000, 304, 665),
    "torch_conv-single": MethodCost(5626, 6226, 6950),
    "torch_conv-float64": MethodCost(32768, 390, 663),
    "native_loops-float": MethodCost(2136, 800, 2584),
    "native_loops-complex": MethodCost(652, 480, 3000),
    "native_tiles": MethodCost(2185, 385, 1409),
    "native_dots": MethodCost(1500, 360, 2000),
}


class CallCost(NamedTuple):
    """Times of what a repeated call does around its convolutions, in nanoseconds, and picoseconds per byte."""

    call_ns: int  # the Python of a call of one convolution
    pass_ns: int  # of each convolution after the first
    gradient_ns: int  # of a gradient, by the library's own derivatives or by `vjp`
    array_ns: int  # of an array operation of the function's own on a tiny array
    array_byte: int  # of an array operation that returns megabytes: their memory is not in cache


CALL_COSTS: dict[str, CallCost] = {
    # By library, and by module where its Python differs.
    # Fitted on 2026-11-30 to functions of the doors, Zen 4; array operations set by hand from `match_template` there.
    "numpy": CallCost(1834, 1270, 49292, 1000, 120),
    "torch": CallCost(3149, 8387, 25986, 2000, 200),
    "torch/ndimage": CallCost(12459, 1, 31575, 2000, 200),
    "torch/nn.modules": CallCost(29943, 5721, 39969, 2000, 200),
    "jax": CallCost(3000, 1, 7000, 200, 40),  # under jax.jit
    "other": CallCost(100_000, 50_000, 200_000, 10_000, 200),  # a guess
}


KINDS: dict[str, Any] = {
    "PRIMITIVE_COSTS": PrimitiveCosts,
    "METHOD_COSTS": MethodCost,
    "CALL_COSTS": CallCost,
    "CEILINGS": Ceilings,
}


class Costs(NamedTuple):
    """The active tables, and their source."""

    primitive_costs: dict[str, PrimitiveCosts]
    method_costs: dict[str, MethodCost]
    source: str  # 'shipped table', or the user's file and its date
    threads: int = THREADS  # of the matrix products, when these were measured
    ceilings: dict[str, Ceilings] = CEILINGS
    call_costs: dict[str, CallCost] = CALL_COSTS


@cache
def has_avx512() -> bool:
    """Whether NumPy reports AVX-512, vectors of 64 bytes, on this machine."""
    extensions: Any = np.show_config(mode="dicts")
    available = extensions["SIMD Extensions"]["found"]
    return any(name == "X86_V4" or name.startswith("AVX512") for name in available)


def shipped() -> Costs:
    """Return the package's own tables for this machine's kind of processor."""
    narrow = {} if has_avx512() else METHOD_COSTS_AVX2
    return Costs(dict(PRIMITIVE_COSTS), {**METHOD_COSTS, **narrow}, "shipped table")


@cache
def active_table() -> Costs:
    """Return the tables that this process ranks by: the shipped ones, with rows replaced by the user's."""
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
    threads = cores if type(cores) is int and cores > 0 else THREADS  # the file may say anything of the machine
    primitive_costs, method_costs = (
        {**base.primitive_costs, **tables.get("PRIMITIVE_COSTS", {})},
        {**base.method_costs, **tables.get("METHOD_COSTS", {})},
    )
    return Costs(
        primitive_costs,
        method_costs,
        source,
        threads,
        {**CEILINGS, **tables.get("CEILINGS", {})},
        {**CALL_COSTS, **tables.get("CALL_COSTS", {})},
    )


_trial_tables: list[Costs] = []  # the last one is active


@contextmanager
def using_tables(costs: Costs) -> Generator[None]:
    """Let `primitive_costs` and `method_cost` read other tables, so that a fit can compare their predictions.

    Only rank inside, do not plan: plans are cached, and the cache key does not include the tables.
    """
    _trial_tables.append(costs)
    try:
        yield
    finally:
        _trial_tables.pop()


def _current_tables() -> Costs:
    return _trial_tables[-1] if _trial_tables else active_table()


def primitive_costs(row: str) -> PrimitiveCosts:
    """Return the constants of a row (see `Traits.row`), those of 'other' for one that was never measured."""
    rows = _current_tables().primitive_costs
    return rows.get(row, rows["other"])


def method_cost(name: str) -> MethodCost:
    """Return the constants of an accelerated method."""
    return _current_tables().method_costs[name]


def call_cost(library: str, module: str = "") -> CallCost:
    """Return the constants of calls of a module's functions on a library's arrays."""
    rows = _current_tables().call_costs
    return rows.get(f"{library}/{module}") or rows.get(library) or rows["other"]


def ceilings() -> dict[str, Ceilings]:
    """Return the ceilings of cards by name."""
    return _current_tables().ceilings


def product_mac(row: str, itemsize: int, num_threads: int, *, is_complex: bool) -> int:
    """Return picoseconds of a multiply-add of a large matrix product, on so many threads."""
    slower = (
        1 if row.startswith("torch") else max(1, threads() // num_threads)
    )  # torch's threads are set by other means
    if row.startswith("jax") and is_complex:
        slower *= _XLAS_COMPLEX
    return primitive_costs(row).gemm_mac * itemsize // 4 * slower


def threads() -> int:
    """Return the number of threads with which the matrix products of `primitive_costs` were measured."""
    return _current_tables().threads
