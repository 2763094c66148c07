"""Gradients as calls on the caller's own arrays, in exact integers, and which chains of passes are regular."""

import numpy as np
import pytest

from arrayconv._arrays.namespace import compat_namespace
from arrayconv._problem.boundary import BOUNDARIES, reads_samples
from arrayconv._problem.chain import Chains, Window, is_regular
from arrayconv._problem.gradient import input_gradient_problem, kernel_gradient_problem
from arrayconv._problem.layout import Permutation
from arrayconv._problem.problem import labelled
from arrayconv._problem.spec import Axis
from arrayconv._run.canonical import permuted
from tests import oracle

XP = compat_namespace()
SIZES = {"b": 2, "d": 3, "g": 2, "c": 3, "o": 2, "p": 2}
AXES = {"w": Axis(5, 3, 3, stride=2, before=1), "v": Axis(4, 2, 4, dilation=2, before=1)}
PATTERNS = {  # labels of x, the kernel and the result
    "all": ("bcgwv", "ogcwv", "obgwv"),
    "orders": ("wgvdcb", "pcwogv", "pvdwgbo"),
    "images": ("bcwv", "ocwv", "bowv"),
    "depthwise": ("bwvg", "wvg", "bwvg"),
    "signal": ("bcw", "ocw", "bow"),
    "filters": ("wv", "owv", "owv"),
}


def problem(name):
    """Return a call, and the shapes of its operands."""
    operands = PATTERNS[name]
    axes = {label: axis for label, axis in AXES.items() if label in operands[0]}
    along = [{label: axis[place] for label, axis in axes.items()} for place in range(3)]  # sizes, taps, outputs
    shapes = tuple(tuple([(SIZES | of)[label] for label in row]) for row, of in zip(operands, along, strict=True))
    return labelled(operands, shapes, SIZES, axes), shapes


def call(translated, x, kernel):
    """Return a call's result by the definition."""
    layout, spec = translated.layout, translated.spec
    operands = oracle.exact(permuted(x, layout.x, XP)), oracle.exact(permuted(kernel, layout.kernel, XP))
    return permuted(oracle.operation(*operands, spec), layout.y, XP).reshape(translated.shape).astype(int)


def numbers(shape, seed):
    return np.random.default_rng(seed).integers(-9, 10, shape)


@pytest.mark.parametrize("name", PATTERNS)
def test_gradients_on_the_callers_axes_are_adjoint_to_the_call(name):
    translated, (x_shape, kernel_shape, _) = problem(name)
    x, kernel, dy = numbers(x_shape, 1), numbers(kernel_shape, 2), numbers(translated.shape, 3)
    of_x = input_gradient_problem(translated, translated.spec, x_shape)
    of_kernel = kernel_gradient_problem(translated, translated.spec, kernel_shape)
    assert of_x.shape == x_shape
    assert of_kernel.shape == kernel_shape
    products = (dy * call(translated, x, kernel)).sum()
    assert (call(of_x, dy, kernel) * x).sum() == products
    assert (call(of_kernel, x, dy) * kernel).sum() == products
    changed = numbers(x_shape, 4), numbers(kernel_shape, 5)  # linear in the other operand
    assert (call(of_x, dy, changed[1]) * x).sum() == (dy * call(translated, x, changed[1])).sum()
    assert (call(of_kernel, changed[0], dy) * kernel).sum() == (dy * call(translated, changed[0], kernel)).sum()


@pytest.mark.parametrize("operand", ["x", "kernel", "y"])
def test_axes_that_the_layout_cuts_have_no_gradient_as_a_call(operand):
    translated, (x_shape, kernel_shape, _) = problem("all")
    layout = translated.layout
    move = getattr(layout, operand)
    joined = move.joined if operand != "y" else translated.spec.output_shape
    split = Permutation((np.prod(joined[:2]), *joined[2:]), tuple(range(len(joined) - 1)), joined)
    cut = translated._replace(layout=layout._replace(**{operand: split.inverse if operand == "y" else split}))
    assert (kernel_gradient_problem(cut, cut.spec, kernel_shape) is None) is True
    assert (input_gradient_problem(cut, cut.spec, x_shape) is None) is (operand == "kernel")


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_gradients_that_are_folded_are_no_call(boundary):
    translated, (x_shape, kernel_shape, _) = problem("images")
    extended = tuple(axis._replace(boundary=boundary) for axis in translated.spec.axes)
    spec = translated.spec._replace(axes=extended)
    assert (input_gradient_problem(translated, spec, x_shape) is None) is reads_samples(boundary)
    assert kernel_gradient_problem(translated, spec, kernel_shape) is not None


def chains(*rows, size=5):
    return Chains((size, size), rows, "float64", "float64", combine="sum")


def window(*axes, size=5, taps=3, boundary="constant"):
    return Window(axes, tuple(Axis(size, taps, size, before=1, boundary=boundary) for _ in axes))


@pytest.mark.parametrize(
    ("rows", "regular"),
    [
        ([[window(0), window(1)]], True),
        ([[window(0, 1)]], True),
        ([[window(0), window(1)]] * 3, True),
        ([[window(0), window(0)]], False),
        ([[window(0, 1), window(1)]], False),
        ([[window(0), window(1)], [window(1), window(0)]], False),
        ([[window(0), window(1)], [window(0), window(1)], [window(0)]], False),
        ([[window(0)], [window(0)], [window(0, taps=2)]], False),
        ([[window(0, boundary="edge")]], True),
        ([[window(0, size=0)]], True),
        ([[window(0, size=1, boundary="edge")]], True),
        ([[window(0, size=0, boundary="edge")]], False),
        ([[window(1), window(0, size=0, boundary="edge")]], False),
    ],
)
def test_chains_are_regular_where_all_filter_alike(rows, regular):
    assert is_regular(chains(*map(tuple, rows))) is regular
