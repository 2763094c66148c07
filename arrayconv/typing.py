"""Types for annotations: what the functions of this package accept and return, as a type checker sees them.

A NumPy array, a number or nested lists give a NumPy array, whose dtype the checker does not know; an array of another
library gives an array of the same type. `Mode`, `Boundary`, `Method` and `Accuracy` are the options' names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import numpy as np

from arrayconv._algorithms import Accuracy
from arrayconv._problem.axes import Mode
from arrayconv._problem.boundary import Boundary

__all__ = [
    "Accuracy",
    "Array",
    "ArrayLike",
    "ArrayT",
    "Boundaries",
    "Boundary",
    "FilterMode",
    "FilterModes",
    "Method",
    "Mode",
    "Nested",
    "NumPyLike",
    "Padding",
    "PerAxis",
]


class Array(Protocol):
    """What every array has that this package accepts: a shape, a dtype, axes and items.

    Examples
    --------
    >>> from arrayconv.typing import Array
    >>> def rows(x: Array) -> int:
    ...     return x.shape[0]
    """

    @property
    def shape(self) -> Any:
        """Lengths of the axes."""
        ...

    @property
    def ndim(self) -> Any:
        """Number of axes."""
        ...

    @property
    def dtype(self) -> Any:
        """The library's own dtype."""
        ...

    def __getitem__(self, key: Any, /) -> Any: ...


class Nested(Protocol):
    """Lists, tuples or ranges of numbers, nested or not; strings are none.

    Examples
    --------
    >>> from arrayconv.typing import Nested
    >>> taps: Nested = [[1, 0, -1], (2, 0, -2)]
    """

    def __len__(self) -> int: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __iter__(self) -> Iterator[complex | np.generic | Nested]: ...
    def count(self, value: Any, /) -> int:
        """Return how often a value occurs; arrays have no such method."""
        ...

    def index(self, value: Any, /) -> int:
        """Return the position of a value."""
        ...


NumPyLike: TypeAlias = np.ndarray[Any, Any] | np.generic | complex | Nested
ArrayLike: TypeAlias = Array | NumPyLike
ArrayT = TypeVar("ArrayT", bound=Array)

PerAxis: TypeAlias = int | Sequence[int]
Padding: TypeAlias = (
    Literal["valid", "full", "same", "same_lower"] | int | Sequence[int] | Sequence[tuple[int, int] | list[int]]
)
Boundaries: TypeAlias = Boundary | Sequence[Boundary]
FilterMode = Literal[
    "reflect", "grid-mirror", "constant", "grid-constant", "nearest", "mirror", "wrap", "grid-wrap"
]  # scipy.ndimage's
FilterModes: TypeAlias = FilterMode | Sequence[FilterMode]
Method = Literal[
    "auto",
    "direct",
    "im2col",
    "banded",
    "dot",
    "fft",
    "overlap_save",
    "numpy_convolve",
    "native_loops",
    "native_tiles",
    "native_images",
    "native_dots",
    "native_winograd",
    "torch_conv",
    "cudnn_conv",
    "xla_conv",
    "xla_gpu_conv",
    "xla_loops",
    "xla_tiles",
    "xla_images",
    "xla_dots",
    "xla_winograd",
    "cuda_loops",
    "cuda_rows",
    "cuda_tiles",
    "cuda_line",
    "cuda_dots",
    "cuda_fft",
]
