"""A library on its device: the conformance suite's backend of it, and the one that takes its place in a rehearsal."""

import time
from contextlib import nullcontext
from functools import partial
from importlib import import_module

import numpy as np

from arrayconv._arrays.libraries import library_row
from arrayconv._cli.ceilings import Clock
from conformance import backends
from tools.gpu_check import driver
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

    @property
    def card(self):
        """The library's name of its card."""
        row = library_row(self.library)
        return row.card(row.number(self.array(np.zeros(1, np.float32)).device)).name

    def waits_refused(self):
        """Return a context in which the library's own detector raises where a call waits for the device."""
        return nullcontext() if self.rehearse else LIBRARIES[self.library].waits_refused()

    @property
    def clock(self):
        """CUDA's events of the library; the host's clock in a rehearsal."""
        if self.rehearse:
            return Clock(HostEvent, lambda start, stop: 1e3 * (stop.time - start.time))
        cuda = import_module(self.library).cuda
        if self.library == "torch":
            return Clock(partial(cuda.Event, enable_timing=True), cuda.Event.elapsed_time)
        return Clock(cuda.Event, cuda.get_elapsed_time)


class HostEvent:
    """A time of the host's clock, in an event's place."""

    def record(self):
        self.time = time.perf_counter()

    def synchronize(self):
        """Return at once."""


def why_unusable(library, rehearse):
    """Return '' where the library computes on a card of NVIDIA's driver, else the reason."""
    try:
        machine = Machine(library, rehearse)
        x = machine.array(np.arange(4, dtype=np.float32))
        total = float((x * x + 1).sum())
        no_card = "" if rehearse else driver.why_not(machine.card)
    except backends.Unavailable as reason:
        return str(reason)
    except Exception as error:  # whatever a missing driver, card, header or package raises
        return sentence(error)
    return no_card if total == 18.0 else f"a small sum came out as {total} instead of 18"
