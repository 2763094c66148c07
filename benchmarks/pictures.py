"""The page's pictures: time against kernel size, ratios as a map, growth with the problem's size.

Ours is blue everywhere, peers are orange to brown; names are beside their lines instead of in a legend.
"""

import math

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.ticker import FixedLocator, NullLocator

from benchmarks.report import ALONE, EVERYONE, best_peer, ratio

OURS, METHODS, PEERS = "#08306b", "#4292c6", "#d94801"
SERIES = ("512^2 x ", "float32")  # the rows of the first picture
LINE = 15  # points between labels


def draw_taps(result, path):
    """Draw time against kernel size, a line per method of ours and per peer; return whether there was a series."""
    rows = _series(result, lambda row: row["name"].startswith(SERIES[0]) and row["kernel"][0] == row["kernel"][-1])
    rows = [row for row in rows if "stride" not in row["name"]]
    if len(rows) < 2:
        return False
    lines = {("auto", "auto"): _line(rows, "ours", "auto")}
    lines |= {("methods", name): _line(rows, "methods", name) for name in _names(rows, "methods")}
    lines |= {("peers", name): _line(rows, "peers", name) for name in _names(rows, "peers")}
    figure, axes = plt.subplots(figsize=(10, 7), layout="constrained")
    styles = {
        "auto": {"color": OURS, "linewidth": 6, "alpha": 0.25, "solid_capstyle": "round"},
        "methods": {"color": METHODS, "linewidth": 1.4, "marker": "o", "markersize": 4},
        "peers": {"color": PEERS, "linewidth": 1.4, "marker": "s", "markersize": 4, "linestyle": "--"},
    }
    for (kind, _), (taps, times) in lines.items():
        axes.plot(taps, times, **styles[kind])
    axes.set(xscale="log", yscale="log", xlabel="taps a side", ylabel="milliseconds")
    ticks = [row["kernel"][0] for row in rows]
    axes.xaxis.set(major_locator=FixedLocator(ticks), minor_locator=NullLocator(), ticklabels=ticks)
    axes.set_xlim(ticks[0] / 1.1, ticks[-1] * 2.3)
    axes.grid(alpha=0.3)
    axes.set_title(
        "512 x 512 float32 NumPy arrays: ours by method (blue, solid), peers (orange, dashed)\n"
        "the wide band is what method='auto' takes",
        loc="left",
        fontsize="medium",
    )
    ends = [(name, taps[-1], times[-1], styles[kind]["color"]) for (kind, name), (taps, times) in lines.items()]
    _label(figure, axes, [end for end in ends if end[0] != "auto"])
    _save(figure, path)
    return True


def _series(result, belongs):
    """Return the float32 rows for which `belongs` is true, by taps."""
    rows = [row for row in result["rows"] if row["dtype"] == SERIES[1] and belongs(row)]
    return sorted(rows, key=lambda row: (row["x"], row["kernel"]))


def _names(rows, key):
    return list(dict.fromkeys(name for row in rows for name in row[key]))


def _line(rows, key, name):
    """Return taps and milliseconds of a contender, where it was timed."""
    points = [(row["kernel"][0], row[key][name] / 1e6) for row in rows if name in row[key]]
    return tuple(zip(*points, strict=True))


def _label(figure, axes, ends):
    """Write each name to the right of the end of its line, moved up where they would overlap."""
    figure.canvas.draw()
    scale = figure.dpi / 72
    columns = {x: sorted((end for end in ends if end[1] == x), key=lambda end: end[2]) for x in {e[1] for e in ends}}
    for column in columns.values():
        heights = [axes.transData.transform(end[1:3])[1] / scale for end in column]
        for number, height in zip(range(len(column)), _apart(heights, LINE), strict=True):
            name, x, y, color = column[number]
            shift = height - heights[number]
            line = {"arrowstyle": "-", "color": color, "linewidth": 0.6, "alpha": 0.6}
            axes.annotate(
                name,
                (x, y),
                (14, shift),
                textcoords="offset points",
                color=color,
                fontsize="small",
                va="center",
                arrowprops=line,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8},
            )


def _apart(heights, gap):
    """Return ascending heights moved as little as possible, in all, so that they are `gap` apart."""
    groups = []
    for height in heights:
        groups.append([height, 1])  # the group's centre, its members
        while len(groups) > 1 and groups[-1][0] - groups[-2][0] < gap * (groups[-1][1] + groups[-2][1]) / 2:
            (upper, above), (lower, below) = groups.pop(), groups.pop()
            groups.append([(upper * above + lower * below) / (above + below), above + below])
    return [centre + gap * (member - (count - 1) / 2) for centre, count in groups for member in range(count)]


def draw_map(results, path):
    """Draw the ratio of the best peer's time to ours: a row per problem, a column per library and dtype."""
    columns = []
    for result in results:
        library = result["library"]
        dtypes = [
            d for d in ("float32", "float64", "int32", "complex64") if any(r["dtype"] == d for r in result["rows"])
        ]
        columns += [(f"{library}\n{dtype}", result, dtype, "auto", EVERYONE) for dtype in dtypes]
        if library == "numpy":
            floats = [dtype for dtype in dtypes if dtype.startswith("float")]
            columns += [(f"alone\n{dtype}", result, dtype, "plain", ALONE) for dtype in floats]
    names = list(dict.fromkeys(row["name"] for result in results for row in result["rows"]))
    grid = np.full((len(names), len(columns)), np.nan)
    for number, (_, result, dtype, ours, against) in enumerate(columns):
        for row in result["rows"]:
            value = ratio(row, ours, against) if row["dtype"] == dtype else None
            if value is not None:
                grid[names.index(row["name"]), number] = value
    filled = np.any(~np.isnan(grid), axis=1)
    names, grid = [name for name, keep in zip(names, filled, strict=True) if keep], grid[filled]
    figure, axes = plt.subplots(figsize=(max(8, 3.5 + 0.8 * len(columns)), 2 + 0.26 * len(names)), layout="constrained")
    image = axes.imshow(np.log2(grid), cmap="RdBu", vmin=-4, vmax=4, aspect="auto")
    for (i, j), value in np.ndenumerate(grid):
        if not math.isnan(value):
            dark = abs(math.log2(value)) > 2.6
            text = f"{value:.2g}" if value < 0.1 else f"{value:.2f}" if value < 10 else f"{value:.0f}"
            axes.text(j, i, text, ha="center", va="center", fontsize="small", color="white" if dark else "black")
    axes.set_xticks(range(len(columns)), [column[0] for column in columns], fontsize="small")
    axes.set_yticks(range(len(names)), names, fontsize="small")
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_facecolor("#eeeeee")
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(1, len(columns)) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, len(names)) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    bar = figure.colorbar(image, ax=axes, location="bottom", shrink=0.7, aspect=50, pad=0.01, extend="both")
    bar.set_ticks(range(-4, 5), labels=["1/16", "1/8", "1/4", "1/2", "1", "2", "4", "8", "16"])
    bar.set_label("time of the fastest peer / ours: blue, ours is faster; red, the peer is")
    alone = "; alone: NumPy and SciPy only, on both sides" * any(column[4] is ALONE for column in columns)
    axes.set_title(f"Columns: array library and dtype{alone}", loc="left", fontsize="medium", pad=12)
    _save(figure, path)


def draw_growth(result, path):
    """Draw time against samples at 15 taps, and against taps at a million samples; return whether there were series."""
    one = _series(result, lambda row: "1-D" in row["tags"] and len(row["x"]) == 1)
    by_size = [row for row in one if row["kernel"] == [15]]
    by_taps = [row for row in one if row["x"] == [10**6]]
    if min(len(by_size), len(by_taps)) < 3:
        return False
    figure, (by_samples, by_kernel) = plt.subplots(1, 2, figsize=(12, 5), sharey=True, layout="constrained")
    _grow(by_samples, [row["x"][0] for row in by_size], by_size, lambda row: row["x"][0] >= 10**5)
    by_samples.set(xlabel="samples", ylabel="seconds")
    by_samples.set_title("15 taps, more and more samples", loc="left")
    _grow(
        by_kernel, [row["kernel"][0] for row in by_taps], by_taps, lambda row: row["method"] in ("fft", "overlap_save")
    )
    by_kernel.set(xlabel="taps")
    by_kernel.set_title("A million samples, more and more taps", loc="left")
    figure.suptitle(
        "One dimension, float32 NumPy arrays: ours by method='auto', and the fastest peer", x=0.02, ha="left"
    )
    _save(figure, path)
    return True


def _fit(sizes, times):
    """Return p and c of times ~ c * sizes^p, by least squares of the logarithms."""
    power, shift = np.polyfit(np.log(sizes), np.log(times), 1)
    return float(power), math.exp(shift)


def _grow(axes, sizes, rows, fits):
    ours = [row["ours"]["auto"] / 1e9 for row in rows]
    peers = [best_peer(row) for row in rows]
    axes.loglog(sizes, [took / 1e9 for _, took in peers], "s--", color=PEERS, label="the fastest peer", markersize=5)
    axes.loglog(sizes, ours, "o-", color=OURS, label="ours", markersize=5)
    for size, took, row, (name, theirs) in zip(sizes, ours, rows, peers, strict=True):
        above = took >= theirs / 1e9
        place = {"textcoords": "offset points", "ha": "center", "fontsize": "x-small"}
        axes.annotate(row["method"], (size, took), (0, 9 if above else -15), color=OURS, **place)
        axes.annotate(name.split(".")[-1], (size, theirs / 1e9), (0, -15 if above else 9), color=PEERS, **place)
    fitted = [(size, took) for size, took, row in zip(sizes, ours, rows, strict=True) if fits(row)]
    if len(fitted) > 1:
        xs, ys = zip(*fitted, strict=True)
        power, scale = _fit(xs, ys)
        label = f"fit of ours: time ~ size^{power:.2f}"
        axes.plot(xs, scale * np.power(xs, power), color="gray", linewidth=7, alpha=0.3, zorder=0, label=label)
    axes.legend(loc="upper left", frameon=False)
    axes.margins(x=0.1, y=0.12)
    axes.grid(alpha=0.3)


def _save(figure, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100, metadata={"Software": None})
    plt.close(figure)
