"""array_api_compat: imported here and nowhere else."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import array_api_compat


def device(x: Any) -> Any:
    """Return the device of an array of any library."""
    return array_api_compat.device(x)


def array_namespace(x: Any) -> Any:
    """Return the namespace of an array of any library."""
    return array_api_compat.array_namespace(x)


def torch_namespace() -> ModuleType:
    """Return torch's wrapped namespace by an import statement, which compilers can follow."""
    from array_api_compat import torch

    return torch
