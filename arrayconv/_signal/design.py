"""Low-pass filters as numbers: a sinc under a window, scaled to a sum of 1, as scipy.signal.firwin designs them.

`_WINDOWS` has SciPy's symmetric windows that are a formula: adding a row adds a window. Those that solve a system or
take a transform (chebwin, dpss, taylor) are not in it: their taps can be passed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from arrayconv._errors import listed, shown
from arrayconv._problem.axes import real
from arrayconv._runtime.capacity import check_numbers
from arrayconv._runtime.tracing import planning

Host = Any  # a NumPy array


def _cosines(count: int, *weights: float) -> Host:
    angles = np.linspace(-np.pi, np.pi, count)
    return sum(np.multiply(weight, np.cos(k * angles)) for k, weight in enumerate(weights))


def _general_cosine(count: int, weights: Any) -> Host:
    return _cosines(count, *weights)


def _general_hamming(count: int, alpha: float) -> Host:
    return _cosines(count, alpha, 1 - alpha)


def _distances(count: int) -> Host:
    """Return each sample's distance from the centre."""
    return np.abs(np.arange(count) - (count - 1) / 2)


def _triang(count: int) -> Host:
    return 1 - 2 * _distances(count) / (count + count % 2)


def _bartlett(count: int) -> Host:
    return 1 - 2 * _distances(count) / (count - 1)


def _bohman(count: int) -> Host:
    x = 2 * _distances(count) / (count - 1)
    w = (1 - x) * np.cos(np.pi * x) + np.sin(np.pi * x) / np.pi
    w[0] = w[-1] = 0
    return w


def _barthann(count: int) -> Host:
    x = _distances(count) / (count - 1)
    return 0.62 - 0.48 * x + 0.38 * np.cos(2 * np.pi * x)


def _cosine(count: int) -> Host:
    return np.sin(np.pi / count * (np.arange(count) + 0.5))


def _parzen(count: int) -> Host:
    x = 2 * _distances(count) / count
    return np.where(_distances(count) <= (count - 1) / 4, 1 - 6 * x**2 * (1 - x), 2 * (1 - x) ** 3)


def _lanczos(count: int) -> Host:
    return np.sinc(2 * np.arange(count) / (count - 1) - 1)


def _kaiser(count: int, beta: float) -> Host:
    x = 2 * _distances(count) / (count - 1)
    return np.i0(beta * np.sqrt(np.maximum(1 - x**2, 0))) / np.i0(beta)


def _gaussian(count: int, std: float) -> Host:
    return np.exp(-(_distances(count) ** 2) / (2 * std * std))


def _general_gaussian(count: int, p: float, sig: float) -> Host:
    return np.exp(-0.5 * (_distances(count) / sig) ** (2 * p))


def _exponential(count: int, center: None = None, tau: float = 1.0) -> Host:
    if center is not None:
        raise ValueError(f"a symmetric exponential `window` has its center in the middle: None. Got {center}.")
    return np.exp(-_distances(count) / tau)


def _tukey(count: int, alpha: float = 0.5) -> Host:
    if alpha <= 0:
        return np.ones(count)
    if alpha >= 1:
        return _cosines(count, 0.5, 0.5)
    ends = 1 - 2 * _distances(count) / (count - 1)  # 0 at the ends, 1 at the centre
    return np.where(ends < alpha, 0.5 * (1 - np.cos(np.pi * ends / alpha)), 1.0)


_WINDOWS: dict[str, tuple[Callable[..., Host], int, int]] = {  # name -> (formula, least and most parameters)
    "boxcar": (np.ones, 0, 0),
    "triang": (_triang, 0, 0),
    "bartlett": (_bartlett, 0, 0),
    "hann": (partial(_general_hamming, alpha=0.5), 0, 0),
    "hamming": (partial(_general_hamming, alpha=0.54), 0, 0),
    "blackman": (partial(_general_cosine, weights=(0.42, 0.5, 0.08)), 0, 0),
    "nuttall": (partial(_general_cosine, weights=(0.3635819, 0.4891775, 0.1365995, 0.0106411)), 0, 0),
    "blackmanharris": (partial(_general_cosine, weights=(0.35875, 0.48829, 0.14128, 0.01168)), 0, 0),
    "flattop": (
        partial(_general_cosine, weights=(0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368)),
        0,
        0,
    ),
    "bohman": (_bohman, 0, 0),
    "barthann": (_barthann, 0, 0),
    "cosine": (_cosine, 0, 0),
    "parzen": (_parzen, 0, 0),
    "lanczos": (_lanczos, 0, 0),
    "kaiser": (_kaiser, 1, 1),
    "gaussian": (_gaussian, 1, 1),
    "general_gaussian": (_general_gaussian, 2, 2),
    "general_cosine": (_general_cosine, 1, 1),
    "general_hamming": (_general_hamming, 1, 1),
    "exponential": (_exponential, 0, 2),
    "tukey": (_tukey, 0, 1),
}
WINDOWS = tuple(_WINDOWS)


@planning(64)
def lowpass(function: str, taps: int, cutoff: float, window: Any) -> tuple[float, ...]:
    """Return the taps of a low-pass filter with a gain of 1 at frequency 0.

    Parameters
    ----------
    function : str
        The caller's name, for error texts.
    taps : int
        How many.
    cutoff : float
        Where the gain is about 1/2, of half the sample rate.
    window : str, tuple or float
        The window's name, its name and parameters, or the beta of 'kaiser'.
    """
    check_numbers(function, "the rates", taps, f"{taps} taps")
    h = cutoff * np.sinc(cutoff * (np.arange(taps) - (taps - 1) / 2))
    h = h * (samples(function, window, taps) if taps > 1 else 1.0)
    total = float(h.sum())
    if not np.isfinite(total) or not total:
        raise ValueError(f"{function}: `window` must leave a finite sum of taps, not 0. Got {shown(window)}.")
    return tuple((h / total).tolist())


def samples(function: str, window: Any, count: int) -> Host:
    """Return `count` samples of a window, symmetric."""
    name, parameters = _named(function, window)
    formula, least, most = _WINDOWS[name]
    if not least <= len(parameters) <= most:
        raise ValueError(
            f"{function}: `window` {name!r} takes {least if least == most else f'{least} to {most}'} parameters. "
            f"Got {shown(window)}."
        )
    with np.errstate(all="ignore"):
        try:
            return formula(count, *parameters)
        except (TypeError, ValueError) as refusal:
            raise ValueError(f"{function}: `window` {shown(window)} has no samples: {refusal}") from None


def _named(function: str, window: Any) -> tuple[str, tuple[Any, ...]]:
    """Return the name of a window and its parameters."""
    name, *parameters = window if isinstance(window, tuple) and window else (window,)
    if not isinstance(name, str):
        return "kaiser", (real(function, "window", name),)
    if name not in _WINDOWS:
        raise ValueError(
            f"{function}: `window` must be one of {listed(_WINDOWS)}, a number for 'kaiser', or the taps of a filter. "
            f"Got {shown(window)}. Pass taps designed elsewhere, by scipy.signal.firwin."
        )
    return name, tuple(_parameter(function, value) for value in parameters)


def _parameter(function: str, value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(real(function, "window", entry) for entry in value)
    return None if value is None else real(function, "window", value)
