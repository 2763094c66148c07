"""The steps of a plan, bound, and the kernel that a call gives them."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, NamedTuple

from arrayconv._algorithms import Bound
from arrayconv._arrays.array import Array
from arrayconv._ops import contain
from arrayconv._problem.spec import Spec
from arrayconv._problem.split import Piece
from arrayconv._runtime.tracing import planning

Constants = dict[tuple[int, bool], Any]  # what a plan prepared of a kernel, by number, as it is and guarded


class Step(NamedTuple):
    """A piece of a plan, bound."""

    piece: Piece
    place: tuple[slice, ...]  # in y
    read: Callable[[Array], Array]  # of x
    bound: Bound
    kernel: int  # the number of the prepared kernel
    taps: tuple[slice, ...] | None  # its part of the whole kernel, None for all of it
    prepare: Callable[[Array], Any]
    prepare_kept: Callable[[Array], Any]  # the same of what is kept between calls


@planning()
def part_of_kernel(piece: Piece, whole: Spec) -> tuple[slice, ...] | None:
    """Return a piece's part of the whole kernel, None for all of it."""
    if piece.spec.kernel_shape == whole.kernel_shape:
        return None
    return (slice(*piece.groups), slice(None), slice(None), *piece.taps)


class Kernels:
    """The kernel of one call, prepared once for all steps of one number, which follow each other.

    Parameters
    ----------
    oriented : callable
        () -> the kernel as a correlation's.
    guard : callable
        (kernel) -> contain.Guard.
    kept : dict, optional
        What earlier calls prepared of the same kernel; what this one prepares is added.
    shared : bool
        Whether several threads ask.
    """

    def __init__(
        self,
        oriented: Callable[[], Array],
        guard: Callable[[Array], contain.Guard],
        kept: Constants | None,
        *,
        shared: bool,
    ) -> None:
        self._oriented, self._guard, self._kept = oriented, guard, kept
        self._kernel: Array | None = None
        self._latest: Constants = {}  # of one number: each may be as large as x
        self._lock = Lock() if shared else None  # no compiler follows a lock

    def plain(self, step: Step) -> Any:
        """Return what the method prepares of the kernel as it is."""
        return self._locked(step, False)

    def guarded(self, step: Step) -> tuple[contain.Guard, Any]:
        """Return the guarded kernel, and what the method prepares of it."""
        return self._locked(step, True)

    def _locked(self, step: Step, guarded: bool) -> Any:
        if self._lock is None:
            return self._prepared(step, guarded)
        with self._lock:
            return self._prepared(step, guarded)

    def _prepared(self, step: Step, guarded: bool) -> Any:
        key = step.kernel, guarded
        known = self._latest if self._kept is None else self._kept
        if key in known:
            return known[key]
        if self._kept is None and (step.kernel, not guarded) not in known:
            known.clear()
        prepare = step.prepare if self._kept is None else step.prepare_kept
        known[key] = prepared = self._safe(step, prepare) if guarded else prepare(self._part(step))
        return prepared

    def _safe(self, step: Step, prepare: Callable[[Array], Any]) -> tuple[contain.Guard, Any]:
        kernel = self._part(step)
        guarded = self._guard(kernel)
        if guarded.data is kernel and (step.kernel, False) in self._latest:
            return guarded, self._latest[step.kernel, False]
        return guarded, prepare(guarded.data)

    def _part(self, step: Step) -> Array:
        """Return the taps that a step multiplies by, as a correlation's."""
        if self._kernel is None:
            self._kernel = self._oriented()
        if step.taps is None:
            return self._kernel
        return self._kernel[step.taps]


class StepKernel(NamedTuple):
    """The kernel of one step, as `contain` asks for it."""

    kernels: Kernels
    step: Step

    def plain(self) -> Any:
        """Return the kernel as prepared."""
        return self.kernels.plain(self.step)

    def guarded(self) -> tuple[contain.Guard, Any]:
        """Return what contains its bad numbers, and the kernel without them as prepared."""
        return self.kernels.guarded(self.step)
