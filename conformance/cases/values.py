"""Small figures that can be checked by hand, where libraries disagree.

(id, function, x, kernel, options, result); the comment names the libraries that agree.
"""

FIVE = [1, 2, 3, 4, 5]

HAND = [
    # Even kernels and 'same': numpy, scipy.signal and jax.numpy; scipy.ndimage and torch start one sample later.
    ("convolve-same-2", "convolve", FIVE, [1, 10], {"mode": "same"}, [1, 12, 23, 34, 45]),
    ("convolve-same-4", "convolve", FIVE, [1, 10, 100, 1000], {"mode": "same"}, [12, 123, 1234, 2345, 3450]),
    # numpy, scipy.signal, scipy.ndimage; scipy.signal.correlate2d and torch start one sample later.
    ("correlate-same-2", "correlate", FIVE, [1, 10], {"mode": "same"}, [10, 21, 32, 43, 54]),
    ("correlate-same-4", "correlate", FIVE, [1, 10, 100, 1000], {"mode": "same"}, [2100, 3210, 4321, 5432, 543]),
    ("convolve-same-3", "convolve", FIVE, [1, 10, 100], {"mode": "same"}, [12, 123, 234, 345, 450]),
    ("correlate-same-3", "correlate", FIVE, [1, 10, 100], {"mode": "same"}, [210, 321, 432, 543, 54]),
    # 'same' follows x, as scipy.signal; numpy.convolve follows the longer operand.
    ("same-short-x", "convolve", [1, 2, 3], [1, 0, 0, 0, 10], {"mode": "same"}, [3, 0, 10]),
    ("full", "convolve", [1, 2, 3], [0, 1, 10], {}, [0, 1, 12, 23, 30]),
    ("correlate-full", "correlate", [1, 2, 3], [1, 10], {}, [10, 21, 32, 3]),
    ("valid", "correlate", FIVE, [1, 10], {"mode": "valid"}, [21, 32, 43, 54]),
    # A stride takes every second output of the modes above.
    ("stride-same", "correlate", FIVE, [1, 10], {"mode": "same", "stride": 2}, [10, 32, 54]),
    ("stride-valid", "correlate", FIVE, [1, 10], {"mode": "valid", "stride": 2}, [21, 43]),
    # Taps two samples apart: [1, 0, 10].
    ("dilation-same", "correlate", FIVE, [1, 10], {"mode": "same", "dilation": 2}, [20, 31, 42, 53, 4]),
    # Lags, both ends included: numpy's full correlation is lags -1..4 here.
    ("lags", "correlate", FIVE, [1, 10], {"lags": (0, 1)}, [21, 32]),
    ("lags-int", "correlate", FIVE, [1, 10], {"lags": 1}, [10, 21, 32]),
    ("lags-outside", "correlate", FIVE, [1, 10], {"lags": (4, 6)}, [5, 0, 0]),
    # correlate conjugates its kernel as numpy, scipy.signal and scipy.ndimage do; torch and jax.lax do not.
    ("conjugates", "correlate", [1 + 1j, 2], [1j, 1], {}, [1 + 1j, 3 - 1j, -2j]),
    ("convolve-keeps", "convolve", [1 + 1j, 2], [1j, 1], {}, [-1 + 1j, 1 + 3j, 2]),
    # Boundaries in numpy.pad's names, x = 1 2 3 4, the sample two to the left: | 0 0, 1 1, 2 1, 3 2, 3 4.
    ("constant", "correlate", [1, 2, 3, 4], [1, 0, 0], {"mode": "full"}, [0, 0, 1, 2, 3, 4]),
    ("fill", "correlate", [1, 2, 3, 4], [1, 0, 0], {"fill_value": 9}, [9, 9, 1, 2, 3, 4]),
    ("edge", "correlate", [1, 2, 3, 4], [1, 0, 0], {"boundary": "edge"}, [1, 1, 1, 2, 3, 4]),
    ("symmetric", "correlate", [1, 2, 3, 4], [1, 0, 0], {"boundary": "symmetric"}, [2, 1, 1, 2, 3, 4]),
    ("reflect", "correlate", [1, 2, 3, 4], [1, 0, 0], {"boundary": "reflect"}, [3, 2, 1, 2, 3, 4]),
    ("wrap", "correlate", [1, 2, 3, 4], [1, 0, 0], {"boundary": "wrap"}, [3, 4, 1, 2, 3, 4]),
    ("edge-right", "correlate", [1, 2, 3, 4], [0, 0, 1], {"boundary": "edge"}, [1, 2, 3, 4, 4, 4]),
    ("symmetric-right", "correlate", [1, 2, 3, 4], [0, 0, 1], {"boundary": "symmetric"}, [1, 2, 3, 4, 4, 3]),
    ("reflect-right", "correlate", [1, 2, 3, 4], [0, 0, 1], {"boundary": "reflect"}, [1, 2, 3, 4, 3, 2]),
    ("wrap-right", "correlate", [1, 2, 3, 4], [0, 0, 1], {"boundary": "wrap"}, [1, 2, 3, 4, 1, 2]),
    # Wider than x: the extension repeats.
    ("wrap-wide", "correlate", [1, 2], [1, 0, 0, 0, 0], {"boundary": "wrap"}, [1, 2, 1, 2, 1, 2]),
    ("symmetric-wide", "correlate", [1, 2], [1, 0, 0, 0, 0], {"boundary": "symmetric"}, [1, 2, 2, 1, 1, 2]),
    ("reflect-wide", "correlate", [1, 2, 3], [1, 0, 0, 0, 0], {"boundary": "reflect"}, [1, 2, 3, 2, 1, 2, 3]),
    # Two axes.
    ("2d", "convolve", [[1, 2], [3, 4]], [[1, 10]], {}, [[1, 12, 20], [3, 34, 40]]),
    ("2d-full", "convolve", [[1, 2]], [[1], [10]], {}, [[1, 2], [10, 20]]),
]

# Integers wrap: (id, dtype, x, kernel, options, result).
WRAPPING = [
    ("uint8", "uint8", [200, 200, 200], [1, 1], {}, [200, 144, 144, 200]),
    ("int8", "int8", [100, 100], [1, 1], {}, [100, -56, 100]),
    ("int8-product", "int8", [-128], [-1], {}, [-128]),
    ("int16", "int16", [30000, 30000], [2], {}, [-5536, -5536]),
    ("int32", "int32", [2**30, 2**30], [1, 1], {}, [2**30, -(2**31), 2**30]),
    ("int64-exact", "int64", [2**62 + 1], [1], {}, [2**62 + 1]),  # lost by any computation in float64
    ("int64-wraps", "int64", [2**62, 2**62], [1, 1], {}, [2**62, -(2**63), 2**62]),
    ("uint64", "uint64", [2**63, 2**63 + 1], [2, 1], {}, [0, 2**63 + 2, 2**63 + 1]),
    ("widened", "uint8", [200, 200, 200], [1, 1], {"dtype": "int32"}, [200, 400, 400, 200]),
]

# correlate's 'same' and the lag of its peak: (id, x, kernel, position of the peak, its lag).
PEAKS = [
    ("odd-even", [0, 0, 0, 1, 0], [1, 0], 4, 3),  # scipy.signal.correlation_lags says 4
    ("even-odd", [0, 0, 1, 0], [1, 0, 0], 3, 2),
    ("odd-odd", [0, 0, 0, 1, 0], [0, 1, 0], 3, 2),
    ("even-even", [0, 0, 1, 0], [0, 1], 2, 1),
]
