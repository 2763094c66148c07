"""Roles of labels, and moves that only view where nothing is joined."""

import numpy as np
import pytest

from arrayconv._arrays.namespace import compat_namespace
from arrayconv._problem.layout import Permutation, broadcast_layout, layout
from arrayconv._problem.problem import paired
from arrayconv._problem.spec import Axis
from arrayconv._run.canonical import caller_result, copies_result, permuted

XP = compat_namespace()


def test_roles_follow_from_the_operands_of_a_label():
    sizes = {"b": 2, "g": 3, "c": 4, "o": 5}
    roles = layout("bgcw", "gocw", "bogw", "w", sizes, ((2, 3, 4, 9), (3, 5, 4, 2), (2, 5, 3, 8)))
    assert (roles.batch, roles.groups, roles.channels, roles.filters) == (2, 3, 4, 5)
    assert roles.x.joined == (2, 3, 4, 9)
    assert roles.kernel.joined == (3, 5, 4, 2)
    y = np.arange(240).reshape(2, 3, 5, 8)
    np.testing.assert_array_equal(permuted(y, roles.y, XP), y.transpose(0, 2, 1, 3))


@pytest.mark.parametrize(
    ("x_shape", "kernel_shape", "counts", "shape"),
    [
        ((4, 9), (1, 3), (4, 1, 1, 1), (4, 7)),  # batch
        ((1, 9), (5, 3), (1, 1, 1, 5), (5, 7)),  # filters
        ((4, 9), (4, 3), (1, 4, 1, 1), (4, 7)),  # groups
        ((1, 9), (1, 3), (1, 1, 1, 1), (1, 7)),
    ],
)
def test_broadcast_axes_become_batch_filters_or_groups(x_shape, kernel_shape, counts, shape):
    roles, result_shape = broadcast_layout("f", x_shape, kernel_shape, (0, 1), {1: 7})
    assert (roles.batch, roles.groups, roles.channels, roles.filters) == counts
    assert result_shape == shape


def test_moves_that_join_nothing_are_views():
    x = np.zeros((3, 4, 5))
    move = Permutation((3, 4, 5), (2, 0, 1), (5, 1, 3, 4))
    assert move.reorders
    assert not move.joins
    assert np.shares_memory(permuted(x, move, XP), x)
    assert Permutation((3, 4, 5), (0, 1, 2), (12, 5)).joins


def test_inverse_undoes_the_order():
    x = np.arange(60).reshape(3, 4, 5)
    there = Permutation((3, 4, 5), (2, 0, 1), (5, 12))
    np.testing.assert_array_equal(permuted(permuted(x, there, XP), there.inverse, XP), x)


@pytest.mark.parametrize(("shape", "copies"), [((2, 5, 4, 7), False), ((2, 20, 7), True)])
def test_a_result_is_copied_where_axes_are_reordered_and_merged(shape, copies):
    problem = paired("f", (2, 5, 4, 9), (1, 5, 1, 3), range(4), {3: Axis(9, 3, 7)})._replace(shape=shape)
    y = np.zeros(problem.spec.output_shape)
    assert copies_result(problem) is copies
    assert np.shares_memory(caller_result(y, problem, XP), y) is not copies
