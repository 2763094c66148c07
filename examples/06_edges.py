"""Finding edges.

A kernel whose taps add up to 0 returns 0 where an image is flat. With +1 on one side and -1 on the other its result is
nonzero where the two sides differ: at an edge.
"""

import numpy as np

import arrayconv
from arrayconv import kernels

vertical = kernels.vertical_edge(dtype="int64")
horizontal = kernels.horizontal_edge(dtype="int64")
print("vertical edges")
print(vertical)
print("horizontal edges")
print(horizontal)
assert vertical.sum() == horizontal.sum() == 0

# Bright on the left, dark on the right. The result is 0 except at the step.
step = np.array([[10, 10, 10, 0, 0, 0]] * 6)
y = arrayconv.correlate(step, vertical, "valid")
print("\na step from 10 to 0, correlated with the vertical kernel")
print(y)
assert y.tolist() == [[0, 30, 30, 0]] * 4
assert not arrayconv.correlate(step, horizontal, "valid").any()

# Two bright and two dark squares have edges both ways, of both signs.
checker = np.kron([[10, 0], [0, 10]], np.ones((3, 3), dtype=int))
down = arrayconv.correlate(checker, horizontal, "valid")
across = arrayconv.correlate(checker, vertical, "valid")
print("\na checkerboard, horizontal kernel")
print(down)
print("a checkerboard, vertical kernel")
print(across)
assert down.tolist() == [[0, 0, 0, 0], [30, 10, -10, -30], [30, 10, -10, -30], [0, 0, 0, 0]]
assert across.tolist() == down.T.tolist()

# Convolving flips the kernel, and so the sign: positive is then where the image gets brighter.
assert arrayconv.convolve(step, vertical, "valid").tolist() == (-y).tolist()

# Numbers without a pattern work the same way.
x = np.array(
    [
        [3, 0, 1, 2, 7, 4],
        [1, 5, 8, 9, 3, 1],
        [2, 7, 2, 5, 1, 3],
        [0, 1, 3, 1, 7, 8],
        [4, 2, 1, 6, 2, 8],
        [2, 4, 5, 2, 3, 9],
    ]
)
y = arrayconv.correlate(x, vertical, "valid")
assert y.tolist() == [[-5, -4, 0, 8], [-10, -2, 2, 3], [0, -2, -4, -7], [-3, -2, -3, -16]]

# Sobel's kernels weight the middle row twice. On an image, with the border pixels repeated outside:
try:
    from skimage.data import camera

    image, name = camera(), "the cameraman"
except ImportError:
    image, name = np.repeat([[200] * 64 + [50] * 64], 128, axis=0).astype("uint8"), "a step"
image = image.astype("float32")
gx, gy = (arrayconv.convolve(image, kernels.sobel(axis, dtype="float32"), "same", boundary="edge") for axis in (1, 0))
strength = np.hypot(gx, gy)
edges = strength > 0.25 * strength.max()
print(f"\n{name}, {image.shape}: {edges.mean():.1%} of the pixels are on an edge")
rows, columns = (size // 32 for size in image.shape)
for row in edges[: 32 * rows].reshape(32, rows, 32, columns).mean(axis=(1, 3)):
    print("".join(" .:*#"[min(4, int(10 * share))] * 2 for share in row).rstrip())
assert strength.shape == image.shape
assert 0 < edges.mean() < 0.2
assert not arrayconv.convolve(np.full((8, 8), 7.0), kernels.sobel(), "same", boundary="edge").any()
