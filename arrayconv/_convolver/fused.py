"""All passes of all terms by one call of compiled code, from the plan of the passes one by one.

x is extended along all axes before the first pass, as the definition extends it, so a fill needs no value per pass.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from arrayconv import config
from arrayconv._accel.cuda import cuda_filters
from arrayconv._accel.cuda.cuda_filters import CudaFilters
from arrayconv._accel.native import filters, native_filters
from arrayconv._accel.native.native_filters import BoundFilters
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.host import Numbers
from arrayconv._arrays.operands import Operands
from arrayconv._arrays.out_arrays import is_writable_in_place, shares_memory
from arrayconv._arrays.traits import Traits
from arrayconv._calls import dry_run, one_call
from arrayconv._calls.one_call import Direct
from arrayconv._convolver.chain import Chain, FactorRequest
from arrayconv._costs import parallel
from arrayconv._kernels.separable import Term
from arrayconv._plan.rank import Candidate, step_ns
from arrayconv._problem.chain import Chains
from arrayconv._problem.problem import Problem


class FusedPasses(NamedTuple):
    """The passes of a kernel for compiled code, in integers."""

    chains: Chains
    fill: complex
    threads: int  # at most
    is_uint16: bool
    candidate: Candidate


class BoundPasses(NamedTuple):
    """The passes of a kernel, bound: a function of x."""

    bound: BoundFilters | CudaFilters
    backend: str
    weights: Any  # of all passes of all terms
    direct: Direct | None = None  # `_run` without an array to write to

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Return the convolution; `out` where that is an array to write to."""
        if out is None:
            y = None if self.direct is None else self.direct(x, None)
            return self._run(x) if y is None else y
        if is_writable_in_place(self.backend, out) and not shares_memory(self.backend, out, x):
            return self._run(x, out)
        out[...] = self._run(x)
        return out

    def _run(self, x: Any, out: Any = None) -> Any:
        if isinstance(self.bound, CudaFilters):
            return self.bound(x, None, out)
        return one_call.run(self.bound, self.backend, x, self.weights, out)


def x_dtype(operands: Operands) -> str:
    """Return the dtype of x, '' where a tape, a tracer or a gradient needs the passes one by one."""
    return dtype_name(operands.x.dtype) if one_call.applies(operands.traits.backend, operands.x) else ""


def fused_passes(
    chain: Chain, terms: tuple[Term, ...], problem: Problem, traits: Traits, request: FactorRequest
) -> FusedPasses | None:
    """Return the passes of terms for compiled code, None where it does not compute them."""
    settings, fill = config.current(), request.options.fill_value
    if not request.x_dtype or request.options.method != "auto" or traits.traced or not _is_real(chain, terms):
        return None
    combine = "sum" if len(terms) > 1 else ""
    chains = Chains(request.x_shape, (chain.windows,) * len(terms), request.x_dtype, traits.output, combine, True)
    if not _supports(chains, traits, fill, settings.accelerators) or chains.output_shape != problem.shape:
        return None
    if not filters.fits_float64(chains, terms, fill):
        return None
    threads = parallel.most_threads(settings.threads, is_compiled=True)
    is_uint16 = filters.fits_uint16(chains, [w.real for term in terms for factor in term for w in factor], fill)
    if cuda_filters.reads(traits.backend, traits.device):
        candidate = one_call.kernels_candidate(chains, is_whole=is_uint16, card=traits.card)
    else:
        candidate = one_call.candidate(chains, threads, is_uint16=is_uint16)
    own = FusedPasses(chains, fill, threads, is_uint16, candidate._replace(cost_ns=candidate.cost_ns + step_ns(traits)))
    limit = settings.max_workspace if request.options.max_workspace is None else request.options.max_workspace
    return own if own.candidate.workspace + request.extra_bytes <= limit else None


def _supports(chains: Chains, traits: Traits, fill: complex, accelerators: frozenset[str]) -> bool:
    """Whether compiled code computes the chains on such arrays."""
    if cuda_filters.reads(traits.backend, traits.device):
        is_available = cuda_filters.is_available(traits.backend, traits.device, accelerators)
        return is_available and cuda_filters.supports(chains, fill)
    if not one_call.is_available(traits.backend, traits.device, accelerators):
        return False
    return native_filters.supports(chains) and native_filters.loads()


def _is_real(chain: Chain, terms: tuple[Term, ...]) -> bool:
    """Whether outputs are adjacent and weights have no imaginary part."""
    strides = [along.stride * along.upsample for window in chain.windows for along in window.windows]
    return set(strides) == {1} and not any(weight.imag for term in terms for factor in term for weight in factor)


def bind(own: FusedPasses, terms: tuple[Term, ...], operands: Operands) -> BoundPasses | None:
    """Return passes bound, with the weights that the passes one by one multiply by: rounded to the accumulator.

    None where CUDA kernels do not compile.
    """
    numbers, traits = tuple(w for term in terms for factor in term for w in factor), operands.traits
    name = traits.accumulator
    host: Any = Numbers(numbers, (len(numbers),), name).array(name, np, "cpu")
    weights = np.ascontiguousarray(host.real, np.float64)
    if not cuda_filters.reads(traits.backend, traits.device):
        on_torchs = traits.origin == "torch"
        bound = BoundFilters(own.chains, own.fill, own.threads, weights, is_uint16=own.is_uint16, on_torchs=on_torchs)
        like = one_call.host(traits.backend, operands.x).dtype
        return BoundPasses(bound, traits.backend, weights, one_call.direct(bound, traits.backend, like=like))
    kernels = CudaFilters(traits.backend, own.chains, own.fill, weights, is_whole=own.is_uint16)
    if not dry_run.is_active():
        available = cuda_filters.is_available(traits.backend, traits.device, config.current().accelerators)
        if not available or not cuda_filters.loads(kernels, operands.x, None):
            return None
    return BoundPasses(kernels, traits.backend, None)
