"""`backends`: which libraries and accelerators are installed here, and which of them work."""

from __future__ import annotations

import argparse
from importlib.metadata import PackageNotFoundError, version

from arrayconv import config
from arrayconv._accel import REQUIRES, AcceleratorFailed, installed
from arrayconv._accel.jax import ffi
from arrayconv._accel.native import loader
from arrayconv._cli.console import progress, table
from arrayconv._cli.libraries import NAMESPACES, Library, inspect
from arrayconv._cli.options import Command

_DESCRIPTION = """\
List the array libraries that arrayconv knows, and on which devices they work here.

Every installed library is imported and convolves a small array on each of its devices; one
that cannot is listed with the reason. Libraries that are not listed work too, if they follow
the Array API standard. Accelerators are packages that make some calls faster; switch them off
with `arrayconv.config.using(accelerators=set())`."""

_EPILOG = """\
examples:
  python -m arrayconv backends

Exit status: always 0."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    del parser  # none


def _run(arguments: argparse.Namespace) -> int:
    del arguments
    reports: list[Library] = []
    with progress(len(NAMESPACES)) as step:
        for name in NAMESPACES:
            step(f"checking {name}")
            reports.append(inspect(name))
    table("Array libraries", ("library", "version", "usable on", "remark"), [_row(library) for library in reports])
    print()
    table(
        "Accelerators",
        ("package", "version", "state", "purpose"),
        [_accelerator(n) for n in config.ACCELERATORS],
    )
    return 0


def _row(library: Library) -> tuple[str, str, str, str]:
    return library.name, library.version or "-", ", ".join(library.devices) or "no", library.problem


def _accelerator(name: str) -> tuple[str, str, str, str]:
    requirements, purpose = REQUIRES.get(name, (name,)), config.ACCELERATORS[name]
    if loader.LIBRARY in requirements and not loader.built():
        return name, "-", f"not built: {loader.NOT_BUILT}", purpose
    if not all(map(installed, requirements)):
        return name, "-", "not installed", purpose
    state = "on" if name in config.current().accelerators else "off"
    try:
        return name, _version(name), state, purpose
    except AcceleratorFailed as failure:
        return name, "?", f"failed: {failure.reason.split('. ')[0]}", purpose


def _version(name: str) -> str:
    """Return the installed version; raises AcceleratorFailed if it can't be used."""
    if name == loader.LIBRARY:
        return loader.level()
    if name == ffi.LIBRARY:
        ffi.registered()
    try:
        return "-" if name in REQUIRES else version(name)
    except PackageNotFoundError:  # importable, but not installed as a package
        return "?"


COMMAND = Command(
    "backends", "list the array libraries and accelerators installed here", _DESCRIPTION, _EPILOG, _arguments, _run
)
