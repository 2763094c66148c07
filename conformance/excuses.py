"""Known failures as data: `xfails/<target>-<backend>.txt`.

A line is a test's id under conformance/, such as `test_values.py::test_modes[convolve-same-even]`; the comment lines
above it say why. A listed test that passes fails the run, and so does a line that matches no test.
"""

from pathlib import Path
from typing import NamedTuple

import pytest

FOLDER = Path(__file__).parent / "xfails"


class Excuse(NamedTuple):
    """A test that is known to fail, and the reason."""

    test: str
    reason: str


def read(target, backend, folder=FOLDER):
    """The excuses of a target on a backend; a line without a reason above it is an error."""
    path = folder / f"{target}-{backend}.txt"
    if not path.exists():
        return []
    excuses, reason, fresh = [], [], False
    for line in map(str.strip, path.read_text().splitlines()):
        if line.startswith("#"):
            reason, fresh = [*([] if fresh else reason), line.lstrip("# ")], False
        elif line:
            if not reason:
                raise pytest.UsageError(f"{path.name}: a comment above {line!r} must say why it fails.")
            excuses.append(Excuse(line, " ".join(reason)))
            fresh = True
    return excuses


def apply(excuses, items, root):
    """Mark the excused tests, and return the excuses that match no test of the files collected."""
    tests = {short_id(item, root): item for item in items}
    files = {test.split("::")[0] for test in tests}
    for test, reason in excuses:
        if test in tests:
            tests[test].add_marker(pytest.mark.xfail(reason=reason, strict=True))
    return [excuse for excuse in excuses if excuse.test not in tests and excuse.test.split("::")[0] in files]


def short_id(item, root):
    """A test's id relative to the folder of the suite."""
    _, _, rest = item.nodeid.partition("::")
    return f"{item.path.relative_to(root).as_posix()}::{rest}"  # the id is relative to another folder with --pyargs


class Unmatched(pytest.Item):
    """A test that fails because an excuse names none."""

    def __init__(self, *, excuse, **kwargs):
        super().__init__(**kwargs)
        self.excuse = excuse

    def runtest(self):
        raise AssertionError(f"the excuse {self.excuse.test!r} matches no test; remove it or correct it")

    def repr_failure(self, excinfo, style=None):
        return str(excinfo.value)

    def reportinfo(self):
        return self.path, None, self.name
