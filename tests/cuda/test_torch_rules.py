"""torch under CUDA's rules: `auto` runs the kernels on tensors, traced calls do not, and nothing waits."""

import numpy as np
import pytest
import torch

import arrayconv
from arrayconv import ndimage
from arrayconv._arrays import failures
from arrayconv._arrays.libraries import LIBRARIES
from arrayconv._calls import cache
from tests.cuda.standin.bindings import DRIVER, CUresult
from tests.cuda.torch_plugin import STREAM

X, TAPS = torch.randn(40, 50, dtype=torch.float64), torch.randn(5, 4, dtype=torch.float64)
IMAGES, FILTERS = torch.randn(2, 8, 20, 21), torch.randn(16, 8, 3, 3)


@pytest.fixture
def launches():
    """The launches of a test: (kernel, blocks, threads, stream, struct)."""
    DRIVER.launches.clear()
    return DRIVER.launches


def reference(x, kernel, **options):
    host = [each.detach().resolve_conj().resolve_neg().numpy() for each in (x, kernel)]
    return arrayconv.convolve(*host, method="direct", **options)


@pytest.mark.parametrize(
    ("x", "taps", "kernel"),
    [
        (X, TAPS, "rows"),
        (X, torch.ones(15, 14, dtype=torch.float64), "tiles"),
        (X[0], TAPS[0], "line"),
        (torch.arange(40).reshape(5, 8), torch.ones(2, 2, dtype=torch.int64), "rows"),
        (torch.complex(X, X), torch.complex(TAPS, TAPS), "loops"),
    ],
)
def test_auto_runs_one_kernel(x, taps, kernel, launches):
    y = arrayconv.convolve(x, taps, "same", boundary="reflect")
    assert [launch[0] for launch in launches] == [kernel]
    np.testing.assert_allclose(y.numpy(), reference(x, taps, mode="same", boundary="reflect"), atol=1e-12)


PHOTO = (100 * torch.rand(40, 50)).to(torch.uint8)


@pytest.mark.parametrize(
    ("name", "arguments", "x"),
    [
        ("gaussian_filter", (1.5,), X),
        ("gaussian_filter", (1.5,), PHOTO),
        ("uniform_filter", (5,), PHOTO),
        ("sobel", (0,), X.T),
        ("gaussian_laplace", (1.2,), X[::2]),
        ("correlate1d", ([1.0, 2, -1], 0), X),
    ],
)
def test_filters_run_in_one_launch(name, arguments, x, launches):
    y = getattr(ndimage, name)(x, *arguments)
    assert len(launches) == 1
    np.testing.assert_allclose(y.numpy(), getattr(ndimage, name)(x.numpy(), *arguments), atol=1e-12)


def test_a_filter_writes_into_a_tensor_and_runs_its_passes_for_gradients(launches):
    out = torch.zeros_like(X)
    ndimage.gaussian_filter(X, 1, output=out)
    assert len(launches) == 1
    np.testing.assert_allclose(out.numpy(), ndimage.gaussian_filter(X.numpy(), 1), atol=1e-12)
    x = X.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(ndimage.gaussian_filter(x, 1).sum(), x)
    assert gradient.shape == X.shape


def test_passes_of_a_convolver_run_in_one_launch(launches):
    convolver = arrayconv.Convolver.from_factors([([1 / 7] * 7,) * 2], mode="same")
    y = convolver(X)
    launches.clear()
    convolver(X)
    assert [launch[0] for launch in launches] == ["filter_planes"]
    np.testing.assert_allclose(
        y.numpy(), reference(X, torch.ones(7, 7, dtype=torch.float64) / 49, mode="same"), atol=1e-12
    )


def test_kernels_run_on_torchs_current_stream(launches):
    arrayconv.convolve(X, TAPS)
    assert [launch[3] for launch in launches] == [STREAM]


@pytest.mark.parametrize("method", ["cuda_loops", "cuda_rows", "cuda_tiles"])
@pytest.mark.parametrize(
    "x", [X.T, X[::3, 5:], X[:1].expand(30, 50), torch.complex(X, X).conj().imag], ids=["T", "step", "expand", "neg"]
)
def test_memory_is_read_as_it_is(x, method, launches):
    np.testing.assert_allclose(arrayconv.convolve(x, TAPS.T, method=method).numpy(), reference(x, TAPS.T), atol=1e-12)
    assert len(launches) == 1


def test_lazy_conjugates_are_computed(launches):
    x, kernel = torch.complex(X, X.flip(0)).conj(), torch.complex(TAPS, TAPS).conj()
    np.testing.assert_allclose(arrayconv.convolve(x, kernel).numpy(), reference(x, kernel), atol=1e-12)
    assert len(launches) == 1


def test_gradients_run_kernels_and_are_torchs(launches):
    x, filters = IMAGES.double().requires_grad_(), FILTERS.double().requires_grad_()
    dy = torch.randn(2, 16, 20, 21, dtype=torch.float64)
    gradients = torch.autograd.grad(arrayconv.nn.conv2d(x, filters, padding=1), (x, filters), dy)
    expected = torch.autograd.grad(torch.nn.functional.conv2d(x, filters, padding=1), (x, filters), dy)
    for each, other in zip(gradients, expected, strict=True):
        torch.testing.assert_close(each, other)
    assert launches


def test_an_error_of_the_driver_is_one_warning_and_another_method(monkeypatch):
    monkeypatch.setattr(failures, "failures", {})
    monkeypatch.setattr(DRIVER, "cuLaunchKernel", lambda *_: (CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU,))
    x = X[1:]
    with pytest.warns(RuntimeWarning, match=r"CUDA_ERROR_NO_BINARY_FOR_GPU\. Method '\w+' runs instead"):
        y = arrayconv.convolve(x, TAPS)
    np.testing.assert_allclose(y.numpy(), reference(x, TAPS), atol=1e-12)
    torch.testing.assert_close(arrayconv.convolve(x, TAPS), y)  # without another warning


def by_compile(function):
    return torch.compile(function, backend="eager", fullgraph=True)


def by_trace(function):
    return torch.jit.trace(function, (X, TAPS), check_trace=False)


def by_make_fx(function):
    from torch.fx.experimental.proxy_tensor import make_fx

    return make_fx(function)(X, TAPS)


@pytest.mark.filterwarnings("ignore:.*jit.*:DeprecationWarning")
@pytest.mark.parametrize("tracer", [by_compile, by_trace, by_make_fx])
def test_traced_calls_run_torchs_functions(tracer, launches):
    traced = tracer(lambda x, taps: arrayconv.convolve(x, taps))
    np.testing.assert_allclose(traced(X, TAPS).numpy(), reference(X, TAPS), atol=1e-12)
    assert not launches


@pytest.mark.parametrize("method", ["cuda_loops", "cudnn_conv"])
def test_traced_calls_of_a_method_say_why_it_does_not_run(method):
    with pytest.raises((RuntimeError, ValueError), match=r"trace|TF32"):
        by_make_fx(lambda x, taps: arrayconv.convolve(x, taps, method=method))


def test_transforms_of_functions_run_kernels(launches):
    mapped = torch.func.vmap(lambda x: arrayconv.convolve(x, TAPS[0]))(X)
    np.testing.assert_allclose(mapped[3].numpy(), reference(X[3], TAPS[0]), atol=1e-12)
    _, tangent = torch.func.jvp(lambda x: arrayconv.convolve(x, TAPS), (X,), (X,))
    np.testing.assert_allclose(tangent.numpy(), reference(X, TAPS), atol=1e-12)
    assert launches


@pytest.mark.parametrize(
    "call",
    [
        lambda method: arrayconv.nn.conv2d(IMAGES, FILTERS, padding=(2, 0), stride=2, method=method),
        lambda method: arrayconv.nn.conv2d(IMAGES, FILTERS[:, :4], dilation=2, groups=2, method=method),
        lambda method: arrayconv.nn.conv_transpose2d(IMAGES, FILTERS.transpose(0, 1), stride=3, method=method),
        lambda method: arrayconv.convolve(X, TAPS, "same", boundary="wrap", method=method),
    ],
)
def test_cudnn_conv_is_the_operation(call):
    torch.testing.assert_close(call("cudnn_conv"), call("direct"), rtol=1e-4, atol=1e-4)


def test_cudnn_conv_is_by_norm_and_contained():
    x, kernel = X.clone(), TAPS.clone()
    x[7, 9] = torch.nan
    y = arrayconv.convolve(x, kernel, "same", method="cudnn_conv")
    np.testing.assert_array_equal(y.isnan().numpy(), np.isnan(reference(x, kernel, mode="same")))
    kernel[1, 1] = torch.inf
    y = arrayconv.convolve(x, kernel, "same", method="cudnn_conv")
    assert not y.isfinite().all()
    with pytest.raises(NotImplementedError, match="bounded by norm"):
        arrayconv.convolve(x, kernel, method="cudnn_conv", accuracy="componentwise")


@pytest.fixture
def careless_process():
    """A process that allows TF32, autocast, and cuDNN's choice by trial."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.fp32_precision, cudnn.conv.fp32_precision
    matmul.fp32_precision = cudnn.conv.fp32_precision = "tf32"
    cudnn.benchmark = True
    torch.set_autocast_enabled("cuda", True)
    yield
    torch.set_autocast_enabled("cuda", False)
    cudnn.benchmark = False
    matmul.fp32_precision, cudnn.conv.fp32_precision = before


def settings():
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    precision = matmul.fp32_precision, cudnn.conv.fp32_precision, torch.is_autocast_enabled("cuda")
    return *precision, cudnn.deterministic, cudnn.benchmark


@pytest.mark.usefixtures("careless_process")
def test_cudnn_conv_runs_in_ieee_float32_and_reproducibly(monkeypatch):
    convolve, during = torch.nn.functional.conv2d, []

    def conv2d(*args):
        during.append(settings())
        return convolve(*args)

    monkeypatch.setattr(torch.nn.functional, "conv2d", conv2d)
    before = settings()
    arrayconv.nn.conv2d(IMAGES, FILTERS, method="cudnn_conv")
    assert during == [("ieee", "ieee", False, True, False)]
    assert settings() == before


def test_bound_calls_are_cached_per_stream(monkeypatch):
    stream = ["first"]
    monkeypatch.setattr(torch.Tensor, "is_cuda", True)
    monkeypatch.setitem(LIBRARIES, "torch", LIBRARIES["torch"]._replace(queue=lambda _: stream[0]))
    for arrays in ((X, TAPS), (X,)):
        key = cache.key("convolve", arrays, ())
        assert cache.key("convolve", arrays, ()) == key
        stream[0] += "'s successor"
        assert cache.key("convolve", arrays, ()) != key


def test_the_package_may_not_read_values_here():
    function = eval("lambda x: float(x)", {"__name__": "arrayconv.test"})
    with pytest.raises(RuntimeError, match="waits for the device"):
        function(X[0, 0])
    with pytest.raises(RuntimeError, match="addmm_cuda"):
        torch.matmul(torch.ones(2, 2, dtype=torch.int32), torch.ones(2, 2, dtype=torch.int32))
