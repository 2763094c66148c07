"""NumPy arrays on canonical axes of which one piece is copied at a time.

Joining axes that do not follow one another in memory copies an array. `Pieces` holds a view of it, its axes permuted
and not joined. Indexing copies a piece to joined axes, and assignment writes one from there, so that a call needs no
copy of the whole array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from arrayconv._arrays.out_arrays import is_writable_in_place
from arrayconv._arrays.traits import Traits
from arrayconv._problem.layout import Permutation, Shape
from arrayconv._problem.problem import Problem

# Of a joined axis: the part of a piece, and the same part of the axes that it joins.
_Box = tuple[slice, tuple[slice, ...]]


class Pieces:
    """An array on canonical axes, read and written by index.

    Parameters
    ----------
    array : numpy.ndarray
        On the caller's axes, of any layout and byte order.
    permutation : Permutation
        To canonical axes.
    dtype : numpy.dtype
        Of the pieces that are read.
    """

    def __init__(self, array: Any, permutation: Permutation, dtype: Any) -> None:
        transposed = array.reshape(permutation.split).transpose(permutation.order)
        self._view = transposed.reshape([n for n in transposed.shape if n != 1])  # a view: only 1s are dropped
        self._axes = _joined_axes(self._view.shape, permutation.joined)
        self.shape, self.dtype = permutation.joined, np.dtype(dtype)

    def __getitem__(self, index: tuple[slice, ...]) -> Any:
        """Return a copy of a piece."""
        piece = np.empty([len(range(n)[cut]) for n, cut in zip(self.shape, index, strict=True)], self.dtype)
        for part, place in self._boxes(index):
            source = self._view[place]
            piece[part].reshape(source.shape)[...] = source  # splitting an axis never copies
        return piece

    def __setitem__(self, index: Any, value: Any) -> None:
        """Write a piece, or with an ellipsis one number or all of the array."""
        if index is ... and not np.ndim(value):
            self._view[...] = value
            return
        for part, place in self._boxes((slice(None),) * len(self.shape) if index is ... else index):
            self._view[place] = value[part].reshape(self._view[place].shape)

    def _boxes(self, index: tuple[slice, ...]) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
        """Yield the parts of a piece that are boxes of the view."""
        each = [list(_axis_boxes(cut, sizes)) for cut, sizes in zip(index, self._axes, strict=True)]
        for boxes in product(*each):
            yield tuple(part for part, _ in boxes), tuple(cut for _, cuts in boxes for cut in cuts)


def is_pieces(x: Any) -> bool:
    """Whether an array is read and written piece by piece: a function, so that type checkers keep its type."""
    return isinstance(x, Pieces)


def _joined_axes(sizes: Shape, joined: Shape) -> list[Shape]:
    """Return for each joined axis the sizes, none of them 1, that it joins."""
    remaining, axes = list(sizes), []
    for size in joined:
        count = 0
        while prod(remaining[:count]) != size:
            count += 1
        axes.append(tuple(remaining[:count]))
        del remaining[:count]
    return axes


def _axis_boxes(cut: slice, sizes: Shape) -> Iterator[_Box]:
    """Yield the boxes of one joined axis."""
    if len(sizes) < 2:
        yield slice(None), (cut,) * len(sizes)
        return
    first, stop, _ = cut.indices(prod(sizes))
    at = 0
    for box, length in _range_boxes(first, stop, sizes):
        yield slice(at, at + length), box
        at += length


def _range_boxes(first: int, stop: int, sizes: Shape) -> Iterator[tuple[tuple[slice, ...], int]]:
    """Yield the boxes that cover positions [first, stop) of joined axes in order, and their lengths."""
    row = prod(sizes[1:])
    while first < stop:
        outer, within = divmod(first, row)
        rows = 0 if within else (stop - first) // row
        if rows or len(sizes) == 1:
            yield (slice(outer, outer + rows), *(slice(0, n) for n in sizes[1:])), rows * row
            first += rows * row
            continue
        end = min(stop - outer * row, row)
        for box, length in _range_boxes(within, end, sizes[1:]):
            yield (slice(outer, outer + 1), *box), length
        first = outer * row + end


def joins_in_view(array: Any, permutation: Permutation) -> bool:
    """Whether an array's axes are joined without a copy."""
    if not array.size:
        return True
    view = array.reshape(permutation.split).transpose(permutation.order)
    strides = [step for n, step in zip(view.shape, view.strides, strict=True) if n != 1]
    for sizes in _joined_axes(tuple(n for n in view.shape if n != 1), permutation.joined):
        own, strides = strides[: len(sizes)], strides[len(sizes) :]
        if any(step != n * inner for step, n, inner in zip(own, sizes[1:], own[1:], strict=False)):
            return False
    return True


def piece_reader(problem: Problem, traits: Traits, to_whole: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function of x: on canonical axes by `to_whole` where that is a view, else as `Pieces`."""
    permutation, dtype = problem.layout.x, np.dtype(traits.accumulator)

    def read(x: Any) -> Any:
        return to_whole(x) if joins_in_view(x, permutation) else Pieces(x, permutation, dtype)

    return read


def piece_writer(problem: Problem, to_whole: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function of `out`: on canonical axes by `to_whole` where methods may write to that, else as `Pieces`."""
    permutation = problem.layout.y.inverse._replace(joined=problem.spec.output_shape)
    is_view = has_views(problem)

    def write(out: Any) -> Any:
        in_place = is_writable_in_place("numpy", out) and (is_view or joins_in_view(out, permutation))
        return to_whole(out) if in_place else Pieces(out, permutation, out.dtype)

    return write


def has_views(problem: Problem) -> bool:
    """Whether a view of any array of the result's shape has the canonical axes."""
    same_order = [n for n in problem.shape if n != 1] == [n for n in problem.layout.y.joined if n != 1]
    same_axes = [n for n in problem.layout.y.split if n != 1] == [n for n in problem.spec.output_shape if n != 1]
    return same_order and same_axes
