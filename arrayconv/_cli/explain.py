"""`explain`: which method a call would use, and why; with --measure, the time of each method."""

from __future__ import annotations

import argparse
from typing import Any, get_args

import arrayconv
from arrayconv._algorithms import Accuracy
from arrayconv._arrays.dtypes import DTYPES
from arrayconv._cli import options
from arrayconv._cli.libraries import NAMESPACES, require
from arrayconv._cli.options import Command
from arrayconv._problem.axes import MODES

_DESCRIPTION = """\
Print what arrayconv.convolve would do with arrays of these shapes, without computing anything
except with --measure.

Prints the problem, the chosen method with its predicted time and memory, the slower ones, and
the reason for each one that cannot run. The choice depends only on shapes, dtype, library and
options, so the real call uses the same method."""

_EPILOG = """\
examples:
  python -m arrayconv explain --shape 2048,2048 --kernel-shape 31,31
  python -m arrayconv explain --shape 1000000 --kernel-shape 101 --dtype float32 --backend torch
  python -m arrayconv explain --shape 8,512,512 --kernel-shape 5,5 --axes=-2,-1 --mode same --boundary reflect
  python -m arrayconv explain --shape 4096,4096 --kernel-shape 63,63 --max-workspace 64MiB
  python -m arrayconv explain --shape 512,512 --kernel-shape 9,9 --measure
  python -m arrayconv explain --shape 4096,4096 --kernel-shape 5,5 --dtype float32 --card H100

Write lists that begin with a minus sign with '=': --axes=-2,-1."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    each = options.number_or_numbers
    add = parser.add_argument
    add("--shape", metavar="N,...", type=options.numbers, required=True, help="shape of the data")
    add("--kernel-shape", metavar="K,...", type=options.numbers, required=True, help="shape of the kernel")
    add("--mode", choices=MODES, default="full", help="which outputs (default: full)")
    options.add_boundary(parser, "constant", one=False)
    add("--stride", metavar="S", type=each, default=1, help="step between outputs; or one per axis (default: 1)")
    add("--dilation", metavar="D", type=each, default=1, help="gap between taps; or one per axis (default: 1)")
    add("--axes", metavar="A,...", type=options.numbers, help="axes that are convolved (default: all)")
    add("--dtype", metavar="NAME", choices=tuple(DTYPES), help="dtype of the result (default: float64)")
    text = f"{', '.join(NAMESPACES)} (default: numpy, with --card cupy)"
    add("--backend", metavar="LIBRARY", help=text)
    add("--card", metavar="NAME", help="a GPU to plan for, which need not be here: H100, 'RTX 4090', ...")
    options.add_method(parser)
    text = "kind of error bound; 'componentwise' excludes the FFT (default: normwise)"
    add("--accuracy", choices=get_args(Accuracy), default="normwise", help=text)
    text = "memory beyond operands and result, such as 64MiB (default: 1GiB, of a card 1/8; more if no method fits)"
    add("--max-workspace", metavar="BYTES", type=options.byte_count, help=text)
    add("--measure", action="store_true", help="run every method on arrays of these shapes, and print its time")


def _run(arguments: argparse.Namespace) -> int:
    keywords: dict[str, Any] = dict(vars(arguments))
    shapes = keywords.pop("shape"), keywords.pop("kernel_shape")
    keywords["like"] = _like(keywords.pop("backend"), arguments.card)
    del keywords["command"], keywords["run"], keywords["parser"]
    print(arrayconv.explain(*shapes, **keywords))
    return 0


def _like(backend: str | None, card: str | None) -> str | None:
    """Return `like` for the options; for a card the library need not be installed."""
    if card is not None:
        return backend
    require(backend or "numpy")
    return NAMESPACES[backend or "numpy"]


COMMAND = Command("explain", "print which method a call would use, and why", _DESCRIPTION, _EPILOG, _arguments, _run)
