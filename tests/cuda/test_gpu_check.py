"""The check of a GPU refuses the stand-in for CuPy, and finds calls that wait."""

import cupy

import arrayconv
from tests.cuda.standin import Synchronized, allowed, device
from tools.gpu_check import checks
from tools.gpu_check.machine import why_unusable


def test_the_stand_in_is_no_gpu(monkeypatch):
    monkeypatch.setattr("conformance.backends.Backend.host", lambda self, array: array)
    with allowed():
        reason = why_unusable("cupy", rehearse=False)
    assert device.NAME in reason


def test_a_call_that_waits_is_a_failure():
    def wait():
        return {"ratio": float(arrayconv.convolve(cupy.ones(9), cupy.ones(3))[0])}

    rows = []
    checks.recorded(lambda **fields: rows.append(fields), wait)
    assert rows[0]["outcome"] == "failed"
    assert Synchronized.__name__ in rows[0]["message"]
