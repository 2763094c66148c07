"""Costs on GPUs that are not here: `explain(card=)`, and the ceilings of cards."""

import subprocess
import sys
from importlib import import_module

import pytest

import arrayconv
from arrayconv.__main__ import main
from arrayconv._cli import ceilings
from arrayconv._costs import cards, gpu
from arrayconv._costs.cards import CEILINGS, Ceilings, ceilings_of

IMAGE, TAPS = (4096, 4096), (5, 5)


def explained(**options):
    return arrayconv.explain(IMAGE, TAPS, "same", dtype="float32", **options)


@pytest.mark.parametrize("card", CEILINGS)
@pytest.mark.parametrize("like", [None, "cupy", "torch", "jax"])
def test_explain_predicts_with_the_ceilings_of_a_card(card, like):
    explanation = explained(card=card, like=like)
    least = 2 * 4 * 4096 * 4096 * 1000 // CEILINGS[card].copy_bytes_us  # x read and y written
    assert explanation.cost_ns > least
    assert explanation.costs == f"shipped table, {card}"
    assert (explanation.backend, explanation.device) == (like or "cupy", "gpu" if like == "jax" else "cuda")


def test_a_card_with_twice_the_bandwidth_halves_the_time():
    slow, fast = explained(card="RTX 4090", method="im2col"), explained(card="H200", method="im2col")
    assert 3 < slow.cost_ns / fast.cost_ns < 5


def test_explain_for_a_card_imports_no_library():
    code = (
        "import sys, arrayconv; arrayconv.explain((64, 64), (3, 3), card='H100'); "
        "assert not {'cupy', 'torch', 'jax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"card": "H1"}, ValueError, "`card` must be of A100, H100, H200, L40S, RTX 4090. Got 'H1'"),
        ({"card": 100}, ValueError, "`card` must be of"),
        ({"card": "H100", "like": "numpy"}, ValueError, "`like` must be of cupy, torch, jax with `card`"),
        ({"card": "H100", "measure": True}, ValueError, "`measure` runs on arrays"),
        ({"card": "H100", "call": arrayconv.convolve}, ValueError, "`card` is for calls without `call`"),
    ],
)
def test_wrong_cards_are_refused(options, error, text):
    with pytest.raises(error, match=text.replace("(", r"\(")):
        arrayconv.explain((64, 64), (3, 3), **options)


def test_arrays_beside_a_card_are_refused():
    with pytest.raises(TypeError, match="`card` is for shapes"):
        arrayconv.explain([1.0, 2.0], (3,), card="H100")


def test_workspace_is_limited_to_an_eighth_of_the_cards_memory():
    huge = arrayconv.explain((1 << 15, 1 << 15), (3, 3), "same", dtype="float32", method="im2col", card="RTX 4090")
    assert 1 << 30 < huge.workspace <= (24 << 30) // 8
    small = arrayconv.explain((1 << 15, 1 << 15), (3, 3), "same", method="im2col", card="H100", max_workspace=1 << 28)
    assert small.workspace <= 1 << 28


def test_a_measured_row_wins_over_the_data_sheet():
    measured = Ceilings(1, 2, 3, 4, 5)
    rows = {**CEILINGS, "NVIDIA H100 80GB HBM3": measured}
    assert ceilings_of("NVIDIA H100 80GB HBM3", rows) == ceilings_of("H100", rows) == measured
    assert ceilings_of("NVIDIA H100 80GB HBM3", CEILINGS) == CEILINGS["H100"]
    assert ceilings_of("NVIDIA H100 PCIe", rows) == CEILINGS[cards.DEFAULT_CARD]


def test_float64_is_as_slow_as_the_card_is():
    slower = {card: gpu.kernel_ns(0, 10**12, "float64", 50, card) / gpu.kernel_ns(0, 10**12, "float32", 50, card)
              for card in ("H100", "RTX 4090")}  # fmt: skip
    assert slower["H100"] < 2.1
    assert 60 < slower["RTX 4090"] < 66


def test_tune_refuses_where_there_is_no_gpu(monkeypatch, capsys):
    monkeypatch.setattr(ceilings, "_LIBRARIES", ("torch", "no_such_library"))
    monkeypatch.setattr(sys.modules.get("torch") or import_module("torch"), "cuda", NoCuda)
    assert main(["tune", "--gpu"]) == 2
    text = capsys.readouterr().err
    assert "there is no GPU here whose ceilings could be measured" in text
    assert "torch: it has no CUDA device; no_such_library is not installed" in text


class NoCuda:
    """`torch.cuda` on a machine without a GPU."""

    @staticmethod
    def is_available():
        return False
