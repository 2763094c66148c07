"""Runs a script of examples/ and makes a page of it: its docstring, its code, what it prints and what it draws."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_DRAW = """
import runpy, sys
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
plt.rcParams.update({"savefig.dpi": 100, "figure.constrained_layout.use": True})
sys.argv = sys.argv[2:]
folder = sys.argv.pop()
sys.path.insert(0, str(__import__("pathlib").Path(sys.argv[0]).parent))
runpy.run_path(sys.argv[0], run_name="__main__")
for number in plt.get_fignums():
    plt.figure(number).savefig(f"{folder}/{number}.png")
"""


class Executed(NamedTuple):
    """A script's page and its pictures, by file name."""

    title: str
    page: str
    pictures: dict[str, bytes]


def execute(script: Path, arguments: tuple[str, ...] = ()) -> Executed:
    """Run a script in a process of its own; raises RuntimeError with its error output if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _DRAW, "-", str(script), *arguments, folder]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)
        if process.returncode:
            raise RuntimeError(f"{script} failed, and the site shows what it prints:\n{process.stderr}")
        pictures = {f"{script.stem}_{path.name}": path.read_bytes() for path in sorted(Path(folder).glob("*.png"))}
    return Executed(*_page(script, process.stdout, pictures), pictures)


def _page(script: Path, printed: str, pictures: dict[str, bytes]) -> tuple[str, str]:
    source = script.read_text()
    docstring = ast.get_docstring(ast.parse(source)) or script.stem
    title, _, text = docstring.partition("\n")
    title = title.rstrip(".")
    code = re.sub(r'^""".*?"""\n+', "", source, count=1, flags=re.S)
    parts = [f"# {title}", text.strip(), *(f"![{title}]({name})" for name in pictures)]
    parts.append(f"```python\n{code.rstrip()}\n```")
    if printed.strip():
        parts += ["It prints", f"```text\n{printed.rstrip()}\n```"]
    parts.append(f"`{script.relative_to(ROOT)}`, executed when this page was built.")
    return title, "\n\n".join(filter(None, parts)) + "\n"
