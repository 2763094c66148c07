"""`einconv` against numpy.einsum over written-out windows, XLA's padding rule and torch's transposed convolution."""

import itertools
import string
from dataclasses import dataclass, field

import jax
import numpy as np
import pytest
import torch

import arrayconv


def axes_of(text):
    """Return the axes that a part of a pattern names, as lists of labels."""
    axes, merged = [], None
    for word in text.replace("(", " ( ").replace(")", " ) ").split():
        if word == "(":
            merged = []
        elif word == ")":
            axes.append(merged)
            merged = None
        elif merged is None:
            axes.append([word])
        else:
            merged.append(word)
    return axes


def split(array, axes, sizes):
    """Return `array` with every label on an axis of its own; fills in `sizes`."""
    shape = []
    for axis, n in zip(axes, array.shape, strict=True):
        known = int(np.prod([sizes[label] for label in axis if label in sizes]))
        for label in axis:
            shape.append(sizes.get(label, n // known) if len(axis) > 1 else n)
            if len(axis) > 1:
                sizes[label] = shape[-1]
    return array.reshape(shape)


def definition(pattern, x, kernel, *, stride=1, dilation=1, upsample=1, padding=0, boundary="constant", flip=False,
               conj=False, fill_value=0, **sizes):  # fmt: skip
    """Return what einconv should: pad with numpy.pad, put zeros between, and einsum every window with the kernel.

    Options are one value for all convolved labels or a dict by label; a padding is a (before, after) pair.
    """
    left, _, bar = pattern.partition("|")
    operands, _, result = left.partition("->")
    x_axes, w_axes, y_axes, space = (axes_of(part) for part in (*operands.split(","), result, bar))
    space = [label for (label,) in space]
    x, kernel = split(x, x_axes, sizes), split(kernel, w_axes, sizes)
    x_labels, w_labels, y_labels = ([label for axis in axes for label in axis] for axes in (x_axes, w_axes, y_axes))

    def option(value, label):
        return value[label] if isinstance(value, dict) else value

    cuts = {}
    for label in space:  # all axes are extended first, generously
        at, u = x_labels.index(label), option(upsample, label)
        before, after = option(padding, label) or (0, 0)
        wide = [(0, 0)] * x.ndim
        wide[at] = (-(-before // u), -(-after // u))
        cuts[label] = u * wide[at][0] - before, u * wide[at][1] - after
        kind = option(boundary, label)
        fill = {"constant_values": fill_value} if kind == "constant" else {}
        x = np.pad(x, wide, mode=kind, **fill)
    windows = {}
    for label in space:  # then come the zeros between, and the cut
        at, k = x_labels.index(label), kernel.shape[w_labels.index(label)]
        s, d, u = (option(value, label) for value in (stride, dilation, upsample))
        apart = list(x.shape)
        apart[at] = u * (x.shape[at] - 1) + 1
        zeros = np.zeros(apart, dtype=x.dtype)
        zeros[(*(slice(None),) * at, slice(None, None, u))] = x
        x = zeros[(*(slice(None),) * at, slice(cuts[label][0], apart[at] - cuts[label][1]))]
        reach = d * (k - 1) + 1
        windows[label] = [slice(start, start + reach, d) for start in range(0, x.shape[at] - reach + 1, s)]
    if flip:
        kernel = np.flip(kernel, [w_labels.index(label) for label in space])
    if conj:
        kernel = np.conj(kernel)
    letters = dict(zip(dict.fromkeys([*x_labels, *w_labels, *y_labels]), string.ascii_letters, strict=False))
    rest = [label for label in y_labels if label not in space]
    spell = lambda labels: "".join(letters[label] for label in labels)  # noqa: E731
    equation = f"{spell(x_labels)},{spell(w_labels)}->{spell(rest)}"
    sums = None
    for places in itertools.product(*(range(len(windows[label])) for label in space)):
        index = [slice(None)] * x.ndim
        for label, place in zip(space, places, strict=True):
            index[x_labels.index(label)] = windows[label][place]
        one = np.einsum(equation, x[tuple(index)], kernel)
        if sums is None:
            sums = np.zeros((*(len(windows[label]) for label in space), *one.shape), dtype=one.dtype)
        sums[places] = one
    order = [[*space, *rest].index(label) for label in y_labels]
    y = np.transpose(sums, order)
    at, shape = 0, []
    for axis in y_axes:
        shape.append(int(np.prod(y.shape[at : at + len(axis)], dtype=int)))
        at += len(axis)
    return y.reshape(shape)


@dataclass(frozen=True)
class Row:
    pattern: str
    x: tuple
    kernel: tuple
    options: dict = field(default_factory=dict)

    def operands(self, dtype=np.int64):
        rng = np.random.default_rng(list(self.pattern.encode()))
        arrays = [rng.integers(-9, 10, shape) for shape in (self.x, self.kernel)]
        if np.dtype(dtype).kind == "c":
            arrays = [array + 1j * rng.integers(-9, 10, array.shape) for array in arrays]
        return [array.astype(dtype) for array in arrays]


ROWS = [
    Row("n, n -> n | n", (9,), (3,)),  # plain
    Row("b n c, n c o -> b n o | n", (2, 9, 3), (3, 3, 4)),  # channels last
    Row("b c n, o c n -> b o n | n", (2, 3, 9), (4, 3, 3)),  # channels first
    Row("b h w c, h w c o -> b h w o | h w", (2, 6, 7, 3), (3, 2, 3, 4)),  # images, channels last
    Row("b c h w, o c h w -> b o h w | h w", (2, 3, 6, 7), (4, 3, 3, 2)),  # images, channels first
    Row("b h w c, h w c o -> b h w o | w h", (2, 6, 7, 3), (3, 2, 3, 4)),  # convolved labels in another order
    Row("h b w, w o h -> o w b h | h w", (6, 2, 7), (3, 4, 2)),  # every axis elsewhere
    Row("b n c, n c -> b n c | n", (2, 9, 3), (3, 3)),  # depthwise
    Row("b n c, n c m -> b n (c m) | n", (2, 9, 3), (3, 3, 2)),  # depthwise with a multiplier, merged
    Row("b (g c) n, (g o) c n -> b (g o) n | n", (2, 6, 9), (4, 3, 3), {"g": 2}),  # grouped as torch lays it out
    Row("b n (g c), n c (g o) -> b n (g o) | n", (2, 9, 6), (3, 3, 4), {"g": 2}),  # grouped, channels last
    Row("b n, b n -> b n | n", (3, 9), (3, 3)),  # a kernel per sample
    Row("b c n, b o c n -> b o n | n", (3, 2, 9), (3, 4, 2, 3)),  # the same with channels
    Row("n, o n -> o n | n", (9,), (4, 3)),  # filter bank
    Row("n, n o -> (o n) | n", (9,), (3, 4)),  # filter bank, merged with the convolved axis
    Row("b n c d, n c d o -> b n o | n", (2, 9, 2, 3), (3, 2, 3, 4)),  # two summed labels
    Row("b n (c d), n d c o -> b n o | n", (2, 9, 6), (3, 3, 2, 4), {"c": 2}),  # split and summed in another order
    Row("b n c, n o -> b n o | n", (2, 9, 3), (3, 4)),  # summed away from x
    Row("n, n a o -> n o | n", (9,), (3, 2, 4)),  # summed away from the kernel
    Row("b n c, n a -> n | n", (2, 9, 3), (3, 2)),  # from both
    Row("a n b, n -> (a b) n | n", (2, 9, 3), (3,)),  # merged batches that do not stand side by side
    Row("(a b) n, n -> a n b | n", (6, 9), (3,), {"a": 2}),  # split batches, moved apart
    Row("b n c, n c o -> (b n o) | n", (2, 9, 3), (3, 3, 4)),  # everything in one axis
    Row("b n () c, n c o -> b () n o | n", (2, 9, 1, 3), (3, 3, 4)),  # axes of one sample
    Row("a b, b c -> a c", (3, 4), (4, 5)),  # no bar: a matrix product
    Row("a b, c d -> d a c b", (2, 3), (4, 5)),  # an outer product
    Row("a, a -> a", (4,), (4,)),  # elementwise
    Row("a, a ->", (4,), (4,)),  # a dot product
    Row("b n c, n c o -> b n o | n", (2, 9, 3), (3, 3, 4), {"n": 9}),  # a size that need not be told
    Row("x_1 long, long y2 -> x_1 long y2 | long", (2, 9), (3, 4)),  # labels are words
    Row("b t h w, t h w o -> b o t h w | t h w", (2, 4, 5, 6), (2, 3, 2, 2)),  # three axes
]


def ids(row):
    return row.pattern + "".join(f" {name}={value}" for name, value in row.options.items())


@pytest.mark.parametrize("row", ROWS, ids=ids)
@pytest.mark.parametrize("method", ["auto", "direct", "im2col"])
def test_equals_einsum_over_windows(row, method):
    x, kernel = row.operands()
    y = arrayconv.einconv(row.pattern, x, kernel, method=method, **row.options)
    expected = definition(row.pattern, x, kernel, **row.options)
    assert y.shape == expected.shape
    assert np.array_equal(y, expected)


@pytest.mark.parametrize("row", [row for row in ROWS if "|" in row.pattern], ids=ids)
@pytest.mark.parametrize("method", ["fft", "overlap_save"])
def test_transforms_equal_einsum_over_windows(row, method):
    x, kernel = row.operands()
    y = arrayconv.einconv(row.pattern, x, kernel, method=method, **row.options)
    assert np.array_equal(y, definition(row.pattern, x, kernel, **row.options))


GEOMETRY = [
    {"stride": 2},
    {"dilation": 2},
    {"upsample": 3},
    {"padding": (2, 1)},
    {"stride": 3, "padding": (4, 5), "boundary": "wrap"},
    {"upsample": 2, "padding": (3, 2), "boundary": "edge"},  # extended first, then zeros between
    {"upsample": 2, "stride": 3, "dilation": 2, "padding": (5, 4), "boundary": "symmetric"},
    {"upsample": 2, "padding": (3, 3), "fill_value": 7},
    {"padding": (-1, 2)},  # cropped before
    {"flip": True, "padding": (1, 1), "boundary": "reflect"},
]


@pytest.mark.parametrize("options", GEOMETRY, ids=str)
@pytest.mark.parametrize("row", [ROWS[0], ROWS[3], ROWS[9]], ids=ids)
def test_geometry_equals_the_definition(row, options):
    x, kernel = row.operands()
    count = len(row.pattern.partition("|")[2].split())
    given = {**options, "padding": [options["padding"]] * count} if "padding" in options else options
    labels = row.pattern.partition("|")[2].split()
    pads = {label: options.get("padding", (0, 0)) for label in labels}
    shifted = {key: value for key, value in options.items() if key != "padding"}
    if pads[labels[0]][0] < 0:  # a negative padding drops samples
        first = [slice(None)] * len(row.x)
        for number, axis in enumerate(axes_of(row.pattern.partition(",")[0])):
            if axis[0] in labels:
                first[number] = slice(1, None)
        expected = definition(
            row.pattern, x[tuple(first)], kernel, padding=dict.fromkeys(labels, (0, 2)), **row.options
        )
    else:
        expected = definition(row.pattern, x, kernel, padding=pads, **shifted, **row.options)
    y = arrayconv.einconv(row.pattern, x, kernel, **given, **row.options)
    assert np.array_equal(y, expected)


IMAGE = "b h w c, h w c o -> b h w o | h w"


def image():
    return Row(IMAGE, (2, 8, 9, 3), (3, 2, 3, 4)).operands()


@pytest.mark.parametrize(
    ("by_position", "by_label"),
    [
        ({"stride": (2, 1)}, {"stride": {"h": 2}}),
        ({"stride": (1, 3)}, {"stride": {"w": 3, "h": 1}}),
        ({"dilation": [2, 3]}, {"dilation": {"h": 2, "w": 3}}),
        ({"upsample": (1, 2)}, {"upsample": {"w": 2}}),
        ({"padding": ("same", "valid")}, {"padding": {"h": "same"}}),
        ({"padding": ((1, 2), 3)}, {"padding": {"h": (1, 2), "w": 3}}),
        (
            {"padding": 2, "boundary": ("edge", "constant")},
            {"padding": {"h": 2, "w": (2, 2)}, "boundary": {"h": "edge"}},
        ),
    ],
    ids=str,
)
def test_options_by_label_are_those_by_position(by_position, by_label):
    x, kernel = image()
    first = arrayconv.einconv(IMAGE, x, kernel, **by_position)
    assert np.array_equal(first, arrayconv.einconv(IMAGE, x, kernel, **by_label))
    swapped = {name: value[::-1] if isinstance(value, (list, tuple)) else value for name, value in by_position.items()}
    other = arrayconv.einconv(IMAGE.replace("| h w", "| w h"), x, kernel, **swapped)
    assert np.array_equal(first, other), "positions follow the order after the bar"


def test_one_pair_serves_one_label():
    x, kernel = np.arange(1, 6), np.array([1, 10])
    y = arrayconv.einconv("n, n -> n | n", x, kernel, padding=(1, 0))
    assert y.tolist() == [10, 21, 32, 43, 54]
    assert arrayconv.einconv("n, n -> n | n", x, kernel, padding=[(1, 0)]).tolist() == y.tolist()


def xla_same(n, k, stride, lower):
    """Return XLA's padding: ceil(n / stride) outputs, the odd sample after or before."""
    outputs = -(-n // stride)
    total = max((outputs - 1) * stride + k - n, 0)
    small = total // 2
    return (total - small, small) if lower else (small, total - small)


@pytest.mark.parametrize("name", ["same", "same_lower"])
def test_padding_names_follow_xla(name):
    for n, k, stride, dilation in itertools.product((1, 5, 6, 7), (1, 2, 3, 4), (1, 2, 3, 4), (1, 2)):
        x, kernel = np.arange(1, n + 1), 10 ** np.arange(k)
        reach = dilation * (k - 1) + 1
        pads = xla_same(n, reach, stride, name == "same_lower")
        assert list(pads) == [int(p) for p in jax.lax.padtype_to_pads((n,), (reach,), (stride,), name.upper())[0]]
        y = arrayconv.einconv("n, n -> n | n", x, kernel, stride=stride, dilation=dilation, padding=name)
        assert y.shape == (-(-n // stride),)
        expected = definition("n, n -> n | n", x, kernel, stride=stride, dilation=dilation, padding=pads)
        assert y.tolist() == expected.tolist(), (n, k, stride, dilation)


def test_padding_full_and_valid_are_the_modes():
    x, kernel = np.arange(1, 9), np.array([3, -1, 2])
    for padding, mode in (("full", "full"), ("valid", "valid")):
        y = arrayconv.einconv("n, n -> n | n", x, kernel, padding=padding, dilation=2)
        assert np.array_equal(y, arrayconv.correlate(x, kernel, mode, dilation=2))
        y = arrayconv.einconv("n, n -> n | n", x, kernel, padding=padding, flip=True)
        assert np.array_equal(y, arrayconv.convolve(x, kernel, mode))


@pytest.mark.parametrize(
    ("stride", "padding", "output_padding", "dilation", "groups"),
    [(1, 0, 0, 1, 1), (2, 0, 0, 1, 1), (2, 1, 1, 1, 1), (3, 2, 2, 2, 1), (3, 1, 0, 1, 2), (2, 4, 1, 2, 2)],
)
def test_upsample_is_a_transposed_convolution(stride, padding, output_padding, dilation, groups):
    rng = np.random.default_rng(0)
    x, kernel = rng.integers(-9, 9, (2, 4, 6)).astype(float), rng.integers(-9, 9, (4, 3, 4)).astype(float)
    expected = torch.nn.functional.conv_transpose1d(
        *map(torch.asarray, (x, kernel)),
        stride=stride, padding=padding, output_padding=output_padding, dilation=dilation, groups=groups,
    )  # fmt: skip
    edge = dilation * 3 - padding
    y = arrayconv.einconv(
        "b (g c) n, (g c) o n -> b (g o) n | n", x, kernel,
        upsample=stride, dilation=dilation, padding=(edge, edge + output_padding), flip=True, g=groups,
    )  # fmt: skip
    assert np.array_equal(y, expected.numpy())


def test_images_are_upsampled_as_torch_does():
    rng = np.random.default_rng(1)
    x, kernel = rng.integers(-9, 9, (2, 3, 4, 5)).astype(float), rng.integers(-9, 9, (3, 2, 3, 2)).astype(float)
    expected = torch.nn.functional.conv_transpose2d(*map(torch.asarray, (x, kernel)), stride=(2, 3), padding=(1, 0))
    y = arrayconv.einconv(
        "b c h w, c o h w -> b o h w | h w", x, kernel, upsample=(2, 3), padding=((1, 1), (1, 1)), flip=True
    )
    assert np.array_equal(y, expected.numpy())


def test_conj_conjugates_the_kernel():
    row = ROWS[1]
    x, kernel = row.operands(np.complex128)
    plain = arrayconv.einconv(row.pattern, x, kernel)
    assert np.array_equal(plain, definition(row.pattern, x, kernel))
    conjugated = arrayconv.einconv(row.pattern, x, kernel, conj=True)
    assert np.array_equal(conjugated, definition(row.pattern, x, kernel, conj=True))
    assert not np.array_equal(plain, conjugated)
    assert np.array_equal(arrayconv.einconv("n, n -> n | n", x[0, :, 0], kernel[:, 0, 0], conj=True, padding="full"),
                          arrayconv.correlate(x[0, :, 0], kernel[:, 0, 0]))  # fmt: skip


@pytest.mark.parametrize("row", [ROWS[1], ROWS[9], ROWS[16], ROWS[20], ROWS[22]], ids=ids)
def test_same_on_every_library(row, library):
    x, kernel = row.operands(np.float64)
    y = arrayconv.einconv(row.pattern, library.asarray(x), library.asarray(kernel), **row.options)
    assert np.array_equal(library.numpy(y), definition(row.pattern, x, kernel, **row.options))


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_out_takes_the_answer(row):
    x, kernel = row.operands()
    expected = definition(row.pattern, x, kernel, **row.options)
    for out in (np.full(expected.shape, -1), np.full(expected.shape[::-1], -1).T):
        assert arrayconv.einconv(row.pattern, x, kernel, out=out, **row.options) is out
        assert np.array_equal(out, expected)


def test_lists_are_welcome():
    y = arrayconv.einconv("b n, n o -> b o n | n", [[1, 2, 3]], [[1, 10], [2, 20]])
    assert y.tolist() == [[[5, 8], [50, 80]]]


def test_empty_batch_has_an_empty_answer():
    assert arrayconv.einconv(IMAGE, np.ones((0, 8, 9, 3)), np.ones((3, 2, 3, 4))).shape == (0, 6, 8, 4)


def test_narrow_integers_summed_away_wrap_exactly():
    x = np.full((4, 5), 100, dtype=np.uint8)
    y = arrayconv.einconv("c n, n -> n | n", x, np.array([1, 1], dtype=np.uint8))
    assert y.dtype == np.uint8
    assert y.tolist() == [800 % 256] * 4
    wide = arrayconv.einconv("c n, n -> n | n", x, np.array([1, 1], dtype=np.uint8), dtype="int32")
    assert wide.tolist() == [800] * 4


def test_half_precision_summed_away_is_rounded_once():
    x = np.full((4000, 3), 1, dtype=np.float16)
    y = arrayconv.einconv("c n, n -> n | n", x, np.array([1], dtype=np.float16))
    assert y.tolist() == [4000] * 3


# ---- refusals: type and full text; the caret stands under what is wrong ----

MALFORMED = [
    ("b n c, n c o", "'->' is missing; a pattern is 'x, kernel -> output | convolved'", 12),
    ("b n c n c o", "',' is missing; a pattern is 'x, kernel -> output | convolved'", 11),
    ("", "',' is missing; a pattern is 'x, kernel -> output | convolved'", 0),
    ("b n c n c o -> b n o | n", "'->' is out of place", 12),
    ("b n c, n c o -> b n o | n | n", "'|' is out of place", 26),
    ("b n c,, n c o -> b n o | n", "',' is out of place", 6),
    ("b n c, n c o | n -> b n o", "'|' is out of place", 13),
    ("b n n, n c o -> b n o | n", "the label 'n' appears twice in one operand", 4),
    ("b n (n c), n c o -> b n o | n", "the label 'n' appears twice in one operand", 5),
    ("b n c, n c o -> b n b | n", "the label 'b' appears twice in the output", 20),
    ("b n c, n c o -> b n o | n n", "the label 'n' appears twice after the bar", 26),
    ("b n c, n c o -> b n q | n", "the output label 'q' is in neither operand", 20),
    ("b n c, n c o -> b o | n", "the convolved label 'n' is missing from the output", 22),
    ("b n c, m c o -> b n o | n", "the convolved label 'n' is missing from the kernel", 24),
    ("b n c, n c o -> b n o | z", "the convolved label 'z' is missing from x", 24),
    ("b n) c, n c o -> b n o | n", "parentheses must pair up and do not nest", 3),
    ("b ((n)) c, n c o -> b n o | n", "parentheses must pair up and do not nest", 3),
    ("b 1 c, n c o -> b n o | n", "'1' is not a label; labels are words", 2),
    ("b n c, n c o => b n o | n", "'=' is not a label; labels are words", 13),
]


@pytest.mark.parametrize(("pattern", "rule", "at"), MALFORMED, ids=[row[0] for row in MALFORMED])
def test_malformed_pattern_is_shown_under_a_caret(pattern, rule, at):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the full text is compared
        arrayconv.einconv(pattern, np.ones((2, 8, 3)), np.ones((3, 3, 4)))
    assert str(refusal.value) == f"einconv: {rule}.\n  {pattern}\n  {' ' * at}^"


def test_open_parenthesis_is_shown_where_it_opens():
    with pytest.raises(ValueError, match="a parenthesis is not closed") as refusal:
        arrayconv.einconv("b (n c, n c o -> b n o | n", np.ones((2, 8, 3)), np.ones((3, 3, 4)))
    assert str(refusal.value).splitlines()[-1] == "    " + "^"


N = "b n c, n c o -> b n o | n"
G = "b n (g c), n (g c) o -> b n g o | n"
REFUSALS = [
    (N, (8, 3), (3, 3, 4), {}, f"`x` has 2 axes, shape (8, 3), but the pattern names 3.\n  {N}\n  ^"),
    (N, (2, 8, 3), (3, 3), {}, f"`kernel` has 2 axes, shape (3, 3), but the pattern names 3.\n  {N}\n         ^"),
    (
        N,
        (2, 8, 3),
        (3, 2, 4),
        {},
        f"label 'c' must have one size. Got 3 in x (2, 8, 3) and 2 in the kernel (3, 2, 4) of '{N}'.",
    ),
    (N, (2, 8, 3), (0, 3, 4), {}, "`kernel` must have at least one element. Got shape (0, 3, 4)."),
    (G, (2, 8, 6), (3, 6, 2), {"g": 4}, f"`x` axis (g c) of size 6 does not split into g=4.\n  {G}\n       ^"),
    (
        G,
        (2, 8, 6),
        (3, 6, 2),
        {},
        f"`x` axis (g c) of size 6 leaves more than one size open; give g= or c=.\n  {G}\n       ^",
    ),
    (N, (2, 8, 3), (3, 3, 4), {"b": 0}, "sizes of labels must be at least 1. Got {'b': 0}."),
    (N, (2, 8, 3), (3, 3, 4), {"b": 3}, f"`x` axis (b) of size 2 does not split into b=3.\n  {N}\n  ^"),
    (
        N,
        (2, 8, 3),
        (3, 3, 4),
        {"stride": {"c": 2}},
        f"`stride` names labels that are not convolved: ['c']. Convolved are ['n'] in '{N}'.",
    ),
    (N, (2, 8, 3), (3, 3, 4), {"stride": 0}, "`stride` must be at least 1 on every axis. Got 0."),
    (N, (2, 8, 3), (3, 3, 4), {"upsample": 0}, "`upsample` must be at least 1 on every axis. Got 0."),
    (N, (2, 8, 3), (3, 3, 4), {"dilation": -1}, "`dilation` must be at least 1 on every axis. Got -1."),
    (
        N,
        (2, 8, 3),
        (3, 3, 4),
        {"padding": "sames"},
        "`padding` must be one of 'valid', 'full', 'same', 'same_lower', an int or a (before, after) pair. "
        "Got 'sames'.",
    ),
    (
        N,
        (2, 8, 3),
        (3, 3, 4),
        {"padding": [(1, 2, 3)]},
        "`padding` must be an int or a (before, after) pair per axis. Got (1, 2, 3).",
    ),
    (
        N,
        (2, 8, 3),
        (3, 3, 4),
        {"padding": -3},
        "the padded axis must hold the kernel. Got 8 samples, upsample 1, padding (-3, -3): 2 samples for 3 taps with "
        "dilation 1 (reach 3). Pad more or use a shorter kernel.",
    ),
    (
        N,
        (2, 8, 3),
        (3, 3, 4),
        {"boundary": "nearest"},
        "`boundary` must be one of 'constant', 'edge', 'symmetric', 'reflect', 'wrap'. Got 'nearest'.",
    ),
    (
        N,
        (2, 0, 3),
        (3, 3, 4),
        {"padding": 2, "boundary": "edge"},
        "boundary 'edge' extends the data, but the axis has 0 samples. Use boundary='constant'.",
    ),
]


@pytest.mark.parametrize(
    ("pattern", "x", "kernel", "options", "text"), REFUSALS, ids=[row[-1][:60] for row in REFUSALS]
)
def test_contradictions_are_refused(pattern, x, kernel, options, text):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the full text is compared
        arrayconv.einconv(pattern, np.ones(x), np.ones(kernel), **options)
    assert str(refusal.value) == f"einconv: {text}"


WRONG_TYPES = [
    (3, {}, "`pattern` must be a string. Got int."),
    (["b n", "n"], {}, "`pattern` must be a string. Got list."),
    (N, {"g": 2}, "no label or option is called ['g']. The labels are ['b', 'c', 'n', 'o']."),
    (N, {"b": 1.5}, "`b` must be an integer. Got 1.5."),
    (N, {"stride": 1.5}, "`stride` must be an integer. Got 1.5."),
    (N, {"fill_value": 1j}, "`fill_value` must fit the result's dtype float64. Got 1j. "
                            "Pass a wider dtype=, or a fill of its kind."),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "options", "text"), WRONG_TYPES, ids=[row[-1][:50] for row in WRONG_TYPES])
def test_wrong_types_are_refused(pattern, options, text):
    with pytest.raises(TypeError) as refusal:
        arrayconv.einconv(pattern, np.ones((2, 8, 3)), np.ones((3, 3, 4)), **options)
    assert str(refusal.value) == f"einconv: {text}"


def test_padding_must_be_a_name_a_number_or_a_pair():
    for padding in (1.5, None, (1, "same")):
        with pytest.raises(TypeError, match=r"^einconv: `padding` must be .*an int or a \(before, after\) pair.* Got "):
            arrayconv.einconv("n, n -> n | n", np.ones(8), np.ones(3), padding=padding)
