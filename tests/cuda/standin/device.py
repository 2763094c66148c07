"""Two devices of which one is current, streams by number, and the errors of code that waits or mixes devices."""

import contextlib
import threading
import time

COUNT = 2
NAME = "stand-in for CuPy, no GPU"
MEMORY = 64 << 30

_state = threading.local()
_permissions = []


class Synchronized(RuntimeError):
    """A value was read: on a GPU the call would wait for it."""


class OtherDevice(RuntimeError):
    """An operand is on another device than the current one."""


@contextlib.contextmanager
def allowed():
    """Permit reads of values: for a test's own copies to the host."""
    _permissions.append(None)
    try:
        yield
    finally:
        _permissions.pop()


def wait(what):
    """Raise unless reads are permitted."""
    if not _permissions:
        raise Synchronized(f"stand-in for CuPy: {what} waits for the device")


def current():
    return getattr(_state, "device", 0)


def properties(device):
    """`cupy.cuda.runtime.getDeviceProperties`."""
    if not 0 <= device < COUNT:
        raise RuntimeError("cudaErrorInvalidDevice: invalid device ordinal")
    return {"name": NAME.encode(), "totalGlobalMem": MEMORY, "multiProcessorCount": 1, "l2CacheSize": 1 << 16}


class Device:
    """`cupy.cuda.Device`, whose genuine type compares by number and has no hash."""

    __hash__ = None

    def __init__(self, device=None):
        self.id = current() if device is None else int(device)
        if not 0 <= self.id < COUNT:
            raise RuntimeError("cudaErrorInvalidDevice: invalid device ordinal")
        self._outer = []

    def __int__(self):
        return self.id

    def __eq__(self, other):
        return isinstance(other, Device) and other.id == self.id

    def __enter__(self):
        self._outer.append(current())
        self.use()
        return self

    def __exit__(self, *_):
        _state.device = self._outer.pop()

    def use(self):
        _state.device = self.id

    def synchronize(self):
        """Return at once."""

    def __repr__(self):
        return f"<CUDA Device {self.id}>"


class Stream:
    """`cupy.cuda.Stream`: a number to tell it by. Everything runs in order of the program."""

    _numbers = iter(range(1, 1 << 30))

    def __init__(self, null=False, non_blocking=False, ptds=False, priority=None):
        self.ptr = 0 if null else next(Stream._numbers)
        self._outer = []

    def __enter__(self):
        self._outer.append(current_stream())
        self.use()
        return self

    def __exit__(self, *_):
        _state.stream = self._outer.pop()

    def use(self):
        _state.stream = self

    def synchronize(self):
        """Return at once."""


class Event:
    """`cupy.cuda.Event`: a time of the host's clock."""

    def __init__(self, block=False, disable_timing=False, interprocess=False):
        self.time = None

    def record(self, stream=None):
        self.time = time.perf_counter()

    def synchronize(self):
        """Return at once."""


def get_elapsed_time(start_event, end_event):
    """`cupy.cuda.get_elapsed_time`, in milliseconds."""
    return 1e3 * (end_event.time - start_event.time)


_NULL = Stream(null=True)


def current_stream(device_id=None):
    """`cupy.cuda.get_current_stream`."""
    return getattr(_state, "stream", _NULL)
