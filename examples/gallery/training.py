"""A trained filter: gradient descent learns Sobel's taps.

A single 7 x 7 filter learns to do what Sobel's filter does, from pairs of images. The gradient is
`arrayconv.vjp`'s, so this runs on arrays of libraries without autograd as well. A network that reads digits is the
tutorial's thirteenth script.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage.data import camera

import arrayconv
from arrayconv import ndimage

image = camera()[::4, ::4].astype(float) / 255
image = (image - image.mean()) / image.std()
target = ndimage.sobel(image)

learned, velocity = np.zeros((7, 7)), np.zeros((7, 7))
losses = []
for _step in range(300):
    y, pullback = arrayconv.vjp(arrayconv.correlate, image, learned, "same", boundary="symmetric")
    losses.append(float(np.mean((y - target) ** 2)))
    _, gradient = pullback(2 * (y - target) / y.size)
    velocity = 0.9 * velocity + gradient  # momentum
    learned -= 0.01 * velocity
print(f"loss {losses[0]:.3g} -> {losses[-1]:.3g}")
assert losses[-1] < 1e-3 * losses[0]

figure, panels = plt.subplots(1, 3, figsize=(9, 3.2))
panels[0].semilogy(losses)
panels[0].set_title("loss")
for axes, taps, title in [
    (panels[1], learned, "learned taps"),
    (panels[2], np.pad(arrayconv.kernels.sobel()[::-1, ::-1], 2), "Sobel's"),
]:
    limit = np.abs(taps).max()
    axes.imshow(taps, cmap="RdBu_r", vmin=-limit, vmax=limit)
    axes.set_title(title)
    axes.axis("off")
