"""The figures of runs as data: how many ids of each function passed, failed and were skipped, on each library.

A file of them is written by `tools/parity.py --json FILE`, where a run replaces the functions that it ran.
"""

import datetime
import importlib.metadata
import json
from collections import Counter, defaultdict

from parity.scope import is_selected

ALL = "all"  # of the functions together, where none is named
PACKAGES = {"jax.numpy": "jax"}  # of a backend, where it has another name


def record(path, suite, version, backend, results, names):
    """Put the figures of one run into a file: those of the functions named, of all for None."""
    figures = json.loads(path.read_text()) if path.exists() else {}
    own = figures.setdefault(suite, {}).setdefault(backend, {})
    stamp = {"date": datetime.date.today().isoformat(), suite: version, backend: library_version(backend)}
    rows = {name: row for name, row in by_function(results).items() if not names or is_among(name, names)}
    own.update({name: {**row, **stamp} for name, row in rows.items()})
    figures[suite][backend] = dict(sorted(own.items()))
    path.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n")


def is_among(name, names):
    return name != ALL and is_selected([name], names)


def by_function(results):
    """Return {function: passed, skipped, the ids that failed, whether some ids of a test did not run}, and of ALL."""
    outcomes, failed, thinned = defaultdict(Counter), defaultdict(list), set()
    for test, row in results.items():
        for name in (*row["functions"], ALL):
            outcomes[name][row["outcome"]] += 1
            if row["outcome"] == "failed":
                failed[name].append(test)
            if row["thinned"]:
                thinned.add(name)
    return {
        name: {
            "passed": ids["passed"],
            "skipped": ids["skipped"],
            "failed": sorted(failed[name]),
            "thinned": name in thinned,
        }
        for name, ids in outcomes.items()
    }


def library_version(backend):
    return importlib.metadata.version(PACKAGES.get(backend, backend))
