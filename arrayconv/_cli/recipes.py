"""The named kernels of `filter`, and the options of each."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from arrayconv import kernels
from arrayconv._arrays.array import Array
from arrayconv._arrays.namespace import Namespace
from arrayconv._cli.console import CommandError
from arrayconv._cli.options import positive


class Recipe(NamedTuple):
    """A function that returns a kernel, and its options."""

    make: Callable[..., Any]  # takes the keywords of `defaults`; returns a kernel, or two for a gradient
    defaults: dict[str, Any]  # option -> its default; other options are refused
    summary: str


def _gradient(derivative: Callable[..., Any]) -> Callable[..., Any]:
    def make(direction: str) -> list[Any]:
        axes = {"x": (1,), "y": (0,), "magnitude": (1, 0)}[direction]
        return [derivative(axis=axis) for axis in axes]

    return make


def _gaussian(sigma: float, size: int | None) -> Any:
    if size is not None and size % 2 == 0:
        raise CommandError(f"--size must be odd for a gaussian, got {size}")
    return kernels.gaussian(sigma, radius=None if size is None else size // 2)


def _dog(sigma: float, sigma2: float | None) -> Any:
    return kernels.dog(sigma, 1.6 * sigma if sigma2 is None else sigma2)


def _gabor(frequency: float, theta: float, sigma: float | None) -> Any:
    return kernels.gabor(frequency, math.radians(theta), sigma, part="real")


RECIPES: dict[str, Recipe] = {
    "box": Recipe(kernels.box, {"size": 9}, "mean over a square"),
    "gaussian": Recipe(_gaussian, {"sigma": 2.0, "size": None}, "smooth blur"),
    "sobel": Recipe(_gradient(kernels.sobel), {"direction": "magnitude"}, "gradient"),
    "prewitt": Recipe(_gradient(kernels.prewitt), {"direction": "magnitude"}, "gradient"),
    "scharr": Recipe(_gradient(kernels.scharr), {"direction": "magnitude"}, "gradient"),
    "vertical_edge": Recipe(kernels.vertical_edge, {}, "positive where it gets brighter to the right"),
    "horizontal_edge": Recipe(kernels.horizontal_edge, {}, "positive where it gets brighter downwards"),
    "laplacian": Recipe(kernels.laplacian, {"diagonal": False}, "sum of second differences"),
    "log": Recipe(kernels.log, {"sigma": 2.0}, "Laplacian of a Gaussian"),
    "dog": Recipe(_dog, {"sigma": 1.0, "sigma2": None}, "difference of two Gaussians"),
    "gabor": Recipe(_gabor, {"frequency": 0.1, "theta": 0.0, "sigma": None}, "wave under a Gaussian, real part"),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the kernels; an option that was not typed is absent from the namespace."""
    add = parser.add_argument_group("options of the kernels").add_argument
    absent: Any = argparse.SUPPRESS
    add(
        "--size",
        metavar="N",
        type=positive,
        default=absent,
        help="taps along each axis (default: 9; gaussian: 8 sigma + 1)",
    )
    add(
        "--sigma",
        metavar="S",
        type=float,
        default=absent,
        help="standard deviation in pixels (default: 2; dog: 1; gabor: an octave)",
    )
    add("--sigma2", metavar="S", type=float, default=absent, help="the wider sigma of dog (default: 1.6 sigma)")
    add("--frequency", metavar="F", type=float, default=absent, help="cycles per pixel (default: 0.1)")
    add("--theta", metavar="DEGREES", type=float, default=absent, help="direction of the wave, 0 along x (default: 0)")
    text = "component of a gradient (default: magnitude)"
    add("--direction", choices=("magnitude", "x", "y"), default=absent, help=text)
    add("--diagonal", action="store_true", default=absent, help="include diagonal neighbours in a laplacian")


OPTIONS = ("size", "sigma", "sigma2", "frequency", "theta", "direction", "diagonal")


def build(arguments: argparse.Namespace) -> list[np.ndarray[Any, Any]]:
    """Return the requested kernel, or the two of a gradient's magnitude, as float64 arrays."""
    recipe = RECIPES[arguments.kernel]
    explicit = {name: value for name, value in vars(arguments).items() if name in OPTIONS}
    for name in explicit:
        if name not in recipe.defaults:
            allowed = ", ".join(f"--{option}" for option in recipe.defaults) or "no options"
            raise CommandError(f"--{name} is no option of the kernel {arguments.kernel}, which takes {allowed}")
    kernel = recipe.make(**{**recipe.defaults, **explicit})
    return kernel if isinstance(kernel, list) else [kernel]


def gain(kernel: np.ndarray[Any, Any]) -> float:
    """Return the factor that scales the largest response to an image between 0 and 1 to 1."""
    return 1 / float(max(kernel[kernel > 0].sum(), -kernel[kernel < 0].sum()))


def magnitude(xp: Namespace, parts: list[Array]) -> Array:
    """Return the only part, or the square root of the sum of squares."""
    return parts[0] if len(parts) == 1 else xp.sqrt(parts[0] * parts[0] + parts[1] * parts[1])


def listing() -> str:
    """Return one line per kernel for the help."""
    rows = [
        f"  {name:<16} {recipe.summary:<44} {' '.join('--' + option for option in recipe.defaults)}".rstrip()
        for name, recipe in RECIPES.items()
    ]
    return "\n".join(rows)
