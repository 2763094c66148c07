"""The figures of README.md and docs/ are those of the results, constants of the code, or listed here with a reason."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from arrayconv import config
from arrayconv._accel.cuda import cuda_line, cuda_tiles
from arrayconv._accel.torch import torch_conv
from arrayconv._calls import timing
from arrayconv._chunked import strips
from arrayconv._matching.geometry import SCORES
from arrayconv._plan.rank import TABLE
from arrayconv._problem.boundary import BOUNDARIES
from arrayconv._runtime import caches

for package in ("rich", "scipy"):
    pytest.importorskip(package, reason=f"{package} is not installed, and the benchmarks print or compare with it")

from benchmarks import figures, provenance, texts  # noqa: E402, once they can be imported

ROOT = Path(__file__).parents[2]
FFT, OVERLAP_SAVE = (import_module(f"arrayconv._algorithms.{name}") for name in ("fft", "overlap_save"))
README = (ROOT / "README.md").read_text()
PAGES = {
    str(path.relative_to(ROOT)): path.read_text()
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
}

NUMBER = r"(?:\d[\d.,]*\d|\d)"
UNIT = r"[mnu]?s|µs|min|minutes?|(?:milli|micro|nano)?seconds?|hours?|[kMGT]i?B(?:/s)?|(?:kilo|mega|giga)?bytes?"
FIGURE = re.compile(
    rf"(?<![\w.^*]){NUMBER}(?: to {NUMBER})?[ -]?(?:{UNIT}|tasks?|times|%)(?![\w^])"
    r"|\b(?:about an?|half an?|one|two|three|four|five|ten|twenty)[ -](?:(?:milli|micro)?second|minute|hour)s?\b"
    r"|\b(?:twice|half|\w+ times) as (?:long|fast|slow|quick|much|many)\b|\b(?:slower|faster|quicker) by \w+"
)
CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.M | re.S)

WRITTEN = {  # pages without a rule for their figures
    "docs/benchmarks.md": "benchmarks/page.py writes all of it, which a test compares",
    "docs/findings.md": "a run of conformance.findings writes all of it",
    "docs/design/mutation.md": "runs of tools.mutate write its rows, each with a date",
    "docs/design/decisions.md": "history: each paragraph has a date, and the figures of that day",
}
SECTIONS = {  # (page, heading) -> why figures below it are none of this repository's
    ("docs/dask.md", "### 100 TB on 1,000 workers, on paper"): "arithmetic from the assumptions that it states",
}
CONSTANTS = {  # page -> figure -> the constant of the code, in bytes, nanoseconds or percent
    "docs/algorithms/banded.md": {"10 MiB": TABLE["banded"].cuts.tile_bytes},
    "docs/algorithms/cuda_line.md": {"60 %": cuda_line._EFFICIENCY},
    "docs/algorithms/cuda_tiles.md": {"65 %": cuda_tiles._EFFICIENCY},
    "docs/algorithms/direct.md": {"2 MiB": TABLE["direct"].cuts.tile_bytes},
    "docs/algorithms/fft.md": {"8 MiB": FFT._MAX_SLAB_SIZE},
    "docs/algorithms/im2col.md": {"8 MiB": TABLE["im2col"].cuts.tile_bytes},
    "docs/algorithms/overlap_save.md": {
        "10 MiB": TABLE["overlap_save"].cuts.tile_bytes,
        "1.5 to 64 times": OVERLAP_SAVE._MULTIPLES[:: len(OVERLAP_SAVE._MULTIPLES) - 1],
    },
    "docs/algorithms/torch_conv.md": {"32 MiB": torch_conv._MAX_COLUMNS, "16 MiB": torch_conv._COLUMNS},
    "docs/contract.md": {"1 GiB": config.DEFAULT_WORKSPACE},
    "docs/convolver.md": {"256 MiB": caches.LIMIT},
    "docs/dask.md": {"2 MiB": strips.LEAST_CHUNK, "1 MiB": strips.MOST_TOGETHER},
    "docs/gpu.md": {"1 GiB": config.DEFAULT_WORKSPACE},
    "docs/tuning.md": {"1 GiB": config.DEFAULT_WORKSPACE, "3 seconds": timing.TOO_LONG_NS},
}
SIZE = "the size of an element or of a vector"
WORDS = "no measurement: products of numbers, or how many of them"
OTHERS = {  # page -> figure -> why it is in the text
    "docs/algorithms/cuda_line.md": {"8 bytes": SIZE, "16 bytes": SIZE},
    "docs/algorithms/cuda_rows.md": {"8 bytes": SIZE},
    "docs/algorithms/cuda_tiles.md": {"8 bytes": SIZE, "16 bytes": SIZE},
    "docs/algorithms/im2col.md": {"1 times": WORDS},
    "docs/algorithms/native_dots.md": {"32 bytes": SIZE},
    "docs/algorithms/native_winograd.md": {"64 bytes": SIZE},
    "docs/algorithms/native_filters.md": {"half as many": WORDS, "twice as many": WORDS},
    "docs/differences.md": {"0 times": WORDS},
    "docs/gpu.md": {"80 GB": "the name of a card"},
    "docs/install.md": {"32 bytes": SIZE},
    "docs/tuning.md": {"64 bytes": SIZE},
}
UNITS = {"MiB": 1 << 20, "GiB": 1 << 30, "seconds": 10**9, "%": 1, "times": 1}

COUNTS = {  # a sentence of README.md with a count -> the count
    r"compiles (\d+) lines of C": lambda: round(lines_of_c(), -2),
    r"One operation, (\d+) ways": lambda: len(TABLE),
    r"conformance suite on (\w+) libraries": lambda: len(assigned("Makefile", r"^BACKENDS \?= (.*)$").split()),
    r"on ours, on (\w+) array libraries": lambda: len(
        ast.literal_eval(assigned("tools/parity.py", r"^BACKENDS = (.*)$"))
    ),
    r"; (\w+) boundaries per axis": lambda: len(BOUNDARIES),
    r"with (\w+) scores": lambda: len(SCORES),
}
NUMERALS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def unmarked(page):
    """Return the text of a page without regions, code, and the sections of `SECTIONS`."""
    text = CODE.sub("", figures.MARKED.sub("", PAGES[page]))
    for (own, heading), _ in SECTIONS.items():
        if own == page:
            text = re.sub(rf"^{re.escape(heading)}\n.*?(?=^#|\Z)", "", text, flags=re.M | re.S)
    return text


def figures_of(text):
    """Return the figures of a text, on one line each."""
    return {" ".join(figure.split()) for figure in FIGURE.findall(text)}


def assigned(file, pattern):
    """Return what a line of a file assigns."""
    return re.search(pattern, (ROOT / file).read_text(), re.M)[1]


def lines_of_c():
    return sum(len(path.read_text().splitlines()) for path in ROOT.glob("arrayconv/_accel/native/src/*.[ch]"))


@pytest.mark.parametrize("name", figures.REGIONS)
def test_region_has_the_figures_of_its_result(name):
    region = figures.regions(PAGES[figures.REGIONS[name].page])
    assert region[name] == figures.text(name), "run python -m benchmarks.figures"


def test_every_pair_of_marks_has_a_row_in_the_table():
    marks = {page: set(figures.regions(text)) for page, text in PAGES.items()}
    expected = {page: {name for name, row in figures.REGIONS.items() if row.page == page} for page in PAGES}
    assert marks == expected
    for page, text in PAGES.items():
        begins, ends = (len(re.findall(f"^{mark}$", text, re.M)) for mark in (figures.BEGIN.format(".*"), figures.END))
        assert begins == ends == len(marks[page]), page


@pytest.mark.parametrize("page", [page for page in PAGES if page not in WRITTEN])
def test_every_other_figure_of_a_page_is_listed(page):
    listed = {**CONSTANTS.get(page, {}), **OTHERS.get(page, {})}
    assert figures_of(unmarked(page)) == set(listed), "measure it, delete it, or list it with a reason"


@pytest.mark.parametrize(
    ("figure", "constant"),
    [pytest.param(f, c, id=f"{page} {f}") for page, row in CONSTANTS.items() for f, c in row.items()],
)
def test_constant_is_that_of_the_code(figure, constant):
    numbers, unit = figure.rsplit(" ", 1)
    values = tuple(float(number) * UNITS[unit] for number in numbers.split(" to "))
    assert values == (constant if isinstance(constant, tuple) else (constant,))


def test_pages_and_sections_without_the_rule_exist():
    assert set(WRITTEN) <= set(PAGES)
    assert {*CONSTANTS, *OTHERS} <= set(PAGES) - set(WRITTEN)
    for page, heading in SECTIONS:
        assert heading in PAGES[page].splitlines()


@pytest.mark.parametrize(("sentence", "count"), COUNTS.items(), ids=COUNTS)
def test_count_of_the_readme_is_right(sentence, count):
    (word,) = re.findall(sentence, README)
    assert (NUMERALS.index(word) if word in NUMERALS else int(word)) == count()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("takes 18 ms, or 0.4 to 1.6 s", {"18 ms", "0.4 to 1.6 s"}),
        ("1,243 MB at 1.25 GB/s", {"1,243 MB", "1.25 GB/s"}),
        ("is 2.6 times\nas large and 98.9 % right", {"2.6 times", "98.9 %"}),
        ("the two-minute test takes twice as long, slower by half", {"two-minute", "twice as long", "slower by half"}),
        ("3 x 3 taps, 2^14 samples, float64, 24 methods, s of 5s", {"5s"}),
    ],
)
def test_what_counts_as_a_figure(text, expected):
    assert figures_of(text) == expected


def test_code_and_regions_are_no_text():
    page = "a 1 ms\n<!-- figures: streams -->\nb 2 ms\n<!-- end of figures -->\n```\nc 3 ms\n```\n`--limit 4 MB`\n"
    assert figures_of(CODE.sub("", figures.MARKED.sub("", page))) == {"1 ms"}


def test_region_is_written_between_its_marks_alone():
    marked = "<!-- figures: {} -->\n{}\n<!-- end of figures -->\n"
    page = "before\n" + marked.format("streams", "old") + marked.format("graphs", "same")
    written = figures.written(page, "streams", "new\n")
    assert written == page.replace("old", "new")
    assert figures.regions(written) == {"streams": "new\n", "graphs": "same\n"}
    with pytest.raises(ValueError, match="no lines <!-- figures: speed --> and <!-- end of figures -->"):
        figures.written(page, "speed", "new\n")


def test_missing_result_names_what_writes_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has no streams\.json\. Run what writes it: make bench"):
        figures.text("streams", tmp_path)


SCRIPTS = {  # name -> words of a short run, the packages that it imports, a part of the region's text
    "streams": (
        "--taps 300 --chunks 16 --pushes 20",
        (),
        r"300 taps, and 20 pushes.*\| 16 \| float32 \| 0\.3 ms \| [\d.]+ \|",
    ),
    "chunked": ("--counts 4 9 --rounds 1", ("dask",), r"\| 9 \| [\d,]+, \d+\.\d tasks \|.*of `match_template`"),
    "training": (
        "--steps 2 --libraries numpy",
        ("sklearn",),
        r"each of 2 steps is the same on NumPy arrays .* after \d+\.\d s of training",
    ),
}


@pytest.mark.parametrize(("script", "row"), SCRIPTS.items(), ids=SCRIPTS)
def test_script_writes_what_its_region_reads(script, row, tmp_path):
    words, packages, expected = row
    for package in packages:
        pytest.importorskip(package, reason=f"{package} is not installed, and the script imports it")
    file = tmp_path / f"{script}.json"
    import_module(f"benchmarks.{script}").main([*words.split(), "--json", str(file)])
    (name,) = [name for name, region in figures.REGIONS.items() if region.file == script]
    text = " ".join(figures.text(name, tmp_path).split())  # lines break where the commit's length lets them
    assert re.search(expected, text), text
    assert re.search(r"From `[^`]+` on \d{4}-\d\d-\d\d, commit \w+(-dirty)?: \d+ cores of an ", text)


def result(others):
    return {
        "date": "2026-01-02",
        "commit": "abc",
        "machine": {"cpu": "processor", "cores": 2, "load": 0.1, "loops": "avx2", "others": others},
        "versions": {"python": "3.11", "arrayconv": "0.1", "numpy": "2.4"},
    }


@pytest.mark.parametrize(
    ("others", "last"),
    [
        (None, ""),
        (0.05, ""),
        (0.35, " Other programs ran and used 35 % of the processors' time, so times are too long."),
    ],
)
def test_sentence_says_that_other_programs_ran(others, last):
    source = "From `it` on 2026-01-02, commit abc: 2 cores of an processor; Python 3.11, NumPy 2.4."
    assert provenance.sentence(result(others), "it") == source + last


def test_run_counts_what_other_programs_use(monkeypatch):
    counters = iter([(1.0, 10.0, 20.0), (3.0, 14.0, 24.0)])  # own, all programs, all processors
    monkeypatch.setattr(provenance, "counters", lambda: next(counters))
    recorded = provenance.Run(("numpy",)).result(rows=[])
    assert recorded["machine"]["others"] == 0.5
    assert set(recorded) == {"date", "commit", "machine", "versions", "seconds", "rows"}
    assert set(recorded["versions"]) == {"python", "numpy"}


def test_counters_are_of_the_processors():
    counters = provenance.counters()
    if counters is None:
        pytest.skip("the system has no /proc/stat")
    own, busy, everything = counters
    assert own > 0
    assert busy < everything


def test_numbers_of_a_text():
    assert texts.size(538_240_000) == "538 MB"
    assert texts.size(2.5e9) == "2.5 GB"
    assert texts.spread([0.5, 0.25], ".2f") == "0.25 to 0.50"
    assert texts.spread([0.501, 0.499], ".1f") == "0.5"
    assert texts.listed(["a", "b", "c"]) == "a, b and c"
    assert texts.listed(["a"]) == "a"
    assert texts.power(1.6e-13) == "1.6e-13"
    assert texts.power(1e-9) == "1e-9"
