"""The table of problems: one row each, of sizes, a dtype, options, and the tags by which results are grouped.

Kinds: 'convolve' is a convolution of mode 'same' over the trailing axes, 'lags' a few lags of a correlation, 'channels'
and 'transposed' are torch's conv2d and conv_transpose2d. Operands are seeded, so that a row is the same in every run.
"""

from math import prod
from typing import Any, NamedTuple

import numpy as np

import arrayconv
from benchmarks import layers

Shape = tuple[int, ...]

EVERYWHERE = ("numpy", "torch", "jax")


class Problem(NamedTuple):
    """One row of the table."""

    name: str
    kind: str
    x: Shape
    kernel: Shape
    dtype: str = "float32"
    options: dict[str, Any] = {}  # noqa: RUF012, never written to
    tags: frozenset[str] = frozenset()
    libraries: tuple[str, ...] = ("numpy", "torch")

    @property
    def label(self):
        """The name with the dtype: unique in the table."""
        return f"{self.name} {self.dtype}"

    @property
    def axes(self):
        """Numbers of the convolved axes, from the last back."""
        return tuple(range(-len(self.kernel), 0)) if self.kind in ("convolve", "lags") else (-2, -1)

    @property
    def stride(self):
        return self.options.get("stride", 1)


def operands(problem):
    """Return both operands as NumPy arrays."""
    random = np.random.default_rng(0)

    def draw(shape):
        if problem.dtype.startswith("int"):
            return random.integers(-9, 10, shape).astype(problem.dtype)
        values = random.standard_normal(shape)
        if problem.dtype.startswith("complex"):
            values = values + 1j * random.standard_normal(shape)
        return values.astype(problem.dtype)

    return draw(problem.x), draw(problem.kernel)


def explained(problem, x=None, kernel=None, method="auto"):
    """Return the explanation of our call, on shapes where x is None."""
    if layers.is_row(problem):
        return layers.explained(problem, x, kernel, method, problem.dtype)
    subject = (problem.x, problem.kernel) if x is None else (x, kernel)
    more = {"method": method, **({"dtype": problem.dtype} if x is None else {})}
    match problem.kind:
        case "convolve":
            return arrayconv.explain(*subject, "same", axes=problem.axes, **problem.options, **more)
        case "lags":
            return arrayconv.explain(*subject, **problem.options, **more)
        case "channels":
            pattern = "b (g c) h w, (g o) c h w -> b (g o) h w | h w"
            options = {name: value for name, value in problem.options.items() if name != "groups"}
            sizes = {"g": problem.options.get("groups", 1)}
            return arrayconv.explain(*subject, pattern=pattern, sizes=sizes, **options, **more)
        case _:  # transposed: padding and output_padding of torch as samples read outside the upsampled ends
            before = problem.kernel[-1] - 1 - problem.options["padding"]
            padding = (before, before + problem.options["output_padding"])
            options = {"upsample": problem.stride, "padding": (padding, padding), "flip": True}
            return arrayconv.explain(*subject, pattern="b c h w, c o h w -> b o h w | h w", **options, **more)


def work(problem):
    """Return the multiply-adds of the definition, and the bytes of both operands and the result."""
    explanation = explained(problem)
    sizes = prod(problem.x) + prod(problem.kernel) + prod(explanation.output_shape)
    times = 3 if "backward" in problem.tags else 1  # each gradient has as many as the call
    return times * explanation.macs, sizes * np.dtype(problem.dtype).itemsize


def power(size):
    """Return a size as a power of ten where it is one."""
    exponent = len(str(size)) - 1
    return f"10^{exponent}" if size == 10**exponent and exponent > 1 else str(size)


def single(size, taps, dtype="float32", ndim=1, *, libraries=("numpy", "torch"), tags=(), **options):
    """Return a row of one channel, as long and as wide on every axis."""
    raised = f"^{ndim}" if ndim > 1 else ""
    name = f"{power(size)}{raised} x {power(taps)}{raised}"
    name += f", stride {options['stride']}" if "stride" in options else ""
    large = size**ndim >= (10**4 if ndim == 1 else 256**2)
    marks = {"single-channel", f"{ndim}-D", "large" if large else "small", *tags}
    return Problem(name, "convolve", (size,) * ndim, (taps,) * ndim, dtype, options, frozenset(marks), libraries)


def _one_dimensional():
    for dtype in ("float32", "float64"):
        yield single(100, 5, dtype, tags=("quick",), libraries=EVERYWHERE)
        yield single(10**3, 15, dtype)
        yield single(10**4, 31, dtype, tags=("quick",) * (dtype == "float32"))
        yield single(10**5, 101, dtype, libraries=EVERYWHERE)
        for taps in (15, 101, 1001):
            yield single(10**6, taps, dtype, libraries=EVERYWHERE if taps == 101 else ("numpy", "torch"))
        yield single(10**7, 15, dtype)
    for size in (100, 10**4, 10**5):  # with the rows above: a series over n
        yield single(size, 15, libraries=("numpy",))
    for taps in (10**4 + 1, 10**5 + 1):  # with the rows above: a series over the taps
        yield single(10**6, taps, libraries=("numpy",))
    for dtype in ("int32", "complex64"):
        yield single(10**5, 31, dtype, libraries=("numpy",))


def _batched():
    for dtype in ("float32", "float64"):
        marks = frozenset({"single-channel", "1-D", "large"})
        yield Problem("64 x 4096 x 31", "convolve", (64, 4096), (31,), dtype, {}, marks)


def _two_dimensional():
    for dtype in ("float32", "float64"):
        yield single(64, 3, dtype, 2, tags=("quick",) * (dtype == "float32"), libraries=EVERYWHERE)
        for taps in (3, 7, 15, 31):
            yield single(256, taps, dtype, 2, libraries=("numpy",))
        for taps in (3, 7, 15, 31, 63, 127):
            everywhere = taps in (3, 15, 31) or (taps, dtype) == (63, "float32")
            yield single(512, taps, dtype, 2, libraries=EVERYWHERE if everywhere else ("numpy", "torch"))
    for taps in (3, 7, 15, 31, 63):
        yield single(2048, taps, "float32", 2, libraries=EVERYWHERE if taps == 7 else ("numpy", "torch"))
    for taps in (3, 7, 31):
        yield single(2048, taps, "float64", 2)
    yield single(512, 7, "int32", 2, libraries=("numpy",))
    yield single(512, 15, "complex64", 2, libraries=("numpy",))
    yield single(512, 7, "float32", 2, stride=2)


def _three_dimensional():
    for dtype in ("float32", "float64"):
        yield single(64, 3, dtype, 3)
        yield single(128, 5, dtype, 3)


def _others():
    marks = frozenset({"lags", "large"})
    for dtype in ("float32", "float64"):
        yield Problem("10^5 x 10^5, lags to 64", "lags", (10**5,), (10**5,), dtype, {"lags": (-64, 64)}, marks)
    channels = frozenset({"channels", "large"})
    for dtype in ("float32", "float64"):
        options = {"padding": 1}
        small = frozenset({"channels", "small"}) | frozenset({"quick"} if dtype == "float32" else ())
        yield Problem("2 x 4 x 16^2, 8 of 3^2", "channels", (2, 4, 16, 16), (8, 4, 3, 3), dtype, options, small)
        shapes = (8, 32, 64, 64), (64, 32, 3, 3)
        yield Problem("8 x 32 x 64^2, 64 of 3^2", "channels", *shapes, dtype, options, channels, EVERYWHERE)
    shapes = (8, 64, 56, 56), (64, 64, 3, 3)
    yield Problem("8 x 64 x 56^2, 64 of 3^2", "channels", *shapes, "float64", options, channels, EVERYWHERE)
    options = {"padding": 1, "stride": 2}
    shapes = (8, 32, 64, 64), (64, 32, 3, 3)
    yield Problem("8 x 32 x 64^2, 64 of 3^2, stride 2", "channels", *shapes, "float32", options, channels, EVERYWHERE)
    options = {"padding": 1, "groups": 64}
    shapes = (16, 64, 56, 56), (64, 1, 3, 3)
    yield Problem("16 x 64 x 56^2, depthwise 3^2", "channels", *shapes, "float32", options, channels)
    options = {"padding": 1, "stride": 2, "output_padding": 1}
    shapes = (8, 64, 32, 32), (64, 32, 3, 3)
    yield Problem("8 x 64 x 32^2, transposed 3^2", "transposed", *shapes, "float32", options, channels, EVERYWHERE)


PROBLEMS = (
    *_one_dimensional(),
    *_batched(),
    *_two_dimensional(),
    *_three_dimensional(),
    *_others(),
    *layers.rows(Problem),
)
