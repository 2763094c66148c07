"""A plugin of pytest that runs mutants instead of the tests that were collected."""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tools.mutate import children, coverage, figures, loops, operators, table
from tools.mutate.children import Job, Outcome
from tools.mutate.operators import Mutant

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 5  # a test that takes so many times as long, and a second more, is in an endless loop
SLACK, LOAD = 60, 5  # seconds, and times as long on a busy machine, until a child is ended


def modules() -> list[Path]:
    """Return the Python files of the table."""
    paths = [ROOT / entry for entry in table.MODULES]
    return [file for path in paths for file in ([path] if path.is_file() else sorted(path.glob("*.py")))]


class Run:
    """The mutants of a run and their outcomes."""

    def __init__(self, options: argparse.Namespace, mutants: list[Mutant]) -> None:
        self.options, self.mutants = options, mutants
        self.outcomes: dict[Mutant, Outcome] = {}
        self.problem = ""
        self.on_outcome: Callable[[], None] = lambda: None  # called after each mutant
        self.kills: Counter[int] = Counter()
        self.paths = set() if options.loops else {str(path) for path in modules()}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        if not self.options.loops and not self.options.tests:
            items[:] = [item for item in items if not any(word in item.nodeid for word in table.EXCLUDED_WORDS)]
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
        session.config.pluginmanager.unregister(name="conformance-verdict")  # on tests that did not run
        self.items = session.items
        self.functions = children.functions_of(self.paths)
        with tempfile.TemporaryDirectory(prefix="mutate-") as folder:
            try:
                self._measure(Path(folder))
            except RuntimeError as problem:
                self.problem = str(problem)
                return True
            deadline = time.monotonic() + 60 * self.options.minutes
            known = figures.equivalents()
            self.outcomes = {mutant: Outcome("passed", "", 0.0) for mutant in self.mutants if mutant.key in known}
            jobs = (self._job(mutant) for mutant in self.mutants if mutant.key not in known)
            for mutant, outcome in children.run_all(jobs, self.options.jobs, deadline):
                self._note(mutant, outcome)
                self.on_outcome()
        return True

    def _measure(self, folder: Path) -> None:
        """Run all tests without a mutant."""
        if self.options.loops:
            self.libraries = loops.Libraries(ROOT, self.options.level, folder)
        self.coverage = coverage.measure(ROOT, self.items, self.functions, self.options.jobs)
        print(f"\n{len(self.items)} tests take {sum(self.coverage.seconds):.0f} s", flush=True)

    def tests_for(self, mutant: Mutant) -> list[int]:
        """Return the numbers of the tests of one mutant, in order."""
        if self.options.loops:
            first = table.loop_tests(mutant.file)
            candidates = [n for n in range(len(self.items)) if n not in self.coverage.failed and self._file(n) in first]
        else:
            first = next(tests for entry, tests in table.MODULES.items() if mutant.file.startswith(entry))
            candidates = list(self.coverage.numbers(str(ROOT / mutant.file), mutant.start))
        seconds = self.coverage.seconds
        order: list[tuple[tuple[int, ...], int]] = []
        rows: Counter[str] = Counter()
        for number in sorted(candidates, key=seconds.__getitem__):
            file = self._file(number)
            rows[file] += 1  # the first of each file, then the second ...
            is_late = self.kills[number] == 0 and file not in first
            order.append(((is_late, -self.kills[number], rows[file]), number))
        numbers, total = [], 0.0
        for _, number in sorted(order):
            if total + seconds[number] <= self.options.seconds:
                numbers.append(number)
                total += seconds[number]
        return numbers

    def _file(self, number: int) -> str:
        return self.items[number].path.relative_to(ROOT).as_posix()

    def _job(self, mutant: Mutant) -> Job:
        numbers = self.tests_for(mutant)
        seconds = [1 + PATIENCE * self.coverage.seconds[number] for number in numbers]
        limit = SLACK + LOAD * sum(seconds) + loops.SECONDS * self.options.loops
        return Job(mutant, lambda: self._run(mutant, [self.items[number] for number in numbers], seconds), limit)

    def _run(self, mutant: Mutant, items: list[Any], seconds: Sequence[float]) -> str:
        if not items:
            return ""
        if self.options.loops:
            if not self.libraries.use(mutant):
                return loops.INVALID
            return children.run_tests(items, seconds) or loops.run_guarded(mutant)
        code, path = operators.compiled(ROOT, mutant), str(ROOT / mutant.file)
        if not mutant.function:
            children.replace_module(path, code)
        elif not children.replace_functions(self.functions[path], code):
            return loops.INVALID  # the same code
        return children.run_tests(items, seconds)

    def _note(self, mutant: Mutant, outcome: Outcome) -> None:
        self.outcomes[mutant] = outcome
        if outcome.status == "passed":
            print(f"survivor {mutant} | {len(self.tests_for(mutant))} tests", flush=True)
        for number, item in enumerate(self.items):
            if item.nodeid == outcome.text:
                self.kills[number] += 1
