"""The cards of this machine as NVIDIA's driver names them: no library and no stand-in for one is asked."""

import ctypes
import uuid
from typing import NamedTuple

_NAME_BYTES = 256


class Card(NamedTuple):
    """A GPU."""

    name: str
    uuid: str
    driver: str  # the version of CUDA that the driver supports


class _Uuid(ctypes.Structure):
    _fields_ = (("bytes", ctypes.c_ubyte * 16),)


def cards():
    """Return the cards in the driver's order; OSError without a driver, RuntimeError where it fails."""
    driver = ctypes.CDLL("libcuda.so.1")
    _call(driver.cuInit, 0)
    version, count = ctypes.c_int(), ctypes.c_int()
    _call(driver.cuDriverGetVersion, ctypes.byref(version))
    _call(driver.cuDeviceGetCount, ctypes.byref(count))
    cuda = f"CUDA {version.value // 1000}.{version.value % 1000 // 10}"
    return [_card(driver, number, cuda) for number in range(count.value)]


def _card(driver, number, cuda):
    device, name, identity = ctypes.c_int(), ctypes.create_string_buffer(_NAME_BYTES), _Uuid()
    _call(driver.cuDeviceGet, ctypes.byref(device), number)
    _call(driver.cuDeviceGetName, name, _NAME_BYTES, device)
    _call(driver.cuDeviceGetUuid, ctypes.byref(identity), device)
    return Card(name.value.decode(), f"GPU-{uuid.UUID(bytes=bytes(identity.bytes))}", cuda)


def _call(function, *arguments):
    status = function(*arguments)
    if status:
        raise RuntimeError(f"{function.__name__} returned {status}")


def why_not(name):
    """Return why a card that a library calls by this name is no GPU of the driver's, '' where it is one."""
    try:
        names = [card.name for card in cards()]
    except (OSError, RuntimeError, AttributeError) as error:
        return f"NVIDIA's driver lists no card ({error}), and the library computes on {name!r}"
    return "" if name in names else f"NVIDIA's driver lists {names}, and the library computes on {name!r}"
