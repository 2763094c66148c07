"""Parameters of every public function: (function, by position or name, by name alone), each with its default.

`...` marks a parameter without a default. A target may have more parameters by name; these must be there.
"""

GEOMETRY = {"axes": None, "boundary": "constant", "fill_value": 0, "stride": 1, "dilation": 1}
COMMON = {"method": "auto", "accuracy": "normwise", "dtype": None, "max_workspace": None}
KERNEL = {"xp": None, "dtype": None, "device": None}

SIGNATURES = [
    ("convolve", {"x": ..., "kernel": ..., "mode": "full"}, {**GEOMETRY, **COMMON, "out": None}),
    ("correlate", {"x": ..., "kernel": ..., "mode": None}, {**GEOMETRY, "lags": None, **COMMON, "out": None}),
    (
        "explain",
        {"x_or_shape": ..., "kernel_or_shape": ..., "mode": None},
        {**GEOMETRY, "lags": None, **COMMON, "like": None},
    ),
    ("lags", {"n": ..., "k": ..., "mode": "full"}, {"stride": 1, "dilation": 1}),
    (
        "einconv",
        {"pattern": ..., "x": ..., "kernel": ...},
        {"stride": 1, "dilation": 1, "upsample": 1, "padding": "valid", "boundary": "constant", "fill_value": 0}
        | {"flip": False, "conj": False, **COMMON, "out": None},
    ),
]

KERNELS = [
    ("box", {"size": ..., "ndim": None}, KERNEL),
    ("sobel", {"axis": -1, "ndim": 2}, KERNEL),
    ("prewitt", {"axis": -1, "ndim": 2}, KERNEL),
    ("scharr", {"axis": -1, "ndim": 2}, KERNEL),
    ("vertical_edge", {}, KERNEL),
    ("horizontal_edge", {}, KERNEL),
    ("laplacian", {"ndim": 2, "diagonal": False}, KERNEL),
    ("gaussian", {"sigma": ...}, {"truncate": 4.0, "radius": None, "ndim": None, "order": 0, **KERNEL}),
    ("log", {"sigma": ...}, {"truncate": 4.0, "radius": None, "ndim": None, **KERNEL}),
    ("dog", {"sigma1": ..., "sigma2": ...}, {"truncate": 4.0, "radius": None, "ndim": None, **KERNEL}),
    (
        "gabor",
        {"frequency": ..., "theta": 0.0, "sigma": None},
        {"bandwidth": 1.0, "n_stds": 3.0, "offset": 0.0} | KERNEL,
    ),
]
