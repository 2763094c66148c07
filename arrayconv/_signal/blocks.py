"""`upfirdn` on x that is extended explicitly: block by block of the other axes, where a copy of x exceeds the limit."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from arrayconv import config
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.dtypes import itemsize
from arrayconv._calls import dry_run, tape
from arrayconv._calls.prepare import Options
from arrayconv._errors import listed
from arrayconv._problem.boundary import BOUNDARIES
from arrayconv._problem.spec import Axis
from arrayconv._runtime.tracing import shape_of
from arrayconv._signal import extension
from arrayconv._signal.arrays import Typed

Shape = tuple[int, ...]


class Extension(NamedTuple):
    """The copies of x that a call extends."""

    shape: Shape  # of x
    label: int  # the extended axis
    outputs: int  # along it
    dtype: str  # of the result
    block: Shape  # of x, extended at a time
    line_bytes: int  # of a line's samples, extended, and its outputs

    @property
    def is_cut(self) -> bool:
        """Whether x is extended in several blocks."""
        return self.block != self.shape

    def beside(self, options: Options) -> Options:
        """Return the options of the convolution: an explicit limit less the bytes of the copies."""
        settings = config.current()
        if not settings.capped:
            return options
        lines = prod(self.shape) // self.shape[self.label]
        return options._replace(max_workspace=settings.max_workspace - lines * self.line_bytes)


class BlockedFilter(NamedTuple):
    """A call block by block."""

    extension: Extension
    filter_block: Callable[[Any, Any], Any]  # (h, block of x) -> its outputs

    def __call__(self, x: Any, h: Any) -> Any:
        shape, label, outputs, dtype, block, _ = self.extension
        y = np.empty((*shape[:label], outputs, *shape[label + 1 :]), dtype)
        for starts in product(*(range(0, n, size) for n, size in zip(shape, block, strict=True))):
            place = tuple(slice(at, at + size) for at, size in zip(starts, block, strict=True))
            y[(*place[:label], slice(None), *place[label + 1 :])] = self.filter_block(h, x[place])
        return y


def of_extension(function: str, mode: str, core: Typed, axis: Axis, label: int) -> Extension | None:
    """Return how NumPy's x is extended along an axis; None for arrays of other libraries, and with a tape.

    Raises ValueError where one line exceeds an explicit limit.
    """
    if core.operands.traits.backend != "numpy" or dry_run.is_active() or tape.is_recording():
        return None
    x, settings = core.operands.x, config.current()
    limit, line = settings.max_workspace, _line_bytes(x, axis, core.form.output)
    if line >= limit and settings.capped:
        raise ValueError(
            f"{function}: mode {mode!r} extends a copy of x, and one line along axis {label} takes {line} bytes. Got "
            f"max_workspace={limit}. Allow more, or use a mode that is not copied: {listed(BOUNDARIES)}."
        )
    block = list(shape_of(x))
    while line * prod(block) // axis.size > limit // 2:
        longer = [number for number, n in enumerate(block) if number != label and n > 1]
        if not longer:
            break
        block[longer[0]] = -(-block[longer[0]] // 2)
    return Extension(shape_of(x), label, axis.outputs, core.form.output, tuple(block), line)


def _line_bytes(x: Any, axis: Axis, output: str) -> int:
    """Return the bytes of a line cast and extended, of its extension by itself, and of its outputs."""
    beyond = sum(extension.reach(axis))
    is_cast = dtype_name(x.dtype) != output
    return itemsize(output) * (axis.outputs + axis.size * (1 + is_cast) + 3 * beyond)
