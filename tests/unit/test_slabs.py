"""One image by one kernel in slabs of transforms: by every provider, on every cut, the definition's sums."""

import importlib
from threading import get_ident
from time import sleep

import numpy as np
import pytest

import arrayconv
from arrayconv import _fft, config
from arrayconv._fft import slabs as _slabs
from arrayconv._runtime.threads import parallel_phases, usable
from arrayconv.testing import reference

PROVIDERS = [library for library in _fft.PROVIDERS if library != "torch"]  # torch has threads of its own
SHAPES = [((50, 40), (7, 5)), ((9, 200), (9, 1)), ((20, 31, 25), (3, 4, 5)), ((1, 6), (1, 2))]
two_cores = pytest.mark.skipif(usable() < 2, reason="one core: there is no second thread")


def normal(dtype, *shapes):
    random = np.random.default_rng(0)
    parts = [random.standard_normal((2, *shape)) for shape in shapes]
    return [(re + 1j * im if dtype.startswith("complex") else re).astype(dtype) for re, im in parts]


def agree(y, expected):
    """Raise AssertionError unless y is `expected` but for the rounding of transforms."""
    share = 1e-5 if y.dtype in ("float32", "complex64") else 1e-13  # of the largest value
    np.testing.assert_allclose(y, expected, rtol=0, atol=share * np.max(np.abs(expected), initial=0))


@pytest.mark.parametrize("block", [64, 1000, _slabs._BLOCK])
@pytest.mark.parametrize("is_spectrum", [False, True], ids=["taps", "spectrum"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize(("samples", "taps"), SHAPES)
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("library", PROVIDERS)
def test_slabs_sum_what_the_definition_sums(library, threads, samples, taps, dtype, is_spectrum, block, monkeypatch):
    pytest.importorskip(library, reason=f"{library} is not installed")
    monkeypatch.setattr(_slabs, "_BLOCK", block)
    slabs = importlib.import_module(_fft.PROVIDERS[library].module).with_threads(threads).slabs
    x, kernel = normal(dtype, samples, taps)
    x = np.swapaxes(np.swapaxes(x, 0, -1).copy(), 0, -1)  # the last axis is not the one whose samples are adjacent
    lengths = tuple(n + k + 3 for n, k in zip(samples, taps, strict=True))
    reads = (slice(0, samples[0], 2), *(slice(1, n) for n in samples[1:]))
    factor = kernel
    if is_spectrum:
        transform = np.fft.rfftn if dtype.startswith("float") else np.fft.fftn
        factor = transform(kernel, s=lengths, axes=range(len(lengths))).astype(np.result_type(dtype, np.complex64))
    before = x.copy(), factor.copy()
    y = slabs.circular(x.shape, factor.shape, dtype, lengths, reads, is_spectrum=is_spectrum).convolve(x, factor)
    wide = dtype.replace("32", "64").replace("complex64", "complex128")
    assert y.dtype == dtype
    agree(y, reference("convolve", *normal(wide, samples, taps))[reads])
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(factor, before[1])


@pytest.mark.parametrize("library", PROVIDERS)
def test_a_kernel_as_long_as_the_transform_is_no_spectrum(library):
    pytest.importorskip(library, reason=f"{library} is not installed")
    slabs = importlib.import_module(_fft.PROVIDERS[library].module).with_threads(2).slabs
    x, kernel = normal("float64", (4, 3), (8, 6))
    circle = slabs.circular(x.shape, kernel.shape, "float64", (8, 6), (slice(3, 8), slice(2, 6)), is_spectrum=False)
    y = circle.convolve(x, kernel)
    agree(y, reference("convolve", x, kernel)[3:8, 2:6])


def in_slabs(monkeypatch):
    """Return the list of convolutions by slabs from now on: whether by a cached spectrum, whether as a whole call."""
    calls, convolve = [], _slabs.CircularConvolution.convolve

    def counted(self, *arrays, guarded=False):
        calls.append(("spectrum" if self.kernel is None else "taps", "call" if guarded else "step"))
        return convolve(self, *arrays, guarded=guarded)

    monkeypatch.setattr(_slabs.CircularConvolution, "convolve", counted)
    return calls


OPTIONS = {
    "full": {},
    "same": {"mode": "same"},
    "valid": {"mode": "valid"},
    "stride": {"mode": "same", "stride": (2, 3)},
    "dilation": {"dilation": 2},
    "reflect": {"mode": "same", "boundary": "reflect"},
    "fill": {"mode": "same", "fill_value": 2.5},
}


@pytest.mark.parametrize("library", PROVIDERS)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("dtype", ["float64", "complex64"])
def test_an_image_by_a_large_kernel_is_shared_by_slabs(library, options, dtype, monkeypatch):
    pytest.importorskip(library, reason=f"{library} is not installed")
    x, kernel = normal(dtype, (401, 380), (150, 131))
    calls = in_slabs(monkeypatch)
    with config.using(accelerators={"numpy", library}):
        y = arrayconv.convolve(x, kernel, method="fft", **options)
    assert calls == [("taps", "call")]
    with config.using(accelerators=set()):
        agree(y, arrayconv.convolve(x, kernel, method="fft", **options))


def test_a_cached_kernel_is_a_spectrum_for_slabs(monkeypatch):
    x, kernel = normal("float64", (401, 380), (150, 131))
    calls = in_slabs(monkeypatch)
    convolver = arrayconv.Convolver(kernel, mode="same", method="fft")
    first, second = convolver(x), convolver(x)
    assert calls == [("spectrum", "call")] * 2
    np.testing.assert_array_equal(first, second)
    agree(first, arrayconv.convolve(x, kernel, "same", method="fft"))


def test_non_finite_numbers_contaminate_their_windows_alone(monkeypatch):
    x, kernel = normal("float64", (401, 380), (150, 131))
    x[200, 100], x[3, 3] = np.inf, np.nan
    calls = in_slabs(monkeypatch)
    y = arrayconv.convolve(x, kernel, method="fft")
    assert calls == [("taps", "call"), ("taps", "step")]
    bad = np.zeros(y.shape, bool)
    bad[200:350, 100:231] = bad[3:153, 3:134] = True
    np.testing.assert_array_equal(np.isnan(y), bad)


def test_tensors_are_shared_by_slabs_too(monkeypatch):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x, kernel = normal("float32", (401, 380), (150, 131))
    calls = in_slabs(monkeypatch)
    with config.using(accelerators={"numpy", "scipy"}):
        y = arrayconv.convolve(torch.from_numpy(x), torch.from_numpy(kernel), method="fft")
        np.testing.assert_array_equal(y.numpy(), arrayconv.convolve(x, kernel, method="fft"))
    assert calls == [("taps", "call")] * 2


class TestWholeCalls:
    """Bound calls test the samples slab by slab; slabs with samples to contain are computed by another function."""

    @staticmethod
    def unbound(x, kernel, function=arrayconv.convolve, **options):
        """Return the result of a call that is never cached."""
        shape = function(x, kernel, method="fft", **options).shape
        out = np.empty(shape, np.result_type(x, kernel))
        return function(x, kernel, method="fft", out=out, **options)

    @pytest.mark.parametrize("threads", [1, 2])
    @pytest.mark.parametrize("function", [arrayconv.convolve, arrayconv.correlate])
    @pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
    @pytest.mark.parametrize(
        "options",
        [{}, {"mode": "same"}, {"mode": "valid", "stride": 2}, {"mode": "same", "dilation": (2, 1)}],
        ids=["full", "same", "valid-stride", "dilation"],
    )
    def test_equal_calls_that_are_not_bound(self, options, dtype, function, threads, monkeypatch):
        x, kernel = normal(dtype, (370, 390), (15, 12))
        calls = in_slabs(monkeypatch)
        with config.using(threads=threads):
            y = function(x, kernel, method="fft", **options)
            assert calls == [("taps", "call")]
            np.testing.assert_array_equal(y, self.unbound(x, kernel, function, **options))
        with config.using(accelerators=set()):
            agree(y, function(x, kernel, method="direct", **options))

    @pytest.mark.parametrize("dtype", ["float32", "complex64"])
    @pytest.mark.parametrize(("scale", "taps_scale"), [(1e-30, 1), (1, 1e-25), (1e25, 1e10), (1e-25, 1e25)])
    def test_scale_values_that_would_leave_the_range(self, scale, taps_scale, dtype, monkeypatch):
        wide = dtype.replace("32", "64").replace("complex64", "complex128")
        x, kernel = normal(dtype, (60, 50), (9, 8))
        x, kernel = (x * scale).astype(dtype), (kernel * taps_scale).astype(dtype)
        calls = in_slabs(monkeypatch)
        y = arrayconv.convolve(x, kernel, method="fft")
        assert calls == [("taps", "call"), ("taps", "step")]
        agree(y, arrayconv.convolve(x.astype(wide), kernel.astype(wide), method="direct"))

    def test_judge_an_image_as_a_whole(self, monkeypatch):
        """Slabs of it may be empty, or nearly."""
        monkeypatch.setattr(_slabs, "_BLOCK", 1000)
        x, kernel = normal("float32", (60, 50), (9, 8))
        x[:20], x[20:40] = 0, x[20:40] * 1e-30
        calls = in_slabs(monkeypatch)
        arrayconv.convolve(x, kernel, method="fft")
        assert calls == [("taps", "call")]

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, complex(0, np.nan), complex(1, -np.inf)])
    @pytest.mark.parametrize("place", ["x", "kernel"])
    def test_leave_bad_samples_where_they_are_read(self, place, bad, monkeypatch):
        x, kernel = normal("complex128" if isinstance(bad, complex) else "float64", (60, 50), (9, 8))
        (x if place == "x" else kernel)[5, 6] = bad
        calls = in_slabs(monkeypatch)
        y = arrayconv.convolve(x, kernel, "same", method="fft")
        assert calls[0] == ("taps", "call")
        assert len(calls) == 2
        with np.errstate(invalid="ignore"):
            expected = arrayconv.convolve(x, kernel, "same", method="direct")
        np.testing.assert_array_equal(np.isfinite(y), np.isfinite(expected))
        finite = np.isfinite(expected)
        agree(y[finite], expected[finite])

    def test_read_any_memory_and_change_none(self, monkeypatch):
        x, kernel = normal("float64", (60, 50), (9, 8))
        expected = arrayconv.convolve(x, kernel, method="fft")
        calls = in_slabs(monkeypatch)
        for lie in (np.asfortranarray, lambda a: np.repeat(a, 2, axis=1)[:, ::2], lambda a: a[::-1].copy()[::-1]):
            parts = lie(x), lie(kernel)
            for part in parts:
                part.flags.writeable = False
            np.testing.assert_array_equal(arrayconv.convolve(*parts, method="fft"), expected)
        assert calls == [("taps", "call")] * 3

    def test_add_a_bias(self, monkeypatch):
        x, kernel = normal("float64", (1, 1, 60, 50), (1, 1, 9, 8))
        plain, calls = arrayconv.nn.conv2d(x, kernel, method="fft"), in_slabs(monkeypatch)
        y = arrayconv.nn.conv2d(x, kernel, np.array([2.5]), method="fft")
        assert y.shape == (1, 1, 52, 43)
        assert calls == [("taps", "call")]
        np.testing.assert_allclose(y, plain + 2.5, rtol=0, atol=1e-12)

    def test_results_are_memory_of_their_own(self):
        x, kernel = normal("float64", (60, 50), (9, 8))
        first = arrayconv.convolve(x, kernel, method="fft")
        copied = first.copy()
        second = arrayconv.convolve(2 * x, kernel, method="fft")
        np.testing.assert_array_equal(first, copied)
        assert not np.may_share_memory(first, second)


class TestPhases:
    @pytest.mark.parametrize("threads", [1, 2, 5])
    def test_none_begins_before_the_one_before_has_ended(self, threads):
        finished = []

        def part(phase):
            def run(number):
                assert all((phase - 1, other) in finished for other in range(3) if phase)
                sleep(0.001 * number)
                finished.append((phase, number))

            return run

        parallel_phases([(part(phase), 3) for phase in range(4)], threads)
        assert sorted(finished) == [(phase, number) for phase in range(4) for number in range(3)]

    @two_cores
    def test_threads_share_them(self):
        idents = set()

        def part(number):
            sleep(0.02)
            idents.add(get_ident())

        parallel_phases([(part, 4), (part, 4)], 2)
        assert len(idents) == 2

    def test_empty_ones_are_passed(self):
        numbers = []
        parallel_phases([(numbers.append, 0), (numbers.append, 2), (numbers.append, 0), (numbers.append, 1)], 2)
        assert sorted(numbers) == [0, 0, 1]

    @pytest.mark.parametrize("threads", [1, 2])
    def test_an_error_of_one_is_raised_and_nothing_waits_for_ever(self, threads):
        reached = []

        def fails(number):
            if number == 1:
                raise MemoryError("no more")

        with pytest.raises(MemoryError, match="no more"):
            parallel_phases([(fails, 4), (reached.append, 4)], threads)
        assert not reached
