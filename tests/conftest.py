"""The array libraries every test runs on, as one fixture, and how arrays get there and back."""

import dataclasses
import importlib.util
import os
from typing import Any

import numpy as np
import pytest

from arrayconv._arrays.host import copied
from arrayconv._arrays.identify import device_of
from arrayconv._arrays.libraries import LIBRARIES as ROWS
from arrayconv._arrays.namespace import compat_namespace

# The shipped constants decide in every test, and in the processes that tests start: the developer may have own ones.
os.environ["ARRAYCONV_CACHE_DIR"] = os.devnull  # in which there is no file

LIBRARIES = tuple(row.name for row in ROWS.values() if row.array_types and not row.gpu_only)

if importlib.util.find_spec("jax"):
    import jax

    jax.config.update(
        "jax_enable_x64", True
    )  # before the first array; tests/unit has one of JAX's default in a process


@dataclasses.dataclass(frozen=True)
class Library:
    """An array library under test, with a device that is not the default where it has one."""

    name: str
    xp: Any
    device: Any

    def asarray(self, host):
        """Return a host array as this library's, on its device."""
        return self.xp.asarray(np.array(host), device=self.device)

    def numpy(self, array):
        """Return an array of this library on the host."""
        return copied(self.name, array)


def make_library(name):
    """Return the library called `name`, or skip with what is missing."""
    if not importlib.util.find_spec(name):
        pytest.skip(f"{name} is not installed")
    xp = compat_namespace(name)
    device = device_of(xp.zeros(1))
    if name == "array_api_strict":
        device = xp.Device("device1")  # shows arrays that are created on the default device by mistake
    return Library(name, xp, device)


@pytest.fixture(params=LIBRARIES)
def library(request):
    return make_library(request.param)


@pytest.fixture(params=["copied", "apart"])
def ends(request, monkeypatch):
    """Copy what blocks at the ends of small planes meet with all the rest, as is done; or tell those blocks apart."""
    tiles = importlib.import_module("arrayconv._accel.native.tiles")
    if request.param == "apart":
        monkeypatch.setattr(tiles, "_COPIED", 0)
    tiles.job.cache_clear()
    yield request.param
    tiles.job.cache_clear()
