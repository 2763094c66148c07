"""The demo's picture: the photograph, the results, and their differences from SciPy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from arrayconv._cli.accuracy import EPS, Host
from arrayconv._cli.console import CommandError, import_optional
from arrayconv._cli.options import must_be_of


class Panel(NamedTuple):
    """One operation: its result above, the largest difference of any library from SciPy below."""

    title: str
    values: Host
    difference: Host  # in units of eps


def write(path: str, photo: Host, panels: Sequence[Panel], caption: str) -> None:
    """Draw the photograph beside the results, and the caption beside their differences."""
    module = import_optional("matplotlib.figure", "the picture")
    aspect = min(max(photo.shape[0] / photo.shape[1], 0.3), 2.0)
    width = 4.2 * (1 + len(panels))
    figure = module.Figure(figsize=(width, 2 * 4.2 * aspect + 1.5), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    axes = figure.subplots(2, 1 + len(panels))
    _show(axes[0, 0], photo, f"Photograph\n{photo.shape[1]} x {photo.shape[0]}, float32", vmin=0, vmax=1)
    _write_text(axes[1, 0], caption)
    for above, below, panel in zip(axes[0, 1:], axes[1, 1:], panels, strict=True):
        high = float(np.percentile(panel.values, 99.5)) or 1.0  # a few bright edges would make the rest black
        _show(above, panel.values, panel.title, vmin=0, vmax=high)
        image = _show(below, panel.difference, "Difference from SciPy in float64", cmap="magma", vmin=0)
        label = f"largest of any library, in units of eps = {EPS:.3g}"
        figure.colorbar(image, ax=below, location="bottom", shrink=0.9, label=label)
    figure.savefig(path, dpi=110, bbox_inches="tight", pad_inches=0.15)


def check_format(path: str) -> None:
    """Raise CommandError if matplotlib has no format for the file's extension; none means .png, as it does there."""
    formats = import_optional("matplotlib.backend_bases", "the picture").FigureCanvasBase.get_supported_filetypes()
    suffix = Path(path).suffix.lower().removeprefix(".")
    if suffix and suffix not in formats:
        raise CommandError(f"{path} cannot be written: its extension {must_be_of(suffix, sorted(formats))}")


def _show(axes: Any, values: Host, title: str, **options: Any) -> Any:
    axes.set_title(title, fontsize=12)
    axes.set_axis_off()
    return axes.imshow(values, interpolation="nearest", **{"cmap": "gray", **options})


def _write_text(axes: Any, text: str) -> None:
    axes.set_axis_off()
    artist = axes.text(0.0, 0.98, text, va="top", family="monospace", fontsize=8, linespacing=1.6)
    artist.set_in_layout(False)  # a wide text would move the pictures
