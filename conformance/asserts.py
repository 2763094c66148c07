"""Comparisons that raise a sentence: the result, the expected one, and the call.

    out.dtype=float64, but should be float32 [convolve(x float32 (5,), kernel float32 (2,), mode='same')]

The check is vectorised; the sentence is formed only after a failure. A note with a snippet repeats the failing call
outside the suite.
"""

from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from . import bounds, comparisons, dtypes


class Call(NamedTuple):
    """A call as it is shown to a reader; operands are host copies."""

    function: str
    operands: dict
    dtype_names: dict
    options: dict
    lead: tuple = ()  # positional arguments in front of the operands

    def __str__(self):
        shown = [repr(value) for value in self.lead]
        shown += [f"{name} {self.dtype_names[name]} {value.shape}" for name, value in self.operands.items()]
        return f"{self.function}({', '.join([*shown, *_keywords(self.options)])})"

    def snippet(self, target, backend):
        """Python that repeats the call, for arrays short enough to print."""
        lines = [f"# target {target}, {backend}", f"import {target}", f"import {backend.xp.__name__} as xp"]
        if any(not np.isfinite(value).all() for value in self.operands.values()):
            lines.append("from math import inf, nan")
        for name, value in self.operands.items():
            printed = value.tolist() if value.size <= 400 else f"<{value.size} numbers, shape {value.shape}>"
            lines.append(
                f"{name} = xp.asarray({printed}, dtype=xp.{self.dtype_names[name]}, device={_device(backend)})"
            )
        options = (
            {**self.options, "dtype": _Literal(f"xp.{self.options['dtype']}")}
            if self.options.get("dtype")
            else self.options
        )
        arguments = [*map(repr, self.lead), *self.operands, *_keywords(options)]
        return "\n".join([*lines, f"{target}.{self.function}({', '.join(arguments)})"])


class _Literal(str):
    """Code that a snippet contains as it is."""

    __repr__ = str.__str__


def _device(backend):
    """The device as code: torch accepts the text that its repr is not."""
    return repr(str(backend.device) if backend.name == "torch" else backend.device)


def _keywords(options):
    return [f"{name}={value!r}" for name, value in options.items()]


@contextmanager
def reproducing(call, subject):
    """Attach a snippet to any exception of the block."""
    __tracebackhide__ = True
    comparisons.note(call)
    try:
        yield
    except Exception as failure:
        failure.add_note(call.snippet(subject.target.name, subject.backend))
        raise


def equal(what, got, expected, call):
    """Raise unless the two are equal."""
    __tracebackhide__ = True
    comparisons.note(call)
    if got != expected:
        raise AssertionError(f"{what}={got}, but should be {expected} [{call}]")


def kind_of_array(out, model, call):
    """Raise unless `out` is an array of the library that `model` comes from."""
    __tracebackhide__ = True
    if not isinstance(out, type(model)):
        raise AssertionError(f"type(out)={_name(out)}, but should be {_name(model)} [{call}]")


def _name(value: Any):
    return f"{type(value).__module__}.{type(value).__qualname__}"


def form(out, model, dtype, shape, subject, call):
    """Raise unless library, dtype, shape and device are as they should be."""
    __tracebackhide__ = True
    kind_of_array(out, model, call)
    equal("out.dtype", subject.backend.dtype_name(out), dtype, call)
    equal("out.shape", tuple(out.shape), tuple(shape), call)
    equal("out.device", str(subject.backend.device_of(out)), str(subject.backend.device_of(model)), call)


def values(host, exact, dtype, accuracy, call, wide=None):
    """Raise unless every output is within its bound of the exact value, and non-finite where its window is."""
    __tracebackhide__ = True
    if dtypes.kind(dtype) == "integer":
        identical(host, bounds.wrapped(exact, dtype), call)
        return
    finite = np.isfinite(host)
    if (wrong := finite & exact.contaminated).any():
        raise AssertionError(f"{_at(wrong, host)}, but should be non-finite: its window holds a NaN or inf [{call}]")
    if (wrong := ~finite & ~exact.contaminated).any():
        raise AssertionError(f"{_at(wrong, host)}, but should be {_value(exact.values, wrong)}, finite [{call}]")
    within(host, exact.values, bounds.allowed(exact, dtype, accuracy, wide), call, ~exact.contaminated)


def within(host, expected, bound, call, where=True):
    """Raise unless |host - expected| <= bound."""
    __tracebackhide__ = True
    wide = np.clongdouble if np.iscomplexobj(host) or np.iscomplexobj(expected) else np.longdouble
    with np.errstate(all="ignore"):
        error = np.abs(host.astype(wide) - np.asarray(expected).astype(wide))
        wrong = ~(error <= bound) & where
    comparisons.note(call, host, comparisons.largest_share(error, bound, where))
    if wrong.any():
        worst = np.unravel_index(np.argmax(np.where(wrong, error - bound, -1)), wrong.shape)
        index = ", ".join(map(str, worst))
        raise AssertionError(
            f"out[{index}]={host[worst]}, but should be {np.asarray(expected)[worst]} within "
            f"{np.broadcast_to(bound, wrong.shape)[worst]:.3g} (error {error[worst]:.3g}); "
            f"{np.count_nonzero(wrong)} of {wrong.size} are wrong [{call}]"
        )


def identical(host, expected, call):
    """Raise unless every number is the same."""
    __tracebackhide__ = True
    expected = np.asarray(expected)
    equal("out.shape", host.shape, expected.shape, call)
    comparisons.note(call, host, 0.0 if np.array_equal(host, expected) else comparisons.LARGEST)
    if (wrong := host != expected).any():
        many = f"{np.count_nonzero(wrong)} of {wrong.size} are wrong"
        raise AssertionError(f"{_at(wrong, host)}, but should be {_value(expected, wrong)}; {many} [{call}]")


def _at(wrong, host):
    first = tuple(np.argwhere(wrong)[0])
    return f"out[{', '.join(map(str, first))}]={host[first]}"


def _value(expected, wrong):
    return expected[tuple(np.argwhere(wrong)[0])]


def raises(kind, fragments, run, call):
    """Raise unless `run()` raises exactly this kind of exception, with every fragment in its text."""
    __tracebackhide__ = True
    comparisons.note(call, refused=True)
    try:
        got = run()
    except kind as refusal:
        text = str(refusal)
        if type(refusal) is not kind:
            raise AssertionError(
                f"raised {type(refusal).__name__}, but should be {kind.__name__} [{call}]"
            ) from refusal
        missing = [fragment for fragment in fragments if fragment not in text]
        if missing:
            raise AssertionError(f"the message {text!r} should name {missing} [{call}]") from refusal
        return
    except Exception as other:
        raise AssertionError(f"raised {other!r}, but should raise {kind.__name__} [{call}]") from other
    raise AssertionError(f"returned {_name(got)}, but should raise {kind.__name__} [{call}]")
