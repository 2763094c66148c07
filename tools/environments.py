"""Run the conformance suite at the level quick in environments of their own, on this checkout and its compiled loops.

    python tools/environments.py lowest   # the oldest NumPy and array-api-compat that pyproject.toml allows
    python tools/environments.py others   # the newest ones, on Python 3.12 to 3.14 from the PATH or pyenv

The environments are kept in build/. Exit status 1 if a run failed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
VERSIONS = ("3.12", "3.13", "3.14")
RUNNER = ("pytest", "hypothesis", "pytest-xdist")


class Environment(NamedTuple):
    """A folder of build/, the Python that makes it, and what is installed there."""

    name: str
    python: str
    requirements: tuple[str, ...]


def lowest() -> list[Environment]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [Environment("lowest", sys.executable, tuple(text.replace(">=", "==") for text in project["dependencies"]))]


def others() -> list[Environment]:
    pythons = {version: python(version) for version in VERSIONS if sys.version_info[:2] != _numbers(version)}
    for version in [version for version, path in pythons.items() if path is None]:
        print(f"Python {version}: not installed here")
    return [
        Environment(f"python{version}", path, ("numpy", "array-api-compat"))
        for version, path in pythons.items()
        if path is not None
    ]


def python(version: str) -> str | None:
    """Return a command or path of that version of Python, None where there is none."""
    folder = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for command in (f"python{version}", *map(str, folder.glob(f"{version}.*/bin/python3"))):
        try:
            process = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=60, check=False)
        except OSError:
            continue
        if process.returncode == 0 and re.match(rf"Python {re.escape(version)}\.", process.stdout):
            return command
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def run(environment: Environment) -> bool:
    """Create the environment where it is missing, and run the suite; return whether it passed."""
    folder = ROOT / "build" / environment.name
    command = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not command.exists():
        subprocess.run([environment.python, "-m", "venv", str(folder)], check=True)
    install = [command, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *environment.requirements, *RUNNER], check=True)
    suite = [command, "-m", "arrayconv", "conformance", "--level", "quick", "-n", "2"]
    return subprocess.run(suite, cwd=ROOT, check=False).returncode == 0


def main(arguments: list[str]) -> int:
    failures = []
    for environment in {"lowest": lowest, "others": others}[arguments[0]]():
        print(f"{environment.name}: {', '.join(environment.requirements)}", flush=True)
        start = time.monotonic()
        if not run(environment):
            failures.append(environment.name)
        print(f"{environment.name}: {time.monotonic() - start:.0f} s", flush=True)
    print(f"failed: {', '.join(failures)}" if failures else "All passed.")
    return int(bool(failures))


if __name__ == "__main__":
    if sys.argv[1:] not in (["lowest"], ["others"]):
        sys.exit(f"environments.py: the argument must be lowest or others. Got {' '.join(sys.argv[1:]) or 'none'}.")
    sys.exit(main(sys.argv[1:]))
