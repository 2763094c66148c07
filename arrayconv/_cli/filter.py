"""`filter`: an image in, an image out, on the library of your choice."""

from __future__ import annotations

import argparse
from time import perf_counter
from typing import Any

import numpy as np

import arrayconv
from arrayconv._arrays.dtypes import DTYPES
from arrayconv._arrays.host import copied
from arrayconv._calls.timing import wait
from arrayconv._cli import images, libraries, options, recipes
from arrayconv._cli.console import CommandError, duration, progress
from arrayconv._cli.options import Command

_REALS = tuple(name for name, dtype in DTYPES.items() if dtype.kind == "real" and dtype.numpy)

_DESCRIPTION = f"""\
Filter an image with a named kernel and write the result.

The kernels, and the options each of them takes:

{recipes.listing()}

Colour channels are filtered separately, by one call whose kernel runs along the first two
axes; opacity is kept. 8-bit grey and colour images and 16-bit grey ones are read.

What the output shows. Pixels are numbers from 0 for black to 1 for white. The filtered values
are multiplied by a gain and clipped to that range. The gain is 1 for a blur; for a kernel whose
taps sum to 0 it is chosen so that a step from black to white, aligned with the kernel, gives 1.
Such kernels give negative values too, which clipping loses: --signed halves the gain and maps
0 to mid grey, so that both signs show. Gradients write their magnitude
sqrt(gx**2 + gy**2), which has no sign, unless --direction asks for one component."""

_EPILOG = """\
examples:
  python -m arrayconv filter photo.png --kernel gaussian --sigma 4 -o blurred.png
  python -m arrayconv filter photo.png --kernel sobel -o edges.png --backend torch
  python -m arrayconv filter photo.png --kernel sobel --direction x --signed -o slope.png
  python -m arrayconv filter photo.png --kernel gabor --frequency 0.2 --theta 45 --signed -o gabor.png"""


def _arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("image", metavar="IMAGE", help="file to read")
    add("-o", "--output", metavar="OUT", required=True, help="file to write; its ending says the format")
    add("--kernel", choices=tuple(recipes.RECIPES), required=True, metavar="NAME", help="one of those above")
    recipes.add_options(parser)
    add("--signed", action="store_true", help="map 0 to mid grey, so that negative values show")
    add("--gain", metavar="G", type=float, default=1.0, help="multiply what is written by G as well (default: 1)")
    add("--backend", metavar="LIBRARY", default="numpy", help=f"{', '.join(libraries.NAMESPACES)} (default: numpy)")
    add("--device", help="such as cuda:0, see the command `backends` (default: the library's first)")
    options.add_boundary(parser, "reflect", one=True)
    options.add_method(parser)
    add("--dtype", choices=_REALS, default="float32", help="(default: float32)")


def _run(arguments: argparse.Namespace) -> int:
    kernels = recipes.build(arguments)
    with progress(4) as step:
        step("reading")
        image = images.read(arguments.image)
        step(f"starting {arguments.backend}")
        library = libraries.require(arguments.backend)
        device = _device(library, arguments.device)
        step(f"{arguments.kernel} on {library.name}")
        values, told = _filtered(image.values, kernels, library.name, device, arguments)
        step("writing")
        gain = arguments.gain * recipes.gain(kernels[0]) * (0.5 if arguments.signed else 1)
        shown = values * gain + (0.5 if arguments.signed else 0)
        clipped = images.write(arguments.output, image._replace(values=shown))
    print(f"{arguments.output}: {arguments.kernel} {_times(kernels[0].shape)} on {_times(image.values.shape)}, {told}")
    print(f"written as value * {gain:.4g}{' + 1/2' * arguments.signed}, {clipped:.2%} of the values clipped")
    return 0


def _device(library: libraries.Library, wanted: str | None) -> str:
    if wanted is not None and wanted not in library.devices:
        raise CommandError(f"--device must be one of {', '.join(library.devices)} for {library.name}, got {wanted!r}")
    return wanted or library.devices[0]


def _filtered(
    values: np.ndarray[Any, Any],
    kernels: list[np.ndarray[Any, Any]],
    name: str,
    device: str,
    arguments: argparse.Namespace,
) -> tuple[np.ndarray[Any, Any], str]:
    """Return the image filtered, the magnitude where there are two kernels, and how it was done."""
    x = libraries.array(name, device, values, arguments.dtype)
    taps = [libraries.array(name, device, kernel, arguments.dtype) for kernel in kernels]
    chosen: dict[str, Any] = {"axes": (0, 1), "boundary": arguments.boundary, "method": arguments.method}
    method = arrayconv.explain(x, taps[0], "same", **chosen).method
    start = perf_counter()
    parts = [arrayconv.convolve(x, kernel, "same", **chosen) for kernel in taps]
    y = wait(recipes.magnitude(libraries.namespace(name), parts))
    told = f"method {method} on {name} {device}, {duration(perf_counter() - start)}"
    return copied(name, y).astype(np.float64), told


def _times(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes))


COMMAND = Command("filter", "filter an image with a named kernel", _DESCRIPTION, _EPILOG, _arguments, _run)
