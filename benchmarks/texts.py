"""Paragraphs and tables of pages, each from the result of one measuring script."""

from benchmarks.doors.table import ROWS
from benchmarks.provenance import DISTRIBUTIONS, disturbance, filled, named, sentence

MB, GB = 1e6, 1e9


def table(headings, rows, left=("---",)):
    """Return the lines of a Markdown table whose first columns are `left`, and whose others are numbers."""
    rules = [*left, *["---:"] * (len(headings) - len(left))]
    lines = [f"| {' | '.join(map(str, cells))} |" for cells in (headings, *rows)]
    return "\n".join([lines[0], f"|{'|'.join(rules)}|", *lines[1:]])


def size(count):
    """Return a number of bytes with its unit."""
    return f"{count / GB:.1f} GB" if count >= GB else f"{count / MB:.0f} MB"


def spread(values, form):
    """Return the least and the largest of some values, one number where they are equal as printed."""
    least, most = format(min(values), form), format(max(values), form)
    return least if least == most else f"{least} to {most}"


def power(number):
    """Return a small number with two digits, and an exponent without zeros before it."""
    digits, exponent = f"{number:.1e}".split("e")
    return f"{digits.removesuffix('.0')}e{int(exponent)}"


def listed(words):
    """Return words with commas, and 'and' before the last."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def installs(result):
    """The sizes of what `make demo` and `make test` install."""
    each = [f"{size(row['bytes'])} in {row['packages']} packages for `make {row['list']}`" for row in result["rows"]]
    run = f"`python -m benchmarks.installs` on {result['date']}, commit {result['commit']}"
    return filled(f"That is {listed(each)}, by {run}; {named(result['versions'])}.")


def training(result):
    """What the libraries agree on, and how long they took."""
    rows = result["rows"]
    names = listed([DISTRIBUTIONS.get(row["library"], row["library"]) for row in rows])
    seconds = listed([f"{row['seconds']:.1f}" for row in rows])
    accuracy = spread([100 * row["accuracy"] for row in rows], ".1f")
    difference, most = (power(x) for x in (max(row["difference"] for row in rows), result["agreement"]))
    return filled(f"""In float64 the loss of each of {result["steps"]} steps is the same on {names} arrays within a
        relative {difference} ({most} is enforced), and {accuracy} % of a held-out quarter are read right, after
        {seconds} s of training. {sentence(result, "make train")}""")


def graphs(result):
    """Time and tasks of building a graph, per chunk."""
    names = list(result["rows"][0]["tasks"])
    rows = [
        [f"{row['chunks']:,}"]
        + [
            f"{1e6 * row['seconds'][name] / row['chunks']:.0f}, {row['tasks'][name] / row['chunks']:.1f} tasks"
            for name in names
        ]
        for row in result["rows"]
    ]
    heads = ["chunks", *(f"`{name}`" for name in names)]
    others = result["others"]
    each = [f"{tasks / others['chunks']:.0f} of `{name}`" for name, tasks in others["tasks"].items()]
    source = sentence(result, "python -m benchmarks.chunked")
    return "\n\n".join(
        [
            filled(f"{source} Microseconds of CPU time per chunk, and tasks per chunk:"),
            table(heads, rows),
            filled(f"Several calls and divisions have more tasks per chunk before Dask fuses them: {listed(each)}."),
        ]
    )


def cluster(result):
    """What a filter of an image takes on two workers, and in one process."""
    workers = f"{result['workers']} workers"
    names = {"one call": "one call, one process without a limit"}
    rows = [
        [
            names.get(row["name"], f"{row['name']}, {workers}"),
            f"{row['seconds']:.0f}",
            *(f"{row[key] / MB:,.0f}" for key in ("read", "written", "moved", "peak")),
        ]
        for row in result["rows"]
    ]
    rounds = "one round" if result["rounds"] == 1 else f"the quickest of {result['rounds']} rounds"
    text = f"""{sentence(result, "python -m benchmarks.distributed")} An image of {size(result["bytes"])} in chunks of
        {size(result["chunk"])}, {workers} of one thread and {size(result["limit"])} each, {rounds}:"""
    heads = ["", "seconds", "MB read", "MB written", "MB moved", "MB, peak per worker"]
    return f"{filled(text)}\n\n{table(heads, rows)}"


def streams(result):
    """Times of pushes as shares of real time, of those after a NaN, and of one of a direct method."""
    rows = []
    for row in result["rows"]:
        lasts = row["chunk"] / result["rate"]
        thread = row["thread"]
        shares = [thread["median"], thread["99 %"], row["clock"]["99 %"], thread["phase"], row["after_nan"]]
        cells = ["-" if each is None else f"{100 * each / lasts:.2g}" for each in shares]
        rows.append([f"{row['chunk']:,}", row["dtype"], f"{1000 * lasts:.1f} ms", *map(plain, cells)])
    first, direct = result["rows"][0], result["direct"]
    text = f"""{sentence(result, "python -m benchmarks.streams")} {first["taps"]:,} taps, and {first["pushes"]:,} pushes
        of samples at {result["rate"] / 1000:.0f} kHz: what a push takes in percent of the time that its chunk lasts, by
        the thread's own time, and by the clock where that is said; last the median while windows contain a NaN:"""
    heads = ["chunk", "dtype", "lasts", "median", "99 % of pushes", "by the clock", "longest phase", "after a NaN"]
    last = f"""A push of {direct["chunk"]} samples with {direct["taps"]} taps, by `{direct["method"]}`, takes
        {direct["push"] / direct["call"]:.1f} times as long as the `Convolver`'s own call."""
    return f"{filled(text)}\n\n{table(heads, rows, ('---:', '---'))}\n\n{filled(last)}"


def plain(number):
    """Return a number as text without an exponent."""
    return number if "e" not in number else f"{float(number):.0f}"


def matching(result):
    """Ratios of times of `match_template` and its peers, by dtype."""
    shapes = {row.label: row.operands for row in ROWS}
    rows = [row for row in result["rows"] if row["function"] == "match_template"]
    images, templates = (spread([shapes[row["label"]][name][0] for row in rows], "d") for name in ("image", "template"))
    ratios = {}
    for row in rows:
        for peer, took in row["peers"].items():
            ratios.setdefault((peer, row["dtype"]), []).append(row["ours"] / took)
    each = [f"{spread(values, '.2f')} times {peer}'s in {dtype}" for (peer, dtype), values in ratios.items()]
    return filled(f"""From `make bench` on {result["date"]}, commit {result["commit"]}, for images of {images} samples
        along each axis and templates of {templates}: its time is {listed(each)}.{disturbance([result])}""")
