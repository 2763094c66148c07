"""The outcome of every test as JSON, for `--report FILE`."""

import json
from pathlib import Path

from .claims import PREFIX


class Report:
    """Collects test reports while pytest runs, and writes them at the end."""

    def __init__(self, path, facts):
        self.path, self.facts, self.tests = Path(path), facts, {}

    def pytest_runtest_logreport(self, report):
        row = self.tests.setdefault(report.nodeid, {"outcome": "passed", "seconds": 0.0})
        row["seconds"] = round(row["seconds"] + report.duration, 6)
        if report.outcome != "passed":
            expected = hasattr(report, "wasxfail")
            row["outcome"] = "xfailed" if expected else report.outcome
            row["why"] = report.wasxfail if expected else _text(report)

    def pytest_sessionfinish(self):
        rows = [{**_named(nodeid), **row} for nodeid, row in self.tests.items()]
        unclaimed = sum(row.get("why", "").startswith(f"Skipped: {PREFIX}") for row in rows)
        self.path.write_text(json.dumps({**self.facts, "not_claimed": unclaimed, "tests": rows}, indent=1) + "\n")


def _named(nodeid):
    path, _, rest = nodeid.partition("::")
    test, _, case = rest.partition("[")
    return {"file": path.rsplit("/", 1)[-1], "test": test, "case": case.removesuffix("]")}


def _text(report):
    if isinstance(report.longrepr, tuple):  # a skip: path, line, reason
        return str(report.longrepr[2])
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr)
