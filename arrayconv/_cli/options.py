"""The type of a command, and the argument types that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from arrayconv._errors import suggestion
from arrayconv._plan.rank import METHODS
from arrayconv._problem.boundary import BOUNDARIES

_UNITS = {"": 1, "B": 1, "K": 1024, "KiB": 1024, "M": 1024**2, "MiB": 1024**2, "G": 1024**3, "GiB": 1024**3}


class Command(NamedTuple):
    """One command: its help texts, its arguments and its function."""

    name: str
    summary: str
    description: str
    epilog: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def must_be_of(value: str, names: Iterable[str]) -> str:
    """Return what is wrong with a name that is none of `names`, and the one that was probably meant."""
    known = tuple(names)
    return f"must be one of {', '.join(known)}, got {value!r}.{suggestion(value, known)}".removesuffix(".")


def numbers(text: str) -> tuple[int, ...]:
    """Parse ``2048,2048`` or ``2048x2048``."""
    try:
        return tuple(int(part) for part in text.replace("x", ",").split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be whole numbers such as 2048,2048, got {text!r}") from None


def number_or_numbers(text: str) -> int | tuple[int, ...]:
    """Parse one number for every axis, or one for each."""
    values = numbers(text)
    return values[0] if len(values) == 1 else values


def boundaries(text: str) -> str | tuple[str, ...]:
    """Parse one boundary for every axis, or one for each: ``reflect,wrap``."""
    names = tuple(text.split(","))
    unknown = [name for name in names if name not in BOUNDARIES]
    if unknown:
        raise argparse.ArgumentTypeError(must_be_of(unknown[0], BOUNDARIES))
    return names[0] if len(names) == 1 else names


def byte_count(text: str) -> int:
    """Parse bytes, with or without a unit: ``4096``, ``64MiB``."""
    digits = text.rstrip("BKMGi")
    unit = text[len(digits) :]
    if not digits.isdigit() or unit not in _UNITS:
        raise argparse.ArgumentTypeError(f"must be a number of bytes such as 4096, 64KiB, 2MiB or 1GiB, got {text!r}")
    return int(digits) * _UNITS[unit]


def positive(text: str) -> int:
    """Parse a whole number of at least 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return int(text)


def count(text: str) -> int:
    """Parse a whole number of at least 0."""
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 0, got {text!r}")
    return int(text)


def names(text: str) -> tuple[str, ...]:
    """Parse a list of names: ``numpy,torch``."""
    return tuple(name for name in text.split(",") if name)


def add_page(parser: Any) -> None:
    """Add ``--page``."""
    text = "which page of a TIFF, or frame of a GIF, counted from 1: needed where the file has several"
    parser.add_argument("--page", metavar="N", type=positive, help=text)


def add_method(parser: Any) -> None:
    """Add ``--method``."""
    text = "method; 'auto' uses the one predicted to be fastest (default: auto)"
    parser.add_argument("--method", choices=METHODS, default="auto", help=text)


def add_boundary(parser: Any, default: str, one: bool) -> None:
    """Add ``--boundary``, for all axes or one for each."""
    names = ", ".join(BOUNDARIES) + ("" if one else "; or one per axis")
    text = f"rule for samples outside the array: {names} (default: {default})"
    kind = {"choices": BOUNDARIES} if one else {"type": boundaries}
    parser.add_argument("--boundary", metavar="NAME", default=default, help=text, **kind)
