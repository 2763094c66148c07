"""Gaps: the weighted mean of the samples that are there.

A convolution spreads a missing sample over a whole window. Dividing by the weight of what is there does not: the
kernel then interpolates, and where nothing is under it the result says so.
"""

import numpy as np

import arrayconv

# A day of temperatures, with a gap of two hours and one of nine.
hours = np.arange(96) / 4
truth = 15 + 6 * np.sin((hours - 9) / 24 * 2 * np.pi)
measured = truth.copy()
measured[(hours >= 5) & (hours < 7)] = np.nan
measured[(hours >= 12) & (hours < 21)] = np.nan
kernel = arrayconv.kernels.gaussian(3.0, ndim=1)

plain = arrayconv.convolve(measured, kernel, "same", boundary="edge")
zeros = arrayconv.convolve(np.nan_to_num(measured), kernel, "same", boundary="edge")
means, weight = arrayconv.normalized_convolve(measured, kernel, "same", return_weight=True)
print(f"NaN after a convolution: {np.isnan(plain).sum()} of 96, before it: {np.isnan(measured).sum()}")
print(f"NaN after a normalised one: {np.isnan(means).sum()}, where no sample is under the kernel")
assert np.isnan(means).sum() < np.isnan(measured).sum() < np.isnan(plain).sum()

short = (hours >= 5) & (hours < 7)
for name, y in [("zeros in the gap", zeros), ("normalised", means)]:
    print(f"largest error in the short gap, {name}: {np.abs(y - truth)[short].max():.2f} degrees")
assert np.abs(means - truth)[short].max() < 1.5 < np.abs(zeros - truth)[short].max()

# Trust means of at least half of the kernel's weight.
trusted = arrayconv.normalized_convolve(measured, kernel, "same", min_weight=0.5)
assert (np.isnan(trusted) == (weight < 0.5 * kernel.sum())).all()

# A picture with a third of its pixels missing, and a mask that says so: values under it have no effect.
rows, columns = np.mgrid[:64, :64] / 64
picture = np.sin(9 * rows) * np.cos(7 * columns) + (rows > columns)
there = np.random.default_rng(0).random(picture.shape) > 1 / 3
damaged = np.where(there, picture, 1e9)
filled = arrayconv.normalized_convolve(damaged, arrayconv.kernels.gaussian(0.7, ndim=2), "same", where=there)
repaired = np.where(there, picture, filled)
error = np.abs(repaired - picture)
print(f"picture: {np.mean(~there):.0%} missing, median error of the filled pixels {np.median(error[~there]):.3f}")
assert np.median(error[~there]) < 0.05

# The definition, in two convolutions.
numerator = arrayconv.convolve(np.where(there, picture, 0), [[1, 2, 1], [2, 4, 2], [1, 2, 1]], "same")
denominator = arrayconv.convolve(there.astype(float), [[1, 2, 1], [2, 4, 2], [1, 2, 1]], "same")
y = arrayconv.normalized_convolve(picture, [[1, 2, 1], [2, 4, 2], [1, 2, 1]], "same", where=there)
inside = denominator > 0.5
assert np.allclose(y[inside], (numerator / np.where(inside, denominator, 1))[inside], rtol=1e-12)
assert np.isnan(y[~inside]).all()
