"""The samples that a stream keeps: copies, detached from any gradient."""

from __future__ import annotations

from collections import deque
from math import prod
from typing import Any

from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.dtypes import itemsize
from arrayconv._arrays.libraries import is_immutable
from arrayconv._arrays.namespace import Namespace
from arrayconv._ops.pad import along


class Samples:
    """Consecutive samples along one axis, in the parts in which they arrived; no part is ever written to."""

    def __init__(self, axis: int, backend: str, xp: Namespace) -> None:
        self.axis, self._backend, self._xp = axis, backend, xp
        self.start = self.stop = 0
        self._parts: deque[Any] = deque()

    def joined(self, chunk: Any = None) -> Any:
        """Return all samples and a chunk that follows them as one array."""
        parts = [*self._parts] if chunk is None else [*self._parts, chunk]
        return parts[0] if len(parts) == 1 else self._xp.concat(parts, axis=self.axis)

    def append(self, chunk: Any, size: int) -> None:
        """Add a copy of a chunk."""
        self._parts.append(self._copy(chunk))
        self.stop += size

    def replace(self, samples: Any, start: int, keep: int, stop: int) -> None:
        """Keep samples keep <= n < stop of an array that begins at sample `start`, in place of all others."""
        self._parts = deque([self._copy(samples[along(self.axis, slice(keep - start, None))])])
        self.start, self.stop = keep, stop

    def drop(self, keep: int) -> None:
        """Drop the parts that end before sample `keep`, but the last."""
        while len(self._parts) > 1 and self.start + self._parts[0].shape[self.axis] <= keep:
            self.start += self._parts.popleft().shape[self.axis]

    def copy(self) -> Samples:
        """Return other samples with the same parts."""
        other = Samples(self.axis, self._backend, self._xp)
        other.start, other.stop, other._parts = self.start, self.stop, self._parts.copy()
        return other

    @property
    def nbytes(self) -> int:
        """Bytes of the samples."""
        return sum(prod(part.shape) * itemsize(dtype_name(part.dtype)) for part in self._parts)

    def _copy(self, x: Any) -> Any:
        if self._backend == "numpy":
            return x.copy()
        if self._backend == "torch":
            return x.detach().clone()
        return x if is_immutable(self._backend) else self._xp.asarray(x, copy=True)
