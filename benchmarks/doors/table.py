"""The rows of every door: every function over sizes in float32, and over dtypes at one size.

The default grid has a small, a middle and a large size of each function; `full` has every size and every dtype.
`quick` rows are the smallest of each function.
"""

from functools import partial

from benchmarks.doors.rows import LIBRARIES, Function, Row

SIDES = (64, 256, 512, 1024, 2048, 4096)
LENGTHS = (10**3, 10**4, 10**5, 10**6, 10**7)
DTYPES = ("uint8", "int16", "float32", "float64", "complex64")
USUAL_SIDES, USUAL_LENGTHS = (64, 512, 2048), (10**3, 10**5, 10**6)  # of the default grid
THIN_DTYPES = ("uint8", "int16", "complex64")
THICK = ("conv2d", "convolve", "correlate", "gaussian_filter")  # functions with these dtypes on JAX by default
QUICK = frozenset({"quick"})
FULL = frozenset({"full"})


def grid(sizes, usual, at, dtypes=DTYPES):
    """Yield (size, dtype, tags): the usual sizes in float32, every dtype at one size, and the rest of the product."""
    for size in sizes:
        for dtype in dtypes:
            quick = size == min(sizes) and dtype == "float32"
            is_usual = (dtype == "float32" and size in usual) or size == at
            yield size, dtype, QUICK if quick else frozenset() if is_usual else FULL


planes = partial(grid, SIDES, USUAL_SIDES, 512)
lines = partial(grid, LENGTHS, USUAL_LENGTHS, 10**5)


def differentiable(rows, gradients, size, libraries):
    """Yield rows, and those of float32 and a size a second time with gradients."""
    for row in rows:
        yield row
        if row.dtype == "float32" and row.shape[-1] == size:
            yield row._replace(gradients=gradients, libraries=libraries, tags=row.tags - QUICK)


# ---- ndimage ----

PLANE_FILTERS = {  # function -> (other operands, options)
    "correlate": ({"weights": (5, 5)}, {}),
    "convolve": ({"weights": (5, 5)}, {}),
    "gaussian_filter": ({}, {"sigma": 2.0}),
    "uniform_filter": ({}, {"size": 5}),
    "sobel": ({}, {"axis": 0}),
    "prewitt": ({}, {"axis": 0}),
    "laplace": ({}, {}),
    "gaussian_laplace": ({}, {"sigma": 2.0}),
    "gaussian_gradient_magnitude": ({}, {"sigma": 2.0}),
    "generic_laplace": ({}, {"derivative2": Function("prewitt")}),
    "generic_gradient_magnitude": ({}, {"derivative": Function("sobel")}),
}
LINE_FILTERS = {
    "correlate1d": ({"weights": (9,)}, {}),
    "convolve1d": ({"weights": (9,)}, {}),
    "gaussian_filter1d": ({}, {"sigma": 2.0}),
    "uniform_filter1d": ({}, {"size": 9}),
}
SIGNED = {"sobel", "prewitt", "laplace", "gaussian_laplace", "generic_laplace"}  # results of uint8 are negative too
MAGNITUDES = {"gaussian_gradient_magnitude", "generic_gradient_magnitude"}


def _filters():
    for function, (more, options) in PLANE_FILTERS.items():
        for side, dtype, tags in planes():
            if dtype == "complex64" and function in MAGNITUDES:
                continue  # a root of complex squares, which SciPy does not define by modulus
            wide = _widened(function, dtype, options)
            yield Row("ndimage", function, {"input": (side, side), **more}, wide, dtype, tags=tags)
    for function, (more, options) in LINE_FILTERS.items():
        for length, dtype, tags in lines():
            yield Row("ndimage", function, {"input": (length,), **more}, options, dtype, tags=tags)
        for axis in (0, 1):
            named = {**options, "axis": axis}
            yield Row("ndimage", function, {"input": (1024, 1024), **more}, named, note=f"axis {axis}")


def _widened(function, dtype, options):
    """Return the options with an output dtype that has room, where integers are derived or their squares summed."""
    if dtype == "uint8" and function in SIGNED:
        return {**options, "output": "int16"}
    if dtype in ("uint8", "int16") and function in MAGNITUDES:
        return {**options, "output": "float32"}
    return options


def _ndimage():
    for row in differentiable(_filters(), 1, 512, ("torch", "jax")):
        yield row
        if row.gradients == 0 and row.shape == (10**5,) and row.dtype == "float32":
            yield row._replace(gradients=1, libraries=("torch", "jax"))


# ---- signal ----


def _signal():
    one = {"convolve", "correlate", "fftconvolve", "oaconvolve"}
    for function in sorted(one):
        rows = [
            Row("signal", function, {"in1": (n,), "in2": (101,)}, {"mode": "same"}, dtype, tags=tags)
            for n, dtype, tags in lines()
        ]
        yield from differentiable(rows, 2, 10**5, ("torch", "jax"))
    for function in sorted(one | {"convolve2d", "correlate2d"}):
        rows = [
            Row("signal", function, {"in1": (n, n), "in2": (9, 9)}, {"mode": "same"}, dtype, tags=tags)
            for n, dtype, tags in planes()
        ]
        yield from differentiable(rows, 2, 512, ("torch", "jax"))
    for boundary in ("wrap", "symm"):
        options = {"mode": "same", "boundary": boundary}
        yield Row("signal", "convolve2d", {"in1": (512, 512), "in2": (9, 9)}, options, note=boundary)
    for n, dtype, tags in grid(LENGTHS, USUAL_LENGTHS, 10**5, ("float32", "float64", "complex64")):
        yield Row("signal", "upfirdn", {"h": (61,), "x": (n,)}, {"up": 3, "down": 2}, dtype, tags=tags)
        operands = {"b": (61,), "x": (n,)}
        yield Row("signal", "lfilter", operands, {"a": 1.0}, dtype, tags=tags, libraries=("numpy", "torch"))
        smoother = {"window_length": 31, "polyorder": 3}
        if dtype != "complex64":  # of which SciPy drops the imaginary part
            yield Row("signal", "savgol_filter", {"x": (n,)}, smoother, dtype, tags=tags)
        yield Row("signal", "resample_poly", {"x": (n,)}, {"up": 3, "down": 2}, dtype, tags=tags)
        yield Row("signal", "decimate", {"x": (n,)}, {"q": 4, "ftype": "fir"}, dtype, tags=tags, libraries=("numpy",))
    for n, dtype, tags in planes(dtypes=("float32", "float64")):
        operands = {"input": (n, n), "hrow": (7,), "hcol": (7,)}
        yield Row("signal", "sepfir2d", operands, {}, dtype, tags=tags, libraries=("numpy",))
    operands = {"in1": (10**5,), "in2": (101,)}
    yield Row("signal", "choose_conv_method", operands, {"mode": "same"}, tags=QUICK, libraries=("numpy", "torch"))
    options = {"in1_len": 10**5, "in2_len": 101, "mode": "same"}
    yield Row("signal", "correlation_lags", {}, options, tags=QUICK, libraries=("numpy",))


# ---- nn ----

LAYERS = {  # spatial axes -> (small, usual) operands, batch and channels first
    1: (((2, 4, 64), (8, 4, 3)), ((8, 32, 4096), (64, 32, 9))),
    2: (((2, 4, 16, 16), (8, 4, 3, 3)), ((8, 32, 64, 64), (64, 32, 3, 3))),
    3: (((1, 2, 8, 8, 8), (4, 2, 3, 3, 3)), ((2, 16, 24, 24, 24), (32, 16, 3, 3, 3))),
}


def _weight(weight, is_transposed):
    """Return the shape of a weight; of a transposed layer with half the filters."""
    return (weight[1], weight[0] // 2, *weight[2:]) if is_transposed else weight


def _layers(function, ndim, is_transposed=False):
    options = {"stride": 2, "padding": 1, "output_padding": 1} if is_transposed else {"padding": 1}
    for number, (x, weight) in enumerate(LAYERS[ndim]):
        operands = {"input": x, "weight": _weight(weight, is_transposed)}
        for dtype in ("float32", "float64"):
            row = Row("nn", function, operands, options, dtype)
            yield row._replace(tags=QUICK if number == 0 and dtype == "float32" else frozenset())
            yield row._replace(gradients=2)
        if ndim == 2 and number == 0:
            for dtype in ("uint8", "int16", "complex64"):
                yield Row("nn", function, operands, options, dtype)


def _nn():
    for ndim in LAYERS:
        yield from _layers(f"conv{ndim}d", ndim)
        yield from _layers(f"conv_transpose{ndim}d", ndim, is_transposed=True)
    yield from _layers("conv", 2)
    yield from _layers("conv_transpose", 2, is_transposed=True)
    for side, tags in ((16, QUICK), (64, frozenset())):
        columns = {"input": (2, 4 * 9, side * side)}
        options = {"kernel_size": 3, "padding": 1}
        for gradients in (0, 1):
            eager = ("torch", "jax") if gradients else LIBRARIES
            more = {"gradients": gradients, "libraries": eager, "tags": tags if not gradients else frozenset()}
            yield Row("nn", "unfold", {"input": (2, 4, side, side)}, options, **more)
            yield Row("nn", "fold", columns, {"output_size": (side, side), **options}, **more)


def _nn_grad():
    for ndim, sizes in LAYERS.items():
        for number, (x, weight) in enumerate(sizes):
            tags = QUICK if number == 0 else frozenset()
            result = (x[0], weight[0], *(n + 2 - k + 1 for n, k in zip(x[2:], weight[2:], strict=True)))
            operands = {"weight": weight, "grad_output": result}
            options = {"input_size": x, "padding": 1}
            yield Row("nn.grad", f"conv{ndim}d_input", operands, options, tags=tags)
            operands = {"input": x, "grad_output": result}
            options = {"weight_size": weight, "padding": 1}
            yield Row("nn.grad", f"conv{ndim}d_weight", operands, options, tags=tags)


def _modules():
    for ndim, sizes in LAYERS.items():
        for number, (x, weight) in enumerate(sizes):
            tags = QUICK if number == 0 else frozenset()
            channels = {"in_channels": weight[1], "out_channels": weight[0], "kernel_size": weight[2:]}
            for name, more in (("Conv", {"padding": 1}), ("ConvTranspose", {"stride": 2, "padding": 1})):
                row = Row("nn.modules", f"{name}{ndim}d", {"input": x}, {**channels, **more}, libraries=("torch",))
                yield row._replace(tags=tags)
                yield row._replace(gradients=1)


# ---- core ----

STREAMS = [(1024, 101, 64), *((2**16, taps, chunk) for taps in (101, 10**4) for chunk in (64, 1024))]
PATTERN = "b c h w, o c h w -> b o h w | h w"


def _core():
    for function in ("convolve", "correlate"):
        for n, dtype, tags in lines():
            yield Row("core", function, {"x": (n,), "kernel": (31,)}, {"mode": "same"}, dtype, tags=tags)
        rows = [
            Row("core", function, {"x": (n, n), "kernel": (7, 7)}, {"mode": "same"}, dtype, tags=tags)
            for n, dtype, tags in planes()
        ]
        yield from differentiable(rows, 2, 512, LIBRARIES)
    for taps, note in (((15, 15), ""), ((15, 15), "separable")):
        rows = [
            Row("core", "Convolver", {"x": (n, n), "kernel": taps}, {"mode": "same"}, dtype, tags=tags, note=note)
            for n, dtype, tags in planes(dtypes=("float32", "float64"))
        ]
        yield from differentiable(rows, 1, 512, ("torch", "jax"))
    for n, taps, chunk in (
        (1024, 101, 64),
        (2**16, 101, 64),
        (2**16, 101, 1024),
        (2**16, 10**4, 64),
        (2**16, 10**4, 1024),
    ):
        for dtype in ("float32", "float64"):
            tags = QUICK if n == 1024 and dtype == "float32" else frozenset()
            more = {"tags": tags, "libraries": ("numpy",), "note": f"stream in chunks of {chunk}"}
            yield Row("core", "Convolver", {"x": (n,), "kernel": (taps,)}, {"chunk": chunk}, dtype, **more)
    for x, weight in LAYERS[2]:
        for dtype in ("float32", "float64"):
            tags = QUICK if x == LAYERS[2][0][0] and dtype == "float32" else frozenset()
            options = {"pattern": PATTERN, "padding": 1}
            row = Row("core", "einconv", {"x": x, "kernel": weight}, options, dtype, tags=tags)
            yield row
            yield row._replace(gradients=2, tags=frozenset())
    for taps in (3, 5, 15, 101):
        rows = planes(dtypes=("float32", "float64"))
        for n, dtype, tags in rows:
            operands = {"x": (n, n), "kernel": (taps, taps)}
            tags = tags if taps == 3 else tags - QUICK
            yield Row("core", "normalized_convolve", operands, {"mode": "same", "fill_value": 0}, dtype, tags=tags)
    for n, tags in ((64, QUICK), (512, frozenset())):
        options = {"mode": "same"}
        yield Row("core", "vjp", {"x": (n, n), "kernel": (7, 7)}, options, gradients=2, tags=tags)


def _matches():
    for n, dtype, tags in planes(dtypes=("uint8", "float32", "float64")):
        template = (16, 16) if n == 64 else (31, 31)
        yield Row("core", "match_template", {"image": (n, n), "template": template}, {}, dtype, tags=tags)


# ---- astronomy ----


def _astronomy():
    """Yield astropy's functions, which take NumPy arrays: sums of short kernels, transforms of a long one."""
    for n, dtype, tags in planes(dtypes=("float32", "float64")):
        image = {"array": (n, n)}
        for function, taps in (("convolve", 9), ("convolve_fft", 31), ("interpolate_replace_nans", 5)):
            options = {"allow_huge": True} if function == "convolve_fft" else {"boundary": "extend"}
            operands = {**image, "kernel": (taps, taps)}
            yield Row("astronomy", function, operands, options, dtype, libraries=("numpy",), tags=tags)


def _unique(rows):
    """Return the rows in order, without repetitions."""
    return tuple({row.label: row for row in rows}.values())


ROWS = _unique([*_ndimage(), *_signal(), *_nn(), *_nn_grad(), *_modules(), *_core(), *_matches(), *_astronomy()])


def _is_part(row, library, part):
    """Whether a row belongs to the part of a run: 'quick', '' (default) or 'full'.

    By default JAX, which compiles every call of every contender anew, has narrow and complex dtypes in a few functions.
    """
    if part == "full":
        return True
    if part == "quick":
        return "quick" in row.tags
    is_thin = library == "jax" and row.dtype in THIN_DTYPES and row.function not in THICK
    return "full" not in row.tags and not is_thin


def select(library, door="", part="", text=""):
    """Return a library's rows: of a door, of a part of the run, whose labels contain a text."""
    return [
        row
        for row in ROWS
        if library in row.libraries and door in ("", row.door) and text in row.label and _is_part(row, library, part)
    ]
