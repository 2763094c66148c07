"""How much `make` installs: packages and bytes of a new environment, `python -m benchmarks.installs [--json FILE]`.

The environment is created beside the temporary files and removed: gigabytes are downloaded and written. The package
itself stays in its checkout, as for `make`.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from benchmarks import files, provenance

ROOT = Path(__file__).parents[1]
LISTS = ("demo", "test")  # extras of pyproject.toml that the targets of the same names install
MB = 1e6


def requirements(extra):
    """Return what the package requires with an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project["dependencies"] + project["optional-dependencies"][extra]


def measure(extra, folder):
    """Return the row of an extra: packages and bytes of an environment with it, and the seconds that took."""
    started = time.perf_counter()
    python = Path(folder, extra, "bin/python")
    subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
    pip = [str(python), "-I", "-m", "pip", "--disable-pip-version-check"]  # without packages of PYTHONPATH
    command = [*pip, "install", "--quiet", "-c", str(ROOT / "constraints.txt"), *requirements(extra)]
    subprocess.run(command, check=True)
    seconds = time.perf_counter() - started
    listed = subprocess.run([*pip, "list", "--format=freeze"], check=True, capture_output=True, text=True)
    size = sum(path.lstat().st_blocks * 512 for path in python.parents[1].rglob("*"))
    return {"list": extra, "packages": len(listed.stdout.split()), "bytes": size, "seconds": round(seconds, 1)}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lists", nargs="+", choices=LISTS, default=LISTS)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args(argv)
    run, rows = provenance.Run(("pip",)), []
    for extra in options.lists:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(measure(extra, folder))
        print("{list}: {packages} packages, {mb:.0f} MB, {seconds:.0f} s".format(mb=rows[-1]["bytes"] / MB, **rows[-1]))
    if options.json:
        files.write(options.json, run.result(rows=rows))


if __name__ == "__main__":
    main()
