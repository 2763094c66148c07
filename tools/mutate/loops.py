"""The mutants of the compiled loops: numbers, comparisons and operators of the C sources, as text.

Each is compiled in a folder of its own, quickly rather than well, and takes the place of the package's library.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from tools.mutate.operators import Mutant

FOLDER = "arrayconv/_accel/native/src"
FLAGS = ("-std=gnu11", "-O0", "-fPIC", "-shared", "-fvisibility=hidden", "-fno-math-errno", "-Wno-psabi")
SWAPS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "+": "-", "-": "+", "*": "+", "/": "*",
         "%": "/", "&&": "||", "||": "&&"}  # fmt: skip
# Binary operators have blanks around them.
PLACE = re.compile(r"(?<= )(?:<=|>=|==|!=|&&|\|\||[<>+\-*/%])(?= )|(?<![\w.#])\d+(?![\w.])")
SKIPPED = re.compile(r'/\*.*?\*/|"[^"\n]*"|^ *# *(?:include|if|elif|undef|error|pragma|define KIND)[^\n]*', re.S | re.M)
INVALID = "does not compile"


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


def faulty_loops(root: Path, mutant: Mutant, run: Callable[[], str]) -> str:
    """Return what `run` does while the package's loops are those of a mutant."""
    build, loader = import_module("hatch_build"), import_module("arrayconv._accel.native.loader")
    with tempfile.TemporaryDirectory(prefix="mutate-") as folder:
        sources, library = Path(folder) / "src", Path(folder) / "loops.so"
        shutil.copytree(root / FOLDER, sources)
        path = sources / Path(mutant.file).name
        text = path.read_text()
        token = PLACE.match(text, mutant.start)
        assert token is not None
        path.write_text(text[: token.start()] + _swapped(token[0]) + text[token.end() :])
        for source in sources.iterdir():  # one level of processors: they are the same code, and each takes as long
            source.write_text(source.read_text().replace("__x86_64__", "__none__"))
        build.SOURCES = loader._SOURCES = sources
        loader._PATH = library
        if build.compile_loops(library, FLAGS):
            return INVALID
        loader.loaded.cache_clear()
        return run()
