"""The mutants of the compiled loops: numbers, comparisons and operators of the C sources, as text.

Each is compiled in a folder of its own, for one level of processors and without optimization, and takes the place of
the package's library.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from importlib import import_module
from pathlib import Path

from tools.mutate.operators import Mutant

FOLDER = "arrayconv/_accel/native/src"
FLAGS = ("-std=gnu11", "-O0", "-fPIC", "-shared", "-fvisibility=hidden", "-fno-math-errno", "-Wno-psabi")
SECONDS = 300  # of a compilation
SWAPS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "+": "-", "-": "+", "*": "+", "/": "*",
         "%": "/", "&&": "||", "||": "&&"}  # fmt: skip
# Binary operators have blanks around them.
PLACE = re.compile(r"(?<= )(?:<=|>=|==|!=|&&|\|\||[<>+\-*/%])(?= )|(?<![\w.#])\d+(?![\w.])")
SKIPPED = re.compile(r'/\*.*?\*/|"[^"\n]*"|^ *# *(?:include|if|elif|undef|error|pragma|define KIND)[^\n]*', re.S | re.M)
INVALID = "does not compile, or to the same library"


def mutants(root: Path, file: str) -> list[Mutant]:
    """Return all mutants of a C source."""
    text = (root / file).read_text()
    masked = SKIPPED.sub(lambda match: re.sub(r"[^\n]", "~", match[0]), text)
    result = []
    for number, match in enumerate(PLACE.finditer(masked)):
        line = text.count("\n", 0, match.start()) + 1
        before, after = text[: match.start()].rpartition("\n")[2], text[match.end() :].partition("\n")[0]
        change = f"{match[0]} -> {_swapped(match[0])} in `{before.lstrip()}...{after}`"
        result.append(Mutant(file, line, "", match.start(), change, number))
    return result


def _swapped(token: str) -> str:
    return SWAPS.get(token) or str(int(token) + 1)


class Libraries:
    """The package's library, compiled for one level of processors without optimization, and those of mutants.

    All levels are the same code and take as long, so the others are left out.
    """

    def __init__(self, root: Path, level: str, folder: Path) -> None:
        """Let the package use that of its own sources, to which `use` compares a mutant's."""
        self._root, self._level, self._folder = root, level, folder
        (folder / "empty").mkdir()  # sources that `loader` compares nothing with
        library, problem = self._compiled(None)
        if problem:
            raise RuntimeError(problem)
        self._original = library.read_bytes()
        self._load(library)

    def use(self, mutant: Mutant) -> bool:
        """Let the package use a mutant's library; return False where there is none, or it is the same one."""
        library, problem = self._compiled(mutant)
        if problem or library.read_bytes() == self._original:
            return False
        self._load(library)
        return True

    def _compiled(self, mutant: Mutant | None) -> tuple[Path, str]:
        """Compile; return the library, and what went wrong."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        sources, library = folder / "src", folder / "loops.so"
        shutil.copytree(self._root / FOLDER, sources)
        if mutant is not None:
            path = sources / Path(mutant.file).name
            path.write_text(_mutated(path.read_text(), mutant.start))
        for name in ("kinds.h", "loops.c"):
            (sources / name).write_text(of_level((sources / name).read_text(), self._level))
        # Without a digest of the sources, so that equal code is an equal library.
        command = [*import_module("hatch_build").compiler(), *FLAGS, "-o", str(library), str(sources / "loops.c")]
        process = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        return library, process.stderr if process.returncode else ""

    def _load(self, library: Path) -> None:
        loader = import_module("arrayconv._accel.native.loader")
        loader._PATH, loader._SOURCES = library, self._folder / "empty"
        loader.loaded.cache_clear()
        import_module("arrayconv._runtime.caches").clear()


def run_guarded(mutant: Mutant) -> str:
    """Run the loops beside pages that must not be touched: a test does so in a process with the checkout's library."""
    if "/xla" not in mutant.file:
        for side in ("after", "before"):
            import_module("tests.guarded").main(side, "copied")
    return ""


def _mutated(text: str, start: int) -> str:
    token = PLACE.match(text, start)
    assert token is not None
    return text[: token.start()] + _swapped(token[0]) + text[token.end() :]


def of_level(text: str, level: str) -> str:
    """Return a source in which one level of processors is left."""
    text = re.sub(rf'#define LEVEL (?!{level}\b)\w+\n#include "level.h"\n', "", text)
    return re.sub(r"(#define LEVELS\(X\)) .+", rf"\1 X({level})", text)
