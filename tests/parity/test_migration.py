"""Every line of docs/migration.md runs, and there, here and in the core give the same numbers."""

import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import arrayconv
from arrayconv import nn

scipy_signal = pytest.importorskip("scipy.signal", reason="SciPy is not installed")
scipy_ndimage = pytest.importorskip("scipy.ndimage", reason="SciPy is not installed")

PAGE = (Path(__file__).parents[2] / "docs" / "migration.md").read_text()
NO_ARRAY = ("choose_conv_method",)  # a name there, an explanation in the core


def table_rows():
    """Return the lines of code in the first two cells of every row: there, and in the core or None."""
    for line in PAGE.splitlines():
        if re.match(r"\| `(signal|ndimage)\.", line):
            there, core = re.split(r"(?<!\\)\|", line)[1:3]
            yield pytest.param(unquoted(there), unquoted(core) or None, id=unquoted(there))


def unquoted(cell):
    return cell.strip().strip("`").replace("\\|", "|")


def torch_rows():
    """Return the lines of every row about torch: there, and here where it is not the same line."""
    for line in PAGE.splitlines():
        if re.match(r"\| `(F|torch|Conv|ConvTranspose)\w*[.(]", line):
            there, here = [unquoted(cell) for cell in line.split("|")[1:3]]
            yield pytest.param(there, here if here.startswith("nn.") else there, id=there)


def operands():
    rng = np.random.default_rng(8)
    shapes = {"x": (9, 8), "k": (3, 4), "odd": (3, 5), "s": (20,), "h": (5,)}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


def evaluated(line, **names):
    return eval(line, {**vars(arrayconv), **operands(), **names})


@pytest.mark.parametrize(("there", "core"), list(table_rows()))
def test_doors_equal_scipy(there, core):
    theirs = evaluated(there, signal=scipy_signal, ndimage=scipy_ndimage)
    doors = {name: import_module(f"arrayconv.{name}") for name in re.findall(r"(signal|ndimage)\.", there)}
    ours = evaluated(there, **doors)
    if any(name in there for name in NO_ARRAY):
        assert ours == theirs
    else:
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("there", "core"), [row for row in table_rows() if row.values[1]])
def test_core_equals_scipy(there, core):
    theirs = evaluated(there, signal=scipy_signal, ndimage=scipy_ndimage)
    ours = evaluated(core)
    if not any(name in there for name in NO_ARRAY):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("module", ["signal", "ndimage"])
def test_every_function_has_a_line(module):
    door = import_module(f"arrayconv.{module}")
    assert set(re.findall(rf"^\| `{module}\.(\w+)", PAGE, re.M)) == set(door.__all__)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")  # torch's own
@pytest.mark.parametrize(("there", "here"), list(torch_rows()))
def test_nn_equals_torch(there, here):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    theirs = in_torch(there, F=torch.nn.functional, **vars(torch.nn))
    ours = in_torch(here, F=nn, **vars(nn.modules))
    torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-11)


def in_torch(line, **names):
    """Evaluate a line on the same operands and, for a layer, the same parameters."""
    import torch

    generator = torch.Generator().manual_seed(0)
    shapes = {
        "x1": (2, 3, 9),
        "x2": (2, 4, 8, 9),
        "x3": (1, 2, 5, 6, 7),
        "w1": (4, 3, 4),
        "w2": (6, 4, 3, 2),
        "w3": (3, 2, 2, 3, 2),
        "y2": (2, 6, 6, 8),
        "bias": (6,),
        "grouped": (6, 2, 3, 2),
        "depthwise": (4, 1, 3, 3),
        "t1": (3, 5, 4),
        "t2": (4, 3, 2, 2),
        "t3": (2, 3, 2, 2, 2),
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        try:
            arrays = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
            return eval(line, {**names, **arrays, "torch": torch, "nn": nn})
        finally:
            torch.set_default_dtype(before)


def test_every_function_of_nn_has_a_line():
    beyond_torch = {"conv", "conv_transpose"}
    assert set(re.findall(r"^\| `F\.(\w+)", PAGE, re.M)) == set(nn.__all__) - beyond_torch
