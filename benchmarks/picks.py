"""Which method 'auto' picks over a grid of problems of NumPy arrays, for each shipped cost table; nothing is run.

    python benchmarks/picks.py [--json picks.json]
    PYTHONPATH=../before python benchmarks/picks.py --json before.json
    python benchmarks/picks.py --against before.json

The grid has 2744 problems: `convolve` over one and two axes, and `conv2d` as a pattern of `einconv`. Picks come
from `explain` alone, so any two commits can be compared: run this file with PYTHONPATH at the other checkout. They
depend on the processor and on the installed accelerators: compare files of one machine and environment.
"""

import argparse
import json
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

TABLES = {"AVX-512": True, "AVX2": False}  # processor of the measured rows; whether it is wide
DTYPES = ("float32", "float64", "complex128", "int32")
LENGTHS, TAPS = [10**power for power in range(2, 7)], [3, 5, 9, 17, 33, 65, 129, 257, 513]
SIDES, WIDTHS = [16, 32, 64, 128, 256, 512, 1024, 2048], [3, 5, 7, 9, 11, 15, 21, 31, 63]
CHANNELS = [(1, 8), (3, 16), (16, 32), (64, 64), (256, 256), (32, 1)]
SHOWN = 40  # changes that are printed


def grid():
    """Yield (label, shape of x, shape of the kernel, dtype, options of `explain`) of each problem."""
    for dtype in DTYPES:
        for sizes, widths, axes in ((LENGTHS, TAPS, 1), (SIDES, WIDTHS, 2)):
            for n in sizes:
                for k in widths:
                    if k <= n:
                        yield (
                            f"convolve {n}^{axes} * {k}^{axes} {dtype}",
                            (n,) * axes,
                            (k,) * axes,
                            dtype,
                            {"mode": "same"},
                        )
        for batch in (1, 8):
            for channels, filters in CHANNELS:
                for n in (8, 16, 28, 56, 112, 224):
                    for k in (1, 3, 5, 7):
                        for stride in (1, 2):
                            options = {"pattern": "b c h w, o c h w -> b o h w | h w", "stride": stride}
                            options["padding"] = [(k // 2, k // 2)] * 2
                            label = f"conv2d {batch} x {channels} x {n}^2, {filters} of {k}^2, stride {stride} {dtype}"
                            yield label, (batch, channels, n, n), (filters, channels, k, k), dtype, options


def picks(wide, only=""):
    """Return label -> method by one cost table; in a process of its own, since choices are cached."""
    os.environ["ARRAYCONV_CACHE_DIR"] = os.devnull  # the shipped constants, not those of a user
    import arrayconv
    from arrayconv._costs import cost_table

    cost_table.has_avx512 = lambda: wide
    return {
        label: arrayconv.explain(x, kernel, dtype=dtype, **options).method
        for label, x, kernel, dtype, options in grid()
        if only in label
    }


def by_table(only=""):
    """Return the picks of all tables, label by label."""
    result = {}
    for table, wide in TABLES.items():
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            result[table] = process.submit(picks, wide, only).result()
    return result


def counts(tables):
    """Return the lines that say how often each method is picked, by door."""
    lines = []
    for table, methods in tables.items():
        for door in ("convolve", "conv2d"):
            counted = Counter(method for label, method in methods.items() if label.startswith(door))
            numbers = ", ".join(f"{method} {number}" for method, number in counted.most_common())
            lines.append(f"{table} {door} {counted.total()}: {numbers}")
    return lines


def changes(before, after):
    """Return the lines of picks that differ, or exist on one side alone."""
    lines = []
    for table in before.keys() | after.keys():
        old, new = before.get(table, {}), after.get(table, {})
        lines += [
            f"{table} {label}: {old.get(label, 'not in the grid')} -> {new.get(label, 'not in the grid')}"
            for label in {**old, **new}
            if old.get(label) != new.get(label)
        ]
    return sorted(lines)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--filter", default="", help="only the problems whose label holds this text")
    parser.add_argument("--json", type=Path, help="where to write every pick")
    parser.add_argument("--against", type=Path, help="a file of other picks: list what changed")
    options = parser.parse_args(argv)
    if not any(options.filter in label for label, *_ in grid()):
        parser.error(f"--filter must occur in a label. Got {options.filter!r}.")
    before = None if options.against is None else json.loads(options.against.read_text())
    after = by_table(options.filter)
    print(*counts(after), sep="\n")
    if options.json is not None:
        options.json.write_text(json.dumps(after, indent=1))
    if before is not None:
        earlier = {
            table: {k: v for k, v in methods.items() if options.filter in k} for table, methods in before.items()
        }
        changed = changes(earlier, after)
        print(f"{len(changed)} picks changed", *changed[:SHOWN], sep="\n")


if __name__ == "__main__":
    main()
