"""The text of a kernel as compilers get it: one string without includes, so that a cache by text is right."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_INCLUDE = re.compile(r'#include "(\w+)\.cuh"\n')


class Kernel(NamedTuple):
    """A kernel to compile: hashable, the key of what is compiled."""

    name: str  # of its file, and of the function
    options: tuple[str, ...]  # of the compiler

    @property
    def text(self) -> str:
        """The source."""
        return _expanded(self.name)

    @property
    def flags(self) -> tuple[str, ...]:
        """All options of the compiler."""
        return ("-std=c++17", *self.options, f"-DKERNEL={self.name}")


class Grid(NamedTuple):
    """How many blocks of how many threads run."""

    blocks: tuple[int, int, int]
    threads: tuple[int, int, int]


def _expanded(name: str) -> str:
    """Return a source with the sources that it includes in their places."""
    return _INCLUDE.sub(lambda include: _expanded(include[1]), _read(name))


@lru_cache
def _read(name: str) -> str:
    from importlib.resources import files  # which takes a twentieth of the import of this package

    return files("arrayconv._accel.cuda").joinpath("src", f"{name}.cuh").read_text()
