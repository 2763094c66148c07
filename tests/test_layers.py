"""Imports point down one list, from the command line to the error texts; every module is in it once."""

import ast
import graphlib
import re
from pathlib import Path

import pytest

import arrayconv
from arrayconv._arrays.libraries import LIBRARIES

ROOT = Path(arrayconv.__file__).parent
ARCHITECTURE = ROOT.parent / "docs/design/architecture.md"

LAYERS = [  # top to bottom; a module may import the ones of lower layers only
    {"__main__"},
    {"_cli"},
    {"__init__"},
    {
        "astronomy",
        "convolution",
        "convolver",
        "einconv",
        "explain",
        "kernels",
        "matching",
        "ndimage",
        "nn",
        "normalized",
        "signal",
        "testing",
        "vjp",
    },  # front doors
    {
        "_convolver",
        "_einconv",
        "_matching",
        "_missing",
        "_ndimage",
        "_nn",
        "_signal",
        "_stream",
    },  # how some translate
    {"typing"},
    {"_calls"},
    {"_autodiff"},
    {"_chunked"},
    {"_run"},
    {"_plan"},
    {"_accel"},
    {"_algorithms"},
    {"_fft", "_kernels"},
    {"_ops", "config"},
    {"_arrays", "_costs", "_problem"},
    {"_errors", "_runtime"},
]
RANK = {name: number for number, layer in enumerate(LAYERS) for name in layer}

# Who may name a library besides NumPy, and which.
FOREIGN = {
    "_arrays/compat": {"array_api_compat"},
    "_accel/torch/calls": {"torch"},
    "_autodiff/jax": {"jax"},
    "_autodiff/jax_filters": {"jax"},
    "_autodiff/legacy": {"torch"},
    "_autodiff/programs": {"torch"},
    "_autodiff/torch": {"torch"},
    "_fft/ducc0": {"ducc0"},
    "_fft/scipy": {"scipy"},
    "_fft/torch": {"torch"},
    "_nn/layers": {"torch"},
    "nn/modules/convolutions": {"torch"},
    "nn/modules/transposed": {"torch"},
    "_chunked/elementwise": {"dask"},
    "_chunked/graph": {"dask"},
    "_chunked/operand": {"dask"},
    "_chunked/strips": {"dask"},
    "_cli/console": {"rich"},
}

FILES = sorted(ROOT.rglob("*.py"))


def name_of(path):
    """Return 'arrayconv._ops.pad' for its file."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in FILES}


def imported(path):
    """Yield the full names of the modules that a file imports, at any depth, for type checkers too."""
    package = name_of(path).split(".")
    if path.name != "__init__.py":
        package.pop()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")] if node.level else []
            base = ".".join(filter(None, base)) or node.module
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield full if full in MODULES else base


def top(name):
    """Return which entry of the list of layers the module called `name` belongs to."""
    return ([*name.split(".")[1:2], "__init__"])[0]


def relative(path):
    return str(path.relative_to(ROOT).with_suffix(""))


def test_every_module_has_one_layer():
    present = {top(name) for name in MODULES}
    listed = [name for layer in LAYERS for name in layer]
    assert len(listed) == len(set(listed))
    assert present - set(listed) == set(), "missing from the list of layers"


def blocks(language):
    """Return the lines of each fenced block of the architecture page that is marked so."""
    return [
        part.splitlines() for part in re.findall(rf"^```{language}\n(.*?)^```", ARCHITECTURE.read_text(), re.M | re.S)
    ]


def test_the_architecture_page_has_the_same_layers():
    (lines,) = blocks("")[:1]
    names = [re.split(r"\s{3,}", line)[0].split() for line in lines]
    assert [set(row) for row in names if row] == LAYERS


@pytest.mark.parametrize("way", ["call", "derivative"])
def test_the_architecture_page_names_places_that_exist(way):
    (lines,) = blocks(way)
    places = [line.split()[0] for line in lines if "." in line.split()[0]]
    assert len(places) > 10
    assert [place for place in places if not exists(place)] == []


def exists(place):
    """Whether 'package.module.Class.function' is there, below the package."""
    parts = ["arrayconv", *place.split(".")]
    depth = max(n for n in range(1, len(parts) + 1) if ".".join(parts[:n]) in MODULES)
    body = ast.parse(MODULES[".".join(parts[:depth])].read_text()).body
    for name in parts[depth:]:
        inside = [node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name]
        if not inside:
            return False
        body = inside[0].body
    return True


def test_every_package_says_what_belongs_there_and_what_does_not():
    texts = {
        name_of(path): ast.get_docstring(ast.parse(path.read_text())) or "" for path in FILES if path.stem == "__init__"
    }
    assert [name for name, text in texts.items() if len(re.findall(r"\.(?=\s|$)", text)) < 2] == []


def test_imports_point_down():
    wrong = [
        f"{relative(path)} (layer {RANK[top(name_of(path))]}) imports {name} (layer {RANK[top(name)]})"
        for path in FILES
        for name in imported(path)
        if name.split(".")[0] == "arrayconv" and top(name) != top(name_of(path))
        if RANK[top(name_of(path))] >= RANK[top(name)]
    ]
    assert wrong == []


def test_no_module_imports_itself_by_a_detour():
    graph = {name: {target for target in imported(path) if target in MODULES} for name, path in MODULES.items()}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError with the detour


def test_other_libraries_are_named_in_their_place():
    libraries = {"array_api_compat", "cupyx", "matplotlib", "rich", "scipy", "skimage", "PIL"}
    libraries |= set(LIBRARIES) - {"numpy"}
    wrong = {}
    for path in FILES:
        names = {name.split(".")[0] for name in imported(path)} & libraries
        wrong[relative(path)] = sorted(names - FOREIGN.get(relative(path), set()))
    assert {path: names for path, names in wrong.items() if names} == {}


def test_annotations_cost_no_import():
    """Every file but those of a docstring alone says `from __future__ import annotations`."""
    wrong = []
    for path in FILES:
        tree = ast.parse(path.read_text())
        first = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
        if not first and not all(isinstance(node, ast.Expr) for node in tree.body):
            wrong.append(relative(path))
    assert wrong == []
