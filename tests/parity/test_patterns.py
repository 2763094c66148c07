"""Every row of the tables in docs/patterns.md, there and here: the page is parsed, so that it can't drift.

A section names its operands and their shapes, imports its library in a block of code, and has one table.
"""

import importlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "patterns.md").read_text()
LIBRARIES = {"torch": "torch", "JAX": "jax", "Keras": "keras", "OpenCV": "cv2", "Other shapes of call": "numpy"}
ROWS = {"torch": 24, "JAX": 20, "Keras": 10, "OpenCV": 15, "Other shapes of call": 10}  # none is lost in parsing


@dataclass(frozen=True)
class Section:
    """One library's part of the page."""

    title: str
    text: str

    @property
    def rows(self):
        """Pairs of expressions: there, and here."""
        cells = [re.split(r"(?<!\\)\|", line)[1:3] for line in self.text.splitlines() if line.startswith("| `")]
        return [tuple(cell.strip().strip("`").replace("\\|", "|") for cell in pair) for pair in cells]

    @property
    def operands(self):
        """Names, shapes and dtypes."""
        lines = "\n".join(re.findall(r"^Operands: (.*)$", self.text, re.M))
        for name, shape, dtype in re.findall(r"`(\w+)` \(([\d, ]+)\)(?: (\w+))?", lines):
            yield name, tuple(int(size) for size in shape.split(",") if size.strip()), dtype or "float64"

    def names(self):
        """Return the names that the rows use: what the code defines, and random operands of the section's library."""
        names = {}
        for block in re.findall(r"^```python\n(.*?)^```", self.text, re.M | re.S):
            exec(block, names)
        for name, shape, dtype in self.operands:
            rng = np.random.default_rng([*name.encode()])
            array = np.asarray(rng.standard_normal(shape))
            if dtype == "complex":
                array = array + 1j * rng.standard_normal(shape)
            array = array.astype({"complex": "complex128"}.get(dtype, dtype))
            names[name] = self.asarray(array)
        return names

    def evaluate(self, line, names):
        """Return what a line gives; on JAX compiled as a whole, which is quicker than one operation after the other."""
        if self.title not in ("JAX", "Keras"):
            return eval(line, dict(names))
        jax = importlib.import_module("jax")
        arrays = {name: names[name] for name, *_ in self.operands if re.search(rf"\b{name}\b", line)}
        return jax.jit(lambda arrays: eval(line, names | arrays))(arrays)

    def asarray(self, array):
        if self.title == "torch":
            return importlib.import_module("torch").asarray(array)
        if self.title in ("JAX", "Keras"):
            return importlib.import_module("jax.numpy").asarray(array)
        return array


SECTIONS = {
    title: Section(title, text)
    for title, text in re.findall(r"^## ([^\n]*)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    if title in LIBRARIES
}


@pytest.fixture(scope="module")
def namespaces(tmp_path_factory):
    """Return the names of a section, made when first asked for; Keras reads its backend as it is imported."""
    cached = {}

    def names(section):
        if section.title not in cached:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("KERAS_BACKEND", "jax")
                patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
                library = LIBRARIES[section.title]
                pytest.importorskip(library, reason=f"{library} is not installed")
                cached[section.title] = section.names()
        return cached[section.title]

    return names


@pytest.mark.parametrize(
    ("title", "there", "here"),
    [pytest.param(s.title, *row, id=row[0]) for s in SECTIONS.values() for row in s.rows],
)
def test_pattern_says_the_same(title, there, here, namespaces):
    names = namespaces(SECTIONS[title])
    theirs, ours = eval(there, dict(names)), SECTIONS[title].evaluate(here, names)
    assert type(ours) is type(theirs)
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    tolerance = 1e-5 if "float32" in str(ours.dtype) else 1e-12
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=tolerance, atol=10 * tolerance)


@pytest.mark.parametrize(("taps", "stride"), [(5, 2), (4, 3), (3, 1), (2, 4)])
def test_transposed_padding_is_the_rule_of_the_page(taps, stride, namespaces):
    lax, ops, einconv = (
        namespaces(SECTIONS[t])[name] for t, name in (("JAX", "lax"), ("Keras", "ops"), ("JAX", "einconv"))
    )
    rng = np.random.default_rng(taps)
    x, kernel = rng.standard_normal((1, 4, 1)), rng.standard_normal((taps, 1, 1))
    total = taps + stride - 2
    before = min(taps - 1, -(-total // 2))
    for name, pads in (("same", (before, total - before)), ("valid", (taps - 1, max(taps, stride) - 1))):
        y = einconv("b n c, n o c -> b n o | n", x, kernel, upsample=stride, padding=pads, flip=True)
        keras = ops.conv_transpose(x, kernel, strides=stride, padding=name)
        np.testing.assert_allclose(y, keras, rtol=1e-12, atol=1e-12)
        jax = lax.conv_transpose(x, kernel, (stride,), name.upper(), transpose_kernel=True)
        np.testing.assert_allclose(y, jax, rtol=1e-12, atol=1e-12)


def test_every_section_is_read():
    assert {title: len(section.rows) for title, section in SECTIONS.items()} == ROWS


def test_every_call_is_a_pattern():
    assert all(here.startswith("einconv(") for section in SECTIONS.values() for _, here in section.rows)
