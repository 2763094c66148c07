"""Microscopy: spots and background of a stack, with units in micrometres.

A stack of a microscope has other distances along z than along y and x, so the widths of a Gaussian are given per axis
in samples: micrometres over micrometres per sample. A difference of two Gaussians, narrow minus wide, keeps spots of
one size and removes an uneven background. The stack is synthetic, so that the true positions are known.
"""

import matplotlib.pyplot as plt
import numpy as np

from arrayconv import ndimage

spacing = np.array([0.5, 0.1, 0.1])  # micrometres per sample along z, y, x
shape = (24, 160, 160)
random = np.random.default_rng(3)
spots = np.stack([random.integers(4, size - 4, 60) for size in shape], axis=1)

stack = np.zeros(shape)
np.add.at(stack, tuple(spots.T), 400.0)
stack = ndimage.gaussian_filter(stack, 0.25 / spacing)  # what the optics do to a point
z, y, x = np.indices(shape)
background = 8 + 5 * np.sin(x / 40) + y / 30
stack = random.poisson(background + 20 * stack).astype("uint16")

narrow = ndimage.gaussian_filter(stack, 0.25 / spacing, output="float32")
wide = ndimage.gaussian_filter(stack, 0.7 / spacing, output="float32")
difference = narrow - wide

at_spots = difference[tuple(spots.T)]
threshold = difference.mean() + 5 * difference.std()
print(f"{np.count_nonzero(at_spots > threshold)} of {len(spots)} spots are above five standard deviations")
assert np.mean(at_spots > threshold) > 0.8

figure, panels = plt.subplots(1, 2, figsize=(9, 4.6))
panels[0].imshow(stack.max(axis=0), cmap="gray")
panels[0].set_title("uint16 stack, largest value along z")
panels[1].imshow(difference.max(axis=0), cmap="magma", vmin=0)
panels[1].plot(spots[:, 2], spots[:, 1], "o", mfc="none", mec="cyan", ms=9, lw=0.5)
panels[1].set_title("difference of Gaussians, true positions circled")
for axes in panels:
    axes.axis("off")
