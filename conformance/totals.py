"""Sums over the rows of a report, by area, claim, dtype, and function with dtype; nothing is counted elsewhere."""

from collections import Counter

OUTCOMES = ("passed", "failed", "xfailed", "skipped")
COUNTS = ("passed", "failed", "known failures", "not run")
NO_DTYPE = "none"  # of tests that compare no array


def by(tests, keys):
    """{key: {outcome: count}}; a test with several keys counts under each."""
    sums = {}
    for row in tests:
        for key in keys(row):
            sums.setdefault(key, Counter())[row["outcome"]] += 1
    return {key: counts(sums[key]) for key in sorted(sums)}


def counts(counter):
    return {outcome: counter.get(outcome, 0) for outcome in OUTCOMES}


def everything(tests):
    return {
        "all": counts(Counter(row["outcome"] for row in tests)),
        "by_area": by(tests, lambda row: [row["file"]]),
        "by_claim": by(tests, claims),
        "by_dtype": by(tests, lambda row: {dtype or NO_DTYPE for _, dtype, _ in cells(row)} or {NO_DTYPE}),
    }


def claims(row):
    """The claims of a test, or those whose absence is the reason that it did not run."""
    _, prefix, lacking = row.get("why", "").partition("not claimed: ")
    return {word.strip() for word in lacking.split(",")} if prefix else set(row["claims"]) or {_area(row)}


def _area(row):
    return row["file"].removeprefix("test_").removesuffix(".py")


def cells(row):
    """(function, dtype, share) of a test; before it has run those of its parameters."""
    if row.get("calls"):
        return [tuple(call) for call in row["calls"]]
    return [(row["function"], row.get("dtype"), None)] if row.get("function") else []


def grid(tests):
    """Cells of function x dtype: counts, the largest share of a bound, and the test that it belongs to."""
    sums, worst = {}, {}
    for row in tests:
        for function, dtype, share in cells(row):
            key = function, dtype or NO_DTYPE
            sums.setdefault(key, Counter())[row["outcome"]] += 1
            if share is not None and row["outcome"] == "passed" and share > worst.get(key, (-1.0, ""))[0]:
                worst[key] = share, f"{row['file']}::{row['test']}[{row['case']}]"
    return [
        {
            "function": function,
            "dtype": dtype,
            **counts(counter),
            "worst_share": worst.get((function, dtype), (None, None))[0],
            "worst_test": worst.get((function, dtype), (None, None))[1],
        }
        for (function, dtype), counter in sorted(sums.items())
    ]


def not_run(tests):
    """Reasons and how many tests each one excluded, the most frequent first."""
    reasons = Counter(row["why"] for row in tests if row["outcome"] == "skipped")
    return [{"reason": reason, "tests": count} for reason, count in reasons.most_common()]


def lines(tests):
    """The totals as text."""
    sums = everything(tests)
    for title, part in (("area", "by_area"), ("claim", "by_claim"), ("dtype", "by_dtype")):
        width = max([len(title), *map(len, sums[part])])
        yield f"{title:<{width}}  " + "  ".join(f"{name:>14}" for name in COUNTS)
        for key, row in sums[part].items():
            yield f"{key:<{width}}  " + "  ".join(f"{row[outcome] or '':>14}" for outcome in OUTCOMES)
        yield ""
    yield "all: " + ", ".join(f"{sums['all'][o]} {name}" for o, name in zip(OUTCOMES, COUNTS, strict=True))
