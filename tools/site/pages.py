"""Writes the sources of the site: the pages of docs/, pages kept elsewhere, API pages, executed scripts.

Every public name has a page: what the docstring says, and a picture where there is one. The examples of docstrings are
executed, and so is every script of examples/; one that fails stops the build.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.site import links, names, pictures, scripts

ROOT = Path(__file__).parents[2]
ARGUMENTS = {  # of a script, on the site
    "13_digits": ("--libraries", "numpy"),
    "18_larger_than_memory": ("--side", "400"),
}
GUIDES = (
    "comparison",
    "extents",
    "contract",
    "differences",
    "migration",
    "nn",
    "convolver",
    "patterns",
    "typing",
    "tuning",
    "gpu",
    "recipes",
)
EVIDENCE = ("benchmarks", "findings", "conformance", "parity")
PROJECT = ("design/architecture", "design/decisions", "design/mutation", "contributing", "changelog")
SECTIONS = {  # page -> its title and its pages; every other page of docs/ is listed under Guides
    "evidence": ("Evidence", EVIDENCE),
    "methods": ("Methods", tuple(f"algorithms/{path.stem}" for path in sorted(ROOT.glob("docs/algorithms/*.md")))),
    "project": ("Project", PROJECT),
}
TOP = (
    "Tutorial <tutorial/index>",
    "guides",
    "gallery/index",
    "API <api/index>",
    "evidence",
    "methods",
    "project",
)


def toctree(pages: Iterable[str], *options: str) -> str:
    """Return the directive that lists pages, in MyST's Markdown."""
    return "\n".join(["```{toctree}", *options, *pages, "```", ""])


class Sources:
    """The folder that Sphinx reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pages = 0

    def write(self, path: str, content: str | bytes) -> None:
        """Write one file."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.pages += path.endswith((".md", ".rst"))

    def copy(self) -> None:
        """Copy docs/ and the pages that are kept elsewhere, with their links pointed at the site."""
        paths = [path for path in (ROOT / "docs").rglob("*") if path.is_file() and path != ROOT / "docs/README.md"]
        for path in [*paths, *(ROOT / source for source in links.COPIES if source != "docs/README.md")]:
            source = path.relative_to(ROOT).as_posix()
            page = links.page_of(source)
            assert page is not None, source
            is_text = path.suffix == ".md"
            self.write(page, links.rewritten(path.read_text(), source, page) if is_text else path.read_bytes())

    def append(self, path: str, content: str) -> None:
        """Append to a page."""
        with (self.folder / path).open("a") as file:
            file.write("\n" + content)

    def executed(self, folder: str, section: str) -> dict[str, scripts.Executed]:
        """Execute the scripts of a folder and write their pages; returns what each printed and drew, by name."""
        paths = sorted(ROOT.joinpath(folder).glob("*.py"))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(lambda path: scripts.execute(path, ARGUMENTS.get(path.stem, ())), paths))
        for path, script in zip(paths, results, strict=True):
            self.write(f"{section}/{path.stem}.md", script.page)
            for picture, content in script.pictures.items():
                self.write(f"{section}/{picture}", content)
        return {path.stem: script for path, script in zip(paths, results, strict=True)}

    def gallery(self) -> None:
        """Write the gallery: an index with a picture of each script, and their pages."""
        cards = ["# Gallery", "Each page is a script that was executed when the site was built.", "::::{grid} 1 2 2 3"]
        results = self.executed("examples/gallery", "gallery")
        for stem, script in results.items():
            first = next(iter(script.pictures))
            cards.append(f":::{{grid-item-card}} {script.title}\n:link: {stem}\n:link-type: doc\n![]({first})\n:::")
        self.write("gallery/index.md", "\n\n".join([*cards, "::::", toctree(results, ":hidden:")]))

    def extents(self) -> None:
        """Write the page that shows each boundary and each mode."""
        parts = ["# Boundaries and modes", "What the samples beyond the ends are, and which outputs there are."]
        parts[-1] += " The [contract](contract.md) defines both."
        for heading, table, draw in [
            ("Boundaries", pictures.BOUNDARIES, pictures.boundary),
            ("Modes", pictures.MODES, pictures.mode),
        ]:
            parts.append(f"## {heading}")
            for name in table:
                self.write(f"images/extents_{name}.png", draw(name))
                parts.append(f"### {name}\n\n![{name}](images/extents_{name}.png)")
        self.write("extents.md", "\n\n".join(parts) + "\n")

    def api(self) -> None:
        """Write a page for each public name and each module."""
        public = names.public()
        for module in names.MODULES:
            failed, _ = doctest.testmod(importlib.import_module(module), optionflags=doctest.NORMALIZE_WHITESPACE)
            if failed:
                raise RuntimeError(f"{failed} examples of {module} fail")
            here = [name for name in public if name.module == module]
            self.write(f"api/{module}.rst", module_page(module, here))
            for name in here:
                self.write(f"api/{name.path}.rst", self.api_page(name))
        text = "# API reference\n\nEvery public name; the examples are executed when the site is built.\n\n"
        text += "".join(f"* [{module}]({module}.rst): {summary}\n" for module, summary in names.MODULES.items())
        self.write("api/index.md", text + "\n" + toctree(names.MODULES, ":hidden:"))

    def api_page(self, name: names.Name) -> str:
        """Return the page of a public name: its docstring and its picture."""
        directive = (
            "autoclass" if inspect.isclass(name.content) else "autofunction" if callable(name.content) else "autodata"
        )
        lines = [name.path, "=" * len(name.path), "", f".. currentmodule:: {name.module}", ""]
        lines += [f".. {directive}:: {name.path}"]
        lines += ["   :members:"] if directive == "autoclass" else []
        picture = self.picture_of(name)
        if picture is not None:
            self.write(f"api/{name.path}.png", picture)
            lines += ["", "Picture", "-------", "", f".. image:: {name.path}.png", f"   :alt: What {name.name} does"]
        if "\n* `" in (importlib.import_module(name.module).__doc__ or ""):
            lines += ["", f"Parameters that several functions share: :doc:`{name.module}`."]
        return "\n".join(lines) + "\n"

    @staticmethod
    def picture_of(name: names.Name) -> bytes | None:
        """Return the picture of a public name, None where it has none; a new filter without one is a KeyError."""
        if name.module == "arrayconv.kernels" and name.name in pictures.KERNELS:
            return pictures.kernel(name.name)
        return pictures.image_filter(name.name) if name.module == "arrayconv.ndimage" else None


def module_page(module: str, public: list[names.Name]) -> str:
    """Return the page of a module: its docstring and its names."""
    lines = [module, "=" * len(module), "", names.escaped(inspect.getdoc(importlib.import_module(module)) or ""), ""]
    lines += [".. list-table::", "   :widths: 30 70", ""]
    for name in public:
        lines += [f"   * - :doc:`{name.name} <{name.path}>`", f"     - {name.summary}"]
    lines += ["", ".. toctree::", "   :hidden:", "", *(f"   {name.name} <{name.path}>" for name in public)]
    return "\n".join(lines) + "\n"


def write_all(folder: Path) -> int:
    """Write every source below `folder`; returns how many pages there are."""
    sources = Sources(folder)
    sources.copy()
    sources.extents()
    sources.api()
    sources.gallery()
    sources.append("tutorial/index.md", toctree(sources.executed("examples", "tutorial"), ":hidden:"))
    listed = {page for _, pages in SECTIONS.values() for page in pages}
    others = sorted(path.stem for path in (ROOT / "docs").glob("*.md") if path.stem not in {*listed, *GUIDES, "README"})
    for page, (title, pages) in {"guides": ("Guides", (*GUIDES, *others)), **SECTIONS}.items():
        sources.write(f"{page}.md", f"# {title}\n\n{toctree(pages, ':maxdepth: 1')}")
    sources.append("index.md", toctree(TOP, ":hidden:"))
    return sources.pages
