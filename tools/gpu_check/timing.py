"""Float32 images by our calls and by the library's own functions: the shortest of interleaved rounds."""

from functools import partial
from importlib import import_module

import numpy as np

import arrayconv
from arrayconv._calls import timing as clock
from conformance.backends import numbers
from tools.gpu_check.report import sentence

SIZES = (3, 7, 15, 31)
MOST_NS = 10**10  # of rounds, for all contenders
BURST_NS, MOST_CALLS = 10**7, 50  # short calls are repeated between two waits


def timing(machine, record, only):
    """Record how long a copy takes, and every contender on every size of kernel."""
    side = 256 if machine.rehearse else 4096
    seconds, rate = _copy(machine, side)
    record(case="copy", outcome="ok", seconds=seconds, rate=rate)
    for size in SIZES:
        case, runners = f"{side} x {side}, {size} x {size}", {}
        x, kernel = (machine.array(numbers(9, (n, n), "float32").astype(np.float32)) for n in (side, size))
        for name, run in contenders(machine, x, kernel).items():
            try:
                run()
                runners[name] = run
            except Exception as error:  # a rival that cannot run is not ours to fail for
                outcome = "failed" if name == "arrayconv" else "skipped"
                record(case=case, method=name, outcome=outcome, message=sentence(error))
        ideal = 8 * side**2 / rate  # every sample read once and written once
        for name, seconds in shortest(machine, runners).items():
            record(case=case, dtype="float32", method=name, outcome="ok", seconds=seconds, bandwidth=ideal / seconds)


def _copy(machine, side):
    """Return the seconds of a copy, and the bytes it reads and writes per second."""
    x = machine.array(np.ones((2 * side, 2 * side), np.float32))
    y = x + 1

    def copy():
        y[...] = x
        return y

    seconds = shortest(machine, {"copy": copy})["copy"]
    return seconds, 2 * x.nbytes / seconds


def contenders(machine, x, kernel):
    """Return the calls that are timed, ours first."""
    calls = {"arrayconv": lambda: arrayconv.convolve(x, kernel, "same")}
    if machine.library == "torch":
        conv2d, padding = import_module("torch").nn.functional.conv2d, kernel.shape[0] // 2
        return calls | {"torch conv2d": lambda: conv2d(x[None, None], kernel[None, None], padding=padding)}
    package = "scipy" if machine.rehearse else "cupyx.scipy"
    ndimage, signal = (import_module(f"{package}.{name}") for name in ("ndimage", "signal"))
    calls[f"{package}.ndimage.convolve"] = lambda: ndimage.convolve(x, kernel, mode="constant")
    calls[f"{package}.signal.fftconvolve"] = lambda: signal.fftconvolve(x, kernel, mode="same")
    return calls


def shortest(machine, runners):
    """Return the least seconds of each call."""
    bursts, counts = [], []
    for run in runners.values():
        clock.once(run)  # compiles, plans, fills caches
        counts.append(max(1, min(MOST_CALLS, BURST_NS // clock.once(run))))
        bursts.append(partial(_repeated, run, counts[-1]))
    times = clock.shortest(bursts, 3 if machine.rehearse else 7, MOST_NS)
    return {name: time / count / 1e9 for name, time, count in zip(runners, times, counts, strict=True)}


def _repeated(run, count):
    for _ in range(count - 1):
        run()
    return run()
