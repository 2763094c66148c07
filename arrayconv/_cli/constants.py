"""Measures what convolutions are made of, the rows of PRIMITIVE_COSTS, for the libraries that are installed.

Every constant is the shortest of interleaved rounds, in float32, on one library's arrays at a time. What was not
measured keeps the row it has.
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
_SECONDS = 1.5  # of rounds for one row at most
_CALLS = 100
_LIBRARIES = tuple(row.name for row in LIBRARIES.values() if not row.standard_only)


class Subject(NamedTuple):
    """What a row of PRIMITIVE_COSTS is measured on."""

    row: str
    xp: Namespace
    device: Any
    fft: Any
    compiled: Callable[[Any], Any]  # what traces a function, or leaves it as it is


Say = Callable[[str], None]


def primitive_costs(say: Say) -> dict[str, PrimitiveCosts]:
    """Return the rows of PRIMITIVE_COSTS that can be measured here; `say` is told of each as it begins."""
    found: dict[str, PrimitiveCosts] = {}
    for subject in _subjects(say):
        say(f"measuring {subject.row}")
        found[subject.row] = _rates(subject)
    return found


def _subjects(say: Say) -> Iterator[Subject]:
    for name in _LIBRARIES:
        if find_spec(name) is None:
            continue
        try:
            places = list(_places(name))
        except Exception as unusable:  # a CUDA library without a device raises a type of its own
            say(f"{name} is not measured: {sentence(unusable)}")
            continue
        xp = compat_namespace(name)
        for device in places:
            found = traits(name, device, xp, "float32")
            yield Subject(found.row, xp, device, xp.fft, _as_it_is)
            if name == "jax":
                traced = found._replace(traced=True).row
                yield Subject(traced, xp, device, xp.fft, sys.modules["jax"].jit)
        if name == "numpy":
            yield from _lent(xp, places[0])


def _lent(xp: Namespace, device: Any) -> Iterator[Subject]:
    """Yield what other libraries' transforms make of NumPy's arrays."""
    for library in _fft.PROVIDERS:
        if find_spec(library) is not None:
            import_module(library)  # some are borrowed only where they are imported already
            row = traits("numpy", device, xp, "float32")._replace(transforms=library).row
            yield Subject(row, xp, device, _fft.namespace(library, xp, 1), _as_it_is)


def _places(name: str) -> Iterator[Any]:
    """Yield one device of each kind; raises where the library cannot compute."""
    xp = compat_namespace(name)
    yield device_of(xp.zeros(1) + xp.zeros(1))
    if name == "torch" and sys.modules["torch"].cuda.is_available():
        yield sys.modules["torch"].device("cuda")


def _as_it_is(function: Any) -> Any:
    return function


def _rates(subject: Subject) -> PrimitiveCosts:
    """Return the constants of a namespace's arrays on a device."""
    functions = [partial(subject.compiled(function), *operands) for function, *operands in _functions(subject)]
    call, passes, copies, product, integers = _best(functions[:-1])
    (transform,) = _best(functions[-1:])  # by itself: the threads of its library may linger, and meet those of products
    bytes_out = 4 * 256 * 512
    return PrimitiveCosts(
        call_ns=max(1, call // _CALLS),
        pass_byte=max(1, 1000 * passes // (10 * bytes_out)),
        copy_byte=max(1, 1000 * copies // (4 * bytes_out)),
        gemm_mac=max(1, 1000 * product // (256 * 512 * 512)),
        integer_mac=max(1, 1000 * integers // (64 * 128 * 512)),
        fft_point=max(1, round(1000 * transform / (480 * 480 * log2(480 * 480)))),
    )


def _functions(subject: Subject) -> list[tuple[Any, ...]]:
    """Return a function and its operands for each of the constants."""
    xp, random = subject.xp, np.random.default_rng(0)

    def array(*shape: int, dtype: str = "float32") -> Any:
        return xp.asarray((10 * random.standard_normal(shape)).astype(dtype), device=subject.device)

    shifts = [(slice(i, i + 256), slice(i, i + 512)) for i in range(4)]

    def sweep(image: Any, tiny: Any) -> Any:  # what a tap of `direct` does: a window times a number, and a sum
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
        return subject.fft.rfftn(square, s=(480, 480), axes=(0, 1))

    tiny, image = array(4), array(260, 516)
    return [
        (repeated, tiny),
        (sweep, image, tiny),
        (stacked, image),
        (xp.matmul, array(256, 512), array(512, 512)),
        (_integer_product(subject), array(64, 128, dtype="int32"), array(128, 512, dtype="int32")),
        (transform, array(480, 480)),
    ]


def _integer_product(subject: Subject) -> Callable[[Any, Any], Any]:
    """Return the product of integer matrices, or one term of it at a time where the device has none."""
    if traits(subject.row.split("/")[0], subject.device, subject.xp, "int32").integer_matmul:
        return subject.xp.matmul

    def summed(left: Any, right: Any) -> Any:
        total = left[:, :1] * right[:1, :]
        for term in range(1, 128):
            total += left[:, term : term + 1] * right[term : term + 1, :]
        return total

    return summed


def _best(calls: Sequence[Callable[[], Any]]) -> list[int]:
    """Return the shortest nanoseconds of each call, without the first, which may compile or fill caches."""
    shortest(calls, 1, 0)
    return shortest(calls, _ROUNDS, round(_SECONDS * 1e9))


def versions() -> dict[str, str]:
    """Return the versions of what is measured here, as far as it is installed."""
    found: dict[str, str] = {}
    for name in sorted({"numpy", *_LIBRARIES, *_fft.PROVIDERS}):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # not here, or installed by another name
            continue
    return found
