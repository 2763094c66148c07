"""`filter`: filters an image file on a library of your choice."""

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

_REPEATED = 1.0  # seconds: a first call below is repeated, to show the time without planning

_DESCRIPTION = f"""\
Filter an image with a named kernel and write the result.

The kernels and their options:

{recipes.listing()}

Colour channels are filtered separately, by one call that convolves the first two axes; opacity
is unchanged. Input: 8-bit grey and colour images, and 16-bit grey ones; one --page of a TIFF or GIF.

How values become pixels. Pixels are numbers from 0 for black to 1 for white. The filtered values
are multiplied by a gain and clipped to that range. The gain is 1 for a blur; for a kernel whose
taps sum to 0 it is set so that a step from black to white, aligned with the kernel, gives 1.
Such kernels return negative values too, which clipping loses: --signed halves the gain and maps
0 to mid grey, so that both signs are visible. Gradients write their magnitude
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
    add("-o", "--output", metavar="OUT", required=True, help="file to write; its extension selects the format")
    add("--kernel", choices=tuple(recipes.RECIPES), required=True, metavar="NAME", help="one of the kernels above")
    recipes.add_options(parser)
    options.add_page(parser)
    add("--signed", action="store_true", help="map 0 to mid grey, so that negative values are visible")
    add("--gain", metavar="G", type=float, default=1.0, help="additional factor of the pixel values (default: 1)")
    add("--backend", metavar="LIBRARY", default="numpy", help=f"{', '.join(libraries.NAMESPACES)} (default: numpy)")
    add("--device", help="such as cuda:0, see the command `backends` (default: the library's first)")
    options.add_boundary(parser, "reflect", one=True)
    options.add_method(parser)
    add("--dtype", choices=_REALS, default="float32", help="(default: float32)")


def _run(arguments: argparse.Namespace) -> int:
    kernels = recipes.build(arguments)
    with progress(4) as step:
        step("reading")
        image = images.read(arguments.image, arguments.page)
        images.check_writable(arguments.output, image)
        step(f"starting {arguments.backend}")
        library = libraries.require(arguments.backend)
        device = _device(library, arguments.device)
        step(f"{arguments.kernel} on {library.name}")
        values, summary = _apply(image.values, kernels, library.name, device, arguments)
        step("writing")
        gain = arguments.gain * recipes.gain(kernels[0]) * (0.5 if arguments.signed else 1)
        pixels = values * gain + (0.5 if arguments.signed else 0)
        clipped = images.write(arguments.output, image._replace(values=pixels))
    sizes = f"{_sizes(kernels[0].shape)} on {_sizes(image.values.shape)}"
    print(f"{arguments.output}: {arguments.kernel} {sizes}, {summary}")
    print(f"written as value * {gain:.4g}{' + 1/2' * arguments.signed}, {clipped:.2%} of the values clipped")
    return 0


def _device(library: libraries.Library, requested: str | None) -> str:
    if requested is not None and requested not in library.devices:
        raise CommandError(f"--device of {library.name} {options.must_be_of(requested, library.devices)}")
    return requested or library.devices[0]


def _apply(
    values: np.ndarray[Any, Any],
    kernels: list[np.ndarray[Any, Any]],
    name: str,
    device: str,
    arguments: argparse.Namespace,
) -> tuple[np.ndarray[Any, Any], str]:
    """Return the filtered image, for two kernels the magnitude, and a summary of the call."""
    x = libraries.array(name, device, values, arguments.dtype)
    taps = [libraries.array(name, device, kernel, arguments.dtype) for kernel in kernels]
    call_options: dict[str, Any] = {"axes": (0, 1), "boundary": arguments.boundary, "method": arguments.method}
    method = arrayconv.explain(x, taps[0], "same", **call_options).method

    def call() -> tuple[Any, float]:
        start = perf_counter()
        parts = [arrayconv.convolve(x, kernel, "same", **call_options) for kernel in taps]
        y = wait(recipes.magnitude(libraries.namespace(name), parts))
        return y, perf_counter() - start

    y, first = call()
    again = call()[1] if first < _REPEATED else None  # planned and cached by now: what each further image takes
    times = f"{duration(first)} in a first call" + (f", {duration(again)} in a second" if again is not None else "")
    return copied(name, y).astype(np.float64), f"method {method} on {name} {device}, {times}"


def _sizes(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes))


COMMAND = Command("filter", "filter an image with a named kernel", _DESCRIPTION, _EPILOG, _arguments, _run)
