"""`make test` runs every part to its end, sums up, and fails where a part failed or ran no test."""

import subprocess
import sys
from pathlib import Path

import pytest

import arrayconv

ROOT = Path(arrayconv.__file__).parent.parent
pytestmark = pytest.mark.skipif(not (ROOT / "tools").exists(), reason="the tools are not here")
SUITE = {
    "good": "def test_a(): pass",
    "bad": "def test_a(): assert False\ndef test_b(): pass",
    "erring": "import pytest\n@pytest.fixture\ndef f(): raise OSError\ndef test_a(f): pass",
    "broken": "import no_such_module",
    "absent": "import pytest\n@pytest.mark.skip(reason='no C compiler')\ndef test_a(): pass",
    "some": "import pytest\n@pytest.mark.skip(reason='no C compiler')\ndef test_a(): pass\ndef test_b(): pass",
    "excused": "import pytest\n@pytest.mark.xfail\ndef test_a(): assert False",
    "slow": "import time\ndef test_a(): time.sleep(1)\ndef test_b(): pass",
    "empty": "",
}
# In place of make: runs the file of the target's name.
MAKE = """
import os, subprocess, sys
target, results = sys.argv[-2], sys.argv[-1].removeprefix("RESULTS=")
command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{target}.py", f"--junitxml={results}"]
sys.exit(subprocess.run(command, env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}).returncode)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("parts")
    for name, text in SUITE.items():
        (place / f"{name}.py").write_text(text)
    (place / "make.py").write_text(MAKE)
    (place / "pytest.ini").write_text("[pytest]\n")
    return place


def parts(folder, *names):
    command = [sys.executable, ROOT / "tools" / "parts.py", sys.executable, "make.py", "--", *names]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200, check=False)
    _, _, summary = process.stdout.rpartition("Parts of make test\n")
    return process.returncode, summary


def test_every_part_runs_and_is_listed_with_its_outcome(folder):
    status, summary = parts(folder, *SUITE)
    assert status == 1
    outcomes = {line.split()[0]: line[2:].split(maxsplit=1)[1] for line in summary.splitlines()[: len(SUITE)]}
    expected = {"good": "passed", "bad": "FAILED", "erring": "FAILED", "broken": "FAILED", "absent": "RAN NO TEST"}
    expected |= {"some": "passed", "excused": "passed", "slow": "passed", "empty": "RAN NO TEST"}
    assert list(outcomes) == list(SUITE)
    for name, outcome in expected.items():
        assert outcomes[name].startswith(outcome), (name, outcomes[name])
    *skips, title, slowest = summary.splitlines()[len(SUITE) :]
    assert skips == ["Tests that did not run", "       2  no C compiler"]
    assert title == "The slowest tests"
    assert slowest.endswith(" s  slow: slow::test_a")


@pytest.mark.parametrize(("names", "status"), [(["good", "some"], 0), (["good", "absent"], 1), (["bad", "good"], 1)])
def test_the_exit_status_is_that_of_all_parts(folder, names, status):
    assert parts(folder, *names)[0] == status


def test_each_part_is_announced_with_the_time_left(folder):
    command = [sys.executable, ROOT / "tools" / "parts.py", sys.executable, "make.py", "--", "good", "slow"]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200, check=False)
    assert "\nPart 1 of 2: good, about 2 min left\n" in process.stdout  # two unlisted parts of a minute each
    assert "\nPart 2 of 2: slow, under a minute left\n" in process.stdout  # the first one took seconds
