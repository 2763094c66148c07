"""A pytest plugin that puts other functions in the place of SciPy's, or another package's, before tests are collected.

The tests are the installed ones, unchanged: they read `scipy.signal.convolve` or import it by name, and find the
replacement. SciPy decides from a table, by function object, where a test can run; the replacements enter it as
functions that run on every library. What each test called is recorded: one that never reached a replacement says
nothing.
"""

import functools
import importlib
import json
from collections import defaultdict
from pathlib import Path

import pytest

from parity.scope import REMAINING_MARKS, SUITES, WITHOUT_ARRAYS, calls_nothing, functions_of, is_selected

EVERYWHERE = {
    "skip_backends": (),
    "xfail_backends": (),
    "cpu_only": False,
    "np_only": False,
    "out_of_scope": False,
    "reason": None,
    "exceptions": (),
    "allow_dask_compute": False,
    "jax_jit": True,
}
called = set()  # names of the replacements that the running test has called


def pytest_addoption(parser):
    group = parser.getgroup("parity")
    group.addoption("--parity-suite", default="scipy", choices=SUITES, help="package whose tests run")
    group.addoption("--parity-root", type=Path, help="folder of the package's tests")
    group.addoption("--parity-target", default="arrayconv", help="package whose functions replace SciPy's")
    group.addoption("--parity-results", help="JSON file that gets the outcome of every test")
    group.addoption("--parity-function", action="append", default=[], help="only the tests of this function")
    group.addoption("--parity-thin", type=int, help="at most so many ids of a test function")
    group.addoption("--parity-arrays", action="store_true", help="only the tests that run on every array library")


def pytest_configure(config):
    suite, target = config.option.parity_suite, config.option.parity_target
    for module, names in SUITES[suite].functions.items():
        for name in names:
            replace(suite, module, name, target)
    if config.option.parity_results and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Results(suite, config.option.parity_results))


def replace(suite, module, name, target):
    """Put the target's function, wrapped to record its calls, where the tests look for the suite's own."""
    own = SUITES[suite].owners[module]
    owner = importlib.import_module(own)
    original = getattr(owner, name)
    path = own if target == suite else f"{target}.{module}"
    wrapped = recorded(attribute_of(path, name), f"{module}.{name}")
    if suite == "scipy":
        table = importlib.import_module("scipy._lib._array_api").xp_capabilities_table
        unchanged = target == "scipy" or wrapped.parity_name in WITHOUT_ARRAYS
        table[wrapped] = table[original] | ({} if unchanged else EVERYWHERE)
    setattr(owner, name, wrapped)


def attribute_of(path, name):
    """Return a module's function, or one that fails where it is called: collection never breaks."""
    try:
        return getattr(importlib.import_module(path), name)
    except (ImportError, AttributeError) as error:
        reason = str(error)

    def stub(*args, **kwargs):
        raise AssertionError(reason)

    stub.__name__ = name
    return stub


def recorded(function, name):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        called.add(name)
        return function(*args, **kwargs)

    wrapper.parity_name = name
    return wrapper


def pytest_collection_modifyitems(config, items):
    selected, dropped = [], []
    for item in items:
        functions = owners(config, item)
        belongs = functions and is_selected(functions, config.option.parity_function)
        if belongs and ("xp" in item.fixturenames or not config.option.parity_arrays):
            item.user_properties.append(("functions", functions))
            selected.append(item)
        else:
            dropped.append(item)
    if config.option.parity_thin:
        selected = thinned(selected, config.option.parity_thin)
    if config.option.parity_target != "scipy":
        lift_marks(selected)
    config.hook.pytest_deselected(items=[*dropped, *(set(items) - set(selected) - set(dropped))])
    items[:] = selected


def owners(config, item):
    callspec = getattr(item, "callspec", None)
    parameters = callspec.params.values() if callspec else ()
    file, test = item.path.relative_to(config.option.parity_root).as_posix(), item.nodeid.split("::", 1)[1]
    if calls_nothing(test):
        return ()
    return functions_of(config.option.parity_suite, file, test.split("[")[0], parameters)


def thinned(items, most):
    """Return at most so many items of each test function and parameter function, evenly spread."""
    groups = defaultdict(list)
    for item in items:
        groups[item.nodeid.split("[")[0], owners(item.config, item)].append(item)
    keep = set()
    for group in groups.values():
        count = min(most, len(group))
        keep.update(group[len(group) * n // count] for n in range(count))
        for item in group:
            item.user_properties.append(("thinned", count < len(group)))
    return [item for item in items if item in keep]


def lift_marks(items):
    """Remove the marks that say what SciPy's own functions cannot do on one array library."""
    for node in {node: None for item in items for node in item.listchain()}:
        node.own_markers[:] = [mark for mark in node.own_markers if not is_about_scipy(mark)]


def is_about_scipy(mark):
    named = mark.name in ("skip_xp_backends", "xfail_xp_backends") and bool(mark.args)
    return named and mark.kwargs.get("reason") not in REMAINING_MARKS


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    called.clear()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    if call.when == "call":
        item.user_properties.append(("called", sorted(called)))
    return (yield)


class Results:
    """The outcome, functions and calls of every test, written as JSON at the end."""

    def __init__(self, suite, path):
        self.suite, self.path, self.tests = suite, Path(path), {}

    def pytest_runtest_logreport(self, report):
        test = report.nodeid.removeprefix(f"{self.suite}/")
        row = self.tests.setdefault(test, {"outcome": "passed", "called": [], "thinned": False})
        row.update(report.user_properties)
        if report.outcome != "passed":
            row.update(outcome=report.outcome, why=reason(report))

    def pytest_sessionfinish(self):
        self.path.write_text(json.dumps(self.tests, indent=1) + "\n")


def reason(report):
    if hasattr(report, "wasxfail"):
        return f"expected failure: {report.wasxfail}"
    if isinstance(report.longrepr, tuple):  # a skip: path, line, reason
        return report.longrepr[2].removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    return crash.message if crash else str(report.longrepr)
