"""The measurement of a card's ceilings, with events whose times the stand-in for CuPy counts. No card is measured."""

import json

import cupy
import numpy as np
import pytest

from arrayconv.__main__ import main
from arrayconv._accel.cuda import job, launch
from arrayconv._cli import ceilings
from arrayconv._costs import cost_table, gpu, user_file
from tests.cuda.standin import LEDGER, allowed, device

LAUNCH_US, BYTES_US = 5.0, 1000.0


class Event:
    """The microseconds of all launches so far."""

    def record(self):
        self.time = LAUNCH_US * LEDGER.num_launches + LEDGER.bytes.total() / BYTES_US

    def synchronize(self):
        """Return at once."""


@pytest.fixture
def counted(monkeypatch, tmp_path):
    """Few rounds on small arrays, timed by the ledger; the path of the user's table."""
    for name, value in {"_ROUNDS": 2, "_COPIED": 1 << 16, "_LAUNCHES": 5, "_BLOCKS": 2, "_KERNEL_ROUNDS": 3}.items():
        monkeypatch.setattr(ceilings, name, value)
    monkeypatch.setattr(cupy.cuda, "Event", Event)
    monkeypatch.setattr(cupy.cuda, "get_elapsed_time", lambda start, stop: 1e-3 * (stop.time - start.time))
    monkeypatch.setattr(ceilings, "_LIBRARIES", ("cupy",))
    monkeypatch.setenv("ARRAYCONV_CACHE_DIR", str(tmp_path))
    cost_table.active_table.cache_clear()
    yield tmp_path / "cost_table.json"
    cost_table.active_table.cache_clear()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_kernel_computes_multiply_adds(dtype):
    y, rounds = cupy.zeros(512, dtype=dtype), 2
    packed = np.zeros(1, job.JOB)
    packed["y"], packed["batch"], packed["fill_real"], packed["fill_imag"] = y.data.ptr, rounds, 0.5, 1.0
    launch.compiled(ceilings.kernel(dtype), 0)((2, 1, 1), (256, 1, 1), (packed,))
    sums = np.arange(512, dtype=dtype)[:, None] + np.arange(8, dtype=dtype)
    for _ in range(rounds * ceilings._OF_A_THREAD // 8):
        sums = sums * sums.dtype.type(0.5) + sums.dtype.type(1)
    with allowed():
        np.testing.assert_allclose(y.get(), sums.sum(1), rtol=1e-6)


def test_ceilings_are_work_over_the_time_of_events(counted):
    rows, reasons = ceilings.measure(print)
    (row,) = rows.values()
    assert (list(rows), reasons) == ([device.NAME], [])
    copied = 2 * (1 << 16) / (LAUNCH_US + 2 * (1 << 16) / BYTES_US)
    assert row.copy_bytes_us == pytest.approx(copied, abs=1)
    assert row.launch_ns == pytest.approx(1000 * (LAUNCH_US + 2 * 64 / BYTES_US), rel=0.1)
    assert row.mac_us == row.float64_mac_us or row.mac_us > row.float64_mac_us
    assert row.memory_mib == device.MEMORY >> 20


def test_tune_keeps_other_rows_and_costs_follow_the_measured_card(counted, capsys):
    others = {"METHOD_COSTS": {"numpy_convolve-short": {"call_ns": 5, "cache_line_mac": 6}}}
    counted.write_text(json.dumps({"version": 1, "date": "2026-01-02", "machine": {}, "tables": others}))
    assert main(["tune", "--gpu"]) == 0
    assert "Nothing was saved" in capsys.readouterr().out
    assert main(["tune", "--gpu", "--write"]) == 0
    saved = user_file.load(counted, cost_table.KINDS)
    assert saved.tables["METHOD_COSTS"]["numpy_convolve-short"].call_ns == 5
    (row,) = saved.tables["CEILINGS"].values()
    cost_table.active_table.cache_clear()
    assert gpu.ceilings(device.NAME) == row
    assert gpu.row(device.NAME) == row


def test_the_kernel_fits_a_card():
    from tests.cuda.nvrtc import compiled

    for dtype in ("float32", "float64"):
        facts = compiled(ceilings.kernel(dtype), 90)
        assert (facts.spilled, facts.shared) == (0, 0)
