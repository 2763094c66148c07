"""One kernel for many images: what need not be done again, and passes along one axis each.

A Gaussian is a product of two short factors, so a blur is a pass down the columns and one along the rows: 2 * 25
multiply-adds for an output instead of 25 * 25. A `Convolver` finds that out once, when it is built.
"""

import numpy as np

import arrayconv
from arrayconv import Convolver, kernels

# The same answers as from convolve, image after image.
kernel = kernels.gaussian(3)
blur = Convolver(kernel, "same", boundary="reflect")
images = np.random.default_rng(0).random((4, 96, 128))
for image in images:
    difference = np.abs(blur(image) - arrayconv.convolve(image, kernel, "same", boundary="reflect")).max()
    assert difference < 1e-14
print(f"{blur}: 4 images as convolve has them, {blur.nbytes} bytes kept")

# What it would do with a larger image.
found = blur.explain((1024, 1024))
print()
print(found)
assert found.method == "separable"
assert [step.taps for step in found.passes] == [25, 25]

# The factors can be had, and given.
[(down, across)] = kernels.separate(kernel)
assert np.allclose(np.outer(down, across), kernel, rtol=1e-15, atol=0)
for name in ("sobel", "laplacian", "log"):
    make = getattr(kernels, name)
    terms = kernels.separate(make(2) if name == "log" else make())
    print(f"\n{name} is a sum of {len(terms)} product{'s' * (len(terms) > 1)}", end="")
    assert len(terms) == (1 if name == "sobel" else 2)
print()

# Integers are factored exactly, so sums that wrap are the same too.
sobel = kernels.sobel(dtype="int8")
image = np.random.default_rng(1).integers(-128, 128, (40, 50), dtype=np.int8)
edges = Convolver(sobel, "same", separable=True)
assert (edges(image) == arrayconv.convolve(image, sobel, "same")).all()
print("\nint8 edges by two passes agree bit by bit")

# Not every kernel is a product; separable=True says how far from one it is.
try:
    Convolver(kernels.gabor(0.2, 0.6, part="real"), separable=True, accuracy="componentwise")(image.astype(float))
    answer = "passes"
except ValueError as refusal:
    answer = str(refusal)
print("\na Gabor filter at an angle:", answer)
assert "allows one" in answer

# The kernel was copied: what happens to the array afterwards changes nothing.
before = blur(images[0])
kernel[:] = 0
assert (blur(images[0]) == before).all()
