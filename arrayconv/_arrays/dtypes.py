"""One dtype rule on every backend, on names rather than on a library's dtype objects.

Like kinds promote by the Array API standard; an integer with a float or complex operand takes that operand's
dtype (libraries disagree here, so we decide); uint64 with a signed integer has no common dtype. Half
precision accumulates in float32, and unsigned integers in the signed type of their width, where wrapping
gives the same bits and every library has the arithmetic.
"""

from __future__ import annotations

from math import inf
from typing import Literal, NamedTuple

from arrayconv._runtime.tracing import planning

Kind = Literal["integer", "real", "complex"]


class Dtype(NamedTuple):
    """What a dtype name means: kind, bits per element, and whether an integer has a sign."""

    kind: Kind
    bits: int
    signed: bool = True


DTYPES: dict[str, Dtype] = {
    **{f"int{bits}": Dtype("integer", bits) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": Dtype("integer", bits, signed=False) for bits in (8, 16, 32, 64)},
    "float16": Dtype("real", 16),
    "bfloat16": Dtype("real", 16),
    "float32": Dtype("real", 32),
    "float64": Dtype("real", 64),
    "complex64": Dtype("complex", 64),
    "complex128": Dtype("complex", 128),
}
_KINDS: tuple[Kind, ...] = ("integer", "real", "complex")


def kind(name: str) -> Kind:
    """Return the kind of the dtype called `name`."""
    return DTYPES[name].kind


def checked(function: str, argument: str, name: str) -> str:
    """Return the name of a dtype, or raise TypeError where this package does not compute in it."""
    if name not in DTYPES:
        way_out = "Cast it to an integer dtype first" if name == "bool" else f"Cast it to one of {list(DTYPES)}"
        raise TypeError(f"{function}: `{argument}` has dtype {name}, which has no convolution here. {way_out}.")
    return name


def itemsize(name: str) -> int:
    """Return the bytes of one element."""
    return DTYPES[name].bits // 8


@planning()
def promote(first: str, second: str) -> str | None:
    """Return the common dtype of two names, or None where the standard has none (uint64 with a signed integer)."""
    if first == second:
        return first
    a, b = DTYPES[first], DTYPES[second]
    if "integer" in (a.kind, b.kind) and a.kind != b.kind:
        return second if a.kind == "integer" else first
    if a.kind == b.kind == "integer":
        return _promote_integers(a, b)
    if a.kind == b.kind == "real":
        return "float32" if a.bits == b.bits else max(first, second, key=lambda name: DTYPES[name].bits)
    width = max(dtype.bits // 2 if dtype.kind == "complex" else dtype.bits for dtype in (a, b))
    return "complex128" if width > 32 else "complex64"


def _promote_integers(a: Dtype, b: Dtype) -> str | None:
    if a.signed == b.signed:
        return f"{'int' if a.signed else 'uint'}{max(a.bits, b.bits)}"
    signed, unsigned = (a, b) if a.signed else (b, a)
    bits = signed.bits if unsigned.bits < signed.bits else 2 * unsigned.bits
    return f"int{bits}" if bits <= 64 else None


def widens(result: str, wanted: str) -> bool:
    """Whether every value of dtype `result` can be asked for as `wanted`: a wider kind, or a wider like kind."""
    if kind(result) == "integer" and kind(wanted) != "integer":
        return True
    return promote(result, wanted) == wanted


def holds(name: str, numbers: Kind) -> bool:
    """Whether a dtype's kind can hold numbers of the kind given."""
    return _KINDS.index(kind(name)) >= _KINDS.index(numbers)


def widened(name: str, numbers: Kind, has_float64: bool) -> str:
    """Return the dtype for `numbers` beside data of dtype `name` that can't hold them: as precise as the data."""
    if kind(name) == "integer":
        name = "float64" if has_float64 else "float32"
    return name if numbers == "real" else "complex128" if name == "float64" else "complex64"


@planning()
def accumulator(name: str) -> str:
    """Return the dtype in which sums for a result of dtype `name` are formed."""
    dtype = DTYPES[name]
    if dtype.kind == "real" and dtype.bits == 16:
        return "float32"
    return f"int{dtype.bits}" if dtype.kind == "integer" else name


def component(name: str) -> str:
    """Return the real dtype of the parts of a floating dtype: float32 for complex64."""
    return {"complex64": "float32", "complex128": "float64"}.get(name, name)


def complexified(name: str) -> str:
    """Return the dtype of the spectrum of data of floating dtype `name`."""
    return {"float32": "complex64", "float64": "complex128"}.get(name, name)


def eps(name: str) -> float:
    """Return the spacing of floats at 1 in floating dtype `name`."""
    return {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23}.get(component(name), 2.0**-52)


def tiny(name: str) -> float:
    """Return the smallest positive normal number of floating dtype `name`."""
    smallest = {"float16": 2.0**-14, "bfloat16": 2.0**-126, "float32": 2.0**-126}
    return smallest.get(component(name), 2.0**-1022)


def limit(name: str) -> float:
    """Return the size from which numbers are infinite in floating dtype `name`."""
    exponents = {"float16": 15, "bfloat16": 127, "float32": 127}
    exponent = exponents.get(component(name))
    return inf if exponent is None else (2 - eps(name) / 2) * 2.0**exponent
