"""Every kind of kernel compiled by NVRTC for three generations of cards: it fits. Nothing runs, no speed is shown."""

import numpy as np
import pytest

from arrayconv._accel.cuda import cuda_filters, job
from arrayconv._accel.cuda import spectra as spectral_kernels
from arrayconv._accel.cuda.cuda_rows import _MAX_TAPS as ROW_TAPS
from arrayconv._accel.cuda.cuda_tiles import _ROWS as TILE_ROWS
from arrayconv._accel.cuda.sources import Kernel
from arrayconv._problem.chain import Chains, Window
from arrayconv._problem.spec import Axis
from tests.cuda.nvrtc import compiled

SHARED_BYTES = 48 << 10  # of a block, without asking for more
REGISTERS = 65536  # of a multiprocessor, for one block at least
THREADS = {
    "loops": 256,
    "rows": 128,
    "tiles": 128,
    "line": 128,
    "dots": 128,
    "filter_planes": 256,
    "filter_windows": 256,
    "spectra": 256,
}


def options(dtype, **macros):
    """Return the options for types, or for arrays in an accumulator's dtype."""
    return job.options(dtype if isinstance(dtype, job.Types) else job.Types.alike(dtype), **macros)


def rows(dtype, height, width, step=1, *, axes=2, sources=1):
    sizes = {"NAXES": axes, "SOURCES": sources, "KH": height, "KW": width}
    return Kernel("rows", options(dtype, **sizes, X_STEP=step, Y_STEP=1))


def tiles(dtype, most, width, *, axes=2):
    return Kernel("tiles", options(dtype, NAXES=axes, MAX_TAPS=most, ROWS=TILE_ROWS[width]))


def line(dtype, places):
    return Kernel("line", options(dtype, PLACES=places))


def dots(dtype, axes):
    return Kernel("dots", options(dtype, NAXES=axes, LAGS=4))


def loops(dtype, axes):
    return Kernel("loops", options(dtype, NAXES=axes))


def filtered(dtype, *passes, combine="", is_whole=False):
    """Return the kernel of the first launch of a filter of images; a pass is its axes."""
    shape = 64, 300
    windows = tuple(
        Window(axes, tuple(Axis(shape[axis], 5, shape[axis], before=2) for axis in axes)) for axes in passes
    )
    chains = Chains(shape, (windows,) * (2 if combine else 1), dtype, dtype, combine)
    taps = np.ones(cuda_filters._num_values(chains))
    bound = cuda_filters.CudaFilters("cupy", chains, 0, taps, is_whole=is_whole)
    return next(bound._stages((300, 1), (300, 1), ())).kernel


def spectra(name, dtype, axes, *, scans=False):
    return spectral_kernels.kernel(name, dtype, axes, scans)


KERNELS = {
    "filter float32, down first": filtered("float32", (0,), (1,)),
    "filter float32, along first": filtered("float32", (1,), (0,)),
    "filter float32, lengths": filtered("float32", (0,), (1,), combine="length"),
    "filter float64": filtered("float64", (0,), (1,)),
    "filter complex64": filtered("complex64", (0,), (1,)),
    "filter uint8": filtered("uint8", (0,), (1,)),
    "filter uint8 in int": filtered("uint8", (0,), (1,), is_whole=True),
    "window float32": filtered("float32", (0, 1)),
    "window uint64": filtered("uint64", (0, 1)),
    **{f"rows {n}x{n} float32": rows("float32", n, n) for n in (1, 2, 3, 5, 7, 9)},
    "rows 3x9 float32, strided": rows("float32", 3, 9, "column.x"),
    **{f"rows {n}x{n} float64": rows("float64", n, n) for n in (3, ROW_TAPS[8])},
    "rows 5x5 int8": rows("int8", 5, 5),
    "rows 5x5 int64": rows("int64", 5, 5),
    "rows 3x3x3 float32": rows("float32", 3, 3, axes=3, sources=3),
    "rows 3x3x3 float32, 3 channels": rows("float32", 3, 3, axes=3, sources=9),
    "rows 5x5x2 float32": rows("float32", 5, 5, axes=3, sources=3),
    "rows 3x3 float64, 2 channels": rows("float64", 3, 3, sources=2),
    "tiles 16 float32, 3 axes": tiles("float32", 16, 4, axes=3),
    "line 4 float32": line("float32", 4),
    "dots 2 float32": dots("float32", 2),
    "dots 3 complex128": dots("complex128", 3),
    "line 1 float32": line("float32", 1),
    "line 2 float64": line("float64", 2),
    "line 2 int64": line("int64", 2),
    "line 4 float16": line(job.Types("float16", "float16", "float32", "float16"), 4),
    "tiles 16 float32": tiles("float32", 16, 4),
    "tiles 32 float32": tiles("float32", 32, 4),
    "tiles 32 int16": tiles("int16", 32, 4),
    "tiles 16 float64": tiles("float64", 16, 8),
    "tiles 16 int64": tiles("int64", 16, 8),
    **{f"loops {n} float32": loops("float32", n) for n in range(1, job.MAX_AXES + 1)},
    **{
        f"rows 3x3 {narrow}": rows(job.Types(narrow, narrow, "float32", narrow), 3, 3)
        for narrow in ("float16", "bfloat16")
    },
    "tiles 32 float16": tiles(job.Types("float16", "float16", "float32", "float16"), 32, 4),
    "loops 2 bfloat16": loops(job.Types("bfloat16", "bfloat16", "float32", "bfloat16"), 2),
    "loops 2 uint8 by complex64": loops(job.Types("uint8", "complex64", "complex64", "complex64"), 2),
    **{f"loops 2 {dtype}": loops(dtype, 2) for dtype in sorted(job.ACCUMULATORS - {"float32"})},
    "spectra pad 1 float32, scanned": spectra("pad", "float32", 1, scans=True),
    "spectra pad 3 complex128": spectra("pad", "complex128", 3),
    "spectra pad 2 float32": spectra("pad", "float32", 2),
    "spectra contain 3 float64": spectra("contain", "float64", 3),
    "spectra product 1 float32": spectra("product", "float32", 1),
    "spectra product 3 complex128": spectra("product", "complex128", 3),
    "spectra restore 2 float32": spectra("restore", "float32", 2),
    "spectra restore 3 complex128": spectra("restore", "complex128", 3),
}
SPILLED = {  # bytes at most; of rows, tiles and loops none in the innermost loop
    "rows": 16,
    "tiles": 8,
    "line": 0,
    "dots": 0,
    "loops": 64,
    "filter_planes": 16,
    "filter_windows": 48,
    "spectra": 0,
}
ARCHITECTURES = {
    "80": (
        "filter float32, down first",
        "rows 5x5 float32",
        "tiles 32 float32",
        "loops 2 float64",
        "spectra pad 2 float32",
    ),
    "90": tuple(KERNELS),
    "120": ("filter uint8", "rows 7x7 float32", "tiles 16 float64", "loops 3 float32", "spectra restore 2 float32"),
}
ROWS = [(architecture, name) for architecture, names in ARCHITECTURES.items() for name in names]


@pytest.mark.parametrize(("architecture", "name"), ROWS)
def test_kernel_fits(architecture, name):
    kernel = KERNELS[name]
    facts = compiled(kernel, architecture)
    kind = "spectra" if kernel.name.startswith("spectra") else kernel.name
    assert facts.code
    assert facts.spilled <= SPILLED[kind]
    assert facts.shared <= SHARED_BYTES
    assert facts.registers * THREADS[kind] <= REGISTERS


def test_a_source_that_does_not_compile_says_why():
    with pytest.raises(RuntimeError, match="NAXES"):
        compiled(Kernel("loops", options("float32")), "90")


def test_struct_of_another_size_does_not_compile():
    others = tuple(option for option in options("float32", NAXES=2) if "JOB_BYTES" not in option)
    with pytest.raises(RuntimeError, match="differ"):
        compiled(Kernel("loops", (*others, "-DJOB_BYTES=8")), "90")
