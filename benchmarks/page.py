"""Write docs/benchmarks.md and its pictures from the JSON files that `run` wrote.

python -m benchmarks.page [--results benchmarks/results] [--page docs/benchmarks.md]

Folders inside the results are of other machines; the page has a summary of them.
"""

import argparse
import json
import textwrap
from pathlib import Path

from benchmarks import pictures, remembered, report
from benchmarks.problems import EVERYWHERE

ROOT = Path(__file__).parents[1]
DISTRIBUTIONS = {"python": "Python", "numpy": "NumPy", "scipy": "SciPy", "jax": "JAX"}
REMEMBERED = "remembered.json"  # of the results, what `remembered` wrote
LOOPS = {"none": "not built", "any": "for any processor", "avx2": "with AVX2", "avx512": "with AVX-512"}
DISTRIBUTIONS["opencv-python-headless"] = "OpenCV"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks/results", help="folder of the JSON files")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/benchmarks.md", help="where to write the page")
    options = parser.parse_args(argv)
    results = _read(options.results)
    if not results:
        names = " or ".join(f"{library}.json" for library in EVERYWHERE)
        parser.error(f"--results must hold {names}. Got {options.results}. Run make bench.")
    others = filter(None, map(_read, sorted(path for path in options.results.iterdir() if path.is_dir())))
    write(results, options.page, others, _json(options.results / REMEMBERED))
    print(f"wrote {options.page}")


def _read(folder):
    results = [_json(folder / f"{library}.json") for library in EVERYWHERE]
    return [result for result in results if result is not None]


def _json(file):
    return json.loads(file.read_text()) if file.exists() else None


def write(results, page, others=(), calls=None):
    """Write the page and the pictures beside it; of `others`, the results of other machines, no rows.

    `calls` is what `remembered` wrote.
    """
    images = page.parent / "images"
    page.parent.mkdir(parents=True, exist_ok=True)
    shown = [_image(images, "bench_map.png", "Ratios of the best peer's time to ours, problem by problem",
                    lambda path: pictures.draw_map(results, path))]  # fmt: skip
    numpy = next((result for result in results if result["library"] == "numpy"), None)
    if numpy:
        shown.append(_image(images, "bench_taps.png", "Time against kernel size for every method and peer",
                            lambda path: pictures.draw_taps(numpy, path)))  # fmt: skip
        shown.append(_image(images, "bench_growth.png", "Time against samples and against taps, with fitted exponents",
                            lambda path: pictures.draw_growth(numpy, path)))  # fmt: skip
    parts = [_head(results), "## In short", _groups(results), *filter(None, shown)]
    choices = _choices(results)
    parts += ['## The choice of `method="auto"`', choices] if choices else []
    for other in others:
        title = f"## On another machine, {LOOPS[other[0]['machine']['loops']]}"
        parts += [title, _filled("From `make bench` " + _measured(other)), _groups(other), _choices(other)]
    parts += ["## Calls made before", *_remembered(calls)] if calls else []
    parts += [_reading(results), *map(_rows, results)]
    page.write_text("\n\n".join(filter(None, parts)) + "\n")


def _image(folder, name, text, draw):
    """Draw a picture; return the line that shows it, '' where its rows are missing."""
    return "" if draw(folder / name) is False else f"![{text}](images/{name})"


def _filled(text):
    return textwrap.fill(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False)


def _head(results):
    text = """
        Ours against what users of each array library would call instead. Written by `benchmarks/page.py`, not by
        hand."""
    measured = f"From `make bench` {_measured(results)} Other machines give other numbers; the command is the claim."
    return "\n\n".join(["# Benchmarks", _filled(text), _filled(measured)])


def _measured(results):
    """Return when and on what results were measured."""
    first = results[0]
    versions = {name: v for result in results for name, v in result["versions"].items() if name != "arrayconv"}
    known = ", ".join(f"{DISTRIBUTIONS.get(name, name)} {version}" for name, version in versions.items())
    dates = " and ".join(sorted({result["date"] for result in results}))
    copy, product = first["ceilings"]["copy"] / 1e9, first["ceilings"]["float32"] / 1e9
    machine = first["machine"]
    return f"""
        on {dates}{_commits(results)}: {machine["cpu"]}, {machine["cores"]} cores; {known}. A copy reads
        and writes {copy:.1f} GB/s there, and a float32 matrix product does {product:.0f} thousand million multiply-adds
        a second.
        The package's own loops: {LOOPS[machine["loops"]]}."""


def _commits(results):
    """Return which commit each library's results are of, as far as they say so."""
    known = {result["library"]: result["commit"] for result in results if result.get("commit")}
    if len(known) == len(results) and len(set(known.values())) == 1:
        return f", commit {results[0]['commit']}"
    return "".join(f", {library} of commit {commit}" for library, commit in known.items())


def _groups(results):
    lines = [_filled("The fastest peer's time over ours: above 1, ours is faster."), ""]
    lines += ["| arrays | problems | count | geometric mean | least | where |", "|---|---|---:|---:|---:|---|"]
    for result in results:
        for group, ours in report.standings(result):
            facts = f"{ours.count} | {report.factor(ours.mean)} | {report.factor(ours.least)} | {ours.where}"
            lines.append(f"| {result['library']} | {group.title} | {facts} |")
    return "\n".join(lines)


def _choices(results):
    """Return how near the choice of 'auto' was to the fastest method; '' where methods were not timed."""
    lines = []
    for result in results:
        choices = report.choices(result["rows"])
        if not choices:
            continue
        close = f"{sum(choice.lost <= report.CLOSE for choice in choices)} of {len(choices)} problems"
        lines.append(f"* {result['library']}: within {report.CLOSE} times the fastest method in {close}")
        far = sorted((choice for choice in choices if choice.lost > report.CLOSE), key=lambda c: -c.lost)
        for c in far:
            lines.append(f"  * {c.label}: {c.chosen} takes {c.lost:.2f} times as long as {c.fastest}")
    return "\n".join(lines)


def _remembered(calls):
    """Return the section on bound calls, with a table for each library."""
    text = f"""
        Of the smallest problem that has all parts, in microseconds, from `python -m benchmarks.remembered` on
        {calls["date"]}, commit {calls["commit"]}: first the way, which is the call without what its method does to x
        and the kernel; then the call without the floor, an addition of two arrays into new memory. A '-' stands for a
        method that refuses the problem, or that a door does not let its caller choose."""
    parts = [_filled(text)]
    for library, figures in calls["libraries"].items():
        doors = list(dict.fromkeys(door for row in figures["methods"].values() for door in row))
        lines = [f"| {library}, floor {figures['floor']:.1f} | {' | '.join(doors)} |", "|---|" + "---:|" * len(doors)]
        for method, row in figures["methods"].items():
            cells = (remembered.cell(*row[door]) if door in row else "-" for door in doors)
            lines.append(f"| {method} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    return parts


def _reading(results):
    text = """
        A name such as `512^2 x 15^2` gives the samples and the taps, and on rows of channels the filters; `^` is a
        power. A convolution returns as many samples as it is given ('same'), with zeros beyond the ends. Times are the
        shortest of interleaved rounds, in a new process for each problem; races between us and others that are within
        1.5 times of each other get 10 rounds, and up to 40 until each came three times within 3 % of its shortest;
        where a peer takes less than 1.15 times our time, or `auto` more than 1.25 times that of the fastest method, the
        nearest take turns in three processes, after all other problems. Each turn begins with a tenth of a second of
        the same calls, which are not timed, so they are those of work that goes on for a while. JAX is compiled.
        Before it is timed, every result is compared with ours. 'alone' compares ours, with NumPy and
        SciPy installed and nothing else, with the peers that need no more; 'without machine code of ours' is the same
        where no C compiler built the package's loops. 'of copy' is the least traffic (operands and
        result once) over the time, as a share of the copy rate; 'of product' the definition's multiply-adds likewise: a
        transform does fewer, so it may exceed 100 %. Peers get their kernel reversed and their views made before the
        clock starts. Peers that would take too long or unfold gigabytes are left out; so are methods of ours expected
        to take over 0.4 s."""
    return "## Reading the tables\n\n" + _filled(text)


def _rows(result):
    lines = [f"## {result['library']} arrays", "", f"| {' | '.join(report.HEADINGS)} |"]
    lines.append(
        "|" + "|".join("---" if name in ("problem", "method", "who") else "---:" for name in report.HEADINGS) + "|"
    )
    lines += [f"| {' | '.join(report.cells(row, result['ceilings']))} |" for row in result["rows"]]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
