"""Where figures come from: date, commit, machine and versions of a run, in its JSON file and in a page's sentence."""

import datetime
import importlib.metadata
import os
import platform
import subprocess
import textwrap
import time
from pathlib import Path

BUSY = 0.3  # load per core before a run above which it warns
DISTURBED = 0.1  # share of the processors' time above which a page says that other programs ran
DISTRIBUTIONS = {
    "python": "Python",
    "numpy": "NumPy",
    "scipy": "SciPy",
    "jax": "JAX",
    "opencv-python-headless": "OpenCV",
    "dask": "Dask",
}


class Run:
    """A run that measures, from here to `result`: its facts, and how much of the processors other programs used."""

    def __init__(self, packages):
        self._started, self._counters = time.perf_counter(), counters()
        self.facts = {
            "date": datetime.date.today().isoformat(),
            "commit": commit(),
            "machine": machine(),
            "versions": versions(packages),
        }

    @property
    def is_busy(self):
        """Whether other programs ran before it began."""
        return self.facts["machine"]["load"] > BUSY * self.facts["machine"]["cores"]

    def result(self, **parts):
        """Return what a JSON file has: the facts, the seconds that the run took, and parts such as its rows."""
        facts = {**self.facts["machine"], "others": self._others()}
        return {"seconds": round(time.perf_counter() - self._started, 1), **self.facts, "machine": facts, **parts}

    def _others(self):
        """Return the share of all processors' time that other programs used; None where the system does not tell."""
        if self._counters is None:
            return None
        own, busy, everything = (now - then for now, then in zip(counters(), self._counters, strict=True))
        return round(max(busy - own, 0) / max(everything, 1e-9), 3)


def counters():
    """Return seconds of this process and its ended children, of all programs, and of all processors; None off Linux."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return None
    user, nice, system, idle, waiting, *rest = map(int, stat.read_text().split("\n", 1)[0].split()[1:9])
    tick = os.sysconf("SC_CLK_TCK")
    busy = user + nice + system + sum(rest)
    return sum(os.times()[:4]), busy / tick, (busy + idle + waiting) / tick


def machine():
    """Return facts of the processor, and how busy it is."""
    from arrayconv._accel.native import loader

    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    models = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0
    loops = loader.level() if loader.built() else "none"
    return {
        "cpu": models[0] if models else platform.processor() or platform.machine(),
        "cores": cores,
        "load": load,
        "loops": loops,
    }


def commit():
    """Return the commit that is measured, None outside a checkout."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    try:
        process = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return process.stdout.strip() if process.returncode == 0 else None


def versions(packages):
    """Return the versions of Python and of those packages that are installed."""
    numbers = {"python": platform.python_version()}
    for name in packages:
        try:
            numbers[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return numbers


def named(numbers):
    """Return versions as a page lists them, without this package's own: the commit says more."""
    return ", ".join(f"{DISTRIBUTIONS.get(name, name)} {v}" for name, v in numbers.items() if name != "arrayconv")


def sentence(result, command):
    """Return the words of a page on where a result comes from, and whether other programs disturbed it."""
    facts = result["machine"]
    source = f"From `{command}` on {result['date']}, commit {result['commit']}: {facts['cores']} cores of an "
    return f"{source}{facts['cpu']}; {named(result['versions'])}.{disturbance([result])}"


def disturbance(results):
    """Return a sentence if other programs ran during a run, '' if not or if that was not recorded."""
    most = max(result["machine"].get("others") or 0 for result in results)
    if most <= DISTURBED:
        return ""
    return f" Other programs ran and used {100 * most:.0f} % of the processors' time, so times are too long."


def filled(text):
    """Return a paragraph in lines as wide as those of the pages."""
    return textwrap.fill(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False)
