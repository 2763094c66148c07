"""What a warm call on tiny arrays takes: nothing but the way from the door to the sums and back.

    python -m benchmarks.overhead [--filter einconv]
    python -m benchmarks.overhead --filter "convolve 100 x 5" --profile

With --profile each call that is listed is profiled instead, over many calls: where the time goes, function by function.
"""

import argparse
import cProfile
import pstats
from functools import partial

import numpy as np
from rich.console import Console
from rich.table import Table

import arrayconv
from arrayconv import nn
from arrayconv._cost_table import in_force
from benchmarks.contenders import plain
from benchmarks.report import duration
from benchmarks.timing import Timed, interleaved

SECONDS = 2.0
PROFILED = 5000  # calls
SHOWN = 25  # functions


def calls():
    """Return name -> Timed: ours first in each block, then what stands beside it."""
    import scipy.ndimage
    import scipy.signal
    import torch

    random = np.random.default_rng(0)
    x, taps = random.standard_normal(100), random.standard_normal(5)
    image, stencil = random.standard_normal((64, 64)), random.standard_normal((3, 3))
    counts = np.arange(64 * 64).reshape(64, 64)
    batch, weight = random.standard_normal((1, 3, 8, 8)), random.standard_normal((4, 3, 3, 3))
    tensor, factors, images, weights = map(torch.from_numpy, (x, taps, batch, weight))
    short = partial(arrayconv.convolve, x, taps, "same")
    small = partial(arrayconv.convolve, image, stencil, "same")
    lines, filters = tensor[None, None], torch.flip(factors, (0,))[None, None]
    return {
        "convolve 100 x 5, NumPy": Timed(short),
        "convolve 100 x 5, NumPy and SciPy alone": Timed(short, plain),
        "correlate 100 x 5, NumPy": Timed(partial(arrayconv.correlate, x, taps, "same")),
        "einconv 100 x 5, NumPy": Timed(partial(arrayconv.einconv, "n, n -> n | n", x, taps, padding="same")),
        "numpy.convolve 100 x 5": Timed(partial(np.convolve, x, taps, "same")),
        "scipy.signal.convolve 100 x 5": Timed(partial(scipy.signal.convolve, x, taps, "same")),
        "scipy.ndimage.convolve1d 100 x 5": Timed(partial(scipy.ndimage.convolve1d, x, taps, mode="constant")),
        "convolve 64^2 x 3^2, NumPy": Timed(small),
        "convolve 64^2 x 3^2, NumPy and SciPy alone": Timed(small, plain),
        "convolve 64^2 x 3^2 int64, NumPy": Timed(partial(arrayconv.convolve, counts, stencil.astype(int), "same")),
        "scipy.signal.convolve 64^2 x 3^2": Timed(partial(scipy.signal.convolve, image, stencil, "same")),
        "scipy.ndimage.convolve 64^2 x 3^2": Timed(partial(scipy.ndimage.convolve, image, stencil, mode="constant")),
        "nn.conv2d 1 x 3 x 8^2, 4 of 3^2, NumPy": Timed(partial(nn.conv2d, batch, weight, padding=1)),
        "nn.conv2d 1 x 3 x 8^2, 4 of 3^2, torch": Timed(partial(nn.conv2d, images, weights, padding=1)),
        "torch conv2d 1 x 3 x 8^2, 4 of 3^2": Timed(partial(torch.nn.functional.conv2d, images, weights, padding=1)),
        "convolve 100 x 5, torch": Timed(partial(arrayconv.convolve, tensor, factors, "same")),
        "torch conv1d 100 x 5": Timed(partial(torch.nn.functional.conv1d, lines, filters, padding=2)),
    }


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--filter", default="", help="only the calls whose name holds this text")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of rounds (default: %(default)s)")
    parser.add_argument("--profile", action="store_true", help="profile the calls instead")
    options = parser.parse_args(argv)
    chosen = {name: timed for name, timed in calls().items() if options.filter in name}
    if not chosen:
        parser.error(f"--filter must occur in a call. Got {options.filter!r}.")
    for timed in chosen.values():
        with timed.context():
            timed.call()
    if options.profile:
        for name, timed in chosen.items():
            profile(name, timed)
        return
    print(f"costs: {in_force().source}")
    table = Table(title="one warm call", title_justify="left")
    table.add_column("call")
    table.add_column("takes", justify="right")
    for name, took in interleaved(chosen, options.seconds).items():
        table.add_row(name, duration(took))
    Console().print(table)


def profile(name, timed):
    """Print where the time of many calls goes, by each function's own time."""
    profiler = cProfile.Profile()
    with timed.context():
        profiler.enable()
        for _ in range(PROFILED):
            timed.call()
        profiler.disable()
    print(f"{name}: {PROFILED} calls")
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(SHOWN)


if __name__ == "__main__":
    main()
