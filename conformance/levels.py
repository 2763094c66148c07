"""How much runs: a row per level. What a level leaves out of the tables is counted, and the report says so."""

import time
from typing import NamedTuple

import pytest
from hypothesis import seed, settings

COMBINATIONS = pytest.StashKey()  # {"all": combinations of the tables, "selected": those that are tests}
ROUND = "round_of_examples"  # the parameter of tests with random geometries at level 'thorough'
SPENT = "the time budget of {:g} minutes is spent"


class Level(NamedTuple):
    """One row."""

    summary: str
    every: bool | None  # every combination of the tables, or every row once; None: as fast as the backend allows
    cases: int | None  # the most cases of a test on a backend where calls take long
    examples: int  # random geometries per property
    few_examples: int  # the same where calls take long
    budget: float | None  # minutes


LEVELS = {
    "quick": Level("every row of a table once, in under 30 seconds", False, 3, 8, 2, None),
    "default": Level("every combination; each row once where calls take long", None, None, 60, 4, None),
    "thorough": Level("every combination, and random geometries until the budget is spent", True, None, 60, 8, 10),
}


def add_options(group):
    group.addoption("--level", choices=LEVELS, default="default", help="how much runs")
    group.addoption("--seed", type=int, default=0, help="seed of the random geometries, 0 by default")
    group.addoption("--budget", type=float, default=None, metavar="MINUTES", help="no test starts later than this")
    group.addoption("--max-examples", type=int, default=None, help="random examples per property")


def begin(config, backend):
    """Return the backend as the level runs it, and set the number of examples and the deadline."""
    level = LEVELS[config.getoption("--level")]
    slow = backend is not None and backend.few
    config.stash[COMBINATIONS] = {"all": 0, "selected": 0}
    if config.option.budget is None:
        config.option.budget = level.budget
    if config.option.budget is not None and not hasattr(config.option, "deadline"):  # workers receive the controller's
        config.option.deadline = time.time() + 60 * config.option.budget
    examples = config.getoption("--max-examples") or (level.few_examples if slow else level.examples)
    settings.register_profile("conformance", max_examples=examples, deadline=None, derandomize=True, database=None)
    settings.load_profile("conformance")
    if backend is None or level.every is None:
        return backend
    return backend._replace(few=not level.every, most=level.cases if slow else None)


def rounds(config):
    """How often a test with random geometries may run, each time with another seed; 1 except at 'thorough'."""
    return max(1, round(60 * config.option.budget)) if config.getoption("--level") == "thorough" else 1


def is_random(function):
    return getattr(function, "is_hypothesis_test", False)


def prepare(item):
    """Skip a test that the budget excludes, and seed its geometries."""
    deadline = getattr(item.config.option, "deadline", None)
    if deadline is not None and time.time() > deadline:
        pytest.skip(SPENT.format(item.config.option.budget))
    if is_random(item.obj):
        seed(f"{item.config.getoption('--seed')} {item.name}")(item.obj)
