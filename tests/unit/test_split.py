"""Phases, borders and blocks cover every output once and read what the definition reads."""

from itertools import product
from math import prod

import pytest

from arrayconv._problem import gradient, partition, split
from arrayconv._problem.boundary import BOUNDARIES, FILL, distinct_runs
from tests import oracle
from tests.cases import CASES, axis, spec
from tests.listing import offenders


def pairs_by_output(axis):
    """Return, per output, the (tap, position in x before extension) pairs of the definition."""
    pairs = []
    for p in range(axis.outputs):
        at = {k: axis.stride * p + axis.dilation * k - axis.before for k in range(axis.taps)}
        pairs.append({(k, u // axis.upsample) for k, u in at.items() if u % axis.upsample == 0})
    return pairs


def pieces(spec, shape, extends=frozenset(), slabs=True):
    return list(partition.partition(spec, shape, extends=extends, slabs=slabs).pieces())


def named(extends):
    """Return an id that is the same in every process: a set's own order is not."""
    return "+".join(sorted(extends)) or "nothing"


AXES = [axis for case in CASES for axis in case.spec.axes]


def test_phases_read_what_the_definition_reads():
    axes = [*AXES, axis(9, 7, 25, upsample=6, stride=4, dilation=9, before=11)]
    assert offenders(axes, phases_read_what_the_definition_reads) == {}


def phases_read_what_the_definition_reads(one):
    expected, by_output = pairs_by_output(one), {}
    for phase in split.phases(one):
        inner = phase.axis
        assert inner.upsample == 1
        for q in range(inner.outputs):
            output = phase.first_output + q * phase.output_step
            assert output not in by_output
            by_output[output] = {
                (phase.first_tap + j * phase.tap_step, inner.stride * q + inner.dilation * j - inner.before)
                for j in range(inner.taps)
            }
    assert [by_output[p] for p in range(one.outputs)] == expected


def cells(box):
    return set(product(*(range(first, stop) for first, stop in box)))


def test_onion_covers_every_output_once():
    assert offenders(CASES, onion_covers_every_output_once, lambda case: case.name) == {}


def onion_covers_every_output_once(case):
    axes = [phase.axis for one in case.spec.axes for phase in split.phases(one)[:1]]
    boxes = list(split.interior_and_borders(axes))
    assert sum(len(cells(box)) for box in boxes) == prod(axis.outputs for axis in axes)
    assert set().union(*map(cells, boxes)) == cells([(0, axis.outputs) for axis in axes])
    assert len(boxes) <= 1 + 2 * len(axes)


def test_inner_range_is_where_windows_lie_inside():
    assert offenders(AXES, inner_range_is_where_windows_lie_inside) == {}


def inner_range_is_where_windows_lie_inside(one):
    inner = one._replace(upsample=1)
    first, stop = split.inner_range(inner)
    for p in range(inner.outputs):
        lo, hi = inner.span(p, p + 1)
        assert (first <= p < stop) == (lo >= 0 and hi <= inner.size)


def test_axes_say_whether_outputs_read_beyond_their_ends():
    assert offenders(AXES, axes_say_whether_outputs_read_beyond_their_ends) == {}


def axes_say_whether_outputs_read_beyond_their_ends(one):
    places = [one.stride * p + one.dilation * k - one.before for p in range(one.outputs) for k in range(one.taps)]
    beyond = any(not 0 <= place < one.upsampled_size for place in places)
    assert one.leaves_data == beyond
    assert one.wraps_around == (beyond and one.boundary == "wrap")


@pytest.mark.parametrize("extends", [set(), {"zero"}, {"wrap"}, {"zero", "wrap"}, {"all"}], ids=named)
@pytest.mark.parametrize("small", [0, 1 << 19])
def test_pieces_cover_the_result_and_read_the_extension(extends, small, monkeypatch):
    monkeypatch.setattr(partition, "SMALL", small)
    rows = [(case, block) for case in CASES for block in (1, 2, 100)]

    def law(row):
        pieces_cover_the_result_and_read_the_extension(*row, extends)

    assert offenders(rows, law, lambda row: f"{row[0].name}, blocks of {row[1]}") == {}


def pieces_cover_the_result_and_read_the_extension(case, block, extends):
    shape = (block, block, *(block for _ in case.spec.axes))
    parts = pieces(case.spec, shape, extends)
    written = 0
    for piece in parts:
        assert max(piece.spec.batch, piece.spec.groups, *piece.spec.output_size) <= block
        written += piece.spec.outputs
        for whole, part, source in zip(case.spec.axes, piece.spec.axes, piece.source, strict=True):
            samples = sum(run.length for run in source)
            assert samples == part.size
            if not extends:
                assert part.before == 0
                assert part.span(0, part.outputs)[1] <= part.size
            assert all(run.start == FILL or 0 <= run.start < max(whole.size, 1) for run in distinct_runs(source))
    read_by_some_tap = [[bool(pairs) for pairs in pairs_by_output(one)] for one in case.spec.axes]
    outputs = case.spec.batch * case.spec.groups * case.spec.filters * prod(sum(flags) for flags in read_by_some_tap)
    assert written == outputs


def test_small_problems_are_extended_whole_and_large_ones_in_slabs():
    small = spec(axis(100, 3, 100, before=1), axis(100, 3, 100, before=1))
    large = spec(axis(1000, 3, 1000, before=1), axis(1000, 3, 1000, before=1))
    everything = (1, 1, 10**6, 10**6)
    assert len(pieces(small, everything)) == 1
    parts = pieces(large, everything)
    assert len(parts) == 5
    copied = [piece for piece in parts if any(len(source) > 1 for source in piece.source)]
    assert sum(prod(piece.spec.input_size) for piece in copied) < 4 * 3 * 1002


def test_blocks_shrink_the_batch_first_then_the_axis_longest_in_reaches():
    sizes, reaches = (8, 2, 100, 100), (50, 5)
    assert split.block_shape(sizes, reaches, prod, 10**4, rows=False) == (1, 1, 100, 100)
    assert split.block_shape(sizes, reaches, prod, 5000, rows=False) == (1, 1, 100, 50)
    assert split.block_shape(sizes, reaches, prod, 5000, rows=True) == (1, 1, 50, 100)
    assert split.block_shape(sizes, reaches, lambda shape: 10, 9, rows=True) is None


@pytest.mark.parametrize(
    ("least", "shape"), [((50, 5), (1, 1, 50, 7)), ((51, 40), (1, 1, 100, 50)), ((200, 200), (1, 1, 100, 100))]
)
def test_blocks_leave_the_least_however_large_they_are(least, shape):
    assert split.block_shape((8, 2, 100, 100), (50, 5), prod, 10, rows=True, least=least) == shape


def test_oracle_on_a_hand_worked_figure():
    x, w = oracle.exact([[[[1, 2, 3, 4, 5]]]]).reshape(1, 1, 1, 5), oracle.exact([[[[1, 10]]]]).reshape(1, 1, 1, 2)
    same = spec(axis(5, 2, 5, before=1))
    assert oracle.operation(x, w, same).ravel().tolist() == [10, 21, 32, 43, 54]
    assert oracle.operation(x, w, same._replace(flip=True)).ravel().tolist() == [1, 12, 23, 34, 45]


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("size", range(1, 7))
def test_samples_cut_out_are_extended_as_the_whole_axis_is(size, boundary):
    for lo, length in product(range(-20, 20), range(1, 9)):
        whole = axis(size, 1, length, before=-lo, boundary=boundary)
        cut, source = split.cut(whole, 0, length, {"all"})
        positions = [run.start + run.step * i for run in source for i in range(run.length)]
        assert len(positions) == cut.size
        places = [oracle.source(p - cut.before, cut.size, boundary) for p in range(length)]
        read = [FILL if place is None else positions[place] for place in places]
        expected = [oracle.source(p, size, boundary) for p in range(lo, lo + length)]
        assert read == [FILL if place is None else place for place in expected]


def test_outputs_of_a_partition_are_those_of_its_pieces():
    for case in CASES:
        for block in ((1, 1, *(2 for _ in case.spec.axes)), (9, 9, *(99 for _ in case.spec.axes))):
            whole = partition.partition(case.spec, block, extends=frozenset(), slabs=False)
            expected = sum(piece.spec.outputs for piece in whole.pieces())
            assert whole.outputs == expected == whole._replace(cached_pieces=()).outputs
            if all(one.upsample == 1 for one in case.spec.axes):
                assert expected == case.spec.outputs


def test_x_extended_by_its_borders_is_read_inside_at_the_same_samples():
    assert offenders(AXES, extended_axis_reads_what_the_definition_reads) == {}


def extended_axis_reads_what_the_definition_reads(one):
    one = one._replace(boundary="constant")
    (extended,), (border,) = gradient.on_extended(spec(one)).axes, gradient.border_runs(spec(one))
    samples = [run.start + run.step * n if run.start != FILL else None for run in border for n in range(run.length)]
    samples = samples or list(range(one.size))
    assert all(0 <= place < len(samples) for pairs in pairs_by_output(extended) for _, place in pairs)
    read = [{(k, samples[place]) for k, place in pairs} for pairs in pairs_by_output(extended)]
    inside = [{(k, u if 0 <= u < one.size else None) for k, u in pairs} for pairs in pairs_by_output(one)]
    assert read == inside
    assert [n for n in samples if n is not None] == list(range(one.size))
    assert extended.size == len(samples)


@pytest.mark.parametrize(("channels", "is_large"), [(1, False), (4, True)])
def test_borders_are_slabs_where_the_samples_of_all_channels_are_many(channels, is_large):
    side = axis(side_length := int(partition.SMALL**0.5) - 1, 3, side_length, before=1, boundary="reflect")
    problem = spec(side, side, channels=channels)
    whole = partition.partition(problem, (1, 1, side_length, side_length), extends=frozenset(), slabs=True)
    assert whole.num_pieces == len(list(split.boxes([split.phases(side)[0]] * 2, slabs=is_large)))


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_only_zeros_are_padded_by_methods_that_pad(boundary):
    one = axis(9, 3, 9, before=1, boundary=boundary)
    assert split.handles_zeros(one, {"zero"}) is (boundary == "constant")
    assert not split.handles_zeros(one, {"wrap"})
