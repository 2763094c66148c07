"""The page of findings: profiles of the shipped targets, and the outcomes of every snippet."""

import json
import platform
import re
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path
from textwrap import fill

from . import targets
from .cases.findings import DOCUMENTED
from .claims import PREFIX
from .findings import FINDINGS, ROOT, installed, outcomes

SUITE = Path(__file__).parent


def page():
    """The whole page in Markdown."""
    libraries = dict.fromkeys(finding.distributions for finding in FINDINGS)
    results, absent = {}, []
    for library in libraries:
        if installed(library) is None:
            absent.append(library)
        else:
            results.update(outcomes(library))
    parts = [_HEAD.format(date=date.today().isoformat(), python=platform.python_version()), _profiles()]
    parts += ["## Findings"]
    parts += [_section(finding, results[finding.id]) for finding in FINDINGS if _differs(finding, results)]
    exact = [finding for finding in FINDINGS if finding.id in results and not results[finding.id].differs]
    lines = [f"* `{finding.function}`, {results[finding.id].versions}: {finding.title}" for finding in exact]
    parts += ["## No longer", "Findings in earlier versions, exact in this one:", "\n".join(lines)] if lines else []
    parts += ["## Not findings", _DOCUMENTED, "\n".join(f"* {name}: {text}" for name, text in DOCUMENTED)]
    if absent:
        parts += ["## Not run", "\n".join(f"* {library}: it is not installed" for library in absent)]
    return "\n\n".join(parts) + "\n"


_HEAD = """# What the suite finds in other implementations

The [conformance suite](../conformance/README.md) on well-known libraries, with the exact sums that it computes in
integers. Rules and bounds are those of [the contract](contract.md). Written on {date} by `python -m
conformance.findings docs/findings.md`, Python {python}, on a CPU: every value below was returned by that run.

A finding is a difference from the exact sum, or from the library's own documentation. Conventions that differ, such as
the centring of 'same', and behaviour that a library documents are no findings."""

_DOCUMENTED = "Conventions, or documented by the library; [the contract](contract.md) differs:"


def _differs(finding, results):
    return finding.id in results and results[finding.id].differs


def _section(finding, outcome):
    return f"""### `{finding.function}`: {finding.title}

{fill(finding.text, 118)}

| | {finding.view} |
|---|---|
| {outcome.versions} | `{outcome.value}` |
| exact | `{outcome.exact}` |

It differs from {finding.against}.

```py{finding.snippet}print(out)
```"""


def _profiles():
    rows = [_profile(name) for name in targets.SHIPPED]
    failures = [f"* `{name}`: `{test}`" for name, _, tests in rows for test in tests]
    lines = [
        "## Profiles",
        "Each adapter in `conformance/targets/` calls one library, and claims what that library documents. Tests\nthat "
        "require more are not run.",
        "| target | version | backend | passed | failed | not claimed |\n|---|---|---|---|---|---|\n"
        + "\n".join(row for _, row, _ in rows),
    ]
    return "\n\n".join([*lines, "Failed:", "\n".join(failures)] if failures else lines)


def _profile(name):
    """The name, the row of the table, and the tests that failed."""
    backend = re.search(r'^BACKEND = "(.*)"', (SUITE / "targets" / f"{name}.py").read_text(), re.M).group(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        options = ["--target", name, "--backend", backend, "--report", str(path), "--ignore", str(SUITE / "meta")]
        command = [sys.executable, "-m", "pytest", str(SUITE), "-q", "-p", "no:cacheprovider", *options]
        subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        report = json.loads(path.read_text())
    if report["unavailable"]:
        return name, f"| `{name}` | not run: {report['unavailable']} | {backend} | | | |", []
    rows = report["tests"]
    count = Counter(row["outcome"] for row in rows)
    unclaimed = sum(PREFIX in row.get("why", "") for row in rows)
    failed = [f"{row['test']}[{row['case']}]" for row in rows if row["outcome"] == "failed"]
    cells = (report["version"], report["backend"], count["passed"], count["failed"], unclaimed)
    return name, f"| `{name}` | {' | '.join(map(str, cells))} |", failed
