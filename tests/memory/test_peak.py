"""What a call allocates, seen from outside, stays within `max_workspace` and within what `explain` says.

A process of its own measures every problem of the table (see `child`): with one method on NumPy arrays, and with all on
tensors, for which most of the time is torch's import. Methods come from the table.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from arrayconv._plan.rank import TABLE
from tests.memory.child import OBJECTS, SCRATCH
from tests.memory.problems import ELSEWHERE, PROBLEMS

ABSENT = ("it supports ", "the accelerator ")  # another library's method, or one that is not available
ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": "65536",  # larger arrays go back to the system when they are freed
    "OMP_NUM_THREADS": "1",  # scratch of one thread, and none that wait for work
    "NUMPY_MADVISE_HUGEPAGE": "0",  # an array takes the pages it touches, not 2 MiB at a time
}

if not Path("/proc/self/clear_refs").exists():
    pytest.skip("the high-water mark of memory is read and reset in /proc, which Linux has", allow_module_level=True)


def measured(library, methods):
    """Return what a process printed, one row per method, problem and budget."""
    command = [sys.executable, "-m", "tests.memory.child", library, *methods]
    environment = {**os.environ, **ENVIRONMENT}
    process = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert process.returncode == 0, process.stderr
    return [json.loads(line) for line in process.stdout.splitlines()]


def faults(library, rows):
    """Yield what is wrong with the rows of one problem: missing budgets, memory above a limit, another result."""
    if [row["budget"] for row in rows] != ["none", "quarter", "least"]:
        yield f"measured under {[row['budget'] for row in rows]}"
    for row in rows:
        if row["limit"] is not None and row["workspace"] > row["limit"]:
            yield f"the formula exceeds the cap: {row}"
        if library == "numpy" and row["traced"] > row["workspace"] + OBJECTS:
            yield f"NumPy allocates more than the formula: {row}"
        if row["rise"] > row["workspace"] + SCRATCH:
            yield f"resident memory rises further than the formula: {row}"
        if not row["apart"] <= 1:
            yield f"the cap changes the result beyond the contract: {row}"


METHODS = [name for name in TABLE if not name.startswith(("xla_", "cuda_", "cudnn_"))]  # other libraries'


def check(library, method, rows):
    """Raise unless one method kept to its formula on every problem; return why it supports none, or None."""
    problems = [problem for problem in PROBLEMS if library == "numpy" or problem.name in ELSEWHERE]
    by_problem = {problem.name: [row for row in rows if row["problem"] == problem.name] for problem in problems}
    assert [name for name, measurements in by_problem.items() if not measurements] == [], f"{method}: not measured"
    supported = {name: rows for name, rows in by_problem.items() if "refusal" not in rows[0]}
    wrong = {name: list(faults(library, rows)) for name, rows in supported.items()}
    assert {name: texts for name, texts in wrong.items() if texts} == {}, method
    if supported:
        return None
    refusals = {rows[0]["refusal"] for rows in by_problem.values()}
    assert all(reason.startswith(ABSENT) for reason in refusals), (method, refusals)
    return refusals.pop()


@pytest.mark.parametrize("method", METHODS)
def test_memory_stays_within_the_formula_and_the_cap(method):
    """A method that supports the library is measured on one problem at least."""
    refusal = check("numpy", method, measured("numpy", [method]))
    if refusal is not None:
        pytest.skip(refusal)


def test_memory_of_tensors_stays_within_the_formula_and_the_cap():
    pytest.importorskip("torch", reason="torch is not installed")
    rows = measured("torch", METHODS)
    refusals = [check("torch", method, [row for row in rows if row["method"] == method]) for method in METHODS]
    assert None in refusals
