"""Fit the constants of arrayconv/_costs/cost_table.py to measured times.

    python -m benchmarks.fit measure numpy --json numpy.json            time the grid, on an idle machine
    python -m benchmarks.fit measure numpy --pure --json pure.json      with NumPy and SciPy, no code of ours
    python -m benchmarks.fit constants numpy.json --rows native_loops-float,native_tiles
    python -m benchmarks.fit constants benchmarks/results/{,doors-}numpy.json --rows native_tiles
    python -m benchmarks.fit calls benchmarks/results/doors-*.json

`measure` times whole methods, which `benchmarks/calibrate.py` does not. `constants` takes its files, those of `run` and
those of `doors`. It changes one constant after the other, as long as the choice of 'auto' gets nearer to the fastest
method, and the predicted times of methods near it to the measured ones; it prints the rows for the table. `calls` fits
what is around convolutions, CALL_COSTS, to the times of whole functions.
"""

import argparse
import json
import math
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

import arrayconv
from arrayconv._calls.timing import wait
from arrayconv._cli import libraries
from arrayconv._costs import cost_table
from arrayconv._plan import rank
from benchmarks.cases import around, cases, noted
from benchmarks.contenders import ARRAYS, pure
from benchmarks.timing import Timed, interleaved

SECONDS = 0.15  # of rounds for a problem
SLOW_NS = 300 * 10**6  # a method that is expected to take longer is left out
NEAR = 6  # times the fastest: methods whose predictions matter
CLOSE = 1.25  # times the fastest: a choice that is good enough
SMALL_NS = 200_000  # functions to which `calls` fits
STEPS = (1.6, 1.25, 1.1)
PATTERN = "b (g c) h w, (g o) c h w -> b (g o) h w | h w"
TRANSPOSED = "b c h w, c o h w -> b o h w | h w"
TRANSPOSING: dict[str, Any] = {"padding": ((1, 2), (1, 2)), "flip": True}


class Row(NamedTuple):
    """A problem of the grid."""

    x: tuple[int, ...]
    kernel: tuple[int, ...]
    dtype: str
    options: dict[str, Any]

    @property
    def label(self):
        return f"{self.x} {self.kernel} {self.dtype} {self.options or ''}".strip()


def grid():
    """Yield the problems: one channel of one to three axes, and channels."""
    for dtype in ("float32", "float64"):
        for n in (100, 1000, 10**4, 10**5, 10**6):
            yield from (Row((n,), (taps,), dtype, {}) for taps in (5, 31, 301))
        yield Row((64, 4096), (31,), dtype, {"axes": (-1,)})
        yield Row((1000, 1000), (9,), dtype, {"axes": (0,)})
        for n in (16, 64, 128, 256, 512, 1024):
            yield from (Row((n, n), (taps, taps), dtype, {}) for taps in (3, 7, 15, 31, 63) if taps < n)
        yield from (Row((2048, 2048), (taps, taps), dtype, {}) for taps in (3, 7, 15, 31))
        yield Row((32, 32, 32), (3, 3, 3), dtype, {})
        yield Row((64, 64, 64), (5, 5, 5), dtype, {})
        yield Row((512, 512), (7, 7), dtype, {"stride": 2})
        for x, kernel, options in CHANNELS:
            yield Row(x, kernel, dtype, {"groups": 1, **options})
    for dtype in ("int32", "complex64"):
        yield from (Row((10**5,), (31,), dtype, {}), Row((512, 512), (9, 9), dtype, {}))


CHANNELS = (
    ((2, 4, 16, 16), (8, 4, 3, 3), {}),
    ((1, 3, 128, 128), (16, 3, 3, 3), {}),
    ((8, 32, 64, 64), (64, 32, 3, 3), {}),
    ((8, 32, 64, 64), (64, 32, 3, 3), {"stride": 2}),
    ((4, 64, 56, 56), (64, 1, 3, 3), {"groups": 64}),
    ((4, 64, 28, 28), (128, 64, 1, 1), {}),
    ((1, 16, 64, 64), (16, 16, 7, 7), {}),
    ((4, 64, 16, 16), (64, 64, 3, 3), {}),
    ((2, 8, 256, 256), (3, 8, 5, 5), {}),
    ((8, 64, 32, 32), (64, 32, 3, 3), {"upsample": 2}),
    ((2, 16, 64, 64), (16, 16, 4, 4), {"upsample": 2}),
)


def operands(row, library):
    random = np.random.default_rng(0)
    arrays = ((9 * random.standard_normal(shape)).astype(row.dtype) for shape in (row.x, row.kernel))
    return [libraries.array(library, ARRAYS[library].device, array, row.dtype) for array in arrays]


def called(row, x, kernel, method):
    if "groups" in row.options:
        if "upsample" in row.options:
            return arrayconv.einconv(TRANSPOSED, x, kernel, method=method, **TRANSPOSING, **_options(row))
        return arrayconv.nn.conv2d(x, kernel, padding=1, method=method, **row.options)
    return arrayconv.convolve(x, kernel, "same", method=method, **row.options)


def _options(row):
    """Return the options of a row of channels that a pattern leaves open."""
    return {name: value for name, value in row.options.items() if name != "groups"}


def explained(row, x, kernel):
    """Return the explanation of a row."""
    if "groups" not in row.options:
        return arrayconv.explain(x, kernel, "same", **row.options)
    if "upsample" in row.options:
        return arrayconv.explain(x, kernel, pattern=TRANSPOSED, **TRANSPOSING, **_options(row))
    sizes = {"g": row.options["groups"]}
    return arrayconv.explain(x, kernel, pattern=PATTERN, sizes=sizes, padding=1, **_options(row))


def measure(library, context, say=print):
    """Return the nanoseconds of every method on every problem, by label."""
    ARRAYS[library].prepare()
    finish = wait if library == "jax" else None
    times = {}
    for row in grid():
        x, kernel = operands(row, library)
        with context():
            candidates = explained(row, x, kernel).candidates
        methods = [c.name for c in candidates if c.refusal is None and c.cost_ns <= SLOW_NS]
        calls = {m: Timed(lambda m=m, row=row, x=x, kernel=kernel: called(row, x, kernel, m), context) for m in methods}
        times[row.label] = interleaved(calls, SECONDS, finish)
        say(f"{row.label}: {min(times[row.label], key=times[row.label].get)}")
    return times


def ranked(result):
    """Yield (label, times, arguments of `rank`) of a result of `measure`, `run` or `doors`."""
    if "rows" in result:
        yield from cases(result)
        return
    library = result["library"]
    ARRAYS[library].prepare()
    for row in grid():
        times = result["times"].get(row.label)
        if times:
            with pure() if result["pure"] else nullcontext():
                _, calls = noted(partial(explained, row), *operands(row, library))
            yield row.label, times, calls[-1][0]


def predictions(arguments, methods):
    """Return the nanoseconds that the active tables predict."""
    spec, traits, budget, zero_fill = arguments
    rows = rank.rank(spec, traits, budget, zero_fill)
    return {row.name: row.cost_ns for row in rows if row.name in methods}


def loss(rows, tables):
    """Return how far predictions are from the measured times, and the labels of choices that are not close."""
    total, far = 0.0, []
    for label, times, arguments in rows:
        least = min(times.values())
        near = [name for name, took in times.items() if took <= NEAR * least]
        with cost_table.using_tables(tables):
            predicted = predictions(arguments, near)
        lost = times[min(predicted, key=predicted.get)] / least
        total += 3 * min(math.log(lost), 2) + 0.5 * (lost > CLOSE)
        weight = 0.12 if len(times) > 1 else 0.25  # a time without others says nothing about the choice
        total += sum(weight * math.log(max(predicted[name], 1) / times[name]) ** 2 for name in near)
        if lost > CLOSE:
            far.append(f"{label}: {lost:.2f} x the fastest")
    return total / len(rows), far


def fitted(rows, names, say=print):
    """Return the tables with the named rows improved, a constant at a time."""
    shipped = cost_table.shipped()
    value, far = loss(rows, shipped)
    say(f"at first {value:.3f}, {len(far)} of {len(rows)} not close")
    for step in STEPS:
        before = math.inf
        while value < before - 1e-3:
            before = value
            for name in names:
                table = shipped.primitive_costs if name in shipped.primitive_costs else shipped.method_costs
                for field in table[name]._fields:
                    value = _improved(rows, shipped, table, name, field, step, value)
        say(f"steps of {step}: {value:.3f}")
    return shipped


def _improved(rows, tables, table, name, field, step, value):
    for factor in (step, 1 / step):
        old = table[name]
        table[name] = old._replace(**{field: max(1, round(getattr(old, field) * factor))})
        changed, _ = loss(rows, tables) if table[name] != old else (value, None)
        if changed < value - 1e-4:
            return changed
        table[name] = old
    return value


def fitted_calls(results):
    """Return {row: CallCost} by the times of whole functions around their convolutions, by the shipped table's methods.

    Small calls alone: of large ones the error of the convolutions exceeds what is around them. Constants of array
    operations stay.
    """
    rows = [one for result in results for one in around(result) if one.took_ns < SMALL_NS]
    shipped, fitted = cost_table.shipped().call_costs, {}
    for name in shipped:
        own = [one for one in rows if name in (one.library, f"{one.library}/{one.module}")]
        own = [one for one in own if "/" in name or f"{one.library}/{one.module}" not in shipped]
        plain = [one.ns for one in own if one.convolutions == 1 and not one.gradients]
        if not plain:
            continue
        call = max(1, round(median(plain)))
        passes = [(one.ns - call) / (one.convolutions - 1) for one in own if one.convolutions > 1 and not one.gradients]
        nodes = [(one.ns - call) / one.gradients for one in own if one.convolutions == 1 and one.gradients]
        fitted[name] = shipped[name]._replace(
            call_ns=call,
            **({"pass_ns": max(1, round(median(passes)))} if passes else {}),
            **({"gradient_ns": max(1, round(median(nodes)))} if nodes else {}),
        )
    return fitted


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    timing = commands.add_parser("measure", help="time every method over the grid")
    timing.add_argument("library", choices=("numpy", "torch", "jax"))
    timing.add_argument("--pure", action="store_true", help="NumPy with SciPy's transforms alone")
    timing.add_argument("--json", type=Path, required=True, help="where to write the times")
    fitting = commands.add_parser("constants", help="fit rows of the tables to times")
    fitting.add_argument("times", type=Path, nargs="+")
    fitting.add_argument("--rows", default="", help="the rows to change, by comma; without, the choices are judged")
    calling = commands.add_parser("calls", help="fit what is around convolutions to the times of whole functions")
    calling.add_argument("times", type=Path, nargs="+")
    options = parser.parse_args()
    if options.command == "measure":
        times = measure(options.library, pure if options.pure else nullcontext)
        result = {"library": options.library, "pure": options.pure, "times": times}
        options.json.write_text(json.dumps(result, indent=1) + "\n")
        return
    if options.command == "calls":
        for name, row in fitted_calls(json.loads(path.read_text()) for path in options.times).items():
            print(f'    "{name}": {row},')
        return
    rows = [row for path in options.times for row in ranked(json.loads(path.read_text()))]
    names = [name for name in options.rows.split(",") if name]
    tables = fitted(rows, names)
    for name in names:
        print(f'    "{name}": {({**tables.primitive_costs, **tables.method_costs})[name]},')
    _, far = loss(rows, tables)
    print(f"{len(rows) - len(far)} of {len(rows)} choices are within {CLOSE} x of the fastest method")
    print("\n".join(far))


if __name__ == "__main__":
    main()
