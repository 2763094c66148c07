"""What a dtype name means, and the promotion rule that every implementation must follow.

Names rather than a library's dtype objects: one rule for every backend. Like kinds promote by the Array API
standard; an integer beside a float takes the float's dtype; uint64 beside a signed integer has none.
"""

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
REALS = ("float16", "bfloat16", "float32", "float64")

# name: (spacing at 1, smallest normal) of the real parts
_FLOATS = {
    "float16": (2.0**-10, 2.0**-14),
    "bfloat16": (2.0**-7, 2.0**-126),
    "float32": (2.0**-23, 2.0**-126),
    "float64": (2.0**-52, 2.0**-1022),
}
_COMPONENT = {"complex64": "float32", "complex128": "float64"}


def kind(name):
    return "integer" if name in INTEGERS else "real" if name in REALS else "complex"


def component(name):
    """The real dtype of the parts: float32 for complex64."""
    return _COMPONENT.get(name, name)


def eps(name):
    return _FLOATS[component(name)][0]


def tiny(name):
    """The smallest normal number: what a library that flushes subnormals may lose per operation."""
    return _FLOATS[component(name)][1]


def bits(name):
    return int("".join(filter(str.isdigit, name.removeprefix("b"))))


def limits(name):
    """(lowest, highest) of an integer dtype."""
    width = bits(name)
    return (0, 2**width - 1) if name.startswith("u") else (-(2 ** (width - 1)), 2 ** (width - 1) - 1)


def accumulator(name):
    """The dtype in which sums for a result of dtype `name` are formed."""
    return "float32" if name in ("float16", "bfloat16") else name


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
    if {component(first), component(second)} == {"float16", "bfloat16"} or (bits(widest) < 32 and "complex" in kinds):
        widest = "float32"
    return widest if "complex" not in kinds else f"complex{2 * bits(widest)}"


def _integers(first, second):
    if first[0] == second[0]:  # both signed, or both not
        return max((first, second), key=bits)
    unsigned, signed = (first, second) if first[0] == "u" else (second, first)
    width = max(bits(signed), 2 * bits(unsigned))
    return f"int{width}" if width <= 64 else None
