"""The page of findings: which sections it has, and what their rows contain, for fixed outcomes."""

import json
from subprocess import CompletedProcess

import pytest

from .. import findings_page
from ..findings import FINDINGS, Outcome

FIRST, SECOND = FINDINGS[:2]
WRONG, RIGHT = Outcome("scipy 9.9", "[7]", "[8]", differs=True), Outcome("scipy 9.9", "[8]", "[8]", differs=False)


@pytest.fixture
def written(monkeypatch):
    """A function that writes the page of two findings, without profiles, for the outcomes and absent libraries."""

    def write(results, absent=()):
        monkeypatch.setattr(findings_page, "FINDINGS", [FIRST, SECOND])
        monkeypatch.setattr(findings_page, "_profiles", lambda: "## Profiles")
        monkeypatch.setattr(findings_page, "installed", lambda names: None if names in absent else "scipy 9.9")
        monkeypatch.setattr(findings_page, "outcomes", lambda names: results)
        return findings_page.page()

    return write


def test_a_finding_that_is_reproduced_is_a_section_with_both_values(written):
    page = written({FIRST.id: WRONG, SECOND.id: WRONG})
    findings = page.partition("## Findings")[2].partition("## Not findings")[0]
    assert findings.count("### ") == 2
    assert f"### `{FIRST.function}`: {FIRST.title}" in findings
    assert "| scipy 9.9 | `[7]` |\n| exact | `[8]` |" in findings
    assert FIRST.snippet.strip() in findings
    assert "## No longer" not in page
    assert "## Not run" not in page


def test_a_finding_that_is_exact_by_now_is_listed_as_such(written):
    page = written({FIRST.id: WRONG, SECOND.id: RIGHT})
    findings, _, rest = page.partition("## No longer")
    assert f"* `{SECOND.function}`, scipy 9.9: {SECOND.title}" in rest
    assert SECOND.title not in findings


def test_a_library_that_is_not_installed_is_named(written):
    page = written({}, absent=(FIRST.distributions, SECOND.distributions))
    assert f"## Not run\n\n* {FIRST.distributions}: it is not installed" in page
    assert "### " not in page


def _report(**values):
    tests = [("passed", ""), ("failed", ""), ("skipped", "not claimed: nd"), ("skipped", "numpy has no bfloat16")]
    rows = [{"test": "test_a", "case": f"c{n}", "outcome": o, "why": w} for n, (o, w) in enumerate(tests)]
    return {"version": "9.9", "backend": "numpy", "unavailable": None, "tests": rows, **values}


@pytest.mark.parametrize(
    ("values", "row", "failed"),
    [
        ({}, "| `scipy_signal` | 9.9 | numpy | 1 | 1 | 1 |", ["test_a[c1]"]),
        ({"unavailable": "no SciPy"}, "| `scipy_signal` | not run: no SciPy | numpy | | | |", []),
    ],
)
def test_a_profile_counts_a_report(values, row, failed, monkeypatch):
    commands = []

    def run(command, **options):
        commands.append(command)
        with open(command[command.index("--report") + 1], "w") as file:
            json.dump(_report(**values), file)
        return CompletedProcess(command, 1)

    monkeypatch.setattr(findings_page.subprocess, "run", run)
    assert findings_page._profile("scipy_signal") == ("scipy_signal", row, failed)
    assert commands[0][commands[0].index("--target") + 1] == "scipy_signal"
    assert commands[0][commands[0].index("--backend") + 1] == "numpy"


def test_profiles_are_the_shipped_targets_and_name_failures(monkeypatch):
    monkeypatch.setattr(findings_page, "_profile", lambda name: (name, f"| row of {name} |", [f"test of {name}"]))
    text = findings_page._profiles()
    for name in findings_page.targets.SHIPPED:
        assert f"| row of {name} |\n" in text
        assert f"* `{name}`: `test of {name}`" in text
