"""Functions of scipy.ndimage that are no convolution: the text that says where they are."""

from __future__ import annotations

_SCIPY = "scipy.ndimage has it for NumPy arrays, cupyx.scipy.ndimage for CuPy's"
_REASONS = {  # names -> why they are not here
    "fourier_ellipsoid fourier_gaussian fourier_shift fourier_uniform": (
        f": it multiplies a spectrum that is passed, and is no filter of samples. {_SCIPY}; gaussian_filter and "
        f"uniform_filter with mode='wrap' filter the samples themselves"
    ),
    "median_filter rank_filter percentile_filter maximum_filter maximum_filter1d minimum_filter minimum_filter1d": (
        f": it is no linear filter. {_SCIPY}"
    ),
    "generic_filter generic_filter1d vectorized_filter": f": it calls a function for every window. {_SCIPY}",
    "affine_transform geometric_transform map_coordinates rotate shift zoom spline_filter spline_filter1d": (
        f": it interpolates with splines. {_SCIPY}"
    ),
}


def where(name: str) -> str:
    """Return why scipy.ndimage's function `name` is not here, and where it is; '' for other names."""
    return next((reason for names, reason in _REASONS.items() if name in names.split()), "")
