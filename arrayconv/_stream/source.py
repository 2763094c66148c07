"""What a stream needs of its `Convolver`, and what its first chunk determines."""

from __future__ import annotations

from typing import Any, NamedTuple

from arrayconv._arrays import operands as admission
from arrayconv._arrays.operands import Operands
from arrayconv._calls import prepare
from arrayconv._errors import shown
from arrayconv._problem import positional
from arrayconv._problem.axes import integer
from arrayconv._problem.boundary import wraps
from arrayconv._problem.positional import Geometry
from arrayconv._problem.problem import Problem
from arrayconv._problem.spec import Axis
from arrayconv._problem.stream import StreamAxis, stream_axis
from arrayconv._runtime.torch_modes import is_transforming
from arrayconv._runtime.tracing import shape_of

FUNCTION = "Convolver.stream"
PUSH = "Stream.push"
FLUSH = "Stream.flush"


class Source(NamedTuple):
    """A `Convolver` as a stream reads it, and the options of the stream."""

    kernel: Any
    kernel_shape: tuple[int, ...]
    needs_autodiff: bool
    geometry: Geometry
    options: prepare.Options
    dtype: Any
    axis: int
    max_latency: int | None


def parse(source: Source, *, passes: str) -> Source:
    """Check what does not depend on the chunks; `passes` says why the kernel must run as passes, '' if it need not."""
    axis, latency = integer(FUNCTION, "axis", source.axis), source.max_latency
    if passes:
        raise NotImplementedError(
            f"{FUNCTION}: a stream runs its kernel whole, not as passes. Got {passes}. Build the Convolver from the "
            f"whole kernel, with separable='auto' or False."
        )
    if source.geometry.lags is not None:
        raise NotImplementedError(
            f"{FUNCTION}: a stream has outputs until it ends, not those of given lags. Got "
            f"lags={source.geometry.lags!r}. Use a mode."
        )
    if latency is not None:
        latency = integer(FUNCTION, "max_latency", latency, "an integer or None")
        if latency < 0:
            raise ValueError(f"{FUNCTION}: `max_latency` must be at least 0 samples. Got {latency}.")
    return source._replace(axis=axis, max_latency=latency)


class Stage(NamedTuple):
    """What the first chunk determines: the operands without x, and the geometry of the streamed axis."""

    source: Source
    operands: Operands  # x is an array without samples along the streamed axis
    dtype: Any  # of x
    label: int  # the streamed axis of x
    shape: tuple[int, ...]  # of a chunk, 0 along the streamed axis
    stream: StreamAxis

    def problem(self, axis: Axis) -> Problem:
        """Translate the outputs of one piece of x."""
        shape = (*self.shape[: self.label], axis.size, *self.shape[self.label + 1 :])
        return positional.problem(PUSH, shape, self.source.kernel_shape, self.source.geometry, (self.label, axis))

    def empty(self) -> Any:
        """Return a result without outputs."""
        xp, axis = self.operands.xp, self.stream.piece(0, 0, 0, 0)
        dtype = getattr(xp, self.operands.traits.output)
        return xp.zeros(self.problem(axis).shape, dtype=dtype, device=self.operands.device)


def admit(source: Source, chunk: Any) -> tuple[Operands, tuple[int, ...]]:
    """Admit a chunk; raises TypeError for a traced or transformed one, whose samples would outlive the trace."""
    names = ("chunk", "the kernel")
    operands = admission.operands(PUSH, chunk, source.kernel, source.dtype, names)
    if operands.traits.traced or (operands.traits.library == "torch" and is_transforming()):
        raise TypeError(
            f"{PUSH}: a stream keeps samples between calls, so it takes no traced or transformed array. Got "
            f"{type(chunk).__name__}. Call it outside the compiled or transformed function, or convolve all of x there."
        )
    return operands, shape_of(operands.x)


def stage(source: Source, operands: Operands, shape: tuple[int, ...]) -> Stage:
    """Return what the first chunk determines; raises what is wrong with it."""
    ndim = len(shape)
    if not -ndim <= source.axis < ndim:
        raise ValueError(f"{PUSH}: `axis` must be in [-{ndim}, {ndim}). Got {source.axis} for a chunk of {shape}.")
    label = source.axis % ndim
    axis = positional.axis_of(PUSH, shape, source.kernel_shape, source.geometry, label)
    if axis is None:
        raise ValueError(
            f"{PUSH}: `axis` must be one that the kernel runs along. Got axis {source.axis} of a chunk of shape "
            f"{shape}, and axes={source.geometry.axes!r}. Convolve such chunks one by one instead."
        )
    if wraps(axis.boundary):
        raise ValueError(
            f"{PUSH}: boundary 'wrap' on the streamed axis needs the last sample before the first output. Got "
            f"boundary={source.geometry.boundary!r}. Use another boundary, or convolve all of x at once."
        )
    prepare.check_fill(PUSH, source.options.fill_value, operands.traits)
    empty = (*shape[:label], 0, *shape[label + 1 :])
    stream = stream_axis(PUSH, axis, source.geometry.mode)
    index = (*(slice(None),) * label, slice(0, 0), ...)
    whole = Stage(source, operands._replace(x=operands.x[index]), operands.x.dtype, label, empty, stream)
    whole.problem(stream.piece(0, 0, 0, 0))  # raises for shapes that do not broadcast
    return whole


def check_chunk(first: Stage, operands: Operands, shape: tuple[int, ...]) -> None:
    """Raise for a chunk that does not continue the earlier ones."""
    if operands.x.dtype != first.dtype or operands.traits != first.operands.traits:
        known = first.operands.traits
        raise TypeError(
            f"{PUSH}: every chunk must have the first one's library, device and dtype: {known.library} on "
            f"{first.operands.device}, {first.dtype}. Got {operands.traits.library} on {operands.device}, "
            f"{operands.x.dtype}. Cast it, or reset() the stream."
        )
    rest = (*shape[: first.label], 0, *shape[first.label + 1 :]) if len(shape) == len(first.shape) else shape
    if rest != first.shape:
        sizes = ", ".join("any" if axis == first.label else str(n) for axis, n in enumerate(first.shape))
        raise ValueError(
            f"{PUSH}: every chunk must have the first one's shape but along the streamed axis: ({sizes}). "
            f"Got {shown(shape)}. Reset() the stream for arrays of another shape."
        )
