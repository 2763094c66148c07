"""Photographs as arrays: values from 0 for black to 1 for white, and back."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from arrayconv._cli.console import CommandError, import_optional

_PLAIN = {"1": "L", "P": "RGB", "CMYK": "RGB", "YCbCr": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB"}


class Image(NamedTuple):
    """An image as numbers: (height, width), or (height, width, 3) in colour."""

    values: np.ndarray[Any, Any]  # float64, 0 to 1
    white: int  # the value of 1 in the file: 255 or 65535
    alpha: np.ndarray[Any, Any] | None = None  # opacity as in the file, (height, width)


def read(path: str, grey: bool = False) -> Image:
    """Read an image file: 8-bit grey or colour, with or without opacity, or 16-bit grey; rotated by its EXIF tag."""
    pillow, ops = import_optional("PIL.Image", "reading images"), import_optional("PIL.ImageOps", "reading images")
    try:
        with pillow.open(path) as file:
            picture = ops.exif_transpose(file)
            picture.load()
    except pillow.UnidentifiedImageError:
        raise CommandError(f"{path} is not an image that pillow can read") from None
    if picture.mode in _PLAIN:
        picture = picture.convert(_PLAIN[picture.mode])
    if picture.mode.startswith("I;16"):
        return Image(np.asarray(picture, dtype=np.float64) / 65535, 65535)
    if picture.mode not in ("L", "LA", "RGB", "RGBA"):
        raise CommandError(
            f"{path} has pixels of kind {picture.mode!r}, but must have 8-bit grey or colour, or 16-bit grey"
        )
    alpha = np.asarray(picture.getchannel("A")) if picture.mode.endswith("A") else None
    colour = picture.mode.startswith("RGB") and not grey
    return Image(np.asarray(picture.convert("RGB" if colour else "L"), dtype=np.float64) / 255, 255, alpha)


def write(path: str, image: Image) -> float:
    """Write an image file and clip values outside 0 to 1; return the fraction of clipped values."""
    pillow = import_optional("PIL.Image", "writing images")
    levels = np.rint(image.values * image.white)
    pixels = np.clip(levels, 0, image.white).astype(np.uint8 if image.white == 255 else np.uint16)
    picture = pillow.fromarray(pixels)
    if image.alpha is not None:
        picture.putalpha(pillow.fromarray(image.alpha))
    try:
        picture.save(path)
    except ValueError as error:  # pillow has no format of that name
        raise CommandError(f"{path} cannot be written: {error}") from None
    return float(np.mean((levels < 0) | (levels > image.white)))


def photograph(size: int) -> np.ndarray[Any, Any]:
    """Return scikit-image's photograph of a cameraman, 512 x 512, or smaller with `size`."""
    data = import_optional("skimage.data", "the demo's photograph (or pass one with --image)")
    return shrink(data.camera() / 255, size)


def shrink(values: np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
    """Return a grey image with its longer side reduced to `size`; 0 returns it unchanged."""
    longer = max(values.shape)
    if not size or longer <= size:
        return values
    pillow = import_optional("PIL.Image", "resizing images")
    height, width = (max(1, round(n * size / longer)) for n in values.shape)
    return np.asarray(pillow.fromarray(values.astype(np.float32)).resize((width, height)), dtype=np.float64)
