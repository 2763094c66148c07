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
    """What a dtype name means."""

    kind: Kind
    bits: int  # of an element
    signed: bool = True
    fraction: int = 0  # bits of a float's fraction
    max_exponent: int = 0  # of a float: it is finite below 2 ** (max_exponent + 1)
    parts: str = ""  # the dtype of a complex number's parts
    numpy: bool = True  # NumPy has it
    listed: bool = True  # `__array_namespace_info__` lists it wherever it exists


DTYPES: dict[str, Dtype] = {
    "int8": Dtype("integer", 8),
    "int16": Dtype("integer", 16),
    "int32": Dtype("integer", 32),
    "int64": Dtype("integer", 64),
    "uint8": Dtype("integer", 8, signed=False),
    "uint16": Dtype("integer", 16, signed=False, listed=False),
    "uint32": Dtype("integer", 32, signed=False, listed=False),
    "uint64": Dtype("integer", 64, signed=False, listed=False),
    "float16": Dtype("real", 16, fraction=10, max_exponent=15, listed=False),
    "bfloat16": Dtype("real", 16, fraction=7, max_exponent=127, listed=False, numpy=False),
    "float32": Dtype("real", 32, fraction=23, max_exponent=127),
    "float64": Dtype("real", 64, fraction=52, max_exponent=1023),
    "complex64": Dtype("complex", 64, parts="float32"),
    "complex128": Dtype("complex", 128, parts="float64"),
}
_KINDS: tuple[Kind, ...] = ("integer", "real", "complex")
_COMPLEX_OF = {dtype.parts: name for name, dtype in DTYPES.items() if dtype.parts}


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
    return complexified(max(component(first), component(second), "float32", key=lambda name: DTYPES[name].bits))


def _promote_integers(a: Dtype, b: Dtype) -> str | None:
    if a.signed == b.signed:
        return f"{'int' if a.signed else 'uint'}{max(a.bits, b.bits)}"
    signed, unsigned = (a, b) if a.signed else (b, a)
    bits = signed.bits if unsigned.bits < signed.bits else 2 * unsigned.bits
    return f"int{bits}" if bits <= 64 else None


def widens(result: str, requested: str) -> bool:
    """Whether `requested` is a wider dtype than `result`, or the same: of a wider kind, or wider in the same kind."""
    if kind(result) == "integer" and kind(requested) != "integer":
        return True
    return promote(result, requested) == requested


def holds(name: str, numbers: Kind) -> bool:
    """Whether a dtype can represent numbers of a kind."""
    return _KINDS.index(kind(name)) >= _KINDS.index(numbers)


def widened(name: str, numbers: Kind, has_float64: bool) -> str:
    """Return the dtype for `numbers` beside data of dtype `name` that can't represent them: as precise as the data."""
    if kind(name) == "integer":
        name = "float64" if has_float64 else "float32"
    return name if numbers == "real" else _COMPLEX_OF.get(name, "complex64")


@planning()
def accumulator(name: str) -> str:
    """Return the dtype in which sums for a result of dtype `name` are formed."""
    if is_narrow_float(name):
        return "float32"
    dtype = DTYPES[name]
    return f"int{dtype.bits}" if dtype.kind == "integer" else name


def is_narrow_float(name: str) -> bool:
    """Whether `name` is a float whose sums are formed in float32: half precision."""
    dtype = DTYPES[name]
    return dtype.kind == "real" and dtype.bits < 32


def in_numpy(name: str) -> bool:
    """Whether NumPy has the dtype called `name`; of dtypes without a row it has all."""
    return name not in DTYPES or DTYPES[name].numpy


def is_listed(name: str) -> bool:
    """Whether `__array_namespace_info__` lists the dtype called `name` wherever it exists."""
    return name not in DTYPES or DTYPES[name].listed


def component(name: str) -> str:
    """Return the real dtype of the parts of a floating dtype: float32 for complex64."""
    return DTYPES[name].parts or name


def complexified(name: str) -> str:
    """Return the dtype of the spectrum of data of floating dtype `name`."""
    return _COMPLEX_OF.get(name, name)


def _real(name: str) -> Dtype:
    """Return the float that values of dtype `name` are approximated in: float64 for integers."""
    return DTYPES["float64" if kind(name) == "integer" else component(name)]


def eps(name: str) -> float:
    """Return the spacing of floats at 1 in the parts of dtype `name`."""
    return 2.0 ** -_real(name).fraction


def tiny(name: str) -> float:
    """Return the smallest positive normal number in the parts of dtype `name`."""
    return 2.0 ** (1 - _real(name).max_exponent)


def limit(name: str) -> float:
    """Return the size from which numbers are infinite in dtype `name`; inf where no Python float is."""
    exponent = _real(name).max_exponent
    return inf if exponent >= 1023 else (2 - eps(name) / 2) * 2.0**exponent


def half_range(name: str) -> float:
    """Return half of the power of two from which numbers are infinite in dtype `name`."""
    return 2.0 ** _real(name).max_exponent
