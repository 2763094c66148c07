"""`vjp`: both gradients of every kind of call, against the definition's own adjoint in exact integers."""

import pytest

from . import asserts, definitions, gradients
from .cases import vjp as rows
from .doors import described, function, operands_of


def _pullback(subject, row, dtype):
    """y, the pullback, and the call as a text; einconv takes its pattern first."""
    _, path, shapes, options = row
    vjp = function(subject, "vjp")
    run = function(subject, path)
    operands = operands_of(subject, shapes, dtype, small=True)
    lead = [options["pattern"]] if "pattern" in options else []
    named = {name: value for name, value in options.items() if name != "pattern"}
    y, pullback = vjp(run, *lead, *(each.array for each in operands.values()), **named)
    return operands, y, pullback


@pytest.mark.cross(("row", rows.CALLS), ("kind", ("real", "complex")), few=2)
def test_gradients(subject, row, kind):
    """<A x, dy> = <x, A* dy>, entry by entry; of a correlation's kernel too, which it conjugates."""
    _, path, _, options = row
    dtype = getattr(subject.backend, kind)
    operands, y, pullback = _pullback(subject, row, dtype)
    hosts = {name: each.host for name, each in operands.items()}
    exact = definitions.exact(path, hosts, options)
    call = described(f"vjp of {path}", operands, options)
    asserts.values(subject.backend.host(y), exact, dtype, "normwise", call)
    dy = operands_of(subject, {"dy": exact.shape}, dtype, small=True)["dy"]
    for name, gradient in zip(operands, pullback(dy.array), strict=True):
        _check(subject, row, operands, dy, name, gradient)


def _check(subject, row, operands, dy, name, gradient):
    __tracebackhide__ = True
    _, path, _, options = row
    own = operands[name]
    call = described(f"pullback of {path} with respect to {name}", operands, options)
    hosts = {key: each.host for key, each in operands.items()}
    asserts.form(gradient, own.array, own.dtype, own.host.shape, subject, call)
    expected = gradients.exact(path, hosts, options, dy.host, name)
    bound = gradients.bound(path, hosts, options, dy.host, name, own.dtype)
    asserts.within(subject.backend.host(gradient), expected, bound, call)


@pytest.mark.cross(("row", rows.CALLS[:4]), few=4)
def test_wrt(subject, row):
    """One gradient without the others."""
    operands, y, pullback = _pullback(subject, row, subject.backend.real)
    dy = operands_of(subject, {"dy": tuple(y.shape)}, subject.backend.real, small=True)["dy"]
    for number, name in enumerate(operands):
        (alone,) = pullback(dy.array, wrt=number)
        _check(subject, row, operands, dy, name, alone)
