"""Our calls beside the library's own, by CUDA's events: medians, on more memory than the caches hold.

Every call is also a share of its card's ceilings: of the bandwidth of a copy, if every sample were read once and every
output written once, and of the multiply-adds, if all of the definition were computed.
"""

from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from itertools import cycle
from math import prod
from statistics import median
from time import monotonic
from typing import Any

import numpy as np

import arrayconv
from arrayconv import nn
from arrayconv._arrays.libraries import Card
from arrayconv._cli import ceilings as measured
from arrayconv._costs.cards import Ceilings
from conformance.backends import numbers
from tools.gpu_check.checks import METHODS
from tools.gpu_check.report import sentence

ROUNDS, BURST_US = 9, 2000  # a round is at least so long
MOST_CALLS, TOO_LONG_US = 64, 300_000
POOL_BYTES = 256 << 20  # of arrays that calls take turns with: no cache holds them
SECONDS_OF_A_CASE = 20
ONE = {3: "conv1d", 4: "conv2d", 5: "conv3d"}


@dataclass(frozen=True)
class Problem:
    """Operands and options of a call: of `convolve`, or of `nn` for images with channels."""

    name: str
    x: tuple[int, ...]
    kernel: tuple[int, ...]
    dtype: str = "float32"
    options: dict[str, Any] = field(default_factory=lambda: {"mode": "same"})

    @property
    def has_channels(self):
        return "padding" in self.options

    @property
    def outputs(self):
        return prod(self.x) // self.x[1] * self.kernel[0] if self.has_channels else prod(self.x)

    @property
    def macs(self):
        return self.outputs * prod(self.kernel[1:] if self.has_channels else self.kernel)


def problems(rehearse):
    """Yield the problems, the most telling first; small ones in a rehearsal."""
    small = 16 if rehearse else 1
    for taps in (3, 5, 7, 9, 15, 31):
        yield _image(4096 // small, taps)
    for side, taps in ((1024, 3), (1024, 15), (2048, 3), (2048, 15), (8192, 3), (8192, 15)):
        yield _image(side // small, taps)
    side = 4096 // small
    for dtype in ("float64", "complex64", "float16", "uint8", "int32"):
        yield _image(side, 5, dtype)
    yield _image(side, 7, boundary="reflect")
    for taps in (9, 129, 4097):
        yield Problem(f"2^24 by {taps}", (2**24 // small**2,), (taps,))
    for taps in (3, 5):
        yield Problem(f"256^3 by {taps}^3", (256 // min(small, 8),) * 3, (taps,) * 3)
    for channels, filters in ((3, 16), (64, 64), (256, 256)):
        side = 128 // min(small, 8)
        images, taps = (8 // min(small, 4), channels, side, side), (filters, channels, 3, 3)
        yield Problem(f"{channels} channels, {filters} filters 3 x 3", images, taps, options={"padding": 1})


def _image(side, taps, dtype="float32", **options):
    more = "".join(f", {value}" for value in options.values())
    name = f"{side} x {side} by {taps} x {taps}{more}"
    return Problem(name, (side, side), (taps, taps), dtype, {"mode": "same", **options})


def ceilings(machine, record, only):
    """Measure the copy, the multiply-adds and the launch of the card."""
    timed = _host(machine) if machine.rehearse else measured.bench_of(machine.library)
    record(case=timed.card.name, outcome="ok", message="", ceilings=measured.ceilings(timed)._asdict())


def _host(machine):
    """Return what a rehearsal measures in the place of a card: the host's copy and products, by its clock."""
    count, side = 1 << 14, 64
    x, y, tiny = (machine.array(np.ones(n, np.float32)) for n in (count, count, 8))
    left = machine.array(np.ones((side, side), np.float32))
    runs = {dtype: (lambda: left @ left, side**3) for dtype in ("float32", "float64")}
    copy = partial(y.__setitem__, ..., x)
    return measured.Bench(Card("host", 1 << 30), machine.clock, copy, 8 * count, lambda: tiny + 1, runs)


def bench(machine, record, only, limits=None, seconds=SECONDS_OF_A_CASE):
    """Record the median of every contender for every problem, and its shares of the ceilings."""
    limits = None if limits is None else Ceilings(**limits)
    for problem in problems(machine.rehearse):
        if only not in problem.name:
            continue
        labels = {"case": problem.name, "dtype": problem.dtype}
        end = monotonic() + seconds
        for name, run in contenders(machine, problem):
            if monotonic() > end:
                record(**labels, method=name, outcome="skipped", message="the time of this problem was up")
                continue
            try:
                us = microseconds(machine.clock, run)
            except Exception as error:  # a rival that cannot run is not ours to fail for
                outcome = "failed" if name == "arrayconv" else "skipped"
                record(**labels, method=name, outcome=outcome, message=sentence(error))
                continue
            record(**labels, method=name, outcome="ok", microseconds=us, **shares(problem, us, limits))


def shares(problem, us, limits):
    """Return the shares of the ceilings of a call that takes so long."""
    if limits is None:
        return {}
    nbytes = (prod(problem.x) + problem.outputs) * np.dtype(problem.dtype).itemsize
    rate = limits.float64_mac_us if problem.dtype == "float64" else limits.mac_us
    each = 4 if problem.dtype.startswith("complex") else 1
    return {"copy": nbytes / us / limits.copy_bytes_us, "multiply_adds": each * problem.macs / us / rate}


def contenders(machine, problem):
    """Yield (name, call) of ours by 'auto', of each method made for GPUs, and of the library's own functions."""
    pool = _pool(machine, problem)
    kernel = machine.array(_numbers(problem.kernel, problem.dtype))
    ours = getattr(nn, ONE[len(problem.x)]) if problem.has_channels else arrayconv.convolve
    call = partial(_next, pool, ours, kernel, problem.options)
    yield "arrayconv", call
    for method in METHODS:
        if method.startswith(("cuda", "cudnn")) or method == "fft":
            yield method, partial(_next, pool, ours, kernel, {**problem.options, "method": method})
    if machine.library == "torch":
        yield from _of_torch(pool, kernel, problem)
    else:
        yield from _of_cupyx("scipy" if machine.rehearse else "cupyx.scipy", pool, kernel, problem)


def _next(pool, function, kernel, options):
    return function(next(pool), kernel, **options)


def _pool(machine, problem):
    """Return an endless iterator of arrays that are together larger than the caches."""
    host = _numbers(problem.x, problem.dtype)
    count = 2 if machine.rehearse else max(2, min(64, POOL_BYTES // host.nbytes))
    return cycle([machine.array(host) for _ in range(count)])


def _numbers(shape, dtype):
    return np.asarray(numbers(9, shape, dtype)).astype(dtype)


def _of_torch(pool, kernel, problem):
    functional = import_module("torch").nn.functional
    if problem.has_channels:
        function = getattr(functional, ONE[len(problem.x)])
        yield f"torch {function.__name__}", partial(_next, pool, function, kernel, problem.options)
    elif len(problem.options) == 1:  # zeros outside
        function, padding = getattr(functional, ONE[len(problem.x) + 2]), problem.kernel[0] // 2
        yield (
            f"torch {function.__name__}",
            lambda: function(next(pool)[None, None], kernel[None, None], padding=padding),
        )


def _of_cupyx(package, pool, kernel, problem):
    if problem.has_channels:
        return
    ndimage, signal = (import_module(f"{package}.{name}") for name in ("ndimage", "signal"))
    mode = {"reflect": "mirror"}.get(problem.options.get("boundary"), "constant")
    yield f"{package}.ndimage.convolve", partial(_next, pool, ndimage.convolve, kernel, {"mode": mode})
    if len(problem.options) == 1:
        for name in ("fftconvolve", "oaconvolve"):
            yield f"{package}.signal.{name}", partial(_next, pool, getattr(signal, name), kernel, problem.options)


def microseconds(clock, run):
    """Return the median microseconds of a call, of several rounds of several calls."""
    run()  # compiles, plans, fills pools of memory
    once = _round(clock, run, 1)
    if once > TOO_LONG_US:
        return once
    count = max(1, min(MOST_CALLS, int(BURST_US / max(once, 1))))
    return median(_round(clock, run, count) for _ in range(ROUNDS))


def _round(clock, run, count):
    """Return the microseconds of each of `count` calls in a row."""
    start, stop = clock.event(), clock.event()
    start.record()
    for _ in range(count):
        run()
    stop.record()
    stop.synchronize()
    return 1000 * clock.milliseconds(start, stop) / count
