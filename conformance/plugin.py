"""The suite's options where its folder is not an argument: `pytest -p arrayconv.conformance.plugin --pyargs ...`.

pytest reads the options of a conftest.py at the start only if a path is named. The module is registered under its
path, the name under which pytest looks for a conftest.py that is loaded already.
"""

from . import conftest


def pytest_addoption(pluginmanager):
    pluginmanager.register(conftest, conftest.__file__)
