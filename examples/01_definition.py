"""Convolution from its definition.

Every sample of the signal adds a copy of the kernel, scaled by the sample, to the output:

    y[n] = sum_k kernel[k] * x[n - k]

Three samples and two taps are enough to compute it by hand.
"""

import numpy as np

import arrayconv


def by_definition(x, kernel):
    """Add up one shifted, scaled copy of the kernel per sample."""
    y = [0] * (len(x) + len(kernel) - 1)
    for n, sample in enumerate(x):
        for k, tap in enumerate(kernel):
            y[n + k] += tap * sample
    return y


x, kernel = [1, 2, 3], [1, 10]
print("x =", x, " kernel =", kernel)
print("sample 1 adds     1 10")
print("sample 2 adds        2 20")
print("sample 3 adds           3 30")
print("the sum is       ", *by_definition(x, kernel))
assert by_definition(x, kernel) == [1, 12, 23, 30]

# The same by the library: all outputs that depend on a sample ('full').
y = arrayconv.convolve(x, kernel)
print("arrayconv returns", *y)
assert y.tolist() == [1, 12, 23, 30]

# Three kernels that show what a convolution does to a signal.
x = np.array([0, 0, 4, 0, 0, 8, 8, 8])
for name, taps, figures in [
    ("unchanged", [1], [0, 0, 4, 0, 0, 8, 8, 8]),
    ("delay by two", [0, 0, 1], [0, 0, 0, 0, 4, 0, 0, 8]),
    ("difference from the sample before", [1, -1], [0, 0, 4, -4, 0, 8, 0, 0]),
]:
    y = arrayconv.convolve(x, taps)[: len(x)]
    print(f"{name:<34}", y)
    assert y.tolist() == figures

# Polynomials multiply by the same rule: (1 + 2t)(3 + t) = 3 + 7t + 2t^2.
product = arrayconv.convolve([1, 2], [3, 1])
print("(1 + 2t)(3 + t) has coefficients", product)
assert product.tolist() == [3, 7, 2]
