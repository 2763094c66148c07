"""The command `conformance`: its options, exit statuses and reports, also where the suite is a part of the package."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

import arrayconv
from arrayconv.__main__ import main
from arrayconv._cli import conformance

PACKAGE = Path(arrayconv.__file__).parent


def _words(monkeypatch, *words, status=0):
    """Return the words of the process that the command starts, and the command's exit status."""
    commands = []

    def run(command, **options):
        commands.append(command)
        return SimpleNamespace(returncode=status)

    monkeypatch.setattr(conformance.subprocess, "run", run)
    result = main(["conformance", *words])
    return commands[0], result


def test_options_are_those_of_the_suite(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    words = "--backend torch --device cpu --target my.module --level thorough --seed 7 --budget 2.5 -n 3 --report out"
    command, _ = _words(monkeypatch, *words.split(), "-k", "test_lags")
    for word in ("backend=torch", "device=cpu", "target=my.module", "level=thorough", "seed=7", "budget=2.5"):
        assert f"--{word}" in command
    assert f"--report={tmp_path / 'out'}" in command
    assert command[command.index("-n") + 1] == "3"
    assert command[command.index("-k") + 1] == "test_lags"


def test_levels_are_those_of_the_suite():
    from conformance.levels import LEVELS

    assert tuple(LEVELS) == conformance._LEVELS


@pytest.mark.parametrize(("status", "expected"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 2), (5, 6), (6, 6)])
def test_exit_status(status, expected, monkeypatch):
    assert _words(monkeypatch, status=status)[1] == expected


def test_options_of_the_users_pytest_do_not_count(monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k nothing")
    assert "PYTEST_ADDOPTS" not in conformance._environment("scratch")


@pytest.mark.parametrize(
    ("module", "words", "part"),
    [
        ("pytest", (), "the suite needs pytest, not installed here. Run: pip install 'arrayconv[conformance]'"),
        ("hypothesis", (), "needs hypothesis, not installed"),
        ("xdist", ("-n", "2"), "needs pytest-xdist, not installed"),
    ],
)
def test_missing_packages_name_the_extra(module, words, part, monkeypatch, capsys):
    monkeypatch.setattr(conformance, "find_spec", lambda name: None if name == module else find_spec(name))
    assert main(["conformance", *words]) == 2
    assert part in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--level", "slow"), "--level: must be one of quick, default, thorough, got 'slow'"),
        (("--budget", "0"), "must be a positive number of minutes, got '0'"),
        (("-n", "0"), "at least 1, got '0'"),
        (("--merge", "a.json"), "--merge needs --report FOLDER"),
        (("--merge", "none.json", "--report", "out"), "none.json: No such file or directory"),
        (("--merge", __file__, "--report", "out"), f"{__file__} is no report, as it is no JSON"),
        (("--backend", "nunpy", "-n", "1"), "there is no module of that name. Did you mean 'numpy'?"),
    ],
)
def test_refusals(words, part, capfd):
    assert main(["conformance", *words]) == 2
    assert part in capfd.readouterr().err


def test_no_gpu_is_not_run_and_has_its_own_status(capfd, tmp_path):
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    if cupy.is_available():
        pytest.skip("there is a GPU")
    words = ("--backend", "cupy", "--level", "quick", "-n", "1", "--report", str(tmp_path), "-k", "test_lags")
    assert main(["conformance", *words]) == 6
    assert "no test ran" in capfd.readouterr().out
    assert '<span class="badge nothing">not run</span>' in (tmp_path / "report.html").read_text()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the package as a wheel installs it: the suite is its subpackage."""
    site = tmp_path_factory.mktemp("site")
    ignored = shutil.ignore_patterns("src")  # compiled files stay valid: copies keep their times
    shutil.copytree(PACKAGE, site / "arrayconv", ignore=ignored)
    shutil.copytree(PACKAGE.parent / "conformance", site / "arrayconv/conformance", ignore=ignored)
    return site


def _run(installed, folder, words):
    """Return what a module of Python prints, run in an empty folder."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTEST_ADDOPTS": "-p no:cacheprovider"}
    process = subprocess.run(
        [sys.executable, "-m", *words.split()], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


@pytest.mark.parametrize(
    "words",
    [
        "-n 2 --pyargs arrayconv.conformance.test_lags",
        "-p arrayconv.conformance.plugin --pyargs arrayconv.conformance.test_lags --backend numpy --level quick",
    ],
    ids=["alone", "with its options"],
)
def test_pytest_runs_the_suite_of_an_installed_package(installed, tmp_path, words):
    assert re.search(r"\d+ passed", _run(installed, tmp_path, f"pytest -q {words}"))


def test_the_command_runs_in_an_installed_package_and_its_reports_merge(installed, tmp_path, capsys):
    output = _run(installed, tmp_path, "arrayconv conformance --level quick -n 1 -k test_by_hand --report out")
    assert re.search(r"conformance: target arrayconv, .* seed 0", output)
    assert {path.name for path in tmp_path.iterdir()} == {"out"}
    report = str(tmp_path / "out/report.json")
    assert main(["conformance", "--merge", report, report, "--report", str(tmp_path / "merged")]) == 0
    assert "Merged 2 runs" in capsys.readouterr().out
    assert len(json.loads((tmp_path / "merged/report.json").read_text())["runs"]) == 2
    assert "<h2>All runs</h2>" in (tmp_path / "merged/report.html").read_text()
