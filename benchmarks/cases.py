"""Measured times beside what `rank` needs to predict them again, from the JSON files of `fit`, `run` and `doors`.

A case is one convolution: the times of its methods without what is around it, and the arguments of `rank`. Of a file of
`doors`, which times whole functions, only rows of one convolution without gradients are cases.
"""

from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

from arrayconv._cli import libraries
from arrayconv._plan import plan, rank
from benchmarks.contenders import ARRAYS
from benchmarks.doors import ours as door
from benchmarks.doors.rows import draw
from benchmarks.doors.table import select
from benchmarks.problems import PROBLEMS, explained, operands


class Around(NamedTuple):
    """What a whole function took beyond its convolutions, as these are predicted."""

    library: str
    module: str
    convolutions: int
    gradients: int
    ns: float
    took_ns: float


class Case(NamedTuple):
    """One convolution, and the nanoseconds of the methods that were timed."""

    label: str
    times: dict[str, float]
    arguments: Any  # of `rank`


def cases(result):
    """Yield the cases of a result of `benchmarks.run` or `benchmarks.doors`."""
    ARRAYS[result["library"]].prepare()
    each = _of_doors(result) if "part" in result else _of_run(result)
    yield from each


def _of_run(result):
    arrays = ARRAYS[result["library"]]
    problems = {problem.label: problem for problem in PROBLEMS}
    for row in result["rows"]:
        problem = problems.get(f"{row['name']} {row['dtype']}")
        if problem is None or len(row["methods"]) < 2 or "backward" in row["tags"]:
            continue
        x, kernel = (libraries.array(result["library"], arrays.device, a, problem.dtype) for a in operands(problem))
        explanation, calls = noted(partial(explained, problem), x, kernel, traced=arrays.traced)
        yield from _case(f"{result['library']} {problem.label}", explanation, calls, row["methods"])


def _of_doors(result):
    library = result["library"]
    for row, measured in _rows(result):
        if row.gradients or measured["method"] not in rank.TABLE:
            continue
        ours = door.contender(row, library, door.to_library(library, draw(row)))
        explanation, calls = noted(partial(door.explanation, row, library, ours), *ours.arrays, traced=library == "jax")
        yield from _case(f"{library} {row.label}", explanation, calls, {measured["method"]: measured["ours"]})


def around(result):
    """Yield what is around the convolutions of functions of a result of `benchmarks.doors`.

    Without `match_template` and the gradients of filters, in which array operations take most of it.
    """
    library = result["library"]
    ARRAYS[library].prepare()
    for row, measured in _rows(result):
        if row.function == "match_template" or (row.gradients and row.door == "ndimage"):
            continue
        ours = door.contender(row, library, door.to_library(library, draw(row)))
        explanation, _ = noted(partial(door.explanation, row, library, ours), *ours.arrays, traced=library == "jax")
        gradients, took = door.gradients(row, explanation), measured["ours"]
        convolved = sum(one.cost_ns - one.overhead_ns for one in (explanation, *gradients))
        yield Around(library, row.door, max(1, len(explanation.passes)), len(gradients), took - convolved, took)


def _rows(result):
    """Yield the rows of a result whose function is explained, each with its times."""
    rows = {row["label"]: row for row in result["rows"]}
    for row in select(result["library"], part=result["part"]):
        if row.label in rows and door.is_explained(row, result["library"]):
            yield row, rows[row.label]


def _case(label, explanation, calls, times):
    """Yield the case of an explanation, none where it is not that of one planned convolution."""
    arguments = [call for call, ranked in calls if ranked == explanation.candidates]
    if not explanation.passes and arguments:
        around = explanation.overhead_ns
        yield Case(label, {name: max(took - around, took / 4) for name, took in times.items()}, arguments[-1])


def noted(explain, *arrays, traced=False):
    """Return the explanation of a call on arrays, and each call of `rank` with its result."""
    calls, explanations = [], []

    def ranked(*arguments):
        calls.append((arguments, rank.rank(*arguments)))
        return calls[-1][1]

    with _replaced(ranked):
        if traced:
            import_module("jax").eval_shape(lambda *both: explanations.append(explain(*both)), *arrays)
        else:
            explanations.append(explain(*arrays))
    return explanations[0], calls


@contextmanager
def _replaced(ranked):
    plan.make.cache_clear()
    original, plan.rank = plan.rank, ranked
    try:
        yield
    finally:
        plan.rank = original
        plan.make.cache_clear()
