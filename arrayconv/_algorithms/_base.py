"""An algorithm: a name, a refusal, a cost, a workspace, rules for cutting a problem, and a function that binds it.

Contract. `bind` returns a function that computes the operation of `_problem.spec` for a piece in which upsample is 1
(or for a whole problem that it `upsamples`), flip and conj are applied, and all arrays have the accumulator's dtype,
unless it `converts`.
Unless `cuts.extends` says otherwise `before` is 0 and every window is inside x. `preparation` computes what depends on
the kernel alone; its result is used for every piece with an equal `depends_on`. All of these are pure: they read no
global, no environment and no array's type.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from arrayconv._arrays.array import Array
from arrayconv._arrays.namespace import Namespace
from arrayconv._arrays.traits import Traits
from arrayconv._costs.cost_table import primitive_costs, product_mac
from arrayconv._costs.gpu import Work
from arrayconv._problem.problem import Problem
from arrayconv._problem.spec import Spec
from arrayconv._problem.split import Piece

OBJECT_BYTES = 256  # of a small array or view as a Python object: a list of one per tap adds as many for each

Accuracy = Literal["normwise", "componentwise"]
Extends = frozenset[Literal["zero", "wrap", "all"]]  # zeros, circular; all: by each axis' boundary and `context.fill`

# (piece of x, prepared kernel, out) -> y. A function that writes to a NumPy `out` returns it.
Run = Callable[[Array, Any, Array | None], Array]


class Context(NamedTuple):
    """The environment of a piece besides its arrays."""

    xp: Namespace
    device: Any
    traits: Traits
    fft: Any  # a namespace with rfftn, irfftn, fftn, ifftn; another library's has `slabs` too
    fill: complex = 0
    out: Any = None  # a NumPy array to write the piece to
    may_use_threads: bool = True  # False where pieces run in parallel: functions called for one must start no threads
    single_use: bool = False  # whether a prepared kernel is used for one piece only
    memory: Memory | None = None  # the problem on the caller's contiguous arrays, where few pieces compute it

    @property
    def in_place(self) -> bool:
        """Whether arrays may be written in place: not while a compiler traces."""
        return self.traits.writable and not self.traits.traced


class Memory(NamedTuple):
    """A problem on contiguous arrays of the accumulator's dtype, in the caller's order of axes, and one piece of it."""

    problem: Problem
    piece: Piece


class Bound(NamedTuple):
    """An algorithm bound to the spec of a piece: all decisions that need no array are made."""

    run: Run
    checked: Run | None = None  # the same on unguarded data; returns None for data that must be contained
    at: Callable[[int, int, int], None] | None = None  # (x, kernel, y): a piece at addresses of `context.memory`


def _never(spec: Spec, traits: Traits) -> bool:
    return False


class Cuts(NamedTuple):
    """How a problem is cut into pieces for an algorithm."""

    extends: Extends = frozenset()  # boundaries that it computes inside, through `before`
    slabs: bool = False  # where it does not extend, borders are pieces of their own: a copy of x would cost more
    shares: Callable[[Spec, Traits], bool] = _never  # whether pieces run in parallel: see `Context.may_use_threads`
    tile_bytes: int = 0  # workspace per piece that stays in a CPU's cache, 0 for no limit
    tiles_images: bool = False  # such pieces are whole images: cutting one would cost more than the cache saves
    upsamples: Callable[[Spec], bool] | None = None  # whether it runs an upsampled problem as one, not by phases
    at_addresses: Callable[[Spec, Traits], bool] = _never  # whether `Bound.at` computes contiguous arrays
    converts: bool = False  # reads arrays of any dtype, and writes the result's dtype, to a view of y if it is passed

    def extending(self, zero_fill: bool) -> Extends:
        """Return the boundaries that need no copy of x, given whether 'constant' means zeros."""
        return self.extends if zero_fill else self.extends - {"zero"}


class Preparation(NamedTuple):
    """What an algorithm computes from the kernel alone."""

    bind: Callable[[Spec, Context], Callable[[Array], Any]]
    depends_on: Callable[[Spec], Hashable] | None = None  # the parts of a spec that `bind` reads; None for all of it
    cost: Callable[[Spec, Traits], int] | None = None  # its part of the cost, where a cached kernel saves much
    work: Callable[[Spec, Traits], Work] | None = None  # its part of `Algorithm.work`


def _unprepared(spec: Spec, context: Context) -> Callable[[Array], Any]:
    return _identity


def _identity(kernel: Array) -> Array:
    return kernel


UNPREPARED = Preparation(_unprepared)  # the kernel itself


def per_piece(function: Callable[[Array, Any, Spec, Context], Array]) -> Callable[[Spec, Context], Bound]:
    """Return `Algorithm.bind` for a function that reads the spec as it runs, or caches its decisions."""

    def bind(spec: Spec, context: Context) -> Bound:
        def run(x: Array, prepared: Any, out: Array | None) -> Array:
            return function(x, prepared, spec, context)

        return Bound(run)

    return bind


def per_call(function: Callable[[Array, Spec, Context], Any]) -> Callable[[Spec, Context], Callable[[Array], Any]]:
    """Return `Preparation.bind` for a function that has nothing to decide beforehand."""

    def bind(spec: Spec, context: Context) -> Callable[[Array], Any]:
        def prepare(kernel: Array) -> Any:
            return function(kernel, spec, context)

        return prepare

    return bind


@dataclass(frozen=True)
class Algorithm:
    """One method of computing the operation; the table in this package's ``__init__`` lists them."""

    name: str
    why_not: Callable[[Spec, Traits], str | None]  # the reason that errors, skips, explain() and docs show, or None
    cost: Callable[[Spec, Traits], int]  # expected nanoseconds
    workspace: Callable[[Spec, Traits], int]  # bytes beyond x, w and y
    preparation: Preparation
    bind: Callable[[Spec, Context], Bound]
    accuracy: Accuracy  # whether the error bound holds element by element or by norm
    cuts: Cuts
    spreads: Literal["", "nonfinite", "overflow"] = ""  # what contaminates outputs whose window does not contain it
    work: Callable[[Spec, Traits], Work] | None = None  # of its array operations on a GPU, where it decides the cost


def product_ps(traits: Traits) -> int:
    """Return picoseconds of a multiply-add of a large matrix product."""
    if traits.exact:
        return primitive_costs(traits.row).integer_mac
    is_complex = traits.accumulator.startswith("complex")
    return product_mac(traits.row, traits.itemsize, traits.threads, is_complex=is_complex)
