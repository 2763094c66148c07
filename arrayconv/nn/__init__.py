"""torch.nn.functional's convolutions under their own names, for arrays of any library: correlations, as in torch.

``from arrayconv import nn`` in place of ``import torch.nn.functional as F``: the same names, signatures, layouts and
numbers on NumPy, CuPy, PyTorch and JAX arrays; `nn.grad` has torch.nn.grad's, `nn.modules` torch.nn's layers.
Options of our own are keyword-only after torch's. Every function's docstring describes all of its parameters.

Integers are exact and wrap, complex operands are not conjugated, on every library. All raise ValueError for shapes,
channels, groups and options that contradict each other, and TypeError for operands of two libraries or devices, for
dtypes without a convolution (bool), and for options that are no integers; nothing is computed before.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from arrayconv.nn import grad as grad  # for `nn.grad` without an import of its own
from arrayconv.nn.any_axes import conv, conv_transpose
from arrayconv.nn.columns import fold, unfold
from arrayconv.nn.convolutions import conv1d, conv2d, conv3d
from arrayconv.nn.transposed import conv_transpose1d, conv_transpose2d, conv_transpose3d

if TYPE_CHECKING:  # editors and type checkers see it
    from arrayconv.nn import modules as modules

__all__ = [
    "conv",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "fold",
    "unfold",
]

if not TYPE_CHECKING:  # to which every name would exist

    def __getattr__(name: str) -> Any:
        if name == "modules":  # imports torch, so later
            return import_module("arrayconv.nn.modules")
        # By name and module Python finds what was probably meant.
        raise AttributeError(f"module 'arrayconv.nn' has no attribute {name!r}", name=name, obj=sys.modules[__name__])


def __dir__() -> list[str]:
    return sorted([*__all__, "grad", "modules", *(name for name in globals() if name.startswith("__"))])
