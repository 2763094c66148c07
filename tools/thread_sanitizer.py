"""Run the loops as XLA calls them under ThreadSanitizer: ``python tools/thread_sanitizer.py``.

Compiles arrayconv/_accel/native/src with -fsanitize=thread into a program that plays XLA, with tasks that begin late,
on tables that arrayconv plans. Takes a minute or two, needs Linux and gcc or clang. Exit status 0 if there is no race.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

# Imported once the checkout is on the path.
from arrayconv._accel.jax import ffi, xla_winograd  # noqa: E402
from arrayconv._accel.native import images, loader, rows, tiles  # noqa: E402
from arrayconv._accel.native.in_place import contiguous_steps  # noqa: E402
from arrayconv._accel.native.tables import XlaHead, packed  # noqa: E402
from arrayconv._algorithms import Context  # noqa: E402
from arrayconv._arrays.namespace import compat_namespace  # noqa: E402
from arrayconv._arrays.traits import traits  # noqa: E402
from arrayconv._problem.spec import Axis, Spec  # noqa: E402
from hatch_build import SOURCES, compiler  # noqa: E402

FLAGS = ("-std=gnu11", "-O1", "-g", "-fsanitize=thread", "-pthread", "-Wno-psabi", f"-I{SOURCES}")
LIBRARIES = ("-lm",)  # of the loops, which are no shared library here
TYPES = {"float32": 11, "float64": 12, "int32": 4}  # XLA's numbers of them
IMAGE = Spec(2, 1, 3, 5, (Axis(20, 3, 20, before=1, boundary="reflect"), Axis(33, 3, 33, before=1)))
STRIDED = IMAGE._replace(axes=(Axis(20, 3, 10, before=1, stride=2), Axis(33, 3, 66, before=1, upsample=2)))


def problems():
    """Yield (dtype, spec, job) of loops that run alone."""
    signal = Spec(4, 2, 3, 5, (Axis(300, 7, 294),))
    for dtype in ("float32", "int32"):
        yield dtype, signal, rows.job(signal, *steps(signal), 0, 0, 4)
    yield "float64", IMAGE, tiles.job(IMAGE, *steps(IMAGE), 0, 0, 8)
    for spec in (IMAGE, STRIDED):
        device_traits = traits("numpy", "cpu", compat_namespace("numpy"), "float32")
        yield "float32", spec, images.job(spec, *steps(spec), 0, 0, device_traits)


def together():
    """Yield (spec, tables by name) of the loops that XLA calls for Winograd's transforms, in float32."""
    own = traits("jax", "cpu", compat_namespace("jax"), "float32")
    gradient = Spec(2, 1, 3, 5, (Axis(20, 18, 3), Axis(33, 31, 3)))
    for spec in (IMAGE, gradient):
        context = Context(compat_namespace("jax"), "cpu", own, None, 0)
        with mock.patch.object(ffi, "call", lambda tables, *_: tables):
            x, w = (np.empty(shape, "float32") for shape in (spec.input_shape, spec.kernel_shape))
            yield spec, xla_winograd.xla_winograd.bind(spec, context).run(x, w, None)


def steps(spec):
    """Return the steps of contiguous x and y."""
    return contiguous_steps(spec.input_shape), contiguous_steps(spec.output_shape)


def written(path):
    """Write the problems, each after its sizes, as thread_sanitizer.c reads them."""
    random = np.random.default_rng(0)
    with path.open("wb") as file:
        for dtype, spec, job in problems():
            x, w = operands(random, spec, dtype)
            sizes = x.size, w.size, int(np.prod(spec.output_shape))
            write(file, spec, x, w, [packed(XlaHead(1, 1, *sizes), loader.table(job, dtype, 0))])
        for spec, tables in together():
            x, w = operands(random, spec, "float32")
            for value in (0, np.nan):  # where an output is not finite, another loop writes all of them again
                x[0, 0, 0, 5, 7] += value
                write(file, spec, x, w, [tables[name] for name in sorted(tables)])


def operands(random, spec, dtype):
    """Return x and a kernel."""
    return [(9 * random.standard_normal(shape)).astype(dtype) for shape in (spec.input_shape, spec.kernel_shape)]


def write(file, spec, x, w, tables):
    """Write a problem."""
    words = [table.size for table in tables] + [0] * (3 - len(tables))
    sizes = *words, len(tables), x.nbytes, w.nbytes, int(np.prod(spec.output_shape)) * x.itemsize, TYPES[x.dtype.name]
    for part in (np.array(sizes, np.int64), *tables, x, w):
        file.write(part.tobytes())


def main():
    """Compile, run, and print the outcome."""
    command = compiler()
    if command is None:
        print("There is no C compiler.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        program, data = Path(folder) / "program", Path(folder) / "problems"
        source = Path(__file__).with_suffix(".c")
        subprocess.run([*command, *FLAGS, str(source), "-o", str(program), *LIBRARIES], check=True)
        written(data)
        process = subprocess.run([str(program), str(data)], check=False)
    print("No race." if process.returncode == 0 else f"Exit status {process.returncode}.")
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
