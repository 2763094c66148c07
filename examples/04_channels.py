"""Channels: several numbers at every position.

A colour image has three numbers per pixel, a stereo recording two per moment. The kernel then has taps for each
channel, and the products are summed over the channels as well. In `einconv` a label of both operands that is not in the
output is summed, as in einsum; the kernel slides along the labels after the bar.
"""

import numpy as np

import arrayconv

# One dimension, two channels.
x = np.array([[0, 1], [1, 3], [2, -2], [-1, 2], [1, 0], [-3, 1], [0, -1]])  # (w, c)
kernel = np.array([[1, -1], [0, 0], [-1, 1]])  # (w, c)
y = arrayconv.einconv("w c, w c -> w | w", x, kernel)
print("two channels, one result:", y)
assert y.tolist() == [-5, 1, 3, 1, 0]

# It is the sum of the channels' own correlations.
single = [arrayconv.correlate(x[:, c], kernel[:, c], "valid") for c in range(2)]
print("channel by channel:      ", single[0], "+", single[1])
assert (single[0] + single[1]).tolist() == y.tolist()

# A channel that stays in the output is a group: each has its own result.
groups = arrayconv.einconv("w c, w c -> c w | w", x, kernel)
assert groups.tolist() == [channel.tolist() for channel in single]

# Two dimensions, two channels: the same pattern with one more label.
x = np.array(
    [
        [[1, -3], [-3, 0], [-1, 2], [-2, -2], [-2, -2]],
        [[-2, -2], [1, 0], [0, -3], [-1, -1], [0, 0]],
        [[-2, -1], [1, -3], [0, -2], [-3, 1], [-2, -3]],
        [[-2, 1], [2, 1], [-2, -2], [-3, 2], [2, -1]],
        [[2, 0], [-2, 2], [0, -2], [-3, 1], [1, -2]],
    ]
)  # (h, w, c)
kernel = np.array([[[-3, 1], [-1, -3], [-1, 0]], [[1, 2], [1, 1], [0, -1]], [[-2, 2], [0, 0], [1, 0]]])  # (h, w, c)
y = arrayconv.einconv("h w c, h w c -> h w | h w", x, kernel)
print("a 5 x 5 image with two channels gives")
print(y)
assert y.tolist() == [[-2, -6, 1], [3, -6, 0], [14, 6, -9]]
