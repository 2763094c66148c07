"""Measure this machine and write arrayconv/_costs/cost_table.py: the constants the method choice rests on.

    python benchmarks/calibrate.py            print the new table
    python benchmarks/calibrate.py --write    write it
    python benchmarks/calibrate.py --gpu      the same for the ceilings of the GPU here, in arrayconv/_costs/cards.py

The measurements are those of `python -m arrayconv tune`, which writes a user's own table instead. Libraries, devices
and methods that are not measured here keep their row; 'other' is a guess for those that were never measured.
"""

import argparse
import datetime
import pathlib
import re
import sys

from arrayconv._cli import ceilings, method_costs, primitive_costs
from arrayconv._costs import cards, cost_table
from arrayconv._runtime import threads

TABLE = pathlib.Path(cost_table.__file__)
CARDS = pathlib.Path(cards.__file__)


def rendered(primitive_costs, measured, versions):
    """Return the text of the table's file with `primitive_costs` and `method_costs` in place of its own."""
    text = TABLE.read_text()
    today = datetime.date.today().isoformat()
    head, rest = text.split("\nMeasured ", 1)
    rest = rest[rest.index('"""') :]
    about = f"\nMeasured {today} on {threads.usable()} cores, {versions}.\n"
    rest = re.sub(r"\nTHREADS = \d+", f"\nTHREADS = {threads.usable()}", rest)
    return head + about + replaced(replaced(rest, "PRIMITIVE_COSTS", primitive_costs), _method_costs(), measured)


def _method_costs():
    """Return the name of the table of method costs for this machine's kind of processor."""
    return "METHOD_COSTS" if cost_table.has_avx512() else "METHOD_COSTS_AVX2"


def replaced(text, table, rows):
    """Return Python text with rows of a dict of named tuples replaced; comments, and other rows, stay."""
    start = text.index("{\n", text.index(f"\n{table}: dict")) + 2
    stop = text.index("}\n", start)
    body = text[start:stop]
    for name, row in rows.items():
        line = f'"{name}": {type(row).__name__}({", ".join(map(str, row))}),'
        body, count = re.subn(rf'"{re.escape(name)}": \w+\([^)]*\),', line, body)
        body += "" if count else f"    {line}\n"
    return text[:start] + body + text[stop:]


def gpu_rows(say):
    """Return the file of cards and its text with the rows that were measured here."""
    rows, reasons = ceilings.measure(say)
    if not rows:
        sys.exit(f"there is no GPU here whose ceilings could be measured. {'; '.join(reasons)}")
    return CARDS, replaced(CARDS.read_text(), "CEILINGS", rows)


def host_rows(say):
    """Return the file of constants and its text as measured here."""
    versions = ", ".join(f"{name} {number}" for name, number in primitive_costs.versions().items())
    primitives = primitive_costs.measure(say)
    return TABLE, rendered(primitives, method_costs.measure(say, primitives), versions)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the table instead of printing it")
    parser.add_argument("--gpu", action="store_true", help="the ceilings of the GPU here, and nothing else")
    arguments = parser.parse_args()

    def say(text):
        print(text, file=sys.stderr)

    path, text = (gpu_rows if arguments.gpu else host_rows)(say)
    if arguments.write:
        path.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
