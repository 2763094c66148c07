"""Time the table of problems on one library's arrays, against what its users would call instead.

    python -m benchmarks.run --library numpy --methods --json benchmarks/results/numpy.json
    python -m benchmarks.run --quick --filter 512

Prints a table, the groups of `report.GROUPS`, and with --methods how good the choice of 'auto' is. Every result is
compared with ours before it is timed. All contenders of a problem take turns in one process, which runs no other
problem: memory and threads left over would be part of the times. Where a peer is near ours, those not far behind take
turns in further processes, after all other problems: the memory that a process gets, and other work of the machine,
may decide between equals.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console

from arrayconv._calls.timing import wait
from arrayconv._costs.cost_table import active_table
from benchmarks import files, provenance, report
from benchmarks.contenders import field
from benchmarks.peers import PEERS
from benchmarks.problems import EVERYWHERE, PROBLEMS, work
from benchmarks.timing import WARM_NS, ceilings, interleaved

PACKAGES = ("arrayconv", *dict.fromkeys(peer.package for peer in PEERS))
SECONDS = 0.3  # of rounds for a problem, after all were checked
QUICK_SECONDS = 1.0  # of rounds for all problems of a quick run
PROCESSES = 3  # in which close races are run


def main(argv=None):
    options = parse(argv)
    console = Console(width=None if Console().is_terminal else 160)
    result = measure(options, partial(console.print, style="dim", highlight=False))
    console.print(report.table(result))
    console.print(report.summary(result))
    for line in report.choice_lines(result["rows"]):
        console.print(line, highlight=False)
    console.print(f"{result['seconds']:.0f} s")
    if options.json:
        files.write(options.json, result)


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", choices=EVERYWHERE, default="numpy", help="whose arrays (default: %(default)s)")
    parser.add_argument("--filter", default="", help="only the problems whose name and dtype hold this text")
    parser.add_argument("--quick", action="store_true", help="a few small problems, about a second")
    parser.add_argument("--methods", action="store_true", help="time every method of ours as well")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of rounds per problem (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="where to write the times")
    options = parser.parse_args(argv)
    options.problems = [
        problem
        for problem in PROBLEMS
        if options.library in problem.libraries
        and options.filter in problem.label
        and (options.filter or not options.quick or "quick" in problem.tags)
    ]
    if not options.problems:
        parser.error(f"--filter must occur in a problem on {options.library} arrays. Got {options.filter!r}.")
    return options


def measure(options, say=print):
    """Return the result of a run: see `report`."""
    run = provenance.Run(PACKAGES)
    if run.is_busy:
        facts = run.facts["machine"]
        say(f"The machine is busy: a load of {facts['load']} on {facts['cores']} cores. Times will be too long.")
    say(f"costs: {active_table().source}")
    limits = ceilings(options.quick)
    rows = []
    for number, problem in enumerate(options.problems, 1):
        if options.quick:
            rows.append(timed(problem, options.library, options.methods, QUICK_SECONDS / len(options.problems), 0))
            continue
        rows.append(apart(timed, problem, options.library, options.methods, options.seconds, WARM_NS))
        say(f"{number:>3}/{len(options.problems)}  {problem.label}: {report.duration(rows[-1]['ours']['auto'])}")
    if not options.quick:
        again(rows, options, say)
    return run.result(
        library=options.library,
        costs=active_table().source.rpartition(", ")[2],  # without the path of a user's table
        ceilings=limits._asdict(),
        rows=rows,
    )


def again(rows, options, say):
    """Time the close races among `rows` in further processes, and keep the shortest times."""
    groups = [group for group in report.GROUPS[options.library] if group.ours != "pure"]  # a fallback need not win
    for turn in range(2, PROCESSES + 1):
        for place, problem in enumerate(options.problems):
            if not report.is_near(rows[place], groups):
                continue
            near = report.leaders(rows[place])
            rerun = apart(timed, problem, options.library, options.methods, options.seconds, WARM_NS, near)
            rows[place] = report.shortest(rows[place], rerun)
            say(f"process {turn}  {problem.label}: {report.duration(rows[place]['ours']['auto'])}")


def apart(function, *arguments):
    """Return what a function returns in a new process, which imports everything anew."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def timed(problem, library, every_method, seconds, warm_ns, only=None):
    """Return the row of a problem; only of the named contenders where `only` is not None."""
    contenders = field(problem, library, every_method, only)
    finish = wait if library == "jax" else None
    times = interleaved(contenders.timed, seconds, finish, warm_ns, is_open)
    macs, moved = work(problem)
    return {
        "name": problem.name,
        "dtype": problem.dtype,
        "kind": problem.kind,
        "x": problem.x,
        "kernel": problem.kernel,
        "tags": sorted(problem.tags),
        "macs": macs,
        "bytes": moved,
        "method": contenders.method,
        "plain_method": contenders.plain_method,
        **{
            key: {name: round(took, 1) for (group, name), took in times.items() if group == own}
            for own, key in report.TIMES.items()
        },
        "left_out": contenders.left_out,
    }


def is_open(names):
    """Whether ours and others are among the contenders."""
    groups = {group for group, _ in names}
    return "peer" in groups and len(groups) > 1


if __name__ == "__main__":
    main()
