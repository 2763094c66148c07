"""A library on its device: the conformance suite's backend of it, and the one that takes its place in a rehearsal."""

from importlib import import_module

import numpy as np

from conformance import backends
from tools.gpu_check.libraries import LIBRARIES
from tools.gpu_check.report import sentence


class Machine:
    """One library on one device: arrays in, arrays out."""

    def __init__(self, library, rehearse):
        self.library, self.rehearse = library, rehearse
        row = LIBRARIES[library]
        self.device = None if rehearse else row.device
        self.backend = backends.load(row.rehearsal if rehearse else library, self.device)
        row.prepare(rehearse)

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
