"""These tests need a stand-in in the process: `pytest tests/cuda -p tests.cuda.plugin` for CuPy.

For torch `-p tests.cuda.torch_plugin`.
"""

import sys
from pathlib import Path

_TORCH = {"test_torch_rules.py"}
_ALL = {path.name for path in Path(__file__).parent.glob("test_*.py")}
_LOADED = (_ALL - _TORCH if "tests.cuda.plugin" in sys.modules else set()) | (
    _TORCH if "tests.cuda.torch_plugin" in sys.modules else set()
)
collect_ignore = sorted(_ALL - _LOADED)
