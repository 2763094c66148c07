"""Tests are trusted once they have failed: every planted fault is reported by a message that names its neighbourhood.

The tests are called in this process, one case after the other, until one fails as the row demands. The same case has to
pass without the fault.
"""

import warnings
from functools import cache
from importlib import import_module
from itertools import product
from types import SimpleNamespace

import pytest

from .. import backends
from ..checks import Subject
from ..crossing import crossed
from . import wrong_targets
from .faults import FAULTS


def test_there_are_many_faults_of_every_door():
    doors = {path.split(".")[0] for fault in FAULTS.values() for path in fault.doors if not fault.library}
    assert len(FAULTS) >= 60
    assert doors >= {
        "convolve",
        "correlate",
        "einconv",
        "lags",
        "kernels",
        "signal",
        "ndimage",
        "nn",
        "vjp",
        "normalized_convolve",
        "match_template",
        "Convolver",
    }


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_reported(name):
    fault = FAULTS[name]
    reports = []
    for case, run in _cases(fault.test, _backend(fault.backend)):
        report = _report(run, _subject(name, fault))
        if report is None:
            continue
        reports.append(report)
        if all(word in report for word in fault.words):
            sound = _report(run, Subject(wrong_targets.right(), _backend(fault.backend)))
            assert sound is None, f"{fault.test}[{case}] fails without the fault too: {sound}"
            return
    assert reports, f"{fault.test} passes, although {fault.breaks}"
    raise AssertionError(f"no failure of {fault.test} names all of {fault.words}: {reports[0]}")


@cache
def _backend(name):
    return backends.load(name)


def _subject(name, fault):
    backend = _backend(fault.backend)
    if not fault.library:
        return Subject(wrong_targets.planted(f"wrong_{name}", fault), backend)
    return Subject(wrong_targets.right(), backend._replace(xp=wrong_targets.broken_library(backend.xp, fault)))


def _cases(test, backend):
    """The cases of a test, as pytest would call it: an id, and a function of the subject."""
    file, name = test.split("::")
    function = getattr(import_module(f"..{file.removesuffix('.py')}", __package__), name)
    for combination in product(*(_rows(mark, backend) for mark in getattr(function, "pytestmark", []))):
        arguments = {key: value for row in combination for key, value in row.items()}
        yield arguments, lambda subject, arguments=arguments: function(subject, **arguments)


def _rows(mark, backend):
    """The rows of one mark, as arguments by name; a mark that adds none has one empty row."""
    if mark.name == "cross":
        names, rows, _ = crossed(mark.args, backend, **mark.kwargs)
        rows = [row for row in rows if not getattr(row, "marks", ())]  # those that the backend's dtypes allow
    elif mark.name == "parametrize":
        names, rows = mark.args
    else:
        return [{}]
    names = names.split(",") if isinstance(names, str) else names
    return [dict(zip(names, row if len(names) > 1 else (row,), strict=True)) for row in rows]


def _report(run, subject):
    """The message of a failure, or None where the case passes or does not apply."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run(subject)
    except pytest.skip.Exception:
        return None
    except Exception as failure:
        return f"{failure}"
    return None


def test_a_target_without_a_door_is_not_run():
    """A door that a target does not claim is skipped with the reason; a missing function of one that it has fails."""
    target = wrong_targets.right()
    target.signal, target.nn = None, SimpleNamespace()
    subject = Subject(target, _backend("numpy"))
    _, run = next(iter(_cases("test_doors_signal.py::test_call", subject.backend)))
    with pytest.raises(pytest.skip.Exception, match="not claimed: signal"):
        run(subject)
    _, run = next(iter(_cases("test_doors_nn.py::test_call", subject.backend)))
    with pytest.raises(AssertionError, match="conv1d is not defined"):
        run(subject)
