"""Check what a user's type checker sees: `make check` runs it with pyright and mypy, both strict.

tests/typing/user_code.py must have no error, and tests/typing/wrong_calls.py one on exactly the lines marked `# error`,
with the messages that docs/typing.md quotes.
Each checker reads both files in one process, both run side by side, and mypy keeps what it read of torch and NumPy in
.mypy_cache: a first run takes 20 seconds of processor time, later ones 4.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/typing.md"
FILES = [ROOT / "tests/typing/user_code.py", ROOT / "tests/typing/wrong_calls.py"]
Lines = dict[str, dict[int, str]]  # file name -> line -> message


def expected() -> dict[str, set[int]]:
    """Return the lines of each file that must have an error."""
    return {
        path.name: {n for n, line in enumerate(path.read_text().splitlines(), 1) if line.endswith("  # error")}
        for path in FILES
    }


def pyright() -> Lines:
    """Return pyright's errors."""
    command = ["pyright", "--outputjson", "--pythonpath", sys.executable, "--project", str(FILES[0].parent)]
    report = json.loads(run(command))
    if report["summary"]["filesAnalyzed"] != len(FILES):
        raise RuntimeError(f"pyright analysed {report['summary']['filesAnalyzed']} files of {len(FILES)}.")
    errors: Lines = {path.name: {} for path in FILES}
    for entry in report["generalDiagnostics"]:
        if entry["severity"] == "error":
            lines, number = errors[Path(entry["file"]).name], entry["range"]["start"]["line"] + 1
            lines[number] = f"{lines[number]}\n{entry['message']}" if number in lines else entry["message"]
    return errors


def mypy() -> Lines:
    """Return mypy's errors."""
    options = ["--strict", "--follow-imports=silent", "--no-error-summary", "--hide-error-context", "--no-pretty"]
    text = run(["mypy", *options, "--python-executable", sys.executable, *map(str, FILES)])
    errors: Lines = {path.name: {} for path in FILES}
    for line in text.splitlines():
        match = re.match(r"(?:.*/)?(\w+\.py):(\d+)(?::\d+)?: error: (.*)", line)
        if match and match[1] in errors:
            errors[match[1]][int(match[2])] = match[3]
        elif match or "error:" in line:
            raise RuntimeError(f"mypy: {line}")
    return errors


def run(command: list[str]) -> str:
    """Return what a checker of this environment prints; it exits with 1 where there are errors."""
    process = subprocess.run(
        [str(Path(sys.executable).parent / command[0]), *command[1:]], cwd=ROOT, capture_output=True
    )
    if process.returncode not in (0, 1):
        raise RuntimeError(f"{command[0]} failed: {process.stdout.decode()}{process.stderr.decode()}")
    return process.stdout.decode()


def misquoted(checker: str, errors: Lines) -> list[str]:
    """Return what the page quotes of a checker and it does not say, each with the line of code above."""
    code = {line: number for number, line in enumerate(FILES[1].read_text().splitlines(), 1)}
    wrong: list[str] = []
    current = ""
    for line in PAGE.read_text().splitlines():
        current = line if line.endswith("  # error") else current
        if line.startswith(f"{checker}: "):
            messages = errors[FILES[1].name].get(code.get(current, 0), "")
            wrong += [] if line.removeprefix(f"{checker}: ") in messages else [f"{current}: {line}"]
    return wrong


def main() -> int:
    """Compare both checkers' errors with the marked lines and the page; print and count the differences."""
    differences = 0
    with ThreadPoolExecutor() as pool:
        reports = {checker.__name__: pool.submit(checker) for checker in (pyright, mypy)}
    for checker, report in reports.items():
        for quote in misquoted(checker, report.result()):
            differences += 1
            print(f"{PAGE.name}: not said: {quote}")
        for name, errors in report.result().items():
            lines = expected()[name]
            for line in sorted(set(errors) ^ lines):
                differences += 1
                print(f"{name}:{line}: {checker}: {errors.get(line, 'no error, though the line is marked')}")
            print(f"{checker}: {name}: {len(errors)} lines with errors, {len(lines)} marked")
    return int(differences > 0)


if __name__ == "__main__":
    sys.exit(main())
