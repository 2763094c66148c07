"""One output is a dot product.

Put the kernel on the signal, multiply each tap by the sample under it, and add up. A correlation does this at every
position where the kernel fits; when the kernel is as long as the signal there is one position, and the result is an
ordinary dot product.
"""

import numpy as np

import arrayconv

x = np.array([0, 1, 2])
kernel = np.array([1, 0, -1])

one = arrayconv.correlate(x, kernel, "valid")
print(f"{x} . {kernel} = {x @ kernel}, and the correlation has one output: {one}")
assert one.tolist() == [-2] == [x @ kernel]

# A longer signal: the kernel slides along, one dot product per position.
x = np.array([0, 1, 2, -1, 1, -3, 0])
y = arrayconv.correlate(x, kernel, "valid")
for position, value in enumerate(y):
    window = x[position : position + len(kernel)]
    print(f"position {position}: {window} . {kernel} = {value}")
    assert window @ kernel == value
assert y.tolist() == [-2, 2, 1, 2, 1]
