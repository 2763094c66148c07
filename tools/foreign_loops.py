"""Run loops compiled for another platform, and compare with this machine's: ``python tools/foreign_loops.py``.

    python -m ziglang cc -target x86_64-windows-gnu -O1 -o run.exe tools/foreign_loops.c
    python tools/foreign_loops.py loops.so wine64 run.exe     # for Linux with musl: loops.so ./run

The first argument is the library, the others are the command that runs the compiled foreign_loops.c. Rows, tiles and
images run at every level on whole numbers, whose sums are exact in any order, so each bit has to be the same.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from arrayconv._accel.native import loader
from tools.thread_sanitizer import problems


def write(path: Path) -> None:
    """Write tables, operands and this machine's results, each after its sizes, as foreign_loops.c reads them."""
    random = np.random.default_rng(0)
    with path.open("wb") as file:
        for dtype, spec, job in problems():
            x, w = (random.integers(-9, 10, shape).astype(dtype) for shape in (spec.input_shape, spec.kernel_shape))
            y, table = np.zeros(spec.output_shape, dtype), np.array(loader.table(job, dtype, 0))
            addresses = (array.ctypes.data for array in (x, w, y, table))
            if loader.loaded().blocks(*addresses, 0, job.units):
                raise MemoryError(f"foreign_loops: no memory for the loop of {spec}.")
            file.write(np.array([table.size, x.nbytes, w.nbytes, y.nbytes], np.int64).tobytes())
            file.write(b"".join(array.tobytes() for array in (table, x, w, y)))


def main(arguments: list[str]) -> int:
    library, *command = arguments
    with tempfile.TemporaryDirectory() as folder:
        cases = Path(folder) / "cases.bin"
        write(cases)
        return subprocess.run([*command, library, str(cases)], check=False).returncode


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
