"""Options, the header, and which tests run: see README.md."""

import gc
import os
from difflib import get_close_matches
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings

from . import claims, crossing, excuses, levels, targets
from .backends import NAMES, Unavailable, canonical, load
from .checks import Subject
from .outcomes import Outcomes, Recorder
from .progress import Progress
from .report import Report
from .unclaimed import Unclaimed
from .verdict import Verdict

# Costs measured on this machine must not decide which code is tested, here and in processes that tests start.
os.environ["ARRAYCONV_CACHE_DIR"] = os.devnull  # in which there is no file

ROOT = Path(__file__).parent
SUBJECT = pytest.StashKey()
REASON = pytest.StashKey()  # why nothing can run, or None


def pytest_addoption(parser):
    group = parser.getgroup("conformance")
    group.addoption("--target", default="arrayconv", help="implementation under test: a name or a module")
    group.addoption(
        "--backend", default="numpy", help="array library: numpy, torch, jax, ..., or any namespace by its dotted name"
    )
    group.addoption("--device", default=None, help="device of the backend, its usual one by default")
    levels.add_options(group)
    group.addoption("--xfails", type=Path, default=excuses.FOLDER, help="folder with the lists of known failures")
    group.addoption("--report", default=None, metavar="PATH", help="FILE.json, or a folder for report.json and .html")
    group.addoption("--progress", action="store_true", help="print the progress and the time left instead of dots")


def pytest_configure(config):
    config.addinivalue_line("markers", "cross(*(name, values)): every combination, or fewer where shapes compile")
    config.addinivalue_line("markers", "requires(*claims): run on targets that claim these, see claims.py")
    config.addinivalue_line("markers", "only(*backends): has a meaning on these backends alone")
    name, device = config.getoption("--backend"), config.getoption("--device")
    name = config.option.backend = canonical(name)
    try:
        backend, config.stash[REASON] = load(name, device), None
    except LookupError as unknown:
        close = get_close_matches(name, NAMES, 1)
        raise pytest.UsageError(
            f"--backend must name {', '.join(NAMES)}, or an importable namespace of the array API standard. "
            f"Got {unknown.args[0]}.{f' Did you mean {close[0]!r}?' if close else ''}"
        ) from unknown
    except Unavailable as reason:
        backend, config.stash[REASON] = None, str(reason)
    target, reason = _target(config.getoption("--target"))
    config.stash[REASON] = config.stash[REASON] or reason
    config.pluginmanager.register(Unclaimed(target), "conformance-unclaimed")
    config.stash[SUBJECT] = Subject(target, levels.begin(config, backend))
    config.pluginmanager.register(Recorder(config), "conformance-recorder")
    if not hasattr(config, "workerinput"):
        _register_reports(config)


def _register_reports(config):
    """What the process that reports needs, which has no tests of its own under xdist."""
    outcomes = Outcomes(_facts(config), config.stash[levels.COMBINATIONS])
    report = Report(config.getoption("--report")) if config.getoption("--report") else None
    config.pluginmanager.register(outcomes, "conformance-outcomes")
    config.pluginmanager.register(Verdict(outcomes, report), "conformance-verdict")
    if config.getoption("--progress"):
        config.pluginmanager.register(Progress(getattr(config.option, "deadline", None)), "conformance-progress")


def _target(name):
    """The target, and why it can't run or None."""
    try:
        return targets.load(name), None
    except (ImportError, claims.UnknownClaim) as wrong:
        raise pytest.UsageError(f"--target: {wrong}") from wrong
    except Unavailable as reason:
        return SimpleNamespace(name=name, version="not installed", claims=claims.ALL), str(reason)


def _facts(config):
    target, backend = config.stash[SUBJECT]
    return {
        "target": target.name,
        "version": target.version,
        "backend": config.getoption("--backend"),
        "backend_version": backend and backend.versions,
        "device": backend and backend.device_name,
        "level": config.getoption("--level"),
        "seed": config.getoption("--seed"),
        "budget": config.option.budget,
        "max_examples": settings.default.max_examples,
        "unavailable": config.stash[REASON],
    }


def pytest_report_header(config):
    facts = ", ".join(f"{name} {value}" for name, value in _facts(config).items() if value is not None)
    return f"conformance: {facts}"


def pytest_ignore_collect(collection_path, config):
    """The tests of the suite itself use NumPy: once is enough. They need a checkout, as they start pytest beside it."""
    if collection_path == ROOT / "meta" and (config.getoption("--backend") != "numpy" or "." in __package__):
        return True
    return None


def pytest_generate_tests(metafunc):
    mark = metafunc.definition.get_closest_marker("cross")
    if mark is not None:
        names, rows, ids = crossing.crossed(mark.args, metafunc.config.stash[SUBJECT].backend, **mark.kwargs)
        metafunc.parametrize(names, rows, ids=ids)
        metafunc.config.stash[levels.COMBINATIONS]["all"] += crossing.combinations(mark.args)
        metafunc.config.stash[levels.COMBINATIONS]["selected"] += len(rows)
    if levels.is_random(metafunc.function) and (rounds := levels.rounds(metafunc.config)) > 1:
        metafunc.fixturenames.append(levels.ROUND)
        metafunc.parametrize(levels.ROUND, range(rounds))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session, config, items):
    ours = [item for item in items if ROOT in item.path.parents and ROOT / "meta" not in item.path.parents]
    if (reason := config.stash[REASON]) is not None:
        for item in ours:
            item.add_marker(pytest.mark.skip(reason=reason))
        return
    for item in ours:
        mark = item.get_closest_marker("only")
        if mark is not None and config.getoption("--backend") not in mark.args:
            item.add_marker(pytest.mark.skip(reason=f"has a meaning only on {', '.join(mark.args)}"))
    items.sort(key=lambda item: levels.ROUND in getattr(getattr(item, "callspec", None), "params", {}))
    listed = excuses.read(
        config.stash[SUBJECT].target.name, config.getoption("--backend"), config.getoption("--xfails")
    )
    for excuse in excuses.apply(listed, ours, ROOT):
        if config.getoption("--level") == "default" and not any("::" in argument for argument in config.args):
            items.append(excuses.Unmatched.from_parent(session, name=f"excuse {excuse.test}", excuse=excuse))


def pytest_collection_finish():
    """Keep the garbage collector from walking through all tests and libraries again: a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_runtest_setup(item):
    if ROOT in item.path.parents and ROOT / "meta" not in item.path.parents:
        levels.prepare(item)


@pytest.fixture(scope="session")
def subject(request):
    """The implementation under test on the chosen backend."""
    return request.config.stash[SUBJECT]
