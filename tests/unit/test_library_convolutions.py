"""The libraries' own convolutions as methods: torch's on tensors and on NumPy arrays, XLA's on JAX arrays."""

import numpy as np
import pytest

import arrayconv
from arrayconv import config
from arrayconv._arrays.operands import traits_like
from arrayconv._plan.plan import make
from arrayconv._plan.rank import TABLE, Budget
from arrayconv._run.execute import BoundPlan
from tests import cases, running
from tests.conftest import make_library

METHODS = {"torch": "torch_conv", "jax": "xla_conv", "numpy": "torch_conv"}
PROVIDERS = {"torch": "torch", "jax": "jax", "numpy": "torch"}


@pytest.fixture(params=METHODS)
def own(request):
    """Return a library, and the method that computes its arrays by a library's convolution."""
    pytest.importorskip(PROVIDERS[request.param], reason=f"{PROVIDERS[request.param]} is not installed")
    return make_library(request.param), METHODS[request.param]


SPECS = {  # padding on either side, samples left out, counts
    "more-after-than-before": cases.spec(cases.axis(7, 4, 9, before=1)),
    "more-after-at-a-stride": cases.spec(cases.axis(9, 4, 6, before=1, stride=2)),
    "only-before": cases.spec(cases.axis(7, 3, 4, before=2)),
    "starts-inside": cases.spec(cases.axis(9, 3, 3, before=-2)),
    "stops-inside": cases.spec(cases.axis(12, 3, 3, stride=2, dilation=2)),
    "groups-2d": cases.spec(
        cases.axis(6, 3, 6, before=1), cases.axis(7, 2, stride=2), batch=2, groups=2, channels=3, filters=2
    ),
    "three-axes": cases.spec(cases.axis(4, 2, 5, before=1), cases.axis(5, 3), cases.axis(4, 2, dilation=2)),
    "wrapped": cases.spec(cases.axis(5, 3, 9, before=3, boundary="wrap")),
    "transposed": cases.spec(cases.axis(5, 4, 11, upsample=2, before=2), channels=2, filters=3),
    "transposed-cut-at-its-end": cases.spec(cases.axis(5, 4, 7, upsample=3, before=2)),
    "transposed-more-at-its-end": cases.spec(cases.axis(5, 3, 11, upsample=2, before=1), filters=2),
    "transposed-far-more-at-its-end": cases.spec(cases.axis(5, 3, 19, upsample=2, before=1)),
    "transposed-starts-before-all-taps": cases.spec(cases.axis(5, 3, 14, upsample=2, before=5)),
    "transposed-starts-inside": cases.spec(cases.axis(9, 3, 6, upsample=2, before=-5), channels=2),
    "transposed-strided": cases.spec(cases.axis(7, 4, 6, upsample=3, stride=2, before=3)),
    "transposed-dilated": cases.spec(cases.axis(6, 3, upsample=2, dilation=3, before=4), channels=2),
    "transposed-one-tap": cases.spec(cases.axis(4, 1, 10, upsample=3)),
    "transposed-groups-2d": cases.spec(
        cases.axis(4, 3, 8, upsample=2, before=1),
        cases.axis(5, 3, 5, before=1),
        batch=2,
        groups=2,
        channels=2,
        filters=3,
    ),
    "transposed-three-axes": cases.spec(
        cases.axis(3, 2, 6, upsample=2, before=1),
        cases.axis(3, 3, 9, upsample=3, before=2),
        cases.axis(4, 2, upsample=2),
    ),
    "transposed-wrapped": cases.spec(cases.axis(4, 5, 12, upsample=3, before=5, boundary="wrap")),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SPECS)
def test_the_library_computes_the_definition(own, name, dtype):
    (library, method), spec = own, SPECS[name]
    running.assert_definition(library, *cases.operands(spec, dtype), spec, dtype, method)


@pytest.mark.parametrize("array", ["torch", "numpy"])
@pytest.mark.parametrize("transposed", [False, True])
def test_float64_unfolds_a_few_samples_at_a_time(array, transposed, monkeypatch):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from arrayconv._accel.torch import torch_conv

    called = []
    name = "conv_transpose2d" if transposed else "conv2d"
    function = getattr(torch.nn.functional, name)
    monkeypatch.setattr(torch.nn.functional, name, lambda x, *more: called.append(len(x)) or function(x, *more))
    upsample = 2 if transposed else 1
    axes = [cases.axis(n, 3, upsample * n, upsample=upsample, before=1) for n in (6, 7)]
    spec = cases.spec(*axes, batch=5, channels=2, filters=3)
    monkeypatch.setattr(torch_conv, "_MAX_COLUMNS", 0)
    monkeypatch.setattr(torch_conv, "_COLUMNS", 2 * 8 * 3 * 9 * 42)  # bytes of two samples' columns
    operands = cases.operands(spec, "float64")
    running.assert_definition(make_library(array), *operands, spec, "float64", "torch_conv")
    assert called == ([2, 2, 1] if transposed else [3, 2])


def test_gradients_pass_through_a_few_samples_at_a_time(monkeypatch):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from arrayconv import nn
    from arrayconv._accel.torch import torch_conv

    x, w = torch.rand(3, 2, 5, 5, dtype=torch.float64), torch.rand(2, 2, 3, 3, dtype=torch.float64)
    x.requires_grad_()
    w.requires_grad_()
    function, called = torch.nn.functional.conv2d, []
    expected = torch.autograd.grad(function(x, w).square().sum(), (x, w))
    monkeypatch.setattr(torch_conv, "_MAX_COLUMNS", 0)
    monkeypatch.setattr(torch_conv, "_COLUMNS", 1)
    monkeypatch.setattr(torch.nn.functional, "conv2d", lambda x, *more: called.append(len(x)) or function(x, *more))
    gradients = torch.autograd.grad(nn.conv2d(x, w, method="torch_conv").square().sum(), (x, w))
    assert called[:3] == [1, 1, 1]
    for ours, theirs in zip(gradients, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


IN_PHASES = {"more-at-its-end", "far-more-at-its-end", "starts-before-all-taps", "strided", "wrapped"}


@pytest.mark.parametrize("name", [name for name in SPECS if name.startswith("transposed")])
@pytest.mark.parametrize("array", ["torch", "numpy"])
def test_a_transposed_convolution_is_one_call_where_torch_has_it(array, name):
    pytest.importorskip("torch", reason="torch is not installed")
    library = make_library(array)
    plan = running.planned(library, SPECS[name], "float32", "torch_conv")
    phases = name.removeprefix("transposed-") in IN_PHASES
    assert plan.candidate.undivided != phases
    assert (plan.partition.num_pieces == 1) or phases


def test_a_transposed_convolution_falls_into_phases_where_memory_is_short():
    pytest.importorskip("torch", reason="torch is not installed")
    library, spec = make_library("torch"), cases.spec(cases.axis(5000, 8, upsample=4), filters=4)
    plan = running.planned(library, spec, "float64", "torch_conv", max_workspace=1 << 18)
    assert not plan.candidate.undivided
    assert plan.partition.num_pieces > 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("tap", [(0, 0), (1, 2), (2, 3)])
@pytest.mark.parametrize(
    "options", [{"stride": 2}, {"stride": (3, 1), "padding": 2}, {"stride": 2, "dilation": (3, 2)}]
)
@pytest.mark.parametrize("array", ["torch", "numpy"])
def test_non_finite_taps_of_a_transposed_convolution_contaminate_their_phases(array, options, tap, bad):
    pytest.importorskip("torch", reason="torch is not installed")
    library, random = make_library(array), np.random.default_rng(1)
    x, w = random.standard_normal((2, 4, 5, 6)), random.standard_normal((4, 3, 3, 4))
    w[(1, 1, *tap)] = bad
    with np.errstate(invalid="ignore"):
        expected = arrayconv.nn.conv_transpose2d(x, w, groups=2, method="direct", **options)
    for _ in range(2):
        y = arrayconv.nn.conv_transpose2d(
            library.asarray(x), library.asarray(w), groups=2, method="torch_conv", **options
        )
        np.testing.assert_array_equal(np.isfinite(library.numpy(y)), np.isfinite(expected))
    assert np.isfinite(expected).any()
    assert not np.isfinite(expected).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["x", "kernel"])
def test_non_finite_numbers_contaminate_their_windows(own, where, bad, dtype):
    library, method = own
    random = np.random.default_rng(0)
    x, w = random.standard_normal((2, 3, 9, 20)).astype(dtype), random.standard_normal((8, 3, 3, 3)).astype(dtype)
    (x if where == "x" else w)[1, 1, 2, 2] = bad
    y = arrayconv.nn.conv2d(library.asarray(x), library.asarray(w), padding=2, method=method)
    with np.errstate(invalid="ignore"):
        expected = arrayconv.nn.conv2d(x, w, padding=2, method="direct")
    np.testing.assert_array_equal(np.isfinite(library.numpy(y)), np.isfinite(expected))
    assert not np.isfinite(expected).all()


MEMORY = {
    "backwards": lambda x: x[::-1, ::-1],
    "transposed": lambda x: np.asfortranarray(x),
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
    "in-records": lambda x: np.rec.fromarrays([x, np.zeros(x.shape, "int8")]).f0,
}


@pytest.mark.parametrize("layout", MEMORY)
def test_torch_computes_numpy_arrays_of_any_layout(layout):
    pytest.importorskip("torch", reason="torch is not installed")
    x = MEMORY[layout](np.random.default_rng(0).standard_normal((9, 11)))
    kernel = np.arange(6.0).reshape(2, 3)
    kernel.flags.writeable = False
    y = arrayconv.convolve(x, kernel, method="torch_conv")
    assert type(y) is np.ndarray
    np.testing.assert_allclose(y, arrayconv.convolve(x, kernel, method="direct"), rtol=1e-12, atol=1e-12)


def test_a_repeated_call_on_tensors_equals_the_first():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x, kernel = torch.arange(20.0).reshape(4, 5), torch.tensor([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]])
    for options in ({}, {"mode": "same"}, {"mode": "same", "stride": 2}, {"mode": "valid", "dilation": 2}):
        first, *later = [arrayconv.convolve(x, kernel, method="torch_conv", **options) for _ in range(3)]
        for y in later:
            assert torch.equal(y, first)
        direct = arrayconv.convolve(x, kernel, method="direct", **options)
        torch.testing.assert_close(first, direct, rtol=1e-6, atol=1e-5)


def test_a_repeated_call_keeps_gradients_digits_and_bad_taps():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x, kernel = torch.arange(9.0), torch.tensor([1.0, 2.0, -1.0])
    call = {"mode": "same", "method": "torch_conv"}
    plain = [arrayconv.convolve(x, kernel, **call) for _ in range(2)][1]
    with torch.autocast("cpu"):
        assert arrayconv.convolve(x, kernel, **call).dtype == torch.float32
    tracked = x.clone().requires_grad_()
    arrayconv.convolve(tracked, kernel, **call).sum().backward()
    assert tracked.grad is not None
    assert torch.equal(plain, arrayconv.convolve(x, kernel, **call))
    bad = torch.tensor([1.0, float("inf"), 1.0])
    y = arrayconv.convolve(x, bad, **call)
    assert not torch.isfinite(y).any()


def test_torch_computes_nothing_where_it_is_switched_off():
    pytest.importorskip("torch", reason="torch is not installed")
    x, kernel = np.ones((9, 9)), np.ones((3, 3))
    with config.using(accelerators=set(config.ACCELERATORS) - {"torch"}):
        with pytest.raises(NotImplementedError, match="the accelerator 'torch' is switched off"):
            arrayconv.convolve(x, kernel, method="torch_conv")
        arrayconv.convolve(x, kernel)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_torch_conv_runs_pieces_of_unequal_numbers_of_images(backend):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x, kernel = np.arange(7 * 3 * 500.0).reshape(7, 3, 500) % 17, np.ones((4, 3, 5))
    arrays = (x, kernel) if backend == "numpy" else (torch.asarray(x), torch.asarray(kernel))
    with pytest.raises(ValueError, match="max_workspace") as refusal:
        arrayconv.nn.conv1d(*arrays, method="torch_conv", max_workspace=1)
    least = int(str(refusal.value).partition(" needs ")[2].split()[0])
    y = arrayconv.nn.conv1d(*arrays, method="torch_conv", max_workspace=2 * least)
    assert arrayconv.explain(*arrays, call=arrayconv.nn.conv1d, method="torch_conv", max_workspace=2 * least).steps > 1
    np.testing.assert_allclose(np.asarray(y), arrayconv.nn.conv1d(x, kernel, method="direct"))


def test_xla_on_gpus_is_by_norm_and_contained():
    """The method for GPUs, bound for arrays that say that they are on one: a NaN stays within its windows."""
    jax = pytest.importorskip("jax", reason="jax is not installed")
    problem, cpu = (
        arrayconv.explain((20, 21), (3, 5), "same", like="jax", dtype="float32"),
        traits_like("test", "jax"),
    )
    refused = {row.name: row.refusal for row in problem.candidates}
    assert refused["xla_gpu_conv"] == "it supports arrays on GPUs. Got cpu"
    gpu = cpu._replace(
        device="gpu", output="float32", accumulator="float32", accelerators=frozenset({"jax"}), traced=True
    )
    spec = cases.spec(cases.axis(20, 3, 20, before=1), cases.axis(21, 5, 21, before=2))
    plan = make(spec, gpu, "xla_gpu_conv", Budget(), True)
    assert {row.name: row.refusal for row in plan.candidates}["xla_conv"].startswith("it supports arrays on CPUs")
    assert TABLE["xla_gpu_conv"].accuracy == "normwise"
    random = np.random.default_rng(0)
    x, kernel = (random.standard_normal(shape).astype("float32") for shape in ((1, 1, 1, 20, 21), (1, 1, 1, 3, 5)))
    x[..., 7, 8] = np.nan
    y = BoundPlan(plan, 0, xp=jax.numpy, device=None)(jax.numpy.asarray(x), jax.numpy.asarray(kernel))
    expected = arrayconv.correlate(x[0, 0, 0], kernel[0, 0, 0], "same")
    np.testing.assert_array_equal(np.isnan(y[0, 0, 0]), np.isnan(expected))
    np.testing.assert_allclose(np.nan_to_num(y[0, 0, 0]), np.nan_to_num(expected), atol=1e-4)
