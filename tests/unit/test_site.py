"""The site: every kernel and filter has a picture, links point at pages, scripts become pages."""

import inspect
import re

import pytest

import arrayconv
from arrayconv import kernels, ndimage
from tools.site import links, names, scripts


def test_every_stencil_and_every_filter_has_a_picture():
    pictures = pytest.importorskip("tools.site.pictures", reason="pictures need matplotlib")
    stencils = {name for name in kernels.__all__ if "xp" in inspect.signature(getattr(kernels, name)).parameters}
    assert set(pictures.KERNELS) == stencils
    assert set(pictures.FILTERS) == set(ndimage.__all__)


def test_every_public_function_and_class_shows_an_example():
    listed = [name for name in names.public() if callable(name.content)]
    without = [name.path for name in listed if ">>> " not in (name.content.__doc__ or "")]
    assert listed
    assert without == []


def test_every_public_module_has_a_page():
    offered = {
        f"arrayconv.{name}" for name in dir(arrayconv) if name[0] != "_" and inspect.ismodule(getattr(arrayconv, name))
    }
    assert {name for name in names.MODULES if name.count(".") < 2} == {"arrayconv", *offered}
    assert {name for name in names.MODULES if name.count(".") == 2} == {"arrayconv.nn.grad", "arrayconv.nn.modules"}


@pytest.mark.parametrize(
    ("source", "page", "link", "expected"),
    [
        ("README.md", "index.md", "docs/contract.md", "contract.md"),
        ("README.md", "index.md", "examples/README.md", "tutorial/index.md"),
        ("docs/contract.md", "contract.md", "tuning.md#memory", "tuning.md#memory"),
        ("docs/algorithms/fft.md", "algorithms/fft.md", "../contract.md", "../contract.md"),
        ("docs/design/decisions.md", "design/decisions.md", "../../CONTRIBUTING.md", "../contributing.md"),
        ("examples/README.md", "tutorial/index.md", "06_edges.py", "06_edges.md"),
        ("README.md", "index.md", "https://data-apis.org", "https://data-apis.org"),
        ("README.md", "index.md", "#methods", "#methods"),
    ],
)
def test_links_lead_to_pages_of_the_site(source, page, link, expected):
    assert links.rewritten(f"see [this]({link}).", source, page) == f"see [this]({expected})."


def test_a_link_to_a_file_without_a_page_leads_to_the_repository():
    text = links.rewritten("[code](arrayconv/vjp.py)", "README.md", "index.md")
    assert re.fullmatch(r"\[code\]\(https://.*/blob/main/arrayconv/vjp\.py\)", text)


def test_a_script_becomes_a_page_with_its_code_and_what_it_prints(tmp_path):
    path = scripts.ROOT / "examples/01_definition.py"
    page = scripts.execute(path)
    assert page.page.startswith(f"# {page.title}\n")
    assert "import arrayconv" in page.page
    assert "It prints\n\n```text\n" in page.page


def test_a_script_that_fails_stops_the_build(tmp_path):
    script = tmp_path / "broken.py"
    script.write_text('"""Broken."""\nraise ValueError("no")\n')
    with pytest.raises(RuntimeError, match=r"broken\.py failed"):
        scripts.execute(script)
