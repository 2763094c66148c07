"""A few calls in processes that tools check: NVIDIA's compute-sanitizer, and torch's sanitizer of streams."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOL = "compute-sanitizer"
CHECKS = ("memcheck", "racecheck", "synccheck")
SHOWN = 300  # characters of the output of a process that fails


def sanitizer(machine, record, only):
    """Run the few calls under each check of compute-sanitizer, where that is installed."""
    path = shutil.which(TOOL)
    for check in CHECKS:
        if path is None:
            record(case=check, outcome="skipped", message=f"{TOOL} is not installed")
        else:
            under_tool(machine, record, check, [path, "--tool", check, "--error-exitcode", "9"], {})


def streams(machine, record, only):
    """Run the few calls under torch's sanitizer, which raises where streams do not wait for one another."""
    if machine.library != "torch":
        record(case="streams", outcome="skipped", message="the sanitizer is torch's, of torch's streams")
        return
    under_tool(machine, record, "streams", [], {} if machine.rehearse else {"TORCH_CUDA_SANITIZER": "1"})


def under_tool(machine, record, case, tool, environment):
    """Run the few calls by a tool, and record how the process ends."""
    words = [*tool, sys.executable, "-m", "tools.gpu_check.few", machine.library, *["--rehearse"] * machine.rehearse]
    process = subprocess.run(
        words, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    output = process.stdout + process.stderr
    print(output)
    outcome = "failed" if process.returncode else "ok"
    record(case=case, outcome=outcome, message=" ".join(output.split())[-SHOWN:] if process.returncode else "")
