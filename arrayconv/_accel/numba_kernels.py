"""The compiled loop: one machine-code function per dtype, for any shape, stride, dilation and number of axes.

Its terms, channels and taps, are a table of offsets into x, met nine at a time with every factor in a register, so one
pass over a row of outputs does nine multiply-adds per element it writes. The compiler vectorises over outputs, never
over terms: sums are formed in the order of the table, without reassociation.

This module imports numba, and is imported when the method first runs. The machine code is kept on disk beside this file
or, where that is not writeable, in the user's cache directory (NUMBA_CACHE_DIR moves it).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import types
from numba.extending import register_jitable

from arrayconv._accel import _xla_handler as xla
from arrayconv._accel._jit import FLAGS, c_function, machine_code, named
from arrayconv._accel._memory_at import load, read, written

# Places are unsigned, so that none is counted from the end, and no views are made: those are counted by atomic
# operations, which take longer than a short row and hold up other threads.

PACKED = 15  # entries of XLA's table before the tables themselves


@register_jitable(**FLAGS)
def _first(y: Any, y0: Any, n: Any, x: Any, at: Any, w: Any, terms: Any) -> Any:
    """Write the first terms, as many as one pass takes; return how many those were."""
    w0 = at[terms]
    a, fa = at[0], w[w0]
    if terms < 3:
        for j in range(n):
            y[np.uint64(y0 + j)] = fa * x[np.uint64(a + j)]
        return 1
    b, c, fb, fc = at[1], at[2], w[w0 + 1], w[w0 + 2]
    if terms < 9:
        for j in range(n):
            s = fa * x[np.uint64(a + j)] + fb * x[np.uint64(b + j)]
            y[np.uint64(y0 + j)] = s + fc * x[np.uint64(c + j)]
        return 3
    d, e, g, h, k, m = at[3], at[4], at[5], at[6], at[7], at[8]
    fd, fe, fg, fh, fk, fm = w[w0 + 3], w[w0 + 4], w[w0 + 5], w[w0 + 6], w[w0 + 7], w[w0 + 8]
    for j in range(n):
        s = fa * x[np.uint64(a + j)] + fb * x[np.uint64(b + j)] + fc * x[np.uint64(c + j)]
        s = s + fd * x[np.uint64(d + j)] + fe * x[np.uint64(e + j)] + fg * x[np.uint64(g + j)]
        y[np.uint64(y0 + j)] = s + fh * x[np.uint64(h + j)] + fk * x[np.uint64(k + j)] + fm * x[np.uint64(m + j)]
    return 9


@register_jitable(**FLAGS)
def _more(y: Any, y0: Any, n: Any, x: Any, at: Any, w: Any, terms: Any, t: Any) -> None:
    """Add the terms from the t-th on: nine, three or one at a time."""
    w0, nines = at[terms], (terms - t) // 9
    for _ in range(nines):
        a, b, c, d, e = at[t], at[t + 1], at[t + 2], at[t + 3], at[t + 4]
        g, h, k, m = at[t + 5], at[t + 6], at[t + 7], at[t + 8]
        v = w0 + t
        fa, fb, fc, fd, fe = w[v], w[v + 1], w[v + 2], w[v + 3], w[v + 4]
        fg, fh, fk, fm = w[v + 5], w[v + 6], w[v + 7], w[v + 8]
        for j in range(n):
            s = y[np.uint64(y0 + j)] + fa * x[np.uint64(a + j)] + fb * x[np.uint64(b + j)] + fc * x[np.uint64(c + j)]
            s = s + fd * x[np.uint64(d + j)] + fe * x[np.uint64(e + j)] + fg * x[np.uint64(g + j)]
            y[np.uint64(y0 + j)] = s + fh * x[np.uint64(h + j)] + fk * x[np.uint64(k + j)] + fm * x[np.uint64(m + j)]
        t += 9
    threes = (terms - t) // 3
    for _ in range(threes):
        a, b, c = at[t], at[t + 1], at[t + 2]
        fa, fb, fc = w[w0 + t], w[w0 + t + 1], w[w0 + t + 2]
        for j in range(n):
            s = y[np.uint64(y0 + j)] + fa * x[np.uint64(a + j)] + fb * x[np.uint64(b + j)]
            y[np.uint64(y0 + j)] = s + fc * x[np.uint64(c + j)]
        t += 3
    for u in range(t, terms):
        a, fa = at[u], w[w0 + u]
        for j in range(n):
            y[np.uint64(y0 + j)] = y[np.uint64(y0 + j)] + fa * x[np.uint64(a + j)]


@register_jitable(**FLAGS)
def _strided(y: Any, y0: Any, n: Any, x: Any, at: Any, w: Any, terms: Any, step: Any) -> None:
    """Write outputs next to each other whose samples are not."""
    w0, t = at[terms], 0
    for j in range(n):
        y[np.uint64(y0 + j)] = 0
    fives = terms // 5
    for _ in range(fives):
        a, b, c, d, e, v = at[t], at[t + 1], at[t + 2], at[t + 3], at[t + 4], w0 + t
        fa, fb, fc, fd, fe = w[v], w[v + 1], w[v + 2], w[v + 3], w[v + 4]
        for j in range(n):
            i, o = j * step, np.uint64(y0 + j)
            s = y[o] + fa * x[np.uint64(a + i)] + fb * x[np.uint64(b + i)] + fc * x[np.uint64(c + i)]
            y[o] = s + fd * x[np.uint64(d + i)] + fe * x[np.uint64(e + i)]
        t += 5
    for u in range(t, terms):
        a, fa = at[u], w[w0 + u]
        for j in range(n):
            y[np.uint64(y0 + j)] = y[np.uint64(y0 + j)] + fa * x[np.uint64(a + j * step)]


@register_jitable(**FLAGS)
def _scattered(y: Any, y0: Any, n: Any, x: Any, at: Any, w: Any, terms: Any, steps: Any) -> None:
    """Write outputs that are far from each other, each once."""
    w0 = at[terms]
    for j in range(n):
        i = j * steps[0]
        total = w[w0] * x[np.uint64(at[0] + i)]
        for t in range(1, terms):
            total += w[w0 + t] * x[np.uint64(at[t] + i)]
        y[np.uint64(y0 + j * steps[1])] = total


@register_jitable(**FLAGS)
def _correlate(x: Any, w: Any, offsets: Any, y: Any, sizes: Any, steps: Any, inner: Any, first: Any, stop: Any) -> None:
    """Write the blocks of outputs [first, stop).

    Parameters
    ----------
    x, y : flat arrays
        Memory, addressed by element.
    w : flat array
        The factors of all terms, one filter after the other.
    offsets : array of int64
        Where the sample of each term stands, counted from that of an output's first term.
    sizes, steps : arrays of int64, shapes (axes,) and (axes, 3)
        The axes around a row, and how far one step along each moves in x, in y and in w.
    inner : tuple of int64
        Outputs of a row, its blocks, outputs per block, steps in x and in y, where x and y start.
    first, stop : int
        Blocks to compute.
    """
    count, blocks, block, x_step, y_step, x_origin, y_origin = inner
    terms = len(offsets)
    at = np.empty(terms + 1, np.int64)  # where the sample of each term stands, and the first of the factors
    for unit in range(first, stop):
        rest = unit // blocks
        start = (unit - rest * blocks) * block
        n = min(block, count - start)
        x0, y0, w0 = x_origin + start * x_step, y_origin + start * y_step, 0
        for axis in range(len(sizes) - 1, -1, -1):
            whole = rest // sizes[axis]
            place = rest - whole * sizes[axis]
            rest = whole
            x0 += place * steps[axis, 0]
            y0 += place * steps[axis, 1]
            w0 += place * steps[axis, 2]
        for t in range(terms):
            at[t] = x0 + offsets[t]
        at[terms] = w0
        if y_step != 1:
            _scattered(y, y0, n, x, at, w, terms, (x_step, y_step))
        elif x_step != 1:
            _strided(y, y0, n, x, at, w, terms, x_step)
        else:
            t = _first(y, y0, n, x, at, w, terms)
            _more(y, y0, n, x, at, w, terms, t)


@cache
def kernel(dtype: str) -> Any:
    """Return the compiled loop for a dtype, from the disk where it was compiled before."""
    element = getattr(types, dtype)
    data, table = types.Array(element, 1, "C", readonly=True), types.Array(types.int64, 1, "C", readonly=True)
    steps, inner = types.Array(types.int64, 2, "C", readonly=True), types.UniTuple(types.int64, 7)
    signature = types.void(data, data, table, element[::1], table, steps, inner, types.int64, types.int64)
    return machine_code(_correlate, signature)


def _part(job: Any, first: Any, stop: Any, runner: Any, element: Any) -> None:
    """Write the blocks [first, stop) of a call from XLA, whose table `xla_loops` made."""
    at = load(job, xla.TABLE)
    head = read(at, PACKED, np.int64)
    x_size, w_size, y_size, terms, axes = head[3], head[4], head[5], head[6], head[7]
    inner = (head[8], head[9], head[10], head[11], head[12], head[13], head[14])
    at += 8 * PACKED
    _correlate(
        read(load(job, xla.X), x_size, element),
        read(load(job, xla.FACTORS), w_size, element),
        read(at, terms, np.int64),
        written(load(job, xla.Y), y_size, element),
        read(at + 8 * terms, axes, np.int64),
        read(at + 8 * (terms + axes), (axes, 3), np.int64),
        inner, first, stop,
    )  # fmt: skip


_serve = xla.serving(_part)


@cache
def handler(dtype: str) -> Any:
    """Return what XLA calls for a dtype, from the disk where it was compiled before."""
    element = np.dtype(dtype).type

    def answer(frame: Any) -> Any:
        return _serve(frame, element)

    return c_function(named(answer, dtype), types.int64(types.int64))
