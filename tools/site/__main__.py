"""Writes the sources of the site below build/, and builds it: every warning is an error."""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

from sphinx.cmd.build import main as sphinx_build

from tools.site import pages

HERE = Path(__file__).parent


def main() -> int:
    """Build the site; returns Sphinx's exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.site", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/site"), help="folder of the pages (%(default)s)")
    parser.add_argument("--check-links", action="store_true", help="also ask the servers of links to other sites")
    arguments = parser.parse_args()
    source = arguments.out.parent / "site-source"
    shutil.rmtree(source, ignore_errors=True)
    start = time.perf_counter()
    count = pages.write_all(source)
    print(f"{count} pages written in {time.perf_counter() - start:.0f} s, scripts executed", flush=True)
    common = ["-W", "--keep-going", "-q", "-c", str(HERE), "-j", "auto"]
    status = sphinx_build([*common, "-b", "html", str(source), str(arguments.out)])
    if arguments.check_links:
        status |= sphinx_build([*common, "-b", "linkcheck", str(source), str(arguments.out.parent / "linkcheck")])
    print(f"{arguments.out}/index.html after {time.perf_counter() - start:.0f} s")
    return status


raise SystemExit(main())
