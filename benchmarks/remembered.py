"""The overhead of a bound call, by method, door and library, in microseconds.

    python -m benchmarks.remembered [--library numpy] [--methods auto fft] [--doors convolve out=] [--json FILE]
    python -m benchmarks.remembered --methods auto --doors nn.conv2d --profile

Every call is of the smallest problem that has all parts, 8 samples by 3 taps or 4 x 4 by 3 x 3, so that there is next
to nothing to add up: a hundred multiply-adds take less than a tenth of a microsecond. Each has two figures.

The way: the call without its method, from the door to the method and back. A clock runs inside the call,
around the method's work on the kernel and on x; the shortest difference of many calls counts. Only for libraries
whose calls run the methods each time.

The call: its shortest time without the library's own floor, a new array for the result and one function of arrays that
writes there, measured in the same rounds. It includes what a method does at any size, such as a band of a matrix, or a
product for every output: no cost of the door, but of the user's call.

'-' marks a problem that a method refuses, and a method that callers of a door can't choose. Below the methods are the
functions that users would call instead, without the floor too.
"""

import argparse
import cProfile
import pstats
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from time import perf_counter_ns

import numpy as np
from rich.console import Console
from rich.table import Table

import arrayconv
from arrayconv import config, ndimage, nn, signal
from arrayconv._calls.timing import wait
from arrayconv._plan.rank import METHODS, TABLE
from benchmarks import files, provenance
from benchmarks.timing import Timed, interleaved

LIBRARIES = ("numpy", "torch", "jax")
EAGER = ("numpy", "torch")  # whose calls run the methods each time
SECONDS = 2.0
WARM_NS = 10**6  # of calls before each turn: these never wake a thread
FLOOR = "floor"
TURNS = 4  # of each call: what disturbs the machine passes
PROFILED = 5000  # calls
SHOWN = 25  # functions
WIDE = 400  # columns of text: no name is cut short


def arrays(library):
    """Return {role: operand} as a library's arrays."""
    random = np.random.default_rng(0)
    shapes = {"line": 8, "taps": 3, "plane": (4, 4), "stencil": (3, 3), "images": (1, 1, 4, 4), "filters": (1, 1, 3, 3)}
    shapes["bias"] = (1,)
    hosts = {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    convert = {"numpy": "numpy", "torch": "torch", "jax": "jax.numpy"}[library]
    return {name: import_module(convert).asarray(host) for name, host in hosts.items()}


def doors(library):
    """Return door -> (method -> call); None instead of a call where the door has no such option."""
    a = arrays(library)
    line, taps, plane, stencil = a["line"], a["taps"], a["plane"], a["stencil"]

    def convolver(method):
        return partial(arrayconv.Convolver(stencil, "same", method=method), plane)

    makers = {
        "convolve 1-D": lambda method: partial(arrayconv.convolve, line, taps, "same", method=method),
        "convolve": lambda method: partial(arrayconv.convolve, plane, stencil, "same", method=method),
        "correlate": lambda method: partial(arrayconv.correlate, plane, stencil, "same", method=method),
        "einconv": lambda method: partial(
            arrayconv.einconv, "h w, h w -> h w | h w", plane, stencil, padding="same", method=method
        ),
        "Convolver": convolver,
        "nn.conv2d": lambda method: partial(nn.conv2d, a["images"], a["filters"], padding=1, method=method),
        "signal.convolve": lambda method: (
            None if method != "auto" else partial(signal.convolve, plane, stencil, "same")
        ),
        "ndimage.correlate": lambda method: None if method != "auto" else partial(ndimage.correlate, plane, stencil),
        "nn.conv2d bias": lambda method: partial(
            nn.conv2d, a["images"], a["filters"], a["bias"], padding=1, method=method
        ),
        "vjp": lambda method: partial(arrayconv.vjp, arrayconv.convolve, plane, stencil, "same", method=method),
    }
    fixed = signal_calls(line, taps, plane, stencil)
    makers |= {door: lambda method, call=call: None if method != "auto" else call for door, call in fixed.items()}
    if library != "jax":  # whose arrays are immutable
        out = arrays(library)["plane"]
        makers["out="] = lambda method: partial(arrayconv.convolve, plane, stencil, "same", method=method, out=out)
        makers["Convolver out="] = lambda method: partial(convolver(method), out=out)
        makers["ndimage output="] = lambda method: (
            None if method != "auto" else partial(ndimage.correlate, plane, stencil, out)
        )
    return makers


def signal_calls(line, taps, plane, stencil):
    """Return door -> call, of functions that choose the method themselves."""
    return {
        "signal.convolve 1-D": partial(signal.convolve, line, taps),
        "signal.convolve2d": partial(signal.convolve2d, plane, stencil, "same"),
        "signal.fftconvolve": partial(signal.fftconvolve, line, taps),
        "signal.upfirdn": partial(signal.upfirdn, taps, line, 3, 2),
        "signal.choose_conv_method": partial(signal.choose_conv_method, line, taps),
    }


def peers(library):
    """Return (name, door that it replaces) -> call, of what users would call instead."""
    a = arrays(library)
    if library == "numpy":
        import scipy.ndimage
        import scipy.signal

        out, own = a["plane"].copy(), signal_calls(a["line"], a["taps"], a["plane"], a["stencil"])
        theirs = {
            ("SciPy", door): partial(getattr(scipy.signal, call.func.__name__), *call.args)
            for door, call in own.items()
        }
        return theirs | {
            ("SciPy", "ndimage output="): partial(scipy.ndimage.correlate, a["plane"], a["stencil"], out),
            ("numpy.convolve", "convolve 1-D"): partial(np.convolve, a["line"], a["taps"], "same"),
            ("SciPy", "signal.convolve"): partial(scipy.signal.convolve, a["plane"], a["stencil"], "same"),
            ("SciPy", "ndimage.correlate"): partial(scipy.ndimage.correlate, a["plane"], a["stencil"]),
        }
    if library == "torch":
        conv2d = import_module("torch").nn.functional.conv2d
        return {
            ("torch", "nn.conv2d"): partial(conv2d, a["images"], a["filters"], padding=1),
            ("torch", "nn.conv2d bias"): partial(conv2d, a["images"], a["filters"], a["bias"], padding=1),
        }
    jnp = import_module("jax.numpy")
    return {("jax.numpy", "convolve 1-D"): partial(jnp.convolve, a["line"], a["taps"], "same")}


def floor(library):
    """Return the least that any function of arrays does: memory for the result, and one function that writes there."""
    plane, xp = arrays(library)["plane"], import_module("jax.numpy" if library == "jax" else library)
    if library == "jax":
        return lambda: xp.add(plane, plane)
    return lambda: xp.add(plane, plane, out=xp.empty(plane.shape, dtype=plane.dtype))


def calls(library, methods=METHODS, only=()):
    """Return (method, door) -> a bound call, without those that are refused."""
    bound = {(FLOOR, FLOOR): floor(library)}
    for door, make in doors(library).items():
        for method in methods if not only or door in only else ():
            try:
                call = make(method)
                if call is not None:
                    wait(call()), wait(call())
                    bound[method, door] = call
            except NotImplementedError:
                continue
    return bound | {key: call for key, call in peers(library).items() if not only or key[1] in only}


class Clock:
    """Nanoseconds that methods took since it was last set to 0."""

    def __init__(self):
        self.spent = 0

    def around(self, function):
        """Return a method's function with the clock around it; None for none."""
        if function is None:
            return None

        def run(*args):
            start = perf_counter_ns()
            try:
                return function(*args)
            finally:
                self.spent += perf_counter_ns() - start

        return run

    def around_method(self, algorithm):
        """Return a method that is timed once it is bound."""
        preparation = algorithm.preparation

        def bind(spec, context):
            return type(bound := algorithm.bind(spec, context))(*map(self.around, bound))

        def prepare(spec, context):
            return self.around(preparation.bind(spec, context))

        return replace(algorithm, bind=bind, preparation=preparation._replace(bind=prepare))


@contextmanager
def clocked():
    """Bind calls whose methods are timed by the clock that is yielded."""
    clock, methods = Clock(), dict(TABLE)
    config.cache_clear()
    TABLE.update({name: clock.around_method(algorithm) for name, algorithm in methods.items()})
    try:
        yield clock
    finally:
        TABLE.update(methods)
        config.cache_clear()


def ways(library, seconds, methods=METHODS, only=()):
    """Return (method, door) -> the nanoseconds of a call outside its method."""
    least = {}
    with clocked() as clock:
        bound = calls(library, methods, only)
        per_turn = seconds * 1e9 / TURNS / len(bound)
        for _ in range(TURNS):
            for key, call in bound.items():
                begun = now = perf_counter_ns()
                while now - begun < per_turn:
                    clock.spent, start = 0, perf_counter_ns()
                    call()
                    now = perf_counter_ns()
                    if clock.spent:  # 0 for a peer, and for the floor
                        least[key] = min(least.get(key, now), now - start - clock.spent)
    return least


def measured(library, seconds, methods=METHODS, only=()):
    """Return method -> door -> microseconds (of the way, None for a peer, and of the call), and the floor."""
    way = ways(library, seconds, methods, only) if library in EAGER else {}
    timed = {key: Timed(call) for key, call in calls(library, methods, only).items()}
    best = interleaved(timed, seconds, finish=wait, warm_ns=WARM_NS)
    least = best.pop((FLOOR, FLOOR))
    rows = {}
    for key, took in best.items():
        method, door = key
        rows.setdefault(method, {})[door] = way[key] / 1000 if key in way else None, (took - least) / 1000
    return rows, least / 1000


def shown(library, rows, least):
    """Print the table of one library."""
    title = f"{library}: microseconds of the way / of the call without {least:.2f} of the floor"
    table = Table(title=title, title_justify="left")
    columns = [door for door in doors(library) if any(door in row for row in rows.values())]
    table.add_column("method", no_wrap=True)
    for door in columns:
        table.add_column(door, justify="right", no_wrap=True)
    for method, row in rows.items():
        table.add_row(method, *(cell(*row[door]) if door in row else "-" for door in columns))
    Console(width=WIDE).print(table)


def cell(way, call):
    """Return both figures of a call as text, the one where there is no other."""
    return f"{call:.1f}" if way is None else f"{way:.1f} / {call:.1f}"


def profile(key, call):
    """Print where the time of many calls goes, by each function's own time."""
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(PROFILED):
        call()
    profiler.disable()
    print(f"{' by '.join(reversed(key))}: {PROFILED} calls")
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(SHOWN)


def main(argv=None):
    every = tuple(doors("numpy"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", action="append", choices=LIBRARIES, help="may be repeated (default: numpy, torch)")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS, metavar="METHOD")
    parser.add_argument("--doors", nargs="+", default=(), choices=every, metavar="DOOR")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of rounds, each library (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    parser.add_argument("--profile", action="store_true", help="profile the calls instead")
    options = parser.parse_args(argv)
    tables, run = {}, provenance.Run(LIBRARIES)
    for library in options.library or LIBRARIES[:2]:
        if options.profile:
            for key, call in calls(library, options.methods, options.doors).items():
                profile(key, call)
            continue
        rows, least = measured(library, options.seconds, options.methods, options.doors)
        shown(library, rows, least)
        tables[library] = {"floor": least, "methods": rows}
    if options.json is not None:
        files.write(options.json, run.result(libraries=tables))


if __name__ == "__main__":
    main()
