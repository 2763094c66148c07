"""Photographs as arrays: values from 0 for black to 1 for white, and back."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from arrayconv._cli.console import CommandError, import_optional

_PLAIN = {"1": "L", "P": "RGB", "CMYK": "RGB", "YCbCr": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB"}


class Image(NamedTuple):
    """An image as numbers: (height, width), or (height, width, 3) in colour."""

    values: np.ndarray[Any, Any]  # float64, 0 to 1
    white: int  # the value of 1 in the file: 255 or 65535
    alpha: np.ndarray[Any, Any] | None = None  # opacity as in the file, (height, width)


def read(path: str, page: int | None = None, grey: bool = False) -> Image:
    """Read an image file: 8-bit grey or colour, with or without opacity, or 16-bit grey; rotated by its EXIF tag."""
    picture = _picture(path, page)
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


def _picture(path: str, page: int | None) -> Any:
    """Return one page of a file as pillow's image; refuse what pillow would leave out without a word."""
    pillow, ops = import_optional("PIL.Image", "reading images"), import_optional("PIL.ImageOps", "reading images")
    try:
        with pillow.open(path) as file:
            pages = getattr(file, "n_frames", 1)
            if page is None and pages > 1:
                raise CommandError(f"{path} has {pages} pages. Choose one with --page, from 1 to {pages}")
            if page is not None and page > pages:
                raise CommandError(f"{path} has {pages} page{'s' * (pages > 1)}, got --page {page}")
            file.seek((page or 1) - 1)
            if len(file.getbands()) > 1 and any(";16" in str(tile[3]) for tile in file.tile):
                raise CommandError(
                    f"{path} has 16-bit colour or opacity, of which pillow reads 8 bits. Convert it to 8 bits first"
                )
            picture = ops.exif_transpose(file)
            picture.load()
    except pillow.UnidentifiedImageError:
        raise CommandError(f"{path} is not an image that pillow can read") from None
    except (OSError, SyntaxError) as error:  # a damaged file; a missing one is named already
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise CommandError(f"{path} cannot be read: {error}") from None
    return picture


def write(path: str, image: Image) -> float:
    """Write an image file and clip values outside 0 to 1; return the fraction of clipped values."""
    levels = np.rint(image.values * image.white)
    _encoded(np.clip(levels, 0, image.white), image).save(path)
    return float(np.mean((levels < 0) | (levels > image.white)))


def check_writable(path: str, image: Image) -> None:
    """Raise CommandError if a file of that name can't hold such an image: before it is filtered."""
    check_folder(path)
    pillow = import_optional("PIL.Image", "writing images")
    suffix = Path(path).suffix
    file_format = pillow.registered_extensions().get(suffix.lower())
    if file_format not in pillow.SAVE:
        known = f"the extension {suffix}" if suffix else "a name without an extension"
        raise CommandError(f"{path} cannot be written: pillow has no format for {known}. Choose .png, for example")
    alpha = None if image.alpha is None else image.alpha[:1, :1]
    try:
        _encoded(image.values[:1, :1] * 0, image._replace(alpha=alpha)).save(BytesIO(), format=file_format)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error}. Choose .png, for example") from None


def check_folder(path: str) -> None:
    """Raise CommandError if a file's folder does not exist."""
    if not Path(path).absolute().parent.is_dir():
        raise CommandError(f"{path} cannot be written: its folder does not exist")


def _encoded(levels: np.ndarray[Any, Any], image: Image) -> Any:
    """Return pillow's image of levels from 0 to white, with the opacity of `image`."""
    pillow = import_optional("PIL.Image", "writing images")
    picture = pillow.fromarray(levels.astype(np.uint8 if image.white == 255 else np.uint16))
    if image.alpha is not None:
        picture.putalpha(pillow.fromarray(image.alpha))
    return picture


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
