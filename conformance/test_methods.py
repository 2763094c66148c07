"""No choice changes the result: methods, workspace, `out`, `explain`, nested lists."""

import pytest

from . import asserts, bounds
from .cases import shapes
from .checks import check, check_random, described, exact_result, invoke, operand, random_operands

ROWS = [
    ("1d", (50,), (9,), {"mode": "same"}),
    ("long", (400,), (70,), {}),
    ("2d", (12, 11), (4, 3), {"mode": "valid"}),
    ("boundary", (12, 11), (5, 6), {"mode": "same", "boundary": "reflect"}),
    ("steps", (40,), (5,), {"stride": 3, "dilation": 2}),
    ("batch", (3, 40), (7,), {"axes": 1}),
    ("filters", (1, 40), (4, 7), {"axes": 1}),
]
# The same for every method, smaller: of 'dot' a compiler compiles a product per output.
SMALL = [
    ("1d", (16,), (9,), {"mode": "same"}),
    ("long", (400,), (70,), {}),
    ("2d", (7, 6), (4, 3), {"mode": "valid"}),
    ("boundary", (6, 5), (3, 4), {"mode": "same", "boundary": "reflect"}),
    ("steps", (40,), (5,), {"stride": 3, "dilation": 2}),
    ("batch", (3, 11), (6,), {"axes": 1}),
    ("filters", (1, 11), (4, 6), {"axes": 1}),
]
KINDS = ("real", "integer", "complex")


def _names(subject, kind):
    return ("int32" if kind == "integer" else getattr(subject.backend, kind),) * 2


@pytest.mark.cross(("row", SMALL), ("kind", KINDS))
def test_every_method(subject, row, kind):
    """Every method that `explain` offers agrees; every one it refuses raises, with that reason."""
    _, x_shape, kernel_shape, options = row
    x, kernel = random_operands(subject, x_shape, kernel_shape, _names(subject, kind))
    candidates = subject.target.explain(x.array, kernel.array, **options).candidates
    assert candidates, "explain(...).candidates must name the methods"
    for candidate in candidates:
        forced = {**options, "method": candidate.name}
        if candidate.refusal is None:
            check(subject, "convolve", x, kernel, **forced)
            continue
        call = described("convolve", x, kernel, forced)
        asserts.raises(
            NotImplementedError,
            ["convolve", candidate.name, candidate.refusal],
            lambda forced=forced: subject.target.convolve(x.array, kernel.array, **forced),
            call,
        )


@pytest.mark.cross(("row", ROWS), ("limit", (1, 600, 4096, 30_000, 10**6)))
def test_workspace_limit(subject, row, limit):
    """Blocks change no result; a limit that no block fits is a ValueError that says how many bytes."""
    _, x_shape, kernel_shape, options = row
    x, kernel = random_operands(subject, x_shape, kernel_shape, (subject.backend.real,) * 2)
    options = {**options, "max_workspace": limit}
    try:
        subject.target.explain(x.array, kernel.array, **options)
    except ValueError:
        call = described("convolve", x, kernel, options)
        facts = ["convolve", "max_workspace", str(limit)]
        asserts.raises(ValueError, facts, lambda: subject.target.convolve(x.array, kernel.array, **options), call)
        return
    check(subject, "convolve", x, kernel, **options)


@pytest.mark.cross(("row", ROWS), ("kind", KINDS))
def test_explain_states_what_the_call_returns(subject, row, kind):
    """The call has the shape, dtype and method that `explain` states."""
    _, x_shape, kernel_shape, options = row
    x, kernel = random_operands(subject, x_shape, kernel_shape, _names(subject, kind))
    explanation = subject.target.explain(x.array, kernel.array, **options)
    out = invoke(subject, "convolve", (), x, kernel, options)
    call = described("explain", x, kernel, options)
    asserts.equal("explain.output_shape", tuple(explanation.output_shape), tuple(out.shape), call)
    asserts.equal("explain.dtype", explanation.dtype, subject.backend.dtype_name(out), call)
    offered = [candidate.name for candidate in explanation.candidates if candidate.refusal is None]
    assert explanation.method in offered, (
        f"explain.method={explanation.method!r}, but should be one of {offered} [{call}]"
    )
    assert explanation.method in str(explanation), (
        f"str(explain(...)) must name the method {explanation.method!r} [{call}]"
    )
    again = subject.target.explain(x.array, kernel.array, **options)
    asserts.equal("explain.method", again.method, explanation.method, call)


@pytest.mark.cross(("row", ROWS))
def test_explain_needs_no_arrays(subject, row):
    _, x_shape, kernel_shape, options = row
    x, kernel = random_operands(subject, x_shape, kernel_shape, (subject.backend.real,) * 2)
    explanation = subject.target.explain(x.array, kernel.array, **options)
    by_shape = subject.target.explain(x_shape, kernel_shape, like=x.array, dtype=subject.backend.real, **options)
    call = described("explain", x, kernel, options)
    asserts.equal("explain(shapes).output_shape", by_shape.output_shape, explanation.output_shape, call)
    asserts.equal("explain(shapes).method", by_shape.method, explanation.method, call)


def test_explain_honours_accuracy(subject):
    x, kernel = random_operands(subject, (4096,), (1024,), (subject.backend.real,) * 2)
    explanation = subject.target.explain(x.array, kernel.array, accuracy="componentwise")
    refused = [candidate.name for candidate in explanation.candidates if candidate.refusal is not None]
    call = described("explain", x, kernel, {"accuracy": "componentwise"})
    assert explanation.method not in refused, f"explain.method={explanation.method!r} is refused itself [{call}]"


@pytest.mark.cross(("row", ROWS), ("function", shapes.FUNCTIONS))
def test_out(subject, row, function):
    """`out` is written and returned; immutable arrays refuse it."""
    _, x_shape, kernel_shape, options = row
    name = subject.backend.real
    x, kernel = random_operands(subject, x_shape, kernel_shape, (name, name))
    exact = exact_result(function, x.host, kernel.host, options)
    out = subject.backend.xp.ones(exact.shape, dtype=x.array.dtype, device=subject.backend.device)
    call = described(function, x, kernel, options)

    def run():
        return getattr(subject.target, function)(x.array, kernel.array, out=out, **options)

    if subject.backend.name == "jax":
        asserts.raises(TypeError, [function, "out"], run, call)
        return
    assert run() is out, f"the result must be `out` itself [{call}]"
    asserts.values(subject.backend.host(out), exact, name, "normwise", call)


@pytest.mark.only("numpy", "torch", "array_api_strict", "cupy")
@pytest.mark.cross(("function", shapes.FUNCTIONS))
def test_out_may_be_an_operand(subject, function):
    name = subject.backend.real
    x, kernel = random_operands(subject, (40,), (5,), (name, name))
    exact = exact_result(function, x.host, kernel.host, {"mode": "same"})
    getattr(subject.target, function)(x.array, kernel.array, mode="same", out=x.array)
    call = described(function, x, kernel, {"mode": "same", "out": "x"})
    asserts.values(subject.backend.host(x.array), exact, name, "normwise", call)


@pytest.mark.cross(("function", shapes.FUNCTIONS), ("row", ROWS[:4]))
def test_operands_are_left_alone(subject, function, row):
    _, x_shape, kernel_shape, options = row
    x, kernel = random_operands(subject, x_shape, kernel_shape, (subject.backend.real,) * 2)
    invoke(subject, function, (), x, kernel, options)
    call = described(function, x, kernel, options)
    asserts.identical(subject.backend.host(x.array), x.host, call)
    asserts.identical(subject.backend.host(kernel.array), kernel.host, call)


@pytest.mark.cross(("function", shapes.FUNCTIONS))
def test_kernel_as_nested_lists(subject, function):
    name = subject.backend.real
    x = operand(subject, [[1, 2, 3], [4, 5, 6]], name)
    kernel = operand(subject, [[1, 0.5]], name)
    out = getattr(subject.target, function)(x.array, [[1, 0.5]])
    call = described(function, x, kernel, {})
    asserts.form(out, x.array, name, (2, 4), subject, call)
    exact = exact_result(function, x.host, kernel.host, {})
    asserts.within(subject.backend.host(out), exact.values, bounds.allowed(exact, name, "normwise"), call)


@pytest.mark.cross(("function", shapes.FUNCTIONS))
def test_same_call_same_bits(subject, function):
    x, kernel = random_operands(subject, (400,), (70,), (subject.backend.real,) * 2)
    first, second = (getattr(subject.target, function)(x.array, kernel.array) for _ in range(2))
    call = described(function, x, kernel, {})
    asserts.identical(subject.backend.host(first), subject.backend.host(second), call)


@pytest.mark.cross(("function", shapes.FUNCTIONS))
def test_views_as_operands(subject, function):
    """Transposed and strided views are arrays like any other."""
    name = subject.backend.real
    x, kernel = random_operands(subject, (8, 9), (3, 4), (name, name))
    flipped = x._replace(array=subject.backend.xp.permute_dims(x.array, (1, 0)), host=x.host.T)
    check(subject, function, flipped, kernel, mode="same")
    thinned = x._replace(array=x.array[::2, ::3], host=x.host[::2, ::3])
    check(subject, function, thinned, kernel)


@pytest.mark.cross(("function", shapes.FUNCTIONS))
def test_mode_by_position(subject, function):
    x, kernel = random_operands(subject, (7,), (3,), (subject.backend.real,) * 2)
    named = getattr(subject.target, function)(x.array, kernel.array, mode="same")
    placed = getattr(subject.target, function)(x.array, kernel.array, "same")
    call = described(function, x, kernel, {"mode": "same"})
    asserts.identical(subject.backend.host(placed), subject.backend.host(named), call)


@pytest.mark.cross(("function", shapes.FUNCTIONS))
def test_zero_kernel(subject, function):
    check_random(subject, function, (6,), (3,))
    name = subject.backend.real
    x = operand(subject, [1, 2, 3], name)
    check(subject, function, x, operand(subject, [0, 0], name))
