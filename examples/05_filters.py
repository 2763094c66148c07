"""Filters: several kernels at once.

A layer of a neural network has a bank of kernels. Each reads all channels and returns one, so the output has as many
channels as there are filters. In `einconv` a label of the kernel and the output alone counts filters.
"""

import numpy as np

import arrayconv

x = np.array(
    [
        [[1, -3], [-3, 0], [-1, 2], [-2, -2], [-2, -2]],
        [[-2, -2], [1, 0], [0, -3], [-1, -1], [0, 0]],
        [[-2, -1], [1, -3], [0, -2], [-3, 1], [-2, -3]],
        [[-2, 1], [2, 1], [-2, -2], [-3, 2], [2, -1]],
        [[2, 0], [-2, 2], [0, -2], [-3, 1], [1, -2]],
    ]
)  # (h, w, c)
bank = np.array(
    [
        [[[-1, -1], [-3, 1]], [[0, 2], [2, 1]], [[-1, 2], [-1, -2]]],
        [[[2, 1], [-1, 0]], [[-3, -1], [1, 0]], [[2, -1], [-2, -2]]],
        [[[-3, 2], [-3, -2]], [[-1, -2], [-2, -3]], [[-2, -2], [2, -2]]],
    ]
)  # (h, w, c, o)
y = arrayconv.einconv("h w c, h w c o -> h w o | h w", x, bank)
print("image", x.shape, "bank", bank.shape, "-> result", y.shape)
assert y.shape == (3, 3, 2)

for o in range(2):
    print(f"filter {o}")
    print(y[..., o])
    assert (arrayconv.einconv("h w c, h w c -> h w | h w", x, bank[..., o]) == y[..., o]).all()
assert y[..., 0].tolist() == [[18, 28, 5], [5, -3, 26], [-21, 15, 29]]
assert y[..., 1].tolist() == [[-4, 25, 15], [4, 12, 3], [12, -9, 5]]

# A batch of images is a label of x and the output; the order of the labels is free.
batch = np.stack([x, 2 * x])
many = arrayconv.einconv("b h w c, h w c o -> b o h w | h w", batch, bank)
print("a batch of two, channels first:", many.shape)
assert many.shape == (2, 2, 3, 3)
assert (many[1] == 2 * many[0]).all()
