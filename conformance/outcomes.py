"""The outcome of every test: a recorder in each process that runs tests, and a collection where pytest reports them."""

from collections import Counter
from pathlib import Path

import pytest

from . import comparisons, dtypes, levels
from .targets import KERNELS

ROOT = Path(__file__).parent
FILES = {path.name for path in ROOT.glob("test_*.py")}
LOST = "the run ended before this test did"
AREA_FUNCTIONS = {"test_einconv.py": "einconv", "test_lags.py": "lags", "test_kernels.py": "kernels"}


class Recorder:
    """Notes in each test what it is and what it compared; the notes travel with pytest's reports, from workers too."""

    def __init__(self, config):
        self.combinations = config.stash[levels.COMBINATIONS]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config, items):
        subject_backend = config.getoption("--backend")
        for item in items:
            if ROOT in item.path.parents:
                item.user_properties.append(("conformance", description(item, subject_backend)))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        comparisons.begin()
        try:
            return (yield)
        finally:
            item.user_properties.append(("calls", comparisons.calls()))
            item.user_properties.append(("claims", comparisons.claims()))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if report.failed and call.excinfo is not None and (note := _snippet(call.excinfo.value)):
            report.user_properties.append(("snippet", note))
        return report

    def pytest_sessionfinish(self, session):
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["combinations"] = self.combinations


def description(item, backend):
    """What a test is before it runs: a test that is skipped has no comparisons."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    path = item.path.relative_to(ROOT).as_posix()
    test, _, case = item.name.partition("[")
    claims = [word for mark in item.iter_markers("requires") for word in mark.args]
    return {
        "file": path,
        "test": test,
        "case": case.removesuffix("]"),
        "claims": claims,
        "function": _function(parameters, path, test),
        "dtype": _dtype(parameters),
    }


def _function(parameters, path, test):
    values = [parameters.get("function"), parameters.get("name")]
    row = parameters.get("row")
    if path == "test_kernels.py" and isinstance(row, tuple):
        return f"kernels.{row[1]}" if row[1] in KERNELS else "kernels"
    named = [value for value in values if isinstance(value, str) and comparisons.FUNCTIONS.fullmatch(value)]
    return named[0] if named else AREA_FUNCTIONS.get(path)


def _dtype(parameters):
    known = dtypes.INTEGERS + dtypes.FLOATS
    names = [name for name in parameters.get("dtypes", ()) if name in known]
    if names:
        return comparisons.result_dtype(tuple(names[:2]), names[2] if len(names) > 2 else None)
    return next((parameters[key] for key in ("dtype", "name") if parameters.get(key) in known), None)


def _snippet(failure):
    """The note of `asserts.reproducing`; hypothesis raises several failures as one group."""
    for inner in getattr(failure, "exceptions", ()):
        if note := _snippet(inner):
            return note
    return "\n".join(note for note in getattr(failure, "__notes__", ()) if note.startswith("# target"))


class Outcomes:
    """Rows by test id, for the totals, the exit status and the reports."""

    def __init__(self, facts, combinations):
        self.facts, self.combinations = facts, combinations
        self.rows, self.collected, self.own_tests = {}, set(), Counter()

    def pytest_collection_finish(self, session):
        self.collected.update(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids):
        self.collected.update(ids)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        for name, count in getattr(node, "workeroutput", {}).get("combinations", {}).items():
            self.combinations[name] = max(self.combinations[name], count)  # every worker collects all tests

    def pytest_collectreport(self, report):
        if report.failed:
            self.rows[report.nodeid] = {
                **_named(report.nodeid),
                "outcome": "failed",
                "seconds": 0.0,
                "why": _text(report),
            }

    def pytest_runtest_logreport(self, report):
        if not _is_ours(report.nodeid):
            self.collected.discard(report.nodeid)
            self.own_tests[report.outcome] += report.when == "call" or report.outcome != "passed"
            return
        properties = dict(report.user_properties)
        row = self.rows.get(report.nodeid)
        if row is None:
            row = self.rows[report.nodeid] = {**_named(report.nodeid), "outcome": "passed", "seconds": 0.0}
        row.update(properties.get("conformance", {}))
        row["seconds"] = round(row["seconds"] + report.duration, 6)
        if "calls" in properties:
            row["calls"] = [list(call) for call in properties["calls"]]
            row["claims"] = sorted({*row["claims"], *properties["claims"]})
        if report.outcome != "passed":
            self._not_passed(row, report, properties)

    def _not_passed(self, row, report, properties):
        expected = hasattr(report, "wasxfail")
        row["outcome"] = "xfailed" if expected else report.outcome
        row["why"] = report.wasxfail if expected else _text(report)
        if "snippet" in properties:
            row["snippet"] = properties["snippet"]
            row["why"] = row["why"].partition("\n# target")[0]

    def finish(self):
        """Count tests that were collected and have no report: a worker crashed, or the run was stopped."""
        for nodeid in sorted(filter(_is_ours, self.collected - self.rows.keys())):
            self.rows[nodeid] = {**_named(nodeid), "outcome": "skipped", "seconds": 0.0, "why": LOST}

    def tests(self):
        return list(self.rows.values())


def _is_ours(nodeid):
    """Whether a test is one of the suite: neither in `meta/` nor in another folder of the same run."""
    path = Path(nodeid.partition("::")[0])
    return path.name == "" or (path.name in FILES and path.parent.name in ("", ROOT.name))


def _named(nodeid):
    path, _, rest = nodeid.partition("::")
    test, _, case = rest.partition("[")
    file = Path(path).name or "excuses"  # a line of the known failures that names no test
    return {"file": file, "test": test, "case": case.removesuffix("]"), "claims": []}


def _text(report):
    if isinstance(report.longrepr, tuple):  # a skip: path, line, reason
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr)
