"""Statistics of benchmark results: ratios of the best peer's time to ours, groups of problems, and printed tables.

A result is the JSON that `run` writes: ``{"library", "date", "commit", "seconds", "machine", "versions", "costs",
"ceilings", "rows"}``, a row ``{"name", "dtype", "kind", "x", "kernel", "tags", "macs", "bytes", "method",
"plain_method", "ours", "methods", "peers", "left_out"}`` with nanoseconds in the three dicts of times. A ratio above
1 means that ours is faster.
"""

from math import exp, log
from typing import Any, NamedTuple

from rich.table import Table

from benchmarks.peers import PEERS
from benchmarks.timing import Ceilings

CLOSE = 1.25  # auto may take this many times the best method's time
NEAR = 1.15  # times ours: below, noise could reverse the order of a peer and ours
LEADING = 1.5  # times ours: contenders below are timed again in further processes
# Peers that ours is compared with, by prefixes of their names.
EVERYONE = ("",)
ALONE = tuple(peer.name for peer in PEERS if peer.package in ("numpy", "scipy"))  # that need nothing else
JAX_OWN = tuple(peer.name for peer in PEERS if peer.package == "jax" and peer.own)


TIMES = {"ours": "ours", "method": "methods", "peer": "peers"}  # kind of contender -> key of a row


class Group(NamedTuple):
    """Rows with all the tags (a dtype is a tag too), one of our times, and the peers it is compared with."""

    title: str
    tags: frozenset[str]
    ours: str = "auto"
    against: tuple[str, ...] = EVERYONE


def _group(title, *tags, **options):
    return Group(title, frozenset(tags), **options)


GROUPS = {
    "numpy": (
        _group("one channel, NumPy and SciPy alone on both sides", "single-channel", ours="plain", against=ALONE),
        _group("the same, from 256^2 and 10^4 samples up", "single-channel", "large", ours="plain", against=ALONE),
        _group("the same, without the package's C loops", "single-channel", "large", ours="pure", against=ALONE),
        _group(
            "one channel, every accelerator against every peer, from 256^2 and 10^4 samples up",
            "single-channel",
            "large",
        ),
        _group("the same, smaller", "single-channel", "small"),
        _group("channels", "channels"),
        _group("lags", "lags"),
    ),
    "torch": (
        _group("one channel", "single-channel"),
        _group("one channel, float64", "single-channel", "float64"),
        _group("one channel, from 256^2 and 10^4 samples up", "single-channel", "large"),
        _group("channels, float32", "channels", "float32"),
        _group("channels, float64", "channels", "float64"),
        _group("layers of nn", "layers", "forward"),
        _group("layers of nn with both gradients", "layers", "backward"),
        _group("the same, float64", "layers", "backward", "float64"),
        _group("lags", "lags"),
    ),
    "jax": (
        _group("everything"),
        _group("the same, without the package's C loops", ours="pure"),
        _group("one channel", "single-channel"),
        _group("one channel, JAX's own convolutions", "single-channel", against=JAX_OWN),
        _group("channels", "channels"),
        _group("the same, without the package's C loops", "channels", ours="pure"),
    ),
}


class Standing(NamedTuple):
    """The statistics of a group of rows."""

    count: int
    mean: float  # geometric
    least: float
    where: str  # the row with the least


def best_peer(row, against=EVERYONE):
    """Return (name, nanoseconds) of the fastest peer, None if there is no peer."""
    rivals = {name: took for name, took in row["peers"].items() if name.startswith(against)}
    return min(rivals.items(), key=lambda item: item[1], default=None)


def ratio(row, ours="auto", against=EVERYONE):
    """Return the fastest peer's time over ours, None if there is no peer or ours was not timed."""
    peer = best_peer(row, against)
    return peer[1] / row["ours"][ours] if peer and ours in row["ours"] else None


def is_near(row, groups):
    """Whether noise may decide a row: a peer of a group is near ours or ahead, or the choice of auto looks wrong."""
    ratios = [ratio(row, group.ours, group.against) for group in groups if _holds(group, row)]
    return any(value is not None and value < NEAR for value in ratios) or any(c.lost > CLOSE for c in choices([row]))


def leaders(row):
    """Return the (group, name) of the contenders that decide a row: ours, and those not far behind."""
    limit = LEADING * max(row["ours"].get(name, 0) for name in ("auto", "plain"))
    times = {(group, name): took for group, key in TIMES.items() for name, took in row[key].items()}
    return {(group, name) for (group, name), took in times.items() if group == "ours" or took <= limit}


def shortest(row, again):
    """Return a row with the shorter of both times of every contender that was timed again."""
    return row | {
        key: {name: min(took, again[key].get(name, took)) for name, took in row[key].items()} for key in TIMES.values()
    }


def standing(rows, group):
    """Return the Standing of a group, None if none of its rows has a peer."""
    ratios = [
        (value, f"{row['name']} {row['dtype']}")
        for row in rows
        if _holds(group, row) and (value := ratio(row, group.ours, group.against)) is not None
    ]  # fmt: skip
    if not ratios:
        return None
    mean = exp(sum(log(value) for value, _ in ratios) / len(ratios))
    return Standing(len(ratios), mean, *min(ratios))


def _holds(group, row):
    return group.tags <= {*row["tags"], row["dtype"]}


def standings(result):
    """Yield (group, Standing) of the library's groups that have rows."""
    for group in GROUPS[result["library"]]:
        score = standing(result["rows"], group)
        if score is not None:
            yield group, score


class Choice(NamedTuple):
    """The method that 'auto' chose for a row and the fastest one; a ratio above 1 is lost time."""

    label: str
    method: str
    fastest: str
    lost: float


def choices(rows):
    """Return a Choice per row in which the methods were timed.

    Lost time uses the chosen method as timed by name: 'auto' runs nothing else, so the two differ by noise.
    """
    compared = []
    for row in rows:
        if not row["methods"]:
            continue
        fastest, least = min(row["methods"].items(), key=lambda item: item[1])
        took = min(row["ours"]["auto"], row["methods"].get(row["method"], row["ours"]["auto"]))
        compared.append(Choice(f"{row['name']} {row['dtype']}", row["method"], fastest, took / least))
    return compared


def duration(nanoseconds):
    """Return a time with its unit, three digits."""
    for limit, unit in ((10**3, "ns"), (10**6, "us"), (10**9, "ms")):
        if nanoseconds < 0.9995 * limit:
            return f"{nanoseconds * 1000 / limit:.3g} {unit}"
    return f"{nanoseconds / 10**9:.3g} s"


def percent(share):
    return "" if share is None else f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"


def factor(value):
    return "" if value is None else f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def cells(row, ceilings):
    """Return the texts of a row: name, ours, method, best peer, its name, both ratios, both shares."""
    ours = row["ours"]
    peer, alone = best_peer(row), ratio(row, "plain", ALONE)
    shares = Ceilings(**ceilings).shares(row["macs"], row["bytes"], ours["auto"], row["dtype"])
    return [
        f"{row['name']} {row['dtype']}",
        duration(ours["auto"]),
        row["method"],
        duration(peer[1]) if peer else "",
        peer[0] if peer else "none",
        factor(ratio(row)),
        factor(alone),
        *map(percent, shares),
    ]


HEADINGS = ("problem", "ours", "method", "best peer", "who", "ratio", "alone", "of copy", "of product")


def table(result):
    """Return the rich table of every row."""
    shown = Table(title=f"{result['library']} arrays, {result['date']}: ratio = best peer / ours", title_justify="left")
    for heading in HEADINGS:
        shown.add_column(heading, justify="left" if heading in ("problem", "method", "who") else "right")
    for row in result["rows"]:
        speedup = ratio(row)
        style = None if speedup is None else "green" if speedup >= 1 else "red"
        texts: list[Any] = cells(row, result["ceilings"])
        texts[5] = f"[{style}]{texts[5]}[/]" if style else texts[5]
        shown.add_row(*texts)
    return shown


def summary(result):
    """Return the rich table of the groups."""
    shown = Table(title="best peer / ours", title_justify="left")
    for heading, justify in (("rows", "left"), ("count", "right"), ("geometric mean", "right"), ("least", "right")):
        shown.add_column(heading, justify=justify)
    shown.add_column("where")
    for group, score in standings(result):
        shown.add_row(group.title, str(score.count), factor(score.mean), factor(score.least), score.where)
    return shown


def choice_lines(rows):
    """Return sentences: how often 'auto' is close to the best method, and the problems in which it is not."""
    timed = choices(rows)
    if not timed:
        return []
    far = sorted((choice for choice in timed if choice.lost > CLOSE), key=lambda choice: -choice.lost)
    lines = [f"auto is within {CLOSE} x of the fastest method in {len(timed) - len(far)} of {len(timed)} problems"]
    return lines + [f"  {c.label}: {c.method} takes {c.lost:.2f} x {c.fastest}" for c in far]
