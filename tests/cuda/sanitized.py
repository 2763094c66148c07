"""The kernels under AddressSanitizer and UndefinedBehaviorSanitizer, and faults planted for them: a process of its own.

`python -m tests.cuda.sanitized` prints a line for each case: its name, and "clean" or what a sanitizer reports. Each
case runs in a forked child, since a report ends the process. `environment` is that of the process.
"""

import os
import subprocess
import sys
from typing import NamedTuple

FLAGS = "-O0 -fsanitize=address,undefined -fno-sanitize-recover=all"
MISSING = (
    "libasan is missing: install gcc's sanitizers, such as Debian's package libasan8 or Fedora's libasan and libubsan"
)
_BOUNDARIES = ("constant", "edge", "symmetric", "reflect", "wrap")


class Fault(NamedTuple):
    """Text of a source, and what replaces it."""

    file: str
    text: str
    replacement: str
    method: str
    report: str  # a part of what the sanitizer says


DTYPES = {
    "cuda_loops": "int32",
    "cuda_rows": "float32",
    "cuda_tiles": "float32",
    "cuda_line": "float32",
    "cuda_dots": "int64",
}  # integers of any size overflow
FAULTS = {
    "a sample after the last one is read": Fault(
        "rows", "left + SAMPLES <= column.size", "left + SAMPLES - 1 <= column.size", "cuda_rows", "buffer-overflow"
    ),
    "rows of the tile are not aligned": Fault(
        "tiles", "(TILE_X + MAX_TAPS)", "(TILE_X + MAX_TAPS + 1)", "cuda_tiles", "misaligned"
    ),
    "the tile is a row short": Fault(
        "tiles", "(TILE_Y + MAX_TAPS - 1) * PITCH", "(TILE_Y + MAX_TAPS - 2) * PITCH", "cuda_tiles", "buffer-overflow"
    ),
    "sums of integers are signed": Fault(
        "types", "sum += a * b;", "sum += (Number)((int)a * (int)b);", "cuda_loops", "signed integer overflow"
    ),
}


def environment():
    """Return the environment of the process, None where a sanitizer is missing."""
    command = ["g++", "-print-file-name=libasan.so"]
    library = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    if not os.path.isabs(library):  # the compiler repeats a name that it does not know
        return None
    options = {"ASAN_OPTIONS": "detect_leaks=0", "PYTHONMALLOC": "malloc", "ARRAYCONV_SHIM_FLAGS": FLAGS}
    return {**os.environ, **options, "LD_PRELOAD": library}


def compare(method):
    """Compare a kernel with NumPy's results: every boundary, widths modulo 4, strided layouts, the largest numbers."""
    from tests.cuda.test_kernels import check, numbers

    dtype = DTYPES[method]
    if method == "cuda_line":
        for number, boundary in enumerate(_BOUNDARIES):
            samples, taps = numbers((597 + number,), dtype, 1), numbers((260 + number,), dtype, 2)
            check(method, samples, taps[::-1], {"mode": "full", "boundary": boundary})
        return
    if method == "cuda_dots":
        options = {"mode": "full", "stride": (20, 30), "boundary": "reflect"}
        check(method, numbers((30, 40), dtype, 1), numbers((35, 45), dtype, 2), options)
        check(method, numbers((5003,), dtype, 1), numbers((4998,), dtype, 2), {"mode": "valid"})
        return
    kernel = numbers((16, 7) if method == "cuda_tiles" else (3, 6), dtype, 2)
    for number, boundary in enumerate(_BOUNDARIES):
        check(method, numbers((9, 37 + number), dtype, 1), kernel, {"mode": "full", "boundary": boundary})
    x = numbers((60, 280), dtype, 1)
    check(method, x, kernel, {"mode": "valid"})
    check(method, x[::-1, ::2], kernel[::-1], {"mode": "same"})


def plant(fault):
    """Replace text of a source."""
    from arrayconv._accel.cuda import sources

    read = sources._read
    assert fault.text in read(fault.file), "the fault's place is gone"
    sources._read = lambda name: read(name).replace(fault.text, fault.replacement) if name == fault.file else read(name)


def outcome(name):
    """Return "clean", or the report of a sanitizer on a case in a child process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writing, 2)
        try:
            if name in FAULTS:
                plant(FAULTS[name])
            compare(FAULTS[name].method if name in FAULTS else name)
        except BaseException as failure:  # any failure is the report
            os.write(2, f"ERROR: {failure!r}".encode())
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, errors="replace") as pipe:
        text = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    lines = [line for line in text.splitlines() if "ERROR" in line or "error" in line]
    return "clean" if status == 0 else (lines or [text])[0]


def main():
    """Run all cases."""
    os.environ.pop("LD_PRELOAD", None)  # of the compilers that this process starts
    from tests.cuda.standin import install

    install()
    for name in (*DTYPES, *FAULTS):
        print(f"{name}: {outcome(name)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
