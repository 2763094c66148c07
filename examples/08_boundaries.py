"""Padding and boundaries: samples outside the array.

Near its ends a signal has no samples for some taps. Either those outputs are left out, or values are assumed there. The
mode selects the outputs; the boundary is the rule for the values outside.
"""

import numpy as np

import arrayconv

x = np.array([1, 2, 3, 4])
ones = np.array([1, 1, 1])

# Which outputs: wherever the kernel overlaps the signal, as many as there are samples, or only where it fits.
for mode, figures in [("full", [1, 3, 6, 9, 7, 4]), ("same", [3, 6, 9, 7]), ("valid", [6, 9])]:
    y = arrayconv.convolve(x, ones, mode)
    print(f"{mode:<6} {y}")
    assert y.tolist() == figures

# What is outside. Correlating with [1, 0, 0] shows it: output n is the sample before x[n].
print("\nbefore the first sample, boundary by boundary")
for boundary, outside in [("constant", 0), ("edge", 1), ("symmetric", 1), ("reflect", 2), ("wrap", 4)]:
    y = arrayconv.correlate(x, [1, 0, 0], "same", boundary=boundary)
    print(f"{boundary:<10} {y}")
    assert y.tolist() == [outside, 1, 2, 3]
assert arrayconv.correlate(x, [1, 0, 0], "same", fill_value=9).tolist() == [9, 1, 2, 3]

# A mean that assumes zeros outside darkens the ends; continuing the edge does not.
flat = np.full(5, 6)
assert arrayconv.convolve(flat, ones, "same").tolist() == [12, 18, 18, 18, 12]
assert arrayconv.convolve(flat, ones, "same", boundary="edge").tolist() == [18] * 5

# Keeping the size needs k - 1 samples outside: one on each side for 3 taps. For 4 taps it is 3, an odd number, so a
# convention decides on which side the odd one is. A sum of ones counts the samples inside: 4 - sum are outside.
print("\nfour taps, where the odd sample goes")
for name, y, split in [
    ("mode 'same'", arrayconv.correlate([1] * 6, [1] * 4, "same"), (2, 1)),
    ("padding 'same'", arrayconv.einconv("w, w -> w | w", [1] * 6, [1] * 4, padding="same"), (1, 2)),
    ("padding 'same_lower'", arrayconv.einconv("w, w -> w | w", [1] * 6, [1] * 4, padding="same_lower"), (2, 1)),
]:
    before, after = 4 - int(y[0]), 4 - int(y[-1])
    print(f"{name:<21} {y}  {before} before, {after} after")
    assert (before, after) == split

# `einconv` also accepts the numbers themselves.
y = arrayconv.einconv("w, w -> w | w", x, ones, padding=(2, 0))
assert y.tolist() == [1, 3, 6, 9]
