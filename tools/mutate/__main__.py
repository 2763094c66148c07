"""Change the package in one place at a time, and see whether a test fails: ``python -m tools.mutate``.

One process imports everything and collects the tests of `table.FILES`. It first runs them all, to learn which function
each test calls. Then a forked child per mutant changes one function in memory, and runs the tests that call it: those
of the module's subject first, then the quickest of each file, up to the first failure. No file of the checkout changes.

A mutant that no test detects is a survivor, unless `equivalents.txt` says why it computes the same. Exit status: 0
without other survivors, 1 with some, 2 for wrong arguments or where a test fails without any change.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tools.mutate import children, loops, operators, table
from tools.mutate.children import Job, Outcome
from tools.mutate.operators import Mutant

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENTS = Path(__file__).parent / "equivalents.txt"
TESTS_SECONDS = 15  # of the tests that run for one mutant, as they take without it
PATIENCE = 5  # times as long, and 20 s more, is an endless loop
COMPILATION = 300  # seconds, of the C sources


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
    parser.add_argument("--again", metavar="FILE", help="the survivors in a FILE that --json wrote")
    parser.add_argument("--tests", nargs="+", metavar="FILE", help="files of tests that may run; default: the table's")
    options = parser.parse_args(arguments)
    selected = choose(options)
    if not selected:
        parser.error(f"no module has {options.modules} in its path")
    run = Run(options, selected)
    files = [str(ROOT / file) for file in options.tests or (table.LOOPS if options.loops else table.FILES)]
    files.append(str(ROOT / table.CONFORMANCE))  # last, since pytest runs a file once; the suite has the options
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # as many processes as processors
    os.chdir(ROOT)
    status = pytest.main([*table.OPTIONS, *files], plugins=[run])
    if status or run.problem:
        print(run.problem or f"pytest ended with {status}", file=sys.stderr)
        return 2
    return report(run, options.json)


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
        rows = json.loads(Path(options.again).read_text())
        survivors = {(row["file"], row["function"], row["change"]) for row in rows if row["status"] == "survived"}
        population = [mutant for mutant in population if (mutant.file, mutant.function, mutant.change) in survivors]
    random.Random(options.seed).shuffle(population)
    return population[: options.sample]


def modules() -> list[Path]:
    """Return the Python files of the table."""
    paths = [ROOT / entry for entry in table.MODULES]
    return [file for path in paths for file in ([path] if path.is_file() else sorted(path.glob("*.py")))]


class Run:
    """A plugin of pytest that runs mutants instead of the tests that were collected."""

    def __init__(self, options: argparse.Namespace, mutants: list[Mutant]) -> None:
        self.options, self.mutants = options, mutants
        self.outcomes: dict[Mutant, Outcome] = {}
        self.problem = ""
        self.deadline = time.monotonic() + 60 * options.minutes
        self.calls: dict[tuple[str, int], list[int]] = defaultdict(list)  # function -> numbers of tests that call it
        self.seconds: list[float] = []  # of each test
        self.kills: Counter[int] = Counter()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = [
            item
            for item in items
            if self.options.loops or not any(word in item.nodeid for word in table.EXCLUDED_WORDS)
        ]
        rows: dict[tuple[Path, str], list[Any]] = defaultdict(list)
        for item in items:
            rows[item.path, item.originalname].append(item)
        sample = {
            row for test in rows.values() for row in random.Random(0).sample(test, min(len(test), self.options.rows))
        }
        items[:] = [item for item in items if item in sample]
        for item in items:
            if hasattr(item.obj, "hypothesis"):
                own = item.obj._hypothesis_internal_use_settings
                few = settings(own, max_examples=min(own.max_examples, table.EXAMPLES), derandomize=True, database=None)
                getattr(item.obj, "__func__", item.obj)._hypothesis_internal_use_settings = few

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool:
        self.items = session.items
        self.paths = set() if self.options.loops else {str(path) for path in modules()}
        self.functions = children.functions_of(self.paths)
        self._map_tests()
        if not self.problem:
            for mutant, outcome in children.run_all(map(self._job, self.mutants), self.options.jobs, self.deadline):
                self._note(mutant, outcome)
        return True

    # ---- which test calls which function ----

    def _map_tests(self) -> None:
        """Run all tests once, in a child per part of them."""
        parts = [range(part, len(self.items), self.options.jobs) for part in range(self.options.jobs)]
        self.seconds = [0.0] * len(self.items)
        texts: dict[range, str] = {}
        cached = Path(tempfile.gettempdir()) / f"mutate-{self._digest()}.json"  # of an earlier run
        if cached.exists():
            texts = dict(zip(parts, json.loads(cached.read_text()), strict=True))
            parts = []
        jobs = [Job(part, lambda part=part: json.dumps(self._calls_of(part)), 3600) for part in parts]
        for part, outcome in children.run_all(jobs, self.options.jobs, self.deadline):
            if not outcome.text.startswith("["):
                self.problem = f"without a mutant: {outcome}"
                return
            texts[part] = outcome.text
        cached.write_text(json.dumps([texts[part] for part in sorted(texts, key=lambda part: part.start)]))
        for part, text in texts.items():
            for number, (seconds, failed, called) in zip(part, json.loads(text), strict=True):
                self.seconds[number] = seconds
                if failed:
                    print(f"left out: {self.items[number].nodeid} fails without a mutant, after {seconds:.1f} s")
                for file, line in [] if failed else called:
                    self.calls[file, line].append(number)
        print(f"\n{len(self.items)} tests take {sum(self.seconds):.0f} s", flush=True)
        self.deadline = time.monotonic() + 60 * self.options.minutes

    def _digest(self) -> str:
        """Return a name of the sources, of the tests and of what is asked of them."""
        digest = hashlib.sha256(repr((sorted(self.paths), self.options.jobs, [i.nodeid for i in self.items])).encode())
        for folder in ("arrayconv", "tests", "conformance"):
            for path in sorted((ROOT / folder).rglob("*.py")):
                digest.update(path.read_bytes())
        return digest.hexdigest()[:16]

    def _calls_of(self, numbers: Sequence[int]) -> list[Any]:
        caches = sys.modules["arrayconv._runtime.caches"]
        marks = {path: children.Marks() for path in self.paths}
        for path in self.paths:
            children.note_calls(self.functions[path], path, marks[path])
        tests: list[Any] = []

        def on_test(seconds: float, failed: bool) -> None:
            tests.append((seconds, failed, [(path, line) for path in marks for line in marks[path]]))
            for lines in marks.values():
                lines.clear()
            caches.clear()  # so that the next test plans anew

        children.run_tests([self.items[number] for number in numbers], on_test, table.TEST_SECONDS)
        return tests

    def _tests_for(self, mutant: Mutant) -> list[int]:
        """Return the numbers of the tests of one mutant, in order."""
        path = str(ROOT / mutant.file)
        calling = set(self.calls.get((path, mutant.start), ()))
        if self.options.loops:
            first, calling = table.LOOPS, {n for n, item in enumerate(self.items) if self._file(item) in table.LOOPS}
        else:
            first = next(tests for entry, tests in table.MODULES.items() if mutant.file.startswith(entry))
            if not mutant.function:
                calling = {number for (file, _), numbers in self.calls.items() if file == path for number in numbers}
        order: list[tuple[tuple[int, ...], int]] = []
        rows: Counter[str] = Counter()
        for number in sorted(calling, key=self.seconds.__getitem__):
            file = self._file(self.items[number])
            rows[file] += 1  # the first of each file, then the second ...
            is_late = self.kills[number] == 0 and file not in first
            order.append(((is_late, -self.kills[number], rows[file]), number))
        numbers, total = [], 0.0
        for _, number in sorted(order):
            if total + self.seconds[number] <= TESTS_SECONDS:
                numbers.append(number)
                total += self.seconds[number]
        return numbers

    def _file(self, item: Any) -> str:
        return item.path.relative_to(ROOT).as_posix()

    # ---- one mutant ----

    def _job(self, mutant: Mutant) -> Job:
        numbers = self._tests_for(mutant)
        seconds = 20 + PATIENCE * sum(self.seconds[number] for number in numbers) + COMPILATION * self.options.loops
        return Job(mutant, lambda: self._run(mutant, [self.items[number] for number in numbers]), seconds)

    def _run(self, mutant: Mutant, items: list[Any]) -> str:
        if not items:
            return ""
        if self.options.loops:
            return loops.faulty_loops(ROOT, mutant, lambda: children.run_tests(items))
        code, path = operators.compiled(ROOT, mutant), str(ROOT / mutant.file)
        if not mutant.function:
            children.replace_module(path, code)
        elif not children.replace_functions(self.functions[path], code):
            return loops.INVALID  # the same code
        return children.run_tests(items)

    def _note(self, mutant: Mutant, outcome: Outcome) -> None:
        self.outcomes[mutant] = outcome
        if outcome.status == "passed":
            print(f"survivor {mutant} | {len(self._tests_for(mutant))} tests", flush=True)
        for number, item in enumerate(self.items):
            if item.nodeid == outcome.text:
                self.kills[number] += 1


def equivalents() -> set[tuple[str, str, str]]:
    """Return (file, function, change) of the mutants that are known to compute the same."""
    blocks = [line.split(" | ") for line in EQUIVALENTS.read_text().splitlines() if line and not line.startswith("#")]
    return {(block[0], block[1], block[2]) for block in blocks}


def report(run: Run, path: str | None) -> int:
    """Print the figures of each module, then the survivors; return the exit status."""
    known = equivalents()
    statuses = {mutant: _status(mutant, outcome, known) for mutant, outcome in run.outcomes.items()}
    by_file: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant, status in statuses.items():
        by_file[mutant.file][status] += 1
        by_file["all"][status] += 1
    print(f"\n{'module':40} mutants  caught  equivalent  survivors")
    for file, counts in sorted(by_file.items(), key=lambda entry: (entry[0] == "all", entry[0])):
        total = sum(counts.values()) - counts["invalid"]
        print(f"{file:40} {total:7} {counts['caught']:7} {counts['equivalent']:11} {counts['survived']:10}")
    survivors = sorted(mutant for mutant, status in statuses.items() if status == "survived")
    print("", *survivors, sep="\n")
    if len(statuses) < len(run.mutants):
        print(f"{len(run.mutants) - len(statuses)} mutants did not run: --minutes is over")
    if path:
        rows = [
            {**m._asdict(), "status": statuses[m], "by": o.text, "seconds": round(o.seconds, 2)}
            for m, o in run.outcomes.items()
        ]
        Path(path).write_text(json.dumps(rows, indent=1))
    return 1 if survivors else 0


def _status(mutant: Mutant, outcome: Outcome, known: set[tuple[str, str, str]]) -> str:
    if outcome.text == loops.INVALID:
        return "invalid"
    if outcome.status != "passed":
        return "caught"
    return "equivalent" if (mutant.file, mutant.function, mutant.change) in known else "survived"


if __name__ == "__main__":
    sys.exit(main())
