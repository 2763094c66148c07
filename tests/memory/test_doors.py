"""Every door filters a memory map larger than the cap, along every axis, within it: see `benchmarks.mapped`."""

import json
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from benchmarks.mapped import rows

ROOT = Path(__file__).parents[2]
MIB = 1 << 20
CAPS = {"ndimage.correlate1d": 4}  # MiB: what its compiled loop takes at least; the maps have 8
CAP = 1.5  # of the other doors
OBJECTS = MIB  # plans, views, modules that a first call imports: Python's own objects, of which no formula knows
DTYPES = ["float32", "uint16"]
DOORS = sorted({row.door.split()[0] for row in rows(1 << 20)})
GROUPS = {  # name -> doors that one process calls
    **{name: [door for door in DOORS if door.startswith(f"{name}.")] for name in ("signal", "ndimage", "nn")},
    "core": [door for door in DOORS if "." not in door],
}

if not sys.platform.startswith("linux"):
    pytest.skip("Linux limits a process' private memory without the pages of files", allow_module_level=True)


def test_every_door_is_of_a_group():
    assert sorted(door for doors in GROUPS.values() for door in doors) == DOORS


@pytest.mark.parametrize("group", GROUPS)
def test_doors_filter_a_map_larger_than_the_cap_within_it(group):
    (cap,) = {CAPS.get(door, CAP) for door in GROUPS[group]}
    starts = [f"{door} " for door in GROUPS[group]]  # not those of longer names
    options = ["--gib", "0.008", "--cap", str(cap), "--doors", *starts, "--dtypes", *DTYPES, "--json"]
    command = [sys.executable, "-m", "benchmarks.mapped", *options]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert process.returncode == 0, process.stderr
    calls = [json.loads(line) for line in process.stdout.splitlines()]
    assert {(row["door"].split()[0], row["dtype"]) for row in calls} == set(product(GROUPS[group], DTYPES))
    wrong = [row for row in calls if "failure" in row or row["beyond"] > cap * MIB + OBJECTS]
    assert wrong == []
