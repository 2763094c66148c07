"""What an algorithm is: a name, a refusal, a cost, a workspace, how a problem is cut for it, and a bound call.

Contract. `bind` returns what computes the one operation of `_problem.spec` for a piece of the problem in which
upsample is 1 (or for the whole of one that it `upsamples`), flip and conj are done, and both arrays are of the
accumulator's dtype. Unless `cuts.extends` says otherwise `before` is 0 and every window lies inside x. `preparation` is
of what needs only the kernel; its result serves every piece of which `depends_on` says the same. All are pure: they
read no global, no environment and no array's type.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from arrayconv._arrays.array import Array
from arrayconv._arrays.namespace import Namespace
from arrayconv._arrays.traits import Traits
from arrayconv._problem.problem import Problem
from arrayconv._problem.spec import Spec
from arrayconv._problem.split import Piece

OBJECT_BYTES = 256  # a small array or view, as Python holds it: what a list of one per tap adds

Accuracy = Literal["normwise", "componentwise"]
Extends = frozenset[Literal["zero", "wrap", "all"]]  # zeros, circles; all: by each axis' kind, and `context.fill`

# (piece of x, what was prepared of the kernel, out) -> y. A NumPy `out` is where to write; whoever does returns it.
Run = Callable[[Array, Any, Array | None], Array]


class Context(NamedTuple):
    """What an algorithm may use besides its arrays."""

    xp: Namespace
    device: Any
    traits: Traits
    fft: Any  # a namespace with rfftn, irfftn, fftn, ifftn; another library's has `slabs` too
    fill: complex = 0
    out: Any = None  # a NumPy array to write the piece to
    may_use_threads: bool = (
        True  # False where pieces run side by side, each on a thread: what is called must start none
    )
    single_use: bool = False  # whether what is prepared of a kernel serves one piece and is forgotten
    memory: Memory | None = None  # how the caller's arrays lie, where the piece is a whole call

    @property
    def in_place(self) -> bool:
        """Whether arrays are written where they stand; where a compiler looks on, each has one name only."""
        return self.traits.writable and not self.traits.traced


class Memory(NamedTuple):
    """A problem of one piece on contiguous arrays of the accumulator's dtype, in the caller's order of axes."""

    problem: Problem
    piece: Piece


class Bound(NamedTuple):
    """An algorithm bound to the spec of a piece: all that can be decided without an array is decided."""

    run: Run
    checked: Run | None = None  # the same of unguarded numbers; None where one of them must be contained
    at: Callable[[int, int, int], None] | None = None  # (x, kernel, y): the whole call at addresses of `context.memory`


def _never(spec: Spec, traits: Traits) -> bool:
    return False


class Cuts(NamedTuple):
    """How a problem is cut into pieces for an algorithm."""

    extends: Extends = frozenset()  # which boundaries it handles inside, through `before`
    slabs: bool = False  # where it does not extend, borders are pieces of their own: a copy of x would cost more
    shares: Callable[[Spec, Traits], bool] = (
        _never  # whether pieces run side by side, as threads: see `Context.may_use_threads`
    )
    tile_bytes: int = 0  # workspace per piece that stays in a CPU's cache, 0 for no limit
    tiles_images: bool = False  # such pieces are of whole images: cutting one would cost more than a cache gives
    upsamples: Callable[[Spec], bool] | None = None  # whether it runs an upsampled problem as it is, not by phases

    def extending(self, zero_fill: bool) -> Extends:
        """Return which boundaries need no copy of x, given whether 'constant' means zeros."""
        return self.extends if zero_fill else self.extends - {"zero"}


class Preparation(NamedTuple):
    """What an algorithm makes of a kernel before it meets any x."""

    bind: Callable[[Spec, Context], Callable[[Array], Any]]
    depends_on: Callable[[Spec], Hashable] | None = None  # all that `bind` reads of a spec; None for all of it
    cost: Callable[[Spec, Traits], int] | None = None  # its share of the cost, where that is worth keeping


def _unprepared(spec: Spec, context: Context) -> Callable[[Array], Any]:
    return _itself


def _itself(kernel: Array) -> Array:
    return kernel


UNPREPARED = Preparation(_unprepared)  # the kernel as it is


def per_piece(function: Callable[[Array, Any, Spec, Context], Array]) -> Callable[[Spec, Context], Bound]:
    """Return `Algorithm.bind` of a function that decides by the spec as it runs, or keeps what it decided."""

    def bind(spec: Spec, context: Context) -> Bound:
        def run(x: Array, prepared: Any, out: Array | None) -> Array:
            return function(x, prepared, spec, context)

        return Bound(run)

    return bind


def per_call(function: Callable[[Array, Spec, Context], Any]) -> Callable[[Spec, Context], Callable[[Array], Any]]:
    """Return `Preparation.bind` of a function that decides nothing worth deciding beforehand."""

    def bind(spec: Spec, context: Context) -> Callable[[Array], Any]:
        def prepare(kernel: Array) -> Any:
            return function(kernel, spec, context)

        return prepare

    return bind


@dataclass(frozen=True)
class Algorithm:
    """One way to compute the operation; the table in this package's ``__init__`` holds one of each."""

    name: str
    why_not: Callable[[Spec, Traits], str | None]  # the sentence that errors, skips, explain() and docs show
    cost: Callable[[Spec, Traits], int]  # expected nanoseconds
    workspace: Callable[[Spec, Traits], int]  # bytes beyond x, w and y
    preparation: Preparation
    bind: Callable[[Spec, Context], Bound]
    accuracy: Accuracy  # whether the error bound holds element by element or by norm
    cuts: Cuts
    spreads: Literal["", "nonfinite", "overflow"] = ""  # which bad numbers reach outputs whose window lacks them
