"""Finding a template: a correlation, and why it is divided by the window's norm.

The sum of products alone is largest where the image is bright. Subtracting means and dividing by norms leaves a number
from -1 to 1 that neither brightness nor contrast changes.
"""

import numpy as np

import arrayconv

image = np.random.default_rng(7).random((40, 60))
template = image[12:20, 30:42].copy()
image[2:14, 2:18] += 5  # a bright area elsewhere


def peak(scores):
    return tuple(int(i) for i in np.unravel_index(scores.argmax(), scores.shape))


# The plain correlation finds the bright area; the normalised one the template.
products = arrayconv.match_template(image, template, score="cc")
scores = arrayconv.match_template(image, template)
print("sum of products", peak(products), "zero-mean normalised", peak(scores), scores.max())
assert peak(products) != (12, 30)
assert peak(scores) == (12, 30)
assert abs(scores.max() - 1) < 1e-12

# A darker image of less contrast has the same scores, and a negative has their opposites.
assert np.allclose(arrayconv.match_template(0.1 * image - 3, template), scores)
assert np.allclose(arrayconv.match_template(-image, template), -scores)

# By hand, for one window.
window = image[5:13, 20:32]
i, t = window - window.mean(), template - template.mean()
assert np.isclose(scores[5, 20], (i * t).sum() / np.sqrt((i**2).sum() * (t**2).sum()))

# A window without any variation has no score: 0.
flat = np.pad(image, ((0, 0), (0, 20)), constant_values=0.25)
assert not arrayconv.match_template(flat, template)[:, 60:].any()

# The same on a signal: the delay between two recordings.
signal = np.random.default_rng(1).standard_normal(500)
assert arrayconv.match_template(signal, 2 * signal[123:223]).argmax() == 123

# As many scores as samples, the peak at the template's centre.
centred = arrayconv.match_template(image, template, pad_input=True, mode="reflect")
print("with pad_input", centred.shape, peak(centred))
assert peak(centred) == (12 + 4, 30 + 6)
