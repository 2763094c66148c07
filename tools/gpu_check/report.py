"""The recorded results as a verdict and as Markdown, and the machine. Imports nothing that could be broken there."""

import json
import math
import os
import platform
import subprocess
import time
from collections import Counter
from importlib.metadata import distributions
from itertools import groupby

NO_GPU = 3
SHOWN = 60  # failures
VERSIONS = ("numpy", "scipy", "torch", "cupy", "array-api", "pytest", "hypothesis", "nvidia", "jax")
QUERY = ("nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.max.sm", "--format=csv,noheader")


def sentence(error):
    """Return an exception as one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:400]


def environment(rehearse):
    """Yield lines on the machine and the versions."""
    yield f"date {time.strftime('%Y-%m-%d %H:%M:%S %z')}"
    yield f"python {platform.python_version()} on {platform.platform()}, {os.cpu_count()} cores"
    versions = {f"{d.metadata['Name']} {d.version}" for d in distributions() if d.metadata["Name"]}
    yield from sorted(line for line in versions if line.lower().startswith(VERSIONS))
    try:
        yield "GPU " + subprocess.run(QUERY, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        yield f"GPU none ({sentence(error)})"
    if rehearse:
        yield "rehearsal: NumPy in CuPy's place, torch on the CPU"


def results(folder):
    """Return the recorded results, the latest of each case; a line cut off by a crash is left out."""
    latest = {}
    for line in (folder / "results.jsonl").read_text().splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        latest[tuple(row.get(name) for name in ("phase", "library", "case", "dtype", "method"))] = row
    return list(latest.values())


def judged(rows, usable, rehearse):
    """Return the verdict and the exit status."""
    bad = sum(row["outcome"] in ("failed", "unfinished", "absent") for row in rows)
    summary = f"{bad} of {len(rows)} results are failures" if bad else "all as expected"
    if rehearse:
        return f"rehearsal on CPU, {summary}", 1 if bad else 0
    if not usable:
        return "no GPU", NO_GPU
    return ("failed: " + summary, 1) if bad else ("passed", 0)


def lines(rows, verdict, rehearse):
    """Return the report as Markdown."""
    yield from (f"# GPU check: {verdict}", "")
    if rehearse:
        yield from ("Nothing here ran on a GPU: NumPy replaced CuPy, and torch ran on the CPU.", "")
    elif verdict == "no GPU":
        yield from ("Nothing was checked.", "")
    for row in rows:
        if row["outcome"] == "absent":
            yield f"* {row['library']} could not be used: {row['message']}"
    yield from _summary([row for row in rows if row["phase"] not in ("status", "timing")])
    yield from _timings([row for row in rows if row["phase"] == "timing" and "seconds" in row])
    yield from _failures([row for row in rows if row["outcome"] in ("failed", "unfinished")])


def _summary(rows):
    def place(row):
        return row["library"], row["phase"], row.get("method", "")

    if rows:
        heads = ("library", "phase", "method", "ok", "refused", "skipped", "failed", "largest error / bound")
        yield from _heads(*heads)
    for labels, group in groupby(sorted(rows, key=place), key=place):
        own = list(group)
        counts = Counter(row["outcome"] for row in own)
        ratios = [float(row["ratio"]) for row in own if "ratio" in row]
        failed = counts["failed"] + counts["unfinished"]
        worst = f"{max(ratios):.3g}" if ratios else ""
        yield _row(*labels, counts["ok"], counts["refused"], counts["skipped"], failed, worst)


def _timings(rows):
    if not rows:
        return
    yield from (
        "",
        "Least times, float32, 'same', zeros beyond the ends. \"Copy\" is the share of the copy's bandwidth that",
        "reading and writing each sample once would take.",
        "",
    )
    for row in rows:
        if row["case"] == "copy":
            yield f"* {row['library']} copies {row['rate'] / 1e9:.0f} GB/s (read and write)"
    yield from _heads("library", "image, kernel", "call", "time", "ours is faster by", "copy")
    ours = {(r["library"], r["case"]): r["seconds"] for r in rows if r.get("method") == "arrayconv"}
    for row in rows:
        if row["case"] != "copy":
            gain = row["seconds"] / ours.get((row["library"], row["case"]), math.nan)
            times = f"{row['seconds'] * 1e3:.4g} ms", f"{gain:.2f}", f"{row['bandwidth']:.1%}"
            yield _row(row["library"], row["case"], row["method"], *times)


def _heads(*names):
    yield from ("", _row(*names), "|" + " --- |" * len(names))


def _row(*cells):
    return f"| {' | '.join(map(str, cells))} |"


def _failures(rows):
    if rows:
        yield from ("", "## What failed", "")
    for row in rows[:SHOWN]:
        labels = ", ".join(str(row[name]) for name in ("library", "phase", "case", "dtype", "method") if row.get(name))
        yield f"* {labels}: {row.get('message') or 'no message'}"
    if len(rows) > SHOWN:
        yield f"* and {len(rows) - SHOWN} more, in results.json"
