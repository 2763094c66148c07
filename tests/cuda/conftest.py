"""These tests need the stand-in for CuPy in the process: `pytest tests/cuda -p tests.cuda.plugin`."""

import sys

import pytest

from arrayconv._accel.cuda import launch, sources

collect_ignore_glob = [] if "tests.cuda.plugin" in sys.modules else ["test_*.py"]


@pytest.fixture
def sources_with(monkeypatch):
    """Return a function that replaces text of a source, for this test alone."""
    read = sources._read

    def plant(file, text, replacement):
        assert text in read(file), "the fault's place is gone"
        monkeypatch.setattr(
            sources, "_read", lambda name: read(name).replace(text, replacement) if name == file else read(name)
        )
        launch._compiled.cache_clear()

    yield plant
    launch._compiled.cache_clear()
