"""Refusals: the exception's type, and the words of its text: the function, the argument, the numbers.

(id, functions, x's shape, kernel's shape, options, exception, fragments)
"""

BOTH = ("convolve", "correlate")

GEOMETRY = [
    ("mode", BOTH, (5,), (2,), {"mode": "sames"}, ValueError, ["`mode`", "'sames'", "'full'", "'same'", "'valid'"]),
    ("boundary", BOTH, (5,), (2,), {"boundary": "mirror"}, ValueError, ["`boundary`", "'mirror'", "'reflect'"]),
    ("boundaries", BOTH, (5, 5), (2, 2), {"boundary": ("wrap",)}, ValueError, ["`boundary`", "1", "2"]),
    ("method", BOTH, (5,), (2,), {"method": "magic"}, ValueError, ["`method`", "'magic'", "'auto'"]),
    ("accuracy", BOTH, (5,), (2,), {"accuracy": "good"}, ValueError, ["`accuracy`", "'good'", "'componentwise'"]),
    ("valid", BOTH, (3,), (5,), {"mode": "valid"}, ValueError, ["'valid'", "3", "5"]),
    (
        "valid-dilated",
        BOTH,
        (6,),
        (3,),
        {"mode": "valid", "dilation": 4},
        ValueError,
        ["'valid'", "dilation 4", "9", "6"],
    ),
    ("stride-zero", BOTH, (5,), (2,), {"stride": 0}, ValueError, ["`stride`", "0"]),
    ("stride-float", BOTH, (5,), (2,), {"stride": 1.5}, TypeError, ["`stride`", "1.5"]),
    ("dilation-negative", BOTH, (5,), (2,), {"dilation": -1}, ValueError, ["`dilation`", "-1"]),
    ("strides", BOTH, (5, 5), (2, 2), {"stride": (1, 2, 3)}, ValueError, ["`stride`", "(1, 2, 3)", "3", "2"]),
    ("ndim", BOTH, (5, 5), (2,), {}, ValueError, ["`axes`", "x.ndim=2", "kernel.ndim=1"]),
    ("axis", BOTH, (5, 5), (2,), {"axes": 2}, ValueError, ["`axes`", "2"]),
    ("axis-twice", BOTH, (5, 5), (2, 2), {"axes": (1, -1)}, ValueError, ["`axes`", "twice", "-1"]),
    ("axes-kernel", BOTH, (5, 5, 5), (2, 2), {"axes": 1}, ValueError, ["`axes`", "3", "2"]),
    ("axis-float", BOTH, (5, 5), (2,), {"axes": 0.5}, TypeError, ["`axes`", "0.5"]),
    ("no-taps", BOTH, (5,), (0,), {}, ValueError, ["`kernel`", "(0,)"]),
    ("broadcast", BOTH, (3, 5), (2, 2), {"axes": 1}, ValueError, ["broadcast", "3", "2", "(3, 5)", "(2, 2)"]),
    ("empty-mirror", BOTH, (0,), (2,), {"boundary": "edge"}, ValueError, ["'edge'", "0"]),
    ("workspace", BOTH, (5,), (2,), {"max_workspace": 0}, ValueError, ["`max_workspace`", "0"]),
    ("workspace-float", BOTH, (5,), (2,), {"max_workspace": 1e6}, TypeError, ["`max_workspace`", "1000000.0"]),
    ("fill", BOTH, (5,), (2,), {"fill_value": "0"}, TypeError, ["`fill_value`", "str"]),
    ("fill-complex", BOTH, (5,), (2,), {"fill_value": 1j}, TypeError, ["`fill_value`", "1j"]),
]

LAGS = [
    ("mode-too", (5,), (2,), {"lags": 1, "mode": "same"}, ValueError, ["`lags`", "`mode`", "'same'"]),
    ("stride-too", (5,), (2,), {"lags": 1, "stride": 2}, ValueError, ["`lags`", "`stride`", "2"]),
    ("descending", (5,), (2,), {"lags": (3, 1)}, ValueError, ["`lags`", "3", "1"]),
    ("negative", (5,), (2,), {"lags": -1}, ValueError, ["`lags`", "-1"]),
    ("ambiguous", (5, 5), (2, 2), {"lags": (0, 1)}, ValueError, ["`lags`", "ambiguous", "(0, 1)"]),
    ("float", (5,), (2,), {"lags": 1.5}, TypeError, ["`lags`", "1.5"]),
]

# einconv: (id, pattern, x's shape, kernel's shape, options, exception, fragments)
EINCONV = [
    ("no-arrow", "n, n | n", (5,), (2,), {}, ValueError, ["n, n | n"]),
    ("one-operand", "n -> n | n", (5,), (2,), {}, ValueError, ["n -> n | n"]),
    ("axes-of-x", "b n, n -> b n | n", (5,), (2,), {}, ValueError, ["`x`", "(5,)"]),
    ("axes-of-kernel", "n, n -> n | n", (5,), (2, 2), {}, ValueError, ["`kernel`", "(2, 2)"]),
    ("label-twice", "n n, n -> n | n", (5, 5), (2,), {}, ValueError, ["'n'", "n n"]),
    ("not-in-kernel", "b n, n -> b n | b n", (2, 5), (2,), {}, ValueError, ["'b'"]),
    ("unknown-output", "n, n -> n c | n", (5,), (2,), {}, ValueError, ["'c'"]),
    ("sizes", "c n, c n -> n | n", (3, 5), (2, 2), {}, ValueError, ["'c'", "3", "2"]),
    ("split", "(g c) n, g n -> g c n | n", (5, 4), (2, 2), {"g": 2}, ValueError, ["5", "2"]),
    ("stride-by-name", "n, n -> n | n", (5,), (2,), {"stride": {"m": 2}}, ValueError, ["`stride`", "'m'", "'n'"]),
    ("padding", "n, n -> n | n", (5,), (2,), {"padding": "some"}, ValueError, ["`padding`", "'some'", "'valid'"]),
    ("too-short", "n, n -> n | n", (3,), (5,), {}, ValueError, ["3", "5"]),
    ("upsample", "n, n -> n | n", (5,), (2,), {"upsample": 0}, ValueError, ["`upsample`", "0"]),
    ("unknown-option", "n, n -> n | n", (5,), (2,), {"strides": 2}, TypeError, ["strides"]),
]

# lags(): (id, arguments, exception, fragments)
LAGS_FUNCTION = [
    ("mode", (5, 2, "some"), ValueError, ["`mode`", "'some'", "'full'"]),
    ("no-taps", (5, 0), ValueError, ["`k`", "0"]),
    ("negative", (-1, 2), ValueError, ["`n`", "-1"]),
    ("valid", (2, 5, "valid"), ValueError, ["'valid'", "2", "5"]),
    ("axes", ((5, 5), (2,)), ValueError, ["`n`", "`k`", "(5, 5)", "(2,)"]),
]

# kernels: (id, function, arguments, exception, fragments)
KERNELS = [
    ("axis", "sobel", {"axis": 2}, ValueError, ["`axis`", "2"]),
    ("sigma", "gaussian", {"sigma": 0}, ValueError, ["`sigma`", "0"]),
    ("sigma-count", "gaussian", {"sigma": (1, 2), "ndim": 3}, ValueError, ["`sigma`", "(1, 2)", "3"]),
    ("size", "box", {"size": 0}, ValueError, ["`size`", "0"]),
    ("ndim", "laplacian", {"ndim": 0}, ValueError, ["`ndim`", "0"]),
    ("part", "gabor", {"frequency": 0.1, "part": "phase"}, ValueError, ["`part`", "'phase'", "'imag'"]),
    ("frequency", "gabor", {"frequency": -1}, ValueError, ["`frequency`", "-1"]),
]
