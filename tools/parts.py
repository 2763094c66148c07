"""Run the parts of `make test` one after the other, each to its end, and sum up.

    python tools/parts.py make -- conformance-numpy unit

Every part is a target that runs pytest and writes its results to the file that the variable RESULTS names. The exit
status is 1 if any part failed, or ran no test.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

MOST_REASONS = 12  # of skips that are shown, those of most tests first
SLOWEST = 20  # tests that are named
# Seconds that each part takes on 2 cores, for the time left; a part takes OTHERWISE until it is listed.
TYPICAL = {
    "conformance-mparray": 5,
    "conformance-array_api_strict": 14,
    "conformance-torch": 17,
    "standard-only": 17,
    "conformance-jax": 48,
    "conformance-numpy": 69,
    "unit": 822,
}
OTHERWISE = 60


class Part(NamedTuple):
    """The outcome of one part."""

    name: str
    outcome: str
    counts: Counter[str]
    skips: Counter[str]  # tests by the reason why they did not run
    times: dict[str, float]  # test -> seconds
    seconds: float


def time_left(parts: list[Part], names: list[str]) -> str:
    """Return the time that parts of these names take, on a machine as fast as it was for the parts that have run."""
    speed = sum(part.seconds for part in parts) / (typical([part.name for part in parts]) or 1) if parts else 1
    minutes = speed * typical(names) / 60
    return f"about {minutes:.0f} min left" if minutes >= 1 else "under a minute left"


def typical(names: list[str]) -> float:
    return sum(TYPICAL.get(name, OTHERWISE) for name in names)


def run(make: list[str], name: str, results: Path) -> Part:
    start = time.monotonic()
    status = subprocess.run([*make, "--no-print-directory", name, f"RESULTS={results}"], check=False).returncode
    counts, skips, times = read(results)
    ran = counts["passed"] + counts["failed"] + counts["xfailed"]
    outcome = "passed" if status == 0 and ran else "FAILED" if ran else "RAN NO TEST"
    return Part(name, outcome, counts, skips, times, time.monotonic() - start)


def read(results: Path) -> tuple[Counter[str], Counter[str], dict[str, float]]:
    """The tests by outcome, the skipped ones by reason, and the seconds of each; empty if pytest wrote no results."""
    counts, skips, times = Counter[str](), Counter[str](), dict[str, float]()
    if results.exists():
        for case in ElementTree.parse(results).iter("testcase"):
            times[f"{case.get('classname')}::{case.get('name')}"] = float(case.get("time", 0))
            skipped = case.find("skipped")
            if skipped is None:
                counts["passed" if case.find("failure") is None and case.find("error") is None else "failed"] += 1
            elif skipped.get("type") == "pytest.xfail":
                counts["xfailed"] += 1
            else:
                counts["skipped"] += 1
                skips[skipped.get("message", "").removeprefix("Skipped: ")] += 1
    return counts, skips, times


def summed_up(parts: list[Part], remaining: list[str]) -> str:
    width = max(map(len, [*(part.name for part in parts), *remaining]))
    lines = ["", "Parts of make test"]
    for part in parts:
        counts = ", ".join(f"{number} {outcome}" for outcome, number in sorted(part.counts.items())) or "no results"
        lines.append(f"  {part.name:<{width}}  {part.outcome:<11}  {part.seconds:5.0f} s  {counts}")
    lines += [f"  {name:<{width}}  DID NOT RUN  (stopped before)" for name in remaining]
    skips: Counter[str] = sum((part.skips for part in parts), Counter())
    if skips:
        lines.append("Tests that did not run")
        lines += [f"  {number:>6}  {reason}" for reason, number in skips.most_common(MOST_REASONS)]
        if len(skips) > MOST_REASONS:
            lines.append(f"  {sum(skips.values()) - sum(dict(skips.most_common(MOST_REASONS)).values()):>6}  other")
    times = [(seconds, part.name, test) for part in parts for test, seconds in part.times.items()]
    slowest = [row for row in sorted(times, reverse=True)[:SLOWEST] if row[0] >= 1]
    if slowest:
        lines.append("The slowest tests")
        lines += [f"  {seconds:5.1f} s  {name}: {test}" for seconds, name, test in slowest]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    split = arguments.index("--")
    make, names = arguments[:split], arguments[split + 1 :]
    parts: list[Part] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for number, name in enumerate(names):
                left = time_left(parts, names[number:])
                print(f"\nPart {number + 1} of {len(names)}: {name}, {left}", flush=True)
                parts.append(run(make, name, Path(folder) / f"{number}.xml"))
        except KeyboardInterrupt:
            print(summed_up(parts, names[len(parts) :]))
            return 130
    print(summed_up(parts, []), flush=True)
    return int(any(part.outcome != "passed" for part in parts))


if __name__ == "__main__":
    os.environ["PYTHONUNBUFFERED"] = "1"
    sys.exit(main(sys.argv[1:]))
