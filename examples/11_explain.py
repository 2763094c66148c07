"""Which method would run, and why not the others?

Several methods compute the same result. A short kernel is fastest directly, a long one by FFT. `explain` prints the
choice, from the shapes alone, without computing anything.
"""

import numpy as np

import arrayconv

# A small kernel on a large image.
small = arrayconv.explain((2048, 2048), (3, 3), mode="same")
print(small)
assert small.output_shape == (2048, 2048)
assert small.macs == 2048 * 2048 * 9
assert small.candidates[0].name == small.method

# A large one: the definition would take 17 thousand million multiply-adds, an FFT hardly more than for a small kernel.
large = arrayconv.explain((2048, 2048), (65, 65), mode="same")
print()
print(large)
assert large.macs == 2048 * 2048 * 65 * 65
assert large.method in ("fft", "overlap_save")

# Options exclude methods; each refusal has a reason.
strict = arrayconv.explain((2048, 2048), (65, 65), mode="same", accuracy="componentwise")
refused = {row.name: row.refusal for row in strict.candidates if row.refusal}
print("\nwith accuracy='componentwise' these are refused")
for name, reason in refused.items():
    print(f"  {name}: {reason}")
assert {"fft", "overlap_save"} <= set(refused)

# A limit on memory makes the pieces smaller and does not change the result.
limit = 8 << 20
capped = arrayconv.explain((2048, 2048), (65, 65), mode="same", max_workspace=limit)
print(f"\nin 8 MiB: {capped.method}, {capped.steps} steps, {capped.workspace} bytes")
assert capped.workspace <= limit

# Every other function explains itself in the same way: its own arguments, shapes in place of arrays.
layer = arrayconv.explain((8, 3, 64, 64), (16, 3, 5, 5), call=arrayconv.nn.conv2d, padding=2, derivatives=True)
print(f"\nconv2d by {layer.method}, its gradients by {[gradient.method for _, gradient in layer.gradients]}")
blur = arrayconv.explain((2048, 2048), 3, call=arrayconv.ndimage.gaussian_filter)
print(blur)
assert [step.axis for step in blur.passes] == [0, 1]

# Integers are exact by every method.
x, kernel = np.arange(1000) % 17 - 8, np.arange(50) % 5
able = [row.name for row in arrayconv.explain(x, kernel).candidates if row.refusal is None]
results = [arrayconv.convolve(x, kernel, method=name) for name in able]
assert all((result == np.convolve(x, kernel)).all() for result in results)
print(f"\n{', '.join(able)} agree on integers, bit by bit")
