"""`einconv` against the definition in labels, XLA's padding rule and torch's transposed convolution."""

import itertools
import re
from dataclasses import dataclass, field

import jax
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import arrayconv
from conformance import geometry, reference


def definition(pattern, x, kernel, **options):
    """Return what einconv should, by the definition of the conformance suite."""
    problem, shapes, shape = geometry.labelled(pattern, x.shape, kernel.shape, options)
    x, kernel = (array.reshape(own) for array, own in zip((x, kernel), shapes, strict=True))
    return reference.bilinear(problem, x, kernel, options.get("fill_value", 0)).reshape(shape)


@dataclass(frozen=True)
class Row:
    pattern: str
    x: tuple
    kernel: tuple
    options: dict = field(default_factory=dict)
    inferred: dict = field(default_factory=dict)  # sizes that einconv has to infer

    @property
    def full_options(self):
        return {**self.options, **self.inferred}

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
    Row("b (g c) n, (g o) c n -> b (g o) n | n", (2, 6, 9), (4, 3, 3), {}, {"g": 2}),  # g is 6 / c, then o is 4 / g
    Row("b (g c) n, g o c n -> b (g o) n | n", (2, 6, 9), (2, 2, 3, 3), {}, {"g": 2}),  # g and c are in the kernel
    Row(
        "b g c n, (g o) (c n) -> b g o n | n", (2, 2, 3, 9), (4, 9), {}, {"g": 2, "c": 3}
    ),  # from x to the kernel, taps by division
    Row(
        "(a b) (b2 c) n, (a b2) c n -> b n | n", (6, 6, 8), (4, 3, 3), {}, {"a": 2, "c": 3}
    ),  # three steps, one after the other
    Row("b (h p) c, h p c o -> b h o | h", (2, 12, 3), (2, 2, 3, 4), {}, {"p": 2}),  # space to depth: p from the kernel
    Row("b (h p), h -> b h p | h", (2, 12), (3,), {"h": 4}, {"p": 3}),  # the size of a convolved label, by name
    Row(", a -> a", (), (4,)),  # a number
    Row("b n, b n -> b n | n", (3, 9), (3, 3)),  # a kernel per sample
    Row("b c n, b o c n -> b o n | n", (3, 2, 9), (3, 4, 2, 3)),  # the same with channels
    Row("n, o n -> o n | n", (9,), (4, 3)),  # filter bank
    Row("n, n o -> (o n) | n", (9,), (3, 4)),  # filter bank, merged with the convolved axis
    Row("b n c d, n c d o -> b n o | n", (2, 9, 2, 3), (3, 2, 3, 4)),  # two summed labels
    Row("b n (c d), n d c o -> b n o | n", (2, 9, 6), (3, 3, 2, 4), {"c": 2}),  # split and summed in another order
    Row("b n c, n o -> b n o | n", (2, 9, 3), (3, 4)),  # summed away from x
    Row("n, n a o -> n o | n", (9,), (3, 2, 4)),  # summed away from the kernel
    Row("b n c, n a -> n | n", (2, 9, 3), (3, 2)),  # from both
    Row("a n b, n -> (a b) n | n", (2, 9, 3), (3,)),  # merged batches that are not adjacent
    Row("(a b) n, n -> a n b | n", (6, 9), (3,), {"a": 2}),  # split batches, no longer adjacent
    Row("b n c, n c o -> (b n o) | n", (2, 9, 3), (3, 3, 4)),  # everything in one axis
    Row("b n () c, n c o -> b () n o | n", (2, 9, 1, 3), (3, 3, 4)),  # axes of one sample
    Row("a b, b c -> a c", (3, 4), (4, 5)),  # no bar: a matrix product
    Row("a b, c d -> d a c b", (2, 3), (4, 5)),  # an outer product
    Row("a, a -> a", (4,), (4,)),  # elementwise
    Row("a, a ->", (4,), (4,)),  # a dot product
    Row("b n c, n c o -> b n o | n", (2, 9, 3), (3, 3, 4), {"n": 9}),  # a size that need not be given
    Row("x_1 long, long y2 -> x_1 long y2 | long", (2, 9), (3, 4)),  # labels are words
    Row("b t h w, t h w o -> b o t h w | t h w", (2, 4, 5, 6), (2, 3, 2, 2)),  # three axes
]


def ids(row):
    return row.pattern + "".join(f" {name}={value}" for name, value in row.options.items())


@pytest.mark.parametrize("row", ROWS, ids=ids)
@pytest.mark.parametrize("method", ["auto", "direct", "im2col"])
def test_equals_the_definition(row, method):
    x, kernel = row.operands()
    y = arrayconv.einconv(row.pattern, x, kernel, method=method, **row.options)
    expected = definition(row.pattern, x, kernel, **row.full_options)
    assert y.shape == expected.shape
    assert np.array_equal(y, expected)


@pytest.mark.parametrize("row", [row for row in ROWS if "|" in row.pattern], ids=ids)
@pytest.mark.parametrize("method", ["fft", "overlap_save"])
def test_transforms_equal_the_definition(row, method):
    x, kernel = row.operands()
    y = arrayconv.einconv(row.pattern, x, kernel, method=method, **row.options)
    assert np.array_equal(y, definition(row.pattern, x, kernel, **row.full_options))


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
    padding = dict.fromkeys(row.pattern.partition("|")[2].split(), options.get("padding", 0))
    options = {**row.options, **options, "padding": padding}  # a pair for two labels would be one number for each
    y = arrayconv.einconv(row.pattern, x, kernel, **options)
    assert np.array_equal(y, definition(row.pattern, x, kernel, **options))


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


def test_one_pair_is_of_one_label():
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


ACROSS = (
    "b n c, n c o -> b n o | n",
    "b (g c) n, (g o) c n -> b (g o) n | n",
    "b n (c d), n d c o -> b n o | n",
    "a n b, n -> (a b) n | n",
    "b n c, n c o -> (b n o) | n",
    "b (h p) c, h p c o -> b h o | h",
    "b n c, n a -> n | n",
)


@pytest.mark.parametrize("row", [row for row in ROWS if row.pattern in ACROSS], ids=ids)
def test_same_on_every_library(row, library):
    x, kernel = row.operands(np.float64)
    y = arrayconv.einconv(row.pattern, library.asarray(x), library.asarray(kernel), **row.options)
    assert np.array_equal(library.numpy(y), definition(row.pattern, x, kernel, **row.full_options))


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_the_result_is_written_to_out(row):
    x, kernel = row.operands()
    expected = definition(row.pattern, x, kernel, **row.full_options)
    for out in (np.full(expected.shape, -1), np.full(expected.shape[::-1], -1).T):
        assert arrayconv.einconv(row.pattern, x, kernel, out=out, **row.options) is out
        assert np.array_equal(out, expected)


ROLES = {  # role: which of x, the kernel and the output have its labels, and how many at most
    "convolved": ("xwy", 2),
    "batch": ("xy", 2),
    "group": ("xwy", 1),
    "channel": ("xw", 2),
    "filter": ("wy", 2),
    "lonely": ("x", 1),
    "ignored": ("w", 1),
}


@st.composite
def calls(draw):
    """Draw labels in random roles, orders and merges: shapes, the flat and the merged pattern, sizes and options."""
    places, sizes, space = {"x": [], "w": [], "y": []}, {}, []
    for role, (where, most) in ROLES.items():
        for number in range(draw(st.integers(0, most))):
            label = f"{role}{number}"
            sizes[label] = draw(st.integers(3, 6) if role == "convolved" else st.integers(1, 3))
            space += [label] * (role == "convolved")
            for place in where:
                places[place].append(label)
    taps = {label: draw(st.integers(1, 3)) for label in space}
    orders = [draw(st.permutations(places[place])) for place in "xwy"]
    space = draw(st.permutations(space))
    merged = [draw(merges(labels, space)) for labels in orders]
    options = {}
    for name, values in (
        ("stride", st.integers(1, 3)),
        ("dilation", st.integers(1, 2)),
        ("upsample", st.integers(1, 2)),
        ("padding", st.tuples(st.integers(2, 5), st.integers(2, 5))),
        ("boundary", st.sampled_from(["constant", "edge", "symmetric", "reflect", "wrap"])),
    ):
        options[name] = {label: draw(values) for label in space}
    options |= {"flip": draw(st.booleans()), "conj": draw(st.booleans())}
    shapes = [[sizes[label] for label in orders[0]], [taps.get(label, sizes[label]) for label in orders[1]]]
    label_sizes = {label: size for label, size in sizes.items() if label not in space}
    return (
        shapes,
        patterned([[[label] for label in labels] for labels in orders], space),
        (merged, space),
        label_sizes,
        options,
    )


@st.composite
def merges(draw, labels, space):
    """Draw axes of one or more neighbouring labels, at most one convolved label in each, and axes of none."""
    axes = []
    for label in labels:
        fits = axes and (label not in space or not set(axes[-1]) & set(space))
        if fits and draw(st.booleans()):
            axes[-1].append(label)
        else:
            axes.append([label])
    for _ in range(draw(st.sampled_from([0, 0, 0, 1]))):
        axes.insert(draw(st.integers(0, len(axes))), [])
    return axes


def patterned(operands, space):
    """Spell a pattern."""
    x, w, y = (" ".join(axis[0] if len(axis) == 1 else f"({' '.join(axis)})" for axis in axes) for axes in operands)
    return f"{x}, {w} -> {y} | {' '.join(space)}"


def joined(array, axes, flat):
    """Return an array whose axes are labelled `flat` with its axes merged."""
    sizes = dict(zip(flat, array.shape, strict=True))
    return array.reshape([int(np.prod([sizes[label] for label in axis])) for axis in axes])


@given(calls(), st.sampled_from([np.int64, np.complex128]), st.integers(0, 2**32))
@settings(max_examples=400, deadline=None)
def test_any_pattern_equals_the_definition(call, dtype, seed):
    shapes, flat, (merged, space), label_sizes, options = call
    rng = np.random.default_rng(seed)
    x, kernel = (np.asarray(rng.integers(-9, 10, shape)).astype(dtype) for shape in shapes)
    if dtype is np.complex128:
        x, kernel = (array * (1 + 2j) + 1j * rng.integers(-9, 10, array.shape) for array in (x, kernel))
    labels = [[label for axis in axes for label in axis] for axes in merged]
    expected = joined(definition(flat, x, kernel, **options), merged[2], labels[2])
    whole = [joined(array, axes, own) for array, axes, own in zip((x, kernel), merged, labels, strict=False)]
    pattern = patterned(merged, space)
    y = arrayconv.einconv(pattern, *whole, **options, **label_sizes)
    assert y.shape == expected.shape
    assert np.array_equal(y, expected)
    assert arrayconv.explain(*whole, pattern=pattern, **options, sizes=label_sizes).output_shape == expected.shape
    try:
        again = arrayconv.einconv(pattern, *whole, **options)
    except ValueError as refusal:
        assert "open. Got" in str(refusal)  # noqa: PT017 - what may be inferred is the subject of the next test
    else:
        assert np.array_equal(again, y)


@given(calls())
@settings(max_examples=200, deadline=None)
def test_only_sizes_that_could_be_others_are_left_open(call):
    """Sizes that follow from one axis after the other are inferred, in any order of the axes; others are refused."""
    shapes, _, (merged, space), _, _ = call
    labels = [[label for axis in axes for label in axis] for axes in merged]
    whole = [joined(np.ones(shape), axes, own).shape for shape, axes, own in zip(shapes, merged, labels, strict=False)]
    known, axes = set(), [
        [(label, number if label in space else None) for label in axis]
        for number in (0, 1)
        for axis in merged[number]
    ]  # fmt: skip
    for _ in range(len(axes)):
        for axis in axes:
            unknown = set(axis) - known
            known |= unknown if len(unknown) == 1 else set()
    solvable = all(set(axis) <= known for axis in axes)
    pattern = patterned(merged, space)
    try:
        arrayconv.explain(*whole, pattern=pattern, padding=9)
    except ValueError as refusal:
        assert not solvable, refusal  # noqa: PT017 - either outcome may be right
    else:
        assert solvable


@pytest.mark.parametrize(
    ("pattern", "shapes", "options"),
    [
        ("b (g c) h w, (g o) c h w -> b (g o) h w | h w", ((2, 4, 9, 8), (6, 2, 3, 2)),
         {"stride": {"h": 2}, "padding": {"w": (1, 0)}, "g": 2}),
        ("b n c d, n c o -> b n o | n", ((2, 9, 3, 2), (3, 3, 4)), {"stride": 2, "padding": "same"}),
    ],
    ids=["grouped", "summed"],
)  # fmt: skip
def test_compiles_in_one_graph(pattern, shapes, options):
    rng = np.random.default_rng(0)
    x, kernel = (torch.asarray(rng.standard_normal(shape)) for shape in shapes)
    compiled = torch.compile(
        lambda x, kernel: arrayconv.einconv(pattern, x, kernel, **options), fullgraph=True, backend="aot_eager"
    )
    torch.testing.assert_close(compiled(x, kernel), arrayconv.einconv(pattern, x, kernel, **options))


def test_lists_are_welcome():
    y = arrayconv.einconv("b n, n o -> b o n | n", [[1, 2, 3]], [[1, 10], [2, 20]])
    assert y.tolist() == [[[5, 8], [50, 80]]]


def test_empty_batch_has_an_empty_result():
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


# ---- refusals: type and full text; the caret is under what is wrong ----

GRAMMAR = "A pattern is 'x, kernel -> output | convolved'."
PAIRS = "parentheses must pair up and do not nest. Write each axis as a label or as (label ...)."
WORDS = "Labels are words of ASCII letters, digits and underscores that do not begin with a digit"
DIAGONAL = "Rename one of them; a diagonal is taken before the call."
ELLIPSIS = (
    "an ellipsis is not supported, because every axis has a label. Name the axes it replaces, or reshape them into "
    "one axis with one label."
)
NAME = "Name it there, or leave it out after the bar."

MALFORMED = [  # pattern, carets, text
    ("b n c, n c o", "            ^", f"'->' is missing. {GRAMMAR}"),
    ("b n c n c o", "           ^", f"',' is missing. {GRAMMAR}"),
    ("", "^", f"',' is missing. {GRAMMAR}"),
    ("b n c n c o -> b n o | n", "            ^", f"'->' is out of place. {GRAMMAR}"),
    ("b n c, n c o -> b n o | n | n", "                          ^", f"'|' is out of place. {GRAMMAR}"),
    ("b n c,, n c o -> b n o | n", "      ^", f"',' is out of place. {GRAMMAR}"),
    ("b n c, n c o | n -> b n o", "             ^", f"'|' is out of place. {GRAMMAR}"),
    ("b n n, n c o -> b n o | n", "  ^ ^", f"the label 'n' appears twice in x. {DIAGONAL}"),
    ("b n (n c), n c o -> b n o | n", "  ^  ^", f"the label 'n' appears twice in x. {DIAGONAL}"),
    ("b n c, c n c -> b n | n", "       ^   ^", f"the label 'c' appears twice in the kernel. {DIAGONAL}"),
    ("b n c, n c o -> b n b | n", "                ^   ^", f"the label 'b' appears twice in the output. {DIAGONAL}"),
    (
        "b n c, n c o -> b n o | n n",
        "                        ^ ^",
        f"the label 'n' appears twice in the labels after the bar. {DIAGONAL}",
    ),
    (
        "b n c, n c o -> b n long | n",
        "                    ^",
        "the output label 'long' is in neither operand. Name it in x or the kernel, or leave it out; () is an axis of "
        "size 1.",
    ),
    (
        "b n c, n c o -> b o | n",
        "                      ^",
        f"the convolved label 'n' is missing from the output. {NAME}",
    ),
    (
        "b n c, m c o -> b n o | n",
        "                        ^",
        f"the convolved label 'n' is missing from the kernel. {NAME}",
    ),
    ("b n c, n c o -> b n o | z", "                        ^", f"the convolved label 'z' is missing from x. {NAME}"),
    ("b n) c, n c o -> b n o | n", "   ^", PAIRS),
    ("b ((n)) c, n c o -> b n o | n", "   ^", PAIRS),
    ("b (n c, n c o -> b n o | n", "  ^", "a parenthesis is not closed. Write each axis as (label ...)."),
    (
        "b n c, n c o -> b n o | (n)",
        "                        ^",
        "the labels after the bar stand alone, without parentheses. Got (n). Leave them out.",
    ),
    ("b 1 c, n c o -> b n o | n", "  ^", f"'1' is not a label. {WORDS}, and () is an axis of size 1."),
    ("b n c, n c o => b n o | n", "             ^", f"'=' is not a label. {WORDS}."),
    ("b é c, n c o -> b n o | n", "  ^", f"'é' is not a label. {WORDS}."),
    ("... n, n -> ... n | n", "^", ELLIPSIS),
    ("n, n -> … n | n", "        ^", ELLIPSIS),
]


@pytest.mark.parametrize(("pattern", "carets", "text"), MALFORMED, ids=[row[0] for row in MALFORMED])
@pytest.mark.parametrize("function", ["einconv", "explain"])
def test_malformed_pattern_is_shown_under_carets(function, pattern, carets, text):
    options = {"pattern": pattern} if function == "explain" else {}
    lead = () if options else (pattern,)
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the full text is compared
        getattr(arrayconv, function)(*lead, np.ones((2, 8, 3)), np.ones((3, 3, 4)), **options)
    assert str(refusal.value) == f"{function}: {text}\n  {pattern}\n  {carets}"


def test_tabs_and_lines_do_not_move_the_carets():
    with pytest.raises(ValueError, match="twice") as refusal:
        arrayconv.einconv("b\tn\nn, n -> b n | n", np.ones((2, 8, 3)), np.ones(3))
    assert str(refusal.value).splitlines()[1:] == ["  b n n, n -> b n | n", "    ^ ^"]


N = "b n c, n c o -> b n o | n"
G = "b n (g c), n (g c) o -> b n g o | n"
T = "b (g c) n, (g o) c n -> b (g o) n | n"
GROUPS = "b (g c) n, g o c n -> b (g o) n | n"
SPLIT = "(h p), (h q) -> h p q | h"
HALF = "(h p), h q -> h p q | h"
AXES = "must have the axes that the pattern names."
NAME_EVERY = "Name every axis, or reshape the array; () has size 1."
LONG = "must be as long as the sizes of its labels multiplied."
PADDINGS = "'valid', 'full', 'same', 'same_lower', an int or a (before, after) pair"
SHAPES = (2, 8, 3), (3, 3, 4)
REFUSALS = [  # pattern, shapes, options, carets, text
    (N, ((8, 3), (3, 3, 4)), {}, "^ ^ ^", f"`x` {AXES} Got 2 axes, shape (8, 3), for 3 in the pattern. {NAME_EVERY}"),
    (
        N,
        ((2, 8, 3), (3, 3)),
        {},
        "       ^ ^ ^",
        f"`kernel` {AXES} Got 2 axes, shape (3, 3), for 3 in the pattern. {NAME_EVERY}",
    ),
    (
        ", a -> a",
        ((2,), (3,)),
        {},
        "^",
        f"`x` {AXES} Got 1 axes, shape (2,), for 0 in the pattern. {NAME_EVERY}",
    ),
    (
        N,
        ((2, 8, 3), (3, 2, 4)),
        {},
        "    ^    ^",
        "label 'c' must have one size. Got 2 in the kernel of shape (3, 2, 4) and 3 in x of shape (2, 8, 3). "
        "Make them equal, or rename the label of one of them.",
    ),
    (
        N,
        ((2, 8, 3), (0, 3, 4)),
        {},
        "       ^",
        "`kernel` must have at least one element. Got shape (0, 3, 4). Pass a kernel without axes of size 0.",
    ),
    (
        G,
        ((2, 8, 6), (3, 6, 2)),
        {"g": 4},
        "     ^",
        f"`x` axis (g c) {LONG} Got 6 of shape (2, 8, 6), and g=4 as given. Pass sizes that divide 6, or reshape `x`.",
    ),
    (
        GROUPS,
        ((2, 6, 5), (3, 5, 3, 2)),
        {},
        "   ^ ^     ^   ^",
        f"`x` axis (g c) {LONG} Got 6 of shape (2, 6, 5), and g=3 in the kernel of shape (3, 5, 3, 2) and c=3 in the "
        "kernel of shape (3, 5, 3, 2). Pass sizes that divide 6, or reshape `x`.",
    ),
    (
        T,
        ((2, 6, 5), (5, 3, 2)),
        {},
        "   ^        ^",
        f"`kernel` axis (g o) {LONG} Got 5 of shape (5, 3, 2), and g=2 in x of shape (2, 6, 5). "
        "Pass sizes that divide 5, or reshape `kernel`.",
    ),
    (
        T,
        ((2, 6, 5), (4, 4, 2)),
        {},
        "     ^           ^",
        f"`x` axis (g c) {LONG} Got 6 of shape (2, 6, 5), and c=4 in the kernel of shape (4, 4, 2). "
        "Pass sizes that divide 6, or reshape `x`.",
    ),
    (
        "b () n, n -> b n | n",
        ((1, 2, 4), (1,)),
        {},
        "  ^",
        f"`x` axis () {LONG} Got 2 of shape (1, 2, 4), and no label. () has size 1: name the axis, or reshape `x`.",
    ),
    (
        G,
        ((2, 8, 6), (3, 6, 2)),
        {},
        "     ^ ^",
        "`x` axis (g c) leaves the sizes of 'g' and 'c' open. Got 6 of shape (2, 8, 6). Give g= or c=.",
    ),
    (
        "(a b) n, a n -> b n | n",
        ((0, 8), (0, 3)),
        {},
        "   ^",
        "`x` axis (a b) leaves the size of 'b' open. Got 0 of shape (0, 8), and a=0 in the kernel of shape (0, 3). "
        "Give b=.",
    ),
    (
        SPLIT,
        ((6,), (4,)),
        {"p": 2},
        "        ^ ^",
        "`kernel` axis (h q) leaves the sizes of 'h' and 'q' open. Got 4 of shape (4,). Give q=.",
    ),
    (
        SPLIT,
        ((6,), (4,)),
        {"h": 3},
        " ^      ^",
        "the convolved label 'h' has a size in x and one in the kernel. Got h=3 for both. Reshape one of them so that "
        "'h' has an axis of its own.",
    ),
    (
        HALF,
        ((6,), (2, 2)),
        {"h": 4},
        " ^",
        f"`x` axis (h p) {LONG} Got 6 of shape (6,), and h=4 as given. Pass sizes that divide 6, or reshape `x`.",
    ),
    (
        N,
        SHAPES,
        {"n": 7},
        "  ^    ^",
        "label 'n' has its sizes from the shapes. Got n=7, 8 in x and 3 in the kernel. Leave it out.",
    ),
    (
        N,
        SHAPES,
        {"b": 0},
        "^",
        "sizes of labels must be at least 1. Got b=0. Leave it out where the shapes determine it.",
    ),
    (
        N,
        SHAPES,
        {"b": 3},
        "^",
        "label 'b' must have one size. Got 2 in x of shape (2, 8, 3) and 3 as given. "
        "Leave 'b' out of the sizes given, or give the size it has.",
    ),
    (
        N,
        SHAPES,
        {"stride": {"c": 2}},
        "    ^    ^",
        "`stride` names a label that is not convolved: 'c'. Got stride={'c': 2}; convolved are 'n'. "
        "Name those, or add it after the bar.",
    ),
    (
        N,
        SHAPES,
        {"boundary": {"z": "wrap"}},
        "                        ^",
        "`boundary` names a label that is not convolved: 'z'. Got boundary={'z': 'wrap'}; convolved are 'n'. "
        "Name those.",
    ),
    (
        "a, a -> a",
        ((3,), (3,)),
        {"padding": {"z": 1}},
        "         ^",
        "`padding` names a label that is not convolved: 'z'. Got padding={'z': 1}; convolved are none. Name those.",
    ),
    (
        N,
        SHAPES,
        {"dilation": (1, 2)},
        "                        ^",
        "`dilation` must be one value, one per convolved label, or a dict by label. Got 2 values (1, 2) for 1 "
        "convolved labels (n). Follow their order after the bar.",
    ),
    (
        "h w, h w -> h w | h w",
        ((5, 5), (3, 3)),
        {"stride": (1, 0)},
        "                    ^",
        "`stride` must be at least 1 on every axis. Got 0.",
    ),
    (N, SHAPES, {"upsample": 0}, "                        ^", "`upsample` must be at least 1 on every axis. Got 0."),
    (N, SHAPES, {"dilation": -1}, "                        ^", "`dilation` must be at least 1 on every axis. Got -1."),
    (
        N,
        SHAPES,
        {"padding": "sames"},
        "                        ^",
        f"`padding` must be one of {PADDINGS}. Got 'sames'. Did you mean 'same'?",
    ),
    (
        N,
        SHAPES,
        {"padding": [(1, 2, 3)]},
        "                        ^",
        "`padding` must be an int or a (before, after) pair per axis. Got (1, 2, 3).",
    ),
    (
        N,
        SHAPES,
        {"padding": -3},
        "  ^    ^",
        "the padded axis must hold the kernel. Got 8 samples, upsample 1, padding (-3, -3): 2 samples for 3 taps with "
        "dilation 1 (reach 3). Pad more or use a shorter kernel.",
    ),
    (
        N,
        SHAPES,
        {"boundary": "nearest"},
        "                        ^",
        "`boundary` must be one of 'constant', 'edge', 'symmetric', 'reflect', 'wrap'. Got 'nearest'. "
        "It is called 'edge' here.",
    ),
    (
        N,
        ((2, 0, 3), (3, 3, 4)),
        {"padding": 2, "boundary": "edge"},
        "  ^    ^",
        "boundary 'edge' extends the data, but the axis has 0 samples. Use boundary='constant'.",
    ),
]


@pytest.mark.parametrize(
    ("pattern", "shapes", "options", "carets", "text"), REFUSALS, ids=[row[-1][:60] for row in REFUSALS]
)
def test_contradictions_are_shown_under_carets(pattern, shapes, options, carets, text):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the full text is compared
        arrayconv.einconv(pattern, *map(np.ones, shapes), **options)
    assert str(refusal.value) == f"einconv: {text}\n  {pattern}\n  {carets}"


@pytest.mark.parametrize(
    ("pattern", "shapes", "options", "carets", "text"), REFUSALS, ids=[row[-1][:60] for row in REFUSALS]
)
def test_explain_words_contradictions_as_the_call(pattern, shapes, options, carets, text):
    own = {name: value for name, value in options.items() if len(name) > 1}
    sizes = {name: value for name, value in options.items() if name not in own}
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the full text is compared
        arrayconv.explain(*shapes, pattern=pattern, sizes=sizes, **own)
    text = re.sub(
        r"Give (\w)=(?: or (\w)=)?\.", lambda m: f"Give {' or '.join(filter(None, m.groups()))} in `sizes`.", text
    )
    assert str(refusal.value) == f"explain: {text}\n  {pattern}\n  {carets}"


def test_unknown_labels_and_options_are_refused_like_keywords():
    with pytest.raises(TypeError) as refusal:
        arrayconv.einconv(N, *map(np.ones, SHAPES), strides=2)
    assert str(refusal.value) == (
        "einconv: no label and no option is called 'strides'. Got strides=2. The labels are 'b', 'c', 'n', 'o'.\n"
        f"  {N}\n  ^ ^ ^      ^"
    )


WRONG_TYPES = [
    (3, {}, "`pattern` must be a string. Got int."),
    (["b n", "n"], {}, "`pattern` must be a string. Got list."),
    (N, {"b": 1.5}, "`b` must be an integer. Got 1.5."),
    (N, {"stride": 1.5}, "`stride` must be an integer. Got 1.5."),
    (N, {"stride": {"n": 2.0}}, "`stride` must be an integer. Got 2.0."),
    (N, {"fill_value": 1j}, "`fill_value` must fit the result's dtype float64. Got 1j. "
                            "Pass a wider dtype=, or a fill of its kind."),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "options", "text"), WRONG_TYPES, ids=[row[-1][:50] for row in WRONG_TYPES])
def test_wrong_types_are_refused(pattern, options, text):
    arrayconv.einconv(N, *map(np.ones, SHAPES), stride=2)  # an equal key would return this call for 2.0
    with pytest.raises(TypeError) as refusal:
        arrayconv.einconv(pattern, *map(np.ones, SHAPES), **options)
    assert str(refusal.value) == f"einconv: {text}"


def test_padding_must_be_a_name_a_number_or_a_pair():
    for padding in (1.5, None, {"n": (1, "same")}, {"n": None}):
        with pytest.raises(
            (TypeError, ValueError), match=r"^einconv: `padding` must be .*a \(before, after\) pair.* Got "
        ):
            arrayconv.einconv("n, n -> n | n", np.ones(8), np.ones(3), padding=padding)


@pytest.mark.parametrize("option", [{"stride": 3}, {"dilation": 3}, {"upsample": 3}])
def test_labels_that_a_dict_leaves_out_have_the_default(option):
    (name, value), x, kernel = *option.items(), np.arange(63.0).reshape(7, 9), np.arange(1.0, 7).reshape(2, 3)
    first, second = (
        arrayconv.einconv("h w, h w -> h w | h w", x, kernel, **{name: entry}) for entry in ({"w": value}, (1, value))
    )
    np.testing.assert_array_equal(first, second)
