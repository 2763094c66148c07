"""Measure this machine and write arrayconv/_cost_table.py: the constants the method choice rests on.

    python benchmarks/calibrate.py            print what would be written
    python benchmarks/calibrate.py --write    write it

Every constant is the minimum of interleaved rounds, in float32, on the arrays of one library at a time; those of
accelerated methods (PACES) are fitted to all dtypes they serve. Libraries, devices and methods that are not measured
here keep the row they have; 'other' is the plain guess for what was never measured.
"""

import argparse
import datetime
import functools
import importlib.metadata
import importlib.util
import math
import os
import pathlib
import re
import time

import numpy as np

from arrayconv import _accel, _cost_table
from arrayconv._cost_table import Pace, Rates
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


def numpy_convolve(dtypes, taps):
    """Return the Pace of numpy.convolve: of a call, a multiply-add per byte of an element, and an output.

    The last two are fitted to a thousand outputs over all dtypes and taps, every time weighing the same; with a single
    number of taps they can't be told apart, and outputs are free.
    """
    random, outputs = np.random.default_rng(0), 1000
    cases = [(dtype, count) for dtype in dtypes for count in taps]
    calls = [functools.partial(np.convolve, *(np.ones(n, dtypes[0]) for n in (4, 1)), "valid")]
    for dtype, count in cases:
        x, kernel = ((10 * random.standard_normal(n)).astype(dtype) for n in (outputs + count - 1, count))
        calls.append(functools.partial(np.convolve, x, kernel, "valid"))
    call, *times = nanoseconds(calls)
    parts = np.array([(outputs * count * np.dtype(dtype).itemsize, outputs) for dtype, count in cases], float)
    took = np.array([max(1, time - call) for time in times], float)[:, None]
    free = len(taps) == 1
    fit = np.linalg.lstsq((parts / took)[:, : 2 - free], np.ones(len(cases)), rcond=None)[0]
    mac_byte, output = (*(max(1, round(1000 * value)) for value in fit), 0)[:2]
    return Pace(max(1, call), mac_byte, output)


def paces():
    """Return the rows of PACES that are measured here."""
    found = {
        "numpy_convolve-short": (("float32", "float64"), (7,)),
        "numpy_convolve-float": (("float32", "float64"), (15, 31, 63, 127)),
        "numpy_convolve-integer": (("int32", "int64"), (7, 31, 63)),
    }
    return {name: numpy_convolve(*how) for name, how in found.items()}


def rendered(rates, paces, versions):
    """Return the text of the table's file with `rates` and `paces` in place of its own."""
    text = TABLE.read_text()
    today = datetime.date.today().isoformat()
    head, rest = text.split("\nMeasured ", 1)
    rest = rest[rest.index('"""') :]
    about = f"\nMeasured {today} on {len(os.sched_getaffinity(0))} cores, {versions}.\n"
    return head + about + replaced(replaced(rest, "RATES", rates), "PACES", paces)


def replaced(text, table, rows):
    """Return Python text with rows of a dict of named tuples replaced; comments, and rows that are not given, stay."""
    start = text.index("{\n", text.index(f"\n{table}: dict")) + 2
    stop = text.index("}\n", start)
    body = text[start:stop]
    for name, row in rows.items():
        line = f'"{name}": {type(row).__name__}({", ".join(map(str, row))}),'
        body, found = re.subn(rf'"{re.escape(name)}": \w+\([^)]*\),', line, body)
        body += "" if found else f"    {line}\n"
    return text[:start] + body + text[stop:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the table instead of printing it")
    write = parser.parse_args().write
    measured = {name: measure(*how) for name, *how in available()}
    names = sorted({part for name in measured for part in name.split("/")[0].removesuffix("-traced").split("+")})
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    text = rendered(measured, paces(), versions)
    if write:
        TABLE.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
