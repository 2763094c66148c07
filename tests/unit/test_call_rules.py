"""Small rules of calls: how operands are cast and read, which arguments are refused, and with which texts."""

import numpy as np
import pytest

import arrayconv
from arrayconv._algorithms import Context
from arrayconv._nn import shapes as nn_shapes
from arrayconv._nn.arguments import Window
from arrayconv._problem import axes as axes_module
from arrayconv._problem import split
from arrayconv._problem.boundary import BOUNDARIES, FILL, Run, reads_samples, runs
from arrayconv._problem.layout import Permutation
from arrayconv._run.operands import _data_position, _read, orientation, reader, wrap_fill
from arrayconv._run.pieces import joins_in_view
from arrayconv._signal import shapes as signal_shapes
from tests.cases import axis, spec
from tests.unit.test_select import NUMPY

# ---- operands ----


@pytest.mark.parametrize("casts", [False, True])
def test_operands_are_cast_where_the_method_does_not(casts):
    problem = spec(axis(9, 3), flip=True)
    context = Context(np, "cpu", NUMPY, None)
    x, kernel = np.arange(9, dtype="float32").reshape(1, 1, 1, 9), np.ones((1, 1, 1, 3), "float32")
    piece = split.undivided_piece(problem)
    for result in (
        reader(piece, problem, context, casts=casts)(x),
        orientation(problem, context, casts=casts)(kernel),
    ):
        assert result.dtype == ("float64" if casts else "float32")
    assert reader(piece, problem, context, casts=casts)(x.astype("float64")).dtype == "float64"


@pytest.mark.parametrize(
    ("value", "number"), [(2, 2), (2.5, 2.5), (np.float32(2.5), 2.5), (np.asarray(3), 3), (True, 1)]
)
def test_real_numbers_are_numbers_or_arrays_without_axes(value, number):
    assert axes_module.real("f", "fill", value) == number
    assert axes_module.real("f", "fill", 2**63) == 2.0**63


@pytest.mark.parametrize("value", ["5", b"5", np.ones(1), np.ones((1, 1)), [5], None, 1j])
def test_other_values_are_no_real_numbers(value):
    with pytest.raises(TypeError, match=r"^f: `fill` must be a real number\. Got "):
        axes_module.real("f", "fill", value)


def test_integers_and_positions_have_64_bits():
    assert [axes_module.integer("f", "n", value) for value in (2**63 - 1, -(2**63))] == [2**63 - 1, -(2**63)]
    for value in (2**63, -(2**63) - 1):
        with pytest.raises(OverflowError, match="must fit 64 bits"):
            axes_module.integer("f", "n", value)
    axes_module.check_positions("f", axis(3, 1, 2**63 - 1))
    with pytest.raises(OverflowError, match="must be counted in 64 bits"):
        axes_module.check_positions("f", axis(3, 1, 2**63))


@pytest.mark.parametrize(
    ("joined", "joins"), [((2, 3), False), ((1, 2, 1, 3), False), ((6,), True), ((2, 1, 3), False), ((2, 3, 1), False)]
)
def test_axes_of_length_1_join_nothing(joined, joins):
    for order, split_shape in (((0, 1), (2, 3)), ((1, 0), (3, 2)), ((0, 2, 1), (2, 1, 3))):
        assert Permutation(split_shape, order, joined).joins is joins
        assert Permutation(split_shape, order, joined).reorders is (order == (1, 0))


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_only_axes_without_samples_have_none_to_extend(boundary):
    for size in (0, 1, 2):
        one = axis(size, 1, 3, before=1, boundary=boundary)
        if size == 0 and reads_samples(boundary):
            with pytest.raises(ValueError, match="extends the data, but the axis has 0 samples"):
                axes_module.checked("f", one)
            assert axes_module.checked("f", one._replace(outputs=0)).outputs == 0
        else:
            assert axes_module.checked("f", one) == one


@pytest.mark.parametrize("itemsize", [1, 2, 4, 8])
def test_a_fill_is_wrapped_to_a_signed_integer(itemsize):
    count = 1 << (8 * itemsize)
    traits = NUMPY._replace(accumulator=f"int{8 * itemsize}", output=f"int{8 * itemsize}")
    assert (traits.exact, traits.itemsize) == (True, itemsize)
    for fill in (0, 1, -1, count // 4, count // 2 - 1, count // 2, -count // 2, count - 1, count, 5 * count + 3):
        wrapped = wrap_fill(fill, traits)
        assert (wrapped - fill) % count == 0
        assert -count // 2 <= wrapped < count // 2
    assert wrap_fill(300.5, NUMPY) == 300.5


def test_samples_that_constants_surround_have_one_position():
    def row(*parts):
        return tuple(Run(*part) for part in parts)

    whole, padded = row((0, 1, 4)), row((FILL, 0, 2), (0, 1, 5), (FILL, 0, 1))
    assert _data_position((padded, whole)) == (slice(2, 7), slice(0, 4))
    assert _data_position((whole, row((3, 1, 2), (FILL, 0, 1)))) == (slice(0, 4), slice(0, 2))
    assert _data_position((whole, whole)) is None  # nothing is padded
    assert _data_position((padded, row((4, -1, 3), (FILL, 0, 1)))) is None
    assert _data_position((padded, row((0, 0, 3), (FILL, 0, 1)))) is None
    assert _data_position((padded, row((0, 1, 3), (1, 1, 2)))) is None
    assert _data_position((padded, row((FILL, 0, 3)))) is None
    assert _data_position((padded, runs(2, 0, 200, "wrap"))) is None


def test_no_sample_is_read_that_no_run_copies():
    assert _read((Run(FILL, 0, 3),))[0] == slice(0, 0)
    assert _read((Run(FILL, 0, 3), Run(2, 1, 4)))[0] == slice(2, 6)
    assert _read((Run(6, -1, 3), Run(4, 1, 1))) == (slice(4, 7), (Run(2, -1, 3), Run(0, 1, 1)))
    assert _read((Run(FILL, 0, 3), Run(2, 1, 4)))[1] == (Run(FILL, 0, 3), Run(0, 1, 4))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_axes_of_no_element_join_in_a_view(order):
    for shape in ((0, 3, 4), (3, 0, 4)):
        sizes = [shape[number] for number in order]
        assert joins_in_view(np.zeros(shape), Permutation(shape, order, (sizes[0] * sizes[1], sizes[2])))


@pytest.mark.parametrize(("n", "k"), [(0, 0), (1, 0), (0, 1), (3, 0), (5, 2)])
def test_shapes_of_empty_convolutions_follow_the_formulas(n, k):
    shapes = (n, 4), (k, 2)
    assert signal_shapes.empty_shape("f", shapes, "same") == (n, 4)
    assert signal_shapes.empty_shape("f", shapes, "valid") == (abs(n - k) + 1, 3)
    if n + k == 0:
        with pytest.raises(ValueError, match=r"^f: negative dimensions are not allowed\. Got shapes \(0, 4\) and"):
            signal_shapes.empty_shape("f", shapes, "full")
    else:
        assert signal_shapes.empty_shape("f", shapes, "full") == (n + k - 1, 5)


@pytest.mark.parametrize(
    ("weight", "refused"), [((0, 1, 3), True), ((2, 1, 0), True), ((0, 1, 0), True), ((2, 1, 3), False)]
)
def test_weights_have_a_filter_and_a_tap(weight, refused):
    window = Window((1,), ("valid",), (1,), 1, ("constant",))
    if refused:
        with pytest.raises(ValueError, match="must have at least one filter and one tap on every axis"):
            nn_shapes.specified("f", (1, 1, 9), weight, window)
    else:
        assert nn_shapes.specified("f", (1, 1, 9), weight, window).output_shape == (1, 1, 2, 7)


@pytest.mark.parametrize(
    ("n", "k", "mode"), [(0, 0, "full"), (0, 1, "full"), (0, 3, "full"), (0, 3, "same"), (1, 1, "valid")]
)
def test_there_are_as_many_lags_as_outputs(n, k, mode):
    count = max(n + k - 1, 0) if mode == "full" else n
    assert len(signal_shapes.lags("f", n, k, mode)) == count


def test_every_stride_th_output_is_counted_from_the_first():
    for outputs in range(9):
        for stride in range(1, 5):
            assert axes_module.strided(outputs, stride) == len(range(0, outputs, stride))


@pytest.mark.parametrize("stride", [2, (1, 2), (2, 1), (2, 2)])
def test_lags_exclude_a_stride_on_any_axis(stride):
    x, kernel = np.ones((5, 5)), np.ones((2, 2))
    with pytest.raises(ValueError, match="it excludes `mode` and `stride`"):
        arrayconv.correlate(x, kernel, lags=1, stride=stride)
    assert arrayconv.correlate(x, kernel, lags=1, stride=(1, 1)).shape == (3, 3)


# ---- texts ----


@pytest.mark.parametrize("mode", ["best", "", None, 1, ["full"]])
def test_lags_of_an_unknown_mode_are_refused(mode):
    with pytest.raises(ValueError, match=r"^f: Mode .* is invalid: `mode` must be one of"):
        signal_shapes.lags("f", 5, 3, mode)


def test_a_cap_that_no_copy_reduces_is_named_alone():
    with pytest.raises(ValueError, match=r"max_workspace` is too small for any piece\. Got 1 bytes\. its smallest"):
        arrayconv.convolve(np.ones(9), np.ones(3), method="direct", max_workspace=1)


@pytest.mark.parametrize(
    ("pattern", "value", "carets"),
    [("c n, c n -> n | n", (2, 3), 16 * " " + "^"), ("c n, c n -> c n", (2,), 15 * " " + "^"),
     ("n m, n m -> n m | n m", (2,), 18 * " " + "^ ^")],
)  # fmt: skip
def test_carets_are_at_the_labels_of_which_there_are_more_or_fewer_than_values(pattern, value, carets):
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match="one per convolved label") as refusal:
        arrayconv.einconv(pattern, x, x, stride=value)
    assert str(refusal.value).splitlines()[1:3] == [f"  {pattern}", f"  {carets}"]


@pytest.mark.parametrize("padding", [(1, "full"), ("full", 1), ("full", "valid"), (1, 2, 3)])
def test_a_padding_of_one_label_is_one_name_or_a_pair_of_ints(padding):
    x = np.ones((2, 9))
    with pytest.raises(ValueError, match=r"`padding` must be one value, one per convolved label.* Got [23] values"):
        arrayconv.einconv("b n, n -> b n | n", x, x[0], padding=padding)
    assert arrayconv.einconv("b n, n -> b n | n", x, x[0], padding=(1, 2)).shape == (2, 4)


@pytest.mark.parametrize(("dtype", "itemsize"), [("float16", 4), ("float64", 8), ("int8", 1)])
def test_bytes_of_a_copied_operand_are_those_of_the_sums(dtype, itemsize):
    x, kernel = np.ones((6, 5, 4), dtype), np.ones((3,), dtype)
    text = str(arrayconv.explain(x, kernel, pattern="a n b, n -> a n b | n"))
    assert f"transposed and copied ({itemsize * 6 * 5 * 4} bytes)" in text


@pytest.mark.parametrize(
    ("pattern", "label", "carets"),
    [
        ("c n, c n -> n | n", "c", "^    ^"),
        ("c n, c n -> n | n", "z", "                ^"),
        ("c n, c n -> n", "z", "             ^"),
    ],
)
def test_carets_are_at_the_label_that_is_not_convolved_or_else_at_the_bar(pattern, label, carets):
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match="names a label that is not convolved") as refusal:
        arrayconv.einconv(pattern, x, x, stride={label: 2})
    assert str(refusal.value).splitlines()[1:3] == [f"  {pattern}", f"  {carets}"]
