"""Predicted launches and bytes of the standard-only methods beside those that the stand-in for CuPy counts."""

import cupy
import numpy as np
import pytest

import arrayconv
from arrayconv import config
from arrayconv._calls import explanation, prepare
from arrayconv._plan import device_work
from arrayconv._plan.rank import TABLE, Budget, rank
from arrayconv._problem import positional
from tests.cuda.standin import LEDGER, device

CALLS = {  # name: shapes, dtype, options
    "3 x 3": ((256, 256), (3, 3), "float32", {}),
    "15 x 15": ((256, 256), (15, 15), "float32", {}),
    "7 x 7, reflected": ((256, 256), (7, 7), "float32", {"boundary": "reflect"}),
    "31 x 31, wrapped": ((200, 200), (31, 31), "float32", {"boundary": "wrap"}),
    "9 x 9 int32": ((256, 256), (9, 9), "int32", {}),
    "7 x 7 float64": ((256, 256), (7, 7), "float64", {}),
    "5 x 5 complex64": ((256, 256), (5, 5), "complex64", {}),
    "stride 2": ((256, 256), (5, 5), "float32", {"stride": 2, "mode": "valid"}),
    "line": ((1 << 16,), (101,), "float32", {}),
    "volume": ((16, 48, 48), (5, 5, 5), "float32", {}),
    "images": ((16, 64, 64), (5, 5), "float32", {"axes": (1, 2)}),
    "few outputs": ((90, 90), (80, 80), "float32", {"mode": "valid"}),
}
COUNTED = [name for name, algorithm in TABLE.items() if algorithm.work is not None]
MOST_LAUNCHES = 3000  # of a call that is worth the time of a test


def work_of(method, x, kernel, options):
    """Return the predicted work of a call's only piece, None where the method refuses it or cuts it."""
    shapes, traits = explanation.call_inputs("test", x, kernel, None, None)
    numbers = [options.get(name, default) for name, default in (("boundary", "constant"), ("stride", 1))]
    geometry = positional.correlated("test", options["mode"], options.get("axes"), *numbers, 1, None)
    try:
        plan = prepare.plan("test", positional.problem("test", *shapes, geometry), traits, prepare.Options(method))
    except NotImplementedError:
        return None
    if plan.partition.num_pieces > 1:
        return None
    algorithm = TABLE[method]
    piece, extends = plan.partition.at(0).spec, algorithm.cuts.extending(True)
    return device_work.piece_work(algorithm, piece, plan.spec, plan.traits, extends)


@pytest.mark.parametrize("method", COUNTED)
@pytest.mark.parametrize("name", CALLS)
def test_predicted_work_is_that_of_the_call_within_a_factor_of_two(name, method):
    *shapes, dtype, options = CALLS[name]
    options = {"mode": "same", **options}
    random = np.random.default_rng(0)
    x, kernel = (cupy.asarray((10 * random.standard_normal(shape)).astype(dtype)) for shape in shapes)
    with config.using(accelerators=set()):
        work = work_of(method, x, kernel, options)
        if work is None or work.launches > MOST_LAUNCHES:
            return
        arrayconv.convolve(x, kernel, method=method, **options)
        LEDGER.reset()
        arrayconv.convolve(x, kernel, method=method, **options)
    assert 0.5 <= work.launches / LEDGER.num_launches <= 2
    assert 0.5 <= work.nbytes / LEDGER.bytes.total() <= 2


def test_every_standard_only_method_is_compared():
    assert set(COUNTED) >= {"direct", "im2col", "dot", "banded", "fft", "overlap_save"}


def test_the_card_is_asked_once(monkeypatch):
    x, kernel = cupy.ones((20, 21)), cupy.ones((3, 3))
    explained = arrayconv.explain(x, kernel)
    assert explained.costs.endswith(f"{device.NAME} as H100")
    monkeypatch.setattr(cupy.cuda.runtime, "getDeviceProperties", None)
    assert arrayconv.explain(x, kernel[:2]).costs == explained.costs


def test_workspace_is_an_eighth_of_the_cards_memory_unless_the_user_sets_it():
    def image_bytes(bytes_of_x):
        return cupy.broadcast_to(cupy.ones((), dtype="float32"), (bytes_of_x // 4 // 4096, 4096))

    x, kernel = image_bytes(device.MEMORY // 16), cupy.ones((3, 3), dtype="float32")
    im2col = arrayconv.explain(x, kernel, method="im2col")
    assert device.MEMORY // 32 < im2col.workspace <= device.MEMORY // 8
    with config.using(max_workspace=1 << 30):
        assert arrayconv.explain(x, kernel, method="im2col").workspace <= 1 << 30


def test_a_dot_product_is_one_product_on_a_gpu():
    shapes, traits = explanation.call_inputs("test", (1100, 1100), (1000, 1000), "float32", None)
    geometry = positional.correlated("test", "valid", None, "constant", 1, 1, None)
    spec = positional.problem("test", *shapes, geometry).spec
    on_gpu = traits._replace(backend="cupy", device="cuda")
    rows = {row.name: row for row in rank(spec, on_gpu, Budget(), True)}
    assert rows["dot"].cost_ns > 101 * 101 * 3 * 5000
    assert TABLE["dot"].work(spec, on_gpu).launches == 1 + 3 * 101 * 101
