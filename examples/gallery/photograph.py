"""A photograph: colour, edges and an unsharp mask.

The filters have SciPy's names. Of a colour picture only the two axes of the image are filtered, by `axes=`, so all
channels are filtered in one call. An unsharp mask adds what a Gaussian took away.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage.data import astronaut

from arrayconv import ndimage

image = astronaut().astype("float32") / 255
blurred = ndimage.gaussian_filter(image, 4, axes=(0, 1), mode="nearest")
edges = ndimage.gaussian_gradient_magnitude(image.mean(axis=2), 1.5)
sharp = np.clip(image + 1.5 * (image - ndimage.gaussian_filter(image, 2, axes=(0, 1))), 0, 1)
assert blurred.shape == sharp.shape == image.shape

figure, panels = plt.subplots(2, 2, figsize=(8, 8))
for axes, picture, title in zip(
    panels.flat,
    (image, blurred, edges, sharp),
    (
        "input, 512 x 512 x 3 float32",
        "gaussian_filter, sigma 4",
        "gaussian_gradient_magnitude, sigma 1.5",
        "unsharp mask",
    ),
    strict=True,
):
    axes.imshow(picture, cmap="gray")
    axes.set_title(title)
    axes.axis("off")
