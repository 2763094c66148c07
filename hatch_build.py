"""Compile the package's loops while it is built, where there is a C compiler; without one it is pure Python."""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
SOURCES = ROOT / "arrayconv" / "_accel" / "native" / "src"
LIBRARY = SOURCES.parent / "loops.so"  # under every system: it is loaded by its path
# No other flags are welcome: those for this machine alone, or for quicker and less exact sums, would break promises.
FLAGS = ("-std=gnu11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-fno-math-errno", "-Wno-psabi")
SECONDS = 600
INSTEAD = "The standard-only methods are used instead."


def compiler():
    """Return the command of a C compiler: what CC says, or the first that is found; None without one."""
    if os.environ.get("CC"):
        return shlex.split(os.environ["CC"])
    command = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    return [command] if command else None


def sources():
    """Return a number that tells the sources from others, as _accel/native/loader.py computes it too."""
    digest = hashlib.sha256()
    for path in sorted(SOURCES.glob("*.[ch]")):
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:8], "little") >> 1  # a positive int64


def compile_loops(target=LIBRARY, flags=FLAGS):
    """Write the library in one step; return what went wrong, '' where nothing did. What was there stays until then."""
    command = compiler()
    if command is None:
        return "there is no C compiler"
    unfinished = Path(f"{target}.{os.getpid()}")  # no process ever finds half a library
    try:
        process = subprocess.run(
            [*command, *flags, f"-DSOURCES={sources()}", "-o", str(unfinished), str(SOURCES / "loops.c")],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if process.returncode:
            reason = f"exit status {process.returncode} {process.stderr.strip()[-2000:]}"
            return f"{shlex.join(command)} failed: {reason}".strip()
        unfinished.replace(target)
    except (OSError, subprocess.TimeoutExpired) as failure:
        return f"{shlex.join(command)} failed: {failure}"
    finally:
        unfinished.unlink(missing_ok=True)
    return ""


class LoopsHook(BuildHookInterface):
    """Adds the compiled loops to wheels, which are for one platform then, and to the checkout of an editable install.

    A wheel's are compiled in a folder of their own: those of the checkout belong to its editable install, whatever else
    is built from it, with any compiler or none.
    """

    def initialize(self, version, build_data):
        """Compile, and say so in the wheel's name; a failure is reported, and leaves a pure wheel."""
        if version == "editable":
            self._tell(compile_loops())
            return
        self._folder = tempfile.TemporaryDirectory(prefix="arrayconv-")
        library = Path(self._folder.name) / LIBRARY.name
        problem = compile_loops(library)
        self._tell(problem)
        if problem:
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["force_include"][str(library)] = LIBRARY.relative_to(ROOT).as_posix()
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"

    def finalize(self, version, build_data, artifact_path):
        """Remove what was compiled for the wheel, once that is written."""
        if version != "editable":
            self._folder.cleanup()

    def _tell(self, problem):
        if problem:
            self.app.display_warning(f"The compiled loops are left out: {problem}. {INSTEAD}")


if __name__ == "__main__":  # what `make` does where the checkout's library is missing, or older than its sources
    if _problem := compile_loops():
        print(f"The compiled loops are not built: {_problem}. {INSTEAD}", file=sys.stderr)
