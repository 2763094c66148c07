"""`make lowest` and `make pythons`: what they install, and where they find other Pythons."""

import importlib
import sys
import tomllib
from pathlib import Path

import pytest

import arrayconv

ROOT = Path(arrayconv.__file__).parent.parent
pytestmark = pytest.mark.skipif(not (ROOT / "tools").exists(), reason="the tools are not here")


@pytest.fixture
def environments(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("tools.environments")


def test_the_lowest_versions_are_those_of_the_package(environments):
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (lowest,) = environments.lowest()
    assert sorted(lowest.requirements) == sorted(name.replace(">=", "==") for name in dependencies)
    assert all("==" in requirement for requirement in lowest.requirements)


def test_a_python_is_returned_only_if_it_is_of_that_version(environments, monkeypatch, tmp_path):
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert environments.python("3.99") is None
    for folder, version in (("3.99.1", "3.98.0"), ("3.99.2", "3.99.2")):
        place = tmp_path / "versions" / folder / "bin" / "python3"
        place.parent.mkdir(parents=True)
        place.write_text(f"#!{sys.executable}\nprint('Python {version}')\n")
        place.chmod(0o755)
    expected = None if sys.platform == "win32" else str(tmp_path / "versions" / "3.99.2" / "bin" / "python3")
    assert environments.python("3.99") == expected
