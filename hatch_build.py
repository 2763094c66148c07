"""Compile the package's loops while it is built, where there is a C compiler; without one it is pure Python.

CC is the compiler, ARRAYCONV_TARGET the platform for compilers that take `-target` (zig, clang), a row of TARGETS:

    CC="python -m ziglang cc" ARRAYCONV_TARGET=aarch64-linux-gnu.2.17 python -m build --wheel
"""

import ctypes
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
    from packaging.tags import mac_platforms, platform_tags
except ImportError:  # `python hatch_build.py` needs neither
    BuildHookInterface = object

ROOT = Path(__file__).parent
SOURCES = ROOT / "arrayconv" / "_accel" / "native" / "src"
LIBRARY = SOURCES.parent / "loops.so"  # under every system: it is loaded by its path
# No other flags are welcome: those for this machine alone, or for quicker and less exact sums, would break promises.
FLAGS = ("-std=gnu11", "-O3", "-g0", "-shared", "-fvisibility=hidden", "-fno-math-errno", "-Wno-psabi")
TARGETS = {  # what -target names -> the platform in the wheel's name
    "x86_64-linux-gnu.2.17": "manylinux_2_17_x86_64",
    "aarch64-linux-gnu.2.17": "manylinux_2_17_aarch64",
    "x86_64-linux-musl": "musllinux_1_2_x86_64",
    "aarch64-linux-musl": "musllinux_1_2_aarch64",
    "x86_64-macos.11.0": "macosx_11_0_x86_64",
    "aarch64-macos.11.0": "macosx_11_0_arm64",
    "x86_64-windows-gnu": "win_amd64",
    "aarch64-windows-gnu": "win_arm64",
}
# gcc on Windows does not align vectors of 32 bytes on the stack (its bug 54412).
COMPILERS = ("clang",) if sys.platform == "win32" else ("cc", "gcc", "clang")
OLDEST_GLIBC = 17  # of 2.17, the oldest that wheels are made for
SECONDS = 600
INSTEAD = "The standard-only methods are used instead."
SEE = "`python -m arrayconv backends` shows it."


def target():
    """Return the platform that the loops are compiled for, a key of TARGETS, or None for this one."""
    name = os.environ.get("ARRAYCONV_TARGET")
    if name and name not in TARGETS:
        raise ValueError(f"ARRAYCONV_TARGET must be one of {', '.join(TARGETS)}. Got {name!r}.")
    return name or None


def compiler():
    """Return the command of a C compiler: what CC says, or the first that is found; None without one."""
    if os.environ.get("CC"):
        return shlex.split(os.environ["CC"])
    command = next(filter(None, map(shutil.which, COMPILERS)), None)
    return [command] if command else None


def platform_flags(command):
    """Return the flags that depend on the platform, and on the compiler."""
    name = target()
    windows = "windows" in name if name else sys.platform == "win32"
    if name is None and any("zig" in Path(word).stem for word in command):
        raise ValueError("zig compiles for this processor alone unless ARRAYCONV_TARGET names a platform")
    return [*([] if windows else ["-fPIC"]), *(["-target", name] if name else [])]


def platform_tag(library):
    """Return the platform in a wheel's name, for a library that was compiled."""
    if target():
        return TARGETS[target()]
    oldest = os.environ.get("MACOSX_DEPLOYMENT_TARGET")
    if sys.platform == "darwin" and oldest:  # for which the compiler compiles
        return next(iter(mac_platforms((*map(int, oldest.split(".")), 0)[:2])))
    tags = list(platform_tags())
    tag = next((tag for tag in tags if tag.startswith(("manylinux_", "musllinux_"))), tags[0])  # linux_ has no index
    if manylinux := re.fullmatch(r"manylinux_2_\d+_(\w+)", tag):  # of this machine's glibc: the loops need less
        versions = map(int, re.findall(rb"\0GLIBC_2\.(\d+)", library.read_bytes()))
        return f"manylinux_2_{max([OLDEST_GLIBC, *versions])}_{manylinux[1]}"
    return tag


def sources():
    """Return a number that tells the sources from others, as _accel/native/loader.py computes it too."""
    digest = hashlib.sha256()
    for path in sorted(SOURCES.glob("*.[ch]")):
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:8], "little") >> 1  # a positive int64


def is_current():
    """Return whether the checkout's library is compiled from these sources for this platform."""
    try:
        number = ctypes.CDLL(str(LIBRARY)).arrayconv_sources
    except (OSError, AttributeError):
        return False
    number.restype = ctypes.c_int64
    return number() == sources()


def compile_loops(target=LIBRARY, flags=FLAGS):
    """Write the library in one step; return what went wrong, '' where nothing did. What was there stays until then."""
    command = compiler()
    if command is None:
        return "there is no C compiler"
    flags = (*flags, *platform_flags(command))
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
            if os.environ.get("CC") or not is_current():
                self._tell(compile_loops())
            return
        self._folder = tempfile.TemporaryDirectory(prefix="arrayconv-")
        library = Path(self._folder.name) / LIBRARY.name
        problem = compile_loops(library)
        if problem:
            if target():
                self._folder.cleanup()
                raise RuntimeError(f"the wheel for {target()} is not built: {problem}")
            self._tell(problem)
            return
        tag = platform_tag(library)
        self._tell("", f" for {tag}")
        build_data["force_include"][str(library)] = LIBRARY.relative_to(ROOT).as_posix()
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{tag}"

    def finalize(self, version, build_data, artifact_path):
        """Remove what was compiled for the wheel, once that is written."""
        if version != "editable":
            self._folder.cleanup()

    def _tell(self, problem, where=""):
        if problem:
            self.app.display_warning(f"The compiled loops are left out: {problem}. {INSTEAD}")
        else:
            self.app.display_info(f"The loops are compiled by {shlex.join(compiler())}{where}. {SEE}")


if __name__ == "__main__":  # what `make` does where the checkout's library is missing, or older than its sources
    if _problem := compile_loops():
        print(f"The compiled loops are not built: {_problem}. {INSTEAD}", file=sys.stderr)
