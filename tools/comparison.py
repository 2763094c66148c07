"""Tries what arrayconv and its neighbours do with each kind of array, and writes docs/comparison.md.

    python -m tools.comparison            # prints the tables
    python -m tools.comparison --write    # replaces those of docs/comparison.md

Each cell is a call that was made: a word says what came back. A library that is not installed is "not run". The exact
sums are those of Python's integers and fractions, by `arrayconv.testing.reference`.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import partial
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from arrayconv import testing

PAGE = Path(__file__).parents[1] / "docs/comparison.md"
BEGIN, END = "<!-- tables -->", "<!-- end of tables -->"

TWO, PLANE = np.arange(30.0).reshape(5, 6), np.arange(1.0, 10).reshape(3, 3)
# int64: sums beyond 2**53, which float64 can't hold
LARGE, LARGE_KERNEL = np.array([[2**60 + 1, 3, 2**59 + 7]] * 3), np.array([[1, 1, 1]] * 3)

Convolve = Callable[..., Any]  # (x, kernel) -> the samples of mode 'same', zeros outside


class Peer(NamedTuple):
    """A library beside this one: how it convolves, and with which boundaries."""

    package: str  # whose version is printed
    plane: Convolve  # 2-D
    boundaries: Mapping[str, Convolve] = MappingProxyType({})  # ours -> the same call with that boundary
    note: str = ""


def _module(name: str) -> Any:
    return importlib.import_module(name)


def _in_torch(x: Any, kernel: Any, pad: Callable[..., Any]) -> Any:
    """Convolve by torch.nn.functional, which correlates batches of channels."""
    functional = _module("torch.nn.functional")
    flipped = kernel.flip(tuple(range(kernel.ndim)))
    extent = [n for size in reversed(kernel.shape) for n in ((size - 1) // 2, size // 2)]
    return functional.conv2d(pad(functional, x[None, None], extent), flipped[None, None])[0, 0]


def _torch_boundary(mode: str) -> Convolve:
    return lambda x, kernel: _in_torch(x, kernel, lambda f, x, extent: f.pad(x, extent, mode=mode))


def _kornia(border: str) -> Convolve:
    def call(x: Any, kernel: Any) -> Any:
        filter2d = _module("kornia.filters").filter2d
        return filter2d(x[None, None], kernel.flip((0, 1))[None], border_type=border)[0, 0]

    return call


def _ndimage(module: str, mode: str, package_mode: str = "mode") -> Convolve:
    return lambda x, kernel: _module(module).convolve(x, kernel, **{package_mode: mode})


def _astropy(boundary: str, x: Any, kernel: Any) -> Any:
    """Convolve by astropy, without its interpolation and its division by the sum of the taps."""
    convolve = _module("astropy.convolution").convolve
    return convolve(x, kernel, boundary, normalize_kernel=False, nan_treatment="fill", fill_value=0.0)


def _arrayconv(boundary: str) -> Convolve:
    return lambda x, kernel: _module("arrayconv").convolve(x, kernel, "same", boundary=boundary)


_SCIPY_MODES = {"constant": "constant", "edge": "nearest", "symmetric": "reflect", "reflect": "mirror", "wrap": "wrap"}
_ASTROPY = {"constant": "fill", "edge": "extend", "wrap": "wrap"}
PEERS: dict[str, Peer] = {
    "arrayconv": Peer(
        "arrayconv",
        _arrayconv("constant"),
        {name: _arrayconv(name) for name in _SCIPY_MODES},
    ),
    "scipy.signal": Peer(
        "scipy",
        lambda x, kernel: _module("scipy.signal").convolve(x, kernel, "same"),
        {
            "constant": lambda x, kernel: _module("scipy.signal").convolve2d(x, kernel, "same"),
            "symmetric": lambda x, kernel: _module("scipy.signal").convolve2d(x, kernel, "same", "symm"),
            "wrap": lambda x, kernel: _module("scipy.signal").convolve2d(x, kernel, "same", "wrap"),
        },
    ),
    "scipy.ndimage": Peer(
        "scipy",
        _ndimage("scipy.ndimage", "constant"),
        {ours: _ndimage("scipy.ndimage", theirs) for ours, theirs in _SCIPY_MODES.items()},
    ),
    "torch.nn.functional": Peer(
        "torch",
        _torch_boundary("constant"),
        {
            "constant": _torch_boundary("constant"),
            "edge": _torch_boundary("replicate"),
            "reflect": _torch_boundary("reflect"),
            "wrap": _torch_boundary("circular"),
        },
    ),
    "jax.scipy.signal": Peer(
        "jax",
        lambda x, kernel: _module("jax.scipy.signal").convolve(x, kernel, "same"),
        {"constant": lambda x, kernel: _module("jax.scipy.signal").convolve(x, kernel, "same")},
    ),
    "astropy.convolution": Peer(
        "astropy",
        lambda x, kernel: _astropy("fill", x, kernel),
        {ours: partial(_astropy, theirs) for ours, theirs in _ASTROPY.items()},
    ),
    "dask_image.ndfilters": Peer(
        "dask-image",
        _ndimage("dask_image.ndfilters", "constant"),
        {ours: _ndimage("dask_image.ndfilters", theirs) for ours, theirs in _SCIPY_MODES.items()},
    ),
    "kornia.filters": Peer(
        "kornia",
        _kornia("constant"),
        {
            "constant": _kornia("constant"),
            "edge": _kornia("replicate"),
            "reflect": _kornia("reflect"),
            "wrap": _kornia("circular"),
        },
    ),
    "array_api_signal": Peer(
        "array-api-signal",
        lambda x, kernel: _module("array_api_signal").convolve(x, kernel, mode="constant"),
        note="convolves along one axis",
    ),
    "cupyx.scipy.ndimage": Peer(
        "cupy-cuda13x",
        _ndimage("cupyx.scipy.ndimage", "constant"),
        {ours: _ndimage("cupyx.scipy.ndimage", theirs) for ours, theirs in _SCIPY_MODES.items()},
        note="needs a GPU",
    ),
}


def _torch(x: Any) -> Any:
    return _module("torch").asarray(x)


def _jax(x: Any) -> Any:
    return _module("jax.numpy").asarray(x)


KINDS: dict[str, Callable[[Any], Any]] = {  # kind of array -> from NumPy's
    "NumPy array": np.asarray,
    "tensor": _torch,
    "JAX array": _jax,
    "strict array": lambda x: _module("array_api_strict").asarray(x),
    "Dask array": lambda x: _module("dask.array").from_array(x, chunks=(3, -1)[: x.ndim]),
}


def expected(x: Any, kernel: Any, boundary: str = "constant") -> Any:
    """Return the exact sums of the definition, rounded once."""
    return np.asarray(testing.reference("convolve", x, kernel, "same", boundary=boundary))


def _numbers(y: Any) -> Any:
    """Return a result as a NumPy array, to look at it."""
    if hasattr(y, "compute"):
        y = y.compute()
    if hasattr(y, "detach"):
        y = y.detach()
    return np.asarray(y)


def library_of(value: Any) -> str:
    """Return the first part of the name of an array's module, as 'jax' of 'jaxlib...'."""
    return type(value).__module__.split(".")[0].removesuffix("lib")


def outcome(call: Callable[[], str]) -> str:
    """Return the word of a probe; an exception is the name of its type."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call()
    except ImportError:
        raise
    except Exception as error:  # whatever a library raises is what the table says
        return type(error).__name__


def on_kind(peer: Peer, make: Callable[[Any], Any]) -> str:
    """Return what a 2-D convolution of an array of this kind gives."""
    x, kernel = make(TWO), make(PLANE)

    def probe() -> str:
        y = peer.plane(x, kernel)
        if not np.allclose(_numbers(y), expected(TWO, PLANE), rtol=1e-6):
            return "wrong"
        return "yes" if library_of(y) == library_of(x) else f"{library_of(y)} array"

    return outcome(probe)


def boundary(peer: Peer, name: str, make: Callable[[Any], Any]) -> str:
    """Return whether a boundary gives the exact sums."""
    call = peer.boundaries.get(name)
    if call is None:
        return "no"
    exact = expected(TWO, PLANE, name)
    return outcome(lambda: "yes" if np.allclose(_numbers(call(make(TWO), make(PLANE))), exact) else "wrong")


def integers(peer: Peer, make: Callable[[Any], Any]) -> str:
    """Return whether int64 sums beyond 2**53 are exact."""

    def probe() -> str:
        y = _numbers(peer.plane(make(LARGE), make(LARGE_KERNEL)))
        exact = np.array_equal(y, expected(LARGE, LARGE_KERNEL)) and y.dtype.kind == "i"
        return "exact" if exact else f"{y.dtype}, inexact"

    return outcome(probe)


def one_nan(peer: Peer, make: Callable[[Any], Any]) -> str:
    """Return how many of 64 x 64 outputs a single NaN reaches under 9 x 9 taps: 81 of them contain it."""
    x = np.ones((64, 64))
    x[32, 32] = np.nan

    def probe() -> str:
        reached = int(np.isnan(_numbers(peer.plane(make(x), make(np.full((9, 9), 1 / 81))))).sum())
        return str(reached)

    return outcome(probe)


def gradient(peer: Peer) -> str:
    """Return whether a tensor's and a JAX array's gradient come back."""

    def of_tensor() -> str:
        x = _torch(TWO).requires_grad_(True)
        peer.plane(x, _torch(PLANE)).sum().backward()
        return "torch" if x.grad is not None else ""

    def of_jax() -> str:
        _module("jax").grad(lambda x: peer.plane(x, _jax(PLANE)).sum())(_jax(TWO))
        return "JAX"

    words = [word for word in (outcome(of_tensor), outcome(of_jax)) if word in ("torch", "JAX")]
    return ", ".join(words) or "no"


def home(peer: str) -> Callable[[Any], Any]:
    """Return what makes the arrays that a library is written for."""
    own = {"torch.nn.functional": "tensor", "kornia.filters": "tensor", "jax.scipy.signal": "JAX array"}
    own["dask_image.ndfilters"] = "Dask array"
    return KINDS[own.get(peer, "NumPy array")]


def row(name: str) -> tuple[list[str], list[str]]:
    """Return the cells of a library in the two tables."""
    peer = PEERS[name]
    if peer.note:
        return [f"not run: {peer.note}"] + [""] * (len(KINDS) - 1), [f"not run: {peer.note}"] + [""] * 3
    try:
        _module(name)
    except ImportError:
        return ["not run: not installed"] + [""] * (len(KINDS) - 1), ["not run: not installed"] + [""] * 3
    make = home(name)
    kinds = [on_kind(peer, kind) for kind in KINDS.values()]
    words = {ours: boundary(peer, ours, make) for ours in _SCIPY_MODES}
    bounds = ", ".join(ours for ours, word in words.items() if word == "yes") or "none"
    return kinds, [gradient(peer), bounds, integers(peer, make), one_nan(peer, make)]


def tables() -> str:
    """Return both tables, and what they were made with."""
    rows = {name: row(name) for name in PEERS}
    parts = [
        "What a 2-D convolution with zeros outside returns for an array of each kind: `yes` is an array of the same"
    ]
    parts[0] += " kind with the right numbers.\n"
    parts += table(["library", *KINDS], ([f"`{name}`", *cells] for name, (cells, _) in rows.items()))
    parts += ["", "On the arrays that a library is written for (NumPy's, where it names none):", ""]
    heads = ["library", "gradients", "boundaries with the exact sums", "int64 sums beyond 2^53", "NaN reaches"]
    parts += table(heads, ([f"`{name}`", *cells] for name, (_, cells) in rows.items()))
    return "\n".join([*parts, "", versions_line(), ""])


def table(heads: Iterable[str], rows: Iterable[list[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    heads = list(heads)
    return [line(heads), line(["---"] * len(heads)), *map(line, rows)]


def line(cells: Iterable[str]) -> str:
    """Return one line of a table."""
    return "| " + " | ".join(cells) + " |"


def versions_line() -> str:
    """Return versions and date."""
    packages = sorted({peer.package for peer in PEERS.values()} | {"numpy", "dask", "array-api-strict"})
    versions = []
    for package in packages:
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            versions.append(f"{package} not installed")
    versions = ", ".join(versions)
    return f"From `python -m tools.comparison` on {date.today()}: Python {platform.python_version()}, {versions}."


def main() -> None:
    """Print the tables, or write them to the page."""
    parser = argparse.ArgumentParser(prog="python -m tools.comparison", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"replace the tables of {PAGE.name}")
    arguments = parser.parse_args()
    os.environ.update(SCIPY_ARRAY_API="1", JAX_ENABLE_X64="1")  # read by SciPy and JAX at their import
    text = tables()
    if arguments.write:
        page = PAGE.read_text()
        pattern = re.compile(f"{BEGIN}.*?{END}", re.S)
        PAGE.write_text(pattern.sub(lambda _: f"{BEGIN}\n\n{text}\n{END}", page))
    else:
        print(text)


if __name__ == "__main__":
    main()
