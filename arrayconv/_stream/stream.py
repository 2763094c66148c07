"""`Stream`: the convolution of an array that arrives in chunks."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from arrayconv import _autodiff
from arrayconv._arrays.namespace import on_device
from arrayconv._arrays.operands import Operands
from arrayconv._problem.stream import total_outputs
from arrayconv._runtime.torch_modes import is_mode_active, is_transforming
from arrayconv._stream.engine import Engine
from arrayconv._stream.partition import Partition
from arrayconv._stream.source import FLUSH, PUSH, Source, Stage, admit, check_chunk, parse, stage


class Stream:
    """The convolution of one array that arrives in chunks along one axis: what `Convolver.stream` returns.

    The results of all `push` calls and of `flush`, joined along the axis, are the result of the `Convolver` on the
    joined chunks, whatever their sizes. `push` returns the outputs that have become known, often none and then an
    array of length 0 along the axis. Not safe to use from several threads at once.

    See Also
    --------
    arrayconv.Convolver.stream : the parameters, the contract and an example.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._engine: Engine | None = None
        self._kind: Any = None
        self._ended = self._started = False

    def push(self, chunk: Any) -> Any:
        """Return the outputs that a chunk completes.

        Parameters
        ----------
        chunk : array, shape (..., m, ...)
            The next m >= 0 samples along the axis, of the first chunk's library, device, dtype and shape but for m. It
            is copied where the stream needs it later. Tensors that require a gradient get it from the results of this
            call; samples of earlier chunks are constants.

        Returns
        -------
        array, shape (..., p, ...)
            The next p >= 0 outputs, of the dtype that the `Convolver` returns.

        Raises
        ------
        TypeError
            For a chunk of another library, device or dtype than the first or the kernel, or of a dtype without a
            convolution, and for a traced one. The stream is as before the call then, and so for the next two.
        ValueError
            For a chunk of another shape than the first but for m, or one that contradicts the kernel's axes.
        NotImplementedError
            If a forced `method` cannot run the problem (the text says why).
        RuntimeError
            After `flush`.

        Examples
        --------
        >>> import arrayconv
        >>> stream = arrayconv.Convolver([1, 2, 1], "same", boundary="edge").stream()
        >>> stream.push([0, 0, 4])
        array([0, 4])
        >>> stream.push([0, 0])
        array([8, 4])
        """
        if self._ended:
            raise RuntimeError(f"{PUSH}: the stream has ended. Call reset() for a new one, or push before flush().")
        engine, kind = self._engine, _kind(chunk)
        if engine is None or not self._started or kind is None or kind != self._kind or not engine.fits(chunk.shape):
            engine, chunk = self._admit(chunk)
        if engine.row.current_device:
            with on_device(engine.stage.operands.xp, engine.stage.operands.device):
                y = engine.push(chunk)
        else:
            y = engine.push(chunk)
        if not self._started:  # not before the first push has succeeded
            self._engine, self._kind, self._started = engine, _kind(chunk), True
        return y

    def flush(self) -> Any:
        """Return the remaining outputs, those that read beyond the last sample; the stream has ended then.

        Returns
        -------
        array, shape (..., p, ...)
            The last p >= 0 outputs.

        Raises
        ------
        ValueError
            Before the first push, and where a call on all of x raises: mode 'valid' with fewer samples than the kernel
            spans, or a boundary that copies samples, of which there are none. More can be pushed then.
        RuntimeError
            If the stream has ended already.
        """
        if self._ended:
            raise RuntimeError(f"{FLUSH}: the stream has ended. Call reset() for a new one.")
        if self._engine is None or not self._started:
            raise ValueError(
                f"{FLUSH}: shape and dtype are unknown before the first push. Got no chunk. Push an empty one."
            )
        engine = self._engine
        total = total_outputs(FLUSH, engine.stage.stream, engine.samples)
        with on_device(engine.stage.operands.xp, engine.stage.operands.device):
            y = engine.flush(total)
        self._ended = True
        return y

    def reset(self) -> None:
        """Drop all samples: the next push begins a new stream, also of another dtype or shape."""
        self._started = self._ended = False

    def copy(self) -> Stream:
        """Return another stream in the same state, which continues on its own."""
        other = Stream(self._source)
        other._kind, other._ended, other._started = self._kind, self._ended, self._started
        other._engine = self._engine if self._engine is None else self._engine.copy()
        return other

    __copy__ = copy

    def __deepcopy__(self, memo: Any) -> Stream:
        return self.copy()

    def __getstate__(self) -> tuple[Any, ...]:
        if self._engine is None or not self._started:
            return self._source, None, False
        return self._source, self._engine.state(), self._ended

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        source, samples, ended = state
        self.__init__(source)
        if samples is not None:
            self._engine = Engine.restored(source, samples)
            self._started, self._ended = True, ended

    @property
    def latency(self) -> int:
        """Samples beyond the last one that an output reads, that may have to arrive before it is returned.

        0 for direct methods; a block less 1 where blocks are transformed. Outputs at the start wait longer if the
        boundary copies samples that have not arrived. Raises RuntimeError before the first push.
        """
        return self._known("latency").choice.block - 1

    @property
    def method(self) -> str:
        """The method that runs: a name of the table, or 'partitioned' for an FFT of the kernel's partitions.

        Raises RuntimeError before the first push.
        """
        return self._known("method").choice.method

    @property
    def partitions(self) -> tuple[Partition, ...]:
        """The partitions of the kernel: (block, first, count) each, empty if it is not partitioned.

        `count` partitions of `block` taps, from tap `first` on. Raises RuntimeError before the first push.
        """
        return self._known("partitions").choice.partitions

    @property
    def samples(self) -> int:
        """Samples pushed so far."""
        return self._engine.samples if self._engine is not None and self._started else 0

    @property
    def outputs(self) -> int:
        """Outputs returned so far."""
        return self._engine.outputs if self._engine is not None and self._started else 0

    @property
    def nbytes(self) -> int:
        """Bytes of the samples kept, and of the spectra of a partitioned kernel and its delay lines."""
        return self._engine.nbytes if self._engine is not None else 0

    def __repr__(self) -> str:
        running = (
            f", method={self.method!r}, latency={self.latency}" if self._engine is not None and self._started else ""
        )
        return f"<Stream axis={self._source.axis}{running}, {self.samples} samples in, {self.outputs} outputs>"

    def _known(self, name: str) -> Engine:
        if self._engine is None:
            raise RuntimeError(
                f"Stream.{name}: depends on shape and dtype, unknown before the first push. Push an empty chunk."
            )
        return self._engine

    def _admit(self, chunk: Any) -> tuple[Engine, Any]:
        """Check a chunk; return the engine, created for the first chunk, and the chunk as an array."""
        operands, shape = admit(self._source, chunk)
        engine = self._engine
        if self._started and engine is not None:
            check_chunk(engine.stage, operands, shape)
            return engine, operands.x
        with on_device(operands.xp, operands.device):
            return self._begin(stage(self._source, operands, shape), operands), operands.x

    def _begin(self, first: Stage, operands: Operands) -> Engine:
        """Return the engine of a new stream: that of the last one, without samples, where it runs alike."""
        library, engine = operands.traits.library, self._engine
        needs_autodiff = self._source.needs_autodiff or _autodiff.needs_autodiff(library, operands.x)
        if engine is None or not engine.continues(first, needs_autodiff):
            return Engine(first, needs_autodiff=needs_autodiff)
        engine.clear()
        return engine


def _kind(x: Any) -> Any:
    """Return what identifies arrays that need no further check but their shape; None where they need one."""
    if type(x) is np.ndarray:
        return x.dtype
    torch = sys.modules.get("torch")
    if torch is None or type(x) is not torch.Tensor or torch.compiler.is_compiling() or is_mode_active(torch._C):
        return None
    if is_transforming():
        return None
    return x.dtype, x.device, x.layout


def create(kernel: tuple[Any, ...], separability: Any, options: tuple[Any, ...], separable: bool) -> Stream:
    """Return a stream of a `Convolver`: its kernel (array, dtype, needs_autodiff), its options, and the stream's."""
    array, _, needs_autodiff = kernel
    passes = "factors" * separability.from_factors or "separable=True" * separable
    return Stream(parse(Source(array, separability.shape, needs_autodiff, *options), passes=passes))
