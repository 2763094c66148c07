"""The exit status of a run in which no test of the suite ran: no failure, but no success either."""

import pytest

NOTHING_RAN = 6  # pytest's own end at 5


class Verdict:
    """Counts the tests that ran, and sets the exit status last."""

    def __init__(self):
        self.ran, self.reasons = 0, set()

    def pytest_runtest_logreport(self, report):
        if "/meta/" in report.nodeid:  # which test the suite, not the backend
            return
        if report.skipped and not hasattr(report, "wasxfail"):
            self.reasons.add(str(report.longrepr[2]).removeprefix("Skipped: "))
        elif report.when == "call" or report.failed:
            self.ran += 1

    @property
    def shows_nothing(self):
        return not self.ran and bool(self.reasons)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session, exitstatus):
        if exitstatus == pytest.ExitCode.OK and self.shows_nothing:
            session.exitstatus = NOTHING_RAN

    def pytest_terminal_summary(self, terminalreporter):
        if self.shows_nothing:
            terminalreporter.section("conformance: no test ran", red=True)
            for reason in sorted(self.reasons):
                terminalreporter.line(reason)
