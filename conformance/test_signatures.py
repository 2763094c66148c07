"""Names, order, kind and defaults of every parameter."""

import inspect

import pytest

from . import asserts
from .cases import signatures as rows

pytestmark = pytest.mark.requires("signatures")
PLACED = inspect.Parameter.POSITIONAL_OR_KEYWORD
NAMED = inspect.Parameter.KEYWORD_ONLY


def _check(function, name, placed, named):
    parameters = inspect.signature(function).parameters
    by_kind = {
        kind: {p.name: ... if p.default is p.empty else p.default for p in parameters.values() if p.kind is kind}
        for kind in (PLACED, NAMED)
    }
    call = f"signature of {name}"
    asserts.equal("parameters by position", list(by_kind[PLACED]), list(placed), call)
    asserts.equal("their defaults", by_kind[PLACED], placed, call)
    missing = sorted(set(named) - set(by_kind[NAMED]))
    asserts.equal("missing parameters by name", missing, [], call)
    asserts.equal("their defaults", {each: by_kind[NAMED][each] for each in named}, named, call)


@pytest.mark.parametrize(
    ("name", "placed", "named"), rows.SIGNATURES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_function(subject, name, placed, named):
    _check(getattr(subject.target, name), name, placed, named)


@pytest.mark.parametrize(
    ("name", "placed", "named"), rows.KERNELS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_kernel(subject, name, placed, named):
    _check(getattr(subject.target.kernels, name), f"kernels.{name}", placed, named)


def test_every_function_explains_itself(subject):
    for name, *_ in rows.SIGNATURES:
        assert inspect.getdoc(getattr(subject.target, name)), f"{name} has no docstring"
    for name, *_ in rows.KERNELS:
        assert inspect.getdoc(getattr(subject.target.kernels, name)), f"kernels.{name} has no docstring"
