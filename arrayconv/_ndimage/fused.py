"""A filter's passes by one call of compiled code: on NumPy arrays, tensors, JAX arrays on CPUs, and CuPy arrays.

The code computes what the passes compute one by one, without arrays between them. A tape, torch's tracers and gradients
and complex weights need the passes. On JAX arrays XLA calls the code, traced or not; derivatives are those of the
passes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from arrayconv import config
from arrayconv._accel.cuda import cuda_filters
from arrayconv._accel.cuda.cuda_filters import CudaFilters
from arrayconv._accel.jax import xla_filters
from arrayconv._accel.jax.xla_filters import XlaFilters
from arrayconv._accel.native import filters, native_filters
from arrayconv._accel.native.native_filters import BoundFilters
from arrayconv._arrays.array import Array
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.identify import device_kind
from arrayconv._arrays.out_arrays import is_writable_in_place, shares_memory
from arrayconv._calls import dry_run, one_call, prepare
from arrayconv._calls.one_call import Direct
from arrayconv._costs import parallel
from arrayconv._ndimage import dtypes
from arrayconv._ndimage.validation import Bare, Call, Source
from arrayconv._ndimage.window import Pass, windows_along
from arrayconv._plan.rank import Candidate
from arrayconv._problem.chain import Chains, Combination, Window
from arrayconv._runtime.programs import LIBRARY
from arrayconv._runtime.tracing import is_traced, planning, shape_of

_ENGINE = "arrayconv._autodiff.jax_filters"


class Fused(NamedTuple):
    """The passes of a filter, bound: they run on any input, and weights, of the same kinds."""

    bound: BoundFilters | XlaFilters | CudaFilters
    weights: Any  # of all passes; None for the caller's
    direct: Direct | None = None  # `run` without an array to write to, if the result is in the dtype of the passes

    def run(self, call: Call, x: Any, weights: Any, out: Any) -> Any:
        """Return the filtered input in the working dtype; `out` where that was written."""
        source, bound, taps = call.source, self.bound, self.weights
        if isinstance(bound, CudaFilters):
            return bound(x, _in_float64(source, weights) if taps is None else taps, out)
        taps = one_call.doubles(source.backend, weights) if taps is None else taps
        return one_call.run(bound, source.backend, x, taps, out)  # pyright: ignore[reportArgumentType]

    def run_by_xla(self, call: Call, x: Any, weights: Any, tangent: Callable[[Any], Any]) -> Any:
        """Return the filtered JAX array in the result's dtype.

        `tangent` takes `_autodiff.jax_filters` and returns the derivative by the passes, of x or of x and the weights.
        """
        bare, operands = call.bare, (x,) if self.weights is not None else (x, weights)
        bound: Any = self.bound
        if not is_traced(LIBRARY, *operands):
            return self.as_program(bare, x, weights)

        def function(x: Any, weights: Any = self.weights) -> Any:
            return _by_xla(bare, bound, x, weights)

        engine = import_module(_ENGINE)
        return engine.differentiable(function, tangent(engine), *operands)

    def as_program(self, call: Bare, x: Any, weights: Any) -> Any:
        """Return the filtered JAX array, no tracer, in the result's dtype."""
        taps = weights if self.weights is None else self.weights
        return prepare.as_planned_program(LIBRARY, _by_xla, (call, self.bound), (x, taps))

    def candidate(self) -> Candidate:
        """Return the row of an explanation."""
        if isinstance(self.bound, CudaFilters):
            return one_call.kernels_candidate(self.bound.chains, is_whole=self.bound.is_whole)
        bound, by_xla = self.bound, isinstance(self.bound, XlaFilters)
        return one_call.candidate(bound.chains, bound.max_threads, is_uint16=bound.is_uint16, by_xla=by_xla)


def _by_xla(call: Bare, bound: XlaFilters, x: Any, weights: Any) -> Any:
    return call.on(x).cast(import_module(_ENGINE).run(bound, x, weights.reshape(-1)))


def bind(
    call: Call, chains: Sequence[Sequence[Pass]], combine: Combination = "", *, takes_weights: bool = False
) -> Fused | None:
    """Return a filter's passes, bound; None where no compiled code runs them.

    With `takes_weights` other weights may come with each call.
    """
    source = call.source
    accelerators, threads = config.current().accelerators, config.current().threads
    if not supports(source, accelerators):
        return None
    taps = [one.weights for chain in chains for one in chain]
    if any(dtypes.is_complex(dtype_name(weights.dtype)) for weights in taps):
        return None
    names = "uint8" if source.name == "bool" else source.name, call.working
    problem = _chains(shape_of(source.x), tuple(tuple(map(_geometry, chain)) for chain in chains), *names, combine)
    if _is_on_gpu(source):
        return _bind_kernels(call, problem, [one for chain in chains for one in chain], takes_weights)
    most = parallel.most_threads(threads, is_compiled=True)
    is_jax = source.backend == LIBRARY
    if not native_filters.supports(problem) or _exceeds(problem, most):
        return None
    if not (xla_filters if is_jax else native_filters).loads():
        return None
    numbers = _numbers(source, [one for chain in chains for one in chain])
    is_uint16 = not takes_weights and filters.fits_uint16(problem, numbers.tolist(), call.fill)
    if not is_jax:
        own = None if takes_weights else numbers
        on_torchs = source.backend == "torch"
        bound = BoundFilters(problem, call.fill, most, own, is_uint16=is_uint16, on_torchs=on_torchs)
        is_uncast = call.result == call.working and call.order is None
        like = one_call.host(source.backend, source.x).dtype
        return Fused(bound, numbers, one_call.direct(bound, source.backend, like=like) if is_uncast else None)
    return Fused(
        XlaFilters(problem, repr(call.fill), most, is_uint16), xla_filters.bits(numbers) if numbers.size else None
    )


def _bind_kernels(call: Call, problem: Chains, passes: Sequence[Pass], takes_weights: bool) -> Fused | None:
    """Return passes bound to CUDA kernels, None where these do not run them."""
    is_known, settings = all(one.values for one in passes) and not takes_weights, config.current()
    if not cuda_filters.supports(problem, call.fill, in_struct=is_known) or not (is_known or len(passes) == 1):
        return None
    if settings.capped and cuda_filters.workspace(problem) > settings.max_workspace:
        return None
    numbers = np.concatenate([np.reshape(one.values, -1) for one in passes]).astype(np.float64) if is_known else None
    is_whole = numbers is not None and filters.fits_uint16(problem, numbers.tolist(), call.fill)
    is_bool = call.result == "bool"
    bound = CudaFilters(call.source.backend, problem, call.fill, numbers, is_whole=is_whole, is_bool=is_bool)
    weights = passes[0].weights if numbers is None else numbers
    if not dry_run.is_active() and not cuda_filters.loads(bound, call.source.x, weights):
        return None
    return Fused(bound, weights)


def supports(source: Source, accelerators: frozenset[str]) -> bool:
    """Whether compiled code reads arrays like the input."""
    device = device_kind(source.backend, source.device)
    if source.backend == LIBRARY:
        return xla_filters.is_available(accelerators, device)
    if cuda_filters.reads(source.backend, device):
        return cuda_filters.is_available(source.backend, device, accelerators)
    return one_call.is_available(source.backend, device, accelerators)


def _in_float64(source: Source, weights: Array) -> Array:
    return source.xp.astype(weights, source.xp.float64, copy=False)


def _is_on_gpu(source: Source) -> bool:
    return cuda_filters.reads(source.backend, device_kind(source.backend, source.device))


def _numbers(source: Source, passes: Sequence[Pass]) -> Any:
    """Return the weights of passes in float64; none for an array of JAX's, whose values may be unknown."""
    flat = [np.asarray(one.values if one.values else _read(source, one.weights)).reshape(-1) for one in passes]
    return np.ascontiguousarray(np.concatenate(flat), np.float64)


def _read(source: Source, weights: Any) -> Any:
    return () if source.backend == LIBRARY else one_call.host(source.backend, weights)


def _exceeds(chains: Chains, threads: int) -> bool:
    """Whether the buffers of all threads exceed a limit that the user set."""
    settings = config.current()
    return settings.capped and native_filters.workspace(chains, threads) > settings.max_workspace


def applies(source: Source, x: Array, weights: Any = None) -> bool:
    """Whether nothing needs the passes of a call on these arrays: no tape, no tracer, no gradient."""
    return one_call.applies(source.backend, x, x if weights is None else weights)


def can_write(call: Call, x: Array) -> bool:
    """Whether the caller's array may be written to while x is read."""
    if call.out is None or call.order is not None:
        return False
    backend = call.source.backend
    if call.result != call.working and not _is_on_gpu(call.source):
        return False
    return is_writable_in_place(backend, call.out) and not shares_memory(backend, call.out, x)


Geometry = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[Any, ...], bool, int, tuple[Any, ...]]


def _geometry(one: Pass) -> Geometry:
    positions = one.positions
    taps = tuple(max(column) + 1 for column in zip(*positions, strict=True)) if positions else shape_of(one.weights)
    return one.axes, taps, one.before, one.boundaries, one.flip, one.divisor, positions


@planning()
def _chains(
    shape: tuple[int, ...], chains: tuple[tuple[Geometry, ...], ...], x_name: str, y_name: str, combine: Combination
) -> Chains:
    """Return passes in integers."""
    windows = [[_window(shape, *geometry) for geometry in chain] for chain in chains]
    return Chains(shape, tuple(map(tuple, windows)), x_name, y_name, combine)


def _window(
    shape: tuple[int, ...],
    axes: tuple[int, ...],
    taps: tuple[int, ...],
    before: tuple[int, ...],
    boundaries: tuple[Any, ...],
    flip: bool,
    divisor: int,
    positions: tuple[tuple[int, ...], ...],
) -> Window:
    return Window(axes, windows_along(shape, axes, taps, before, boundaries), flip, divisor, positions)
