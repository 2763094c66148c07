"""Named stencils: (id, function, arguments, the taps or how SciPy makes them)."""

# Small figures.
EXACT = [
    ("sobel", "sobel", {}, [[1, 0, -1], [2, 0, -2], [1, 0, -1]]),
    ("sobel-rows", "sobel", {"axis": 0}, [[1, 2, 1], [0, 0, 0], [-1, -2, -1]]),
    ("sobel-1d", "sobel", {"ndim": 1}, [1, 0, -1]),
    ("prewitt", "prewitt", {}, [[1, 0, -1], [1, 0, -1], [1, 0, -1]]),
    ("prewitt-rows", "prewitt", {"axis": -2}, [[1, 1, 1], [0, 0, 0], [-1, -1, -1]]),
    ("scharr", "scharr", {}, [[3, 0, -3], [10, 0, -10], [3, 0, -3]]),
    ("scharr-rows", "scharr", {"axis": 0}, [[3, 10, 3], [0, 0, 0], [-3, -10, -3]]),
    ("vertical", "vertical_edge", {}, [[1, 0, -1], [1, 0, -1], [1, 0, -1]]),
    ("horizontal", "horizontal_edge", {}, [[1, 1, 1], [0, 0, 0], [-1, -1, -1]]),
    ("laplacian", "laplacian", {}, [[0, 1, 0], [1, -4, 1], [0, 1, 0]]),
    ("laplacian-diagonal", "laplacian", {"diagonal": True}, [[1, 1, 1], [1, -8, 1], [1, 1, 1]]),
    ("laplacian-1d", "laplacian", {"ndim": 1}, [1, -2, 1]),
    ("box", "box", {"size": 2}, [[0.25, 0.25], [0.25, 0.25]]),
    ("box-1d", "box", {"size": 4, "ndim": 1}, [0.25, 0.25, 0.25, 0.25]),
    ("box-sizes", "box", {"size": (1, 2)}, [[0.5, 0.5]]),
]

# The impulse response of a function of scipy.ndimage: (id, function, arguments, SciPy's name, SciPy's arguments).
SCIPY = [
    ("sobel-3d", "sobel", {"axis": 1, "ndim": 3}, "sobel", {"axis": 1}),
    ("prewitt-3d", "prewitt", {"axis": 0, "ndim": 3}, "prewitt", {"axis": 0}),
    ("laplacian-3d", "laplacian", {"ndim": 3}, "laplace", {}),
    ("box-3", "box", {"size": 3}, "uniform_filter", {"size": 3}),
    ("box-rows", "box", {"size": (3, 5)}, "uniform_filter", {"size": (3, 5)}),
    ("gaussian", "gaussian", {"sigma": 1.3}, "gaussian_filter", {"sigma": 1.3}),
    ("gaussian-1d", "gaussian", {"sigma": 2, "ndim": 1}, "gaussian_filter", {"sigma": 2}),
    ("gaussian-sigmas", "gaussian", {"sigma": (0.7, 1.9)}, "gaussian_filter", {"sigma": (0.7, 1.9)}),
    ("gaussian-cut", "gaussian", {"sigma": 1.5, "truncate": 2.0}, "gaussian_filter", {"sigma": 1.5, "truncate": 2.0}),
    ("gaussian-radius", "gaussian", {"sigma": 1.5, "radius": 2}, "gaussian_filter", {"sigma": 1.5, "radius": 2}),
    ("gaussian-slope", "gaussian", {"sigma": 1.2, "order": (0, 1)}, "gaussian_filter", {"sigma": 1.2, "order": (0, 1)}),
    ("gaussian-third", "gaussian", {"sigma": 2, "order": 3, "ndim": 1}, "gaussian_filter", {"sigma": 2, "order": 3}),
    ("log", "log", {"sigma": 1.4}, "gaussian_laplace", {"sigma": 1.4}),
    ("log-3d", "log", {"sigma": 0.8, "ndim": 3}, "gaussian_laplace", {"sigma": 0.8}),
]

# (id, function, arguments): must exist in every dtype that represents them, on every device.
EVERY = [
    ("box", "box", {"size": 3}),
    ("dog", "dog", {"sigma1": 0.4, "sigma2": 0.6}),
    ("gabor", "gabor", {"frequency": 0.4, "n_stds": 1}),
    ("gabor-real", "gabor", {"frequency": 0.4, "n_stds": 1, "part": "real"}),
    ("gaussian", "gaussian", {"sigma": 0.6}),
    ("horizontal_edge", "horizontal_edge", {}),
    ("laplacian", "laplacian", {}),
    ("log", "log", {"sigma": 0.6}),
    ("prewitt", "prewitt", {}),
    ("scharr", "scharr", {}),
    ("sobel", "sobel", {}),
    ("vertical_edge", "vertical_edge", {}),
]
WHOLE = ("horizontal_edge", "laplacian", "prewitt", "scharr", "sobel", "vertical_edge")  # integer taps
