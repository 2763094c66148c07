"""Change the package in one place at a time, and see whether a test fails: ``python -m tools.mutate``.

One process imports everything and collects the tests of `table.FILES`. It first runs them all, to learn which statement
each test runs. Then a forked child per mutant changes one function in memory, and runs the tests that run the changed
statement: those of the module's subject first, then the quickest of each file, up to the first failure. No file of the
checkout changes. `--loops` compiles a changed C source for one level of processors, and runs its tests.

A mutant that no test detects is a survivor, unless `equivalents.txt` says why it computes the same. Exit status: 0
without other survivors, 1 with some, 2 for wrong arguments or where nothing can be learned.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Sequence

import pytest

from tools.mutate import figures, loops, operators, table
from tools.mutate.operators import Mutant
from tools.mutate.run import ROOT, Run, modules


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.mutate", description=__doc__.split("\n")[0])
    parser.add_argument("--modules", nargs="+", metavar="FILE", help="parts of paths below the checkout; default: all")
    parser.add_argument("--sample", type=int, metavar="N", help="mutants chosen at random; default: all")
    parser.add_argument("--seed", type=int, default=0, help="of the choice")
    parser.add_argument("--minutes", type=float, default=20.0, help="no mutant starts later; default: 20")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="children at a time")
    parser.add_argument("--loops", action="store_true", help="the C sources, a compilation each, instead of modules")
    parser.add_argument("--json", metavar="FILE", help="write every mutant and its outcome to FILE")
    parser.add_argument("--rows", type=int, default=table.ROWS, help="of a parametrized test, chosen at random")
    parser.add_argument("--seconds", type=float, default=15, help="of tests for a mutant, as they take without it")
    parser.add_argument("--level", default="avx512", help="of processors, of the C sources")
    parser.add_argument("--again", metavar="FILE", help="the survivors in a FILE that --json wrote; its others count")
    parser.add_argument(
        "--tests", nargs="+", metavar="FILE", help="files whose tests may all run; default: the table's"
    )
    parser.add_argument("--page", action="store_true", help=f"write the figures to {figures.PAGE}")
    options = parser.parse_args(arguments)
    selected = choose(options)
    run = Run(options, selected)
    if not selected and not options.again:
        parser.error(f"no module has {options.modules} in its path")
    if not selected:  # no survivor is left
        return report(run, options)
    if options.json:
        run.on_outcome = lambda: figures.save(options.json, options.again, run.outcomes)
    files = [str(ROOT / file) for file in options.tests or (loop_tests(selected) if options.loops else table.FILES)]
    files.append(str(ROOT / table.CONFORMANCE))  # last, since pytest runs a file once; the suite has the options
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # as many processes as processors
    os.chdir(ROOT)
    status = pytest.main([*table.OPTIONS, *files], plugins=[run])
    if status or run.problem:
        print(run.problem or f"pytest ended with {status}", file=sys.stderr)
        return 2
    return report(run, options)


def choose(options: argparse.Namespace) -> list[Mutant]:
    """Return the mutants that run, in the order in which they do."""
    if options.loops:
        files, of = sorted((ROOT / loops.FOLDER).glob("*.[ch]")), loops.mutants
    else:
        files, of = modules(), operators.mutants
    names = [file.relative_to(ROOT).as_posix() for file in files]
    selected = [name for name in names if not options.modules or any(part in name for part in options.modules)]
    population = [mutant for name in selected for mutant in of(ROOT, name)]
    if options.again:
        survivors = {mutant.key for mutant, status in figures.earlier(options.again).items() if status == "survived"}
        population = [mutant for mutant in population if mutant.key in survivors]
    random.Random(options.seed).shuffle(population)
    return population[: options.sample]


def loop_tests(mutants: Sequence[Mutant]) -> list[str]:
    """Return the files of tests of some C sources."""
    return list(dict.fromkeys(file for mutant in mutants for file in table.loop_tests(mutant.file)))


def report(run: Run, options: argparse.Namespace) -> int:
    """Print the figures of each module, then the survivors; return the exit status."""
    statuses = figures.merged(options.again, run.outcomes)
    for line in figures.lines(statuses):
        print(line)
    survivors = sorted(mutant for mutant, status in statuses.items() if status == "survived")
    print("", *survivors, sep="\n")
    if len(run.outcomes) < len(run.mutants):
        print(f"{len(run.mutants) - len(run.outcomes)} mutants did not run: --minutes is over")
    if options.page:
        figures.write(ROOT, statuses)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
