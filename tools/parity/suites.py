"""Where a package's tests are: in its installed wheel, or in the last wheel of it that contains them."""

import importlib.metadata
import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

from parity.scope import SCOPES

# scikit-image's wheels have no tests since 0.26: import name -> package, and the version whose tests run.
FETCHED = {"skimage": ("scikit-image", "0.25.2")}
FOLDER = Path(__file__).parents[2] / "build" / "parity"


def root_of(suite):
    """Return the folder that contains the package's folder with its tests."""
    if suite not in FETCHED:
        return Path(importlib.util.find_spec(suite).origin).parents[1]
    name, version = FETCHED[suite]
    root = FOLDER / f"{suite}-{version}"
    if not all((root / suite / file).exists() for file in SCOPES[suite]):
        fetch(suite, name, version, root)
    return root


def fetch(suite, name, version, root):
    """Download a wheel, and unpack the files of tests alone: the package itself is the installed one."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--python-version", "3.12", "--dest", str(root), f"{name}=={version}"]
    if subprocess.run(command).returncode:
        sys.exit(f"parity: the tests of {name} {version} come from PyPI. Leave them out by --suite scipy.")
    (wheel,) = root.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for file in SCOPES[suite]:
            archive.extract(f"{suite}/{file}", root)
    wheel.unlink()


def version_of(suite):
    """Return the installed package's version, on which the tests run."""
    name, *_ = FETCHED.get(suite, (suite,))
    return importlib.metadata.version(name)
