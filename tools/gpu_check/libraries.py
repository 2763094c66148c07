"""The libraries that are checked, one row each; none is imported here."""

from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from typing import NamedTuple


def _nothing(rehearse):
    pass


def _full_precision(rehearse):
    torch = import_module("torch")
    if rehearse:
        torch.set_num_threads(1)  # several threads wait long for a core that something else holds
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


def _cupy_waits_refused():
    return import_module("cupyx").allow_synchronize(False)


@contextmanager
def _torch_waits_refused():
    cuda = import_module("torch").cuda
    before = cuda.get_sync_debug_mode()
    cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        cuda.set_sync_debug_mode(before)


class Library(NamedTuple):
    """How a library is checked on a GPU, and without one in a rehearsal."""

    rehearsal: str  # the backend of the conformance suite that takes its place
    device: str | None = None  # on a GPU, as the conformance suite calls it; None for the usual one
    prepare: Callable[[bool], None] = _nothing  # (rehearse) before its first array
    waits_refused: Callable[[], AbstractContextManager] = nullcontext  # its own detector of waits, as errors


LIBRARIES = {
    "cupy": Library("numpy", waits_refused=_cupy_waits_refused),
    "torch": Library("torch", "cuda", _full_precision, _torch_waits_refused),
}
