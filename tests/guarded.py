"""Run the package's own loops on arrays beside pages that must not be touched: ``python -m tests.guarded SIDE``.

SIDE is 'before' or 'after': on which side of every array such a page begins at once. A loop that reads or writes a
single byte there ends the process. Prints how many calls were made.
"""

import ctypes
import mmap
import sys

import numpy as np

from arrayconv import _plan
from arrayconv._accel import _native
from tests import cases, running
from tests.conftest import make_library
from tests.unit.test_native import DTYPES, ROWS, TILES

LIBC = ctypes.CDLL(None, use_errno=True)
NOTHING = 0  # PROT_NONE
_kept = []  # memory maps, as long as the process lives


def guarded(shape, dtype, side):
    """Return an array of zeros right behind, or right before, a page that must not be touched."""
    size, page = int(np.prod(shape)) * np.dtype(dtype).itemsize, mmap.PAGESIZE
    room = -(-max(size, 1) // page) * page
    held = mmap.mmap(-1, room + 2 * page)
    _kept.append(held)
    start = ctypes.addressof(ctypes.c_char.from_buffer(held))
    for edge in (start, start + page + room):
        assert LIBC.mprotect(ctypes.c_void_p(edge), ctypes.c_size_t(page), NOTHING) == 0, ctypes.get_errno()
    offset = page if side == "before" else page + room - size
    return np.frombuffer(held, dtype, int(np.prod(shape)), offset).reshape(shape)


def run(spec, dtype, method, side):
    """Run a method on guarded operands, into guarded memory; raise where that changes the answer."""
    library, random = make_library("numpy"), np.random.default_rng(5)
    plan = running.planned(library, spec, dtype, method)
    values = [cases.numbers(random, shape, dtype) for shape in (spec.input_shape, spec.kernel_shape)]
    expected = running.run(library, plan, *values)
    x, w, out = (guarded(shape, dtype, side) for shape in (spec.input_shape, spec.kernel_shape, spec.output_shape))
    x[...], w[...] = values
    _plan.execute(plan, x, w, 0, xp=library.xp, device=library.device, out=out)
    np.testing.assert_array_equal(out, expected)


def main(side):
    code, calls = _native.loaded(), 0
    for level in range(code.level + 1):
        _native.loaded = lambda level=level: code._replace(level=level)
        for method, specs, dtypes in (("native_loops", ROWS, DTYPES), ("native_tiles", TILES, DTYPES[:2])):
            for spec in specs.values():
                for dtype in dtypes:
                    run(spec, dtype, method, side)
                    calls += 1
    print(calls)


if __name__ == "__main__":
    main(*sys.argv[1:])
