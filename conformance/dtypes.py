"""What a dtype name means, and the promotion rule that every implementation must follow.

Names rather than a library's dtype objects: one rule for every backend. Like kinds promote by the Array API
standard; an integer beside a float takes the float's dtype; uint64 beside a signed integer has none.
"""

from typing import NamedTuple


class Dtype(NamedTuple):
    """One row: kind, and the numbers of the real parts of floats."""

    kind: str
    bits: int  # of an element
    eps: float = 0.0  # spacing at 1
    tiny: float = 0.0  # smallest normal number
    component: str = ""  # of a complex dtype
    numpy: bool = True  # NumPy has it
    standard: bool = True  # the standard has it


_TABLE = {
    "int8": Dtype("integer", 8),
    "int16": Dtype("integer", 16),
    "int32": Dtype("integer", 32),
    "int64": Dtype("integer", 64),
    "uint8": Dtype("integer", 8),
    "uint16": Dtype("integer", 16),
    "uint32": Dtype("integer", 32),
    "uint64": Dtype("integer", 64),
    "float64": Dtype("real", 64, 2.0**-52, 2.0**-1022),
    "float32": Dtype("real", 32, 2.0**-23, 2.0**-126),
    "float16": Dtype("real", 16, 2.0**-10, 2.0**-14, standard=False),
    "bfloat16": Dtype("real", 16, 2.0**-7, 2.0**-126, numpy=False, standard=False),
    "complex64": Dtype("complex", 64, component="float32"),
    "complex128": Dtype("complex", 128, component="float64"),
}
INTEGERS = tuple(name for name, row in _TABLE.items() if row.kind == "integer")
NAMES = frozenset(_TABLE)
FLOATS = tuple(name for name, row in _TABLE.items() if row.kind != "integer")


def kind(name):
    return _TABLE[name].kind


def in_numpy(name):
    """Whether NumPy has the dtype; of dtypes that are not in the table it has all."""
    return name not in _TABLE or _TABLE[name].numpy


def is_standard(name):
    """Whether namespaces have to list the dtype."""
    return name not in _TABLE or _TABLE[name].standard


def is_narrow(name):
    """Whether sums of the dtype are formed in float32: half precision."""
    return kind(name) == "real" and bits(name) < 32


def component(name):
    """The real dtype of the parts: float32 for complex64."""
    return _TABLE[name].component or name


def eps(name):
    return _TABLE[component(name)].eps


def tiny(name):
    """The smallest normal number: what a library that flushes subnormals may lose per operation."""
    return _TABLE[component(name)].tiny


def bits(name):
    return _TABLE[name].bits


def limits(name):
    """(lowest, highest) of an integer dtype."""
    width = bits(name)
    return (0, 2**width - 1) if name.startswith("u") else (-(2 ** (width - 1)), 2 ** (width - 1) - 1)


def accumulator(name):
    """The dtype in which sums for a result of dtype `name` are formed."""
    return "float32" if is_narrow(name) else name


def promote(first, second):
    """The result's dtype, or None where there is none."""
    if first == second:
        return first
    kinds = {kind(first), kind(second)}
    if kinds == {"integer"}:
        return _integers(first, second)
    if "integer" in kinds:
        return second if kind(first) == "integer" else first
    widest = max((component(first), component(second)), key=bits)
    formats = {component(first), component(second)}
    if (len(formats) == 2 and len(set(map(bits, formats))) == 1) or (bits(widest) < 32 and "complex" in kinds):
        widest = "float32"
    return widest if "complex" not in kinds else f"complex{2 * bits(widest)}"


def _integers(first, second):
    if first[0] == second[0]:  # both signed, or both not
        return max((first, second), key=bits)
    unsigned, signed = (first, second) if first[0] == "u" else (second, first)
    width = max(bits(signed), 2 * bits(unsigned))
    return f"int{width}" if width <= 64 else None
