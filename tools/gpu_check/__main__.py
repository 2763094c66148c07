"""One command for a machine with a GPU: are results there those of other machines, and how fast?

    python -m tools.gpu_check --out DIR

On CuPy and on torch's CUDA device it measures the card's ceilings, runs a table of cases and compares each with the
definition summed on the host (itself compared with SciPy where SciPy has the operation), makes the same calls under the
library's detector of waits, runs the conformance suite, a few calls under sanitizers, and times many sizes. Errors are
measured against the bounds of docs/contract.md, never a fixed tolerance. Only cards of NVIDIA's driver are GPUs.

Each phase is a process of its own with a deadline, and every result is written at once, so that a crash or a hang costs
one phase. DIR gets report.md, results.json, conformance.json, bench.json, env.txt, results.jsonl (as written), log.txt.

Exit status: 0 all passed, 1 some failed or did not finish, 3 no GPU (nothing was checked), 2 wrong arguments.
"""

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

from tools.gpu_check import libraries, report

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = tuple(libraries.LIBRARIES)
# Phase -> its share of the remaining time when it starts; time that it does not use goes to the next ones.
PHASES = {
    "status": 0.2, "ceilings": 0.2, "smoke": 0.2, "correctness": 0.3, "waits": 0.3, "conformance": 0.5,
    "sanitizer": 0.3, "streams": 0.3, "bench": 1.0,
}  # fmt: skip
MODULES = {"ceilings": "bench", "bench": "bench", "sanitizer": "sanitizers", "streams": "sanitizers"}  # others: checks
ENVIRONMENT = {
    "CUPY_TF32": "0",
    "NVIDIA_TF32_OVERRIDE": "0",
    "PYTHONUNBUFFERED": "1",
    "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
}


def main(argv=None):
    """Run the check, or one phase of it, and return the exit status."""
    arguments = parse(argv)
    return child(arguments) if arguments.phase else parent(arguments)


def parse(argv):
    """Return the arguments."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m tools.gpu_check", description=__doc__, formatter_class=layout)
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder for the report, made if need be")
    add("--budget", type=float, default=540, metavar="SECONDS", help="time for everything (default: 540)")
    text = "run the same code with NumPy in CuPy's place and torch on the CPU; the report says so"
    add("--rehearse", action="store_true", help=text)
    add("--libraries", type=_names, default=LIBRARIES, metavar="A,B", help=f"(default: {','.join(LIBRARIES)})")
    add("--phases", type=_names, default=(), metavar="A,B", help=f"of {', '.join(PHASES)} (default: all)")
    add("--only", default="", metavar="TEXT", help="only cases and tests whose name holds TEXT")
    add("--phase", help=argparse.SUPPRESS)  # of a child process
    add("--library", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    for name, known in (("libraries", LIBRARIES), ("phases", PHASES)):
        unknown = sorted(set(getattr(arguments, name)) - set(known))
        if unknown:
            parser.error(f"--{name} must be of {', '.join(known)}, got {unknown[0]!r}")
    return arguments


def _names(text):
    return tuple(filter(None, text.split(",")))


def parent(arguments):
    """Run every phase on every usable library, write the report, return the exit status."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in ("results.jsonl", "log.txt"):
        (arguments.out / name).write_text("")
    (arguments.out / "env.txt").write_text("\n".join(report.environment(arguments.rehearse)) + "\n")
    usable = run_phases(arguments)
    rows = report.results(arguments.out)
    verdict, status = report.judged(rows, bool(usable), arguments.rehearse)
    cards = [] if arguments.rehearse else report.cards()
    facts = {"verdict": verdict, "rehearsal": arguments.rehearse, "cards": cards, "kernels": report.sources_hash()}
    for name, content in report.files(rows, arguments.out, facts | {"libraries": usable}).items():
        (arguments.out / name).write_text(json.dumps(content, indent=1) + "\n")
    text = "\n".join(report.lines(rows, verdict, arguments.rehearse, cards))
    (arguments.out / "report.md").write_text(text + "\n")
    print(text)
    return status


def run_phases(arguments):
    """Run the phases within the budget, and return the libraries that could be used."""
    end, usable = time.monotonic() + arguments.budget, list(arguments.libraries)
    for phase in PHASES if not arguments.phases else [p for p in PHASES if p == "status" or p in arguments.phases]:
        for number, library in enumerate(usable):
            seconds = (end - time.monotonic()) * PHASES[phase] / (len(usable) - number)
            print(f"{phase} {library} ...", file=sys.stderr, flush=True)
            run_phase(arguments, phase, library, seconds)
        if phase == "status":
            usable = [row["library"] for row in report.results(arguments.out) if row["outcome"] == "ok"]
    return usable


def run_phase(arguments, phase, library, seconds):
    """Run a phase in a process of its own; a failure of the process is recorded."""
    words = [sys.executable, "-m", "tools.gpu_check", "--out", str(arguments.out.resolve()), "--phase", phase]
    words += ["--library", library, "--only", arguments.only, *["--rehearse"] * arguments.rehearse]
    environment = {**os.environ, **ENVIRONMENT}
    with (arguments.out / "log.txt").open("a") as log:
        print(f"\n=== {phase} {library}, {seconds:.0f} s allowed", file=log, flush=True)
        process = subprocess.Popen(
            words, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            status, outcome = process.wait(timeout=max(seconds, 1)), "failed"
            message = f"the process ended with status {status}, see log.txt"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            status, outcome, message = process.wait(), "unfinished", f"stopped after {seconds:.0f} s"
    if status:
        append = recorder(arguments.out, phase, library)
        append(case="the whole phase", outcome=outcome, message=message)


def child(arguments):
    """Run one phase in this process.

    Its imports may be broken: then this process fails, the failure is recorded, and the others still run.
    """
    record = recorder(arguments.out, arguments.phase, arguments.library)
    machine = import_module("tools.gpu_check.machine")
    if arguments.phase == "status":
        problem = machine.why_unusable(arguments.library, arguments.rehearse)
        record(case="status", outcome="absent" if problem else "ok", message=problem)
        return 0
    module = import_module(f"tools.gpu_check.{MODULES.get(arguments.phase, 'checks')}")
    run = getattr(module, arguments.phase)
    run(machine.Machine(arguments.library, arguments.rehearse), record, arguments.only, **more(arguments))
    return 0


def more(arguments):
    """Return what some phases need besides: a file for the suite's report, the ceilings that were measured before."""
    if arguments.phase == "conformance":
        return {"report": arguments.out / f"conformance-{arguments.library}.json"}
    if arguments.phase != "bench":
        return {}
    rows = [row for row in report.results(arguments.out) if "ceilings" in row]
    own = [row for row in rows if row["library"] == arguments.library] or rows
    return {"limits": own[0]["ceilings"] if own else None}


def recorder(folder, phase, library):
    """Return the function that writes a result, a line of JSON, at once."""

    def record(**fields):
        if not math.isfinite(fields.get("ratio", 0)):
            fields["ratio"] = str(fields["ratio"])  # JSON has no infinity
        with (folder / "results.jsonl").open("a") as file:
            file.write(json.dumps({"phase": phase, "library": library, **fields}) + "\n")

    return record


if __name__ == "__main__":
    sys.exit(main())
