"""These tests need the stand-in for CuPy in the process: `pytest tests/cuda -p tests.cuda.plugin`."""

import sys

collect_ignore_glob = [] if "tests.cuda.plugin" in sys.modules else ["test_*.py"]
