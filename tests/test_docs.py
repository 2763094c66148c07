"""The documentation runs, its links lead somewhere, and it names every parameter and every method."""

import doctest
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import arrayconv
from arrayconv._accel.cuda import cuda_filters
from arrayconv._accel.native import native_filters
from arrayconv._plan.rank import TABLE
from arrayconv._stream.stream import Stream
from tests.test_public_api import PARTS

ROOT = Path(__file__).parent.parent
MODULES = [module.name for module in pkgutil.iter_modules(arrayconv.__path__) if not module.name.startswith("_")]
MODULES += [f"{package}.{part}" for package, parts in PARTS.items() for part in parts]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").glob("*.md"),
        *(ROOT / "conformance").rglob("*.md"),
    ]
)


def relative(path):
    return str(path.relative_to(ROOT))


def documented():
    """Return every public function with its module."""
    modules = {name: importlib.import_module(f"arrayconv.{name}") for name in MODULES}
    return [
        pytest.param(module, getattr(module, public), id=f"{name}.{public}")
        for name, module in modules.items()
        for public in module.__all__
        if inspect.isfunction(getattr(module, public))
    ]


def section(docstring, title):
    """Return the body of a numpydoc section, None where there is none."""
    match = re.search(rf"^{title}\n-{{{len(title)}}}\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", docstring, re.M | re.S)
    return match and match.group(1)


@pytest.mark.parametrize("name", ["", *MODULES])
def test_docstring_examples_run(name):
    module = importlib.import_module(f"arrayconv.{name}" if name else "arrayconv")
    flags = doctest.NORMALIZE_WHITESPACE | doctest.FAIL_FAST
    failed, _ = doctest.testmod(module, optionflags=flags)
    assert failed == 0


@pytest.mark.parametrize(
    "function",
    [
        arrayconv.convolve,
        arrayconv.correlate,
        arrayconv.explain,
        arrayconv.lags,
        arrayconv.einconv,
        arrayconv.config.using,
    ],
    ids=lambda f: f.__name__,
)
def test_front_doors_show_an_example(function):
    docstring = inspect.getdoc(function)
    assert ">>> " in section(docstring, "Examples")
    assert section(docstring, "Raises")


@pytest.mark.parametrize(("module", "function"), documented())
def test_every_parameter_is_documented(module, function):
    docstring = inspect.getdoc(function)
    parameters = inspect.signature(function).parameters
    listed = section(docstring, "Parameters") or ""
    names = {name for line in re.findall(r"^(\S[^:\n]*?)(?: :.*)?$", listed, re.M) for name in line.split(", ")}
    names = {name.lstrip("*") for name in names}
    assert names <= set(parameters), "documented, but not a parameter"
    assert names >= set(parameters), "an editor shows this docstring, not the module's"


@pytest.mark.parametrize(("module", "function"), documented())
def test_every_result_is_documented(module, function):
    returns = str(inspect.signature(function).return_annotation)
    docstring = inspect.getdoc(function)
    if returns != "None" and not returns.startswith("Generator"):
        assert section(docstring, "Returns") or docstring.startswith("Return ")


def described():
    """Return every public function, class and method with its path."""
    modules = {name: importlib.import_module(f"arrayconv.{name}") for name in MODULES}
    names = [
        (f"{name}.{public}", getattr(module, public)) for name, module in modules.items() for public in module.__all__
    ]
    names = [(path, value) for path, value in names if inspect.isclass(value) or inspect.isroutine(value)]
    methods = [
        (f"{path}.{name}", getattr(value, name))
        for path, value in [*names, ("Stream", Stream)]
        if inspect.isclass(value)
        for name in vars(value)
        if not name.startswith("_") or name == "__call__"
    ]
    return [pytest.param(value, id=path) for path, value in [*names, *methods]]


@pytest.mark.parametrize("value", described())
def test_a_docstring_does_not_send_its_reader_to_another(value):
    """An editor shows one docstring; another library's function may be named, one of ours not in place of its text."""
    sent = re.findall(r"(?:\b[Aa]s in|\bAs) `(?!numpy|scipy|torch|astropy).*", inspect.getdoc(value) or "")
    assert sent == []


@pytest.mark.parametrize("method", TABLE)
def test_every_method_has_a_page(method):
    page = ROOT / "docs/algorithms" / f"{method}.md"
    assert page.exists()
    assert f"`{method}`" in page.read_text().splitlines()[0]


def test_every_page_of_a_method_has_its_method():
    pages = {page.stem for page in (ROOT / "docs/algorithms").glob("*.md")} - {"README", "index"}
    assert pages == {*TABLE, native_filters.NAME, cuda_filters.NAME}  # of passes alone


@pytest.mark.parametrize("function", [arrayconv.convolve], ids=["convolve"])
def test_docstring_lists_every_method(function):
    described = re.search(r"^method : str\n(.*?)\n\S", inspect.getdoc(function), re.M | re.S).group(1)
    assert re.findall(r"'(\w+)'", described) == ["auto", *TABLE]


def anchors(page):
    """Return the anchors of a Markdown page's headings."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    headings = re.findall(r"^#+ +(.*?) *$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            assert target.startswith("https://"), target
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_files_that_a_page_names_exist(page):
    roots = (ROOT, ROOT / "arrayconv", page.parent)
    for name in re.findall(r"`([\w./-]+/[\w.-]+\.(?:py|md|toml|json))`", page.read_text()):
        assert any((root / name).exists() for root in roots), name


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_examples_of_a_page_run(page):
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```", page.read_text(), re.M | re.S)):
        if ">>> " not in block:
            compile(block, f"{relative(page)}, block {number}", "exec")
            continue
        test = doctest.DocTestParser().get_doctest(block, {}, relative(page), str(page), number)
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
        assert runner.run(test).failed == 0


def test_the_page_on_types_shows_lines_that_the_checkers_read():
    """`make check` runs them on these files, with the messages that the page quotes."""
    files = [ROOT / f"tests/typing/{name}.py" for name in ("user_code", "wrong_calls")]
    lines = {line.strip() for file in files for line in file.read_text().splitlines()}
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/typing.md").read_text(), re.M | re.S)
    shown = [line.strip() for block in blocks if ">>> " not in block for line in block.splitlines() if line]
    assert len(shown) > 20
    assert [line for line in shown if line not in lines] == []


README_BLOCKS = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)


@pytest.mark.parametrize("number", range(len(README_BLOCKS)))
def test_blocks_of_the_readme_run_as_they_stand(number):
    """Each in a process of its own, without a warning; those that do not import torch where only NumPy is there."""
    block = README_BLOCKS[number]
    others = ("torch", "jax", "cupy", "dask", "scipy", "ducc0", "array_api_strict")
    absent = "" if "import torch" in block else f"import sys\nsys.modules.update(dict.fromkeys({others}))\n"
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-W", "error", "-c", absent + block]
    process = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=120, check=False
    )
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.strip() or "print(" not in block
