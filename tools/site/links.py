"""Links of pages that are kept outside docs/, or that leave it, lead to the site's pages.

In the repository a page links to files as they lie there, so that the links work in an editor too. On the site some of
these files have other places (`COPIES`), and the rest is only in the repository.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIES = {  # path in the repository -> page of the site
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "conformance/README.md": "conformance.md",
    "examples/README.md": "tutorial/index.md",
    "docs/README.md": "index.md",
}
LINK = re.compile(r"(\]\()([^)\s]+)(\))")


def repository() -> str:
    """Return the address of the repository, from the package's metadata."""
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"].get("urls", {})
    return urls.get("Source") or urls.get("Repository") or ""


def page_of(path: str) -> str | None:
    """Return the page of the site with the content of a file of the repository, None where there is none."""
    if path in COPIES:
        return COPIES[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if re.fullmatch(r"examples/\d\d_\w+\.py", path):
        return f"tutorial/{Path(path).stem}.md"
    if re.fullmatch(r"examples/gallery/\w+\.py", path):
        return f"gallery/{Path(path).stem}.md"
    return None


def rewritten(markdown: str, source: str, page: str) -> str:
    """Return the text of a page with each relative link of its `source` as seen from its `page`."""

    def link(match: re.Match[str]) -> str:
        before, target, after = match.groups()
        address, _, anchor = target.partition("#")
        if not address or re.match(r"[a-z]+:", address):
            return match.group()
        path = os.path.normpath(os.path.join(os.path.dirname(source), address))
        there = page_of(path)
        if there is None:
            return f"{before}{repository()}/blob/main/{path}{after}"
        there = os.path.relpath(there, os.path.dirname(page) or ".")
        return f"{before}{there}{'#' + anchor if anchor else ''}{after}"

    return LINK.sub(link, markdown)
