"""`einconv` says what `jax.lax.conv_general_dilated` says with dimension numbers, in any order of the axes.

XLA dilates x first and pads then, with zeros alone, and negative padding crops: `upsample` and `padding` with the
boundary 'constant'. JAX compiles every case anew, so shapes are small.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import arrayconv

jax = pytest.importorskip("jax", reason="jax is not installed")


@dataclass(frozen=True)
class Case:
    orders: tuple  # of x, the kernel and the output: 'NCHW', ...
    sizes: dict
    taps: dict
    features: int  # groups of features, as torch's
    batches: int  # groups of the batch
    stride: tuple
    upsample: tuple
    dilation: tuple
    padding: tuple

    @property
    def space(self):
        """Spatial letters in the kernel's order, which JAX's options follow."""
        return [letter for letter in self.orders[1] if letter in self.taps]

    def shapes(self):
        x = self.sizes | {"N": self.sizes["N"] * self.batches, "C": self.sizes["C"] * self.features}
        groups = self.batches * self.features
        kernel = self.taps | {"O": self.sizes["O"] * groups, "I": self.sizes["C"]}
        return [
            tuple(sizes[letter] for letter in order) for sizes, order in zip((x, kernel), self.orders, strict=False)
        ]

    def pattern(self):
        batch = "(g n)" if self.batches > 1 else "n"
        channels, filters = "(g c)" if self.features > 1 else "c", "(g o)" if self.batches * self.features > 1 else "o"
        names = ({"N": batch, "C": channels}, {"O": filters, "I": "c"}, {"N": "n", "C": filters})
        parts = [" ".join(own.get(a, a.lower()) for a in order) for own, order in zip(names, self.orders, strict=True)]
        return f"{parts[0]}, {parts[1]} -> {parts[2]} | {' '.join(self.space).lower()}"


@st.composite
def cases(draw):
    space = "HWD"[: draw(st.integers(1, 3))]

    def each(values):
        return tuple(draw(values) for _ in space)

    orders = tuple("".join(draw(st.permutations(names + space))) for names in ("NC", "OI", "NC"))
    features, batches = draw(st.sampled_from([(1, 1), (1, 1), (2, 1), (3, 1), (1, 2)]))
    sizes = {"N": draw(st.integers(1, 2)), "C": draw(st.integers(1, 3)), "O": draw(st.integers(1, 3))}
    sizes |= dict(zip(space, each(st.integers(3, 6)), strict=True))
    taps = dict(zip(space, each(st.integers(1, 3)), strict=True))
    stride, upsample, dilation = (each(st.sampled_from([1, 1, 2, 3])) for _ in range(3))
    padding = each(st.tuples(st.integers(-1, 4), st.integers(-1, 4)))
    case = Case(orders, sizes, taps, features, batches, stride, upsample, dilation, padding)
    for letter, u, d, pair in zip(case.space, upsample, dilation, padding, strict=True):
        assume(u * (sizes[letter] - 1) + 1 + sum(pair) >= d * (taps[letter] - 1) + 1)  # refused here, empty there
    return case


@given(cases(), st.sampled_from(["float64", "float64", "complex128"]), st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_equals_conv_general_dilated(case, dtype, seed):
    rng = np.random.default_rng(seed)
    x, kernel = (np.asarray(rng.integers(-9, 10, shape), dtype) for shape in case.shapes())
    if dtype == "complex128":
        x, kernel = (array + 1j * rng.integers(-9, 10, array.shape) for array in (x, kernel))
    expected = jax.lax.conv_general_dilated(
        x, kernel, case.stride, case.padding, lhs_dilation=case.upsample, rhs_dilation=case.dilation,
        dimension_numbers=case.orders, feature_group_count=case.features, batch_group_count=case.batches,
    )  # fmt: skip
    options = {"stride": case.stride, "upsample": case.upsample, "dilation": case.dilation, "padding": case.padding}
    groups = {"g": case.features * case.batches}
    y = arrayconv.einconv(case.pattern(), x, kernel, **options, **groups if groups["g"] > 1 else {})
    assert y.dtype == dtype
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("padding", ["VALID", "SAME", "SAME_LOWER"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_named_padding_is_that_of_lax(padding, stride):
    rng = np.random.default_rng(stride)
    x, kernel = rng.integers(-9, 10, (2, 7, 6, 3)) * 1.0, rng.integers(-9, 10, (2, 3, 3, 4)) * 1.0
    expected = jax.lax.conv_general_dilated(
        x, kernel, (stride, stride), padding, rhs_dilation=(2, 1), dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    y = arrayconv.einconv(
        "n h w c, h w c o -> n h w o | h w", x, kernel, stride=stride, dilation={"h": 2}, padding=padding.lower()
    )
    assert np.array_equal(y, expected)
