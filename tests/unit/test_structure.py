"""tools/structure.py counts right in a package of a few lines, and runs on this one."""

import importlib.util
import sys
from pathlib import Path

import pytest

import arrayconv

ROOT = Path(arrayconv.__file__).parent.parent
pytestmark = pytest.mark.skipif(not (ROOT / "tools").exists(), reason="the tools are not here")

PACKAGE = {
    "_base.py": """
class Algorithm:
    name: str
    run: object
""",
    "_pad.py": """
import numpy as np
from arrayconv import _base

def around(x):
    y = np.zeros(9)
    y[2:7] = x
    return y

def joined(x, xp):
    return xp.concat([xp.zeros(2), x])

def viewed(x):
    whole: object = np.zeros(9)
    part = whole[1:]
    part[:7] = x
    return whole

def summed(parts, place, set_at):
    y = np.zeros(9)
    for part in parts:
        y = set_at(y, place, y[place] + part)
    return y

def cleared(out):
    out[...] = 0
    return out

def copied(x):
    y = np.zeros(9)
    return y + x[::-1]
""",
    "_turn.py": """
from . import _pad

def outer(kernel, xp):
    def inner(a, b, c, d, e, f, g, h):
        return kernel[..., ::-1]
    return xp.flip(kernel) if xp else inner

def mirrored(x, run, xp):
    return xp.flip(x) if run.step < 0 else x

def sizes(shape):
    return shape[::-1]
""",
    "_sum.py": """
import math

def layer(y, bias, xp):
    y += bias.reshape(-1)
    return y if xp.all(xp.isfinite(y)) else None

def number(value):
    return math.isfinite(value)

def kind(axis):
    return axis.boundary == "wrap"

def wraps_around(method):
    return "wrap" in method.extends
""",
}
C_CODE = """
static void NAME(zero_padded)(const TYPE *x, int64_t n) {
    for (int64_t i = 0; i < n; i++) { }
}
int flipped(int a)
{
}
"""


@pytest.fixture(scope="module")
def structure():
    spec = importlib.util.spec_from_file_location("structure", ROOT / "tools" / "structure.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["structure"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    root = tmp_path_factory.mktemp("checkout")
    native = root / "arrayconv" / "_accel" / "native"
    native.mkdir(parents=True)
    for name, text in PACKAGE.items():
        (root / "arrayconv" / name).write_text(text)
    (native / "rows.h").write_text(C_CODE)
    return root


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("zero padding", ["around", "joined", "viewed", "zero_padded"]),
        ("kernel reversal", ["outer", "outer.inner", "flipped"]),
        ("NaN containment", ["layer"]),
        ("bias", ["layer"]),
        ("boundary arithmetic", ["kind"]),
        ("loop over rows", ["C"]),
        ("loop over tiles", []),
        ("private functions over 7 parameters", ["outer.inner (8)"]),
    ],
)
def test_places_are_recognised(structure, checkout, subject, expected):
    assert [place.function for place in structure.report(checkout).places[subject]] == expected


def test_sizes_fields_and_imports_are_counted(structure, checkout):
    figures = structure.report(checkout).figures
    lines = sum(text.count("\n") for text in PACKAGE.values())
    assert figures["arrayconv: lines"] == f"{lines + C_CODE.count(chr(10))} ({lines} Python, {C_CODE.count(chr(10))} C)"
    assert figures["fields of Algorithm"] == "2"
    assert figures["arrayconv: parts, imports, layers"] == "4, 2, 3"


def test_two_checkouts_are_printed_side_by_side(structure, checkout, capsys):
    structure.main([str(checkout), str(ROOT), "--table"])
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split() == [str(checkout), str(ROOT)]
    assert len(rows) == len(structure.report(checkout).figures)


def test_another_folder_is_refused_by_name(structure, tmp_path, capsys):
    with pytest.raises(SystemExit):
        structure.main([str(tmp_path)])
    assert f"`path` must be a checkout with a folder arrayconv. Got {tmp_path}." in capsys.readouterr().err
