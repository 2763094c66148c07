"""The JSON files of results: benchmarks/results/NAME.json, one for each measuring script, or for each library of one.

Folders inside are of other machines.
"""

import json
from pathlib import Path

from benchmarks.problems import EVERYWHERE

FOLDER = Path(__file__).parent / "results"
REMEMBERED = "remembered"  # what `remembered` writes
DOORS = "doors-{}"  # what `doors` writes for each library


def write(file, result):
    """Write the result of a run."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(result, indent=1) + "\n")
    print(f"wrote {file}")


def read(name, folder=FOLDER):
    """Return the result of that name, None if there is none."""
    file = folder / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() else None


def of_run(folder=FOLDER):
    """Return the results of `run`, a list with one for each library."""
    return [result for library in EVERYWHERE if (result := read(library, folder))]


def of_doors(folder=FOLDER):
    """Return the results of `doors`, a list with one for each library."""
    return [result for library in EVERYWHERE if (result := read(DOORS.format(library), folder))]


def of_others(folder=FOLDER):
    """Return the results of `run` on other machines, a list for each."""
    return [each for path in sorted(folder.iterdir()) if path.is_dir() and (each := of_run(path))]
