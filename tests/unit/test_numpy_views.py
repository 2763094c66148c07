"""Tensors of the CPU are computed as NumPy arrays over the same memory: the same results, as tensors."""

import numpy as np
import pytest

import arrayconv
from arrayconv import _fft, config, nn
from arrayconv._accel.torch import views
from arrayconv._arrays.traits import traits
from arrayconv._plan.plan import with_accelerators
from tests import running
from tests.cases import CASES
from tests.conftest import make_library

torch = pytest.importorskip("torch", reason="torch is not installed")
LIBRARY = make_library("torch")
NATIVE = frozenset(config.ACCELERATORS) - {"numpy"}

random = np.random.default_rng(5)
X, KERNEL = torch.from_numpy(random.standard_normal((40, 50))), torch.from_numpy(random.standard_normal((5, 7)))


def settings(dtype="float64", **changes):
    own = traits("torch", torch.device("cpu"), LIBRARY.xp, dtype)._replace(**changes)
    return with_accelerators(own, running.ALL_ACCELERATORS)


@pytest.mark.parametrize("method", ["auto", "fft", "overlap_save", "banded", "direct"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_equals_the_definition(case, method):
    plan = running.planned(
        LIBRARY, case.spec, case.dtype, method, fill=case.fill, accelerators=running.ALL_ACCELERATORS
    )
    if isinstance(plan, str):
        pytest.skip(plan)
    x, w = case.operands()
    y = running.run(LIBRARY, plan, x, w, case.fill)
    running.assert_contract(y, running.exact_result(case), x, w, case.spec, case.dtype, case.fill)


def test_numpy_computes_and_explain_names_torch():
    view_traits = settings()
    assert (view_traits.backend, view_traits.origin, view_traits.library) == ("numpy", "torch", "torch")
    assert view_traits.transforms
    assert arrayconv.explain(X, KERNEL).backend == "torch"


@pytest.mark.parametrize(
    "changes",
    [{"traced": True}, {"device": "cuda"}, {"device": "meta"}, {"output": "bfloat16"}, {"backend": "jax"}],
    ids=str,
)
def test_tensors_that_numpy_cannot_read_stay_with_torch(changes):
    assert settings(**changes).origin == ""


@pytest.mark.parametrize("off", ["numpy", "every provider"])
def test_switched_off_tensors_stay_with_torch(off):
    providers = set(_fft.PROVIDERS) if off == "every provider" else {off}
    with config.using(accelerators=set(config.ACCELERATORS) - providers):
        own_traits = with_accelerators(
            traits("torch", torch.device("cpu"), LIBRARY.xp, "float64"), config.current().accelerators
        )
        assert own_traits.backend == "torch"
        y = arrayconv.convolve(X, KERNEL)
    assert isinstance(y, torch.Tensor)
    torch.testing.assert_close(y, arrayconv.convolve(X, KERNEL))


def test_operands_are_read_where_they_are(monkeypatch):
    arrays = []
    memory = views.memory
    monkeypatch.setattr(views, "memory", lambda tensor: arrays.append(memory(tensor)) or arrays[-1])
    arrayconv.convolve(X, KERNEL, method="direct")
    assert [array.__array_interface__["data"][0] for array in arrays] == [X.data_ptr(), KERNEL.data_ptr()]


@pytest.mark.parametrize(
    ("x", "kernel"),
    [
        (X, KERNEL.flip(0)),
        (X.T, KERNEL.T),
        (X[::2, 1::3], KERNEL),
        (X.expand(3, 40, 50)[1], KERNEL),
        (X.to(torch.complex128).conj(), KERNEL),
        (torch.complex(X, X).conj().imag, KERNEL),  # negated by a mark alone
        (X.to(torch.bfloat16), KERNEL.to(torch.float32)),
        (X.to(torch.bfloat16), KERNEL.to(torch.bfloat16)),
        (X.to(torch.float16), KERNEL.to(torch.float16)),
        ((100 * X).to(torch.uint16), (10 * KERNEL).abs().to(torch.uint16)),
        (X.clone().requires_grad_(), KERNEL),
    ],
    ids=lambda x: f"{x.dtype}-{x.stride()}".removeprefix("torch."),
)
@pytest.mark.parametrize("times", [1, 2], ids=["first-call", "bound-call"])
def test_any_tensor_has_the_result_of_torch_alone(x, kernel, times):
    with torch.no_grad():
        for _ in range(times):
            y = arrayconv.convolve(x, kernel, "same")
        with config.using(accelerators=NATIVE):
            expected = arrayconv.convolve(x, kernel, "same")
    assert type(y) is torch.Tensor
    assert y.dtype == expected.dtype
    torch.testing.assert_close(y, expected)


def test_gradients_maps_and_forward_mode_pass_through():
    x, kernel = X[:6, :7].clone().requires_grad_(), KERNEL[:2, :3].clone().requires_grad_()
    assert torch.autograd.gradcheck(arrayconv.convolve, (x, kernel), check_forward_ad=True)
    batch = torch.stack([X, 2 * X])
    mapped = torch.func.vmap(arrayconv.convolve, (0, None))(batch, KERNEL)
    torch.testing.assert_close(mapped, torch.stack([arrayconv.convolve(x, KERNEL) for x in batch]))


@pytest.mark.parametrize("method", ["auto", "direct", "fft"])
def test_out_is_written_in_place(method):
    out = torch.zeros(40, 50, dtype=torch.float64)
    assert arrayconv.convolve(X, KERNEL, "same", method=method, out=out) is out
    torch.testing.assert_close(out, arrayconv.convolve(X, KERNEL, "same"))


def test_autocast_leaves_products_whole():
    x, w = torch.randn(2, 16, 20, 20), torch.randn(32, 16, 3, 3)
    expected = nn.conv2d(x, w)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for method in ("auto", "torch_conv", "im2col"):
            torch.testing.assert_close(nn.conv2d(x, w, method=method), expected, rtol=1e-4, atol=1e-4)
            host = nn.conv2d(x.numpy(), w.numpy(), method=method)
            np.testing.assert_allclose(host, expected, rtol=1e-4, atol=1e-4)
