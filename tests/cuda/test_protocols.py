"""NumPy's functions on arrays of the stand-in are CuPy's, as on CuPy: what CuPy lacks or mixes is a TypeError."""

import cupy
import numpy as np
import pytest

from tests.cuda.standin import LEDGER, allowed

VALUES = np.linspace(1, 2, 6).reshape(2, 3)


def on_device():
    with allowed():
        return cupy.asarray(VALUES)


@pytest.mark.parametrize(
    "call",
    [
        np.sqrt,
        lambda x: np.add(x, 2),
        lambda x: np.float64(3) * x,
        lambda x: np.concatenate([x, x]),
        lambda x: np.moveaxis(x, 0, 1),
        lambda x: np.fft.rfftn(x, (2, 3), (0, 1)),
    ],
)
def test_numpys_functions_are_cupys(call):
    x, transfers = on_device(), LEDGER.transfers.copy()
    y = call(x)
    assert type(y) is cupy.ndarray
    assert LEDGER.transfers == transfers
    with allowed():
        np.testing.assert_allclose(y.get(), call(VALUES), rtol=1e-15)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.add(x, VALUES),
        lambda x: x + VALUES,
        lambda x: VALUES + x,
        lambda x: np.add.reduce(x),  # CuPy has it, the stand-in does not
        lambda x: np.linalg.det(x),
        lambda x: np.add(x, object()),
    ],
)
def test_what_cupy_refuses_is_a_type_error(call):
    with pytest.raises(TypeError):
        call(on_device())
