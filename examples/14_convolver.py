"""One kernel for many images: cached work, and passes along one axis each.

A Gaussian is a product of two short factors, so a blur is a pass down the columns and one along the rows: 2 * 25
multiply-adds for an output instead of 25 * 25. A `Convolver` checks that once, when it is created.
"""

import numpy as np

import arrayconv
from arrayconv import Convolver, kernels

# The same results as from convolve, image after image.
kernel = kernels.gaussian(3)
blur = Convolver(kernel, "same", boundary="reflect")
images = np.random.default_rng(0).random((4, 96, 128))
for image in images:
    difference = np.abs(blur(image) - arrayconv.convolve(image, kernel, "same", boundary="reflect")).max()
    assert difference < 1e-14
print(f"{blur}: 4 images equal to those of convolve, {blur.nbytes} bytes cached")

# What it would do with a larger image.
explanation = blur.explain((1024, 1024))
print()
print(explanation)
assert explanation.method == "separable"
assert [step.taps for step in explanation.passes] == [25, 25]

# `separate` returns the factors.
[(down, across)] = kernels.separate(kernel)
assert np.allclose(np.outer(down, across), kernel, rtol=1e-15, atol=0)
for name in ("sobel", "laplacian", "log"):
    make = getattr(kernels, name)
    terms = kernels.separate(make(2) if name == "log" else make())
    print(f"\n{name} is a sum of {len(terms)} product{'s' * (len(terms) > 1)}", end="")
    assert len(terms) == (1 if name == "sobel" else 2)
print()

# Integers are factored exactly, so wrapping sums are equal too.
sobel = kernels.sobel(dtype="int8")
image = np.random.default_rng(1).integers(-128, 128, (40, 50), dtype=np.int8)
edges = Convolver(sobel, "same", separable=True)
assert (edges(image) == arrayconv.convolve(image, sobel, "same")).all()
print("\nint8 edges by two passes agree bit by bit")

# Not every kernel is a product; separable=True says how far from one it is.
try:
    Convolver(kernels.gabor(0.2, 0.6, part="real"), separable=True, accuracy="componentwise")(image.astype(float))
    message = "no error"
except ValueError as error:
    message = str(error)
print("\na Gabor filter at an angle:", message)
assert "allows one" in message

# The kernel was copied: later changes to the array have no effect.
before = blur(images[0])
kernel[:] = 0
assert (blur(images[0]) == before).all()
