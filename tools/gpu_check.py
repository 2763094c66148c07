"""One command for a machine with a GPU: does arrayconv compute there what it computes elsewhere, and how fast?

    python tools/gpu_check.py --out DIR

Runs a table of cases on CuPy and on torch's CUDA device, compares each with the definition evaluated by NumPy on the
host (itself compared with SciPy where SciPy has the operation), runs the conformance suite, and times a few sizes.
Errors are measured against computed bounds, never a fixed tolerance:

    direct methods   |y - exact| <= (n + 2) eps (|x| * |w|), element by element
    transforms       ||y - exact||_2 <= 4 eps log2(points) ||x||_2 ||w||_2
    integers         equal

Each phase is a process of its own with a deadline, and every result is written the moment it is known, so that a crash
or a hang costs one phase. DIR gets report.md, results.json, env.txt, results.jsonl (as written) and log.txt.

Exit status: 0 all passed, 1 some failed or did not finish, 3 no GPU (nothing was checked), 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import importlib.util
import itertools
import json
import math
import operator
import os
import platform
import re
import signal as signals
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = ("cupy", "torch")
# Phase -> its share of the time that is left when it starts; what one does not use the next ones get.
PHASES = {"status": 0.2, "smoke": 0.2, "correctness": 0.5, "conformance": 0.7, "timing": 1.0}
NO_GPU = 3
ENVIRONMENT = {
    "CUPY_TF32": "0",
    "NVIDIA_TF32_OVERRIDE": "0",
    "PYTHONUNBUFFERED": "1",
    "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
}
METHODS = ("auto", "direct", "im2col", "banded", "dot", "fft", "overlap_save")  # and none that serves NumPy alone
BOUNDARIES = ("constant", "edge", "symmetric", "reflect", "wrap")
NDIMAGE = {"constant": "constant", "edge": "nearest", "symmetric": "reflect", "reflect": "mirror", "wrap": "wrap"}
DTYPES = ("float16", "float32", "float64", "complex64", "complex128")
DTYPES += tuple(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
FEW = ("float32", "complex64", "int64")
EPS = {"float16": 2.0**-10, "float32": 2.0**-23, "complex64": 2.0**-23, "float64": 2.0**-52, "complex128": 2.0**-52}


# ---- the case table ----


@dataclass(frozen=True)
class Case:
    """A call: shapes and options, and the dtypes it is made in."""

    name: str
    x: tuple[int, ...]
    kernel: tuple[int, ...]
    options: dict[str, Any]
    function: str = "convolve"
    dtypes: tuple[str, ...] = FEW


def cases() -> list[Case]:
    """Return the table; every row is run by 'auto' and by each method."""
    both = ("convolve", "correlate")
    rows = [
        Case(f"{function} {mode} {'x'.join(map(str, shape))} by {k[0]}", shape, k, {"mode": mode}, function)
        for function, mode in itertools.product(both, ("full", "same", "valid"))
        for shape, k in [((50,), (7,)), ((50,), (6,)), ((17, 23), (4, 3))]
    ]
    rows += [  # the second kernel is wider than the data: the extension repeats
        Case(f"{boundary} {n} by {k}", (n,), (k,), {"mode": mode, "boundary": boundary, **_fill(boundary)})
        for boundary, (n, k, mode) in itertools.product(BOUNDARIES, [(33, 5, "same"), (4, 15, "full")])
    ]
    rows += [
        Case(f"{boundary} 2-d", (19, 14), (5, 3), {"mode": "same", "boundary": boundary}) for boundary in BOUNDARIES
    ]
    rows += [
        Case("every dtype 1-d", (301,), (9,), {"mode": "same"}, dtypes=DTYPES),
        Case("every dtype 2-d", (40, 31), (5, 4), {"mode": "full", "boundary": "reflect"}, dtypes=DTYPES),
        Case("every dtype long", (3000,), (129,), {"mode": "same"}, dtypes=DTYPES),
        Case("boundary per axis", (12, 15), (5, 5), {"mode": "same", "boundary": ("reflect", "wrap")}),
        Case("stride 2", (41,), (5,), {"stride": 2}, dtypes=DTYPES),
        Case("stride 3 2-d", (20, 25), (3, 5), {"mode": "valid", "stride": (3, 2)}),
        Case("dilation 3", (60,), (4,), {"mode": "same", "dilation": 3}),
        Case(
            "stride and dilation",
            (33, 29),
            (3, 4),
            {"mode": "same", "stride": 2, "dilation": (2, 3), "boundary": "edge"},
        ),
        Case("lags pair", (50,), (9,), {"lags": (-3, 20)}, "correlate"),
        Case("lags radius 2-d", (14, 18), (5, 6), {"lags": (2, (0, 7)), "boundary": "wrap"}, "correlate"),
        Case("batch", (3, 2, 64), (5,), {"axes": -1, "mode": "same"}),
        Case("first axis", (64, 5), (7,), {"axes": 0, "mode": "same", "boundary": "symmetric"}),
        Case("kernel per row", (4, 50), (4, 6), {"axes": 1}),
        Case("filters", (1, 50), (4, 6), {"axes": 1}),
        Case("channels last", (20, 21, 3), (5, 5), {"axes": (0, 1), "mode": "same", "boundary": "reflect"}),
        Case("3-d", (9, 10, 11), (3, 2, 3), {"mode": "same", "boundary": "wrap"}),
        Case("4-d", (5, 6, 4, 7), (2, 3, 2, 3), {"mode": "full"}),
        Case(
            "large 2-d", (257, 301), (31, 29), {"mode": "same", "boundary": "symmetric"}, dtypes=("float32", "float64")
        ),
    ]
    return rows


def _fill(boundary: str) -> dict[str, Any]:
    return {"fill_value": 3} if boundary == "constant" else {}


def data(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
    """Return random values: the whole range of an integer dtype, so that sums wrap; -1 to 1 otherwise."""
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        info = np.iinfo(kind)
        return rng.integers(info.min, info.max, shape, dtype=kind, endpoint=True)
    values = rng.uniform(-1, 1, shape)
    return (values + 1j * rng.uniform(-1, 1, shape) if kind.kind == "c" else values).astype(kind)


# ---- the definition, on the host ----


class Window(NamedTuple):
    """What the outputs of one axis read: tap t of output p is sample stride*p + dilation*t - before of x."""

    before: int
    outputs: int
    stride: int
    dilation: int
    taps: int


class Exact(NamedTuple):
    """The answer in float64 or in wrapping integers, and what its error bounds are made of."""

    value: np.ndarray
    spread: np.ndarray  # |x| * |w|
    terms: int
    norm: float  # ||x||_2 ||w||_2, x extended
    points: int


def exact(case: Case, x: np.ndarray, kernel: np.ndarray) -> Exact:
    """Return the answer to a case by the definition."""
    if x.dtype.kind in "iu":
        return Exact(definition(case, x, kernel)[0], np.zeros(()), 0, 0.0, 0)
    wide = [a.astype(np.complex128 if a.dtype.kind == "c" else np.float64) for a in (x, kernel)]
    value, extended = definition(case, *wide)
    spread, _ = definition(case, *map(np.abs, wide))
    norm = float(np.linalg.norm(extended) * np.linalg.norm(kernel))
    return Exact(value, spread, kernel.size, norm, extended.size + kernel.size)


def definition(case: Case, x: np.ndarray, kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the answer tap by tap, and x extended as the answer reads it."""
    axes = case.options.get("axes")
    space = list(range(x.ndim)) if axes is None else [a % x.ndim for a in np.atleast_1d(axes).tolist()]
    if kernel.ndim != x.ndim:
        kernel = kernel.reshape([kernel.shape[space.index(a)] if a in space else 1 for a in range(x.ndim)])
    kernel = np.conj(kernel) if case.function == "correlate" else np.flip(kernel, space)
    windows = [_window(case, x.shape[a], kernel.shape[a], i, len(space)) for i, a in enumerate(space)]
    for i, axis in enumerate(space):
        x = _extended(x, axis, windows[i], _at(case.options.get("boundary", "constant"), i), case)
    total: Any = 0
    for taps in itertools.product(*(range(window.taps) for window in windows)):
        read, tap = [slice(None)] * x.ndim, [slice(None)] * x.ndim
        for axis, t, window in zip(space, taps, windows, strict=True):
            first = t * window.dilation
            read[axis] = slice(first, first + window.stride * (window.outputs - 1) + 1, window.stride)
            tap[axis] = slice(t, t + 1)
        total = total + x[tuple(read)] * kernel[tuple(tap)]
    return total, x


def _at(option: Any, axis: int) -> Any:
    return option[axis] if isinstance(option, tuple) else option


def _window(case: Case, n: int, k: int, axis: int, count: int) -> Window:
    stride, dilation = (_at(case.options.get(name, 1), axis) for name in ("stride", "dilation"))
    reach = dilation * (k - 1) + 1
    lags = case.options.get("lags")
    if lags is not None:
        own = lags if count == 1 else lags[axis]
        first, last = own if isinstance(own, tuple) else (-own, own)
        return Window(-first, last - first + 1, 1, dilation, k)
    mode = case.options.get("mode", "full")
    # 'same' starts at sample (reach - 1) // 2 of 'full' for convolve, at lag -(reach // 2) for correlate
    centred = reach - 1 - (reach - 1) // 2 if case.function == "convolve" else reach // 2
    before = {"full": reach - 1, "same": centred, "valid": 0}[mode]
    outputs = {"full": n + reach - 1, "same": n, "valid": n - reach + 1}[mode]
    return Window(before, -(-outputs // stride), stride, dilation, k)


def _extended(x: np.ndarray, axis: int, window: Window, boundary: str, case: Case) -> np.ndarray:
    """Return the samples of x that the outputs read, beyond its ends by numpy.pad."""
    last = window.stride * (window.outputs - 1) + window.dilation * (window.taps - 1) - window.before
    pads = [(0, 0)] * x.ndim
    pads[axis] = max(window.before, 0), max(last + 1 - x.shape[axis], 0)
    options = {"constant_values": case.options.get("fill_value", 0)} if boundary == "constant" else {}
    first = max(-window.before, 0)
    wide = np.pad(x, pads, mode=boundary, **options)
    return np.take(wide, range(first, first + last + window.before + 1), axis=axis)


def scipy_answer(case: Case, x: np.ndarray, kernel: np.ndarray) -> np.ndarray | None:
    """Return SciPy's answer in float64, or None where SciPy has no such operation."""
    ndimage, signal = importlib.import_module("scipy.ndimage"), importlib.import_module("scipy.signal")
    options = case.options
    if kernel.ndim != x.ndim or x.dtype.kind not in "f" or set(options) - {"mode", "boundary"}:
        return None
    boundary, mode = options.get("boundary", "constant"), options["mode"]
    x, kernel = x.astype(np.float64), kernel.astype(np.float64)
    if boundary == "constant" and (case.function == "convolve" or mode != "same"):
        return getattr(signal, case.function)(x, kernel, mode, "direct")
    if mode == "same" and all(k % 2 for k in kernel.shape):
        names = [NDIMAGE[_at(boundary, i)] for i in range(x.ndim)]
        return getattr(ndimage, case.function)(x, kernel, mode=names[0]) if len(set(names)) == 1 else None
    return None


# ---- a library on its device ----


class Machine:
    """One library on one device: arrays in, arrays out, and waiting for them."""

    def __init__(self, library: str, rehearse: bool):
        self.library, self.rehearse = library, rehearse
        self.name = {"cupy": "numpy"}.get(library, library) if rehearse else library
        self.module: Any = importlib.import_module(self.name)
        if self.name == "torch":
            if rehearse:
                self.module.set_num_threads(1)  # several threads wait long for a core that something else holds
            self.module.backends.cudnn.allow_tf32 = self.module.backends.cuda.matmul.allow_tf32 = False
        self.device = "cpu" if rehearse else "cuda:0"

    def array(self, values: np.ndarray) -> Any:
        if self.name == "torch":
            return self.module.asarray(values.copy()).to(self.device)
        return self.module.asarray(values)

    def host(self, x: Any) -> np.ndarray:
        if self.name == "torch":
            return x.detach().cpu().resolve_conj().numpy()
        return x.get() if self.name == "cupy" else np.asarray(x)

    def wait(self) -> None:
        if self.name == "cupy":
            self.module.cuda.get_current_stream().synchronize()
        elif self.name == "torch" and not self.rehearse:
            self.module.cuda.synchronize()

    def stranger(self, values: np.ndarray) -> Any:
        """Return an array of another library."""
        return values if self.name != "numpy" else importlib.import_module("torch").asarray(values.copy())


def why_unusable(library: str, rehearse: bool) -> str:
    """Return '' where the library computes on its device, else the reason."""
    try:
        machine = Machine(library, rehearse)
        if machine.name == "torch" and not rehearse and not machine.module.cuda.is_available():
            return "no GPU: torch.cuda.is_available() is False"
        x = machine.array(np.arange(4, dtype=np.float32))
        total = float((x * x + 1).sum())
        return "" if total == 18.0 else f"a small sum came out as {total} instead of 18"
    except Exception as error:  # whatever a missing driver, card, header or package raises
        return f"no GPU: {_line(error)}" if type(error).__name__ == "CUDARuntimeError" else _line(error)


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:400]


# ---- the phases, each in a process of its own ----

Record = Callable[..., None]


def smoke(machine: Machine, record: Record, only: str) -> None:
    """Make one call and look at what came back."""
    x, kernel = (machine.array(np.asarray(v, dtype=np.float32)) for v in ([1, 2, 3, 4, 5], [1, 10]))
    y = arrayconv().convolve(x, kernel, "same")
    message = _foreign(machine, x, y) or ("" if machine.host(y).tolist() == [1, 12, 23, 34, 45] else f"got {y}")
    record(case="smoke", outcome="failed" if message else "ok", message=message)


def correctness(machine: Machine, record: Record, only: str) -> None:
    """Run the case table, then what no table holds."""
    for case in filter(lambda case: only in case.name, cases()):
        for dtype in case.dtypes:
            _run_case(machine, record, case, dtype)
    for check in (_containment, _large_values, _out, _refusals):
        if only in check.__name__.strip("_"):
            guarded(record, check.__name__.strip("_"), lambda check=check: check(machine, record))


def guarded(record: Record, case: str, call: Callable[[], None], **labels: Any) -> None:
    """Record what a call raises, so that the next one still runs."""
    try:
        call()
    except Exception as error:
        record(case=case, outcome="failed", message=_line(error), **labels)


def _run_case(machine: Machine, record: Record, case: Case, dtype: str) -> None:
    x, kernel = data(case.x, dtype, 1), data(case.kernel, dtype, 2)
    answer = exact(case, x, kernel)
    scipy = scipy_answer(case, x, kernel)
    if scipy is not None:  # the definition here must be SciPy's, or it proves nothing
        apart = far(scipy, answer, np.dtype("float64"), normwise=False)
        judge(record, apart, case=case.name, dtype=dtype, method="scipy")
    for method in METHODS:
        labels = {"dtype": dtype, "method": method}
        call = functools.partial(_run_method, machine, record, case, x, kernel, answer, labels)
        guarded(record, case.name, call, **labels)


def _run_method(
    machine: Machine, record: Record, case: Case, x: np.ndarray, kernel: np.ndarray, answer: Exact, labels: Any
) -> None:
    there, taps = machine.array(x), machine.array(kernel)
    method = labels["method"]
    try:
        y = getattr(arrayconv(), case.function)(there, taps, method=method, **case.options)
    except NotImplementedError as refusal:
        listed = {row.name: row.refusal for row in arrayconv().explain(there, taps, **case.options).candidates}
        expected = method != "auto" and listed.get(method) is not None
        record(case=case.name, outcome="refused" if expected else "failed", message=str(refusal)[:300], **labels)
        return
    wrong = _foreign(machine, there, y) or _differs_in_kind(machine.host(y), answer, x.dtype)
    normwise = is_normwise(there, taps, method, case.options)
    ratio = math.inf if wrong else far(machine.host(y), answer, x.dtype, normwise)
    judge(record, ratio, wrong, case=case.name, **labels)


def judge(record: Record, ratio: float, wrong: str = "", **labels: Any) -> None:
    """Record an answer whose error is `ratio` times its bound, or what else is wrong with it."""
    failed = bool(wrong) or not ratio <= 1
    excess = "not equal" if math.isinf(ratio) else f"error is {ratio:.3g} times its bound"
    record(outcome="failed" if failed else "ok", ratio=ratio, message=wrong or excess * failed, **labels)


def _foreign(machine: Machine, x: Any, y: Any) -> str:
    """Return what is wrong with the type or the device of an answer, '' if nothing."""
    if type(y) is not type(x):
        return f"a {type(x).__name__} gave a {type(y).__name__}"
    places = [str(getattr(array, "device", "cpu")) for array in (x, y)]
    return "" if places[0] == places[1] else f"moved from {places[0]} to {places[1]}"


def _differs_in_kind(y: np.ndarray, answer: Exact, dtype: np.dtype) -> str:
    if y.shape != answer.value.shape:
        return f"shape {y.shape}, but should be {answer.value.shape}"
    return "" if y.dtype == dtype else f"dtype {y.dtype}, but should be {dtype}"


def is_normwise(x: Any, kernel: Any, method: str, options: dict[str, Any]) -> bool:
    """Whether the method that runs bounds its error by norm only: then asking for more refuses it."""
    taken = arrayconv().explain(x, kernel, method=method, **options).method
    try:
        arrayconv().explain(x, kernel, method=taken, accuracy="componentwise", **options)
    except NotImplementedError:
        return True
    return False


def far(y: np.ndarray, answer: Exact, dtype: np.dtype, normwise: bool) -> float:
    """Return the largest error as a multiple of its bound; infinite where integers differ."""
    if dtype.kind in "iu":
        return 0.0 if np.array_equal(y, answer.value) else math.inf
    error = np.abs(y.astype(answer.value.dtype) - answer.value)
    if not np.all(np.isfinite(error)):
        return math.inf
    eps = EPS["float32" if dtype.name == "float16" else dtype.name]
    rounding = EPS["float16"] * np.abs(answer.value) if dtype.name == "float16" else np.zeros(())
    tiny = float(np.finfo(dtype).tiny) * (answer.terms + 1)
    if normwise:
        allowed = 4 * eps * (math.log2(answer.points) + 1) * answer.norm + np.linalg.norm(rounding) + tiny * error.size
        return float(np.linalg.norm(error) / allowed)
    parts = 2 if dtype.kind == "c" else 1  # a complex product is two products and a sum in each part
    allowed = parts * (answer.terms + 2) * eps * answer.spread + rounding + tiny
    return float(np.max(error / allowed, initial=0))


def _containment(machine: Machine, record: Record) -> None:
    """NaN and infinity spoil the outputs whose window holds them, and no others."""
    for size, method in itertools.product((3, 21), METHODS):
        case = Case(
            f"NaN and infinity, {size} x {size}", (70, 61), (size, size), {"mode": "same", "boundary": "reflect"}
        )
        clean, kernel = data(case.x, "float32", 3), data(case.kernel, "float32", 4)
        bad = np.zeros(case.x, dtype=bool)
        bad[5, 7] = bad[40, 30] = True
        clean[bad] = 0
        answer = exact(case, clean, kernel)
        spoiled = definition(case, bad.astype(float), np.ones(case.kernel))[0] > 0
        x = clean.copy()
        x[5, 7], x[40, 30] = np.nan, np.inf
        there, taps = machine.array(x), machine.array(kernel)
        y = machine.host(arrayconv().convolve(there, taps, method=method, **case.options))
        wrong = int(np.sum(np.isfinite(y) == spoiled))
        y = np.where(spoiled, answer.value.astype(y.dtype), y)
        ratio = math.inf if wrong else far(y, answer, x.dtype, is_normwise(there, taps, method, case.options))
        message = f"{wrong} outputs are spoiled that should not be, or the reverse" if wrong else ""
        judge(record, ratio, message, case=case.name, dtype="float32", method=method)


def _large_values(machine: Machine, record: Record) -> None:
    """Data near the end of the range must not overflow where the sum does not."""
    for size, method in itertools.product((3, 21), METHODS):
        case = Case(f"1e36, {size} x {size}", (64, 64), (size, size), {"mode": "same", "boundary": "wrap"})
        x, kernel = data(case.x, "float32", 5) * np.float32(1e36), data(case.kernel, "float32", 6)
        labels = {"dtype": "float32", "method": method}
        _run_method(machine, record, case, x, kernel, exact(case, x, kernel), labels)


def _out(machine: Machine, record: Record) -> None:
    """`out` is written and returned, also where it is x itself."""
    case = Case("out", (40, 31), (5, 5), {"mode": "same", "boundary": "edge"})
    x, kernel = data(case.x, "float32", 7), data(case.kernel, "float32", 8)
    answer = exact(case, x, kernel)
    for name in ("out of its own", "out is x"):
        there, taps = machine.array(x), machine.array(kernel)
        target = there if name == "out is x" else machine.array(np.zeros_like(x))
        y = arrayconv().convolve(there, taps, out=target, **case.options)
        ratio = far(machine.host(target), answer, x.dtype, is_normwise(there, taps, "auto", case.options))
        judge(record, ratio, "" if y is target else "another array was returned", case=name, dtype="float32")


def _refusals(machine: Machine, record: Record) -> None:
    """What can't be computed is refused by the right exception."""
    host = np.ones(9, dtype=np.float32)
    x = machine.array(host)
    whole = {name: machine.array(host.astype(name)) for name in ("bool", "uint64", "int64")}
    convolve = arrayconv().convolve
    calls: list[tuple[str, type[Exception], Callable[[], Any]]] = [
        ("another library's kernel", TypeError, lambda: convolve(x, machine.stranger(host))),
        ("bool", TypeError, lambda: convolve(whole["bool"], whole["bool"])),
        ("uint64 with int64", TypeError, lambda: convolve(whole["uint64"], whole["int64"])),
        ("unknown mode", ValueError, lambda: convolve(x, x, "sames")),
        ("unknown boundary", ValueError, lambda: convolve(x, x, boundary="mirror")),
        ("valid with a longer kernel", ValueError, lambda: convolve(x[:3], x, "valid")),
        ("out of a wrong shape", ValueError, lambda: convolve(x, x, "same", out=machine.array(host[:3]))),
        ("out of a wrong dtype", TypeError, lambda: convolve(x, x, "same", out=whole["int64"])),
        ("no memory allowed", ValueError, lambda: convolve(x, x, max_workspace=1)),
    ]
    for name, expected, call in calls:
        try:
            call()
            message = "was not refused"
        except Exception as error:
            message = "" if type(error) is expected else f"should raise {expected.__name__}, raised {_line(error)}"
        record(case=f"refused: {name}", outcome="failed" if message else "ok", message=message)


_VERBOSE = re.compile(r"^(?:\[gw\d+\] \[ *\d+%\] )?(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)? ?(\S+::.*?)"
                      r"(?: (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)(?: .*)?)?$")  # fmt: skip


def conformance(machine: Machine, record: Record, only: str) -> None:
    """Run the conformance suite, reading its outcomes as they are printed."""
    if not (ROOT / "conformance").is_dir():
        record(case="conformance", outcome="skipped", message="there is no folder conformance/")
        return
    words = [sys.executable, "-m", "pytest", "conformance", "-v", "--tb=line", "-rfE", "-p", "no:cacheprovider"]
    words += ["-c", os.devnull, f"--rootdir={ROOT}", "--import-mode=importlib", "--backend", machine.name]
    words += ["--device", "cuda"] if machine.library == "torch" and not machine.rehearse else []
    words += ["-k", only] if only else []
    words += ["-n", str(min(8, os.cpu_count() or 1))] if importlib.util.find_spec("xdist") else []
    counts = Counter[str]()
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            print(line, end="")
            _read_outcome(line.strip(), counts, record)
    if not counts["PASSED"]:
        record(
            case="conformance",
            outcome="failed",
            message=f"no test passed, see log.txt; pytest ended with {process.returncode}",
        )


def _read_outcome(line: str, counts: Counter[str], record: Record) -> None:
    found = _VERBOSE.match(line)
    outcome = found and (found[1] or found[3])
    if not found or not outcome:
        return
    if outcome in ("FAILED", "ERROR"):
        test, _, message = found[2].partition(" - ")  # the summary at the end repeats the test, with the message
        record(case=test, outcome="failed", message=message or "see log.txt")
        return
    counts[outcome] += 1
    record(case=found[2], outcome="ok" if outcome in ("PASSED", "XFAIL") else "skipped")


def timing(machine: Machine, record: Record, only: str) -> None:
    """Time float32 images against the library's own functions; minima of interleaved rounds."""
    side = 256 if machine.rehearse else 4096
    copied, rate = _copy_rate(machine, side)
    record(case="copy", outcome="ok", seconds=copied, rate=rate)
    for size in (3, 7, 15, 31):
        runners: dict[str, Callable[[], Any]] = {}
        for name, make in contenders(machine).items():
            try:
                runners[name] = make(side, size)
                runners[name]()
            except Exception as error:  # a rival that cannot run is not ours to fail for
                runners.pop(name, None)
                outcome = "failed" if name == "arrayconv" else "skipped"
                record(case=_image(side, size), method=name, outcome=outcome, message=_line(error))
        ideal = 8 * side**2 / rate  # every sample read once and written once
        for name, seconds in _minima(machine, runners).items():
            labels = {"method": name, "seconds": seconds, "bandwidth": ideal / seconds}
            record(case=_image(side, size), dtype="float32", outcome="ok", **labels)


def _image(side: int, size: int) -> str:
    return f"{side} x {side}, {size} x {size}"


def _copy_rate(machine: Machine, side: int) -> tuple[float, float]:
    x = machine.array(np.ones((2 * side, 2 * side), dtype=np.float32))
    y = x + 1

    def copy() -> None:
        y[...] = x

    seconds = _minima(machine, {"copy": copy})["copy"]
    return seconds, 2 * x.nbytes / seconds


def contenders(machine: Machine) -> dict[str, Callable[[int, int], Callable[[], Any]]]:
    """Return makers (side, kernel size) -> call, ours first."""

    def arrays(side: int, size: int) -> tuple[Any, Any]:
        return machine.array(data((side, side), "float32", 9)), machine.array(data((size, size), "float32", 10))

    def ours(side: int, size: int) -> Callable[[], Any]:
        x, kernel = arrays(side, size)
        return lambda: arrayconv().convolve(x, kernel, "same")

    def conv2d(side: int, size: int) -> Callable[[], Any]:
        x, kernel = arrays(side, size)
        return lambda: machine.module.nn.functional.conv2d(x[None, None], kernel[None, None], padding=size // 2)

    def filtered(side: int, size: int) -> Callable[[], Any]:
        x, kernel = arrays(side, size)
        convolve = importlib.import_module(f"{prefix}ndimage").convolve
        return lambda: convolve(x, kernel, mode="constant")

    def transformed(side: int, size: int) -> Callable[[], Any]:
        x, kernel = arrays(side, size)
        fftconvolve = importlib.import_module(f"{prefix}signal").fftconvolve
        return lambda: fftconvolve(x, kernel, mode="same")

    prefix = "scipy." if machine.rehearse else "cupyx.scipy."
    if machine.library == "torch":
        return {"arrayconv": ours, "torch conv2d": conv2d}
    return {"arrayconv": ours, f"{prefix}ndimage.convolve": filtered, f"{prefix}signal.fftconvolve": transformed}


def _minima(machine: Machine, runners: dict[str, Callable[[], Any]], rounds: int = 7) -> dict[str, float]:
    """Return the least time of each call, their rounds interleaved; a round repeats short calls."""
    repeats = {}
    for name, run in runners.items():
        _clocked(machine, run, 2)  # compiles, plans, fills caches
        repeats[name] = max(1, min(50, int(0.01 / _clocked(machine, run, 1))))
    times: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(3 if machine.rehearse else rounds):
        for name, run in runners.items():
            times[name].append(_clocked(machine, run, repeats[name]))
    return {name: min(each) for name, each in times.items()}


def _clocked(machine: Machine, run: Callable[[], Any], repeats: int) -> float:
    machine.wait()
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    machine.wait()
    return (time.perf_counter() - start) / repeats


@cache
def arrayconv() -> Any:
    """Import the package under test; not earlier, so that a broken one is a failure on record."""
    return importlib.import_module("arrayconv")


# ---- running the phases ----


def child(arguments: argparse.Namespace) -> int:
    """Run one phase in this process, writing a line of JSON per result."""
    with (arguments.out / "results.jsonl").open("a") as file:

        def record(**fields: Any) -> None:
            line = {"phase": arguments.phase, "library": arguments.library, **fields}
            if not math.isfinite(line.get("ratio", 0)):
                line["ratio"] = str(line["ratio"])  # JSON has no infinity
            file.write(json.dumps(line) + "\n")
            file.flush()

        if arguments.phase == "status":
            problem = why_unusable(arguments.library, arguments.rehearse)
            record(case="status", outcome="absent" if problem else "ok", message=problem)
            return 0
        run = {"smoke": smoke, "correctness": correctness, "conformance": conformance, "timing": timing}
        run[arguments.phase](Machine(arguments.library, arguments.rehearse), record, arguments.only)
    return 0


def run_phase(arguments: argparse.Namespace, phase: str, library: str, seconds: float) -> None:
    """Run a phase in a process of its own; what goes wrong with the process goes on record."""
    words = [sys.executable, str(Path(__file__).resolve()), "--out", str(arguments.out), "--phase", phase]
    words += ["--library", library, "--only", arguments.only, *["--rehearse"] * arguments.rehearse]
    environment = {**os.environ, **ENVIRONMENT}
    with (arguments.out / "log.txt").open("a") as log:
        print(f"\n=== {phase} {library}, {seconds:.0f} s allowed", file=log, flush=True)
        process = subprocess.Popen(
            words, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            status, outcome = process.wait(timeout=max(seconds, 1)), "failed"
            message = f"the process ended with status {status}, see log.txt"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signals.SIGKILL)
            status, outcome, message = process.wait(), "unfinished", f"stopped after {seconds:.0f} s"
    if status:
        line = {"phase": phase, "library": library, "case": "the whole phase", "outcome": outcome, "message": message}
        with (arguments.out / "results.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")


def results(out: Path) -> list[dict[str, Any]]:
    """Return what was recorded, the latest of each case; a line cut off by a crash is left out."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for line in (out / "results.jsonl").read_text().splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        found[tuple(row.get(name) for name in ("phase", "library", "case", "dtype", "method"))] = row
    return list(found.values())


def parent(arguments: argparse.Namespace) -> int:
    """Run every phase on every usable library, write the report, return the exit status."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in ("results.jsonl", "log.txt"):
        (arguments.out / name).write_text("")
    (arguments.out / "env.txt").write_text("\n".join(environment_lines(arguments.rehearse)) + "\n")
    end = time.monotonic() + arguments.budget
    usable = list(arguments.libraries)
    for phase in PHASES if not arguments.phases else [p for p in PHASES if p == "status" or p in arguments.phases]:
        for number, library in enumerate(usable):
            left = (end - time.monotonic()) * PHASES[phase] / (len(usable) - number)
            print(f"{phase} {library} ...", file=sys.stderr, flush=True)
            run_phase(arguments, phase, library, left)
        if phase == "status":
            usable = [row["library"] for row in results(arguments.out) if row["outcome"] == "ok"]
    rows = results(arguments.out)
    verdict, status = judged(rows, bool(usable), arguments.rehearse)
    facts = {"verdict": verdict, "rehearsal": arguments.rehearse, "libraries": usable, "results": rows}
    (arguments.out / "results.json").write_text(json.dumps(facts, indent=1) + "\n")
    text = "\n".join(report_lines(rows, verdict, arguments))
    (arguments.out / "report.md").write_text(text + "\n")
    print(text)
    return status


def judged(rows: list[dict[str, Any]], usable: bool, rehearse: bool) -> tuple[str, int]:
    """Return the verdict and the exit status."""
    bad = sum(row["outcome"] in ("failed", "unfinished", "absent") for row in rows)
    told = f"{bad} of {len(rows)} results are failures" if bad else "all as expected"
    if rehearse:
        return f"rehearsal on CPU, {told}", 1 if bad else 0
    if not usable:
        return "no GPU", NO_GPU
    return ("failed: " + told, 1) if bad else ("passed", 0)


def environment_lines(rehearse: bool) -> Iterator[str]:
    """Say what machine and which versions this is."""
    from importlib.metadata import distributions

    yield f"date {time.strftime('%Y-%m-%d %H:%M:%S %z')}"
    yield f"python {platform.python_version()} on {platform.platform()}, {os.cpu_count()} cores"
    wanted = ("numpy", "scipy", "torch", "cupy", "array-api", "pytest", "hypothesis", "nvidia", "jax")
    versions = {f"{d.metadata['Name']} {d.version}" for d in distributions() if d.metadata["Name"]}
    yield from sorted(line for line in versions if line.lower().startswith(wanted))
    try:
        query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.max.sm", "--format=csv,noheader"]
        yield "GPU " + subprocess.run(query, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        yield f"GPU none ({_line(error)})"
    if rehearse:
        yield "rehearsal: NumPy in CuPy's place, torch on the CPU"


# ---- the report ----


def report_lines(rows: list[dict[str, Any]], verdict: str, arguments: argparse.Namespace) -> Iterator[str]:
    """Return the report as Markdown."""
    yield f"# GPU check: {verdict}"
    yield ""
    if arguments.rehearse:
        yield "Nothing here ran on a GPU: NumPy stood in for CuPy, and torch ran on the CPU."
        yield ""
    elif verdict == "no GPU":
        yield "Nothing was checked."
        yield ""
    for row in rows:
        if row["outcome"] == "absent":
            yield f"* {row['library']} could not be used: {row['message']}"
    yield from _summary([row for row in rows if row["phase"] not in ("status", "timing")])
    yield from _timings([row for row in rows if row["phase"] == "timing" and "seconds" in row])
    yield from _failures([row for row in rows if row["outcome"] in ("failed", "unfinished")])


def _summary(rows: list[dict[str, Any]]) -> Iterator[str]:
    if not rows:
        return
    yield from (
        "",
        "| library | phase | method | ok | refused | skipped | failed | largest error / bound |",
        "|" + " --- |" * 8,
    )
    key = operator.itemgetter(0, 1, 2)
    labelled = sorted(((r["library"], r["phase"], r.get("method", "")), i) for i, r in enumerate(rows))
    for (library, phase, method), group in itertools.groupby(labelled, key=lambda pair: key(pair[0])):
        own = [rows[i] for _, i in group]
        counts = Counter(row["outcome"] for row in own)
        failed = counts["failed"] + counts["unfinished"]
        ratios = [float(row["ratio"]) for row in own if "ratio" in row]
        worst = f"{max(ratios):.3g}" if ratios else ""
        cells = [library, phase, method, counts["ok"], counts["refused"], counts["skipped"], failed, worst]
        yield f"| {' | '.join(map(str, cells))} |"


def _timings(rows: list[dict[str, Any]]) -> Iterator[str]:
    if not rows:
        return
    yield from (
        "",
        "Least times, float32, 'same', zeros beyond the ends. \"Copy\" is the share of the copy's bandwidth that",
    )
    yield from ("reading and writing each sample once would take.", "")
    for row in rows:
        if row["case"] == "copy":
            yield f"* {row['library']} copies {row['rate'] / 1e9:.0f} GB/s (read and write)"
    yield from ("", "| library | image, kernel | call | time | ours is faster by | copy |", "|" + " --- |" * 6)
    ours = {(r["library"], r["case"]): r["seconds"] for r in rows if r.get("method") == "arrayconv"}
    for row in rows:
        if row["case"] != "copy":
            gain = row["seconds"] / ours.get((row["library"], row["case"]), math.nan)
            times = f"{row['seconds'] * 1e3:.4g} ms | {gain:.2f} | {row['bandwidth']:.1%}"
            yield f"| {row['library']} | {row['case']} | {row['method']} | {times} |"


def _failures(rows: list[dict[str, Any]], most: int = 60) -> Iterator[str]:
    if not rows:
        return
    yield from ("", "## What failed", "")
    for row in rows[:most]:
        labels = ", ".join(str(row[name]) for name in ("library", "phase", "case", "dtype", "method") if row.get(name))
        yield f"* {labels}: {row.get('message') or 'no message'}"
    if len(rows) > most:
        yield f"* and {len(rows) - most} more, in results.json"


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the arguments."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="gpu_check.py", description=__doc__, formatter_class=layout)
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder for the report, made if need be")
    add("--budget", type=float, default=540, metavar="SECONDS", help="time for everything (default: 540)")
    text = "run the same code with NumPy in CuPy's place and torch on the CPU; the report says so"
    add("--rehearse", action="store_true", help=text)
    add("--libraries", type=_names, default=LIBRARIES, metavar="A,B", help="(default: cupy,torch)")
    add("--phases", type=_names, default=(), metavar="A,B", help=f"of {', '.join(PHASES)} (default: all)")
    add("--only", default="", metavar="TEXT", help="only cases and tests whose name holds TEXT")
    add("--phase", help=argparse.SUPPRESS)  # what a child process is asked to do
    add("--library", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    for name, known in (("libraries", LIBRARIES), ("phases", PHASES)):
        unknown = sorted(set(getattr(arguments, name)) - set(known))
        if unknown:
            parser.error(f"--{name} must be of {', '.join(known)}, got {unknown[0]!r}")
    return arguments


def main(argv: list[str] | None = None) -> int:
    """Run the check, or one phase of it, and return the exit status."""
    arguments = parse(argv)
    return child(arguments) if arguments.phase else parent(arguments)


if __name__ == "__main__":
    sys.exit(main())
