"""Every finding is reproduced where its libraries are installed, in the versions that the table names."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from ..cases.findings import INSTRUCTIONS, VERSIONS
from ..findings import FINDINGS, outcomes

reproduced = cache(outcomes)


def _instructions():
    path = Path("/proc/cpuinfo")
    return path.read_text().split() if path.exists() else []


@pytest.mark.parametrize("finding", FINDINGS, ids=[finding.id for finding in FINDINGS])
def test_is_reproduced(finding):
    for name in finding.distributions.split():
        try:
            actual = version(name)
        except PackageNotFoundError:
            pytest.skip(f"{name} is not installed")
        if actual.split("+")[0] != VERSIONS[name]:
            pytest.skip(f"{name} is {actual}; the finding is of {VERSIONS[name]}")
    if (needed := INSTRUCTIONS.get(finding.id)) and needed not in _instructions():
        pytest.skip(f"the processor has no {needed}, or does not say so")
    outcome = reproduced(finding.distributions)[finding.id]
    assert outcome.differs, f"{finding.function} returns {outcome.value}, the exact result"
    assert outcome.value != outcome.exact
