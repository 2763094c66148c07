"""Run the package's own loops on arrays beside pages that must not be touched: ``python -m tests.guarded SIDE HOW``.

SIDE is 'before' or 'after': the side of every array at which such a page begins. HOW is 'copied' or 'apart': how the
ends of small planes are computed, see `tiles`. A loop that reads or writes a single byte there ends the process.
Prints the number of calls.
"""

import ctypes
import mmap
import sys
from itertools import product

import numpy as np

import arrayconv
from arrayconv import ndimage, nn
from arrayconv._accel.native import gaps, loader, tiles
from arrayconv._accel.native.tables import NUMBERS
from arrayconv._calls import cache
from arrayconv._costs import parallel
from arrayconv._problem.spec import Axis
from arrayconv._run import execute
from tests import cases, running
from tests.conftest import make_library
from tests.unit.test_native import ALL_IMAGES, DTYPES, IMAGES, REAL, ROWS, TILES, WINOGRAD

LIBC = ctypes.CDLL(None, use_errno=True)
NOTHING = 0  # PROT_NONE
_mappings = []  # memory maps, as long as the process lives


def guarded(shape, dtype, side):
    """Return an array of zeros right behind, or right before, a page that must not be touched."""
    size, page = int(np.prod(shape)) * np.dtype(dtype).itemsize, mmap.PAGESIZE
    room = -(-max(size, 1) // page) * page
    mapping = mmap.mmap(-1, room + 2 * page)
    _mappings.append(mapping)
    start = ctypes.addressof(ctypes.c_char.from_buffer(mapping))
    for edge in (start, start + page + room):
        assert LIBC.mprotect(ctypes.c_void_p(edge), ctypes.c_size_t(page), NOTHING) == 0, ctypes.get_errno()
    offset = page if side == "before" else page + room - size
    return np.frombuffer(mapping, dtype, int(np.prod(shape)), offset).reshape(shape)


def run(spec, dtype, method, side):
    """Run a method on guarded operands, into guarded memory; raise where that changes the result."""
    library, values = make_library("numpy"), cases.operands(spec, dtype)
    plan = running.planned(library, spec, dtype, method)
    expected = running.run(library, plan, *values)
    x, w, out = (guarded(shape, dtype, side) for shape in (spec.input_shape, spec.kernel_shape, spec.output_shape))
    x[...], w[...] = values
    execute.BoundPlan(plan, 0, xp=library.xp, device=library.device)(x, w, out)
    np.testing.assert_array_equal(out, expected)


REPEATED = {  # calls that go straight to the loops, which extend x and flip the kernel themselves
    "signal": ((37,), (5,), lambda x, w, **how: arrayconv.convolve(x, w, "same", **how)),
    "image": ((9, 21), (4, 3), lambda x, w, **how: arrayconv.convolve(x, w, "full", **how)),
    "lags": ((30,), (12,), lambda x, w, **how: arrayconv.correlate(x, w, lags=(-3, 2), **how)),
    "a-kernel-each": ((4, 19), (4, 3), lambda x, w, **how: arrayconv.convolve(x, w, "same", axes=1, **how)),
    "channels": ((2, 6, 9, 8), (4, 3, 3, 2), lambda x, w, **how: nn.conv2d(x, w, padding=1, groups=2, **how)),
    "transposed": ((2, 4, 7, 5), (4, 6, 3, 4), lambda x, w, **how: nn.conv_transpose2d(x, w, stride=2, **how)),
}
SUPPORTED = {"native_tiles": DTYPES[:2], "native_images": REAL}
TABLES = (
    ("native_loops", ROWS, DTYPES),
    ("native_tiles", TILES, DTYPES[:2]),
    ("native_images", ALL_IMAGES, REAL),
    ("native_dots", IMAGES, DTYPES[:2]),
    ("native_winograd", WINOGRAD, DTYPES[:2]),
)


def repeat(x_shape, w_shape, call, dtype, method, side):
    """Make a call twice on guarded operands: the first is bound and cached."""
    random = np.random.default_rng(5)
    values = [cases.numbers(random, shape, dtype) for shape in (x_shape, w_shape)]
    expected = call(*values, method=method)
    x, w = (guarded(shape, dtype, side) for shape in (x_shape, w_shape))
    x[...], w[...] = values
    for _ in range(2):
        np.testing.assert_array_equal(call(x, w, method=method), expected)


GAPS = (((5, 41), (3, 4)), ((2, 9, 70), (4, 5)), ((1, 300), (1, 9)), ((3, 2), (2, 2)))  # x, kernel
FILTERS = {
    "gaussian_filter": {"sigma": 1.5},
    "uniform_filter": {"size": 11},
    "sobel": {"axis": 0},
    "laplace": {},
    "gaussian_gradient_magnitude": {"sigma": 0.7},
}


def filter_image(name, dtype, side):
    """Run a filter twice from guarded memory into guarded memory; raise where that changes the result."""
    values = cases.numbers(np.random.default_rng(6), (19, 37), dtype)
    function, options = getattr(ndimage, name), FILTERS[name]
    expected = function(values, **options)
    x, out = (guarded(values.shape, dtype, side) for _ in range(2))
    x[...] = values
    for _ in range(2):
        np.testing.assert_array_equal(function(x, output=out, **options), expected)


def divide(x_shape, w_shape, dtype, factored, side):
    """Run the loop over gaps from guarded memory into guarded memory; raise where that changes the result."""
    random = np.random.default_rng(7)
    values, kernel = random.standard_normal(x_shape).astype(dtype), random.random(w_shape).astype(dtype)
    values[random.random(x_shape) < 0.5], flags = np.nan, random.integers(0, 2, x_shape).astype(np.uint8)
    down, along = kernel[None, :, 0].copy(), kernel[None, 0].copy()
    kernel = down.T @ along if factored else kernel
    factors = (down, along) if factored else (np.empty((0, 1), dtype),) * 2
    axes = [Axis(n, k, n + 1, before=k // 2) for n, k in zip(x_shape[-2:], w_shape, strict=True)]
    shape = (*x_shape[:-2], *(axis.outputs for axis in axes))
    results = []
    for make in (lambda shape, dtype: np.zeros(shape, dtype), lambda shape, dtype: guarded(shape, dtype, side)):
        x, where, y, weight = make(x_shape, dtype), make(x_shape, "uint8"), make(shape, dtype), make(shape, dtype)
        x[...], where[...] = values, flags
        taps, rules = gaps.Taps(kernel, *factors), gaps.Rules(True, 0.0, False, 1e-5)
        gaps.run(gaps.Gaps(x, where, y, weight), axes, taps, rules, parallel.ONE)
        results.append((y, weight))
    np.testing.assert_array_equal(*results)
    assert np.isnan(y).any() == (weight == 0).any()
    assert not np.isnan(y).all()


def main(side, how):
    code, calls = loader.loaded(), 0
    if how == "apart":
        tiles._COPY_OUTPUTS = 0
    for level in range(code.level + 1):
        loader.loaded = lambda level=level: code._replace(level=level)
        cache._calls.clear()  # bound calls of another level
        for name, (x_shape, w_shape, call) in REPEATED.items():
            for dtype in DTYPES:
                for method in ("native_loops", "native_tiles", "native_images"):
                    if dtype not in SUPPORTED.get(method, DTYPES):
                        continue
                    if method != "native_tiles" or name in ("image", "channels"):
                        repeat(x_shape, w_shape, call, dtype, method, side)
                        calls += 1
        for name, dtype in product(FILTERS, NUMBERS):
            filter_image(name, dtype, side)
            calls += 1
        for (x_shape, w_shape), dtype, factored in product(GAPS, DTYPES[:2], (False, True)):
            divide(x_shape, w_shape, dtype, factored, side)
            calls += 1
        for method, specs, dtypes in TABLES:
            for spec in specs.values():
                for dtype in dtypes:
                    run(spec, dtype, method, side)
                    calls += 1
    print(calls)


if __name__ == "__main__":
    main(*sys.argv[1:])
