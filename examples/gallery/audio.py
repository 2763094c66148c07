"""Audio: a room's echo, by a convolution with 48,000 taps.

A dry sound convolved with a room's impulse response is the sound in that room. Both channels of the response are one
call: axes that are not convolved broadcast. `auto` takes a Fourier transform here; the exact sums of the first
outputs show that nothing is lost.
"""

import matplotlib.pyplot as plt
import numpy as np

import arrayconv

rate = 48_000  # samples per second
time = np.arange(2 * rate) / rate
dry = np.zeros(2 * rate)
for start, pitch in [(0.0, 440), (0.4, 550), (0.8, 660)]:
    note = np.clip(time - start, 0, None)
    dry += np.sin(2 * np.pi * pitch * note) * np.exp(-12 * note) * (time >= start)

random = np.random.default_rng(0)
decay = np.exp(-6 * np.arange(rate) / rate)
room = random.standard_normal((2, rate)) * decay * 0.02
room[:, 0] += 1.0  # the direct sound

wet = arrayconv.convolve(dry[None], room, axes=-1)
print(arrayconv.explain(dry[None], room, axes=-1).method, wet.shape)
assert wet.shape == (2, 3 * rate - 1)

exact = arrayconv.testing.reference("convolve", dry[:300], room[0, :300])[:300]  # in exact arithmetic
assert np.abs(wet[0, :300] - exact).max() < 1e-12

figure, panels = plt.subplots(2, 1, figsize=(8, 5), sharex=True)
for axes, sound, title in [(panels[0], dry, "dry"), (panels[1], wet[0], "left channel in the room")]:
    axes.plot(np.arange(len(sound)) / rate, sound, lw=0.4)
    axes.set_title(title)
panels[1].set_xlabel("seconds")
