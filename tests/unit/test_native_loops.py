"""The compiled loop over rows agrees with the definition for any terms and layout in memory."""

import numpy as np
import pytest

import arrayconv
from arrayconv import _accel, einconv, nn
from arrayconv._accel.native import loader, tables, team
from arrayconv._accel.native import rows as shared
from arrayconv._arrays.failures import AcceleratorFailed
from arrayconv._calls import cache
from arrayconv._costs import parallel
from arrayconv._plan import plan as planner
from arrayconv._problem import partition
from arrayconv._runtime import threads
from tests import cases, running
from tests.conftest import make_library

needs_code = pytest.mark.skipif(not loader.built(), reason="the loops were not built: no C compiler")
pytestmark = needs_code


@pytest.fixture
def method():
    return "native_loops"


def agrees(x, w, spec, dtype, method):
    running.assert_definition(make_library("numpy"), x, w, spec, dtype, method)


def images(batch, size, channels, filters=4):
    return cases.spec(*[cases.axis(size, 3, size, before=1)] * 2, batch=batch, channels=channels, filters=filters)


def refuse_threads(*arguments, **options):
    raise AssertionError("a loop asks for threads")


def test_many_images_of_channels_are_extended_a_few_at_a_time(method):
    spec = images(64, 32, 16)
    plan = running.planned(make_library("numpy"), spec, "float32", method)
    assert plan.partition.num_pieces > 1
    for step in plan.partition.pieces():
        assert step.spec.output_size == spec.output_size, "an image is cut"
        assert step.spec.batch * 16 * 32 * 32 <= partition.SMALL


@pytest.mark.parametrize("spec", [images(1, 512, 4), images(64, 128, 1, filters=1)], ids=["large", "one-channel"])
def test_borders_are_slabs_where_extending_would_cost_more(spec, method):
    plan = running.planned(make_library("numpy"), spec, "float32", method)
    assert sum(step.spec.output_size in ((510, 510), (126, 126)) for step in plan.partition.pieces()) == 1
    assert plan.partition.num_pieces == 5


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_images_on_threads_of_their_own_start_no_others(dtype, method, monkeypatch):
    spec = images(16, 16, 16, filters=32)
    monkeypatch.setattr(team.Team, "assemble", refuse_threads)
    library = make_library("numpy")
    plan = running.planned(library, spec, dtype, method)
    halves = partition.partition(spec, (8, 1, 16, 16), extends=frozenset(), slabs=True)
    assert shared.threads_of(halves.cached_pieces[0].spec, plan.traits._replace(threads=2)).most == 2
    plan = plan._replace(partition=halves, num_parallel=2, traits=plan.traits._replace(threads=2))
    x, w = (np.round(8 * array).astype(dtype) for array in cases.operands(spec, "float32"))
    y = running.run(library, plan, x, w)
    whole = running.run(library, running.planned(library, spec, dtype, "direct"), x, w)
    np.testing.assert_array_equal(y, whole)


def test_images_on_threads_start_no_others_where_another_method_runs_instead(monkeypatch):
    spec, library = images(16, 16, 16, filters=16), make_library("numpy")
    monkeypatch.setattr(team.Team, "assemble", refuse_threads)
    other = running.planned(library, spec, "float32", "native_loops")
    halves = partition.partition(spec, (8, 1, 16, 16), extends=frozenset(), slabs=True)
    other = other._replace(partition=halves, num_parallel=2, traits=other.traits._replace(threads=2))
    plan = running.planned(library, spec, "float32", "native_tiles")._replace(requested="auto")

    loop = loader.loop

    def fails(job, *arguments):
        if job.loop == tables.TILES:
            raise AcceleratorFailed("native", "it is made to")
        return loop(job, *arguments)

    monkeypatch.setattr(loader, "loop", fails)
    monkeypatch.setattr(planner, "make", lambda *arguments: other)
    monkeypatch.setattr(_accel, "disable", lambda failure: None)
    with pytest.warns(RuntimeWarning, match="Method 'native_loops' runs instead"):
        running.run(library, plan, *cases.operands(spec, "float32"))


TERMS = {  # passes of nine, three and one term
    "one": cases.spec(cases.axis(9, 1)),
    "one-and-one": cases.spec(cases.axis(9, 2)),
    "three": cases.spec(cases.axis(9, 3)),
    "three-three-one": cases.spec(cases.axis(12, 7)),
    "nine": cases.spec(cases.axis(7, 3), cases.axis(6, 3)),
    "nine-nine-three-three-one": cases.spec(cases.axis(8, 5), cases.axis(9, 5)),
    "channels": cases.spec(cases.axis(8, 3), cases.axis(9, 2), channels=4, filters=2, groups=2, batch=2),
    "strided": cases.spec(cases.axis(9, 3), cases.axis(17, 4, stride=3, dilation=2)),
    "a-column": cases.spec(cases.axis(40, 3), cases.axis(4, 4)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128", "int8", "int16", "int32", "int64"])
@pytest.mark.parametrize("name", TERMS)
def test_passes_equal_the_definition(name, dtype, method):
    agrees(*cases.operands(TERMS[name], dtype), TERMS[name], dtype, method)


MEMORY = {  # layouts of x in memory
    "reversed": lambda x: x[..., ::-1, ::-1],
    "every-other": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "columns-first": lambda x: np.asfortranarray(x),
    "batch-adjacent": lambda x: np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0),
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
    "unaligned": lambda x: np.frombuffer(b"?" + x.tobytes(), x.dtype, offset=1).reshape(x.shape),
    "in-records": lambda x: np.rec.fromarrays([x, np.zeros(x.shape, "int8")]).f0,
}


@pytest.mark.parametrize("lie", MEMORY)
def test_any_memory_layout_is_read_in_place_or_copied(lie, method):
    spec = cases.spec(cases.axis(7, 3), cases.axis(5, 2, stride=2), batch=20)
    x, w = cases.operands(spec, "float32")
    agrees(MEMORY[lie](x), w, spec, "float32", method)


@pytest.mark.parametrize(("filters", "threads"), [(1, 2), (7, 2), (7, 3), (9, 5)])
def test_rows_longer_than_a_block_and_shared_by_threads(filters, threads, monkeypatch, method):
    monkeypatch.setattr(shared, "_ROW_BYTES", 64)
    count = parallel.Threads(threads, threads)  # parts that begin among the filters of a row
    monkeypatch.setattr(shared, "threads_of", lambda spec, traits: count)
    spec = cases.spec(cases.axis(9, 3), cases.axis(50, 3), batch=2, filters=filters)
    shared.job.cache_clear()
    try:
        agrees(*cases.operands(spec, "float64"), spec, "float64", method)
    finally:
        shared.job.cache_clear()


LAST = {  # which of x and y have their channels last
    "x": "b h w c, o c h w -> b o h w | h w",
    "y": "b c h w, o c h w -> b h w o | h w",
    "both": "b h w c, o c h w -> b h w o | h w",
}


@pytest.mark.parametrize("dtype", ["float32", "complex128", "int64"])
@pytest.mark.parametrize("last", LAST)
def test_contiguous_channels_are_copied_first(last, dtype, method, monkeypatch):
    jobs = []
    job = shared.job
    monkeypatch.setattr(shared, "job", lambda *table: jobs.append(table) or job(*table))
    random = np.random.default_rng(4)
    x_shape = (2, 3, 20, 30) if last == "y" else (2, 20, 30, 3)
    x, w = cases.numbers(random, x_shape, dtype), cases.numbers(random, (5, 3, 3, 2), dtype)
    for out in (False, True):
        expected = einconv(LAST[last], x, w, method="direct")
        y = einconv(LAST[last], x, w, method=method, out=np.empty_like(expected) if out else None)
        tolerance = 0 if dtype == "int64" else 1e-4 if dtype == "float32" else 1e-11
        np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance)
    steps = [job(*arguments).parts[0] for arguments in jobs[-2:]]
    assert all((table.x_step, table.y_step) == (1, 1) for table in steps)


@pytest.mark.parametrize("step", [1, 2, -1])
def test_the_result_is_written_to_out_of_any_step(step, method):
    spec = cases.spec(cases.axis(9, 3), cases.axis(9, 3), batch=2)
    x, w = cases.operands(spec, "float64")
    into = np.full((2, 7, 16), np.nan)[..., ::step][..., :7]
    y = arrayconv.correlate(x[:, 0, 0], w[0, 0], "valid", axes=(1, 2), method=method, out=into)
    assert y is into
    np.testing.assert_allclose(y, arrayconv.correlate(x[:, 0, 0], w[0, 0], "valid", axes=(1, 2), method="direct"))


@pytest.mark.parametrize("shape", [(900, 700), (3, 900, 300)])
def test_borders_of_large_arrays_equal_direct(shape, method):
    random = np.random.default_rng(1)
    x, w = random.standard_normal(shape), random.standard_normal((3,) * len(shape))
    for boundary in ("constant", "reflect"):
        y = arrayconv.convolve(x, w, "same", boundary=boundary, method=method)
        expected = arrayconv.convolve(x, w, "same", boundary=boundary, method="direct")
        np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)


def test_the_first_axis_of_an_image_gives_a_contiguous_result(method):
    x = np.random.default_rng(2).standard_normal((50, 40))
    y = arrayconv.convolve(x, [1.0, 2.0, 1.0], "valid", axes=0, method=method)
    assert y.flags.c_contiguous
    np.testing.assert_allclose(y, arrayconv.convolve(x, [1.0, 2.0, 1.0], "valid", axes=0, method="direct"))


def test_a_nan_reaches_only_the_outputs_whose_window_holds_it(method):
    running.assert_contains_nan(method)


CALLS = {  # (x, kernel, how): bound calls, of every layout of the doors
    "signal": ((40,), (5,), lambda x, k, **how: arrayconv.convolve(x, k, "same", **how)),
    "filled": ((40,), (5,), lambda x, k, **how: arrayconv.convolve(x, k, "full", fill_value=3, **how)),
    "lags": ((40,), (20,), lambda x, k, **how: arrayconv.correlate(x, k, lags=(-3, 2), **how)),
    "image": ((9, 8), (3, 2), lambda x, k, **how: arrayconv.convolve(x, k, "same", **how)),
    "a-part": ((9, 8), (3, 2), lambda x, k, **how: arrayconv.correlate(x, k, "valid", stride=2, **how)),
    "first-axis": ((9, 8), (3,), lambda x, k, **how: arrayconv.convolve(x, k, "same", axes=0, **how)),
    "middle-axis": ((1, 9, 5), (3,), lambda x, k, **how: arrayconv.convolve(x, k, "full", axes=1, **how)),
    "a-kernel-each": ((4, 9), (4, 3), lambda x, k, **how: arrayconv.convolve(x, k, "same", axes=1, **how)),
    "channels": ((2, 6, 9, 8), (4, 3, 3, 2), lambda x, k, **how: nn.conv2d(x, k, padding=1, groups=2, **how)),
    "channels-last": (
        (2, 9, 8, 3),
        (3, 2, 3, 4),
        lambda x, k, **how: einconv("b h w c, h w c o -> b h w o | h w", x, k, **how),
    ),
}


def test_axes_that_no_step_joins_go_the_long_way(method, monkeypatch):
    cache._calls.clear()
    x, kernel = np.random.default_rng(3).standard_normal((4, 9, 5)), np.ones(3)
    expected = arrayconv.convolve(x, kernel, "same", axes=1, method="direct")
    for _ in range(2):
        y = arrayconv.convolve(x, kernel, "same", axes=1, method=method)
        np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "complex128", "int64"])
@pytest.mark.parametrize("name", CALLS)
def test_remembered_calls_give_the_same_bits(name, dtype, method, monkeypatch):
    cache._calls.clear()
    x_shape, k_shape, call = CALLS[name]
    random = np.random.default_rng(3)
    x, kernel = cases.numbers(random, x_shape, dtype), cases.numbers(random, k_shape, dtype)
    first = call(x, kernel, method=method)
    np.testing.assert_array_equal(running.bound(x, kernel), first)
    np.testing.assert_array_equal(call(x, kernel, method=method), first)
    tolerance = 0 if dtype == "int64" else 1e-4 if dtype == "float32" else 1e-11
    np.testing.assert_allclose(running.bound(np.asfortranarray(x), kernel), first, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(first, call(x, kernel, method="direct"), rtol=tolerance, atol=tolerance)


def test_a_bias_is_added_to_remembered_calls(method, monkeypatch):
    cache._calls.clear()
    random = np.random.default_rng(4)
    x, kernel, bias = random.standard_normal((2, 3, 9)), random.standard_normal((4, 3, 3)), np.arange(4.0)
    first = nn.conv1d(x, kernel, bias, method=method)
    np.testing.assert_array_equal(running.bound(x, kernel, bias), first)
    np.testing.assert_array_equal(nn.conv1d(x, kernel, bias, method=method), first)
    np.testing.assert_allclose(first, nn.conv1d(x, kernel, method="direct") + bias[:, None], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("units", [1, 2, 3, 100])
def test_every_unit_is_computed_once_by_any_number_of_threads(monkeypatch, units):
    monkeypatch.setattr(threads, "usable", lambda: 2)
    computed = []
    threads.parallel_for(lambda first, stop: computed.extend(range(first, stop)), units, 100)
    assert sorted(computed) == list(range(units))


def test_an_error_in_a_thread_is_raised(monkeypatch):
    monkeypatch.setattr(threads, "usable", lambda: 2)

    def part(first, stop):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        threads.parallel_for(part, 10, 10)
