"""Statistics of a result: by door, where peers are ahead, and rows whose time is not as predicted.

A result is the JSON that `run` writes: ``{"library", "date", "commit", "seconds", "machine", "versions", "part",
"rows"}``, a row ``{"door", "function", "label", "dtype", "gradients", "method", "cost_ns", "ours", "peers",
"left_out", "wrong"}`` with nanoseconds. A ratio is a peer's time over ours: above 1, ours is faster.
"""

from math import exp, log
from typing import NamedTuple

BEHIND = 0.95  # a ratio below is no noise
OFF = 2.0  # times the predicted time, or its inverse


class Ahead(NamedTuple):
    """A peer that is faster than ours in a row."""

    label: str
    peer: str
    ratio: float


class Standing(NamedTuple):
    """The statistics of the rows of a door."""

    door: str
    count: int
    mean: float  # geometric
    least: float
    where: str  # the row with the least
    behind: int  # rows below BEHIND


class Prediction(NamedTuple):
    """A row whose measured time is not within OFF of the predicted one."""

    label: str
    method: str
    predicted: float
    measured: float

    @property
    def factor(self):
        """Measured over predicted."""
        return self.measured / self.predicted


def best(row):
    """Return (name, nanoseconds) of the fastest peer, None if there is none."""
    return min(row["peers"].items(), key=lambda item: item[1], default=None)


def ratio(row):
    """Return the fastest peer's time over ours, None if there is no peer."""
    peer = best(row)
    return peer[1] / row["ours"] if peer else None


def ahead(rows):
    """Return every peer that is faster than ours, the furthest first."""
    faster = [
        Ahead(row["label"], name, took / row["ours"])
        for row in rows
        for name, took in row["peers"].items()
        if took < row["ours"]
    ]
    return sorted(faster, key=lambda one: one.ratio)


def standings(rows):
    """Return a Standing for each door that has peers, in the order of the rows."""
    doors = dict.fromkeys(row["door"] for row in rows)
    each = (_standing(door, [row for row in rows if row["door"] == door]) for door in doors)
    return [standing for standing in each if standing is not None]


def _standing(door, rows):
    ratios = [(value, row["label"]) for row in rows if (value := ratio(row)) is not None]
    if not ratios:
        return None
    mean = exp(sum(log(value) for value, _ in ratios) / len(ratios))
    return Standing(door, len(ratios), mean, *min(ratios), sum(value < BEHIND for value, _ in ratios))


def off(rows):
    """Return the rows whose time is more than OFF times the predicted one, or less than 1 / OFF, furthest first."""
    each = [Prediction(row["label"], row["method"], row["cost_ns"], row["ours"]) for row in rows if row["cost_ns"]]
    return sorted((one for one in each if not 1 / OFF <= one.factor <= OFF), key=lambda one: -abs(log(one.factor)))


def shortest(first, again):
    """Return a row with each contender's shorter time of two."""
    peers = {name: min(took, again["peers"].get(name, took)) for name, took in first["peers"].items()}
    return first | {"ours": min(first["ours"], again["ours"]), "peers": peers}


def predictions(rows):
    """Return how many rows have a prediction."""
    return sum(bool(row["cost_ns"]) for row in rows)
