"""What a target claims to support, and what a call requires of it.

A target declares `CLAIMS`, a set of words of VOCABULARY; without it the claims are the functions that it defines and
the parameters in their signatures. A call that requires more than is claimed is not run: its test is skipped with the
reason "not claimed: ...", and the reasons are counted.
"""

import inspect

import pytest

FUNCTIONS = ("convolve", "correlate", "explain", "lags", "einconv")
BOUNDARIES = ("edge", "symmetric", "reflect", "wrap")  # "constant" is what every implementation has

VOCABULARY = {
    **{name: f"the function `{name}`" for name in FUNCTIONS},
    "kernels": "the namespace `kernels`",
    **{f"mode:{name}": f"`mode={name!r}`" for name in ("full", "same", "valid")},
    **{f"boundary:{name}": f"`boundary={name!r}`" for name in BOUNDARIES},
    "boundary:wide": "a kernel that is longer than x where the boundary is not 'constant'",
    "fill": "a `fill_value` other than 0",
    "per_axis": "an option with one value per axis",
    "stride": "`stride`",
    "dilation": "`dilation`",
    "axes": "`axes`: some axes are convolved, the others broadcast",
    "lag_ranges": "`correlate(lags=...)`",
    **{f"{ndim}d": f"{ndim} convolved axes" for ndim in (1, 2, 3)},
    "nd": "4 convolved axes and more",
    "even": "an even number of taps",
    "longer_kernel": "a kernel that is longer than x along an axis, zeros outside",
    "empty": "arrays without elements",
    "float64": "operands of float64",
    "float32": "operands of float32",
    "half": "operands of float16 and bfloat16, summed in float32",
    "complex": "complex operands; `correlate` conjugates its kernel",
    "integers": "integer operands: exact, modulo the width of the dtype",
    "mixed": "operands of different dtypes",
    "lists": "a kernel of nested lists",
    "dtype": "`dtype`, the dtype of sums and result",
    "out": "`out`",
    "method": "`method`",
    "accuracy": "`accuracy='componentwise'`",
    "max_workspace": "`max_workspace`",
    "nonfinite": "NaN and infinities contaminate their windows alone, finite results do not overflow",
    "gradients": "the backend differentiates through calls",
    "tracing": "the backend compiles calls, and traces them by shape",
    "errors": "the types and facts of this interface's exceptions",
    "signatures": "this interface's parameters and docstrings",
}
ALL = frozenset(VOCABULARY)
# Parameters that have a claim of their own, and the value at which a call does not require it.
OPTIONS = {
    "boundary": "constant",
    "fill_value": 0,
    "stride": 1,
    "dilation": 1,
    "axes": None,
    "lags": None,
    "dtype": None,
    "out": None,
    "method": "auto",
    "accuracy": "normwise",
    "max_workspace": None,
}
PARAMETERS = {
    **{name: {name} for name in OPTIONS},
    "boundary": {f"boundary:{name}" for name in BOUNDARIES},
    "fill_value": {"fill"},
    "lags": {"lag_ranges"},
    "mode": {"mode:full", "mode:same", "mode:valid"},
}
INTERFACE = {"errors", "signatures"}  # found in a module only if the module has the whole interface
PREFIX = "not claimed: "


class UnknownClaim(ValueError):
    """A word that is not in the vocabulary."""


def declared(words, name):
    """The claims of a `CLAIMS` set."""
    if unknown := sorted(set(words) - ALL):
        raise UnknownClaim(f"{name}.CLAIMS contains {', '.join(map(repr, unknown))}. Known: {', '.join(VOCABULARY)}.")
    return frozenset(words)


def discovered(module):
    """The claims that follow from a module's functions and their signatures.

    What no signature shows, such as dtypes and numbers of axes, is claimed.
    """
    functions = {name: getattr(module, name, None) for name in FUNCTIONS}
    absent = {name for name, function in functions.items() if function is None}
    if getattr(module, "kernels", None) is None:
        absent.add("kernels")
    if "correlate" in absent:
        absent.add("lag_ranges")
    doors = [functions[name] for name in ("convolve", "correlate") if functions[name] is not None]
    for parameter, words in PARAMETERS.items():
        owners = doors if parameter != "lags" else [functions["correlate"]]
        if not all(_accepts(function, parameter) for function in owners if function is not None):
            absent |= words
    return ALL - absent - (INTERFACE if absent else set())


def _accepts(function, parameter):
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # compiled functions may have none
        return True
    return any(each.name == parameter or each.kind is each.VAR_KEYWORD for each in parameters)


def skip(words):
    """Skip the test: it requires these claims."""
    pytest.skip(PREFIX + ", ".join(sorted(words)))
