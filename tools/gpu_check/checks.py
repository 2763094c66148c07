"""What is compared: results with the definition, within computed bounds; and the outcomes of the conformance suite.

The definition and the bounds are those of `arrayconv.testing`: element by element for the methods that take
accuracy="componentwise", by norm for the others, equality for integers. Where SciPy has the operation, its result is
compared with the same definition, which checks the definition.
"""

import importlib.util
import math
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import chain
from pathlib import Path

import numpy as np
from scipy import ndimage, signal

import arrayconv
from arrayconv._algorithms import ALGORITHMS
from arrayconv._plan.rank import TABLE
from arrayconv.testing import error_bound, reference
from conformance import asserts
from conformance.cases.shapes import NDIMAGE
from tools.gpu_check.cases import Case, table
from tools.gpu_check.report import sentence

ROOT = Path(__file__).resolve().parents[2]
STANDARD_ONLY = ("auto", *ALGORITHMS)  # those that every library has
METHODS = (*STANDARD_ONLY, *(name for name in TABLE if name.startswith(("cuda", "cudnn"))))


def recorded(record, check, **labels):
    """Record the fields that a check returns, or its exception, so that the next one still runs."""
    try:
        fields = check() or {}
    except Exception as error:
        fields = {"outcome": "failed", "message": sentence(error)}
    record(**{"outcome": "ok", "message": "", **fields}, **labels)


def smoke(machine, record, only):
    """Make one call and check its result."""
    recorded(record, partial(_small_call, machine), case="smoke")


def _small_call(machine):
    x, kernel = (machine.array(np.asarray(values, np.float32)) for values in ([1, 2, 3, 4, 5], [1, 10]))
    y = arrayconv.convolve(x, kernel, "same")
    asserts.form(y, x, "float32", (5,), machine, "smoke")
    asserts.identical(machine.host(y), [1, 12, 23, 34, 45], "smoke")


def correctness(machine, record, only):
    """Run the table of cases, then the checks without a table."""
    rows = [of_case(machine, case, dtype) for case in table() if only in case.name for dtype in case.dtypes]
    rows += [check(machine) for check in (containment, large_values, out, refusals) if only in check.__name__]
    for labels, check in chain.from_iterable(rows):
        recorded(record, check, **labels)


def waits(machine, record, only):
    """Make the calls of the table under the library's detector of waits; nothing is fetched."""
    for case in table():
        if only in case.name:
            for method in METHODS:
                dtype = case.dtypes[0]
                recorded(record, partial(_without_waits, machine, case, dtype, method), **_labels(case, dtype, method))


def _without_waits(machine, case, dtype, method):
    x, kernel = (machine.array(host) for host in case.operands(dtype))
    with machine.waits_refused():
        for _ in range(2):  # the first call plans, and compiles
            try:
                getattr(arrayconv, case.function)(x, kernel, method=method, **case.options)
            except NotImplementedError as refusal:
                return refused(x, kernel, method, case.options, refusal)
    return {}


# ---- values ----


@dataclass
class Expected:
    """The exact result of a call, and the bounds of its error."""

    case: Case
    x: np.ndarray
    kernel: np.ndarray
    _bounds: dict = field(default_factory=dict)

    @cached_property
    def value(self):
        value = reference(self.case.function, self.x, self.kernel, **self.case.options)
        wraps = self.x.dtype.kind in "iu"
        return (value % 2**64).astype(np.uint64).astype(self.x.dtype) if wraps else value

    def bound(self, accuracy, dtype=None):
        """Return the bound of every output, for a result of the operands' dtype or of another one."""
        if (accuracy, dtype) not in self._bounds:
            options = {"accuracy": accuracy, "dtype": dtype, **self.case.options}
            self._bounds[accuracy, dtype] = error_bound(self.case.function, self.x, self.kernel, **options)
        return self._bounds[accuracy, dtype]


def of_case(machine, case, dtype):
    """Yield the labels of each check of a case, and the check."""
    expected = Expected(case, *case.operands(dtype))
    scipy = scipy_result(case, expected.x, expected.kernel)
    if scipy is not None:
        bound = expected.bound("componentwise", "float64")
        yield _labels(case, dtype, "scipy"), partial(judged, scipy, expected.value, bound)
    for method in METHODS:
        yield _labels(case, dtype, method), partial(compared, machine, expected, method)


def _labels(case, dtype, method):
    return {"case": case.name, "dtype": dtype, "method": method}


def compared(machine, expected, method):
    """Make the call on the device, and judge its result or its refusal."""
    case, x, kernel = expected.case, machine.array(expected.x), machine.array(expected.kernel)
    try:
        y = getattr(arrayconv, case.function)(x, kernel, method=method, **case.options)
    except NotImplementedError as refusal:
        return refused(x, kernel, method, case.options, refusal)
    asserts.form(y, x, expected.x.dtype.name, expected.value.shape, machine, case.name)
    return judged(machine.host(y), expected.value, expected.bound(accuracy(x, kernel, method, case.options)))


def refused(x, kernel, method, options, refusal):
    """Return the fields to record of a refusal: a failure unless `explain` lists it."""
    listed = {row.name: row.refusal for row in arrayconv.explain(x, kernel, **options).candidates}
    is_listed = method != "auto" and listed.get(method) is not None
    return {"outcome": "refused" if is_listed else "failed", "message": str(refusal)[:300]}


def accuracy(x, kernel, method, options):
    """Return the accuracy of the method that runs: 'normwise' where it refuses 'componentwise'."""
    used = arrayconv.explain(x, kernel, method=method, **options).method
    try:
        arrayconv.explain(x, kernel, method=used, accuracy="componentwise", **options)
    except NotImplementedError:
        return "normwise"
    return "componentwise"


def judged(y, value, bound):
    """Return the fields to record of a result."""
    ratio = excess(y, value, bound)
    if ratio <= 1:
        return {"ratio": ratio}
    message = "not equal" if math.isinf(ratio) else f"error is {ratio:.3g} times its bound"
    return {"outcome": "failed", "ratio": ratio, "message": message}


def excess(y, value, bound):
    """Return the largest error as a multiple of its bound; infinite where integers differ."""
    if y.dtype.kind in "iu":
        return 0.0 if np.array_equal(y, value) else math.inf
    error = np.abs(y - value)
    return float(np.max(error / bound, initial=0)) if np.all(np.isfinite(error)) else math.inf


def scipy_result(case, x, kernel):
    """Return SciPy's result in float64, or None where SciPy has no such operation."""
    if kernel.ndim != x.ndim or x.dtype.kind != "f" or set(case.options) - {"mode", "boundary"}:
        return None
    boundary, mode = case.options.get("boundary", "constant"), case.options["mode"]
    x, kernel = x.astype(np.float64), kernel.astype(np.float64)
    if boundary == "constant" and (case.function == "convolve" or mode != "same"):
        return getattr(signal, case.function)(x, kernel, mode, "direct")
    if mode == "same" and isinstance(boundary, str) and all(k % 2 for k in kernel.shape):
        return getattr(ndimage, case.function)(x, kernel, mode=NDIMAGE[boundary])
    return None


# ---- checks without a table ----


def containment(machine):
    """NaN and infinity contaminate the outputs whose windows contain them, and no others."""
    for size in (3, 21):
        options = {"mode": "same", "boundary": "reflect"}
        case = Case(f"NaN and infinity, {size} x {size}", (70, 61), (size, size), options)
        clean, kernel = case.operands("float32")
        clean[5, 7] = clean[40, 30] = 0
        bad, flags = clean.copy(), np.zeros(case.x, int)
        bad[5, 7], bad[40, 30] = np.nan, np.inf
        flags[5, 7] = flags[40, 30] = 1
        contaminated = reference("convolve", flags, np.ones(case.kernel, int), **options) > 0
        for method in METHODS:
            check = partial(_contained, machine, Expected(case, clean, kernel), bad, contaminated, method)
            yield _labels(case, "float32", method), check


def _contained(machine, expected, bad, contaminated, method):
    x, kernel, options = machine.array(bad), machine.array(expected.kernel), expected.case.options
    try:
        y = machine.host(arrayconv.convolve(x, kernel, method=method, **options))
    except NotImplementedError as refusal:
        return refused(x, kernel, method, options, refusal)
    if wrong := np.count_nonzero(np.isfinite(y) == contaminated):
        return {"outcome": "failed", "message": f"{wrong} outputs are contaminated that should not be, or the reverse"}
    bound = expected.bound(accuracy(x, kernel, method, options))
    return judged(np.where(contaminated, 0, y), np.where(contaminated, 0, expected.value), bound)


def large_values(machine):
    """Data near the end of the range must not overflow where the sum does not."""
    for size in (3, 21):
        case = Case(f"1e36, {size} x {size}", (64, 64), (size, size), {"mode": "same", "boundary": "wrap"})
        expected = Expected(case, *case.operands("float32", 1e36))
        for method in METHODS:
            yield _labels(case, "float32", method), partial(compared, machine, expected, method)


def out(machine):
    """`out` is written and returned, also where it is x itself."""
    for name in ("out of its own", "out is x"):
        case = Case(name, (40, 31), (5, 5), {"mode": "same", "boundary": "edge"})
        expected = Expected(case, *case.operands("float32"))
        yield {"case": name, "dtype": "float32"}, partial(_written, machine, expected)


def _written(machine, expected):
    x, kernel, options = machine.array(expected.x), machine.array(expected.kernel), expected.case.options
    bound = expected.bound(accuracy(x, kernel, "auto", options))
    target = x if expected.case.name == "out is x" else machine.array(np.zeros_like(expected.x))
    y = arrayconv.convolve(x, kernel, out=target, **options)
    asserts.equal("y is out", y is target, True, expected.case.name)
    return judged(machine.host(target), expected.value, bound)


def refusals(machine):
    """Unsupported calls raise the right exception."""
    host = np.ones(9, np.float32)
    x, convolve = machine.array(host), arrayconv.convolve
    whole = {name: machine.array(host.astype(name)) for name in ("bool", "uint64", "int64")}
    calls = [
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
    for name, kind, call in calls:
        yield {"case": f"refused: {name}"}, partial(asserts.raises, kind, (), call, name)


# ---- the conformance suite ----

_VERBOSE = re.compile(r"^(?:\[gw\d+\] \[ *\d+%\] )?(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)? ?(\S+::.*?)"
                      r"(?: (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)(?: .*)?)?$")  # fmt: skip


def conformance(machine, record, only, report=None):
    """Run the conformance suite, reading its outcomes as they are printed."""
    words = [sys.executable, "-m", "pytest", "conformance", "-v", "--tb=line", "-rfE", "-p", "no:cacheprovider"]
    words += ["-c", os.devnull, f"--rootdir={ROOT}", "--import-mode=importlib", "--backend", machine.backend.name]
    words += ["--device", machine.device] if machine.device else []
    words += [f"--report={report}"] if report else []
    words += ["-k", only] if only else []
    words += ["-n", str(min(8, os.cpu_count() or 1))] if importlib.util.find_spec("xdist") else []
    counts = Counter()
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout:
            print(line, end="")
            read_outcome(line.strip(), counts, record)
    if not counts["PASSED"]:
        message = f"no test passed, see log.txt; pytest ended with {process.returncode}"
        record(case="conformance", outcome="failed", message=message)


def read_outcome(line, counts, record):
    """Record the outcome that a line of pytest's output states, if it states one."""
    match = _VERBOSE.match(line)
    outcome = match and (match[1] or match[3])
    if not outcome:
        return
    if outcome in ("FAILED", "ERROR"):
        test, _, message = match[2].partition(" - ")  # the summary at the end repeats the test, with the message
        record(case=test, outcome="failed", message=message or "see log.txt")
        return
    counts[outcome] += 1
    record(case=match[2], outcome="ok" if outcome in ("PASSED", "XFAIL") else "skipped")
