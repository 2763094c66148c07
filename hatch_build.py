"""Compile the package's loops while it is built, where there is a C compiler; without one it is pure Python."""

import os
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
SOURCES = ROOT / "arrayconv" / "_accel" / "native"
LIBRARY = SOURCES / "loops.so"  # under every system: it is loaded by its path
# No other flags are welcome: those for this machine alone, or for quicker and less exact sums, would break promises.
FLAGS = ("-std=gnu11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-Wno-psabi")
SECONDS = 600


def compiler():
    """Return the command of a C compiler: what CC says, or the first that is found; None without one."""
    if os.environ.get("CC"):
        return shlex.split(os.environ["CC"])
    found = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    return [found] if found else None


def compile_loops(target=LIBRARY, flags=FLAGS):
    """Write the library; return what went wrong, '' where nothing did."""
    command = compiler()
    if command is None:
        return "there is no C compiler"
    unfinished = Path(f"{target}.{os.getpid()}")  # no process ever finds half a library
    try:
        done = subprocess.run(
            [*command, *flags, "-o", str(unfinished), str(SOURCES / "loops.c")],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode:
            return f"{shlex.join(command)} failed: exit status {done.returncode} {done.stderr.strip()[-2000:]}".strip()
        unfinished.replace(target)
    except (OSError, subprocess.TimeoutExpired) as failure:
        return f"{shlex.join(command)} failed: {failure}"
    finally:
        unfinished.unlink(missing_ok=True)
    return ""


class LoopsHook(BuildHookInterface):
    """Adds the compiled loops to wheels, which are for one platform then, and to editable installs."""

    def initialize(self, version, build_data):
        """Compile, and say so in the wheel's name; a failure is told, and leaves a pure wheel."""
        problem = compile_loops()
        if problem:
            LIBRARY.unlink(missing_ok=True)  # of earlier sources, perhaps
            self.app.display_warning(f"The compiled loops are left out: {problem}. NumPy's or Numba's serve instead.")
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["artifacts"].append(LIBRARY.relative_to(ROOT).as_posix())
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
