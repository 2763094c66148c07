"""tools/mutate changes one thing at a time, knows which test runs it, and counts right, in a module of a few lines."""

import importlib
import os
import signal
import sys
import time
from pathlib import Path

import pytest

import arrayconv

ROOT = Path(arrayconv.__file__).parent.parent
pytestmark = [
    pytest.mark.skipif(not (ROOT / "tools").exists(), reason="the tools are not here"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="mutants run in forked children"),
]

MODULE = '''"""A text with 1 + 1."""

LIMIT = 3


def clipped(value: int, most: int = 5) -> int:
    """Return a value below 6."""
    if value > most:
        return most
    return -(-value // 2)


class Box:
    def outer(self):
        def inner(n):
            return [k for k in range(n) if k != 1]

        return inner(3)
'''
SOURCE = """/* 1 + 2 */
#include "kinds.h"
static int first(int n) { return n < 4 ? n + 1 : 0; }
#if defined(OTHER)
static int other(void) { return 7; }
#endif
#define LEVEL any
#include "level.h"
#define LEVEL avx2
#include "level.h"
"""


@pytest.fixture(scope="module")
def mutate():
    sys.path.insert(0, str(ROOT))
    try:
        yield importlib.import_module("tools.mutate")
    finally:
        sys.path.remove(str(ROOT))


def part(mutate, name):
    return importlib.import_module(f"{mutate.__name__}.{name}")


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "mutated_module.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("mutated_module")
    del sys.modules["mutated_module"]


def test_every_place_that_computes_is_a_mutant(mutate, module, tmp_path):
    mutants = part(mutate, "operators").mutants(tmp_path, "mutated_module.py")
    assert {(mutant.line, mutant.function, mutant.start, mutant.change) for mutant in mutants} == {
        (3, "", 0, "3 -> 4 in `LIMIT = ...`"),
        (6, "", 0, "5 -> 6 in `def clipped(value: int, most: int = ...) -> int:`"),
        (8, "clipped", 8, "value > most -> value >= most"),
        (9, "clipped", 9, "return most -> return 0 in `...`"),
        (10, "clipped", 10, "return -(-value // 2) -> return 0"),
        (10, "clipped", 10, "-(-value // 2) -> value // 2"),
        (10, "clipped", 10, "-value // 2 -> -value * 2 in `return -(...)`"),
        (10, "clipped", 10, "-value // 2 -> -(--value // 2)"),
        (10, "clipped", 10, "-value -> value in `return -(... // 2)`"),
        (10, "clipped", 10, "2 -> 3 in `return -(-value // ...)`"),
        (16, "Box.outer.inner", 16, "return [k for k in range(n) if k != 1] -> return None"),
        (16, "Box.outer.inner", 16, "k != 1 -> k == 1 in `return [k for k in range(n) if ...]`"),
        (16, "Box.outer.inner", 16, "1 -> 2 in `return [k for k in range(n) if k != ...]`"),
        (18, "Box.outer", 18, "return inner(3) -> return None"),
        (18, "Box.outer", 18, "3 -> 4 in `return inner(...)`"),
    }


def test_a_mutant_replaces_the_code_of_functions_that_exist(mutate, module, tmp_path):
    operators, children = part(mutate, "operators"), part(mutate, "children")
    clipped, path = module.clipped, module.__file__
    functions = children.functions_of({path})[path]
    number = next(m for m in operators.mutants(tmp_path, "mutated_module.py") if "2 -> 3" in m.change)
    assert children.replace_functions(functions, operators.compiled(tmp_path, number)) == 1
    assert (clipped(5), clipped(7)) == (2, 5)
    limit = operators.mutants(tmp_path, "mutated_module.py")[0]
    children.replace_module(path, operators.compiled(tmp_path, limit))
    assert module.LIMIT == 4


def test_marks_are_the_lines_of_statements_that_ran(mutate, module):
    children, path = part(mutate, "children"), module.__file__
    marks = children.Marks()
    children.mark_statements(children.functions_of({path})[path], path, marks)
    assert module.clipped(5) == 3
    assert marks == {8, 10}
    marks.clear()
    assert module.Box().outer() == [0, 2]
    assert marks == {15, 16, 18}
    assert module.clipped.__doc__ == "Return a value below 6."


@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")  # JAX's, where another test imported it
def test_a_child_ends_with_whatever_its_job_does(mutate):
    children = part(mutate, "children")

    def fails():
        raise ValueError("a number")

    jobs = {
        "passes": (lambda: "", ("passed", "")),
        "detects": (lambda: "tests/test_a.py::test_b", ("failed", "tests/test_a.py::test_b")),
        "raises": (fails, ("failed", "ValueError: a number")),
        "crashes": (lambda: os.kill(os.getpid(), signal.SIGKILL), ("crashed", f"signal {int(signal.SIGKILL)}")),
        "waits": (lambda: time.sleep(60), ("timeout", "")),
    }
    work = [children.Job(name, run, 0.3 if name == "waits" else 60) for name, (run, _) in jobs.items()]
    outcomes = dict(children.run_all(work, 1, time.monotonic() + 60))
    assert {name: outcome[:2] for name, outcome in outcomes.items()} == {name: e for name, (_, e) in jobs.items()}
    assert not list(children.run_all(work, 1, time.monotonic()))  # past the deadline


def test_tests_are_known_by_the_lines_they_run(mutate):
    rows = [(0.1, False, {"a.py": [3, 5]}), (0.2, True, {"a.py": [5]}), (0.3, False, {"a.py": [5], "b.py": [1]})]
    by_line = part(mutate, "coverage").Coverage(rows)
    assert (by_line.numbers("a.py", 5), by_line.numbers("a.py", 4), by_line.numbers("a.py", 0)) == (
        {0, 2},
        set(),
        {0, 2},
    )
    assert (by_line.failed, by_line.seconds) == ({1}, [0.1, 0.2, 0.3])


def test_a_run_replaces_the_rows_of_its_modules(mutate, tmp_path, monkeypatch):
    figures, children = part(mutate, "figures"), part(mutate, "children")
    mutant = part(mutate, "operators").Mutant
    ends = {
        "1": ("failed", "a test"), "2": ("crashed", "signal 11"), "3": ("passed", ""), "4": ("passed", ""),
        "5": ("failed", part(mutate, "loops").INVALID),
    }  # fmt: skip
    mutants = [mutant("arrayconv/a.py", 1, "f", 1, change, 0) for change in ends]
    outcomes = {m: children.Outcome(*end, 0.1) for m, end in zip(mutants, ends.values(), strict=True)}
    monkeypatch.setattr(figures, "equivalents", lambda: {("arrayconv/a.py", "f", "4")})
    of = figures.statuses(outcomes)
    assert list(of.values()) == ["caught", "caught", "survived", "equivalent", "invalid"]
    assert figures.rows(of) == {"arrayconv/a.py": figures.Row(4, 2, 1, 1)}
    assert figures.lines(of)[-1].split() == ["all", "4", "2", "1", "1", "66.7", "%"]
    (tmp_path / "docs/design").mkdir(parents=True)
    c = figures.Row(9, 9, 0, 0, "2001-02-03", "0123456")
    page = tmp_path / figures.PAGE
    page.write_text(figures.text({"arrayconv/a.py": c, "arrayconv/b.py": c, f"{part(mutate, 'loops').FOLDER}/a.h": c}))
    monkeypatch.setattr(figures, "_commit", lambda root: "89abcde")
    figures.write(tmp_path, of)
    rows = figures.read(page.read_text())
    assert rows["arrayconv/a.py"][:4] == (4, 2, 1, 1)
    assert rows["arrayconv/a.py"].commit == "89abcde"
    assert len(rows) == 3
    assert rows["arrayconv/b.py"] == c
    assert "| all Python modules | 13 | 11 | 1 | 1 | 91.7 % |" in page.read_text()
    assert "| all C modules | 9 | 9 | 0 | 0 | 100.0 % |" in page.read_text()


def test_every_equivalent_is_a_mutant_with_a_reason(mutate):
    figures, operators, loops = part(mutate, "figures"), part(mutate, "operators"), part(mutate, "loops")
    rows = [line.split(" | ") for line in figures.EQUIVALENTS.read_text().splitlines()[1:]]
    changes: set[tuple[str, str, str]] = set()
    for file in {row[0] for row in rows}:
        mutants = operators.mutants(ROOT, file) if file.endswith(".py") else loops.mutants(ROOT, file)
        changes |= {(file, mutant.function, mutant.change) for mutant in mutants}
    assert [row for row in rows if tuple(row[:3]) not in changes] == []
    assert all(reason for *_, reason in rows)


def test_every_module_and_file_of_tests_exists(mutate):
    table = part(mutate, "table")
    files = [*table.MODULES, *table.FILES, *(file for tests in table.MODULES.values() for file in tests)]
    files += [*table.NATIVE, *(file for tests in table.LOOPS.values() for file in tests)]
    files += [f"{part(mutate, 'loops').FOLDER}/{name}" for name in table.LOOPS]
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_mutants_of_a_c_source(mutate, tmp_path, monkeypatch):
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    loops = part(mutate, "loops")
    folder = tmp_path / loops.FOLDER
    folder.mkdir(parents=True)
    (folder / "loops.c").write_text(SOURCE + "int read(void) { return first(2); }\n")
    (folder / "kinds.h").write_text("#define LEVELS(X) X(any) X(avx2)\n")
    (folder / "level.h").write_text("static int count;\n#undef LEVEL\n")
    mutants = loops.mutants(tmp_path, f"{loops.FOLDER}/loops.c")
    line = "static int first(int n) { return n < 4 ? n + 1 : 0; }"
    assert [(mutant.line, mutant.change) for mutant in mutants] == [
        (3, f"< -> <= in `{line.replace('<', '...')}`"),
        (3, f"4 -> 5 in `{line.replace('4', '...')}`"),
        (3, f"+ -> - in `{line.replace('+', '...')}`"),
        (3, f"1 -> 2 in `{line.replace('1', '...')}`"),
        (3, f"0 -> 1 in `{line.replace('0', '...')}`"),
        (5, "7 -> 8 in `static int other(void) { return ...; }`"),
        (11, "2 -> 3 in `int read(void) { return first(...); }`"),
    ]
    assert loops.of_level(SOURCE, "avx2").count("#include") == 2
    loaded = []
    monkeypatch.setattr(loops.Libraries, "_load", lambda self, library: loaded.append(library.read_bytes()))
    if importlib.import_module("hatch_build").compiler() is None:
        pytest.skip("there is no C compiler")
    libraries = loops.Libraries(tmp_path, "avx2", tmp_path)
    assert [libraries.use(mutant) for mutant in mutants] == [True, True, True, True, True, False, True]
    assert len(set(loaded)) == 6  # the one without a mutant; below 5 is at most 4
