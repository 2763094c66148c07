"""The figures of README.md and docs/, from the JSON files of the runs that measured them.

A page has `<!-- figures: NAME -->` and, below, `<!-- end of figures -->`; `python -m benchmarks.figures` writes what is
between, and so does `benchmarks.page`. A row of `REGIONS` says of each name which page it is on and which function
returns its text. A test compares the pages with the files, and looks for figures that are nowhere between marks.
"""

import re
from pathlib import Path
from typing import NamedTuple

from benchmarks import files, readme, texts

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- figures: {} -->", "<!-- end of figures -->"
MARKED = re.compile(rf"^{BEGIN.format('([a-z-]+)')}\n(.*?)^{END}$", re.M | re.S)


class Region(NamedTuple):
    """A part of a page that is written from results."""

    page: str  # path in the repository
    file: str  # name of the result, '' for several
    text: object  # function of the result, or of the folder of results, that returns the lines


REGIONS = {
    "installs": Region("README.md", "installs", texts.installs),
    "speed": Region("README.md", "", readme.block),
    "training": Region("README.md", "training", texts.training),
    "graphs": Region("docs/dask.md", "chunked", texts.graphs),
    "cluster": Region("docs/dask.md", "distributed", texts.cluster),
    "streams": Region("docs/streams.md", "streams", texts.streams),
    "matching": Region("docs/matching.md", "doors-numpy", texts.matching),
}


def text(name, folder=files.FOLDER):
    """Return what is between the marks of a name; FileNotFoundError if its result is missing."""
    region = REGIONS[name]
    if not region.file:
        return f"{region.text(folder)}\n"
    result = files.read(region.file, folder)
    if result is None:
        scripts = "make bench, make train or python -m benchmarks.installs"
        raise FileNotFoundError(f"{folder} has no {region.file}.json. Run what writes it: {scripts}.")
    return f"{region.text(result)}\n"


def regions(page):
    """Return {name: text between its marks} of a page's text."""
    return dict(MARKED.findall(page))


def written(page, name, content):
    """Return a page's text with the content between the marks of a name; ValueError if they are not there."""
    begin = BEGIN.format(name)
    if not re.search(f"^{begin}$.*?^{END}$", page, re.M | re.S):
        raise ValueError(f"The page has no lines {begin} and {END}, between which the figures of {name} belong.")
    return re.sub(f"^{begin}\n.*?^{END}$", lambda _: f"{begin}\n{content}{END}", page, count=1, flags=re.M | re.S)


def write(root, folder=files.FOLDER):
    """Write every region of the pages below `root`; return the pages."""
    pages = dict.fromkeys(region.page for region in REGIONS.values())
    for page in pages:
        path = Path(root, page)
        content = path.read_text()
        for name, region in REGIONS.items():
            if region.page == page:
                content = written(content, name, text(name, folder))
        path.write_text(content)
    return list(pages)


if __name__ == "__main__":
    for page in write(ROOT):
        print(f"wrote the figures of {page}")
