"""A `Convolver` on Dask arrays: each chunk by a `Convolver` of the same kernel, 'valid' on its extended samples.

So passes are chosen per chunk, and what is prepared of the kernel is cached once per process.
"""

from __future__ import annotations

import pickle
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from arrayconv._arrays.array import Array
from arrayconv._arrays.chunks import chunk_like
from arrayconv._arrays.identify import library
from arrayconv._arrays.namespace import namespace_of
from arrayconv._arrays.operands import Operands
from arrayconv._calls import dry_run
from arrayconv._calls.chunked import ChunkedCall
from arrayconv._calls.prepare import Options
from arrayconv._convolver.kernel import FUNCTION
from arrayconv._convolver.options import rebuilt
from arrayconv._problem.chunking import block_shape
from arrayconv._problem.problem import Problem
from arrayconv._runtime.caches import BoundedDict
from arrayconv._runtime.tracing import shape_of

if TYPE_CHECKING:
    from arrayconv._convolver.explanation import ConvolverExplanation

_MAX_CONVOLVERS = 64
_convolvers: dict[str, Any] = BoundedDict("calls", _MAX_CONVOLVERS)


class Chunk(NamedTuple):
    """The `Convolver` of all chunks, and a name for it that is the same in every process."""

    convolver: Any
    token: str
    space: tuple[int, ...]  # the convolved axes of x


def of_chunks(cls: Any, origin: Any, from_factors: bool, keywords: Any) -> Any:
    """Return the `Convolver` of chunks: 'valid' outputs of samples that the boundary extended."""
    own = keywords._replace(mode="valid", lags=None, boundary="constant", fill_value=0)
    return rebuilt(cls, origin, from_factors, own._asdict())


def bind(convolver: Any, operands: Operands, problem: Problem, options: Options, space: tuple[int, ...]) -> ChunkedCall:
    """Return the call of a `Convolver` on Dask arrays; `convolver` is the 'valid' one of the chunks."""
    token = sha256(pickle.dumps(convolver)).hexdigest()
    chunk = Chunk(convolver, token, space)
    return ChunkedCall(FUNCTION, operands, problem, options, compute=compute, settings=chunk)


def explained(operands: Operands, call: ChunkedCall, convolver: Any, x: Any) -> ConvolverExplanation:
    """Say what the largest chunk of a call on a Dask array would do, by the `Convolver` of its chunks."""
    with dry_run.recording() as record:
        y = call(operands.x, operands.kernel)
    shape = block_shape(record.calls[0].problem, call.settings.space)
    described = convolver.explain(shape, like=chunk_like(x))
    return replace(described, output_shape=shape_of(y), remarks=tuple(record.remarks))


def compute(settings: Chunk, problem: Problem, x: Any, _kernel: Array) -> Any:
    """Return a chunk of the result."""
    convolver = _convolvers.setdefault(settings.token, settings.convolver)
    return convolver(namespace_of(library(type(x)), x).reshape(x, block_shape(problem, settings.space)))
