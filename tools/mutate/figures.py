"""The figures of mutants by module: printed, and kept in a page of which a run replaces the rows of its modules."""

from __future__ import annotations

import datetime
import json
import re
import subprocess
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

from tools.mutate import loops
from tools.mutate.children import Outcome
from tools.mutate.operators import Mutant

PAGE = "docs/design/mutation.md"
EQUIVALENTS = Path(__file__).parent / "equivalents.txt"
HEAD = """# Mutants by module

Each mutant changes one comparison, operator, number or condition of a module, and a test has to fail. `equivalent` are
those that compute the same, each with its reason in `tools/mutate/equivalents.txt`; the share is that of the others.
`python -m tools.mutate --page` writes the row of each module that it mutates; with `--again` it counts what an earlier
run of the sample caught. C mutants that do not compile, or to the same library, are not counted.

| module | mutants | caught | equivalent | survivors | share caught | date | commit |
| --- | ---: | ---: | ---: | ---: | ---: | --- | --- |
"""
ROW = re.compile(r"^\| `(.+?)` \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| [\d. %]+ \| (\S+) \| (\S+) \|$", re.M)


class Row(NamedTuple):
    """The figures of one module."""

    mutants: int
    caught: int
    equivalent: int
    survived: int
    date: str = ""
    commit: str = ""

    @property
    def share(self) -> str:
        others = self.mutants - self.equivalent
        return f"{100 * self.caught / others:.1f} %" if others else "100 %"


def statuses(outcomes: dict[Mutant, Outcome]) -> dict[Mutant, str]:
    """Return 'caught', 'equivalent', 'survived' or 'invalid' for each mutant."""
    known = equivalents()
    return {mutant: _status(mutant, outcome, known) for mutant, outcome in outcomes.items()}


def equivalents() -> set[tuple[str, str, str]]:
    """Return (file, function, change) of the mutants that are known to compute the same."""
    rows = [line.split(" | ") for line in EQUIVALENTS.read_text().splitlines() if line and not line.startswith("#")]
    return {(row[0], row[1], row[2]) for row in rows}


def _status(mutant: Mutant, outcome: Outcome, known: set[tuple[str, str, str]]) -> str:
    if outcome.text == loops.INVALID:
        return "invalid"
    if outcome.status != "passed":
        return "caught"
    return "equivalent" if mutant.key in known else "survived"


def earlier(path: str | None) -> dict[Mutant, str]:
    """Return the statuses of an earlier run; a mutant that survived and is an equivalent now is one."""
    rows = [] if path is None else json.loads(Path(path).read_text())
    known = equivalents()
    mutants = {Mutant(*(row[field] for field in Mutant._fields)): row["status"] for row in rows}
    return {m: "equivalent" if s == "survived" and m.key in known else s for m, s in mutants.items()}


def merged(again: str | None, outcomes: dict[Mutant, Outcome]) -> dict[Mutant, str]:
    """Return the statuses of the earlier run, and those of this one in place of the survivors that ran again."""
    new = statuses(outcomes)
    keys = {mutant.key for mutant in new}
    return {m: s for m, s in earlier(again).items() if s != "survived" or m.key not in keys} | new


def save(path: str, again: str | None, outcomes: dict[Mutant, Outcome]) -> None:
    """Write all mutants and their statuses, those of the earlier run included."""
    of = merged(again, outcomes)
    rows = [{**m._asdict(), "status": s, "by": outcomes[m].text if m in outcomes else "earlier"} for m, s in of.items()]
    Path(path).write_text(json.dumps(rows, indent=1))


def rows(of: dict[Mutant, str]) -> dict[str, Row]:
    """Return the figures by module."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant, status in of.items():
        counts[mutant.file][status] += 1
    return {
        file: Row(sum(count.values()) - count["invalid"], count["caught"], count["equivalent"], count["survived"])
        for file, count in sorted(counts.items())
    }


def total(modules: dict[str, Row]) -> Row:
    """Return the sums over modules."""
    return Row(*(sum(row[column] for row in modules.values()) for column in range(4)))


def lines(of: dict[Mutant, str]) -> list[str]:
    """Return the figures as text."""
    modules = rows(of)
    table = [*modules.items(), ("all", total(modules))]
    head = f"\n{'module':44} mutants  caught  equivalent  survivors   share"
    return [head, *(f"{file:44} {r[0]:7} {r[1]:7} {r[2]:11} {r[3]:10} {r.share:>7}" for file, r in table)]


def write(root: Path, of: dict[Mutant, str]) -> None:
    """Replace the rows of these modules on the page, and the sums."""
    date, commit = datetime.datetime.now(datetime.UTC).date().isoformat(), _commit(root)
    page = root / PAGE
    earlier = read(page.read_text()) if page.exists() else {}
    new = {file: row._replace(date=date, commit=commit) for file, row in rows(of).items() if row.mutants}
    page.write_text(text(earlier | new))


def read(page: str) -> dict[str, Row]:
    """Return the rows of a page's modules."""
    return {match[0]: Row(*map(int, match[1:5]), *match[5:]) for match in ROW.findall(page)}


def text(modules: dict[str, Row]) -> str:
    """Return the page: the Python modules, the C sources, and the sums of each."""
    body = ""
    for language, is_c in (("Python", False), ("C", True)):
        part = {file: row for file, row in sorted(modules.items()) if file.startswith(loops.FOLDER) == is_c}
        if part:
            body += "".join(_line(f"`{file}`", row) for file, row in part.items())
            body += _line(f"all {language} modules", total(part))
    return HEAD + body


def _line(name: str, row: Row) -> str:
    figures = f"{row.mutants} | {row.caught} | {row.equivalent} | {row.survived} | {row.share}"
    return f"| {name} | {figures} | {row.date} | {row.commit} |\n"


def _commit(root: Path) -> str:
    """Return the commit of the checkout, with a plus where sources or tests differ."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    changed = git("status", "--porcelain", "--", "arrayconv", "conformance", "tests", "tools")
    return git("rev-parse", "--short=7", "HEAD") + "+" * bool(changed)
