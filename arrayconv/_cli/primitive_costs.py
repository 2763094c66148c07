"""Measures primitive costs, the rows of PRIMITIVE_COSTS, for the installed libraries.

Every constant is the shortest of interleaved rounds, in float32, on one library's arrays at a time. Rows that were not
measured stay as they are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from math import log2
from typing import Any, NamedTuple

import numpy as np

from arrayconv import _fft
from arrayconv._arrays.identify import device_of
from arrayconv._arrays.libraries import LIBRARIES
from arrayconv._arrays.namespace import Namespace, compat_namespace
from arrayconv._arrays.traits import traits
from arrayconv._calls.timing import shortest
from arrayconv._cli.console import sentence
from arrayconv._costs.cost_table import PrimitiveCosts

_ROUNDS = 40
_SECONDS = 1.5  # at most, for the rounds of one row
_CALLS = 100
_LIBRARIES = tuple(row.name for row in LIBRARIES.values() if not row.standard_only)


class Target(NamedTuple):
    """The namespace, device and FFT of one row of PRIMITIVE_COSTS."""

    row: str
    xp: Namespace
    device: Any
    fft: Any
    jit: Callable[[Any], Any]  # compiles a function, or returns it unchanged


Log = Callable[[str], None]


def measure(log: Log) -> dict[str, PrimitiveCosts]:
    """Return the rows of PRIMITIVE_COSTS that can be measured here; `log` gets a line at the start of each."""
    rows: dict[str, PrimitiveCosts] = {}
    for target in _targets(log):
        log(f"measuring {target.row}")
        rows[target.row] = _measure_row(target)
    return rows


def _targets(log: Log) -> Iterator[Target]:
    for name in _LIBRARIES:
        if find_spec(name) is None:
            continue
        try:
            devices = list(_devices(name))
        except Exception as unusable:  # a CUDA library without a device raises an exception of its own type
            log(f"{name} is not measured: {sentence(unusable)}")
            continue
        xp = compat_namespace(name)
        for device in devices:
            eager = traits(name, device, xp, "float32")
            if eager.on_gpu:  # described by the ceilings of its card
                continue
            yield Target(eager.row, xp, device, xp.fft, _identity)
            if name == "jax":
                traced = eager._replace(traced=True)
                yield Target(traced.row, xp, device, xp.fft, sys.modules["jax"].jit)
        if name == "numpy":
            yield from _borrowed_ffts(xp, devices[0])


def _borrowed_ffts(xp: Namespace, device: Any) -> Iterator[Target]:
    """Yield a target for each library whose FFT NumPy arrays can borrow."""
    for library in _fft.PROVIDERS:
        if find_spec(library) is not None:
            import_module(library)  # some are borrowed only if they are already imported
            row = traits("numpy", device, xp, "float32")._replace(transforms=library).row
            yield Target(row, xp, device, _fft.namespace(library, xp, 1), _identity)


def _devices(name: str) -> Iterator[Any]:
    """Yield one device of each kind; raises if the library cannot compute."""
    xp = compat_namespace(name)
    yield device_of(xp.zeros(1) + xp.zeros(1))


def _identity(function: Any) -> Any:
    return function


def _measure_row(target: Target) -> PrimitiveCosts:
    """Return the constants of a namespace's arrays on a device."""
    functions = [partial(target.jit(function), *operands) for function, *operands in _functions(target)]
    call, passes, copies, product, integers = _shortest_times(functions[:-1])
    # The FFT separately: its library's threads may linger and disturb the products.
    (transform,) = _shortest_times(functions[-1:])
    bytes_out = 4 * 256 * 512
    return PrimitiveCosts(
        call_ns=max(1, call // _CALLS),
        pass_byte=max(1, 1000 * passes // (10 * bytes_out)),
        copy_byte=max(1, 1000 * copies // (4 * bytes_out)),
        gemm_mac=max(1, 1000 * product // (256 * 512 * 512)),
        integer_mac=max(1, 1000 * integers // (64 * 128 * 512)),
        fft_point=max(1, round(1000 * transform / (480 * 480 * log2(480 * 480)))),
    )


def _functions(target: Target) -> list[tuple[Any, ...]]:
    """Return a function and its operands for each of the constants."""
    xp, random = target.xp, np.random.default_rng(0)

    def array(*shape: int, dtype: str = "float32") -> Any:
        return xp.asarray((10 * random.standard_normal(shape)).astype(dtype), device=target.device)

    shifts = [(slice(i, i + 256), slice(i, i + 512)) for i in range(4)]

    def sweep(image: Any, tiny: Any) -> Any:  # one tap of `direct`: a window times a number, and a sum
        total = image[shifts[0]] * tiny[0]
        for shift in shifts:
            total += image[shift] * tiny[0]
        return total

    def repeated(tiny: Any) -> Any:
        total = tiny
        for _ in range(_CALLS):
            total = total + tiny
        return total

    def stacked(image: Any) -> Any:
        return xp.stack([image[shift] for shift in shifts])

    def transform(square: Any) -> Any:
        return target.fft.rfftn(square, s=(480, 480), axes=(0, 1))

    tiny, image = array(4), array(260, 516)
    return [
        (repeated, tiny),
        (sweep, image, tiny),
        (stacked, image),
        (xp.matmul, array(256, 512), array(512, 512)),
        (_integer_product(target), array(64, 128, dtype="int32"), array(128, 512, dtype="int32")),
        (transform, array(480, 480)),
    ]


def _integer_product(target: Target) -> Callable[[Any, Any], Any]:
    """Return the product of integer matrices, or a sum of outer products if the device has none."""
    if traits(target.row.split("/")[0], target.device, target.xp, "int32").integer_matmul:
        return target.xp.matmul

    def sum_of_terms(left: Any, right: Any) -> Any:
        total = left[:, :1] * right[:1, :]
        for term in range(1, 128):
            total += left[:, term : term + 1] * right[term : term + 1, :]
        return total

    return sum_of_terms


def _shortest_times(calls: Sequence[Callable[[], Any]]) -> list[int]:
    """Return the shortest nanoseconds of each call, without the first, which may compile or fill caches."""
    shortest(calls, 1, 0)
    return shortest(calls, _ROUNDS, round(_SECONDS * 1e9))


def versions() -> dict[str, str]:
    """Return the versions of the installed libraries that are measured here."""
    installed: dict[str, str] = {}
    for name in sorted({"numpy", *_LIBRARIES, *_fft.PROVIDERS}):
        try:
            installed[name] = version(name)
        except PackageNotFoundError:  # not installed, or under another name
            continue
    return installed
