"""Flipping: convolution is not correlation.

A correlation uses the kernel as it is; a convolution flips it first, a rotation by 180 degrees in the plane. Neural
networks call correlation convolution. For a symmetric kernel there is no difference, for others there is.
"""

import numpy as np

import arrayconv

kernel = np.array([[3, 4, 5], [1, 0, 2], [-1, 9, 7]])

# One bright pixel. Convolving returns the kernel, correlating returns it flipped.
pixel = np.zeros((3, 3), dtype=int)
pixel[1, 1] = 1
convolved_pixel = arrayconv.convolve(pixel, kernel, "same")
correlated_pixel = arrayconv.correlate(pixel, kernel, "same")
print("a pixel convolved with the kernel")
print(convolved_pixel)
print("a pixel correlated with the kernel")
print(correlated_pixel)
assert convolved_pixel.tolist() == kernel.tolist()
assert correlated_pixel.tolist() == [[7, 9, -1], [2, 0, 1], [5, 4, 3]]

# Flipping reverses every axis. A transpose is something else.
assert correlated_pixel.tolist() == np.flip(kernel).tolist()
assert correlated_pixel.tolist() != np.flip(kernel).T.tolist()

# So each follows from the other.
x = np.arange(25).reshape(5, 5) % 7
convolved = arrayconv.convolve(x, kernel, "valid")
assert convolved.tolist() == arrayconv.correlate(x, np.flip(kernel), "valid").tolist()
assert convolved.tolist() == arrayconv.einconv("h w, h w -> h w | h w", x, kernel, flip=True).tolist()

# In one dimension, as a text about signals and a text about networks would each compute "the convolution".
x, kernel = [1, 2, -1, 1, -3], [-1, 0, 1]
print("\nconvolve ", arrayconv.convolve(x, kernel, "same"))
print("correlate", arrayconv.correlate(x, kernel, "same"))
assert arrayconv.convolve(x, kernel, "same").tolist() == [-2, 2, 1, 2, 1]
assert arrayconv.correlate(x, kernel, "same").tolist() == [2, -2, -1, -2, -1]

# Convolution commutes; correlation does not.
assert arrayconv.convolve([1, 2, 3], [1, 10]).tolist() == arrayconv.convolve([1, 10], [1, 2, 3]).tolist()
assert arrayconv.correlate([1, 2, 3], [1, 10]).tolist() != arrayconv.correlate([1, 10], [1, 2, 3]).tolist()
