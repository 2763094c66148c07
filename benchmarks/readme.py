"""README's table of speed, from the JSON files that `run` and `doors` wrote: one of the regions of `figures`."""

from benchmarks import files, report
from benchmarks.doors import report as doors_report
from benchmarks.provenance import disturbance, filled

BEHIND = doors_report.BEHIND
LARGE = "from 256 x 256 and 10,000 samples up"
GROUPS = {  # (library, title of a group of `report`) -> arrays, against, what the problems are
    ("numpy", "the same, from 256^2 and 10^4 samples up"): (
        "NumPy, with SciPy alone",
        "NumPy, SciPy",
        f"of one channel, {LARGE}",
    ),
    ("numpy", "the same, without the package's C loops"): (
        "NumPy, the same without the package's C loops",
        "NumPy, SciPy",
        "the same",
    ),
    ("numpy", "one channel, every accelerator against every peer, from 256^2 and 10^4 samples up"): (
        "NumPy, with ducc0 and torch installed",
        "NumPy, SciPy, OpenCV",
        "the same",
    ),
    ("numpy", "the same, smaller"): ("NumPy, small arrays", "NumPy, SciPy, OpenCV", "of one channel, smaller"),
    ("torch", "one channel, from 256^2 and 10^4 samples up"): (
        "torch",
        "torch's convolutions, and its FFT",
        f"of one channel, {LARGE}",
    ),
    ("torch", "channels, float32"): ("torch", "the same", "with channels, float32"),
    ("jax", "everything"): (
        "JAX under `jax.jit`",
        "`jax.lax`, `jax.scipy`, `jax.numpy.fft`",
        "of one channel and several",
    ),
}
DOORS = {  # (library, door) -> arrays, against
    ("numpy", "ndimage"): ("NumPy", "SciPy, OpenCV, scikit-image"),
    ("numpy", "signal"): ("NumPy", "SciPy"),
    ("numpy", "astronomy"): ("NumPy", "astropy"),
    ("torch", "nn"): ("torch", "torch, forward and with gradients"),
    ("torch", "ndimage"): ("torch", "kornia and torch"),
    ("jax", "nn"): ("JAX under `jax.jit`", "`jax.lax`"),
}


def block(folder):
    """Return the text of the region: dates, the table, and where peers are ahead.

    The means and least ratios of another machine are two more columns.
    """
    results, doors = files.of_run(folder), files.of_doors(folder)
    other = next(iter(files.of_others(folder)), ())
    elsewhere = _by_group(other)
    heads = "| arrays | against the fastest of | problems | mean | least | AVX2: mean | least |"
    lines = [heads, "|---|---|---|---:|---:|---:|---:|"]
    groups = _by_group(results)
    for key, (arrays, against, problems) in GROUPS.items():
        if key not in groups:
            continue
        cells = [arrays, against, _count(groups[key], problems), *_figures(groups[key]), *_figures(elsewhere.get(key))]
        lines.append(f"| {' | '.join(cells)} |")
    for result in doors:
        for one in doors_report.standings(result["rows"]):
            if (result["library"], one.door) not in DOORS:
                continue
            arrays, against = DOORS[result["library"], one.door]
            cells = [f"{arrays}: `{one.door}`", against, f"{one.count} calls of its functions", *_figures(one), "", ""]
            lines.append(f"| {' | '.join(cells)} |")
    return (
        f"{filled(_head(results, doors, other))}\n\n"
        + "\n".join(lines)
        + f"\n\n{filled(_behind(results) + _ahead(doors))}"
    )


def _by_group(results):
    """Return the standing of each group by library and title; of equal titles the first."""
    standings = {}
    for result in results:
        for group, one in report.standings(result):
            standings.setdefault((result["library"], group.title), one)
    return standings


def _count(standing, problems):
    return f"the same {standing.count}" if problems == "the same" else f"{standing.count} {problems}"


def _figures(standing):
    return ("", "") if standing is None else (f"{standing.mean:.2f}", f"{standing.least:.2f}")


def _dates(results):
    return " and ".join(sorted({result["date"] for result in results}))


def _head(results, doors, other):
    machine = results[0]["machine"]
    functions = f" (functions: {_dates(doors)})" if doors and _dates(doors) != _dates(results) else ""
    second = f" The last two columns are another machine, with AVX2, on {_dates(other)}." if other else ""
    second += disturbance([*results, *doors])
    return f"""From `make bench` on {_dates(results)}{functions}, {machine["cores"]} cores of an {machine["cpu"]} with
        AVX-512: the time of the fastest peer over ours, geometric mean and least.{second}
        [All rows](docs/benchmarks.md), with versions, plots and commits."""


def _behind(results):
    """Return the sentence on the problems where a peer is ahead by more than noise, without those of small arrays."""
    rows = [(report.ratio(row), row) for result in results for row in result["rows"] if "small" not in row["tags"]]
    behind = [
        (ratio, f"{report.best_peer(row)[0]} on `{row['name']} {row['dtype']}` ({ratio:.2f})")
        for ratio, row in rows
        if ratio and ratio < BEHIND
    ]
    listed = ", ".join(text for _, text in sorted(behind))
    return f"Problems, other than small ones, in which a peer is ahead: {listed}. " if listed else ""


def _ahead(doors):
    """Return the sentence on the rows where peers are ahead by most, one for each door."""
    furthest = []
    for result in doors:
        by_door = {}
        for one in doors_report.ahead(result["rows"]):
            door = next(row["door"] for row in result["rows"] if row["label"] == one.label)
            by_door.setdefault(door, one)
        furthest += [
            (one.ratio, f"{one.peer} on `{one.label}` ({result['library']}, {one.ratio:.2f})")
            for door, one in by_door.items()
            if (result["library"], door) in DOORS
        ]
    listed = ", ".join(text for _, text in sorted(furthest))
    return f"Functions in which one is furthest ahead: {listed}." if listed else "No peer is ahead."
