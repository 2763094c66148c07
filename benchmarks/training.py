"""Train the network of examples/13_digits.py on several libraries' arrays: ``python -m benchmarks.training``.

What `make train` runs: it draws the losses and, with `--json`, writes times, accuracies and differences of the losses.
"""

import argparse
import importlib.util
import sys
from pathlib import Path

import numpy as np

from benchmarks import files, provenance

SCRIPT = Path(__file__).parents[1] / "examples/13_digits.py"
PACKAGES = ("arrayconv", "numpy", "torch", "jax")


def example():
    """Return the example's module."""
    spec = importlib.util.spec_from_file_location("thirteen_digits", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(SCRIPT.parent))  # as for a script that is run
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(SCRIPT.parent))
    return module


def rows(digits, results):
    """Return a row for each library; the difference is the largest relative one of a step's loss from the first's."""
    first = next(iter(results.values()))
    return [
        {
            "library": name,
            "seconds": round(result.seconds, 2),
            "loss": float(result.losses[-1]),
            "accuracy": result.accuracy,
            "difference": float(np.max(digits.difference(result, first))),
        }
        for name, result in results.items()
    ]


def main(argv=None):
    digits = example()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=digits.STEPS)
    parser.add_argument("--libraries", nargs="+", default=["numpy", "torch", "jax"], choices=digits.LIBRARIES)
    parser.add_argument("--picture", type=Path, help="where to draw the losses and the filters")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args(argv)
    run = provenance.Run(PACKAGES)
    results = digits.compare(options.libraries, options.steps)
    if options.picture:
        digits.draw(results, options.picture)
    if options.json:
        facts = {"steps": options.steps, "agreement": digits.AGREEMENT, "rows": rows(digits, results)}
        files.write(options.json, run.result(**facts))


if __name__ == "__main__":
    main()
