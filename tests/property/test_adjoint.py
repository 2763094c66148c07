"""The adjoint identity <A x, y> = <x, A* y> for every case, and the adjoint of the extension."""

import numpy as np
import pytest

from arrayconv import testing
from arrayconv._ops import pad
from arrayconv._ops.windows import LEADING
from arrayconv._problem.boundary import BOUNDARIES, runs
from arrayconv._problem.gradient import input_gradient, kernel_gradient, swapped_kernel_gradient
from arrayconv._problem.spec import Spec
from tests import cases, running
from tests.conftest import make_library

FLOATING = [case for case in cases.CASES if case.dtype in ("float64", "complex128") and not case.fill]


def values(seed, shape, dtype):
    return cases.numbers(np.random.default_rng(seed), shape, dtype)


def apply(library, spec, x, w, dtype):
    plan = running.planned(library, spec, dtype, "direct")
    return running.run(library, plan, x, w)


@pytest.mark.parametrize("case", FLOATING, ids=lambda case: case.name)
def test_input_gradient_is_the_adjoint(case):
    library, spec, dtype = make_library("numpy"), case.spec, case.dtype
    x, w = case.operands()
    y = values(7, spec.output_shape, dtype)
    gradient = input_gradient(spec)
    swapped = np.conj(np.swapaxes(w, 1, 2))  # (groups, channels, filters, *k)

    def adjoint(y):
        back = apply(library, gradient.spec, y, swapped, dtype)
        for number, (axis, fold) in enumerate(zip(spec.axes, gradient.folds, strict=True)):
            back = pad.fold(back, LEADING + number, fold, axis.size, xp=library.xp, device=library.device)
        return back

    assert adjoint(y).shape == spec.input_shape
    testing.check_adjoint(lambda x: apply(library, spec, x, w, dtype), adjoint, x, y)


@pytest.mark.parametrize("case", FLOATING, ids=lambda case: case.name)
def test_kernel_gradient_is_the_adjoint(case):
    library, spec, dtype = make_library("numpy"), case.spec._replace(conj=False), case.dtype
    x, w = case.operands()
    y = values(7, spec.output_shape, dtype)
    flipped = tuple(range(LEADING, LEADING + len(spec.axes))) if spec.flip else ()

    def adjoint(y):
        arrays = np.conj(np.swapaxes(x, 0, 2)), np.moveaxis(y, 0, 2)  # (C, G, B, *n), (G, O, B, *out)
        back = np.moveaxis(apply(library, kernel_gradient(spec), *arrays, dtype), 0, 2)
        return np.flip(back, axis=flipped)

    assert adjoint(y).shape == spec.kernel_shape
    testing.check_adjoint(lambda w: apply(library, spec, x, w, dtype), adjoint, w, y)


UPSAMPLED = [case for case in FLOATING if swapped_kernel_gradient(case.spec._replace(conj=False)) is not None]


@pytest.mark.parametrize("case", UPSAMPLED, ids=lambda case: case.name)
def test_kernel_gradient_of_upsampled_samples_is_the_same_from_the_gradient_of_y(case):
    library, spec, dtype = make_library("numpy"), case.spec._replace(conj=False), case.dtype
    x, _ = case.operands()
    y = values(7, spec.output_shape, dtype)
    expected = np.moveaxis(
        apply(library, kernel_gradient(spec), np.swapaxes(x, 0, 2), np.moveaxis(y, 0, 2), dtype), 0, 2
    )
    arrays = np.swapaxes(y, 0, 2), np.moveaxis(x, 0, 2)  # (O, G, B, *out), (G, C, B, *n)
    swapped = np.swapaxes(apply(library, swapped_kernel_gradient(spec), *arrays, dtype), 0, 1)
    swapped = np.flip(swapped, axis=tuple(range(LEADING, swapped.ndim)))
    np.testing.assert_allclose(swapped, expected, rtol=0, atol=1e-4 * np.abs(expected).max(initial=1))


@pytest.mark.parametrize("case", FLOATING, ids=lambda case: case.name)
def test_the_transpose_of_the_transpose_has_the_sizes_of_the_operation(case):
    there: Spec = case.spec
    back = input_gradient(there).spec
    again = input_gradient(back).spec
    assert (again.channels, again.filters, again.flip) == (there.channels, there.filters, there.flip)
    if all(axis.boundary == "constant" for axis in there.axes):
        assert again == there._replace(conj=again.conj)


@pytest.mark.jax_rows(size=[5])
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize(("size", "before", "after"), [(5, 3, 2), (3, 11, 8), (1, 4, 4), (6, -2, 1), (4, 0, 0)])
def test_fold_is_the_adjoint_of_extend(library, boundary, size, before, after):
    pieces = runs(size, -before, size + after, boundary)
    random = np.random.default_rng(3)
    x, y = random.standard_normal((2, size, 3)), random.standard_normal((2, size + before + after, 3))
    options = {"xp": library.xp, "device": library.device}

    def forward(x):
        return library.numpy(pad.extend(library.asarray(x), 1, pieces, 0, **options))

    def adjoint(y):
        return library.numpy(pad.fold(library.asarray(y), 1, pieces, size, **options))

    if min(before, after) >= 0:
        mode = {"constant_values": 0} if boundary == "constant" else {}
        np.testing.assert_array_equal(forward(x), np.pad(x, ((0, 0), (before, after), (0, 0)), mode=boundary, **mode))
    testing.check_adjoint(forward, adjoint, x, y)
