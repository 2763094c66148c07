"""What an algorithm is: a name, a refusal, a cost, a workspace, and two functions of arrays.

Contract. `run` computes the one operation of `_spec` for a piece of the problem in which upsample is 1 (or for the
whole of one that it `upsamples`), flip and conj are done, and both arrays are of the accumulator's dtype. Unless
`extends` says otherwise `before` is 0 and every window lies inside x. `prepare` does what needs only the kernel; its
result serves every piece of which `prepared_by` says the same. All are pure: they read no global, no environment and
no array's type.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from arrayconv._boundary import Source
from arrayconv._spec import Spec
from arrayconv._xp import Array, Namespace, Traits

OBJECT_BYTES = 256  # a small array or view, as Python holds it: what a list of one per tap adds

Accuracy = Literal["normwise", "componentwise"]
Extends = frozenset[Literal["zero", "wrap", "all"]]  # zeros, circles; all: by each axis' kind, and `context.fill`


# A whole call on the caller's own arrays, whose axes are the convolved ones, (x, kernel) -> y; None for arrays that
# must go the long way.
Shortcut = Callable[[Any, Any], Any]
# (problem, its only step, where its samples come from per axis, traits, fill) -> the shortcut, None if there is none
MakeShortcut = Callable[[Spec, Spec, tuple[Source, ...], Traits, complex], Shortcut | None]


class Context(NamedTuple):
    """What `prepare` and `run` may use besides their arrays."""

    xp: Namespace
    device: Any
    traits: Traits
    fft: Any  # a namespace with rfftn, irfftn, fftn, ifftn; a lender's has `slabs` too
    fill: complex = 0
    out: Any = None  # where to write the piece, for an algorithm that `writes`; without it, a new array
    alone: bool = True  # False where pieces run side by side, each on a thread: what is called must start none
    once: bool = False  # whether what is prepared of a kernel serves one piece and is forgotten

    @property
    def in_place(self) -> bool:
        """Whether arrays are written where they stand; where a compiler looks on, each has one name only."""
        return self.traits.writable and not self.traits.traced


def _never(spec: Spec, traits: Traits) -> bool:
    return False


@dataclass(frozen=True)
class Algorithm:
    """One way to compute the operation; the table in this package's ``__init__`` holds one of each."""

    name: str
    why_not: Callable[[Spec, Traits], str | None]  # the sentence that errors, skips, explain() and docs show
    cost: Callable[[Spec, Traits], int]  # expected nanoseconds
    workspace: Callable[[Spec, Traits], int]  # bytes beyond x, w and y
    prepare: Callable[[Array, Spec, Context], Any]
    run: Callable[[Array, Any, Spec, Context], Array]
    accuracy: Accuracy  # whether the error bound holds element by element or by norm
    extends: Extends = frozenset()  # which boundaries it handles inside, through `before`
    slabs: bool = False  # where it does not extend, borders are pieces of their own: a copy of x would cost more
    smears: bool = False  # one bad sample reaches outputs whose window does not hold it
    mixes: bool = False  # sums may overflow where the definition's would not, so data is scaled first
    writes: bool = False  # NumPy arrays into `context.out`, which it returns
    shares: Callable[[Spec, Traits], bool] = _never  # whether pieces run side by side, as threads: see `Context.alone`
    tile_bytes: int = 0  # workspace per piece that stays in a CPU's cache, 0 for no limit
    tiles_images: bool = False  # such pieces are of whole images: cutting one would cost more than a cache gives
    upsamples: Callable[[Spec], bool] | None = None  # whether it runs an upsampled problem as it is, not by phases
    shortcut: MakeShortcut | None = None
    prepared_by: Callable[[Spec], Hashable] | None = None  # all that `prepare` reads of a spec; None for all of it
    prepare_cost: Callable[[Spec, Traits], int] | None = None  # its share of the cost, where that is worth counting

    def extending(self, zero_fill: bool) -> Extends:
        """Return which boundaries need no copy of x, given whether 'constant' means zeros."""
        return self.extends if zero_fill else self.extends - {"zero"}
