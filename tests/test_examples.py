"""The tutorial: every script runs by itself, without a warning, and prints what it shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))
ARGUMENTS = {
    "13_digits": ["--steps", "3", "--libraries", "numpy", "torch"],  # all of it takes minutes
    "18_larger_than_memory": ["--side", "400"],
}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_script_runs_and_prints(script, tmp_path):
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    process = subprocess.run(
        [sys.executable, "-W", "error", script, *ARGUMENTS.get(script.stem, [])],
        cwd=tmp_path,  # nothing may depend on where it is started
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,  # seconds; the slowest imports every library, which takes a few on a busy machine
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    assert process.stdout.strip()
    assert list(tmp_path.iterdir()) == []


def test_readme_lists_every_script_in_order():
    listed = re.findall(r"^\| \[(\w+\.py)\]\(\1\)", (ROOT / "examples/README.md").read_text(), flags=re.MULTILINE)
    assert listed == [script.name for script in SCRIPTS]
    assert [int(name.split("_")[0]) for name in listed] == list(range(1, len(listed) + 1))
