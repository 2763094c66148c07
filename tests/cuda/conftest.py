"""These tests need a stand-in in the process: `pytest tests/cuda -p tests.cuda.plugin` for CuPy.

For torch `-p tests.cuda.torch_plugin`.
"""

import sys
from pathlib import Path

import pytest

from arrayconv import config
from arrayconv._accel.cuda import launch, sources

_TORCH = {"test_torch_rules.py"}
_ALL = {path.name for path in Path(__file__).parent.glob("test_*.py")}
_LOADED = (_ALL - _TORCH if "tests.cuda.plugin" in sys.modules else set()) | (
    _TORCH if "tests.cuda.torch_plugin" in sys.modules else set()
)
collect_ignore = sorted(_ALL - _LOADED)


def _clear_compiled():
    launch.compiled.cache_clear()
    config.cache_clear()  # bound calls keep their kernels


@pytest.fixture
def sources_with(monkeypatch):
    """Return a function that replaces text of a source, for this test alone."""
    read = sources._read

    def plant(file, text, replacement):
        assert text in read(file), "the fault's place is gone"
        monkeypatch.setattr(
            sources, "_read", lambda name: read(name).replace(text, replacement) if name == file else read(name)
        )
        _clear_compiled()

    yield plant
    _clear_compiled()
