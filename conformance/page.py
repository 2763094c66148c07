"""The report as one page of HTML without external resources: function x dtype per run, and a matrix of several runs."""

from html import escape
from pathlib import Path

from . import totals

STYLE = Path(__file__).with_name("page.css")
STEPS = (0.01, 0.1, 0.3, 0.7)  # shares of the bound at which the colour changes
FIRST = ("convolve", "correlate", "einconv", "explain", "lags", "kernels")
DTYPES = ("float64", "float32", "float16", "bfloat16", "complex128", "complex64")
MOST_FAILURES = 200
VERDICTS = {0: ("passed", "passed"), 1: ("failed", "failed"), 6: ("nothing", "not run")}


def html(runs):
    """The page of one run or several."""
    targets = ", ".join(dict.fromkeys(f"{run['target']} {run['version']}" for run in runs))
    body = [f"<h1>Conformance of {escape(targets)}</h1>"]
    body += [_matrix(runs)] if len(runs) > 1 else []
    body += [_run(run, number) for number, run in enumerate(runs)]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Conformance of {escape(targets)}</title>\n<style>\n{STYLE.read_text()}</style>\n</head>\n"
        f"<body>\n<main>\n{''.join(body)}</main>\n</body>\n</html>\n"
    )


def _name(run):
    return " ".join(str(run[key]) for key in ("backend", "backend_version") if run[key])


def _badge(run):
    kind, text = VERDICTS.get(run["exit_status"], ("failed", f"ended with status {run['exit_status']}"))
    return f'<span class="badge {kind}">{text}</span>'


def _matrix(runs):
    """Backend x function: the worst cell over the dtypes."""
    functions = sorted({cell["function"] for run in runs for cell in run["grid"]}, key=_function_order)
    head = "".join(f'<th><a href="#run-{i}">{escape(_column(run))}</a></th>' for i, run in enumerate(runs))
    rows = [
        f"<tr><th>{escape(function)}</th>"
        + "".join(_cell([cell for cell in run["grid"] if cell["function"] == function]) for run in runs)
        + "</tr>"
        for function in functions
    ]
    verdicts = "".join(f"<td>{_badge(run)}</td>" for run in runs)
    table = _table("grid", head, [f"<tr><th>run</th>{verdicts}</tr>", *rows])
    return (
        f'<section><h2>All runs</h2><p class="soft">Of every function the worst dtype.</p>{table}{_legend()}</section>'
    )


def _column(run):
    target = "" if run["target"] == "arrayconv" else f"{run['target']} on "
    return f"{target}{run['backend']}" + (f", {run['device']}" if run["device"] else "")


def _run(run, number):
    parts = [
        f'<section id="run-{number}"><div class="heading"><h2>{escape(run["target"])} on {escape(_name(run))}</h2>',
        f"{_badge(run)}</div>",
        f"<p>{escape(_sentence(run))}</p>",
        _facts(run),
    ]
    if run["grid"]:
        parts += ["<h3>Largest error as a share of its bound</h3>", _grid(run["grid"]), _legend()]
    parts += [_failures(run["tests"]), _not_run(run["not_run"]), _totals(run["totals"]), "</section>"]
    return "".join(parts)


def _sentence(run):
    sums = run["totals"]["all"]
    counts = [f"{sums[o]} {name}" for o, name in zip(totals.OUTCOMES, totals.COUNTS, strict=True) if sums[o]]
    selected, every = run["combinations"]["selected"], run["combinations"]["all"]
    level = f"Level {run['level']} selects {selected} of {every} combinations of the tables." if every else ""
    return f"{', '.join(counts) or 'No test ran'}. {level}"


def _facts(run):
    facts = {
        "device": run["device"],
        "level": run["level"],
        "seed": run["seed"],
        "examples per property": run["max_examples"],
        "time budget": run["budget"] and f"{run['budget']:g} min",
        "time": f"{run['seconds']:g} s",
        "started": f"{run['started'][:16].replace('T', ' ')} UTC",
        "Python": run["python"],
        "platform": run["platform"],
        "could not run": run["unavailable"],
    }
    rows = (
        f"<div><dt>{name}</dt><dd>{escape(str(value))}</dd></div>" for name, value in facts.items() if value is not None
    )
    return f'<dl class="facts">{"".join(rows)}</dl>'


def _grid(grid):
    functions = sorted({cell["function"] for cell in grid}, key=_function_order)
    dtypes = sorted({cell["dtype"] for cell in grid}, key=_dtype_order)
    by_place = {(cell["function"], cell["dtype"]): [cell] for cell in grid}
    rows = [
        f"<tr><th>{escape(function)}</th>"
        + "".join(_cell(by_place.get((function, dtype), [])) for dtype in dtypes)
        + "</tr>"
        for function in functions
    ]
    head = "".join(f"<th>{escape('no array' if dtype == totals.NO_DTYPE else dtype)}</th>" for dtype in dtypes)
    return _table("grid", head, rows)


def _function_order(name):
    return FIRST.index(name.split(".")[0]) if name.split(".")[0] in FIRST else len(FIRST), name


def _dtype_order(name):
    group = DTYPES.index(name) if name in DTYPES else len(DTYPES) + ("+" in name) + 2 * (name == totals.NO_DTYPE)
    return group, name


def _cell(cells):
    """A cell of the grid, or the worst of several."""
    if not cells:
        return "<td></td>"
    sums = {outcome: sum(cell[outcome] for cell in cells) for outcome in totals.OUTCOMES}
    shares = [cell for cell in cells if cell["worst_share"] is not None]
    worst = max(shares, key=lambda cell: cell["worst_share"]) if shares else None
    counts = [f"{sums[o]} {name}" for o, name in zip(totals.OUTCOMES, totals.COUNTS, strict=True) if sums[o]]
    title = ", ".join(counts) + (f"; {worst['worst_test']}" if worst else "")
    kind, text = _appearance(sums, worst and worst["worst_share"])
    return f'<td class="{kind}" title="{escape(title)}">{text}</td>'


def _appearance(sums, share):
    if sums["failed"]:
        return "fail", f"{sums['failed']} failed"
    if sums["xfailed"]:
        return "fail", f"{sums['xfailed']} known"
    if not sums["passed"]:
        return "none", "not run"
    if not share:
        return "exact", "exact" if share == 0 else "passed"
    return f"s{sum(share > step for step in STEPS)}", f"{share:.2g}"


def _legend():
    edges = (f"≤ {STEPS[0]:g}", *(f"≤ {step:g}" for step in STEPS[1:]), "≤ 1 of the bound")
    spans = [f'<span class="s{i}">{edge}</span>' for i, edge in enumerate(edges)]
    spans += ['<span class="exact">exact, or no numbers to compare</span>', '<span class="none">not run</span>']
    return f'<div class="legend">{"".join(spans)}<span class="fail">failed</span></div>'


def _table(kind, head, rows):
    return (
        f'<div class="scroll"><table class="{kind}"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _failures(tests):
    """The failures by test function, each with its message and a snippet to paste."""
    rows = [row for row in tests if row["outcome"] in ("failed", "xfailed")]
    if not rows:
        return ""
    groups = {}
    for row in rows[:MOST_FAILURES]:
        groups.setdefault(f"{row['file']}::{row['test']}", []).append(row)
    rest = f"<p>{len(rows) - MOST_FAILURES} more are in report.json.</p>" if len(rows) > MOST_FAILURES else ""
    return f"<h3>Failures</h3>{''.join(_group(name, group) for name, group in groups.items())}{rest}"


def _group(name, rows):
    return (
        f'<details class="group"><summary><code>{escape(name)}</code> <span class="soft">{len(rows)}</span></summary>'
        f"{''.join(map(_failure, rows))}</details>"
    )


def _failure(row):
    known = " (known failure)" if row["outcome"] == "xfailed" else ""
    snippet = f'<pre class="paste">{escape(row["snippet"])}</pre>' if row.get("snippet") else ""
    return (
        f'<div class="failure"><code>{escape(row["case"] or row["test"])}</code>{known}'
        f'<pre class="why">{escape(row["why"])}</pre>{snippet}</div>'
    )


def _not_run(reasons):
    if not reasons:
        return ""
    rows = (f"<tr><td>{row['tests']}</td><td>{escape(row['reason'])}</td></tr>" for row in reasons)
    table = f'<table class="reasons"><tbody>{"".join(rows)}</tbody></table>'
    return f'<h3>Not run, and why</h3><div class="scroll">{table}</div>'


def _totals(sums):
    tables = "".join(_sums(title, sums[f"by_{title}"]) for title in ("area", "dtype", "claim"))
    return f'<h3>Totals</h3><div class="tables">{tables}</div>'


def _sums(title, part):
    columns = [
        (o, name)
        for o, name in zip(totals.OUTCOMES, totals.COUNTS, strict=True)
        if any(row[o] for row in part.values())
    ]
    head = "".join(f'<th class="number">{name}</th>' for _, name in columns)
    rows = (
        f"<tr><th>{escape(key)}</th>"
        + "".join(f'<td class="{outcome}">{row[outcome] or ""}</td>' for outcome, _ in columns)
        + "</tr>"
        for key, row in part.items()
    )
    return (
        f'<div class="scroll"><table class="totals"><thead><tr><th>by {title}</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
