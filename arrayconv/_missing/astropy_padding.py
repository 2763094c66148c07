"""The padded arrays of `astropy.convolution.convolve_fft`: their sizes, and the product of transforms it may return."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from arrayconv._arrays.array import Array
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.namespace import Namespace
from arrayconv._calls import dry_run
from arrayconv._errors import flag
from arrayconv._missing import astropy_arguments as parsing
from arrayconv._ops.pad import along, extend
from arrayconv._problem.boundary import runs
from arrayconv._problem.fast_lengths import fast_length

_MAX_BYTES = 10**9  # of an array, unless huge ones are allowed


Shape = tuple[int, ...]


class Padding(NamedTuple):
    """Sizes after padding, and where the array begins in them."""

    shape: tuple[int, ...]
    starts: tuple[int, ...]
    wraps: bool  # circular within the padded shape
    is_linear: bool  # padded by a kernel at least, so that nothing wraps around


def check_size(function: str, shape: tuple[int, ...], itemsize: int, allow_huge: bool) -> None:
    """Raise ValueError for an array that is larger than astropy's limit."""
    size = prod(shape) * itemsize
    if size > _MAX_BYTES and not allow_huge:
        raise ValueError(
            f"{function}: a padded array must not exceed {_MAX_BYTES} bytes. Got {size} bytes for shape {shape}. "
            f"Pass allow_huge=True."
        )


def parse(
    function: str,
    boundary: Any,
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
    psf_pad: Any,
    fft_pad: Any,
    dealias: Any,
) -> Padding:
    """Return the sizes that the options determine; warns and refuses as astropy does."""
    psf, fft = (
        None if value is None else flag(function, name, value)
        for name, value in (("psf_pad", psf_pad), ("fft_pad", fft_pad))
    )
    dealias, wraps = flag(function, "dealias", dealias), boundary == "wrap"
    if wraps:
        for name, value in (("psf_pad", psf), ("fft_pad", fft), ("dealias", dealias)):
            if value:
                raise ValueError(f"With boundary='wrap', {name} cannot be enabled.")
    elif boundary == "fill" and psf is False:
        parsing.warn("psf_pad was set to False, which overrides the boundary='fill' setting.")
    psf = not wraps if psf is None else psf
    fft = not wraps if fft is None else fft
    lengths = [n + k if psf else max(n, k) for n, k in zip(*shapes, strict=True)]
    if dealias:
        lengths = [n + -(-n // 2) for n in lengths]
    lengths = tuple([fast_length(n) if fft else n for n in lengths])
    starts = tuple([length // 2 - n // 2 for length, n in zip(lengths, shapes[0], strict=True)])
    return Padding(lengths, starts, not psf, psf or (wraps and lengths == shapes[0]))


def padded(x: Array, padding: Padding, fill: Any, *, xp: Namespace, device: Any) -> Array:
    """Return x inside an array of the padded shape that a number fills."""
    if dry_run.is_stand_in(x):
        return dry_run.stand_in(padding.shape, dtype_name(x.dtype), xp=xp, device=device)
    for axis, (length, start) in enumerate(zip(padding.shape, padding.starts, strict=True)):
        pieces = runs(x.shape[axis], -start, length - start, "constant")
        x = extend(x, axis, pieces, fill, xp=xp, device=device)
    return x


def cropped(y: Array, padding: Padding, shape: tuple[int, ...]) -> Array:
    """Return the part of a padded result that the array covers."""
    for axis, (start, size) in enumerate(zip(padding.starts, shape, strict=True)):
        y = y[along(axis, slice(start, start + size))]
    return y


def embedded(y: Array, shape: tuple[int, ...], *, xp: Namespace, device: Any) -> Array:
    """Return y in the middle of zeros."""
    if dry_run.is_stand_in(y):
        return dry_run.stand_in(shape, dtype_name(y.dtype), xp=xp, device=device)
    for axis, size in enumerate(shape):
        before = (size - y.shape[axis]) // 2
        y = extend(y, axis, runs(y.shape[axis], -before, size - before, "constant"), 0, xp=xp, device=device)
    return y


def transformed(x: Array, kernel: Array, padding: Padding, fftn: Any, *, xp: Namespace, device: Any) -> Array:
    """Return the product of the transforms of a padded array and of the kernel, its middle tap first."""
    taps = tuple(kernel.shape)
    starts = tuple([length // 2 - k // 2 for length, k in zip(padding.shape, taps, strict=True)])
    kernel = padded(kernel, padding._replace(starts=starts), 0, xp=xp, device=device)
    shift = tuple([-(length // 2) for length in padding.shape])
    kernel = xp.roll(kernel, shift, axis=tuple(range(kernel.ndim)))
    function = xp.fft.fftn if fftn is None else fftn
    complex_dtype = xp.result_type(x.dtype, xp.complex64)
    return function(xp.astype(x, complex_dtype)) * function(xp.astype(kernel, complex_dtype))
