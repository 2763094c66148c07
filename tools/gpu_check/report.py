"""The recorded results as a verdict and as Markdown, and the machine. Imports nothing that could be broken there."""

import hashlib
import json
import math
import os
import platform
import subprocess
import time
from collections import Counter
from importlib.metadata import distributions
from itertools import groupby
from pathlib import Path

from tools.gpu_check import driver

NO_GPU = 3
SHOWN = 60  # failures
SOURCES = Path(__file__).resolve().parents[2] / "arrayconv/_accel/cuda/src"
VERSIONS = ("numpy", "scipy", "torch", "cupy", "array-api", "pytest", "hypothesis", "nvidia", "jax")
QUERY = ("nvidia-smi", "--query-gpu=name,uuid,driver_version,memory.total,clocks.max.sm", "--format=csv,noheader")


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


def cards():
    """Return the cards of NVIDIA's driver as dicts, none without a driver."""
    try:
        return [card._asdict() for card in driver.cards()]
    except (OSError, RuntimeError, AttributeError):
        return []


def sources_hash():
    """Return the hash of the kernels' sources."""
    digest = hashlib.sha256()
    for path in sorted(SOURCES.glob("*.cuh")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def files(rows, folder, facts):
    """Return the contents of the JSON files by name."""
    suites = {path.stem.removeprefix("conformance-"): path for path in sorted(folder.glob("conformance-*.json"))}
    outcomes = {name: json.loads(path.read_text()) for name, path in suites.items()}
    timed = [row for row in rows if row["phase"] in ("ceilings", "bench")]
    return {
        "results.json": {**facts, "results": rows},
        "conformance.json": {**facts, "suites": outcomes},
        "bench.json": {**facts, "results": timed},
    }


def lines(rows, verdict, rehearse, cards=()):
    """Return the report as Markdown."""
    yield from (f"# GPU check: {verdict}", "")
    if rehearse:
        yield from ("Nothing here ran on a GPU: NumPy replaced CuPy, and torch ran on the CPU.", "")
    elif verdict == "no GPU":
        yield from ("Nothing was checked.", "")
    for card in cards:
        yield f"* {card['name']}, {card['uuid']}, driver for {card['driver']}"
    yield f"* kernels' sources: sha256 {sources_hash()}"
    for row in rows:
        if row["outcome"] == "absent":
            yield f"* {row['library']} could not be used: {row['message']}"
    yield from _ceilings([row for row in rows if "ceilings" in row])
    yield from _summary([row for row in rows if row["phase"] not in ("status", "ceilings", "bench")])
    yield from _timings([row for row in rows if row["phase"] == "bench" and "microseconds" in row])
    yield from _failures([row for row in rows if row["outcome"] in ("failed", "unfinished")])


def _ceilings(rows):
    if rows:
        yield from _heads("library", "card", "copy, GB/s", "float32, 10^9 multiply-adds/s", "float64", "launch, us")
    for row in rows:
        limits = row["ceilings"]
        macs = limits["mac_us"] / 1e3, limits["float64_mac_us"] / 1e3
        numbers = [f"{number:.4g}" for number in (limits["copy_bytes_us"] / 1e3, *macs, limits["launch_ns"] / 1e3)]
        yield _row(row["library"], row["case"], *numbers)


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
        "Medians by events, zeros beyond the ends, on more memory than caches hold. Copy: the share of a copy's",
        "bandwidth if every sample is read once and every output written once; multiply-adds: those of the definition.",
    )
    yield from _heads("library", "problem", "dtype", "call", "us", "ours is faster by", "copy", "multiply-adds")
    ours = {_problem(row): row["microseconds"] for row in rows if row["method"] == "arrayconv"}
    for row in rows:
        gain = row["microseconds"] / ours.get(_problem(row), math.nan)
        numbers = f"{row['microseconds']:.4g}", f"{gain:.2f}", _share(row, "copy"), _share(row, "multiply_adds")
        yield _row(row["library"], row["case"], row["dtype"], row["method"], *numbers)


def _problem(row):
    return row["library"], row["case"], row["dtype"]


def _share(row, name):
    return f"{row[name]:.1%}" if name in row else ""


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
