"""Results have the library and device of x, and operands are not changed; lists, views, tracers, gradients."""

import types

import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from array_api_strict._array_object import Array as StrictArray

import arrayconv
import arrayconv.testing
from arrayconv._algorithms import ALGORITHMS
from arrayconv._arrays import out_arrays
from arrayconv._arrays.identify import device_of
from arrayconv._arrays.operands import operands

METHODS = ["auto", *ALGORITHMS]
BOUNDARIES = ["constant", "edge", "symmetric", "reflect", "wrap"]
X = np.array([[1.0, 2, 3, 4, 5], [2, 7, 1, 8, 2]])
KERNEL = np.array([[1.0, 10], [-2, 3]])
EXPECTED = {mode: arrayconv.testing.reference("correlate", X, KERNEL, mode).astype(float) for mode in ("full", "same")}


def close(y, expected):
    return y.shape == expected.shape and np.allclose(y, expected, rtol=0, atol=1e-11)


# ---- nothing moves, nothing is read ----


@pytest.fixture
def unreadable(monkeypatch):
    """Make array_api_strict raise wherever a value would leave the array."""

    def read(*_, **__):
        raise AssertionError("a value was read")

    for name in (
        "__float__",
        "__bool__",
        "__int__",
        "__complex__",
        "__index__",
        "__array__",
        "__buffer__",
        "__dlpack__",
    ):
        monkeypatch.setattr(StrictArray, name, read, raising=False)
    monkeypatch.setattr(np, "from_dlpack", read)


def test_no_values_of_jax_arrays_are_read_to_plan_a_call():
    readable = {}

    def recorded(how):
        def run(x):
            readable[how] = operands("convolve", x, jnp.ones(3, x.dtype)).traits.readable
            return x

        return run

    x = jnp.ones((2, 9), "float32")
    for how, run in {
        "as it is": lambda f: f(x),
        "jit": lambda f: jax.jit(f)(x),
        "vmap": lambda f: jax.vmap(f)(x),
        "jvp": lambda f: jax.jvp(f, (x,), (x,)),
    }.items():
        run(recorded(how))
    assert readable == {"as it is": False, "jit": False, "vmap": False, "jvp": False}


STRICT_DEVICES = ["CPU_DEVICE", "device1", "device2", "no_float64", "no_x64"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("device", STRICT_DEVICES)
def test_strict_arrays_stay_where_they_are_unread(device, method, unreadable, monkeypatch):
    place = array_api_strict.Device(device)
    dtype = array_api_strict.float32
    x, kernel = (array_api_strict.asarray(host.tolist(), dtype=dtype, device=place) for host in (X, KERNEL))
    results = [
        arrayconv.correlate(x, kernel, method=method),
        arrayconv.convolve(x, kernel, "same", boundary="reflect", method=method),
        arrayconv.convolve(x, [[1, 2], [3, 4]], "same", boundary=("wrap", "edge"), stride=(1, 2), method=method),
        arrayconv.correlate(x, kernel, lags=3, fill_value=1.5, method=method),
        arrayconv.einconv("b n, o n -> b o n | n", x, kernel, padding="same", upsample=2, method=method),
        arrayconv.einconv("a n, o n -> o n | n", x, kernel, method=method),
    ]
    for y in results:
        assert (type(y), y.device, y.dtype) == (type(x), place, dtype)
    monkeypatch.undo()
    host = np.asarray(results[0].to_device(array_api_strict.Device("CPU_DEVICE")))
    assert np.allclose(host, EXPECTED["full"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("method", ["auto", "direct", "im2col"])
@pytest.mark.parametrize("device", STRICT_DEVICES)
def test_strict_integers_stay_where_they_are_unread(device, method, unreadable):
    place = array_api_strict.Device(device)
    x = array_api_strict.asarray([200, 200, 200], dtype=array_api_strict.uint8, device=place)
    y = arrayconv.convolve(x, [1, 1], method=method)
    assert (y.device, y.dtype) == (place, array_api_strict.uint8)


@pytest.mark.parametrize("method", METHODS)
def test_type_and_device_come_out_as_they_went_in(library, method):
    x, kernel = library.asarray(X), library.asarray(KERNEL)
    y = arrayconv.correlate(x, kernel, method=method)
    assert isinstance(y, type(x))
    assert device_of(y) == device_of(x) == library.device
    assert y.dtype == x.dtype
    assert close(library.numpy(y), EXPECTED["full"])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.complex128, torch.bfloat16, torch.int32, torch.uint8])
def test_meta_tensors_have_shapes_and_dtypes(method, dtype):
    x, kernel = (torch.empty(shape, dtype=dtype, device="meta") for shape in ((4, 20, 30), (3, 5)))
    if method in ("im2col", "banded", "dot") and not (dtype.is_floating_point or dtype.is_complex):
        with pytest.raises(NotImplementedError, match="torch on meta has no integer matrix product"):
            arrayconv.convolve(x, kernel, "same", axes=(1, 2), method=method)
        return
    for options, shape in (
        ({"mode": "full"}, (4, 22, 34)),
        ({"mode": "same", "stride": (2, 3), "boundary": "wrap"}, (4, 10, 10)),
        ({"mode": "valid", "dilation": 2}, (4, 16, 22)),
    ):
        y = arrayconv.convolve(x, kernel, axes=(1, 2), method=method, **options)
        assert (y.device.type, y.dtype, tuple(y.shape)) == ("meta", dtype, shape)


def test_meta_tensors_are_blocked_as_others_are():
    x, kernel = (torch.empty(shape, device="meta") for shape in ((3000, 3000), (31, 31)))
    y = arrayconv.convolve(x, kernel, "same", method="fft", max_workspace=1 << 26)
    assert tuple(y.shape) == (3000, 3000)


# ---- lists, numbers, views ----


@pytest.mark.parametrize(
    ("x", "kernel", "expected"),
    [
        ([1, 2, 3], [1, 10], [1, 12, 23, 30]),
        ((1, 2, 3), (1, 10), [1, 12, 23, 30]),
        ([1.0, 2, 3], [1, 10], [1.0, 12, 23, 30]),
        ([[1, 2], [3, 4]], [[10]], [[10, 20], [30, 40]]),
        (((1, 2), [3, 4]), [[10]], [[10, 20], [30, 40]]),
        (3, 4, 12),
        (3.5, 2, 7.0),
        (1 + 1j, 2, 2 + 2j),
    ],
)
def test_lists_and_numbers_become_numpy_arrays(x, kernel, expected):
    y = arrayconv.convolve(x, kernel)
    assert isinstance(y, np.ndarray)
    assert y.dtype == np.asarray(expected).dtype
    assert y.tolist() == expected


@pytest.mark.parametrize("wrap", [list, tuple])
def test_kernel_lists_become_arrays_like_x(wrap, library):
    x = library.asarray(np.arange(1, 6, dtype=np.float32))
    y = arrayconv.convolve(x, wrap([1, 10]), "same")
    assert (type(y), y.dtype, device_of(y)) == (type(x), x.dtype, library.device)
    assert library.numpy(y).tolist() == [1, 12, 23, 34, 45]


@pytest.mark.parametrize(
    ("x", "kernel", "dtype"),
    [
        ("uint8", [1, 2], "uint8"),  # x's dtype where its kind can hold the numbers
        ("int64", [1, 2], "int64"),
        ("float32", [1, 2], "float32"),
        ("float32", [0.5], "float32"),
        ("complex64", [1, 0.5], "complex64"),
        ("int32", [0.5], "float64"),  # else the widest of the kind
        ("uint8", [1j], "complex128"),
        ("float32", [1j], "complex64"),  # as precise as x
        ("float64", [1j], "complex128"),
    ],
)
def test_kernel_lists_take_a_dtype_that_holds_them(x, kernel, dtype, library):
    y = arrayconv.convolve(library.asarray(np.ones(3, dtype=x)), kernel)
    assert library.numpy(y).dtype == dtype


def test_kernel_lists_take_the_requested_dtype():
    y = arrayconv.convolve(np.array([1, 2, 250], dtype=np.uint8), [-1, 300], dtype="int16")
    assert y.tolist() == [-1, 298, 350, 75000 - 2**16]


def test_numpy_scalars_are_arrays_without_axes():
    y = arrayconv.convolve(np.float32(3), np.float32(4))
    assert (y.shape, y.dtype, float(y)) == ((), np.float32, 12)
    assert arrayconv.convolve(np.ones(3), np.float64(4), axes=()).tolist() == [4, 4, 4]


@pytest.mark.parametrize("method", ["auto", "direct", "im2col"])
def test_arrays_without_axes_are_multiplied(method, library):
    y = arrayconv.convolve(library.asarray(3.0), library.asarray(4.0), method=method)
    assert (tuple(y.shape), float(library.numpy(y))) == ((), 12.0)


@pytest.mark.parametrize("method", METHODS)
def test_empty_batches_have_empty_results(method, library):
    x, kernel = library.asarray(np.ones((0, 6))), library.asarray(np.ones(3))
    for boundary in ("constant", "wrap"):
        y = arrayconv.convolve(x, kernel, axes=1, boundary=boundary, method=method)
        assert (tuple(y.shape), y.dtype) == ((0, 8), x.dtype)


@pytest.mark.parametrize("method", METHODS)
def test_empty_axes_are_extended_by_the_fill_alone(method):
    y = arrayconv.convolve(np.ones(0), np.array([1.0, 2, 3]), fill_value=2.0, method=method)
    assert np.allclose(y, [12, 12], rtol=0, atol=1e-13)
    assert arrayconv.convolve(np.ones(0), np.ones(3), "same", boundary="edge", method=method).shape == (0,)


VIEWS = {
    "fortran": np.asfortranarray,
    "reversed": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "steps": lambda a: np.repeat(np.repeat(a, 2, 0), 3, 1)[::2, ::3],
    "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
    "unaligned": lambda a: np.frombuffer(b"." + a.tobytes(), dtype=a.dtype, offset=1).reshape(a.shape),
    "read-only": lambda a: _read_only(a.copy()),
}


def _read_only(array):
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("method", METHODS)
def test_any_strides_are_read(view, method):
    x, kernel = VIEWS[view](X), VIEWS[view](KERNEL)
    expected = arrayconv.testing.reference("correlate", x.copy(), kernel.copy()).astype(float)
    assert close(arrayconv.correlate(x, kernel, method=method), expected)


def test_torch_views_are_read():
    x = torch.asarray(np.repeat(X, 2, 1))[:, ::2].T.contiguous().T
    kernel = torch.asarray(KERNEL.T.copy()).T
    for method in METHODS:
        assert close(arrayconv.correlate(x, kernel, method=method).numpy(), EXPECTED["full"])


def test_memory_maps_are_read(tmp_path):
    path = tmp_path / "x.bin"
    X.tofile(path)
    x = np.memmap(path, dtype=X.dtype, mode="r", shape=X.shape)
    y = arrayconv.correlate(x, KERNEL)
    assert type(y) is np.ndarray
    assert close(y, EXPECTED["full"])


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("method", METHODS)
def test_operands_are_left_as_they_were(method, boundary, library):
    if library.name == "jax":
        return  # its arrays can't change
    x, kernel = library.asarray(X), library.asarray(KERNEL)
    hidden = np.nan if method == "fft" else 1.0  # repaired in a copy alone
    x[0, 0] = hidden
    before = library.numpy(x).copy(), library.numpy(kernel).copy()
    arrayconv.convolve(x, kernel, "same", boundary=boundary, method=method)
    arrayconv.einconv("b n, o n -> b o n | n", x, kernel, padding="same", flip=True, conj=True, method=method)
    assert np.array_equal(library.numpy(x), before[0], equal_nan=True)
    assert np.array_equal(library.numpy(kernel), before[1])


def test_result_is_no_view_of_an_operand(library):
    x = library.asarray(X)
    one = library.asarray(np.ones((1, 1)))
    for method in METHODS:
        y = arrayconv.convolve(x, one, method=method)
        assert y is not x
        if library.name in ("numpy", "torch"):
            assert not out_arrays.shares_memory(library.name, y, x)


# ---- torch: subclasses, gradients, function transforms ----


def test_torch_parameters_are_tensors():
    kernel = torch.nn.Parameter(torch.asarray(KERNEL))
    y = arrayconv.correlate(torch.asarray(X), kernel)
    assert type(y) is torch.Tensor
    y.sum().backward()
    assert tuple(kernel.grad.shape) == KERNEL.shape


def test_a_result_needs_a_gradient_only_where_an_operand_does():
    x, kernel = torch.asarray(X), torch.asarray(KERNEL)
    assert not arrayconv.convolve(x, kernel).requires_grad
    assert arrayconv.convolve(x.clone().requires_grad_(), kernel).requires_grad


def sample(n, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, generator=generator, dtype=dtype, requires_grad=True)


@pytest.mark.parametrize("function", ["convolve", "correlate"])
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("method", METHODS)
def test_torch_gradients_equal_finite_differences(method, boundary, function):
    operation = getattr(arrayconv, function)
    x, kernel = sample(6), sample(3, 1)
    for options in ({"mode": "full"}, {"mode": "same", "stride": 2, "dilation": 2}):
        torch.autograd.gradcheck(
            lambda x, kernel, options=options: operation(x, kernel, boundary=boundary, method=method, **options),
            (x, kernel),
        )


@pytest.mark.parametrize("method", METHODS)
def test_torch_gradients_of_images_complex_numbers_and_labels(method):
    image, kernel = sample((3, 4)), sample((2, 2), 1)
    torch.autograd.gradcheck(
        lambda x, k: arrayconv.convolve(x, k, boundary=("wrap", "reflect"), method=method), (image, kernel)
    )
    x, w = sample(4, 0, torch.complex128), sample(2, 1, torch.complex128)
    torch.autograd.gradcheck(lambda x, k: arrayconv.correlate(x, k, method=method), (x, w))
    pattern = "b (g c) n, g c n -> b g n | n"
    torch.autograd.gradcheck(
        lambda x, k: arrayconv.einconv(pattern, x, k, g=2, padding="full", upsample=2, stride=3, method=method),
        (sample((1, 4, 3)), sample((2, 2, 2), 1)),
    )


@pytest.mark.parametrize("method", METHODS)
def test_torch_second_derivatives(method):
    torch.autograd.gradgradcheck(
        lambda x, k: arrayconv.convolve(x, k, "same", method=method), (sample(5), sample(3, 1))
    )


@pytest.mark.parametrize("method", METHODS)
def test_torch_gradient_passes_by_bad_samples(method):
    x = sample(8).detach()
    x[2] = torch.nan
    x.requires_grad_()
    kernel = torch.asarray([1.0, -2.0, 4.0], dtype=torch.float64)
    y = arrayconv.correlate(x, kernel, "valid", method=method)
    y[3:].sum().backward()  # windows of samples 3 to 7
    assert np.allclose(x.grad.numpy(), [0, 0, 0, 1, -1, 3, 2, 4], rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_torch_vmap_is_a_batch(method):
    xs, kernels = torch.asarray(np.random.default_rng(0).standard_normal((4, 9))), torch.asarray(KERNEL).repeat(2, 1)
    operation = lambda x, k: arrayconv.convolve(x, k, "same", boundary="wrap", method=method)  # noqa: E731
    each = torch.stack([operation(x, k) for x, k in zip(xs, kernels, strict=True)])
    assert torch.allclose(torch.func.vmap(operation)(xs, kernels), each, rtol=0, atol=1e-12)
    shared = torch.stack([operation(x, kernels[0]) for x in xs])
    assert torch.allclose(torch.func.vmap(operation, in_dims=(0, None))(xs, kernels[0]), shared, rtol=0, atol=1e-12)
    bank = torch.stack([operation(xs[0], k) for k in kernels])
    assert torch.allclose(torch.func.vmap(operation, in_dims=(None, 0))(xs[0], kernels), bank, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_torch_vmap_of_a_plan_of_several_steps(method):
    xs, kernel = torch.asarray(X), torch.asarray([1.0, 2.0, 3.0], dtype=torch.float64)
    operation = lambda x: arrayconv.einconv("n, n -> n | n", x, kernel, upsample=2, padding=2, method=method)  # noqa: E731
    each = torch.stack([operation(x) for x in xs])
    assert torch.allclose(torch.func.vmap(operation)(xs), each, rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # torch's own use of it
@pytest.mark.parametrize("method", METHODS)
def test_torch_function_transforms(method):
    x, kernel = torch.asarray(X[0]), torch.asarray(KERNEL[0])
    loss = lambda x: (arrayconv.convolve(x, kernel, method=method) ** 2).sum()  # noqa: E731
    expected = 2 * np.correlate(np.convolve(X[0], KERNEL[0]), KERNEL[0], "valid")
    assert np.allclose(torch.func.grad(loss)(x).numpy(), expected, rtol=1e-12)
    _, tangent = torch.func.jvp(lambda x: arrayconv.convolve(x, kernel, method=method), (x,), (x,))
    assert np.allclose(tangent.numpy(), np.convolve(X[0], KERNEL[0]), rtol=1e-12)


# ---- JAX ----

LINE, TAPS = np.array([3.0, 1, 4, 1, 5, 9, 2, 6, 5]), np.array([2.0, -7, 1])


@pytest.mark.parametrize("method", METHODS)
def test_jax_jit_equals_eager(method):
    x, kernel = jnp.asarray(LINE), jnp.asarray(TAPS)
    operation = lambda x, k: arrayconv.correlate(x, k, "same", boundary="reflect", method=method)  # noqa: E731
    y = jax.jit(operation)(x, kernel)
    assert y.dtype == x.dtype
    expected = arrayconv.testing.reference("correlate", LINE, TAPS, "same", boundary="reflect").astype(float)
    assert np.allclose(y, expected, rtol=0, atol=1e-11)
    assert np.allclose(operation(x, kernel), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("method", METHODS)
def test_jax_jit_contains_non_finite_numbers(method):
    x = LINE.copy()
    x[4] = np.nan
    y = jax.jit(lambda x: arrayconv.correlate(x, jnp.asarray(TAPS), "valid", method=method))(jnp.asarray(x))
    expected = np.correlate(LINE, TAPS, "valid")
    contaminated = np.array([False, False, True, True, True, False, False])
    assert np.array_equal(~np.isfinite(y), contaminated)
    assert np.allclose(np.asarray(y)[~contaminated], expected[~contaminated], rtol=0, atol=1e-11)


@pytest.mark.parametrize("method", METHODS)
def test_jax_gradient_equals_the_adjoint(method):
    weights = np.arange(11.0)
    loss = lambda x, k: jnp.sum(jnp.asarray(weights) * arrayconv.convolve(x, k, method=method))  # noqa: E731
    x_gradient, kernel_gradient = jax.jit(jax.grad(loss, argnums=(0, 1)))(jnp.asarray(LINE), jnp.asarray(TAPS))
    assert np.allclose(x_gradient, np.correlate(weights, TAPS, "valid"), rtol=0, atol=1e-10)
    assert np.allclose(kernel_gradient, np.correlate(weights, LINE, "valid"), rtol=0, atol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_jax_vmap_is_a_batch(method):
    operation = lambda x, k: arrayconv.convolve(x, k, "same", method=method)  # noqa: E731
    y = jax.jit(jax.vmap(operation, in_axes=(0, None)))(jnp.asarray(X), jnp.asarray(KERNEL[0]))
    assert np.allclose(y, [np.convolve(row, KERNEL[0])[:5] for row in X], rtol=0, atol=1e-11)


def test_jax_closes_over_a_kernel():
    y = jax.jit(lambda x: arrayconv.convolve(x, TAPS.tolist()))(jnp.asarray(LINE))
    assert np.allclose(y, np.convolve(LINE, TAPS), rtol=0, atol=1e-11)


def test_jax_tracer_is_planned_for_as_its_array_is():
    explanations = []
    jax.eval_shape(lambda x, k: explanations.append(arrayconv.explain(x, k)) or x, jnp.asarray(LINE), jnp.asarray(TAPS))
    assert explanations[0].output_shape == (11,)
    assert (explanations[0].backend, explanations[0].dtype) == ("jax", "float64")


# ---- an unknown library ----


class TinyArray:
    """An array with the standard's methods and nothing else."""

    def __init__(self, inner):
        self.inner = inner

    def __array_namespace__(self, api_version=None):
        return TINY

    shape = property(lambda self: self.inner.shape)
    ndim = property(lambda self: self.inner.ndim)
    size = property(lambda self: self.inner.size)
    dtype = property(lambda self: self.inner.dtype)
    device = property(lambda self: self.inner.device)

    def __getitem__(self, key):
        return TinyArray(self.inner[key])

    def __setitem__(self, key, value):
        self.inner[key] = opened(value)


TinyArray.__module__ = "tinyarray"
OPERATORS = ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "and", "or", "invert", "lshift",
             "rshift", "gt", "lt", "ge", "le", "eq", "ne", "neg", "iadd", "isub", "imul")  # fmt: skip
for operator in OPERATORS:
    name = f"__{operator}__"

    def method(self, *others, name=name):
        return TinyArray(getattr(self.inner, name)(*map(opened, others)))

    setattr(TinyArray, name, method)


def opened(value):
    """Return the array inside a TinyArray, in lists and tuples too."""
    if isinstance(value, (list, tuple)):
        return type(value)(opened(entry) for entry in value)
    return value.inner if isinstance(value, TinyArray) else value


class Tiny(types.ModuleType):
    """The namespace: array_api_strict's functions around TinyArrays."""

    def __getattr__(self, name):
        attribute = getattr(array_api_strict if self.__name__ == "tinyarray" else array_api_strict.fft, name)
        if name == "fft":
            return Tiny("tinyarray.fft")
        if not callable(attribute) or isinstance(attribute, type) or name.startswith("__"):
            return attribute

        def function(*arguments, **options):
            y = attribute(*map(opened, arguments), **{key: opened(value) for key, value in options.items()})
            return TinyArray(y) if isinstance(y, StrictArray) else y

        return function


TINY = Tiny("tinyarray")


@pytest.mark.parametrize("method", METHODS)
def test_unknown_library_gets_the_standard_only_code(method, unreadable, monkeypatch):
    place = array_api_strict.Device("device1")
    x, kernel = (TinyArray(array_api_strict.asarray(host.tolist(), device=place)) for host in (X, KERNEL))
    explanation = arrayconv.explain(x, kernel, method=method)
    assert explanation.backend == "tinyarray"
    results = [
        arrayconv.correlate(x, kernel, method=method),
        arrayconv.correlate(x, kernel, "same", boundary="wrap", method=method),
        arrayconv.einconv("b n, o n -> b o n | n", x, kernel, padding=2, upsample=2, method=method),
    ]
    assert all(type(y) is TinyArray and y.device == place for y in results)
    monkeypatch.undo()
    host = [np.asarray(y.inner.to_device(array_api_strict.Device("CPU_DEVICE"))) for y in results]
    assert close(host[0], EXPECTED["full"])
    assert close(host[1], arrayconv.correlate(X, KERNEL, "same", boundary="wrap"))
    assert close(host[2], arrayconv.einconv("b n, o n -> b o n | n", X, KERNEL, padding=2, upsample=2))


def test_unknown_library_takes_lists_and_out():
    x = TinyArray(array_api_strict.asarray([1, 2, 3]))
    y = arrayconv.convolve(x, [1, 10])
    assert type(y) is TinyArray
    out = TinyArray(array_api_strict.zeros(4, dtype=array_api_strict.int64))
    assert arrayconv.convolve(x, [1, 10], out=out) is out
    assert np.asarray(out.inner).tolist() == np.asarray(y.inner).tolist() == [1, 12, 23, 30]


def test_unknown_library_is_not_mixed_with_others():
    x = TinyArray(array_api_strict.ones(3))
    with pytest.raises(TypeError, match="Got tinyarray and numpy"):
        arrayconv.convolve(x, np.ones(2))
