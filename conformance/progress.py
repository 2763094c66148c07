"""Progress with the time left, in place of pytest's dots: a bar if rich is installed, else plain lines.

Nothing is printed where stderr is no terminal, such as in the log of a CI job.
"""

import sys
import time
from importlib.util import find_spec

import pytest

PLAIN_SECONDS = 5  # between two plain lines


class Progress:
    """Counts the tests that ended."""

    def __init__(self, deadline=None):
        self.total, self.ended, self.failed, self.deadline = 0, 0, 0, deadline
        self.start = self.shown = time.monotonic()  # later that of the first test
        self.bar = self.task = None
        self.is_terminal = sys.stderr.isatty()

    def pytest_report_teststatus(self, report):
        """Print no letter per test; the categories are pytest's own."""
        if hasattr(report, "wasxfail"):
            return None
        if report.passed:
            return ("passed" if report.when == "call" else "", "", "")
        return ("skipped" if report.skipped else "failed" if report.when == "call" else "error", "", "")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session):
        """Print what runs and the seed: the header is not there at pytest's -q."""
        for line in session.config.hook.pytest_report_header(config=session.config, start_path=session.startpath):
            if isinstance(line, str) and line.startswith("conformance: "):
                print(line, flush=True)

    def pytest_collection_finish(self, session):
        self._begin(len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids):
        self._begin(len(ids))

    def _begin(self, total):
        self.start, self.total = time.monotonic(), max(self.total, total)
        if self.bar is None and total and self.is_terminal and find_spec("rich") is not None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            self.bar = Progress(
                BarColumn(), TextColumn("{task.description}"), console=Console(stderr=True), transient=True
            )
            self.task = self.bar.add_task("", total=self.total)
            self.bar.start()

    def pytest_runtest_logreport(self, report):
        self.failed += report.failed
        if report.when != "teardown":
            return
        self.ended += 1
        if self.bar is not None:
            self.bar.update(self.task, completed=self.ended, description=self.text())
        elif self.is_terminal and time.monotonic() - self.shown > PLAIN_SECONDS:
            self.shown = time.monotonic()
            print(self.text(), file=sys.stderr, flush=True)

    def text(self):
        """Such as `680 of 1742 tests, 0 failed, 12 s, about 18 s left`."""
        seconds = time.monotonic() - self.start
        left = seconds / max(self.ended, 1) * (self.total - self.ended)
        if self.deadline is not None:
            left = min(left, max(self.deadline - time.time(), 0))
        return f"{self.ended} of {self.total} tests, {self.failed} failed, {seconds:.0f} s, about {left:.0f} s left"

    def pytest_sessionfinish(self):
        if self.bar is not None:
            self.bar.stop()
