"""A library on its device: the conformance suite's backend of it, and what stands in for it in a rehearsal."""

from importlib import import_module

import numpy as np

from conformance import backends
from tools.gpu_check.report import sentence


class Machine:
    """One library on one device: arrays in, arrays out."""

    def __init__(self, library, rehearse):
        self.library, self.rehearse = library, rehearse
        name = "numpy" if rehearse and library == "cupy" else library
        self.backend = backends.load(name, "cuda" if library == "torch" and not rehearse else None)
        if library == "torch":
            torch = import_module("torch")
            if rehearse:
                torch.set_num_threads(1)  # several threads wait long for a core that something else holds
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False

    def array(self, host):
        return self.backend.array(host, host.dtype.name)

    def host(self, array):
        return self.backend.host(array)

    def stranger(self, host):
        """Return an array of another library."""
        return import_module("torch").asarray(host.copy()) if self.backend.name == "numpy" else host


def why_unusable(library, rehearse):
    """Return '' where the library computes on its device, else the reason."""
    try:
        machine = Machine(library, rehearse)
        x = machine.array(np.arange(4, dtype=np.float32))
        total = float((x * x + 1).sum())
    except backends.Unavailable as reason:
        return str(reason)
    except Exception as error:  # whatever a missing driver, card, header or package raises
        return sentence(error)
    return "" if total == 18.0 else f"a small sum came out as {total} instead of 18"
