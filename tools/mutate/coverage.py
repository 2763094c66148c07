"""Which test runs which statement, and in how many seconds: measured once for a file of tests, then cached."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any

from tools.mutate import children, table
from tools.mutate.children import Job

FOLDER = Path(tempfile.gettempdir()) / "arrayconv-mutate"  # measurements of earlier runs
SECONDS = 3600  # for all tests

Row = tuple[float, bool, dict[str, list[int]]]  # seconds, failed, lines by path


class Coverage:
    """What every test did without a mutant."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.seconds = [seconds for seconds, _, _ in rows]
        self.failed = {number for number, (_, failed, _) in enumerate(rows) if failed}
        self._numbers: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        for number, (_, failed, lines) in enumerate(rows):
            for path in () if failed else lines:
                for line in lines[path]:
                    self._numbers[path][line].add(number)

    def numbers(self, path: str, line: int) -> set[int]:
        """Return the tests that run the statement of a line; those that run any of the file for line 0."""
        lines = self._numbers[path]
        return set().union(*lines.values()) if line == 0 else lines.get(line, set())


def measure(root: Path, items: Sequence[Any], functions: dict[str, list[FunctionType]], jobs: int) -> Coverage:
    """Return what the tests do; raises RuntimeError where a process that ran them ended early."""
    numbers: dict[Path, list[int]] = defaultdict(list)
    for number, item in enumerate(items):
        numbers[item.path].append(number)
    common = _common(root, sorted(functions))
    caches = {file: FOLDER / f"{_digest(common, file, [items[n] for n in of])}.json" for file, of in numbers.items()}
    FOLDER.mkdir(exist_ok=True)
    missing = [file for file, path in caches.items() if not path.exists()]
    work = [Job(file, _job([items[n] for n in numbers[file]], functions), SECONDS) for file in missing]
    for file, outcome in children.run_all(work, jobs, time.monotonic() + SECONDS):
        if not outcome.text.startswith("["):
            raise RuntimeError(f"{file} without a mutant: {outcome}")
        caches[file].write_text(outcome.text)
    rows: list[Row] = [(0.0, False, {})] * len(items)
    for file, of in numbers.items():
        for number, row in zip(of, json.loads(caches[file].read_text()), strict=True):
            rows[number] = row
    for number, (seconds, failed, _) in enumerate(rows):
        if failed:
            print(f"left out: {items[number].nodeid} fails without a mutant, after {seconds:.1f} s")
    return Coverage(rows)


def _job(items: Sequence[Any], functions: dict[str, list[FunctionType]]) -> Callable[[], str]:
    """Return a function that runs tests and returns their rows as text."""

    def measure() -> str:
        marks = {path: children.Marks() for path in functions}
        for path, lines in marks.items():
            children.mark_statements(functions[path], path, lines)
        caches = sys.modules["arrayconv._runtime.caches"]
        rows: list[Row] = []

        def on_test(seconds: float, failed: bool) -> None:
            rows.append((seconds, failed, {path: sorted(lines) for path, lines in marks.items() if lines}))
            for lines in marks.values():
                lines.clear()
            caches.clear()  # so that the next test plans anew

        children.run_tests(items, [table.TEST_SECONDS] * len(items), on_test)
        return json.dumps(rows)

    return measure


def _common(root: Path, paths: Sequence[str]) -> bytes:
    """Return a digest of what all tests depend on: the sources and everything but the tests."""
    digest = hashlib.sha256(repr((paths, table.EXAMPLES, table.TEST_SECONDS)).encode())
    files = [path for folder in ("arrayconv", "tests", "conformance") for path in (root / folder).rglob("*")]
    for path in sorted([*files, Path(__file__)]):
        if path.suffix in (".py", ".c", ".h") and not path.name.startswith("test_"):
            digest.update(path.read_bytes())
    return digest.digest()


def _digest(common: bytes, file: Path, items: Sequence[Any]) -> str:
    names = repr([item.nodeid for item in items]).encode()
    return hashlib.sha256(common + names + file.read_bytes()).hexdigest()[:24]
