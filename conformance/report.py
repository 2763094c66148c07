"""The report of a run as JSON, and as one page of HTML; README.md documents the schema."""

import json
import platform
import time
from datetime import UTC, datetime
from pathlib import Path

from . import page, totals

SCHEMA = "arrayconv.conformance/1"


class Report:
    """Writes FILE.json, or report.json and report.html of a folder."""

    def __init__(self, path):
        path = Path(path)
        self.json = path if path.suffix == ".json" else path / "report.json"
        self.html = None if path.suffix == ".json" else path / "report.html"
        self.started, self.start = datetime.now(UTC).isoformat(timespec="seconds"), time.perf_counter()

    @property
    def paths(self):
        return [path for path in (self.json, self.html) if path is not None]

    def write(self, outcomes, status):
        run = document(outcomes, status) | {
            "started": self.started,
            "seconds": round(time.perf_counter() - self.start, 1),
        }
        save(run, self.json, self.html)


def document(outcomes, status):
    """The run as a dictionary; the totals are sums over its tests."""
    tests = outcomes.tests()
    return {
        "schema": SCHEMA,
        **outcomes.facts,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "exit_status": status,
        "combinations": outcomes.combinations,
        "own_tests": dict(outcomes.own_tests),
        "totals": totals.everything(tests),
        "grid": totals.grid(tests),
        "not_run": totals.not_run(tests),
        "tests": tests,
    }


def merge(files):
    """One document with the runs of several reports, merged ones among them."""
    runs = []
    for file in files:
        try:
            content = json.loads(Path(file).read_text())
        except ValueError as error:  # not JSON, or no text at all
            raise ValueError(f"{file} is no report, as it is no JSON: {error}") from error
        if not isinstance(content, dict) or content.get("schema") != SCHEMA:
            raise ValueError(f"{file} is no report of schema {SCHEMA!r}")
        runs += content.get("runs", [content])
    return {"schema": SCHEMA, "runs": runs}


def save(content, json_path, html_path=None):
    json_path.parent.mkdir(parents=True, exist_ok=True)
    json_path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
    if html_path is not None:
        html_path.write_text(page.html(content.get("runs", [content])), encoding="utf-8")
