"""Windows as columns and back: `unfold` copies every window of an array, `fold` adds them up at their positions.

Each is the other's adjoint. They go tap by tap over whole-array slices, so there is no index array, and no product. On
NumPy arrays, and in the memory of tensors, `host_patches` does the same. On other tensors of floats with two such axes
torch's own functions run, which add half precision in it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from math import prod
from typing import Any, NamedTuple

import numpy as np

from arrayconv import config
from arrayconv._arrays import dtypes
from arrayconv._arrays.array import Array
from arrayconv._arrays.buffers import buffer, set_at
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.identify import device_of
from arrayconv._arrays.namespace import Namespace, on_device
from arrayconv._arrays.operands import Operands, operands
from arrayconv._arrays.tensors import LIBRARY as TORCH
from arrayconv._arrays.tensors import has_memory, memory
from arrayconv._arrays.traits import Traits
from arrayconv._autodiff import ENGINES
from arrayconv._calls import cache, tape
from arrayconv._calls.one_call import applies
from arrayconv._nn import host_patches
from arrayconv._nn.arguments import not_negative, positive
from arrayconv._nn.shapes import batched
from arrayconv._ops.pad import along, extend
from arrayconv._ops.windows import windows
from arrayconv._problem.axes import is_sequence, padded_axis
from arrayconv._problem.boundary import runs
from arrayconv._problem.layout import Shape
from arrayconv._problem.spec import Axis
from arrayconv._runtime.capacity import check_result
from arrayconv._runtime.programs import as_program
from arrayconv._runtime.tracing import is_compiling, planning, shape_of

_NUMPY = "numpy"
_FEW = 1 << 15  # entries of columns, below which torch adds tensors up in less time
_SMALLER = "`output_size`, `kernel_size`, `dilation`, `padding` and `stride` say how large it is"


class Grid(NamedTuple):
    """The positions of the windows: integers per axis."""

    kernel: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[int, ...]
    stride: tuple[int, ...]


def unfold(function: str, input: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    """Return (batch, channels * taps, windows) of an input (batch, channels, *n), batched or not."""
    return _cached(_unfolding, function, input, (kernel_size, dilation, padding, stride))


def _cached(bind: Callable[..., Callable[[Array], Array]], function: str, input: Any, options: tuple[Any, ...]) -> Any:
    """Call what `bind` returns for arrays like the input; cached."""
    cache_key = cache.key(function, (input,), options)
    call = cache.lookup(cache_key)
    if call is None:
        validated = _alone(function, input)
        input, call = validated.x, cache.store(cache_key, bind(function, validated, *options))
    return call(input)


def _unfolding(
    function: str, validated: Operands, kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> Callable[[Array], Array]:
    """Return the function of arrays like the input."""
    count = len(kernel_size) if is_sequence(kernel_size) else 2
    grid = _grid(function, count, kernel_size, dilation, padding, stride)
    shape = shape_of(validated.x)
    axes, result = _cut(function, shape, grid)
    padded = (*shape[: len(shape) - count], *_padded(shape[len(shape) - count :], grid))
    _check_sizes(function, validated, padded, result)
    if _is_torchs(validated, count):
        general = partial(_by_torch, _torchs("im2col"), tuple(grid))
    else:
        general = _computing(validated, _columns, (axes, result, grid.padding, validated.xp))
    name = dtype_name(validated.x.dtype)
    own = partial(host_patches.unfolding, shape, result, axes, grid.padding, name)
    sizes, split = shape[-count:], (*shape[:-count], prod(grid.kernel), *(axis.outputs for axis in axes))
    back = None
    if _is_torchs(validated, count) and not is_compiling():
        back = host_patches.folding_of_floats(split, sizes, axes, grid.padding, name)
    return _in_memory(validated, general, own, back and _Back(back, "col2im", (sizes, *grid)))


def _computing(validated: Operands, function: Callable[..., Array], settings: tuple[Any, ...]) -> Callable[[Any], Any]:
    """Return `function` of settings and an array as a function of arrays like the input, on their device."""
    xp, device, backend = validated.xp, validated.device, validated.traits.backend

    @float_errors_ignored
    def compute(x: Array) -> Array:
        with on_device(xp, device):
            return as_program(backend, function, settings, (x,))

    return compute


class _Back(NamedTuple):
    """The adjoint of a function on memory, and as torch's own function of other arguments too."""

    run: Callable[[Any], Any]
    name: str
    arguments: tuple[Any, ...]


class _Node(NamedTuple):
    """A function on memory and its adjoint, as `_autodiff.torch.LinearCall`."""

    run: Callable[[Any], Any]
    back: _Back

    def forward(self, x: Any) -> Any:
        """Return the result for a tensor with memory."""
        return sys.modules[TORCH].from_numpy(self.run(memory(x)))

    def adjoint(self, dy: Any) -> Any:
        """Return the gradient of x for that of the result, which has memory."""
        return sys.modules[TORCH].from_numpy(self.back.run(memory(dy)))

    def adjoint_by_torch(self, dy: Any) -> Any:
        """Return the same by torch's own function, which it maps and differentiates."""
        return _torchs(self.back.name)(dy, *self.back.arguments)


def _in_memory(
    validated: Operands, general: Callable[[Any], Any], bind: Callable[[], Callable[[Any], Any]], back: _Back | None
) -> Callable[[Any], Any]:
    """Return the function that `bind` returns, for arrays with memory; `general` for all others.

    With `back` it is a node of torch's graph for tensors that require a gradient.
    """
    x: Any = validated.x
    backend = validated.traits.backend
    if is_compiling() or 0 in x.shape or not dtypes.in_numpy(dtype_name(x.dtype)):
        return general
    if not config.current().accelerators.issuperset((backend, _NUMPY)):
        return general
    if backend == _NUMPY:
        return bind() if type(x) is np.ndarray else general
    if backend != TORCH or "cpu" not in validated.traits.device.lower():
        return general
    own, from_numpy, engine = bind(), sys.modules[TORCH].from_numpy, import_module(ENGINES[TORCH])
    node = back and _Node(own, back)

    def run(x: Any) -> Any:
        if x.requires_grad:  # quick to see
            if node is None or tape.is_recording() or not engine.has_plain_memory(x):
                return general(x)
            return engine.apply_linear(node, x)
        return from_numpy(own(memory(x))) if applies(TORCH, x) and has_memory(x) else general(x)

    return run


def _by_torch(function: Any, grid: tuple[Any, ...], x: Any) -> Any:
    return function(x, *grid)


def _is_torchs(validated: Operands, count: int) -> bool:
    """Whether torch has the function for such an array: it takes floats with two axes, and at least one image."""
    kinds = validated.traits.backend, dtypes.kind(validated.traits.output), count
    return kinds in (("torch", "real", 2), ("torch", "complex", 2)) and 0 not in validated.x.shape


def _torchs(name: str) -> Any:
    """Return what `torch.nn.functional`'s unfold or fold ends in: their checks take as long as the lookup of a call."""
    return getattr(sys.modules["torch"]._C._nn, name)


def _columns(axes: tuple[Axis, ...], result: Shape, padding: tuple[int, ...], xp: Namespace, x: Array) -> Array:
    first, shape = x.ndim - len(axes), x.shape
    for number, (n, p) in enumerate(zip(shape[first:], padding, strict=True)):
        if p:
            x = extend(x, first + number, runs(n, -p, n + p, "constant"), 0, xp=xp, device=device_of(x))
    columns = xp.stack([x[place] for place in windows(axes)], axis=first)  # (batch, channels, taps, *out)
    return xp.reshape(columns, result)


@planning()
def _cut(function: str, shape: Shape, grid: Grid) -> tuple[tuple[Axis, ...], Shape]:
    """Return the axes of the windows and the shape of the columns."""
    count = len(grid.kernel)
    channels, *sizes = batched(function, "input", shape, count)[1:]
    axes = _axes(function, tuple(sizes), grid, "a window, `kernel_size`")
    return axes, (*shape[: len(shape) - count - 1], channels * prod(grid.kernel), _windows(axes))


def fold(
    function: str, input: Any, output_size: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> Any:
    """Return (batch, channels, *output_size) of columns (batch, channels * taps, windows), batched or not."""
    return _cached(_folding, function, input, (output_size, kernel_size, dilation, padding, stride))


def _folding(
    function: str,
    validated: Operands,
    output_size: Any,
    kernel_size: Any,
    dilation: Any,
    padding: Any,
    stride: Any,
) -> Callable[[Array], Array]:
    """Return the function of arrays like the input."""
    sequences = [value for value in (kernel_size, output_size) if is_sequence(value)]
    count = len(sequences[0]) if sequences else 2
    sizes = positive(function, "output_size", output_size, count)
    grid = _grid(function, count, kernel_size, dilation, padding, stride)
    axes, split = _glue(function, shape_of(validated.x), sizes, grid)
    _check_sizes(function, validated, (*split[: len(split) - count - 1], *_padded(sizes, grid)))
    traits, name = validated.traits, validated.traits.output
    if name != traits.accumulator or not _is_torchs(validated, count):
        general = _computing(validated, _glued, (axes, split, sizes, grid.padding, traits, validated.xp))
    else:
        general = partial(_by_torch, _torchs("col2im"), (sizes, *grid))
    if name != traits.accumulator:
        return general
    geometry = split, sizes, axes, grid.padding, name
    own = None if is_compiling() else host_patches.folding_of_floats(*geometry)
    if own is not None:
        images = (*split[: len(split) - count - 1], *sizes)
        unfold = host_patches.unfolding(images, shape_of(validated.x), axes, grid.padding, name)
        back = _Back(unfold, "im2col", tuple(grid)) if _is_torchs(validated, count) else None
        return _in_memory(validated, general, lambda: own, back)
    if traits.backend == TORCH and prod(split) < _FEW:
        return general
    return _in_memory(validated, general, partial(host_patches.folding, *geometry), None)


def _glued(
    axes: tuple[Axis, ...],
    split: Shape,
    sizes: Shape,
    padding: tuple[int, ...],
    traits: Traits,
    xp: Namespace,
    x: Array,
) -> Array:
    lead = len(split) - len(axes) - 1
    columns = xp.reshape(
        xp.astype(x, getattr(xp, traits.accumulator), copy=False), split
    )  # (batch, channels, taps, *out)
    padded = tuple([n + 2 * p for n, p in zip(sizes, padding, strict=True)])
    y = buffer(columns, (*split[:lead], *padded), zeros=True, xp=xp, device=device_of(x))
    for number, at in enumerate(windows(axes)):
        y = set_at(y, at, y[at] + columns[(*(slice(None),) * lead, number, ...)])
    for number, (n, p) in enumerate(zip(sizes, padding, strict=True)):
        y = y[along(lead + number, slice(p, p + n))] if p else y
    return xp.astype(y, getattr(xp, traits.output), copy=False)


@planning()
def _glue(function: str, shape: Shape, sizes: Shape, grid: Grid) -> tuple[tuple[Axis, ...], Shape]:
    """Return the axes of the windows and the columns' shape, split into channels, taps and output axes."""
    if len(shape) not in (2, 3):
        raise ValueError(
            f"{function}: `input` must have 3 axes (batch, channels * taps, windows), or 2 without the batch. "
            f"Got shape {shape}."
        )
    axes = _axes(function, sizes, grid, "a window: `output_size`, padded, `kernel_size`")
    rows, count = shape[-2], prod(grid.kernel)
    if rows % count:
        raise ValueError(
            f"{function}: `input.shape[-2]` must be a multiple of the taps. Got input {shape}, kernel_size="
            f"{grid.kernel}: {rows} % {count} = {rows % count}."
        )
    if shape[-1] != _windows(axes):
        outputs = tuple(axis.outputs for axis in axes)
        raise ValueError(
            f"{function}: `input.shape[-1]` must be the number of windows. Got input {shape}, but output_size={sizes}, "
            f"kernel_size={grid.kernel}, dilation={grid.dilation}, padding={grid.padding}, stride={grid.stride} have "
            f"{' * '.join(map(str, outputs))} = {_windows(axes)}."
        )
    return axes, (*shape[:-2], rows // count, count, *[axis.outputs for axis in axes])


def _alone(function: str, input: Any) -> Operands:
    return operands(function, input, input, None, ("input", "input"))


def _padded(sizes: Shape, grid: Grid) -> Shape:
    return tuple([n + 2 * p for n, p in zip(sizes, grid.padding, strict=True)])


def _check_sizes(function: str, validated: Operands, *shapes: Shape) -> None:
    """Raise MemoryError for arrays that this machine can't hold; devices know their own memory."""
    if "cpu" in validated.traits.device.lower():
        for shape in shapes:
            check_result(function, shape, prod(shape), validated.traits.itemsize, _SMALLER)


def _grid(function: str, count: int, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Grid:
    return Grid(
        positive(function, "kernel_size", kernel_size, count),
        positive(function, "dilation", dilation, count),
        not_negative(function, "padding", padding, count),
        positive(function, "stride", stride, count),
    )


def _axes(function: str, sizes: Shape, grid: Grid, window: str) -> tuple[Axis, ...]:
    parts = zip(sizes, grid.kernel, grid.dilation, grid.padding, grid.stride, strict=True)
    bare = [(Axis(n, k, 0, stride=s, dilation=d), (p, p)) for n, k, d, p, s in parts]
    return tuple([padded_axis(function, axis, padding, window) for axis, padding in bare])


def _windows(axes: tuple[Axis, ...]) -> int:
    return prod([axis.outputs for axis in axes])
