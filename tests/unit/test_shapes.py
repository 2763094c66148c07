"""Sizes and offsets of modes, lags and paddings, against numpy and XLA's rule."""

import numpy as np
import pytest

from arrayconv._problem import axes
from arrayconv._problem.spec import Axis


@pytest.mark.parametrize("mode", axes.MODES)
@pytest.mark.parametrize("taps", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("size", [5, 6, 9])
def test_mode_has_numpys_size_and_position(size, taps, mode):
    x, kernel = np.arange(1.0, size + 1), 10.0 ** np.arange(taps)
    axis = axes.mode_axis("f", Axis(size, taps, 0), mode)
    expected = np.convolve(x, kernel, mode)
    assert axis.outputs == expected.size
    padded = np.pad(x, 2 * taps)
    got = [padded[2 * taps + p - axis.before :][:taps] @ kernel[::-1] for p in range(axis.outputs)]
    np.testing.assert_allclose(got, expected)


@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2, 5])
def test_stride_keeps_the_first_output_of_each_step(stride, dilation):
    for mode in axes.MODES:
        dense = axes.mode_axis("f", Axis(20, 3, 0, dilation=dilation), mode)
        strided = axes.mode_axis("f", Axis(20, 3, 0, stride=stride, dilation=dilation), mode)
        assert strided.before == dense.before
        assert strided.outputs == len(range(0, dense.outputs, stride))


@pytest.mark.parametrize("size", range(1, 9))
@pytest.mark.parametrize("taps", [1, 2, 3, 4])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_same_padding_is_xlas(size, taps, stride):
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + taps - size, 0)
    same = axes.padded_axis("f", Axis(size, taps, 0, stride=stride), "same")
    lower = axes.padded_axis("f", Axis(size, taps, 0, stride=stride), "same_lower")
    assert (same.outputs, same.before) == (outputs, total // 2)
    assert (lower.outputs, lower.before) == (outputs, total - total // 2)


def test_padding_counts_upsampled_samples_and_may_crop():
    assert axes.padded_axis("f", Axis(3, 2, 0, upsample=2), (1, 2)).outputs == 5 + 3 - 2 + 1
    assert axes.padded_axis("f", Axis(9, 2, 0), (-2, -1))[2] == 9 - 3 - 2 + 1
    assert axes.padded_axis("f", Axis(4, 3, 0), "full").outputs == 6


def test_a_padding_too_small_names_every_number():
    with pytest.raises(
        ValueError, match=r"3 samples, upsample 2, padding \(0, 1\): 6 samples for 4 taps with dilation 2"
    ):
        axes.padded_axis("f", Axis(3, 4, 0, dilation=2, upsample=2), (0, 1))


@pytest.mark.parametrize(
    ("value", "count", "windows"),
    [
        (2, 1, ((-2, 2),)),
        ((0, 3), 1, ((0, 3),)),
        (((0, 3),), 1, ((0, 3),)),
        (2, 2, ((-2, 2), (-2, 2))),
        ((1, (0, 4)), 2, ((-1, 1), (0, 4))),
        ((1, 2, 3), 3, ((-1, 1), (-2, 2), (-3, 3))),
    ],
)
def test_lags_as_ints_and_pairs(value, count, windows):
    assert axes.lag_windows("f", value, count) == windows


@pytest.mark.parametrize(
    ("value", "count", "pairs"),
    [
        ("same", 2, ("same", "same")),
        (3, 2, ((3, 3), (3, 3))),
        ((1, 2), 1, ((1, 2),)),
        ((1, 2), 2, ((1, 1), (2, 2))),
        (((1, 2), "full"), 2, ((1, 2), "full")),
    ],
)
def test_paddings_as_names_ints_and_pairs(value, count, pairs):
    assert axes.padding_per_axis("f", value, count) == pairs


def test_positions_are_refused_from_the_first_that_needs_more_than_64_bits():
    longest = Axis(size=3, taps=1, outputs=axes._LIMIT - 1)
    axes.check_positions("f", longest)
    with pytest.raises(OverflowError, match=f"read from sample 0 to {axes._LIMIT - 1}"):
        axes.check_positions("f", longest._replace(outputs=axes._LIMIT))
    axes.check_positions("f", Axis(size=3, taps=1, outputs=1, before=axes._LIMIT - 1))
    with pytest.raises(OverflowError, match="must be counted in 64 bits"):
        axes.check_positions("f", Axis(size=3, taps=1, outputs=1, before=axes._LIMIT))
    axes.check_positions("f", Axis(size=3, taps=1, outputs=2, stride=axes._LIMIT // 2))
    with pytest.raises(OverflowError, match="must be counted in 64 bits"):
        axes.check_positions("f", Axis(size=3, taps=1, outputs=3, stride=axes._LIMIT // 2))


@pytest.mark.parametrize("outside", [(0, 3), (-4, 0), (3, -4)])
def test_each_axis_is_one_of_x(outside):
    assert axes.convolved_axes("f", 3, 2, (-3, 2)) == (0, 2)
    with pytest.raises(ValueError, match="`axes` must be in"):
        axes.convolved_axes("f", 3, 2, outside)
