"""Measure this machine and write arrayconv/_cost_table.py: the constants the method choice rests on.

    python benchmarks/calibrate.py            print what would be written
    python benchmarks/calibrate.py --write    write it

Every constant is the minimum of interleaved rounds, in float32, on the arrays of one library at a time. Libraries and
devices that are not here keep the row they have; 'other' is the plain guess for what was never measured.
"""

import argparse
import datetime
import functools
import importlib.metadata
import importlib.util
import math
import os
import pathlib
import time

import numpy as np

from arrayconv import _accel, _cost_table
from arrayconv._cost_table import RATES, Rates
from arrayconv._xp import compat_namespace

TABLE = pathlib.Path(_cost_table.__file__)
ROUNDS = 40
CALLS = 100


def wait(array):
    """Wait until a library that works in the background has finished `array`."""
    if hasattr(array, "block_until_ready"):
        array.block_until_ready()
    elif type(array).__module__.startswith("torch") and array.device.type == "cuda":
        import torch

        torch.cuda.synchronize()
    return array


def nanoseconds(functions):
    """Return the shortest time of each function, timed in turn."""
    best = [math.inf] * len(functions)
    for _ in range(ROUNDS):
        for number, function in enumerate(functions):
            start = time.perf_counter_ns()
            wait(function())
            best[number] = min(best[number], time.perf_counter_ns() - start)
    return best


def measure(xp, fft, compiled):
    """Return the Rates of a namespace's arrays on its default device, each function wrapped by `compiled`."""
    random = np.random.default_rng(0)

    def array(*shape, dtype="float32"):
        return xp.asarray((10 * random.standard_normal(shape)).astype(dtype))

    tiny, flat = array(4), array(256, 512)
    image = array(260, 516)
    left, right = array(256, 512), array(512, 512)
    whole = array(64, 128, dtype="int32"), array(128, 512, dtype="int32")
    square = array(480, 480)
    shifts = [(slice(i, i + 256), slice(i, i + 512)) for i in range(4)]

    def sweep(image, tiny):  # what a tap of `direct` does: a product of a window with a number, and a sum
        total = image[shifts[0]] * tiny[0]
        for shift in shifts:
            total += image[shift] * tiny[0]
        return total

    def repeated(tiny):
        product = tiny
        for _ in range(CALLS):
            product = product + tiny
        return product

    functions = [
        (repeated, tiny),
        (sweep, image, tiny),
        (lambda image: xp.stack([image[shift] for shift in shifts]), image),
        (xp.matmul, left, right),
        (xp.matmul, *whole),
        (lambda square: fft.rfftn(square, s=(480, 480), axes=(0, 1)), square),
    ]
    ready = [functools.partial(compiled(function), *operands) for function, *operands in functions]
    call, passes, copies, product, integers, transform = nanoseconds(ready)
    bytes_out = 4 * math.prod(flat.shape)
    return Rates(
        call_ns=max(1, call // CALLS),
        pass_byte=max(1, 1000 * passes // (10 * bytes_out)),
        copy_byte=max(1, 1000 * copies // (4 * bytes_out)),
        gemm_mac=max(1, 1000 * product // (256 * 512 * 512)),
        integer_mac=max(1, 1000 * integers // (64 * 128 * 512)),
        fft_point=round(1000 * transform / (480 * 480 * math.log2(480 * 480))),
    )


def eager(function):
    return function


def available():
    """Yield (row name, namespace, fft functions, compiler) of everything installed that can compute."""
    for name in ("numpy", "torch", "jax", "cupy"):
        if not importlib.util.find_spec(name):
            continue
        xp = compat_namespace(name)
        try:
            xp.zeros(1) + xp.zeros(1)
        except Exception as unusable:  # a CUDA library without a device raises a type of its own
            print(f"# {name}: not measured, {unusable}")
            continue
        yield f"{name}/{'cuda' if name == 'cupy' else 'cpu'}", xp, xp.fft, eager
        if name == "numpy" and _accel.installed("scipy"):
            yield "numpy+scipy/cpu", xp, _accel.transforms("numpy", "scipy", xp), eager
        if name == "jax":
            import jax

            yield "jax-traced/cpu", xp, xp.fft, jax.jit


def rendered(rows, versions):
    """Return the text of the table's file with `rows` in place of its own."""
    text = TABLE.read_text()
    today = datetime.date.today().isoformat()
    head, rest = text.split("\nMeasured ", 1)
    rest = rest[rest.index('"""') :]
    about = f"\nMeasured {today} on {len(os.sched_getaffinity(0))} cores, {versions}.\n"
    start, stop = rest.index("RATES: "), rest.index("\n}\n")
    lines = [f'    "{name}": Rates({", ".join(map(str, rates))}),' for name, rates in rows.items()]
    return head + about + rest[:start] + "RATES: dict[str, Rates] = {\n" + "\n".join(lines) + rest[stop:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the table instead of printing it")
    write = parser.parse_args().write
    measured = {name: measure(*how) for name, *how in available()}
    rows = {**{name: rates for name, rates in RATES.items() if name != "other"}, **measured, "other": RATES["other"]}
    names = sorted({part for name in measured for part in name.split("/")[0].removesuffix("-traced").split("+")})
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    text = rendered(rows, versions)
    if write:
        TABLE.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
