"""The libraries that are checked, one row each; none is imported here."""

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple


def _nothing(rehearse):
    pass


def _full_precision(rehearse):
    torch = import_module("torch")
    if rehearse:
        torch.set_num_threads(1)  # several threads wait long for a core that something else holds
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


class Library(NamedTuple):
    """How a library is checked on a GPU, and without one in a rehearsal."""

    rehearsal: str  # the backend of the conformance suite that takes its place
    device: str | None = None  # on a GPU, as the conformance suite calls it; None for the usual one
    prepare: Callable[[bool], None] = _nothing  # (rehearse) before its first array


LIBRARIES = {"cupy": Library("numpy"), "torch": Library("torch", "cuda", _full_precision)}
