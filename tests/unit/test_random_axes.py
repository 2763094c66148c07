"""Phases, cuts, gathers, gradients and partitions of random axes use, tap by tap, the samples of the definition.

`ARRAYCONV_AXES` is the number of axes that each test draws.
"""

import os
import random
from collections import Counter
from itertools import product

import pytest

from arrayconv._problem import gather, gradient, partition, split
from arrayconv._problem.boundary import BOUNDARIES, FILL, Cycle, period
from arrayconv._problem.spec import Axis
from arrayconv._runtime import caches
from tests import oracle
from tests.cases import spec

COUNT = int(os.environ.get("ARRAYCONV_AXES", "150"))
EXTENDS = [frozenset(names) for names in ((), ("zero",), ("wrap",), ("zero", "wrap"), ("all",))]


def axes(seed, *, upsampled):
    """Yield axes of a few samples; one in five reads far from its data."""
    draw = random.Random(seed)
    for _ in range(COUNT):
        boundary = draw.choice(BOUNDARIES)
        yield Axis(
            size=draw.randint(int(boundary != "constant"), 6),
            taps=draw.randint(1, 5),
            outputs=draw.randint(1, 7),
            stride=draw.randint(1, 4),
            dilation=draw.randint(1, 4),
            upsample=draw.randint(1, 6) if upsampled else 1,
            before=draw.randint(-6, 10) if draw.randrange(5) else draw.randint(-90, 90),
            boundary=boundary,
        )


@pytest.fixture(params=["near", "gathered"])
def distance(request, monkeypatch):
    """Gather axes that span a few samples more than they read, too."""
    if request.param == "gathered":
        monkeypatch.setattr(gather, "_MAX_UNGATHERED", 1)
        monkeypatch.setattr(gather, "_SPARSE", 1)
    caches.clear()
    yield request.param
    caches.clear()


def definition(one):
    """Return per output its (tap, sample) pairs, with None for the fill."""
    return [
        {
            (tap, oracle.source(at // one.upsample, one.size, one.boundary))
            for tap in range(one.taps)
            if (at := one.stride * output + one.dilation * tap - one.before) % one.upsample == 0
        }
        for output in range(one.outputs)
    ]


def samples(source):
    """Return the samples of the runs that make up a piece."""
    result = []
    for run in source:
        if isinstance(run, Cycle):
            result += samples(run.runs) * run.periods
        else:
            result += [None if run.start == FILL else run.start + run.step * n for n in range(run.length)]
    return result


def on_piece(part, source):
    """Return what `definition` does, of an axis on a piece of x."""
    numbers = samples(source)
    assert len(numbers) == part.size
    return [{(tap, None if n is None else numbers[n]) for tap, n in pairs} for pairs in definition(part)]


def test_live_phases_are_the_outputs_that_some_tap_writes():
    for one in axes(1, upsampled=True):
        expected, by_output = definition(one), {}
        for phase in split.live_phases(one):
            assert phase.axis.upsample == 1
            for number, pairs in enumerate(definition(phase.axis)):
                output = phase.first_output + number * phase.output_step
                assert output not in by_output
                by_output[output] = {(phase.first_tap + tap * phase.tap_step, sample) for tap, sample in pairs}
        assert [by_output.get(output, set()) for output in range(one.outputs)] == expected, one


@pytest.mark.parametrize("extends", EXTENDS, ids=lambda names: "+".join(sorted(names)) or "nothing")
def test_cuts_read_the_samples_of_their_outputs(extends, distance):
    draw = random.Random(3)
    for one in axes(2, upsampled=False):
        first = draw.randrange(one.outputs)
        for start, stop in ((0, one.outputs), (first, draw.randint(first + 1, one.outputs))):
            part, source = split.cut(one, start, stop, extends)
            assert on_piece(part, source) == definition(one)[start:stop], one
            assert all(run.length > 0 for run in source)
            lo, hi = part.span(0, part.outputs)
            if gather.needs_gather(one) or not extends:
                assert lo >= 0
                assert hi <= part.size
            elif "all" not in extends and one.boundary == "constant" and part.leaves_data:
                assert -lo < part.reach  # a window without samples is not left to a method that pads
                assert hi - part.size < part.reach
            whole_wrap = split.handles_wrap(one, extends) and (start, stop) == (0, one.outputs)
            if "all" not in extends and not whole_wrap and not ("zero" in extends and one.boundary == "constant"):
                assert part.size == hi - lo or gather.needs_gather(one)  # no sample that no window spans


def test_gathered_axes_are_at_most_twice_the_products():
    for one in axes(4, upsampled=False):
        part, source = gather.gather(one, 0, one.outputs)
        assert on_piece(part, source) == definition(one), one
        assert part.size == gather.gathered_axis(one, one.outputs).size <= 2 * one.taps * one.outputs
        assert all(run.length > 0 for run in source)


def test_simplified_axes_read_next_to_the_data():
    for one in axes(5, upsampled=False):
        near = gather.simplify(one)
        assert definition(near) == definition(one), one
        assert near.stride == 1 or near.outputs > 1
        assert near.dilation == 1 or near.taps > 1
        lo, hi = near.span(0, near.outputs)
        if near.size:
            whole = period(near.size, near.boundary)
            assert (hi >= 0 and lo <= near.size) if whole is None else -whole <= lo < whole, one


@pytest.mark.parametrize("upsampled", [False, True])
def test_gradients_have_the_products_of_the_operation(upsampled, distance):
    for one in axes(6, upsampled=upsampled):
        pairs = [(sample, tap, p) for p, read in enumerate(definition(one)) for tap, sample in read]
        back = gradient.input_gradient(spec(one, flip=False))
        (transposed,), (fold,) = back.spec.axes, back.folds
        assert back.spec.flip
        positions = samples(fold)
        assert len(positions) == transposed.outputs
        terms = Counter(
            (positions[place], one.taps - 1 - tap, p)
            for place, read in enumerate(definition(transposed))
            for tap, p in read
            if p is not None and positions[place] is not None
        )
        assert terms == Counter(term for term in pairs if term[0] is not None), one
        (of_taps,) = gradient.kernel_gradient(spec(one)).axes
        terms = Counter((sample, tap, p) for tap, read in enumerate(definition(of_taps)) for p, sample in read)
        assert terms == Counter(pairs), one


def test_gradients_reach_no_further_than_the_outputs_read():
    for one in axes(7, upsampled=True):
        (transposed,), (fold,) = (back := gradient.input_gradient(spec(one))).spec.axes, back.folds
        if one.boundary == "constant":
            assert samples(fold) == list(range(one.size))
        elif one.upsample > 1 or not gather.needs_gather(one):
            assert transposed.outputs == len([n for n in range(*one.span(0, one.outputs)) if n % one.upsample == 0])


def test_outputs_on_x_extended_by_its_borders_read_no_constants():
    for one in axes(8, upsampled=True):
        (on,), (border,) = gradient.on_extended(spec(one)).axes, gradient.border_runs(spec(one))
        reads_fill = any(sample is None for read in definition(one) for _, sample in read)
        if not border:
            assert not reads_fill
            assert on == one
        else:
            assert on_piece(on, border) == definition(one), one
            assert all(n is not None for read in definition(on) for _, n in read)
            lo, hi = one.span(0, one.outputs)
            first = samples(border).index(0) if one.size else 0
            assert first == 0 or lo <= -first * one.upsample, one  # no constant that no window spans
            assert not one.size or on.size - first == one.size or (on.size - first - 1) * one.upsample < hi, one
        if one.upsample == 1:
            assert bool(border) == (one.boundary == "constant" and one.leaves_data)


def test_an_axis_whose_windows_are_inside_has_no_border():
    for one in (Axis(9, 3, 7), Axis(9, 3, 4, stride=2), Axis(9, 3, 15, upsample=2), Axis(9, 1, 9)):
        assert gradient.border_runs(spec(one)) == ((),)
        assert gradient.on_extended(spec(one)) == spec(one)


def test_an_axis_without_outputs_reads_no_border():
    for before in (-9, 0, 9):
        assert gradient.border_runs(spec(Axis(5, 3, 0, before=before))) == ((),)
        assert gradient.on_extended(one := spec(Axis(5, 3, 0, before=before))) == one


def test_outputs_inside_are_those_whose_windows_are():
    for one in axes(9, upsampled=False):
        first, stop = split.inner_range(one)
        for output in range(one.outputs):
            lo, hi = one.span(output, output + 1)
            assert (first <= output < stop) == (lo >= 0 and hi <= one.size), one
        assert all(start < end for box in split.interior_and_borders([one, one]) for start, end in box)


@pytest.mark.parametrize("cached", [0, 512])
@pytest.mark.parametrize("slabs", [False, True])
def test_pieces_write_every_output_once_from_its_samples(slabs, cached, distance, monkeypatch):
    monkeypatch.setattr(partition, "_MAX_CACHED_PIECES", cached)
    monkeypatch.setattr(partition, "SMALL", 0)
    draw = random.Random(10)
    some = list(axes(11, upsampled=True))
    for one, other in zip(some[::4], some[1::4], strict=False):
        problem = spec(one, other, batch=3, groups=2, flip=True, conj=True)
        block = (draw.randint(1, 3), draw.randint(1, 2), draw.randint(1, 4), draw.randint(1, 7))
        whole = partition.partition(problem, block, extends=draw.choice(EXTENDS), slabs=slabs)
        pieces_write_every_output_once(whole, block)


@pytest.mark.parametrize("extends", EXTENDS, ids=lambda names: "+".join(sorted(names)) or "nothing")
def test_segments_are_runs_of_blocks_with_equal_specs(extends):
    draw = random.Random(12)
    for one in axes(13, upsampled=False):
        one = one._replace(size=one.size + draw.randint(0, 30), outputs=one.outputs + draw.randint(0, 30))
        first = draw.choice([0, draw.randrange(one.outputs)])
        blocks = partition.Blocks(first, draw.randint(first + 1, one.outputs), draw.randint(1, 6))
        segments = list(partition._segments(one, blocks, extends))
        starts, stops = [segment.first for segment in segments], [segment.stop for segment in segments]
        assert (starts[0], stops[-1]) == (blocks.first, blocks.stop)
        assert starts[1:] == stops[:-1]
        specs = [[split.cut(one, *part.at(n), extends)[0] for n in range(part.num_blocks)] for part in segments]
        assert all(len(set(of)) == 1 for of in specs), one
        full = [blocks.at(number) for number in range(blocks.length // blocks.size)]
        inside = [start for start, stop in full if (span := one.span(start, stop))[0] >= 0 and span[1] <= one.size]
        assert len({sum(start <= at for start in starts) for at in inside}) <= 1, one  # in one segment
        assert len(segments) <= 3 + len(full) - len(inside), one
        for part, after, own, other in zip(segments, segments[1:], specs, specs[1:], strict=False):
            starts_before = one.stride * part.first < one.before and after.length >= blocks.size
            if starts_before and extends and not gather.needs_gather(one):
                assert own[0] != other[0], one


def pieces_write_every_output_once(whole, block):
    problem = whole.spec
    expected = [definition(one) for one in problem.axes]
    written, kernels = Counter(), Counter()
    for number in range(whole.num_pieces):
        piece = whole.at(number)
        outputs = [range(one.outputs)[part] for one, part in zip(problem.axes, piece.target, strict=True)]
        for axis, one in enumerate(problem.axes):
            taps = range(one.taps)[piece.taps[axis]]
            read = on_piece(piece.spec.axes[axis], piece.source[axis])
            read = [{(taps[tap], sample) for tap, sample in pairs} for pairs in read]
            assert read == [expected[axis][output] for output in outputs[axis]]
        assert not piece.spec.flip
        assert not piece.spec.conj
        assert (piece.spec.batch, piece.spec.groups) == tuple(b - a for a, b in (piece.batch, piece.groups))
        assert all(n <= most for n, most in zip(piece.spec.output_shape[:2], block[:2], strict=True))
        assert all(n <= most for n, most in zip(piece.spec.output_size, block[2:], strict=True))
        written.update(product(range(*piece.batch), range(*piece.groups), *outputs))
        kernels[whole.prepared_kernel(number)] += 1
        prepared = (piece.groups, str(piece.taps), piece.spec._replace(batch=1))
        assert prepared == kernel_of(whole, number)
    assert set(written.values()) <= {1}
    live = [[output for output, pairs in enumerate(read) if pairs] for read in expected]
    assert set(written) == set(product(range(problem.batch), range(problem.groups), *live))
    assert all(pieces == count for (_, pieces), count in kernels.items())
    order = [whole.prepared_kernel(number)[0] for number in range(whole.num_pieces)]
    assert order == sorted(order)
    assert whole.outputs == len(written)


def kernel_of(whole, number):
    """Return what the first piece with the prepared kernel of this one needs of the kernel."""
    kernel = whole.prepared_kernel(number)
    first = next(whole.at(n) for n in range(whole.num_pieces) if whole.prepared_kernel(n) == kernel)
    return first.groups, str(first.taps), first.spec._replace(batch=1)
