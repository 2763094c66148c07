"""Sound through a long impulse response, block by block, as it arrives.

A response of a second has 48,000 taps. Waiting for all samples is no option, and 48,000 multiply-adds per sample are a
lot: the stream partitions the kernel and transforms blocks of 64 samples, so an output waits for at most 63 more.
"""

import numpy as np

from arrayconv import Convolver

RATE, BLOCK = 48_000, 64
random = np.random.default_rng(0)

# Two decaying responses, for the left and the right ear, and a second of sound.
seconds = np.arange(RATE) / RATE
response = random.standard_normal((2, RATE)) * np.exp(-6 * seconds)
sound = np.sin(2 * np.pi * 440 * seconds) * (seconds % 0.25 < 0.05)

reverb = Convolver(response, axes=-1)
stream = reverb.stream(max_latency=BLOCK - 1)
parts = []
for start in range(0, RATE, BLOCK):
    block = sound[None, start : start + BLOCK]
    parts.append(stream.push(block))
    assert parts[-1].shape == (2, BLOCK)  # as many samples out as in
print(f"{len(parts)} blocks of {BLOCK} samples: {stream}")
for part in stream.partitions:
    print(f"    {part.count} partitions of {part.block} taps from tap {part.first} on")
parts.append(stream.flush())  # the reverberation after the sound
wet = np.concatenate(parts, axis=1)

# The same as all at once, within the bounds of both.
whole = reverb(sound[None])
assert wet.shape == whole.shape == (2, 2 * RATE - 1)
bound = np.finfo(float).eps * (RATE + 12 * np.log2(wet.shape[1]) + 4) * np.linalg.norm(sound) * np.linalg.norm(response)
difference = np.abs(wet - whole).max()
print(f"largest difference from one call: {difference:.1e}, below {2 * bound:.1e}")
assert difference <= 2 * bound

# A short filter runs directly: no latency, and the bits of one call whatever the chunks.
smooth = Convolver([1.0, 2.0, 1.0], "same", boundary="reflect")
stream = smooth.stream()
pieces = np.split(sound, [1, 2, 1000, 1000, 20_000])
joined = np.concatenate([*map(stream.push, pieces), stream.flush()])
assert joined.tobytes() == Convolver([1.0, 2.0, 1.0], "same", boundary="reflect", method=stream.method)(sound).tobytes()
print(f"{len(pieces)} chunks of {[piece.size for piece in pieces]} samples: the bits of one call, {stream}")
