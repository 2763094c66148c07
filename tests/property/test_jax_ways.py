"""However JAX transforms a call, the result is the plain call's, for later inputs too.

Each way is made of a function once and run on inputs that come after it, so that nothing of the first may stay. The
doors are functions of x alone; all are affine in it, so differences of results are their derivatives.
"""

import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import arrayconv
from arrayconv import config, ndimage, nn, signal

ROOT = Path(arrayconv.__file__).parent.parent
TOLERANCE = 1e-9


def numbers(seed, *shape):
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape))


KERNEL, WEIGHT = numbers(1, 3, 2), numbers(2, 3, 2, 3, 2)
WEIGHT1, TRANSPOSED = numbers(3, 3, 2, 3), numbers(4, 2, 3, 3, 2)
BIAS, KEPT = numbers(5, 3), arrayconv.Convolver(KERNEL, "same", boundary="reflect")
DOORS = {  # (call of x, shape of x)
    "convolve": (lambda x: arrayconv.convolve(x, KERNEL, "same", method="fft"), (6, 5)),
    "correlate": (lambda x: arrayconv.correlate(x, KERNEL, "same", boundary="wrap"), (6, 5)),
    "conv1d": (lambda x: nn.conv1d(x, WEIGHT1, BIAS, padding=1), (2, 2, 7)),
    "conv2d": (lambda x: nn.conv2d(x, WEIGHT, BIAS, padding=1, stride=2), (2, 2, 6, 5)),
    "conv_transpose2d": (lambda x: nn.conv_transpose2d(x, TRANSPOSED, stride=2), (2, 2, 3, 4)),
    "einconv": (lambda x: arrayconv.einconv("b h w, h w -> b h w | h w", x, KERNEL), (2, 6, 5)),
    "Convolver": (lambda x: KEPT(x), (6, 5)),  # JAX wants a name of what it maps
    "signal.convolve": (lambda x: signal.convolve(x, KERNEL, "same"), (6, 5)),
    "ndimage.gaussian_filter": (lambda x: ndimage.gaussian_filter(x, 1.0), (6, 5)),
}


def custom(call):
    own = jax.custom_jvp(call)
    own.defjvp(lambda primals, tangents: jax.jvp(call, primals, tangents))
    return own


def replayed(call):
    def run(x):
        closed = jax.make_jaxpr(call)(jnp.zeros_like(x))
        return jax.core.eval_jaxpr(closed.jaxpr, closed.consts, x)[0]

    return run


def on_host(callback):
    def way(call):
        def run(x):
            return callback(lambda a: np.asarray(call(jnp.asarray(a))), jax.eval_shape(call, x), x)

        return jax.jit(run)

    return way


def exported(call):
    def run(x):
        with config.using(accelerators=set(config.ACCELERATORS) - {"xla_ffi"}):
            program = jax.jit(lambda x: call(x))  # a new function: JAX remembers what it traced of another
            return jax.export.export(program)(jax.ShapeDtypeStruct(x.shape, x.dtype)).call(x)

    return run


def within(context, *arguments):
    def way(call):
        def run(x):
            with context(*arguments):
                return call(x)

        return run

    return way


def twice(x):
    return jnp.stack([2 * x, x])


WAYS = {
    "jit": jax.jit,
    "donated": lambda call: lambda x: jax.jit(call, donate_argnums=0)(x + 0),
    "compiled-ahead": lambda call: lambda x: jax.jit(call).lower(x).compile()(x),
    "vmap": lambda call: lambda x: jax.vmap(call)(twice(x))[1],
    "checkpoint": jax.checkpoint,
    "custom_jvp": custom,
    "named_call": jax.named_call,
    "scan": lambda call: lambda x: lax.scan(lambda carry, a: (carry, call(a)), 0.0, twice(x))[1][1],
    "map": lambda call: lambda x: lax.map(call, twice(x))[1],
    "fori_loop": lambda call: lambda x: lax.fori_loop(0, 3, lambda i, y: call(x * (i - 1)), jnp.zeros_like(call(x))),
    "while_loop": lambda call: (
        lambda x: lax.while_loop(
            lambda carry: carry[0] < 2, lambda carry: (carry[0] + 1, call(x * carry[0])), (0, jnp.zeros_like(call(x)))
        )[1]
    ),
    "cond": lambda call: lambda x: lax.cond(x.sum() < 1e9, call, lambda x: 0 * call(x), x),
    "jaxpr": replayed,
    "export": exported,
    "pure_callback": on_host(jax.pure_callback),
    "io_callback": on_host(jax.experimental.io_callback),
    "debug_nans": within(jax.debug_nans, True),
    "disable_jit": within(jax.disable_jit),
    "matmul_precision": within(jax.default_matmul_precision, "bfloat16"),
    "rank_promotion": within(jax.numpy_rank_promotion, "raise"),
    "strict_promotion": within(jax.numpy_dtype_promotion, "strict"),
    "leaks": within(jax.checking_leaks),
}
DERIVATIVES = {  # (call, x, tangent) -> the directional derivative
    "jvp": lambda call, x, t: jax.jvp(call, (x,), (t,))[1],
    "linearize": lambda call, x, t: [jax.linearize(call, x)[1](a) for a in (x, t)][1],
    "jit-linearize": jax.jit(lambda call, x, t: jax.linearize(call, x)[1](t), static_argnums=0),
    "jacfwd": lambda call, x, t: jnp.tensordot(jax.jacfwd(call)(x), t, t.ndim),
    "jacrev": lambda call, x, t: jnp.tensordot(jax.jacrev(call)(x), t, t.ndim),
}


def assert_close(y, expected, tolerance=TOLERANCE):
    np.testing.assert_allclose(np.asarray(y), np.asarray(expected), rtol=tolerance, atol=tolerance)


def pairs():
    """Yield every way with two of the doors, in turn: all pairs would take minutes to compile."""
    doors = tuple(DOORS)
    for number, way in enumerate(WAYS):
        yield way, doors[number % len(doors)]
        yield way, doors[(number + 4) % len(doors)]


@pytest.mark.filterwarnings("ignore:Some donated buffers were not usable")  # those of another shape than the result
@pytest.mark.parametrize(("way", "door"), list(pairs()))
def test_every_way_gives_the_plain_result_for_later_inputs_too(way, door):
    call, shape = DOORS[door]
    x, expected = numbers(8, *shape), call(numbers(8, *shape))
    other = WAYS[way](call)
    other(numbers(7, *shape))
    y = other(x)
    assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
    assert_close(y, expected)
    assert jax.eval_shape(call, x) == jax.ShapeDtypeStruct(expected.shape, expected.dtype)


@pytest.mark.parametrize("door", ["correlate", "conv2d", "conv_transpose2d", "ndimage.gaussian_filter"])
def test_every_derivative_is_that_of_an_affine_function(door):
    """JAX compiles every operation of an eager derivative by itself: one door shows those, the others one program."""
    call, shape = DOORS[door]
    x, t = numbers(8, *shape), numbers(9, *shape)
    y, dy = call(x), call(x + t) - call(x)

    def energy(x):
        return (call(x) ** 2).sum()

    def derivatives(x, t):
        first = {name: derivative(call, x, t) for name, derivative in DERIVATIVES.items()}
        return first, jax.value_and_grad(energy)(x), products(x, t), gradients(x)

    def products(x, t):
        pulled = jax.vjp(call, x)[1](y)[0]
        return (pulled * t).sum(), (jnp.tensordot(jax.hessian(energy)(x), t, t.ndim) * t).sum()

    def gradients(x):
        mapped = jax.vmap(jax.grad(energy))(twice(x))[1]
        return mapped, jax.grad(lambda x: lax.map(jax.checkpoint(energy), twice(x))[1])(x)

    run = derivatives if door == "correlate" else jax.jit(derivatives)
    first, (value, gradient), (pulled, curvature), same = run(x, t)
    for name, derivative in first.items():
        np.testing.assert_allclose(derivative, dy, TOLERANCE, TOLERANCE, err_msg=name)
    assert_close(value, (y**2).sum())
    assert_close((gradient * t).sum(), 2 * (y * dy).sum())
    assert_close(pulled, (y * dy).sum())
    assert_close(curvature, 2 * (dy**2).sum())
    for other in same:
        assert_close(other, gradient)


SEVERAL = """
import jax, jax.numpy as jnp, numpy as np, pytest
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec as P
from arrayconv import config
from tests.property.test_jax_ways import DOORS, KERNEL, assert_close, numbers
import arrayconv
mesh = jax.make_mesh((4,), ("d",), axis_types=(AxisType.Auto,))
rows, everywhere = NamedSharding(mesh, P("d")), NamedSharding(mesh, P())
for door in ("convolve", "correlate", "conv2d", "Convolver", "ndimage.gaussian_filter"):
    call, shape = DOORS[door]
    x = numbers(8, *shape)
    expected, many = call(x), jax.device_put(jnp.stack([x, 2 * x, 3 * x, 4 * x]), rows)

    def mapped(part):
        return call(part[0])[None]

    spread = jax.shard_map(mapped, mesh=mesh, in_specs=P("d"), out_specs=P("d"))
    assert_close(spread(many)[0], expected), door
    gradient = jax.jit(jax.grad(lambda many: (spread(many) ** 2).sum()))(many)
    assert_close(gradient[0], jax.jit(jax.grad(lambda x: (call(x) ** 2).sum()))(x))
    assert_close(jax.vmap(call)(many)[0], expected)

x, by_rows = numbers(8, 8, 5), jax.device_put(numbers(8, 8, 5), rows)
for method in ("auto", "banded"):
    expected = arrayconv.convolve(x, KERNEL, "same", method=method)
    for place in (rows, everywhere):  # of the kernel, on the devices of x
        kernel = jax.device_put(KERNEL, everywhere)
        found = arrayconv.convolve(jax.device_put(x, place), kernel, "same", method=method)
        assert_close(found, expected)
    assert_close(jax.jit(lambda x: arrayconv.convolve(x, KERNEL, "same", method=method))(by_rows), expected)
assert_close(arrayconv.ndimage.gaussian_filter(by_rows, 1.0), arrayconv.ndimage.gaussian_filter(x, 1.0))
assert_close(arrayconv.convolve(by_rows, [[1, 2.0]]), arrayconv.convolve(x, [[1, 2.0]]))

@jax.jit
def gradient_of_kernel(kernel):
    spread = jax.shard_map(
        lambda x, k: arrayconv.convolve(x, k), mesh=mesh, in_specs=(P("d"), P()), out_specs=P("d")
    )
    return (spread(by_rows, kernel) ** 2).sum()

step = 1e-6
slope = (gradient_of_kernel((1 + step) * KERNEL) - gradient_of_kernel((1 - step) * KERNEL)) / (2 * step)
assert_close((jax.grad(gradient_of_kernel)(KERNEL) * KERNEL).sum() / slope, 1.0, 1e-6)

second = jax.device_put(x, jax.devices()[1])
y = arrayconv.convolve(second, jax.device_put(KERNEL, jax.devices()[1]))
assert y.devices() == {jax.devices()[1]}
for other in (second, by_rows):
    with pytest.raises(TypeError, match="`x` and `kernel` must be on one device"):
        arrayconv.convolve(other, KERNEL)
print("all")
"""


def test_several_devices_give_the_result_of_one():
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "JAX_ENABLE_X64": "1"}
    environment["XLA_FLAGS"] += " --xla_force_host_platform_device_count=4"
    command = [sys.executable, "-c", SEVERAL]
    captured = {"capture_output": True, "text": True, "timeout": 400}
    process = subprocess.run(command, env=environment, cwd=ROOT, check=False, **captured)
    assert process.returncode == 0, process.stderr[-3000:]
    assert process.stdout.strip() == "all"
