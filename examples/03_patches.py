"""Patches: a convolution as one matrix product (im2col).

Write every window of the signal as the row of a matrix. All dot products of the sliding kernel are then a single
product of that matrix with the kernel. This layout is called im2col; `method="im2col"` computes with it.
"""

import numpy as np

import arrayconv

# In one dimension. A bank of filters, each with a single 1, copies one sample each: these are the windows.
x = np.array([0, 1, 2, -1, 1, -3, 0])
kernel = np.array([1, 0, -1])
pick = np.eye(3, dtype=int)  # pick[:, tap] is 1 at that tap
patches = arrayconv.einconv("w, w tap -> w tap | w", x, pick)
print("patches of", x)
print(patches)
print("times", kernel, "=", patches @ kernel)
assert patches.tolist() == [[0, 1, 2], [1, 2, -1], [2, -1, 1], [-1, 1, -3], [1, -3, 0]]
assert (patches @ kernel).tolist() == arrayconv.correlate(x, kernel, "valid").tolist() == [-2, 2, 1, 2, 1]

# In two dimensions a window is a small square; its rows are written one after the other.
x = np.array(
    [
        [2, 1, -1, -1, 2],
        [-1, 1, 0, -2, 1],
        [-1, 0, -1, 0, -1],
        [-3, -2, -1, 1, -1],
        [-1, -3, -2, -3, -3],
    ]
)
kernel = np.array([[-2, 2, 0], [2, 2, 2], [-3, -1, -1]])
pick = np.eye(9, dtype=int).reshape(3, 3, 9)
patches = arrayconv.einconv("h w, h w tap -> (h w) tap | h w", x, pick)  # 3 x 3 positions, 9 taps
y = (patches @ kernel.ravel()).reshape(3, 3)
print("\nthe nine patches of a 5 x 5 image")
print(patches)
print("times the kernel, as an image")
print(y)
assert patches[0].tolist() == x[:3, :3].ravel().tolist() == [2, 1, -1, -1, 1, 0, -1, 0, -1]
assert patches[8].tolist() == x[2:, 2:].ravel().tolist() == [-1, 0, -1, -1, 1, -1, -2, -3, -3]
assert y.tolist() == [[2, -5, 2], [12, 2, -5], [-2, 8, 12]]

# The price: every sample is copied once for each window that contains it.
print(f"\n{x.size} samples became {patches.size}")
for method in ("direct", "im2col"):
    assert arrayconv.correlate(x, kernel, "valid", method=method).tolist() == y.tolist()
