"""The public names of the package, by module: what has a page in the API reference."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import NamedTuple

MODULES = {  # module -> what belongs there, in a few words
    "arrayconv": "the operation, in every form",
    "arrayconv.ndimage": "SciPy's linear filters of images",
    "arrayconv.signal": "SciPy's convolutions of signals",
    "arrayconv.astronomy": "astropy's convolutions of data with gaps",
    "arrayconv.nn": "torch's convolutions, on every library",
    "arrayconv.nn.grad": "their gradients, by torch's names",
    "arrayconv.nn.modules": "layers, as subclasses of torch's",
    "arrayconv.kernels": "named stencils",
    "arrayconv.config": "settings",
    "arrayconv.typing": "types of annotations",
    "arrayconv.testing": "a reference and error bounds, for any convolution",
}


class Name(NamedTuple):
    """A public name and the module that users import it from."""

    module: str
    name: str

    @property
    def path(self) -> str:
        """'arrayconv.ndimage.sobel'."""
        return f"{self.module}.{self.name}"

    @property
    def content(self) -> object:
        """What the name stands for."""
        return getattr(importlib.import_module(self.module), self.name)

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return (self.content.__doc__ or "").strip().splitlines()[0]


def public() -> list[Name]:
    """Return every public function, class and constant, in the order of MODULES and then by name."""
    listed = [Name(module, name) for module in MODULES for name in sorted(importlib.import_module(module).__all__)]
    return [name for name in listed if name.path not in MODULES and not _is_alias(name)]


def _is_alias(name: Name) -> bool:
    """Whether a name stands for a type that is no class, and so has no docstring."""
    return not (name.name.isupper() or inspect.isclass(name.content) or inspect.isroutine(name.content))


def escaped(text: str) -> str:
    """Return a docstring's text with the asterisk of ``(batch, *size)`` escaped for reStructuredText."""
    return re.sub(r"(?<=[ (])\*(?=\w+[,)\]])", r"\\*", text)
