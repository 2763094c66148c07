"""What a call allocates, seen from outside, stays within `max_workspace` and within what `explain` says.

A process of its own measures every problem of the table with one method (see `child`); methods come from the table.
"""

import importlib.util
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from arrayconv._select import TABLE
from tests.memory.problems import ELSEWHERE, PROBLEMS

MIB = 1 << 20
OBJECTS = 128 * 1024  # plans, views and Python's own objects, of which no formula knows
SCRATCH = 2 * MIB  # what libraries hold inside one function, beyond what NumPy's own would show; pages, not bytes
ABSENT = ("it serves ", "the accelerator ")  # another library's method, or one that is not at hand
ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": "65536",  # larger arrays go back to the system when they are freed
    "OMP_NUM_THREADS": "1",  # scratch of one thread, and none that wait for work
    "NUMPY_MADVISE_HUGEPAGE": "0",  # an array takes the pages it touches, not 2 MiB at a time
}

SEEN = [
    pytest.param(library, problem, id=f"{library}-{problem.name}")
    for library in ("numpy", "torch")
    for problem in PROBLEMS
    if library == "numpy" or problem.name in ELSEWHERE
]

if not Path("/proc/self/clear_refs").exists():
    pytest.skip("the high-water mark of memory is read and reset in /proc, which Linux has", allow_module_level=True)


@cache
def measured(library, method):
    """Return what a process printed, one row per problem and budget."""
    command = [sys.executable, "-m", "tests.memory.child", library, method]
    environment = {**os.environ, **ENVIRONMENT}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def rows(library, method, problem):
    """Return the rows of one problem, or skip with why the method is not measured on it."""
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    found = [row for row in measured(library, method) if row["problem"] == problem.name]
    assert found, f"{problem.name} was not measured"
    if "refusal" in found[0]:
        pytest.skip(found[0]["refusal"])
    assert [row["budget"] for row in found] == ["none", "quarter", "least"]
    return found


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
@pytest.mark.parametrize("method", TABLE)
def test_numpy_allocates_no_more_than_the_formula_and_the_cap(method, problem):
    for row in rows("numpy", method, problem):
        assert row["limit"] is None or row["workspace"] <= row["limit"], row
        assert row["traced"] <= row["workspace"] + OBJECTS, row


@pytest.mark.parametrize(("library", "problem"), SEEN)
@pytest.mark.parametrize("method", TABLE)
def test_resident_memory_rises_no_further_than_the_formula_and_the_cap(library, method, problem):
    for row in rows(library, method, problem):
        assert row["limit"] is None or row["workspace"] <= row["limit"], row
        assert row["rise"] <= row["workspace"] + SCRATCH, row


@pytest.mark.parametrize(("library", "problem"), SEEN)
@pytest.mark.parametrize("method", TABLE)
def test_a_cap_changes_results_within_the_contract_only(library, method, problem):
    for row in rows(library, method, problem):
        assert row["apart"] <= 1, row


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_the_table_of_problems_reaches_every_method_of_the_library(library):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    for method in TABLE:
        found = measured(library, method)
        refusals = {row["refusal"] for row in found if "refusal" in row}
        assert any("budget" in row for row in found) or all(reason.startswith(ABSENT) for reason in refusals)
