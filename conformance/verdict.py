"""The exit status of a run: 0 only if a test of the suite ran and all that ran passed."""

import pytest

from . import totals
from .outcomes import LOST

NOTHING_RAN = 6  # pytest's own end at 5


class Verdict:
    """Sets the exit status last, prints the totals, and writes the report if there is one to write."""

    def __init__(self, outcomes, report=None):
        self.outcomes, self.report = outcomes, report

    @property
    def shows_nothing(self):
        tests = self.outcomes.tests()
        return bool(tests) and all(row["outcome"] == "skipped" for row in tests)

    def status(self, exitstatus):
        """The exit status, given pytest's own."""
        if exitstatus != pytest.ExitCode.OK:
            return exitstatus
        if any(row["outcome"] == "failed" or row.get("why") == LOST for row in self.outcomes.tests()):
            return pytest.ExitCode.TESTS_FAILED
        return NOTHING_RAN if self.shows_nothing else exitstatus

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session, exitstatus):
        self.outcomes.finish()
        session.exitstatus = self.status(exitstatus)
        if self.report is not None:
            self.report.write(self.outcomes, int(session.exitstatus))

    def pytest_terminal_summary(self, terminalreporter):
        tests = self.outcomes.tests()
        if self.shows_nothing:
            terminalreporter.section("conformance: no test ran", red=True)
        elif tests:
            terminalreporter.section("conformance: totals")
            for line in totals.lines(tests):
                terminalreporter.line(line)
        for row in totals.not_run(tests):
            terminalreporter.line(f"not run: {row['tests']} tests. {row['reason']}")
        if self.report is not None and tests:
            terminalreporter.line(f"report: {', '.join(map(str, self.report.paths))}")
