"""The bound steps of a plan, and the kernel of a call as they need it."""

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

Constants = dict[tuple[int, bool], Any]  # (number, guarded) -> the prepared kernel


class Step(NamedTuple):
    """A piece of a plan bound to a library."""

    piece: Piece
    place: tuple[slice, ...]  # in y
    read: Callable[[Array], Array]  # x -> the piece of it, extended
    bound: Bound
    kernel: int  # the number of the prepared kernel
    taps: tuple[slice, ...] | None  # the piece's part of the kernel, None for all of it
    prepare: Callable[[Array], Any]
    prepare_cached: Callable[[Array], Any]  # the same, for a result that is cached between calls


@planning()
def part_of_kernel(piece: Piece, whole: Spec) -> tuple[slice, ...] | None:
    """Return the index of a piece's part of the kernel, None for all of it."""
    if piece.spec.kernel_shape == whole.kernel_shape:
        return None
    return (slice(*piece.groups), slice(None), slice(None), *piece.taps)


class Kernels:
    """The kernel of one call, prepared once for all steps with the same number, which are consecutive.

    Parameters
    ----------
    orient : callable
        () -> the kernel of the correlation.
    guard : callable
        (kernel) -> contain.Guard.
    constants : dict, optional
        What earlier calls prepared from the same kernel; this call adds what it prepares.
    shared : bool
        Whether several threads use this object.
    """

    def __init__(
        self,
        orient: Callable[[], Array],
        guard: Callable[[Array], contain.Guard],
        constants: Constants | None,
        *,
        shared: bool,
    ) -> None:
        self._orient, self._guard, self._constants = orient, guard, constants
        self._kernel: Array | None = None
        self._latest: Constants = {}  # of one number only: each may be as large as x
        self._lock = Lock() if shared else None  # no compiler traces a lock

    def plain(self, step: Step) -> Any:
        """Return the prepared kernel, without a guard."""
        return self._lookup(step, False)

    def guarded(self, step: Step) -> tuple[contain.Guard, Any]:
        """Return the guard of the kernel, and the guarded kernel prepared."""
        return self._lookup(step, True)

    def _lookup(self, step: Step, guarded: bool) -> Any:
        if self._lock is None:
            return self._lookup_unlocked(step, guarded)
        with self._lock:
            return self._lookup_unlocked(step, guarded)

    def _lookup_unlocked(self, step: Step, guarded: bool) -> Any:
        key = step.kernel, guarded
        cached = self._latest if self._constants is None else self._constants
        if key in cached:
            return cached[key]
        if self._constants is None and (step.kernel, not guarded) not in cached:
            cached.clear()
        prepare = step.prepare if self._constants is None else step.prepare_cached
        cached[key] = kernel = self._prepare_guarded(step, prepare) if guarded else prepare(self._part(step))
        return kernel

    def _prepare_guarded(self, step: Step, prepare: Callable[[Array], Any]) -> tuple[contain.Guard, Any]:
        kernel = self._part(step)
        guarded = self._guard(kernel)
        if guarded.data is kernel and (step.kernel, False) in self._latest:
            return guarded, self._latest[step.kernel, False]
        return guarded, prepare(guarded.data)

    def _part(self, step: Step) -> Array:
        """Return the taps of the correlation that a step computes."""
        if self._kernel is None:
            self._kernel = self._orient()
        if step.taps is None:
            return self._kernel
        return self._kernel[step.taps]


class StepKernel(NamedTuple):
    """The kernel of one step, in the form that `contain` needs."""

    kernels: Kernels
    step: Step

    def plain(self) -> Any:
        """Return the prepared kernel, without a guard."""
        return self.kernels.plain(self.step)

    def guarded(self) -> tuple[contain.Guard, Any]:
        """Return the guard of the kernel's non-finite taps, and the kernel without them prepared."""
        return self.kernels.guarded(self.step)
