"""The same on every array library.

The result has the library, the device and the dtype of the input. All installed libraries compute the same numbers.
"""

from importlib import import_module
from importlib.util import find_spec

import numpy as np

import arrayconv
from arrayconv import kernels

LIBRARIES = {
    "numpy": "numpy",
    "torch": "torch",
    "jax": "jax.numpy",
    "cupy": "cupy",
    "array_api_strict": "array_api_strict",
}

image = [[10, 10, 10, 0, 0, 0]] * 6

for name, module in LIBRARIES.items():
    if not find_spec(name):
        print(f"{name:<17} is not installed")
        continue
    xp = import_module(module)
    if name == "cupy" and not xp.is_available():
        print(f"{name:<17} has no GPU")
        continue
    x = xp.asarray(image, dtype=xp.float32)
    kernel = kernels.vertical_edge(xp=xp, dtype="float32")
    y = arrayconv.correlate(x, kernel, "valid")
    print(f"{name:<17} {type(y).__module__}.{type(y).__name__}, {y.dtype}: {[float(value) for value in y[0, :]]}")
    assert type(y) is type(x)
    assert y.dtype == x.dtype
    assert [float(value) for value in y[0, :]] == [0, 30, 30, 0]

# Nothing is converted implicitly: two libraries in one call are refused.
if find_spec("torch"):
    import torch

    try:
        arrayconv.correlate(np.ones(5), torch.ones(3))
        message = "no error"
    except TypeError as error:
        message = str(error)
    print("\nnumpy with torch:", message)
    assert "must come from one array library" in message

    # The library's own features still work: gradients flow through.
    weights = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    arrayconv.correlate(torch.arange(6.0), weights, "valid").sum().backward()
    print("gradient of the sum with respect to the kernel:", weights.grad.tolist())
    assert weights.grad.tolist() == [6, 10, 14]
