"""Every way in which torch traces, records or replaces operations, with every door: the results are torch's own.

A way takes a call of two tensors and inputs twice: what it records on the first must hold for the later ones. It
returns what came out, and the same way of the door's reference, made of `torch.nn.functional`, returns the same.
"""

import contextlib
from functools import partial
from math import exp

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

import torch.nn.functional as F  # noqa: E402
from torch._subclasses import FakeTensorMode  # noqa: E402
from torch.autograd import forward_ad, functional  # noqa: E402
from torch.fx.experimental.proxy_tensor import make_fx  # noqa: E402
from torch.overrides import TorchFunctionMode  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_leaves, tree_map_only  # noqa: E402
from torch.utils.checkpoint import checkpoint  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

import arrayconv  # noqa: E402
from arrayconv import Convolver, ndimage, nn, signal  # noqa: E402
from arrayconv._accel import ACCELERATED  # noqa: E402
from arrayconv._algorithms import ALGORITHMS  # noqa: E402
from arrayconv.nn import modules  # noqa: E402

pytestmark = [  # what torch says of its own convolutions too
    pytest.mark.filterwarnings("ignore:Attempted to insert a get_attr Node:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*torch.jit.trace.* is deprecated:DeprecationWarning"),
]


def full(x, k):
    return F.conv1d(x[None, None], k.flip(0)[None, None], padding=k.shape[0] - 1)[0, 0]


TAPS = [exp(-(n**2) / 2) for n in range(-4, 5)]


def gaussian(x, k):
    taps = torch.asarray([tap / sum(TAPS) for tap in TAPS], dtype=torch.float64, device=x.device)
    return F.conv1d(torch.cat([x[:4].flip(0), x, x[-4:].flip(0)])[None, None], taps[None, None])[0, 0] * k.sum()


def layered(layer):
    return lambda x, k: torch.func.functional_call(layer, {"weight": k}, (x,))


LAYER = {"bias": False, "padding": 1, "dtype": torch.float64}
DOORS = {  # call, reference, shapes of x and the kernel
    "convolve": (arrayconv.convolve, full, (7,), (3,)),
    "correlate": (
        lambda x, k: arrayconv.correlate(x, k, "valid"),
        lambda x, k: F.conv2d(x[None, None], k[None, None])[0, 0], (3, 4), (2, 3),
    ),
    "nn.conv1d": (partial(nn.conv1d, stride=2), partial(F.conv1d, stride=2), (2, 2, 5), (3, 2, 3)),
    "nn.conv2d": (
        partial(nn.conv2d, padding=1, groups=2), partial(F.conv2d, padding=1, groups=2), (1, 4, 3, 3), (2, 2, 3, 3)
    ),
    "nn.conv_transpose2d": (
        partial(nn.conv_transpose2d, stride=2, padding=1), partial(F.conv_transpose2d, stride=2, padding=1),
        (1, 2, 2, 3), (2, 2, 3, 3),
    ),
    "nn.modules.Conv1d": (
        layered(modules.Conv1d(2, 3, 3, **LAYER)), layered(torch.nn.Conv1d(2, 3, 3, **LAYER)), (2, 2, 4), (3, 2, 3)
    ),
    "einconv": (
        lambda x, k: arrayconv.einconv("b h c, h c o -> b o h | h", x, k),
        lambda x, k: F.conv1d(x.permute(0, 2, 1), k.permute(2, 1, 0)), (2, 5, 2), (3, 2, 2),
    ),
    "Convolver": (lambda x, k: Convolver(k)(x), full, (7,), (3,)),
    "signal.convolve": (lambda x, k: signal.convolve(x, k, "same"), lambda x, k: full(x, k)[1:-1], (7,), (3,)),
    "ndimage.gaussian_filter": (lambda x, k: ndimage.gaussian_filter(x, 1.0) * k.sum(), gaussian, (9,), (3,)),
}  # fmt: skip


def cubes(call):
    """Return a function of one number that is no polynomial of degree two."""
    return lambda x, k: (call(x, k) ** 3).sum()


def with_grad(arrays):
    return [array.clone().requires_grad_() for array in arrays]


def backward(call, first, later):
    x, k = with_grad(later)
    y = call(x, k)
    (y**3).sum().backward()
    return y.detach(), x.grad, k.grad


def of_functional(name, **options):
    return lambda call, first, later: getattr(functional, name)(cubes(call), later, **options)


def linearize(call, first, later):
    y, tangent = torch.func.linearize(call, *first)
    return y, tangent(*later), tangent(*(2 * array for array in later))


def vmap(call, first, later):
    both = torch.stack([first[0], later[0]])
    each = torch.func.vmap(torch.func.grad(cubes(call)), (0, None))
    return torch.func.vmap(call, (0, None))(both, first[1]), each(both, first[1])


def dual(call, first, later):
    with forward_ad.dual_level():
        return forward_ad.unpack_dual(call(*map(forward_ad.make_dual, first, later)))


def grads_batched(call, first, later, *, twice):
    x, k = with_grad(later)
    y = call(x, k) ** 2
    units = torch.eye(y.numel(), dtype=y.dtype).reshape(-1, *y.shape)
    grads = torch.autograd.grad(y, (x, k), units, is_grads_batched=True, create_graph=twice)
    more = torch.autograd.grad(sum((one**2).sum() for one in grads), (x, k)) if twice else ()
    return *(one.detach() for one in grads), *more


def checked(check, **options):
    return lambda call, first, later: torch.tensor(check(call, with_grad(later), fast_mode=True, **options))


def fx(call, first, later, transform=lambda call: lambda x, k: call(x, k), **options):
    traced = make_fx(transform(call), **options)(*first)
    return traced(*first), traced(*later)


def differentiated(call):
    def grads(x, k):
        x, k = x.detach().requires_grad_(), k.detach().requires_grad_()
        return torch.autograd.grad(cubes(call)(x, k), (x, k))

    return grads


def tangents(call):
    return lambda x, k: torch.func.jvp(call, (x, k), (k.sum() * x, k))


def mapped(call):
    return lambda x, k: torch.func.vmap(call, (0, None))(torch.stack([x, 2 * x]), k)


def jit(call, first, later):
    traced = torch.jit.trace(lambda x, k: call(x, k), first)
    return traced(*first), *backward(traced, first, later)


def under(mode, differentiate=backward):
    """Return the way of calling and differentiating inside a context, and calling once more outside."""

    def way(call, first, later):
        with mode():
            inside = call(*first), call(*later), *(differentiate(call, first, later) if differentiate else ())
        return *inside, call(*first)

    return way


def backward_under(mode):
    def way(call, first, later):
        x, k = with_grad(later)
        y = call(x, k)
        with mode():
            (y**3).sum().backward()
        return x.grad, k.grad

    return way


def meta(call, first, later):
    y = call(*(array.to("meta") for array in later))
    return torch.zeros(y.shape, dtype=y.dtype), torch.tensor(y.device.type == "meta")


def fake(call, first, later):
    with FakeTensorMode() as mode:
        y = call(*map(mode.from_tensor, later))
    return torch.zeros(y.shape, dtype=y.dtype), torch.tensor(type(y) is type(mode.from_tensor(first[0])))


class Seen(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


class Functions(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


class Wrapped(torch.Tensor):
    """A tensor around another, on which torch's operations run; it has no memory of its own."""

    @staticmethod
    def __new__(cls, inner):
        return torch.Tensor._make_wrapper_subclass(cls, inner.shape, dtype=inner.dtype, strides=inner.stride())

    def __init__(self, inner):
        self.inner = inner

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        args, kwargs = tree_map_only(cls, lambda one: one.inner, (args, kwargs or {}))
        return tree_map_only(torch.Tensor, cls, func(*args, **kwargs))


class Named(torch.Tensor):
    """A tensor whose functions are torch's, and whose type goes along."""


def wrapped(call, first, later):
    y, both = call(*map(Wrapped, later)), Wrapped(torch.stack([first[0], later[0]]))
    each = torch.func.vmap(call, (0, None))(both, Wrapped(later[1]))
    x, k = (Wrapped(array).requires_grad_() for array in later)
    grads = torch.autograd.grad(cubes(call)(x, k), (x, k))
    return tuple(one.inner for one in (y, each, *grads))


def named(call, first, later):
    y = call(*(array.as_subclass(Named) for array in later))
    return y.as_subclass(torch.Tensor), torch.tensor(type(y) is Named)


def without_memory(call, first, later):
    """Zeros that torch has not written yet, and tensors that stand for others, after a call of the same shapes."""
    usual = call(*first)
    zeros = call(torch._efficientzerotensor(first[0].shape, dtype=torch.float64), first[1])
    stand_ins = list(map(torch._to_functional_tensor, later))
    y = call(*stand_ins)
    torch._sync(y)
    return usual, zeros + 0, torch._from_functional_tensor(y)


@contextlib.contextmanager
def deterministic():
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


@contextlib.contextmanager
def default_device():
    torch.set_default_device("meta")
    try:
        yield
    finally:
        torch.set_default_device(None)


def hooks():
    return torch.autograd.graph.saved_tensors_hooks(lambda one: one.clone(), lambda one: one)


def counted():
    return FlopCounterMode(display=False)


WAYS = {
    "func.grad": lambda call, first, later: torch.func.grad(cubes(call), (0, 1))(*later),
    "func.vjp": lambda call, first, later: torch.func.vjp(call, *later)[1](call(*first)),
    "func.jvp": lambda call, first, later: torch.func.jvp(call, first, later),
    "func.jacrev": lambda call, first, later: torch.func.jacrev(call, (0, 1))(*later),
    "func.jacfwd": lambda call, first, later: torch.func.jacfwd(call, (0, 1))(*later),
    "func.hessian": lambda call, first, later: torch.func.hessian(cubes(call))(*later),
    "func.vmap": vmap,
    "func.linearize": linearize,
    "func.functionalize": lambda call, first, later: (call(*first), torch.func.functionalize(call)(*later)),
    "functionalize-grad": lambda call, first, later: torch.func.functionalize(torch.func.grad(cubes(call)))(*later),
    "grad-functionalize": lambda call, first, later: torch.func.grad(torch.func.functionalize(cubes(call)))(*later),
    "jacobian": of_functional("jacobian"),
    "jacobian-vectorize": lambda call, first, later: functional.jacobian(call, later, vectorize=True),
    "jacobian-graph": of_functional("jacobian", vectorize=True, create_graph=True),
    "jacobian-forward": lambda call, first, later: functional.jacobian(
        call, later, vectorize=True, strategy="forward-mode"
    ),
    "hessian": of_functional("hessian"),
    "hessian-vectorize": of_functional("hessian", vectorize=True),
    "hessian-forward": of_functional("hessian", vectorize=True, outer_jacobian_strategy="forward-mode"),
    "vhp": lambda call, first, later: functional.vhp(cubes(call), later, first),
    "hvp": lambda call, first, later: functional.hvp(cubes(call), later, first),
    "jvp": lambda call, first, later: functional.jvp(call, later, first),
    "vjp": of_functional("vjp"),
    "is_grads_batched": partial(grads_batched, twice=False),
    "is_grads_batched-graph": partial(grads_batched, twice=True),
    "gradcheck": checked(
        torch.autograd.gradcheck, check_batched_grad=True, check_forward_ad=True, check_batched_forward_grad=True
    ),
    "gradgradcheck": checked(torch.autograd.gradgradcheck, check_batched_grad=True),
    "forward_ad": dual,
    "make_fx": fx,
    "make_fx-fake": partial(fx, tracing_mode="fake"),
    "make_fx-symbolic": partial(fx, tracing_mode="symbolic"),
    "make_fx-pre_dispatch": partial(fx, pre_dispatch=True),
    "make_fx-grad": partial(fx, transform=lambda call: torch.func.grad(cubes(call), (0, 1))),
    "make_fx-autograd": partial(fx, transform=differentiated),
    "make_fx-jvp": partial(fx, transform=tangents),
    "make_fx-vmap": partial(fx, transform=mapped),
    "jit.trace": jit,
    "checkpoint": lambda call, *pairs: backward(partial(checkpoint, call, use_reentrant=False), *pairs),
    "checkpoint-reentrant": lambda call, *pairs: backward(partial(checkpoint, call, use_reentrant=True), *pairs),
    "FlopCounterMode": under(counted, None),
    "FlopCounterMode-backward": backward_under(counted),
    "dispatch mode": under(Seen),
    "dispatch mode-backward": backward_under(Seen),
    "function mode": under(Functions),
    "deterministic": under(deterministic),
    "autocast": under(lambda: torch.autocast("cpu")),
    "inference_mode": under(torch.inference_mode, None),
    "device": under(lambda: torch.device("meta")),
    "set_default_device": under(default_device),
    "saved_tensors_hooks": under(hooks),
    "allow_mutation": under(lambda: torch.autograd.graph.allow_mutation_on_saved_tensors()),
    "meta": meta,
    "fake": fake,
    "subclass-dispatch": wrapped,
    "subclass-function": named,
    "without_memory": without_memory,
}


COSTLY = {
    "hessian",
    "hessian-vectorize",
    "hessian-forward",
    "is_grads_batched-graph",
    "gradgradcheck",
    "jacobian-graph",
}


def operands(shapes, seed=0):
    """Return x and a kernel twice: the first ones, and those of a later call."""
    source = torch.Generator().manual_seed(seed)
    pairs = [[torch.randn(shape, dtype=torch.float64, generator=source) for shape in shapes] for _ in range(2)]
    return [tuple(pair) for pair in pairs]


def assert_same(got, expected):
    """Raise unless two results have as many tensors, equal up to rounding."""
    for one, other in zip(tree_leaves(got), tree_leaves(expected), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


def is_cheap_or_first(way, door):
    """Loops over every element run for two doors: what they do to an array does not depend on the door."""
    return way not in COSTLY or door in ("convolve", "nn.conv_transpose2d")


@pytest.mark.rows(where=is_cheap_or_first)
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("way", WAYS)
def test_ways_of_torch_meet_every_door(way, door):
    if (way, door) == ("jit.trace", "nn.modules.Conv1d"):
        pytest.skip("jit.trace takes no functional_call; the layer itself is traced below")
    call, reference, *shapes = DOORS[door]
    first, later = operands(shapes)
    assert_same(WAYS[way](call, first, later), WAYS[way](reference, first, later))


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("record", ["linearize", "jit.trace", "make_fx"])
def test_recorded_layers_are_those_of_later_inputs(record, frozen):
    layer = modules.Conv1d(2, 3, 3, padding=1, dtype=torch.float64).requires_grad_(not frozen)
    (x, _), (later, _) = operands([(2, 2, 6), (1,)])
    layer(x)  # a call that is remembered
    expected = F.conv1d(later, layer.weight, layer.bias, padding=1)
    if record == "linearize":
        got = torch.func.linearize(layer, x)[1](later) + layer.bias[:, None]
    else:
        got = (torch.jit.trace(layer, (x,)) if record == "jit.trace" else make_fx(layer)(x))(later)
    assert_same(got, expected)


def record(way, call, first):
    if way == "linearize":
        return torch.func.linearize(call, *first)[1]
    return torch.jit.trace(call, first) if way == "jit.trace" else make_fx(call)(*first)


@pytest.mark.parametrize("way", ["linearize", "jit.trace", "make_fx"])
@pytest.mark.parametrize("method", [*ALGORITHMS, *ACCELERATED])
def test_recorded_methods_hold_for_later_inputs_or_say_why_not(way, method):
    first, later = operands([(30,), (3,)])
    y = full(*later) if way != "linearize" else full(first[0], later[1]) + full(later[0], first[1])

    def call(x, k):
        return arrayconv.convolve(x, k, method=method)

    if method in ACCELERATED and method != "torch_conv":
        with pytest.raises(NotImplementedError, match=f"convolve: method '{method}' cannot run this. Reason: "):
            record(way, call, first)
        return
    assert_same(record(way, call, first)(*later), y)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("way", ["jit.trace", "make_fx", "make_fx-symbolic"])
@pytest.mark.parametrize("change", ["longer", "more", "transposed"])
def test_a_recorded_program_is_not_run_on_other_shapes(way, door, change):
    call, reference, x_shape, k_shape = DOORS[door]
    if (way, door) == ("jit.trace", "nn.modules.Conv1d"):
        pytest.skip("jit.trace takes no functional_call")
    shape = {
        "longer": (*x_shape[:-1], x_shape[-1] + 4), "more": (2 * x_shape[0], *x_shape[1:]), "transposed": x_shape[::-1]
    }[change]  # fmt: skip
    (first, _), (later, _) = operands([x_shape, k_shape]), operands([shape, k_shape], 1)
    options = {"tracing_mode": "symbolic"} if way == "make_fx-symbolic" else {}

    def door_of(x, k):
        return call(x, k)

    program = torch.jit.trace(door_of, first) if way == "jit.trace" else make_fx(door_of, **options)(*first)
    if shape == x_shape:
        assert_same(program(*later), reference(*later))
        return
    with pytest.raises(RuntimeError, match=r"size|shape"):
        program(*later)


class Negated(TorchDispatchMode):
    """Replaces torch's convolution by its negative."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        y = func(*args, **(kwargs or {}))
        return -y if func.overloadpacket is torch.ops.aten.convolution else y


class NegatedFunctions(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        y = func(*args, **(kwargs or {}))
        return -y if func in (torch.conv1d, F.conv1d) else y


@pytest.mark.parametrize("mode", [Negated, NegatedFunctions])
def test_modes_replace_what_they_want(mode):
    (x, k), _ = operands([(2, 3, 8), (4, 3, 3)])
    expected = F.conv1d(x, k)
    for _ in range(2):
        assert_same(nn.conv1d(x, k), expected)  # remembered
        with mode():
            assert_same(nn.conv1d(x, k, method="torch_conv"), -expected)


def test_flops_are_counted():
    (x, k), _ = operands([(2, 3, 8), (4, 3, 3)])
    totals = []
    for call in (nn.conv1d, F.conv1d):
        with counted() as mode:
            backward(call, (), (x, k))
        totals.append(mode.get_total_flops())
    assert totals[0] == totals[1] > 0


def test_a_remembered_call_outlives_modes():
    (x, k), _ = operands([(40,), (5,)])
    expected = arrayconv.convolve(x, k)
    with Seen():
        arrayconv.convolve(x, k)
    assert_same(arrayconv.convolve(x, k), expected)
    assert arrayconv.explain(x, k).method == arrayconv.explain((40,), (5,), like=x).method


def test_explain_under_a_mode_says_what_runs_there():
    (x, k), _ = operands([(40,), (5,)])
    with Seen():
        assert arrayconv.explain(x, k).method in {*ALGORITHMS, "torch_conv"}


def test_values_among_fake_tensors_are_refused_in_words():
    (x, k), _ = operands([(9,), (3,)])
    with FakeTensorMode() as mode, pytest.raises(TypeError, match="`kernel` has values, among fake tensors"):
        arrayconv.convolve(mode.from_tensor(x), k)
    with pytest.raises(TypeError, match="from_tensor"):
        ndimage.gaussian_filter(mode.from_tensor(x), 1.0)
    with FakeTensorMode(allow_non_fake_inputs=True):
        assert arrayconv.convolve(x, k).shape == (11,)


def test_vjp_is_recorded():
    def pulled(x, k):
        y, pullback = arrayconv.vjp(arrayconv.convolve, x, k)
        return y, *pullback(y)

    first, later = operands([(9,), (3,)])
    y = full(*later)
    expected = y, *torch.func.vjp(full, *later)[1](y)
    assert_same(make_fx(pulled)(*first)(*later), expected)
    assert_same(torch.jit.trace(pulled, first)(*later), expected)


@pytest.mark.parametrize("is_cached", [False, True])
def test_convolver_made_outside_is_recorded(is_cached):
    (x, k), (later, _) = operands([(9,), (3,)])
    convolver = Convolver(k)
    if is_cached:
        convolver(x)
    assert_same(make_fx(lambda x: convolver(x))(x)(later), full(later, k))
    assert_same(torch.jit.trace(lambda x: convolver(x), (x,))(later), full(later, k))
    assert_same(convolver(later), full(later, k))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.complex128, torch.int32], ids=str)
def test_other_dtypes_are_recorded(dtype):
    x, k, later = (torch.randint(-4, 5, (n,), generator=torch.Generator().manual_seed(n)).to(dtype) for n in (9, 3, 9))
    program = make_fx(lambda x, k: arrayconv.convolve(x, k, "same"))(x, k)
    assert_same(program(later, k), arrayconv.convolve(later, k, "same"))
    with Seen():
        assert_same(arrayconv.convolve(later, k, "same"), arrayconv.convolve(later, k, "same"))


def test_results_can_be_written_under_a_mode():
    (x, k), _ = operands([(9,), (3,)])
    out = torch.zeros(11, dtype=torch.float64)
    with Seen():
        assert arrayconv.convolve(x, k, out=out) is out
    assert_same(out, full(x, k))


@pytest.mark.parametrize("strict", [False, True])
def test_exports_hold_for_later_inputs(strict):
    class Layered(torch.nn.Module):
        def forward(self, x, k):
            return nn.conv1d(x, k, stride=2) ** 2

    first, later = operands([(2, 2, 5), (3, 2, 3)])
    program = torch.export.export(Layered(), first, strict=strict).module()
    assert_same(program(*later), F.conv1d(*later, stride=2) ** 2)
