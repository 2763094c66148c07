"""Functions of scipy.signal that are no convolution: the text that says where they are."""

from __future__ import annotations

_SCIPY = "scipy.signal has it for NumPy arrays, cupyx.scipy.signal for CuPy's"
_REASONS = {  # names -> why they are not here
    (
        "filtfilt lfilter_zi lfiltic sosfilt sosfilt_zi sosfiltfilt symiirorder1 symiirorder2 deconvolve"
    ): f": a recursive (IIR) filter is no convolution. {_SCIPY}; torchaudio.functional.lfilter differentiates",
    "medfilt medfilt2d order_filter wiener": f": it is no linear filter. {_SCIPY}",
    "resample hilbert hilbert2 czt zoom_fft stft istft spectrogram welch periodogram csd coherence": (
        f": it is a transform. {_SCIPY}, and array libraries have fft"
    ),
    "firwin firwin2 firls remez get_window windows kaiserord butter cheby1 cheby2 ellip bessel iirfilter": (
        ": it designs a filter and takes no array. scipy.signal has it; pass its taps to the functions here"
    ),
    "cspline1d cspline2d qspline1d qspline2d spline_filter": f": splines are recursive filters. {_SCIPY}",
}


def where(name: str) -> str:
    """Return why scipy.signal's function `name` is not here, and where it is; '' for other names."""
    return next((reason for names, reason in _REASONS.items() if name in names.split()), "")
