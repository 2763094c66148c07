"""`Convolver.stream`: errors before anything is lost, state, gradients of a chunk, every library, latency."""

import copy
import pickle

import numpy as np
import pytest

from arrayconv import Convolver, testing
from arrayconv._stream import delay_line, engine

X = np.arange(1.0, 13)
W = np.array([1.0, 10, 100])


def joined(stream, *chunks):
    return np.concatenate([*map(stream.push, chunks), stream.flush()], axis=-1)


def test_state_is_copied_pickled_and_reset():
    convolver = Convolver(W, "same", boundary="reflect")
    stream = convolver.stream()
    head = stream.push(X[:5])
    streams = [stream.copy(), copy.copy(stream), copy.deepcopy(stream), pickle.loads(pickle.dumps(stream)), stream]
    for each in streams:
        tail = joined(each, X[5:7], X[7:])
        np.testing.assert_array_equal(np.concatenate([head, tail]), convolver(X))
    stream.reset()
    assert (stream.samples, stream.outputs) == (0, 0)
    np.testing.assert_array_equal(joined(stream, X), convolver(X))
    stream.reset()
    np.testing.assert_array_equal(joined(stream, X.astype("float32").reshape(1, -1)[0]), convolver(X))
    unused = pickle.loads(pickle.dumps(convolver.stream()))
    np.testing.assert_array_equal(joined(unused, X), convolver(X))


def test_partitions_are_copied_pickled_and_reset():
    rng = np.random.default_rng(0)
    x, kernel = rng.standard_normal(700), rng.standard_normal(200)
    convolver = Convolver(kernel, method="fft")
    stream = convolver.stream(max_latency=15)
    head = stream.push(x[:100])
    assert stream.method == "partitioned"
    assert stream.nbytes > kernel.nbytes
    tails = [joined(each, x[100:]) for each in (stream.copy(), pickle.loads(pickle.dumps(stream)), stream)]
    stream.reset()
    whole = joined(stream, x)
    for tail in tails:
        np.testing.assert_array_equal(np.concatenate([head, tail]), whole)


def test_no_chunk_is_kept_or_changed_and_no_result_is_a_view():
    stream, chunk = Convolver(W).stream(), X[:4].copy()
    first = stream.push(chunk)
    chunk[:] = np.nan  # a buffer that the caller fills again
    second = stream.push(X[4:])
    first[:] = second[:] = np.nan
    np.testing.assert_array_equal(stream.flush(), Convolver(W)(X)[-2:])


@pytest.mark.parametrize(
    ("chunk", "error", "message"),
    [
        (X.astype("float32"), TypeError, "every chunk must have the first one's library, device and dtype"),
        ([1, 2], TypeError, "Got numpy on cpu, int64. Cast it, or reset"),
        (X.reshape(3, 4), ValueError, r"every chunk must have the first one's shape .* \(any\). Got \(3, 4\)"),
        ("abc", TypeError, "chunk"),
    ],
)
def test_another_kind_of_chunk_is_refused_and_nothing_is_lost(chunk, error, message):
    stream = Convolver(W).stream()
    head = stream.push(X[:5])
    with pytest.raises(error, match=message):
        stream.push(chunk)
    np.testing.assert_array_equal(np.concatenate([head, joined(stream, X[5:])]), Convolver(W)(X))


def refused(stream, chunk):
    with pytest.raises(ValueError, match="max_workspace"):
        stream.push(chunk)


def no_memory(*operands, **options):
    raise MemoryError


@pytest.mark.parametrize("latency", [15, 31])
def test_a_push_that_fails_after_some_blocks_changes_nothing(latency):
    """A NaN needs the ordinary plan, whose workspace is refused after the delay lines have taken blocks."""
    rng = np.random.default_rng(latency)
    x, kernel = rng.standard_normal(1600), rng.standard_normal(400)
    stream = Convolver(kernel, method="fft", max_workspace=20_000).stream(max_latency=latency)
    expected, parts, at = stream.copy().push(x), [], 0
    assert stream.push(x[:0]).size == 0
    assert stream.method == "partitioned"
    for size in (5, 7, 90, 16, 1, 200, 400, 33, 848):
        bad = rng.standard_normal(int(rng.integers(1, 700)))
        for place in (0, bad.size // 2, bad.size - 1):
            bad[place] = np.nan
            if stream.samples % (latency + 1) + bad.size > latency:  # else no block is complete
                refused(stream, bad)
                assert (stream.samples, stream.outputs) == (at, sum(map(len, parts)))
        parts.append(stream.push(x[at : at + size]))
        at += size
    np.testing.assert_array_equal(np.concatenate(parts), expected)
    exact = testing.reference("convolve", x, kernel)[: x.size]
    bound = testing.error_bound("convolve", x, kernel, accuracy="normwise")
    assert (np.abs(expected - exact) <= np.broadcast_to(bound, 1999)[: x.size]).all()


def test_non_uniform_partitions_roll_back_too():
    rng = np.random.default_rng(3)
    x, kernel = rng.standard_normal(9600), rng.standard_normal(6000)
    stream = Convolver(kernel, method="fft", max_workspace=400_000).stream(max_latency=15)
    expected, parts = stream.copy().push(x), []
    for at, stop in ((0, 100), (100, 3001), (3001, 3002), (3002, 9600)):
        for size in (50, 4000):
            bad = rng.standard_normal(size)
            bad[-20] = np.inf
            refused(stream, bad)
        parts.append(stream.push(x[at:stop]))
    assert len(stream.partitions) == 2
    np.testing.assert_array_equal(np.concatenate(parts), expected)


def test_a_push_that_fails_for_lack_of_memory_changes_nothing(monkeypatch):
    rng = np.random.default_rng(4)
    x, kernel = rng.standard_normal(700), rng.standard_normal(200)
    stream = Convolver(kernel, method="fft").stream(max_latency=15)
    expected, head = joined(stream.copy(), x), stream.push(x[:100])
    for owner, name in (
        (engine.Engine, "_joined"),
        (engine.Engine, "_keep"),
        (engine.Engine, "_of_lines"),
        (delay_line.transform, "inverse"),
        (delay_line.transform, "forward"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, no_memory)
            with pytest.raises(MemoryError):
                stream.push(np.ones(333))
    np.testing.assert_array_equal(np.concatenate([head, joined(stream, x[100:])]), expected)


def test_a_first_push_that_fails_begins_no_stream():
    stream = Convolver(np.ones(400, "float32"), method="fft", max_workspace=20_000).stream(max_latency=15)
    refused(stream, np.full(64, np.nan))
    with pytest.raises(RuntimeError, match="unknown before the first push"):
        _ = stream.method
    assert stream.push(np.ones(64, "float32")).dtype == "float32"


def test_another_shape_across_the_axis_is_refused():
    stream = Convolver(W, axes=1).stream(1)
    stream.push(np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"\(2, any\). Got \(3, 4\)"):
        stream.push(np.ones((3, 4)))


def test_nothing_follows_the_end():
    stream = Convolver(W).stream()
    with pytest.raises(ValueError, match=r"Stream.flush: shape and dtype are unknown before the first push"):
        stream.flush()
    with pytest.raises(RuntimeError, match=r"Stream.latency: .* unknown before the first push"):
        _ = stream.latency
    stream.push(X)
    stream.flush()
    for call in (stream.flush, lambda: stream.push(X)):
        with pytest.raises(RuntimeError, match=r"the stream has ended. Call reset\(\)"):
            call()


def test_a_stream_too_short_for_the_kernel_continues():
    stream = Convolver(W, "valid").stream()
    stream.push(X[:2])
    with pytest.raises(ValueError, match="mode 'valid' needs a kernel no longer than x"):
        stream.flush()
    np.testing.assert_array_equal(joined(stream, X[2:]), Convolver(W, "valid")(X))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Convolver(W, boundary="wrap").stream().push(X), ValueError, "'wrap' on the streamed axis"),
        (lambda: Convolver(W, correlate=True, lags=2).stream(), NotImplementedError, "not those of given lags"),
        (lambda: Convolver(np.ones((3, 3)), separable=True).stream(), NotImplementedError, "not as passes"),
        (lambda: Convolver.from_factors([(W, W)]).stream(), NotImplementedError, "Got factors"),
        (lambda: Convolver(W).stream(max_latency=-1), ValueError, "`max_latency` must be at least 0 samples. Got -1"),
        (lambda: Convolver(W).stream(max_latency=1.5), TypeError, "`max_latency` must be an integer or None"),
        (lambda: Convolver(W).stream(1.5), TypeError, "`axis` must be an integer"),
        (lambda: Convolver(W).stream(1).push(X), ValueError, r"`axis` must be in \[-1, 1\). Got 1"),
        (lambda: Convolver(W, axes=0).stream(1).push(np.ones((3, 3))), ValueError, "one that the kernel runs along"),
        (lambda: Convolver(W, method="fft").stream(max_latency=0).push(X), ValueError, "Got max_latency=0"),
        (lambda: Convolver(W, fill_value=1.5, dtype="float64").stream().push([1]), None, ""),
        (lambda: Convolver([1, 2], fill_value=1.5).stream().push([1]), TypeError, "`fill_value` must fit"),
    ],
)
def test_options_that_a_stream_refuses(make, error, message):
    if error is None:
        make()
        return
    with pytest.raises(error, match=message):
        make()


def test_a_wrapping_axis_beside_the_streamed_one():
    x, kernel = np.arange(24.0).reshape(6, 4), np.ones((3, 3))
    convolver = Convolver(kernel, "same", boundary=("edge", "wrap"), separable=False)
    stream = convolver.stream(0)
    y = np.concatenate([stream.push(x[:2]), stream.push(x[2:]), stream.flush()])
    np.testing.assert_array_equal(y, convolver(x))


def test_every_library_keeps_its_arrays(library):
    convolver = Convolver(library.asarray(W), "same", boundary="edge", stride=2)
    stream = convolver.stream()
    parts = [stream.push(library.asarray(X[:5])), stream.push(library.asarray(X[5:])), stream.flush()]
    assert {type(part) for part in parts} == {type(library.asarray(X))}
    np.testing.assert_array_equal(
        np.concatenate([library.numpy(part) for part in parts]), library.numpy(convolver(library.asarray(X)))
    )


def test_gradients_end_at_the_chunk():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    kernel = torch.tensor(W, requires_grad=True)
    stream = Convolver(kernel).stream()
    first, second = (torch.tensor(part, requires_grad=True) for part in (X[:4], X[4:]))
    stream.push(first)
    y = stream.push(second)
    y.sum().backward()
    assert first.grad is None
    expected = [111.0] * 6 + [11.0, 1.0]  # outputs of the last samples that read later ones are not known yet
    np.testing.assert_array_equal(second.grad, expected)
    np.testing.assert_array_equal(kernel.grad, [X[4:].sum(), X[3:-1].sum(), X[2:-2].sum()])


def test_partitions_give_gradients_too():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rng = np.random.default_rng(0)
    kernel = torch.from_numpy(rng.standard_normal(200))
    stream = Convolver(kernel, method="fft").stream(max_latency=15)
    stream.push(torch.zeros(64, dtype=torch.float64))
    assert stream.method == "partitioned"
    chunk = torch.from_numpy(rng.standard_normal(64)).requires_grad_()
    stream.push(chunk).sum().backward()
    bound = testing.error_bound("convolve", np.ones(64), kernel.numpy()).max()
    np.testing.assert_allclose(chunk.grad, np.cumsum(kernel.numpy()[:64])[::-1], rtol=0, atol=bound)
    assert not stream.push(torch.zeros(64, dtype=torch.float64)).requires_grad


def test_traced_and_transformed_chunks_are_refused():
    jax = pytest.importorskip("jax", reason="jax is not installed")
    with pytest.raises(TypeError, match="takes no traced or transformed array"):
        jax.jit(lambda x: Convolver(jax.numpy.ones(3)).stream().push(x))(jax.numpy.ones(4))
    torch = pytest.importorskip("torch", reason="torch is not installed")
    with pytest.raises(TypeError, match="takes no traced or transformed array"):
        torch.func.grad(lambda x: Convolver(torch.ones(3)).stream().push(x).sum())(torch.ones(4))


def test_latency_is_that_of_the_outputs():
    x, kernel = np.zeros(400), np.ones(100)
    stream = Convolver(kernel, method="fft").stream(max_latency=20)
    longest = 0
    for number in range(400):
        outputs = stream.outputs
        stream.push(x[number : number + 1])
        longest = max(longest, *(number - output for output in range(outputs, stream.outputs)), 0)
    assert longest == stream.latency == 15


def test_a_remembered_push_plans_nothing(monkeypatch):
    from arrayconv._stream import pieces

    stream, bound = Convolver(W).stream(), []
    monkeypatch.setattr(pieces, "bind", lambda *args, bind=pieces.bind: bound.append(args) or bind(*args))
    for _ in range(8):
        stream.push(X)
    assert len(bound) == 2  # of the first chunk and of the later ones
