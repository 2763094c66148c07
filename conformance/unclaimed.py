"""Tests that a target's claims exclude: skipped before they run where a mark says what they require, and counted."""

from collections import Counter

import pytest

from . import claims


class Unclaimed:
    """A pytest plugin: the mark `requires`, and the count of each reason at the end."""

    def __init__(self, target):
        self.target, self.counts = target, Counter()

    def pytest_runtest_setup(self, item):
        words = {word for mark in item.iter_markers("requires") for word in mark.args}
        if missing := words - self.target.claims:
            claims.skip(missing)

    def pytest_runtest_logreport(self, report):
        if "/meta/" not in report.nodeid and report.skipped and isinstance(report.longrepr, tuple):
            reason = str(report.longrepr[2]).removeprefix("Skipped: ")
            if reason.startswith(claims.PREFIX):
                self.counts[reason.removeprefix(claims.PREFIX)] += 1

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter):
        if self.counts:
            terminalreporter.section(f"conformance: {sum(self.counts.values())} tests not claimed")
            for words, count in self.counts.most_common():
                terminalreporter.line(f"{count:5} {words}")
