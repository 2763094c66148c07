"""Runs the findings of `cases/findings.py` and the shipped targets, and writes the page docs/findings.md.

    python -m conformance.findings docs/findings.md
    python -m conformance.findings --of scipy        # one library's outcomes as JSON

Snippets run in a process of their own per library. What is on the page was computed by that run: the library's value,
and the exact one by `reference.py`.
"""

import json
import subprocess
import sys
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import bounds, geometry
from .cases import findings as rows
from .checks import exact_result

ROOT = Path(__file__).parents[__package__.count(".") + 1]


class Finding(NamedTuple):
    """A row of the table."""

    id: str
    distributions: str
    function: str
    title: str
    against: str
    text: str
    operation: str
    options: dict[str, Any]
    view: str
    snippet: str


FINDINGS = [Finding(*row) for row in rows.FINDINGS]


class Outcome(NamedTuple):
    """What a snippet returned, as text, and what is exact."""

    versions: str
    value: str
    exact: str
    differs: bool


def installed(distributions):
    """'scipy 1.17.1, dask 2026.8.0', or None where one is not installed."""
    try:
        return ", ".join(f"{name} {version(name)}" for name in distributions.split())
    except PackageNotFoundError:
        return None


def reproduce(finding):
    """Run the snippet here, and compare its result with the exact one."""
    names: dict[str, Any] = {}
    try:
        with warnings.catch_warnings(action="ignore"):
            exec(compile(finding.snippet, finding.id, "exec"), names)
        out = np.asarray(names["out"])
    except Exception as failure:
        if "kernel" not in names:  # the import failed, not the call
            raise
        out = failure
    x, kernel = (np.asarray(names[name]) for name in ("x", "kernel"))
    value, exact, differs = _VIEWS[finding.view](out, _exact(finding, x, kernel), x, kernel)
    return Outcome(installed(finding.distributions) or "", value, exact, differs)


def _exact(finding, x, kernel):
    if finding.operation != "lags":
        return exact_result(finding.operation, x, kernel, finding.options)
    axis = geometry.problem("correlate", x.shape, kernel.shape, finding.options).space[0]
    return np.arange(axis.outputs) - axis.before


def _values(out, exact, x, kernel):
    if isinstance(exact, np.ndarray):
        return _shown(out), _shown(exact), _raised(out) or out.tolist() != exact.tolist()
    whole = x.dtype.kind in "iu" and kernel.dtype.kind in "iu"
    values = exact.real if whole else exact.values.astype(np.result_type(x, kernel))
    if _raised(out) or out.shape != values.shape:
        return _shown(out), _shown(values), True
    if whole:
        return _shown(out), _shown(values), [int(each) for each in out.ravel()] != values.ravel().tolist()
    wrong = ~(np.abs(out - exact.values) <= bounds.allowed(exact, values.dtype.name, "normwise"))
    first = int(np.argmax(wrong.ravel())) // 6 * 6  # six outputs are shown, wrong ones among them
    return _shown(out, first), _shown(values, first), bool(wrong.any())


def _count(out, exact, x, kernel):
    count = int(np.count_nonzero(exact.contaminated))
    if _raised(out):
        return _shown(out), f"{count} of {exact.real.size}", True
    got = int(np.count_nonzero(~np.isfinite(out)))
    return f"{got} of {out.size}", f"{count} of {exact.real.size}", got != count


def _shape(out, exact, x, kernel):
    return (_shown(out) if _raised(out) else str(out.shape)), str(exact.shape), _raised(out) or out.shape != exact.shape


_VIEWS = {"values": _values, "non-finite outputs": _count, "shape": _shape}


def _raised(out):
    return isinstance(out, Exception)


def _shown(out, first=0):
    """Six outputs from the first on, or the exception."""
    if _raised(out):
        return f"{type(out).__name__}: {out}"
    flat = np.asarray(out).ravel().tolist()
    start, dots = f"from out[{first}] on: " if first else "", ", ..." if len(flat) > first + 6 else ""
    return f"{start}[{', '.join(map(_number, flat[first : first + 6]))}{dots}]"


def _number(value):
    if isinstance(value, complex):
        return f"{value.real:g}{value.imag:+g}j"
    return repr(value) if isinstance(value, int) or abs(value) > 1e9 else f"{value:.4g}"


def outcomes(distributions):
    """The outcomes of a library's findings, from a process of their own: {id: Outcome}."""
    command = [sys.executable, "-m", f"{__package__}.findings", "--of", distributions]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if process.returncode:
        raise RuntimeError(process.stderr)
    return {name: Outcome(*row) for name, row in json.loads(process.stdout.splitlines()[-1]).items()}


def main(arguments):
    if arguments[0] == "--of":
        of = [finding for finding in FINDINGS if finding.distributions == arguments[1]]
        print(json.dumps({finding.id: reproduce(finding) for finding in of}))
        return
    from .findings_page import page

    Path(arguments[0]).write_text(page())


if __name__ == "__main__":
    main(sys.argv[1:])
