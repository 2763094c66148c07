"""Seismology: when did the wave arrive? Correlation at a few lags.

A station far away records the same wave later, weaker and in noise. The correlation of both records has its maximum at
the delay. A delay of an hour is impossible: `lags=` computes the delays of interest alone, so six hours of samples are
correlated in the time that these take.
"""

import matplotlib.pyplot as plt
import numpy as np

import arrayconv

rate = 20  # samples per second
samples, delay = 6 * 3600 * rate, 437  # six hours; the delay in samples
random = np.random.default_rng(1)
ground = arrayconv.convolve(random.standard_normal(samples + delay), arrayconv.kernels.gaussian(4, ndim=1), "same")
near = ground[delay:] + 0.2 * random.standard_normal(samples)
far = 0.3 * ground[:samples] + 0.2 * random.standard_normal(samples)

correlation = arrayconv.correlate(far, near, lags=1000)  # from -1000 to 1000
lags = np.arange(-1000, 1001)
best = int(lags[np.argmax(correlation)])
print(f"delay {best / rate} s, true delay {delay / rate} s, {len(lags)} of {2 * samples - 1} lags computed")
assert best == delay

figure, (top, bottom) = plt.subplots(2, 1, figsize=(8, 5))
seconds = np.arange(1200) / rate
top.plot(seconds, near[5000:6200], lw=0.8, label="near")
top.plot(seconds, far[5000:6200], lw=0.8, label="far")
top.set_xlabel("seconds"), top.legend()
bottom.plot(lags / rate, correlation, lw=0.8)
bottom.axvline(delay / rate, color="C3", lw=0.8, label="true delay")
bottom.set_xlabel("lag in seconds"), bottom.set_title("correlation at 2,001 lags"), bottom.legend()
