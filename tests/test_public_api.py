"""What is public: names, signatures and defaults. A change here is a change for every user."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import get_args

import pytest

import arrayconv
from arrayconv import typing
from arrayconv._ndimage.arguments import MODES as FILTER_MODES
from arrayconv._plan.rank import METHODS
from arrayconv._problem.axes import MODES
from arrayconv._problem.boundary import BOUNDARIES, boundary_names
from arrayconv._signal.convolution import METHODS as SIGNAL_METHODS
from arrayconv._signal.polyphase import _BACKGROUNDS
from arrayconv._signal.resampling import EXTENSIONS
from arrayconv.signal import convolutions, planes, resampling

PLANNED = {"config", "convolution", "convolver", "einconv", "kernels", "ndimage", "nn", "nn.grad", "signal"}
PLANNED |= {"astronomy", "explain", "matching", "normalized", "testing", "typing", "vjp"}
PUBLIC = [module.name for module in pkgutil.iter_modules(arrayconv.__path__) if not module.name.startswith("_")]
PARTS = {  # packages whose functions are in parts
    "kernels": ["bands", "derivatives", "separation", "smoothing"],
    "ndimage": ["derivatives", "generic", "smoothing", "windows"],
    "nn": ["any_axes", "columns", "convolutions", "grad", "transposed"],
    "nn.grad": ["inputs", "weights"],
    "signal": ["convolutions", "filtering", "planes", "resampling"],
}
PUBLIC += [f"{package}.{part}" for package, parts in PARTS.items() for part in parts]
NAMES = ["Convolver", "config", "convolve", "correlate", "einconv", "explain", "kernels", "lags"]
NAMES += ["match_template", "normalized_convolve", "vjp"]
SHARED = {
    "axes": None,
    "boundary": "constant",
    "fill_value": 0,
    "stride": 1,
    "dilation": 1,
    "method": "auto",
    "accuracy": "normwise",
    "dtype": None,
    "max_workspace": None,
}


def module_of(name):
    return importlib.import_module(f"arrayconv.{name}")  # `arrayconv.einconv` is the function


def keyword_only(function):
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def positional(function):
    parameters = inspect.signature(function).parameters.values()
    assert all(p.kind is not p.POSITIONAL_ONLY for p in parameters)
    return [(p.name, p.default) for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]


EMPTY = inspect.Parameter.empty


def test_the_parts_of_packages_are_those_on_disk():
    for package, parts in PARTS.items():
        present = {module.name for module in pkgutil.iter_modules(module_of(package).__path__)} - {"modules"}
        assert present == set(parts), package


@pytest.mark.parametrize(
    ("alias", "table"),
    [
        (typing.Mode, MODES),
        (typing.Boundary, BOUNDARIES),
        (typing.Method, METHODS),
        (typing.FilterMode, FILTER_MODES),
        (typing.Accuracy, ("normwise", "componentwise")),
        (planes.Boundary, boundary_names("signal")),
        (resampling.Extension, EXTENSIONS),
        (resampling.Background, _BACKGROUNDS),
        (convolutions.Method, SIGNAL_METHODS),
    ],
    ids=lambda value: "",
)
def test_literals_are_the_names_that_calls_accept(alias, table):
    assert sorted(get_args(alias)) == sorted(table)


def test_no_module_is_public_by_accident():
    parts = {f"{package}.{part}" for package, parts in PARTS.items() for part in parts}
    assert set(PUBLIC) - parts <= PLANNED
    assert set(PUBLIC) >= {"config", "convolution", "einconv", "kernels", "testing"}


def test_package_exports_these_names():
    assert sorted(arrayconv.__all__) == NAMES
    assert all(hasattr(arrayconv, name) for name in NAMES)


def test_package_defines_nothing_more():
    modules = {module.name for module in pkgutil.iter_modules(arrayconv.__path__)}
    names = {name for name in vars(arrayconv) if not name.startswith("_")} - {"annotations", "TYPE_CHECKING"}
    assert names - modules - set(NAMES) == set()


def test_completion_offers_what_is_public():
    later = {"astronomy", "ndimage", "nn", "signal", "testing", "typing"}
    assert {name for name in dir(arrayconv) if not name.startswith("__")} == {*NAMES, *later}
    assert all(hasattr(arrayconv, name) for name in later)
    assert {"conv2d", "grad", "modules"} <= set(dir(arrayconv.nn))
    assert not [name for name in dir(arrayconv.nn) if name.startswith("_") and not name.startswith("__")]


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "typing"])  # which has names of types
def test_all_names_what_a_module_defines(name):
    module = module_of(name)
    tree = ast.parse(Path(module.__file__).read_text())
    defined = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    constants = [
        node.targets if isinstance(node, ast.Assign) else [node.target]
        for node in tree.body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
    ]
    defined |= {target.id for targets in constants for target in targets if target.id.isupper()}
    parts = [
        node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module.startswith(f"{module.__name__}.")
    ]
    defined |= {alias.name for node in parts for alias in node.names}  # of a package whose parts define its functions
    defined -= {"grad"} if name == "nn" else set()
    assert sorted(module.__all__) == sorted(name for name in defined if not name.startswith("_"))
    assert list(module.__all__) == sorted(
        module.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_function_is_annotated(name):
    module = module_of(name)
    for function in (getattr(module, name) for name in module.__all__):
        if inspect.isfunction(function):
            signature = inspect.signature(inspect.unwrap(function))
            assert signature.return_annotation is not EMPTY, function
            assert all(p.annotation is not EMPTY for p in signature.parameters.values()), function


def test_convolve_has_the_agreed_signature():
    assert positional(arrayconv.convolve) == [("x", EMPTY), ("kernel", EMPTY), ("mode", "full")]
    assert keyword_only(arrayconv.convolve) == {**SHARED, "out": None}


def test_correlate_adds_lags():
    # mode None is 'full' without lags: only so can a mode given together with lags be refused
    assert positional(arrayconv.correlate) == [("x", EMPTY), ("kernel", EMPTY), ("mode", None)]
    assert keyword_only(arrayconv.correlate) == {**SHARED, "lags": None, "out": None}


def test_explain_takes_what_the_calls_take():
    assert positional(arrayconv.explain) == [("x_or_shape", EMPTY), ("kernel_or_shape", EMPTY), ("mode", None)]
    labelled = {"pattern": None, "padding": "valid", "upsample": 1, "flip": False, "conj": False, "sizes": None}
    own = {"like": None, "card": None, "measure": False, "call": None, "derivatives": False}
    assert keyword_only(arrayconv.explain) == {**SHARED, "lags": None, **own, **labelled}


def test_einconv_has_the_agreed_signature():
    assert positional(arrayconv.einconv) == [("pattern", EMPTY), ("x", EMPTY), ("kernel", EMPTY)]
    more = {"upsample": 1, "padding": "valid", "flip": False, "conj": False, "out": None}
    assert keyword_only(arrayconv.einconv) == {k: v for k, v in SHARED.items() if k != "axes"} | more
    assert inspect.signature(arrayconv.einconv).parameters["sizes"].kind is inspect.Parameter.VAR_KEYWORD


def test_lags_has_the_agreed_signature():
    assert positional(arrayconv.lags) == [("n", EMPTY), ("k", EMPTY), ("mode", "full")]
    assert keyword_only(arrayconv.lags) == {"stride": 1, "dilation": 1}


def test_normalized_convolve_takes_what_the_calls_take():
    assert positional(arrayconv.normalized_convolve) == [("x", EMPTY), ("kernel", EMPTY), ("mode", None)]
    own = {"where": None, "nan_policy": "omit", "min_weight": 0.0, "return_weight": False}
    assert keyword_only(arrayconv.normalized_convolve) == {
        **SHARED, **own, "fill_value": None, "correlate": False, "lags": None
    }  # fmt: skip


def test_using_is_keyword_only():
    assert positional(arrayconv.config.using) == []
    assert keyword_only(arrayconv.config.using) == {"accelerators": None, "max_workspace": None, "threads": None}


def test_the_version_is_written_once_and_in_the_changelog():
    import tomllib

    root = Path(__file__).parent.parent
    settings = tomllib.loads((root / "pyproject.toml").read_text())
    assert "version" not in settings["project"]
    assert settings["tool"]["hatch"]["version"]["path"] == "arrayconv/__init__.py"
    assert f"\n## {arrayconv.__version__.partition('.dev')[0]}" in (root / "CHANGELOG.md").read_text()
    citation = (root / "CITATION.cff").read_text()
    assert f"\nversion: {arrayconv.__version__}\n" in citation


def test_convolver_takes_what_the_calls_take():
    assert positional(arrayconv.Convolver) == [("kernel", EMPTY), ("mode", None)]
    more = {"correlate": False, "lags": None, "separable": "auto"}
    assert keyword_only(arrayconv.Convolver) == {**SHARED, **more}
    assert positional(arrayconv.Convolver.__call__) == [("self", EMPTY), ("x", EMPTY)]
