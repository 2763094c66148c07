"""Strides: skip outputs. Dilation: spread the taps.

A stride of 2 keeps every second output, and only those are computed. Dilation leaves gaps between the taps, so that a
small kernel has a long reach.
"""

import numpy as np

import arrayconv

x = np.array(
    [
        [2, 3, 7, 4, 6, 2, 9],
        [6, 6, 9, 8, 7, 4, 3],
        [3, 4, 8, 3, 8, 9, 7],
        [7, 8, 3, 6, 6, 3, 4],
        [4, 2, 1, 8, 3, 4, 6],
        [3, 2, 4, 1, 9, 8, 3],
        [0, 1, 3, 9, 2, 1, 4],
    ]
)
kernel = np.array([[3, 4, 4], [1, 0, 2], [-1, 0, 3]])

every = arrayconv.correlate(x, kernel, "valid")
second = arrayconv.correlate(x, kernel, "valid", stride=2)
print("stride 2 keeps", second.shape, "of", every.shape)
print(second)
assert second.tolist() == [[91, 100, 88], [69, 91, 117], [44, 72, 74]]
assert second.tolist() == every[::2, ::2].tolist()

# A kernel of 3 fits 7 samples at 5 positions; every second of them is 3, every third 2.
for stride in (1, 2, 3):
    size = arrayconv.correlate(x, kernel, "valid", stride=stride).shape[0]
    print(f"stride {stride}: {size} outputs per axis")
    assert size == (7 - 3) // stride + 1

# One stride per axis.
assert arrayconv.correlate(x, kernel, "valid", stride=(1, 2)).tolist() == every[:, ::2].tolist()

# Three taps, two samples apart, span five samples: dilation * (taps - 1) + 1.
spread = arrayconv.correlate([1, 2, 3, 4, 5, 6, 7], [1, 0, -1], "valid", dilation=2)
print("dilation 2:", spread, "= x[n] - x[n + 4]")
assert spread.tolist() == [-4, -4, -4]
