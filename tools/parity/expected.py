"""Known failures as data: `tests/parity/expected/<backend>.txt`, and the verdict on a run.

A line is a test's id under the package's folder, with `*` for any characters; the comment lines above it say why.
A listed test that passes fails the run, and so does a line that matches no test.
"""

import re
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[2] / "tests" / "parity" / "expected"


class Verdict(NamedTuple):
    """Differences of a run from the list of known failures, as lists of ids or lines."""

    failed: list
    passed: list  # listed, yet passed
    unknown: list  # listed, yet not among the tests
    idle: list  # passed without calling a function of ours

    @property
    def ok(self):
        return not any(self)


def read(backend, folder=FOLDER):
    """Return {line: reason} of a backend; a line without a reason above it is an error."""
    path = folder / f"{backend}.txt"
    expected, reason, fresh = {}, [], False
    for line in map(str.strip, path.read_text().splitlines() if path.exists() else ()):
        if line.startswith("#"):
            reason, fresh = [*([] if fresh else reason), line.lstrip("# ")], False
        elif line:
            if not reason:
                raise ValueError(f"{path.name}: a comment above {line!r} must say why it fails.")
            expected[line], fresh = " ".join(reason), True
    return expected


def judge(results, expected, *, complete):
    """Compare outcomes with the known failures; only a complete run can tell that a line matches no test."""
    failed = {test for test, row in results.items() if row["outcome"] == "failed"}
    ran = failed | {test for test, row in results.items() if row["outcome"] == "passed"}
    listed = {line: {test for test in results if matches(line, test)} for line in expected}
    excused = set().union(*listed.values())
    return Verdict(
        failed=sorted(failed - excused),
        passed=sorted((ran - failed) & excused),
        unknown=sorted(line for line, tests in listed.items() if complete and not tests),
        idle=sorted(test for test in ran - failed if is_idle(results[test])),
    )


def is_idle(row):
    return not set(row["called"]) & set(row["functions"])


def matches(line, test):
    return re.fullmatch(".*".join(map(re.escape, line.split("*"))), test) is not None
